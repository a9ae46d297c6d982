//! What numbers, durations, dates and times stand for, and what is wrong with those that stand for nothing.

use jiff::civil::{Date, DateTime, Time};
use rust_decimal::Decimal;

use super::ast::{Duration, Literal};

#[cfg(test)]
mod tests;

/// Why a literal has no value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// What is wrong, without the literal itself: "is not a duration".
    pub what: String,
    /// What to write instead.
    pub help: String,
    /// The literal to write, when there is only one that can be meant.
    pub fix: Option<String>,
}

impl Fault {
    fn new(what: &str, help: impl Into<String>) -> Self {
        Self { what: what.to_owned(), help: help.into(), fix: None }
    }

    fn respell(what: &str, fix: String) -> Self {
        Self { what: what.to_owned(), help: format!("write `{fix}`"), fix: Some(fix) }
    }
}

/// Reads a literal that begins with a digit.
pub fn read(text: &str) -> Result<Literal, Fault> {
    if let Some(number) = text.strip_suffix('%') {
        return percent(number);
    }
    let separators = text.bytes().take(10).filter(|byte| matches!(byte, b'-' | b'/')).count();
    let dots = text.bytes().filter(|byte| *byte == b'.').count();
    let lower = text.to_ascii_lowercase();
    if separators == 2 || (dots == 2 && !text.contains(':')) {
        date_or_timestamp(text)
    } else if text.contains(':') || is_clock(&lower) {
        time(&lower).map(Literal::Time)
    } else if text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'_' | b'.')) {
        number(text)
    } else if let Some(value) = float(text) {
        value
    } else {
        duration(text)
    }
}

fn percent(number: &str) -> Result<Literal, Fault> {
    match digits(number).parse::<Decimal>().ok().and_then(|value| value.checked_div(Decimal::ONE_HUNDRED)) {
        Some(value) => Ok(Literal::Percent(value.normalize())),
        None => Err(Fault::new("is not a percentage", "write it as in `10%` or `2.5%`")),
    }
}

fn digits(text: &str) -> String {
    text.replace('_', "")
}

fn number(text: &str) -> Result<Literal, Fault> {
    if text.ends_with('_') || text.contains("__") || text.contains("_.") {
        return Err(Fault::respell(
            "has an underscore that separates nothing",
            text.split('_').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_").replace("_.", "."),
        ));
    }
    let plain = digits(text);
    if text.contains('.') {
        let value = Decimal::from_str_exact(&plain);
        return value
            .map(Literal::Decimal)
            .map_err(|_| Fault::new("has more than 28 digits", "write it with fewer digits"));
    }
    plain
        .parse()
        .map(Literal::Int)
        .map_err(|_| Fault::new("is too large for a whole number", format!("the largest is {}", i64::MAX)))
}

/// `1e-3`; `None` when the text has another shape.
fn float(text: &str) -> Option<Result<Literal, Fault>> {
    let plain = digits(text);
    let (mantissa, exponent) = plain.split_once(['e', 'E'])?;
    let is_exponent =
        !exponent.is_empty() && exponent.trim_start_matches(['+', '-']).bytes().all(|b| b.is_ascii_digit());
    if !is_exponent || !mantissa.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.')) {
        return None;
    }
    Some(match plain.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Literal::Float(value)),
        _ => Err(Fault::new("is too large for a number", format!("the largest is {:e}", f64::MAX))),
    })
}

// ---------------------------------------------------------------------------------------------------- durations

/// Longest durations; beyond them the calendar ends.
const MAX_YEARS: i64 = 9_999;

fn duration(text: &str) -> Result<Literal, Fault> {
    let mut total = Duration::default();
    let mut rest = text;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !matches!(c, '0'..='9' | '_' | '.')).unwrap_or(rest.len());
        let unit_end = rest[number_end..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |at| number_end + at);
        let (amount, unit) = (&rest[..number_end], &rest[number_end..unit_end]);
        if amount.contains('.') {
            return Err(fraction(text, amount, unit));
        }
        let amount: Option<i64> = digits(amount).parse().ok();
        let added = match (amount, unit_factor(unit)) {
            (_, None) => return Err(unknown_unit(text, amount, unit)),
            (None, _) => None,
            (Some(amount), Some(factor)) => add(total, amount, factor),
        };
        total = added.ok_or_else(|| Fault::new("is too long", format!("the longest is {MAX_YEARS}y")))?;
        rest = &rest[unit_end..];
    }
    Ok(Literal::Duration(total))
}

