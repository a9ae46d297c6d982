//! `orch retry RUN`

use super::drive::{How, drive, watch};
use super::handover::{Handed, hand_over, remark_later};
use super::host::{self, Holding, Script, find_run};
use super::{Context, Exit, Failure, question, run};
use crate::base::SourceMap;
use crate::diag::{Problem, codes};
use crate::project::Project;
use crate::report::{count, plural};
use crate::runtime::machine::Status;
use crate::runtime::store::sqlite::SqliteStore;
use crate::runtime::store::{OutcomeKind, RunRecord};
use crate::runtime::{Cancel, Engine, Note, Pacing, Retryable, RunError, Until};

/// Send again what failed, or what nobody knows to have arrived
///
/// It asks before, send by send. Address, consent and content are those of now. A message keeps its key, so that whoever recognises keys delivers it
/// once; everybody else may get a message that is unknown a second time.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  orch retry vip-7K2M --failed
  orch retry vip-7K2M --unknown --send 3 --yes")]
pub struct Arguments {
    /// The run, over or not
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Messages that were refused for good
    #[arg(long, required_unless_present = "unknown", conflicts_with = "unknown")]
    pub failed: bool,
    /// Messages of which nobody knows whether they arrived
    #[arg(long)]
    pub unknown: bool,
    /// Only this send: its number in `orch show`
    #[arg(long, value_name = "STEP")]
    pub send: Option<String>,
    /// Do not ask
    #[arg(long, short = 'y')]
    pub yes: bool,
}

/// What is to be sent again.
struct Wanted {
    record: RunRecord,
    kind: OutcomeKind,
    sends: Vec<Retryable>,
    script: Script,
    engine: Engine,
    pacing: Pacing,
}

/// Makes messages due again, then sends them; or has whoever holds the state do it, and watches.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let failed = |error: RunError| host::run_failure(&error, SourceMap::new());
    let project = host::project_of_run(context, &arguments.run)?;
    if host::store_to_read(&project)?.is_none() {
        return Err(failed(RunError::UnknownRun { run: arguments.run.clone() }));
    }
    match host::holding(&project)? {
        Holding::Ours(store) => match wanted(arguments, &project, &store, context)? {
            Some(wanted) => send(&wanted, &store, context),
            None => Ok(Exit::Done),
        },
        Holding::Theirs { .. } => {
            let Some(reader) = host::store_to_read(&project)? else { return Err(host::busy(&project)) };
            let wanted = wanted(arguments, &project, &reader, context)?;
            drop(reader);
            wanted.map_or(Ok(Exit::Done), |wanted| elsewhere(&wanted, &project, context))
        }
    }
}

/// The messages that are asked for, each send confirmed by somebody; `None` when there are none.
fn wanted(
    arguments: &Arguments,
    project: &Project,
    store: &SqliteStore,
    context: &Context,
) -> Result<Option<Wanted>, Failure> {
    let failed = |error: RunError| host::run_failure(&error, SourceMap::new());
    let record = find_run(store, &arguments.run)?;
    host::refuse_if_held(store)?;
    if let Some(backup) = record.state.restored {
        return Err(failed(RunError::Restored { run: record.run.clone(), backup }));
    }
    let (kind, word) = match arguments.failed {
        true => (OutcomeKind::Failed, "failed"),
        false => (OutcomeKind::Unknown, "unknown"),
    };
    let mut sends = Retryable::find(store, &record.run, kind).map_err(|error| failed(error.into()))?;
    sends.retain(|one| arguments.send.as_ref().is_none_or(|step| *step == one.send.step));
    check(store, &record, &sends)?;
    if sends.is_empty() {
        if !context.output.is_json() {
            let what = arguments.send.as_ref().map_or(String::new(), |step| format!(" of step {step}"));
            context.output.line(format!("{}: no message{what} is {word}", record.run));
        }
        return Ok(None);
    }
    let script = host::pinned(project, store, &record)?;
    let engine = host::engine(project, &host::channels_for(project, &script.plan), context)?;
    let pacing = if record.simulated { Pacing::FastForward } else { Pacing::Real };
    run::check_harmless(&script, &engine, pacing)?;
    let mut confirmed = Vec::new();
    for one in sends {
        let messages = plural(one.messages(kind), "message");
        let title =
            format!("{} send {} {}", one.send.step, one.send.channel, one.send.message.as_deref().unwrap_or(""));
        let risk = if arguments.failed { "" } else { "; whoever got it already may get it twice" };
        let ask = format!("{}: send {messages} of {} again, {word} so far{risk}?", record.run, title.trim_end());
        if question::confirmed(&ask, arguments.yes, context)? {
            confirmed.push(one);
        }
    }
    if confirmed.is_empty() {
        context.output.line("nothing is sent");
        return Ok(None);
    }
    Ok(Some(Wanted { record, kind, sends: confirmed, script, engine, pacing }))
}

