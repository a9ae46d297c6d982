//! `orch check [PATHS]`

mod fix;
mod merge;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::ValueEnum;

use super::{Context, Exit, Failure, Globals, workspace};
use crate::diag::Severity;
use merge::Findings;

/// Find every problem in scripts, without opening any data
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  orch check                        all scripts of the project in this folder
  orch check vip.orch --fix         mend what can be mended safely
  orch check --deny warnings        for continuous integration")]
pub struct Arguments {
    /// Scripts, or folders of scripts; by default the whole project
    #[arg(value_name = "PATHS")]
    paths: Vec<PathBuf>,
    /// Write the suggested changes into the files, except guesses of names and values
    #[arg(long)]
    fix: bool,
    /// Treat as an error what is none
    #[arg(long, value_name = "WHAT")]
    deny: Option<Deny>,
}

/// What can be treated as an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Deny {
    /// Code that is correct but suspicious
    Warnings,
}

/// Rounds of fixes: mending one problem may uncover another.
const MOST_ROUNDS: usize = 5;

/// Checks, mends if asked to, shows what is left.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let mut findings = find(arguments, &context.globals)?;
    if arguments.fix {
        let mut mended = Vec::new();
        for _ in 0..MOST_ROUNDS {
            let now = fix::apply(&findings)?;
            if now.is_empty() {
                break;
            }
            mended.extend(now);
            findings = find(arguments, &context.globals)?;
        }
        for change in &mended {
            context.output.remark(change);
        }
        let count = mended.len();
        context.output.remark(format!("mended {count} {}", if count == 1 { "problem" } else { "problems" }));
    }
    context.output.problems(&findings.problems, &findings.sources, findings.files());
    let warnings = findings.problems.count(Severity::Warning) > 0;
    let found = findings.problems.has_errors() || (warnings && arguments.deny == Some(Deny::Warnings));
    Ok(if found { Exit::Problems } else { Exit::Done })
}

/// Everything that is wrong, in all scripts together.
fn find(arguments: &Arguments, globals: &Globals) -> Result<Findings, Failure> {
    let mut findings = Findings::default();
    for (project, files) in workspace::scripts(&arguments.paths, globals)? {
        let workspace = workspace::workspace(&project);
        let last = files.len().saturating_sub(1);
        for (at, file) in files.iter().enumerate() {
            let analysis = workspace.analyze(&workspace::inner_path(&project, file));
            findings.add(&project, &analysis);
            // Taking large trees apart takes as long as parsing them, and the process is about to end.
            if at == last {
                std::mem::forget(analysis);
            }
        }
    }
    findings.problems.finish();
    Ok(findings)
}
