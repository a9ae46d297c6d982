//! `orch migrate RUN --to FILE`

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::handover::{Handed, hand_over, remark_later};
use super::host::{self, Holding, Script, Source};
use super::{Context, Exit, Failure};
use crate::base::SourceMap;
use crate::diag::{Problem, codes};
use crate::plan::Step;
use crate::plan::compare::{Change, Line, Place};
use crate::project::Project;
use crate::runtime::clock::{Clock, WallClock};
use crate::runtime::store::sqlite::SqliteStore;
use crate::runtime::store::{RunRecord, Store};
use crate::runtime::{Migration, Note, RunError};

/// Move a run that stands still to another version of its script
///
/// Without --yes it only shows the difference.
/// Editing a script never changes a run in flight; this does. It is refused when the run stands at a step that is gone,
/// when a send that has begun would change, or when the rest needs something that the run does not have.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  orch migrate vip-7K2M --to vip.orch           the difference, and where the run would go on
  orch migrate vip-7K2M --to vip.orch --yes")]
pub struct Arguments {
    /// The run
    #[arg(value_name = "RUN")]
    pub run: String,
    /// The new version
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
    /// The campaign, if the new version declares several; by default the one of the same name
    #[arg(long, value_name = "NAME")]
    pub campaign: Option<String>,
    /// Do it
    #[arg(long, short = 'y')]
    pub yes: bool,
}

/// The machine-readable comparison; fields are only ever added.
#[derive(Serialize)]
struct MigrateJson<'m> {
    run: &'m str,
    from: &'m str,
    to: &'m str,
    steps: Vec<LineJson>,
    refused: &'m [String],
    notes: &'m [String],
    migrated: bool,
}

#[derive(Serialize)]
struct LineJson {
    change: &'static str,
    path: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    was: Option<String>,
    /// True where a branch of the run stands.
    here: bool,
}

/// Compares, and moves the run if it is told to.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let failed = |error: RunError| host::run_failure(&error, SourceMap::new());
    let (project, record) = host::open_run(context, &arguments.run)?;
    if record.state.status.is_over() {
        return Err(failed(RunError::Over { run: record.run.clone(), status: record.status() }));
    }
    let unknown = || failed(RunError::UnknownRun { run: arguments.run.clone() });
    let reader = host::store_to_read(&project)?.ok_or_else(unknown)?;
    let old = host::pinned(&project, &reader, &record)?;
    let new = open_new(arguments, &record, context)?;
    if std::path::absolute(&new.project.base).ok() != std::path::absolute(&project.base).ok() {
        return Err(refused(&record, "the new version belongs to another project").into());
    }
    let migration = Migration::find(&reader, &record, &old.plan, &new.plan, &new.path).map_err(failed)?;
    drop(reader);
    let can = migration.refused.is_empty();
    let goes = arguments.yes && can && old.plan.fingerprint != new.plan.fingerprint;
    let migrated = goes && move_run(&project, &record, &migration, &new, context)?;
    show(&migration, (&old, &new), &record, migrated, context);
    Ok(if can { Exit::Done } else { Exit::Problems })
}

/// Moves the run, or has whoever holds the state do it. The state may have moved since it was looked at: what is written is
/// what is found now. False when the holder is busy and does it later.
fn move_run(
    project: &Project,
    record: &RunRecord,
    migration: &Migration,
    new: &Script,
    context: &Context,
) -> Result<bool, Failure> {
    let failed = |error: RunError| host::run_failure(&error, SourceMap::new());
    let engine = host::engine(project, &[], context)?;
    let moved = migration.moved(record, &new.plan, WallClock.now()).map_err(failed)?;
    let handed = match host::holding(project)? {
        Holding::Ours(store) => Handed::Free(store),
        Holding::Theirs { .. } => hand_over(project, &[Note::Migrate(Box::new(moved))], &engine)?,
    };
    let find = |store: &SqliteStore| store.run(&record.run).map_err(|error| failed(error.into()));
    match handed {
        Handed::Free(store) => {
            if find(&store)?.as_ref() != Some(record) {
                return Err(refused(record, "it moved on in the meantime").into());
            }
            let changes = migration.changes(record, &new.plan, WallClock.now()).map_err(failed)?;
            engine.block_on(store.commit(changes)).map_err(|error| failed(error.into()))?;
            Ok(true)
        }
        Handed::Taken => {
            let now = match host::store_to_read(project)? {
                Some(store) => find(&store)?,
                None => None,
            };
            match now {
                Some(now) if now.state.version > record.state.version => Ok(true),
                _ => {
                    let why = "it does not stand still, or moved on in the meantime";
                    let help = format!("hold it with `orch pause {}`, then try again", record.run);
                    Err(refused(record, why).help(help).into())
                }
            }
        }
        Handed::Later => {
            remark_later(project, context);
            Ok(false)
        }
    }
}

