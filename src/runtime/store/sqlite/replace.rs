//! Copying a database while it is written to, and putting another in its place.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::Connection;

use super::super::StoreError;
use super::{DATABASE, SqliteStore, lock, unreadable};

impl SqliteStore {
    /// Writes the database as it is at this instant to a new file. Others may write meanwhile.
    ///
    /// # Errors
    /// The file exists, or cannot be written.
    pub fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        let written = self.reader().execute("VACUUM INTO ?1", [path.to_string_lossy()]);
        written.map_err(|error| unreadable(path, &error))?;
        File::open(path).and_then(|file| file.sync_all()).map_err(|error| unreadable(path, &error))
    }
}

/// Makes `staged` the database of a state directory, in one step. The one that was there, if any, is kept under a name
/// with the time in it, which is returned.
///
/// # Errors
/// Another process holds the state, or a file cannot be moved.
pub fn replace_database(directory: &Path, staged: &Path, at: &Timestamp) -> Result<Option<PathBuf>, StoreError> {
    let _held = lock(directory)?;
    let path = directory.join(DATABASE);
    let failed = |error: std::io::Error| unreadable(&path, &error);
    let mut kept = None;
    if path.exists() {
        // Everything into the one file, so that nothing of the old database is taken for a part of the new one.
        let emptied: i64 = Connection::open(&path)
            .and_then(|db| db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)))
            .map_err(|error| unreadable(&path, &error))?;
        if emptied != 0 {
            return Err(StoreError::Broken("somebody reads it; try again in a moment".into()));
        }
        let name = format!("state-before-restore-{}.db", at.strftime("%Y%m%dT%H%M%SZ"));
        let beside = directory.join(name);
        let _ = fs::remove_file(&beside);
        fs::hard_link(&path, &beside).or_else(|_| fs::copy(&path, &beside).map(drop)).map_err(failed)?;
        for extra in ["state.db-wal", "state.db-shm"] {
            let _ = fs::remove_file(directory.join(extra));
        }
        kept = Some(beside);
    }
    fs::rename(staged, &path).map_err(failed)?;
    File::open(directory).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(kept)
}
