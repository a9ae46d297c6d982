//! Conditions of which one takes whatever another would take, as far as that is plain from the text.

use rust_decimal::Decimal;

use super::super::expr::written;
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, Literal};

/// True if `earlier` holds wherever `later` does.
pub(super) fn covers(earlier: &Expr, later: &Expr) -> bool {
    let (earlier, later) = (bare(earlier), bare(later));
    if is_always(earlier) {
        return true;
    }
    if let (Some(first), Some(second)) = (written(earlier), written(later))
        && first == second
    {
        return true;
    }
    match (&earlier.kind, &later.kind) {
        (_, ExprKind::Binary { op: BinaryOp::And, left, right, .. }) => covers(earlier, left) || covers(earlier, right),
        (ExprKind::Binary { op: BinaryOp::Or, left, right, .. }, _) => covers(left, later) || covers(right, later),
        (ExprKind::Binary { op: BinaryOp::And, left, right, .. }, _) => covers(left, later) && covers(right, later),
        (
            ExprKind::Binary { op, left, right, .. },
            ExprKind::Binary { op: other_op, left: other_left, right: other_right, .. },
        ) => {
            same(left, other_left)
                && number(right)
                    .zip(number(other_right))
                    .is_some_and(|(bound, other)| wider((*op, bound), (*other_op, other)))
        }
        (ExprKind::In { negated: false, value, within }, _) => match (&within.kind, values_of(later, value)) {
            (ExprKind::List(items), Some(wanted)) => {
                let known: Vec<Option<String>> = items.iter().map(written).collect();
                wanted.iter().all(|value| value.is_some() && known.contains(value))
            }
            _ => false,
        },
        _ => false,
    }
}

/// `true`
pub(super) fn is_always(condition: &Expr) -> bool {
    matches!(bare(condition).kind, ExprKind::Literal(Literal::Bool(true)))
}

/// `false`
pub(super) fn is_never(condition: &Expr) -> bool {
    matches!(bare(condition).kind, ExprKind::Literal(Literal::Bool(false)))
}

fn bare(expr: &Expr) -> &Expr {
    match &expr.kind {
        ExprKind::Paren(inner) => bare(inner),
        _ => expr,
    }
}

fn same(left: &Expr, right: &Expr) -> bool {
    written(left).is_some_and(|text| written(right) == Some(text))
}

/// The values that a condition asks `of` for: `tier = "gold"`, `tier in ("gold", "silver")`.
fn values_of(condition: &Expr, of: &Expr) -> Option<Vec<Option<String>>> {
    match &condition.kind {
        ExprKind::Binary { op: BinaryOp::Equal, left, right, .. } if same(left, of) => Some(vec![written(right)]),
        ExprKind::In { negated: false, value, within } if same(value, of) => match &within.kind {
            ExprKind::List(items) => Some(items.iter().map(written).collect()),
            _ => None,
        },
        _ => None,
    }
}

fn number(expr: &Expr) -> Option<Decimal> {
    match &expr.kind {
        ExprKind::Literal(Literal::Int(value)) => Some((*value).into()),
        ExprKind::Literal(Literal::Decimal(value) | Literal::Percent(value)) => Some(*value),
        // Days are compared as numbers are.
        ExprKind::Literal(Literal::Date(day)) => {
            Some((i64::from(day.year()) * 10_000 + i64::from(day.month()) * 100 + i64::from(day.day())).into())
        }
        _ => None,
    }
}

/// True if all numbers beyond the second bound are beyond the first.
fn wider((op, bound): (BinaryOp, Decimal), (other_op, other): (BinaryOp, Decimal)) -> bool {
    use BinaryOp::{Equal, Greater, GreaterEqual, Less, LessEqual};
    match (op, other_op) {
        (Greater, Greater) | (GreaterEqual, Greater | GreaterEqual | Equal) => other >= bound,
        (Greater, GreaterEqual | Equal) => other > bound,
        (Less, Less) | (LessEqual, Less | LessEqual | Equal) => other <= bound,
        (Less, LessEqual | Equal) => other < bound,
        _ => false,
    }
}
