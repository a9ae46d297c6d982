//! Placeholders of other template languages in a text, where they are plain characters.

use super::{Checker, Scope};
use crate::base::{Span, did_you_mean};
use crate::hir::problem::ValueLint;
use crate::syntax::ast;

/// How other languages mark a value: what opens it, what closes it, and whether every name in it is suspicious, or
/// only the names of fields.
const MARKS: [(&str, &str, bool); 5] =
    [("{", "}", true), ("<%", "%>", true), ("*|", "|*", true), ("[[", "]]", true), ("%", "%", false)];

impl Checker<'_> {
    /// Warns of them in a message's text. `scope` has the row that the message is about.
    pub(super) fn lint_holes_of_message(&mut self, text: &str, span: Span, scope: &Scope) {
        for (opening, closing, any) in MARKS {
            if opening == "%" && text.contains("<%") {
                continue;
            }
            for (written, name) in marked(text, opening, closing) {
                let known = self.nearest_in(&name, scope);
                if known.is_some() || any {
                    let lint = if opening == "{" && known.as_deref() == Some(name.as_str()) {
                        ValueLint::DoubleBraces { name, span }
                    } else {
                        ValueLint::ForeignHole { written, name: known, span }
                    };
                    self.report(lint);
                }
            }
        }
    }

    /// Warns of names in doubled braces, or in braces of a plain string: nobody writes them around a word by chance.
    pub(super) fn lint_holes(&mut self, written: &ast::Expr) {
        let mut texts = Vec::new();
        match &written.kind {
            ast::ExprKind::Literal(ast::Literal::Text(text)) => texts.push((text.as_str(), written.span)),
            ast::ExprKind::Template(template) => {
                for part in &template.parts {
                    if let ast::TemplatePart::Text(text) = part {
                        texts.push((&text.value, text.span));
                    }
                }
            }
            _ => {}
        }
        for (text, span) in texts {
            for (_, name) in marked(text, "{", "}") {
                self.report(ValueLint::DoubleBraces { name, span });
            }
        }
    }

    /// The field of the row that a name of another language means: `recipient.firstName`, `FIRST_NAME`.
    fn nearest_in(&self, name: &str, scope: &Scope) -> Option<String> {
        let row = scope.rows.last()?;
        let members = self.members(row.entity, &row.with);
        let last = name.rsplit('.').next().unwrap_or(name);
        let plain = |text: &str| text.replace('_', "").to_lowercase();
        let same = members.iter().find(|member| *member == name || plain(member) == plain(last));
        same.cloned().or_else(|| did_you_mean(last, members.iter().map(String::as_str)).map(str::to_owned))
    }
}

/// What stands between the marks when it is a name, with the marks and alone.
fn marked(text: &str, opening: &str, closing: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(opening) {
        let inside = &rest[at + opening.len()..];
        let Some(end) = inside.find(closing) else { break };
        let content = inside[..end].trim().trim_start_matches(['{', '=', '-']).trim();
        let content = content.split('|').next().unwrap_or(content).trim();
        let is_name = content.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && content.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
        if is_name {
            let written = &rest[at..at + opening.len() + end + closing.len()];
            found.push((written.to_owned(), content.to_owned()));
            rest = &inside[end + closing.len()..];
        } else {
            rest = inside;
        }
    }
    found
}
