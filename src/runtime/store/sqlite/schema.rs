//! Tables. A format number only grows; [`upgrade`] takes an older store to the newest one.

use rusqlite::Connection;

use super::super::StoreError;

/// The format this version writes.
///
/// | format | adds |
/// |---|---|
/// | 2 | `audiences`, `subscriptions` |
/// | 3 | `takes` |
/// | 4 | `contacts`, `late`, `feedback` |
/// | 5 | `progress`, `tallies`, `collected`, `turned_simulated`, audiences and subscriptions of simulated runs |
/// | 6 | `open_runs`, `listeners`, `wakes`, `arrivals`, `campaigns`, `queued`, `origins`, `settings` |
/// | 7 | `began` |
pub const FORMAT: i64 = 7;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS bundles (
  fingerprint TEXT PRIMARY KEY,
  files       TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS runs (
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

CREATE TABLE IF NOT EXISTS journal (
  run   TEXT NOT NULL,
  seq   INTEGER NOT NULL,
  at    INTEGER NOT NULL,
  event TEXT NOT NULL,
  PRIMARY KEY (run, seq)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS steps (
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
CREATE INDEX IF NOT EXISTS steps_by_run ON steps (run);

CREATE TABLE IF NOT EXISTS sends (
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

CREATE TABLE IF NOT EXISTS intents (
  send    INTEGER NOT NULL,
  row     INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  key     BLOB NOT NULL,
  entity  TEXT NOT NULL,
  address TEXT NOT NULL,
  at      INTEGER NOT NULL,
  PRIMARY KEY (send, row, attempt)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS outcomes (
  send     INTEGER NOT NULL,
  row      INTEGER NOT NULL,
  attempt  INTEGER NOT NULL,
  kind     INTEGER NOT NULL,
  detail   TEXT NOT NULL,
  retry_at INTEGER,
  at       INTEGER NOT NULL,
  PRIMARY KEY (send, row, attempt)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS contacts (
  person  BLOB NOT NULL,
  at      INTEGER NOT NULL,
  send    INTEGER NOT NULL,
  row     INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  channel TEXT NOT NULL,
  scope   TEXT NOT NULL,
  PRIMARY KEY (person, at, send, row, attempt)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS late (
  send INTEGER NOT NULL,
  row  INTEGER NOT NULL,
  PRIMARY KEY (send, row)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS feedback (
  send INTEGER NOT NULL,
  row  INTEGER NOT NULL,
  kind TEXT NOT NULL,
  at   INTEGER NOT NULL,
  PRIMARY KEY (send, kind, row)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS signals (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  parameters TEXT NOT NULL,
  at         INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS signals_by_name ON signals (name, at);

CREATE TABLE IF NOT EXISTS signals_taken (
  run    TEXT NOT NULL,
  signal TEXT NOT NULL,
  PRIMARY KEY (run, signal)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS tasks (
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

CREATE TABLE IF NOT EXISTS exclusions (
  send   INTEGER NOT NULL,
  row    INTEGER NOT NULL,
  entity TEXT NOT NULL,
  reason TEXT NOT NULL,
  detail TEXT NOT NULL,
  at     INTEGER NOT NULL,
  PRIMARY KEY (send, row)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS audiences (
  name   TEXT PRIMARY KEY,
  entity TEXT NOT NULL,
  file   TEXT NOT NULL,
  rows   INTEGER NOT NULL,
  run    TEXT NOT NULL,
  at     INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS subscriptions (
  topic      TEXT NOT NULL,
  person     TEXT NOT NULL,
  address    TEXT NOT NULL,
  subscribed INTEGER NOT NULL,
  at         INTEGER NOT NULL,
  PRIMARY KEY (topic, person, address)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS takes (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  memory  TEXT NOT NULL,
  entity  TEXT NOT NULL,
  by      TEXT,
  run     TEXT,
  file    TEXT,
  ranges  TEXT NOT NULL,
  rows    INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  kept    INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS outcomes_open ON outcomes (send, row) WHERE kind > 3;

CREATE TABLE IF NOT EXISTS progress (
  send  INTEGER PRIMARY KEY,
  below INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS tallies (
  send     INTEGER PRIMARY KEY,
  sent     INTEGER NOT NULL,
  failed   INTEGER NOT NULL,
  unknown  INTEGER NOT NULL,
  late     INTEGER NOT NULL,
  excluded TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS collected (
  run TEXT PRIMARY KEY,
  at  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS turned_simulated (
  run  TEXT PRIMARY KEY,
  send INTEGER NOT NULL,
  take INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS simulated_audiences (
  name   TEXT PRIMARY KEY,
  entity TEXT NOT NULL,
  file   TEXT NOT NULL,
  rows   INTEGER NOT NULL,
  run    TEXT NOT NULL,
  at     INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS simulated_subscriptions (
  topic      TEXT NOT NULL,
  person     TEXT NOT NULL,
  address    TEXT NOT NULL,
  subscribed INTEGER NOT NULL,
  at         INTEGER NOT NULL,
  PRIMARY KEY (topic, person, address)
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS takes_by_memory ON takes (memory);
CREATE INDEX IF NOT EXISTS takes_by_run ON takes (run) WHERE kept = 0;

CREATE TABLE IF NOT EXISTS open_runs (
  run      TEXT PRIMARY KEY,
  file     TEXT NOT NULL,
  campaign TEXT NOT NULL,
  key      TEXT,
  at       INTEGER
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS open_runs_by_time ON open_runs (at) WHERE at IS NOT NULL;
CREATE INDEX IF NOT EXISTS open_runs_by_campaign ON open_runs (file, campaign, key);

CREATE TABLE IF NOT EXISTS listeners (
  word TEXT NOT NULL,
  run  TEXT NOT NULL,
  PRIMARY KEY (word, run)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS listeners_by_run ON listeners (run);

CREATE TABLE IF NOT EXISTS wakes (
  id  INTEGER PRIMARY KEY AUTOINCREMENT,
  run TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS wakes_by_run ON wakes (run);

CREATE TABLE IF NOT EXISTS arrivals (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  signal TEXT NOT NULL UNIQUE
);

CREATE TABLE IF NOT EXISTS campaigns (
  file        TEXT NOT NULL,
  campaign    TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  schedule    TEXT,
  signal      TEXT,
  since       INTEGER NOT NULL,
  considered  INTEGER NOT NULL,
  next        INTEGER,
  skipped     INTEGER NOT NULL,
  PRIMARY KEY (file, campaign)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS queued (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  file       TEXT NOT NULL,
  campaign   TEXT NOT NULL,
  key        TEXT,
  parameters TEXT NOT NULL,
  cause      TEXT NOT NULL,
  at         INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS origins (
  run   TEXT PRIMARY KEY,
  cause TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS began (
  run     TEXT PRIMARY KEY,
  arrival INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS settings (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
";

/// Makes the tables in an empty store, or adds those that an older one lacks. Formats only add tables.
pub fn upgrade(connection: &Connection, path: &str) -> Result<(), StoreError> {
    let unreadable = |error: rusqlite::Error| StoreError::Unreadable { path: path.into(), reason: error.to_string() };
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(unreadable)?;
    match found {
        FORMAT => Ok(()),
        0..FORMAT => {
            let upgrade = || {
                let transaction = connection.unchecked_transaction()?;
                transaction.execute_batch(TABLES)?;
                if found < 6 {
                    super::agenda::fill(&transaction)?;
                }
                transaction.execute_batch(&format!("PRAGMA user_version = {FORMAT};"))?;
                transaction.commit()
            };
            upgrade().map_err(unreadable)
        }
        newer => Err(StoreError::Newer { path: path.into(), found: newer, known: FORMAT }),
    }
}
