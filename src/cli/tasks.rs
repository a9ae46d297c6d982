//! `orch tasks`, `orch approve`, `orch reject`, `orch done`

use serde::Serialize;

use super::{Context, Exit, Failure, host, project};
use crate::base::SourceMap;
use crate::diag::{Problem, codes};
use crate::plan::HumanKind;
use crate::project::Project;
use crate::report::{Column, Table, moment};
use crate::runtime::Note;
use crate::runtime::clock::{Clock, WallClock};
use crate::runtime::store::{Store, TaskAnswer, TaskRecord};

/// List what runs ask people: decisions and things to do
#[derive(clap::Args, Debug)]
pub struct ListArguments {}

/// Answer what a run asks
#[derive(clap::Args, Debug)]
pub struct AnswerArguments {
    /// The run, or `RUN:STEP` if it asks several things
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Who answers; by default the name you are logged in with
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// What to say about it
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}

/// The machine-readable list; fields are only ever added.
#[derive(Serialize)]
struct TasksJson {
    tasks: Vec<TaskJson>,
}

#[derive(Serialize)]
struct TaskJson {
    task: String,
    run: String,
    kind: HumanKind,
    text: String,
    role: Option<String>,
    since: jiff::Timestamp,
    until: Option<jiff::Timestamp>,
}

/// Lists open tasks.
pub fn list(_arguments: &ListArguments, context: &Context) -> Result<Exit, Failure> {
    let mut open = Vec::new();
    for project in projects(context)? {
        open.extend(open_tasks(&project)?);
    }
    if context.output.is_json() {
        let json = |task: TaskRecord| TaskJson {
            task: name_of(&task),
            run: task.run,
            kind: task.kind,
            text: task.text,
            role: task.role,
            since: task.at,
            until: task.deadline,
        };
        context.output.json(&TasksJson { tasks: open.into_iter().map(json).collect() });
        return Ok(Exit::Done);
    }
    if open.is_empty() {
        context.output.line("nobody is asked anything");
        return Ok(Exit::Done);
    }
    let zone = project::open(&context.globals, std::path::Path::new("."))?.settings.project.timezone.rules();
    let row = |task: &TaskRecord| {
        let word = if task.kind == HumanKind::Approve { "approve" } else { "done" };
        let until = task.deadline.map(|until| moment(until, &zone));
        vec![Some(name_of(task)), Some(word.to_string()), task.role.clone(), until, Some(task.text.clone())]
    };
    let columns = ["run", "answer with", "by", "until", "text"].map(Column::left).into();
    let table = Table { columns, rows: open.iter().map(row).collect(), total: open.len() as u64, elapsed: None };
    context.output.text(table.render(context.output.style().width));
    Ok(Exit::Done)
}

/// Answers one task.
pub fn answer(arguments: &AnswerArguments, kind: HumanKind, yes: bool, context: &Context) -> Result<Exit, Failure> {
    let (project, task) = find(&arguments.run, kind, context)?;
    let by = arguments.by.clone().or_else(|| context.environment.user.clone()).unwrap_or_else(|| "somebody".into());
    allowed(&project, &task, &by)?;
    let answer = TaskAnswer { yes, by: by.clone(), note: arguments.note.clone(), at: WallClock.now() };
    let name = name_of(&task);
    let note = Note::Answer { run: task.run, step: task.step, token: task.token, answer };
    host::tell(&project, &note, context)?;
    if !context.output.is_json() {
        let word = match (kind, yes) {
            (HumanKind::Approve, true) => "approved",
            (HumanKind::Approve, false) => "rejected",
            (HumanKind::Task, _) => "done",
        };
        context.output.line(format!("{name} {word} by {by}"));
    }
    Ok(Exit::Done)
}

/// Only those whom the manifest gives a role may answer for it; a role that it does not mention is anybody's.
fn allowed(project: &Project, task: &TaskRecord, by: &str) -> Result<(), Failure> {
    let Some(role) = &task.role else { return Ok(()) };
    match project.settings.roles.get(role) {
        Some(people) if !people.iter().any(|person| person == by) => {
            let problem = Problem::outside(codes::run::NOT_ALLOWED, format!("`{by}` may not answer for `{role}`"))
                .help(format!("`{role}` is {}; say who you are with `--by`", people.join(", ")));
            Err(problem.into())
        }
        _ => Ok(()),
    }
}

/// The open task that is meant.
fn find(written: &str, kind: HumanKind, context: &Context) -> Result<(Project, TaskRecord), Failure> {
    let mut found = Vec::new();
    for project in projects(context)? {
        for task in open_tasks(&project)? {
            let is_meant = task.run == written || name_of(&task) == written;
            if is_meant && task.kind == kind {
                found.push((project.clone(), task));
            }
        }
    }
    if found.len() == 1 {
        return Ok(found.remove(0));
    }
    let problem = if found.is_empty() {
        Problem::outside(codes::run::UNKNOWN_TASK, format!("`{written}` asks nothing that can be answered so"))
            .help("`orch tasks` lists what is asked and how it is answered")
    } else {
        let names: Vec<String> = found.iter().map(|(_, task)| name_of(task)).collect();
        Problem::outside(codes::run::UNKNOWN_TASK, format!("`{written}` asks several things"))
            .help(format!("name one of {}", names.join(", ")))
    };
    Err(problem.into())
}

/// `ask-7K2M:3`, and the branch if it is not the main one.
pub fn name_of(task: &TaskRecord) -> String {
    let branch = if task.token.is_empty() { String::new() } else { format!("@{}", task.token) };
    format!("{}:{}{branch}", task.run, task.step)
}

fn projects(context: &Context) -> Result<Vec<Project>, Failure> {
    let here = project::open(&context.globals, std::path::Path::new("."))?;
    let below = host::projects_below(context, &here)?;
    Ok(std::iter::once(here).chain(below).collect())
}

fn open_tasks(project: &Project) -> Result<Vec<TaskRecord>, Failure> {
    let failed = |error: crate::runtime::store::StoreError| host::run_failure(&error.into(), SourceMap::new());
    let Some(store) = host::store_to_read(project)? else { return Ok(Vec::new()) };
    let mut open = Vec::new();
    for task in store.open_tasks().map_err(failed)? {
        let run = store.run(&task.run).map_err(failed)?;
        if run.is_some_and(|run| !run.state.status.is_over()) {
            open.push(task);
        }
    }
    Ok(open)
}
