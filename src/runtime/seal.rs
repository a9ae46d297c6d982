//! Checksums of frozen populations.
//!
//! A run may wait for a year between freezing a population and writing to it. What a disk or a person has done to the file
//! meanwhile must not become messages to the wrong people, and a column store may give wrong values without noticing. So
//! each frozen file has a small one beside it with the BLAKE3 hash of its bytes, which is compared before the file is
//! read: once for each state of the file, in pieces, at the speed of the disk.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

/// What is wrong with a file of ours that is not as it was written.
pub(super) const DAMAGED: &str = "it is damaged";

/// Bytes that are read at once.
const PIECE: usize = 1 << 18;

/// Where the checksum of a file is.
fn place(file: &Path) -> PathBuf {
    file.with_extension("sum")
}

/// A file that is hashed while it is written.
pub(super) struct Sealing {
    file: File,
    hash: blake3::Hasher,
}

impl Sealing {
    /// Begins with an empty file.
    pub fn new(file: File) -> Self {
        Self { file, hash: blake3::Hasher::new() }
    }

    /// Syncs what was written and the checksum for the name that it is to get. That comes first: a checksum without its
    /// file belongs to a population that nobody knows of yet.
    pub fn finish(self, name: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        let temporary = name.with_extension("sum-tmp");
        let mut sum = File::create(&temporary)?;
        sum.write_all(self.hash.finalize().to_hex().as_bytes())?;
        sum.sync_all()?;
        // Durable together with the file's own name, when the folder is synced.
        fs::rename(&temporary, place(name))?;
        let data = self.file.metadata()?;
        checked().insert(name.to_owned(), (data.len(), data.modified()?));
        Ok(())
    }
}

impl Write for Sealing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Opens a file of ours, if it is as it was written. Files of earlier versions have no checksum and are believed.
pub(super) fn open(path: &Path) -> Result<File, String> {
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    let expected = match fs::read(place(path)) {
        Ok(expected) => expected,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(file),
        Err(error) => return Err(error.to_string()),
    };
    let state = file.metadata().and_then(|data| Ok((data.len(), data.modified()?)));
    let state = state.map_err(|error| error.to_string())?;
    if checked().get(path) == Some(&state) {
        return Ok(file);
    }
    let mut hash = blake3::Hasher::new();
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece).map_err(|error| error.to_string())? {
            0 => break,
            count => hash.update(&piece[..count]),
        };
    }
    if hash.finalize().to_hex().as_bytes() != expected.as_slice() {
        return Err(DAMAGED.to_string());
    }
    checked().insert(path.to_owned(), state);
    File::open(path).map_err(|error| error.to_string())
}

type Checked = HashMap<PathBuf, (u64, SystemTime)>;

/// Files that this process has compared, by their length and time of change.
fn checked() -> std::sync::MutexGuard<'static, Checked> {
    static CHECKED: OnceLock<Mutex<Checked>> = OnceLock::new();
    CHECKED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_as_it_was_written_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.0.parquet");
        let bytes: Vec<u8> = (0..PIECE + 1000).map(|at| (at % 251) as u8).collect();
        let mut sealing = Sealing::new(File::create(&path).unwrap());
        sealing.write_all(&bytes).unwrap();
        sealing.finish(&path).unwrap();
        assert!(open(&path).is_ok());
        assert!(open(&path).is_ok(), "looked at once");
        let mut changed = bytes.clone();
        changed[PIECE + 5] ^= 1;
        fs::write(&path, &changed).unwrap();
        assert_eq!(open(&path).unwrap_err(), DAMAGED);
        fs::write(&path, &bytes).unwrap();
        assert!(open(&path).is_ok(), "restored");
        fs::remove_file(place(&path)).unwrap();
        fs::write(&path, &changed).unwrap();
        assert!(open(&path).is_ok(), "nothing says how it was");
    }
}
