//! `orch backup DEST`, `orch restore SRC`

use std::path::PathBuf;

use serde::Serialize;

use super::doubt::DoubtJson;
use super::{Context, Exit, Failure, host, project, question};
use crate::base::SourceMap;
use crate::report::{bytes, count, moment, plural};
use crate::runtime::store::{RunRecord, Store};
use crate::runtime::{Manifest, RunError, backup, restore, verify};

/// Copy the state of this profile to a folder, while runs go on
///
/// The folder holds the database as of one instant, frozen populations, what `new` remembers, audiences, and a manifest
/// with a checksum of each file. What was delivered (the outbox) is not part of it.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example: orch backup /backups/shop-2026-11-24 --profile prod")]
pub struct BackupArguments {
    /// A folder that does not exist yet
    #[arg(value_name = "DEST")]
    pub to: PathBuf,
}

/// Put a backup in the place of the state of this profile
///
/// Runs that were not over are held: nobody knows what they have sent since the backup was made. `orch resume RUN
/// --sent-after-backup skip` leaves such messages as unknown, `resend` sends them again; where a channel can tell (the
/// outbox can), what it has is not sent twice either way. Starts that were due in between are listed and not made, and a
/// run with `new` is held until somebody has said what its memory holds. The database that was there is kept beside the
/// new one.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example: orch restore /backups/shop-2026-11-24 --profile prod")]
pub struct RestoreArguments {
    /// The folder that `orch backup` made
    #[arg(value_name = "SRC")]
    pub from: PathBuf,
    /// Do not ask before a state is replaced
    #[arg(long, short = 'y')]
    pub yes: bool,
}

/// The machine-readable result; fields are only ever added.
#[derive(Serialize)]
struct BackupJson {
    folder: String,
    made: jiff::Timestamp,
    runs: u64,
    open: u64,
    files: usize,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    doubt: Option<DoubtJson>,
}

impl BackupJson {
    fn new(folder: &std::path::Path, manifest: &Manifest) -> Self {
        Self {
            folder: folder.display().to_string(),
            made: manifest.made,
            runs: manifest.runs,
            open: manifest.open,
            files: manifest.files.len(),
            bytes: manifest.bytes(),
            held: None,
            kept: None,
            doubt: None,
        }
    }
}

/// Makes a backup.
pub fn backup_state(arguments: &BackupArguments, context: &Context) -> Result<Exit, Failure> {
    let project = project::open(&context.globals, std::path::Path::new("."))?;
    let failed = |error: RunError| host::run_failure(&error, SourceMap::new());
    let made = backup(&host::folders(&project).state, &project.profile, &arguments.to).map_err(failed)?;
    if context.output.is_json() {
        context.output.json(&BackupJson::new(&arguments.to, &made));
        return Ok(Exit::Done);
    }
    let (runs, files) = (plural(made.runs, "run"), plural(made.files.len() as u64, "file"));
    let folder = arguments.to.display();
    context.output.line(format!("{runs}, {} open · {files}, {} · {folder}", count(made.open), bytes(made.bytes())));
    Ok(Exit::Done)
}

/// Restores one.
pub fn restore_state(arguments: &RestoreArguments, context: &Context) -> Result<Exit, Failure> {
    let project = project::open(&context.globals, std::path::Path::new("."))?;
    let failed = |error: RunError| host::run_failure(&error, SourceMap::new());
    let zone = project.settings.project.timezone.rules();
    let manifest = verify(&arguments.from).map_err(failed)?;
    if manifest.profile != project.profile && !context.output.is_json() {
        let (theirs, ours) = (&manifest.profile, &project.profile);
        context.output.remark(format!("warning: the backup is of the profile {theirs}, it is restored to {ours}"));
    }
    if let Some(lost) = lost(&project, &arguments.from).map_err(failed)? {
        let made = moment(manifest.made, &zone);
        let ask =
            format!("the backup of {made} takes the place of a state {lost}; what happened since is forgotten. Go on?");
        if !question::confirmed(&ask, arguments.yes, context)? {
            context.output.line("nothing was changed");
            return Ok(Exit::Done);
        }
    }
    let engine = host::engine(&project, &[], context)?;
    let kept = restore(&engine, &arguments.from, &manifest).map_err(failed)?;
    let (held, doubt) = in_doubt(&project)?;
    if context.output.is_json() {
        let kept = kept.map(|path| path.display().to_string());
        let restored = BackupJson::new(&arguments.from, &manifest);
        context.output.json(&BackupJson { held: Some(held), kept, doubt, ..restored });
        return Ok(Exit::Done);
    }
    let runs = plural(manifest.runs, "run");
    context.output.line(format!("restored · {runs} as of {}", moment(manifest.made, &zone)));
    for run in &held {
        let choice = "--sent-after-backup skip|resend";
        context.output.line(format!("  {run} is held · `orch resume {run} {choice}` goes on"));
    }
    for line in doubt.iter().flat_map(|doubt| doubt.lines(&zone)) {
        context.output.line(format!("  {line}"));
    }
    if let Some(kept) = kept {
        context.output.line(format!("  the database that was there is kept as {}", host::shown(&kept)));
    }
    context.output.remark(
        "what happened after the backup is not known any more: runs that began, what `new` took, who was written to or \
         unsubscribed · `orch feedback` reads reports again",
    );
    Ok(Exit::Done)
}

/// What a state that is there would lose, in words; `None` when there is no state.
fn lost(project: &crate::project::Project, from: &std::path::Path) -> Result<Option<String>, RunError> {
    use crate::runtime::store::sqlite::SqliteStore;
    let Some(live) = SqliteStore::open_read_only(&host::folders(project).state)? else { return Ok(None) };
    let backup = SqliteStore::open_read_only(from)?;
    let earlier: Vec<RunRecord> = match &backup {
        Some(store) => store.runs()?,
        None => Vec::new(),
    };
    let runs = live.runs()?;
    let is_new = |run: &&RunRecord| !earlier.iter().any(|known| known.run == run.run);
    let went_on = |run: &&RunRecord| earlier.iter().any(|known| known.run == run.run && known.seq < run.seq);
    let (new, on) = (runs.iter().filter(is_new).count(), runs.iter().filter(went_on).count());
    drop(backup);
    for extra in ["state.db-wal", "state.db-shm"] {
        // Reading may have made them; they hold nothing.
        let _ = std::fs::remove_file(from.join(extra));
    }
    Ok(Some(match (new, on) {
        (0, 0) => "that is as old".to_owned(),
        (new, on) => format!("with {} and {} that went on", plural(new as u64, "newer run"), count(on as u64)),
    }))
}

/// The runs that wait for an answer, and what else does.
fn in_doubt(project: &crate::project::Project) -> Result<(Vec<String>, Option<DoubtJson>), Failure> {
    let failed = |error: crate::runtime::store::StoreError| host::run_failure(&error.into(), SourceMap::new());
    let Some(store) = host::store_to_read(project)? else { return Ok((Vec::new(), None)) };
    let runs = store.runs().map_err(failed)?;
    let held = runs.into_iter().filter(|run| run.state.restored.is_some()).map(|run| run.run).collect();
    Ok((held, DoubtJson::read(&store).map_err(failed)?))
}
