//! One cell of text as a typed value.
//!
//! The rules are strict, because a value that is silently read as something else ends up in a message: nothing is
//! guessed, and what is not understood is a bad cell. Spaces around a value that is not text are ignored. An empty
//! cell, quoted or not, is null.
//!
//! | kind | cells |
//! |---|---|
//! | bool | `true` `false` `yes` `no` `1` `0`, in any case |
//! | int | digits with an optional sign |
//! | float | what Rust reads as a finite `f64` |
//! | decimal | digits with an optional sign and decimal point, at most 38 digits, 18 decimals |
//! | percent | the same, as a share (`0.03`) or followed by `%` (`3%`) |
//! | date | `2026-01-05`, or as `date_format` says |
//! | time | `09:00`, `09:00:30`, with up to nine decimals |
//! | timestamp | date, `T` or a space, time, then `Z`, an offset or nothing: the project's time zone |

use jiff::tz::TimeZone;

use super::columns::Kind;
use super::options::NumberFormat;
use crate::base::did_you_mean;

/// The most decimals of a decimal.
pub(crate) const MAX_SCALE: u8 = 18;

/// A typed value. A text is not copied: `Text` says that the cell's own text is the value.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Cell {
    Null,
    /// The column's default.
    Default,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// In units of the column's scale.
    Decimal(i128),
    Text,
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds since 1970-01-01T00:00Z.
    Timestamp(i64),
}

/// Why a cell has no value.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Bad {
    /// What to say after the value.
    Reason(String),
    /// The column needs this many decimals.
    Scale(u8),
}

/// What typing a cell depends on besides its column.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// Where timestamps without offset are.
    pub zone: TimeZone,
    /// A `strptime` format for dates, instead of ISO 8601.
    pub date_format: Option<String>,
    pub numbers: NumberFormat,
}

/// For numbers whose signs are the usual ones already.
const PLAIN: Reading = Reading { zone: TimeZone::UTC, date_format: None, numbers: NumberFormat::PLAIN };

/// Types `text`, which is not empty, as a cell of `kind`; decimals get `scale` decimals.
pub(crate) fn parse(text: &str, kind: &Kind, scale: u8, reading: &Reading) -> Result<Cell, Bad> {
    let value = match kind {
        Kind::Text => return Ok(Cell::Text),
        Kind::OneOf { what, values } => return one_of(text, what, values),
        _ => text.trim_ascii(),
    };
    if value.is_empty() {
        return Ok(Cell::Null);
    }
    if reading.numbers != NumberFormat::PLAIN && kind.is_number() {
        let plain = plain_number(value, reading.numbers).ok_or_else(|| not_a(kind.words()))?;
        return parse(&plain, kind, scale, &PLAIN);
    }
    let cell = match kind {
        Kind::Bool => boolean(value).map(Cell::Bool),
        Kind::Int => return integer(value).map(Cell::Int),
        Kind::Float => value.parse().ok().filter(|float: &f64| float.is_finite()).map(Cell::Float),
        Kind::Decimal => return decimal(value, scale, 0, "decimal").map(Cell::Decimal),
        Kind::Percent => {
            let (digits, shift) = value.strip_suffix('%').map_or((value, 0), |digits| (digits.trim_ascii_end(), 2));
            return decimal(digits, scale, shift, "percent").map(Cell::Decimal);
        }
        Kind::Date => date(value, reading.date_format.as_deref()).map(Cell::Date),
        Kind::Time => time(value.as_bytes()).map(Cell::Time),
        Kind::Timestamp => return timestamp(value, &reading.zone),
        Kind::Json => serde_json::from_str::<serde::de::IgnoredAny>(value).ok().map(|_| Cell::Text),
        Kind::Text | Kind::OneOf { .. } => Some(Cell::Text),
    };
    cell.ok_or_else(|| not_a(kind.words()))
}

fn not_a(what: &str) -> Bad {
    let article = if what.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    let shape = match what {
        "date" => ", which looks like 2026-01-05",
        "time" => ", which looks like 09:00",
        "timestamp" => ", which looks like 2026-01-05T09:00:00Z",
        "bool" => ", which is true or false, yes or no, 1 or 0",
        "json" => return Bad::Reason("is not valid json".to_owned()),
        _ => "",
    };
    Bad::Reason(format!("is not {article} {what}{shape}"))
}

