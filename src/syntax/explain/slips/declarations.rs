//! Slips in declarations: rules of policies, fields of entities, topics, messages.

use super::{Slip, Wanted};
use crate::syntax::explain::Place;
use crate::syntax::layout::Inside;
use crate::syntax::token::{Kind, Token};

/// Slips in a declaration.
pub fn find(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let first = place.first()?;
    match (place.unit.inside, first.kind) {
        (Inside::Policy, _) => rule(place, first),
        (Inside::Entity, Kind::ItemConsent) => Some(Slip::say("write `consent email = opt_in`")),
        (Inside::Entity, Kind::ItemPerson) => Some(Slip::say("write `person = lower(email)`")),
        (Inside::Entity, _) => field(place, wanted, found),
        (Inside::Items, kind) if kind.is_name() || kind == Kind::Text => item(place, wanted, found),
        (_, Kind::StmtTopic) => {
            let name = place.nth(1).filter(|name| name.kind.is_name()).map_or("weekly", |name| place.word(name));
            Some(Slip::say(format!("write `topic {name} \"Weekly news\" (consent: opt_in)`")))
        }
        (_, Kind::StmtEntity) => entity(place, wanted, found),
        (_, Kind::StmtMessage) => message(place, wanted, found),
        (_, Kind::StmtParam) if wanted.takes(":") => typed(place, found, place.nth(1)?),
        (_, Kind::StmtDefine) if wanted.takes(":") && found.kind != Kind::End => typed(place, found, place.before(1)?),
        (_, Kind::StmtCampaign)
            if found.kind == Kind::ParenOpen && place.before(2).is_some_and(|before| before.kind == Kind::Signal) =>
        {
            let signal = place.before(1).map_or("NAME", |name| place.word(name));
            let help = "its fields are names in the campaign; parameters of its own stand behind the campaign's name";
            Some(Slip::say(help).because(format!("only the name of the signal `{signal}` stands here")))
        }
        (_, Kind::StmtCampaign) if wanted.takes("{") && found.kind == Kind::End => {
            Some(Slip::say("the steps of a campaign stand in braces: `{ ... }`"))
        }
        _ => None,
    }
}

/// A rule of a policy: each kind has one form.
fn rule(place: &Place<'_>, first: Token) -> Option<Slip> {
    let form = match first.kind {
        Kind::ItemCap => "cap email 3 per 7d",
        Kind::ItemQuiet => "quiet sms 21:00 to 08:00 local",
        Kind::ItemWindow => "window email 09:00 to 12:00 local",
        Kind::ItemHoldout => "holdout 5%",
        _ if matches!(place.word(first), "max" | "maximum" | "limit" | "frequency" | "at") => "cap email 3 per 7d",
        _ if matches!(place.word(first), "silent" | "silence" | "night" | "no" | "mute") => {
            "quiet sms 21:00 to 08:00 local"
        }
        _ => return None,
    };
    place.first().map(|_| Slip::say(format!("write it as in `{form}`")))
}

/// `country = "FR"` as a parameter: its type is missing.
fn typed(place: &Place<'_>, found: Token, name: Token) -> Option<Slip> {
    let ty = match place.after(1).filter(|_| found.kind == Kind::Equal) {
        Some(value) if value.kind == Kind::Text => "text",
        Some(value) if matches!(value.kind, Kind::True | Kind::False) => "bool",
        Some(value) if value.kind == Kind::Percent => "percent",
        Some(value) if place.word(value).ends_with(|c: char| c.is_alphabetic()) => "duration",
        Some(value) if place.word(value).contains('.') => "decimal",
        Some(value) if place.word(value).contains('-') => "date",
        Some(_) => "int",
        None => "text",
    };
    let name = place.word(name);
    Some(Slip::say(format!("a parameter has a type: `{name}: {ty}`")))
}

