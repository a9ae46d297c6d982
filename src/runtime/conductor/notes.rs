//! What other processes left in the inbox, and who is to hear of it.

use std::collections::BTreeMap;

use super::{Conductor, Day, Happening, Scope};
use crate::plan::{Plan, Step, StepKind};
use crate::runtime::error::RunError;
use crate::runtime::executor::BoundChannel;
use crate::runtime::inbox::{Note, Taken, paused_by_hand, store_note};
use crate::runtime::machine::Status;
use crate::runtime::store::{OutcomeKind, RunRecord};

impl Conductor<'_> {
    /// Takes in every note. One about a run that is being driven goes to that run, all others to the store.
    pub(super) fn take_notes(&self, day: &mut Day) -> Result<(), RunError> {
        for taken in self.inbox.notes_except(&self.desk.files()) {
            let seat = taken.note.run().and_then(|run| self.desk.seated(run));
            match seat {
                Some(seat) => seat.mailbox.put(taken),
                None => self.take_note(taken, day)?,
            }
        }
        Ok(())
    }

    fn take_note(&self, taken: Taken, day: &mut Day) -> Result<(), RunError> {
        match taken.note.clone() {
            // What it has still to send is settled by whoever drives it.
            Note::Stop { run, .. } => {
                let is_open = self.store.run(&run)?.is_some_and(|record| !record.state.status.is_over());
                match is_open {
                    true => day.stops.push((run, taken)),
                    false => taken.done(),
                }
                return Ok(());
            }
            Note::Start(new) => {
                self.desk.give(&new.run);
                if new.confirmed {
                    self.desk.confirm(&new.run);
                }
            }
            Note::Resume { run } => self.desk.give(&run),
            Note::Adopt { run } => {
                self.desk.give(&run);
                self.desk.again(&run);
            }
            Note::PauseAll(hold) => {
                day.held = true;
                self.desk.park_all();
                self.host.on(Happening::Held(&hold));
            }
            Note::ResumeAll => {
                self.resume_all()?;
                day.held = false;
                self.host.on(Happening::Released);
            }
            Note::Retry { run, send, kind } => {
                self.retry(&run, send, kind)?;
                self.desk.give(&run);
                taken.done();
                return Ok(());
            }
            Note::Judge { run, resend } => {
                self.judge(&run, resend)?;
                self.desk.give(&run);
                // What came for it while it was held was looked at in vain.
                self.desk.again(&run);
                taken.done();
                return Ok(());
            }
            // It does not stand still.
            Note::Migrate(moved) if self.desk.is_seated(&moved.run) => {
                taken.done();
                return Ok(());
            }
            Note::Signal { .. } | Note::Pause { .. } | Note::Answer { .. } | Note::Feedback { .. } => {}
            Note::Forget { .. } | Note::Baseline { .. } | Note::Trust { .. } | Note::Migrate(_) => {}
        }
        self.engine.block_on(store_note(taken.note.clone(), self.store, self.clock))?;
        taken.done();
        Ok(())
    }

    /// Makes messages of a run that nobody drives due again.
    fn retry(&self, run: &str, send: i64, kind: OutcomeKind) -> Result<(), RunError> {
        let Some(record) = self.store.run(run)? else { return Ok(()) };
        let sends = self.store.sends(run)?;
        let Some(send) = sends.iter().find(|known| known.id == send) else { return Ok(()) };
        let retried = self.with_channels(&record, |plan, channels| {
            self.engine.retry(self.store, plan, channels, (send, kind)).map(drop)
        });
        self.unless_the_store_failed(run, retried)
    }

    /// Says what is to become of what a restored run may have sent.
    fn judge(&self, run: &str, resend: bool) -> Result<(), RunError> {
        let Some(record) = self.store.run(run)?.filter(|record| record.state.restored.is_some()) else { return Ok(()) };
        let judged = self.with_channels(&record, |plan, channels| {
            let channel = |step: &&Step| match &step.kind {
                StepKind::Send(send) => Some(plan.program[send.channel].name.clone()),
                _ => None,
            };
            let names: Vec<String> = plan.steps().iter().filter_map(channel).collect();
            let certain = self.engine.know_delivered(self.store, channels, &names)?;
            self.engine.judge_backup(self.store, run, resend, certain)
        });
        self.unless_the_store_failed(run, judged)
    }

    fn with_channels(
        &self,
        record: &RunRecord,
        work: impl FnOnce(&Plan, &BTreeMap<String, BoundChannel>) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        let plan = self.plan_of(record)?;
        work(&plan, &self.host.channels(&plan)?)
    }

    /// An error of one run is told and holds up no other.
    fn unless_the_store_failed(&self, run: &str, done: Result<(), RunError>) -> Result<(), RunError> {
        match done {
            Err(error) if !matches!(error, RunError::Store(_)) => {
                self.host.on(Happening::Failed { run, error: &error });
                Ok(())
            }
            done => done,
        }
    }

    /// Goes on with every run that no person paused.
    fn resume_all(&self) -> Result<(), RunError> {
        for record in self.store.runs()? {
            if record.state.status.is_over() || paused_by_hand(&record).is_some() {
                continue;
            }
            if record.state.restored.is_some() {
                continue;
            }
            if record.state.status == Status::Paused && !self.desk.is_seated(&record.run) {
                let note = Note::Resume { run: record.run.clone() };
                self.engine.block_on(store_note(note, self.store, self.clock))?;
            }
            if self.scope == Scope::Given {
                self.desk.give(&record.run);
            }
        }
        Ok(())
    }

    /// Tells those who are being driven of what arrived since the last round: they may be about to wait for it. The
    /// store has woken everybody else.
    pub(super) fn tell_arrivals(&self, day: &mut Day) -> Result<(), RunError> {
        let last = self.store.last_arrival()?;
        if last > day.told {
            self.desk.ring_all();
            day.told = last;
        }
        Ok(())
    }
}
