//! `orch show RUN`

use super::{Context, Exit, Failure, host};
use crate::base::SourceMap;
use crate::report::{RunReport, moment, waiting_until};
use crate::runtime::RunError;
use crate::runtime::store::{RowRecord, RowState, Store, StoreError};

/// Show where a run stands: each step with its numbers, each send with its outcome
#[derive(clap::Args, Debug)]
#[command(after_help = "Example: orch show vip-7K2M --person 4312")]
pub struct Arguments {
    /// The run, or the beginning of its name if only one begins so
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Follow one person through the run: why in, why out, step by step
    #[arg(long, value_name = "ID")]
    pub person: Option<String>,
    /// Add what happened, event by event
    #[arg(long)]
    pub events: bool,
}

/// Shows the run.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let project = host::project_of_run(context, &arguments.run)?;
    let failed = |error: RunError| host::run_failure(&error, SourceMap::new());
    let Some(store) = host::store_to_read(&project)? else {
        return Err(failed(RunError::UnknownRun { run: arguments.run.clone() }));
    };
    let record = host::find_run(&store, &arguments.run)?;
    let report = RunReport::read(&store, &record.run).map_err(|error| failed(error.into()))?;
    let Some(report) = report else {
        return Err(failed(RunError::UnknownRun { run: arguments.run.clone() }));
    };
    if context.output.is_json() {
        context.output.json(&report.json());
        return Ok(Exit::Done);
    }
    show(&report, &project, context);
    if let Some(person) = &arguments.person {
        show_person(&store, &report, person, context).map_err(|error| failed(error.into()))?;
    }
    if arguments.events {
        let zone = project.settings.project.timezone.rules();
        for entry in store.journal(&record.run).map_err(|error| failed(error.into()))? {
            let event = serde_json::to_string(&entry.event).unwrap_or_default();
            context.output.line(format!("  {:>4}  {}  {event}", entry.seq, moment(entry.at, &zone)));
        }
    }
    Ok(Exit::Done)
}

fn show(report: &RunReport, project: &crate::project::Project, context: &Context) {
    let output = &context.output;
    let zone = project.settings.project.timezone.rules();
    let record = &report.record;
    let simulated = if record.simulated { " · fast-forward" } else { "" };
    output.line(format!("{} · {} · {}{simulated}", record.run, record.file, record.status()));
    output.line(format!("started {}", moment(record.started, &zone)));
    output.line("");
    for line in report.lines(&zone, "sent") {
        output.line(line);
    }
    output.line("");
    if let Some(until) = waiting_until(record) {
        output.line(format!("waiting until {} · `orch resume {}` goes on", moment(until, &zone), record.run));
    }
    let reason = record.state.reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
    let balance = report.balance().map_or(String::new(), |balance| format!(" · {balance}"));
    output.line(format!("{}{reason}{balance}", record.status()));
}

/// What became of one person in every send.
fn show_person(store: &dyn Store, report: &RunReport, person: &str, context: &Context) -> Result<(), StoreError> {
    let output = &context.output;
    output.line("");
    output.line(person);
    for (send, _) in &report.sends {
        let mut found: Option<RowRecord> = None;
        store.rows(send.id, &mut |row| {
            if row.entity == person {
                found = Some(row);
            }
        })?;
        let said = match found.map(|row| row.state) {
            None => "not in".to_string(),
            Some(RowState::Excluded(exclusion)) => {
                let detail =
                    if exclusion.detail.is_empty() { String::new() } else { format!("    {}", exclusion.detail) };
                format!("excluded: {}{detail}", exclusion.reason.word())
            }
            Some(RowState::Intended(intent)) => format!("on its way to {}", intent.address),
            Some(RowState::Ended(intent, outcome)) => {
                let kind = serde_json::to_value(outcome.kind).unwrap_or_default();
                let word = kind.as_str().unwrap_or_default().to_string();
                format!("{word}    {} {}", intent.address, outcome.detail).trim_end().to_string()
            }
        };
        output.line(format!("  {}  send {:<16} {said}", send.step, send.channel));
    }
    Ok(())
}
