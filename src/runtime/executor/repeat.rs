//! Sends that are performed once more, and steps that have names of their own since the script was changed.

use std::borrow::Cow;

use super::{Executor, StepEnd};
use crate::plan::{Step, StepKind};
use crate::runtime::error::RunError;
use crate::runtime::machine::{self, Again, Delivery, Event, MachineError, Outcome, State, Token};
use crate::runtime::store::SendRecord;

impl Executor<'_> {
    /// The step under the name that the ledger has for it.
    pub(super) fn named<'s>(&self, token: &Token, step: &'s Step) -> Cow<'s, Step> {
        let path = self.state.path_of(token, step);
        if path == step.path { Cow::Borrowed(step) } else { Cow::Owned(Step { path, ..step.clone() }) }
    }

    /// Performs a send again for the rows that are due, with names bound as they were.
    pub(super) async fn perform_again(&mut self, again: &Again, step: &Step) -> Result<StepEnd, RunError> {
        let StepKind::Send(send) = &step.kind else {
            return Err(MachineError(format!("step {} is no send", step.path)).into());
        };
        let then = self.state_at(again.send)?;
        let now = std::mem::replace(&mut self.state.locals, then.locals);
        self.again = true;
        let ended = self.send(&again.token, step, send).await;
        self.again = false;
        self.state.locals = now;
        ended
    }

    /// What a send left behind, if it has been performed to its end before.
    pub(super) fn performed(&self, send: i64) -> Result<Option<Delivery>, RunError> {
        let journal = self.around.store.journal(&self.run)?;
        Ok(journal.into_iter().find_map(|entry| match entry.event {
            Event::Done { outcome: Outcome::Sent(delivery), .. } if delivery.send == send => Some(delivery),
            _ => None,
        }))
    }

    /// The state in which a send was performed.
    fn state_at(&self, send: i64) -> Result<State, RunError> {
        let journal = self.around.store.journal(&self.run)?;
        let is_it = |event: &Event| matches!(event, Event::Done { outcome: Outcome::Sent(delivery), .. } if delivery.send == send);
        if !journal.iter().any(|entry| is_it(&entry.event)) {
            return Err(MachineError("its journal does not say where the send was performed".into()).into());
        }
        Ok(machine::replay(self.plan, journal.iter().map(|entry| &entry.event), is_it)?)
    }

    /// The step of a send and where names are bound for it: the branch that stands at it, or the plan's own.
    pub(super) fn step_of_send(&self, record: &SendRecord) -> Option<Cow<'_, Step>> {
        let stands = |(name, token): (&String, &Token)| {
            let branch = token.again.as_ref().map_or(name, |again| &again.token);
            let step = self.named(token, machine::step_of(self.plan, token).ok()?);
            (*branch == record.token && step.path == record.step).then_some(step)
        };
        let own = || self.plan.steps().into_iter().find(|step| step.path == record.step).map(Cow::Borrowed);
        self.state.tokens.iter().find_map(stands).or_else(own)
    }
}
