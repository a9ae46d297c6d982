//! `orch doc [NAME]`

use std::path::Path;

use super::{Context, Exit, Failure, Globals, project, workspace};
use crate::analysis::docs::{self, Entry};
use crate::base::did_you_mean;
use crate::diag::{Problem, codes};

/// Show the documentation of functions, modules and the project's declarations
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  orch doc                          everything, a line each
  orch doc coalesce                 a function
  orch doc std.rfm                  a module of the library
  orch doc customers.email          a field of an entity of the project")]
pub struct Arguments {
    /// A name, alone or after that of its module or entity; without one, everything is listed
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

/// Prints the entries of a name, or a list of all.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let mut entries = of_project(&context.globals)?;
    entries.extend(docs::library());
    let found: Vec<&Entry> = match &arguments.name {
        Some(name) => named(&entries, name)?,
        None => entries.iter().collect(),
    };
    let color = context.output.style().color;
    if context.output.is_json() {
        let all: Vec<serde_json::Value> = found.iter().map(|entry| json(entry)).collect();
        context.output.json(&serde_json::json!({ "entries": all }));
    } else if arguments.name.is_some() {
        let pages: Vec<String> = found.iter().map(|entry| page(entry, color)).collect();
        context.output.text(pages.join("\n"));
    } else {
        context.output.text(list(&found, color));
    }
    Ok(Exit::Done)
}

/// What the scripts of the project declare, each file once. A folder without scripts declares nothing.
fn of_project(globals: &Globals) -> Result<Vec<Entry>, Failure> {
    project::open(globals, Path::new("."))?;
    let mut entries: Vec<Entry> = Vec::new();
    for (project, files) in workspace::scripts(&[], globals).unwrap_or_default() {
        for file in files {
            for entry in docs::project(&workspace::analyze(&project, &file)) {
                if !entries.contains(&entry) {
                    entries.push(entry);
                }
            }
        }
    }
    Ok(entries)
}

fn named<'e>(entries: &'e [Entry], name: &str) -> Result<Vec<&'e Entry>, Failure> {
    let all = || entries.iter().flat_map(|entry| std::iter::once(entry).chain(&entry.members));
    let exact: Vec<&Entry> = all().filter(|entry| entry.name == name).collect();
    if !exact.is_empty() {
        return Ok(exact);
    }
    let found: Vec<&Entry> = all().filter(|entry| entry.is_called(name)).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let names = all().flat_map(|entry| [Some(entry.name.as_str()), entry.name.rsplit_once('.').map(|(_, last)| last)]);
    let help = match did_you_mean(name, names.flatten()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`orch doc` lists everything".to_owned(),
    };
    Err(Problem::outside(codes::run::UNKNOWN_NAME, format!("nothing is called `{name}`")).help(help).into())
}

/// A name with its first sentence a line, under the place where it is declared.
fn list(entries: &[&Entry], color: bool) -> String {
    let mut out = String::new();
    let mut last = "";
    for entry in entries {
        if entry.place != last {
            out += &format!("{}{}\n", if last.is_empty() { "" } else { "\n" }, bold(&entry.place, color));
            last = &entry.place;
        }
        if entry.kind == "module" {
            entry.members.iter().for_each(|member| out += &line(member));
        } else {
            out += &line(entry);
        }
    }
    out
}

fn line(entry: &Entry) -> String {
    let line = format!("  {:24} {}", entry.name, entry.summary());
    format!("{}\n", line.trim_end())
}

/// Everything about one thing.
fn page(entry: &Entry, color: bool) -> String {
    let mut out = format!("{}\n", bold(&entry.signature, color));
    if entry.kind != "module" {
        out += &format!("{} of {}\n", entry.kind, entry.place);
    }
    if !entry.doc.is_empty() {
        out += &format!("\n{}\n", entry.doc);
    }
    if !entry.examples.is_empty() {
        let examples: String = entry.examples.iter().map(|example| format!("    {example}\n")).collect();
        out += &format!("\nTrue:\n{examples}");
    }
    if !entry.members.is_empty() {
        let own = |member: &Entry| {
            let shown = if entry.kind == "module" { &member.name } else { &member.signature };
            format!("  {shown:24} {}", member.summary()).trim_end().to_owned() + "\n"
        };
        out += &format!("\n{}", entry.members.iter().map(own).collect::<String>());
    }
    out
}

fn bold(text: &str, color: bool) -> String {
    if color { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
}

fn json(entry: &Entry) -> serde_json::Value {
    serde_json::json!({
        "name": entry.name,
        "kind": entry.kind,
        "place": entry.place,
        "signature": entry.signature,
        "doc": entry.doc,
        "examples": entry.examples,
        "members": entry.members.iter().map(json).collect::<Vec<_>>(),
    })
}
