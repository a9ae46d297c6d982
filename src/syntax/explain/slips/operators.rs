//! Operators in words, and operators that are not used like that.

use super::{Slip, Wanted};
use crate::syntax::explain::Place;
use crate::syntax::token::{Kind, Token};

/// Operators as people and other languages write them; the longest first.
const WORDS: &[(&str, &str)] = &[
    ("greater than or equal to", ">="),
    ("greater or equal", ">="),
    ("greater than", ">"),
    ("greater", ">"),
    ("less than or equal to", "<="),
    ("less or equal", "<="),
    ("less than", "<"),
    ("less", "<"),
    ("more than", ">"),
    ("older than", "<"),
    ("newer than", ">"),
    ("higher than", ">"),
    ("lower than", "<"),
    ("at least", ">="),
    ("at most", "<="),
    ("above", ">"),
    ("over", ">"),
    ("below", "<"),
    ("under", "<"),
    ("after", ">"),
    ("since", ">="),
    ("before", "<"),
    ("equal to", "="),
    ("equals", "="),
    ("equal", "="),
    ("eq", "="),
    ("neq", "!="),
    ("ne", "!="),
    ("gt", ">"),
    ("gte", ">="),
    ("lt", "<"),
    ("lte", "<="),
    ("xor", "!="),
];

/// Functions that people write between their arguments.
const FUNCTIONS: &[(&str, &str)] = &[
    ("contains", "contains"),
    ("contain", "contains"),
    ("includes", "contains"),
    ("has", "contains"),
    ("starts with", "starts_with"),
    ("starts_with", "starts_with"),
    ("startswith", "starts_with"),
    ("begins with", "starts_with"),
    ("ends with", "ends_with"),
    ("ends_with", "ends_with"),
    ("endswith", "ends_with"),
    ("matches", "matches"),
    ("regexp", "matches"),
    ("rlike", "matches"),
];

/// Slips around an operator.
pub fn find(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let is_comparison = |kind| (Kind::Equal..=Kind::GreaterEqual).contains(&kind);
    let before = place.before(1)?;
    if let Some(slip) = negated_function(place, found).filter(|_| !wanted.operand()) {
        return Some(slip);
    }
    match found.kind {
        Kind::Between | Kind::In | Kind::Like | Kind::Not if before.kind == Kind::Is => {
            let slip = Slip::write(place.span(before), "").because("`is` is too much here").help("leave the `is` out");
            Some(slip.repair(place.at - 1, place.at, &[]))
        }
        kind if before.kind == Kind::Is && is_comparison(kind) => {
            let slip = Slip::write(place.span(before), "").because("`is` is too much here").help("leave the `is` out");
            Some(slip.repair(place.at - 1, place.at, &[]))
        }
        kind if kind.is_name() && one_of(place, found).is_some() => one_of(place, found),
        kind if kind.is_name() && before.kind == Kind::Is && phrase(place, found, WORDS).is_some() => {
            let slip = in_words(place, found)?;
            let from = place.at - 1;
            let span = place.spread(before, found).to(slip.span.unwrap_or(place.span(found)));
            let sign = slip.fix.as_ref().map(|(_, sign)| sign.clone())?;
            let repair = slip.repair.map(|repair| super::Repair { from, ..repair });
            Some(Slip { fix: Some((span, sign)), span: Some(span), repair, ..slip })
        }
        _ if before.kind == Kind::Is || (before.kind == Kind::Not && behind_is(place)) => is(place, found),
        _ if before.kind == Kind::Not && wanted.takes("like") && !wanted.operand() => {
            let slip = Slip::write(place.span(before), "!=").because("`not` stands before a condition, not in it");
            Some(slip.repair(place.at - 1, place.at, &[Kind::NotEqual]))
        }
        Kind::Equal if is_comparison(before.kind) => Some(Slip::say("write the operator once")),
        kind if is_comparison(kind) && wanted.operand() && matches!(before.kind, Kind::And | Kind::Or) => {
            half_comparison(place, found)
        }
        kind if is_comparison(kind) && !wanted.operand() && wanted.takes("and") => {
            Some(Slip::say("comparisons do not chain: write `a < b and b < c`"))
        }
        kind if kind.is_name() && !wanted.operand() && wanted.takes("=") && wanted.takes("+") => {
            in_words(place, found).or_else(|| function(place, found))
        }
        _ => None,
    }
}

