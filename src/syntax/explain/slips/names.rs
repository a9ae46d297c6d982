//! Names with blanks, dashes or quotes, and items without their colon.

use super::{Slip, Wanted};
use crate::base::did_you_mean;
use crate::syntax::explain::Place;
use crate::syntax::layout::Inside;
use crate::syntax::token::{Kind, Token};

/// Slips around a name that is declared or used.
pub fn find(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    quoted(place, wanted, found)
        .or_else(|| in_pieces(place, wanted, found))
        .or_else(|| no_colon(place, wanted, found))
        .or_else(|| field_type(place, wanted, found))
}

/// `campaign "weekly news"`
fn quoted(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let first = place.first()?;
    let wants_name = wanted.name && !wanted.operand() && !wanted.takes("TEXT");
    if found.kind != Kind::Text || !wants_name || !first.kind.begins_unit() || first.kind == Kind::StmtSend {
        return None;
    }
    let content = place.word(found).trim_matches(['"', '\'']);
    if first.kind == Kind::StmtAlert {
        let help = "name a group of people, `to ops`, whose addresses are in `orch.toml` under `[alert.ops]`";
        return Some(Slip::say(help));
    }
    let name = as_name(content)?;
    let slip = Slip::write(place.span(found), name.clone()).because("a name stands without quotes");
    Some(slip.repair(place.at, place.at + 1, &[Kind::Name]))
}

/// A text as a name, when it has letters.
fn as_name(text: &str) -> Option<String> {
    let word = |c: char| if c.is_alphanumeric() { c.to_lowercase().next().unwrap_or(c) } else { '_' };
    let name: String = text.trim().chars().map(word).collect();
    name.starts_with(|c: char| c.is_alphabetic()).then_some(name)
}

/// `segment big-spenders = ...`, `segment big spenders = ...`
fn in_pieces(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let declares = matches!(
        place.first()?.kind,
        Kind::StmtSegment
            | Kind::StmtLet
            | Kind::StmtCampaign
            | Kind::StmtDefine
            | Kind::StmtSignal
            | Kind::StmtTopic
            | Kind::StmtPolicy
            | Kind::StmtEntity
            | Kind::StmtParam
            | Kind::StmtMessage
    );
    let offset = place.at.checked_sub(place.unit.start)?;
    let name = place.before(1).filter(|before| before.kind.is_name())?;
    let is_name = offset == 2 || (offset == 3 && place.first()?.kind == Kind::StmtMessage);
    if !declares || !is_name || wanted.operand() {
        return None;
    }
    // Pieces of the name, as far as they are joined by dashes or blanks and something that ends a name follows.
    let mut pieces = vec![place.word(name)];
    let mut at = 0;
    loop {
        let dash = place.after(at).is_some_and(|token| token.kind == Kind::Minus);
        let next = place.after(at + usize::from(dash)).filter(|token| {
            token.kind == Kind::Name || (dash && (token.kind.is_name() || token.kind == Kind::Literal))
        });
        let Some(next) = next else { break };
        pieces.push(place.word(next));
        at += 1 + usize::from(dash);
    }
    let last = place.after(at.checked_sub(1)?)?;
    let ends = match place.first()?.kind {
        Kind::StmtSegment | Kind::StmtLet => place.after(at).is_some_and(|next| next.kind == Kind::Equal),
        _ => found.kind == Kind::Minus || place.after(at).is_some_and(|next| next.kind == Kind::BraceOpen),
    };
    // A word behind a campaign's name may be a part of its header, or nearly one.
    const HEADER: [&str; 11] =
        ["every", "at", "on", "cron", "in", "from", "until", "overlap", "daily", "weekly", "monthly"];
    let is_header = found.kind == Kind::Name && did_you_mean(place.word(found), HEADER).is_some();
    if !ends || pieces.len() < 2 || is_header || HEADER.contains(&place.word(found)) {
        return None;
    }
    let whole = place.written(name, last);
    let slip = Slip::write(place.spread(name, last), pieces.join("_"));
    let slip = slip.because(format!("`{whole}` is more than one word")).repair(place.at, place.at + at, &[]);
    Some(slip)
}

/// `id int key`, `subject = "x"`
fn no_colon(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let first = place.first()?;
    if !wanted.takes(":") || place.at != place.unit.start + 1 || found.kind == Kind::End {
        return None;
    }
    if !matches!(place.unit.inside, Inside::Items | Inside::Entity) {
        return None;
    }
    let name = place.word(first);
    let slip = match found.kind {
        Kind::Equal => Slip::write(place.span(found), ":").repair(place.at, place.at + 1, &[Kind::Colon]),
        _ => Slip::write(place.span(found), format!(": {}", place.word(found))).repair(
            place.at,
            place.at,
            &[Kind::Colon],
        ),
    };
    Some(slip.help(format!("write `{name}: ...`")))
}

/// What other languages write behind the type of a column.
fn field_type(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    if place.unit.inside != Inside::Entity || !wanted.takes("key") {
        return None;
    }
    let ty = place.before(1)?;
    let word = place.word(found).to_ascii_lowercase();
    let next = place.after(1);
    let next_word = next.map(|next| place.word(next).to_ascii_lowercase()).unwrap_or_default();
    match (found.kind, word.as_str()) {
        (Kind::ParenOpen, _) => {
            let close = (1..6).find_map(|ahead| place.after(ahead).filter(|token| token.kind == Kind::ParenClose))?;
            let ahead = (1..6).find(|ahead| place.after(*ahead).is_some_and(|token| token.kind == Kind::ParenClose))?;
            let slip = Slip::write(place.spread(found, close), "").help("leave it out: types have no length here");
            Some(slip.here().repair(place.at, place.at + ahead + 1, &[]))
        }
        (_, "primary") => {
            let last = next.filter(|_| next_word == "key").unwrap_or(found);
            let to = place.at + 1 + usize::from(next_word == "key");
            Some(Slip::write(place.spread(found, last), "key").repair(place.at, to, &[Kind::Key]))
        }
        (Kind::Not, _) if next_word == "null" => {
            let slip = Slip::write(place.spread(found, next?), "");
            let slip = slip.help("leave it out: a field is never null unless its type ends in `?`");
            Some(slip.repair(place.at, place.at + 2, &[]))
        }
        (_, "nullable" | "optional" | "null" | "empty") => {
            let written = place.word(ty);
            let slip = Slip::write(place.spread(ty, found), format!("{written}?"));
            Some(slip.here().repair(place.at, place.at + 1, &[Kind::Question]))
        }
        (_, "default") => {
            let slip = Slip::write(place.span(found), "=").help("a value for empty cells is written as in `= 0`");
            Some(slip.repair(place.at, place.at + 1, &[Kind::Equal]))
        }
        (_, "unique" | "required" | "mandatory" | "not") => {
            Some(Slip::write(place.span(found), "").help("leave it out").repair(place.at, place.at + 1, &[]))
        }
        _ => None,
    }
}
