//! The usual slips, and what to write instead.

use super::Place;
use super::expected::Wanted;
use crate::base::{Span, did_you_mean};
use crate::syntax::token::{Kind, RESERVED, TEST_WORDS, Token};

type Help = (Option<String>, Option<(Span, String)>);

fn say(help: impl Into<String>) -> Help {
    (Some(help.into()), None)
}

/// Help for a rejected token, and the help as an edit where it is one.
pub fn help(place: &Place<'_>, wanted: &Wanted) -> Help {
    let found = place.found();
    of_statement(place, wanted, found)
        .or_else(|| of_token(place, wanted, found))
        .or_else(|| misspelled(place, wanted, found))
        .unwrap_or((None, None))
}

/// Help that depends on the statement.
fn of_statement(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Help> {
    let first = place.first()?;
    let position = place.at - place.unit.start;
    let name = place.tokens.get(place.unit.start + 1).map(|token| place.word(*token))?;
    match first.kind {
        Kind::StmtSegment | Kind::StmtLet if wanted.has("=") && position == 2 => {
            let word = place.word(first);
            let fix = (found.kind != Kind::End).then(|| (place.span(found), format!("= {}", place.word(found))));
            Some((Some(format!("write `{word} {name} = ...`")), fix))
        }
        Kind::StmtSend if wanted.has("to") && found.kind == Kind::End && position == 3 => {
            let segment = place.before(1).map_or("", |token| place.word(token));
            Some(say(format!("write `send {name} to {segment}`, or `send {name} {segment} to SEGMENT`")))
        }
        Kind::StmtSend if wanted.has("to") && found.kind == Kind::End && position == 2 => {
            Some(say(format!("write `send email to {name}`")))
        }
        Kind::StmtSend if wanted.has("to") => Some(say(format!("write `send {name} MESSAGE to SEGMENT`"))),
        Kind::StmtGiven if wanted.has("[") => Some(say("rows stand in brackets: `given customers [ { id: 1 } ]`")),
        Kind::StmtIf if found.kind == Kind::Then => {
            Some(say("a statement has its steps in braces: `if ... { } else { }`"))
        }
        Kind::StmtWait if wanted.has("else") && found.kind == Kind::BraceOpen => {
            Some(say("what is to be done when the time runs out stands behind `else`"))
        }
        _ if wanted.has(":") && position == 1 && found.kind != Kind::End => {
            Some(say(format!("write `{}: ...`", place.word(first))))
        }
        _ => None,
    }
}

/// Help that depends on the token alone, or on the one before it.
fn of_token(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Help> {
    let word = place.word(found);
    let before = place.before(1);
    let is_comparison = |kind| (Kind::Equal..=Kind::GreaterEqual).contains(&kind);
    match found.kind {
        Kind::Name if word.eq_ignore_ascii_case("asc") => Some(say("ascending is the default: leave it out")),
        Kind::Name if word == "group" && !wanted.operand() => {
            Some(say("one row of each group: `dedupe by KEY`, with `count(group)` for its size"))
        }
        Kind::Name if word == "join" => {
            Some(say("follow a relation instead, as in `store.city`, or use `match E on P`"))
        }
        Kind::Name if word == "having" => Some(say("a `where` behind `with` does that")),
        Kind::Literal if before.is_some_and(|before| before.kind == Kind::Literal) => {
            let day = before.map_or("", |before| place.word(before));
            (word.contains(':') && day.contains('-')).then(|| say(format!("write `{day}T{word}`")))
        }
        Kind::Literal if wanted.share() => Some(say(format!("shares are percentages, as in `{word}%`"))),
        Kind::Star if before.is_some_and(|before| before.kind == Kind::ParenOpen) => {
            Some(say("name what is counted, as in `count(customers)`"))
        }
        Kind::Question => Some(say("choose with `if C then A else B`; `A ?? B` takes B where A is null")),
        kind if kind.is_literal() && wanted.name && !wanted.operand() && place.in_named_args() => {
            Some(say("positional and named arguments do not mix: name this one as well"))
        }
        Kind::TemplateOpen if wanted.has("TEXT") => {
            Some(say("this text cannot depend on anything: write it without holes"))
        }
        Kind::Equal if before.is_some_and(|before| is_comparison(before.kind)) => Some(say("write the operator once")),
        kind if is_comparison(kind) && !wanted.operand() && !wanted.has("=") => {
            Some(say("comparisons do not chain: write `a < b and b < c`"))
        }
        kind if wanted.name && !wanted.operand() && RESERVED.iter().any(|(_, reserved)| *reserved == kind) => {
            Some(say(format!("to use a reserved word as a name, write it in backquotes: `` `{word}` ``")))
        }
        _ => None,
    }
}

/// A keyword that was nearly written.
fn misspelled(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Help> {
    if !found.kind.is_name() {
        return None;
    }
    let suggestion = did_you_mean(place.word(found), wanted.keywords())?;
    Some((Some(format!("did you mean `{suggestion}`?")), Some((place.span(found), suggestion.to_owned()))))
}

/// Help for a statement that begins with no statement word.
pub fn statement_help(place: &Place<'_>, word: &str) -> Option<String> {
    let next = place.next().map(|token| token.kind);
    if next == Some(Kind::Equal) {
        return Some(format!("write `segment {word} = ...` for a population, `let {word} = ...` for a value"));
    }
    let help = match word.to_ascii_lowercase().as_str() {
        "select" => "write `segment NAME = customers where ...`",
        "elif" | "elseif" | "elsif" => "write `else if`, behind the closing brace",
        "while" | "loop" => "loops are bounded: `repeat 5 times every 7d until ... { }`",
        "var" | "const" => "write `let`",
        "function" | "def" | "fn" | "procedure" => "write `define NAME(...) = ...`, or with a block",
        "import" | "include" => "write `use`",
        "sleep" | "pause" | "delay" => "write `wait`",
        "print" | "echo" => "write `log`",
        "call" => "write `do`",
        "exit" | "quit" | "return" => "write `stop`",
        _ if TEST_WORDS.iter().any(|(test, _)| *test == word) => {
            return Some(format!("`{word}` is a step of a `test \"...\" {{ }}`"));
        }
        _ => return None,
    };
    Some(help.to_owned())
}
