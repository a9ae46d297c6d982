//! Tables. A format number only grows; [`upgrade`] takes an older store to the newest one.

use rusqlite::Connection;

use super::super::StoreError;

/// The format this version writes.
pub const FORMAT: i64 = 1;

const TABLES: &str = "
CREATE TABLE bundles (
  fingerprint TEXT PRIMARY KEY,
  files       TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE runs (
  run         TEXT PRIMARY KEY,
  campaign    TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  file        TEXT NOT NULL,
  simulated   INTEGER NOT NULL,
  started     INTEGER NOT NULL,
  updated     INTEGER NOT NULL,
  seq         INTEGER NOT NULL,
  state       TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE journal (
  run   TEXT NOT NULL,
  seq   INTEGER NOT NULL,
  at    INTEGER NOT NULL,
  event TEXT NOT NULL,
  PRIMARY KEY (run, seq)
) WITHOUT ROWID;

CREATE TABLE steps (
  id       INTEGER PRIMARY KEY,
  run      TEXT NOT NULL,
  step     TEXT NOT NULL,
  token    TEXT NOT NULL,
  kind     TEXT NOT NULL,
  name     TEXT NOT NULL,
  rows_in  INTEGER,
  rows_out INTEGER,
  dropped  TEXT NOT NULL,
  at       INTEGER NOT NULL,
  note     TEXT
);
CREATE INDEX steps_by_run ON steps (run);

CREATE TABLE sends (
  id       INTEGER PRIMARY KEY,
  run      TEXT NOT NULL,
  step     TEXT NOT NULL,
  token    TEXT NOT NULL,
  channel  TEXT NOT NULL,
  message  TEXT,
  targeted INTEGER NOT NULL,
  at       INTEGER NOT NULL,
  UNIQUE (run, step, token)
);

CREATE TABLE intents (
  send    INTEGER NOT NULL,
  row     INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  key     BLOB NOT NULL,
  entity  TEXT NOT NULL,
  address TEXT NOT NULL,
  at      INTEGER NOT NULL,
  PRIMARY KEY (send, row, attempt)
) WITHOUT ROWID;

CREATE TABLE outcomes (
  send     INTEGER NOT NULL,
  row      INTEGER NOT NULL,
  attempt  INTEGER NOT NULL,
  kind     INTEGER NOT NULL,
  detail   TEXT NOT NULL,
  retry_at INTEGER,
  at       INTEGER NOT NULL,
  PRIMARY KEY (send, row, attempt)
) WITHOUT ROWID;

CREATE TABLE signals (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  parameters TEXT NOT NULL,
  at         INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX signals_by_name ON signals (name, at);

CREATE TABLE signals_taken (
  run    TEXT NOT NULL,
  signal TEXT NOT NULL,
  PRIMARY KEY (run, signal)
) WITHOUT ROWID;

CREATE TABLE tasks (
  run      TEXT NOT NULL,
  step     TEXT NOT NULL,
  token    TEXT NOT NULL,
  kind     TEXT NOT NULL,
  question TEXT NOT NULL,
  role     TEXT,
  at       INTEGER NOT NULL,
  deadline INTEGER,
  answer   TEXT,
  PRIMARY KEY (run, step, token)
) WITHOUT ROWID;

CREATE TABLE exclusions (
  send   INTEGER NOT NULL,
  row    INTEGER NOT NULL,
  entity TEXT NOT NULL,
  reason TEXT NOT NULL,
  detail TEXT NOT NULL,
  at     INTEGER NOT NULL,
  PRIMARY KEY (send, row)
) WITHOUT ROWID;
";

/// Makes the tables in an empty store, or brings an older one up to date.
pub fn upgrade(connection: &Connection, path: &str) -> Result<(), StoreError> {
    let unreadable = |error: rusqlite::Error| StoreError::Unreadable { path: path.into(), reason: error.to_string() };
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(unreadable)?;
    match found {
        FORMAT => Ok(()),
        0 => {
            let script = format!("BEGIN;{TABLES}PRAGMA user_version = {FORMAT};COMMIT;");
            connection.execute_batch(&script).map_err(unreadable)
        }
        newer => Err(StoreError::Newer { path: path.into(), found: newer, known: FORMAT }),
    }
}
