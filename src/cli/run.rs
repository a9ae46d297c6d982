//! `orch run FILE`

use std::path::PathBuf;

use super::host::{self, Script, Source};
use super::progress::Terminal;
use super::{Context, Exit, Failure, ask};
use crate::plan::StepKind;
use crate::report::{RunReport, moment};
use crate::runtime::machine::Status;
use crate::runtime::store::StoreError;
use crate::runtime::store::sqlite::SqliteStore;
use crate::runtime::{Cancel, Drive, DriveEnd, Engine, Observer, Pacing, RunError, Silent, Until};

/// Start a run. It survives interruptions: each message is decided exactly once
///
/// Ctrl-C parks the run at a safe point; `orch resume` goes on from there. Editing the script does not change a run that
/// has started.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  orch run vip.orch
  orch run vip.orch --fast-forward        jump over the waits; nothing leaves this machine
  orch run -e 'count(customers)'          answer one expression, query or statement")]
pub struct Arguments {
    /// The script
    #[arg(value_name = "FILE", required_unless_present = "expression")]
    pub file: Option<PathBuf>,
    /// A program instead of a file; the declarations of the project are visible
    #[arg(short = 'e', value_name = "SOURCE", conflicts_with = "file")]
    pub expression: Option<String>,
    /// The campaign, if the script declares several
    #[arg(long, value_name = "NAME")]
    pub campaign: Option<String>,
    /// A parameter of the campaign; may be repeated
    #[arg(long = "param", short = 'p', value_name = "NAME=VALUE")]
    pub params: Vec<String>,
    /// Jump over waits on a virtual clock; works with channels that reach nobody (outbox, console, record)
    #[arg(long, conflicts_with = "detach")]
    pub fast_forward: bool,
    /// Return at the first wait instead of waiting; `orch resume` goes on
    #[arg(long)]
    pub detach: bool,
    /// Do not ask before a first send to many people
    #[arg(long, short = 'y')]
    pub yes: bool,
}

/// Starts the run and drives it.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let source = match (&arguments.file, &arguments.expression) {
        (Some(file), _) => Source::File(file),
        (None, Some(text)) => {
            if let Some(exit) = ask::answer_once(text, context)? {
                return Ok(exit);
            }
            Source::Text(text)
        }
        (None, None) => return Ok(Exit::Usage),
    };
    let script = Script::open(context, &source, arguments.campaign.as_deref())?;
    let params = host::parameters(&script.plan, &arguments.params)?;
    let engine = host::engine(&script.project, &host::channels_for(&script), context)?;
    // Everything that can be wrong with the data is found before the run exists.
    engine.sources(&script.plan).map_err(|error| script.failure(&error))?;
    let store = host::store(&script.project)?;
    let pacing = if arguments.fast_forward { Pacing::FastForward } else { Pacing::Real };
    check_harmless(&script, &engine, pacing)?;
    check_messages(&script, &engine)?;
    if pacing == Pacing::FastForward && changes_data(&script.plan) && !context.output.is_json() {
        context.output.remark("warning: fast-forward jumps over waits, but the rows of entities that the script changes are really changed");
    }
    let run =
        engine.start(&store, &script.plan, &script.path, &params, pacing).map_err(|error| script.failure(&error))?;
    if !context.output.is_json() {
        context.output.line(format!("run {run} started · orch show {run}"));
    }
    let until = if arguments.detach { Until::FirstWait } else { Until::End };
    let how = How { until, pacing, confirmed: arguments.yes, cancel: &Cancel::default() };
    drive(&script, &engine, &store, &run, how, context)
}

/// A fast-forward run on a channel that delivers is refused before it exists.
pub fn check_harmless(script: &Script, engine: &Engine, pacing: Pacing) -> Result<(), Failure> {
    let delivers = |(name, bound): (&String, &crate::runtime::BoundChannel)| {
        (!bound.driver.capabilities().harmless).then(|| name.clone())
    };
    match engine.options().channels.iter().find_map(delivers) {
        Some(channel) if pacing == Pacing::FastForward => Err(script.failure(&RunError::NotHarmless { channel })),
        _ => Ok(()),
    }
}

