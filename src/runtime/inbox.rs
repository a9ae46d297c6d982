//! Messages to runs from other processes.
//!
//! One process holds the state directory while it drives a run. Whoever wants to tell it something (a signal, a
//! decision, a pause) leaves a file in the inbox: written under a temporary name, synced and renamed, so it is there
//! whole or not at all. The holder takes it within a moment; without a holder the next one does. A note is removed only
//! after what it says is durable, and saying it twice is harmless.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::clock::Clock;
use super::durable::{make_folder, sync_folder};
use super::error::RunError;
use super::machine::{self, Event};
use super::names::note_name;
use super::store::{Change, FeedbackEvent, SignalRecord, Store, TaskAnswer};
use crate::hir::Value;

/// What can be told.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum Note {
    /// A signal arrived.
    Signal {
        /// Names the arrival; the same one again changes nothing.
        id: String,
        /// The declared signal.
        name: String,
        /// Its parameters.
        values: BTreeMap<String, Value>,
        /// When it was left here.
        at: Timestamp,
    },
    /// Something was reported about messages.
    Feedback {
        /// What.
        events: Vec<FeedbackEvent>,
    },
    /// A person answered.
    Answer {
        /// The run that asks.
        run: String,
        /// Path of the statement.
        step: String,
        /// The branch it stands in.
        token: String,
        /// What was answered.
        answer: TaskAnswer,
    },
    /// Hold a run.
    Pause {
        /// Which.
        run: String,
        /// Why.
        reason: String,
    },
    /// End a run.
    Stop {
        /// Which.
        run: String,
        /// Why.
        reason: Option<String>,
    },
}

/// The inbox of a state directory.
#[derive(Clone, Debug)]
pub struct Inbox {
    folder: PathBuf,
}

/// A note and its file.
#[derive(Debug)]
pub(super) struct Taken {
    pub note: Note,
    path: PathBuf,
}

impl Inbox {
    /// The inbox in a state directory; nothing is made yet.
    pub fn new(state: &Path) -> Self {
        Self { folder: state.join("inbox") }
    }

    /// Leaves a note. It is durable when this returns.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn leave(&self, note: &Note) -> Result<(), RunError> {
        let failed = |error: std::io::Error| super::executor::file_error(&self.folder, &error);
        make_folder(&self.folder).map_err(failed)?;
        let name = note_name();
        let temporary = self.folder.join(format!("{name}.tmp"));
        let text = serde_json::to_vec(note).map_err(|error| failed(error.into()))?;
        let mut file = File::create(&temporary).map_err(failed)?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(failed)?;
        fs::rename(&temporary, self.folder.join(format!("{name}.json"))).map_err(failed)?;
        sync_folder(&self.folder).map_err(failed)
    }

    /// The notes that are there, in the order they were left. What is no note is left alone.
    pub(super) fn notes(&self) -> Vec<Taken> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        paths.sort();
        let read = |path: PathBuf| {
            let note = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
            Some(Taken { note, path })
        };
        paths.into_iter().filter_map(read).collect()
    }
}

impl Taken {
    /// Takes the note away, now that what it says is durable.
    pub fn done(self) {
        // If it stays it is read again, which is harmless.
        let _ = fs::remove_file(self.path);
    }
}

/// Takes in every note while nobody drives a run.
pub(super) async fn take_all(inbox: &Inbox, store: &dyn Store, clock: &dyn Clock) -> Result<(), RunError> {
    for taken in inbox.notes() {
        store_note(taken.note.clone(), store, clock).await?;
        taken.done();
    }
    Ok(())
}

/// Makes what a note says durable. A run that is over stays as it is.
pub(super) async fn store_note(note: Note, store: &dyn Store, clock: &dyn Clock) -> Result<(), RunError> {
    let (run, event) = match note {
        Note::Signal { id, name, values, at } => {
            return Ok(store.commit(vec![Change::Signal(SignalRecord { id, name, values, at })]).await?);
        }
        Note::Feedback { events } => return Ok(store.commit(vec![Change::Feedback(events)]).await?),
        Note::Answer { run, step, token, answer } => {
            return Ok(store.commit(vec![Change::Answer { run, step, token, answer }]).await?);
        }
        Note::Pause { run, reason } => (run, Event::Paused { reason }),
        Note::Stop { run, reason } => (run, Event::Stopped { reason }),
    };
    let Some(record) = store.run(&run)?.filter(|record| !record.state.status.is_over()) else { return Ok(()) };
    let mut state = record.state;
    machine::tell(&mut state, &event)?;
    let change = Change::Transition { run, seq: record.seq + 1, at: clock.now(), event, state };
    Ok(store.commit(vec![change]).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_read_in_order_until_they_are_done() {
        let state = tempfile::tempdir().unwrap();
        let inbox = Inbox::new(state.path());
        assert!(inbox.notes().is_empty());
        let note = |run: &str| Note::Pause { run: run.into(), reason: "x".into() };
        inbox.leave(&note("a")).unwrap();
        inbox.leave(&note("b")).unwrap();
        fs::write(state.path().join("inbox/broken.json"), "{").unwrap();
        let found = inbox.notes();
        assert_eq!(found.iter().map(|taken| taken.note.clone()).collect::<Vec<_>>(), [note("a"), note("b")]);
        found.into_iter().for_each(Taken::done);
        assert!(inbox.notes().is_empty());
    }
}
