//! `orch pause RUN`

use super::{Context, Exit, Failure, host};
use crate::runtime::Note;

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

/// Tells the run.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let (project, record) = host::open_run(context, &arguments.run)?;
    let note = Note::Pause {
        run: record.run.clone(),
        reason: arguments.reason.clone().unwrap_or_else(|| "by hand".to_string()),
    };
    host::tell(&project, &note, context)?;
    if !context.output.is_json() {
        context.output.line(format!("{} pauses", record.run));
    }
    Ok(Exit::Done)
}
