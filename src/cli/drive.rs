//! Driving a run, here or by whoever holds the state, and saying how it ended.

use super::conduct::ProjectHost;
use super::follow::{Followed, follow};
use super::host::{self, Script};
use super::progress::Terminal;
use super::waiting::waiting_for;
use super::{Context, Exit, Failure};
use crate::report::{RunReport, moment};
use crate::runtime::machine::Status;
use crate::runtime::store::sqlite::SqliteStore;
use crate::runtime::store::{Agenda, Store, StoreError};
use crate::runtime::{Cancel, Conductor, Drive, DriveEnd, Engine, Observer, Pacing, RunError, Scope, Silent, Until};

/// How a run is driven.
#[derive(Clone, Copy)]
pub struct How<'c> {
    pub until: Until,
    pub pacing: Pacing,
    /// Nobody need be asked before many people are written to.
    pub confirmed: bool,
    /// What an interruption tells.
    pub cancel: &'c Cancel,
}

/// Drives a run, shows what happens and how it ended. Runs that other commands ask for meanwhile are driven beside it.
pub fn drive(
    script: &Script,
    engine: &Engine,
    store: &SqliteStore,
    run: &str,
    how: How<'_>,
    context: &Context,
) -> Result<Exit, Failure> {
    let How { until, pacing, confirmed, cancel } = how;
    engine.cancel_on_interrupt(cancel, leave);
    let meanwhile = format!("Ctrl-C parks the run, `orch resume {run}` goes on");
    let terminal = terminal(script, engine, pacing, &meanwhile, context);
    let observer: &dyn Observer = if context.output.is_json() { &Silent } else { &terminal };
    let drive = Drive { until, pacing, observer, cancel, confirmed };
    let host = ProjectHost::new(&script.project, context, engine.options().channels.clone());
    let conductor = Conductor::new(engine, store, engine.options().clock.as_ref(), &host, Scope::Given);
    let ended = conductor.accompany(&script.plan, run, &drive);
    terminal.clear();
    let repeats = until == Until::Repeats && !cancel.is_cancelled();
    let parked = if repeats { Parked::AsBefore } else { Parked::Here };
    conclude(script, engine, store, run, (ended, parked), context)
}

/// Watches a run that another process drives; drives it itself once that process has ended. `seen` is the number of the
/// run's last event when that process was asked.
pub fn watch(
    script: &Script,
    engine: &Engine,
    (run, seen): (&str, u64),
    how: How<'_>,
    context: &Context,
) -> Result<Exit, Failure> {
    engine.cancel_on_interrupt(how.cancel, leave);
    let terminal = terminal(script, engine, how.pacing, "Ctrl-C ends watching, the run goes on", context);
    let shown = (!context.output.is_json()).then_some(&terminal);
    let followed = follow(script, engine, (run, seen), (how.until, how.cancel), shown)?;
    terminal.clear();
    match followed {
        Followed::Free(store) => {
            engine.take_notes(&store).map_err(|error| script.failure(&error))?;
            drive(script, engine, &store, run, how, context)
        }
        Followed::Ended(end) => {
            let parked = if how.until == Until::Repeats { Parked::AsBefore } else { Parked::Elsewhere };
            read(script, |store| conclude(script, engine, store, run, (Ok(end), parked), context))
        }
        Followed::Held | Followed::Left => read(script, |store| {
            conclude(script, engine, store, run, (Ok(DriveEnd::Parked), Parked::Elsewhere), context)
        }),
    }
}

fn read(script: &Script, look: impl FnOnce(&SqliteStore) -> Result<Exit, Failure>) -> Result<Exit, Failure> {
    match host::store_to_read(&script.project)? {
        Some(store) => look(&store),
        None => Err(host::busy(&script.project)),
    }
}

/// Shows progress; `meanwhile` is what somebody can do while a run waits.
fn terminal<'o>(
    script: &Script,
    engine: &Engine,
    pacing: Pacing,
    meanwhile: &str,
    context: &'o Context,
) -> Terminal<'o> {
    let watched = context.environment.error_is_terminal;
    let zone = engine.options().zone.clone();
    let new =
        |on_wait: String| Terminal::new(&context.output, zone, on_wait, delivered_to(script), &script.plan, watched);
    match pacing {
        Pacing::FastForward => new(" · jumped over".to_owned()).jumping(),
        Pacing::Real => new(format!(" · {meanwhile}")),
    }
}

/// What it means that a run is parked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parked {
    /// Nobody drives it any more.
    Here,
    /// Another process goes on with it.
    Elsewhere,
    /// Only sends were to be performed once more; everything else is as it was.
    AsBefore,
}

