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
    (kind.is_name() && !is_clause_word(kind)) || matches!(kind, Kind::ParenClose | Kind::SquareClose)
}

fn is_clause_word(kind: Kind) -> bool {
    matches!(
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
    )
}

/// How willingly a line breaks before a token: the most willing first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cut {
    /// Clauses, set operators, the parts of a header.
    Clause,
    /// What is defined, who is asked, how long a wait may last.
    Body,
    /// Items of an open list.
    Item,
    /// The branches of a conditional.
    Branch,
    Or,
    /// `and`, and the values of an enumeration.
    And,
    Sum,
    Product,
    Never,
}

/// How willingly the line breaks before the token; `next` is the one after it.
pub fn cut(place: Place, next: Kind) -> Cut {
    let Place { word, before, token, .. } = place;
    if word == Kind::StmtCampaign && matches!(token, Kind::Every | Kind::Cron | Kind::On | Kind::Overlap) {
        let joins = token == Kind::On && !matches!(next, Kind::Signal | Kind::Error);
        return if joins { Cut::Item } else { Cut::Clause };
    }
    if before == Kind::Comma {
        return Cut::Item;
    }
    if before == Kind::Equal && matches!(word, Kind::StmtDefine | Kind::StmtLet) && token != Kind::Builtin {
        return Cut::Body;
    }
    // After an operator or a keyword these words are names.
    let after_operand = before.ends_operand() || before.is_name();
    match token {
        Kind::Where | Kind::Union | Kind::Intersect | Kind::Except => Cut::Clause,
        Kind::With if word != Kind::StmtMessage => Cut::Clause,
        Kind::Set if writes(word) && after_operand => Cut::Clause,
        Kind::Dedupe | Kind::Order if after_operand && next == Kind::By => Cut::Clause,
        Kind::Limit | Kind::Sample | Kind::Match if after_operand && next_begins_operand(next) => Cut::Clause,
        // Not before `for`, which at the start of a line is a loop.
        Kind::By | Kind::Within if asks(word) && after_operand && next_begins_operand(next) => Cut::Body,
        Kind::Else if next != Kind::BraceOpen && before != Kind::BraceClose => Cut::Branch,
        Kind::Or => Cut::Or,
        Kind::And | Kind::Pipe => Cut::And,
        Kind::Then => Cut::Product,
        Kind::Plus | Kind::Coalesce | Kind::Minus if after_operand && !is_clause_word(before) => Cut::Sum,
        Kind::Slash | Kind::Star if after_operand => Cut::Product,
        _ => Cut::Never,
    }
}

/// Statements that ask somebody, or wait.
fn asks(word: Kind) -> bool {
    matches!(word, Kind::StmtApprove | Kind::StmtTask | Kind::StmtWait)
}

fn writes(word: Kind) -> bool {
    matches!(word, Kind::StmtUpdate | Kind::StmtUpsert | Kind::StmtInsert)
}

/// What an `and` belongs to.
#[derive(Default)]
pub struct Open {
    /// `between` without its `and`.
    betweens: u32,
}

impl Open {
    /// The cut before a token, in the light of what stands before it: `between A and B` is one condition.
    pub fn cut(&mut self, cut: Cut, token: Kind) -> Cut {
        match token {
            Kind::Between => self.betweens += 1,
            Kind::And if self.betweens > 0 => {
                self.betweens -= 1;
                return Cut::Never;
            }
            _ => {}
        }
        cut
    }
}

fn next_begins_operand(next: Kind) -> bool {
    next.is_name() || next.is_literal() || matches!(next, Kind::ParenOpen | Kind::Minus)
}
