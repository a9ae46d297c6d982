//! What is to happen and when.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::super::{
    AgendaChange, CONDITION, CampaignRecord, Cause, Hold, QueuedStart, Restored, SignalRecord, StoreError,
    word_of_signal,
};
use super::read::{failed, has_table, json, list, time};
use super::write::json as to_json;
use crate::runtime::machine::State;

type Read<T> = Result<T, StoreError>;

/// Word of runs of which an older version did not note what they wait for.
const ANYTHING: &str = "*";
/// A look takes less than this, in microseconds.
const ABOUT_THEN: i64 = 600_000_000;
const HELD: &str = "held";
const HEARD: &str = "heard";
const RESTORED: &str = "restored";

/// A new run is on the agenda.
pub fn opened(db: &Connection, run: &str, file: &str, campaign: &str, state: &State) -> rusqlite::Result<()> {
    if state.status.is_over() && state.due().is_none() {
        return Ok(());
    }
    db.prepare_cached("INSERT OR REPLACE INTO open_runs (run, file, campaign, at) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![run, file, campaign, state.due().map(Timestamp::as_microsecond)])?;
    Ok(())
}

/// A new run has seen the arrivals that there are.
pub fn began(db: &Connection, run: &str) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO began (run, arrival) SELECT ?1, coalesce(max(id), 0) FROM arrivals";
    db.prepare_cached(sql)?.execute([run])?;
    Ok(())
}

/// A run has moved.
pub fn moved(db: &Connection, run: &str, state: &State) -> rusqlite::Result<()> {
    if state.status.is_over() && state.due().is_none() {
        db.prepare_cached("DELETE FROM open_runs WHERE run = ?1")?.execute([run])?;
        db.prepare_cached("DELETE FROM listeners WHERE run = ?1")?.execute([run])?;
        db.prepare_cached("DELETE FROM wakes WHERE run = ?1")?.execute([run])?;
        return Ok(());
    }
    // The row is gone if the run was over and somebody asked for some of its messages again.
    let sql = "INSERT INTO open_runs (run, file, campaign, at) SELECT run, file, campaign, ?2 FROM runs WHERE run = ?1
               ON CONFLICT (run) DO UPDATE SET at = excluded.at, file = excluded.file, campaign = excluded.campaign";
    db.prepare_cached(sql)?.execute(params![run, state.due().map(Timestamp::as_microsecond)])?;
    Ok(())
}

/// A signal is new. Whoever waits for it, or for a condition, is to be looked at.
pub fn arrived(db: &Connection, signal: &str, name: &str) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR IGNORE INTO arrivals (signal) VALUES (?1)")?.execute([signal])?;
    let sql = "INSERT INTO wakes (run) SELECT DISTINCT run FROM listeners WHERE word IN (?1, ?2, ?3)";
    db.prepare_cached(sql)?.execute([&word_of_signal(name), CONDITION, ANYTHING])?;
    Ok(())
}

/// Something was reported that a condition may be about.
pub fn wake_conditions(db: &Connection) -> rusqlite::Result<()> {
    let sql = "INSERT INTO wakes (run) SELECT DISTINCT run FROM listeners WHERE word IN (?1, ?2)";
    db.prepare_cached(sql)?.execute([CONDITION, ANYTHING])?;
    Ok(())
}

/// Something came that a run may wait for.
pub fn wake(db: &Connection, run: &str) -> rusqlite::Result<()> {
    let sql = "INSERT INTO wakes (run) SELECT run FROM open_runs WHERE run = ?1";
    db.prepare_cached(sql)?.execute([run])?;
    Ok(())
}

/// Fills the agenda of a store that an older version wrote.
pub fn fill(db: &Connection) -> rusqlite::Result<()> {
    // Those that are there have started whatever they started.
    db.execute("INSERT OR IGNORE INTO arrivals (signal) SELECT id FROM signals ORDER BY at, id", [])?;
    let last: i64 = db.query_row("SELECT coalesce(max(id), 0) FROM arrivals", [], |row| row.get(0))?;
    set(db, HEARD, &last.to_string())?;
    let mut runs = db.prepare("SELECT run, file, campaign, state FROM runs")?;
    let mut rows = runs.query([])?;
    while let Some(row) = rows.next()? {
        let (run, state): (String, State) = (row.get(0)?, json(row, 3)?);
        opened(db, &run, &row.get::<_, String>(1)?, &row.get::<_, String>(2)?, &state)?;
        if !state.status.is_over() {
            listens(db, &run, &[ANYTHING.to_owned()])?;
        }
    }
    Ok(())
}

