//! Which bracket belongs to which, and what makes trees deep.

use super::{Pass, SyntaxError};
use crate::base::Span;
use crate::syntax::token::{Kind, Token};

/// How far the bracket that should have stood here is looked for.
const LOOK_AHEAD: usize = 200;

impl Pass<'_> {
    /// Puts a round bracket for a square one, or the reverse, right and reports it: `(a]`, or the first of `([a)]`.
    /// False where the bracket closes its own, or nothing at all.
    pub(super) fn closes_wrongly(&mut self, at: usize, has_pair: bool) -> bool {
        let token = self.input[at];
        if self.crossed.take() == Some(at) {
            self.close_last(token);
            return true;
        }
        let Some(open) = self.frames.last().map(|frame| frame.open) else { return false };
        let right = closing(open.kind);
        let round_or_square = |kind| matches!(kind, Kind::ParenClose | Kind::SquareClose);
        if !round_or_square(right) || !round_or_square(token.kind) || right == token.kind {
            return false;
        }
        let crossed = has_pair && self.input.get(at + 1).is_some_and(|next| next.kind == right);
        // `[1, 2))`: what this one could close has a bracket of its own.
        let has_another = !has_pair || self.closes_later(at, opening(token.kind));
        if !crossed && (!has_another || self.closes_later(at, open.kind)) {
            return false;
        }
        let (mut span, mut right) = (token.span(self.source), character(right).to_string());
        if crossed {
            self.crossed = Some(at + 1);
            span = Span::new(self.source, token.start, self.input[at + 1].end);
            right.push(character(token.kind));
        }
        let written = self.text.get(span.start as usize..span.end as usize).unwrap_or("").to_owned();
        self.problem(SyntaxError::WrongBracket { open: open.span(self.source), span, written, right });
        self.close_last(token);
        true
    }

    /// `IF(points > 5; "a"; "b")`: a semicolon between arguments, which stands for a comma. Where the bracket is not closed
    /// on the line, it was forgotten.
    pub(super) fn separates_arguments(&mut self, at: usize) -> bool {
        let Some(bracket) = self.frames.last().map(|frame| frame.open) else { return false };
        let open = bracket.kind;
        if !matches!(open, Kind::ParenOpen | Kind::SquareOpen) {
            return false;
        }
        let mut depth = 0_u32;
        let mut line = self.input.iter().skip(at + 1).take(LOOK_AHEAD).take_while(|token| !token.first);
        let closed = line.find(|token| match token.kind {
            kind if kind == open => {
                depth += 1;
                false
            }
            kind if kind == closing(open) => {
                depth = depth.wrapping_sub(1);
                depth == u32::MAX
            }
            _ => false,
        });
        if closed.is_none() {
            return false;
        }
        let token = self.input[at];
        let before = self.input.partition_point(|known| known.start < bracket.start).checked_sub(1);
        let is_split = before.is_some_and(|before| self.input[before].kind == Kind::Into);
        // All of one pair of brackets are one mistake; that the arms of a split stand in braces is another.
        if self.separated.replace(bracket.start) != Some(bracket.start) && !is_split {
            self.problem(SyntaxError::SemicolonInBrackets { span: token.span(self.source) });
        }
        self.push(Token { kind: Kind::Comma, ..token });
        true
    }

    /// Closes the innermost bracket, whatever `token` is.
    fn close_last(&mut self, token: Token) {
        let right = self.frames.last().map_or(token.kind, |frame| closing(frame.open.kind));
        self.pop_frame();
        self.push(Token { kind: right, ..token });
    }

    /// True when a bracket that is open at `at` is closed behind it, in its statement and before the next brace.
    fn closes_later(&self, at: usize, open: Kind) -> bool {
        let mut depth = 0_u32;
        for (index, token) in self.input.iter().enumerate().skip(at + 1).take(LOOK_AHEAD) {
            match token.kind {
                _ if self.unmistakable(index) => return false,
                kind if kind == open => depth += 1,
                kind if kind == closing(open) && depth == 0 => return true,
                kind if kind == closing(open) => depth -= 1,
                Kind::BraceOpen | Kind::BraceClose | Kind::Semicolon => return false,
                _ => {}
            }
        }
        false
    }
}

/// True for tokens that put what stands before or behind them one level deeper into the tree.
pub(super) fn nests(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Or
            | Kind::And
            | Kind::Not
            | Kind::If
            | Kind::Plus
            | Kind::Minus
            | Kind::Star
            | Kind::Slash
            | Kind::Coalesce
            | Kind::Dot
            | Kind::List
            | Kind::Where
            | Kind::With
            | Kind::Dedupe
            | Kind::Order
            | Kind::Limit
            | Kind::Sample
            | Kind::Match
            | Kind::New
            | Kind::Union
            | Kind::Intersect
            | Kind::Except
    )
}

/// The bracket that a closing one belongs to.
pub(super) fn opening(close: Kind) -> Kind {
    match close {
        Kind::ParenClose => Kind::ParenOpen,
        Kind::SquareClose => Kind::SquareOpen,
        _ => Kind::BraceOpen,
    }
}

/// The bracket that closes an opening one.
pub(super) fn closing(open: Kind) -> Kind {
    match open {
        Kind::ParenOpen => Kind::ParenClose,
        Kind::SquareOpen => Kind::SquareClose,
        Kind::HoleOpen => Kind::HoleClose,
        _ => Kind::BraceClose,
    }
}

/// A bracket as it is written.
pub(super) fn character(bracket: Kind) -> char {
    match bracket {
        Kind::ParenOpen => '(',
        Kind::ParenClose => ')',
        Kind::SquareOpen => '[',
        Kind::SquareClose => ']',
        Kind::BraceOpen => '{',
        _ => '}',
    }
}
