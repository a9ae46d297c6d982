//! One folder with everything that a state must not lose: the database, frozen populations, memories, audiences.
//!
//! Making one needs no pause of runs: the database is copied as of one instant, and every file that it names was synced
//! before it was named and does not change any more. What drivers delivered, marks of messages in the air and imported
//! files are left out: the first is the world's, the second would be believed although it is old, the last are made
//! again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::channels::SendKey;
use super::clock::{Clock, WallClock};
use super::engine::Engine;
use super::error::RunError;
use super::executor::{BoundChannel, file_error};
use super::inbox::{Inbox, take_all};
use super::machine::{self, Bound, Event};
use super::store::sqlite::{SqliteStore, replace_database};
use super::store::{Agenda, AgendaChange, Cause, Change, DoubtfulStart, Realm, Restored, Store};
use crate::diag::{Problem, codes};

/// Changes when a backup could not be read by an older version.
const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";
const DATABASE: &str = "state.db";
/// A run may begin, or `orch gc` may end, while files are copied: then it is tried again.
const ATTEMPTS: usize = 3;

/// What a backup holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// The format of the folder.
    pub format: u32,
    /// The version of orch that made it.
    pub version: String,
    /// When the database was copied.
    pub made: Timestamp,
    /// The profile whose state it is.
    pub profile: String,
    /// Runs in it.
    pub runs: u64,
    /// Those that are not over.
    pub open: u64,
    /// Every other file, relative to the folder.
    pub files: Vec<Entry>,
}

/// A file of a backup.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Its path, with `/`.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// The BLAKE3 hash of its content, in hexadecimal.
    pub blake3: String,
}

impl Manifest {
    /// All files together.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// Copies a state to a folder that does not exist yet, or is empty. Runs may go on meanwhile. The folder has its name
/// only when it is whole.
///
/// # Errors
/// There is no state, the folder holds something, or a file cannot be copied.
pub fn backup(state: &Path, profile: &str, to: &Path) -> Result<Manifest, RunError> {
    if fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some()) || to.is_file() {
        let message = format!("`{}` holds something already", to.display());
        return Err(bad(message, "name a folder that does not exist yet").into());
    }
    let name = to.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let partial = to.with_file_name(format!(".{name}.partial"));
    let mut missing = None;
    for _ in 0..ATTEMPTS {
        clear(&partial)?;
        match copy_state(state, profile, &partial)? {
            Ok(manifest) => {
                // An empty folder of the name would be in the way on some systems.
                let _ = fs::remove_dir(to);
                fs::rename(&partial, to).map_err(|error| file_error(to, &error))?;
                sync_folder(to.parent().unwrap_or(Path::new(".")))?;
                return Ok(manifest);
            }
            Err(path) => missing = Some(path),
        }
    }
    clear(&partial)?;
    let path = missing.unwrap_or_default();
    Err(bad(format!("`{}` is named by the state but is not there", path.display()), "look with `orch doctor`").into())
}

