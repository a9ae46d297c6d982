//! Lints of null where three-valued logic surprises: under `not`, into `otherwise`, in a key of `dedupe`.

use super::lints_expr::ExprLint;
use super::{Checker, Scope};
use crate::hir::problem::ValueLint;
use crate::hir::{
    Arm, ArmKind, BinaryOp, ColumnRef, EntityId, Expr, ExprKind, Query, QueryKind, RelationId, RowId, SetOp,
};
use crate::syntax::ast;

/// A column of a row, whichever row that is.
pub(super) type Column = (Vec<RelationId>, ColumnRef);

impl Checker<'_> {
    /// Rows that are in neither side of a `not`.
    pub(super) fn lint_null_under_not(&mut self, expr: &ast::Expr, operand: &Expr, scope: &Scope) {
        if !self.calls.is_empty() {
            return;
        }
        for column in nullable_columns(operand) {
            let Some((name, rows)) = self.column_name(column, scope) else { continue };
            if self.null_tested.contains(&name) {
                continue;
            }
            let ty = column.ty.show(&self.program);
            let whole = super::expr::written(expr);
            let span = expr.span;
            return self.report(ExprLint::LostNulls { rows, name, ty, whole, operator: "not", span });
        }
    }

    /// A column as it would be written, and what its rows are called.
    fn column_name(&self, column: &Expr, scope: &Scope) -> Option<(String, String)> {
        let ExprKind::Column { row, path, column } = &column.kind else { return None };
        let row = scope.rows.iter().rev().find(|known| known.row == *row)?;
        let path = path.get(row.path.len()..)?;
        let name = self.path_name(row.entity, path, column)?;
        Some((name, self.entity_name(row.entity).to_owned()))
    }

    fn path_name(&self, from: EntityId, path: &[RelationId], column: &ColumnRef) -> Option<String> {
        let mut entity = self.known_entity(from)?;
        let mut name = String::new();
        for relation in path {
            let relation = &entity[*relation];
            name += &format!("{}.", super::expr::quoted_name(&relation.name));
            entity = self.known_entity(relation.target)?;
        }
        Some(match column {
            ColumnRef::Field(field) => name + &super::expr::quoted_name(&entity[*field].name),
            ColumnRef::Added(added) => name + &super::expr::quoted_name(added),
        })
    }

    /// True for `customer.country` where each order names a customer: it is null only if that row is missing.
    fn is_null_of_orphans_only(&self, from: EntityId, path: &[RelationId], column: &ColumnRef) -> bool {
        let (Some(mut entity), false) = (self.known_entity(from), path.is_empty()) else { return false };
        for relation in path {
            let relation = &entity[*relation];
            if relation.on.iter().any(|(here, _)| entity[*here].ty.nullable) {
                return false;
            }
            let Some(next) = self.known_entity(relation.target) else { return false };
            entity = next;
        }
        matches!(column, ColumnRef::Field(field) if !entity[*field].ty.nullable)
    }

    /// Rows for which no condition of a split holds, because what it looks at is null.
    pub(super) fn lint_null_into_otherwise(
        &mut self,
        written: &ast::Split,
        arms: &[Arm],
        (of_row, entity): (RowId, EntityId),
    ) {
        let rest = written.arms.iter().find(|arm| matches!(arm.kind, ast::ArmKind::Otherwise));
        let (Some(rest), true) = (rest, self.calls.is_empty()) else { return };
        let predicates: Vec<&Expr> = arms.iter().filter_map(predicate).collect();
        let tested: Vec<Column> = predicates.iter().flat_map(|predicate| tested_columns(predicate)).collect();
        for predicate in predicates {
            let lost = nullable_columns(predicate).into_iter().find_map(|column| {
                let ExprKind::Column { row, path, column } = &column.kind else { return None };
                if *row != of_row {
                    return None;
                }
                let known = (path.clone(), column.clone());
                let is_sure = tested.contains(&known) || self.is_null_of_orphans_only(entity, path, column);
                if is_sure { None } else { self.path_name(entity, path, column) }
            });
            if let Some(name) = lost {
                let (rows, otherwise) = (self.entity_name(entity).to_owned(), rest.name.text.clone());
                return self.report(ValueLint::NullIntoOtherwise { rows, name, otherwise, span: predicate.span });
            }
        }
    }

    /// Keys of `dedupe` that may be null, unless the rows before were asked for a value.
    pub(super) fn lint_null_keys(&mut self, by: &[Expr], input: &Query, of_row: RowId) {
        if !self.calls.is_empty() {
            return;
        }
        let proven = self.proven(input);
        for key in by {
            let lost = nullable_columns(key).into_iter().find_map(|column| {
                let ExprKind::Column { row, path, column } = &column.kind else { return None };
                if *row != of_row {
                    return None;
                }
                let known = (path.clone(), column.clone());
                let of = input.ty.entity;
                let is_sure = proven.contains(&known) || self.is_null_of_orphans_only(of, path, column);
                if is_sure { None } else { self.path_name(of, path, column) }
            });
            if let Some(name) = lost {
                let rows = self.entity_name(input.ty.entity).to_owned();
                self.report(ValueLint::NullKey { rows, name, span: key.span });
            }
        }
    }

    /// Columns that are not null in any row of a population.
    pub(super) fn proven(&self, query: &Query) -> Vec<Column> {
        match &query.kind {
            QueryKind::Where { input, predicate, .. } => {
                let mut columns = self.proven(input);
                proven_by(predicate, &mut columns);
                columns
            }
            QueryKind::SetOp { op: SetOp::Intersect, left, right, .. } => {
                let mut columns = self.proven(left);
                columns.extend(self.proven(right));
                columns
            }
            QueryKind::SetOp { op: SetOp::Union, left, right, .. } => {
                let right = self.proven(right);
                self.proven(left).into_iter().filter(|column| right.contains(column)).collect()
            }
            QueryKind::Local(local) => self.not_null.get(local).cloned().unwrap_or_default(),
            _ => match query.input() {
                Some(input) if input.ty.entity == query.ty.entity => self.proven(input),
                _ => Vec::new(),
            },
        }
    }
}

