//! `orch stop RUN`

use super::{Context, Exit, Failure, host};
use crate::runtime::Note;

/// End a run for good: what is in the air is awaited, the rest is cancelled and listed
#[derive(clap::Args, Debug)]
#[command(after_help = "Example: orch stop vip-7K2M --reason 'sold out'")]
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
    let note = Note::Stop { run: record.run.clone(), reason: arguments.reason.clone() };
    host::tell(&project, &note, context)?;
    if !context.output.is_json() {
        context.output.line(format!("{} stops", record.run));
    }
    Ok(Exit::Done)
}