/// One of a unit.
fn unit_factor(unit: &str) -> Option<Duration> {
    let one = Duration::default();
    Some(match unit {
        "s" => Duration { seconds: 1, ..one },
        "min" => Duration { seconds: 60, ..one },
        "h" => Duration { seconds: 3_600, ..one },
        "d" => Duration { days: 1, ..one },
        "w" => Duration { days: 7, ..one },
        "mo" => Duration { months: 1, ..one },
        "y" => Duration { months: 12, ..one },
        _ => return None,
    })
}

fn add(total: Duration, amount: i64, factor: Duration) -> Option<Duration> {
    let step = |total: i64, one: i64, most: i64| total.checked_add(amount.checked_mul(one)?).filter(|sum| *sum <= most);
    Some(Duration {
        months: step(total.months, factor.months, MAX_YEARS * 12)?,
        days: step(total.days, factor.days, MAX_YEARS * 366)?,
        seconds: step(total.seconds, factor.seconds, MAX_YEARS * 366 * 86_400)?,
    })
}

fn unknown_unit(text: &str, amount: Option<i64>, unit: &str) -> Fault {
    const WHAT: &str = "is not a duration";
    let lower = unit.to_ascii_lowercase();
    let right = match lower.as_str() {
        "m" => {
            let amount = amount.unwrap_or(1);
            let help = format!("write `{amount}min` for minutes or `{amount}mo` for months");
            return Fault::new("is either minutes or months", help);
        }
        "st" | "nd" | "rd" | "th" if amount.is_some() => {
            return Fault::respell("is not a number", amount.unwrap_or(1).to_string());
        }
        "k" if text.len() < 15 => {
            return Fault::respell("is not a number", format!("{}_000", amount.unwrap_or(1)));
        }
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "min" | "mins" | "minute" | "minutes" => "min",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        "w" | "wk" | "wks" | "week" | "weeks" => "w",
        "mo" | "mon" | "mos" | "month" | "months" => "mo",
        "y" | "yr" | "yrs" | "year" | "years" => "y",
        _ => return Fault::new(WHAT, "units are `s`, `min`, `h`, `d`, `w`, `mo` and `y`, as in `2d` or `1d12h`"),
    };
    Fault::respell(WHAT, text.replacen(unit, right, 1))
}

/// `1.5h`: durations are whole, but most fractions have a whole spelling.
fn fraction(text: &str, amount: &str, unit: &str) -> Fault {
    const WHAT: &str = "has a fraction, and durations are whole";
    let smaller = match unit {
        "y" => Some(("mo", 12)),
        "w" => Some(("d", 7)),
        "d" => Some(("h", 24)),
        "h" => Some(("min", 60)),
        "min" => Some(("s", 60)),
        _ => None,
    };
    let whole_spelling = smaller.filter(|_| text == format!("{amount}{unit}")).and_then(|(small, factor)| {
        let value: Decimal = digits(amount).parse().ok()?;
        let rest = (value.fract() * Decimal::from(factor)).normalize();
        let whole = value.trunc();
        let head = if whole.is_zero() { String::new() } else { format!("{whole}{unit}") };
        rest.is_integer().then(|| format!("{head}{rest}{small}"))
    });
    match whole_spelling {
        Some(fix) => Fault::respell(WHAT, fix),
        None => Fault::new(WHAT, "write a compound of whole units, as in `1d12h`"),
    }
}

// ------------------------------------------------------------------------------------------------- dates and times

/// `9am`
fn is_clock(lower: &str) -> bool {
    ["am", "pm"].iter().any(|half| lower.strip_suffix(half).is_some_and(|rest| rest.trim_end().parse::<u8>().is_ok()))
}

