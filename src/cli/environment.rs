//! The one place of the command line that looks at the environment.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

#[cfg(feature = "engine")]
use crate::diag::Problem;
#[cfg(feature = "engine")]
use crate::project::{Project, Secret, SecretText};

/// Columns when there is no terminal, or it does not say how wide it is.
const WIDTH: usize = 120;

/// What the environment says about the way to print, and secrets.
#[derive(Clone, Debug)]
pub struct Environment {
    /// `NO_COLOR` is set to something, or the terminal is a dumb one.
    pub no_color: bool,
    /// Standard output is a terminal.
    pub output_is_terminal: bool,
    /// Standard error is a terminal.
    pub error_is_terminal: bool,
    /// Standard input is a terminal, so that there is somebody to ask.
    pub input_is_terminal: bool,
    /// Columns to write in.
    pub width: usize,
    /// The name somebody is logged in with.
    pub user: Option<String>,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        let said = variable("COLUMNS").and_then(|columns| columns.parse().ok());
        let width = said.or_else(terminal_width).unwrap_or(WIDTH);
        Self {
            no_color: variable("NO_COLOR").is_some_and(|value| !value.is_empty())
                || variable("TERM").is_some_and(|terminal| terminal == "dumb"),
            output_is_terminal: std::io::stdout().is_terminal(),
            error_is_terminal: std::io::stderr().is_terminal(),
            input_is_terminal: std::io::stdin().is_terminal(),
            width: width.clamp(40, 200),
            user: variable("USER").filter(|name| !name.is_empty()),
        }
    }
}

/// The terminal's own answer.
#[cfg(feature = "engine")]
fn terminal_width() -> Option<usize> {
    crate::report::terminal_width()
}

#[cfg(not(feature = "engine"))]
fn terminal_width() -> Option<usize> {
    None
}

/// Looks up a secret of the manifest: in the environment, or in a file relative to the project.
///
/// # Errors
/// `run::missing_secret`.
#[cfg(feature = "engine")]
pub fn secret(secret: &Secret, project: &Project) -> Result<SecretText, Problem> {
    let read =
        |path: &str| std::fs::read_to_string(project.base.join(path)).map_err(|error| super::failure::reason(&error));
    secret.resolve(variable, read)
}

/// A path as somebody in the current folder would write it, with `/`.
pub fn shown_path(path: &Path) -> String {
    let shown = match current_folder() {
        Some(folder) => path.strip_prefix(&folder).unwrap_or(path),
        None => path,
    };
    shown.to_string_lossy().replace('\\', "/")
}

#[expect(clippy::disallowed_methods, reason = "this module owns the environment")]
fn current_folder() -> Option<PathBuf> {
    std::env::current_dir().ok()
}

#[expect(clippy::disallowed_methods, reason = "this module owns the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
