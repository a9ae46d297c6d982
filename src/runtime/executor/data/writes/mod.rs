//! `update`, `upsert`, `insert`, `delete`
//!
//! The rows and the values they are to get are frozen; then the entity's file is replaced by a changed copy, or its table
//! changed in one transaction. A row that cannot be written is rejected with a reason, counted, and listed in a file of
//! the run.

mod changes;
mod file;
mod server;
mod table;

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::Executor;
use super::super::freeze::{Freezing, freeze};
use super::Done;
use super::publish::file_error;
use super::subscribe::with_columns;
use crate::hir::{BinaryOp, ColumnRef, EntityId, Expr, ExprKind, FieldId, LocalId, Query, QueryKind, RowId, SegmentTy};
use crate::plan::query::Columns;
use crate::plan::{DataStep, Step, unmatched};
use crate::runtime::error::RunError;
use crate::runtime::executor::steps::file_instance;
use crate::runtime::sources::{Database, SourceError};
use changes::Changes;

/// Names of frozen columns that hold new values begin so.
const SET: &str = "__set ";

/// A change that was not made.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Reject {
    /// The row's key as text.
    key: String,
    /// One word.
    reason: &'static str,
    /// More about it, if there is more to say.
    detail: String,
}

impl Executor<'_> {
    /// Changes an entity's rows.
    pub(super) async fn write(&self, token: &str, step: &Step, data: &DataStep) -> Result<Done, RunError> {
        if let Some(done) = self.decided(token, step)? {
            return Ok(done);
        }
        let Some(entity) = data.target() else { return Ok(Done::default()) };
        // Rows are looked for where they are now.
        self.around.sources.refresh();
        match self.around.sources.bound(entity) {
            Some(bound) => {
                let declared = &self.program[entity];
                let place = declared.source.as_ref().map_or(declared.span, |source| source.span);
                let problem = |error: SourceError| RunError::from(error.problem(place));
                bound.check_writable(&declared.name).map_err(problem)?;
                match bound.database().map_err(problem)? {
                    Database::Sqlite(file) => self.write_table(token, step, data, (entity, bound, file)).await,
                    Database::Postgres(server) => self.write_server(token, step, data, (entity, bound, server)).await,
                }
            }
            None => self.write_file(token, step, data, entity).await,
        }
    }

    /// The changes that a statement wants, and the accounting of the rows it looked at.
    async fn changes(
        &self,
        token: &str,
        step: &Step,
        data: &DataStep,
        entity: EntityId,
    ) -> Result<(Changes<'_>, Done), RunError> {
        let mut changes = Changes::new(&self.program[entity]);
        let done = match data {
            DataStep::Update { query, row, set } => {
                let (rows, done) = self.frozen_changes(token, step, query, *row, set).await?;
                changes.read_updates(&rows, set)?;
                done
            }
            DataStep::Delete { query } => {
                let (rows, done) = self.frozen_changes(token, step, query, RowId::DECLARED, &[]).await?;
                changes.read_deletes(&rows)?;
                done
            }
            DataStep::Insert { query, row, set, .. } => {
                let (rows, done) = self.frozen_changes(token, step, query, *row, set).await?;
                changes.read_inserts(&rows, &self.program[query.ty.entity], set, &[])?;
                done
            }
            DataStep::Upsert { query, source, row, on, set, .. } => {
                let pair = (query, *source, *row);
                self.upsert_changes(token, step, (entity, pair), (on, set), &mut changes).await?
            }
            _ => Done::default(),
        };
        Ok((changes, done))
    }

    /// Rows that match get new values, rows without a match become new rows.
    async fn upsert_changes(
        &self,
        token: &str,
        step: &Step,
        (target, (query, source, row)): (EntityId, (&Query, RowId, RowId)),
        (on, set): (&Expr, &[(String, Expr)]),
        changes: &mut Changes<'_>,
    ) -> Result<Done, RunError> {
        // Both halves look at the same rows.
        let (all, accounting) = self.frozen_rows(token, step, query, &Columns::All).await?;
        let mut done = Done::of(accounting);
        let local = LocalId(self.plan.campaign().locals.len() as u32);
        let mut frozen = self.frozen();
        frozen.insert(local.0, all);
        let again = Query { kind: QueryKind::Local(local), ty: query.ty.clone(), span: query.span };
        let equal = equated(on, row);
        let declared = &self.program[target];
        let fixed =
            |name: &str| declared.field(name).is_some_and(|it| equal.contains(&it) || declared.key.contains(&it));
        let values: Vec<(String, Expr)> = set.iter().filter(|(name, _)| !fixed(name)).cloned().collect();

        let kind = QueryKind::Match { input: Box::new(again), source, target, row, on: on.clone() };
        let pairs = Query { kind, ty: SegmentTy::of(target), span: query.span };
        let matched = set_columns(&pairs, row, &values);
        let matched = self.freeze_as(token, step, "matched", &frozen, &matched).await?;
        changes.read_updates(&matched, &values)?;
        if let Some(lost) = unmatched(&pairs) {
            let lost = self.freeze_as(token, step, "new", &frozen, &set_columns(&lost, source, set)).await?;
            changes.read_inserts(&lost, &self.program[query.ty.entity], set, &equal)?;
        }
        // A row that matches several rows is as many changes.
        done.rows_in += changes.wanted.saturating_sub(done.rows_out);
        done.rows_out = changes.wanted;
        Ok(done)
    }

    /// Freezes a further population of the step, from other frozen ones.
    async fn freeze_as(
        &self,
        token: &str,
        step: &Step,
        what: &str,
        frozen: &BTreeMap<u32, PathBuf>,
        query: &Query,
    ) -> Result<PathBuf, RunError> {
        let folder = self.around.folders.run(&self.run);
        let path = folder.join(format!("{}.{what}.parquet", file_instance(token, step)));
        let locals = self.locals();
        let tables = self.tables(frozen);
        let scope = self.scope(&tables, &locals);
        let columns = self.own_columns(query, query.ty.with.iter().map(|added| added.name.clone()).collect());
        let what = Freezing { columns: &columns, ..Freezing::all(query, &step.title) };
        freeze(self.around.session, &scope, &what, &path).await?;
        Ok(path)
    }

    /// Freezes a population with the values its rows are to get.
    async fn frozen_changes(
        &self,
        token: &str,
        step: &Step,
        query: &Query,
        row: RowId,
        set: &[(String, Expr)],
    ) -> Result<(PathBuf, Done), RunError> {
        if set.is_empty() {
            let columns = self.own_columns(query, Vec::new());
            let (rows, accounting) = self.frozen_rows(token, step, query, &columns).await?;
            return Ok((rows, Done::of(accounting)));
        }
        let query = set_columns(query, row, set);
        let columns = self.own_columns(&query, query.ty.with.iter().map(|added| added.name.clone()).collect());
        let (snapshot, accounting) = self.freeze(token, step, &query, &columns).await?;
        Ok((self.around.folders.run(&self.run).join(snapshot.file), Done::of(accounting)))
    }

    /// Counts rejects and lists them in a file of the run.
    fn reject(&self, token: &str, step: &Step, rejects: &[Reject], done: &mut Done) -> Result<(), RunError> {
        if rejects.is_empty() {
            return Ok(());
        }
        for reject in rejects {
            done.drop_rows(reject.reason, 1);
        }
        let path = self.around.folders.run(&self.run).join(format!("{}.rejects.csv", file_instance(token, step)));
        let mut writer = csv::Writer::from_path(&path).map_err(|error| file_error(&path, &error))?;
        let header = [["key", "reason", "detail"]].into_iter().map(|line| line.map(str::to_string));
        let lines = rejects.iter().map(|one| [one.key.clone(), one.reason.to_string(), one.detail.clone()]);
        for line in header.chain(lines) {
            writer.write_record(&line).map_err(|error| file_error(&path, &error))?;
        }
        writer.flush().map_err(|error| file_error(&path, &error))?;
        if self.around.effects {
            let shown = path.strip_prefix(&self.around.folders.project).unwrap_or(&path);
            let note = done.note.take().unwrap_or_default();
            done.note = Some(format!("{note} · rejected rows are in {}", shown.display()));
        }
        Ok(())
    }
}

/// The population with the new values as columns.
fn set_columns(query: &Query, row: RowId, set: &[(String, Expr)]) -> Query {
    let columns = set.iter().map(|(name, value)| (format!("{SET}{name}"), value.clone())).collect();
    with_columns(query, row, columns)
}

/// The fields of `row` that a condition makes equal to something.
fn equated(on: &Expr, row: RowId) -> Vec<FieldId> {
    let ExprKind::Binary { op, left, right } = &on.kind else { return Vec::new() };
    let own = |expr: &Expr| match &expr.kind {
        ExprKind::Column { row: of, path, column: ColumnRef::Field(field) } if *of == row && path.is_empty() => {
            Some(*field)
        }
        _ => None,
    };
    match op {
        BinaryOp::And => [equated(left, row), equated(right, row)].concat(),
        BinaryOp::Equal => match (own(left), own(right)) {
            (Some(field), None) | (None, Some(field)) => vec![field],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
