//! The usual slips, and what to write instead.
//!
//! Each function knows the slips of one kind and gives nothing for the others; the first that knows the rejected token
//! has the word.

mod declarations;
mod habits;
mod holes;
mod left_out;
mod lists;
mod names;
mod numbers;
mod operators;
mod queries;
mod sends;
mod statements;
mod words;

use super::Place;
use super::expected::Wanted;
use crate::base::{Span, did_you_mean};
use crate::syntax::layout::Inside;
use crate::syntax::token::{Kind, RESERVED, Token, statement, test_word};

pub use statements::{help as statement_help, is_other_word};

/// A slip that was recognised.
#[derive(Debug)]
pub struct Slip {
    /// What is wrong, if more can be said than what was expected and found.
    pub message: Option<String>,
    /// The wrong piece, if that is more than the rejected token.
    pub span: Option<Span>,
    pub help: String,
    /// The help as an edit.
    pub fix: Option<(Span, String)>,
    pub repair: Option<Repair>,
}

/// Tokens `from..to` stand for tokens of these kinds, as far as the parser is concerned.
#[derive(Debug)]
pub struct Repair {
    pub from: usize,
    pub to: usize,
    pub put: Vec<Kind>,
}

impl Slip {
    /// Advice in words.
    fn say(help: impl Into<String>) -> Self {
        Self { message: None, span: None, help: help.into(), fix: None, repair: None }
    }

    /// "write `replacement`" in place of `span`.
    fn write(span: Span, replacement: impl Into<String>) -> Self {
        let replacement = replacement.into();
        let help = format!("write `{}`", replacement.trim());
        Self {
            fix: Some((span, replacement)),
            span: Some(span).filter(|span| span.start < span.end),
            ..Self::say(help)
        }
    }

    /// With a message of its own.
    fn because(self, message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..self }
    }

    /// With other words than "write ...".
    fn help(self, help: impl Into<String>) -> Self {
        Self { help: help.into(), ..self }
    }

    /// The rejected token alone is shown, whatever the edit covers.
    fn here(self) -> Self {
        Self { span: None, ..self }
    }

    /// What the parser reads on with, in place of the tokens `from..to`.
    fn repair(self, from: usize, to: usize, put: &[Kind]) -> Self {
        Self { repair: Some(Repair { from, to, put: put.to_vec() }), ..self }
    }
}

/// The slip that a rejected token is, if it is a usual one.
pub fn find(place: &Place<'_>, wanted: &Wanted) -> Option<Slip> {
    let found = place.found();
    words::doubled(place, found)
        .or_else(|| words::wrong_case(place, wanted, found))
        .or_else(|| holes::find(place, found))
        .or_else(|| left_out::find(place, wanted, found))
        .or_else(|| habits::find(place, wanted, found))
        .or_else(|| statements::of_statement(place, wanted, found))
        .or_else(|| sends::find(place, wanted, found))
        .or_else(|| declarations::find(place, wanted, found))
        .or_else(|| names::find(place, wanted, found))
        .or_else(|| numbers::find(place, wanted, found))
        .or_else(|| operators::find(place, wanted, found))
        .or_else(|| queries::find(place, wanted, found))
        .or_else(|| lists::find(place, wanted, found))
        .or_else(|| of_token(place, wanted, found))
        .or_else(|| misspelled(place, wanted, found))
        .or_else(|| next_statement(place, wanted, found))
        .or_else(|| nothing_follows(place, wanted, found))
}

/// Help that depends on the token alone, or on the one before it.
fn of_token(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let word = place.word(found);
    let before = place.before(1);
    match found.kind {
        Kind::Star if before.is_some_and(|before| before.kind == Kind::ParenOpen) => {
            Some(Slip::say("name what is counted, as in `count(customers)`"))
        }
        Kind::Else if wanted.end => {
            let help = "write it behind the `}` of its `if`: `if C { ... } else { ... }`";
            Some(Slip::say(help).because("this `else` belongs to no `if`"))
        }
        Kind::Colon if before.is_some_and(|before| before.kind.is_name()) && wanted.takes(")") && wanted.takes(",") => {
            let help = "give each value its name, or none: `(sku: \"a\", quantity: 1)`";
            Some(Slip::say(help).because("positional and named arguments do not mix"))
        }
        Kind::Question => Some(Slip::say("choose with `if C then A else B`; `A ?? B` takes B where A is null")),
        kind if kind.is_literal() && wanted.name && !wanted.operand() && place.in_named_args() => {
            Some(Slip::say("positional and named arguments do not mix: name this one as well"))
        }
        Kind::TemplateOpen if wanted.has("TEXT") => {
            Some(Slip::say("this text cannot depend on anything: write it without holes"))
        }
        Kind::TemplateOpen | Kind::Text if before.is_some_and(|before| before.end == found.start) => {
            let before = before.filter(|before| before.kind == Kind::Name)?;
            let slip = Slip::write(place.span(before), "");
            let letter = place.word(before);
            Some(slip.help(format!("remove the `{letter}`: strings in double quotes take values as they are")))
        }
        kind if wanted.name && !wanted.operand() && RESERVED.iter().any(|(_, reserved)| *reserved == kind) => {
            Some(Slip::say(format!("to use a reserved word as a name, write it in backquotes: `` `{word}` ``")))
        }
        _ => None,
    }
}

/// A statement on the line of another one.
fn next_statement(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let word = place.word(found);
    let is_step = place.unit.inside == Inside::Test && test_word(word).is_some();
    let begins = found.kind.is_name() && (statement(word).is_some() || is_step);
    (begins && wanted.end && !found.first).then(|| {
        let at = Span::new(place.source, found.start, found.start);
        let slip = Slip::write(at, "; ").help("a statement begins on a line of its own, or behind `;`");
        slip.because(format!("`{word}` begins another statement"))
    })
}

/// Something that needs more, at the end of a line; a mark before a statement.
fn nothing_follows(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    if place.at == place.unit.start && matches!(found.kind, Kind::Literal | Kind::Minus | Kind::Star | Kind::Greater) {
        let mark = place.word(found);
        return Some(Slip::say(format!("remove the `{mark}`: steps stand below each other without numbers or marks")));
    }
    let is_wait = place.first()?.kind == Kind::StmtWait && place.before(1)?.kind == Kind::Literal;
    if is_wait && found.kind == Kind::Name {
        return Some(Slip::say("a length of time is written as in `2d`, `3h` or `1w`"));
    }
    let before = place.before(1).filter(|_| found.kind == Kind::End)?;
    let word = place.word(before);
    if before.kind == Kind::Dot {
        let slip = Slip::write(place.span(before), "").help("remove the `.`: statements end without a mark");
        return Some(slip.repair(place.at - 1, place.at, &[]));
    }
    if !wanted.operand() {
        return None;
    }
    Some(Slip::say(match before.kind {
        Kind::And | Kind::Or | Kind::Not => format!("say the condition behind `{word}`, or remove the `{word}`"),
        Kind::Comma => "say what follows, or remove the comma".to_owned(),
        Kind::Equal if place.at == place.unit.start + 3 => {
            "say what it is, as in `= customers where spend > 500`".to_owned()
        }
        kind if kind.wants_operand() => format!("say what stands behind `{word}`"),
        _ => return None,
    }))
}

/// A keyword that was nearly written.
fn misspelled(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    if !found.kind.is_name() {
        return None;
    }
    let suggestion = did_you_mean(place.word(found), wanted.keywords())?;
    let slip = Slip::write(place.span(found), suggestion);
    Some(slip.help(format!("did you mean `{suggestion}`?")))
}
