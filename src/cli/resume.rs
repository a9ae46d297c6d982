//! `orch resume RUN`

/// Go on with a run that was parked, paused or interrupted
#[derive(clap::Args, Debug)]
#[command(after_help = "Example: orch resume vip-7K2M")]
pub struct Arguments {
    /// The run
    #[arg(value_name = "RUN", required_unless_present = "all")]
    pub run: Option<String>,
    /// Every run that has not ended
    #[arg(long, conflicts_with = "run")]
    pub all: bool,
    /// Jump over waits on a virtual clock; works for runs that were started so
    #[arg(long, conflicts_with = "detach")]
    pub fast_forward: bool,
    /// Return at the next wait instead of waiting
    #[arg(long)]
    pub detach: bool,
}