/// A field of an entity.
fn field(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let first = place.first()?;
    let name = place.word(first);
    let word = place.word(found);
    let position = place.at - place.unit.start;
    if position == 1 && found.kind == Kind::Question {
        return Some(Slip::say(format!("the `?` stands behind the type: `{name}: ...?`")));
    }
    if position == 1 && wanted.takes(":") && found.kind.is_name() {
        // `key id: int`, `int id`
        let is_turned = first.kind == Kind::Key || crate::syntax::explain::is_type(name);
        let key = if first.kind == Kind::Key { " key" } else { "" };
        let ty = if first.kind == Kind::Key { "int" } else { name };
        return is_turned.then(|| Slip::say(format!("the name comes first: `{word}: {ty}{key}`")));
    }
    let ty = place.before(1)?;
    let written = place.word(ty);
    match found.kind {
        Kind::SquareOpen => {
            Some(Slip::say(format!("write `{name}: many {written} by FIELD`, with the field that leads back")))
        }
        Kind::Comma if ty.kind == Kind::Text => {
            let slip = Slip::write(place.span(found), " |").help("values are separated by `|`");
            Some(slip.repair(place.at, place.at + 1, &[]))
        }
        Kind::Pipe | Kind::Or if place.after(1).is_some_and(|next| next.kind == Kind::Null) => {
            let null = place.after(1)?;
            let slip = Slip::write(place.spread(ty, null), format!("{written}?"));
            Some(slip.here().repair(place.at, place.at + 2, &[Kind::Question]))
        }
        Kind::Pipe => Some(Slip::say(format!("values stand in quotes: `{name}: \"{written}\" | ...`"))),
        Kind::ParenOpen if written.eq_ignore_ascii_case("enum") => {
            Some(Slip::say(format!("write the values: `{name}: \"a\" | \"b\"`")))
        }
        _ if word.eq_ignore_ascii_case("references") || word.eq_ignore_ascii_case("foreign") => {
            let entity = place.after(1).map_or("customers", |next| place.word(next));
            Some(Slip::say(format!("add a line for the relation: `NAME: one {entity} by {name}`")))
        }
        kind if kind.is_name() && matches!(written, "optional" | "nullable" | "maybe") => {
            Some(Slip::write(place.spread(ty, found), format!("{word}?")))
        }
        kind if kind.is_name()
            && matches!(word, "auto" | "autoincrement" | "identity" | "serial" | "auto_increment") =>
        {
            let slip = Slip::write(place.span(found), "").help("leave it out: keys come with the rows");
            Some(slip.repair(place.at, place.at + 1, &[]))
        }
        _ => None,
    }
}

/// An item of a message or of options.
fn item(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let first = place.first()?;
    if place.at == place.unit.start && found.kind == Kind::Text {
        let name = place.word(found).trim_matches(['"', '\'']);
        let slip = Slip::write(place.span(found), name).because("names stand without quotes");
        return Some(slip.repair(place.at, place.at + 1, &[Kind::Name]));
    }
    let name = place.word(first);
    let is_text = matches!(name, "subject" | "text" | "html" | "body" | "title" | "preheader");
    let before = place.before(1)?;
    if before.kind == Kind::File {
        return Some(Slip::say("the path of a file stands in quotes: `file \"mail/welcome.html\"`"));
    }
    if !is_text {
        return None;
    }
    if wanted.operand() && found.kind == Kind::Less {
        return Some(Slip::say(
            "HTML stands in a file, `html: file \"mail/welcome.html\"`, or between `\"\"\"` and `\"\"\"`",
        ));
    }
    let touches = |token: Token| matches!(token.kind, Kind::Text | Kind::TemplateClose) && token.end == found.start;
    if touches(before) {
        return Some(Slip::say("a quote inside a text is written `\\\"`"));
    }
    let is_bare =
        before.kind.is_name() && (found.kind.is_name() || found.kind == Kind::BraceOpen || found.kind == Kind::Comma);
    is_bare.then(|| Slip::say(format!("texts stand in quotes: `{name}: \"...\"`")))
}

fn entity(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    if wanted.takes("from") && matches!(found.kind, Kind::Equal | Kind::In | Kind::At | Kind::Of | Kind::Text) {
        let slip = match found.kind {
            Kind::Text => Slip::write(place.span(found), format!("from {}", place.word(found))).repair(
                place.at,
                place.at,
                &[Kind::From],
            ),
            _ => Slip::write(place.span(found), "from").repair(place.at, place.at + 1, &[Kind::From]),
        };
        return Some(slip.help("write `from` before the place of the rows"));
    }
    if found.kind == Kind::Text && place.before(1)?.kind == Kind::File {
        let slip = Slip::write(place.span(place.before(1)?), "").help("leave `file` out: `from \"in/leads.csv\"`");
        return Some(slip.repair(place.at - 1, place.at, &[]));
    }
    let has_source = place.has_before("from");
    (has_source && matches!(found.kind, Kind::Name | Kind::ParenOpen | Kind::With)).then(|| {
        Slip::say("options stand in parentheses behind the place: `from \"in/leads.csv\" (delimiter: \";\") { ... }`")
    })
}

fn message(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    if !wanted.takes("of") {
        return None;
    }
    let position = place.at - place.unit.start;
    let channel = place.after(1).filter(|next| next.kind.is_name()).map_or("email", |next| place.word(next));
    if position == 2 && matches!(found.kind, Kind::For | Kind::On) {
        let name = place.nth(1).map_or("NAME", |name| place.word(name));
        return Some(Slip::say(format!("the channel comes first: `message {channel} {name} {{ ... }}`")));
    }
    matches!(found.kind, Kind::To | Kind::For | Kind::From).then(|| {
        let slip = Slip::write(place.span(found), "of").help("write `of` before the entity that it is about");
        slip.repair(place.at, place.at + 1, &[Kind::Of])
    })
}
