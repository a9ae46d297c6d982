//! Asking for messages again that failed, or of which nobody knows whether they arrived.
//!
//! A further attempt is added to each of them that ends at once as `reopened`, so that the row is due again; what
//! happened before stays in the ledger. The send is then performed as ever: addresses, consent and content are those
//! of now, and the key is the one the message had, so that whoever honours keys recognises it.

use super::clock::{Clock, WallClock};
use super::engine::Engine;
use super::error::RunError;
use super::executor::resolve_doubts;
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

impl Engine {
    /// Makes the messages of a send that ended so due again. Nothing is sent yet: driving the run does that.
    ///
    /// # Errors
    /// The plan is not the one that performed the send, its rows are gone, or the store refuses.
    pub fn retry(&self, store: &dyn Store, plan: &Plan, one: &Retryable, kind: OutcomeKind) -> Result<u64, RunError> {
        let (send, run) = (&one.send, &one.send.run);
        let record = store.run(run)?.ok_or_else(|| RunError::UnknownRun { run: run.clone() })?;
        // What an earlier process marked is about attempts that are over, and would be believed about the next.
        resolve_doubts(self, store, send, &self.options().folders.run(run))?;
        let rows = Retryable { send: send.clone(), tally: store.tally(send.id)? }.messages(kind);
        let what = if kind == OutcomeKind::Failed { "failed" } else { "unknown" };
        let (token, step) = (send.token.clone(), send.step.clone());
        let event = Event::Retried { token, step, send: send.id, what: what.to_string(), rows };
        let mut state = record.state.clone();
        machine::apply(plan, &mut state, &event)?;
        let at = if record.simulated { record.updated } else { WallClock.now() };
        let seq = record.seq + 1;
        let changes = vec![
            Change::Reopen { send: send.id, kind, at },
            Change::Transition { run: run.clone(), seq, at, event, state },
        ];
        self.block_on(store.commit(changes))?;
        Ok(rows)
    }
}
