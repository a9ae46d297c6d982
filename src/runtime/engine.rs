//! The engine: start, drive, rehearse and look at runs. What the command line uses, and any other host.
//!
//! Methods block; a host that is itself asynchronous calls them from a thread of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::audiences::Remembered;
use super::bindings::{AlertTarget, SourceBinding};
use super::clock::{Clock, VirtualClock, WallClock};
use super::error::RunError;
use super::executor::{BoundChannel, Cancel, DriveEnd, Executor, Surroundings, Until};
use super::inbox::{Inbox, NewRun, Note, Word};
use super::machine::{self, Event, State, Status};
use super::names::run_name;
use super::observe::Observer;
use super::rehearsal::{Rehearsal, RehearsalChannel};
use super::store::sqlite::SqliteStore;
use super::store::{Cause, Change, Realm, RunRecord, Store};
use super::tables::{Folders, Sources};
use crate::hir::{LocalId, Overlap, Param, Value};
use crate::plan::query::{Session, SessionOptions};
use crate::plan::{Plan, StepKind};

/// What an engine works with.
pub struct EngineOptions {
    /// Where the project and its state are.
    pub folders: Folders,
    /// The zone of campaigns.
    pub zone: TimeZone,
    /// Threads for queries and imports.
    pub threads: usize,
    /// Bytes that queries may hold before they spill to disk.
    pub memory_limit: Option<usize>,
    /// Channels by name.
    pub channels: BTreeMap<String, BoundChannel>,
    /// Whom alerts tell, by name.
    pub alerts: BTreeMap<String, AlertTarget>,
    /// Bound sources by name.
    pub sources: BTreeMap<String, SourceBinding>,
    /// Patterns of addresses that may be written to; empty means all.
    pub allow: Vec<String>,
    /// Ask a person before a send to more people than this.
    pub confirm_above: Option<u64>,
    /// Tells what time it is, for everything but runs whose waits are jumped over.
    pub clock: Arc<dyn Clock>,
}

impl EngineOptions {
    /// Campaigns in UTC, a thread for each processor, no channel, no limits: what a host changes as it needs.
    pub fn new(folders: Folders) -> Self {
        Self {
            folders,
            zone: TimeZone::UTC,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            memory_limit: None,
            channels: BTreeMap::new(),
            alerts: BTreeMap::new(),
            sources: BTreeMap::new(),
            allow: Vec::new(),
            confirm_above: None,
            clock: Arc::new(WallClock),
        }
    }

    /// With a channel of this name.
    pub fn channel(mut self, name: impl Into<String>, channel: BoundChannel) -> Self {
        self.channels.insert(name.into(), channel);
        self
    }
}

/// How a run's time passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pacing {
    /// By the clock of the engine's options: the computer's, unless the host brings its own.
    Real,
    /// Waits are jumped over.
    FastForward,
}

/// Computes and runs.
pub struct Engine {
    options: EngineOptions,
    runtime: tokio::runtime::Runtime,
    session: Session,
    /// Two sends never decide under a cap at the same time.
    cap_gate: tokio::sync::Mutex<()>,
    archive_gate: std::sync::Mutex<()>,
}

/// What a host says about driving a run.
pub struct Drive<'d> {
    /// How far.
    pub until: Until,
    /// How time passes.
    pub pacing: Pacing,
    /// Hears of progress.
    pub observer: &'d dyn Observer,
    /// May ask to stop.
    pub cancel: &'d Cancel,
    /// True when somebody said beforehand that many people may be written to.
    pub confirmed: bool,
}

impl<'d> Drive<'d> {
    /// To the end of the run, by the computer's clock, asking before a send to many people.
    pub fn to_end(observer: &'d dyn Observer, cancel: &'d Cancel) -> Self {
        Self { until: Until::End, pacing: Pacing::Real, observer, cancel, confirmed: false }
    }
}