fn refused(record: &RunRecord, why: &str) -> Problem {
    Problem::outside(codes::run::NOT_MIGRATED, format!("`{}` stays as it is: {why}", record.run))
        .help("look at it again with `orch migrate`; `orch stop` and `orch run` begin anew")
}

/// The new version: the campaign that is asked for, the only one, or the one with the run's name.
fn open_new(arguments: &Arguments, record: &RunRecord, context: &Context) -> Result<Script, Failure> {
    let source = Source::File(Path::new(&arguments.to));
    if let Some(name) = &arguments.campaign {
        return Script::open(context, &source, Some(name));
    }
    match Script::open(context, &source, None) {
        Err(failure) if failure.problems.iter().any(|problem| problem.code == codes::run::NO_CAMPAIGN) => {
            Script::open(context, &source, Some(&record.campaign))
        }
        opened => opened,
    }
}

fn show(migration: &Migration, (old, new): (&Script, &Script), record: &RunRecord, migrated: bool, context: &Context) {
    let step = |script: &Script, place: Place| -> Step { script.plan.block(place.0).steps[place.1].clone() };
    let line = |line: &Line| {
        let (was, is) = (line.old.map(|place| step(old, place)), line.new.map(|place| step(new, place)));
        let here = migration.positions.iter().any(|(place, _)| Some(*place) == line.old);
        let change = match line.change {
            Change::Unchanged => "unchanged",
            Change::Changed => "changed",
            Change::Added => "added",
            Change::Removed => "removed",
        };
        let other = was.as_ref().zip(is.as_ref()).filter(|(was, is)| was.path != is.path || was.title != is.title);
        let other = other.map(|(was, _)| format!("{} {}", was.path, was.title));
        let (path, title) = is.or(was).map_or_else(Default::default, |step| (step.path, step.title));
        LineJson { change, path, title, was: other, here }
    };
    let lines: Vec<LineJson> = migration.comparison.lines.iter().map(line).collect();
    let output = &context.output;
    if output.is_json() {
        let (from, to) = (record.fingerprint.as_str(), new.plan.fingerprint.as_str());
        let (refused, notes) = (migration.refused.as_slice(), migration.notes.as_slice());
        output.json(&MigrateJson { run: &record.run, from, to, steps: lines, refused, notes, migrated });
        return;
    }
    let short = |text: &str| text.chars().take(8).collect::<String>();
    let campaign = |script: &Script| format!("{} {}", script.path, short(&script.plan.fingerprint));
    output.line(format!("{} · {} → {}", record.run, campaign(old), campaign(new)));
    output.line("");
    lines.iter().for_each(|line| output.line(text(line, &lines)));
    output.line("");
    for note in &migration.notes {
        output.line(format!("note: {note}"));
    }
    let run = &record.run;
    if !migration.refused.is_empty() {
        for why in &migration.refused {
            let problem = Problem::outside(codes::run::NOT_MIGRATED, format!("`{run}` cannot be moved: {why}"));
            output.remark(crate::diag::render(&problem, &SourceMap::new(), output.remark_style()).trim_end());
        }
        output.line("nothing was changed");
    } else if migrated {
        output.line(format!("{run} runs the new version · `orch resume {run}` goes on"));
    } else if old.plan.fingerprint == new.plan.fingerprint {
        output.line(format!("{run} runs this version already"));
    } else {
        let file = host::shown(&new.project.base.join(&new.path));
        output.line(format!("nothing was changed · `orch migrate {run} --to {file} --yes` does it"));
    }
}

/// `+ 3  log "x"        added`
fn text(line: &LineJson, all: &[LineJson]) -> String {
    let width = |of: &dyn Fn(&LineJson) -> usize, most: usize| all.iter().map(of).max().unwrap_or(1).min(most);
    let (paths, titles) = (width(&|line| line.path.chars().count(), 20), width(&|line| line.title.chars().count(), 44));
    let mark = match line.change {
        "added" => '+',
        "removed" => '-',
        "changed" => '~',
        _ => ' ',
    };
    let mut said = line.change.to_owned();
    if let Some(was) = &line.was {
        said = format!("{said} · was {was}");
    }
    if line.here {
        said += " · the run stands here";
    }
    format!("  {mark} {:>paths$}  {:<titles$}  {said}", line.path, line.title)
}
