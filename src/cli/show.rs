//! `orch show RUN`

use serde::Serialize;

use super::waiting::waiting_for;
use super::{Context, Exit, Failure, ask, host};
use crate::base::SourceMap;
use crate::diag::{Problem, codes};
use crate::report::{RunJson, RunReport, moment, waiting_until};
use crate::runtime::store::sqlite::SqliteStore;
use crate::runtime::store::{OutcomeKind, RowRecord, RowState, RunRecord, SendRecord, Store};
use crate::runtime::{Fate, RunError};

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
    let tasks = store.open_tasks().map_err(|error| failed(error.into()))?;
    let waiting_for = waiting_for(&store, &record, &tasks).map_err(|error| failed(error.into()))?;
    let person = match &arguments.person {
        Some(id) => {
            let trail = trail(&project, &store, &record, id, context);
            Some(person(&store, &report, id, trail, || ask::is_in_data(id, &project, context))?)
        }
        None => None,
    };
    if context.output.is_json() {
        context.output.json(&ShowJson { run: report.json(), waiting_for, person });
        return Ok(Exit::Done);
    }
    show(&report, waiting_for, &project, context);
    if let Some(person) = &person {
        show_person(person, context);
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

fn show(report: &RunReport, waiting_for: Option<String>, project: &crate::project::Project, context: &Context) {
    let output = &context.output;
    let zone = project.settings.project.timezone.rules();
    let record = &report.record;
    let simulated = if record.simulated { " · fast-forward" } else { "" };
    output.line(format!("{} · {} · {}{simulated}", record.run, record.file, record.status()));
    output.line(format!("started {}", moment(record.started, &zone)));
    let lines = report.lines(&zone, "sent");
    if !lines.is_empty() {
        output.line("");
    }
    lines.into_iter().for_each(|line| output.line(line));
    output.line("");
    if let Some(what) = waiting_for {
        output.line(format!("waiting for: {what}"));
    }
    if let Some(until) = waiting_until(record) {
        output.line(format!("waiting until {} · `orch resume {}` goes on", moment(until, &zone), record.run));
    }
    let reason = record.state.reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
    let balance = report.balance().map_or(String::new(), |balance| format!(" · {balance}"));
    output.line(format!("{}{reason}{balance}", record.status()));
}

/// A run, and a person if one is asked for; fields are only ever added.
#[derive(Serialize)]
struct ShowJson<'r> {
    #[serde(flatten)]
    run: RunJson<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_for: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<PersonJson>,
}

/// One person in every population and every send.
#[derive(Serialize)]
struct PersonJson {
    id: String,
    steps: Vec<PersonStepJson>,
    sends: Vec<PersonSendJson>,
}

/// What a step that froze a population made of them.
#[derive(Serialize)]
struct PersonStepJson {
    path: String,
    title: String,
    /// `in`, `out`, or `gone` when it is not known any more.
    state: &'static str,
    why: String,
    /// Sends that were performed before it.
    #[serde(skip)]
    after: usize,
}

#[derive(Serialize)]
struct PersonSendJson {
    path: String,
    channel: String,
    message: Option<String>,
    /// `not_in`, `excluded`, `due`, `removed`, or what became of the message.
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    detail: String,
}

/// The populations that the person is in, and why not in the others; nothing where the run's source or rows are gone.
fn trail(
    project: &crate::project::Project,
    store: &SqliteStore,
    record: &RunRecord,
    id: &str,
    context: &Context,
) -> Vec<PersonStepJson> {
    let Ok(script) = host::pinned(project, store, record) else { return Vec::new() };
    let Ok(engine) = host::engine(project, &[], context) else { return Vec::new() };
    let Ok(stops) = engine.trail(store, &script.plan, &record.run, id) else { return Vec::new() };
    let mut after = 0;
    let mut steps = Vec::new();
    for stop in stops {
        let (state, why) = match stop.fate {
            Fate::In(why) => ("in", why),
            Fate::Out(why) => ("out", why),
            Fate::Gone(why) => ("gone", why),
            Fate::Send(_) => {
                after += 1;
                continue;
            }
        };
        steps.push(PersonStepJson { path: stop.path, title: stop.title, state, why, after });
    }
    steps
}