impl Engine {
    /// An engine. Opens nothing yet.
    ///
    /// # Errors
    /// When the query engine or its threads cannot be started.
    pub fn new(options: EngineOptions) -> Result<Self, RunError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(options.threads.max(1))
            .enable_all()
            .build()
            .map_err(|error| RunError::File { path: "threads".into(), reason: error.to_string() })?;
        let session = Session::new(&SessionOptions {
            memory_limit: options.memory_limit,
            spill_dir: None,
            threads: Some(options.threads),
        })?;
        Ok(Self {
            options,
            runtime,
            session,
            cap_gate: tokio::sync::Mutex::new(()),
            archive_gate: std::sync::Mutex::new(()),
        })
    }

    /// The sources of a plan, looked at: a file that is missing, lacks a column or holds a bad cell is an error here,
    /// before anything has happened.
    ///
    /// # Errors
    /// The first source that is not as declared.
    pub fn sources(&self, plan: &Plan) -> Result<Sources, RunError> {
        self.checked(plan, self.open_sources(plan))
    }

    fn checked(&self, plan: &Plan, sources: Sources) -> Result<Sources, RunError> {
        for entity in plan.entities() {
            sources.open(entity)?;
        }
        for step in plan.steps() {
            if let StepKind::Data(data) = &step.kind
                && let Some(entity) = data.target()
            {
                sources.check_writable(entity)?;
            }
        }
        Ok(sources)
    }

    /// The sources of a plan, each opened when it is first read.
    pub(super) fn open_sources(&self, plan: &Plan) -> Sources {
        let options = &self.options;
        let program = plan.program.clone();
        Sources::new(program, &plan.files, options.folders.clone(), options.zone.clone(), options.threads)
            .with_bindings(options.sources.clone())
    }

    /// Asks `cancel` to stop when the process is interrupted or told to terminate; calls `again` if that happens once
    /// more. Ending the process then loses nothing either.
    pub fn cancel_on_interrupt(&self, cancel: &Cancel, again: fn()) {
        let cancel = cancel.clone();
        self.runtime.spawn(async move {
            interrupted().await;
            cancel.cancel();
            interrupted().await;
            again();
        });
    }

    /// Records a new run of a plan and gives its name. Nothing of it has happened yet.
    ///
    /// # Errors
    /// Wrong parameters, a store that refuses.
    pub fn start(
        &self,
        store: &dyn Store,
        plan: &Plan,
        file: &str,
        params: &BTreeMap<String, Value>,
        pacing: Pacing,
    ) -> Result<String, RunError> {
        self.begin(store, new_run(store, plan, file, params, pacing, self.options.clock.now())?)
    }

    /// Records a run that was made by [`new_run`] and gives its name.
    ///
    /// # Errors
    /// A store that refuses.
    pub fn begin(&self, store: &dyn Store, new: NewRun) -> Result<String, RunError> {
        let run = new.run.clone();
        self.runtime.block_on(store.commit(new.changes()))?;
        Ok(run)
    }

    /// Drives a run until it is over, held, waiting or asked to stop.
    ///
    /// # Errors
    /// What held the run; it is paused then and can be resumed.
    pub fn drive(&self, store: &dyn Store, plan: &Plan, run: &str, drive: &Drive<'_>) -> Result<DriveEnd, RunError> {
        self.drive_told(store, plan, run, drive, &Inbox::new(&self.options.folders.state))
    }

    /// The same for a run that hears of others by `word`.
    pub(super) fn drive_told(
        &self,
        store: &dyn Store,
        plan: &Plan,
        run: &str,
        drive: &Drive<'_>,
        word: &dyn Word,
    ) -> Result<DriveEnd, RunError> {
        let mut record = self.find(store, run)?;
        if record.is_done() {
            return Err(RunError::Over { run: run.to_string(), status: record.status() });
        }
        if let Some(backup) = record.state.restored {
            return Err(RunError::Restored { run: run.to_string(), backup });
        }
        let simulated = drive.pacing == Pacing::FastForward;
        if simulated && !record.simulated {
            self.runtime.block_on(store.commit(vec![Change::Simulated { run: run.to_string() }]))?;
            record.simulated = true;
        }
        self.settle_archives(store, drive.observer)?;
        let sources = self.checked(plan, self.open_sources(plan).read_by(self.options.folders.run(run)))?;
        let clock: Arc<dyn Clock> =
            if simulated { Arc::new(VirtualClock::new(record.updated)) } else { self.options.clock.clone() };
        let around = Surroundings {
            observer: drive.observer,
            confirm_above: if drive.confirmed { None } else { self.options.confirm_above },
            ..self.surroundings(store, clock.as_ref(), &sources, drive.cancel, word)
        };
        // A retry by itself does not take a pause back.
        let goes_on = record.state.status == Status::Paused && drive.until != Until::Repeats;
        let mut executor = Executor::new(around, plan, record);
        let end = self.runtime.block_on(async {
            if goes_on {
                executor.commit(Event::Resumed, None).await?;
            }
            executor.drive(drive.until).await
        })?;
        if matches!(end, DriveEnd::Over(_)) {
            self.settle_archives(store, drive.observer)?;
        }
        Ok(end)
    }

    /// Moves the files away that runs which are over have read; one thread at a time.
    pub(super) fn settle_archives(&self, store: &dyn Store, observer: &dyn Observer) -> Result<(), RunError> {
        let _gate = self.archive_gate.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        super::archive::settle(&self.options.folders.runs(), store, observer)
    }

    /// What a run of this engine has around it; nobody watches and nobody is asked.
    pub(super) fn surroundings<'e>(
        &'e self,
        store: &'e dyn Store,
        clock: &'e dyn Clock,
        sources: &'e Sources,
        cancel: &'e Cancel,
        word: &'e dyn Word,
    ) -> Surroundings<'e> {
        Surroundings {
            store,
            clock,
            session: &self.session,
            sources,
            folders: &self.options.folders,
            channels: &self.options.channels,
            alerts: &self.options.alerts,
            allow: &self.options.allow,
            zone: &self.options.zone,
            observer: &super::observe::Silent,
            cancel,
            word,
            confirm_above: None,
            cap_gate: &self.cap_gate,
            effects: true,
            beneath: None,
        }
    }

    /// Settles what a run that nobody drives has still to send, before it is stopped.
    fn cancel_rest(&self, store: &dyn Store, plan: &Plan, run: &str) -> Result<(), RunError> {
        let record = self.find(store, run)?;
        let (sources, cancel) = (self.open_sources(plan), Cancel::default());
        let inbox = Inbox::new(&self.options.folders.state);
        let around = self.surroundings(store, self.options.clock.as_ref(), &sources, &cancel, &inbox);
        self.runtime.block_on(Executor::new(around, plan, record).cancel_rest())
    }

    /// Ends a run that nobody drives: what it has still to send is settled first.
    ///
    /// # Errors
    /// The run is unknown, its files cannot be read, or the store refuses.
    pub fn stop(&self, store: &dyn Store, plan: &Plan, run: &str, reason: Option<String>) -> Result<(), RunError> {
        self.cancel_rest(store, plan, run)?;
        let note = Note::Stop { run: run.to_owned(), reason };
        self.runtime.block_on(super::inbox::store_note(note, store, self.options.clock.as_ref()))
    }

    /// Takes in what was left in the inbox while nobody drives a run, but for what needs the plan of one.
    ///
    /// # Errors
    /// The store refuses.
    pub fn take_notes(&self, store: &dyn Store) -> Result<(), RunError> {
        let inbox = Inbox::new(&self.options.folders.state);
        self.runtime.block_on(super::inbox::take_all(&inbox, store, self.options.clock.as_ref()))
    }

    /// Goes through a plan on the real data without any effect: in a state of its own, with channels that keep a few
    /// messages and deliver none. With `simulate` the clock jumps over waits, otherwise everything happens now.
    ///
    /// # Errors
    /// As for a run.
    pub fn rehearse(
        &self,
        plan: &Plan,
        params: &BTreeMap<String, Value>,
        simulate: bool,
        observer: &dyn Observer,
    ) -> Result<Rehearsal, RunError> {
        let state_error = |error: &dyn std::fmt::Display| RunError::File {
            path: "the folder for temporary files".into(),
            reason: error.to_string(),
        };
        let directory = tempfile::tempdir().map_err(|error| state_error(&error))?;
        let store = SqliteStore::open(directory.path())?;
        let real = SqliteStore::open_read_only(&self.options.folders.state)?;
        let sources = self.sources(plan)?;
        let started = self.options.clock.now();
        let run = self.start(&store, plan, "", params, Pacing::FastForward)?;
        let kept = RehearsalChannel::shared();
        let channels = plan
            .program
            .channels
            .iter()
            .map(|channel| (channel.name.clone(), RehearsalChannel::bound(&kept)))
            .collect();
        let jumping = VirtualClock::new(started);
        let standing = super::clock::StandingClock::new(started);
        let clock: &dyn Clock = if simulate { &jumping } else { &standing };
        let folders = Folders { project: self.options.folders.project.clone(), state: directory.path().into() };
        let cancel = Cancel::default();
        let inbox = Inbox::new(directory.path());
        let around = Surroundings {
            folders: &folders,
            channels: &channels,
            observer,
            effects: false,
            beneath: real.as_ref().map(|store| Remembered {
                store,
                state: self.options.folders.state.clone(),
                realm: Realm::Real,
            }),
            ..self.surroundings(&store, clock, &sources, &cancel, &inbox)
        };
        let record = self.find(&store, &run)?;
        let end = self.runtime.block_on(Executor::new(around, plan, record).drive(Until::End))?;
        Rehearsal::collect(&store, &run, end, &kept)
    }

    /// Lets some time pass. False when `cancel` asks to stop meanwhile.
    pub fn pause(&self, pause: jiff::SignedDuration, cancel: &Cancel) -> bool {
        self.runtime.block_on(async {
            tokio::select! {
                () = self.options.clock.pause(pause) => true,
                () = cancel.cancelled() => false,
            }
        })
    }

    /// Where futures of the engine's host run.
    pub(crate) fn handle(&self) -> &tokio::runtime::Handle {
        self.runtime.handle()
    }

    /// The query engine, for questions outside a run.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Runs a future of the query engine to its end.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Runs a future to its end, or until the user interrupts it with Ctrl-C.
    ///
    /// # Errors
    /// The future's own, or [`RunError::Interrupted`].
    pub(super) fn interruptible<T>(&self, future: impl Future<Output = Result<T, RunError>>) -> Result<T, RunError> {
        self.runtime.block_on(async {
            tokio::select! {
                result = future => result,
                () = interrupted() => Err(RunError::Interrupted),
            }
        })
    }

    /// What the engine works with.
    pub fn options(&self) -> &EngineOptions {
        &self.options
    }

    fn find(&self, store: &dyn Store, run: &str) -> Result<RunRecord, RunError> {
        store.run(run)?.ok_or_else(|| RunError::UnknownRun { run: run.to_string() })
    }
}

