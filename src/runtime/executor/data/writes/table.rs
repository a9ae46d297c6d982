//! Changing a table of SQLite, in one transaction.
//!
//! What the step has done is kept in a small table of the same database, `_orch_writes`, in the same transaction. So after
//! a crash either both are there or neither, and a step that is performed again changes nothing twice.

use std::path::PathBuf;

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params, params_from_iter};

use super::super::super::Executor;
use super::super::super::steps::instance;
use super::super::Done;
use super::super::error::DataError;
use super::Changes;
use crate::hir::{Entity, EntityId, Value};
use crate::plan::{DataStep, Step};
use crate::runtime::error::RunError;
use crate::runtime::sources::{BoundTable, ColumnHabit, SourceError, column_habits, connect, quoted};

const MEMORY: &str = "CREATE TABLE IF NOT EXISTS _orch_writes (
  run  TEXT NOT NULL,
  step TEXT NOT NULL,
  done TEXT NOT NULL,
  at   TEXT NOT NULL,
  PRIMARY KEY (run, step)
)";

impl Executor<'_> {
    pub(super) async fn write_table(
        &self,
        token: &str,
        step: &Step,
        data: &DataStep,
        (id, bound, path): (EntityId, BoundTable<'_>, PathBuf),
    ) -> Result<Done, RunError> {
        let entity = &self.program[id];
        let place = entity.source.as_ref().map_or(entity.span, |source| source.span);
        let problem = |error: SourceError| RunError::from(error.problem(place));
        let shown = bound.shown();
        let failed = |error: rusqlite::Error| DataError::File { path: shown.clone(), reason: error.to_string() };
        let earlier = connect(&path, false, &shown).map_err(problem)?;
        if let Some(done) = self.remembered_write(&earlier, token, step).map_err(failed)? {
            return Ok(done);
        }
        let (mut changes, done) = self.changes(token, step, data, id).await?;
        let mut done = done.noted(shown.clone());
        if !self.around.effects {
            self.reject(token, step, &changes.rejects, &mut done)?;
            return Ok(done);
        }
        let habits = column_habits(&earlier, entity, &self.program, &bound).map_err(problem)?;
        drop(earlier);
        let mut db = connect(&path, true, &shown).map_err(problem)?;
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let table = Table { entity, sql: bound.sql(), habits, zone: self.around.zone };
        table.apply(&transaction, &mut changes).map_err(|error| match error {
            Failure::Database(error) => RunError::from(failed(error)),
            Failure::SeveralRows(key) => {
                RunError::BadKey { step: step.title.clone(), entity: entity.name.clone(), key }
            }
        })?;
        self.reject(token, step, &changes.rejects, &mut done)?;
        let text = serde_json::to_string(&done).map_err(|error| super::super::publish::file_error(&path, &error))?;
        let at = self.around.clock.now().to_string();
        let remembered = transaction.execute(MEMORY, []).and_then(|_| {
            let sql = "INSERT INTO _orch_writes (run, step, done, at) VALUES (?1, ?2, ?3, ?4)";
            transaction.execute(sql, params![self.run, instance(token, step), text, at])
        });
        remembered.and_then(|_| transaction.commit()).map_err(failed)?;
        self.around.sources.refresh();
        Ok(done)
    }

    /// What the step did in this database when it was performed before.
    fn remembered_write(&self, db: &Connection, token: &str, step: &Step) -> rusqlite::Result<Option<Done>> {
        let known = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_orch_writes'";
        if db.query_row(known, [], |_| Ok(())).optional()?.is_none() {
            return Ok(None);
        }
        let sql = "SELECT done FROM _orch_writes WHERE run = ?1 AND step = ?2";
        let text: Option<String> =
            db.query_row(sql, params![self.run, instance(token, step)], |row| row.get(0)).optional()?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }
}

/// Why nothing of the transaction is kept.
enum Failure {
    Database(rusqlite::Error),
    /// The table has several rows with this key.
    SeveralRows(String),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Failure::Database(error)
    }
}

