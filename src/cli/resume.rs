//! `orch resume RUN`

use super::host::{self, find_run};
use super::{Context, Exit, Failure, pause, project, question, run};
use crate::base::SourceMap;
use crate::diag::{Problem, codes};
use crate::project::Project;
use crate::report::moment;
use crate::runtime::store::sqlite::SqliteStore;
use crate::runtime::store::{RunRecord, Store};
use crate::runtime::{Cancel, Engine, Pacing, RunError, Until};

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
    let project = match &arguments.run {
        // Looked up for reading first: a name that is wrong makes no state.
        Some(name) => host::open_run(context, name)?.0,
        None => project::open(&context.globals, std::path::Path::new("."))?,
    };
    let store = host::store(&project)?;
    let records = match &arguments.run {
        Some(name) => vec![find_run(&store, name)?],
        None => {
            let runs = store.runs().map_err(|error| host::run_failure(&error.into(), SourceMap::new()))?;
            runs.into_iter().rev().filter(|record| !record.is_done()).collect()
        }
    };
    if records.is_empty() && !context.output.is_json() {
        context.output.line("no run is open");
    }
    // One interruption is meant for all that are still to come.
    let cancel = Cancel::default();
    let mut exit = Exit::Done;
    for record in records {
        if cancel.is_cancelled() {
            break;
        }
        let one = match resume(arguments, &project, &store, &record, &cancel, context) {
            // One that cannot go on keeps no other from it.
            Err(failure) if arguments.all => {
                context.output.remark(format!("run {} does not go on", record.run));
                failure.remark(&context.output);
                failure.exit
            }
            ended => ended?,
        };
        if one.number() > exit.number() {
            exit = one;
        }
    }
    Ok(exit)
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
    if arguments.all && record.state.restored.is_some() {
        let choice = format!("`orch resume {run} --sent-after-backup skip|resend` goes on");
        context.output.remark(format!("run {run} stays held: it was restored · {choice}"));
        return Ok(Exit::Waiting);
    }
    if let (true, Some(reason)) = (arguments.all, pause::by_a_person(record)) {
        context.output.remark(format!("run {run} stays paused: {reason} · `orch resume {run}` goes on"));
        return Ok(Exit::Waiting);
    }
    if record.is_done() {
        let error = crate::runtime::RunError::Over { run: record.run.clone(), status: record.status() };
        return Err(host::run_failure(&error, SourceMap::new()));
    }
    let script = host::pinned(project, store, record)?;
    let engine = host::engine(project, &host::channels_for(&script), context)?;
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
    run::drive(&script, &engine, store, run, run::How { until, pacing, confirmed: false, cancel }, context)
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
    let Some(backup) = record.state.restored else {
        return match arguments.sent_after_backup {
            Some(_) => Err(Problem::outside(codes::run::WRONG_ARGUMENT, format!("`{}` was not restored", record.run))
                .help("leave out `--sent-after-backup`")
                .into()),
            None => Ok(()),
        };
    };
    let certain =
        engine.know_delivered(store, &host::channels_of(&script.plan)).map_err(|error| script.failure(&error))?;
    let answer = match arguments.sent_after_backup {
        Some(answer) => answer,
        None if certain => SentAfterBackup::Skip,
        None if context.environment.input_is_terminal && !context.output.is_json() => {
            let at = moment(backup, &engine.options().zone);
            let ask = format!("{} may have sent messages since the backup of {at}. Skip or resend those?", record.run);
            match question::answer(&ask, "[skip/resend]", context).as_str() {
                "skip" => SentAfterBackup::Skip,
                "resend" => SentAfterBackup::Resend,
                _ => {
                    return Err(host::run_failure(
                        &RunError::Restored { run: record.run.clone(), backup },
                        SourceMap::new(),
                    ));
                }
            }
        }
        None => {
            return Err(host::run_failure(&RunError::Restored { run: record.run.clone(), backup }, SourceMap::new()));
        }
    };
    let resend = answer == SentAfterBackup::Resend;
    engine.judge_backup(store, &record.run, resend, certain).map_err(|error| script.failure(&error))
}
