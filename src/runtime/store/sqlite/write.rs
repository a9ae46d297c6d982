//! The writer thread: one connection, group commit.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;

use rusqlite::{Connection, params};
use tokio::sync::oneshot;

use super::super::{
    AudienceRecord, Change, Exclusion, Intent, OutcomeRow, Realm, Receipt, RunRecord, SendRecord, SignalRecord,
    StepRecord, StoreError, Subscription, TaskRecord,
};
use super::read::{audiences_of, subscriptions_of};
use super::{agenda, collect, contacts, feedback, operations, takes};
use crate::runtime::machine::{Event, State};

/// One commit request.
struct Request {
    changes: Vec<Change>,
    answer: oneshot::Sender<Result<(), StoreError>>,
}

/// The thread and the way to it. Dropping it finishes what was queued.
pub struct Writer {
    requests: Option<Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread that owns `connection`.
    pub fn start(connection: Connection) -> Self {
        let (requests, queue) = mpsc::channel();
        let thread = std::thread::spawn(move || run(connection, &queue));
        Self { requests: Some(requests), thread: Some(thread) }
    }

    /// Queues one transaction.
    pub fn commit(&self, changes: Vec<Change>) -> Receipt {
        let (answer, receipt) = Receipt::new();
        if let Some(requests) = &self.requests {
            // A stopped writer drops the answer, which the receipt reports.
            let _ = requests.send(Request { changes, answer });
        }
        receipt
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the writer was already reported by broken receipts.
            let _ = thread.join();
        }
    }
}

/// Takes what has gathered while the last commit was synced, and commits it together.
fn run(mut connection: Connection, queue: &Receiver<Request>) {
    const LARGEST_GROUP: usize = 64;
    let mut broken: Option<StoreError> = None;
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        while group.len() < LARGEST_GROUP {
            let Ok(next) = queue.try_recv() else { break };
            group.push(next);
        }
        if let Some(error) = &broken {
            answer(group.into_iter().map(|request| (request.answer, Err(error.clone()))));
            continue;
        }
        match commit_group(&mut connection, &group) {
            Ok(results) => answer(group.into_iter().map(|request| request.answer).zip(results)),
            Err(error) => {
                let error = StoreError::Broken(error.to_string());
                answer(group.into_iter().map(|request| (request.answer, Err(error.clone()))));
                broken = Some(error);
            }
        }
    }
}

fn answer(answers: impl Iterator<Item = (oneshot::Sender<Result<(), StoreError>>, Result<(), StoreError>)>) {
    for (sender, result) in answers {
        // Whoever asked may have given up.
        let _ = sender.send(result);
    }
}

/// Applies each request in its own savepoint, so that one that conflicts does not take the others with it.
fn commit_group(connection: &mut Connection, group: &[Request]) -> rusqlite::Result<Vec<Result<(), StoreError>>> {
    let mut transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let mut results = Vec::with_capacity(group.len());
    for request in group {
        let savepoint = transaction.savepoint()?;
        let mut result = Ok(());
        for change in &request.changes {
            result = apply(&savepoint, change)?;
            if result.is_err() {
                break;
            }
        }
        if result.is_ok() {
            savepoint.commit()?;
        } else {
            drop(savepoint);
        }
        results.push(result);
    }
    transaction.commit()?;
    Ok(results)
}

