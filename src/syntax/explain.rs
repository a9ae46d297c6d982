//! What to say when the grammar rejects a token.

use super::error::SyntaxError;
use super::layout::Inside;
use super::token::{Kind, RESERVED, STATEMENTS, TEST_WORDS, Token};
use crate::base::did_you_mean;

mod expected;
mod place;
mod slips;

pub use place::Place;
pub use slips::{Repair, is_other_word};

/// True for what a schedule calls a day.
pub(super) fn is_day(word: &str) -> bool {
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    days.contains(&word) || matches!(word, "day" | "weekday" | "weekend")
}

/// True for the name of a type.
fn is_type(name: &str) -> bool {
    const TYPES: [&str; 18] = [
        "bool",
        "int",
        "float",
        "decimal",
        "text",
        "date",
        "time",
        "timestamp",
        "duration",
        "percent",
        "json",
        "email",
        "phone",
        "url",
        "push_token",
        "html",
        "timezone",
        "topic",
    ];
    TYPES.contains(&name)
}

/// The problem for a rejected token, when the terminals `expected` would have been right, and the tokens with which
/// the statement can be read on if it is plain what was meant.
pub fn explain(place: &Place<'_>, expected: &[String]) -> (SyntaxError, Option<Repair>) {
    let found = place.found();
    let in_statements = matches!(place.unit.inside, Inside::Block | Inside::Test);
    if place.at == place.unit.start && in_statements && (found.kind.is_name() || found.kind == Kind::StmtArrival) {
        return (unknown_statement(place, found), None);
    }
    let wanted = expected::Wanted::new(expected);
    let plain = || format!("expected {}, found {}", wanted.describe(), describe(place, found));
    match slips::find(place, &wanted) {
        Some(slip) => {
            let span = slip.span.unwrap_or(place.span(found));
            let message = slip.message.unwrap_or_else(plain);
            let error = SyntaxError::Unexpected { span, message, help: Some(slip.help), fix: slip.fix };
            (error, slip.repair)
        }
        None => (SyntaxError::Unexpected { span: place.span(found), message: plain(), help: None, fix: None }, None),
    }
}

fn unknown_statement(place: &Place<'_>, found: Token) -> SyntaxError {
    let word = place.word(found).to_owned();
    let words = STATEMENTS.iter().map(|(word, _)| *word);
    let in_test = TEST_WORDS.iter().map(|(word, _)| *word).filter(|_| place.unit.inside == Inside::Test);
    let help = slips::statement_help(place, &word);
    // A line may also have been meant to go on with a clause.
    let clauses = ["where", "with", "dedupe", "order", "limit", "sample", "match", "union", "intersect", "except"];
    let suggestion = did_you_mean(&word, words.chain(in_test).chain(clauses)).filter(|_| help.is_none());
    SyntaxError::UnknownStatement { span: place.span(found), word, suggestion, help }
}

/// The rejected token in words.
fn describe(place: &Place<'_>, token: Token) -> String {
    let word = place.word(token);
    match token.kind {
        Kind::End if word == ";" || word == "," => format!("`{word}`"),
        Kind::End => match place.next() {
            None => "the end of the script".to_owned(),
            Some(next) if !next.first && next.end > next.start => format!("`{}`", place.word(next)),
            Some(_) => "the end of the line".to_owned(),
        },
        Kind::TemplateOpen | Kind::Chunk | Kind::TemplateClose => "a string with holes".to_owned(),
        Kind::Text if word.len() > 30 || word.contains('\n') => "a string".to_owned(),
        Kind::HoleClose if word.is_empty() => "the end of the line".to_owned(),
        _ if word.is_empty() => "a missing bracket".to_owned(),
        kind if RESERVED.iter().any(|(_, reserved)| *reserved == kind) => format!("the reserved word `{word}`"),
        _ => format!("`{word}`"),
    }
}
