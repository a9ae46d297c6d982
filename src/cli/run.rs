//! `orch run FILE`

use std::path::PathBuf;

/// Start a run. It survives interruptions: each message is decided exactly once
///
/// Ctrl-C parks the run at a safe point; `orch resume` goes on from there. Editing the script does not change a run that
/// has started.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  orch run vip.orch
  orch run vip.orch --fast-forward        jump over the waits; nothing leaves this machine
  orch run -e 'count(customers)'          answer one expression, query or statement")]
pub struct Arguments {
    /// The script
    #[arg(value_name = "FILE", required_unless_present = "expression")]
    pub file: Option<PathBuf>,
    /// A program instead of a file; the declarations of the project are visible
    #[arg(short = 'e', value_name = "SOURCE", conflicts_with = "file")]
    pub expression: Option<String>,
    /// The campaign, if the script declares several
    #[arg(long, value_name = "NAME")]
    pub campaign: Option<String>,
    /// A parameter of the campaign; may be repeated
    #[arg(long = "param", short = 'p', value_name = "NAME=VALUE")]
    pub params: Vec<String>,
    /// Jump over waits on a virtual clock; works with channels that reach nobody (outbox, console, record)
    #[arg(long, conflicts_with = "detach")]
    pub fast_forward: bool,
    /// Return at the first wait instead of waiting; `orch resume` goes on
    #[arg(long)]
    pub detach: bool,
    /// Do not ask before a first send to many people
    #[arg(long, short = 'y')]
    pub yes: bool,
}
