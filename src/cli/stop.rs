//! `orch stop RUN`

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
    /// Do not ask
    #[arg(long, short = 'y')]
    pub yes: bool,
}