fn predicate(arm: &Arm) -> Option<&Expr> {
    match &arm.kind {
        ArmKind::Rows { predicate, .. } => predicate.as_ref(),
        _ => None,
    }
}

/// The columns of which a null makes the value null.
fn nullable_columns(expr: &Expr) -> Vec<&Expr> {
    use ExprKind::{Between, Binary, Call, Column, If, In, InQuery, Neg, Not};
    if !expr.ty.nullable || expr.ty.is_error() {
        return Vec::new();
    }
    let parts: Vec<&Expr> = match &expr.kind {
        Column { .. } => return vec![expr],
        Binary { op: BinaryOp::Coalesce, .. } => Vec::new(),
        Binary { left, right, .. } => vec![left, right],
        Not(inner) | Neg(inner) => vec![inner],
        In { value, .. } | InQuery { value, .. } => vec![value],
        Between { value, low, high, .. } => vec![value, low, high],
        If { then, otherwise, .. } => vec![then, otherwise],
        Call { args, .. } => args.iter().collect(),
        _ => Vec::new(),
    };
    parts.into_iter().flat_map(nullable_columns).collect()
}

/// Columns that a condition tests for null anywhere.
fn tested_columns(condition: &Expr) -> Vec<Column> {
    match &condition.kind {
        ExprKind::Binary { left, right, .. } => {
            let mut columns = tested_columns(left);
            columns.extend(tested_columns(right));
            columns
        }
        ExprKind::Not(inner) => tested_columns(inner),
        ExprKind::IsNull { value, .. } | ExprKind::IsEmpty { value, .. } => {
            nullable_columns(value).into_iter().filter_map(reference).collect()
        }
        _ => Vec::new(),
    }
}

/// Columns that have a value where a condition holds.
fn proven_by(condition: &Expr, columns: &mut Vec<Column>) {
    match &condition.kind {
        ExprKind::Binary { op: BinaryOp::And, left, right } => {
            proven_by(left, columns);
            proven_by(right, columns);
        }
        ExprKind::Binary { op: BinaryOp::Or, .. } | ExprKind::If { .. } => {}
        ExprKind::IsNull { negated: true, value } | ExprKind::IsEmpty { negated: true, value } => {
            columns.extend(nullable_columns(value).into_iter().filter_map(reference));
        }
        // A condition on something unknown does not hold.
        ExprKind::Not(inner) if !matches!(inner.kind, ExprKind::Binary { op: BinaryOp::And | BinaryOp::Or, .. }) => {
            proven_by(inner, columns);
        }
        _ => columns.extend(nullable_columns(condition).into_iter().filter_map(reference)),
    }
}

fn reference(column: &Expr) -> Option<Column> {
    match &column.kind {
        ExprKind::Column { path, column, .. } => Some((path.clone(), column.clone())),
        _ => None,
    }
}
