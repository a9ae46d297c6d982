//! Reading, on a connection that cannot write.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::de::DeserializeOwned;

use super::super::{
    AudienceRecord, Exclusion, Intent, JournalRecord, OutcomeKind, OutcomeRow, Realm, Reason, RowRecord, RowState,
    RunRecord, SendRecord, SignalRecord, StepRecord, StoreError, Tally, TaskRecord,
};

type Read<T> = Result<T, StoreError>;

pub(super) fn failed(error: rusqlite::Error) -> StoreError {
    StoreError::Damaged(match error {
        rusqlite::Error::FromSqlConversionFailure(_, _, inner) => format!("a record cannot be understood: {inner}"),
        other => other.to_string(),
    })
}

pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}

pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let micros: i64 = row.get(column)?;
    Timestamp::from_microsecond(micros).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Integer, Box::new(error))
    })
}

pub(super) fn list<T>(
    db: &Connection,
    sql: &str,
    key: &dyn rusqlite::ToSql,
    each: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Read<Vec<T>> {
    let mut statement = db.prepare_cached(sql).map_err(failed)?;
    let rows = statement.query_map([key], each).map_err(failed)?;
    rows.collect::<rusqlite::Result<_>>().map_err(failed)
}

const RUN: &str = "SELECT run, campaign, fingerprint, file, simulated, started, updated, seq, state FROM runs";

fn run_record(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    Ok(RunRecord {
        run: row.get(0)?,
        campaign: row.get(1)?,
        fingerprint: row.get(2)?,
        file: row.get(3)?,
        simulated: row.get(4)?,
        started: time(row, 5)?,
        updated: time(row, 6)?,
        seq: row.get::<_, i64>(7)? as u64,
        state: json(row, 8)?,
    })
}

pub fn run(db: &Connection, run: &str) -> Read<Option<RunRecord>> {
    db.query_row(&format!("{RUN} WHERE run = ?1"), params![run], run_record).optional().map_err(failed)
}

pub fn runs(db: &Connection) -> Read<Vec<RunRecord>> {
    list(db, &format!("{RUN} WHERE ?1 ORDER BY started DESC, run"), &true, run_record)
}

pub fn bundle(db: &Connection, fingerprint: &str) -> Read<Option<Vec<(String, String)>>> {
    db.query_row("SELECT files FROM bundles WHERE fingerprint = ?1", params![fingerprint], |row| json(row, 0))
        .optional()
        .map_err(failed)
}

pub fn journal(db: &Connection, run: &str) -> Read<Vec<JournalRecord>> {
    list(db, "SELECT seq, at, event FROM journal WHERE run = ?1 ORDER BY seq", &run, |row| {
        Ok(JournalRecord { seq: row.get::<_, i64>(0)? as u64, at: time(row, 1)?, event: json(row, 2)? })
    })
}

pub fn steps(db: &Connection, run: &str) -> Read<Vec<StepRecord>> {
    let sql = "SELECT run, step, token, kind, name, rows_in, rows_out, dropped, at, note
               FROM steps WHERE run = ?1 ORDER BY id";
    list(db, sql, &run, |row| {
        let count = |column| row.get::<_, Option<i64>>(column).map(|rows| rows.map(|rows| rows as u64));
        Ok(StepRecord {
            run: row.get(0)?,
            step: row.get(1)?,
            token: row.get(2)?,
            kind: row.get(3)?,
            name: row.get(4)?,
            rows_in: count(5)?,
            rows_out: count(6)?,
            dropped: json(row, 7)?,
            at: time(row, 8)?,
            note: row.get(9)?,
        })
    })
}

pub fn sends(db: &Connection, run: &str) -> Read<Vec<SendRecord>> {
    let sql = "SELECT id, run, step, token, channel, message, targeted, at FROM sends WHERE run = ?1 ORDER BY id";
    list(db, sql, &run, |row| {
        Ok(SendRecord {
            id: row.get(0)?,
            run: row.get(1)?,
            step: row.get(2)?,
            token: row.get(3)?,
            channel: row.get(4)?,
            message: row.get(5)?,
            targeted: row.get::<_, i64>(6)? as u64,
            at: time(row, 7)?,
        })
    })
}

/// A signal is since the run began if its time says so, or if it arrived later although the clock had been set back. Real
/// runs hear nothing of simulated ones, whose signals have no arrival; simulated runs nothing of what other real runs
/// emit, but people may answer them.
pub fn signals(db: &Connection, run: &str, name: &str, since: Timestamp) -> Read<Vec<SignalRecord>> {
    let (mut later, mut realm) = ("0", "1");
    if has_table(db, "began")? {
        later = "a.id > (SELECT arrival FROM began WHERE run = ?3)";
        realm = "CASE WHEN (SELECT simulated FROM runs WHERE run = ?3)
                 THEN a.id IS NULL OR NOT EXISTS (
                   SELECT 1 FROM runs r WHERE r.run = substr(s.id, 1, instr(s.id, ':') - 1) AND r.run != ?3)
                 ELSE a.id IS NOT NULL END";
    }
    let sql = format!(
        "SELECT s.id, s.name, s.parameters, s.at FROM signals s LEFT JOIN arrivals a ON a.signal = s.id
         WHERE s.name = ?1 AND (s.at >= ?2 OR {later}) AND {realm}
           AND NOT EXISTS (SELECT 1 FROM signals_taken t WHERE t.run = ?3 AND t.signal = s.id)
         ORDER BY s.at, s.id"
    );
    let mut statement = db.prepare_cached(&sql).map_err(failed)?;
    let rows = statement.query_map(params![name, since.as_microsecond(), run], |row| {
        let (id, name) = (row.get(0)?, row.get(1)?);
        Ok(SignalRecord { id, name, values: json(row, 2)?, at: time(row, 3)?, simulated: false })
    });
    rows.map_err(failed)?.collect::<rusqlite::Result<_>>().map_err(failed)
}

pub fn sent_keys(db: &Connection, channel: &str, most: usize) -> Read<Vec<[u8; 16]>> {
    let sql = format!(
        "SELECT i.key FROM sends s JOIN outcomes o ON o.send = s.id JOIN intents i USING (send, row, attempt)
         WHERE s.channel = ?1 AND o.kind = 1 ORDER BY s.id DESC, o.row DESC LIMIT {most}"
    );
    list(db, &sql, &channel, |row| row.get(0))
}

const TASK: &str = "SELECT run, step, token, kind, question, role, at, deadline, answer FROM tasks";

fn task_record(row: &Row<'_>) -> rusqlite::Result<TaskRecord> {
    let is_there = |column: usize| Ok::<_, rusqlite::Error>(row.get_ref(column)? != rusqlite::types::ValueRef::Null);
    Ok(TaskRecord {
        run: row.get(0)?,
        step: row.get(1)?,
        token: row.get(2)?,
        kind: json(row, 3)?,
        text: row.get(4)?,
        role: row.get(5)?,
        at: time(row, 6)?,
        deadline: if is_there(7)? { Some(time(row, 7)?) } else { None },
        answer: if is_there(8)? { Some(json(row, 8)?) } else { None },
    })
}

pub fn task(db: &Connection, run: &str, step: &str, token: &str) -> Read<Option<TaskRecord>> {
    let sql = format!("{TASK} WHERE run = ?1 AND step = ?2 AND token = ?3");
    db.query_row(&sql, params![run, step, token], task_record).optional().map_err(failed)
}

pub fn open_tasks(db: &Connection) -> Read<Vec<TaskRecord>> {
    list(db, &format!("{TASK} WHERE answer IS NULL AND ?1 ORDER BY at, run, step, token"), &true, task_record)
}

/// The latest attempt of each row, with its outcome if there is one.
const LATEST: &str = "FROM intents i LEFT JOIN outcomes o USING (send, row, attempt)
    WHERE i.send = ?1 AND NOT EXISTS
      (SELECT 1 FROM intents n WHERE n.send = i.send AND n.row = i.row AND n.attempt > i.attempt)";

/// What is read of each of them. A row that was asked for again counts from then on.
const FULL: &str = "SELECT i.row, i.attempt, i.key, i.entity, i.address, i.at, o.kind, o.detail, o.retry_at, o.at,
    (SELECT min(f.at) FROM intents f WHERE f.send = i.send AND f.row = i.row AND f.attempt >= coalesce(
      (SELECT max(r.attempt) FROM outcomes r WHERE r.send = i.send AND r.row = i.row AND r.kind = 6), 0))";

pub fn rows(db: &Connection, send: i64, each: &mut dyn FnMut(RowRecord)) -> Read<()> {
    rows_from(db, send, 0, each)
}

/// The rows of a send from this number on. A row that waited for another try when the run was stopped has both an
/// intent and an exclusion, which counts.
fn rows_from(db: &Connection, send: i64, from: u64, each: &mut dyn FnMut(RowRecord)) -> Read<()> {
    let sql = format!(
        "{FULL} {LATEST} AND i.row >= ?2
         AND NOT EXISTS (SELECT 1 FROM exclusions x WHERE x.send = i.send AND x.row = i.row)
         ORDER BY i.row"
    );
    let mut statement = db.prepare_cached(&sql).map_err(failed)?;
    let mut found = statement.query(params![send, from as i64]).map_err(failed)?;
    while let Some(row) = found.next().map_err(failed)? {
        each(intent_row(row).map_err(failed)?);
    }
    let sql = "SELECT row, entity, reason, detail, at FROM exclusions WHERE send = ?1 AND row >= ?2 ORDER BY row";
    let mut statement = db.prepare_cached(sql).map_err(failed)?;
    let mut found = statement.query(params![send, from as i64]).map_err(failed)?;
    while let Some(row) = found.next().map_err(failed)? {
        each(exclusion_row(row)?);
    }
    Ok(())
}

/// So many of the last settled rows are mentioned with those that are not.
const LAST: i64 = 64;

/// The rows of a send that may have to be looked at again. Gives a number: rows below it that were not mentioned are
/// settled. What it costs does not depend on how many those are.
pub fn unsettled(db: &Connection, send: i64, each: &mut dyn FnMut(RowRecord)) -> Read<u64> {
    let below = db
        .query_row("SELECT below FROM progress WHERE send = ?1", params![send], |row| row.get::<_, i64>(0))
        .optional()
        .map_err(failed)?
        // The last of those that are settled are mentioned, so that it is known when the latest message was intended.
        .map_or(0, |below| (below - LAST).max(0));
    // The partial index has the few rows that had to be tried again.
    let tried = "SELECT row FROM outcomes WHERE send = ?1 AND kind > 3 AND row < ?2";
    let mut statement = db.prepare_cached(&format!("{FULL} {LATEST} AND i.row IN ({tried})")).map_err(failed)?;
    let mut found = statement.query(params![send, below]).map_err(failed)?;
    while let Some(row) = found.next().map_err(failed)? {
        each(intent_row(row).map_err(failed)?);
    }
    // A message that was tried in vain may be excluded later on.
    let sql = format!("SELECT row, entity, reason, detail, at FROM exclusions WHERE send = ?1 AND row IN ({tried})");
    let mut statement = db.prepare_cached(&sql).map_err(failed)?;
    let mut found = statement.query(params![send, below]).map_err(failed)?;
    while let Some(row) = found.next().map_err(failed)? {
        each(exclusion_row(row)?);
    }
    rows_from(db, send, below as u64, each)?;
    Ok(below as u64)
}

fn intent_row(row: &Row<'_>) -> rusqlite::Result<RowRecord> {
    let intent = Intent {
        row: row.get::<_, i64>(0)? as u64,
        attempt: row.get(1)?,
        key: row.get(2)?,
        entity: row.get(3)?,
        address: row.get(4)?,
        at: time(row, 5)?,
    };
    let entity = intent.entity.clone();
    let kind = row.get::<_, Option<i64>>(6)?.and_then(OutcomeKind::from_number);
    let state = match kind {
        None => RowState::Intended(intent),
        Some(kind) => {
            let retry_at = row.get::<_, Option<i64>>(8)?.map(|_| time(row, 8)).transpose()?;
            let outcome = OutcomeRow {
                row: intent.row,
                attempt: intent.attempt,
                kind,
                detail: row.get(7)?,
                retry_at,
                at: time(row, 9)?,
            };
            RowState::Ended(intent, outcome)
        }
    };
    let number = match &state {
        RowState::Intended(intent) | RowState::Ended(intent, _) => intent.row,
        RowState::Excluded(exclusion) => exclusion.row,
    };
    Ok(RowRecord { row: number, entity, first: time(row, 10)?, state })
}

fn exclusion_row(row: &Row<'_>) -> Read<RowRecord> {
    let word: String = row.get(2).map_err(failed)?;
    let reason = Reason::from_word(&word).ok_or_else(|| StoreError::Damaged(format!("unknown reason `{word}`")))?;
    let read = |row: &Row<'_>| -> rusqlite::Result<Exclusion> {
        let number = row.get::<_, i64>(0)? as u64;
        Ok(Exclusion { row: number, entity: row.get(1)?, reason, detail: row.get(3)?, at: time(row, 4)? })
    };
    let exclusion = read(row).map_err(failed)?;
    Ok(RowRecord {
        row: exclusion.row,
        entity: exclusion.entity.clone(),
        first: exclusion.at,
        state: RowState::Excluded(exclusion),
    })
}

