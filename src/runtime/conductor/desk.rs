//! Which runs are being driven, and what they are told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::runtime::error::RunError;
use crate::runtime::executor::Cancel;
use crate::runtime::inbox::{Taken, Word};

/// How long a run is left alone that could not be driven, unless somebody resumes it.
const REST: SignedDuration = SignedDuration::from_mins(5);

/// Who is being driven, and who is to be driven although no time says so.
#[derive(Default)]
pub struct Desk {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    seats: BTreeMap<String, Arc<Seat>>,
    /// Something came that these may wait for.
    again: BTreeSet<String>,
    /// Runs that were handed to us; only these are driven by a conductor that has not the whole project.
    given: BTreeSet<String>,
    /// Runs of which somebody said that many people may be written to.
    confirmed: BTreeSet<String>,
    /// Runs that could not be driven, and when; nothing paused those that are over already.
    resting: BTreeMap<String, Timestamp>,
    /// The store refused something: nothing may go on.
    failure: Option<RunError>,
}

/// A run that is being driven.
#[derive(Default)]
pub struct Seat {
    /// What it is told.
    pub mailbox: Mailbox,
    /// Asks it to stop at the next safe point.
    pub cancel: Cancel,
}

/// Notes for one run, and a bell for what is in the store.
#[derive(Default)]
pub struct Mailbox {
    notes: Mutex<Vec<Taken>>,
    /// Files of every note that was put here, also of those that were taken out: they are being worked on.
    files: Mutex<Vec<PathBuf>>,
    rang: AtomicBool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Mailbox {
    /// Leaves a note.
    pub fn put(&self, note: Taken) {
        locked(&self.files).push(note.path.clone());
        locked(&self.notes).push(note);
    }

    /// Says that something new is in the store.
    pub fn ring(&self) {
        self.rang.store(true, Ordering::SeqCst);
    }
}

impl Word for Mailbox {
    fn notes(&self) -> Vec<Taken> {
        std::mem::take(&mut *locked(&self.notes))
    }

    fn rang(&self) -> bool {
        self.rang.swap(false, Ordering::SeqCst)
    }

    fn interrupts(&self, run: &str) -> bool {
        locked(&self.notes).iter().any(|taken| taken.note.interrupts(run))
    }
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    /// Takes a run on; `None` if it is being driven already.
    pub fn seat(&self, run: &str, cancel: Cancel) -> Option<Arc<Seat>> {
        let mut state = self.state();
        if state.seats.contains_key(run) {
            return None;
        }
        let seat = Arc::new(Seat { mailbox: Mailbox::default(), cancel });
        state.seats.insert(run.to_owned(), Arc::clone(&seat));
        Some(seat)
    }

    /// A run is no longer driven. What was left for it is found in the inbox again.
    pub fn leave(&self, run: &str) {
        let mut state = self.state();
        let Some(seat) = state.seats.remove(run) else { return };
        if seat.mailbox.rang() {
            state.again.insert(run.to_owned());
        }
    }

    /// The run's seat, if it is being driven.
    pub fn seated(&self, run: &str) -> Option<Arc<Seat>> {
        self.state().seats.get(run).cloned()
    }

    /// Is it being driven?
    pub fn is_seated(&self, run: &str) -> bool {
        self.state().seats.contains_key(run)
    }

    /// How many are being driven.
    pub fn len(&self) -> usize {
        self.state().seats.len()
    }

    /// Files of notes that somebody works on.
    pub fn files(&self) -> Vec<PathBuf> {
        self.state().seats.values().flat_map(|seat| locked(&seat.mailbox.files).clone()).collect()
    }

    /// Tells everybody who is being driven that something new is in the store.
    pub fn ring_all(&self) {
        self.state().seats.values().for_each(|seat| seat.mailbox.ring());
    }

    /// Asks everybody to stop at the next safe point.
    pub fn park_all(&self) {
        self.state().seats.values().for_each(|seat| seat.cancel.cancel());
    }

    /// A run is to be driven although no time says so.
    pub fn again(&self, run: &str) {
        self.state().again.insert(run.to_owned());
    }

    /// Takes up to `most` runs that are to be driven again and are not being driven.
    pub fn take_again(&self, most: usize) -> Vec<String> {
        let mut state = self.state();
        let free = |run: &&String| !state.seats.contains_key(*run);
        let found: Vec<String> = state.again.iter().filter(free).take(most).cloned().collect();
        state.again.retain(|run| !found.contains(run));
        found
    }

    /// A run is handed to us.
    pub fn give(&self, run: &str) {
        let mut state = self.state();
        state.resting.remove(run);
        state.given.insert(run.to_owned());
    }

    /// A run that was handed to us has ended.
    pub fn forget(&self, run: &str) {
        let mut state = self.state();
        state.given.remove(run);
        state.confirmed.remove(run);
    }

    /// Runs that were handed to us.
    pub fn given(&self) -> Vec<String> {
        self.state().given.iter().cloned().collect()
    }

    /// A run could not be driven at this instant: it is left alone for a while.
    pub fn rest(&self, run: &str, now: Timestamp) {
        self.state().resting.insert(run.to_owned(), now);
    }

    /// Is it left alone?
    pub fn rests(&self, run: &str, now: Timestamp) -> bool {
        let mut state = self.state();
        let Some(since) = state.resting.get(run) else { return false };
        if now.duration_since(*since) < REST {
            return true;
        }
        state.resting.remove(run);
        false
    }

    /// Nobody need be asked before many people are written to.
    pub fn confirm(&self, run: &str) {
        self.state().confirmed.insert(run.to_owned());
    }

    /// Did somebody say so?
    pub fn is_confirmed(&self, run: &str) -> bool {
        self.state().confirmed.contains(run)
    }

    /// Nothing may go on.
    pub fn fail(&self, error: RunError) {
        self.state().failure.get_or_insert(error);
        self.park_all();
    }

    /// Why nothing may go on.
    pub fn failure(&self) -> Option<RunError> {
        self.state().failure.clone()
    }
}
