//! What is known of a statement that was not understood as a whole.

use crate::base::{SourceId, Span};
use crate::syntax::ast::Broken;
use crate::syntax::layout::{Inside, Unit};
use crate::syntax::token::{Kind, Token};

/// The statement `unit`, in which the token `at` was rejected.
pub fn broken(tokens: &[Token], unit: &Unit, at: usize, text: &str, source: SourceId) -> Broken {
    let all = &tokens[unit.start..unit.end.min(tokens.len())];
    let kind = all.first().map(|token| token.kind);
    let has_steps =
        kind.is_some_and(|kind| kind.holds_statements() || matches!(kind, Kind::StmtParallel | Kind::StmtTest));
    let block = all.iter().position(|token| token.kind == Kind::BraceOpen).filter(|_| has_steps);
    let last = block.unwrap_or(all.len()).saturating_sub(1);
    let start = all.first().map_or(0, |token| token.start);
    let end = all.get(last).map_or(start, |token| token.end);
    let offset = at.saturating_sub(unit.start);
    let place = if kind == Some(Kind::StmtMessage) { 2 } else { 1 };
    let name = declares(kind).then(|| all.get(place)).flatten().filter(|token| token.kind.is_name());
    let is_statement = matches!(unit.inside, Inside::Block | Inside::Test);
    let is_unknown = is_statement && kind.is_some_and(Kind::is_name);
    Broken {
        span: Span::new(source, start, end.max(start)),
        name: name.map(|token| token.text(text).trim_matches('`').to_owned()),
        nameless: is_unknown || (declares(kind) && (offset <= place || name.is_none())) || swallows(all),
    }
}

/// True for declarations of which one item says nothing about the others.
pub fn has_items_of_its_own(first: Option<&Token>) -> bool {
    let kind = first.map(|token| token.kind);
    matches!(kind, Some(Kind::StmtEntity | Kind::StmtMessage | Kind::StmtChannel | Kind::StmtPolicy))
}

/// True for statements that give a name to something.
fn declares(kind: Option<Kind>) -> bool {
    matches!(
        kind,
        Some(
            Kind::StmtSegment
                | Kind::StmtLet
                | Kind::StmtEntity
                | Kind::StmtTopic
                | Kind::StmtChannel
                | Kind::StmtMessage
                | Kind::StmtPolicy
                | Kind::StmtSignal
                | Kind::StmtDefine
                | Kind::StmtCampaign
                | Kind::StmtParam
                | Kind::StmtSplit
                | Kind::StmtFor
        )
    )
}

/// True if there may be another statement in it, whose first word is missing: a line begins in it that is not indented
/// more than the statement, or a name is given at its end.
fn swallows(tokens: &[Token]) -> bool {
    tokens.iter().skip(1).any(|token| token.first) || tokens.iter().any(|token| token.kind == Kind::As)
}
