//! Where a run stands.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::hir::Value;
use crate::plan::BlockId;

/// The whole state of a run, small whatever the size of its populations: it grows with branches and names, never with
/// rows. Stored as JSON; fields are only ever added.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// How the run is doing.
    pub status: Status,
    /// Why it is paused, stopped or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Positions by branch; the main branch's name is empty.
    pub tokens: BTreeMap<String, Token>,
    /// What names are bound to, by the index of the campaign's local.
    #[serde(with = "super::keyed")]
    pub locals: BTreeMap<u32, Bound>,
    /// The backup that the run was restored from, until somebody has said what is to become of messages that may have
    /// left since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<Timestamp>,
    /// What was said about them, as long as it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// How often the run was moved to another version of its script. Steps of a later version have names of their own
    /// in the ledger.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub version: u32,
}

/// Sends that may have been performed once already, after the backup that the run comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Doubt {
    /// When the backup was made.
    pub backup: Timestamp,
    /// When the run was restored: whatever waits longer than that was certainly not sent before.
    pub until: Timestamp,
    /// True to send them again, false to leave them as unknown.
    pub resend: bool,
    /// True when the channels know for certain what they have delivered.
    pub certain: bool,
}

impl State {
    /// The name under which a step of a branch is known to the ledger and to files: its path, unless the run was moved to
    /// another version of its script.
    pub fn path_of(&self, token: &Token, step: &crate::plan::Step) -> String {
        match (&token.began, self.version) {
            (Some(path), _) => path.clone(),
            (None, 0) => step.path.clone(),
            (None, version) => format!("{}~{version}", step.path),
        }
    }
}

impl State {
    /// When the run can go on by itself: at once if something is to be done, else when its first wait is over. None when
    /// only word from outside moves it.
    pub fn due(&self) -> Option<Timestamp> {
        let due = |token: &Token| match token.phase {
            Phase::Ready => Some(Timestamp::UNIX_EPOCH),
            Phase::Waiting { until } => Some(until),
            Phase::Blocked | Phase::Inside => None,
        };
        // A run that is over may have sends that were asked for again.
        let goes_on = |token: &&Token| match self.status {
            Status::Running => true,
            Status::New | Status::Paused => false,
            Status::Finished | Status::Stopped | Status::Failed => token.again.is_some(),
        };
        self.tokens.values().filter(|_| self.restored.is_none()).filter(goes_on).filter_map(due).min()
    }
}

/// How a run is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Recorded, not begun.
    #[default]
    New,
    /// Going on, or waiting for a time.
    Running,
    /// Held, by a person or by a tripwire.
    Paused,
    /// Came to its end.
    Finished,
    /// Ended by `stop` or by a person.
    Stopped,
    /// Ended by `fail` or by an error.
    Failed,
}

impl Status {
    /// The word in reports and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Status::New => "new",
            Status::Running => "running",
            Status::Paused => "paused",
            Status::Finished => "finished",
            Status::Stopped => "stopped",
            Status::Failed => "failed",
        }
    }

    /// True when nothing more will happen.
    pub fn is_over(self) -> bool {
        matches!(self, Status::Finished | Status::Stopped | Status::Failed)
    }
}

/// A branch's position.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Token {
    /// Which block.
    pub block: BlockId,
    /// Index of the step in it.
    pub at: u32,
    /// What the step is doing.
    pub phase: Phase,
    /// When a wait gives up; set when it first looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// Turns of the loop at this position that are done.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub turn: u32,
    /// What the loop at this position goes over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Vec<Value>>,
    /// When the loop's next turn may begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_turn: Option<Timestamp>,
    /// The name of the step in the ledger, if it began under another version of the script.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<String>,
    /// For a send that is performed once more: what it repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Again>,
}

/// A send that is over and was asked for again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Again {
    /// The branch that performed it.
    pub token: String,
    /// Its number in the ledger.
    pub send: i64,
}

impl Token {
    /// A token at the first step of a block.
    pub fn at_start(block: BlockId) -> Self {
        Self {
            block,
            at: 0,
            phase: Phase::Ready,
            deadline: None,
            turn: 0,
            over: None,
            next_turn: None,
            began: None,
            again: None,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What a step is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// To be performed. After a crash it is performed again; steps are made so that this is harmless.
    Ready,
    /// Waiting for an instant.
    Waiting {
        /// The instant.
        until: Timestamp,
    },
    /// Waiting for a person or a signal, without limit.
    Blocked,
    /// Waiting for the branches inside it.
    Inside,
}

/// What a name is bound to.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// A value.
    Value(Value),
    /// A frozen population.
    Snapshot(Snapshot),
    /// A send.
    Delivery(Delivery),
}

/// A send that has been performed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Delivery {
    /// Its number in the ledger.
    pub send: i64,
    /// The rows it was about.
    pub snapshot: Snapshot,
}

/// A frozen population: a file in the run's folder.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    /// File name in the run's folder.
    pub file: String,
    /// Its rows.
    pub rows: u64,
}
