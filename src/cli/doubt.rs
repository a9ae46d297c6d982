//! What a restored state does not know, and what somebody can say about it.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::report::moment;
use crate::runtime::store::{Agenda, Cause, DoubtfulStart, Restored, StoreError};

/// What is still in doubt after a restore; fields are only ever added.
#[derive(Serialize)]
pub struct DoubtJson {
    backup: jiff::Timestamp,
    restored: jiff::Timestamp,
    /// Starts that may have been made before, and were not made since.
    starts: Vec<StartJson>,
    /// Memories of `new` of which nobody has said what they hold.
    memories: Vec<String>,
}

#[derive(Serialize)]
struct StartJson {
    campaign: String,
    file: String,
    /// The first instant of a schedule.
    at: Option<jiff::Timestamp>,
    signal: Option<String>,
}

impl DoubtJson {
    /// What is in doubt; `None` when the state was never restored, or everything was said since.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn read(store: &dyn Agenda) -> Result<Option<Self>, StoreError> {
        let Some(restored) = store.restored()? else { return Ok(None) };
        let takes = store.takes(None)?.into_iter().filter(|take| !take.simulated);
        let known: BTreeSet<String> = takes.map(|take| take.memory).collect();
        let memories: Vec<String> = known.into_iter().filter(|memory| restored.doubts(memory)).collect();
        let starts: Vec<StartJson> = open_starts(store, &restored)?.into_iter().map(start).collect();
        let nothing = starts.is_empty() && memories.is_empty();
        let doubt = Self { backup: restored.backup, restored: restored.at, starts, memories };
        Ok((!nothing).then_some(doubt))
    }

    /// A line for each thing in doubt, with what can be done about it.
    pub fn lines(&self, zone: &TimeZone) -> Vec<String> {
        let start = |start: &StartJson| {
            let why = match (start.at, &start.signal) {
                (Some(at), _) => format!("at {}", moment(at, zone)),
                (None, Some(signal)) => format!("by the signal {signal}"),
                (None, None) => "after an earlier run".to_owned(),
            };
            let StartJson { campaign, file, .. } = start;
            format!(
                "{campaign} did not start {why}: it may have started before · \
                 `orch run {file} --campaign {campaign}` starts it"
            )
        };
        let memory = |memory: &String| {
            format!(
                "`new` in {memory} is held · `orch state {memory} --baseline all` or `--as-restored` says what it holds"
            )
        };
        self.starts.iter().map(start).chain(self.memories.iter().map(memory)).collect()
    }

    /// How many things are in doubt.
    pub fn count(&self) -> u64 {
        (self.starts.len() + self.memories.len()) as u64
    }
}

fn start(start: DoubtfulStart) -> StartJson {
    let (at, signal) = match start.cause {
        Cause::Schedule(at) => (Some(at), None),
        Cause::Signal(signal) => (None, Some(signal)),
        Cause::Hand => (None, None),
    };
    StartJson { campaign: start.campaign, file: start.file, at, signal }
}

/// Starts of campaigns that have not begun since the restore.
fn open_starts(store: &dyn Agenda, restored: &Restored) -> Result<Vec<DoubtfulStart>, StoreError> {
    let runs = store.runs()?;
    let has_run = |start: &DoubtfulStart| {
        let is_it = |run: &&crate::runtime::store::RunRecord| {
            run.file == start.file && run.campaign == start.campaign && !run.simulated
        };
        runs.iter().filter(is_it).any(|run| run.started > restored.at)
    };
    Ok(restored.starts.iter().filter(|start| !has_run(start)).cloned().collect())
}