/// Ready at the next Ctrl-C or request to terminate.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without signals the process just ends, as by `kill -9`.
    let _ = tokio::signal::ctrl_c().await;
}

/// A new run of a plan under a name that no run has. Nothing is recorded yet.
///
/// # Errors
/// Wrong parameters, a store that cannot be read.
pub fn new_run(
    store: &dyn Store,
    plan: &Plan,
    file: &str,
    params: &BTreeMap<String, Value>,
    pacing: Pacing,
    at: jiff::Timestamp,
) -> Result<NewRun, RunError> {
    let campaign = plan.campaign();
    let values = parameter_values(plan, params)?;
    let key = overlap_key(plan, &values);
    let mut state = State::default();
    let event = Event::Started { values };
    machine::apply(plan, &mut state, &event)?;
    for _ in 0..64 {
        let run = run_name(&campaign.name);
        if store.run(&run)?.is_none() {
            return Ok(NewRun {
                run,
                campaign: campaign.name.clone(),
                file: file.to_string(),
                fingerprint: plan.fingerprint.clone(),
                files: plan.files.clone(),
                simulated: pacing == Pacing::FastForward,
                at,
                event,
                state,
                key,
                cause: Cause::Hand,
                confirmed: false,
            });
        }
    }
    Err(super::store::StoreError::Conflict("no free name for the run was found".into()).into())
}

