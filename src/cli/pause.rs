//! `orch pause RUN`

use super::{Context, Exit, Failure, host};
use crate::runtime::Note;
use crate::runtime::machine::Status;
use crate::runtime::store::RunRecord;

/// Pause a run: nothing new is sent until `orch resume`, and nobody is dropped
#[derive(clap::Args, Debug)]
#[command(after_help = "Example: orch pause vip-7K2M --reason 'wrong price in the letter'")]
pub struct Arguments {
    /// The run
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Why; shown by `orch show`
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// What the reason of a person's pause begins with; errors and `require` have reasons of their own.
const BY_HAND: &str = "by hand";

/// Why a person paused a run; `None` if none did.
pub fn by_a_person(record: &RunRecord) -> Option<&str> {
    let reason = record.state.reason.as_deref().filter(|_| record.state.status == Status::Paused)?;
    reason.starts_with(BY_HAND).then_some(reason)
}

/// Tells the run.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let (project, record) = host::open_run(context, &arguments.run)?;
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
