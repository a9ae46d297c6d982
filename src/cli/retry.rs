//! `orch retry RUN`

use super::drive::{How, drive};
use super::host::{self, find_run};
use super::{Context, Exit, Failure, question, run};
use crate::base::SourceMap;
use crate::diag::{Problem, codes};
use crate::report::{count, plural};
use crate::runtime::store::sqlite::SqliteStore;
use crate::runtime::store::{OutcomeKind, RunRecord};
use crate::runtime::{Cancel, Pacing, Retryable, RunError, Until};

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

/// Makes messages due again, then sends them.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let failed = |error: RunError| host::run_failure(&error, SourceMap::new());
    let project = host::project_of_run(context, &arguments.run)?;
    if host::store_to_read(&project)?.is_none() {
        return Err(failed(RunError::UnknownRun { run: arguments.run.clone() }));
    }
    let store = host::store(&project)?;
    let record = find_run(&store, &arguments.run)?;
    let (kind, word) = match arguments.failed {
        true => (OutcomeKind::Failed, "failed"),
        false => (OutcomeKind::Unknown, "unknown"),
    };
    let mut sends = Retryable::find(&store, &record.run, kind).map_err(|error| failed(error.into()))?;
    sends.retain(|one| arguments.send.as_ref().is_none_or(|step| *step == one.send.step));
    check(&store, &record, &sends)?;
    if sends.is_empty() {
        if !context.output.is_json() {
            let what = arguments.send.as_ref().map_or(String::new(), |step| format!(" of step {step}"));
            context.output.line(format!("{}: no message{what} is {word}", record.run));
        }
        return Ok(Exit::Done);
    }
    let script = host::pinned(&project, &store, &record)?;
    let engine = host::engine(&project, &host::channels_for(&project, &script.plan), context)?;
    let pacing = if record.simulated { Pacing::FastForward } else { Pacing::Real };
    run::check_harmless(&script, &engine, pacing)?;
    let mut asked = 0;
    for one in &sends {
        let messages = plural(one.messages(kind), "message");
        let title =
            format!("{} send {} {}", one.send.step, one.send.channel, one.send.message.as_deref().unwrap_or(""));
        let risk = if arguments.failed { "" } else { "; whoever got it already may get it twice" };
        let ask = format!("{}: send {messages} of {} again, {word} so far{risk}?", record.run, title.trim_end());
        if question::confirmed(&ask, arguments.yes, context)? {
            asked += engine.retry(&store, &script.plan, one, kind).map_err(|error| script.failure(&error))?;
        }
    }
    if asked == 0 {
        context.output.line("nothing is sent");
        return Ok(Exit::Done);
    }
    if !context.output.is_json() {
        context.output.line(format!("run {}: {} asked for again", record.run, plural(asked, "message")));
    }
    let how = How { until: Until::Repeats, pacing, confirmed: true, cancel: &Cancel::default() };
    drive(&script, &engine, &store, &record.run, how, context)
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
            return Err(problem(why)
                .help("name another send with `--send`, or write to these people in a run of its own")
                .into());
        }
    }
    Ok(())
}
