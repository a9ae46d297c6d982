//! `orch schema infer FILES`

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::{Context, Exit, Failure, project, workspace};
use crate::diag::{Problem, codes};
use crate::project::Project;
use crate::runtime::sources::{self, Inferred};

/// Declarations of data
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Infer(InferArguments),
}

/// Print declarations that files suggest: types, keys, relations, enumerations
///
/// All rows are looked at, up to 64 MiB of text. What is printed passes `orch check` and reads its own data; keys,
/// relations and enumerations are what the data suggests, so read them once.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  orch schema infer data/*.csv > schema.orch
  orch schema infer data                      every file of the folder
  orch schema infer 'in/leads-*.csv'          files with the same columns, as one entity")]
struct InferArguments {
    /// Files, folders of files, or patterns in quotes
    #[arg(value_name = "FILES", required = true)]
    files: Vec<PathBuf>,
}

/// Prints what was asked for.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let Command::Infer(arguments) = &arguments.command;
    let project = project::open(&context.globals, Path::new("."))?;
    let inferred = infer(&project, &arguments.files)?;
    if context.output.is_json() {
        context.output.json(&serde_json::json!({ "entities": inferred.entities, "schema": inferred.text }));
    } else {
        context.output.text(inferred.text);
    }
    Ok(Exit::Done)
}

/// Declarations of files, for a script in the project's folder.
///
/// # Errors
/// A file that cannot be read; nothing that can hold rows.
pub fn infer(project: &Project, paths: &[PathBuf]) -> Result<Inferred, Failure> {
    let found: Vec<PathBuf> = paths.iter().flat_map(|path| sources::sources_at(path)).collect();
    if found.is_empty() {
        let shown: Vec<String> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
        let message = format!("there is no data in {}", shown.join(", "));
        return Err(Problem::outside(codes::run::SOURCE_MISSING, message).help(sources::KINDS).into());
    }
    let locations: Vec<String> = found.iter().map(|path| workspace::inner_path(project, path)).collect();
    Ok(sources::infer(&project.base, &locations)?)
}
