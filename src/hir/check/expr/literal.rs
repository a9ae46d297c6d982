//! Literals, whose meaning depends on what they stand beside.

use jiff::tz::TimeZoneDatabase;

use super::problem::{About, TypeProblem};
use super::{Hint, literal, node, relate};
use crate::base::Span;
use crate::hir::check::Checker;
use crate::hir::{Expr, ExprKind, Ty, TyKind, Value};
use crate::syntax::ast::{self, Literal};

impl Checker<'_> {
    /// A literal beside something of the hinted type.
    pub(crate) fn literal(&mut self, written: &Literal, span: Span, hint: Option<Hint>) -> Expr {
        let (value, kind) = match written {
            Literal::Null => {
                return node(ExprKind::Literal(Value::Null), Ty::of(TyKind::Null).or_null(), span);
            }
            Literal::Text(text) => return self.text_literal(text, span, hint),
            Literal::LocalTimestamp(moment) => {
                return node(ExprKind::LocalTimestamp(*moment), Ty::of(TyKind::Timestamp), span);
            }
            Literal::Bool(value) => (Value::Bool(*value), TyKind::Bool),
            Literal::Int(value) => (Value::Int(*value), TyKind::Int),
            Literal::Decimal(value) => (Value::Decimal(*value), TyKind::Decimal),
            Literal::Float(value) => (Value::Float(*value), TyKind::Float),
            Literal::Percent(share) => (Value::Decimal(*share), TyKind::Percent),
            Literal::Duration(value) => (Value::Duration(*value), TyKind::Duration),
            Literal::Date(value) => (Value::Date(*value), TyKind::Date),
            Literal::Time(value) => (Value::Time(*value), TyKind::Time),
            Literal::Timestamp(value) => (Value::Timestamp(*value), TyKind::Timestamp),
        };
        literal(value, kind, span)
    }

    fn text_literal(&mut self, text: &str, span: Span, hint: Option<Hint>) -> Expr {
        let value = Value::Text(text.to_owned());
        let Some(hint) = hint else { return literal(value, TyKind::Text, span) };
        let kind = hint.ty.kind.clone();
        if !hint.strict && !self.is_value(text, &kind) {
            return literal(value, TyKind::Text, span);
        }
        match &kind {
            TyKind::Enumeration(values) if !self.is_value(text, &kind) => {
                let noun = hint.about.and_then(|about| about.name.clone());
                let noun = noun.unwrap_or_else(|| "value of this enumeration".to_owned());
                self.unknown_value(text, noun, values.to_vec(), hint, span);
            }
            TyKind::Topic if !self.is_value(text, &kind) => {
                let known = self.program.topics.iter().map(|topic| topic.name.clone()).collect();
                self.unknown_value(text, "topic".to_owned(), known, hint, span);
            }
            TyKind::Timezone if !self.is_value(text, &kind) => {
                let known = TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect();
                self.unknown_value(text, "timezone".to_owned(), known, hint, span);
            }
            TyKind::Weekday => {
                if let Some(number) = weekday(text) {
                    return literal(Value::Int(number), kind, span);
                }
                return literal(value, TyKind::Text, span);
            }
            kind if !kind.is_text() => return literal(value, TyKind::Text, span),
            _ => {}
        }
        literal(value, kind, span)
    }

    /// Whether a text is a value of a type that knows its values.
    fn is_value(&self, text: &str, kind: &TyKind) -> bool {
        match kind {
            TyKind::Enumeration(values) => values.iter().any(|known| known == text),
            TyKind::Topic => self.program.topics.iter().any(|topic| topic.name == text),
            TyKind::Timezone => TimeZoneDatabase::bundled().get(text).is_ok(),
            _ => true,
        }
    }

    fn unknown_value(&mut self, written: &str, noun: String, values: Vec<String>, hint: Hint, span: Span) {
        let about = hint.about.cloned().unwrap_or_default();
        // The values themselves say enough where the declaration is not at hand.
        let about = if relate::values(&hint.ty.kind).is_some() { about } else { About::default() };
        self.report(TypeProblem::UnknownValue { written: written.to_owned(), noun, values, about, span });
    }
}

/// The type of a literal number.
pub(crate) fn number(expr: &ast::Expr) -> Option<Ty> {
    match &expr.kind {
        ast::ExprKind::Literal(Literal::Int(_)) => Some(Ty::of(TyKind::Int)),
        ast::ExprKind::Literal(Literal::Decimal(_)) => Some(Ty::of(TyKind::Decimal)),
        _ => None,
    }
}

/// The days of the week.
pub(crate) const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// 1 for `monday` to 7 for `sunday`.
pub(crate) fn weekday(name: &str) -> Option<i64> {
    DAYS.iter().position(|day| *day == name).map(|at| at as i64 + 1)
}
