//! What is to happen and when: runs that are due, campaigns that start by themselves, signals that arrived, starts that
//! wait for their turn. Everything here is kept in the same transactions as the runs it leads to.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{SignalRecord, Store, StoreError};
use crate::hir::Value;

/// A campaign that starts by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CampaignRecord {
    /// The file that declares it, relative to the project.
    pub file: String,
    /// Its name.
    pub campaign: String,
    /// The source that new runs are pinned to.
    pub fingerprint: String,
    /// Its schedule as written; a change of it makes `next` be computed anew.
    pub schedule: Option<String>,
    /// The signal that starts it.
    pub signal: Option<String>,
    /// Signals start it whose arrival has a higher number than this.
    pub since: i64,
    /// Every start up to this instant has been decided.
    pub considered: Timestamp,
    /// The next start that the schedule asks for.
    pub next: Option<Timestamp>,
    /// Starts that were left out because an earlier run was still going.
    pub skipped: u64,
}

impl CampaignRecord {
    /// Whether a signal with the number of this arrival starts it.
    pub fn is_started_by(&self, arrival: i64, signal: &SignalRecord) -> bool {
        self.since < arrival && self.signal.as_ref() == Some(&signal.name)
    }
}

/// A start that waits until an earlier run has ended.
#[derive(Clone, PartialEq, Debug)]
pub struct QueuedStart {
    /// Given by the store, growing.
    pub id: i64,
    /// The file that declares the campaign.
    pub file: String,
    /// The campaign.
    pub campaign: String,
    /// The value after `by`, as text: only runs with the same one are waited for.
    pub key: Option<String>,
    /// Values of the signal's fields by name.
    pub values: BTreeMap<String, Value>,
    /// What asked for it.
    pub cause: Cause,
    /// When.
    pub at: Timestamp,
}

/// What started a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Somebody, by `orch run`.
    Hand,
    /// The schedule, at this instant.
    Schedule(Timestamp),
    /// A signal, by the name of its arrival.
    Signal(String),
}

/// Why nothing starts or goes on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hold {
    /// Why.
    pub reason: Option<String>,
    /// Since when.
    pub at: Timestamp,
}

/// The state comes from a backup: what happened between its making and the restore is not known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Restored {
    /// When the backup was made.
    pub backup: Timestamp,
    /// When it was restored.
    pub at: Timestamp,
    /// Starts that may have been made in between. They are not made by themselves.
    pub starts: Vec<DoubtfulStart>,
    /// Memories of `new` of which somebody said what they hold.
    #[serde(default)]
    pub trusted: Vec<String>,
}

impl Restored {
    /// Whether runs may have taken rows of a memory that it does not hold, and nobody said what is to become of them.
    pub fn doubts(&self, memory: &str) -> bool {
        !self.trusted.iter().any(|trusted| trusted == memory)
    }
}

/// A start that may have been made between a backup and its restore.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DoubtfulStart {
    /// The campaign's file.
    pub file: String,
    /// The campaign.
    pub campaign: String,
    /// What asked for it; of several starts of a schedule the first.
    pub cause: Cause,
}

