//! The embedded store: SQLite in WAL mode, every commit synced.
//!
//! One thread owns the only writing connection and commits in groups; reading goes through a second, read-only
//! connection. An operating-system lock on the state directory makes sure that there is one writer; it dies with the
//! process. After a failed write or sync the writer accepts nothing more: a store that cannot remember must not be
//! built upon.

mod agenda;
mod collect;
mod contacts;
mod feedback;
mod operations;
mod read;
mod replace;
mod schema;
mod takes;
mod write;

#[cfg(test)]
mod tests;

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OpenFlags};

use crate::base::plain_reason;

use crate::runtime::durable::{make_folder, sync_folder};

use super::{
    Agenda, AudienceRecord, CampaignRecord, Cause, Change, EarlierContact, Hold, JournalRecord, QueuedStart, Realm,
    Receipt, Restored, RowRecord, RunRecord, SendRecord, SignalRecord, StepRecord, Store, StoreError, TakeRecord,
    Tally, TaskRecord,
};
pub use replace::replace_database;
use write::Writer;

const DATABASE: &str = "state.db";
const LOCK: &str = "lock";

/// A store in a directory.
pub struct SqliteStore {
    // Closed before the writer, which can move its log into the database only when it is the last.
    reader: Mutex<Connection>,
    writer: Option<Writer>,
    /// Held as long as the store is open for writing; given back last.
    _lock: Option<Lock>,
}

/// The lock file, locked.
struct Lock(File);

impl Drop for Lock {
    /// Closing the file is not enough: a process that another thread is just starting has it open for a moment as well.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

impl SqliteStore {
    /// Opens the state in `directory` for writing, creating it when it is missing.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process holds it, [`StoreError::Unreadable`] when it cannot be opened.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        make_folder(directory).map_err(|error| unreadable(directory, &error))?;
        let lock = lock(directory)?;
        let path = directory.join(DATABASE);
        check_length(&path, directory)?;
        let connection = Connection::open(&path).map_err(|error| unreadable(&path, &error))?;
        configure(&connection).map_err(|error| unreadable(&path, &error))?;
        schema::upgrade(&connection, &path.display().to_string())?;
        // The name of a new database.
        sync_folder(directory).map_err(|error| unreadable(directory, &error))?;
        let reader = open_reader(&path)?;
        Ok(Self { writer: Some(Writer::start(connection)), reader: Mutex::new(reader), _lock: Some(lock) })
    }

    /// Opens the state in `directory` for reading only; `None` when there is none yet. Works while another process
    /// holds it.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] when it cannot be opened.
    pub fn open_read_only(directory: &Path) -> Result<Option<Self>, StoreError> {
        let path = directory.join(DATABASE);
        if !path.try_exists().map_err(|error| unreadable(&path, &error))? {
            return Ok(None);
        }
        check_length(&path, directory)?;
        let reader = open_reader(&path)?;
        // Another process is making the tables at this moment: there is no state yet.
        let is_empty = reader
            .query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))
            .map_err(|error| unreadable(&path, &error))?
            == 0;
        Ok((!is_empty).then(|| Self { writer: None, reader: Mutex::new(reader), _lock: None }))
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the lock file and writes our process id into it, for the message that others get.
fn lock(directory: &Path) -> Result<Lock, StoreError> {
    let path = directory.join(LOCK);
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .map_err(|error| unreadable(directory, &error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => {
            let mut text = String::new();
            let holder = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            return Err(StoreError::InUse { path: directory.display().to_string(), holder });
        }
        Err(fs::TryLockError::Error(error)) => return Err(unreadable(&path, &error)),
    }
    let mut lock = Lock(file);
    let noted = lock
        .0
        .set_len(0)
        .and_then(|()| lock.0.rewind())
        .and_then(|()| lock.0.write_all(std::process::id().to_string().as_bytes()));
    noted.map_err(|error| unreadable(&path, &error))?;
    Ok(lock)
}

/// SQLite takes a file that was cut off before its first page for a new database, and everything would begin anew.
fn check_length(path: &Path, directory: &Path) -> Result<(), StoreError> {
    const HEADER: u64 = 100;
    let Ok(length) = fs::metadata(path).map(|data| data.len()) else { return Ok(()) };
    // While it is made it is empty, but nothing has run then.
    let has_run = || fs::read_dir(directory.join("runs")).is_ok_and(|mut runs| runs.next().is_some());
    if length < HEADER && (length > 0 || has_run()) {
        return Err(unreadable(path, &format!("it is no database, or was cut short: it has {length} bytes")));
    }
    Ok(())
}

/// WAL with a sync at each commit: power loss takes nothing that was answered.
fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA foreign_keys = ON;
         PRAGMA cache_size = -16384;",
    )?;
    connection.busy_timeout(std::time::Duration::from_secs(5))
}

fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let reader = Connection::open_with_flags(path, flags).map_err(|error| unreadable(path, &error))?;
    reader.busy_timeout(std::time::Duration::from_secs(5)).map_err(|error| unreadable(path, &error))?;
    let found: i64 =
        reader.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(|error| unreadable(path, &error))?;
    if found > schema::FORMAT {
        return Err(StoreError::Newer { path: path.display().to_string(), found, known: schema::FORMAT });
    }
    Ok(reader)
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Unreadable { path: path.display().to_string(), reason: plain_reason(&error.to_string()) }
}

impl Store for SqliteStore {
    fn commit(&self, changes: Vec<Change>) -> Receipt {
        match &self.writer {
            Some(writer) => writer.commit(changes),
            None => {
                let (answer, receipt) = Receipt::new();
                // The receipt is alive: it is returned on the next line.
                let _ = answer.send(Err(StoreError::Broken("it was opened for reading only".into())));
                receipt
            }
        }
    }