/// Reads lower-case `09:00` or `09:00:30.5`.
fn time(text: &str) -> Result<Time, Fault> {
    const WHAT: &str = "is not a time of day";
    const HELP: &str = "times are written as in `09:00` or `21:30:15`";
    let (clock, shift) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
        (Some(clock), _) => (clock.trim_end(), Some(0)),
        (_, Some(clock)) => (clock.trim_end(), Some(12)),
        _ => (text, None),
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let parts: Vec<&str> = clock.split(':').collect();
    let number = |at: usize| parts.get(at).map_or(Some(0), |part| part.parse::<i8>().ok());
    let (Some(hour), Some(minute), Some(second)) = (number(0), number(1), number(2)) else {
        return Err(Fault::new(WHAT, HELP));
    };
    let hour = match shift {
        Some(shift) if (1..=12).contains(&hour) => hour % 12 + shift,
        Some(_) => return Err(Fault::new(WHAT, HELP)),
        None => hour,
    };
    let nanosecond = format!("{fraction:0<9}")[..9].parse().unwrap_or(0);
    let Ok(time) = Time::new(hour, minute, second, nanosecond) else {
        let help = if hour == 24 {
            "the day ends at `00:00` of the next"
        } else {
            "hours go from 00 to 23, minutes and seconds from 00 to 59"
        };
        return Err(Fault::new(WHAT, help));
    };
    if shift.is_some() || parts.iter().any(|part| part.len() != 2) {
        let seconds = if parts.len() > 2 { format!(":{second:02}") } else { String::new() };
        let what = if shift.is_some() { "uses a twelve-hour clock" } else { "needs two digits in each part" };
        return Err(Fault::respell(what, format!("{hour:02}:{minute:02}{seconds}")));
    }
    Ok(time)
}

fn date_or_timestamp(text: &str) -> Result<Literal, Fault> {
    let Some((day, clock)) = text.split_once('T') else { return date(text).map(Literal::Date) };
    let day = date(day);
    let zone_at = clock.find(['Z', '+', '-']).unwrap_or(clock.len());
    let (clock, zone) = clock.split_at(zone_at);
    let clock = if clock.is_empty() || !clock.contains(':') {
        Err(Fault::new("is not a moment", "a date and a time are written as in `2026-11-30T09:00`"))
    } else {
        time(clock)
    };
    let (day, clock) = match (day, clock) {
        (Ok(day), Ok(clock)) => (day, clock),
        (Err(fault), _) | (_, Err(fault)) => return Err(Fault { fix: None, ..fault }),
    };
    let local = DateTime::from_parts(day, clock);
    if zone.is_empty() {
        return Ok(Literal::LocalTimestamp(local));
    }
    let seconds =
        offset(zone).ok_or_else(|| Fault::new("has no known offset", "write `Z` or an offset such as `+01:00`"))?;
    let instant = jiff::tz::Offset::from_seconds(seconds).and_then(|offset| offset.to_timestamp(local));
    instant
        .map(Literal::Timestamp)
        .map_err(|_| Fault::new("is not a moment", "the offset goes from `-25:59` to `+25:59`"))
}

/// Seconds east of Greenwich of `Z` or `+01:00`.
fn offset(zone: &str) -> Option<i32> {
    if zone == "Z" {
        return Some(0);
    }
    let (hours, minutes) = zone[1..].split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds = hours * 3_600 + minutes * 60;
    (minutes < 60).then_some(if zone.starts_with('-') { -seconds } else { seconds })
}

fn date(text: &str) -> Result<Date, Fault> {
    const HELP: &str = "dates are written as in `2026-11-30`: year, month, day";
    let parts: Vec<&str> = text.split(['-', '/', '.']).collect();
    let [first, second, third] = parts[..] else { return Err(Fault::new("is not a date", HELP)) };
    let number = |part: &str| part.parse::<i16>().unwrap_or(0);
    let (a, b, c) = (number(first), number(second), number(third));
    let (year, month, day) = match () {
        () if first.len() == 4 => (a, b, c),
        () if a > 12 => (c, b, a),
        () if b > 12 => (c, a, b),
        () => return Err(Fault::new("may be read in two ways", HELP)),
    };
    // `24/12/25` is in this century.
    let year = if year < 100 && third.len() == 2 { year + 2000 } else { year };
    let spelled = format!("{year:04}-{month:02}-{day:02}");
    let Ok(value) = Date::new(year, month as i8, day as i8) else {
        return Err(Fault::new("is not in the calendar", days_of(year, month).unwrap_or_else(|| HELP.to_owned())));
    };
    if spelled == text { Ok(value) } else { Err(Fault::respell("is not written as a date", spelled)) }
}

/// How many days the month has, when it is one.
fn days_of(year: i16, month: i16) -> Option<String> {
    let first = Date::new(year, i8::try_from(month).ok()?, 1).ok()?;
    Some(format!("{} has {} days", first.strftime("%B %Y"), first.days_in_month()))
}
