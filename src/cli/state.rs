//! `orch state`

mod change;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Context, Exit, Failure, host, project};
use crate::base::{SourceMap, did_you_mean};
use crate::diag::{Problem, codes};
use crate::hir::Value;
use crate::project::Project;
use crate::report::{Column, Table, count, moment};
use crate::runtime::store::{Store, StoreError, TakeRecord};
use crate::runtime::{keys_of, write_cells};

/// Show which rows earlier runs took with `new`; export, rewind or baseline a memory
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  orch state                                     all memories of the project
  orch state daily.fresh                         what each run took
  orch state daily.fresh --export taken.csv
  orch state daily.fresh --rewind 2026-11-20     what was taken since then is new again
  orch state daily.fresh --baseline all          only what comes from now on is new")]
pub struct Arguments {
    /// The memory: the campaign and the segment, or the name given to `new`
    #[arg(value_name = "MEMORY")]
    memory: Option<String>,
    /// Write what it holds into a CSV file
    #[arg(long, value_name = "FILE", requires = "memory", conflicts_with_all = ["rewind", "baseline"])]
    export: Option<PathBuf>,
    /// Forget what was taken since a date or an instant, by one run, or `all`
    #[arg(long, value_name = "SINCE", requires = "memory", conflicts_with = "baseline")]
    rewind: Option<String>,
    /// Leave out `all` rows there are now, those up to a value of the field, or the keys in a CSV file
    #[arg(long, value_name = "WHAT", requires = "memory")]
    baseline: Option<String>,
    /// After `orch restore`: believe the memory as it is; rows that were taken since the backup are new again
    #[arg(long, requires = "memory", conflicts_with_all = ["rewind", "baseline", "export"])]
    as_restored: bool,
}

/// The machine-readable list; fields are only ever added.
#[derive(Serialize)]
struct StateJson {
    memories: Vec<MemoryJson>,
}

#[derive(Serialize)]
struct MemoryJson {
    memory: String,
    entity: String,
    by: Option<String>,
    rows: u64,
    up_to: Option<String>,
    takes: Vec<TakeJson>,
}

#[derive(Serialize)]
struct TakeJson {
    run: Option<String>,
    rows: u64,
    up_to: Option<String>,
    at: jiff::Timestamp,
    kept: bool,
    simulated: bool,
}

/// Shows or changes memories.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let project = project::open(&context.globals, Path::new("."))?;
    if let (Some(memory), Some(what)) = (&arguments.memory, &arguments.baseline) {
        return change::baseline(&project, memory, what, context);
    }
    if let (Some(memory), true) = (&arguments.memory, arguments.as_restored) {
        return change::trust(&project, memory, context);
    }
    let takes = match host::store_to_read(&project)? {
        Some(store) => store.takes(arguments.memory.as_deref()).map_err(failed)?,
        None => Vec::new(),
    };
    let Some(memory) = &arguments.memory else {
        list(&takes, &project, context);
        return Ok(Exit::Done);
    };
    if takes.is_empty() {
        return Err(unknown(&project, memory)?);
    }
    match (&arguments.export, &arguments.rewind) {
        (Some(file), _) => export(&project, &takes, file, context)?,
        (None, Some(since)) => change::rewind(&project, memory, since, context)?,
        (None, None) => show(memory, &takes, &project, context),
    }
    Ok(Exit::Done)
}

fn failed(error: StoreError) -> Failure {
    host::run_failure(&error.into(), SourceMap::new())
}

/// The failure for a memory that holds nothing.
fn unknown(project: &Project, memory: &str) -> Result<Failure, Failure> {
    let takes = match host::store_to_read(project)? {
        Some(store) => store.takes(None).map_err(failed)?,
        None => Vec::new(),
    };
    let problem = Problem::outside(codes::run::UNKNOWN_MEMORY, format!("the memory `{memory}` holds nothing"));
    let known = takes.iter().map(|take| take.memory.as_str());
    Ok(match did_you_mean(memory, known) {
        Some(near) => problem.help(format!("did you mean `{near}`?")).into(),
        None => problem.help("`orch state` lists those that hold something; `--baseline` begins one").into(),
    })
}

/// The highest value that a memory or a take has come to.
fn up_to<'t>(takes: impl Iterator<Item = &'t TakeRecord>) -> Option<Value> {
    takes.flat_map(|take| take.ranges.iter().map(|(_, to)| to)).max_by(|a, b| a.compare(b)).cloned()
}

/// A value without loss, as `--baseline` and CSV files have it.
fn exact(value: &Value) -> String {
    match value {
        Value::Timestamp(at) => at.to_string(),
        other => other.to_text(&jiff::tz::TimeZone::UTC),
    }
}

