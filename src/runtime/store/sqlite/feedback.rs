//! What was reported about messages after they had left.

use rusqlite::{Connection, params};

use super::super::{FeedbackEvent, StoreError};
use super::read::{failed, has_table};
use crate::hir::FeedbackKind;

/// Messages are found by their key. The index for that is made when the first report comes, so that those who get none
/// do not pay for it with every send.
pub(super) fn add(db: &Connection, events: &[FeedbackEvent]) -> rusqlite::Result<()> {
    db.execute_batch("CREATE INDEX IF NOT EXISTS intents_by_key ON intents (key)")?;
    let mut insert = db.prepare_cached(
        "INSERT OR IGNORE INTO feedback (send, row, kind, at) SELECT send, row, ?2, ?3 FROM intents WHERE key = ?1",
    )?;
    for event in events {
        insert.execute(params![event.key.0, event.kind.word(), event.at.as_microsecond()])?;
    }
    Ok(())
}

pub(super) fn rows(db: &Connection, send: i64, kind: FeedbackKind) -> Result<Vec<u64>, StoreError> {
    if !has_table(db, "feedback")? {
        return Ok(Vec::new());
    }
    let sql = "SELECT row FROM feedback WHERE send = ?1 AND kind = ?2 ORDER BY row";
    let mut statement = db.prepare_cached(sql).map_err(failed)?;
    let found = statement.query_map(params![send, kind.word()], |row| row.get::<_, i64>(0)).map_err(failed)?;
    found.map(|row| row.map(|row| row as u64)).collect::<rusqlite::Result<_>>().map_err(failed)
}
