//! Messages from other processes to the one that drives runs.
//!
//! One process holds the state directory while it drives runs. Whoever wants to tell it something (a signal, a
//! decision, a pause, a run to be started) leaves a file in the inbox: written under a temporary name, synced and renamed, so it is there
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
use super::machine::{self, Event, State, Status, Version};
use super::names::note_name;
use super::store::{
    AgendaChange, Cause, Change, FeedbackEvent, Hold, OutcomeKind, RunRecord, Seen, SignalRecord, Store, StoreError,
    TakeRecord, TaskAnswer,
};
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
    /// Begin a run and drive it.
    Start(Box<NewRun>),
    /// Go on with a run that is paused or that nobody drives.
    Resume {
        /// Which.
        run: String,
    },
    /// Drive a run that is open, if nobody does: whoever drove it has ended.
    Adopt {
        /// Which.
        run: String,
    },
    /// Nothing starts or goes on any more.
    PauseAll(Hold),
    /// Everything goes on that no person paused by itself.
    ResumeAll,
    /// Messages of a send that ended so are to leave again.
    Retry {
        /// Whose.
        run: String,
        /// The send, by its number in the store.
        send: i64,
        /// How they ended.
        kind: OutcomeKind,
    },
    /// What is to become of messages that a restored run may have sent after its backup; it goes on then.
    Judge {
        /// Which.
        run: String,
        /// Send them again, unless the channel has them.
        resend: bool,
    },
    /// Takes of `new` that never were.
    Forget {
        /// Their ids.
        takes: Vec<i64>,
    },
    /// A memory holds this as well. Nothing happens if it is not as it was when that was found.
    Baseline {
        /// What it holds.
        take: Box<TakeRecord>,
        /// How it was.
        seen: Seen,
    },
    /// A memory holds what it is to hold, although the state was restored.
    Trust {
        /// Which.
        memory: String,
    },
    /// A run that stands still goes on with another version of its script. Nothing happens if it does not stand there any more.
    Migrate(Box<Moved>),
}

/// A run at its place in another version of its script.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Moved {
    /// Which.
    pub run: String,
    /// The version.
    pub to: Version,
    /// Its source, by the names of the files.
    pub files: Vec<(String, String)>,
    /// Number of the event that moves it.
    pub seq: u64,
    /// When it happens, by the run's clock.
    pub at: Timestamp,
    /// That event.
    pub event: Event,
    /// Where it stands then.
    pub state: State,
}

impl Moved {
    /// What moves it, in one transaction.
    pub(super) fn changes(self) -> Vec<Change> {
        let Moved { run, to, files, seq, at, event, state } = self;
        vec![
            Change::Bundle { fingerprint: to.fingerprint.clone(), files },
            Change::Repin { run: run.clone(), to },
            Change::Transition { run, seq, at, event, state },
        ]
    }
}

/// What the reason of a person's pause begins with; errors and `require` have reasons of their own.
pub const BY_HAND: &str = "by hand";

/// Why a person paused a run; `None` if none did.
pub fn paused_by_hand(record: &RunRecord) -> Option<&str> {
    let reason = record.state.reason.as_deref().filter(|_| record.state.status == Status::Paused)?;
    reason.starts_with(BY_HAND).then_some(reason)
}

/// A run that is to begin, with all that it needs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NewRun {
    /// Its name.
    pub run: String,
    /// The campaign.
    pub campaign: String,
    /// The file that declares it, relative to the project.
    pub file: String,
    /// Names its source.
    pub fingerprint: String,
    /// Its source, by the names of the files.
    pub files: Vec<(String, String)>,
    /// On a virtual clock.
    pub simulated: bool,
    /// When it begins, by its clock.
    pub at: Timestamp,
    /// Its first event.
    pub event: Event,
    /// Where that leads to.
    pub state: State,
    /// The value after `overlap ... by`, as text.
    pub key: Option<String>,
    /// What started it.
    pub cause: Cause,
    /// Somebody said beforehand that many people may be written to.
    pub confirmed: bool,
}

impl NewRun {
    /// What records it, in one transaction.
    pub(super) fn changes(self) -> Vec<Change> {
        let record = RunRecord {
            run: self.run.clone(),
            campaign: self.campaign,
            fingerprint: self.fingerprint.clone(),
            file: self.file,
            simulated: self.simulated,
            started: self.at,
            updated: self.at,
            seq: 0,
            state: State::default(),
        };
        let (run, key, cause) = (self.run.clone(), self.key, self.cause);
        vec![
            Change::Bundle { fingerprint: self.fingerprint, files: self.files },
            Change::Run(record),
            Change::Transition { run: self.run, seq: 1, at: self.at, event: self.event, state: self.state },
            Change::Agenda(AgendaChange::Origin { run, key, cause }),
        ]
    }
}

/// Where a run hears what others want of it.
pub(super) trait Word: Send + Sync {
    /// The notes that are there, to be taken in.
    fn notes(&self) -> Vec<Taken>;

    /// True when something arrived meanwhile that the run may wait for although no note of it is here. Asking forgets it.
    fn rang(&self) -> bool {
        false
    }

    /// Whether somebody wants the run to be held or ended. The note stays.
    fn interrupts(&self, run: &str) -> bool;
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
    pub(super) path: PathBuf,
}