pub(crate) fn one_of(text: &str, what: &str, values: &[String]) -> Result<Cell, Bad> {
    if values.iter().any(|value| value == text) {
        return Ok(Cell::Text);
    }
    let names = || values.iter().map(String::as_str);
    let article = if what.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    Err(Bad::Reason(match did_you_mean(text.trim(), names()) {
        Some(near) => format!("is not {article} {what}; did you mean `{near}`?"),
        None if text.trim() != text && names().any(|name| name == text.trim()) => {
            format!("is not {article} {what}, because of the spaces around it")
        }
        None => {
            let shown: Vec<_> = names().take(8).map(|name| format!("`{name}`")).collect();
            let more = if values.len() > shown.len() { ", ..." } else { "" };
            format!("is not {article} {what}: {}{more}", shown.join(", "))
        }
    }))
}

/// `1.234,50` as `1234.50`; `None` when the signs are not where the format has them.
fn plain_number(text: &str, format: NumberFormat) -> Option<String> {
    let (whole, fraction) = match text.split_once(format.decimal) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    // A point that is not the decimal sign must not become one.
    if fraction.is_some_and(|fraction| fraction.contains(['.', format.decimal])) {
        return None;
    }
    let mut plain = match format.thousands {
        Some(sign) if whole.contains(sign) => {
            let mut groups = whole.trim_start_matches(['-', '+']).split(sign);
            let first = groups.next().is_some_and(|group| (1..=3).contains(&group.len()));
            if !first || !groups.all(|group| group.len() == 3) {
                return None;
            }
            whole.replace(sign, "")
        }
        _ if format.decimal != '.' && whole.contains('.') => return None,
        _ => whole.to_owned(),
    };
    if let Some(fraction) = fraction {
        plain.push('.');
        plain.push_str(fraction);
    }
    Some(plain)
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" => Some(true),
            "false" | "no" => Some(false),
            _ => None,
        },
    }
}

fn integer(text: &str) -> Result<i64, Bad> {
    text.parse().map_err(|error: std::num::ParseIntError| match error.kind() {
        std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => {
            Bad::Reason("is too large for an int".to_owned())
        }
        _ => not_a("int"),
    })
}

/// Reads a decimal as units of `scale` decimals, after moving its point `shift` places to the left.
fn decimal(text: &str, scale: u8, shift: u8, what: &str) -> Result<i128, Bad> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    let point = digits.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = match point {
        Some(at) => (&digits[..at], &digits[at + 1..]),
        None => (digits, &digits[..0]),
    };
    let all_digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
        return Err(not_a(what));
    }
    let zeros = fraction.iter().rev().take_while(|digit| **digit == b'0').count();
    let fraction = &fraction[..fraction.len() - zeros];
    let decimals = fraction.len() + usize::from(shift);
    if decimals > usize::from(MAX_SCALE) {
        return Err(Bad::Reason(format!("has more than {MAX_SCALE} decimals")));
    }
    let units = units(whole, fraction, usize::from(scale).saturating_sub(decimals));
    let Some(units) = units else { return Err(Bad::Reason("has more than 38 digits".to_owned())) };
    // A share such as `3%` may be zero in its last places: 300% needs none.
    if decimals > usize::from(scale) {
        return Err(Bad::Scale(decimals as u8));
    }
    Ok(if negative { -units } else { units })
}

/// The digits as one number with `zeros` zeros behind it; `None` when it has more than 38 digits.
fn units(whole: &[u8], fraction: &[u8], zeros: usize) -> Option<i128> {
    const LIMIT: i128 = 10i128.pow(38);
    let digits = whole.iter().chain(fraction);
    let number = if whole.len() + fraction.len() <= 18 {
        i128::from(digits.fold(0u64, |number, digit| number * 10 + u64::from(digit - b'0')))
    } else {
        digits.copied().try_fold(0i128, |number, digit| {
            number.checked_mul(10)?.checked_add(i128::from(digit - b'0')).filter(|number| *number < LIMIT)
        })?
    };
    number.checked_mul(10i128.pow(zeros as u32)).filter(|number| *number < LIMIT)
}

