//! What was truly in the air when a process died.
//!
//! A driver marks a key right before the bytes leave that could make the other side accept the message, and what the
//! other side answered is noted as soon as it is known. Outcomes reach the ledger a batch at a time; these notes reach
//! the operating system one by one, unsynced. So they survive a killed process, which then is in doubt only about
//! messages that had no answer yet, one per connection; a power failure they do not survive.
//!
//! The file is text: the boot's name, so that after a restart of the machine the marks are not believed, then a line
//! for each mark and each answer. The last line about a key counts.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::runtime::channels::{DispatchMarker, Outcome, SendKey};

const SENT: &str = "sent";
const FAILED: &str = "failed";
const BACK: &str = "back";

/// The marks of one send.
pub(super) struct MarkerFile {
    path: PathBuf,
    open: Mutex<Open>,
}

struct Open {
    /// None once a mark could not be written.
    file: Option<File>,
    /// Marked by this process and without an answer.
    air: HashSet<SendKey>,
}

/// What a marker file says after a crash.
pub(super) enum Marks {
    /// These keys may have been accepted, all others have not.
    Known(HashMap<SendKey, Fate>),
    /// The machine was restarted or there is no whole file: every intent is in doubt.
    Lost,
}

/// The last that was noted of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// It was handed over; no answer came.
    InTheAir,
    /// It was accepted, under this name.
    Sent(String),
    /// It was refused for good, for this reason.
    Failed(String),
    /// It was refused for now, or did not leave after all.
    Back,
}

