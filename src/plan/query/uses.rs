//! How nested queries look at outer rows.

use std::collections::BTreeMap;

use super::frame::Row;
use crate::hir::visit::{Visitor, walk_expr, walk_query};
use crate::hir::{BinaryOp, ColumnRef, Expr, ExprKind, Program, Query, QueryKind, RelationId, RowId, SetOp};
use crate::plan::functions::may_fail;

/// What ties a nested query to the outer row, when nothing else in it looks at outer rows.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Root<'q> {
    Related(RowId, &'q [RelationId]),
    Group(RowId),
}

/// The only tie of the query to these outer rows, if it is that simple. Such a query can be computed for all outer rows
/// at once.
pub(super) fn only_root<'q>(query: &'q Query, outer: &[RowId]) -> Option<Root<'q>> {
    match &query.kind {
        QueryKind::Related { row, path } if outer.contains(row) => return Some(Root::Related(*row, path)),
        QueryKind::Group { row } if outer.contains(row) => return Some(Root::Group(*row)),
        _ => {}
    }
    let mut clause = Clause { outer, inside: false, found: false };
    walk_query(&mut clause, query);
    if clause.found {
        return None;
    }
    match &query.kind {
        QueryKind::SetOp { op, left, right, .. } => {
            let root = only_root(left, outer)?;
            let same = only_root(right, outer) == Some(root);
            let free = *op != SetOp::Union && !right.looks_at(outer);
            (same || free).then_some(root)
        }
        _ => only_root(query.input()?, outer),
    }
}

/// Whether the expressions of a query's outermost clause look at outer rows.
struct Clause<'o> {
    outer: &'o [RowId],
    /// Inside an expression; before, queries are the clause's inputs.
    inside: bool,
    found: bool,
}

impl Visitor for Clause<'_> {
    fn query(&mut self, query: &Query) {
        self.found |= self.inside && query.looks_at(self.outer);
    }

    fn expr(&mut self, expr: &Expr) {
        if let ExprKind::Column { row, .. } = &expr.kind {
            self.found |= self.outer.contains(row);
        }
        let before = std::mem::replace(&mut self.inside, true);
        walk_expr(self, expr);
        self.inside = before;
    }
}

/// Whether an expression looks at any of these rows.
pub(super) fn looks_at(expr: &Expr, rows: &[RowId]) -> bool {
    let mut clause = Clause { outer: rows, inside: true, found: false };
    clause.expr(expr);
    clause.found
}

/// The aggregates of expressions, those inside other nested queries left out.
pub(super) fn aggregates<'e>(exprs: impl IntoIterator<Item = &'e Expr>) -> Vec<Expr> {
    let mut found = Aggregates(Vec::new());
    exprs.into_iter().for_each(|expr| found.expr(expr));
    found.0
}

struct Aggregates(Vec<Expr>);

impl Visitor for Aggregates {
    fn query(&mut self, _: &Query) {}

    fn expr(&mut self, expr: &Expr) {
        match expr.kind {
            ExprKind::Aggregate(_) => self.0.push(expr.clone()),
            _ => walk_expr(self, expr),
        }
    }
}

/// Whether an expression looks at a row or at a population.
pub(super) fn looks_at_data(expr: &Expr) -> bool {
    let mut found = Found { column: false, query: false };
    found.expr(expr);
    found.column || found.query
}

/// Whether a nested query occurs in the expression.
pub(super) fn has_query(expr: &Expr) -> bool {
    let mut found = Found { column: false, query: false };
    found.expr(expr);
    found.query
}

/// Whether computing an expression may fail for some values.
pub(super) fn can_fail(expr: &Expr) -> bool {
    let mut found = Fails(false);
    found.expr(expr);
    found.0
}

struct Fails(bool);

impl Visitor for Fails {
    fn expr(&mut self, expr: &Expr) {
        use BinaryOp::{Add, Divide, Multiply, Subtract};
        self.0 |= match &expr.kind {
            ExprKind::Binary { op: Add | Divide | Multiply | Subtract, .. } | ExprKind::Neg(_) => true,
            ExprKind::Call { native, .. } => may_fail(native),
            _ => false,
        };
        walk_expr(self, expr);
    }
}

/// The columns of outer rows that a nested query looks at.
pub(super) struct Needs<'r> {
    pub program: &'r Program,
    pub rows: &'r BTreeMap<RowId, Row>,
    /// Names in the plan.
    pub found: Vec<String>,
}

impl Needs<'_> {
    /// Looks at a query and at expressions over its rows.
    pub fn look(&mut self, query: &Query, over: &[&Expr]) {
        self.query(query);
        over.iter().for_each(|expr| self.expr(expr));
    }

    /// The columns here of the first relation of a path.
    fn first_of(&mut self, row: &Row, path: &[RelationId]) {
        let Some(first) = path.first() else { return };
        let here = self.program[row.entity][*first].on.iter().map(|(here, _)| *here);
        let places = here.filter_map(|field| row.fields.get(field.0 as usize)?.clone());
        self.found.extend(places);
    }
}

impl Visitor for Needs<'_> {
    fn query(&mut self, query: &Query) {
        match &query.kind {
            QueryKind::Related { row, path } => {
                if let Some(row) = self.rows.get(row) {
                    self.first_of(row, path);
                }
            }
            QueryKind::Group { row } => {
                let group = self.rows.get(row).and_then(|row| row.group.as_ref());
                self.found.extend(group.into_iter().flat_map(|group| group.here.iter().cloned()));
            }
            _ => {}
        }
        walk_query(self, query);
    }

    fn expr(&mut self, expr: &Expr) {
        if let ExprKind::Column { row, path, column } = &expr.kind
            && let Some(row) = self.rows.get(row)
        {
            match column {
                _ if !path.is_empty() => self.first_of(row, path),
                ColumnRef::Field(field) => self.found.extend(row.fields.get(field.0 as usize).cloned().flatten()),
                ColumnRef::Added(name) => {
                    let place = row.added.iter().find(|(known, _)| known == name);
                    self.found.extend(place.map(|(_, place)| place.clone()));
                }
            }
        }
        walk_expr(self, expr);
    }
}

/// Whether a query, or expressions over its rows, divide by something that may be zero.
pub(super) fn divides(query: &Query, over: &[&Expr]) -> bool {
    let mut found = Divides(false);
    found.query(query);
    over.iter().for_each(|expr| found.expr(expr));
    found.0
}

struct Divides(bool);

impl Visitor for Divides {
    fn expr(&mut self, expr: &Expr) {
        if let ExprKind::Binary { op: BinaryOp::Divide, right, .. } = &expr.kind {
            self.0 |= looks_at_data(right);
        }
        walk_expr(self, expr);
    }
}

struct Found {
    column: bool,
    query: bool,
}

impl Visitor for Found {
    fn query(&mut self, _: &Query) {
        self.query = true;
    }

    fn expr(&mut self, expr: &Expr) {
        self.column |= matches!(expr.kind, ExprKind::Column { .. });
        walk_expr(self, expr);
    }
}
