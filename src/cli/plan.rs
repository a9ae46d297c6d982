//! `orch plan FILE`

use std::path::PathBuf;

/// Rehearse a script on real data: who would get what, who would not and why. Nothing is sent
#[derive(clap::Args, Debug)]
#[command(after_help = "Example: orch plan vip.orch --simulate")]
pub struct Arguments {
    /// The script
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The campaign, if the script declares several
    #[arg(long, value_name = "NAME")]
    pub campaign: Option<String>,
    /// A parameter of the campaign; may be repeated
    #[arg(long = "param", short = 'p', value_name = "NAME=VALUE")]
    pub params: Vec<String>,
    /// Go through the waits on a virtual clock, instead of up to the first one
    #[arg(long)]
    pub simulate: bool,
    /// Add the query of each population
    #[arg(long)]
    pub explain: bool,
    /// Compare the counts with an earlier run
    #[arg(long, value_name = "RUN")]
    pub diff: Option<String>,
}