/// The outer error is the database's, the inner one the change's own.
fn apply(db: &Connection, change: &Change) -> rusqlite::Result<Result<(), StoreError>> {
    match change {
        Change::Bundle { fingerprint, files } => bundle(db, fingerprint, files)?,
        Change::Run(run) => return new_run(db, run),
        Change::Transition { run, seq, at, event, state } => return transition(db, run, *seq, *at, event, state),
        Change::Step(step) => new_step(db, step)?,
        Change::Send(send) => new_send(db, send)?,
        Change::Intents(send, rows) => intents(db, *send, rows)?,
        Change::Contacts(send, rows) => contacts::add(db, *send, rows)?,
        Change::Late(send, rows) => contacts::late(db, *send, rows)?,
        Change::Feedback(events) => {
            feedback::add(db, events)?;
            agenda::wake_conditions(db)?;
        }
        Change::Outcomes(send, rows) => outcomes(db, *send, rows)?,
        Change::Exclusions(send, rows) => exclusions(db, *send, rows)?,
        Change::Signal(signal) => new_signal(db, signal)?,
        Change::SignalTaken { run, signal } => {
            db.prepare_cached("INSERT OR IGNORE INTO signals_taken (run, signal) VALUES (?1, ?2)")?
                .execute(params![run, signal])?;
        }
        Change::Task(task) => new_task(db, task)?,
        Change::Answer { run, step, token, answer } => {
            let sql = "UPDATE tasks SET answer = ?4 WHERE run = ?1 AND step = ?2 AND token = ?3 AND answer IS NULL";
            db.prepare_cached(sql)?.execute(params![run, step, token, json(answer)?])?;
            agenda::wake(db, run)?;
        }
        Change::Audience(audience) => new_audience(db, audience)?,
        Change::Subscriptions(realm, people) => subscriptions(db, *realm, people)?,
        Change::Take { take, seen } => return takes::take(db, take, *seen),
        Change::Used { run } => takes::used(db, run)?,
        Change::Forget { takes } => takes::forget(db, takes)?,
        Change::Agenda(change) => return agenda::apply(db, change),
        Change::Simulated { run } => operations::simulated(db, run)?,
        Change::Reopen { send, kind, at } => operations::reopen(db, *send, *kind, *at)?,
        Change::Recount(step) => operations::recount(db, step)?,
        Change::Progress(send, below) => operations::progress(db, *send, *below)?,
        Change::Collect { run, tallies, at } => collect::collect(db, run, tallies.as_deref(), *at)?,
        Change::Tidy { before, contacts } => collect::tidy(db, *before, *contacts)?,
        Change::Repin { run, to } => {
            let sql = "UPDATE runs SET campaign = ?2, fingerprint = ?3, file = ?4 WHERE run = ?1";
            db.prepare_cached(sql)?.execute(params![run, to.campaign, to.fingerprint, to.file])?;
        }
    }
    Ok(Ok(()))
}

fn bundle(db: &Connection, fingerprint: &str, files: &[(String, String)]) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR IGNORE INTO bundles (fingerprint, files) VALUES (?1, ?2)")?
        .execute(params![fingerprint, json(&files)?])?;
    Ok(())
}

fn new_run(db: &Connection, run: &RunRecord) -> rusqlite::Result<Result<(), StoreError>> {
    let added = db
        .prepare_cached(
            "INSERT OR IGNORE INTO runs (run, campaign, fingerprint, file, simulated, started, updated, seq, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            run.run,
            run.campaign,
            run.fingerprint,
            run.file,
            run.simulated,
            run.started.as_microsecond(),
            run.updated.as_microsecond(),
            run.seq as i64,
            json(&run.state)?,
        ])?;
    if added == 1 {
        agenda::opened(db, &run.run, &run.file, &run.campaign, &run.state)?;
        agenda::began(db, &run.run)?;
    }
    Ok(if added == 1 { Ok(()) } else { Err(StoreError::Conflict(format!("`{}` exists already", run.run))) })
}

fn transition(
    db: &Connection,
    run: &str,
    seq: u64,
    at: jiff::Timestamp,
    event: &Event,
    state: &State,
) -> rusqlite::Result<Result<(), StoreError>> {
    let moved = db
        .prepare_cached("UPDATE runs SET updated = ?3, seq = ?2, state = ?4 WHERE run = ?1 AND seq = ?2 - 1")?
        .execute(params![run, seq as i64, at.as_microsecond(), json(state)?])?;
    if moved == 0 {
        return Ok(Err(StoreError::Conflict(format!("event {seq} of `{run}` does not follow its last one"))));
    }
    db.prepare_cached("INSERT INTO journal (run, seq, at, event) VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        run,
        seq as i64,
        at.as_microsecond(),
        json(event)?
    ])?;
    takes::settle(db, run, state.status)?;
    agenda::moved(db, run, state)?;
    if *event == Event::Resumed {
        // What it waits for may have come while it was paused.
        agenda::wake(db, run)?;
    }
    Ok(Ok(()))
}

fn new_step(db: &Connection, step: &StepRecord) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO steps (run, step, token, kind, name, rows_in, rows_out, dropped, at, note)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        step.run,
        step.step,
        step.token,
        step.kind,
        step.name,
        step.rows_in.map(|rows| rows as i64),
        step.rows_out.map(|rows| rows as i64),
        json(&step.dropped)?,
        step.at.as_microsecond(),
        step.note,
    ])?;
    Ok(())
}

