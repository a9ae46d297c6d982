//! `orch schema infer FILES`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::{Context, Exit, Failure, channels, project, workspace};
use crate::diag::{Problem, codes};
use crate::project::Project;
use crate::runtime::channels::Secret;
use crate::runtime::sources::{self, Inferred, Places, Wanted};
use crate::runtime::{ObjectAccess, SourceBinding};

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

/// Print declarations that files and tables suggest: types, keys, relations, enumerations
///
/// All rows are looked at, up to 64 MiB of text and 200,000 rows of a table. What is printed passes `orch check` and reads its own data; keys,
/// relations and enumerations are what the data suggests, so read them once.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  orch schema infer data/*.csv > schema.orch
  orch schema infer data                      every file of the folder
  orch schema infer 'in/leads-*.csv'          files with the same columns, as one entity
  orch schema infer 's3://bucket/orders/*.parquet'
  orch schema infer crm                       every table of `[source.crm]` in orch.toml
  orch schema infer crm.contacts              one of them
  orch schema infer \"$CRM_URL\"               every table behind postgres://... or sqlite:FILE")]
struct InferArguments {
    /// Files, folders of files, patterns in quotes, sources of orch.toml or their tables, addresses of databases
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

/// Declarations of files and tables, for a script in the project's folder.
///
/// # Errors
/// A file that cannot be read, a database that cannot be reached; nothing that can hold rows.
pub fn infer(project: &Project, paths: &[PathBuf]) -> Result<Inferred, Failure> {
    let bindings = channels::sources(project);
    let (mut wanted, mut found, mut remote, mut unbound) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for path in paths {
        let text = path.to_string_lossy();
        let folder = bindings.get(text.as_ref()).and_then(|binding| binding.url.as_ref().ok());
        let folder = folder.map(Secret::expose).filter(|url| sources::is_folder(url) && !path.exists());
        match table(&text, &bindings).filter(|_| !path.exists()) {
            _ if folder.is_some_and(sources::is_remote) => {
                remote.extend(sources::remote_sources_at(folder.unwrap_or_default(), &bindings)?);
            }
            _ if folder.is_some() => {
                found.extend(sources::sources_at(&project.base.join(folder.unwrap_or_default())));
            }
            Some((one, note)) => {
                wanted.push(one);
                unbound.extend(note);
            }
            None if sources::is_remote(&text) => remote.extend(sources::remote_sources_at(&text, &bindings)?),
            None => found.extend(sources::sources_at(path)),
        }
    }
    if found.is_empty() && remote.is_empty() && wanted.is_empty() {
        let shown: Vec<String> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
        let message = format!("there is no data in {}", shown.join(", "));
        return Err(Problem::outside(codes::run::SOURCE_MISSING, message).help(sources::KINDS).into());
    }
    let mut locations: Vec<String> = found.iter().map(|path| workspace::inner_path(project, path)).collect();
    locations.extend(remote);
    let places = Places { base: &project.base, project: &project.base, bindings: &bindings };
    let mut inferred = sources::infer(places, &locations, &wanted)?;
    for note in unbound {
        inferred.text = note + &inferred.text;
    }
    Ok(inferred)
}

/// The tables that an argument means, and what to add to the manifest so that a script knows them.
fn table(text: &str, bindings: &BTreeMap<String, SourceBinding>) -> Option<(Wanted, Option<String>)> {
    let known = |url: &str| {
        let same = |binding: &SourceBinding| binding.url.as_ref().is_ok_and(|known| known.expose() == url);
        bindings.iter().find(|(_, binding)| same(binding)).map(|(name, _)| name.clone())
    };
    let (kind, rest) = text.split_once(':').unwrap_or_default();
    if matches!(kind, "postgres" | "postgresql" | "sqlite") {
        let binding =
            SourceBinding { url: Ok(Secret::new(text)), writable: false, objects: Ok(ObjectAccess::default()) };
        let bound = known(text);
        // The name of the database: what stands behind the last slash.
        let name = rest.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let name = sources::entity_name(name.split('.').next().unwrap_or_default());
        let source = bound.clone().unwrap_or_else(|| if name == "rows_" { "db".to_owned() } else { name });
        let url = match kind {
            "sqlite" => format!("\"{text}\""),
            _ => format!("{{ env = \"{}_URL\" }}", source.to_ascii_uppercase()),
        };
        let note = bound.is_none().then(|| format!("# Add to orch.toml:  [source.{source}]  url = {url}\n"));
        return Some((Wanted { source, table: None, binding }, note));
    }
    let mut names = text.split('.').map(str::to_owned);
    let source = names.next()?;
    let binding = bindings.get(&source)?.clone();
    let table: Vec<String> = names.collect();
    Some((Wanted { source, table: (!table.is_empty()).then_some(table), binding }, None))
}