/// Says how driving a run ended.
fn conclude(
    script: &Script,
    engine: &Engine,
    store: &SqliteStore,
    run: &str,
    (ended, parked): (Result<DriveEnd, RunError>, Parked),
    context: &Context,
) -> Result<Exit, Failure> {
    let output = &context.output;
    let failed = |error: StoreError| script.failure(&error.into());
    let report = RunReport::read(store, run).map_err(failed)?;
    if let (true, Some(report)) = (output.is_json(), &report) {
        output.json(&report.json());
    }
    let balance = report.as_ref().and_then(RunReport::balance).map_or(String::new(), |text| format!(" · {text}"));
    let state = report.map(|report| report.record.state).unwrap_or_default();
    let reason = state.reason.map_or(String::new(), |text| crate::diag::safe_text(&format!(": {text}")));
    let end = match ended {
        Ok(end) => end,
        Err(error) => {
            let failure = script.failure(&error);
            // The document with the results is already on standard output.
            failure.remark(output);
            if !output.is_json() && state.status == Status::Failed {
                output.line(format!("failed{balance} · `on error stop` ends the run"));
            } else if !output.is_json() {
                output.line(format!("paused{balance} · nothing is lost, `orch resume {run}` goes on"));
            }
            return Ok(Exit::Failed);
        }
    };
    let held = store.held().map_err(failed)?.is_some();
    let (text, exit) = match end {
        DriveEnd::Over(Status::Failed) => (format!("failed{reason}{balance}"), Exit::Failed),
        DriveEnd::Over(status) => (format!("{}{reason}{balance}", status.word()), Exit::Done),
        DriveEnd::Paused => (format!("paused{reason}{balance}"), Exit::Waiting),
        DriveEnd::Waiting(at) => {
            let until = moment(at, &engine.options().zone);
            let what = waits_for(store, run).map_err(failed)?.map_or(String::new(), |what| format!(" · {what}"));
            (format!("waiting until {until}{what}{balance} · `orch resume {run}` goes on"), Exit::Waiting)
        }
        DriveEnd::Blocked => {
            let what = waits_for(store, run).map_err(failed)?;
            let what = what.map_or(" for a person or a signal".to_owned(), |what| format!(" · {what}"));
            (format!("waiting{what}{balance} · `orch tasks` lists what is asked"), Exit::Waiting)
        }
        DriveEnd::Parked if parked == Parked::AsBefore => {
            let on = match host::holder(&script.project) {
                Some(id) => format!("process {id} goes on with it"),
                None => format!("`orch resume {run}` goes on with it"),
            };
            (format!("as it was{balance} · {on}"), Exit::Done)
        }
        DriveEnd::Parked if held => {
            (format!("parked{balance} · everything is paused, `orch resume --all` goes on"), Exit::Waiting)
        }
        DriveEnd::Parked if parked == Parked::Elsewhere => (elsewhere(script, run, &balance), Exit::Waiting),
        DriveEnd::Parked => (format!("parked{balance} · `orch resume {run}` goes on"), Exit::Waiting),
    };
    if !output.is_json() {
        output.line(text);
    }
    Ok(exit)
}

/// What a run waits for besides a time.
fn waits_for(store: &SqliteStore, run: &str) -> Result<Option<String>, StoreError> {
    match store.run(run)? {
        Some(record) => waiting_for(store, &record, &store.open_tasks()?),
        None => Ok(None),
    }
}

/// Where the run goes on that nobody watches any longer.
fn elsewhere(script: &Script, run: &str, balance: &str) -> String {
    match host::holder(&script.project) {
        Some(id) => format!("it goes on in process {id}{balance} · `orch show {run}` looks at it"),
        None => format!("parked{balance} · `orch resume {run}` goes on"),
    }
}

/// Where the messages of the outbox lie, for the line of a send.
fn delivered_to(script: &Script) -> Option<String> {
    let channel = host::channels_of(&script.plan).into_iter().next()?;
    let settings = script.project.settings.channel(&channel);
    match settings.driver {
        crate::project::Driver::Outbox => {
            let folder = match &settings.path {
                Some(path) => script.project.base.join(path),
                None => host::folders(&script.project).state.join("outbox"),
            };
            Some(format!("outbox: {}", host::shown(&folder)))
        }
        crate::project::Driver::File => settings.path.map(|path| format!("file: {path}")),
        _ => None,
    }
}

/// Somebody is impatient. Whatever is in the air is judged by the next one who drives the run, as after `kill -9`.
#[expect(clippy::disallowed_methods, reason = "the second interruption must not wait for anything")]
pub fn leave() {
    std::process::exit(i32::from(Exit::Waiting.number()));
}
