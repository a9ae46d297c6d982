//! `orch resume RUN`

use super::drive::{How, drive, watch};
use super::handover::{Handed, hand_over, remark_later};
use super::host::{self, Holding};
use super::{Context, Exit, Failure, project, question, run};
use crate::base::SourceMap;
use crate::diag::{Problem, codes};
use crate::project::Project;
use crate::report::{self, moment};
use crate::runtime::clock::{Clock, WallClock};
use crate::runtime::store::sqlite::SqliteStore;
use crate::runtime::store::{Agenda, RunRecord, Store};
use crate::runtime::{Cancel, Engine, Note, Pacing, RunError, Until, paused_by_hand};

/// Go on with a run that was parked, paused or interrupted
#[derive(clap::Args, Debug)]
#[command(after_help = "Example: orch resume vip-7K2M")]
pub struct Arguments {
    /// The run
    #[arg(value_name = "RUN", required_unless_present = "all")]
    pub run: Option<String>,
    /// Every run that has not ended, except those that a person paused
    #[arg(long, conflicts_with = "run")]
    pub all: bool,
    /// Jump over waits on a virtual clock; the rest of the run is simulated then, what it has done so far stays real
    #[arg(long, conflicts_with = "detach")]
    pub fast_forward: bool,
    /// For a restored run: what is to become of messages that may have left after the backup
    #[arg(long, value_name = "WHAT", conflicts_with = "all")]
    pub sent_after_backup: Option<SentAfterBackup>,
    /// Return at the next wait instead of waiting
    #[arg(long)]
    pub detach: bool,
}

/// What is to become of messages of a restored run that may have left after its backup.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum SentAfterBackup {
    /// They stay unknown; `orch retry RUN --unknown` sends them later
    Skip,
    /// They are sent again: somebody may get one twice
    Resend,
}

/// Goes on with one run, or with all that have not ended.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let (project, record) = match &arguments.run {
        // Looked up for reading first: a name that is wrong makes no state.
        Some(name) => {
            let (project, record) = host::open_run(context, name)?;
            (project, Some(record))
        }
        None => (project::open(&context.globals, std::path::Path::new("."))?, None),
    };
    let cancel = Cancel::default();
    match (host::holding(&project)?, record) {
        (Holding::Ours(store), Some(record)) => resume(arguments, &project, &store, &record, &cancel, context),
        (Holding::Ours(store), None) => resume_all(arguments, &project, &store, &cancel, context),
        (Holding::Theirs { .. }, Some(_)) if arguments.fast_forward => Err(host::busy(&project)),
        (Holding::Theirs { .. }, Some(record)) => resume_elsewhere(arguments, &project, &record, &cancel, context),
        (Holding::Theirs { holder }, None) => {
            host::leave(&project, &Note::ResumeAll)?;
            host::until_held(&project, false, &host::engine(&project, &[], context)?)?;
            if !context.output.is_json() {
                let holder = holder.map_or(String::new(), |id| format!("process {id} goes on with "));
                context.output.line(format!("{holder}every run that no person paused"));
            }
            Ok(Exit::Done)
        }
    }
}

/// Has whoever holds the state go on with a run, and watches.
fn resume_elsewhere(
    arguments: &Arguments,
    project: &Project,
    record: &RunRecord,
    cancel: &Cancel,
    context: &Context,
) -> Result<Exit, Failure> {
    let Some(store) = host::store_to_read(project)? else { return Err(host::busy(project)) };
    host::refuse_if_held(&store)?;
    let script = host::pinned(project, &store, record)?;
    drop(store);
    let engine = host::engine(project, &[], context)?;
    let run = record.run.clone();
    let note = match record.state.restored {
        // What its channels have is asked by the holder of the state.
        Some(backup) => {
            let resend = answer(arguments, record, backup, &engine, context)? == SentAfterBackup::Resend;
            Note::Judge { run, resend }
        }
        None => {
            refuse_answer(arguments, record)?;
            Note::Resume { run }
        }
    };
    match hand_over(project, &[note], &engine)? {
        Handed::Free(store) => return resume(arguments, project, &store, record, cancel, context),
        Handed::Later => return Ok(remark_later(project, context)),
        Handed::Taken => {}
    }
    if !context.output.is_json() {
        context.output.line(format!("run {} goes on", record.run));
    }
    let until = if arguments.detach { Until::FirstWait } else { Until::End };
    let how = How { until, pacing: Pacing::Real, confirmed: false, cancel };
    let (run, seen) = (record.run.as_str(), if record.status() == "paused" { record.seq } else { 0 });
    watch(&script, &engine, (run, seen), how, context)
}

fn resume_all(
    arguments: &Arguments,
    project: &Project,
    store: &SqliteStore,
    cancel: &Cancel,
    context: &Context,
) -> Result<Exit, Failure> {
    let failed = |error: RunError| host::run_failure(&error, SourceMap::new());
    let engine = host::engine(project, &[], context)?;
    if store.held().map_err(|error| failed(error.into()))?.is_some() {
        host::leave(project, &Note::ResumeAll)?;
    }
    engine.take_notes(store).map_err(failed)?;
    let runs = store.runs().map_err(|error| failed(error.into()))?;
    let records: Vec<RunRecord> = runs.into_iter().rev().filter(|record| !record.is_done()).collect();
    if records.is_empty() && !context.output.is_json() {
        context.output.line("no run is open");
    }
    // One interruption is meant for all that are still to come.
    let mut exit = Exit::Done;
    let mut later = Vec::new();
    for record in records {
        if cancel.is_cancelled() {
            break;
        }
        if let (Some(at), false) = (waits_until(store, &record).map_err(failed)?, arguments.fast_forward) {
            later.push(at);
            exit = if exit.number() < Exit::Waiting.number() { Exit::Waiting } else { exit };
            continue;
        }
        let one = match resume(arguments, project, store, &record, cancel, context) {
            // One that cannot go on keeps no other from it.
            Err(failure) => {
                context.output.remark(format!("run {} does not go on", record.run));
                failure.remark(&context.output);
                failure.exit
            }
            Ok(ended) => ended,
        };
        if one.number() > exit.number() {
            exit = one;
        }
    }
    if let (Some(first), false) = (later.iter().min(), context.output.is_json()) {
        let (waiting, first) = (report::count(later.len() as u64), moment(*first, &engine.options().zone));
        context.output.line(format!("not due yet: {waiting} · the next {first}"));
    }
    Ok(exit)
}