/// One attempt; the inner error is a file that vanished meanwhile.
fn copy_state(state: &Path, profile: &str, to: &Path) -> Result<Result<Manifest, PathBuf>, RunError> {
    let mut files = Vec::new();
    // Before the database: a note that is taken in later is then in both, which is harmless, rather than in neither.
    for path in inside(&state.join("inbox"), &|name| name.ends_with(".json")) {
        files.extend(copy(state, &path, to)?);
    }
    let Some(live) = SqliteStore::open_read_only(state)? else {
        return Err(bad(format!("there is no state in `{}`", state.display()), "`orch run FILE` makes one").into());
    };
    let made = WallClock.now();
    live.copy_to(&to.join(DATABASE))?;
    files.push(entry(to, DATABASE)?);
    let missing = || bad(format!("the copy in `{}` cannot be read", to.display()), "try again");
    let copied = SqliteStore::open_read_only(to)?.ok_or_else(missing)?;
    let (collected, _) = copied.collected()?;
    let records = copied.runs()?;
    let mut wanted: BTreeSet<PathBuf> = BTreeSet::new();
    for record in records.iter().filter(|record| !collected.contains(&record.run)) {
        let folder = Path::new("runs").join(&record.run);
        let keep = |name: &str| !name.ends_with(".marks") && !name.ends_with("tmp");
        wanted.extend(
            inside(&state.join(&folder), &keep)
                .iter()
                .filter_map(|path| Some(path.strip_prefix(state).ok()?.to_owned())),
        );
        let named = record.state.locals.values().filter_map(|bound| match bound {
            Bound::Snapshot(snapshot) => Some(&snapshot.file),
            Bound::Delivery(delivery) => Some(&delivery.snapshot.file),
            Bound::Value(_) => None,
        });
        wanted.extend(named.map(|file| folder.join(file)));
    }
    wanted.extend(copied.takes(None)?.into_iter().filter_map(|take| take.file).map(PathBuf::from));
    for realm in [Realm::Real, Realm::Simulated] {
        wanted.extend(copied.audiences(realm)?.into_iter().map(|audience| PathBuf::from(audience.file)));
    }
    // Checksums stand beside their files.
    let sums: Vec<PathBuf> = wanted.iter().map(|path| path.with_extension("sum")).collect();
    wanted.extend(sums.into_iter().filter(|path| state.join(path).is_file()));
    for path in wanted {
        match copy(state, &state.join(&path), to)? {
            Some(copied) => files.push(copied),
            None => return Ok(Err(state.join(path))),
        }
    }
    let open = records.iter().filter(|record| !record.is_done()).count() as u64;
    let (runs, version) = (records.len() as u64, env!("CARGO_PKG_VERSION").to_string());
    drop(copied);
    for extra in ["state.db-wal", "state.db-shm"] {
        // Reading the copy may have made them; they hold nothing.
        let _ = fs::remove_file(to.join(extra));
    }
    let manifest = Manifest { format: FORMAT, version, made, profile: profile.to_string(), runs, open, files };
    let text = serde_json::to_vec_pretty(&manifest).map_err(|error| file_error(to, &error))?;
    let path = to.join(MANIFEST);
    write(&path, &mut text.as_slice())?;
    Ok(Ok(manifest))
}

/// Reads what a backup holds, and checks every file of it.
///
/// # Errors
/// It is no backup, is of a newer version, or a file is missing or is not as it was written.
pub fn verify(from: &Path) -> Result<Manifest, RunError> {
    let path = from.join(MANIFEST);
    let text = fs::read(&path).map_err(|error| {
        bad(
            format!("`{}` is no backup: {}: {error}", from.display(), MANIFEST),
            "name the folder that `orch backup` made",
        )
    })?;
    let manifest: Manifest = serde_json::from_slice(&text)
        .map_err(|error| bad(format!("`{}` cannot be understood: {error}", path.display()), "use another backup"))?;
    if manifest.format > FORMAT {
        let message = format!("the backup was made by a newer version of orch ({})", manifest.version);
        return Err(bad(message, "install that version, or a later one").into());
    }
    for file in &manifest.files {
        let is_inside = Path::new(&file.path).components().all(|part| matches!(part, std::path::Component::Normal(_)));
        let found = if is_inside { entry(from, &file.path).ok() } else { None };
        if found.as_ref() != Some(file) {
            let what = if found.is_none() { "is missing" } else { "is not as it was written" };
            return Err(bad(format!("`{}` of the backup {what}", file.path), "use another backup").into());
        }
    }
    if !manifest.files.iter().any(|file| file.path == DATABASE) {
        return Err(bad(format!("the backup holds no {DATABASE}"), "use another backup").into());
    }
    Ok(manifest)
}

