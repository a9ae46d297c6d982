//! Constants: literals and simple arithmetic on them.

use jiff::tz::TimeZone;

use super::problem::TypeProblem;
use crate::diag::Severity;
use crate::hir::check::{Checker, Scope};
use crate::hir::{BinaryOp, Expr, ExprKind, TemplatePart, Ty, TyKind, Value};
use crate::syntax::ast::{self, Duration};

impl Checker<'_> {
    /// A constant of the expected type: a literal, or simple arithmetic on literals. `None` when it was reported. A
    /// null is a constant of every type; whether it may stand here is the caller's business.
    pub fn constant(&mut self, expr: &ast::Expr, expected: &Ty) -> Option<Value> {
        let before = self.problems.count(Severity::Error);
        let checked = self.expr(expr, &Scope::default(), Some(expected));
        if checked.ty.is_error() || self.problems.count(Severity::Error) > before {
            return None;
        }
        let zone = self.environment.timezone.as_deref();
        let folded = fold(&checked, zone);
        if folded.is_none() {
            self.report(TypeProblem::NotConstant { span: expr.span });
        }
        folded.map(|value| converted(value, &expected.kind))
    }
}

/// The value of an expression that depends on nothing but the project's zone, which is UTC unless named.
fn fold(expr: &Expr, zone: Option<&str>) -> Option<Value> {
    let fold = |expr: &Expr| fold(expr, zone);
    match &expr.kind {
        ExprKind::Literal(value) => Some(value.clone()),
        ExprKind::LocalTimestamp(civil) => {
            let zone = zone.and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
            crate::base::civil::instant(*civil, &zone).map(Value::Timestamp)
        }
        ExprKind::List(items) => items.iter().map(fold).collect::<Option<Vec<_>>>().map(Value::List),
        ExprKind::Template(parts) => parts.iter().map(fold_part).collect::<Option<String>>().map(Value::Text),
        ExprKind::Neg(operand) => fold_negative(fold(operand)?),
        ExprKind::Not(operand) => match fold(operand)? {
            Value::Bool(value) => Some(Value::Bool(!value)),
            _ => None,
        },
        ExprKind::Binary { op, left, right } => fold_binary(*op, fold(left)?, fold(right)?),
        _ => None,
    }
}

fn fold_part(part: &TemplatePart) -> Option<String> {
    match part {
        TemplatePart::Text(text) => Some(text.clone()),
        TemplatePart::Hole(_) => None,
    }
}

fn fold_negative(value: Value) -> Option<Value> {
    Some(match value {
        Value::Int(number) => Value::Int(number.checked_neg()?),
        Value::Decimal(number) => Value::Decimal(-number),
        Value::Float(number) => Value::Float(-number),
        Value::Duration(length) => {
            Value::Duration(Duration { months: -length.months, days: -length.days, seconds: -length.seconds })
        }
        _ => return None,
    })
}

fn fold_binary(op: BinaryOp, left: Value, right: Value) -> Option<Value> {
    use BinaryOp::{Add, Multiply, Subtract};
    Some(match (op, left, right) {
        (Add, Value::Int(a), Value::Int(b)) => Value::Int(a.checked_add(b)?),
        (Subtract, Value::Int(a), Value::Int(b)) => Value::Int(a.checked_sub(b)?),
        (Multiply, Value::Int(a), Value::Int(b)) => Value::Int(a.checked_mul(b)?),
        (Add, Value::Duration(a), Value::Duration(b)) => Value::Duration(Duration {
            months: a.months.checked_add(b.months)?,
            days: a.days.checked_add(b.days)?,
            seconds: a.seconds.checked_add(b.seconds)?,
        }),
        (op, a, b) => {
            let (a, b) = (decimal(&a)?, decimal(&b)?);
            Value::Decimal(match op {
                Add => a.checked_add(b)?,
                Subtract => a.checked_sub(b)?,
                Multiply => a.checked_mul(b)?,
                // As at run time: six more digits, half to even.
                BinaryOp::Divide => a.checked_div(b)?.round_dp(a.scale().max(b.scale()) + 6).normalize(),
                _ => return None,
            })
        }
    })
}

fn decimal(value: &Value) -> Option<rust_decimal::Decimal> {
    match value {
        Value::Int(number) => Some((*number).into()),
        Value::Decimal(number) => Some(*number),
        _ => None,
    }
}

/// A computed whole number where a decimal or a float is expected.
fn converted(value: Value, kind: &TyKind) -> Value {
    match (value, kind) {
        (Value::Int(number), TyKind::Decimal) => Value::Decimal(number.into()),
        (Value::Int(number), TyKind::Float) => Value::Float(number as f64),
        (Value::Decimal(number), TyKind::Float) => {
            Value::Float(rust_decimal::prelude::ToPrimitive::to_f64(&number).unwrap_or(f64::NAN))
        }
        (value, _) => value,
    }
}
