//! What operating runs changes: messages that are due again, runs that turn simulated, numbers that outlive details.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::super::{OutcomeKind, Reason, StepRecord, StoreError, Tally};
use super::read::{failed, has_table, json};
use super::write::json as to_json;

/// What a run has sent and taken so far stays real; everything later does not count.
pub fn simulated(db: &Connection, run: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR IGNORE INTO turned_simulated (run, send, take)
         SELECT ?1, (SELECT coalesce(max(id), 0) FROM sends), (SELECT coalesce(max(id), 0) FROM takes)",
    )?
    .execute([run])?;
    db.prepare_cached("UPDATE runs SET simulated = 1 WHERE run = ?1")?.execute([run])?;
    Ok(())
}

/// A further attempt that ends at once, so that the row is due. The attempts before it stay as they were.
pub fn reopen(db: &Connection, send: i64, kind: OutcomeKind, at: Timestamp) -> rusqlite::Result<()> {
    // First the outcomes: the intents would change which attempt is the latest.
    let latest = "FROM intents i JOIN outcomes o USING (send, row, attempt)
         WHERE i.send = ?1 AND o.kind = ?2 AND NOT EXISTS
           (SELECT 1 FROM intents n WHERE n.send = i.send AND n.row = i.row AND n.attempt > i.attempt)";
    let asked = "asked for again";
    db.prepare_cached(&format!(
        "INSERT INTO outcomes (send, row, attempt, kind, detail, retry_at, at)
         SELECT i.send, i.row, i.attempt + 1, ?3, ?4, NULL, ?5 {latest}"
    ))?
    .execute(params![send, kind.number(), OutcomeKind::Reopened.number(), asked, at.as_microsecond()])?;
    db.prepare_cached(&format!(
        "INSERT INTO intents (send, row, attempt, key, entity, address, at)
         SELECT i.send, i.row, i.attempt + 1, i.key, i.entity, i.address, ?3 {latest}"
    ))?
    .execute(params![send, kind.number(), at.as_microsecond()])?;
    Ok(())
}

/// Later numbers of a step in the place of earlier ones.
pub fn recount(db: &Connection, step: &StepRecord) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE steps SET rows_in = ?4, rows_out = ?5, dropped = ?6, at = ?7 WHERE run = ?1 AND step = ?2 AND token = ?3",
    )?
    .execute(params![
        step.run,
        step.step,
        step.token,
        step.rows_in.map(|rows| rows as i64),
        step.rows_out.map(|rows| rows as i64),
        to_json(&step.dropped)?,
        step.at.as_microsecond(),
    ])?;
    Ok(())
}

/// How far a send has come for good.
pub fn progress(db: &Connection, send: i64, below: u64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO progress (send, below) VALUES (?1, ?2)
         ON CONFLICT (send) DO UPDATE SET below = excluded.below WHERE excluded.below > below",
    )?
    .execute(params![send, below as i64])?;
    Ok(())
}

/// The numbers of a send whose details were removed; `targeted` is known already.
pub fn kept_tally(db: &Connection, send: i64, targeted: &Tally) -> Result<Option<Tally>, StoreError> {
    if !has_table(db, "tallies")? {
        return Ok(None);
    }
    let sql = "SELECT sent, failed, unknown, excluded, late FROM tallies WHERE send = ?1";
    let kept = db
        .query_row(sql, params![send], |row| {
            let count = |at| row.get::<_, i64>(at).map(|count| count as u64);
            let words: BTreeMap<String, u64> = json(row, 3)?;
            let excluded = words.into_iter().filter_map(|(word, rows)| Some((Reason::from_word(&word)?, rows)));
            let (sent, failed, unknown, late) = (count(0)?, count(1)?, count(2)?, count(4)?);
            Ok(Tally { sent, failed, unknown, late, excluded: excluded.collect(), ..targeted.clone() })
        })
        .optional()
        .map_err(failed)?;
    Ok(kept.map(|tally| Tally {
        due: tally.targeted.saturating_sub(tally.sent + tally.failed + tally.unknown + tally.excluded_total()),
        ..tally
    }))
}
