//! `orch gc`

use jiff::SignedDuration;
use serde::Serialize;

use super::host::{self, Holding};
use super::{Context, Exit, Failure, project, workspace};
use crate::base::SourceMap;
use crate::diag::{Problem, codes};
use crate::hir::PolicyRule;
use crate::project::{Age, Project};
use crate::report::{Column, Table, bytes, count, moment, plural};
use crate::runtime::clock::{Clock, WallClock};
use crate::runtime::store::Change;
use crate::runtime::store::Store;
use crate::runtime::store::sqlite::SqliteStore;
use crate::runtime::{Garbage, OldRun, Retention, RunError};

/// Remove what runs that are over leave behind; without --yes only show it
///
/// Frozen populations and journals go after `[retention] runs` of orch.toml (90 days without it), what became of each
/// person after `[retention] ledger` (400 days), or both after --older-than. What caps count, numbers of runs and sends,
/// what `new` took, audiences and wishes of people stay.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  orch gc                        what would go, and how many bytes
  orch gc --older-than 30d --yes")]
pub struct Arguments {
    /// Of runs that ended longer ago than this, such as `30d`, whatever orch.toml says
    #[arg(long, value_name = "AGE")]
    pub older_than: Option<String>,
    /// Remove it
    #[arg(long, short = 'y')]
    pub yes: bool,
}

/// The machine-readable finding; fields are only ever added.
#[derive(Serialize)]
struct GcJson {
    removed: bool,
    bytes: u64,
    runs: Vec<RunJson>,
    orphans: Vec<FileJson>,
    imports: Vec<FileJson>,
}

#[derive(Serialize)]
struct RunJson {
    run: String,
    ended: jiff::Timestamp,
    files: u64,
    journal: u64,
    ledger: Option<u64>,
}

#[derive(Serialize)]
struct FileJson {
    file: String,
    bytes: u64,
}

/// Looks, and removes if it is told to.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let project = project::open(&context.globals, std::path::Path::new("."))?;
    let retention = retention(&project, arguments, context)?;
    let failed = |error: RunError| host::run_failure(&error, SourceMap::new());
    let now = WallClock.now();
    let folders = host::folders(&project);
    let Some(reader) = host::store_to_read(&project)? else {
        if !context.output.is_json() {
            context.output.line("there is no state yet");
        } else {
            show(&Garbage::default(), false, &project, context);
        }
        return Ok(Exit::Done);
    };
    if !arguments.yes {
        let garbage = Garbage::find(&reader, &folders, retention, now, false).map_err(failed)?;
        show(&garbage, false, &project, context);
        return Ok(Exit::Done);
    }
    drop(reader);
    let store = match host::holding(&project)? {
        Holding::Ours(store) => store,
        Holding::Theirs { holder } => return Err(held(holder).into()),
    };
    let garbage = Garbage::find(&store, &folders, retention, now, true).map_err(failed)?;
    remove(&garbage, &store, &project, context)?;
    show(&garbage, true, &project, context);
    Ok(Exit::Done)
}

/// Runs may be reading what would be removed, and writing what nothing names yet.
fn held(holder: Option<u32>) -> Problem {
    let (who, how) = match holder {
        Some(id) => (format!("process {id}"), format!("`kill -INT {id}`")),
        None => ("another process".to_owned(), "Ctrl-C there".to_owned()),
    };
    let message = format!("nothing was removed: {who} is driving runs, which may need what would go");
    Problem::outside(codes::run::STATE_IN_USE, message).help(format!(
        "{how} parks its runs; then `orch gc --yes`, and `orch serve` or `orch resume --all` goes on where they were\n\
         without --yes `orch gc` only shows what would go, which works at any time"
    ))
}

fn remove(garbage: &Garbage, store: &SqliteStore, project: &Project, context: &Context) -> Result<(), Failure> {
    let failed = |error: RunError| host::run_failure(&error, SourceMap::new());
    let engine = host::engine(project, &[], context)?;
    let now = WallClock.now();
    let commit = |changes: Vec<Change>| engine.block_on(store.commit(changes)).map_err(|error| failed(error.into()));
    for run in &garbage.runs {
        commit(Garbage::changes(store, run, now).map_err(failed)?)?;
    }
    commit(vec![Change::Tidy { before: garbage.before, contacts: garbage.contacts }])?;
    let folders = host::folders(project);
    garbage.remove_files(&folders).map_err(failed)?;
    if !garbage.runs.is_empty() {
        store.compact(&folders.state).map_err(|error| failed(error.into()))?;
    }
    Ok(())
}

