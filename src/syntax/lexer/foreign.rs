//! Operators of other languages.

use std::ops::Range;

use super::Lexer;
use crate::syntax::error::SyntaxError;
use crate::syntax::token::Kind;

impl Lexer<'_> {
    /// An operator of another language.
    pub(super) fn respelled(&mut self, range: &Range<usize>, right: &'static str, kind: Kind) -> Kind {
        let span = self.span(range.clone());
        let written = self.text[range.clone()].to_owned();
        if right == "or" && self.joins_texts(range) {
            self.joined(range);
            return kind;
        }
        // `r => r.spend > 5`
        if written == "=>" && self.text[range.end..].trim_start().starts_with(|c: char| c.is_alphabetic() || c == '{') {
            self.problem(SyntaxError::Arrow { span });
            return kind;
        }
        self.problem(SyntaxError::WrongOperator { span, written, right });
        kind
    }

    /// True for `||` and `&` beside a text.
    pub(super) fn joins_texts(&self, range: &Range<usize>) -> bool {
        let quotes = ['"', '\''];
        self.text[..range.start].trim_end().ends_with(quotes) || self.text[range.end..].trim_start().starts_with(quotes)
    }

    /// Texts that are joined by an operator; once on a line.
    pub(super) fn joined(&mut self, range: &Range<usize>) {
        let before = &self.text[..range.start];
        let line = &before[before.rfind('\n').map_or(0, |newline| newline + 1)..];
        if !line.contains(&self.text[range.clone()]) {
            let (span, written) = (self.span(range.clone()), self.text[range.clone()].to_owned());
            self.problem(SyntaxError::JoinedTexts { span, written });
        }
    }
}
