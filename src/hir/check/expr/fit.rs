//! What is there against what is needed.

use super::problem::{Advice, TypeProblem};
use super::slips::moment_as;
use super::{literal, node, poisoned, relate, written};
use crate::hir::check::Checker;
use crate::hir::{Expr, ExprKind, Ty, TyKind, Value};
use crate::syntax::ast;

impl Checker<'_> {
    /// Reports a value that does not fit where `wanted` is needed; literals take the wanted type.
    pub(crate) fn fit(&mut self, found: Expr, wanted: &Ty, expr: &ast::Expr) -> Expr {
        if let (ExprKind::Literal(Value::Date(date)), TyKind::Timestamp) = (&found.kind, &wanted.kind) {
            let midnight = date.at(0, 0, 0, 0);
            return node(ExprKind::LocalTimestamp(midnight), Ty::of(TyKind::Timestamp), found.span);
        }
        if !relate::fits(&found.ty.kind, &wanted.kind) {
            self.report_mismatch(&found, wanted, expr);
            return poisoned(found.span);
        }
        widened(found, wanted)
    }

    /// Reports that `found` is not what is needed.
    pub(crate) fn report_mismatch(&mut self, found: &Expr, wanted: &Ty, expr: &ast::Expr) {
        if found.ty.is_error() || wanted.is_error() {
            return;
        }
        let advice = self.conversion(found, &wanted.kind, expr);
        let (wanted, found_ty) = (wanted.kind.show(&self.program), found.ty.kind.show(&self.program));
        self.report(TypeProblem::Mismatch { wanted, found: found_ty, advice, span: found.span });
    }

    /// How to get a value of kind `wanted` from `found`.
    pub(crate) fn conversion(&self, found: &Expr, wanted: &TyKind, expr: &ast::Expr) -> Advice {
        use TyKind::*;
        if let ExprKind::Literal(value) = &found.kind
            && let Some(replacement) = respelled(value, wanted).or_else(|| moment_as(value, &Ty::of(wanted.clone())))
        {
            return Advice::write(replacement, expr.span);
        }
        // A text that says no number or moment does not become one.
        if let (ExprKind::Literal(Value::Text(_)), false) = (&found.kind, wanted.is_text()) {
            return match wanted {
                Date | Timestamp => Advice::say("write a date such as `2026-11-30`, or `ago(7d)` for a time ago"),
                Int | Decimal | Float | Percent => Advice::say("write a number, without quotes"),
                Bool => Advice::say("write a condition, or `true` or `false`"),
                _ => Advice::None,
            };
        }
        let Some(text) = written(expr) else { return Advice::None };
        let call = |function: &str| Advice::write(format!("{function}({text})"), expr.span);
        match (&found.ty.kind, wanted) {
            (Date, Timestamp) => call("timestamp"),
            (Timestamp, Date) => call("date"),
            (Timestamp, Time) => call("time"),
            (Weekday, Int) => Advice::say("`weekday_number(...)` gives the number of a day, 1 for Monday"),
            (Duration, Date | Timestamp) => {
                Advice::write_to(format!("ago({text})"), expr.span, "for that long before now")
            }
            (Int | Decimal, Rate) => Advice::write(format!("{text} per second"), expr.span),
            (found, Int) if found.is_number() => call("round"),
            (Date | Timestamp, Weekday) => call("weekday"),
            (Email, Phone) | (Phone, Email) => Advice::say("name a field that holds such an address"),
            (found, kind) if found.is_text() => match kind {
                Int => call("to_int"),
                Decimal => call("to_decimal"),
                Float => call("to_float"),
                Bool => call("to_bool"),
                Date => call("to_date"),
                Time => call("to_time"),
                Timestamp => call("to_timestamp"),
                Email => call("to_email"),
                Phone => call("to_phone"),
                _ => Advice::None,
            },
            (found, Text) if relate::is_printable(found) => call("to_text"),
            (found, Bool) if found.is_number() => Advice::say(format!("compare it, for example `{text} > 0`")),
            (Int, Duration) => Advice::say("a duration has a unit: `2d`, `3h`, or `days(n)` for a computed number"),
            _ => Advice::None,
        }
    }
}

/// A literal of a wider type, a null of the wanted type, a list with typed elements.
fn widened(found: Expr, wanted: &Ty) -> Expr {
    let Expr { kind, ty, span } = found;
    match (kind, &wanted.kind) {
        (ExprKind::Literal(Value::Int(value)), TyKind::Decimal) => {
            literal(Value::Decimal(value.into()), TyKind::Decimal, span)
        }
        (ExprKind::Literal(Value::Int(value)), TyKind::Float) => {
            literal(Value::Float(value as f64), TyKind::Float, span)
        }
        (ExprKind::Literal(Value::Null), _) => node(ExprKind::Literal(Value::Null), wanted.clone().or_null(), span),
        (ExprKind::List(items), TyKind::List(element)) => {
            let items: Vec<Expr> = items.into_iter().map(|item| widened(item, element)).collect();
            let nullable = items.iter().any(|item| item.ty.nullable);
            let element = Ty { nullable, ..(**element).clone() };
            node(ExprKind::List(items), Ty::of(TyKind::List(Box::new(element))), span)
        }
        (kind, _) => node(kind, ty, span),
    }
}

/// A literal as it would be written if it were of kind `wanted`.
pub(crate) fn respelled(value: &Value, wanted: &TyKind) -> Option<String> {
    match (value, wanted) {
        (Value::Text(text), wanted) => text_as(text.trim(), wanted),
        (Value::Int(number), TyKind::Text) => Some(format!("\"{number}\"")),
        (Value::Int(hour), TyKind::Time) if (0..24).contains(hour) => Some(format!("{hour:02}:00")),
        (Value::Int(0), TyKind::Bool) => Some("false".to_owned()),
        (Value::Int(1), TyKind::Bool) => Some("true".to_owned()),
        (Value::Int(days), TyKind::Duration) if *days > 0 => Some(format!("{days}d")),
        (Value::Decimal(share), TyKind::Percent) => {
            Some(format!("{}%", (share * rust_decimal::Decimal::ONE_HUNDRED).normalize()))
        }
        _ => None,
    }
}

/// The text without quotes, if that makes it a literal of the wanted kind.
fn text_as(text: &str, wanted: &TyKind) -> Option<String> {
    let fits = match wanted {
        TyKind::Int => text.parse::<i64>().is_ok(),
        TyKind::Decimal | TyKind::Float => text.parse::<rust_decimal::Decimal>().is_ok(),
        TyKind::Bool => match text.to_lowercase().as_str() {
            "true" | "yes" | "y" | "on" | "1" | "ja" | "oui" => return Some("true".to_owned()),
            "false" | "no" | "n" | "off" | "0" | "nein" | "non" => return Some("false".to_owned()),
            _ => false,
        },
        TyKind::Date => text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
        TyKind::Time => text.parse::<jiff::civil::Time>().is_ok(),
        TyKind::Timestamp => text.parse::<jiff::Timestamp>().is_ok() || text.parse::<jiff::civil::DateTime>().is_ok(),
        _ => false,
    };
    fits.then(|| text.replace(' ', "T"))
}