fn retention(project: &Project, arguments: &Arguments, context: &Context) -> Result<Retention, Failure> {
    let settings = &project.settings.retention;
    let runs = match &arguments.older_than {
        Some(text) => Age::try_from(text.clone()).map_err(|_| {
            let message = format!("`--older-than {text}`: this is not a length of time");
            Failure::from(Problem::outside(codes::run::WRONG_ARGUMENT, message).help("write `30d`, `12h` or `8w`"))
        })?,
        None => settings.runs,
    };
    let signed = |age: Age| SignedDuration::try_from(age.0).unwrap_or(SignedDuration::MAX);
    let ledger = if arguments.older_than.is_some() { runs } else { settings.ledger };
    let (runs, contacts) = (signed(runs), signed(settings.ledger).max(longest_cap(project, context)?));
    // The ledger without its run's journal would still be of use; the reverse would not.
    Ok(Retention { runs, ledger: signed(ledger).max(runs), contacts })
}

/// The longest time over which a policy of the project counts what people got.
fn longest_cap(project: &Project, context: &Context) -> Result<SignedDuration, Failure> {
    const MONTH: i64 = 31;
    let mut longest = SignedDuration::ZERO;
    // A folder without scripts has no caps.
    let Ok(scripts) = workspace::scripts(std::slice::from_ref(&project.base), &context.globals) else {
        return Ok(longest);
    };
    for (of, files) in scripts {
        for file in files.iter().filter(|_| of.base == project.base) {
            let analysis = workspace::workspace(project).analyze(&workspace::inner_path(project, file));
            for rule in analysis.program.policies.iter().flat_map(|policy| &policy.rules) {
                if let PolicyRule::Cap { per, .. } = rule {
                    let days = per.months * MONTH + per.days;
                    let window = SignedDuration::from_hours(days * 24) + SignedDuration::from_secs(per.seconds);
                    longest = longest.max(window);
                }
            }
        }
    }
    Ok(longest)
}

fn show(garbage: &Garbage, removed: bool, project: &Project, context: &Context) {
    let base = host::folders(project).state;
    let file = |(path, bytes): &(std::path::PathBuf, u64)| FileJson {
        file: path.strip_prefix(&base).unwrap_or(path).display().to_string(),
        bytes: *bytes,
    };
    if context.output.is_json() {
        let run = |run: &OldRun| RunJson {
            run: run.run.clone(),
            ended: run.ended,
            files: run.files,
            journal: run.journal,
            ledger: run.ledger,
        };
        context.output.json(&GcJson {
            removed,
            bytes: garbage.bytes(),
            runs: garbage.runs.iter().map(run).collect(),
            orphans: garbage.orphans.iter().map(file).collect(),
            imports: garbage.imports.iter().map(file).collect(),
        });
        return;
    }
    if garbage.is_empty() {
        context.output.line("nothing to remove");
        return;
    }
    context.output.text(table(garbage, project).render(context.output.style().width));
    for orphan in garbage.orphans.iter().map(file).take(5) {
        context.output.line(format!("  without an owner: {}", orphan.file));
    }
    let what = format!("{} · {}", plural(garbage.runs.len() as u64, "run"), bytes(garbage.bytes()));
    context.output.line(match removed {
        true => format!("{what} removed"),
        false => format!("{what} would go · nothing was removed, `orch gc --yes` does it"),
    });
}

fn table(garbage: &Garbage, project: &Project) -> Table {
    let zone = project.settings.project.timezone.rules();
    let row = |run: &OldRun| {
        let ledger = run.ledger.map_or("kept".to_owned(), bytes);
        vec![
            Some(run.run.clone()),
            Some(moment(run.ended, &zone)),
            Some(bytes(run.files)),
            Some(bytes(run.journal)),
            Some(ledger),
        ]
    };
    let mut rows: Vec<_> = garbage.runs.iter().map(row).collect();
    let files = [("files without an owner", &garbage.orphans), ("imported files", &garbage.imports)];
    for (name, files) in files.into_iter().filter(|(_, files)| !files.is_empty()) {
        let total = files.iter().map(|(_, bytes)| bytes).sum();
        let name = format!("{} {name}", count(files.len() as u64));
        rows.push(vec![Some(name), Some(String::new()), Some(bytes(total)), Some(String::new()), Some(String::new())]);
    }
    let columns = vec![
        Column::left("run"),
        Column::left("ended"),
        Column::right("files"),
        Column::right("journal"),
        Column::right("people"),
    ];
    let total = rows.len() as u64;
    Table { columns, rows, total, elapsed: None }
}
