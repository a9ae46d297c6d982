//! Drives a run: asks the machine what is to be done, does it, and commits what came of it before going on.
//!
//! The only order that matters: an event is in the journal before anything that follows from it happens. A crash at
//! any instant leaves a state whose effects are performed again; each is made so that this is harmless.

mod accounting;
mod data;
mod errors;
mod freeze;
mod fresh;
mod keys;
mod live;
mod loops;
mod notes;
mod pace;
mod person;
mod repeat;
mod send;
mod shared;
mod split;
mod steps;
mod take;
mod trail;
mod waits;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::audiences::Remembered;
use super::bindings::AlertTarget;
use super::channels::Channel;
use super::clock::{Clock, Stopwatch};
use super::error::RunError;
use super::inbox::Word;
use super::machine::{self, Bound, Effect, Event, MachineError, State, Status};
use super::observe::{Observer, Progress};
use super::store::{AgendaChange, Change, Realm, RunRecord, StepRecord, Store, StoreError, Tally};
use super::tables::{Folders, Ledger, RunTables, Sources};
use crate::hir::{LocalId, Program, Value};
use crate::plan::query::{Scope, Session};
use crate::plan::{Kept, Plan, Step, StepKind};
pub(super) use freeze::{Freezing, SnapshotFile, file_error, freeze as freeze_population};
pub(super) use fresh::stale;
pub use pace::Pace;
pub(super) use send::{ROW, resolve_doubts};
pub(super) use take::highest_of;
pub use trail::{Fate, Stop};

/// A channel with its limits.
#[derive(Clone)]
pub struct BoundChannel {
    /// The driver.
    pub driver: Arc<dyn Channel>,
    /// Shared by all sends of the channel.
    pub pace: Pace,
    /// Send messages again of which nobody knows whether they arrived: somebody may get one twice.
    pub resend_unknown: bool,
}

impl BoundChannel {
    /// A channel without limits, whose messages in doubt stay as they are.
    pub fn new(driver: Arc<dyn Channel>) -> Self {
        Self { driver, pace: Pace::new(None), resend_unknown: false }
    }
}

/// Asks a run to stop at the next safe point. Cloned into whoever may ask.
#[derive(Clone, Default)]
pub struct Cancel {
    asked: Arc<AtomicBool>,
    wake: Arc<tokio::sync::Notify>,
}

impl Cancel {
    /// Asks.
    pub fn cancel(&self) {
        self.asked.store(true, Ordering::SeqCst);
        self.wake.notify_waiters();
        self.wake.notify_one();
    }

    /// True once asked.
    pub fn is_cancelled(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// Ready once asked.
    pub(super) async fn cancelled(&self) {
        while !self.is_cancelled() {
            self.wake.notified().await;
        }
    }
}

/// `rows_in = rows_out + dropped`: what does not add up never becomes a result.
fn check_rows(record: Option<&StepRecord>) -> Result<(), RunError> {
    let Some((record, entered, left)) = record.and_then(|it| Some((it, it.rows_in?, it.rows_out?))) else {
        return Ok(());
    };
    let dropped: u64 = record.dropped.values().sum();
    if entered == left + dropped {
        return Ok(());
    }
    let equation = format!("{entered} rows in, but {left} out and {:?} dropped", record.dropped);
    Err(RunError::Unbalanced { step: record.name.clone(), equation })
}

/// How far to go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// To the end, waiting as long as it takes.
    End,
    /// To the first wait that is not over yet. A virtual clock jumps over those.
    FirstWait,
    /// To the first wait that is not over yet, whatever the clock: somebody else waits.
    Due,
    /// Only sends that were asked for again, and their retries.
    Repeats,
}

/// How driving ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DriveEnd {
    /// The run is over.
    Over(Status),
    /// The run is held; somebody has to resume it.
    Paused,
    /// It goes on at this instant, when somebody drives it again.
    Waiting(Timestamp),
    /// It waits for a person or a signal.
    Blocked,
    /// We were asked to stop; it can go on at any time.
    Parked,
}

