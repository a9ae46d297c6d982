//! Segments that stand together and filter the same entity are computed in one pass over it: its rows are read once, and
//! each segment takes those for which its own conditions hold.
//!
//! Nothing happens between such statements that could change what they read, so they are all computed when the first
//! is reached. What is not used, because the process ended, is computed again.

use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::filter_record_batch;
use futures::StreamExt;

use super::Executor;
use super::freeze::{Frozen, SnapshotFile};
use super::keys::{KeyCheck, KeyNames};
use super::split::kept_places;
use super::steps::{file_instance, instance};
use crate::hir::visit::{Visitor, walk_expr};
use crate::hir::{BinaryOp, EntityId, Expr, ExprKind, LocalId, Query, QueryKind, RowId, SegmentTy, map_columns};
use crate::plan::query::{Binding, Columns, Joins, Ordering, QueryError, Work, computation, values};
use crate::plan::{Step, StepKind};
use crate::runtime::error::RunError;

/// A segment that only filters an entity.
struct Filtered<'p> {
    step: &'p Step,
    local: LocalId,
    query: &'p Query,
    entity: EntityId,
    /// All its conditions, over [`ROW`].
    condition: Expr,
}

/// The row that conditions look at; no program has as many.
const ROW: RowId = RowId(u32::MAX - 2);

/// The column that says whether a row belongs to a segment.
fn holds(at: usize) -> String {
    format!("__holds{at}")
}

impl Executor<'_> {
    /// Computes a segment together with those after it that filter the same entity, if there are any, and remembers what
    /// came of them. Whatever goes wrong is left to the segment that it is the fault of.
    pub(super) async fn compute_together(&mut self, token: &str, step: &Step) {
        if self.together.contains_key(&instance(token, step)) {
            return;
        }
        let plan = self.plan;
        let group = filtered_from(&plan.blocks, step);
        if group.len() < 2 {
            return;
        }
        if let Ok(frozen) = self.one_pass(token, &group).await {
            let names = group.iter().map(|segment| instance(token, segment.step));
            self.together = names.zip(frozen).collect();
        }
    }

    async fn one_pass(&self, token: &str, group: &[Filtered<'_>]) -> Result<Vec<Frozen>, RunError> {
        let entity = group[0].entity;
        let wanted: Vec<Columns> =
            group.iter().map(|segment| self.kept.segment(&self.program, segment.local, segment.query, &[])).collect();
        let (locals, frozen) = (self.locals(), self.frozen());
        let tables = self.tables(&frozen);
        let scope = self.scope(&tables, &locals);
        let conditions: Vec<(String, Expr)> =
            group.iter().enumerate().map(|(at, segment)| (holds(at), segment.condition.clone())).collect();
        let query = any_of(entity, group);
        let bindings = [Binding { row: ROW, path: Vec::new() }];
        let plan = values(&scope, &query, &bindings, &conditions, &together(&wanted), Ordering::Defined)?;
        let mut computation = computation(self.around.session, plan, Joins::Fast).await?;

        let declared = &self.program[entity];
        let (names, mut check) = (KeyNames::new(declared), KeyCheck::new(declared, true));
        let folder = self.around.folders.run(&self.run);
        let schema = computation.rows.schema();
        let mut files = Vec::with_capacity(group.len());
        for (segment, columns) in group.iter().zip(&wanted) {
            let path = folder.join(format!("{}.parquet", file_instance(token, segment.step)));
            files.push((SnapshotFile::create(&path)?, kept_places(&schema, columns, &names)));
        }
        while let Some(batch) = computation.rows.next().await {
            let batch = batch.map_err(QueryError::from)?;
            if let Some(key) = check.repeated(&batch)? {
                let (step, entity) = (group[0].step.title.clone(), declared.name.clone());
                return Err(RunError::BadKey { step, entity, key });
            }
            for (at, (file, places)) in files.iter_mut().enumerate() {
                // Null is not true, and no row passes by it.
                let mask = batch.column_by_name(&holds(at)).and_then(|column| column.as_boolean_opt());
                let mask = mask.ok_or_else(|| QueryError::Engine(format!("the column {} is missing", holds(at))))?;
                let kept = batch.project(places).and_then(|kept| filter_record_batch(&kept, mask));
                file.write(&kept.map_err(QueryError::from_arrow)?)?;
            }
        }
        let mut work = Some(computation.work());
        let first = group[0].step.title.clone();
        let finished = files.into_iter().map(|(file, places)| {
            let schema = schema.project(&places).map_err(QueryError::from_arrow)?;
            let rows = file.finish(Some(&schema.into()))?;
            let with = || Work { together_with: Some(first.clone()), ..Work::default() };
            Ok(Frozen { rows, counts: Vec::new(), work: work.take().unwrap_or_else(with) })
        });
        finished.collect()
    }
}

