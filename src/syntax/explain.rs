//! What to say when the grammar rejects a token.

use super::error::SyntaxError;
use super::layout::{Inside, Unit};
use super::token::{Kind, RESERVED, STATEMENTS, TEST_WORDS, Token};
use crate::base::{SourceId, Span, did_you_mean};

mod expected;
mod slips;

/// A rejected token in its unit.
pub struct Place<'t> {
    pub source: SourceId,
    pub text: &'t str,
    pub tokens: &'t [Token],
    pub unit: Unit,
    /// Index of the rejected token.
    pub at: usize,
}

impl Place<'_> {
    /// The token `back` places before the rejected one, in the same unit.
    fn before(&self, back: usize) -> Option<Token> {
        let at = self.at.checked_sub(back).filter(|at| *at >= self.unit.start)?;
        self.tokens.get(at).copied()
    }

    fn found(&self) -> Token {
        self.tokens.get(self.at).copied().unwrap_or(Token::invented(Kind::End, self.text.len() as u32))
    }

    /// True behind a comma between named arguments.
    fn in_named_args(&self) -> bool {
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

    fn next(&self) -> Option<Token> {
        self.tokens.get(self.at + 1).copied()
    }

    /// The first token of the unit.
    fn first(&self) -> Option<Token> {
        self.tokens.get(self.unit.start).copied()
    }

    fn word(&self, token: Token) -> &str {
        token.text(self.text)
    }

    fn span(&self, token: Token) -> Span {
        token.span(self.source)
    }
}

/// The problem for a rejected token, when the terminals `expected` would have been right.
pub fn explain(place: &Place<'_>, expected: &[String]) -> SyntaxError {
    let found = place.found();
    let in_statements = matches!(place.unit.inside, Inside::Block | Inside::Test);
    if place.at == place.unit.start && in_statements && (found.kind.is_name() || found.kind == Kind::StmtArrival) {
        return unknown_statement(place, found);
    }
    let wanted = expected::Wanted::new(expected);
    let (help, fix) = slips::help(place, &wanted);
    SyntaxError::Unexpected {
        span: place.span(found),
        expected: wanted.describe(),
        found: describe(place, found),
        help,
        fix,
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