/// What a run needs around it.
pub struct Surroundings<'e> {
    /// Remembers.
    pub store: &'e dyn Store,
    /// Tells the time.
    pub clock: &'e dyn Clock,
    /// Computes.
    pub session: &'e Session,
    /// Holds the data.
    pub sources: &'e Sources,
    /// Where files are.
    pub folders: &'e Folders,
    /// By name.
    pub channels: &'e BTreeMap<String, BoundChannel>,
    /// Whom alerts tell, by name.
    pub alerts: &'e BTreeMap<String, AlertTarget>,
    /// Patterns of addresses that may be written to; empty means all.
    pub allow: &'e [String],
    /// The campaign's zone.
    pub zone: &'e TimeZone,
    /// Hears.
    pub observer: &'e dyn Observer,
    /// May ask to stop.
    pub cancel: &'e Cancel,
    /// Where the run hears what others want of it.
    pub word: &'e dyn Word,
    /// Ask before a send to more people than this.
    pub confirm_above: Option<u64>,
    /// Held by a send while it decides under a cap.
    pub cap_gate: &'e tokio::sync::Mutex<()>,
    /// False in a rehearsal: nothing outside the run's own state may change.
    pub effects: bool,
    /// Under a rehearsal: the state of real runs, which is only read.
    pub beneath: Option<Remembered<'e>>,
}

/// How often the inbox is looked at while a run waits.
const INBOX_PAUSE: SignedDuration = SignedDuration::from_millis(200);

/// One run, being driven.
pub struct Executor<'e> {
    around: Surroundings<'e>,
    plan: &'e Plan,
    /// The program with a way from each frozen row to its live row.
    program: Arc<Program>,
    /// Which columns populations keep.
    kept: Kept,
    run: String,
    started: Timestamp,
    /// On a virtual clock.
    simulated: bool,
    state: State,
    seq: u64,
    /// What the segment just computed takes, for the commit of its step.
    takes: Vec<Change>,
    /// Segments that were computed together with an earlier one, by what tells them apart.
    together: HashMap<String, freeze::Frozen>,
    /// The wait that was announced last: branch and statement.
    announced: Option<(String, String)>,
    /// What the agenda says that the run listens to; unknown before the first commit.
    listening: Option<Vec<String>>,
    /// A send that is over is being performed once more.
    again: bool,
}

/// What came of performing a step.
struct Performed {
    outcome: machine::Outcome,
    record: Option<StepRecord>,
    tally: Option<Tally>,
}

/// A step ended, or the run was asked to stop in the middle of it.
enum StepEnd {
    Done(Box<Performed>),
    Cancelled,
}

impl<'e> Executor<'e> {
    /// Goes on with `run`, whose plan is `plan`.
    pub fn new(around: Surroundings<'e>, plan: &'e Plan, run: RunRecord) -> Self {
        let program = Arc::new(live::with_live_relations(&plan.program));
        Self {
            around,
            plan,
            program,
            kept: plan.kept(),
            run: run.run,
            started: run.started,
            simulated: run.simulated,
            state: run.state,
            seq: run.seq,
            takes: Vec::new(),
            together: HashMap::new(),
            announced: None,
            listening: None,
            again: false,
        }
    }

