//! The outbox: one `.eml` file per message in a Maildir folder, for development and for whoever takes them further.
//!
//! A message is written to `tmp/`, then renamed to `new/KEY.eml`, so a reader never sees half of one and the same key
//! always has the same file: sending again replaces it. A message that a mail reader has moved to `cur/` is left
//! alone.
//!
//! After a killed process every renamed message is whole. So that the same is true after power loss, the files of a
//! batch are synced before they are renamed, many at once because the disk then writes them together, and the folder is
//! synced before any outcome is reported; `strict` syncs each before the next is written. Messages without an outcome
//! are simply written again under their keys.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use tokio::task::JoinSet;

use super::{
    BoxFuture, Capabilities, Channel, ChannelError, Dispatch, Idempotency, Outcome, OutgoingMessage, SendKey, blocking,
};
use crate::runtime::content::Composer;
use crate::runtime::durable::{make_folder, sync_folder};

/// Fewer messages than this are not worth a thread of their own.
const LEAST_PER_THREAD: usize = 64;

/// Files that are synced at once: each thread only waits, and a disk commits together what waits for it.
const SYNCS: usize = 64;

/// Makes names in `tmp/` unique among the writers of this process: two outboxes may share a folder.
static WRITERS: AtomicU64 = AtomicU64::new(0);

/// A Maildir folder that messages are written to.
pub struct Outbox {
    folder: Arc<Folder>,
}

struct Folder {
    root: PathBuf,
    composer: Composer,
    strict: bool,
    read: Mutex<Read>,
}

/// What is known to be in `cur/`.
#[derive(Default)]
struct Read {
    seen: Option<SystemTime>,
    keys: Arc<HashSet<SendKey>>,
}

impl Outbox {
    /// An outbox in `root`; the folder is made when it is first needed. See the module on `strict`.
    pub fn new(root: impl Into<PathBuf>, composer: Composer, strict: bool) -> Self {
        Self { folder: Arc::new(Folder { root: root.into(), composer, strict, read: Mutex::default() }) }
    }
}

impl Channel for Outbox {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            idempotency: Idempotency::Always,
            batch: 2_000,
            harmless: true,
            knows_opens: false,
            concurrency: threads(),
        }
    }

    fn check(&self) -> BoxFuture<'_, Result<(), ChannelError>> {
        let folder = Arc::clone(&self.folder);
        Box::pin(async move {
            let made =
                blocking(move || folder.make().map_err(|error| (folder.root.display().to_string(), error))).await;
            made.map_err(|(root, error)| {
                ChannelError::new(
                    format!("cannot write to the outbox `{root}`: {error}"),
                    "set `path` to a folder that can be written",
                )
            })
        })
    }

    fn send_batch(&self, batch: Vec<OutgoingMessage>, dispatch: Dispatch) -> BoxFuture<'_, ()> {
        let folder = Arc::clone(&self.folder);
        Box::pin(async move {
            for (key, outcome) in write_batch(folder, batch).await {
                dispatch.report(key, outcome);
            }
        })
    }

    fn delivered(&self, keys: Vec<SendKey>) -> BoxFuture<'_, Option<HashSet<SendKey>>> {
        let folder = Arc::clone(&self.folder);
        Box::pin(async move {
            blocking(move || {
                folder.make().ok()?;
                let read = folder.read_keys().ok()?;
                let mut new = Name::new(&folder.root.join("new"), ".eml".to_owned());
                Some(keys.into_iter().filter(|key| read.contains(key) || new.of(*key).exists()).collect())
            })
            .await
        })
    }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(8)
}

/// Writes the messages on several threads, syncs the folder, gives the outcomes.
async fn write_batch(folder: Arc<Folder>, mut batch: Vec<OutgoingMessage>) -> Vec<(SendKey, Outcome)> {
    let share = batch.len().div_ceil(threads()).max(LEAST_PER_THREAD);
    let read = {
        let folder = Arc::clone(&folder);
        blocking(move || folder.make().and_then(|()| folder.read_keys())).await
    };
    let read = match read {
        Ok(read) => read,
        Err(error) => return batch.iter().map(|message| (message.key, not_written(&error))).collect(),
    };
    let mut shares = JoinSet::new();
    while !batch.is_empty() {
        let messages = batch.split_off(batch.len().saturating_sub(share));
        let (folder, read) = (Arc::clone(&folder), Arc::clone(&read));
        shares.spawn_blocking(move || folder.write_all(&messages, &read));
    }
    let (mut outcomes, mut drafts) = (Vec::new(), Vec::new());
    for (decided, written) in shares.join_all().await {
        outcomes.extend(decided);
        drafts.extend(written);
    }
    outcomes.extend(publish(folder, drafts).await);
    outcomes
}

