//! Asking for messages again that failed, or of which nobody knows whether they arrived.
//!
//! A further attempt is added to each of them that ends at once as `reopened`, so that the row is due again; what
//! happened before stays in the ledger. The send is then performed as ever: addresses, consent and content are those
//! of now, and the key is the one the message had, so that whoever honours keys recognises it.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;

use super::clock::{Clock, WallClock};
use super::engine::Engine;
use super::error::RunError;
use super::executor::{BoundChannel, resolve_doubts};
use super::machine::{self, Event};
use super::store::{Change, OutcomeKind, SendRecord, Store, StoreError, Tally};
use crate::plan::Plan;

/// A send with messages that can be asked for again.
#[derive(Clone, Debug)]
pub struct Retryable {
    /// The send.
    pub send: SendRecord,
    /// Its accounting.
    pub tally: Tally,
}

impl Retryable {
    /// The sends of a run with messages that ended so.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn find(store: &dyn Store, run: &str, kind: OutcomeKind) -> Result<Vec<Self>, StoreError> {
        let mut found = Vec::new();
        for send in store.sends(run)? {
            let tally = store.tally(send.id)?;
            let one = Self { send, tally };
            if one.messages(kind) > 0 {
                found.push(one);
            }
        }
        Ok(found)
    }

    /// How many messages ended so.
    pub fn messages(&self, kind: OutcomeKind) -> u64 {
        match kind {
            OutcomeKind::Failed => self.tally.failed,
            OutcomeKind::Unknown => self.tally.unknown,
            _ => 0,
        }
    }
}

/// A send whose messages are due again, as it is to be recorded.
pub(super) struct Reopened {
    /// For the run's journal.
    pub event: Event,
    /// For the ledger.
    pub change: Change,
    /// How many messages.
    pub rows: u64,
}

/// Settles what is in doubt about a send and says what makes its messages due again that ended so; `None` when none did.
///
/// # Errors
/// The store refuses, or the marks of messages in the air cannot be read.
pub(super) async fn reopened(
    store: &dyn Store,
    channels: &BTreeMap<String, BoundChannel>,
    send: &SendRecord,
    folder: &Path,
    (kind, at): (OutcomeKind, Timestamp),
) -> Result<Option<Reopened>, RunError> {
    // What an earlier process marked is about attempts that are over, and would be believed about the next.
    resolve_doubts(store, channels, send, folder).await?;
    let rows = Retryable { send: send.clone(), tally: store.tally(send.id)? }.messages(kind);
    let what = if kind == OutcomeKind::Failed { "failed" } else { "unknown" }.to_string();
    let event = Event::Retried { token: send.token.clone(), step: send.step.clone(), send: send.id, what, rows };
    let change = Change::Reopen { send: send.id, kind, at };
    Ok((rows > 0).then_some(Reopened { event, change, rows }))
}

impl Engine {
    /// Makes the messages of a send that ended so due again. Nothing is sent yet: driving the run does that. `channels` are
    /// those of its plan.
    ///
    /// # Errors
    /// The plan is not the one that performed the send, its rows are gone, or the store refuses.
    pub fn retry(
        &self,
        store: &dyn Store,
        plan: &Plan,
        channels: &BTreeMap<String, BoundChannel>,
        (send, kind): (&SendRecord, OutcomeKind),
    ) -> Result<u64, RunError> {
        let run = &send.run;
        let record = store.run(run)?.ok_or_else(|| RunError::UnknownRun { run: run.clone() })?;
        let at = if record.simulated { record.updated } else { WallClock.now() };
        let folder = self.options().folders.run(run);
        let reopened = self.block_on(reopened(store, channels, send, &folder, (kind, at)))?;
        let Some(Reopened { event, change, rows }) = reopened else { return Ok(0) };
        let mut state = record.state.clone();
        machine::apply(plan, &mut state, &event)?;
        let transition = Change::Transition { run: run.clone(), seq: record.seq + 1, at, event, state };
        self.block_on(store.commit(vec![change, transition]))?;
        Ok(rows)
    }
}
