//! What a state directory holds that nobody needs any more: details of runs that are over, and files without an owner.
//!
//! Rows of the store go first, in one transaction per run, then files. So a crash in between leaves files without an
//! owner, which the next look finds. Numbers of runs and sends, takes, audiences and subscriptions are never removed:
//! later runs depend on them.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::error::RunError;
use super::executor::file_error;
use super::store::sqlite::SqliteStore;
use super::store::{Change, Realm, RunRecord, Store};
use super::tables::Folders;

/// How long things are kept after a run is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retention {
    /// Frozen populations and journals.
    pub runs: SignedDuration,
    /// What became of each person: `orch show --person` and `orch retry` need it.
    pub ledger: SignedDuration,
    /// To whom messages went, which caps count.
    pub contacts: SignedDuration,
}

/// What can go of one run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OldRun {
    /// Its name.
    pub run: String,
    /// When its last event happened.
    pub ended: Timestamp,
    /// Its frozen populations and other files, in bytes.
    pub files: u64,
    /// Its journal in the database, about so many bytes.
    pub journal: u64,
    /// The rows of its sends, about so many bytes; none while they are kept.
    pub ledger: Option<u64>,
}

/// What can go.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Garbage {
    /// Runs that are over for long enough, the oldest first.
    pub runs: Vec<OldRun>,
    /// Files and folders that nothing names, and their bytes.
    pub orphans: Vec<(PathBuf, u64)>,
    /// Imported text files that were not needed for long, and their bytes. They are imported again when they are.
    pub imports: Vec<(PathBuf, u64)>,
    /// Signals older than this are of use to no run.
    pub before: Timestamp,
    /// No cap counts contacts older than this.
    pub contacts: Timestamp,
}

impl Garbage {
    /// Looks at a state. `held` says that nobody writes to it meanwhile, so that half-written files are nobody's.
    ///
    /// # Errors
    /// The store or a folder cannot be read.
    pub fn find(
        store: &SqliteStore,
        folders: &Folders,
        retention: Retention,
        now: Timestamp,
        held: bool,
    ) -> Result<Self, RunError> {
        let before = |age: SignedDuration| now.checked_sub(age).unwrap_or(Timestamp::MIN);
        let (collected, without_rows) = store.collected()?;
        let mut garbage =
            Garbage { before: before(retention.runs), contacts: before(retention.contacts), ..Garbage::default() };
        let runs = store.runs()?;
        let is_old = |record: &&RunRecord| record.is_done() && ended(record) <= before(retention.runs);
        for record in runs.iter().rev().filter(is_old) {
            let rows_go = ended(record) <= before(retention.ledger)
                && store.sends(&record.run)?.iter().any(|send| !without_rows.contains(&send.id));
            let gone = collected.contains(&record.run);
            if gone && !rows_go {
                continue;
            }
            let (journal, rows) = store.sizes(&record.run)?;
            garbage.runs.push(OldRun {
                run: record.run.clone(),
                ended: ended(record),
                files: bytes(&folders.run(&record.run)),
                journal,
                ledger: rows_go.then_some(rows),
            });
        }
        garbage.orphans = orphans(store, folders, &runs, &collected, held)?;
        garbage.imports = old(&folders.imports(), before(retention.runs));
        Ok(garbage)
    }

    /// True when there is nothing to remove.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.orphans.is_empty() && self.imports.is_empty()
    }

    /// About how many bytes removing it frees.
    pub fn bytes(&self) -> u64 {
        let run = |run: &OldRun| run.files + run.journal + run.ledger.unwrap_or(0);
        let files = |files: &[(PathBuf, u64)]| files.iter().map(|(_, bytes)| bytes).sum::<u64>();
        self.runs.iter().map(run).sum::<u64>() + files(&self.orphans) + files(&self.imports)
    }

    /// The changes of the store that take a run's details away.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn changes(store: &SqliteStore, run: &OldRun, now: Timestamp) -> Result<Vec<Change>, RunError> {
        let mut tallies = None;
        if run.ledger.is_some() {
            let sends = store.sends(&run.run)?;
            let tally = |send: i64| Ok::<_, RunError>((send, store.tally(send)?));
            tallies = Some(sends.iter().map(|send| tally(send.id)).collect::<Result<Vec<_>, _>>()?);
        }
        Ok(vec![Change::Collect { run: run.run.clone(), tallies, at: now }])
    }

    /// Removes the files, once the store has forgotten what they were for.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub fn remove_files(&self, folders: &Folders) -> Result<(), RunError> {
        for run in &self.runs {
            remove(&folders.run(&run.run))?;
        }
        self.orphans.iter().chain(&self.imports).try_for_each(|(path, _)| remove(path))
    }
}

