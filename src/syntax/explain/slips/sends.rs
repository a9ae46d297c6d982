//! `send` in other orders.

use super::{Slip, Wanted};
use crate::syntax::explain::Place;
use crate::syntax::token::{Kind, Token};

/// Options of a send, which stand in braces.
const OPTIONS: [&str; 10] =
    ["at", "window", "rate", "policy", "topic", "profile", "address", "late", "confirm", "require"];

/// Slips in a `send`.
pub fn find(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    place.first().filter(|first| first.kind == Kind::StmtSend)?;
    let position = place.at.checked_sub(place.unit.start)?;
    let name = place.word(place.nth(1)?);
    let word = place.word(found);
    if position >= 2 && place.nth(1)?.kind == Kind::To && !wanted.takes("{") {
        return Some(Slip::say("the channel and the message come first: `send email welcome to vip`"));
    }
    if wanted.end && found.kind == Kind::BraceOpen && place.before(2).is_some_and(|before| before.kind == Kind::As) {
        let delivery = place.before(1).map_or("first", |token| place.word(token));
        let help = format!("write the options first: `send ... to ... {{ ... }} as {delivery}`");
        return Some(Slip::say(help).because("options stand before `as`"));
    }
    if let Some(slip) = conditions_and_lists(place, wanted, found, position) {
        return Some(slip);
    }
    if wanted.takes("to") && wanted.takes("NAME") && matches!(found.kind, Kind::Text | Kind::TemplateOpen) {
        return Some(text(place, name, found));
    }
    if wanted.takes("to") && found.kind == Kind::End {
        return Some(match position {
            3 => {
                let segment = place.before(1).map_or("", |token| place.word(token));
                Slip::say(format!("write `send {name} to {segment}`, or `send {name} {segment} to SEGMENT`"))
            }
            2 => Slip::say(format!("write `send email to {name}`")),
            _ => Slip::say(format!("say to whom: `send {name} MESSAGE to SEGMENT`")),
        });
    }
    if wanted.takes("to") && position == 3 && found.kind.is_name() {
        let message = place.before(1).map_or("MESSAGE", |token| place.word(token));
        let slip = Slip::write(place.span(found), format!("to {word}"));
        let slip = slip.help(format!("write `send {name} {message} to {word}`"));
        return Some(slip.repair(place.at, place.at, &[Kind::To]));
    }
    if wanted.takes("to") && position == 2 {
        return Some(Slip::say(format!("write `send {name} MESSAGE to SEGMENT`")));
    }
    behind_population(place, wanted, found)
}

/// `if`, `when` and `after` behind a send, several channels, messages or populations in one.
fn conditions_and_lists(place: &Place<'_>, wanted: &Wanted, found: Token, position: usize) -> Option<Slip> {
    let word = place.word(found);
    let name = place.word(place.nth(1)?);
    let behind = wanted.takes("{");
    match found.kind {
        Kind::If if behind => Some(Slip::say("choose the rows with `where`, or put the send into `if ... { }`")),
        _ if behind && matches!(word, "when" | "unless" | "provided") => {
            Some(Slip::say("choose the rows with `where`, or put the send into `if ... { }`"))
        }
        _ if behind && matches!(word, "after" | "later" | "tomorrow" | "then") => {
            Some(Slip::say("write `wait 2d` in a line of its own, before this one"))
        }
        Kind::In if !behind && position >= 2 => {
            Some(Slip::say("write `wait 2d` in a line of its own, before this one"))
        }
        Kind::Comma if behind => {
            let rows = place.operand_before(1).map_or("a", |(first, last)| place.written(first, last));
            let other = place.operand_after(1).map_or("b", |(first, last)| place.written(first, last));
            Some(Slip::say(format!(
                "join populations of one entity: `({rows} union {other})`, or write a send for each"
            )))
        }
        Kind::Comma | Kind::And if !behind => {
            Some(Slip::say("one send has one channel and one message: write a line for each"))
        }
        Kind::Minus if position == 2 && name == "e" => {
            let mail = place.after(1)?;
            Some(Slip::write(place.spread(place.nth(1)?, mail), "email"))
        }
        _ => None,
    }
}

/// `send sms "Your order is ready" to vip`
fn text(place: &Place<'_>, channel: &str, found: Token) -> Slip {
    let content = place.word(found).trim_matches(['"', '\'']);
    let is_name = !content.is_empty() && content.chars().all(|c| c.is_alphanumeric() || c == '_');
    if is_name && found.kind == Kind::Text {
        let slip = Slip::write(place.span(found), content).because("a message's name stands without quotes");
        return slip.repair(place.at, place.at + 1, &[Kind::Name]);
    }
    let field = if channel == "email" { "subject: \"...\"; text: \"...\"" } else { "body: \"...\"" };
    let help = format!(
        "declare it, `message {channel} NAME {{ {field} }}`, and send it by its name: `send {channel} NAME to ...`"
    );
    Slip::say(help).because("a send names a message, and does not hold its text")
}

/// What stands behind the population.
fn behind_population(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let word = place.word(found);
    if matches!(word, "via" | "through" | "using" | "over") && wanted.takes("{") {
        return Some(Slip::say("the channel comes first: `send email welcome to vip`"));
    }
    // `send email to vip with welcome`
    if found.kind == Kind::End && place.before(2).is_some_and(|before| before.kind == Kind::With) {
        let message = place.before(1).map_or("MESSAGE", |token| place.word(token));
        return Some(Slip::say(format!("the message stands before `to`: `send email {message} to SEGMENT`")));
    }
    if found.kind == Kind::Name && wanted.takes("{") && place.before(1).is_some_and(|before| before.kind == Kind::Name)
    {
        let first = place.before(1).map_or("", |before| place.word(before));
        if !OPTIONS.contains(&word) && place.before(2).is_some_and(|before| before.kind == Kind::To) {
            let name = format!("{first}_{word}");
            return Some(Slip::say(format!("names are one word: write `{name}` if that is what it is called")));
        }
    }
    let is_option = OPTIONS.contains(&word) || matches!(found.kind, Kind::From | Kind::On | Kind::In | Kind::By);
    if is_option && wanted.takes("{") {
        let last = place.operand_after(1).map(|(_, last)| last);
        let rest = last.zip(place.after(1)).map_or("...", |(last, first)| place.written(first, last));
        if word == "at" && rest.contains(':') && !rest.contains('-') {
            let ends = last.is_some_and(|last| place.tokens.get(place.unit.end.wrapping_sub(1)) == Some(&last));
            let options = format!("{{ at: {rest} local }}");
            let slip = Slip::say(format!("options stand in braces: `{options}`, at each person's own time"));
            let fix = last.filter(|_| ends).map(|last| (place.spread(found, last), options));
            return Some(Slip { fix, ..slip });
        }
        let option = if OPTIONS.contains(&word) { word } else { "at" };
        return Some(Slip::say(format!("options stand in braces: `{{ {option}: {rest} }}`")));
    }
    // `send email welcome to vip (at: 09:00 local)`
    if found.kind == Kind::Local && place.in_named_args_of_any() {
        return Some(Slip::say("options stand in braces: `{ at: 09:00 local }`"));
    }
    None
}