/// A change of what is to happen.
#[derive(Clone, PartialEq, Debug)]
pub enum AgendaChange {
    /// A campaign as it is declared now, in the place of an earlier declaration.
    Campaign(CampaignRecord),
    /// A campaign that is no longer declared.
    Forgotten {
        /// Its file.
        file: String,
        /// Its name.
        campaign: String,
    },
    /// The starts of a schedule are decided up to `considered`. Refused unless `next` was as expected, so that no start
    /// is decided twice.
    Fired {
        /// The campaign's file.
        file: String,
        /// Its name.
        campaign: String,
        /// The start that was due.
        expected: Timestamp,
        /// Decided up to here.
        considered: Timestamp,
        /// The next start.
        next: Option<Timestamp>,
        /// Whether it was left out.
        skipped: bool,
    },
    /// A signal's start was left out because an earlier run was still going.
    Skipped {
        /// The campaign's file.
        file: String,
        /// Its name.
        campaign: String,
    },
    /// Campaigns have been started by every arrival up to this one. Refused unless it is the next.
    Heard {
        /// Number of the arrival.
        arrival: i64,
    },
    /// A start waits; its `id` is given by the store.
    Queued(QueuedStart),
    /// A start no longer waits. Refused unless it did.
    Unqueued {
        /// Which.
        id: i64,
    },
    /// Where a run comes from.
    Origin {
        /// Which run.
        run: String,
        /// The value after `by`, as text.
        key: Option<String>,
        /// What started it.
        cause: Cause,
    },
    /// What a run waits for besides times.
    Listens {
        /// Which run.
        run: String,
        /// Words, see [`word_of_signal`] and [`CONDITION`].
        words: Vec<String>,
    },
    /// A run was looked at after what woke it, up to this number.
    Looked {
        /// Which run.
        run: String,
        /// The last thing that woke it when it was looked at.
        wake: i64,
    },
    /// Runs that wait for a signal which arrived about when they began to wait are looked at again: a process may have
    /// died in between.
    WakeAnew,
    /// Nothing starts or goes on, or everything may again.
    Held(Option<Hold>),
    /// The state was restored: whatever was to start by then does not.
    Restored(Restored),
    /// A memory of `new` holds what it is to hold after a restore.
    Trusted {
        /// Which.
        memory: String,
    },
}

/// The word of runs that wait for a condition.
pub const CONDITION: &str = "condition";

/// The word of runs that wait for a signal of this name.
pub fn word_of_signal(name: &str) -> String {
    format!("signal:{name}")
}

/// The name of the signal that a word stands for.
pub fn signal_of_word(word: &str) -> Option<&str> {
    word.strip_prefix("signal:")
}

/// Reading what is to happen.
pub trait Agenda: Store {
    /// Runs that can go on at `now`, the longest due first.
    fn due(&self, now: Timestamp, most: usize) -> Result<Vec<String>, StoreError>;
    /// When the next run is due that is not due at `now`.
    fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError>;
    /// Runs that something came for which they may wait for, with the number of the last such thing; only one run of them
    /// if it is named.
    fn woken(&self, run: Option<&str>, most: usize) -> Result<Vec<(String, i64)>, StoreError>;
    /// The words that a run listens to; `*` when an older version did not note them.
    fn words(&self, run: &str) -> Result<Vec<String>, StoreError>;
    /// Signals that arrived behind this number, with theirs.
    fn arrivals(&self, behind: i64) -> Result<Vec<(i64, SignalRecord)>, StoreError>;
    /// The number of the last arrival.
    fn last_arrival(&self) -> Result<i64, StoreError>;
    /// The number of the last arrival that has started the campaigns it starts.
    fn heard(&self) -> Result<i64, StoreError>;
    /// A signal by the name of its arrival.
    fn signal(&self, id: &str) -> Result<Option<SignalRecord>, StoreError>;
    /// A run of a campaign that is not over, on the real clock; with a key, one that began with it.
    fn open_run_of(&self, file: &str, campaign: &str, key: Option<&str>) -> Result<Option<String>, StoreError>;
    /// How many runs are not over.
    fn open_runs(&self) -> Result<u64, StoreError>;
    /// Campaigns that start by themselves, by file and name.
    fn campaigns(&self) -> Result<Vec<CampaignRecord>, StoreError>;
    /// Starts that wait for their turn, in order.
    fn queued(&self) -> Result<Vec<QueuedStart>, StoreError>;
    /// Whether everything is held.
    fn held(&self) -> Result<Option<Hold>, StoreError>;
    /// What started a run, as far as it was noted.
    fn cause(&self, run: &str) -> Result<Option<Cause>, StoreError>;
}
