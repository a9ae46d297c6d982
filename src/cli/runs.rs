//! `orch runs`

/// List the runs of this project and profile, the latest first
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Only runs that have not ended
    #[arg(long)]
    pub open: bool,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
}
