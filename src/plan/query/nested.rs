//! Nested queries: how they are tied to the outer row, and membership.

use datafusion::common::JoinType;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit, not, when};
use datafusion::scalar::ScalarValue;

use super::QueryError;
use super::expr::common_decimal;
use super::frame::{Frame, Row, column, columns, join};
use super::lower::{Base, Lower, Tie, TieKind, not_kept, unsupported};
use super::uses::{self, Root};
use crate::base::Span;
use crate::hir::{self, ExprKind, Query, RelationId, RowId};

/// A nested query, one population per outer row.
pub(super) struct Nested {
    pub frame: Frame,
    /// Columns of the outer plan that are equal to [`Frame::part`]; empty when the query is the same for all rows.
    pub here: Vec<String>,
}

/// `value in Q.column`
struct Membership<'q> {
    query: &'q Query,
    row: RowId,
    column: &'q hir::Expr,
}

/// Both sides of a membership: it holds where `here` equals `there`.
struct Members {
    here: Vec<String>,
    plan: LogicalPlan,
    there: Vec<String>,
    /// The value's column, the last of `here`.
    value: String,
}

impl Lower<'_> {
    /// Lowers a nested query. One that is tied to the outer row by a relation alone is computed for all rows at once;
    /// any other is computed over the outer rows. `over` are expressions over the query's row.
    pub fn nested(&self, frame: &mut Frame, query: &Query, over: &[&hir::Expr]) -> Result<Nested, QueryError> {
        let scope: Vec<RowId> = frame.rows.keys().copied().collect();
        let tied = over.iter().any(|expr| uses::looks_at(expr, &scope));
        if !tied && !query.looks_at(&scope) {
            return Ok(Nested { frame: self.query(query, &Base::Free)?, here: Vec::new() });
        }
        // Computed for all rows at once, a quotient would be computed for rows that no outer row leads to.
        let together = !tied && !uses::divides(query, over);
        match uses::only_root(query, &scope).filter(|_| together) {
            Some(Root::Related(row, path)) => {
                let at = frame.rows[&row].clone();
                let (at, id, rest) = self.way(frame, &at, path, query.span)?;
                let relation = &self.scope.program[at.entity][id];
                let here = at.fields_named(relation.on.iter().map(|(here, _)| *here));
                let here = here.ok_or_else(|| not_kept(&relation.name, query.span))?;
                let kind = TieKind::Relation { entity: at.entity, relation: id, rest };
                Ok(Nested { frame: self.query(query, &Base::Root(&Tie { row, kind }))?, here })
            }
            Some(Root::Group(row)) => {
                let group = frame.rows[&row].group.clone();
                let group = group.ok_or_else(|| unsupported("`group` without `dedupe`", query.span))?;
                let here = group.here.clone();
                let tie = Tie { row, kind: TieKind::Group(group) };
                let frame = self.query(query, &Base::Root(&tie))?;
                Ok(Nested { frame, here })
            }
            None => {
                let outer = self.outer(frame, query, over)?;
                let inner = self.query(query, &Base::Under(&outer))?;
                Ok(Nested { frame: inner, here: frame.identity() })
            }
        }
    }

    /// The outer rows of a nested query, for a second use in the plan: of as little as it looks at.
    fn outer(&self, frame: &Frame, query: &Query, over: &[&hir::Expr]) -> Result<Frame, QueryError> {
        let schema = frame.seed.schema();
        let is_there = |name: &String| schema.has_column_with_unqualified_name(name);
        let mut needs = uses::Needs { program: self.scope.program, rows: &frame.rows, found: frame.identity() };
        needs.look(query, over);
        if uses::divides(query, over) || !needs.found.iter().all(is_there) {
            return self.renamed(frame);
        }
        let mut seed = frame.clone();
        seed.plan = std::mem::take(&mut seed.seed);
        seed.guards.clear();
        seed.outside = 0;
        seed.order.clear();
        for row in seed.rows.values_mut().chain(std::iter::once(&mut seed.row)) {
            row.keep_only(is_there);
        }
        self.renamed(&seed)
    }

    /// The row that `one` relations lead to, by left joins that are made once.
    pub fn path(&self, frame: &mut Frame, row: &Row, path: &[RelationId], span: Span) -> Result<Row, QueryError> {
        let mut row = row.clone();
        for relation in path {
            let relation = &self.scope.program[row.entity][*relation];
            let here = row.fields_named(relation.on.iter().map(|(here, _)| *here));
            let here = here.ok_or_else(|| not_kept(&relation.name, span))?;
            let there: Vec<_> = relation.on.iter().map(|(_, there)| *there).collect();
            let known = (here, relation.target, there);
            row = match frame.joined.get(&known) {
                Some(row) => row.clone(),
                None => {
                    let target = self.scan(&super::Rows::Entity(relation.target), relation.target)?;
                    let on = target.row.fields_named(known.2.iter().copied());
                    let on = on.ok_or_else(|| not_kept(&relation.name, span))?;
                    frame.with_plan(|plan| join(plan, target.plan, JoinType::Left, (&known.0, &on)))?;
                    frame.joined.insert(known, target.row.clone());
                    target.row
                }
            };
        }
        Ok(row)
    }

    /// Filters by a conjunct that is a membership, by a semi or anti join. False when it is none.
    pub fn keep_members(&self, frame: &mut Frame, conjunct: &hir::Expr) -> Result<bool, QueryError> {
        let (expr, negated) = match &conjunct.kind {
            ExprKind::Not(inner) => (&**inner, true),
            _ => (conjunct, false),
        };
        let kind = |negated| if negated { JoinType::LeftAnti } else { JoinType::LeftSemi };
        match &expr.kind {
            ExprKind::Exists(query) => {
                let Nested { frame: inner, here } = self.nested(frame, query, &[])?;
                if here.is_empty() {
                    let found = self.counted(frame, inner)?;
                    let condition = if negated { found.eq(lit(0i64)) } else { found.gt(lit(0i64)) };
                    frame.with_plan(|plan| Ok(LogicalPlanBuilder::from(plan).filter(condition)?.build()?))?;
                    frame.dropped = true;
                    return Ok(true);
                }
                frame.with_plan(|plan| join(plan, inner.plan, kind(negated), (&here, &inner.part)))?;
                frame.dropped = true;
                Ok(true)
            }
            ExprKind::InQuery { negated: inner_negated, value, query, row, column: member } => {
                let negated = negated != *inner_negated;
                let membership = Membership { query, row: *row, column: member };
                let Members { here, plan: inner, there, value } = self.members(frame, value, &membership)?;
                frame.with_plan(|plan| join(plan, inner, kind(negated), (&here, &there)))?;
                frame.dropped = true;
                if negated {
                    let known = column(&value).is_not_null();
                    frame.with_plan(|plan| Ok(LogicalPlanBuilder::from(plan).filter(known)?.build()?))?;
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// `exists(Q)` as a value.
    pub fn exists(&self, frame: &mut Frame, query: &Query) -> Result<Expr, QueryError> {
        let Nested { frame: inner, here } = self.nested(frame, query, &[])?;
        if here.is_empty() {
            return Ok(self.counted(frame, inner)?.gt(lit(0i64)));
        }
        let mark = self.fresh("found");
        let found = LogicalPlanBuilder::from(inner.plan)
            .aggregate(columns(&inner.part), [count(lit(1i64)).alias(&mark)])?
            .build()?;
        frame.with_plan(|plan| join(plan, found, JoinType::Left, (&here, &inner.part)))?;
        Ok(column(&mark).is_not_null())
    }

    /// `value in Q.column` as a value.
    pub fn in_query(&self, frame: &mut Frame, expr: &hir::Expr) -> Result<Expr, QueryError> {
        let ExprKind::InQuery { negated, value, query, row, column: member } = &expr.kind else {
            return Err(unsupported("this membership", expr.span));
        };
        let membership = Membership { query, row: *row, column: member };
        let Members { here, plan: inner, there, value } = self.members(frame, value, &membership)?;
        let mark = self.fresh("found");
        let found =
            LogicalPlanBuilder::from(inner).aggregate(columns(&there), [count(lit(1i64)).alias(&mark)])?.build()?;
        frame.with_plan(|plan| join(plan, found, JoinType::Left, (&here, &there)))?;
        let found = column(&mark).is_not_null();
        let found = if *negated { not(found) } else { found };
        Ok(when(column(&value).is_null(), lit(ScalarValue::Boolean(None))).otherwise(found)?)
    }

    /// Both sides of a membership.
    fn members(&self, frame: &mut Frame, value: &hir::Expr, of: &Membership<'_>) -> Result<Members, QueryError> {
        let value = self.named(frame, "value", value)?;
        let Nested { frame: mut inner, mut here } = self.nested(frame, of.query, &[of.column])?;
        inner.rows.insert(of.row, inner.row.clone());
        let member = self.expr(&mut inner, of.column)?;
        let types = [self.type_of(frame, &column(&value))?, self.type_of(&inner, &member)?];
        let (value, member) = match common_decimal(&types) {
            Some(wide) => {
                let value = self.name_it(frame, "value", cast(column(&value), wide.clone()))?;
                (value, self.name_it(&mut inner, "member", cast(member, wide))?)
            }
            None => (value, self.name_it(&mut inner, "member", member)?),
        };
        let mut there = inner.part.clone();
        here.push(value.clone());
        there.push(member);
        Ok(Members { here, plan: inner.plan, there, value })
    }

    /// The number of rows of a population that is the same for all rows, as a column here.
    pub fn counted(&self, frame: &mut Frame, inner: Frame) -> Result<Expr, QueryError> {
        let name = self.fresh("count");
        let counted = LogicalPlanBuilder::from(inner.plan)
            .aggregate(Vec::<Expr>::new(), [count(lit(1i64)).alias(&name)])?
            .build()?;
        frame.with_plan(|plan| Ok(LogicalPlanBuilder::from(plan).cross_join(counted)?.build()?))?;
        Ok(column(&name))
    }

    /// The value of an expression as a column of the plan.
    pub fn named(&self, frame: &mut Frame, base: &str, expr: &hir::Expr) -> Result<String, QueryError> {
        let value = self.expr(frame, expr)?;
        self.name_it(frame, base, value)
    }

    /// A value as a column of the plan; one that is a column already stays as it is.
    pub fn name_it(&self, frame: &mut Frame, base: &str, value: Expr) -> Result<String, QueryError> {
        if let Expr::Column(existing) = value {
            return Ok(existing.name);
        }
        let name = self.fresh(base);
        frame.extend(vec![(name.clone(), value)])?;
        Ok(name)
    }
}
