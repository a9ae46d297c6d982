//! One program, one schedule of faults: started, killed, recovered, until it is over; then compared with the model.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use orch::plan::Plan;
use orch::runtime::channels::{Idempotency, Secret};
use orch::runtime::machine::Status;
use orch::runtime::store::sqlite::SqliteStore;
use orch::runtime::store::{Realm, Store, StoreError};
use orch::runtime::{
    BoundChannel, Cancel, Drive, DriveEnd, Engine, EngineOptions, Folders, Inbox, Note, ObjectAccess, Pace, Pacing,
    RunError, SourceBinding, Until,
};

use super::actors::{SimChannel, SimClock, SimHost, SimStore, refused};
use super::chance::Chance;
use super::check::{self, Verdict, ensure};
use super::data::{Backend, Data};
use super::model::{End, Expected, Fate, Model};
use super::program::Stmt;
use super::world::{Crash, Noise, Site, World, lock};

/// Drives after which nothing fails any more.
const FAULTY_DRIVES: u64 = 7;
/// More drives than any run needs.
const MOST_DRIVES: u64 = 400;

/// What goes wrong in one drive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    Nothing,
    Crash { site: Site, times: u64, power: bool },
    DiskFull { after: u64 },
    Asked { at: u64 },
    Paused { at: u64 },
    Stopped { at: u64 },
    ChannelDown,
    Unreachable,
    SourceGone { at: u64 },
    SourceSpoilt,
}

pub struct Case<'c> {
    pub seed: u64,
    pub plan: &'c Plan,
    pub body: &'c [Stmt],
    pub backend: Backend,
}

struct Runner<'c> {
    case: &'c Case<'c>,
    chance: Chance,
    world: Arc<World>,
    clock: Arc<SimClock>,
    data: Data,
    /// Waits are jumped over by the product itself.
    virtual_clock: bool,
    idempotency: Idempotency,
    batch: usize,
    rate: Option<u64>,
    confirm: Option<u64>,
    signals: Vec<u32>,
    run: String,
    /// The clock is moved back now and then.
    back: bool,
    /// The channel loses answers now and then.
    unclear: bool,
    started: Timestamp,
}

/// Runs a case; says what happened, or what is wrong.
pub fn run(case: &Case<'_>) -> Verdict<BTreeMap<String, u64>> {
    let mut chance = Chance::new(case.seed, "faults");
    let world = Arc::new(World::new(case.seed));
    let started: Timestamp = "2026-03-27T15:04:05Z".parse().unwrap();
    let clock = Arc::new(SimClock::new(world.clone(), started));
    let lifetime = Duration::from_secs(3_600);
    let idempotency =
        *chance.one(&[Idempotency::Always, Idempotency::Always, Idempotency::None, Idempotency::Key { lifetime }]);
    let virtual_clock = chance.once_in(2);
    let mut runner = Runner {
        case,
        virtual_clock,
        back: !virtual_clock && chance.once_in(3),
        unclear: chance.once_in(4),
        idempotency,
        batch: chance.between(1, 4) as usize,
        rate: if chance.once_in(4) { Some(chance.below(5) + 1) } else { None },
        confirm: if chance.once_in(5) { Some(4) } else { None },
        signals: (0..super::generate::SIGNALS).map(|_| chance.below(3) as u32).collect(),
        data: Data::new(case.seed, case.backend),
        chance,
        world,
        clock,
        run: String::new(),
        started,
    };
    runner.go()?;
    let fired = std::mem::take(&mut *lock(&runner.world.fired));
    Ok(fired)
}