/// Puts a backup that was checked in the place of a state; gives the name under which the database that was there is
/// kept. Whatever may have happened since is in doubt: every run that is not over is held until somebody has said what is
/// to become of messages that may have left, starts that were due by now are not made, and memories of `new` are not
/// believed until somebody has said what they hold.
///
/// # Errors
/// Another process holds the state, or something cannot be written. The old database counts until the very end.
pub fn restore(engine: &Engine, from: &Path, manifest: &Manifest) -> Result<Option<PathBuf>, RunError> {
    let state = &engine.options().folders.state;
    fs::create_dir_all(state).map_err(|error| file_error(state, &error))?;
    let staged = state.join("restoring");
    clear(&staged)?;
    copy(from, &from.join(DATABASE), &staged)?;
    let is_note = |file: &&Entry| file.path.starts_with("inbox/");
    for note in manifest.files.iter().filter(is_note) {
        copy(from, &from.join(&note.path), &staged)?;
    }
    doubt(engine, &staged, manifest.made)?;
    // Notes that are gone were taken in, and are in doubt like everything else.
    let is_left = |file: &&Entry| file.path != DATABASE && (!is_note(file) || staged.join(&file.path).exists());
    for file in manifest.files.iter().filter(is_left) {
        // What is there already is the same file, unless somebody changed it.
        if entry(state, &file.path).ok().as_ref() != Some(file) {
            copy(from, &from.join(&file.path), state)?;
        }
    }
    let kept = replace_database(state, &staged.join(DATABASE), &WallClock.now())?;
    clear(&staged)?;
    fs::remove_dir(&staged).map_err(|error| file_error(&staged, &error))?;
    Ok(kept)
}

/// Takes in the notes that a backup holds, then marks everything that may have gone on since: runs that could still send,
/// and what was about to start.
fn doubt(engine: &Engine, folder: &Path, backup: Timestamp) -> Result<(), RunError> {
    let store = SqliteStore::open(folder)?;
    engine.block_on(take_all(&Inbox::new(folder), &store, engine.options().clock.as_ref()))?;
    let mut restored = Restored { backup, at: WallClock.now(), starts: Vec::new(), trusted: Vec::new() };
    if let Some(earlier) = store.restored()? {
        restored.backup = backup.min(earlier.backup);
        restored.starts = earlier.starts;
    }
    restored.starts.extend(doubtful_starts(&store, restored.at)?);
    engine.block_on(store.commit(vec![Change::Agenda(AgendaChange::Restored(restored))]))?;
    for record in store.runs()?.into_iter().filter(|record| !record.is_done()) {
        let event = Event::Restored { backup };
        let mut state = record.state;
        machine::tell(&mut state, &event)?;
        let at = record.updated.max(backup);
        let change = Change::Transition { run: record.run, seq: record.seq + 1, at, event, state };
        engine.block_on(store.commit(vec![change]))?;
    }
    Ok(())
}

/// What was to start by an instant: by a schedule, from the queue, or by a signal that arrived.
fn doubtful_starts(store: &SqliteStore, at: Timestamp) -> Result<Vec<DoubtfulStart>, RunError> {
    let mut starts = Vec::new();
    let campaigns = store.campaigns()?;
    for campaign in &campaigns {
        if let Some(next) = campaign.next.filter(|next| *next <= at) {
            let (file, campaign) = (campaign.file.clone(), campaign.campaign.clone());
            starts.push(DoubtfulStart { file, campaign, cause: Cause::Schedule(next) });
        }
    }
    for start in store.queued()? {
        starts.push(DoubtfulStart { file: start.file, campaign: start.campaign, cause: start.cause });
    }
    for (arrival, signal) in store.arrivals(store.heard()?)? {
        for campaign in campaigns.iter().filter(|known| known.is_started_by(arrival, &signal)) {
            let (file, campaign) = (campaign.file.clone(), campaign.campaign.clone());
            starts.push(DoubtfulStart { file, campaign, cause: Cause::Signal(signal.id.clone()) });
        }
    }
    Ok(starts)
}

