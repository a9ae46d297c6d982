//! Watching a run that another process drives. If that process ends, whoever watches takes the run over.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Failure;
use super::host::{self, Holding, Script};
use super::progress::Terminal;
use crate::plan::StepKind;
use crate::runtime::machine::Phase;
use crate::runtime::store::sqlite::SqliteStore;
use crate::runtime::store::{Agenda, RunRecord, StepRecord, Store, StoreError};
use crate::runtime::{Cancel, DriveEnd, Engine, Note, Observer, Progress, RunError, Until};

/// How often the store is looked at.
const PAUSE: jiff::SignedDuration = jiff::SignedDuration::from_millis(100);

/// How watching ended.
pub enum Followed {
    /// The run is as far as it was to go.
    Ended(DriveEnd),
    /// Nobody drives it any more: here is the state.
    Free(SqliteStore),
    /// Somebody at the terminal does not want to watch any longer; the run goes on.
    Left,
    /// Everything is held.
    Held,
}

/// Shows what happens to a run until it is over, held, or, for `Until::FirstWait`, waits.
///
/// # Errors
/// The state cannot be read.
pub fn follow(
    script: &Script,
    engine: &Engine,
    (run, seen): (&str, u64),
    (until, cancel): (Until, &Cancel),
    terminal: Option<&Terminal<'_>>,
) -> Result<Followed, Failure> {
    let failed = |error: StoreError| script.failure(&RunError::from(error));
    let mut watch = Watch { script, terminal, shown: 0, announced: BTreeSet::new(), last: None };
    let (mut store, mut driver) = (None, None);
    loop {
        match host::holding(&script.project)? {
            Holding::Ours(ours) => return Ok(Followed::Free(ours)),
            // Another one than we asked: it does not know of the run.
            Holding::Theirs { holder } if holder.is_some() && holder != driver => {
                if driver.is_some() {
                    host::leave(&script.project, &Note::Adopt { run: run.to_owned() })?;
                }
                driver = holder;
            }
            Holding::Theirs { .. } => {}
        }
        if store.is_none() {
            store = host::store_to_read(&script.project)?;
        }
        if let Some(store) = &store
            && let Some(record) = store.run(run).map_err(failed)?
        {
            watch.look(store, &record).map_err(failed)?;
            // What was asked of the other process may not have happened yet.
            if let Some(end) = ended(&record, until).filter(|_| record.seq > seen) {
                return Ok(Followed::Ended(end));
            }
            if store.held().map_err(failed)?.is_some() {
                return Ok(Followed::Held);
            }
        }
        if !engine.pause(PAUSE, cancel) {
            return Ok(Followed::Left);
        }
    }
}

fn ended(record: &RunRecord, until: Until) -> Option<DriveEnd> {
    match (record.status(), record.state.due()) {
        _ if record.is_done() => Some(DriveEnd::Over(record.state.status)),
        ("paused", _) => Some(DriveEnd::Paused),
        _ if until == Until::Repeats => {
            let goes_on = record.state.tokens.values().any(|token| token.again.is_some());
            (!goes_on).then_some(DriveEnd::Parked)
        }
        ("waiting", Some(at)) if until != Until::End => Some(DriveEnd::Waiting(at)),
        ("waiting", None) if until != Until::End => Some(DriveEnd::Blocked),
        _ => None,
    }
}

/// What has been shown already.
struct Watch<'w> {
    script: &'w Script,
    terminal: Option<&'w Terminal<'w>>,
    /// Finished steps.
    shown: usize,
    /// Waits, by branch, place and turn.
    announced: BTreeSet<(String, u32, u32, u32)>,
    /// When the last step finished.
    last: Option<jiff::Timestamp>,
}

impl Watch<'_> {
    fn look(&mut self, store: &SqliteStore, record: &RunRecord) -> Result<(), StoreError> {
        let Some(terminal) = self.terminal else { return Ok(()) };
        let steps = store.steps(&record.run)?;
        for step in steps.iter().skip(self.shown) {
            self.finished(terminal, store, record, step)?;
        }
        self.shown = steps.len();
        for (branch, token) in &record.state.tokens {
            let key = (branch.clone(), token.block.0, token.at, token.turn);
            if !matches!(token.phase, Phase::Waiting { .. } | Phase::Blocked) || !self.announced.insert(key) {
                continue;
            }
            let step = self.script.plan.block(token.block).steps.get(token.at as usize);
            match (token.phase, step) {
                (Phase::Waiting { until }, Some(step)) => {
                    let until = token.deadline.unwrap_or(until);
                    terminal.on(Progress::Waiting { title: &step.title, until });
                }
                _ => terminal.on(Progress::Blocked),
            }
        }
        Ok(())
    }

    fn finished(
        &mut self,
        terminal: &Terminal<'_>,
        store: &SqliteStore,
        run: &RunRecord,
        record: &StepRecord,
    ) -> Result<(), StoreError> {
        let steps = self.script.plan.steps();
        let step = steps.iter().find(|step| step.path == record.step);
        let title = step.map_or(record.name.as_str(), |step| step.title.as_str());
        let mut tally = None;
        if step.is_some_and(|step| matches!(step.kind, StepKind::Send(_))) {
            let sends = store.sends(&run.run)?;
            let send = sends.iter().find(|send| send.step == record.step && send.token == record.token);
            tally = send.map(|send| store.tally(send.id)).transpose()?;
        }
        let since = self.last.replace(record.at).unwrap_or(run.started);
        let took = Duration::try_from(record.at.duration_since(since)).unwrap_or_default();
        terminal.on(Progress::Finished { title, record, tally: tally.as_ref(), took });
        Ok(())
    }
}
