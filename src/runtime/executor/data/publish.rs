//! Replacing a file so that a crash at any instant does no harm.
//!
//! ```text
//! new content -> temporary file beside the target (synced) -> decision in the run's folder (synced) -> rename
//! ```
//!
//! The decision is the point of no return: it names the temporary file and says what the statement has done. A step
//! that is performed again and finds a decision only repeats the rename, which does nothing once it has happened. A
//! step without a decision has changed nothing and begins anew.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::Executor;
use super::super::steps::file_instance;
use super::Done;
use super::error::DataError;
use crate::plan::Step;
use crate::runtime::durable;
use crate::runtime::error::RunError;

/// What was decided: durable before the target changes.
#[derive(Serialize, Deserialize)]
struct Decision {
    /// The new content; nothing to rename when it is absent.
    temporary: Option<PathBuf>,
    target: PathBuf,
    done: Done,
}

/// The new content of a file, until it is published.
pub(super) struct Draft {
    /// Where it is written.
    pub path: PathBuf,
    target: PathBuf,
}

impl Executor<'_> {
    /// What the step has done already, if it was performed before; completes it if it was interrupted.
    pub(super) fn decided(&self, token: &str, step: &Step) -> Result<Option<Done>, RunError> {
        let path = self.decision_path(token, step);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(file_error(&path, &error).into()),
        };
        let decision: Decision = serde_json::from_slice(&text).map_err(|error| file_error(&path, &error))?;
        complete(&decision)?;
        Ok(Some(decision.done))
    }

    /// A place for the new content of `target`, in the same folder so that it can be renamed. In a rehearsal it is in
    /// the run's own folder.
    pub(super) fn draft(&self, token: &str, step: &Step, target: &Path) -> Result<Draft, DataError> {
        let file = target.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let name = format!(".{file}.{}-{}.tmp", self.run, file_instance(token, step));
        let folder = if self.around.effects {
            target.parent().unwrap_or(Path::new(".")).to_path_buf()
        } else {
            self.around.folders.run(&self.run)
        };
        durable::make_folder(&folder).map_err(|error| file_error(&folder, &error))?;
        Ok(Draft { path: folder.join(name), target: target.to_path_buf() })
    }

    /// Makes a synced draft the content of its target, and remembers what was done.
    pub(super) fn publish(&self, token: &str, step: &Step, draft: Draft, done: Done) -> Result<Done, RunError> {
        let decision = Decision { temporary: Some(draft.path), target: draft.target, done };
        self.decide(token, step, decision)
    }

    /// Remembers that nothing was to be written.
    pub(super) fn publish_nothing(
        &self,
        token: &str,
        step: &Step,
        target: &Path,
        done: Done,
    ) -> Result<Done, RunError> {
        self.decide(token, step, Decision { temporary: None, target: target.to_path_buf(), done })
    }

    fn decide(&self, token: &str, step: &Step, decision: Decision) -> Result<Done, RunError> {
        if !self.around.effects {
            return Ok(decision.done);
        }
        let path = self.decision_path(token, step);
        let text = serde_json::to_vec(&decision).map_err(|error| file_error(&path, &error))?;
        write_durably(&path, &text)?;
        complete(&decision)?;
        // What was read before may have been this file.
        self.around.sources.refresh();
        Ok(decision.done)
    }

    fn decision_path(&self, token: &str, step: &Step) -> PathBuf {
        self.around.folders.run(&self.run).join(format!("{}.done", file_instance(token, step)))
    }
}

/// Renames, unless that has happened.
fn complete(decision: &Decision) -> Result<(), DataError> {
    let Some(temporary) = &decision.temporary else { return Ok(()) };
    let target = &decision.target;
    match fs::rename(temporary, target) {
        Ok(()) => {}
        // It was renamed before; whether that is durable nobody knows.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(file_error(target, &error)),
    }
    sync_folder(target)
}

/// Writes a small file under a temporary name, syncs and renames it.
pub(super) fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), DataError> {
    let temporary = path.with_extension("done-tmp");
    let written = durable::make_folder(durable::parent(path)).and_then(|()| {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    });
    written.map_err(|error| file_error(path, &error))?;
    sync_folder(path)
}

/// Makes the name of a file as durable as its content.
pub(super) fn sync_folder(path: &Path) -> Result<(), DataError> {
    let folder = durable::parent(path);
    durable::sync_folder(folder).map_err(|error| file_error(folder, &error))
}

pub(super) fn file_error(path: &Path, error: &dyn std::fmt::Display) -> DataError {
    DataError::File { path: path.display().to_string(), reason: error.to_string() }
}
