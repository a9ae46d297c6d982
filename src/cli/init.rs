//! `orch init`

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::{Context, Exit, Failure, schema};
use crate::project::{Location, Manifest, Project};
use crate::runtime::sources::{self, Inferred};

/// Start a project in this folder: orch.toml, schema.orch and a first script
///
/// Nothing is overwritten: a file that exists stays as it is.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  orch init --from data        declare the files in data
  orch init                    the same if there is a folder data, otherwise with a few people to play with")]
pub struct Arguments {
    /// The folder with the data; `data` if it exists
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
}

/// The folder of data, if none is named.
const DATA: &str = "data";

/// The first script.
const SCRIPT: &str = "hello.orch";

const PEOPLE: &str = "\
id,email,first_name,country,spend,joined,opt_in
1,zoe@example.com,Zoë,FR,812.50,2024-02-28,true
2,ann@example.com,Ann,DE,96.00,2025-01-15,true
3,ben@example.com,,FR,1204.00,2023-11-02,false
4,,Chloé,IT,40.10,2025-06-30,true
";

/// Writes what is missing.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let folder = context.globals.project.clone().unwrap_or_else(|| PathBuf::from("."));
    std::fs::create_dir_all(&folder).map_err(|error| Failure::unwritable(&folder, &error))?;
    let mut files = Files { folder: &folder, context, written: 0 };
    let data = arguments.from.clone().unwrap_or_else(|| folder.join(DATA));
    if arguments.from.is_none() && sources::sources_at(&data).iter().all(|path| !path.is_file()) {
        std::fs::create_dir_all(&data).map_err(|error| Failure::unwritable(&data, &error))?;
        files.write("data/people.csv", PEOPLE)?;
    }
    // The manifest is not there yet; the schema is written next to it.
    let project = Project::new(Location::at(&folder), &Manifest::default(), crate::project::DEFAULT_PROFILE)?;
    let inferred = schema::infer(&project, &[data])?;
    let name = project.base.file_name().map_or_else(|| "project".into(), |name| name.to_string_lossy().into_owned());
    files.write("orch.toml", &manifest(&name, &inferred))?;
    files.write("schema.orch", &declarations(&inferred))?;
    files.write(SCRIPT, &script(&inferred))?;
    if files.written > 0 && !context.output.is_json() {
        context.output.remark(format!("next: orch plan {SCRIPT} --simulate"));
    }
    Ok(Exit::Done)
}

struct Files<'c> {
    folder: &'c Path,
    context: &'c Context,
    written: usize,
}

impl Files<'_> {
    /// Writes a file unless it exists.
    fn write(&mut self, name: &str, text: &str) -> Result<(), Failure> {
        let path = self.folder.join(name);
        let output = &self.context.output;
        let mut file = match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                output.remark(format!("{name} exists and stays as it is"));
                return Ok(());
            }
            Err(error) => return Err(Failure::unwritable(&path, &error)),
        };
        file.write_all(text.as_bytes()).map_err(|error| Failure::unwritable(&path, &error))?;
        self.written += 1;
        if !output.is_json() {
            output.line(format!("wrote {name}"));
        }
        Ok(())
    }
}

fn manifest(name: &str, inferred: &Inferred) -> String {
    let name: String = name.chars().filter(|sign| !sign.is_control() && !"\"\\".contains(*sign)).collect();
    let topic = if inferred.people.is_some() { "default_topic = \"news\"\n" } else { "" };
    format!(
        "[project]\nname = \"{name}\"\ntimezone = \"UTC\"            # of civil times, such as \"Europe/Paris\"\n\
         schema = [\"schema.orch\"]\n{topic}"
    )
}

fn declarations(inferred: &Inferred) -> String {
    let Some(people) = &inferred.people else { return inferred.text.clone() };
    let consent = people.consent.as_ref().map_or_else(String::new, |field| format!(" (consent: {field})"));
    format!("{}\n## What people subscribe to.\ntopic news \"News\"{consent}\n", inferred.text)
}

fn script(inferred: &Inferred) -> String {
    let Some(people) = &inferred.people else {
        let first = inferred.entities.first().map_or("rows", String::as_str);
        return format!("# How much there is.\nlog \"{{count({first})}} {first}\"\n");
    };
    let name = match &people.name {
        Some((field, true)) => format!("{{{field} ?? \"there\"}}"),
        Some((field, false)) => format!("{{{field}}}"),
        None => "there".to_owned(),
    };
    let entity = &people.entity;
    format!(
        "# A first campaign. `orch plan {SCRIPT}` shows who would get what; nothing is sent.\n\
         message email hello of {entity} {{\n  subject: \"Hi {name}\"\n  text: \"\"\"\n    Hi {name},\n\n    \
         this is our first message.\n    \"\"\"\n  topic: news\n}}\n\n\
         segment some = {entity} limit 10\nsend email hello to some\n"
    )
}
