//! Files that move away once a run that has read them has finished: `(archive: "done/")`.
//!
//! While a run reads, a list in its folder says which files it has read and as what they were; the list is written before
//! their rows are used. Once the run has finished, they are moved. A crash in between loses nothing: the list is still
//! there, and whoever drives a run next goes on. A file that has changed since stays, because nobody has read what it says
//! now, and so does one that a run which is not over has read too: the last of them moves it. A simulated run moves nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::RunError;
use super::machine::Status;
use super::observe::{Observer, Progress};
use super::sources::{Stamp, io_reason};
use super::store::Store;

/// The list's name in a run's folder.
const LIST: &str = "archive.json";

/// A file to be moved.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Read {
    pub path: PathBuf,
    /// Where it goes.
    pub to: PathBuf,
    /// What it was when it was read.
    pub stamp: Stamp,
}

/// Adds files to the list in a run's folder. Of a file that was read before, what was read last counts.
pub(crate) fn note(folder: &Path, read: &[Read]) -> Result<(), RunError> {
    let before = list(folder);
    let is_again = |known: &&Read| read.iter().any(|file| file.path == known.path);
    let mut all: Vec<Read> = before.iter().filter(|known| !is_again(known)).chain(read).cloned().collect();
    all.sort_by(|a, b| a.path.cmp(&b.path));
    if all == before { Ok(()) } else { write(folder, &all) }
}

/// Moves the files of runs that have finished; forgets those of runs that ended otherwise, or on a virtual clock.
pub(crate) fn settle(runs: &Path, store: &dyn Store, observer: &dyn Observer) -> Result<(), RunError> {
    let mut lists = Vec::new();
    let mut held = BTreeSet::new();
    for entry in std::fs::read_dir(runs).into_iter().flatten().flatten() {
        let folder = entry.path();
        if !folder.join(LIST).is_file() {
            continue;
        }
        let read = list(&folder);
        let run = store.run(&entry.file_name().to_string_lossy())?;
        match run {
            Some(run) if !run.state.status.is_over() => {
                if !run.simulated {
                    held.extend(read.into_iter().map(|file| file.path));
                }
            }
            Some(run) if run.state.status == Status::Finished && !run.simulated => lists.push((folder, read)),
            _ => lists.push((folder, Vec::new())),
        }
    }
    for (folder, read) in lists {
        let (waiting, free): (Vec<Read>, Vec<Read>) = read.into_iter().partition(|file| held.contains(&file.path));
        let mut left = waiting;
        let mut moved = 0;
        for file in free {
            match moved_away(&file) {
                Ok(true) => moved += 1,
                Ok(false) => {}
                Err(reason) => {
                    let shown = file.path.display();
                    let text = format!("`{shown}` cannot be moved away: {reason}; the next run tries again");
                    observer.on(Progress::Warning { text: &text });
                    left.push(file);
                }
            }
        }
        match left.is_empty() {
            true => std::fs::remove_file(folder.join(LIST)).map_err(|error| failed(&folder, &error))?,
            false if moved > 0 => write(&folder, &left)?,
            false => {}
        }
    }
    Ok(())
}

/// Moves one file; false when it is not there any more, or not what was read.
fn moved_away(file: &Read) -> Result<bool, String> {
    match Stamp::of(&file.path) {
        Ok(now) if now == file.stamp => {}
        _ => return Ok(false),
    }
    if let Some(folder) = file.to.parent() {
        std::fs::create_dir_all(folder).map_err(|error| io_reason(&error))?;
    }
    std::fs::rename(&file.path, free(&file.to)).map(|()| true).map_err(|error| io_reason(&error))
}

/// The path, or one much like it that nothing has yet: files of one name may arrive every day.
fn free(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (stem, rest) = name.split_once('.').unwrap_or((&name, ""));
    let dot = if rest.is_empty() { "" } else { "." };
    let numbered = (2..).map(|number| path.with_file_name(format!("{stem}-{number}{dot}{rest}")));
    std::iter::once(path.to_owned()).chain(numbered).find(|path| !path.exists()).unwrap_or_else(|| path.to_owned())
}

fn list(folder: &Path) -> Vec<Read> {
    let text = std::fs::read_to_string(folder.join(LIST)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// Writes the list so that an interruption leaves the old or the new one.
fn write(folder: &Path, list: &[Read]) -> Result<(), RunError> {
    let fail = |error: &dyn std::fmt::Display| failed(folder, error);
    std::fs::create_dir_all(folder).map_err(|error| fail(&error))?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| fail(&error))?;
    serde_json::to_writer(&mut file, list).map_err(|error| fail(&error))?;
    file.as_file().sync_all().map_err(|error| fail(&error))?;
    file.persist(folder.join(LIST)).map(drop).map_err(|error| fail(&error.error))
}

fn failed(folder: &Path, error: &dyn std::fmt::Display) -> RunError {
    RunError::File { path: folder.join(LIST).display().to_string(), reason: error.to_string() }
}
