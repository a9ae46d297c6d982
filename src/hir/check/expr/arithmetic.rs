//! `+`, `-`, `*`, `/`.
//!
//! Numbers widen to the wider of both; `/` of whole numbers is a decimal. A duration
//! is added to a date or a timestamp; the difference of two dates, or of two timestamps, is a duration.

use super::compare::binary_node;
use super::problem::{Advice, TypeProblem};
use super::text::sign;
use super::{Hint, node, relate, written};
use crate::base::Span;
use crate::hir::check::{Checker, Scope};
use crate::hir::{BinaryOp, Expr, ExprKind, Ty, TyKind, Value};
use crate::syntax::ast;

impl Checker<'_> {
    /// An operation on numbers, dates and durations.
    pub(crate) fn arithmetic(
        &mut self,
        expr: &ast::Expr,
        op: BinaryOp,
        sides: [&ast::Expr; 2],
        scope: &Scope,
        hint: Option<Hint>,
    ) -> Expr {
        if op == BinaryOp::Add
            && let Some(parts) = text_chain(expr)
        {
            return self.texts_added(expr, &parts, scope);
        }
        // `ago(3d) - 2h` beside a date: the hint is for the left operand.
        let left = self.infer(sides[0], scope, hint.filter(|hint| is_moment(&hint.ty.kind)));
        let right = self.infer(sides[1], scope, None);
        let span = expr.span;
        let nullable = left.ty.nullable || right.ty.nullable;
        if left.ty.is_error() || right.ty.is_error() {
            return node(ExprKind::Error, Ty::error(), span);
        }
        let Some(kind) = result(op, &left.ty.kind, &right.ty.kind) else {
            self.report_arithmetic(op, [&left, &right], sides, span);
            return node(ExprKind::Error, Ty::error(), span);
        };
        if let (TyKind::Date, ExprKind::Literal(Value::Duration(length))) = (&left.ty.kind, &right.kind)
            && length.seconds != 0
        {
            let advice = match (written(sides[0]), written(sides[1])) {
                (Some(date), Some(length)) => Advice::write(format!("timestamp({date}) {} {length}", sign(op)), span),
                _ => Advice::say("make it a timestamp first: `timestamp(...)`"),
            };
            self.bad_operand(sign(op), &[&left], &right, advice);
        }
        if op == BinaryOp::Divide && is_zero(&right) {
            self.report(TypeProblem::DivisionByZero { span: right.span });
        }
        binary_node(op, left, right, Ty { kind, nullable }, span)
    }

    /// `-x`
    pub(crate) fn negate(&mut self, operand: &ast::Expr, span: Span, scope: &Scope) -> Expr {
        let value = self.infer(operand, scope, None);
        let ty = value.ty.clone();
        if !ty.is_error() && !ty.kind.is_number() && ty.kind != TyKind::Duration {
            self.bad_operand("-", &[], &value, Advice::None);
            return node(ExprKind::Error, Ty::error(), span);
        }
        // A negative number is a literal like any other.
        match value.kind {
            ExprKind::Literal(Value::Int(number)) => node(ExprKind::Literal(Value::Int(-number)), ty, span),
            ExprKind::Literal(Value::Decimal(number)) => node(ExprKind::Literal(Value::Decimal(-number)), ty, span),
            ExprKind::Literal(Value::Float(number)) => node(ExprKind::Literal(Value::Float(-number)), ty, span),
            kind => node(ExprKind::Neg(Box::new(Expr { kind, ..value })), ty, span),
        }
    }

    /// Texts are put together in a string, not with `+`.
    fn texts_added(&mut self, expr: &ast::Expr, parts: &[&ast::Expr], scope: &Scope) -> Expr {
        let values: Vec<Expr> = parts.iter().map(|part| self.infer(part, scope, None)).collect();
        if values.iter().all(|value| !value.ty.is_error()) {
            let texts: Option<Vec<String>> = parts.iter().map(|part| written(part)).collect();
            let advice = match texts {
                Some(texts) => {
                    let template: String = texts.iter().map(|text| hole(text)).collect();
                    Advice::write(format!("\"{template}\""), expr.span)
                }
                None => Advice::say("put them into one string: `\"{first_name} {last_name}\"`"),
            };
            // That one of them is an enumeration is of no interest here.
            let as_text = |value: &Expr| match value.ty.kind.is_text() {
                true => Expr { ty: Ty::of(TyKind::Text), ..value.clone() },
                false => value.clone(),
            };
            let values: Vec<Expr> = values.iter().map(as_text).collect();
            if let Some((last, before)) = values.split_last() {
                self.bad_operand("+", &before.iter().collect::<Vec<_>>(), last, advice);
            }
        }
        node(ExprKind::Error, Ty::of(TyKind::Text), expr.span)
    }

    fn report_arithmetic(&mut self, op: BinaryOp, values: [&Expr; 2], sides: [&ast::Expr; 2], span: Span) {
        let [left, right] = values;
        let texts = (written(sides[0]), written(sides[1]));
        let advice = match (&left.ty.kind, &right.ty.kind, texts) {
            (moment, TyKind::Int, (_, Some(number))) if is_moment(moment) => {
                let number = if right.kind_is_literal() { format!("{number}d") } else { format!("days({number})") };
                Advice::write_to(number, sides[1].span, "for days")
            }
            (left, right, (Some(first), Some(second)))
                if op == BinaryOp::Add && (left.is_text() || right.is_text()) =>
            {
                Advice::write(format!("\"{}{}\"", hole(&first), hole(&second)), span)
            }
            (TyKind::Date, TyKind::Timestamp, (_, Some(instant))) => {
                Advice::write_to(format!("date({instant})"), sides[1].span, "to count in days")
            }
            (TyKind::Timestamp, TyKind::Date, (Some(instant), _)) => {
                Advice::write_to(format!("date({instant})"), sides[0].span, "to count in days")
            }
            _ => Advice::None,
        };
        self.bad_operand(sign(op), &[left], right, advice);
    }
}