/// When a run was over by the clock on the wall; a run on a virtual clock took next to no time.
fn ended(record: &RunRecord) -> Timestamp {
    if record.simulated { record.started } else { record.updated }
}

/// Files that nothing in the store names.
fn orphans(
    store: &SqliteStore,
    folders: &Folders,
    runs: &[RunRecord],
    collected: &BTreeSet<String>,
    held: bool,
) -> Result<Vec<(PathBuf, u64)>, RunError> {
    let mut named: BTreeSet<PathBuf> = BTreeSet::new();
    named.extend(store.takes(None)?.into_iter().filter_map(|take| take.file).map(|file| folders.state.join(file)));
    for realm in [Realm::Real, Realm::Simulated] {
        named.extend(store.audiences(realm)?.into_iter().map(|audience| folders.state.join(audience.file)));
    }
    let mut found = Vec::new();
    // While somebody writes, a file may be there a moment before the store names it.
    if held {
        for folder in ["memories", "audiences"] {
            let unnamed = entries(&folders.state.join(folder)).into_iter().map(|entry| entry.path());
            // The checksum of a file stands beside it.
            let is_named = |path: &PathBuf| {
                let is_sum = path.extension().is_some_and(|extension| extension == "sum");
                named.contains(path) || is_sum && named.contains(&path.with_extension("parquet"))
            };
            found.extend(unnamed.filter(|path| !is_named(path)));
        }
        found.extend(unfinished(&folders.state.join("inbox")));
    }
    for entry in entries(&folders.state.join("runs")) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let known = runs.iter().any(|record| record.run == name);
        if collected.contains(&name) || (held && !known) {
            found.push(entry.path());
        } else if held {
            found.extend(unfinished(&entry.path()));
        }
    }
    Ok(found.into_iter().map(|path| (path.clone(), bytes(&path))).collect())
}

/// Files that were being written when a process died.
fn unfinished(folder: &Path) -> Vec<PathBuf> {
    let is_unfinished =
        |path: &PathBuf| path.extension().is_some_and(|extension| extension == "tmp" || extension == "done-tmp");
    entries(folder).into_iter().map(|entry| entry.path()).filter(is_unfinished).collect()
}

/// Files of a folder that nobody has written to since an instant.
fn old(folder: &Path, before: Timestamp) -> Vec<(PathBuf, u64)> {
    let is_old = |entry: &DirEntry| {
        let written = entry.metadata().and_then(|data| data.modified()).ok();
        written.and_then(|time| Timestamp::try_from(time).ok()).is_some_and(|time| time <= before)
    };
    let found = entries(folder).into_iter().filter(is_old).map(|entry| entry.path());
    found.map(|path| (path.clone(), bytes(&path))).collect()
}

/// What is in a folder; nothing when it is not there.
fn entries(folder: &Path) -> Vec<DirEntry> {
    let mut found: Vec<DirEntry> = fs::read_dir(folder).into_iter().flatten().flatten().collect();
    found.sort_by_key(DirEntry::file_name);
    found
}

/// The bytes of a file or of everything in a folder.
fn bytes(path: &Path) -> u64 {
    match fs::symlink_metadata(path) {
        Ok(data) if data.is_dir() => entries(path).iter().map(|entry| bytes(&entry.path())).sum(),
        Ok(data) => data.len(),
        Err(_) => 0,
    }
}

fn remove(path: &Path) -> Result<(), RunError> {
    let removed = match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file_error(path, &error)),
        _ => Ok(()),
    }
}