impl MarkerFile {
    /// Continues the file, or begins it.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        let text = fs::read(path)?;
        // A line that was cut short would spoil the one that follows it.
        let mut whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        // What an earlier boot left has been judged by now, and would make everything that follows unbelievable.
        if !text.starts_with(format!("{}\n", boot()).as_bytes()) {
            whole = 0;
        }
        if whole < text.len() {
            file.set_len(whole as u64)?;
        }
        if whole == 0 {
            file.write_all(format!("{}\n", boot()).as_bytes())?;
        }
        Ok(Self { path: path.into(), open: Mutex::new(Open { file: Some(file), air: HashSet::new() }) })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a line. A file with a gap would say of a message that it never left, so if that fails the whole file
    /// goes, which takes no space on a full disk: everything is in doubt then.
    fn note(&self, open: &mut Open, line: &str) {
        let written = open.file.as_mut().map(|file| file.write_all(line.as_bytes()));
        if let Some(Err(_)) = written {
            open.file = None;
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl DispatchMarker for MarkerFile {
    fn dispatching(&self, _connection: usize, key: SendKey) {
        let mut open = self.lock();
        open.air.insert(key);
        self.note(&mut open, &format!("{key}\n"));
    }

    fn reported(&self, key: SendKey, outcome: &Outcome) {
        let mut open = self.lock();
        // Drivers that honour keys mark nothing, and need no notes either.
        if !open.air.remove(&key) {
            return;
        }
        let (word, text) = match outcome {
            Outcome::Sent { id } => (SENT, id.clone().unwrap_or_default()),
            Outcome::Failed { code, reason } => (FAILED, format!("{code} {reason}").trim().to_owned()),
            Outcome::Deferred { .. } | Outcome::NotStarted { .. } => (BACK, String::new()),
            Outcome::Unknown { .. } => return,
        };
        let text = text.replace(char::is_control, " ");
        self.note(&mut open, &format!("{key} {word} {text}\n"));
    }
}

/// Reads the marks that an earlier process left.
pub(super) fn read(path: &Path) -> Marks {
    let text = fs::read_to_string(path).unwrap_or_default();
    // A line without an end was being written when the process died: nothing had left yet, or the answer is unknown.
    let mut lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    if lines.next() != Some(boot().as_str()) {
        return Marks::Lost;
    }
    let Some(lines) = lines.map(parse).collect::<Option<Vec<_>>>() else { return Marks::Lost };
    let mut fates = HashMap::new();
    // Handed over twice without an answer in between: a refusal of the second says nothing about the first.
    let mut twice = HashSet::new();
    for (key, fate) in lines {
        if fate == Fate::InTheAir && fates.get(&key) == Some(&Fate::InTheAir) {
            twice.insert(key);
        }
        if fate != Fate::Back || !twice.contains(&key) {
            fates.insert(key, fate);
        }
    }
    Marks::Known(fates)
}

fn parse(line: &str) -> Option<(SendKey, Fate)> {
    let (key, note) = line.split_once(' ').unwrap_or((line, ""));
    let (word, text) = note.split_once(' ').unwrap_or((note, ""));
    let fate = match word {
        "" => Fate::InTheAir,
        SENT => Fate::Sent(text.to_owned()),
        FAILED => Fate::Failed(text.to_owned()),
        BACK => Fate::Back,
        _ => return None,
    };
    Some((SendKey::parse(key)?, fate))
}

/// The name of this boot of the machine; where the system has none, a name of this process, so that marks are never
/// believed by another one, which is the safe side.
fn boot() -> String {
    static PROCESS: OnceLock<String> = OnceLock::new();
    match fs::read_to_string("/proc/sys/kernel/random/boot_id") {
        Ok(name) if !name.trim().is_empty() => name.trim().to_owned(),
        _ => PROCESS.get_or_init(|| format!("process {}", crate::runtime::signal_name())).clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SendKey {
        SendKey([byte; 16])
    }

    #[test]
    fn marks_and_answers_are_read_back_and_not_believed_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("marks");
        assert!(matches!(read(&path), Marks::Lost));
        let marks = MarkerFile::open(&path).unwrap();
        for byte in 1..=5 {
            marks.dispatching(0, key(byte));
        }
        marks.reported(key(2), &Outcome::Sent { id: Some("4F1B2".into()) });
        marks.reported(key(3), &Outcome::Failed { code: "550 5.1.1".into(), reason: "no such\nuser".into() });
        marks.reported(key(4), &Outcome::Deferred { reason: "greylisted".into(), retry_after: None, throttled: false });
        marks.reported(key(5), &Outcome::Unknown { reason: "it hung up".into() });
        marks.reported(key(6), &Outcome::Sent { id: None });
        MarkerFile::open(&path).unwrap().dispatching(3, key(4));
        let Marks::Known(fates) = read(&path) else { panic!("this boot's marks are believed") };
        let expected = HashMap::from([
            (key(1), Fate::InTheAir),
            (key(2), Fate::Sent("4F1B2".into())),
            (key(3), Fate::Failed("550 5.1.1 no such user".into())),
            (key(4), Fate::InTheAir),
            (key(5), Fate::InTheAir),
        ]);
        assert_eq!(fates, expected);
        let marks = MarkerFile::open(&path).unwrap();
        marks.dispatching(0, key(5));
        marks.reported(key(5), &Outcome::NotStarted { reason: "nobody answers".into() });
        let Marks::Known(fates) = read(&path) else { panic!("this boot's marks are believed") };
        assert_eq!(fates[&key(5)], Fate::InTheAir, "the first time may have arrived");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replacen(|c: char| c.is_ascii_hexdigit(), "-", 1)).unwrap();
        assert!(matches!(read(&path), Marks::Lost));
    }

    #[test]
    fn a_line_cut_short_is_no_mark_and_a_garbled_one_is_believed_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("marks");
        let whole = format!("{}\n{}\n", boot(), key(1));
        fs::write(&path, format!("{whole}{} se", key(1))).unwrap();
        let Marks::Known(fates) = read(&path) else { panic!("the whole lines are believed") };
        assert_eq!(fates, HashMap::from([(key(1), Fate::InTheAir)]));
        MarkerFile::open(&path).unwrap().dispatching(0, key(7));
        let Marks::Known(fates) = read(&path) else { panic!("going on spoils nothing") };
        assert_eq!(fates.len(), 2);
        fs::write(&path, format!("{whole}0101{}\n", key(2))).unwrap();
        assert!(matches!(read(&path), Marks::Lost));
    }
}