/// The operands of a chain of `+` with a literal text among them.
fn text_chain(expr: &ast::Expr) -> Option<Vec<&ast::Expr>> {
    let mut parts = Vec::new();
    let mut rest = expr;
    while let ast::ExprKind::Binary { op: BinaryOp::Add, left, right, .. } = &rest.kind {
        parts.push(&**right);
        rest = left;
    }
    parts.push(rest);
    parts.reverse();
    let is_text = |part: &&ast::Expr| {
        matches!(part.kind, ast::ExprKind::Template(_) | ast::ExprKind::Literal(ast::Literal::Text(_)))
    };
    parts.iter().any(is_text).then_some(parts)
}

/// A piece of a template that stands for an expression.
fn hole(text: &str) -> String {
    match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) => plain.to_owned(),
        None => format!("{{{text}}}"),
    }
}

fn is_moment(kind: &TyKind) -> bool {
    matches!(kind, TyKind::Date | TyKind::Timestamp)
}

/// What an operation on operands of these kinds gives.
fn result(op: BinaryOp, left: &TyKind, right: &TyKind) -> Option<TyKind> {
    use BinaryOp::{Add, Divide, Multiply, Subtract};
    use TyKind::*;
    Some(match (op, left, right) {
        (_, Null, other) | (_, other, Null) => other.clone(),
        (Divide, left, right) if left.is_number() && right.is_number() => match relate::widest(left, right) {
            Float => Float,
            _ => Decimal,
        },
        (Multiply, Percent, Percent) => Decimal,
        (_, left, right) if left.is_number() && right.is_number() => relate::widest(left, right),
        (Add | Subtract, Duration, Duration) => Duration,
        (Multiply, Duration, Int) | (Multiply, Int, Duration) => Duration,
        (Add | Subtract, moment, Duration) if is_moment(moment) => moment.clone(),
        (Add, Duration, moment) if is_moment(moment) => moment.clone(),
        (Subtract, Date, Date) | (Subtract, Timestamp, Timestamp) | (Subtract, Time, Time) => Duration,
        _ => return None,
    })
}

/// A literal zero.
fn is_zero(divisor: &Expr) -> bool {
    match &divisor.kind {
        ExprKind::Literal(Value::Int(number)) => *number == 0,
        ExprKind::Literal(Value::Decimal(number)) => number.is_zero(),
        ExprKind::Literal(Value::Float(number)) => *number == 0.0,
        _ => false,
    }
}

impl Expr {
    fn kind_is_literal(&self) -> bool {
        matches!(self.kind, ExprKind::Literal(_))
    }
}
