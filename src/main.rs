//! The `orch` command. Everything is in [`orch::cli`].

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    orch::cli::main(arguments()).into()
}

#[expect(clippy::disallowed_methods, reason = "the command line is read here and nowhere else")]
fn arguments() -> std::env::ArgsOs {
    std::env::args_os()
}
