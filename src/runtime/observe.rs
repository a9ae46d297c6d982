//! What a host hears while a run goes on.

use jiff::Timestamp;

use super::store::{StepRecord, Tally};
use crate::hir::Query;
use crate::plan::query::Work;

/// Something worth showing.
#[derive(Clone, Debug)]
pub enum Progress<'p> {
    /// A step begins.
    Started {
        /// Path of the statement.
        step: &'p str,
        /// The statement in a few words.
        title: &'p str,
    },
    /// A step is done.
    Finished {
        /// The statement in a few words.
        title: &'p str,
        /// Its accounting.
        record: &'p StepRecord,
        /// The send's accounting, for sends.
        tally: Option<&'p Tally>,
        /// How long it took in real time.
        took: std::time::Duration,
    },
    /// A population was computed.
    Computed {
        /// The statement in a few words.
        title: &'p str,
        /// The population.
        query: &'p Query,
        /// Its rows.
        rows: u64,
        /// What the engine did.
        work: &'p Work,
        /// How long it took in real time, writing included.
        took: std::time::Duration,
    },
    /// A send goes on.
    Sending {
        /// The statement in a few words.
        title: &'p str,
        /// Rows that are settled.
        settled: u64,
        /// All rows.
        targeted: u64,
    },
    /// The run waits.
    Waiting {
        /// The statement in a few words.
        title: &'p str,
        /// Until when, by the run's clock.
        until: Timestamp,
    },
    /// The run waits for a person or a signal.
    Blocked,
    /// A line of `log`.
    Log {
        /// Its text.
        text: &'p str,
    },
    /// Something the user should know.
    Warning {
        /// One line.
        text: &'p str,
    },
}

/// Hears of progress. Called from the thread that drives the run; it should return quickly.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn on(&self, progress: Progress<'_>);
}

/// Hears nothing.
pub struct Silent;

impl Observer for Silent {
    fn on(&self, _progress: Progress<'_>) {}
}
