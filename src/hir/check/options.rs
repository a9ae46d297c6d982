//! `{ name: value }` and `(name: value)` with known names.

use super::super::problem::NameProblem;
use super::super::{Ty, TyKind, Value};
use super::Checker;
use crate::base::Span;
use crate::syntax::ast;

/// An option that takes a constant.
pub(super) struct OptionSpec {
    pub name: &'static str,
    pub kind: OptionKind,
}

/// What an option may be.
pub(super) enum OptionKind {
    Constant(TyKind),
    /// A list of constants.
    Constants(TyKind),
    /// Not a constant: somebody else looks at it.
    Elsewhere,
    /// One of these words, written bare or as a string.
    Word(&'static [&'static str]),
    /// A field's name, written bare or as a string.
    Name,
    /// A list of field names, written bare or as strings.
    Names,
}

impl Checker<'_> {
    /// Reports unknown and repeated names; returns the items that are left.
    pub(super) fn known_items<'r>(
        &mut self,
        record: &'r ast::Record,
        of: &str,
        known: &[&'static str],
    ) -> Vec<&'r ast::RecordItem> {
        let mut seen: Vec<&'r ast::RecordItem> = Vec::new();
        for item in &record.items {
            if let Some(first) = seen.iter().find(|earlier| earlier.name.text == item.name.text) {
                let (name, span, first) = (item.name.text.clone(), item.name.span, first.name.span);
                self.report(NameProblem::RepeatedOption { name, span, first });
            } else if known.contains(&item.name.text.as_str()) {
                seen.push(item);
            } else {
                let (name, of, known) = (item.name.clone(), of.to_owned(), known.to_vec());
                self.report(NameProblem::UnknownOption { name, of, known });
            }
        }
        seen
    }

    /// Options that are constants, checked for name and type.
    pub(super) fn constant_options(
        &mut self,
        record: Option<&ast::Record>,
        of: &str,
        specs: &[OptionSpec],
    ) -> Vec<(String, Value)> {
        let Some(record) = record else { return Vec::new() };
        let known: Vec<&'static str> = specs.iter().map(|spec| spec.name).collect();
        let items = self.known_items(record, of, &known);
        let mut options = Vec::new();
        for item in items {
            let Some(spec) = specs.iter().find(|spec| spec.name == item.name.text) else { continue };
            if let Some(value) = self.constant_option(item, spec) {
                options.push((item.name.text.clone(), value));
            }
        }
        options
    }

    fn constant_option(&mut self, item: &ast::RecordItem, spec: &OptionSpec) -> Option<Value> {
        if matches!(spec.kind, OptionKind::Elsewhere) {
            return None;
        }
        let value = self.plain_value(item)?;
        match &spec.kind {
            OptionKind::Elsewhere => None,
            OptionKind::Constant(kind) => self.constant(value, &Ty::of(kind.clone())),
            OptionKind::Constants(kind) => self.constant(value, &Ty::of(TyKind::List(Box::new(Ty::of(kind.clone()))))),
            OptionKind::Word(words) => match word(value) {
                Some(word) if words.contains(&word) => Some(Value::Text(word.to_owned())),
                _ => {
                    self.wrong_option(&item.name.text, super::super::problem::one_of(words), value.span);
                    None
                }
            },
            OptionKind::Name => {
                let name = word(value);
                if name.is_none() {
                    self.wrong_option(&item.name.text, "the name of a field", value.span);
                }
                name.map(|name| Value::Text(name.to_owned()))
            }
            OptionKind::Names => {
                let names = names(value);
                if names.is_none() {
                    self.wrong_option(&item.name.text, "a list of names: `[id, email]`", value.span);
                }
                names.map(|names| Value::List(names.into_iter().map(Value::Text).collect()))
            }
        }
    }

    /// The expression after the colon; a window or a local time is reported.
    pub(super) fn plain_value<'r>(&mut self, item: &'r ast::RecordItem) -> Option<&'r ast::Expr> {
        match &item.value {
            ast::RecordValue::Expr(value) => Some(value),
            ast::RecordValue::LocalTime(time) => {
                self.wrong_option(&item.name.text, "a value without `local`", time.span);
                None
            }
            ast::RecordValue::Window(window) => {
                self.wrong_option(&item.name.text, "a value, not a span of time", window.span);
                None
            }
        }
    }

    /// Reports a value that the option cannot have.
    pub(super) fn wrong_option(&mut self, name: &str, expected: impl Into<String>, span: Span) {
        self.report(NameProblem::WrongOption { name: name.to_owned(), expected: expected.into(), span });
    }
}

/// A bare name or a string.
pub(super) fn word(value: &ast::Expr) -> Option<&str> {
    match &value.kind {
        ast::ExprKind::Name(name) => Some(&name.text),
        ast::ExprKind::Literal(ast::Literal::Text(text)) => Some(text),
        ast::ExprKind::Literal(ast::Literal::Null) => Some("null"),
        _ => None,
    }
}

/// A list of bare names or strings.
fn names(value: &ast::Expr) -> Option<Vec<String>> {
    match &value.kind {
        ast::ExprKind::List(items) => items.iter().map(|item| word(item).map(str::to_owned)).collect(),
        _ => None,
    }
}
