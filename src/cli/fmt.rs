//! `orch fmt [--check] [PATHS]`

use std::io::Read;
use std::path::{Path, PathBuf};

use super::environment::shown_path;
use super::{Context, Exit, Failure, workspace};
use crate::base::{SourceId, SourceMap};
use crate::diag::{Problems, problems_json};

/// Write scripts in one style; what they mean never changes
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  orch fmt                          all scripts of the project in this folder
  orch fmt --check                  for continuous integration: changes nothing, fails if something would change
  orch fmt - < vip.orch             from standard input to standard output, for editors")]
pub struct Arguments {
    /// Scripts, or folders of scripts; by default the whole project; `-` is standard input
    #[arg(value_name = "PATHS")]
    paths: Vec<PathBuf>,
    /// Change nothing; say which scripts would change, and fail if there are any
    #[arg(long)]
    check: bool,
}

/// What formatting some scripts came to.
#[derive(Default)]
struct Outcome {
    sources: SourceMap,
    problems: Problems,
    /// Scripts that are, or would be, different.
    changed: Vec<String>,
    files: usize,
}

/// Formats; a script with mistakes is left as it is.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    if arguments.paths == [Path::new("-")] {
        return from_input(arguments, context);
    }
    let mut outcome = Outcome::default();
    for (_, files) in workspace::scripts(&arguments.paths, &context.globals)? {
        for file in files {
            let text = std::fs::read_to_string(&file).map_err(|error| Failure::unreadable(&file, &error))?;
            let Some(formatted) = outcome.format(shown_path(&file), &text) else { continue };
            if !arguments.check && formatted != text {
                workspace::replace(&file, &formatted).map_err(|error| Failure::unwritable(&file, &error))?;
            }
        }
    }
    outcome.show(arguments.check, context);
    let wrong = outcome.problems.has_errors() || (arguments.check && !outcome.changed.is_empty());
    Ok(if wrong { Exit::Problems } else { Exit::Done })
}

fn from_input(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let name = Path::new("<input>");
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|error| Failure::unreadable(name, &error))?;
    let mut outcome = Outcome::default();
    match outcome.format(name.display().to_string(), &text) {
        Some(_) if arguments.check => Ok(if outcome.changed.is_empty() { Exit::Done } else { Exit::Problems }),
        Some(formatted) => {
            context.output.text(formatted);
            Ok(Exit::Done)
        }
        None => Err(Failure { problems: outcome.problems, sources: outcome.sources, exit: Exit::Problems }),
    }
}

impl Outcome {
    /// The formatted text, unless the script has mistakes, which are kept.
    fn format(&mut self, name: String, text: &str) -> Option<String> {
        let source: SourceId = self.sources.add(name.clone(), text);
        self.files += 1;
        match crate::fmt::format(source, text) {
            Ok(formatted) => {
                if formatted != text {
                    self.changed.push(name);
                }
                Some(formatted)
            }
            Err(problems) => {
                self.problems.extend(problems);
                None
            }
        }
    }

    fn show(&self, check: bool, context: &Context) {
        let output = &context.output;
        if output.is_json() {
            let problems = problems_json(&self.problems, &self.sources);
            let mut document = serde_json::json!(problems);
            document["changed"] = serde_json::json!(self.changed);
            output.json(&document);
            return;
        }
        if !self.problems.is_empty() {
            output.problems(&self.problems, &self.sources, self.files);
        }
        let files = |count: usize| format!("{count} {}", if count == 1 { "script" } else { "scripts" });
        for name in &self.changed {
            output.line(if check { format!("would change {name}") } else { format!("changed {name}") });
        }
        let same = self.files - self.changed.len();
        let (changed, left) = match (check, same) {
            (true, 1) => ("would change", "is right"),
            (true, _) => ("would change", "are right"),
            (false, 1) => ("changed", "left as it is"),
            (false, _) => ("changed", "left as they are"),
        };
        output.remark(format!("{} {changed}, {} {left}", files(self.changed.len()), files(same)));
    }
}
