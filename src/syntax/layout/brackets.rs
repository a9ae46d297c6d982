//! Which bracket belongs to which, and what makes trees deep.

use crate::syntax::token::Kind;

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
