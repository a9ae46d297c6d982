//! What a run must never forget.
//!
//! The trait speaks in domain transactions, not in SQL: a commit is a list of [`Change`]s that take effect together or
//! not at all, and durably once the receipt says so. Ledger rows are append-only: an [`Intent`] before a message may
//! leave, an [`OutcomeRow`] after; the state of a row is derived from the latest of both.

mod agenda;
mod ledger;
mod records;
pub mod sqlite;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

pub use agenda::*;
pub use ledger::*;
pub use records::*;
use tokio::sync::oneshot;

/// A store of runs, journals and the ledger.
pub trait Store: Send + Sync {
    /// Queues changes for one transaction. Nothing may be relied on before the receipt is fulfilled.
    fn commit(&self, changes: Vec<Change>) -> Receipt;

    /// A run.
    fn run(&self, run: &str) -> Result<Option<RunRecord>, StoreError>;
    /// All runs, the newest first.
    fn runs(&self) -> Result<Vec<RunRecord>, StoreError>;
    /// The source files a run is pinned to.
    fn bundle(&self, fingerprint: &str) -> Result<Option<Vec<(String, String)>>, StoreError>;
    /// A run's events, in order.
    fn journal(&self, run: &str) -> Result<Vec<JournalRecord>, StoreError>;
    /// A run's finished steps, in the order they finished.
    fn steps(&self, run: &str) -> Result<Vec<StepRecord>, StoreError>;
    /// A run's sends.
    fn sends(&self, run: &str) -> Result<Vec<SendRecord>, StoreError>;
    /// Every row of a send that the ledger knows, by row number.
    fn rows(&self, send: i64, each: &mut dyn FnMut(RowRecord)) -> Result<(), StoreError>;
    /// The rows of a send that may have to be looked at again. Gives a number: rows below it that were not mentioned are
    /// settled.
    fn unsettled(&self, send: i64, each: &mut dyn FnMut(RowRecord)) -> Result<u64, StoreError>;

    /// Signals of a name since an instant that a run has not taken, the oldest first.
    fn signals(&self, run: &str, name: &str, since: jiff::Timestamp) -> Result<Vec<SignalRecord>, StoreError>;
    /// What a run's step asks a person.
    fn task(&self, run: &str, step: &str, token: &str) -> Result<Option<TaskRecord>, StoreError>;
    /// Everything that people are asked and have not answered, the oldest first.
    fn open_tasks(&self) -> Result<Vec<TaskRecord>, StoreError>;
    /// How many rows of a send are in which state.
    fn tally(&self, send: i64) -> Result<Tally, StoreError>;
    /// When the latest message of a send was intended.
    fn last_intent(&self, send: i64) -> Result<Option<jiff::Timestamp>, StoreError>;
    /// Messages to a person after `since` that were sent or may yet be, other than those of simulated runs; those of
    /// `run` count even then.
    fn contacts(&self, person: &[u8; 16], since: jiff::Timestamp, run: &str)
    -> Result<Vec<EarlierContact>, StoreError>;
    /// Numbers of the rows of a send about which this was reported, in order.
    fn feedback(&self, send: i64, kind: crate::hir::FeedbackKind) -> Result<Vec<u64>, StoreError>;
    /// The audience with this name in a realm.
    fn audience(&self, realm: Realm, name: &str) -> Result<Option<AudienceRecord>, StoreError>;
    /// All audiences of a realm, by name.
    fn audiences(&self, realm: Realm) -> Result<Vec<AudienceRecord>, StoreError>;
    /// The keys of messages that a channel has accepted, the latest first, at most so many.
    fn sent_keys(&self, _channel: &str, _most: usize) -> Result<Vec<[u8; 16]>, StoreError> {
        Ok(Vec::new())
    }
    /// The backup that the state comes from, if it was restored.
    fn restored(&self) -> Result<Option<Restored>, StoreError> {
        Ok(None)
    }
    /// What a memory holds, in the order it was taken; of all memories without a name.
    fn takes(&self, memory: Option<&str>) -> Result<Vec<TakeRecord>, StoreError>;
    /// What is known about a topic in a realm: person, address (empty for the person as such), and whether they want it.
    fn subscriptions(
        &self,
        realm: Realm,
        topic: &str,
        each: &mut dyn FnMut(&str, &str, bool),
    ) -> Result<(), StoreError>;
}

/// Why the store did not do what was asked.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the state directory.
    #[error("the state directory `{path}` is in use by another process{}", holder.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    InUse {
        /// The directory.
        path: String,
        /// Its process id, if it could be read.
        holder: Option<u32>,
    },
    /// The directory or database cannot be opened.
    #[error("the state in `{path}` cannot be opened: {reason}")]
    Unreadable {
        /// The path.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// It was written by a newer version.
    #[error("the state in `{path}` was written by a newer version (format {found}, this one knows {known})")]
    Newer {
        /// The path.
        path: String,
        /// Its format.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// A write or a sync failed; nothing more is accepted.
    #[error("the state store refused a write: {0}")]
    Broken(String),
    /// Somebody else moved the run, or it was asked to go where it cannot.
    #[error("the run was changed by somebody else: {0}")]
    Conflict(String),
    /// Somebody else took rows of the same memory meanwhile; what was looked for has to be looked for again.
    #[error("the memory `{0}` was changed by somebody else")]
    Overtaken(String),
    /// A record could not be understood.
    #[error("the state database is damaged: {0}")]
    Damaged(String),
}

/// The promise of a commit.
#[must_use = "nothing is durable before the receipt says so"]
pub struct Receipt(oneshot::Receiver<Result<(), StoreError>>);

impl Receipt {
    /// A receipt and the end that fulfils it.
    pub fn new() -> (oneshot::Sender<Result<(), StoreError>>, Receipt) {
        let (sender, receiver) = oneshot::channel();
        (sender, Receipt(receiver))
    }
}

impl Future for Receipt {
    type Output = Result<(), StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let lost = || Err(StoreError::Broken("the writer has stopped".into()));
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or_else(|_| lost()))
    }
}