fn date(text: &str, format: Option<&str>) -> Option<i32> {
    let date = match format {
        Some(format) => jiff::civil::Date::strptime(format, text).ok()?,
        None => iso_date(text.as_bytes())?,
    };
    Some(days(date))
}

fn iso_date(text: &[u8]) -> Option<jiff::civil::Date> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let year = i16::from(number([*y1, *y2])?) * 100 + i16::from(number([*y3, *y4])?);
    jiff::civil::Date::new(year, number([*m1, *m2])?, number([*d1, *d2])?).ok()
}

fn number([tens, ones]: [u8; 2]) -> Option<i8> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| ((tens - b'0') * 10 + ones - b'0') as i8)
}

/// Days since 1970-01-01.
pub(crate) fn days(date: jiff::civil::Date) -> i32 {
    // The usual arithmetic on a year that begins in March, with eras of 400 years.
    let (month, day) = (i32::from(date.month()), i32::from(date.day()));
    let year = i32::from(date.year()) - i32::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Microseconds since midnight. Finer decimals are cut off.
fn time(text: &[u8]) -> Option<i64> {
    let (seconds, rest) = match text {
        [h1, h2, b':', m1, m2, rest @ ..] => (hours_minutes([*h1, *h2], [*m1, *m2])?, rest),
        _ => return None,
    };
    let (second, rest) = match rest {
        [b':', s1, s2, rest @ ..] => (number([*s1, *s2]).filter(|second| *second < 60)?, rest),
        _ => (0, rest),
    };
    let micros = match rest {
        [] => 0,
        [b'.', decimals @ ..] if (1..=9).contains(&decimals.len()) && decimals.iter().all(u8::is_ascii_digit) => {
            (0..6).fold(0, |micros, at| micros * 10 + decimals.get(at).map_or(0, |digit| i64::from(digit - b'0')))
        }
        _ => return None,
    };
    Some((seconds + i64::from(second)) * 1_000_000 + micros)
}

/// Seconds.
fn hours_minutes(hours: [u8; 2], minutes: [u8; 2]) -> Option<i64> {
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then(|| i64::from(hours) * 3600 + i64::from(minutes) * 60)
}

fn timestamp(text: &str, zone: &TimeZone) -> Result<Cell, Bad> {
    instant(text.as_bytes(), zone).map(Cell::Timestamp).ok_or_else(|| match iso_date(text.as_bytes()) {
        Some(_) => Bad::Reason("is not a timestamp, because it has no time of day".to_owned()),
        None => not_a("timestamp"),
    })
}

fn instant(text: &[u8], zone: &TimeZone) -> Option<i64> {
    let (day, rest) = text.split_at_checked(10)?;
    let day = iso_date(day)?;
    let [b'T' | b' ', rest @ ..] = rest else { return None };
    let (clock, offset) = match rest.iter().position(|byte| matches!(byte, b'Z' | b'+' | b'-')) {
        Some(at) => (&rest[..at], Some(offset(&rest[at..])?)),
        None => (rest, None),
    };
    let clock = time(clock)?;
    match offset {
        Some(offset) => Some((i64::from(days(day)) * 86_400 - offset) * 1_000_000 + clock),
        None => in_zone(i64::from(days(day)) * 86_400_000_000 + clock, zone),
    }
}

/// Seconds east of UTC.
fn offset(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        [b'Z'] => return Some(0),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    match digits {
        [h1, h2, b':', m1, m2] | [h1, h2, m1, m2] => Some(sign * hours_minutes([*h1, *h2], [*m1, *m2])?),
        [h1, h2] => Some(sign * hours_minutes([*h1, *h2], *b"00")?),
        _ => None,
    }
}

/// A civil date and time, in microseconds as if it were UTC, as an instant of `zone`. In a gap the time moves
/// forward, in a fold the earlier instant is taken.
pub(crate) fn in_zone(civil_micros: i64, zone: &TimeZone) -> Option<i64> {
    let civil = jiff::Timestamp::from_microsecond(civil_micros).ok()?;
    if zone.to_fixed_offset().is_ok_and(|offset| offset.is_zero()) {
        return Some(civil_micros);
    }
    let civil = TimeZone::UTC.to_datetime(civil);
    zone.to_ambiguous_timestamp(civil).compatible().ok().map(jiff::Timestamp::as_microsecond)
}
