use super::read;
use crate::syntax::ast::{Duration, Literal};

/// A literal as it is written in the debug form, or the help for a wrong one.
fn told(text: &str) -> String {
    match read(text) {
        Ok(Literal::Duration(Duration { months, days, seconds })) => format!("{months}mo {days}d {seconds}s"),
        Ok(literal) => format!("{literal:?}"),
        Err(fault) => {
            if let Some(fix) = &fault.fix {
                assert!(read(fix).is_ok(), "{text}: `{fix}` is wrong as well");
            }
            format!("{}: {}", fault.what, fault.help)
        }
    }
}

#[test]
fn literals_stand_for_values() {
    for (text, value) in [
        ("42", "Int(42)"),
        ("10_000", "Int(10000)"),
        ("9223372036854775807", "Int(9223372036854775807)"),
        ("19.99", "Decimal(19.99)"),
        ("1_000.50", "Decimal(1000.50)"),
        ("1e-3", "Float(0.001)"),
        ("2.5E6", "Float(2500000.0)"),
        ("10%", "Percent(0.1)"),
        ("2.5%", "Percent(0.025)"),
        ("30s", "0mo 0d 30s"),
        ("15min", "0mo 0d 900s"),
        ("2h", "0mo 0d 7200s"),
        ("2d", "0mo 2d 0s"),
        ("3w", "0mo 21d 0s"),
        ("6mo", "6mo 0d 0s"),
        ("1y", "12mo 0d 0s"),
        ("1d12h", "0mo 1d 43200s"),
        ("1_000d", "0mo 1000d 0s"),
        ("2026-11-30", "Date(2026-11-30)"),
        ("2028-02-29", "Date(2028-02-29)"),
        ("09:00", "Time(09:00:00)"),
        ("09:00:30", "Time(09:00:30)"),
        ("2026-11-30T09:00", "LocalTimestamp(2026-11-30T09:00:00)"),
        ("2026-11-30T09:00:30.5", "LocalTimestamp(2026-11-30T09:00:30.5)"),
        ("2026-11-30T09:00Z", "Timestamp(2026-11-30T09:00:00Z)"),
        ("2026-11-30T09:00+01:00", "Timestamp(2026-11-30T08:00:00Z)"),
        ("2026-11-30T23:30-01:30", "Timestamp(2026-12-01T01:00:00Z)"),
    ] {
        assert_eq!(told(text), value, "{text}");
    }
}

#[test]
fn wrong_literals_are_answered_with_right_ones() {
    for (text, answer) in [
        ("3m", "is either minutes or months: write `3min` for minutes or `3mo` for months"),
        ("1d3m", "is either minutes or months: write `3min` for minutes or `3mo` for months"),
        ("2days", "is not a duration: write `2d`"),
        ("2D", "is not a duration: write `2d`"),
        ("5hrs", "is not a duration: write `5h`"),
        ("100ms", "is not a duration: units are `s`, `min`, `h`, `d`, `w`, `mo` and `y`, as in `2d` or `1d12h`"),
        ("0x1F", "is not a duration: units are `s`, `min`, `h`, `d`, `w`, `mo` and `y`, as in `2d` or `1d12h`"),
        ("10k", "is not a number: write `10_000`"),
        ("1.5h", "has a fraction, and durations are whole: write `1h30min`"),
        ("0.5d", "has a fraction, and durations are whole: write `12h`"),
        ("0.3w", "has a fraction, and durations are whole: write a compound of whole units, as in `1d12h`"),
        ("99999y", "is too long: the longest is 9999y"),
        ("99999999999999999999d", "is too long: the longest is 9999y"),
        ("9223372036854775808", "is too large for a whole number: the largest is 9223372036854775807"),
        ("0.12345678901234567890123456789", "has more than 28 digits: write it with fewer digits"),
        ("1e999", "is too large for a number: the largest is 1.7976931348623157e308"),
        ("1__0", "has an underscore that separates nothing: write `1_0`"),
        ("10_", "has an underscore that separates nothing: write `10`"),
        ("2026-1-5", "is not written as a date: write `2026-01-05`"),
        ("2026/11/30", "is not written as a date: write `2026-11-30`"),
        ("30.11.2026", "is not written as a date: write `2026-11-30`"),
        ("11/30/2026", "is not written as a date: write `2026-11-30`"),
        ("05-06-2026", "may be read in two ways: dates are written as in `2026-11-30`: year, month, day"),
        ("2026-02-30", "is not in the calendar: February 2026 has 28 days"),
        ("2026-13-01", "is not in the calendar: dates are written as in `2026-11-30`: year, month, day"),
        ("9:00", "needs two digits in each part: write `09:00`"),
        ("9am", "uses a twelve-hour clock: write `09:00`"),
        ("9:30PM", "uses a twelve-hour clock: write `21:30`"),
        ("12am", "uses a twelve-hour clock: write `00:00`"),
        ("24:00", "is not a time of day: the day ends at `00:00` of the next"),
        ("25:61", "is not a time of day: hours go from 00 to 23, minutes and seconds from 00 to 59"),
        ("2026-11-30T", "is not a moment: a date and a time are written as in `2026-11-30T09:00`"),
        ("2026-11-30T9:00", "needs two digits in each part: write `09:00`"),
        ("2026-11-30T09:00+1", "has no known offset: write `Z` or an offset such as `+01:00`"),
        ("1%%", "is not a percentage: write it as in `10%` or `2.5%`"),
    ] {
        assert_eq!(told(text), answer, "{text}");
    }
}
