//! `orch signal NAME k=v`

use std::collections::BTreeMap;

use super::{Context, Exit, Failure, host, project, workspace};
use crate::base::SourceMap;
use crate::runtime::clock::{Clock, WallClock};
use crate::runtime::{Note, RunError, signal_name};

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
    let analysis = workspace::workspace(&project).analyze_text("<signal>", "");
    let failed = |message: String| host::run_failure(&RunError::Parameter(message), SourceMap::new());
    let given = super::params::parse(&arguments.values)?;
    let declared = analysis.program.signals.iter().find(|signal| signal.name == arguments.name);
    let mut values = BTreeMap::new();
    for (name, text) in given {
        // A signal that only a script declares is not known here: its values are taken as text.
        let kind = match declared {
            Some(signal) => match signal.params.iter().find(|param| param.name == name) {
                Some(param) => param.ty.kind.clone(),
                None => return Err(failed(format!("the signal `{}` has no parameter `{name}`", arguments.name))),
            },
            None => crate::hir::TyKind::Text,
        };
        let value = host::parse_value(&text, &kind);
        let value = value.ok_or_else(|| failed(format!("`{text}` is not a value of the parameter `{name}`")))?;
        values.insert(name, value);
    }
    let id = arguments.id.clone().unwrap_or_else(signal_name);
    let note = Note::Signal { id: id.clone(), name: arguments.name.clone(), values, at: WallClock.now() };
    host::tell(&project, &note, context)?;
    if !context.output.is_json() {
        context.output.line(format!("signal {} left as {id}", arguments.name));
    }
    Ok(Exit::Done)
}