pub fn last_intent(db: &Connection, send: i64) -> Read<Option<Timestamp>> {
    let sql = "SELECT max(at) FROM intents WHERE send = ?1";
    let last = |row: &Row<'_>| row.get::<_, Option<i64>>(0)?.map(|_| time(row, 0)).transpose();
    db.query_row(sql, params![send], last).map_err(failed)
}

pub fn tally(db: &Connection, send: i64) -> Read<Tally> {
    let targeted: i64 =
        db.query_row("SELECT targeted FROM sends WHERE id = ?1", params![send], |row| row.get(0)).map_err(failed)?;
    let mut tally = Tally { targeted: targeted as u64, ..Tally::default() };
    if let Some(kept) = super::operations::kept_tally(db, send, &tally)? {
        return Ok(kept);
    }
    let ended = list(db, &format!("SELECT o.kind, count(*) {LATEST} GROUP BY o.kind"), &send, |row| {
        Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, i64>(1)? as u64))
    })?;
    for (kind, count) in ended {
        match kind.and_then(OutcomeKind::from_number) {
            Some(OutcomeKind::Sent) => tally.sent = count,
            Some(OutcomeKind::Failed) => tally.failed = count,
            Some(OutcomeKind::Unknown) => tally.unknown = count,
            Some(OutcomeKind::Deferred | OutcomeKind::NotStarted | OutcomeKind::Reopened) | None => {}
        }
    }
    let sql = "SELECT reason, count(*) FROM exclusions WHERE send = ?1 GROUP BY reason";
    let excluded = list(db, sql, &send, |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)? as u64)))?;
    for (word, count) in excluded {
        let reason = Reason::from_word(&word).ok_or_else(|| StoreError::Damaged(format!("unknown reason `{word}`")))?;
        tally.excluded.insert(reason, count);
    }
    tally.late = super::contacts::count_late(db, send)?;
    let settled = tally.sent + tally.failed + tally.unknown + tally.excluded_total();
    tally.due = tally.targeted.checked_sub(settled).ok_or_else(|| {
        StoreError::Damaged(format!("send {send} has {settled} settled rows but only {} targeted", tally.targeted))
    })?;
    Ok(tally)
}

