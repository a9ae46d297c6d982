//! Where a space stands between two tokens of a line, and where a long line breaks.

use crate::syntax::token::Kind;

/// What decides the form of a place: the statement, and the tokens around.
#[derive(Clone, Copy)]
pub struct Place {
    /// The first token of the statement or item.
    pub word: Kind,
    pub before: Kind,
    /// True when `before` is a minus sign that belongs to what follows.
    pub sign: bool,
    pub token: Kind,
}

/// True when a space stands before the token.
pub fn space(place: Place) -> bool {
    let Place { word, before, sign, token } = place;
    if sign || matches!(before, Kind::ParenOpen | Kind::SquareOpen | Kind::Dot) {
        return false;
    }
    match token {
        // A number would go on with the point.
        Kind::Dot => before == Kind::Literal,
        Kind::Comma | Kind::ParenClose | Kind::SquareClose | Kind::Colon | Kind::Question => false,
        // Options stand apart, arguments do not.
        Kind::ParenOpen => matches!(word, Kind::StmtTopic | Kind::StmtEntity) || !is_callee(before),
        _ => true,
    }
}

/// True for what may be called: names, except those that are nearly always words of a clause.
fn is_callee(kind: Kind) -> bool {
    let clause_word = matches!(
        kind,
        Kind::As
            | Kind::At
            | Kind::By
            | Kind::Every
            | Kind::For
            | Kind::From
            | Kind::In
            | Kind::Into
            | Kind::Keep
            | Kind::Limit
            | Kind::Of
            | Kind::On
            | Kind::Per
            | Kind::Prefer
            | Kind::Sample
            | Kind::Set
            | Kind::To
            | Kind::Until
            | Kind::Within
    );
    (kind.is_name() && !clause_word) || matches!(kind, Kind::ParenClose | Kind::SquareClose)
}

/// How willingly a line breaks before a token.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cut {
    /// Clauses, set operators, the parts of a header.
    Clause,
    /// `and`, `or`, the branches of a conditional, items of an open list.
    Part,
    /// Other operators.
    Operator,
    Never,
}

/// How willingly a line breaks before the token; `next` is the one after it.
pub fn cut(place: Place, next: Kind) -> Cut {
    let Place { word, before, token, .. } = place;
    if word == Kind::StmtCampaign && matches!(token, Kind::Every | Kind::Cron | Kind::On | Kind::Overlap) {
        let joins = token == Kind::On && !matches!(next, Kind::Signal | Kind::Error);
        return if joins { Cut::Part } else { Cut::Clause };
    }
    if before == Kind::Comma {
        return Cut::Part;
    }
    // After an operator or a keyword these words are names.
    let after_operand = before.ends_operand() || before.is_name();
    match token {
        Kind::Where | Kind::Union | Kind::Intersect | Kind::Except => Cut::Clause,
        Kind::With if word != Kind::StmtMessage => Cut::Clause,
        Kind::Set if after_operand && matches!(word, Kind::StmtUpdate | Kind::StmtUpsert | Kind::StmtInsert) => {
            Cut::Clause
        }
        Kind::Dedupe | Kind::Order if after_operand && next == Kind::By => Cut::Clause,
        Kind::Limit | Kind::Sample | Kind::Match if after_operand && next_begins_operand(next) => Cut::Clause,
        Kind::And | Kind::Or | Kind::Pipe => Cut::Part,
        Kind::Then => Cut::Operator,
        Kind::Else if next != Kind::BraceOpen && before != Kind::BraceClose => Cut::Part,
        Kind::Plus | Kind::Slash | Kind::Star | Kind::Coalesce | Kind::Minus if after_operand => Cut::Operator,
        _ => Cut::Never,
    }
}

/// What an `and` or `or` belongs to.
#[derive(Default)]
pub struct Open {
    /// `between` without its `and`.
    betweens: u32,
    /// `if` without its `then`.
    conditions: u32,
}

impl Open {
    /// The cut before a token, in the light of what stands before it.
    pub fn cut(&mut self, cut: Cut, token: Kind) -> Cut {
        match token {
            Kind::Between => self.betweens += 1,
            Kind::If => self.conditions += 1,
            Kind::Then => self.conditions = self.conditions.saturating_sub(1),
            Kind::And if self.betweens > 0 => {
                self.betweens -= 1;
                return Cut::Never;
            }
            Kind::And | Kind::Or if self.conditions > 0 && cut == Cut::Part => return Cut::Operator,
            _ => {}
        }
        cut
    }
}

fn next_begins_operand(next: Kind) -> bool {
    next.is_name() || next.is_literal() || matches!(next, Kind::ParenOpen | Kind::Minus)
}
