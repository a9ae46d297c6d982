//! Why a command could not do its work.

use super::{Exit, Output};
use crate::base::SourceMap;
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
    pub fn unreadable(path: &std::path::Path, error: &std::io::Error) -> Self {
        let message = format!("cannot read `{}`: {}", path.display(), reason(error));
        Problem::outside(codes::run::UNREADABLE_FILE, message).into()
    }

    /// A file that cannot be written.
    pub fn unwritable(path: &std::path::Path, error: &std::io::Error) -> Self {
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

/// The system's reason in our words, without the number that Rust appends.
pub fn reason(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or_default().to_lowercase()
        }
    }
}