/// What became of one person in every send.
///
/// # Errors
/// Nobody has this key, in any send or in the data.
fn person(
    store: &SqliteStore,
    report: &RunReport,
    id: &str,
    steps: Vec<PersonStepJson>,
    is_in_data: impl FnOnce() -> bool,
) -> Result<PersonJson, Failure> {
    let mut sends = Vec::new();
    let mut known = steps.iter().any(|step| step.state == "in");
    let (_, collected) = store.collected().map_err(|error| host::run_failure(&error.into(), SourceMap::new()))?;
    for (send, _) in &report.sends {
        if collected.contains(&send.id) {
            let (path, channel, message) = (send.step.clone(), send.channel.clone(), send.message.clone());
            let (state, detail) = ("removed".to_owned(), "removed by `orch gc`".to_owned());
            sends.push(PersonSendJson { path, channel, message, state, reason: None, address: None, detail });
            continue;
        }
        let mut found: Option<RowRecord> = None;
        let each = &mut |row: RowRecord| {
            if row.entity == id {
                found = Some(row);
            }
        };
        store.rows(send.id, each).map_err(|error| host::run_failure(&error.into(), SourceMap::new()))?;
        known |= found.is_some();
        sends.push(person_send(send, found.map(|row| row.state)));
    }
    if known || is_in_data() {
        return Ok(PersonJson { id: id.to_owned(), steps, sends });
    }
    let help = "a person is named by the key of the rows that are sent to";
    let run = &report.record.run;
    let problem =
        Problem::outside(codes::run::UNKNOWN_NAME, format!("neither `{run}` nor the data knows `{id}`")).help(help);
    Err(Failure { exit: Exit::Problems, ..Failure::from(problem) })
}

fn person_send(send: &SendRecord, state: Option<RowState>) -> PersonSendJson {
    let (state, reason, address, detail) = match state {
        None => ("not_in".to_owned(), None, None, String::new()),
        Some(RowState::Excluded(exclusion)) => {
            ("excluded".to_owned(), Some(exclusion.reason.word()), None, exclusion.detail)
        }
        Some(RowState::Ended(intent, outcome)) if outcome.kind == OutcomeKind::Reopened => {
            ("due".to_owned(), None, Some(intent.address), outcome.detail)
        }
        Some(RowState::Intended(intent)) => ("due".to_owned(), None, Some(intent.address), String::new()),
        Some(RowState::Ended(intent, outcome)) => {
            let kind = serde_json::to_value(outcome.kind).unwrap_or_default();
            (kind.as_str().unwrap_or_default().to_owned(), None, Some(intent.address), outcome.detail)
        }
    };
    let (path, channel, message) = (send.step.clone(), send.channel.clone(), send.message.clone());
    PersonSendJson { path, channel, message, state, reason, address, detail }
}

fn show_person(person: &PersonJson, context: &Context) {
    let output = &context.output;
    output.line("");
    output.line(&person.id);
    let populations = |after: &dyn Fn(usize) -> bool| {
        for step in person.steps.iter().filter(|step| after(step.after)) {
            let why = if step.why.is_empty() { String::new() } else { format!("   {}", step.why) };
            let line = format!("  {}  {:<24} {:<4}{why}", step.path, step.title, step.state);
            output.line(crate::diag::safe_text(line.trim_end()));
        }
    };
    for (at, send) in person.sends.iter().enumerate() {
        populations(&|after| after == at);
        let words = send.state.replace('_', " ");
        let mut said = match (&send.reason, &send.address) {
            (Some(reason), _) => format!("{words}: {}", reason.replace('_', " ")),
            (None, Some(address)) if send.state == "due" => format!("on its way to {address}"),
            (None, Some(address)) => format!("{words} to {address}"),
            (None, None) if send.state == "removed" => String::new(),
            (None, None) => words,
        };
        if !send.detail.is_empty() {
            said += &format!("{}{}", if said.is_empty() { "" } else { " · " }, send.detail);
        }
        let title = format!("send {} {}", send.channel, send.message.as_deref().unwrap_or_default());
        output.line(crate::diag::safe_text(&format!("  {}  {:<24} {said}", send.path, title.trim_end())));
    }
    populations(&|after| after >= person.sends.len());
}