    /// Drives until the run is over, held, waiting or asked to stop.
    ///
    /// # Errors
    /// What held it. The run is paused then, unless the store itself refused.
    pub async fn drive(&mut self, until: Until) -> Result<DriveEnd, RunError> {
        // What arrived while nobody drove the run was stored; those who wait for it look once.
        self.take_notes().await?;
        self.wake_listeners().await?;
        loop {
            let mut effects = machine::effects(&self.state);
            if until == Until::Repeats {
                effects.retain(|effect| self.is_repeat(effect));
            }
            match self.state.status {
                Status::Paused => return Ok(DriveEnd::Paused),
                status if status.is_over() && effects.is_empty() => return Ok(DriveEnd::Over(status)),
                _ if until == Until::Repeats && effects.is_empty() => return Ok(DriveEnd::Parked),
                _ => {}
            }
            if self.around.cancel.is_cancelled() {
                return Ok(DriveEnd::Parked);
            }
            let ready = effects.iter().find_map(|effect| match effect {
                Effect::Perform { token } => Some(token.clone()),
                Effect::WakeAt { .. } => None,
            });
            if let Some(token) = ready {
                match self.perform_and_commit(&token).await {
                    Ok(true) => {
                        self.take_notes().await?;
                        continue;
                    }
                    // Stopped short: by a note, which is taken now, or by the one who drives the run.
                    Ok(false) if self.take_notes().await? => continue,
                    Ok(false) => return Ok(DriveEnd::Parked),
                    Err(error) => {
                        self.failed(&token, error).await?;
                        continue;
                    }
                }
            }
            let next = effects.into_iter().filter_map(|effect| match effect {
                Effect::WakeAt { token, at } => Some((at, token)),
                Effect::Perform { .. } => None,
            });
            let end = match next.min() {
                Some((at, token)) => self.wait(at, &token, until).await?,
                None => self.wait_for_word(until).await?,
            };
            if let Some(end) = end {
                return Ok(end);
            }
        }
    }

    /// Whether an effect belongs to a send that is performed once more.
    fn is_repeat(&self, effect: &Effect) -> bool {
        let (Effect::Perform { token } | Effect::WakeAt { token, .. }) = effect;
        self.state.tokens.get(token).is_some_and(|token| token.again.is_some())
    }

    /// Nothing happens by itself any more: waits for a note.
    async fn wait_for_word(&mut self, until: Until) -> Result<Option<DriveEnd>, RunError> {
        let blocked = self.state.tokens.values().any(|token| token.phase == machine::Phase::Blocked);
        if !blocked {
            return Err(MachineError("it runs but nothing is to be done".into()).into());
        }
        if until != Until::End || self.around.clock.is_virtual() {
            return Ok(Some(DriveEnd::Blocked));
        }
        self.around.observer.on(Progress::Blocked);
        while !self.take_notes().await? {
            if !self.pause_for_inbox(Timestamp::MAX).await {
                return Ok(Some(DriveEnd::Parked));
            }
        }
        Ok(None)
    }

    /// Sleeps until the inbox is to be looked at again, at most until `at`. False when asked to stop.
    async fn pause_for_inbox(&self, at: Timestamp) -> bool {
        let clock = self.around.clock;
        // Not until an instant: if the clock is set back meanwhile, nobody would be heard until it has come.
        let length = at.duration_since(clock.now()).clamp(SignedDuration::ZERO, INBOX_PAUSE);
        tokio::select! {
            () = clock.pause(length) => true,
            () = self.around.cancel.cancelled() => false,
        }
    }

    /// Performs a token's step and commits what came of it. False when we were asked to stop instead.
    async fn perform_and_commit(&mut self, token: &str) -> Result<bool, RunError> {
        let position = self.token(token)?.clone();
        let plan = self.plan;
        let step = self.named(&position, machine::step_of(plan, &position)?);
        let step = step.as_ref();
        self.around.observer.on(Progress::Started { step: &step.path, title: &step.title });
        let stopwatch = Stopwatch::start();
        self.takes.clear();
        let performed = match &position.again {
            Some(again) => self.perform_again(again, step).await?,
            None => self.perform(token, step).await?,
        };
        let performed = match performed {
            StepEnd::Done(performed) => performed,
            StepEnd::Cancelled => return Ok(false),
        };
        let Performed { outcome, record, tally } = *performed;
        check_rows(record.as_ref())?;
        let event = Event::Done { token: token.to_string(), outcome };
        let change = if position.again.is_some() { Change::Recount } else { Change::Step };
        match self.commit_with(event, record.clone().map(change)).await {
            // Another run took rows meanwhile: the segment is computed again.
            Err(RunError::Store(StoreError::Overtaken(_))) => return Ok(true),
            committed => committed?,
        }
        if matches!(step.kind, crate::plan::StepKind::Emit { .. }) {
            // A branch of this run may wait for it.
            self.wake_listeners().await?;
        }
        if let Some(record) = &record {
            let took = stopwatch.elapsed();
            let (title, tally) = (step.title.as_str(), tally.as_ref());
            self.around.observer.on(Progress::Finished { title, record, tally, took });
        }
        Ok(true)
    }

