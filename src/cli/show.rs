//! `orch show RUN`

/// Show where a run stands: each step with its numbers, each send with its outcome
#[derive(clap::Args, Debug)]
#[command(after_help = "Example: orch show vip-7K2M --person 4312")]
pub struct Arguments {
    /// The run, or the beginning of its name if only one begins so
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Follow one person through the run: why in, why out, step by step
    #[arg(long, value_name = "ID")]
    pub person: Option<String>,
    /// Add what happened, event by event
    #[arg(long)]
    pub events: bool,
}
