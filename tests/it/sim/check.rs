//! What must hold: after every recovery, and once a run is over.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use orch::plan::Plan;
use orch::runtime::channels::SendKey;
use orch::runtime::machine::{self, Event, State, Status};
use orch::runtime::store::sqlite::SqliteStore;
use orch::runtime::store::{OutcomeKind, RowState, Store, StoreError};

use super::model::{Fate, Sends};
use super::world::{World, lock};

/// Leaves with a description unless a condition holds.
macro_rules! ensure {
    ($condition:expr, $($words:tt)*) => {
        if !$condition {
            return Err(format!($($words)*));
        }
    };
}
pub(super) use ensure;

pub type Verdict<T = ()> = Result<T, String>;

fn said(error: StoreError) -> String {
    format!("the store says: {error}")
}

/// A row of the ledger.
pub struct LedgerRow {
    pub id: i64,
    pub fate: Fate,
    pub key: Option<SendKey>,
    pub address: Option<String>,
    /// When it was first decided.
    pub first: jiff::Timestamp,
}

/// Rows by path and branch of their send.
pub type Ledger = BTreeMap<(String, String), Vec<LedgerRow>>;

/// Everything that the ledger says of a run.
pub fn ledger(store: &SqliteStore, run: &str) -> Verdict<Ledger> {
    let mut all = Ledger::new();
    for send in store.sends(run).map_err(said)? {
        let mut rows = Vec::new();
        let each = &mut |row: orch::runtime::store::RowRecord| {
            let (fate, intent) = match row.state {
                RowState::Excluded(exclusion) => (Fate::Excluded(exclusion.reason.word()), None),
                RowState::Intended(intent) => (Fate::Due, Some(intent)),
                RowState::Ended(intent, outcome) => {
                    let fate = match outcome.kind {
                        OutcomeKind::Sent => Fate::Sent,
                        OutcomeKind::Failed if outcome.detail.starts_with("given up") => Fate::Exhausted,
                        OutcomeKind::Failed => Fate::Failed,
                        // That is no doubt of a channel: the process died while it was handed over, and then it was refused.
                        OutcomeKind::Unknown if outcome.detail.contains("72 hours later") => Fate::GivenUp,
                        OutcomeKind::Unknown => Fate::Unknown,
                        OutcomeKind::Deferred | OutcomeKind::NotStarted | OutcomeKind::Reopened => Fate::Due,
                    };
                    (fate, Some(intent))
                }
            };
            let key = intent.as_ref().map(|intent| SendKey(intent.key));
            let address = intent.map(|intent| intent.address);
            rows.push(LedgerRow { id: row.entity.parse().unwrap_or(-1), fate, key, address, first: row.first });
        };
        store.rows(send.id, each).map_err(said)?;
        let earlier = all.insert((send.step.clone(), send.token.clone()), rows);
        ensure!(earlier.is_none(), "the step {} of branch `{}` has two sends", send.step, send.token);
    }
    Ok(all)
}

/// The same, as far as the model wants to know.
pub fn sends(ledger: &Ledger) -> Sends {
    let fates = |rows: &Vec<LedgerRow>| rows.iter().map(|row| (row.id, row.fate.clone())).collect();
    ledger.iter().map(|(key, rows)| (key.clone(), fates(rows))).collect()
}