    fn run(&self, run: &str) -> Result<Option<RunRecord>, StoreError> {
        read::run(&self.reader(), run)
    }

    fn runs(&self) -> Result<Vec<RunRecord>, StoreError> {
        read::runs(&self.reader())
    }

    fn bundle(&self, fingerprint: &str) -> Result<Option<Vec<(String, String)>>, StoreError> {
        read::bundle(&self.reader(), fingerprint)
    }

    fn journal(&self, run: &str) -> Result<Vec<JournalRecord>, StoreError> {
        read::journal(&self.reader(), run)
    }

    fn steps(&self, run: &str) -> Result<Vec<StepRecord>, StoreError> {
        read::steps(&self.reader(), run)
    }

    fn sends(&self, run: &str) -> Result<Vec<SendRecord>, StoreError> {
        read::sends(&self.reader(), run)
    }

    fn rows(&self, send: i64, each: &mut dyn FnMut(RowRecord)) -> Result<(), StoreError> {
        read::rows(&self.reader(), send, each)
    }

    fn unsettled(&self, send: i64, each: &mut dyn FnMut(RowRecord)) -> Result<u64, StoreError> {
        read::unsettled(&self.reader(), send, each)
    }

    fn signals(&self, run: &str, name: &str, since: jiff::Timestamp) -> Result<Vec<SignalRecord>, StoreError> {
        read::signals(&self.reader(), run, name, since)
    }

    fn task(&self, run: &str, step: &str, token: &str) -> Result<Option<TaskRecord>, StoreError> {
        read::task(&self.reader(), run, step, token)
    }

    fn open_tasks(&self) -> Result<Vec<TaskRecord>, StoreError> {
        read::open_tasks(&self.reader())
    }

    fn tally(&self, send: i64) -> Result<Tally, StoreError> {
        read::tally(&self.reader(), send)
    }

    fn last_intent(&self, send: i64) -> Result<Option<jiff::Timestamp>, StoreError> {
        read::last_intent(&self.reader(), send)
    }

    fn contacts(
        &self,
        person: &[u8; 16],
        since: jiff::Timestamp,
        run: &str,
    ) -> Result<Vec<EarlierContact>, StoreError> {
        contacts::find(&self.reader(), person, since, run)
    }

    fn feedback(&self, send: i64, kind: crate::hir::FeedbackKind) -> Result<Vec<u64>, StoreError> {
        feedback::rows(&self.reader(), send, kind)
    }

    fn audience(&self, realm: Realm, name: &str) -> Result<Option<AudienceRecord>, StoreError> {
        read::audience(&self.reader(), realm, name)
    }

    fn audiences(&self, realm: Realm) -> Result<Vec<AudienceRecord>, StoreError> {
        read::audiences(&self.reader(), realm)
    }

    fn sent_keys(&self, channel: &str, most: usize) -> Result<Vec<[u8; 16]>, StoreError> {
        read::sent_keys(&self.reader(), channel, most)
    }

    fn restored(&self) -> Result<Option<Restored>, StoreError> {
        agenda::restored(&self.reader())
    }

    fn takes(&self, memory: Option<&str>) -> Result<Vec<TakeRecord>, StoreError> {
        takes::takes(&self.reader(), memory)
    }

    fn subscriptions(
        &self,
        realm: Realm,
        topic: &str,
        each: &mut dyn FnMut(&str, &str, bool),
    ) -> Result<(), StoreError> {
        read::subscriptions(&self.reader(), realm, topic, each)
    }
}

impl Agenda for SqliteStore {
    fn due(&self, now: jiff::Timestamp, most: usize) -> Result<Vec<String>, StoreError> {
        agenda::due(&self.reader(), now, most)
    }

    fn next_due(&self, now: jiff::Timestamp) -> Result<Option<jiff::Timestamp>, StoreError> {
        agenda::next_due(&self.reader(), now)
    }

    fn woken(&self, run: Option<&str>, most: usize) -> Result<Vec<(String, i64)>, StoreError> {
        agenda::woken(&self.reader(), run, most)
    }

    fn words(&self, run: &str) -> Result<Vec<String>, StoreError> {
        agenda::words(&self.reader(), run)
    }

    fn arrivals(&self, behind: i64) -> Result<Vec<(i64, SignalRecord)>, StoreError> {
        agenda::arrivals(&self.reader(), behind)
    }

    fn last_arrival(&self) -> Result<i64, StoreError> {
        agenda::last_arrival(&self.reader())
    }

    fn heard(&self) -> Result<i64, StoreError> {
        agenda::heard(&self.reader())
    }

    fn signal(&self, id: &str) -> Result<Option<SignalRecord>, StoreError> {
        agenda::signal(&self.reader(), id)
    }

    fn open_run_of(&self, file: &str, campaign: &str, key: Option<&str>) -> Result<Option<String>, StoreError> {
        agenda::open_run_of(&self.reader(), file, campaign, key)
    }

    fn open_runs(&self) -> Result<u64, StoreError> {
        agenda::open_runs(&self.reader())
    }

    fn campaigns(&self) -> Result<Vec<CampaignRecord>, StoreError> {
        agenda::campaigns(&self.reader())
    }

    fn queued(&self) -> Result<Vec<QueuedStart>, StoreError> {
        agenda::queued(&self.reader())
    }

    fn held(&self) -> Result<Option<Hold>, StoreError> {
        agenda::held(&self.reader())
    }

    fn cause(&self, run: &str) -> Result<Option<Cause>, StoreError> {
        agenda::cause(&self.reader(), run)
    }
}