/// All columns that one of the segments keeps.
fn together(wanted: &[Columns]) -> Columns {
    let mut all = Vec::new();
    for columns in wanted {
        match columns {
            Columns::All => return Columns::All,
            Columns::Named(names) => all.extend(names.iter().cloned()),
        }
    }
    Columns::Named(all)
}

/// The rows of an entity that belong to any of the segments.
fn any_of(entity: EntityId, group: &[Filtered<'_>]) -> Query {
    let span = group[0].query.span;
    let all = Query { kind: QueryKind::Entity(entity), ty: SegmentTy::of(entity), span };
    let any =
        group.iter().map(|segment| segment.condition.clone()).reduce(|left, right| either(BinaryOp::Or, left, right));
    match any {
        Some(predicate) => {
            let kind = QueryKind::Where { input: Box::new(all), row: ROW, predicate };
            Query { kind, ty: SegmentTy::of(entity), span }
        }
        None => all,
    }
}

fn either(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    let (span, ty) = (left.span, left.ty.clone().null_if(right.ty.nullable));
    Expr { kind: ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) }, ty, span }
}

/// The segment and those right after it that filter the same entity.
fn filtered_from<'p>(blocks: &'p [crate::plan::Block], step: &Step) -> Vec<Filtered<'p>> {
    let at = |block: &'p crate::plan::Block| {
        block.steps.iter().position(|known| known.path == step.path).map(|at| &block.steps[at..])
    };
    let Some(rest) = blocks.iter().find_map(at) else { return Vec::new() };
    let mut group: Vec<Filtered<'p>> = Vec::new();
    for step in rest {
        let StepKind::Segment { local, query } = &step.kind else { break };
        match filtered(step, *local, query) {
            Some(found) if group.first().is_none_or(|first| first.entity == found.entity) => group.push(found),
            Some(_) => {}
            None if group.is_empty() => break,
            None => {}
        }
    }
    group
}

fn filtered<'p>(step: &'p Step, local: LocalId, query: &'p Query) -> Option<Filtered<'p>> {
    let mut conditions = Vec::new();
    let mut at = query;
    let entity = loop {
        match &at.kind {
            QueryKind::Entity(entity) => break *entity,
            QueryKind::Where { input, row, predicate } if is_plain(predicate) => {
                let to_row = &mut |of: RowId, path: &[_], column: &_| {
                    let (path, column) = (path.to_vec(), crate::hir::ColumnRef::clone(column));
                    (of == *row).then_some(ExprKind::Column { row: ROW, path, column })
                };
                conditions.push(map_columns(predicate, to_row));
                at = input;
            }
            _ => return None,
        }
    };
    // The first condition stands innermost, and may be what makes the next one possible.
    let condition = conditions.into_iter().rev().reduce(|left, right| either(BinaryOp::And, left, right))?;
    Some(Filtered { step, local, query, entity, condition })
}

/// Whether a condition looks at nothing but its own row and what one of it leads to.
fn is_plain(predicate: &Expr) -> bool {
    struct Plain(bool);
    impl Visitor for Plain {
        fn query(&mut self, _: &Query) {
            self.0 = false;
        }
        fn expr(&mut self, expr: &Expr) {
            self.0 &= expr.kind != ExprKind::Error;
            walk_expr(self, expr);
        }
    }
    let mut plain = Plain(true);
    plain.expr(predicate);
    plain.0
}
