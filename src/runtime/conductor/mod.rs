//! Drives the runs of a project, as many at once as there are, and starts campaigns that start by themselves.
//!
//! What is to happen and when is in the store: a run that waits is one row with the instant at which it is due, and
//! nothing of it is in memory. Each round takes what other processes left in the inbox, wakes who waited for a signal,
//! decides the starts that are due, and drives the runs that are. A thread drives one run to its next wait and leaves it.
//!
//! ```text
//!  inbox ──notes──▶ ┌───────────┐ ──due──▶ a thread per run ──▶ executor
//!  store ──times──▶ │ conductor │ ◀─────── how far it came
//!  scripts ───────▶ └───────────┘ ──starts──▶ store
//! ```
//!
//! `orch serve` is a conductor for the whole project. A command that drives one run in the foreground has a conductor,
//! too, for the runs that other commands hand to it: whoever holds the state works for all.

mod desk;
mod host;
mod notes;
mod register;
mod starts;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

pub use host::{Happening, Host, Scripts};

use super::clock::{Clock, VirtualClock};
use super::engine::{Drive, Engine};
use super::error::RunError;
use super::executor::{Cancel, DriveEnd, Executor, Surroundings, Until};
use super::inbox::{Inbox, Taken, store_note};
use super::machine::{Event, Status};
use super::store::{Agenda, AgendaChange, Change, RunRecord};
use crate::plan::Plan;
use desk::{Desk, Seat};
use register::Known;
pub use register::new_campaign;

/// Runs that are driven at once; each has a thread.
const MOST_DRIVEN: usize = 64;
/// How often the inbox is looked at.
const PAUSE: SignedDuration = SignedDuration::from_millis(200);
/// Plans that are kept: runs of the same version share one.
const MOST_PLANS: usize = 64;
/// Bytes of a thread's stack: plans of queries are deep.
const STACK: usize = 8 << 20;

/// Which runs a conductor drives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// All of the project, and it starts campaigns.
    Project,
    /// Those that are handed to it.
    Given,
}

/// Drives runs.
pub struct Conductor<'c> {
    engine: &'c Engine,
    store: &'c dyn Agenda,
    clock: &'c dyn Clock,
    host: &'c dyn Host,
    scope: Scope,
    inbox: Inbox,
    desk: Desk,
    plans: Mutex<HashMap<String, Arc<Plan>>>,
    bell: Arc<tokio::sync::Notify>,
    /// What was prepared for the first conducting.
    prepared: Mutex<Option<Day>>,
}

/// What one conducting knows from round to round.
struct Day {
    /// Whoever waits for a signal has been told of every arrival up to this one.
    told: i64,
    /// Campaigns that start by themselves.
    known: Vec<Known>,
    held: bool,
    /// Runs that are to be stopped and are not being driven.
    stops: Vec<(String, Taken)>,
    /// Starts may wait for their turn.
    queue: bool,
}

/// A run that is to be driven now.
struct Claim {
    run: String,
    note: Option<Taken>,
    /// The last thing that woke it.
    wake: Option<i64>,
}

impl<'c> Conductor<'c> {
    /// A conductor of the engine's project. `clock` is that of all runs but those that have a virtual one of their own.
    pub fn new(
        engine: &'c Engine,
        store: &'c dyn Agenda,
        clock: &'c dyn Clock,
        host: &'c dyn Host,
        scope: Scope,
    ) -> Self {
        let inbox = Inbox::new(&engine.options().folders.state);
        let (desk, plans, bell, prepared) = (Desk::default(), Mutex::default(), Arc::default(), Mutex::default());
        Self { engine, store, clock, host, scope, inbox, desk, plans, bell, prepared }
    }

    /// Makes campaigns known, so that whatever arrives from now on starts them; [`Conductor::conduct`] does the rest.
    ///
    /// # Errors
    /// The store refused something.
    pub fn prepare(&self) -> Result<(), RunError> {
        let day = self.begin()?;
        *self.prepared.lock().unwrap_or_else(PoisonError::into_inner) = Some(day);
        Ok(())
    }

    /// Makes the next round begin at once. Something new is in the store.
    pub fn bell(&self) -> Arc<tokio::sync::Notify> {
        Arc::clone(&self.bell)
    }

    /// Drives what is due until asked to stop. Then what is in the air is awaited and every run is parked.
    ///
    /// # Errors
    /// The store refused something: nothing may go on.
    pub fn conduct(&self, cancel: &Cancel) -> Result<(), RunError> {
        self.conduct_while(cancel, false)
    }