fn list(takes: &[TakeRecord], project: &Project, context: &Context) {
    let mut memories: BTreeMap<&str, Vec<&TakeRecord>> = BTreeMap::new();
    for take in takes {
        memories.entry(&take.memory).or_default().push(take);
    }
    if context.output.is_json() {
        let memories = memories.into_values().map(|takes| memory_json(&takes)).collect();
        context.output.json(&StateJson { memories });
        return;
    }
    if memories.is_empty() {
        context.output.line("nothing is remembered yet · a segment with `new` takes rows when it runs");
        return;
    }
    let zone = project.settings.project.timezone.rules();
    let row = |(name, takes): (&&str, &Vec<&TakeRecord>)| {
        let rows: u64 = takes.iter().map(|take| take.rows).sum();
        let latest = takes.iter().map(|take| take.at).max().map(|at| moment(at, &zone));
        let highest = up_to(takes.iter().copied()).map(|value| value.to_text(&zone));
        vec![Some((*name).to_owned()), Some(what(takes[0])), Some(count(rows)), highest, latest]
    };
    let columns = vec![
        Column::left("memory"),
        Column::left("rows of"),
        Column::right("taken"),
        Column::left("up to"),
        Column::left("latest"),
    ];
    let table =
        Table { columns, rows: memories.iter().map(row).collect(), total: memories.len() as u64, elapsed: None };
    context.output.text(table.render(context.output.style().width));
}

/// `orders by placed_at`
fn what(take: &TakeRecord) -> String {
    match &take.by {
        Some(by) => format!("{} by {by}", take.entity),
        None => format!("{} by key", take.entity),
    }
}

fn memory_json(takes: &[&TakeRecord]) -> MemoryJson {
    let take = |take: &&TakeRecord| TakeJson {
        run: take.run.clone(),
        rows: take.rows,
        up_to: up_to(std::iter::once(*take)).as_ref().map(exact),
        at: take.at,
        kept: take.kept,
        simulated: take.simulated,
    };
    MemoryJson {
        memory: takes[0].memory.clone(),
        entity: takes[0].entity.clone(),
        by: takes[0].by.clone(),
        rows: takes.iter().map(|take| take.rows).sum(),
        up_to: up_to(takes.iter().copied()).as_ref().map(exact),
        takes: takes.iter().map(take).collect(),
    }
}

fn show(memory: &str, takes: &[TakeRecord], project: &Project, context: &Context) {
    if context.output.is_json() {
        let takes: Vec<&TakeRecord> = takes.iter().collect();
        context.output.json(&StateJson { memories: vec![memory_json(&takes)] });
        return;
    }
    let zone = project.settings.project.timezone.rules();
    context.output.line(format!("{memory} · {}", what(&takes[0])));
    context.output.line("");
    let row = |take: &TakeRecord| {
        let run = take.run.clone().unwrap_or_else(|| "baseline".to_owned());
        let highest = up_to(std::iter::once(take)).map(|value| value.to_text(&zone));
        let state = match (take.kept, take.simulated) {
            (_, true) => "fast-forward",
            (true, false) => "kept",
            (false, false) => "reserved",
        };
        vec![Some(run), Some(count(take.rows)), highest, Some(moment(take.at, &zone)), Some(state.to_owned())]
    };
    let columns = vec![
        Column::left("taken by"),
        Column::right("rows"),
        Column::left("up to"),
        Column::left("at"),
        Column::left("state"),
    ];
    let table = Table { columns, rows: takes.iter().map(row).collect(), total: takes.len() as u64, elapsed: None };
    context.output.text(table.render(context.output.style().width));
}

fn export(project: &Project, takes: &[TakeRecord], file: &Path, context: &Context) -> Result<(), Failure> {
    let failed = |error| host::run_failure(&error, SourceMap::new());
    let mut rows = Vec::new();
    let mut names = Vec::new();
    for take in takes {
        let keys = keys_of(&host::folders(project).state, take).map_err(failed)?;
        names.clone_from(&keys.names);
        rows.extend(keys.rows.iter().map(|key| key.iter().map(exact).collect::<Vec<_>>()));
        let end = |value: &Option<Value>| value.as_ref().map(exact).unwrap_or_default();
        rows.extend(take.ranges.iter().map(|(from, to)| vec![end(from), exact(to)]));
    }
    if names.is_empty() {
        names = vec!["above".to_owned(), "up_to".to_owned()];
    }
    write_cells(file, &names, &rows).map_err(failed)?;
    if !context.output.is_json() {
        context.output.line(format!(
            "{} written to {}",
            crate::report::plural(rows.len() as u64, "row"),
            file.display()
        ));
    }
    Ok(())
}
