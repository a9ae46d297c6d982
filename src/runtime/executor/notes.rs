//! Taking in what other processes left in the inbox.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Executor;
use crate::hir::Until;
use crate::plan::StepKind;
use crate::runtime::clock::Stopwatch;
use crate::runtime::error::RunError;
use crate::runtime::inbox::{Note, Word, store_note};
use crate::runtime::machine::{self, Event, Phase, Status};
use crate::runtime::retry::{Reopened, reopened};
use crate::runtime::store::{CONDITION, OutcomeKind, word_of_signal};

impl Executor<'_> {
    /// Takes in every note and wakes what may have waited for one. True if there was any.
    pub(super) async fn take_notes(&mut self) -> Result<bool, RunError> {
        let mut notes = self.around.word.notes();
        // Those of other runs are left to whoever has their plans.
        notes.retain(|taken| !taken.note.needs_plan() || taken.note.run() == Some(&self.run));
        if notes.is_empty() && !self.around.word.rang() {
            return Ok(false);
        }
        for taken in notes {
            self.take(taken.note.clone()).await?;
            taken.done();
        }
        self.wake_listeners().await?;
        Ok(true)
    }

    /// A note about this run changes the state we hold; everything else goes to the store.
    async fn take(&mut self, note: Note) -> Result<(), RunError> {
        let event = match &note {
            Note::Pause { run, reason } if *run == self.run => Event::Paused { reason: reason.clone() },
            Note::Stop { run, reason } if *run == self.run => Event::Stopped { reason: reason.clone() },
            // It goes on.
            Note::Resume { run } if *run == self.run && self.state.status != Status::Paused => return Ok(()),
            Note::Resume { run } if *run == self.run => Event::Resumed,
            Note::PauseAll(_) => {
                self.around.cancel.cancel();
                return store_note(note, self.around.store, self.around.clock).await;
            }
            Note::Retry { run, send, kind } if *run == self.run => return self.reopen(*send, *kind).await,
            // It does not stand still.
            Note::Migrate(moved) if moved.run == self.run => return Ok(()),
            _ => return store_note(note, self.around.store, self.around.clock).await,
        };
        if self.state.status.is_over() {
            return Ok(());
        }
        self.commit(event, None).await
    }

    /// Messages of one of the run's sends are due again.
    async fn reopen(&mut self, send: i64, kind: OutcomeKind) -> Result<(), RunError> {
        let around = &self.around;
        let sends = around.store.sends(&self.run)?;
        let Some(send) = sends.iter().find(|known| known.id == send) else { return Ok(()) };
        let folder = around.folders.run(&self.run);
        let when = (kind, around.clock.now());
        match reopened(around.store, around.channels, send, &folder, when).await? {
            Some(Reopened { event, change, .. }) => self.commit_with(event, Some(change)).await,
            None => Ok(()),
        }
    }

    /// Branches that wait for a person or a signal look again.
    pub(super) async fn wake_listeners(&mut self) -> Result<(), RunError> {
        let listens = |token: &machine::Token| match token.phase {
            Phase::Blocked => true,
            Phase::Waiting { .. } => machine::step_of(self.plan, token).is_ok_and(|step| machine::listens(&step.kind)),
            Phase::Ready | Phase::Inside => false,
        };
        let listeners: Vec<String> =
            self.state.tokens.iter().filter(|(_, token)| listens(token)).map(|(name, _)| name.clone()).collect();
        for token in listeners {
            self.commit(Event::Woken { token }, None).await?;
        }
        Ok(())
    }
}

impl Executor<'_> {
    /// What the agenda is to know of the waits of a state: which signals, and whether there are conditions.
    pub(super) fn words(&self, state: &machine::State) -> Vec<String> {
        let waits = |token: &&machine::Token| matches!(token.phase, Phase::Waiting { .. } | Phase::Blocked);
        let word = |token: &machine::Token| match &machine::step_of(self.plan, token).ok()?.kind {
            StepKind::WaitSignal { signal, .. } => Some(word_of_signal(&self.program[*signal].name)),
            StepKind::WaitUntil { until: Until::Condition(_), .. } => Some(CONDITION.to_owned()),
            _ => None,
        };
        let mut words: Vec<String> = state.tokens.values().filter(waits).filter_map(word).collect();
        words.sort();
        words.dedup();
        words
    }
}

/// Looks now and then whether somebody wants a run to be held or ended, without taking the note.
pub(super) struct WordForRun<'n> {
    word: &'n dyn Word,
    run: &'n str,
    looked: Mutex<Stopwatch>,
    /// Once there was a note the answer stays, however often it is asked.
    came: AtomicBool,
}

impl<'n> WordForRun<'n> {
    /// For a run that is busy sending.
    pub fn new(word: &'n dyn Word, run: &'n str) -> Self {
        Self { word, run, looked: Mutex::new(Stopwatch::start()), came: AtomicBool::new(false) }
    }

    /// True when there is such a note. Cheap to ask often.
    pub fn has_come(&self) -> bool {
        const PAUSE: Duration = Duration::from_millis(200);
        if self.came.load(Ordering::Relaxed) {
            return true;
        }
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.elapsed() < PAUSE {
            return false;
        }
        *looked = Stopwatch::start();
        let came = self.word.interrupts(self.run);
        self.came.store(came, Ordering::Relaxed);
        came
    }
}