/// `tier is one of ("gold", "silver")`, `tier any of (...)`
fn one_of(place: &Place<'_>, found: Token) -> Option<Slip> {
    let is_word = matches!(place.word(found), "one" | "any" | "either") || found.kind == Kind::One;
    let of = place.after(1).filter(|of| of.kind == Kind::Of && is_word)?;
    place.after(2).filter(|open| open.kind == Kind::ParenOpen)?;
    let is = place.before(1).filter(|before| before.kind == Kind::Is);
    let slip = Slip::write(place.spread(is.unwrap_or(found), of), "in");
    let slip = slip.because(format!("`{}` is not an operator", place.written(found, of)));
    Some(slip.repair(place.at - usize::from(is.is_some()), place.at + 2, &[Kind::In]))
}

fn behind_is(place: &Place<'_>) -> bool {
    place.before(2).is_some_and(|before| before.kind == Kind::Is)
}

/// `opt_in is true`, `tier is "gold"`, `tier is not "gold"`
fn is(place: &Place<'_>, found: Token) -> Option<Slip> {
    let negated = behind_is(place) && place.before(1)?.kind == Kind::Not;
    let word = place.before(if negated { 2 } else { 1 })?;
    let (first, last) = place.operand_before(if negated { 3 } else { 2 })?;
    let operand = place.written(first, last);
    let message = "`is` tests for `null` and `empty` only";
    if matches!(found.kind, Kind::True | Kind::False) {
        let affirmed = (found.kind == Kind::True) != negated;
        let condition = if affirmed { operand.to_owned() } else { format!("not {operand}") };
        return Some(Slip::write(place.spread(first, found), condition).because(message));
    }
    if !found.kind.is_literal() && !found.kind.is_name() {
        return None;
    }
    let (sign, kind) = if negated { ("!=", Kind::NotEqual) } else { ("=", Kind::Equal) };
    let from = place.at - if negated { 2 } else { 1 };
    let span = place.spread(word, place.before(1)?);
    let value = place.word(found);
    let slip = Slip::write(span, sign).help(format!("write `{operand} {sign} {value}`")).because(message);
    if found.kind == Kind::Name {
        // A word without quotes may be a field or a value: that is looked at when the sign is right.
        let slip = slip.help(format!("write `{operand} {sign} \"{value}\"`, or without quotes for a field"));
        return Some(slip);
    }
    Some(slip.repair(from, place.at, &[kind]))
}

/// `spend > 500 and < 1000`
fn half_comparison(place: &Place<'_>, found: Token) -> Option<Slip> {
    // What is compared stands before the comparison before.
    let (first, _) = place.operand_before(2)?;
    let back = (1..).find(|back| place.before(*back).is_none_or(|token| token.start == first.start))?;
    place.before(back + 1).filter(|sign| (Kind::Equal..=Kind::GreaterEqual).contains(&sign.kind))?;
    let (first, last) = place.operand_before(back + 2)?;
    let operand = place.written(first, last);
    let word = place.word(found);
    let slip = Slip::write(place.span(found), format!("{operand} {word}"));
    let (and, value) = (place.word(place.before(1)?), place.after(1).map_or("...", |value| place.word(value)));
    Some(
        slip.help(format!("say again what is compared: `... {and} {operand} {word} {value}`"))
            .because("nothing stands before this operator"),
    )
}

/// The first of the phrases that begins at the rejected token, its last token, and what it stands for.
fn phrase<'p>(place: &Place<'_>, found: Token, known: &'p [(&str, &str)]) -> Option<(Token, usize, &'p str)> {
    known.iter().find_map(|(phrase, right)| {
        let mut last = found;
        let mut length = 0;
        for word in phrase.split(' ') {
            last = if length == 0 { found } else { place.after(length)? };
            if !place.word(last).eq_ignore_ascii_case(word) {
                return None;
            }
            length += 1;
        }
        Some((last, length, *right))
    })
}

