//! What was truly in the air when a process died.
//!
//! A driver marks a key right before the bytes leave that could make the other side accept the message. The marks of
//! a send are a file of 16-byte keys, written through the operating system but not synced: they survive a killed
//! process, not a power failure. The file begins with the boot's name, so that after a restart of the machine the
//! marks are not believed.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Mutex;

use crate::runtime::channels::{DispatchMarker, SendKey};

const BOOT: usize = 36;

/// The marks of one send.
pub(super) struct MarkerFile {
    file: Mutex<File>,
}

/// What a marker file says after a crash.
pub(super) enum Marks {
    /// These keys may have been accepted, all others have not.
    Known(HashSet<SendKey>),
    /// The machine was restarted or there is no file: every intent is in doubt.
    Lost,
}

impl MarkerFile {
    /// Continues the file, or begins it.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        if file.metadata()?.len() == 0 {
            file.write_all(&boot())?;
        }
        Ok(Self { file: Mutex::new(file) })
    }
}

impl DispatchMarker for MarkerFile {
    fn dispatching(&self, _connection: usize, key: SendKey) {
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // A mark that cannot be written narrows nothing: the file is then shorter than the send, and a full disk
        // stops the run at its next commit anyway.
        let _ = file.write_all(&key.0);
    }
}

/// Reads the marks that an earlier process left.
pub(super) fn read(path: &Path) -> Marks {
    let mut bytes = Vec::new();
    let found = File::open(path).and_then(|mut file| file.read_to_end(&mut bytes));
    if found.is_err() || bytes.len() < BOOT || bytes[..BOOT] != boot() {
        return Marks::Lost;
    }
    let key = |chunk: &[u8]| <[u8; 16]>::try_from(chunk).ok().map(SendKey);
    Marks::Known(bytes[BOOT..].chunks_exact(16).filter_map(key).collect())
}

/// The name of this boot of the machine; where the system has none, marks are never believed after a restart of the
/// process either, which is the safe side.
fn boot() -> [u8; BOOT] {
    let mut name = [b'-'; BOOT];
    let text = std::fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    if text.len() >= BOOT {
        name.copy_from_slice(&text[..BOOT]);
    } else {
        name[..4].copy_from_slice(&std::process::id().to_le_bytes());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read_back_and_not_believed_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("marks");
        assert!(matches!(read(&path), Marks::Lost));
        MarkerFile::open(&path).unwrap().dispatching(0, SendKey([1; 16]));
        MarkerFile::open(&path).unwrap().dispatching(3, SendKey([2; 16]));
        let Marks::Known(keys) = read(&path) else { panic!("this boot's marks are believed") };
        assert_eq!(keys, HashSet::from([SendKey([1; 16]), SendKey([2; 16])]));
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[0] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert!(matches!(read(&path), Marks::Lost));
    }
}