    /// Waits for the earliest instant; `Some` when driving ends instead.
    async fn wait(&mut self, at: Timestamp, token: &str, until: Until) -> Result<Option<DriveEnd>, RunError> {
        let clock = self.around.clock;
        if at > clock.now() {
            if until == Until::Due || (until == Until::FirstWait && !clock.is_virtual()) {
                return Ok(Some(DriveEnd::Waiting(at)));
            }
            let position = self.token(token)?.clone();
            let step = machine::step_of(self.plan, &position)?;
            let place = (token.to_string(), step.path.clone());
            let is_turn = matches!(step.kind, crate::plan::StepKind::Repeat { .. });
            if is_turn || self.announced.as_ref() != Some(&place) {
                // A condition that is looked at every minute is one wait to people.
                let until = position.deadline.unwrap_or(at);
                self.around.observer.on(Progress::Waiting { title: &step.title, until });
                self.announced = Some(place);
            }
            if clock.is_virtual() {
                clock.sleep_until(at).await;
            }
            while at > clock.now() && !clock.is_virtual() && !self.was_set_back(step, at) {
                if !self.pause_for_inbox(at).await {
                    return Ok(Some(DriveEnd::Parked));
                }
                if self.take_notes().await? {
                    // Somebody may have answered, paused or stopped the run.
                    return Ok(None);
                }
            }
        }
        // What was read before the wait may have changed.
        self.around.sources.refresh();
        self.commit(Event::Woken { token: token.to_string() }, None).await?;
        Ok(None)
    }

    /// True when the next look at a condition is further away than any look is put off: the clock was set back. Other
    /// waits keep their instant.
    fn was_set_back(&self, step: &Step, at: Timestamp) -> bool {
        let looks = matches!(step.kind, StepKind::WaitUntil { until: crate::hir::Until::Condition(_), .. });
        looks && at.duration_since(self.around.clock.now()) > waits::LOOK_AGAIN.0
    }

    /// Applies an event and commits it with the state it leads to.
    pub async fn commit(&mut self, event: Event, record: Option<StepRecord>) -> Result<(), RunError> {
        self.commit_with(event, record.map(Change::Step)).await
    }

    async fn commit_with(&mut self, event: Event, change: Option<Change>) -> Result<(), RunError> {
        let mut state = self.state.clone();
        machine::apply(self.plan, &mut state, &event)?;
        let (run, seq, at) = (self.run.clone(), self.seq + 1, self.around.clock.now());
        let mut changes: Vec<Change> = change.into_iter().collect();
        if let Event::Done { outcome: machine::Outcome::Signalled { signal, .. }, .. } = &event {
            // Taken in the same transaction in which the run goes on with it.
            changes.push(Change::SignalTaken { run: run.clone(), signal: signal.clone() });
        }
        changes.append(&mut self.takes);
        if matches!(state.status, Status::Stopped | Status::Failed) {
            // In the same transaction: after a crash in between, other branches would go on without those messages.
            changes.extend(self.cancellations().await?);
        }
        let words = self.words(&state);
        if self.listening.as_ref() != Some(&words) {
            changes.push(Change::Agenda(AgendaChange::Listens { run: run.clone(), words: words.clone() }));
        }
        changes.push(Change::Transition { run, seq, at, event, state: state.clone() });
        self.around.store.commit(changes).await?;
        self.state = state;
        self.seq = seq;
        self.listening = Some(words);
        Ok(())
    }