/// Sends them.
fn send(wanted: &Wanted, store: &SqliteStore, context: &Context) -> Result<Exit, Failure> {
    let Wanted { record, kind, sends, script, engine, pacing } = wanted;
    let mut asked = 0;
    for one in sends {
        let retried = engine.retry(store, &script.plan, &engine.options().channels, (&one.send, *kind));
        asked += retried.map_err(|error| script.failure(&error))?;
    }
    say_asked(record, asked, context);
    if record.state.status == Status::Paused {
        return Ok(say_paused(record, context));
    }
    let how = How { until: Until::Repeats, pacing: *pacing, confirmed: true, cancel: &Cancel::default() };
    drive(script, engine, store, &record.run, how, context)
}

/// Has whoever holds the state send them, and watches.
fn elsewhere(wanted: &Wanted, project: &Project, context: &Context) -> Result<Exit, Failure> {
    let Wanted { record, kind, sends, script, engine, pacing } = wanted;
    let run = &record.run;
    let note = |one: &Retryable| Note::Retry { run: run.clone(), send: one.send.id, kind: *kind };
    let notes: Vec<Note> = sends.iter().map(note).collect();
    match hand_over(project, &notes, engine)? {
        Handed::Free(store) => return send(wanted, &store, context),
        Handed::Later => return Ok(remark_later(project, context)),
        Handed::Taken => {}
    }
    say_asked(record, sends.iter().map(|one| one.messages(*kind)).sum(), context);
    if record.state.status == Status::Paused {
        return Ok(say_paused(record, context));
    }
    let how = How { until: Until::Repeats, pacing: *pacing, confirmed: true, cancel: &Cancel::default() };
    watch(script, engine, (run, record.seq), how, context)
}

fn say_asked(record: &RunRecord, asked: u64, context: &Context) {
    if !context.output.is_json() {
        context.output.line(format!("run {}: {} asked for again", record.run, plural(asked, "message")));
    }
}

/// Nobody takes back a pause but whoever resumes the run.
fn say_paused(record: &RunRecord, context: &Context) -> Exit {
    if !context.output.is_json() {
        context.output.line(format!("the run is paused · `orch resume {}` goes on with it and sends them", record.run));
    }
    Exit::Waiting
}

/// Sends whose rows are gone, or that another version of the script performed, cannot be performed once more.
fn check(store: &SqliteStore, record: &RunRecord, sends: &[Retryable]) -> Result<(), Failure> {
    let (_, collected) = store.collected().map_err(|error| host::run_failure(&error.into(), SourceMap::new()))?;
    for one in sends {
        let step = &one.send.step;
        let problem = |why: String| Problem::outside(codes::run::NOT_RETRIED, why);
        if collected.contains(&one.send.id) {
            let why = format!("the rows of step {step} of `{}` were removed by `orch gc`", record.run);
            let help = format!(
                "its numbers are kept: {} failed, {} unknown",
                count(one.tally.failed),
                count(one.tally.unknown)
            );
            return Err(problem(why).help(help).into());
        }
        let version = step.rsplit_once('~').map_or("0", |(_, version)| version);
        let stands = record.state.tokens.values().any(|token| token.began.as_ref() == Some(step));
        if version != record.state.version.to_string() && !stands {
            let why = format!("step {step} of `{}` was performed by an earlier version of the script", record.run);
            let help = format!(
                "only sends of the version it runs now can be asked for again: `--send STEP` names one of those\n\
                 `orch show {} --person ID` says what became of somebody; a run of its own can write to them",
                record.run
            );
            return Err(problem(why).help(help).into());
        }
    }
    Ok(())
}
