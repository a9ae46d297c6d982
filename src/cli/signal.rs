//! `orch signal NAME k=v`

use std::collections::BTreeMap;

use super::host::Holding;
use super::register::register;
use super::{Context, Exit, Failure, host, project, workspace};
use crate::base::did_you_mean;
use crate::diag::{Problem, codes};
use crate::hir::{Param, Program, Signal, Value};
use crate::project::Project;
use crate::runtime::clock::{Clock, WallClock};
use crate::runtime::{Note, signal_name};

/// Deliver a signal to the runs that wait for it and to the campaigns that it starts
#[derive(clap::Args, Debug)]
#[command(after_help = "Example: orch signal stock_in sku=A-17 quantity=40")]
pub struct Arguments {
    /// The signal, as declared in the project
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Its values
    #[arg(value_name = "FIELD=VALUE")]
    pub values: Vec<String>,
    /// A name for this signal: the same one delivered again changes nothing
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
}

/// Leaves the signal for the runs of the project.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let project = project::open(&context.globals, std::path::Path::new("."))?;
    let given = super::params::parse(&arguments.values)?;
    let signal = declared(&arguments.name, &project, context)?;
    let values = values(&signal, given)?;
    let id = arguments.id.clone().unwrap_or_else(signal_name);
    let note = Note::Signal { id: id.clone(), name: signal.name.clone(), values, at: WallClock.now() };
    let holding = host::holding(&project)?;
    let is_alone = matches!(holding, Holding::Ours(_));
    if let Holding::Ours(store) = &holding {
        register(&project, store, &host::engine(&project, &[], context)?, &[&signal.name], context)?;
    }
    drop(holding);
    host::tell(&project, &note, context)?;
    if !context.output.is_json() {
        context.output.line(format!("signal {} left as {id}", signal.name));
        if is_alone {
            let hint = "nobody drives runs at the moment: `orch serve` starts campaigns, `orch resume --all` goes on with runs";
            context.output.remark(hint);
        }
    }
    Ok(Exit::Done)
}

/// The declaration of a signal: in the project's schema, or else in one of its scripts.
fn declared(name: &str, project: &Project, context: &Context) -> Result<Signal, Failure> {
    let workspace = workspace::workspace(project);
    let mut known = workspace.analyze_text("<signal>", "").program.signals;
    if !known.iter().any(|signal| signal.name == name) {
        for file in workspace::own_scripts(project, &context.globals) {
            known.extend(workspace.analyze(&workspace::inner_path(project, &file)).program.signals);
        }
    }
    if let Some(signal) = known.iter().find(|signal| signal.name == name) {
        return Ok(signal.clone());
    }
    let mut names: Vec<&str> = known.iter().map(|signal| signal.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    Err(unknown(name, &names).into())
}

/// No script declares a signal of this name.
pub fn unknown(name: &str, names: &[&str]) -> Problem {
    let help = match did_you_mean(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => format!("declare it in the project's schema: `signal {name}(sku: text)`"),
        None => format!("the project declares {}", names.join(", ")),
    };
    let message = format!("no script of the project declares a signal `{name}`");
    Problem::outside(codes::run::UNKNOWN_NAME, message).help(help)
}

/// The values of a signal, each of the type of its field.
fn values(signal: &Signal, given: Vec<(String, String)>) -> Result<BTreeMap<String, Value>, Problem> {
    let mut values = BTreeMap::new();
    for (name, text) in given {
        let param = field(signal, &name)?;
        let value = host::parse_value(&text, &param.ty.kind).ok_or_else(|| wrong_value(&text, param))?;
        values.insert(name, value);
    }
    complete(signal, values)
}

/// The field of a signal with this name.
///
/// # Errors
/// It has none.
pub fn field<'s>(signal: &'s Signal, name: &str) -> Result<&'s Param, Problem> {
    let names: Vec<&str> = signal.params.iter().map(|param| param.name.as_str()).collect();
    signal.params.iter().find(|param| param.name == name).ok_or_else(|| {
        let help = match did_you_mean(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => "leave it out: the signal has none".to_owned(),
            None => format!("the signal has {}", names.join(", ")),
        };
        let message = format!("the signal `{}` has no field `{name}`", signal.name);
        Problem::outside(codes::run::BAD_PARAMETER, message).help(help)
    })
}

/// A field is given something that is no value of its type.
pub fn wrong_value(text: &str, param: &Param) -> Problem {
    let message = format!("`{text}` is not a value of the field `{}`", param.name);
    Problem::outside(codes::run::BAD_PARAMETER, message).help(format!("`{}` is {}", param.name, shown(param)))
}

/// The values of a signal with defaults where none is given.
///
/// # Errors
/// A field without a value.
pub fn complete(signal: &Signal, mut values: BTreeMap<String, Value>) -> Result<BTreeMap<String, Value>, Problem> {
    for param in &signal.params {
        match &param.default {
            Some(default) => drop(values.entry(param.name.clone()).or_insert_with(|| default.clone())),
            None if param.ty.nullable || values.contains_key(&param.name) => {}
            None => {
                let message = format!("the field `{}` of the signal `{}` has no value", param.name, signal.name);
                return Err(Problem::outside(codes::run::BAD_PARAMETER, message).help(format!(
                    "add `{}=VALUE`; it is {}",
                    param.name,
                    shown(param)
                )));
            }
        }
    }
    Ok(values)
}

/// The type of a field; those of signals mention no entities.
fn shown(param: &Param) -> String {
    param.ty.show(&Program::default())
}