    fn token(&self, name: &str) -> Result<&machine::Token, RunError> {
        let missing = || MachineError(format!("there is no branch `{name}`"));
        Ok(self.state.tokens.get(name).ok_or_else(missing)?)
    }

    /// Values by name.
    fn locals(&self) -> HashMap<LocalId, Value> {
        let value = |(local, bound): (&u32, &Bound)| match bound {
            Bound::Value(value) => Some((LocalId(*local), value.clone())),
            Bound::Snapshot(_) | Bound::Delivery(_) => None,
        };
        self.state.locals.iter().filter_map(value).collect()
    }

    /// The files of the frozen populations.
    fn frozen(&self) -> BTreeMap<u32, PathBuf> {
        let folder = self.around.folders.run(&self.run);
        let path = |(local, bound): (&u32, &Bound)| match bound {
            Bound::Snapshot(snapshot) => Some((*local, folder.join(&snapshot.file))),
            Bound::Value(_) | Bound::Delivery(_) => None,
        };
        self.state.locals.iter().filter_map(path).collect()
    }

    /// The tables that this run's populations start from.
    fn tables<'s>(&'s self, frozen: &'s BTreeMap<u32, PathBuf>) -> RunTables<'s> {
        let delivery = |(local, bound): (&u32, &Bound)| match bound {
            Bound::Delivery(delivery) => Some((*local, delivery.clone())),
            Bound::Snapshot(_) | Bound::Value(_) => None,
        };
        let deliveries = self.state.locals.iter().filter_map(delivery).collect();
        let ledger = Ledger { store: self.around.store, folder: self.around.folders.run(&self.run), deliveries };
        RunTables {
            sources: self.around.sources,
            frozen,
            numbered: None,
            ledger: Some(ledger),
            remembered: self.remembered(),
            memory: None,
            simulated: self.simulated,
        }
    }

    /// The same for a step that computes a segment, whose `new` remembers under its name.
    fn tables_for<'s>(&'s self, step: &Step, frozen: &'s BTreeMap<u32, PathBuf>) -> RunTables<'s> {
        let memory = match &step.kind {
            StepKind::Segment { local, .. } => Some(self.plan.default_memory(*local)),
            _ => None,
        };
        RunTables { memory, ..self.tables(frozen) }
    }

    /// Our own state, then the one that a rehearsal looks at.
    fn remembered(&self) -> Vec<Remembered<'_>> {
        let (store, realm) = (self.around.store, Realm::of(self.simulated));
        let own = Remembered { store, state: self.around.folders.state.clone(), realm };
        std::iter::once(own).chain(self.around.beneath.clone()).collect()
    }

    fn scope<'s>(&'s self, tables: &'s RunTables<'s>, locals: &'s HashMap<LocalId, Value>) -> Scope<'s> {
        Scope {
            program: &self.program,
            tables,
            locals,
            now: self.around.clock.now(),
            zone: self.around.zone.clone(),
            seed: &self.plan.campaign().name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_do_not_add_up_are_an_error() {
        let mut record = StepRecord {
            run: "vip-1".into(),
            step: "1".into(),
            token: String::new(),
            kind: "update".into(),
            name: "update vip".into(),
            rows_in: Some(5),
            rows_out: Some(3),
            dropped: BTreeMap::from([("vanished".to_string(), 2)]),
            at: Timestamp::UNIX_EPOCH,
            note: None,
        };
        assert_eq!(check_rows(Some(&record)), Ok(()));
        record.rows_in = Some(6);
        let wrong = check_rows(Some(&record)).unwrap_err();
        assert_eq!(wrong.problem().code.to_string(), "run::unbalanced");
        assert!(wrong.to_string().contains("6 rows in, but 3 out"), "{wrong}");
        assert_eq!(check_rows(None), Ok(()));
    }
}
