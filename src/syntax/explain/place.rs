//! A rejected token in its statement.

use crate::base::{SourceId, Span};
use crate::syntax::layout::Unit;
use crate::syntax::token::{Kind, Token};

/// A rejected token in its unit.
pub struct Place<'t> {
    pub source: SourceId,
    pub text: &'t str,
    pub tokens: &'t [Token],
    pub unit: Unit,
    /// Index of the rejected token.
    pub at: usize,
}

impl<'t> Place<'t> {
    /// The token `back` places before the rejected one, in the same unit.
    pub fn before(&self, back: usize) -> Option<Token> {
        let at = self.at.checked_sub(back).filter(|at| *at >= self.unit.start)?;
        self.tokens.get(at).copied()
    }

    /// The rejected token.
    pub fn found(&self) -> Token {
        self.tokens.get(self.at).copied().unwrap_or(Token::invented(Kind::End, self.text.len() as u32))
    }

    /// True behind a comma between named arguments.
    pub fn in_named_args(&self) -> bool {
        let mut depth = 0_u32;
        let before = self.tokens[self.unit.start..self.at].iter().enumerate().rev();
        for (index, token) in before {
            match token.kind {
                Kind::ParenClose => depth += 1,
                Kind::ParenOpen if depth > 0 => depth -= 1,
                Kind::ParenOpen => {
                    return self.tokens.get(self.unit.start + index + 2).is_some_and(|token| token.kind == Kind::Colon);
                }
                _ => {}
            }
        }
        false
    }

    /// True inside parentheses that hold `name: value`.
    pub fn in_named_args_of_any(&self) -> bool {
        self.in_named_args() || self.before(2).is_some_and(|before| before.kind == Kind::Colon)
    }

    /// The token behind the rejected one, in whatever unit.
    pub fn next(&self) -> Option<Token> {
        self.tokens.get(self.at + 1).copied()
    }

    /// The token `ahead` places behind the rejected one, in the same unit.
    pub fn after(&self, ahead: usize) -> Option<Token> {
        let at = self.at + ahead;
        self.tokens.get(at).copied().filter(|_| at < self.unit.end)
    }

    /// The first token of the unit.
    pub fn first(&self) -> Option<Token> {
        self.tokens.get(self.unit.start).copied()
    }

    /// The token `offset` places behind the first.
    pub fn nth(&self, offset: usize) -> Option<Token> {
        let at = self.unit.start + offset;
        self.tokens.get(at).copied().filter(|_| at < self.unit.end)
    }

    /// A token as it is written.
    pub fn word(&self, token: Token) -> &'t str {
        token.text(self.text)
    }

    /// The place of a token.
    pub fn span(&self, token: Token) -> Span {
        token.span(self.source)
    }

    /// The place from one token to another.
    pub fn spread(&self, from: Token, to: Token) -> Span {
        Span::new(self.source, from.start, to.end.max(from.start))
    }

    /// What is written from one token to another.
    pub fn written(&self, from: Token, to: Token) -> &'t str {
        self.text.get(from.start as usize..to.end as usize).unwrap_or("")
    }

    /// True for a word of the unit before the rejected token, in small letters.
    pub fn has_before(&self, word: &str) -> bool {
        let before = self.tokens.get(self.unit.start..self.at).unwrap_or(&[]);
        before.iter().any(|token| self.word(*token).eq_ignore_ascii_case(word))
    }

    /// The simple operand that ends `back` places before the rejected token: its first and last token.
    pub fn operand_before(&self, back: usize) -> Option<(Token, Token)> {
        let last = self.before(back)?;
        let mut at = self.at - back;
        if last.kind == Kind::ParenClose {
            at = self.opening(at)?;
            let callee = at.checked_sub(1).and_then(|at| self.tokens.get(at));
            if callee.is_some_and(|token| token.kind.is_name() && at > self.unit.start) {
                at -= 1;
            }
        } else if !last.kind.is_name() && !last.kind.is_literal() {
            return None;
        }
        while at >= self.unit.start + 2
            && self.tokens[at - 1].kind == Kind::Dot
            && self.tokens[at].kind.is_name()
            && self.tokens[at - 2].kind.is_name()
        {
            at -= 2;
        }
        Some((self.tokens[at], last))
    }

    /// Index of the bracket that the closing one at `close` belongs to.
    fn opening(&self, close: usize) -> Option<usize> {
        let mut depth = 0_u32;
        for at in (self.unit.start..=close).rev() {
            match self.tokens[at].kind {
                Kind::ParenClose => depth += 1,
                Kind::ParenOpen => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(at);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The simple operand `ahead` places behind the rejected token: a literal, a name, a path.
    pub fn operand_after(&self, ahead: usize) -> Option<(Token, Token)> {
        let first = self.after(ahead)?;
        if !first.kind.is_name() && (!first.kind.is_literal() || first.kind == Kind::TemplateOpen) {
            return None;
        }
        let mut last = ahead;
        while first.kind.is_name()
            && self.after(last + 1).is_some_and(|token| token.kind == Kind::Dot)
            && self.after(last + 2).is_some_and(|token| token.kind.is_name())
        {
            last += 2;
        }
        Some((first, self.after(last)?))
    }
}
