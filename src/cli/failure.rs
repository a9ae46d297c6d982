//! Why a command could not do its work.

use std::path::Path;

use super::{Exit, Output};
use crate::base::{SourceMap, did_you_mean, plain_reason};
use crate::diag::{Problem, Problems, codes};

/// Problems that end a command, and the exit code they mean.
#[derive(Debug)]
pub struct Failure {
    /// At least one.
    pub problems: Problems,
    /// The files that the problems point into.
    pub sources: SourceMap,
    /// How the process ends.
    pub exit: Exit,
}

impl Failure {
    /// Problems of the configuration or of the way the command was called.
    pub fn usage(problems: Problems, sources: SourceMap) -> Self {
        Self { problems, sources, exit: Exit::Usage }
    }

    /// A file that cannot be read.
    pub fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        let message = format!("cannot read `{}`: {}", path.display(), reason(error));
        let problem = Problem::outside(codes::run::UNREADABLE_FILE, message);
        let near = if error.kind() == std::io::ErrorKind::NotFound { near_file(path) } else { None };
        match near {
            Some(near) => problem.help(format!("did you mean `{near}`?")).into(),
            None => problem.into(),
        }
    }

    /// A file that cannot be written.
    pub fn unwritable(path: &Path, error: &std::io::Error) -> Self {
        let message = format!("cannot write `{}`: {}", path.display(), reason(error));
        Problem::outside(codes::run::UNREADABLE_FILE, message).into()
    }

    /// Shows the problems: text on standard error, or the JSON document on standard output.
    pub fn show(&self, output: &Output) -> Exit {
        output.failure(&self.problems, &self.sources);
        self.exit
    }
}

impl Failure {
    /// Shows the problems as remarks, when the result is there already.
    pub fn remark(&self, output: &Output) {
        for problem in &self.problems {
            output.remark(crate::diag::render(problem, &self.sources, output.remark_style()).trim_end());
        }
    }
}

impl From<Problem> for Failure {
    /// A problem outside any text, which means wrong usage or configuration.
    fn from(problem: Problem) -> Self {
        let mut problems = Problems::new();
        problems.push(problem);
        Self::usage(problems, SourceMap::new())
    }
}

/// The system's reason in our words.
pub fn reason(error: &std::io::Error) -> String {
    plain_reason(&error.to_string())
}

/// The name in the same folder that was probably meant.
fn near_file(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let written = path.file_name()?.to_string_lossy().into_owned();
    let entries = std::fs::read_dir(folder.unwrap_or(Path::new("."))).ok()?;
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    let near = did_you_mean(&written, names.iter().map(String::as_str))?;
    Some(folder.map_or(near.to_owned(), |folder| folder.join(near).display().to_string()))
}
