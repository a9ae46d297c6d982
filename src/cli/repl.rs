//! `orch repl`

use std::path::PathBuf;

/// Ask the data of the project, line by line
#[derive(clap::Args, Debug)]
#[command(after_help = "Example: orch repl, then: customers where spend > 500")]
pub struct Arguments {
    /// A script whose names are visible, besides those of the project
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}
