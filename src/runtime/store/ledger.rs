//! Records of the ledger: messages, what became of them, rows that got none.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::hir::FeedbackKind;
use crate::runtime::channels::SendKey;

/// A message that may leave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Intent {
    /// Row number in the frozen population.
    pub row: u64,
    /// From 1; a further one only after the message is known not to have left.
    pub attempt: u32,
    /// Names the message downstream.
    pub key: [u8; 16],
    /// The row's key as text.
    pub entity: String,
    /// Where to.
    pub address: String,
    /// By the run's clock.
    pub at: Timestamp,
}

/// One message to one person, for caps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contact {
    /// Row number in the frozen population.
    pub row: u64,
    /// The attempt of its intent.
    pub attempt: u32,
    /// A hash of the person's name.
    pub person: [u8; 16],
    /// By the run's clock.
    pub at: Timestamp,
}

/// A contact as it is looked up: one that may have reached the person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EarlierContact {
    /// The send.
    pub send: i64,
    /// The row.
    pub row: u64,
    /// The channel.
    pub channel: String,
    /// By the clock of its run.
    pub at: Timestamp,
}

/// Something that was reported about a message after it had left.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FeedbackEvent {
    /// Names the message.
    pub key: SendKey,
    /// `opened`, `clicked`, `bounced` or `unsubscribed`.
    pub kind: FeedbackKind,
    /// When it happened.
    pub at: Timestamp,
}

/// What became of an intent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutcomeRow {
    /// Row number.
    pub row: u64,
    /// Which attempt.
    pub attempt: u32,
    /// What.
    pub kind: OutcomeKind,
    /// The receiver's words, or an id.
    pub detail: String,
    /// When to try again, for `deferred`.
    pub retry_at: Option<Timestamp>,
    /// By the run's clock.
    pub at: Timestamp,
}

/// The ends of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// Accepted.
    Sent,
    /// Refused for good.
    Failed,
    /// Nobody can know.
    Unknown,
    /// Refused for now.
    Deferred,
    /// It did not leave.
    NotStarted,
    /// Nothing was tried: somebody asked for the message again.
    Reopened,
}

impl OutcomeKind {
    /// Number in the store; never reused.
    pub const fn number(self) -> i64 {
        match self {
            OutcomeKind::Sent => 1,
            OutcomeKind::Failed => 2,
            OutcomeKind::Unknown => 3,
            OutcomeKind::Deferred => 4,
            OutcomeKind::NotStarted => 5,
            OutcomeKind::Reopened => 6,
        }
    }

    /// The kind with this number.
    pub const fn from_number(number: i64) -> Option<Self> {
        Some(match number {
            1 => OutcomeKind::Sent,
            2 => OutcomeKind::Failed,
            3 => OutcomeKind::Unknown,
            4 => OutcomeKind::Deferred,
            5 => OutcomeKind::NotStarted,
            6 => OutcomeKind::Reopened,
            _ => return None,
        })
    }

    /// True when the row will not be tried again by itself.
    pub const fn is_final(self) -> bool {
        matches!(self, OutcomeKind::Sent | OutcomeKind::Failed | OutcomeKind::Unknown)
    }
}

/// A row that gets no message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exclusion {
    /// Row number.
    pub row: u64,
    /// The row's key as text.
    pub entity: String,
    /// The one reason.
    pub reason: Reason,
    /// Words that explain it, such as the address that is not valid.
    pub detail: String,
    /// By the run's clock.
    pub at: Timestamp,
}

/// Why a row gets no message. In the order in which they are looked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    NoProfile,
    NoAddress,
    InvalidAddress,
    Suppressed,
    NoConsent,
    Unsubscribed,
    Holdout,
    Capped,
    QuietHours,
    NoMoment,
    Late,
    DuplicateAddress,
    NotAllowed,
    RenderFailed,
    Cancelled,
}

impl Reason {
    /// All, in order.
    pub const ALL: [Reason; 15] = [
        Reason::NoProfile,
        Reason::NoAddress,
        Reason::InvalidAddress,
        Reason::Suppressed,
        Reason::NoConsent,
        Reason::Unsubscribed,
        Reason::Holdout,
        Reason::Capped,
        Reason::QuietHours,
        Reason::NoMoment,
        Reason::Late,
        Reason::DuplicateAddress,
        Reason::NotAllowed,
        Reason::RenderFailed,
        Reason::Cancelled,
    ];

    /// The word in the store and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Reason::NoProfile => "no_profile",
            Reason::NoAddress => "no_address",
            Reason::InvalidAddress => "invalid_address",
            Reason::Suppressed => "suppressed",
            Reason::NoConsent => "no_consent",
            Reason::Unsubscribed => "unsubscribed",
            Reason::Holdout => "holdout",
            Reason::Capped => "capped",
            Reason::QuietHours => "quiet_hours",
            Reason::NoMoment => "no_moment",
            Reason::Late => "late",
            Reason::DuplicateAddress => "duplicate_address",
            Reason::NotAllowed => "not_allowed",
            Reason::RenderFailed => "render_failed",
            Reason::Cancelled => "cancelled",
        }
    }

    /// The reason with this word.
    pub fn from_word(word: &str) -> Option<Reason> {
        Self::ALL.into_iter().find(|reason| reason.word() == word)
    }
}

/// What the ledger knows of a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowRecord {
    /// Row number.
    pub row: u64,
    /// The row's key as text.
    pub entity: String,
    /// When it was first decided; when it was asked for again, if it was.
    pub first: Timestamp,
    /// Its state.
    pub state: RowState,
}

/// The derived state of a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RowState {
    /// No message.
    Excluded(Exclusion),
    /// An intent without an outcome: in the air, or in doubt after a crash.
    Intended(Intent),
    /// The latest attempt has ended.
    Ended(Intent, OutcomeRow),
}

/// How many rows of a send are in which state.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Rows of the population.
    pub targeted: u64,
    /// Accepted.
    pub sent: u64,
    /// Refused for good.
    pub failed: u64,
    /// Nobody can know.
    pub unknown: u64,
    /// How many of those that got a message got it after the moment that was meant for it.
    pub late: u64,
    /// Excluded, by reason.
    pub excluded: BTreeMap<Reason, u64>,
    /// Everything else: not looked at yet, in the air, deferred.
    pub due: u64,
}

impl Tally {
    /// All excluded rows.
    pub fn excluded_total(&self) -> u64 {
        self.excluded.values().sum()
    }

    /// `targeted = sent + failed + excluded + unknown + due`
    pub fn balances(&self) -> bool {
        self.targeted == self.sent + self.failed + self.unknown + self.due + self.excluded_total()
    }
}