impl Note {
    /// The run that the note is about, if it is about one that exists.
    pub(super) fn run(&self) -> Option<&str> {
        match self {
            Note::Answer { run, .. } | Note::Pause { run, .. } | Note::Stop { run, .. } => Some(run),
            Note::Resume { run } | Note::Retry { run, .. } | Note::Judge { run, .. } => Some(run),
            Note::Signal { .. } | Note::Feedback { .. } | Note::Start(_) | Note::Adopt { .. } => None,
            Note::PauseAll(_) | Note::ResumeAll => None,
            // Whoever drives it cannot exchange its plan.
            Note::Migrate(_) => None,
            Note::Forget { .. } | Note::Baseline { .. } | Note::Trust { .. } => None,
        }
    }

    /// True when only whoever has the run's plan can take it in: it stays until somebody does.
    pub(super) fn needs_plan(&self) -> bool {
        // What a run that is stopped has still to send is settled by its plan.
        matches!(self, Note::Retry { .. } | Note::Stop { .. } | Note::Judge { .. })
    }

    /// Whether a run of this name is to be held or ended, or to look at its messages again.
    pub(super) fn interrupts(&self, of: &str) -> bool {
        match self {
            Note::Pause { run, .. } | Note::Stop { run, .. } | Note::Retry { run, .. } => run == of,
            Note::PauseAll(_) => true,
            _ => false,
        }
    }
}

impl Word for Inbox {
    fn notes(&self) -> Vec<Taken> {
        self.notes_except(&[])
    }

    fn interrupts(&self, run: &str) -> bool {
        self.notes().iter().any(|taken| taken.note.interrupts(run))
    }
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
        self.put(note).map(drop)
    }

    /// The same, and gives its file, which is there until what the note says has been taken in.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn put(&self, note: &Note) -> Result<PathBuf, RunError> {
        let failed = |error: std::io::Error| super::executor::file_error(&self.folder, &error);
        make_folder(&self.folder).map_err(failed)?;
        let name = note_name();
        let temporary = self.folder.join(format!("{name}.tmp"));
        let text = serde_json::to_vec(note).map_err(|error| failed(error.into()))?;
        let mut file = File::create(&temporary).map_err(failed)?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(failed)?;
        let path = self.folder.join(format!("{name}.json"));
        fs::rename(&temporary, &path).map_err(failed)?;
        sync_folder(&self.folder).map_err(failed)?;
        Ok(path)
    }

    /// The notes that are there, in the order they were left, but for some files. What is no note is left alone.
    pub(super) fn notes_except(&self, known: &[PathBuf]) -> Vec<Taken> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json") && !known.contains(path));
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
    for taken in inbox.notes().into_iter().filter(|taken| !taken.note.needs_plan()) {
        store_note(taken.note.clone(), store, clock).await?;
        taken.done();
    }
    Ok(())
}

/// Makes what a note says durable. A run that is over stays as it is.
pub(super) async fn store_note(note: Note, store: &dyn Store, clock: &dyn Clock) -> Result<(), RunError> {
    let (run, event) = match note {
        Note::Signal { id, name, values, at } => {
            let signal = SignalRecord { id, name, values, at, simulated: false };
            return Ok(store.commit(vec![Change::Signal(signal)]).await?);
        }
        Note::Feedback { events } => return Ok(store.commit(vec![Change::Feedback(events)]).await?),
        Note::Answer { run, step, token, answer } => {
            return Ok(store.commit(vec![Change::Answer { run, step, token, answer }]).await?);
        }
        Note::Pause { run, reason } => (run, Event::Paused { reason }),
        Note::Stop { run, reason } => (run, Event::Stopped { reason }),
        Note::Resume { run } => (run, Event::Resumed),
        // Left twice, or read again after a crash: it has begun.
        Note::Start(new) if store.run(&new.run)?.is_some() => return Ok(()),
        Note::Start(new) => return Ok(store.commit(new.changes()).await?),
        // Whoever takes this in drives nothing.
        Note::Adopt { .. } => return Ok(()),
        Note::PauseAll(hold) => return hold_all(Some(hold), store).await,
        Note::ResumeAll => return hold_all(None, store).await,
        Note::Forget { takes } => return Ok(store.commit(vec![Change::Forget { takes }]).await?),
        Note::Baseline { take, seen } => return if_it_fits(Change::baseline(*take, seen), store).await,
        Note::Trust { memory } => {
            return Ok(store.commit(vec![Change::Agenda(AgendaChange::Trusted { memory })]).await?);
        }
        Note::Migrate(moved) => return if_it_fits(moved.changes(), store).await,
        // See `needs_plan`.
        Note::Retry { .. } | Note::Judge { .. } => return Ok(()),
    };
    let Some(record) = store.run(&run)?.filter(|record| !record.state.status.is_over()) else { return Ok(()) };
    if event == Event::Resumed && record.state.status != Status::Paused {
        return Ok(());
    }
    let mut state = record.state;
    machine::tell(&mut state, &event)?;
    let change = Change::Transition { run, seq: record.seq + 1, at: clock.now(), event, state };
    Ok(store.commit(vec![change]).await?)
}

/// Commits what somebody found to be right a moment ago. They look whether it still was.
async fn if_it_fits(changes: Vec<Change>, store: &dyn Store) -> Result<(), RunError> {
    match store.commit(changes).await {
        Err(StoreError::Conflict(_) | StoreError::Overtaken(_)) => Ok(()),
        committed => Ok(committed?),
    }
}

async fn hold_all(hold: Option<Hold>, store: &dyn Store) -> Result<(), RunError> {
    Ok(store.commit(vec![Change::Agenda(AgendaChange::Held(hold))]).await?)
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