/// A store of an older format, opened for reading only, lacks newer tables.
pub(super) fn has_table(db: &Connection, name: &str) -> Read<bool> {
    let sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1";
    db.query_row(sql, params![name], |_| Ok(())).optional().map(|found| found.is_some()).map_err(failed)
}

/// The table of the audiences of a realm.
pub(super) const fn audiences_of(realm: Realm) -> &'static str {
    match realm {
        Realm::Real => "audiences",
        Realm::Simulated => "simulated_audiences",
    }
}

/// The table of the subscriptions of a realm.
pub(super) const fn subscriptions_of(realm: Realm) -> &'static str {
    match realm {
        Realm::Real => "subscriptions",
        Realm::Simulated => "simulated_subscriptions",
    }
}

const AUDIENCE: &str = "SELECT name, entity, file, rows, run, at FROM";

fn audience_record(row: &Row<'_>, realm: Realm) -> rusqlite::Result<AudienceRecord> {
    Ok(AudienceRecord {
        name: row.get(0)?,
        entity: row.get(1)?,
        file: row.get(2)?,
        rows: row.get::<_, i64>(3)? as u64,
        run: row.get(4)?,
        at: time(row, 5)?,
        realm,
    })
}

pub fn audience(db: &Connection, realm: Realm, name: &str) -> Read<Option<AudienceRecord>> {
    let table = audiences_of(realm);
    if !has_table(db, table)? {
        return Ok(None);
    }
    let sql = format!("{AUDIENCE} {table} WHERE name = ?1");
    db.query_row(&sql, params![name], |row| audience_record(row, realm)).optional().map_err(failed)
}

pub fn audiences(db: &Connection, realm: Realm) -> Read<Vec<AudienceRecord>> {
    let table = audiences_of(realm);
    if !has_table(db, table)? {
        return Ok(Vec::new());
    }
    list(db, &format!("{AUDIENCE} {table} WHERE ?1 ORDER BY name"), &true, |row| audience_record(row, realm))
}

pub fn subscriptions(db: &Connection, realm: Realm, topic: &str, each: &mut dyn FnMut(&str, &str, bool)) -> Read<()> {
    let table = subscriptions_of(realm);
    if !has_table(db, table)? {
        return Ok(());
    }
    let sql = format!("SELECT person, address, subscribed FROM {table} WHERE topic = ?1");
    let mut statement = db.prepare_cached(&sql).map_err(failed)?;
    let mut found = statement.query(params![topic]).map_err(failed)?;
    while let Some(row) = found.next().map_err(failed)? {
        let read = |at: usize| {
            row.get_ref(at)?.as_str().map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(at, rusqlite::types::Type::Text, Box::new(error))
            })
        };
        each(read(0).map_err(failed)?, read(1).map_err(failed)?, row.get(2).map_err(failed)?);
    }
    Ok(())
}
