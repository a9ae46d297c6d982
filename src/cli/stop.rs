//! `orch stop RUN`

use super::{Context, Exit, Failure, host};
use crate::runtime::machine::Event;

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
    let reason = arguments.reason.clone();
    host::tell(context, &arguments.run, Event::Stopped { reason }, "stopped")
}
