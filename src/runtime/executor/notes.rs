//! Taking in what other processes left in the inbox.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Executor;
use crate::runtime::clock::Stopwatch;
use crate::runtime::error::RunError;
use crate::runtime::inbox::{Inbox, Note, store_note};
use crate::runtime::machine::{self, Event, Phase};

impl Executor<'_> {
    /// Takes in every note and wakes what may have waited for one. True if there was any.
    pub(super) async fn take_notes(&mut self) -> Result<bool, RunError> {
        let notes = self.around.inbox.notes();
        if notes.is_empty() {
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
            _ => return store_note(note, self.around.store, self.around.clock).await,
        };
        if self.state.status.is_over() {
            return Ok(());
        }
        self.commit(event, None).await
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

/// Looks now and then whether somebody wants a run to be held or ended, without taking the note.
pub(super) struct WordForRun<'n> {
    inbox: &'n Inbox,
    run: &'n str,
    looked: Mutex<Stopwatch>,
    /// Once there was a note the answer stays, however often it is asked.
    came: AtomicBool,
}

impl<'n> WordForRun<'n> {
    /// For a run that is busy sending.
    pub fn new(inbox: &'n Inbox, run: &'n str) -> Self {
        Self { inbox, run, looked: Mutex::new(Stopwatch::start()), came: AtomicBool::new(false) }
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
        let came = self.inbox.notes().iter().any(|taken| match &taken.note {
            Note::Pause { run, .. } | Note::Stop { run, .. } => run == self.run,
            Note::Signal { .. } | Note::Answer { .. } | Note::Feedback { .. } => false,
        });
        self.came.store(came, Ordering::Relaxed);
        came
    }
}
