//! What happens to a run. Events are the journal: versioned by their field names, which are only ever added.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Bound, Delivery, Snapshot, Token};
use crate::hir::Value;

/// Something that happened.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run begins.
    Started {
        /// Parameter values by the index of the campaign's local.
        #[serde(with = "super::keyed")]
        values: BTreeMap<u32, Value>,
    },
    /// The step of a branch was performed.
    Done {
        /// Whose step.
        token: String,
        /// What came of it.
        outcome: Outcome,
    },
    /// A wait is over.
    Woken {
        /// Whose wait.
        token: String,
    },
    /// The run is held.
    Paused {
        /// Why.
        reason: String,
    },
    /// The run goes on.
    Resumed,
    /// Ended by a person.
    Stopped {
        /// Why.
        reason: Option<String>,
    },
    /// Ended by an error.
    Failed {
        /// Why.
        reason: String,
    },
    /// Somebody asked for messages again that failed, or of which nobody knows whether they arrived.
    Retried {
        /// The branch that performed the send.
        token: String,
        /// Path of the send, as the ledger has it.
        step: String,
        /// The send's number in the ledger.
        send: i64,
        /// Which messages: `failed` or `unknown`.
        what: String,
        /// How many.
        rows: u64,
    },
    /// The run comes from a backup: what it sent since then is not known.
    Restored {
        /// When the backup was made.
        backup: jiff::Timestamp,
    },
    /// Somebody said what is to become of messages that may have left after the backup; the run goes on.
    BackupJudged {
        /// True to send them again, false to leave them as unknown.
        resend: bool,
        /// True when the channels know for certain what they have delivered.
        certain: bool,
        /// What waits longer than this was not sent before.
        until: jiff::Timestamp,
    },
    /// The run goes on with another version of its script.
    Migrated {
        /// The version until now.
        from: Version,
        /// The version from now on.
        to: Version,
        /// Where its branches stand in it.
        tokens: BTreeMap<String, Token>,
        /// What its names are bound to.
        #[serde(with = "super::keyed")]
        locals: BTreeMap<u32, Bound>,
    },
}

/// A version of a script, as a run is pinned to it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Version {
    /// The campaign's name.
    pub campaign: String,
    /// The main file, relative to the project.
    pub file: String,
    /// Names the source.
    pub fingerprint: String,
}

/// What came of a step.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A population was frozen.
    Frozen(Snapshot),
    /// A value was computed.
    Value(Value),
    /// Named subsets were frozen, by the index of the campaign's local.
    Split(Vec<(u32, Snapshot)>),
    /// The wait ends at this instant.
    Until(jiff::Timestamp),
    /// Not yet: look again at this instant, and give up at the deadline.
    Again {
        /// When to look again; never by itself when there is none.
        at: Option<jiff::Timestamp>,
        /// When to give up.
        deadline: Option<jiff::Timestamp>,
    },
    /// What was waited for did not come, or a person said no.
    GivenUp,
    /// A signal came.
    Signalled {
        /// Its name in the store; the run has taken it from now on.
        signal: String,
        /// Its values by the index of the campaign's local.
        values: Vec<(u32, Value)>,
    },
    /// One more turn of a loop.
    Turn {
        /// What the loop's name is bound to in this turn.
        bind: Option<(u32, Value)>,
        /// When the turn after this one may begin.
        next: Option<jiff::Timestamp>,
        /// What the loop goes over, found before its first turn and the same in all of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        over: Option<Vec<Value>>,
    },
    /// No more turns.
    Over,
    /// Every row of the send is settled.
    Sent(Delivery),
    /// Which arm of an `if`; none for `else`.
    Chosen(Option<usize>),
    /// Done, with nothing to remember.
    Noted,
    /// The statement could not be performed, and the campaign says to go on.
    Abandoned {
        /// Why.
        reason: String,
    },
    /// `stop` or `fail` was reached.
    Ended {
        /// Why.
        reason: Option<String>,
    },
}