/// The table of an entity.
struct Table<'t> {
    entity: &'t Entity,
    sql: String,
    /// How the values of each field are stored.
    habits: Vec<ColumnHabit>,
    zone: &'t jiff::tz::TimeZone,
}

impl Table<'_> {
    fn apply(&self, db: &Transaction<'_>, changes: &mut Changes<'_>) -> Result<(), Failure> {
        for (row, key) in std::mem::take(&mut changes.keys) {
            let values = changes.edits.updates.get(&row);
            let fields: &[usize] = if values.is_some() { &changes.edits.fields } else { &[] };
            let changed = self.change(db, &key, fields, values.map_or(&[], Vec::as_slice));
            match rejected(changed)? {
                Ok(1) => {}
                Ok(0) => changes.reject(changes.name(&row), "vanished", "the row is not there any more"),
                Ok(_) => return Err(Failure::SeveralRows(changes.name(&row))),
                Err((reason, detail)) => changes.reject(changes.name(&row), reason, &detail),
            }
        }
        let inserts = std::mem::take(&mut changes.edits.inserts);
        for (at, values) in inserts.iter().enumerate() {
            if let Err((reason, detail)) = rejected(self.insert(db, &changes.edits.new_fields, values))? {
                let name = changes.sources.get(at).cloned().unwrap_or_default();
                changes.reject(name, reason, &detail);
            }
        }
        Ok(())
    }

    /// Changes the row with this key, or deletes it when no field is to change.
    fn change(
        &self,
        db: &Transaction<'_>,
        key: &[Value],
        fields: &[usize],
        values: &[Value],
    ) -> rusqlite::Result<usize> {
        let mut parameters: Vec<Sql> = Vec::new();
        let mut set = Vec::new();
        for (field, value) in fields.iter().zip(values) {
            set.push(format!("{} = ?", quoted(&self.entity.fields[*field].name)));
            parameters.push(self.habits[*field].stored(value, self.zone));
        }
        let mut conditions = Vec::new();
        if self.entity.key.is_empty() {
            conditions.push("rowid = ?".to_string());
            parameters.push(match key.first() {
                Some(Value::Int(row)) => Sql::Integer(*row),
                _ => Sql::Null,
            });
        }
        for (field, value) in self.entity.key.iter().zip(key) {
            conditions.push(format!("{} = ?", quoted(&self.entity[*field].name)));
            parameters.push(self.habits[field.0 as usize].stored(value, self.zone));
        }
        let what = if set.is_empty() {
            format!("DELETE FROM {}", self.sql)
        } else {
            format!("UPDATE {} SET {}", self.sql, set.join(", "))
        };
        db.prepare_cached(&format!("{what} WHERE {}", conditions.join(" AND ")))?.execute(params_from_iter(parameters))
    }

    fn insert(&self, db: &Transaction<'_>, fields: &[usize], values: &[Value]) -> rusqlite::Result<usize> {
        let names: Vec<String> = fields.iter().map(|field| quoted(&self.entity.fields[*field].name)).collect();
        let parameters = fields.iter().zip(values).map(|(field, value)| self.habits[*field].stored(value, self.zone));
        let marks = vec!["?"; names.len()].join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES ({marks})", self.sql, names.join(", "));
        db.prepare_cached(&sql)?.execute(params_from_iter(parameters))
    }
}

/// A rule of the table that forbids the row rejects it; everything else is an error.
fn rejected(result: rusqlite::Result<usize>) -> rusqlite::Result<Result<usize, (&'static str, String)>> {
    match result {
        Ok(rows) => Ok(Ok(rows)),
        Err(rusqlite::Error::SqliteFailure(error, message))
            if error.code == rusqlite::ErrorCode::ConstraintViolation =>
        {
            let exists = [rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY, rusqlite::ffi::SQLITE_CONSTRAINT_ROWID];
            let reason = if exists.contains(&error.extended_code) { "key_exists" } else { "constraint" };
            Ok(Err((reason, message.unwrap_or_else(|| error.to_string()))))
        }
        Err(error) => Err(error),
    }
}