fn in_words(place: &Place<'_>, found: Token) -> Option<Slip> {
    let (last, length, sign) = phrase(place, found, WORDS)?;
    if let Some(slip) = age(place, found, (length, sign)) {
        return Some(slip);
    }
    // `row_number() over (...)`
    if place.word(found).eq_ignore_ascii_case("over") && place.after(1).is_some_and(|next| next.kind == Kind::ParenOpen)
    {
        let help = "rows of a group are chosen with `dedupe by FIELD keep 3 prefer OTHER desc`";
        return Some(Slip::say(help).because("there are no windows here"));
    }
    let kind = match sign {
        "=" => Kind::Equal,
        "!=" => Kind::NotEqual,
        "<" => Kind::Less,
        "<=" => Kind::LessEqual,
        ">" => Kind::Greater,
        _ => Kind::GreaterEqual,
    };
    let written = place.written(found, last);
    let slip = Slip::write(place.spread(found, last), sign).because(format!("`{written}` is not an operator"));
    Some(slip.repair(place.at, place.at + length, &[kind]))
}

/// `older than 30 days`
fn age(place: &Place<'_>, found: Token, (length, sign): (usize, &str)) -> Option<Slip> {
    if !matches!(place.word(found), "older" | "newer" | "younger") {
        return None;
    }
    let value = place.after(length).filter(|value| value.kind == Kind::Literal)?;
    let unit = place.after(length + 1).filter(|unit| unit.kind.is_name());
    let last = unit.unwrap_or(value);
    let written: String = place.written(value, last).split_whitespace().collect();
    let written = match crate::syntax::literal::read(&written) {
        Ok(_) => written,
        Err(fault) => fault.fix?,
    };
    let slip = Slip::write(place.spread(found, last), format!("{sign} ago({written})"));
    let kind = if sign == "<" { Kind::Less } else { Kind::Greater };
    let end = place.at + length + 1 + usize::from(unit.is_some());
    Some(slip.because("an age is a moment that lies so far back").repair(place.at, end, &[kind, Kind::Bad]))
}

/// `city does not contain "x"`, `city not contains "x"`
fn negated_function(place: &Place<'_>, found: Token) -> Option<Slip> {
    let does = matches!(place.word(found), "does" | "do") && place.after(1).is_some_and(|not| not.kind == Kind::Not);
    let not = place.before(1).is_some_and(|before| before.kind == Kind::Not);
    let (start, operand) = match (does, not) {
        (true, _) => (2, place.operand_before(1)?),
        (_, true) => (0, place.operand_before(2)?),
        _ => return None,
    };
    let name = place.after(start).or_else(|| (start == 0).then_some(found))?;
    let (_, function) = FUNCTIONS.iter().find(|(theirs, _)| {
        let first = theirs.split([' ', '_']).next().unwrap_or(theirs);
        place.word(name).trim_end_matches('s') == first.trim_end_matches('s') || place.word(name) == *theirs
    })?;
    let with = place.after(start + 1).is_some_and(|next| next.kind == Kind::With);
    let value = place.operand_after(start + 1 + usize::from(with));
    let value = value.map_or("\"...\"", |(first, last)| place.written(first, last));
    let call = format!("not {function}({}, {value})", place.written(operand.0, operand.1));
    let message = format!("`{}` is not an operator", place.word(name));
    Some(Slip::say(format!("write `{call}`")).because(message))
}

fn function(place: &Place<'_>, found: Token) -> Option<Slip> {
    if place.word(found).eq_ignore_ascii_case("ilike") {
        let (first, last) = place.operand_before(1)?;
        let slip = Slip::write(place.spread(first, found), format!("lower({}) like", place.written(first, last)));
        let slip = slip.help(format!("write `lower({}) like \"...\"`", place.written(first, last)));
        return Some(slip.here().because("`ilike` is not an operator"));
    }
    let (last, length, function) = phrase(place, found, FUNCTIONS)?;
    let (first, end) = place.operand_before(1)?;
    let operand = place.written(first, end);
    let written = place.written(found, last);
    let message = format!("`{written}` is not an operator");
    let slip = match place.operand_after(length) {
        Some((from, to)) => {
            let call = format!("{function}({operand}, {})", place.written(from, to));
            Slip { span: Some(place.spread(found, last)), ..Slip::write(place.spread(first, to), call) }
        }
        None => Slip::say(format!("write `{function}({operand}, \"...\")`")),
    };
    Some(slip.because(message))
}
