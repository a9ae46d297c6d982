//! Where statements and items begin although something is missing or misspelled.

use super::{Inside, Pass, SyntaxError};
use crate::base::did_you_mean;
use crate::syntax::explain::is_other_word;
use crate::syntax::token::{
    Kind, STATEMENTS, TEST_WORDS, Token, parallel_word, policy_word, reserved, statement, test_word,
};

impl Pass<'_> {
    /// True for a name that begins a line, cannot belong to what stands before, and is no further right than the
    /// statement before: a misspelled word, rather than a misspelled clause.
    pub(super) fn is_unknown(&self, token: Token) -> bool {
        let unit = self.frames.last().and_then(|frame| frame.unit);
        let begin = unit.and_then(|unit| self.out.tokens.get(self.out.units[unit].start));
        token.first
            && token.kind == Kind::Name
            && reserved(&token.text(self.text).to_ascii_lowercase()).is_none()
            && self.previous().is_some_and(Kind::ends_operand)
            && begin.is_some_and(|begin| self.indentation(token) <= self.indentation(*begin))
    }

    /// True for `name:` behind a complete item on the same line.
    pub(super) fn lacks_separator(&self, at: usize) -> bool {
        let token = self.input[at];
        let Some(frame) = self.frames.last().filter(|frame| matches!(frame.inside, Inside::Items | Inside::Entity))
        else {
            return false;
        };
        let Some(unit) = frame.unit.filter(|_| frame.open.kind == Kind::BraceOpen && frame.open.end > frame.open.start)
        else {
            return false;
        };
        let begun = &self.out.tokens[self.out.units[unit].start..];
        let is_item = begun.len() > 2 && begun[1].kind == Kind::Colon;
        let colon = self.input.get(at + 1).filter(|next| next.kind == Kind::Colon && !next.first);
        // In `[id], rate rate:` the doubled word is the mistake.
        let is_listed = begun.len() > 1 && begun[begun.len() - 2].kind == Kind::Comma;
        let ends = self.previous().is_some_and(|kind| kind.ends_operand() || kind.is_name());
        is_item && ends && !is_listed && token.kind.is_name() && colon.is_some()
    }

    /// The statement whose word was nearly written at the beginning of a unit: `sned email to vip`. Reported here, so that
    /// what follows is read as what it is.
    pub(super) fn nearly_a_statement(&mut self, at: usize) -> Option<Kind> {
        let token = self.input[at];
        let inside = self.frames.last()?.inside;
        let next = self.input.get(at + 1).filter(|next| !next.first)?;
        let followed = next.kind.is_name() || next.kind == Kind::Text || next.kind == Kind::TemplateOpen;
        if token.kind != Kind::Name || !followed || !matches!(inside, Inside::Block | Inside::Test) {
            return None;
        }
        let word = token.text(self.text);
        if is_other_word(word) {
            return None;
        }
        let words = STATEMENTS.iter().map(|(word, _)| *word);
        let in_test = TEST_WORDS.iter().map(|(word, _)| *word).filter(|_| inside == Inside::Test);
        let suggestion = did_you_mean(word, words.chain(in_test))?;
        let kind =
            if inside == Inside::Test { test_word(suggestion) } else { None }.or_else(|| statement(suggestion))?;
        let (span, word) = (token.span(self.source), word.to_owned());
        self.problem(SyntaxError::UnknownStatement { span, word, suggestion: Some(suggestion), help: None });
        Some(kind)
    }

    /// True for `name = ...` at the beginning of a line behind a complete statement.
    pub(super) fn is_assignment(&self, at: usize) -> bool {
        let token = self.input[at];
        let in_steps = self.frames.last().is_some_and(|frame| matches!(frame.inside, Inside::Block | Inside::Test));
        let ends = self.previous().is_some_and(|kind| kind.ends_operand() && kind != Kind::BraceClose);
        token.first && in_steps && token.kind == Kind::Name && self.next_is(at, Kind::Equal) && ends
    }

    /// True for a line that is an item when the statement before it has no braces to hold it.
    pub(super) fn lacks_brace(&self, at: usize) -> bool {
        let token = self.input[at];
        let Some(frame) = self.frames.last().filter(|frame| token.first && frame.unit.is_some()) else { return false };
        let is_item = token.kind.is_name() && self.next_is(at, Kind::Colon);
        self.previous() != Some(Kind::BraceClose)
            && match frame.word {
                Some(Kind::StmtEntity | Kind::StmtMessage | Kind::StmtChannel | Kind::StmtSplit) => is_item,
                Some(Kind::StmtPolicy) => policy_word(token.text(self.text)).is_some(),
                Some(Kind::StmtParallel) => parallel_word(token.text(self.text)).is_some(),
                Some(Kind::StmtTest) => test_word(token.text(self.text)).is_some(),
                _ => false,
            }
    }

    /// True for a declaration at the left edge, which no careful person writes inside braces.
    pub(super) fn is_top_level_line(&self, at: usize) -> bool {
        let token = self.input[at];
        let at_edge = token.start == 0 || self.text.as_bytes().get(token.start as usize - 1) == Some(&b'\n');
        let followed =
            self.input.get(at + 1).is_some_and(|next| !next.first && (next.kind.is_name() || next.kind == Kind::Text));
        token.first
            && at_edge
            && followed
            && matches!(
                statement(token.text(self.text)),
                Some(
                    Kind::StmtUse
                        | Kind::StmtEntity
                        | Kind::StmtTopic
                        | Kind::StmtChannel
                        | Kind::StmtPolicy
                        | Kind::StmtDefine
                        | Kind::StmtCampaign
                        | Kind::StmtTest
                )
            )
    }

    /// True when a line begins here that can be nothing but a statement.
    pub(super) fn unmistakable(&self, at: usize) -> bool {
        let token = self.input[at];
        let in_statements = self.frames.last().is_some_and(|frame| {
            frame.open.kind == Kind::BraceOpen && matches!(frame.inside, Inside::Block | Inside::Test)
        });
        if !token.first || !token.kind.is_name() || (in_statements && !self.is_top_level_line(at)) {
            return false;
        }
        let Some(kind) = statement(token.text(self.text)) else { return false };
        let outdented = self.frames.last().is_none_or(|frame| {
            frame.open.kind != Kind::BraceOpen || self.indentation(token) <= self.indentation(frame.open)
        });
        let next = |ahead: usize| self.input.get(at + ahead).filter(|next| !next.first).map(|next| next.kind);
        match kind {
            // In braces a statement may also be an item that lacks its colon.
            _ if !outdented => false,
            Kind::StmtSegment | Kind::StmtLet => {
                next(1).is_some_and(Kind::is_name) && matches!(next(2), Some(Kind::Equal | Kind::Colon))
            }
            Kind::StmtFor => next(1).is_some_and(Kind::is_name) && next(2) == Some(Kind::In),
            Kind::StmtIf => false,
            _ => next(1).is_some_and(|next| next == Kind::Name || next.is_literal()),
        }
    }
}
