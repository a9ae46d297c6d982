//! `fresh: 6h`: a run does not go on with data that is older than it may be.
//!
//! The age is looked at by each statement that reads the source, sends included, on the clock on the wall: a run on a
//! virtual clock reads the data of today, too.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::Executor;
use crate::diag::{Problem, codes};
use crate::hir::{
    Aggregate, AggregateFn, ColumnRef, EntityId, Expr, ExprKind, Query, QueryKind, RowId, SegmentTy, Value,
};
use crate::plan::Step;
use crate::plan::query::{Scope, Session, scalar};
use crate::runtime::clock::{Clock, WallClock};
use crate::runtime::error::RunError;
use crate::runtime::tables::Sources;

impl Executor<'_> {
    /// Fails if something that the step reads is too old.
    pub(super) async fn check_fresh(&self, step: &Step) -> Result<(), RunError> {
        if !self.around.effects {
            return Ok(());
        }
        for entity in self.plan.entities_of(step) {
            if self.program[entity].source.as_ref().is_none_or(|source| source.fresh.is_none()) {
                continue;
            }
            let (locals, frozen) = (self.locals(), self.frozen());
            let tables = self.tables(&frozen);
            let scope = self.scope(&tables, &locals);
            if let Some(problem) = stale(&scope, self.around.session, self.around.sources, entity).await? {
                return Err(problem.into());
            }
        }
        Ok(())
    }
}

/// What is wrong with the age of an entity's source; `None` when it is fresh enough or may have any age.
pub(in crate::runtime) async fn stale(
    scope: &Scope<'_>,
    session: &Session,
    sources: &Sources,
    entity: EntityId,
) -> Result<Option<Problem>, RunError> {
    let declared = &scope.program[entity];
    let Some(fresh) = declared.source.as_ref().and_then(|source| source.fresh.as_ref()) else { return Ok(None) };
    let (newest, what) = match &fresh.by {
        Some(by) => (newest_value(scope, session, entity, by).await?, format!("its newest `{by}`")),
        None => newest_file(sources, entity),
    };
    let name = &declared.name;
    let problem = |message: String| {
        let help = "bring newer data; `orch resume` looks again and goes on";
        Some(Problem::error(codes::run::SOURCE_STALE, message, fresh.span).help(help))
    };
    let Some(newest) = newest else {
        return Ok(problem(format!("`{name}` may be {} old at most, and {what} is not known", fresh.within)));
    };
    let deadline = fresh.within.after(newest, &scope.zone).unwrap_or(Timestamp::MAX);
    if deadline >= WallClock.now() {
        return Ok(None);
    }
    let when = newest.to_zoned_datetime(scope.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
    Ok(problem(format!("`{name}` is older than {}: {what} is of {when}", fresh.within)))
}

/// When the newest file of a source was written, and what that is.
fn newest_file(sources: &Sources, entity: EntityId) -> (Option<Timestamp>, String) {
    let written = |path: &std::path::PathBuf| {
        let time = std::fs::metadata(path).and_then(|data| data.modified()).ok()?;
        Some((Timestamp::try_from(time).ok()?, path.clone()))
    };
    let newest = sources.files(entity).iter().filter_map(written).max();
    let name = newest.as_ref().and_then(|(_, path)| path.file_name());
    let what = name.map_or("the age of its file".to_owned(), |name| format!("`{}`", name.to_string_lossy()));
    (newest.map(|(time, _)| time), what)
}

/// The newest value of a field; the end of the day for a date.
async fn newest_value(
    scope: &Scope<'_>,
    session: &Session,
    entity: EntityId,
    by: &str,
) -> Result<Option<Timestamp>, RunError> {
    const ROW: RowId = RowId(u32::MAX - 2);
    let declared = &scope.program[entity];
    let Some(field) = declared.field(by) else { return Ok(None) };
    let (span, ty) = (declared.span, declared[field].ty.clone());
    let query = Query { kind: QueryKind::Entity(entity), ty: SegmentTy::of(entity), span };
    let column = ExprKind::Column { row: ROW, path: Vec::new(), column: ColumnRef::Field(field) };
    let value = Expr { kind: column, ty: ty.clone(), span };
    let values = vec![("value".to_owned(), value)];
    let aggregate = Aggregate { function: AggregateFn::Max, values, row: ROW, query, args: Vec::new() };
    let newest = Expr { kind: ExprKind::Aggregate(Box::new(aggregate)), ty: ty.or_null(), span };
    Ok(match scalar(scope, session, &newest).await? {
        Value::Timestamp(at) => Some(at),
        Value::Date(date) => end_of(date, &scope.zone),
        _ => None,
    })
}

fn end_of(date: jiff::civil::Date, zone: &TimeZone) -> Option<Timestamp> {
    let next = date.checked_add(1.day()).ok()?;
    crate::base::civil::instant(next.at(0, 0, 0, 0), zone)
}
