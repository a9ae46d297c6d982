//! Whom messages were meant for, and which of them came late.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::super::{Contact, EarlierContact, OutcomeKind, StoreError};
use super::read::{failed, has_table, time};

/// Contacts of simulated runs carry the name of their run, so that they never reach a cap of another one.
pub(super) fn add(db: &Connection, send: i64, contacts: &[Contact]) -> rusqlite::Result<()> {
    if contacts.is_empty() {
        return Ok(());
    }
    let sql = "SELECT s.channel, CASE WHEN r.simulated THEN s.run ELSE '' END
               FROM sends s JOIN runs r ON r.run = s.run WHERE s.id = ?1";
    let (channel, scope): (String, String) =
        db.prepare_cached(sql)?.query_row([send], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut insert = db.prepare_cached(
        "INSERT OR IGNORE INTO contacts (person, at, send, row, attempt, channel, scope)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for one in contacts {
        let at = one.at.as_microsecond();
        insert.execute(params![one.person, at, send, one.row as i64, one.attempt, channel, scope])?;
    }
    Ok(())
}

pub(super) fn late(db: &Connection, send: i64, rows: &[u64]) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached("INSERT OR IGNORE INTO late (send, row) VALUES (?1, ?2)")?;
    for row in rows {
        insert.execute(params![send, *row as i64])?;
    }
    Ok(())
}

/// An attempt that failed, or never started, reached nobody.
pub(super) fn find(
    db: &Connection,
    person: &[u8; 16],
    since: Timestamp,
    run: &str,
) -> Result<Vec<EarlierContact>, StoreError> {
    if !has_table(db, "contacts")? {
        return Ok(Vec::new());
    }
    let sql = "SELECT c.send, c.row, c.channel, c.at
               FROM contacts c LEFT JOIN outcomes o USING (send, row, attempt)
               WHERE c.person = ?1 AND c.at > ?2 AND c.scope IN ('', ?3)
                 AND (o.kind IS NULL OR o.kind NOT IN (?4, ?5))";
    let mut statement = db.prepare_cached(sql).map_err(failed)?;
    let (failure, unstarted) = (OutcomeKind::Failed.number(), OutcomeKind::NotStarted.number());
    let since = since.as_microsecond();
    let rows = statement
        .query_map(params![person, since, run, failure, unstarted], |row| {
            let number = row.get::<_, i64>(1)? as u64;
            Ok(EarlierContact { send: row.get(0)?, row: number, channel: row.get(2)?, at: time(row, 3)? })
        })
        .map_err(failed)?;
    rows.collect::<rusqlite::Result<_>>().map_err(failed)
}

/// How many rows of a send came late.
pub(super) fn count_late(db: &Connection, send: i64) -> Result<u64, StoreError> {
    if !has_table(db, "late")? {
        return Ok(0);
    }
    let count = db.query_row("SELECT count(*) FROM late WHERE send = ?1", [send], |row| row.get::<_, i64>(0));
    count.map(|rows| rows as u64).map_err(failed)
}
