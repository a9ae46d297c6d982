//! Statements that write data, and `alert`.
//!
//! Whatever is written is frozen first. Each statement changes the world in one place: a file is replaced by renaming
//! another over it, a table in one transaction, the store in one commit. What it has done is remembered together with
//! the change, so that a step performed again after a crash changes nothing twice.

mod alert;
mod cells;
mod error;
mod export;
mod publish;
mod save;
mod subscribe;
mod target;
mod writes;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Executor;
use super::accounting::Accounting;
use crate::hir::{Query, QueryKind};
use crate::plan::query::Columns;
use crate::plan::{DataStep, Step};
use crate::runtime::error::RunError;
use crate::runtime::machine::{Bound, Outcome};
use crate::runtime::store::StepRecord;

/// What a statement has done: `rows_in = rows_out + dropped`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Done {
    rows_in: u64,
    rows_out: u64,
    dropped: BTreeMap<String, u64>,
    note: Option<String>,
}

impl Done {
    /// All rows of a population.
    fn of(accounting: Accounting) -> Self {
        Self { rows_in: accounting.rows_in, rows_out: accounting.rows_out, dropped: accounting.dropped, note: None }
    }

    /// Rows that were not written after all.
    fn drop_rows(&mut self, reason: &str, rows: u64) {
        if rows > 0 {
            *self.dropped.entry(reason.to_string()).or_default() += rows;
            self.rows_out = self.rows_out.saturating_sub(rows);
        }
    }

    /// What to say about it.
    fn noted(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

impl Executor<'_> {
    /// Performs a statement about data.
    pub(super) async fn data(
        &self,
        token: &str,
        step: &Step,
        data: &DataStep,
    ) -> Result<(Outcome, Option<StepRecord>), RunError> {
        let record = match data {
            DataStep::Export { query, to, options } => {
                let done = self.export(token, step, query, to, options).await?;
                self.accounted(token, step, done)
            }
            DataStep::Save { query, audience } => {
                let done = self.save(token, step, query, audience).await?;
                self.accounted(token, step, done)
            }
            DataStep::Subscribe { query, row, topic, subscribe } => {
                let done = self.subscribe(token, step, (query, *row), topic, *subscribe).await?;
                self.accounted(token, step, done)
            }
            DataStep::Alert { text, to } => {
                let done = self.alert(token, step, text, to).await?;
                self.accounted(token, step, done)
            }
            DataStep::Update { .. } | DataStep::Upsert { .. } | DataStep::Insert { .. } | DataStep::Delete { .. } => {
                let done = self.write(token, step, data).await?;
                self.accounted(token, step, done)
            }
        };
        Ok((Outcome::Noted, Some(record)))
    }

    fn accounted(&self, token: &str, step: &Step, done: Done) -> StepRecord {
        let mut record = self.record(token, step, done.note);
        record.rows_in = Some(done.rows_in);
        record.rows_out = Some(done.rows_out);
        record.dropped = done.dropped;
        record
    }

    /// What a step needs of rows that it alone reads: these columns and their key, without a key all that they say.
    fn own_columns(&self, query: &Query, names: Vec<String>) -> Columns {
        if self.program[query.ty.entity].key.is_empty() { Columns::All } else { Columns::Named(names) }
    }

    /// The file of a population: the segment's own, or one frozen now, with its accounting. One frozen now has these
    /// columns.
    async fn frozen_rows(
        &self,
        token: &str,
        step: &Step,
        query: &Query,
        columns: &Columns,
    ) -> Result<(PathBuf, Accounting), RunError> {
        let folder = self.around.folders.run(&self.run);
        if let QueryKind::Local(local) = &query.kind
            && let Some(Bound::Snapshot(snapshot)) = self.state.locals.get(&local.0)
        {
            let rows = snapshot.rows;
            let accounting = Accounting { rows_in: rows, rows_out: rows, dropped: BTreeMap::new() };
            return Ok((folder.join(&snapshot.file), accounting));
        }
        let (snapshot, accounting) = self.freeze(token, step, query, columns).await?;
        Ok((folder.join(&snapshot.file), accounting))
    }
}
