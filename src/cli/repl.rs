//! `orch repl`

use std::path::{Path, PathBuf};

use super::ask::Asker;
use super::{Context, Exit, Failure, host, project};
use crate::diag::{Problem, codes};

/// Ask the data of the project, line by line
#[derive(clap::Args, Debug)]
#[command(after_help = "Example: orch repl, then: customers where spend > 500")]
pub struct Arguments {
    /// A script whose names are visible, besides those of the project
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// Asks and answers until the end of the input.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let start = arguments.file.as_deref().unwrap_or(Path::new("."));
    let project = project::open(&context.globals, start)?;
    let engine = host::engine(&project, &[], context)?;
    let before = match &arguments.file {
        Some(file) => std::fs::read_to_string(file).map_err(|error| Failure::unreadable(file, &error))?,
        None => String::new(),
    };
    let mut asker = Asker::new(&project, &engine, before, context.output.style())?;
    let state = host::folders(&project).state;
    let watched = context.environment.input_is_terminal;
    // Without a state folder there is no history; that is no reason not to answer. Nobody looks up what a pipe asked.
    let history = watched.then(|| std::fs::create_dir_all(&state).ok().map(|()| state.join("history"))).flatten();
    let settings = crate::repl::Settings {
        history: history.as_deref(),
        color: context.output.style().color,
        width: context.output.style().width,
    };
    crate::repl::run(&mut asker, settings, &mut |text| context.output.line(text)).map_err(|reason| {
        Problem::outside(codes::run::UNREADABLE_FILE, format!("cannot read the terminal: {reason}"))
    })?;
    // Somebody at a terminal has seen it and gone on; a script must be told.
    Ok(if asker.has_failed() && !watched { Exit::Problems } else { Exit::Done })
}
