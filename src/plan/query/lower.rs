//! Queries: where their rows come from, and `where`.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::{Column, JoinType, TableReference};
use datafusion::datasource::{TableProvider, provider_as_source};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};

use super::frame::{Frame, Group, Row, columns, join};
use super::{IDENTITY, QueryError, Rows, Scope, Tally, uses};
use crate::base::Span;
use crate::hir::{self, BinaryOp, EntityId, ExprKind, Query, QueryKind, RelationId, RowId};

/// Lowers the queries and expressions of one plan.
pub(super) struct Lower<'a> {
    pub scope: &'a Scope<'a>,
    names: Cell<u32>,
    /// Queries whose rows are counted.
    pub counted: Vec<(&'a Query, Tally)>,
}

/// What the rows of a query are tied to.
pub(super) enum Base<'f> {
    /// Nothing: one population.
    Free,
    /// An outer row, through this tie alone: one population per value of the tie's columns.
    Root(&'f Tie),
    /// Rows of this frame, in whatever way: one population per row of it.
    Under(&'f Frame),
}

/// The one thing that ties a nested query to the outer row.
pub(super) struct Tie {
    pub row: RowId,
    pub kind: TieKind,
}

pub(super) enum TieKind {
    /// Rows that a relation of `entity` leads to, then on along `rest`.
    Relation { entity: EntityId, relation: RelationId, rest: Vec<RelationId> },
    /// Rows that `dedupe` collapsed.
    Group(Group),
}

impl<'a> Lower<'a> {
    pub fn new(scope: &'a Scope<'a>) -> Self {
        Self { scope, names: Cell::new(0), counted: Vec::new() }
    }

    /// A column name that occurs nowhere else in the plan; it starts like `base`, for those who read plans.
    pub fn fresh(&self, base: &str) -> String {
        let stem = base.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('_');
        let stem: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        self.names.set(self.names.get() + 1);
        format!("{stem}_{}", self.names.get())
    }

    /// The frame under new names.
    pub fn renamed(&self, frame: &Frame) -> Result<Frame, QueryError> {
        frame.renamed(|name| self.fresh(name))
    }

    /// Lowers a query.
    pub fn query(&self, query: &Query, base: &Base<'_>) -> Result<Frame, QueryError> {
        let mut frame = self.uncounted(query, base)?;
        if let Some((_, tally)) = self.counted.iter().find(|(counted, _)| std::ptr::eq(*counted, query)) {
            frame.with_plan(|plan| Ok(tally.count(plan)))?;
        }
        Ok(frame)
    }

    fn uncounted(&self, query: &Query, base: &Base<'_>) -> Result<Frame, QueryError> {
        let entity = query.ty.entity;
        match &query.kind {
            QueryKind::Error => Err(unsupported("a query with an error", query.span)),
            QueryKind::Entity(entity) => self.start(&Rows::Entity(*entity), *entity, base),
            QueryKind::Local(local) => self.start(&Rows::Frozen(*local), entity, base),
            QueryKind::Audience(name) => self.start(&Rows::Audience(name.clone(), entity), entity, base),
            QueryKind::Feedback { delivery, kind } => self.start(&Rows::Feedback(*delivery, *kind), entity, base),
            QueryKind::Unmatched(local) => self.start(&Rows::Unmatched(*local), entity, base),
            QueryKind::Rejected(entity) => self.start(&Rows::Rejected(*entity), *entity, base),
            QueryKind::Related { row, path } => self.related(*row, path, base, query.span),
            QueryKind::Group { row } => self.group(*row, base, query.span),
            QueryKind::Where { input, row, predicate } => {
                let mut frame = self.query(input, base)?;
                frame.rows.insert(*row, frame.row.clone());
                self.filter(&mut frame, predicate)?;
                frame.rows.remove(row);
                Ok(frame)
            }
            QueryKind::Navigate { input, relation } => {
                let frame = self.query(input, base)?;
                self.navigate(frame, *relation, base, query.span)
            }
            QueryKind::SetOp { .. } | QueryKind::Match { .. } => self.combine(query, base),
            _ => self.clause(query, base),
        }
    }

    fn start(&self, rows: &Rows, entity: EntityId, base: &Base<'_>) -> Result<Frame, QueryError> {
        let frame = self.scan(rows, entity)?;
        match base {
            Base::Under(outer) => {
                let outer = self.renamed(outer)?;
                under(outer, frame, (&[], &[]))
            }
            _ => Ok(frame),
        }
    }

    /// A table under fresh column names.
    pub fn scan(&self, rows: &Rows, entity: EntityId) -> Result<Frame, QueryError> {
        let provider = self.scope.tables.rows(rows)?;
        self.scan_provider(provider, rows, entity)
    }

    /// A table that was opened, as if it were `rows`.
    pub fn scan_provider(
        &self,
        provider: Arc<dyn TableProvider>,
        rows: &Rows,
        entity: EntityId,
    ) -> Result<Frame, QueryError> {
        let schema = provider.schema();
        let name = &self.scope.program[entity].name;
        let table = TableReference::bare(self.fresh(name));
        let places: Vec<String> = schema.fields().iter().map(|field| self.fresh(field.name())).collect();
        let projection = schema
            .fields()
            .iter()
            .zip(&places)
            .map(|(field, place)| Expr::Column(Column::new(Some(table.clone()), field.name())).alias(place));
        let plan = LogicalPlanBuilder::scan(table.clone(), provider_as_source(provider), None)?
            .project(projection.collect::<Vec<_>>())?
            .build()?;
        let row = self.scanned_row(rows, entity, &schema, &places);
        let key = self.scanned_key(&row, entity, &schema, &places)?;
        Ok(Frame::new(plan, row, key))
    }

    fn scanned_row(&self, rows: &Rows, entity: EntityId, schema: &Schema, places: &[String]) -> Row {
        let declared = &self.scope.program[entity];
        let has_fields = !matches!(rows, Rows::Rejected(_));
        let place = |name: &str| schema.index_of(name).ok().map(|at| places[at].clone());
        let fields = declared.fields.iter().map(|field| place(&field.name).filter(|_| has_fields)).collect();
        let is_added = |name: &str| !name.starts_with(IDENTITY) && (!has_fields || declared.field(name).is_none());
        let added = schema.fields().iter().zip(places).filter(|(field, _)| is_added(field.name()));
        let added = added.map(|(field, place)| (field.name().clone(), place.clone())).collect();
        Row { entity, fields, added, group: None }
    }

    fn scanned_key(
        &self,
        row: &Row,
        entity: EntityId,
        schema: &Schema,
        places: &[String],
    ) -> Result<Vec<String>, QueryError> {
        let declared = &self.scope.program[entity];
        let no_key = || QueryError::Source(format!("rows of `{}` came without their key", declared.name));
        let mut key = match row.fields.iter().all(Option::is_none) {
            true => Vec::new(),
            false => row.fields_named(declared.key.iter().copied()).ok_or_else(no_key)?,
        };
        let identity = schema.fields().iter().zip(places).filter(|(field, _)| field.name().starts_with(IDENTITY));
        key.extend(identity.map(|(_, place)| place.clone()));
        if key.is_empty() {
            // Lines of a file: by number where there is one, else by all they say.
            let line = schema.index_of("line").ok().map(|at| vec![places[at].clone()]);
            key = line.unwrap_or_else(|| places.to_vec());
        }
        Ok(key)
    }

    fn related(&self, row: RowId, path: &[RelationId], base: &Base<'_>, span: Span) -> Result<Frame, QueryError> {
        match base {
            Base::Root(Tie { kind: TieKind::Relation { entity, relation, rest }, .. }) => {
                let relation = &self.scope.program[*entity][*relation];
                let mut frame = self.scan(&Rows::Entity(relation.target), relation.target)?;
                let there = frame.row.fields_named(relation.on.iter().map(|(_, there)| *there));
                frame.part = there.ok_or_else(|| not_kept(&relation.name, span))?;
                self.onwards(frame, rest, base, span)
            }
            Base::Under(outer) => {
                let mut outer = self.renamed(outer)?;
                let row = outer.rows.get(&row).cloned().ok_or_else(|| unsupported("a row out of scope", span))?;
                let (at, relation, rest) = self.way(&mut outer, &row, path, span)?;
                let relation = &self.scope.program[at.entity][relation];
                let frame = self.scan(&Rows::Entity(relation.target), relation.target)?;
                let here = at.fields_named(relation.on.iter().map(|(here, _)| *here));
                let there = frame.row.fields_named(relation.on.iter().map(|(_, there)| *there));
                let (Some(here), Some(there)) = (here, there) else { return Err(not_kept(&relation.name, span)) };
                let frame = under(outer, frame, (&here, &there))?;
                self.onwards(frame, &rest, base, span)
            }
            _ => Err(unsupported("a relation without its row", span)),
        }
    }

    fn onwards(&self, frame: Frame, rest: &[RelationId], base: &Base<'_>, span: Span) -> Result<Frame, QueryError> {
        rest.iter().try_fold(frame, |frame, relation| self.navigate(frame, *relation, base, span))
    }

    /// Walks the `one` relations at the start of a path by left joins; gives the row they lead to, the relation that
    /// makes many rows of it, and what follows.
    pub fn way(
        &self,
        frame: &mut Frame,
        row: &Row,
        path: &[RelationId],
        span: Span,
    ) -> Result<(Row, RelationId, Vec<RelationId>), QueryError> {
        let mut entity = row.entity;
        let mut ones = 0;
        for relation in path {
            let relation = &self.scope.program[entity][*relation];
            if relation.many || ones + 1 == path.len() {
                break;
            }
            entity = relation.target;
            ones += 1;
        }
        let Some(relation) = path.get(ones) else { return Err(unsupported("a relation without a path", span)) };
        let at = self.path(frame, row, &path[..ones], span)?;
        Ok((at, *relation, path[ones + 1..].to_vec()))
    }

    fn group(&self, row: RowId, base: &Base<'_>, span: Span) -> Result<Frame, QueryError> {
        match base {
            Base::Root(Tie { kind: TieKind::Group(group), .. }) => self.collapsed(group),
            Base::Under(outer) => {
                let outer = self.renamed(outer)?;
                let group = outer.rows.get(&row).and_then(|row| row.group.clone());
                let group = group.ok_or_else(|| unsupported("`group` without `dedupe`", span))?;
                let frame = self.collapsed(&group)?;
                let there = frame.part.clone();
                under(outer, frame, (&group.here, &there))
            }
            Base::Free | Base::Root(_) => Err(unsupported("`group` without its row", span)),
        }
    }

    /// The collapsed rows, one population per group.
    fn collapsed(&self, group: &Group) -> Result<Frame, QueryError> {
        let mut frame = (*group.frame).clone();
        frame.part = group.inner.clone();
        self.renamed(&frame)
    }

    /// Change of dimension: the distinct rows that a relation leads to.
    fn navigate(&self, frame: Frame, relation: RelationId, base: &Base<'_>, span: Span) -> Result<Frame, QueryError> {
        let relation = &self.scope.program[frame.row.entity][relation];
        let target = self.scan(&Rows::Entity(relation.target), relation.target)?;
        let here = frame.row.fields_named(relation.on.iter().map(|(here, _)| *here));
        let there = target.row.fields_named(relation.on.iter().map(|(_, there)| *there));
        let (Some(here), Some(there)) = (here, there) else { return Err(not_kept(&relation.name, span)) };
        let mut reached = target;
        if frame.part.is_empty() {
            reached.with_plan(|plan| join(plan, frame.plan, JoinType::LeftSemi, (&there, &here)))?;
            reached.dropped = true;
            return Ok(reached);
        }
        // A row of the target has one value of `there`, so distinct pairs of outer row and `here` reach it once per
        // outer row.
        let pairs: BTreeSet<String> = frame.part.iter().chain(&here).cloned().collect();
        let pairs: Vec<String> = pairs.into_iter().collect();
        let pairs = LogicalPlanBuilder::from(frame.plan).project(columns(&pairs))?.distinct()?.build()?;
        reached.part = frame.part;
        reached.with_plan(|plan| join(plan, pairs, JoinType::Inner, (&there, &here)))?;
        reached.dropped = true;
        if let Base::Under(outer) = base {
            let outer = self.renamed(outer)?;
            let (part, identity) = (reached.part.clone(), outer.identity());
            reached.rows = outer.rows;
            reached.with_plan(|plan| join(plan, outer.plan, JoinType::Inner, (&part, &identity)))?;
        }
        reached.seed = reached.plan.clone();
        Ok(reached)
    }

    /// Keeps the rows for which the predicate is true. Memberships become joins.
    pub fn filter(&self, frame: &mut Frame, predicate: &hir::Expr) -> Result<(), QueryError> {
        let mut conjuncts = Vec::new();
        split(predicate, &mut conjuncts);
        // Memberships cost more, so they come late; what can fail does not come before them, where it stands after.
        let mut waits = false;
        let (late, early): (Vec<_>, Vec<_>) = conjuncts.into_iter().partition(|expr| {
            waits |= uses::has_query(expr);
            uses::has_query(expr) || waits && uses::can_fail(expr)
        });
        self.keep(frame, &early)?;
        let mut rest = Vec::new();
        for conjunct in late {
            if !self.keep_members(frame, conjunct)? {
                rest.push(conjunct);
            }
        }
        self.keep(frame, &rest)
    }

    /// Filters by expressions as they are.
    fn keep(&self, frame: &mut Frame, conjuncts: &[&hir::Expr]) -> Result<(), QueryError> {
        frame.coming = uses::aggregates(conjuncts.iter().copied());
        let mut all = Vec::new();
        let mut failing = false;
        for conjunct in conjuncts {
            let fails = uses::can_fail(conjunct);
            if fails && failing {
                // A guard that can fail itself would be part of every later one.
                self.keep_true(frame, std::mem::take(&mut all), true)?;
            }
            failing |= fails;
            let condition = self.expr(frame, conjunct)?;
            frame.guards.push(condition.clone());
            all.push(condition);
        }
        self.keep_true(frame, all, failing)
    }

    /// Filters by conditions; of those that can fail none becomes a guard.
    fn keep_true(&self, frame: &mut Frame, all: Vec<Expr>, failing: bool) -> Result<(), QueryError> {
        if failing {
            frame.guards.truncate(frame.outside);
            frame.dropped = true;
        }
        match all.into_iter().reduce(Expr::and) {
            Some(condition) => {
                if !failing && frame.is_in_seed(&condition) {
                    let seed = std::mem::take(&mut frame.seed);
                    frame.seed = LogicalPlanBuilder::from(seed).filter(condition.clone())?.build()?;
                }
                frame.with_plan(|plan| Ok(LogicalPlanBuilder::from(plan).filter(condition)?.build()?))
            }
            None => Ok(()),
        }
    }
}

/// Joins a base to the outer rows; the outer rows' identity tells the populations apart.
fn under(outer: Frame, mut frame: Frame, on: (&[String], &[String])) -> Result<Frame, QueryError> {
    frame.part = outer.identity();
    frame.rows.extend(outer.rows);
    frame.guards.extend(outer.guards);
    frame.outside = frame.guards.len();
    frame.dropped = true;
    let outer = outer.plan;
    frame.with_plan(|plan| join(outer, plan, JoinType::Inner, on))?;
    frame.seed = frame.plan.clone();
    Ok(frame)
}

fn split<'e>(expr: &'e hir::Expr, conjuncts: &mut Vec<&'e hir::Expr>) {
    match &expr.kind {
        ExprKind::Binary { op: BinaryOp::And, left, right } => {
            split(left, conjuncts);
            split(right, conjuncts);
        }
        _ => conjuncts.push(expr),
    }
}

/// The error for what the checker let through but no plan exists for.
pub(super) fn unsupported(what: impl Into<String>, span: Span) -> QueryError {
    QueryError::Unsupported { what: what.into(), span }
}

/// The error for a column that a frozen population lacks.
pub(super) fn not_kept(column: &str, span: Span) -> QueryError {
    QueryError::NotKept { column: column.to_owned(), span }
}