/// A send without a message on a channel that delivers is refused before anything at all is sent.
fn check_messages(script: &Script, engine: &Engine) -> Result<(), Failure> {
    for step in script.plan.steps() {
        let StepKind::Send(send) = &step.kind else { continue };
        let channel = &script.plan.program[send.channel].name;
        let bound = engine.options().channels.get(channel);
        let delivers = bound.is_some_and(|bound| !bound.driver.capabilities().harmless);
        if delivers && send.message.is_none() {
            let (channel, segment) = (channel.clone(), send.to_name.clone());
            return Err(script.failure(&RunError::NoMessage { channel, segment }));
        }
    }
    Ok(())
}

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

/// Drives a run, shows what happens and how it ended.
pub fn drive(
    script: &Script,
    engine: &Engine,
    store: &SqliteStore,
    run: &str,
    how: How<'_>,
    context: &Context,
) -> Result<Exit, Failure> {
    let How { until, pacing, confirmed, cancel } = how;
    let output = &context.output;
    engine.cancel_on_interrupt(cancel, leave);
    let on_wait = match pacing {
        Pacing::FastForward => " · jumped over".to_string(),
        Pacing::Real => format!(" · Ctrl-C parks the run, `orch resume {run}` goes on"),
    };
    let zone = engine.options().zone.clone();
    let watched = context.environment.error_is_terminal;
    let terminal = Terminal::new(output, zone.clone(), on_wait, delivered_to(script), &script.plan, watched);
    let observer: &dyn Observer = if output.is_json() { &Silent } else { &terminal };
    let drive = Drive { until, pacing, observer, cancel, confirmed };
    let ended = engine.drive(store, &script.plan, run, &drive);
    let failed = |error: StoreError| script.failure(&error.into());
    let report = RunReport::read(store, run).map_err(failed)?;
    if let (true, Some(report)) = (output.is_json(), &report) {
        output.json(&report.json());
    }
    let balance = report.as_ref().and_then(RunReport::balance).map_or(String::new(), |text| format!(" · {text}"));
    let reason = report
        .and_then(|report| report.record.state.reason)
        .map_or(String::new(), |text| crate::diag::safe_text(&format!(": {text}")));
    let end = match ended {
        Ok(end) => end,
        Err(error) => {
            let failure = script.failure(&error);
            // The document with the results is already on standard output.
            failure.remark(output);
            if !output.is_json() {
                output.line(format!("paused{balance} · nothing is lost, `orch resume {run}` goes on"));
            }
            return Ok(Exit::Failed);
        }
    };
    let (text, exit) = match end {
        DriveEnd::Over(Status::Failed) => (format!("failed{reason}{balance}"), Exit::Failed),
        DriveEnd::Over(status) => (format!("{}{reason}{balance}", status.word()), Exit::Done),
        DriveEnd::Paused => (format!("paused{reason}{balance}"), Exit::Waiting),
        DriveEnd::Waiting(at) => {
            let until = moment(at, &zone);
            (format!("waiting until {until}{balance} · `orch resume {run}` goes on"), Exit::Waiting)
        }
        DriveEnd::Blocked => {
            (format!("waiting for a person or a signal{balance} · `orch tasks` lists what is asked"), Exit::Waiting)
        }
        DriveEnd::Parked if until == Until::Repeats && !cancel.is_cancelled() => {
            (format!("as it was{balance} · `orch resume {run}` goes on with it"), Exit::Done)
        }
        DriveEnd::Parked => (format!("parked{balance} · `orch resume {run}` goes on"), Exit::Waiting),
    };
    if !output.is_json() {
        output.line(text);
    }
    Ok(exit)
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
fn leave() {
    std::process::exit(i32::from(Exit::Waiting.number()));
}

/// True when a campaign changes the rows of entities, which has no place apart.
fn changes_data(plan: &crate::plan::Plan) -> bool {
    let changes = |step: &&crate::plan::Step| match &step.kind {
        StepKind::Data(data) => data.target().is_some(),
        _ => false,
    };
    plan.steps().iter().any(changes)
}