    /// The same, but ends once nothing is due.
    ///
    /// # Errors
    /// The store refused something.
    pub fn conduct_due(&self, cancel: &Cancel) -> Result<(), RunError> {
        self.conduct_while(cancel, true)
    }

    fn conduct_while(&self, cancel: &Cancel, only_due: bool) -> Result<(), RunError> {
        let mut day = self.begin()?;
        std::thread::scope(|scope| {
            let spawn = |claim: Claim| {
                let Some(seat) = self.desk.seat(&claim.run, Cancel::default()) else { return };
                let run = claim.run.clone();
                let work = move || self.work(claim, &seat);
                if std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).is_err() {
                    // Without a thread it is tried again in the next round.
                    self.desk.leave(&run);
                }
            };
            let ended = self.rounds(&mut day, (cancel, only_due), &spawn);
            self.desk.park_all();
            ended
        })?;
        self.take_rest()?;
        self.desk.failure().map_or(Ok(()), Err)
    }

    fn rounds(
        &self,
        day: &mut Day,
        (cancel, only_due): (&Cancel, bool),
        spawn: &dyn Fn(Claim),
    ) -> Result<(), RunError> {
        while !cancel.is_cancelled() {
            if let Some(error) = self.desk.failure() {
                return Err(error);
            }
            self.round(day)?;
            let claims = self.claims(day)?;
            if only_due && claims.is_empty() && self.desk.len() == 0 {
                return Ok(());
            }
            claims.into_iter().for_each(spawn);
            let next = self.next(day)?;
            self.rest(next, cancel);
        }
        Ok(())
    }

    /// The same on a virtual clock, one run at a time, up to an instant: for tests and rehearsals.
    ///
    /// # Errors
    /// The store refused something.
    pub fn conduct_until(&self, end: Timestamp) -> Result<(), RunError> {
        let mut day = self.begin()?;
        loop {
            self.round(&mut day)?;
            let claims = self.claims(&mut day)?;
            let idle = claims.is_empty();
            for claim in claims {
                if let Some(seat) = self.desk.seat(&claim.run, Cancel::default()) {
                    self.work(claim, &seat);
                }
            }
            if let Some(error) = self.desk.failure() {
                return Err(error);
            }
            match self.next(&day)?.filter(|next| *next <= end) {
                _ if !idle => {}
                Some(next) => self.engine.block_on(self.clock.sleep_until(next)),
                None => {
                    self.engine.block_on(self.clock.sleep_until(end));
                    return Ok(());
                }
            }
        }
    }

    /// Drives one run on this thread, as a person watches it. What other processes ask for meanwhile is done beside it.
    ///
    /// # Errors
    /// What held the run; it is paused then and can be resumed.
    pub fn accompany(&self, plan: &Plan, run: &str, drive: &Drive<'_>) -> Result<DriveEnd, RunError> {
        let seat = self.desk.seat(run, drive.cancel.clone()).unwrap_or_default();
        let aside = Cancel::default();
        // What was left for the run is known before it does anything.
        let mut day = self.begin()?;
        self.take_notes(&mut day)?;
        *self.prepared.lock().unwrap_or_else(PoisonError::into_inner) = Some(day);
        std::thread::scope(|scope| {
            let beside = scope.spawn(|| self.conduct(&aside));
            let ended = self.engine.drive_told(self.store, plan, run, drive, &seat.mailbox);
            self.desk.leave(run);
            aside.cancel();
            self.bell.notify_one();
            // A thread that panicked has said so itself.
            let beside = beside.join().unwrap_or(Ok(()));
            ended.and_then(|end| beside.map(|()| end))
        })
    }

    fn begin(&self) -> Result<Day, RunError> {
        if let Some(day) = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Ok(day);
        }
        let held = self.store.held()?.is_some();
        let mut day = Day { told: self.store.last_arrival()?, known: Vec::new(), held, stops: Vec::new(), queue: true };
        if self.scope == Scope::Project {
            self.engine.block_on(self.store.commit(vec![Change::Agenda(AgendaChange::WakeAnew)]))?;
            self.look_at_scripts(&mut day)?;
        }
        Ok(day)
    }

    fn round(&self, day: &mut Day) -> Result<(), RunError> {
        self.take_notes(day)?;
        self.tell_arrivals(day)?;
        if self.scope == Scope::Project {
            self.look_at_scripts(day)?;
            if !day.held {
                self.start_by_signals(day)?;
                self.start_by_schedules(day)?;
                self.start_queued(day)?;
            }
        }
        Ok(())
    }

    /// The runs that are to be driven now.
    fn claims(&self, day: &mut Day) -> Result<Vec<Claim>, RunError> {
        let stops = std::mem::take(&mut day.stops).into_iter();
        let mut claims: Vec<Claim> = stops.map(|(run, note)| Claim { run, note: Some(note), wake: None }).collect();
        if day.held {
            return Ok(claims);
        }
        let free = MOST_DRIVEN.saturating_sub(self.desk.len());
        let again = self.desk.take_again(free).into_iter().map(|run| (run, None));
        let woken = self.woken()?.into_iter().map(|(run, wake)| (run, Some(wake)));
        let due = self.due()?.into_iter().map(|run| (run, None));
        let mut left = free;
        for (run, wake) in again.chain(woken).chain(due) {
            let is_taken = self.desk.is_seated(&run)
                || self.desk.rests(&run, self.clock.now())
                || claims.iter().any(|claim| claim.run == run);
            if left > 0 && !is_taken {
                claims.push(Claim { run, note: None, wake });
                left -= 1;
            }
        }
        Ok(claims)
    }

    /// Runs that something came for.
    fn woken(&self) -> Result<Vec<(String, i64)>, RunError> {
        if self.scope == Scope::Project {
            return Ok(self.store.woken(None, MOST_DRIVEN + self.desk.len())?);
        }
        let mut woken = Vec::new();
        for run in self.desk.given() {
            woken.extend(self.store.woken(Some(&run), 1)?);
        }
        Ok(woken)
    }

    fn due(&self) -> Result<Vec<String>, RunError> {
        let now = self.clock.now();
        if self.scope == Scope::Project {
            return Ok(self.store.due(now, MOST_DRIVEN + self.desk.len())?);
        }
        let mut due = Vec::new();
        for run in self.desk.given() {
            let record = self.store.run(&run)?;
            if record.and_then(|record| record.state.due()).is_some_and(|at| at <= now) {
                due.push(run);
            }
        }
        Ok(due)
    }

    /// When something happens by itself next.
    fn next(&self, day: &Day) -> Result<Option<Timestamp>, RunError> {
        let now = self.clock.now();
        if day.held {
            return Ok(None);
        }
        let mut next: Vec<Timestamp> = day.known.iter().filter_map(|known| known.record.next).collect();
        if self.scope == Scope::Project {
            next.extend(self.store.next_due(now)?);
        } else {
            for run in self.desk.given() {
                next.extend(self.store.run(&run)?.and_then(|record| record.state.due()).filter(|at| *at > now));
            }
        }
        Ok(next.into_iter().min())
    }

    /// Sleeps until the next round.
    fn rest(&self, next: Option<Timestamp>, cancel: &Cancel) {
        // Not until an instant: the clock may be set back meanwhile.
        let left = next.map_or(PAUSE, |next| next.duration_since(self.clock.now()));
        let pause = left.clamp(SignedDuration::ZERO, PAUSE);
        self.engine.block_on(async {
            tokio::select! {
                () = self.clock.pause(pause) => {}
                () = self.bell.notified() => {}
                () = cancel.cancelled() => {}
            }
        });
    }

    /// Drives a run to its next wait and says how far it came.
    fn work(&self, claim: Claim, seat: &Seat) {
        let Claim { run, note, wake } = claim;
        let run = run.as_str();
        let stop = note.as_ref().map(|taken| taken.note.clone());
        note.into_iter().for_each(|note| seat.mailbox.put(note));
        let ended = self.drive(run, seat);
        match (ended, stop) {
            (Ok(end), _) => {
                if let DriveEnd::Over(_) = end {
                    self.desk.forget(run);
                }
                self.host.on(Happening::Driven { run, end: &end });
            }
            (Err(error @ RunError::Store(_)), _) => self.desk.fail(error),
            (Err(_), Some(stop)) => {
                // What it had still to send cannot be looked at; it is stopped all the same.
                let stopped = self.engine.block_on(store_note(stop, self.store, self.clock));
                stopped.unwrap_or_else(|error| self.desk.fail(error));
            }
            (Err(error), None) => {
                self.pause_unless_held(run, &error).unwrap_or_else(|error| self.desk.fail(error));
                self.desk.rest(run, self.clock.now());
                self.host.on(Happening::Failed { run, error: &error });
            }
        }
        if let Some(wake) = wake {
            let looked = Change::Agenda(AgendaChange::Looked { run: run.to_owned(), wake });
            let looked = self.engine.block_on(self.store.commit(vec![looked]));
            looked.unwrap_or_else(|error| self.desk.fail(error.into()));
        }
        self.desk.leave(run);
        self.bell.notify_one();
    }

    fn drive(&self, run: &str, seat: &Seat) -> Result<DriveEnd, RunError> {
        let record = self.store.run(run)?.ok_or_else(|| RunError::UnknownRun { run: run.to_owned() })?;
        if record.is_done() {
            return Ok(DriveEnd::Over(record.state.status));
        }
        if record.state.restored.is_some() {
            // Somebody has to say first what it may have sent since its backup.
            return Ok(DriveEnd::Parked);
        }
        let plan = self.plan_of(&record)?;
        let channels = self.host.channels(&plan)?;
        let sources = self.engine.open_sources(&plan).read_by(self.engine.options().folders.run(run));
        let observer = self.host.observer(run);
        let own = record.simulated.then(|| VirtualClock::new(record.updated));
        let (clock, until): (&dyn Clock, Until) = match &own {
            Some(own) => (own, Until::End),
            None => (self.clock, Until::Due),
        };
        let confirm_above = self.engine.options().confirm_above.filter(|_| !self.desk.is_confirmed(run));
        let around = Surroundings {
            channels: &channels,
            observer: observer.as_ref(),
            confirm_above,
            ..self.engine.surroundings(self.store, clock, &sources, &seat.cancel, &seat.mailbox)
        };
        let mut executor = Executor::new(around, &plan, record);
        let end = self.engine.block_on(executor.drive(until))?;
        if matches!(end, DriveEnd::Over(_)) {
            self.engine.settle_archives(self.store, observer.as_ref())?;
        }
        Ok(end)
    }

    /// The plan of a run, shared with all runs of the same version.
    fn plan_of(&self, record: &RunRecord) -> Result<Arc<Plan>, RunError> {
        self.plan(&record.file, &record.campaign, &record.fingerprint)
    }

    fn plan(&self, file: &str, campaign: &str, fingerprint: &str) -> Result<Arc<Plan>, RunError> {
        let plans = || self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = plans().get(fingerprint) {
            return Ok(Arc::clone(plan));
        }
        let files = self.store.bundle(fingerprint)?.unwrap_or_default();
        let plan = self.host.plan(file, campaign, files)?;
        if plan.fingerprint != fingerprint {
            let why = "its source is read differently by this version of orch".to_string();
            return Err(RunError::Machine(super::machine::MachineError(why)));
        }
        let plan = Arc::new(plan);
        self.keep(&plan);
        Ok(plan)
    }

    fn keep(&self, plan: &Arc<Plan>) {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if plans.len() >= MOST_PLANS {
            plans.retain(|_, plan| Arc::strong_count(plan) > 1);
        }
        if plans.len() >= MOST_PLANS {
            plans.clear();
        }
        plans.insert(plan.fingerprint.clone(), Arc::clone(plan));
    }

    /// An error that came before the run could be driven pauses it, so that it is not tried again and again.
    fn pause_unless_held(&self, run: &str, error: &RunError) -> Result<(), RunError> {
        let Some(record) = self.store.run(run)?.filter(|record| record.state.status == Status::Running) else {
            return Ok(());
        };
        let mut state = record.state;
        let event = Event::Paused { reason: error.to_string() };
        super::machine::tell(&mut state, &event)?;
        let at = if record.simulated { record.updated } else { self.clock.now() };
        let change = Change::Transition { run: run.to_owned(), seq: record.seq + 1, at, event, state };
        Ok(self.engine.block_on(self.store.commit(vec![change]))?)
    }

    /// What came while the last round went on. Starts are left to whoever comes next, and so is what needs the plan of a
    /// run, such as stopping it.
    fn take_rest(&self) -> Result<(), RunError> {
        use super::inbox::Note;
        for taken in self.inbox.notes_except(&self.desk.files()) {
            let is_left =
                matches!(taken.note, Note::Start(_) | Note::Stop { .. } | Note::Resume { .. } | Note::ResumeAll);
            if !is_left && !taken.note.needs_plan() {
                self.engine.block_on(store_note(taken.note.clone(), self.store, self.clock))?;
                taken.done();
            }
        }
        Ok(())
    }
}
