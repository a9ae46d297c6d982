//! `orch run FILE`

use std::path::PathBuf;

use super::drive::{How, drive, watch};
use super::handover::{Handed, hand_over, remark_later};
use super::host::{self, Holding, Script, Source};
use super::register::{emitted, register};
use super::{Context, Exit, Failure, ask};
use crate::hir::Overlap;
use crate::plan::StepKind;
use crate::runtime::store::sqlite::SqliteStore;
use crate::runtime::store::{Agenda, Store, StoreError};
use crate::runtime::{Cancel, Engine, NewRun, Note, Pacing, RunError, Until, new_run};

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
    /// Start although an earlier run is still going and the campaign's `overlap` would not have it
    #[arg(long)]
    pub beside: bool,
    /// Do not ask before a first send to many people
    #[arg(long, short = 'y')]
    pub yes: bool,
}

/// Starts the run and drives it, or has it driven by whoever holds the state.
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
    let engine = host::engine(&script.project, &host::channels_for(&script.project, &script.plan), context)?;
    // Everything that can be wrong with the data is found before the run exists.
    engine.sources(&script.plan).map_err(|error| script.failure(&error))?;
    let holding = host::holding(&script.project)?;
    let pacing = if arguments.fast_forward { Pacing::FastForward } else { Pacing::Real };
    check_harmless(&script, &engine, pacing)?;
    check_messages(&script, &engine)?;
    if pacing == Pacing::FastForward && changes_data(&script.plan) && !context.output.is_json() {
        context.output.remark("warning: fast-forward jumps over waits, but the rows of entities that the script changes are really changed");
    }
    let until = if arguments.detach { Until::FirstWait } else { Until::End };
    let how = How { until, pacing, confirmed: arguments.yes, cancel: &Cancel::default() };
    let new = |store: &SqliteStore| -> Result<NewRun, Failure> {
        let new = new_run(store, &script.plan, &script.path, &params, pacing, engine.options().clock.now());
        let new = NewRun { confirmed: arguments.yes, ..new.map_err(|error| script.failure(&error))? };
        check_start(&script, arguments.beside, &new, store)?;
        Ok(new)
    };
    let started = |run: &str| {
        if !context.output.is_json() {
            context.output.line(format!("run {run} started · orch show {run}"));
        }
    };
    match holding {
        Holding::Ours(store) => {
            let new = new(&store)?;
            if pacing == Pacing::Real {
                register(&script.project, &store, &engine, &emitted(&script.plan), context)?;
            }
            let run = engine.begin(&store, new).map_err(|error| script.failure(&error))?;
            started(&run);
            drive(&script, &engine, &store, &run, how, context)
        }
        Holding::Theirs { holder } => {
            let Some(store) = host::store_to_read(&script.project)? else { return Err(host::busy(&script.project)) };
            let new = new(&store)?;
            drop(store);
            let run = new.run.clone();
            // It is said to have started once it is there for every other command.
            match hand_over(&script.project, &[Note::Start(Box::new(new.clone()))], &engine)? {
                Handed::Free(store) => {
                    if store.run(&run).map_err(|error| script.failure(&error.into()))?.is_none() {
                        engine.begin(&store, new).map_err(|error| script.failure(&error))?;
                    }
                    started(&run);
                    return drive(&script, &engine, &store, &run, how, context);
                }
                Handed::Later => drop(remark_later(&script.project, context)),
                Handed::Taken => started(&run),
            }
            if let (Some(id), false) = (holder, context.output.is_json()) {
                context.output.remark(format!("process {id} holds the state and drives the run"));
            }
            watch(&script, &engine, (&run, 0), how, context)
        }
    }
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

/// What stands in the way of a start: everything is held, or an earlier run of the campaign is still going.
fn check_start(script: &Script, beside: bool, new: &NewRun, store: &SqliteStore) -> Result<(), Failure> {
    let failed = |error: StoreError| script.failure(&error.into());
    if let Some(hold) = store.held().map_err(failed)? {
        return Err(script.failure(&RunError::Held(hold)));
    }
    let campaign = script.plan.campaign();
    let says_so = campaign.header.iter().any(|(word, _)| *word == "overlap");
    let (by, allows) = match &campaign.overlap {
        Overlap::Allow { by } => (by.is_some(), by.is_none()),
        Overlap::Queue { by } => (by.is_some(), false),
        Overlap::Skip => (false, false),
    };
    if beside || new.simulated || allows || !says_so {
        return Ok(());
    }
    let key = new.key.as_deref().filter(|_| by);
    match store.open_run_of(&new.file, &new.campaign, key).map_err(failed)? {
        Some(run) => Err(script.failure(&RunError::StillGoing { campaign: new.campaign.clone(), run })),
        None => Ok(()),
    }
}

/// True when a campaign changes the rows of entities, which has no place apart.
fn changes_data(plan: &crate::plan::Plan) -> bool {
    let changes = |step: &&crate::plan::Step| match &step.kind {
        StepKind::Data(data) => data.target().is_some(),
        _ => false,
    };
    plan.steps().iter().any(changes)
}
