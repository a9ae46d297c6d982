//! Amounts, lengths of time and dates, written as one speaks.

use super::{Slip, Wanted};
use crate::syntax::explain::Place;
use crate::syntax::literal;
use crate::syntax::token::{Kind, Token};

/// Slips around a number.
pub fn find(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    match found.kind {
        Kind::From => range(place, found),
        kind if kind.is_name() => {
            unit(place, found).or_else(|| in_words(place, found)).or_else(|| last_days(place, found))
        }
        Kind::Comma => separators(place, found),
        Kind::Literal => {
            compound(place, found).or_else(|| last_days(place, found)).or_else(|| of_literal(place, wanted, found))
        }
        _ => None,
    }
}

/// `2 days`, `48 h`, `30 days ago`
fn unit(place: &Place<'_>, found: Token) -> Option<Slip> {
    let amount = place.before(1).filter(|before| before.kind == Kind::Literal)?;
    let number = place.word(amount);
    if !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_' || byte == b'.') {
        return None;
    }
    if matches!(place.word(found), "percent" | "pct") {
        let slip = Slip::write(place.spread(amount, found), format!("{number}%"));
        return Some(slip.because(format!("`{}` is not a share", place.written(amount, found))));
    }
    let together = format!("{number}{}", place.word(found));
    let span = place.spread(amount, found);
    let message = format!("`{}` is not a duration", place.written(amount, found));
    let respelled = match literal::read(&together) {
        Ok(_) => together,
        Err(fault) => match fault.fix {
            Some(fix) => fix,
            None if fault.what.contains("either") => {
                return Some(Slip { span: Some(span), ..Slip::say(fault.help).because(message) });
            }
            None => return None,
        },
    };
    match place.after(1).filter(|next| matches!(place.word(*next), "ago" | "before")) {
        Some(ago) => {
            let slip = Slip::write(place.spread(amount, ago), format!("ago({respelled})"));
            Some(slip.because(format!("`{}` is not a moment", place.written(amount, ago))))
        }
        None => Some(Slip::write(span, respelled).because(message)),
    }
}

/// `2d 3h`
fn compound(place: &Place<'_>, found: Token) -> Option<Slip> {
    let before = place.before(1).filter(|before| before.kind == Kind::Literal)?;
    let together = format!("{}{}", place.word(before), place.word(found));
    let is_duration = |text: &str| matches!(literal::read(text), Ok(crate::syntax::ast::Literal::Duration(_)));
    if !is_duration(place.word(before)) || !is_duration(&together) {
        return None;
    }
    let message = format!("`{}` is not a duration", place.written(before, found));
    Some(Slip::write(place.spread(before, found), together).because(message))
}

/// `two days`, `a week`
fn in_words(place: &Place<'_>, found: Token) -> Option<Slip> {
    const NUMBERS: [(&str, &str); 12] = [
        ("a", "1"),
        ("an", "1"),
        ("one", "1"),
        ("two", "2"),
        ("three", "3"),
        ("four", "4"),
        ("five", "5"),
        ("six", "6"),
        ("seven", "7"),
        ("ten", "10"),
        ("half", "0.5"),
        ("several", "2"),
    ];
    let before = place.before(1).filter(|before| before.kind.is_name())?;
    let (_, number) = NUMBERS.iter().find(|(word, _)| *word == place.word(before))?;
    let together = format!("{number}{}", place.word(found));
    let respelled = match literal::read(&together) {
        Ok(_) => together,
        Err(fault) => fault.fix?,
    };
    let message = format!("`{}` is not a duration", place.written(before, found));
    Some(Slip::write(place.spread(before, found), respelled).because(message))
}

/// `spend from 5 to 10`
fn range(place: &Place<'_>, found: Token) -> Option<Slip> {
    let low = place.after(1).filter(|low| low.kind.is_literal())?;
    place.after(2).filter(|to| to.kind == Kind::To)?;
    let high = place.after(3)?;
    let respelled = format!("between {} and {}", place.word(low), place.word(high));
    Some(Slip::write(place.spread(found, high), respelled))
}