impl Engine {
    /// Says what is to become of messages that a restored run may have sent after its backup. Driving it goes on then.
    ///
    /// # Errors
    /// The run was not restored, or the store refuses.
    pub fn judge_backup(&self, store: &dyn Store, run: &str, resend: bool, certain: bool) -> Result<(), RunError> {
        let record = store.run(run)?.ok_or_else(|| RunError::UnknownRun { run: run.to_string() })?;
        let at = WallClock.now();
        let event = Event::BackupJudged { resend, certain, until: at };
        let mut state = record.state.clone();
        machine::tell(&mut state, &event)?;
        let at = at.max(record.updated);
        let change = Change::Transition { run: run.to_string(), seq: record.seq + 1, at, event, state };
        Ok(self.block_on(store.commit(vec![change]))?)
    }

    /// Whether every one of these channels can tell which messages it has delivered, so that nobody needs to be asked. It
    /// has to know messages that the ledger calls sent: an outbox that was emptied, or is another one, does not.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn know_delivered(
        &self,
        store: &dyn Store,
        channels: &BTreeMap<String, BoundChannel>,
        names: &[String],
    ) -> Result<bool, RunError> {
        const ENOUGH: usize = 50;
        for name in names {
            let Some(bound) = channels.get(name) else { return Ok(false) };
            let sent: Vec<SendKey> = store.sent_keys(name, ENOUGH)?.into_iter().map(SendKey).collect();
            let known = self.block_on(bound.driver.delivered(sent.clone()));
            if sent.is_empty() || !known.is_some_and(|known| sent.iter().all(|key| known.contains(key))) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn bad(message: String, help: &str) -> Problem {
    Problem::outside(codes::run::BAD_BACKUP, message).help(help)
}

/// Files in a folder whose names are wanted, sorted; none when there is no folder.
fn inside(folder: &Path, wanted: &dyn Fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| wanted(&entry.file_name().to_string_lossy()))
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    found
}

/// Copies a file of one folder to the same place in another, durably; `None` when it is not there.
fn copy(from: &Path, path: &Path, to: &Path) -> Result<Option<Entry>, RunError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file_error(path, &error)),
    };
    let inner = path.strip_prefix(from).unwrap_or(path);
    let target = to.join(inner);
    let (bytes, blake3) = write(&target, &mut file)?;
    let parts: Vec<_> = inner.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    Ok(Some(Entry { path: parts.join("/"), bytes, blake3 }))
}

/// Writes a file under a temporary name, syncs and renames it; gives its size and hash.
fn write(target: &Path, content: &mut dyn Read) -> Result<(u64, String), RunError> {
    let failed = |error: std::io::Error| file_error(target, &error);
    let folder = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed)?;
    let name = target.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let temporary = target.with_file_name(format!("{name}.tmp"));
    let mut out = File::create(&temporary).map_err(failed)?;
    let (mut hasher, mut bytes, mut buffer) = (blake3::Hasher::new(), 0, vec![0; 1 << 20]);
    loop {
        let count = content.read(&mut buffer).map_err(failed)?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        out.write_all(&buffer[..count]).map_err(failed)?;
        bytes += count as u64;
    }
    out.sync_all().map_err(failed)?;
    fs::rename(&temporary, target).map_err(failed)?;
    sync_folder(folder)?;
    Ok((bytes, hasher.finalize().to_hex().to_string()))
}

/// Size and hash of a file as it is.
fn entry(folder: &Path, path: &str) -> Result<Entry, RunError> {
    let whole = folder.join(path);
    let failed = |error: std::io::Error| file_error(&whole, &error);
    let mut hasher = blake3::Hasher::new();
    let bytes = std::io::copy(&mut File::open(&whole).map_err(failed)?, &mut hasher).map_err(failed)?;
    Ok(Entry { path: path.to_string(), bytes, blake3: hasher.finalize().to_hex().to_string() })
}

/// An empty folder of this name.
fn clear(folder: &Path) -> Result<(), RunError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(file_error(folder, &error)),
        _ => {}
    }
    fs::create_dir_all(folder).map_err(|error| file_error(folder, &error))
}

fn sync_folder(folder: &Path) -> Result<(), RunError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| file_error(folder, &error))
}