/// Syncs what was written, gives it its names and makes those durable.
async fn publish(folder: Arc<Folder>, mut drafts: Vec<Draft>) -> Vec<(SendKey, Outcome)> {
    if drafts.is_empty() {
        return Vec::new();
    }
    let share = drafts.len().div_ceil(SYNCS);
    let mut shares = JoinSet::new();
    while !drafts.is_empty() {
        let mut some = drafts.split_off(drafts.len().saturating_sub(share));
        let folder = Arc::clone(&folder);
        shares.spawn_blocking(move || {
            some.iter_mut().for_each(|draft| draft.sync());
            some.into_iter().map(|draft| (draft.key, draft.rename(&folder))).collect::<Vec<_>>()
        });
    }
    let mut outcomes = shares.join_all().await.concat();
    if let Err(error) = blocking(move || sync_folder(&folder.root.join("new"))).await {
        // The files may be lost with the power; under their keys they can be written again.
        for (_, outcome) in outcomes.iter_mut().filter(|(_, outcome)| matches!(outcome, Outcome::Sent { .. })) {
            *outcome = not_written(&error);
        }
    }
    outcomes
}

/// A message in `tmp/`.
struct Draft {
    key: SendKey,
    path: PathBuf,
    /// Whether it is synced already, or why it could not be written. It is closed: a batch has more files than a
    /// process may hold open.
    written: io::Result<bool>,
}

impl Draft {
    fn sync(&mut self) {
        if let Ok(false) = self.written {
            let file = OpenOptions::new().write(true).open(&self.path);
            self.written = file.and_then(|file| file.sync_data()).map(|()| true);
        }
    }

    fn rename(self, folder: &Folder) -> Outcome {
        let renamed = self
            .written
            .and_then(|_| fs::rename(&self.path, Name::new(&folder.root.join("new"), ".eml".to_owned()).of(self.key)));
        match renamed {
            Ok(()) => Outcome::Sent { id: None },
            Err(error) => {
                // What cannot be finished only takes space.
                let _ = fs::remove_file(&self.path);
                not_written(&error)
            }
        }
    }
}

fn not_written(error: &io::Error) -> Outcome {
    Outcome::NotStarted { reason: format!("cannot write to the outbox: {error}") }
}

impl Folder {
    fn make(&self) -> io::Result<()> {
        ["tmp", "new", "cur"].iter().try_for_each(|name| make_folder(&self.root.join(name)))
    }

    /// The keys in `cur/`, listed again only when the folder has changed.
    fn read_keys(&self) -> io::Result<Arc<HashSet<SendKey>>> {
        let cur = self.root.join("cur");
        let changed = fs::metadata(&cur)?.modified()?;
        let mut read = self.read.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if read.seen != Some(changed) {
            let mut keys = HashSet::new();
            for entry in fs::read_dir(&cur)? {
                let name = entry?.file_name();
                keys.extend(name.to_str().and_then(|name| name.get(..32)).and_then(SendKey::parse));
            }
            *read = Read { seen: Some(changed), keys: Arc::new(keys) };
        }
        Ok(Arc::clone(&read.keys))
    }

    /// Writes messages to `tmp/`; gives the outcomes that are known already beside them.
    fn write_all(
        &self,
        messages: &[OutgoingMessage],
        read: &HashSet<SendKey>,
    ) -> (Vec<(SendKey, Outcome)>, Vec<Draft>) {
        let writer = WRITERS.fetch_add(1, Ordering::Relaxed);
        let mut lane = Lane {
            text: String::new(),
            tmp: Name::new(&self.root.join("tmp"), format!(".{}-{writer}", std::process::id())),
            strict: self.strict,
        };
        let (mut outcomes, mut drafts) = (Vec::new(), Vec::with_capacity(messages.len()));
        for message in messages {
            if read.contains(&message.key) {
                outcomes.push((message.key, Outcome::Sent { id: None }));
                continue;
            }
            lane.text.clear();
            if let Err(error) = self.composer.compose(message, &mut lane.text) {
                let failed = Outcome::Failed { code: "invalid".to_owned(), reason: error.to_string() };
                outcomes.push((message.key, failed));
                continue;
            }
            drafts.push(lane.write(message.key));
        }
        (outcomes, drafts)
    }
}

/// What one thread uses again for each of its messages.
struct Lane {
    text: String,
    tmp: Name,
    strict: bool,
}

impl Lane {
    fn write(&mut self, key: SendKey) -> Draft {
        let path = self.tmp.of(key).to_owned();
        let written = self.write_to(&path).map(|()| self.strict);
        Draft { key, path, written }
    }

    fn write_to(&self, path: &Path) -> io::Result<()> {
        let mut file = File::create(path)?;
        file.write_all(self.text.as_bytes())?;
        if self.strict { file.sync_data() } else { Ok(()) }
    }
}

/// A path that differs only by the key in it.
struct Name {
    path: PathBuf,
    file: String,
    suffix: String,
}

impl Name {
    fn new(folder: &Path, suffix: String) -> Self {
        Self { path: folder.join("key"), file: String::new(), suffix }
    }

    fn of(&mut self, key: SendKey) -> &Path {
        self.file.clear();
        self.file.extend(key.hex().map(char::from));
        self.file.push_str(&self.suffix);
        self.path.set_file_name(&self.file);
        &self.path
    }
}

#[cfg(test)]
mod tests;