fn new_signal(db: &Connection, signal: &SignalRecord) -> rusqlite::Result<()> {
    let added = db
        .prepare_cached("INSERT OR IGNORE INTO signals (id, name, parameters, at) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![signal.id, signal.name, json(&signal.values)?, signal.at.as_microsecond()])?;
    if added == 1 && !signal.simulated {
        agenda::arrived(db, &signal.id, &signal.name)?;
    }
    Ok(())
}

fn new_task(db: &Connection, task: &TaskRecord) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR IGNORE INTO tasks (run, step, token, kind, question, role, at, deadline, answer)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        task.run,
        task.step,
        task.token,
        json(&task.kind)?,
        task.text,
        task.role,
        task.at.as_microsecond(),
        task.deadline.map(jiff::Timestamp::as_microsecond),
        task.answer.as_ref().map(json).transpose()?,
    ])?;
    Ok(())
}

fn new_send(db: &Connection, send: &SendRecord) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR IGNORE INTO sends (run, step, token, channel, message, targeted, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        send.run,
        send.step,
        send.token,
        send.channel,
        send.message,
        send.targeted as i64,
        send.at.as_microsecond(),
    ])?;
    Ok(())
}

fn intents(db: &Connection, send: i64, rows: &[Intent]) -> rusqlite::Result<()> {
    takes::used_by_send(db, send)?;
    let mut insert = db.prepare_cached(
        "INSERT INTO intents (send, row, attempt, key, entity, address, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for row in rows {
        let at = row.at.as_microsecond();
        insert.execute(params![send, row.row as i64, row.attempt, row.key, row.entity, row.address, at])?;
    }
    Ok(())
}

fn outcomes(db: &Connection, send: i64, rows: &[OutcomeRow]) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO outcomes (send, row, attempt, kind, detail, retry_at, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for row in rows {
        let retry_at = row.retry_at.map(jiff::Timestamp::as_microsecond);
        let at = row.at.as_microsecond();
        insert.execute(params![send, row.row as i64, row.attempt, row.kind.number(), row.detail, retry_at, at])?;
    }
    Ok(())
}

fn exclusions(db: &Connection, send: i64, rows: &[Exclusion]) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO exclusions (send, row, entity, reason, detail, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for row in rows {
        let at = row.at.as_microsecond();
        insert.execute(params![send, row.row as i64, row.entity, row.reason.word(), row.detail, at])?;
    }
    Ok(())
}

fn new_audience(db: &Connection, audience: &AudienceRecord) -> rusqlite::Result<()> {
    let table = audiences_of(audience.realm);
    let columns = "(name, entity, file, rows, run, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    db.prepare_cached(&format!("INSERT OR REPLACE INTO {table} {columns}"))?.execute(params![
        audience.name,
        audience.entity,
        audience.file,
        audience.rows as i64,
        audience.run,
        audience.at.as_microsecond(),
    ])?;
    Ok(())
}

/// The last word of a person counts for everything known about them, addresses of earlier times included.
fn subscriptions(db: &Connection, realm: Realm, people: &[Subscription]) -> rusqlite::Result<()> {
    let table = subscriptions_of(realm);
    let mut earlier = db.prepare_cached(&format!(
        "UPDATE {table} SET subscribed = ?3, at = ?4 WHERE topic = ?1 AND person = ?2 AND person <> ''"
    ))?;
    let mut insert = db.prepare_cached(&format!(
        "INSERT OR REPLACE INTO {table} (topic, person, address, subscribed, at) VALUES (?1, ?2, ?3, ?4, ?5)"
    ))?;
    for one in people {
        let at = one.at.as_microsecond();
        earlier.execute(params![one.topic, one.person, one.subscribed, at])?;
        let as_such = (!one.person.is_empty()).then_some("");
        for address in as_such.into_iter().chain(one.addresses.iter().map(String::as_str)) {
            insert.execute(params![one.topic, one.person, address, one.subscribed, at])?;
        }
    }
    Ok(())
}

/// Our records always serialise; if one ever does not, the transaction fails like a write.
pub(super) fn json(value: &impl serde::Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}
