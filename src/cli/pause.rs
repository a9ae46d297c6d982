//! `orch pause RUN`, `orch pause --all`

use std::path::Path;

use super::{Context, Exit, Failure, host, project};
use crate::runtime::clock::{Clock, WallClock};
use crate::runtime::store::Hold;
use crate::runtime::{BY_HAND, Note};

/// Pause a run: nothing new is sent until `orch resume`, and nobody is dropped
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  orch pause vip-7K2M --reason 'wrong price in the letter'
  orch pause --all                       nothing starts or goes on until `orch resume --all`")]
pub struct Arguments {
    /// The run
    #[arg(value_name = "RUN", required_unless_present = "all")]
    pub run: Option<String>,
    /// Everything: no run of the project starts or goes on, whoever asks for it, until `orch resume --all`
    #[arg(long, conflicts_with = "run")]
    pub all: bool,
    /// Why; shown by `orch show`
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Tells the run, or whoever drives runs.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let Some(name) = &arguments.run else { return pause_all(arguments, context) };
    let (project, record) = host::open_run(context, name)?;
    let note = Note::Pause {
        run: record.run.clone(),
        reason: arguments.reason.as_ref().map_or(BY_HAND.to_owned(), |reason| format!("{BY_HAND}: {reason}")),
    };
    host::tell(&project, &note, context)?;
    if !context.output.is_json() {
        context.output.line(format!("{} pauses", record.run));
    }
    Ok(Exit::Done)
}

fn pause_all(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let project = project::open(&context.globals, Path::new("."))?;
    let hold = Hold { reason: arguments.reason.clone(), at: WallClock.now() };
    host::tell(&project, &Note::PauseAll(hold), context)?;
    let taken = host::until_held(&project, true, &host::engine(&project, &[], context)?)?;
    if !taken {
        context.output.remark("whoever holds the state is busy: everything pauses as soon as that is read");
    }
    if !context.output.is_json() {
        context.output.line("everything pauses: nothing starts or goes on until `orch resume --all`");
    }
    Ok(Exit::Done)
}
