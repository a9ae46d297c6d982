//! `new`: what a segment takes is reserved in the transaction that gives the segment its rows.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::Executor;
use super::freeze::{Freezing, freeze};
use super::steps::{file_instance, instance};
use crate::diag::{Problem, codes};
use crate::hir::{Aggregate, AggregateFn, Expr, ExprKind, LocalId, Query, QueryKind, Value};
use crate::plan::query::scalar;
use crate::plan::{NewRows, Step, by_name};
use crate::runtime::error::RunError;
use crate::runtime::machine::Snapshot;
use crate::runtime::memories::{keys_file, seen, takes, untaken, write_keys};
use crate::runtime::store::{Change, Restored, Seen, TakeRecord};
use crate::runtime::tables::parquet_rows;

impl Executor<'_> {
    /// How the memories of a segment are before it is computed.
    ///
    /// # Errors
    /// The state was restored, and nobody has said what a memory holds.
    pub(super) fn memories(&self, local: LocalId) -> Result<Vec<Seen>, RunError> {
        let news = self.plan.news_of(local);
        let restored = if news.is_empty() || self.simulated { None } else { self.around.store.restored()? };
        if let Some(restored) = restored
            && let Some(new) = news.iter().find(|new| restored.doubts(&new.memory))
        {
            return Err(in_doubt(&new.memory, &restored, self.around.zone).into());
        }
        Ok(news.iter().map(|new| seen(self.around.store, &new.memory)).collect::<Result<_, _>>()?)
    }

    /// What the `new`s of a segment take, now that its rows are frozen.
    pub(super) async fn take_rows(
        &self,
        token: &str,
        step: &Step,
        local: LocalId,
        finished: (&Query, &Snapshot),
        before: &[Seen],
    ) -> Result<Vec<Change>, RunError> {
        let mut changes = Vec::new();
        for (at, (new, seen)) in self.plan.news_of(local).iter().zip(before).enumerate() {
            let known = |change: &Change| matches!(change, Change::Take { take, .. } if take.memory == new.memory);
            if changes.iter().any(known) {
                continue;
            }
            let folder = self.around.folders.run(&self.run);
            let (query, rows) = match new.to_the_end {
                true => (finished.0, folder.join(&finished.1.file)),
                false => (new.query, self.passed(token, step, new, at).await?),
            };
            if rows_of(&rows)? > 0 {
                let unique = format!("{}\0{}\0{at}", self.run, instance(token, step));
                if let Some(take) = self.take_of(new, query, rows, &unique).await? {
                    changes.push(Change::Take { take, seen: *seen });
                }
            }
        }
        Ok(changes)
    }

    /// Freezes what passed a `new` after which rows change their entity.
    async fn passed(&self, token: &str, step: &Step, new: &NewRows<'_>, at: usize) -> Result<PathBuf, RunError> {
        let file = format!("{}.new{at}.parquet", file_instance(token, step));
        let path = self.around.folders.run(&self.run).join(file);
        let (locals, frozen) = (self.locals(), self.frozen());
        let tables = self.tables_for(step, &frozen);
        let scope = self.scope(&tables, &locals);
        freeze(self.around.session, &scope, &Freezing::all(new.query, &step.title), &path).await?;
        Ok(path)
    }

    async fn take_of(
        &self,
        new: &NewRows<'_>,
        query: &Query,
        rows: PathBuf,
        unique: &str,
    ) -> Result<Option<TakeRecord>, RunError> {
        let entity = &self.program[new.query.ty.entity];
        let mut take = TakeRecord {
            memory: new.memory.clone(),
            entity: entity.name.clone(),
            by: new.by.map(|by| by_name(&self.program, new.input, by)),
            run: Some(self.run.clone()),
            rows: rows_of(&rows)?,
            at: self.around.clock.now(),
            ..TakeRecord::default()
        };
        match new.by {
            None => {
                let file = keys_file(&new.memory, unique);
                write_keys(&rows, entity, &self.around.folders.state.join(&file))?;
                take.file = Some(file);
            }
            Some(by) => {
                let Some(highest) = self.highest(new, by, query, rows).await? else { return Ok(None) };
                let remembered = self.remembered();
                let earlier = takes(&remembered, &new.memory, self.simulated)?;
                let covered = earlier.into_iter().flat_map(|(take, _)| take.ranges).collect();
                take.ranges = untaken(covered, &highest);
            }
        }
        Ok(Some(take))
    }

    /// The highest value of `by` among frozen rows.
    async fn highest(
        &self,
        new: &NewRows<'_>,
        by: &Expr,
        query: &Query,
        rows: PathBuf,
    ) -> Result<Option<Value>, RunError> {
        let local = LocalId(self.plan.campaign().locals.len() as u32);
        let (locals, mut frozen) = (self.locals(), self.frozen());
        frozen.insert(local.0, rows);
        let of = Query { kind: QueryKind::Local(local), ty: query.ty.clone(), span: query.span };
        let tables = self.tables(&frozen);
        Ok(match scalar(&self.scope(&tables, &locals), self.around.session, &highest_of(of, new, by)).await? {
            Value::Null => None,
            highest => Some(highest),
        })
    }

    /// What was taken is about to be used: it is not given back any more.
    pub(super) async fn use_taken(&self) -> Result<(), RunError> {
        if self.plan.news().is_empty() {
            return Ok(());
        }
        Ok(self.around.store.commit(vec![Change::Used { run: self.run.clone() }]).await?)
    }
}

/// Rows that were taken between a backup and its restore would be taken a second time.
fn in_doubt(memory: &str, restored: &Restored, zone: &TimeZone) -> Problem {
    let at = |at: jiff::Timestamp| zone.to_datetime(at).strftime("%a %-d %b %Y %H:%M").to_string();
    let (backup, restored) = (at(restored.backup), at(restored.at));
    let message = format!(
        "`new`: nobody knows what was taken for `{memory}` between the backup of {backup} and its restore at {restored}"
    );
    Problem::outside(codes::run::MEMORY_IN_DOUBT, message).help(format!(
        "leave out the rows that there are now: `orch state {memory} --baseline all`\n\
         or take rows of that time again: `orch state {memory} --as-restored`"
    ))
}

fn rows_of(path: &Path) -> Result<u64, RunError> {
    parquet_rows(path).map_err(|reason| super::file_error(path, &reason))
}

/// `max(by of rows)`
pub(in crate::runtime) fn highest_of(rows: Query, new: &NewRows<'_>, by: &Expr) -> Expr {
    let aggregate = Aggregate {
        function: AggregateFn::Max,
        values: vec![("value".to_owned(), by.clone())],
        row: new.row,
        query: rows,
        args: Vec::new(),
    };
    Expr { kind: ExprKind::Aggregate(Box::new(aggregate)), ty: by.ty.clone().or_null(), span: by.span }
}