/// The value after `overlap ... by`, as text.
fn overlap_key(plan: &Plan, values: &BTreeMap<u32, Value>) -> Option<String> {
    let campaign = plan.campaign();
    let (Overlap::Queue { by: Some(by) } | Overlap::Allow { by: Some(by) }) = &campaign.overlap else { return None };
    let param = inputs(plan).find(|param| param.name == *by)?;
    values.get(&param.local?.0).map(|value| value.to_text(&TimeZone::UTC))
}

/// What a run is given: the campaign's parameters, and the fields of the signal that starts it.
pub fn inputs(plan: &Plan) -> impl Iterator<Item = &Param> {
    let campaign = plan.campaign();
    campaign.params.iter().chain(&campaign.trigger_params)
}

/// Values by the index of the campaign's local: what was given, then defaults.
fn parameter_values(plan: &Plan, given: &BTreeMap<String, Value>) -> Result<BTreeMap<u32, Value>, RunError> {
    let campaign = plan.campaign();
    let known: Vec<&str> = inputs(plan).map(|param| param.name.as_str()).collect();
    if let Some(name) = given.keys().find(|name| !known.contains(&name.as_str())) {
        let what = if known.is_empty() { "it has none".to_string() } else { format!("it has {}", known.join(", ")) };
        return Err(RunError::Parameter(format!("`{}` has no parameter `{name}`; {what}", campaign.name)));
    }
    let mut values = BTreeMap::new();
    for param in inputs(plan) {
        let value = given.get(&param.name).or(param.default.as_ref()).cloned();
        let value = match value {
            Some(value) => value,
            None if param.ty.nullable => Value::Null,
            None => return Err(RunError::Parameter(format!("the parameter `{}` has no value", param.name))),
        };
        if let Some(LocalId(local)) = param.local {
            values.insert(local, value);
        }
    }
    Ok(values)
}
