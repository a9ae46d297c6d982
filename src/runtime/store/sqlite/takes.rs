//! What `new` remembers.

use rusqlite::{Connection, params};

use super::super::{Seen, StoreError, TakeRecord};
use super::read::{has_table, json, list, time};
use super::write::json as to_json;
use crate::runtime::machine::Status;

/// The takes of a memory, or of all, in order.
pub fn takes(db: &Connection, memory: Option<&str>) -> Result<Vec<TakeRecord>, StoreError> {
    if !has_table(db, "takes")? {
        return Ok(Vec::new());
    }
    // What a run took before its clock became virtual stays real.
    let (real, turned) = match has_table(db, "turned_simulated")? {
        true => ("coalesce(t.take, 0)", "LEFT JOIN turned_simulated t ON t.run = takes.run"),
        false => ("0", ""),
    };
    let sql = format!(
        "SELECT id, memory, entity, by, takes.run, takes.file, ranges, rows, at, kept,
           coalesce(simulated, 0) AND id > {real}
         FROM takes LEFT JOIN runs ON runs.run = takes.run {turned} WHERE ?1 IS NULL OR memory = ?1 ORDER BY id"
    );
    list(db, &sql, &memory, |row| {
        Ok(TakeRecord {
            id: row.get(0)?,
            memory: row.get(1)?,
            entity: row.get(2)?,
            by: row.get(3)?,
            run: row.get(4)?,
            file: row.get(5)?,
            ranges: json(row, 6)?,
            rows: row.get::<_, i64>(7)? as u64,
            at: time(row, 8)?,
            kept: row.get(9)?,
            simulated: row.get(10)?,
        })
    })
}

/// Adds a take, if its memory is as it was seen.
pub fn take(db: &Connection, take: &TakeRecord, seen: Seen) -> rusqlite::Result<Result<(), StoreError>> {
    let now = db
        .prepare_cached("SELECT count(*), coalesce(max(id), 0) FROM takes WHERE memory = ?1")?
        .query_row([&take.memory], |row| Ok(Seen { takes: row.get::<_, i64>(0)? as u64, last: row.get(1)? }))?;
    if now != seen {
        return Ok(Err(StoreError::Overtaken(take.memory.clone())));
    }
    db.prepare_cached(
        "INSERT INTO takes (memory, entity, by, run, file, ranges, rows, at, kept)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        take.memory,
        take.entity,
        take.by,
        take.run,
        take.file,
        to_json(&take.ranges)?,
        take.rows as i64,
        take.at.as_microsecond(),
        take.kept,
    ])?;
    Ok(Ok(()))
}

/// A run keeps what it took.
pub fn used(db: &Connection, run: &str) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE takes SET kept = 1 WHERE run = ?1 AND kept = 0")?.execute([run])?;
    Ok(())
}

/// The run of a send keeps what it took: messages are about to leave.
pub fn used_by_send(db: &Connection, send: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE takes SET kept = 1 WHERE run = (SELECT run FROM sends WHERE id = ?1) AND kept = 0";
    db.prepare_cached(sql)?.execute([send])?;
    Ok(())
}

/// A run that is over keeps what it took if it finished, and gives back what it did not use otherwise.
pub fn settle(db: &Connection, run: &str, status: Status) -> rusqlite::Result<()> {
    match status {
        Status::Finished => used(db, run),
        status if status.is_over() => {
            db.prepare_cached("DELETE FROM takes WHERE run = ?1 AND kept = 0")?.execute([run])?;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Takes takes away.
pub fn forget(db: &Connection, takes: &[i64]) -> rusqlite::Result<()> {
    let mut delete = db.prepare_cached("DELETE FROM takes WHERE id = ?1")?;
    for id in takes {
        delete.execute([id])?;
    }
    Ok(())
}