impl Runner<'_> {
    fn go(&mut self) -> Verdict {
        let state = self.data.folder().join("state");
        let mut store = SqliteStore::open(&state).map_err(|error| error.to_string())?;
        self.begin(&store)?;
        let mut drives = 0;
        loop {
            drives += 1;
            ensure!(drives < MOST_DRIVES, "it was driven {drives} times and is not over");
            let fault = if drives <= FAULTY_DRIVES { self.fault() } else { Fault::Nothing };
            let over = self.drive(&store, fault).map_err(|why| format!("drive {drives}, {fault:?}: {why}"))?;
            let context = |why: String| format!("after drive {drives}, {fault:?}: {why}");
            check::always(&store, self.case.plan, &self.run, &self.world).map_err(context)?;
            if over {
                break;
            }
            if matches!(fault, Fault::Crash { .. }) && self.chance.once_in(3) {
                self.recover_twice(&store).map_err(context)?;
            }
            if self.chance.once_in(4) {
                drop(store);
                store = SqliteStore::open(&state).map_err(|error| error.to_string())?;
            }
        }
        self.settled(&store)
    }

    fn begin(&mut self, store: &SqliteStore) -> Verdict {
        let engine = self.engine();
        let pacing = if self.virtual_clock { Pacing::FastForward } else { Pacing::Real };
        let started = engine.start(store, self.case.plan, "sim.orch", &BTreeMap::new(), pacing);
        self.run = started.map_err(|error| error.to_string())?;
        for (number, count) in self.signals.iter().enumerate() {
            for at in 0..*count {
                let values = BTreeMap::from([("n".to_owned(), orch::hir::Value::Int(1))]);
                let (id, name) = (format!("{number}-{at}"), format!("g{number}"));
                self.inbox().leave(&Note::Signal { id, name, values, at: self.started }).unwrap();
            }
        }
        Ok(())
    }

    fn inbox(&self) -> Inbox {
        Inbox::new(&self.data.folder().join("state"))
    }

    /// A process of its own.
    fn engine(&self) -> Engine {
        let project: PathBuf = self.data.folder().into();
        let folders = Folders { state: project.join("state"), project };
        let driver = SimChannel {
            world: self.world.clone(),
            idempotency: self.idempotency,
            batch: self.batch,
            seed: self.case.seed,
        };
        let rate = self.rate.map(|count| (count, SignedDuration::from_secs(1)));
        let channel = BoundChannel { driver: Arc::new(driver), pace: Pace::new(rate), resend_unknown: false };
        let binding = SourceBinding {
            url: Ok(Secret::new("sqlite:crm.db")),
            writable: true,
            objects: Ok(ObjectAccess::default()),
        };
        let options = EngineOptions {
            threads: 1,
            sources: BTreeMap::from([("crm".to_owned(), binding)]),
            confirm_above: self.confirm,
            clock: self.clock.clone(),
            ..EngineOptions::new(folders)
        };
        Engine::new(options.channel("email", channel)).unwrap()
    }

    fn fault(&mut self) -> Fault {
        let chance = &mut self.chance;
        match chance.below(20) {
            0..10 => {
                let site = *chance.one(&Site::ALL);
                let most = *chance.one(&[2, 6, 20, 60]);
                Fault::Crash { site, times: chance.below(most) + 1, power: chance.once_in(4) }
            }
            10 => Fault::DiskFull { after: chance.below(25) },
            11 => Fault::Asked { at: chance.below(20) + 1 },
            12 => Fault::Paused { at: chance.below(20) + 1 },
            13 if chance.once_in(4) => Fault::Stopped { at: chance.below(20) + 1 },
            14 => Fault::ChannelDown,
            15 => Fault::Unreachable,
            16 => Fault::SourceGone { at: chance.below(12) },
            17 => Fault::SourceSpoilt,
            _ => Fault::Nothing,
        }
    }

    /// Plans a fault; gives what is to be undone after the drive.
    fn plan_fault(&mut self, fault: Fault, cancel: &Cancel) {
        let world = &self.world;
        world.calm();
        if fault != Fault::Nothing && self.chance.once_in(2) {
            let chance = &mut self.chance;
            let (deferred, not_started) = (*chance.one(&[0, 0, 60, 300]), *chance.one(&[0, 0, 60, 300]));
            // Most cases have no such noise, so that every doubt in them is one too many.
            let answer_lost = if self.unclear { 60 } else { 0 };
            *lock(&world.noise) = Noise { deferred, not_started, answer_lost, silent: answer_lost / 2 };
        }
        let at_hear = |at: u64, what: Box<dyn FnOnce() + Send>| *lock(&world.at_hear) = Some((at, what));
        let (inbox, run) = (self.inbox(), self.run.clone());
        match fault {
            Fault::Nothing => {}
            Fault::Crash { site, times, .. } => world.arm(site, times),
            Fault::DiskFull { after } => world.fill_disk_after(after),
            Fault::Asked { at } => {
                let cancel = cancel.clone();
                at_hear(at, Box::new(move || cancel.cancel()));
            }
            Fault::Paused { at } => {
                let note = Note::Pause { run, reason: "by hand".into() };
                at_hear(at, Box::new(move || inbox.leave(&note).unwrap()));
            }
            Fault::Stopped { at } => {
                let note = Note::Stop { run, reason: Some("by hand".into()) };
                at_hear(at, Box::new(move || inbox.leave(&note).unwrap()));
            }
            Fault::ChannelDown => world.down.store(true, Ordering::SeqCst),
            Fault::Unreachable => world.unreachable.store(true, Ordering::SeqCst),
            Fault::SourceGone { at: 0 } => self.data.hide(),
            Fault::SourceGone { at } => {
                let hide = self.data.hider();
                at_hear(at, Box::new(hide));
            }
            Fault::SourceSpoilt => self.data.spoil(),
        }
        let turns = if self.back && fault != Fault::Nothing { 2 } else { 0 };
        self.clock.goes_back.store(turns, Ordering::SeqCst);
        if !self.virtual_clock && fault != Fault::Nothing && self.chance.once_in(4) {
            self.clock.turn(SignedDuration::from_hours(self.chance.between(1, 60)));
        }
        if self.back && fault != Fault::Nothing && self.chance.once_in(3) {
            self.world.fire("clock set back between drives".into());
            self.clock.turn(-SignedDuration::from_hours(self.chance.between(1, 6)));
        }
    }

    /// One process. True when the run is over.
    fn drive(&mut self, store: &SqliteStore, fault: Fault) -> Verdict<bool> {
        let cancel = Cancel::default();
        self.plan_fault(fault, &cancel);
        let may_wait = !self.virtual_clock && self.chance.once_in(4);
        let noisy = lock(&self.world.noise).not_started > 0;
        let ended = self.process(store, &cancel, if may_wait { Until::FirstWait } else { Until::End });
        self.world.calm();
        self.data.mend();
        let Some(ended) = ended else {
            self.die(store, matches!(fault, Fault::Crash { power: true, .. }))?;
            return Ok(false);
        };
        match (ended, fault) {
            (Ok(DriveEnd::Over(_)) | Err(RunError::Over { .. }), _) => return Ok(true),
            (Ok(DriveEnd::Parked), Fault::Asked { .. }) => self.world.fire("parked".into()),
            (Ok(DriveEnd::Paused), Fault::Paused { .. }) => self.world.fire("paused".into()),
            // The note was left in an earlier process, which died before it looked.
            (Ok(DriveEnd::Paused), _) if self.is_paused_by_hand(store) => {}
            (Ok(DriveEnd::Waiting(at)), _) if may_wait => self.clock.pass_until(at),
            (Err(RunError::Store(StoreError::Broken(_))), Fault::DiskFull { .. }) => {}
            (Err(RunError::Channel { .. }), Fault::ChannelDown | Fault::Unreachable) => {
                self.world.fire("held by its channel".into());
            }
            (Err(RunError::Channel { .. }), _) if noisy => {}
            (Err(error), Fault::SourceGone { .. } | Fault::SourceSpoilt) => {
                let code = error.problem().code.to_string();
                let known = [
                    "run::source_missing",
                    "run::source_unreadable",
                    "run::bad_cell",
                    "run::source_changed",
                    "run::write_failed",
                ];
                ensure!(known.contains(&code.as_str()), "a source that fails is said as {code}: {error:?}");
                self.world.fire(format!("held by {code}"));
            }
            (ended, _) => return Err(format!("it ended as {ended:?}")),
        }
        Ok(false)
    }

    /// Drives the run in a process that may die, which gives nothing.
    fn process(&self, store: &SqliteStore, cancel: &Cancel, until: Until) -> Option<Result<DriveEnd, RunError>> {
        self.clock.awake();
        let engine = self.engine();
        let seen = SimStore { inner: store, world: self.world.clone(), inbox: self.inbox() };
        let host = SimHost { world: self.world.clone(), clock: self.clock.clone() };
        let pacing = if self.virtual_clock { Pacing::FastForward } else { Pacing::Real };
        let drive = Drive { until, pacing, observer: &host, cancel, confirmed: false };
        let driven = || engine.drive(&seen, self.case.plan, &self.run, &drive);
        match catch_unwind(AssertUnwindSafe(driven)) {
            Ok(ended) => Some(ended),
            Err(payload) if payload.is::<Crash>() => None,
            Err(payload) => std::panic::resume_unwind(payload),
        }
    }

    fn is_paused_by_hand(&self, store: &SqliteStore) -> bool {
        let record = store.run(&self.run).ok().flatten();
        record.is_some_and(|record| record.state.reason.as_deref() == Some("by hand"))
    }

    /// What a killed process, or a computer without power, leaves.
    fn die(&self, store: &SqliteStore, power: bool) -> Verdict {
        if self.idempotency != Idempotency::Always {
            // One message in the air for each batch on its way; without power, all that were intended.
            let doubts = if power { 4 * self.batch as u64 } else { 3 };
            self.world.doubts.fetch_add(doubts, Ordering::SeqCst);
        }
        if power {
            let folder = self.data.folder().join("state/runs").join(&self.run);
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.path().extension().is_some_and(|extension| extension == "marks") {
                    self.world.fire("marks lost".into());
                    std::fs::remove_file(entry.path()).map_err(|error| error.to_string())?;
                }
            }
        }
        drop(store.runs().map_err(|error| error.to_string())?);
        Ok(())
    }

    /// A second recovery right after the first changes nothing.
    fn recover_twice(&mut self, store: &SqliteStore) -> Verdict {
        let asked = Cancel::default();
        asked.cancel();
        let mut seen = Vec::new();
        for _ in 0..2 {
            let ended = self.process(store, &asked, Until::End);
            let fine = matches!(ended, Some(Ok(DriveEnd::Parked | DriveEnd::Over(_)) | Err(RunError::Over { .. })));
            ensure!(fine, "recovery alone ended as {ended:?}");
            seen.push(check::dump(store, &self.run)?);
        }
        ensure!(seen[0] == seen[1], "a second recovery changes\n{}\ninto\n{}", seen[0], seen[1]);
        self.world.fire("recovered twice".into());
        Ok(())
    }

    /// The run is over: everything is as the model says, and stays so.
    fn settled(&mut self, store: &SqliteStore) -> Verdict {
        let stopped = store.run(&self.run).ok().flatten().and_then(|run| run.state.reason) == Some("by hand".into());
        if stopped {
            // Whatever had been intended when it was stopped may be in doubt.
            self.world.doubts.fetch_add(1_000, Ordering::SeqCst);
            self.world.fire("stopped by hand".into());
        }
        let status = check::over(store, &self.run, &self.world)?;
        let before = check::dump(store, &self.run)?;
        let again = self.process(store, &Cancel::default(), Until::End);
        ensure!(matches!(again, Some(Err(RunError::Over { .. }))), "driven once more it says {again:?}");
        ensure!(check::dump(store, &self.run)? == before, "driven once more it is another");
        let litter = self.data.litter();
        ensure!(litter.is_empty(), "left behind: {litter:?}");

        let ledger = check::ledger(store, &self.run)?;
        let sends = check::sends(&ledger);
        let name = &self.case.plan.campaign().name;
        let seed = self.case.seed;
        let refuses = move |address: &str| refused(seed, address);
        let model = Model { ledger: &sends, campaign: name, refused: &refuses, signals: self.signals.clone() };
        let expected = model.expect(self.case.body, &self.data.people);
        self.compare_sends(&expected, &ledger, stopped)?;
        if stopped {
            return Ok(());
        }
        let end = match status {
            Status::Finished => End::Finished,
            Status::Stopped => End::Stopped,
            _ => End::Failed,
        };
        ensure!(end == expected.end, "it ended as {end:?}, expected was {:?}", expected.end);
        self.compare_data(store, &expected)
    }

    fn compare_sends(&self, expected: &Expected, ledger: &check::Ledger, stopped: bool) -> Verdict {
        for (key, rows) in ledger {
            let Some(wanted) = expected.sends.get(key) else {
                return Err(format!("nobody asked for the send {key:?}"));
            };
            let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
            let wanted_ids: Vec<i64> = wanted.keys().copied().collect();
            let mut sorted = ids.clone();
            sorted.sort_unstable();
            ensure!(sorted == wanted_ids, "the send {key:?} is to {wanted_ids:?}, it went to {sorted:?}");
            for row in rows {
                let wanted = &wanted[&row.id];
                let excused = match row.fate {
                    Fate::Unknown | Fate::GivenUp | Fate::Exhausted => matches!(wanted, Fate::Sent | Fate::Failed),
                    Fate::Excluded("cancelled") => stopped,
                    _ => false,
                };
                let id = row.id;
                ensure!(excused || row.fate == *wanted, "{key:?} row {id} is {:?}, expected was {wanted:?}", row.fate);
                let minutes = expected.earliest[key];
                let earliest = self.started + SignedDuration::from_mins(minutes);
                let early = !self.back && !self.virtual_clock && row.first < earliest;
                ensure!(!early, "{key:?} row {id} was decided at {}, not before {earliest} was expected", row.first);
            }
        }
        let missing = expected.sends.keys().find(|key| !ledger.contains_key(*key));
        ensure!(stopped || missing.is_none(), "the send {missing:?} was never performed");
        Ok(())
    }

    fn compare_data(&self, store: &SqliteStore, expected: &Expected) -> Verdict {
        let spends: Vec<(i64, i64)> = expected.people.values().map(|person| (person.id, person.spend)).collect();
        let found = self.data.spends();
        ensure!(found == spends, "the table holds {found:?}, expected was {spends:?}");
        for (file, ids) in &expected.files {
            let found = self.data.exported(*file, self.virtual_clock)?;
            ensure!(found == *ids, "the file {file} holds {found:?}, expected was {ids:?}");
        }
        let realm = if self.virtual_clock { Realm::Simulated } else { Realm::Real };
        for (audience, ids) in &expected.audiences {
            let found = store.audience(realm, &format!("a{audience}")).map_err(|error| error.to_string())?;
            let rows = found.map(|found| found.rows);
            ensure!(rows == Some(ids.len() as u64), "the audience {audience} has {rows:?} rows, not {}", ids.len());
        }
        let steps = store.steps(&self.run).map_err(|error| error.to_string())?;
        for (key, rows) in &expected.rows_out {
            let found: Vec<Option<u64>> = steps
                .iter()
                .filter(|step| step.step == key.0 && step.token == key.1)
                .map(|step| step.rows_out)
                .collect();
            ensure!(found == [Some(*rows)], "the step {key:?} passed on {found:?}, expected was {rows}");
        }
        Ok(())
    }
}