/// Holds at every moment at which nobody drives the run.
pub fn always(store: &SqliteStore, plan: &Plan, run: &str, world: &World) -> Verdict {
    if let Some(wrong) = lock(&world.wrong).take() {
        return Err(wrong);
    }
    journal(store, plan, run, world)?;
    for step in store.steps(run).map_err(said)? {
        if let (Some(entered), Some(left)) = (step.rows_in, step.rows_out) {
            let dropped: u64 = step.dropped.values().sum();
            ensure!(entered == left + dropped, "{} {} does not balance: {step:?}", step.step, step.kind);
        }
    }
    for send in store.sends(run).map_err(said)? {
        let tally = store.tally(send.id).map_err(said)?;
        ensure!(tally.balances(), "the send {} does not balance: {tally:?}", send.step);
    }
    let arrived = lock(&world.arrived);
    if let Some((key, (times, address))) = arrived.iter().find(|(_, (times, _))| *times > 1) {
        return Err(format!("{address} got message {key} {times} times"));
    }
    let mut keys = std::collections::HashSet::new();
    for ((step, token), rows) in ledger(store, run)? {
        for row in rows {
            let Some(key) = row.key else { continue };
            ensure!(keys.insert(key), "the key {key} is that of two rows");
            let there = arrived.get(&key);
            let place = format!("{step}@{token} row {}", row.id);
            ensure!(row.fate != Fate::Sent || there.is_some(), "{place} is called sent and did not arrive");
            let denied = matches!(row.fate, Fate::Failed | Fate::Exhausted | Fate::Excluded(_));
            ensure!(!denied || there.is_none(), "{place} arrived and is called {:?}", row.fate);
            if let Some((_, address)) = there {
                ensure!(Some(address) == row.address.as_ref(), "{place} arrived at {address}");
            }
        }
    }
    let stranger = arrived.keys().find(|key| !keys.contains(key));
    ensure!(stranger.is_none(), "{stranger:?} arrived, and the ledger does not know it");
    Ok(())
}

/// Every prefix of the journal leads to the state that was stored at that time.
fn journal(store: &SqliteStore, plan: &Plan, run: &str, world: &World) -> Verdict {
    let record = store.run(run).map_err(said)?.ok_or("the run is gone")?;
    let states = lock(&world.states);
    let mut state = State::default();
    let mut last = 0;
    for entry in store.journal(run).map_err(said)? {
        ensure!(entry.seq == last + 1, "event {} follows event {last}", entry.seq);
        last = entry.seq;
        machine::apply(plan, &mut state, &entry.event).map_err(|error| format!("event {last}: {error}"))?;
        match states.get(&last) {
            Some(stored) => ensure!(*stored == state, "event {last} leads to {state:?}, stored was {stored:?}"),
            None => ensure!(matches!(entry.event, Event::Started { .. }), "nobody committed event {last}"),
        }
    }
    ensure!(record.seq == last, "the run is at event {}, its journal at {last}", record.seq);
    ensure!(record.state == state, "the journal leads to {state:?}, stored is {:?}", record.state);
    let ahead = states.keys().next_back().copied().unwrap_or(0);
    ensure!(ahead <= last, "event {ahead} was committed and is lost");
    Ok(())
}

/// Everything a run has left in the store, to compare.
pub fn dump(store: &SqliteStore, run: &str) -> Verdict<String> {
    let mut text = format!("{:?}\n", store.run(run).map_err(said)?);
    text += &format!("{:?}\n{:?}\n", store.journal(run).map_err(said)?, store.steps(run).map_err(said)?);
    for send in store.sends(run).map_err(said)? {
        text += &format!("{send:?} {:?}\n", store.tally(send.id).map_err(said)?);
        store.rows(send.id, &mut |row| text += &format!("{row:?}\n")).map_err(said)?;
    }
    Ok(text)
}

/// Holds once a run is over: nothing is due, nothing is lost, and doubt had a reason.
pub fn over(store: &SqliteStore, run: &str, world: &World) -> Verdict<Status> {
    let record = store.run(run).map_err(said)?.ok_or("the run is gone")?;
    ensure!(record.state.status.is_over(), "it is {:?}", record.state.status);
    let (mut unknown, mut late, mut sent) = (0, 0, 0);
    for send in store.sends(run).map_err(said)? {
        let tally = store.tally(send.id).map_err(said)?;
        ensure!(tally.due == 0, "the run is over and {} has {} rows due", send.step, tally.due);
        unknown += tally.unknown;
        let each = &mut |row: orch::runtime::store::RowRecord| match row.state {
            RowState::Ended(_, outcome) if outcome.detail.contains("72 hours later") => late += 1,
            _ => {}
        };
        store.rows(send.id, each).map_err(said)?;
        sent += tally.sent;
    }
    let doubts = world.doubts.load(Ordering::SeqCst) + late;
    ensure!(unknown <= doubts, "{unknown} rows are unknown, {doubts} may be");
    let arrived = lock(&world.arrived).len() as u64;
    ensure!(sent <= arrived && arrived <= sent + unknown, "{arrived} arrived, {sent} sent, {unknown} unknown");
    Ok(record.state.status)
}