/// The outer error is the database's, the inner one the change's own.
pub fn apply(db: &Connection, change: &AgendaChange) -> rusqlite::Result<Result<(), StoreError>> {
    let decided_before = |what: &str| Err(StoreError::Conflict(format!("{what} was decided before")));
    match change {
        AgendaChange::Campaign(campaign) => new_campaign(db, campaign)?,
        AgendaChange::Forgotten { file, campaign } => {
            db.execute("DELETE FROM campaigns WHERE file = ?1 AND campaign = ?2", params![file, campaign])?;
        }
        AgendaChange::Fired { file, campaign, expected, considered, next, skipped } => {
            let sql = "UPDATE campaigns SET considered = ?4, next = ?5, skipped = skipped + ?6
                       WHERE file = ?1 AND campaign = ?2 AND next = ?3";
            let next = next.map(Timestamp::as_microsecond);
            let (expected, considered) = (expected.as_microsecond(), considered.as_microsecond());
            if db.prepare_cached(sql)?.execute(params![file, campaign, expected, considered, next, skipped])? == 0 {
                return Ok(decided_before("that start of the schedule"));
            }
        }
        AgendaChange::Skipped { file, campaign } => {
            let sql = "UPDATE campaigns SET skipped = skipped + 1 WHERE file = ?1 AND campaign = ?2";
            db.prepare_cached(sql)?.execute(params![file, campaign])?;
        }
        AgendaChange::Heard { arrival } => {
            let sql = "INSERT INTO settings (name, value) VALUES (?1, ?2)
                       ON CONFLICT (name) DO UPDATE SET value = excluded.value
                       WHERE CAST(value AS INTEGER) < CAST(excluded.value AS INTEGER)";
            if db.prepare_cached(sql)?.execute(params![HEARD, arrival.to_string()])? == 0 {
                return Ok(decided_before("what that signal starts"));
            }
        }
        AgendaChange::Queued(start) => queue(db, start)?,
        AgendaChange::Unqueued { id } => {
            if db.prepare_cached("DELETE FROM queued WHERE id = ?1")?.execute([id])? == 0 {
                return Ok(decided_before("that start"));
            }
        }
        AgendaChange::Origin { run, key, cause } => {
            db.prepare_cached("UPDATE open_runs SET key = ?2 WHERE run = ?1")?.execute(params![run, key])?;
            db.prepare_cached("INSERT OR REPLACE INTO origins (run, cause) VALUES (?1, ?2)")?
                .execute(params![run, to_json(cause)?])?;
        }
        AgendaChange::Listens { run, words } => listens(db, run, words)?,
        AgendaChange::Looked { run, wake } => {
            db.prepare_cached("DELETE FROM wakes WHERE run = ?1 AND id <= ?2")?.execute(params![run, wake])?;
        }
        AgendaChange::WakeAnew => {
            let sql = "INSERT INTO wakes (run) SELECT DISTINCT l.run FROM signals s
                       JOIN listeners l ON l.word = 'signal:' || s.name JOIN runs r ON r.run = l.run
                       WHERE s.at >= r.updated - ?1";
            db.prepare_cached(sql)?.execute([ABOUT_THEN])?;
        }
        AgendaChange::Held(None) => {
            db.execute("DELETE FROM settings WHERE name = ?1", [HELD])?;
        }
        AgendaChange::Held(Some(hold)) => set(db, HELD, &to_json(hold)?)?,
        AgendaChange::Restored(restored) => {
            db.execute("DELETE FROM queued", [])?;
            let at = restored.at.as_microsecond();
            db.execute("UPDATE campaigns SET considered = max(considered, ?1), next = NULL", [at])?;
            let last: i64 = db.query_row("SELECT coalesce(max(id), 0) FROM arrivals", [], |row| row.get(0))?;
            set(db, HEARD, &last.to_string())?;
            set(db, RESTORED, &to_json(restored)?)?;
        }
        AgendaChange::Trusted { memory } => {
            if let Ok(Some(mut restored)) = restored(db)
                && restored.doubts(memory)
            {
                restored.trusted.push(memory.clone());
                set(db, RESTORED, &to_json(&restored)?)?;
            }
        }
    }
    Ok(Ok(()))
}