/// `in last 30 days`, `in the last 30 days`
fn last_days(place: &Place<'_>, found: Token) -> Option<Slip> {
    const LAST: [&str; 4] = ["last", "past", "previous", "within"];
    let word = |token: Token| place.word(token).to_ascii_lowercase();
    let speaks = place.before(1).is_some_and(|before| LAST.contains(&word(before).as_str()))
        || (LAST.contains(&word(found).as_str()) && place.before(1).is_some_and(|before| word(before) == "the"));
    if !speaks {
        return None;
    }
    let field = (1..4).find_map(|back| {
        place.before(back).filter(|token| token.kind == Kind::In)?;
        place.operand_before(back + 1)
    });
    let field = field.map_or("FIELD", |(first, last)| place.written(first, last));
    Some(Slip::say(format!("write `{field} > ago(30d)`")))
}

/// `1,000`, `19,99`, `1.000,50`
fn separators(place: &Place<'_>, found: Token) -> Option<Slip> {
    let (before, after) = (place.before(1)?, place.after(1)?);
    let touching = before.end == found.start && found.end == after.start;
    let digits = |token: Token| place.word(token).bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if !touching || before.kind != Kind::Literal || after.kind != Kind::Literal || !digits(before) || !digits(after) {
        return None;
    }
    let (whole, rest) = (place.word(before), place.word(after));
    let mut last = after;
    let mut respelled = if rest.len() == 3 && !whole.contains('.') {
        format!("{whole}_{rest}")
    } else {
        format!("{}.{rest}", whole.replace('.', "_"))
    };
    // `1,000,000`
    if let (Some(comma), Some(more)) = (place.after(2), place.after(3))
        && comma.kind == Kind::Comma
        && comma.start == after.end
        && comma.end == more.start
        && digits(more)
    {
        respelled = format!("{respelled}_{}", place.word(more));
        last = more;
    }
    let written = place.written(before, last);
    Some(Slip::write(place.spread(before, last), respelled).because(format!("`{written}` is not a number")))
}

fn of_literal(place: &Place<'_>, wanted: &Wanted, found: Token) -> Option<Slip> {
    let word = place.word(found);
    let before = place.before(1)?;
    if place.before(2).is_some_and(|limit| limit.kind == Kind::Limit)
        && matches!(place.word(before), "to" | "first" | "top")
    {
        let slip = Slip::write(place.spread(before, found), word).help(format!("write `limit {word}`"));
        return Some(slip.repair(place.at - 1, place.at, &[]));
    }
    if wanted.share() {
        let share: Option<rust_decimal::Decimal> = word.parse().ok();
        let share = share.map(|share| match share <= rust_decimal::Decimal::ONE && word.contains('.') {
            true => (share * rust_decimal::Decimal::ONE_HUNDRED).normalize(),
            false => share,
        });
        // `1/3`
        let parts = place.after(1).filter(|sign| sign.kind == Kind::Slash).and(place.after(2));
        let parts: Option<rust_decimal::Decimal> = parts.and_then(|parts| place.word(parts).parse().ok());
        if let (Some(share), Some(parts)) = (share, parts.filter(|parts| !parts.is_zero())) {
            let right = (share * rust_decimal::Decimal::ONE_HUNDRED / parts).round().normalize();
            let fix = Slip::write(place.spread(found, place.after(2)?), format!("{right}%"));
            return Some(fix.help(format!("shares are percentages: write `{right}%`")).repair(
                place.at,
                place.at + 3,
                &[Kind::Percent],
            ));
        }
        let right = share.map_or_else(|| "10%".to_owned(), |share| format!("{share}%"));
        let slip =
            Slip::write(place.span(found), right.clone()).help(format!("shares are percentages: write `{right}`"));
        return Some(slip.repair(place.at, place.at + 1, &[Kind::Bad]));
    }
    if before.kind == Kind::Literal && word.contains(':') && place.word(before).contains('-') {
        let together = format!("{}T{word}", place.word(before));
        let message = format!("`{}` is not a moment", place.written(before, found));
        return Some(Slip::write(place.spread(before, found), together).because(message));
    }
    if word.contains(':') && before.kind == Kind::Name && wanted.takes("at") {
        let slip = Slip::write(place.span(found), format!("at {word}"));
        return Some(slip.repair(place.at, place.at, &[Kind::At]));
    }
    None
}
