//! `orch completions SHELL`

use super::{Context, Exit, Failure};

/// Print the completion script for a shell
#[derive(clap::Args, Debug)]
#[command(after_help = "Example: orch completions bash > ~/.local/share/bash-completion/completions/orch")]
pub struct Arguments {
    /// The shell that reads the script
    shell: clap_complete::Shell,
}

/// Prints the script.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::definition(), "orch", &mut script);
    context.output.text(String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}