fn set(db: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    db.execute("INSERT OR REPLACE INTO settings (name, value) VALUES (?1, ?2)", params![name, value])?;
    Ok(())
}

fn listens(db: &Connection, run: &str, words: &[String]) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM listeners WHERE run = ?1")?.execute([run])?;
    for word in words {
        db.prepare_cached("INSERT OR IGNORE INTO listeners (word, run) VALUES (?1, ?2)")?.execute([word, run])?;
    }
    Ok(())
}

fn new_campaign(db: &Connection, campaign: &CampaignRecord) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO campaigns
           (file, campaign, fingerprint, schedule, signal, since, considered, next, skipped)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        campaign.file,
        campaign.campaign,
        campaign.fingerprint,
        campaign.schedule,
        campaign.signal,
        campaign.since,
        campaign.considered.as_microsecond(),
        campaign.next.map(Timestamp::as_microsecond),
        campaign.skipped as i64,
    ])?;
    Ok(())
}

fn queue(db: &Connection, start: &QueuedStart) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO queued (file, campaign, key, parameters, cause, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        start.file,
        start.campaign,
        start.key,
        to_json(&start.values)?,
        to_json(&start.cause)?,
        start.at.as_microsecond(),
    ])?;
    Ok(())
}

pub fn due(db: &Connection, now: Timestamp, most: usize) -> Read<Vec<String>> {
    let mut statement =
        db.prepare_cached("SELECT run FROM open_runs WHERE at <= ?1 ORDER BY at, run LIMIT ?2").map_err(failed)?;
    let rows = statement.query_map(params![now.as_microsecond(), most as i64], |row| row.get(0)).map_err(failed)?;
    rows.collect::<rusqlite::Result<_>>().map_err(failed)
}

pub fn next_due(db: &Connection, now: Timestamp) -> Read<Option<Timestamp>> {
    let sql = "SELECT at FROM open_runs WHERE at > ?1 ORDER BY at LIMIT 1";
    let mut statement = db.prepare_cached(sql).map_err(failed)?;
    statement.query_row(params![now.as_microsecond()], |row| time(row, 0)).optional().map_err(failed)
}

pub fn woken(db: &Connection, run: Option<&str>, most: usize) -> Read<Vec<(String, i64)>> {
    let sql = "SELECT run, max(id) FROM wakes WHERE ?1 IS NULL OR run = ?1 GROUP BY run ORDER BY min(id) LIMIT ?2";
    let mut statement = db.prepare_cached(sql).map_err(failed)?;
    let rows = statement.query_map(params![run, most as i64], |row| Ok((row.get(0)?, row.get(1)?))).map_err(failed)?;
    rows.collect::<rusqlite::Result<_>>().map_err(failed)
}

pub fn words(db: &Connection, run: &str) -> Read<Vec<String>> {
    if !has_table(db, "listeners")? {
        return Ok(vec![ANYTHING.to_owned()]);
    }
    list(db, "SELECT word FROM listeners WHERE run = ?1 ORDER BY word", &run, |row| row.get(0))
}

fn signal_record(row: &Row<'_>) -> rusqlite::Result<SignalRecord> {
    Ok(SignalRecord { id: row.get(0)?, name: row.get(1)?, values: json(row, 2)?, at: time(row, 3)?, simulated: false })
}

pub fn arrivals(db: &Connection, behind: i64) -> Read<Vec<(i64, SignalRecord)>> {
    let sql = "SELECT s.id, s.name, s.parameters, s.at, a.id FROM arrivals a JOIN signals s ON s.id = a.signal
               WHERE a.id > ?1 ORDER BY a.id LIMIT 1000";
    list(db, sql, &behind, |row| Ok((row.get(4)?, signal_record(row)?)))
}