/// The instant at which a run goes on that only waits for it: there is nothing to be done before.
fn waits_until(store: &SqliteStore, record: &RunRecord) -> Result<Option<jiff::Timestamp>, RunError> {
    let later = record.state.due().filter(|at| *at > WallClock.now() && !record.simulated);
    let listens_to_nothing = store.words(&record.run)?.is_empty();
    // Somebody may have answered meanwhile.
    let woken = !store.woken(Some(&record.run), 1)?.is_empty();
    Ok(later.filter(|_| !woken).filter(|_| listens_to_nothing))
}

fn resume(
    arguments: &Arguments,
    project: &Project,
    store: &SqliteStore,
    record: &RunRecord,
    cancel: &Cancel,
    context: &Context,
) -> Result<Exit, Failure> {
    let run = &record.run;
    host::refuse_if_held(store)?;
    if arguments.all && record.state.restored.is_some() {
        let choice = format!("`orch resume {run} --sent-after-backup skip|resend` goes on");
        context.output.remark(format!("run {run} stays held: it was restored · {choice}"));
        return Ok(Exit::Waiting);
    }
    if let (true, Some(reason)) = (arguments.all, paused_by_hand(record)) {
        context.output.remark(format!("run {run} stays paused: {reason} · `orch resume {run}` goes on"));
        return Ok(Exit::Waiting);
    }
    if record.is_done() {
        let error = crate::runtime::RunError::Over { run: record.run.clone(), status: record.status() };
        return Err(host::run_failure(&error, SourceMap::new()));
    }
    let script = host::pinned(project, store, record)?;
    let engine = host::engine(project, &host::channels_for(project, &script.plan), context)?;
    let pacing = if arguments.fast_forward || record.simulated { Pacing::FastForward } else { Pacing::Real };
    run::check_harmless(&script, &engine, pacing)?;
    if pacing == Pacing::FastForward && !record.simulated && !context.output.is_json() {
        context.output.remark(format!(
            "note: {run} is simulated from here on: what it did so far counts, what it does from now on does not"
        ));
    }
    judge_backup(arguments, &script, &engine, store, record, context)?;
    if !context.output.is_json() {
        context.output.line(format!("run {run} goes on"));
    }
    // Several runs go on side by side only in `orch serve`; here each goes as far as it can without waiting.
    let until = if arguments.detach || arguments.all { Until::FirstWait } else { Until::End };
    drive(&script, &engine, store, run, How { until, pacing, confirmed: false, cancel }, context)
}

/// A restored run goes on once it is known what is to become of messages that may have left after the backup. Where every
/// channel can tell what it has, nobody needs to be asked.
fn judge_backup(
    arguments: &Arguments,
    script: &host::Script,
    engine: &Engine,
    store: &SqliteStore,
    record: &RunRecord,
    context: &Context,
) -> Result<(), Failure> {
    let Some(backup) = record.state.restored else { return refuse_answer(arguments, record) };
    let (channels, names) = (&engine.options().channels, host::channels_of(&script.plan));
    let certain = engine.know_delivered(store, channels, &names).map_err(|error| script.failure(&error))?;
    let answer = match arguments.sent_after_backup {
        None if certain => SentAfterBackup::Skip,
        _ => answer(arguments, record, backup, engine, context)?,
    };
    let resend = answer == SentAfterBackup::Resend;
    engine.judge_backup(store, &record.run, resend, certain).map_err(|error| script.failure(&error))
}

/// What somebody says is to become of messages that may have left.
fn answer(
    arguments: &Arguments,
    record: &RunRecord,
    backup: jiff::Timestamp,
    engine: &Engine,
    context: &Context,
) -> Result<SentAfterBackup, Failure> {
    let run = &record.run;
    if let Some(answer) = arguments.sent_after_backup {
        return Ok(answer);
    }
    if context.environment.input_is_terminal && !context.output.is_json() {
        let at = moment(backup, &engine.options().zone);
        let ask = format!("{run} may have sent messages since the backup of {at}. Skip or resend those?");
        match question::answer(&ask, "[skip/resend]", context).as_str() {
            "skip" => return Ok(SentAfterBackup::Skip),
            "resend" => return Ok(SentAfterBackup::Resend),
            _ => {}
        }
    }
    Err(host::run_failure(&RunError::Restored { run: run.clone(), backup }, SourceMap::new()))
}

fn refuse_answer(arguments: &Arguments, record: &RunRecord) -> Result<(), Failure> {
    match arguments.sent_after_backup {
        Some(_) => Err(Problem::outside(codes::run::WRONG_ARGUMENT, format!("`{}` was not restored", record.run))
            .help("leave out `--sent-after-backup`")
            .into()),
        None => Ok(()),
    }
}
