//! Removing the details of runs that are over. What later runs need stays: numbers, takes, audiences, subscriptions.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::super::{StoreError, Tally};
use super::read::{failed, has_table, list};
use super::write::json;
use super::{SqliteStore, unreadable};

/// Takes away a run's journal, and the rows of its sends if their numbers are given.
pub fn collect(db: &Connection, run: &str, tallies: Option<&[(i64, Tally)]>, at: Timestamp) -> rusqlite::Result<()> {
    for table in ["journal", "signals_taken", "tasks"] {
        db.prepare_cached(&format!("DELETE FROM {table} WHERE run = ?1"))?.execute([run])?;
    }
    for (send, tally) in tallies.unwrap_or_default() {
        let excluded: BTreeMap<&str, u64> =
            tally.excluded.iter().map(|(reason, rows)| (reason.word(), *rows)).collect();
        db.prepare_cached(
            "INSERT OR IGNORE INTO tallies (send, sent, failed, unknown, late, excluded) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            send,
            tally.sent as i64,
            tally.failed as i64,
            tally.unknown as i64,
            tally.late as i64,
            json(&excluded)?
        ])?;
        // What caps count stays: messages that reached somebody, or may have.
        db.prepare_cached(
            "DELETE FROM contacts WHERE send = ?1 AND (row, attempt) IN
               (SELECT row, attempt FROM outcomes WHERE send = ?1 AND kind IN (2, 5))",
        )?
        .execute([send])?;
        for table in ["intents", "outcomes", "exclusions", "progress", "late", "feedback"] {
            db.prepare_cached(&format!("DELETE FROM {table} WHERE send = ?1"))?.execute([send])?;
        }
    }
    db.prepare_cached("INSERT OR IGNORE INTO collected (run, at) VALUES (?1, ?2)")?
        .execute(params![run, at.as_microsecond()])?;
    Ok(())
}

/// Sources that only collected runs were pinned to, old signals, and contacts that no cap counts any more.
pub fn tidy(db: &Connection, before: Timestamp, contacts: Timestamp) -> rusqlite::Result<()> {
    db.execute("DELETE FROM contacts WHERE at < ?1", params![contacts.as_microsecond()])?;
    let needed = "SELECT fingerprint FROM runs WHERE run NOT IN (SELECT run FROM collected)";
    // The versions before a migration are named in the journal only.
    let earlier = "SELECT json_extract(event, '$.from.fingerprint') FROM journal WHERE json_extract(event, '$.event') = 'migrated'";
    db.execute(&format!("DELETE FROM bundles WHERE fingerprint NOT IN ({needed} UNION {earlier})"), [])?;
    // A run takes signals since it began, so those older than every open run are of use to nobody.
    let over = "('finished', 'stopped', 'failed')";
    let oldest =
        format!("SELECT coalesce(min(started), ?1) FROM runs WHERE json_extract(state, '$.status') NOT IN {over}");
    db.execute(&format!("DELETE FROM signals WHERE at < min(?1, ({oldest}))"), params![before.as_microsecond()])?;
    Ok(())
}

impl SqliteStore {
    /// The runs whose details were removed, and the sends whose rows were.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn collected(&self) -> Result<(BTreeSet<String>, BTreeSet<i64>), StoreError> {
        let db = self.reader();
        if !has_table(&db, "collected")? {
            return Ok(Default::default());
        }
        let runs = list(&db, "SELECT run FROM collected WHERE ?1", &true, |row| row.get(0))?;
        let sends = list(&db, "SELECT send FROM tallies WHERE ?1", &true, |row| row.get(0))?;
        Ok((runs.into_iter().collect(), sends.into_iter().collect()))
    }

    /// About how many bytes the journal of a run, and the rows of its sends, take in the database.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn sizes(&self, run: &str) -> Result<(u64, u64), StoreError> {
        let db = self.reader();
        let sum = |sql: &str| -> Result<u64, StoreError> {
            let bytes: i64 = db.query_row(sql, [run], |row| row.get(0)).map_err(failed)?;
            Ok(bytes as u64)
        };
        let journal = sum("SELECT coalesce(sum(length(event) + 24), 0) FROM journal WHERE run = ?1")?;
        let of = "send IN (SELECT id FROM sends WHERE run = ?1)";
        let rows = [
            format!("SELECT coalesce(sum(length(entity) + length(address) + 40), 0) FROM intents WHERE {of}"),
            format!("SELECT coalesce(sum(length(detail) + 24), 0) FROM outcomes WHERE {of}"),
            format!("SELECT coalesce(sum(length(entity) + length(detail) + 24), 0) FROM exclusions WHERE {of}"),
        ];
        let rows = rows.iter().map(|sql| sum(sql)).sum::<Result<u64, _>>()?;
        Ok((journal, rows))
    }

    /// Gives the space of removed rows back to the file system. Nobody may write meanwhile.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn compact(&self, directory: &std::path::Path) -> Result<(), StoreError> {
        let path = directory.join(super::DATABASE);
        let compacted = Connection::open(&path).and_then(|db| {
            db.busy_timeout(std::time::Duration::from_secs(30))?;
            db.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")
        });
        compacted.map_err(|error| unreadable(&path, &error))
    }
}