pub fn last_arrival(db: &Connection) -> Read<i64> {
    db.query_row("SELECT coalesce(max(id), 0) FROM arrivals", [], |row| row.get(0)).map_err(failed)
}

pub fn signal(db: &Connection, id: &str) -> Read<Option<SignalRecord>> {
    let sql = "SELECT id, name, parameters, at FROM signals WHERE id = ?1";
    db.query_row(sql, [id], signal_record).optional().map_err(failed)
}

fn setting(db: &Connection, name: &str) -> Read<Option<String>> {
    if !has_table(db, "settings")? {
        return Ok(None);
    }
    db.query_row("SELECT value FROM settings WHERE name = ?1", [name], |row| row.get(0)).optional().map_err(failed)
}

pub fn heard(db: &Connection) -> Read<i64> {
    Ok(setting(db, HEARD)?.and_then(|text| text.parse().ok()).unwrap_or(0))
}

fn document<T: serde::de::DeserializeOwned>(db: &Connection, name: &str) -> Read<Option<T>> {
    let Some(text) = setting(db, name)? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|error| StoreError::Damaged(error.to_string()))
}

pub fn held(db: &Connection) -> Read<Option<Hold>> {
    document(db, HELD)
}

pub fn restored(db: &Connection) -> Read<Option<Restored>> {
    document(db, RESTORED)
}

pub fn open_run_of(db: &Connection, file: &str, campaign: &str, key: Option<&str>) -> Read<Option<String>> {
    if !has_table(db, "open_runs")? {
        return Ok(None);
    }
    let sql = "SELECT o.run FROM open_runs o JOIN runs r ON r.run = o.run
               WHERE o.file = ?1 AND o.campaign = ?2 AND (?3 IS NULL OR o.key = ?3) AND r.simulated = 0
                 AND json_extract(r.state, '$.status') IN ('new', 'running', 'paused')
               ORDER BY r.started LIMIT 1";
    let mut statement = db.prepare_cached(sql).map_err(failed)?;
    statement.query_row(params![file, campaign, key], |row| row.get(0)).optional().map_err(failed)
}

pub fn open_runs(db: &Connection) -> Read<u64> {
    let count: i64 = db.query_row("SELECT count(*) FROM open_runs", [], |row| row.get(0)).map_err(failed)?;
    Ok(count as u64)
}

pub fn campaigns(db: &Connection) -> Read<Vec<CampaignRecord>> {
    if !has_table(db, "campaigns")? {
        return Ok(Vec::new());
    }
    let sql = "SELECT file, campaign, fingerprint, schedule, signal, since, considered, next, skipped
               FROM campaigns WHERE ?1 ORDER BY file, campaign";
    list(db, sql, &true, |row| {
        Ok(CampaignRecord {
            file: row.get(0)?,
            campaign: row.get(1)?,
            fingerprint: row.get(2)?,
            schedule: row.get(3)?,
            signal: row.get(4)?,
            since: row.get(5)?,
            considered: time(row, 6)?,
            next: row.get::<_, Option<i64>>(7)?.map(|_| time(row, 7)).transpose()?,
            skipped: row.get::<_, i64>(8)? as u64,
        })
    })
}

pub fn queued(db: &Connection) -> Read<Vec<QueuedStart>> {
    if !has_table(db, "queued")? {
        return Ok(Vec::new());
    }
    let sql = "SELECT id, file, campaign, key, parameters, cause, at FROM queued WHERE ?1 ORDER BY id";
    list(db, sql, &true, |row| {
        Ok(QueuedStart {
            id: row.get(0)?,
            file: row.get(1)?,
            campaign: row.get(2)?,
            key: row.get(3)?,
            values: json(row, 4)?,
            cause: json(row, 5)?,
            at: time(row, 6)?,
        })
    })
}

pub fn cause(db: &Connection, run: &str) -> Read<Option<Cause>> {
    if !has_table(db, "origins")? {
        return Ok(None);
    }
    let sql = "SELECT cause FROM origins WHERE run = ?1";
    db.query_row(sql, [run], |row| json(row, 0)).optional().map_err(failed)
}
