//! Natives that turn values of one type into another. Their arguments end with the campaign's zone and today.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Date32Array, Time64MicrosecondArray};
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::Result;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use rust_decimal::Decimal;

use super::super::arithmetic::{round, scale};
use super::super::{Call, Given, Native, text};
use super::moments::{DATE, INT, instants, zone};
use crate::base::civil;
use crate::hir::Value;
use crate::plan::query::values::{self, MAX_DIGITS};

const TEXT: fn(&Given<'_>) -> DataType = |_| DataType::Utf8;
/// Digits behind the point of a decimal that was read from text.
const READ_DIGITS: i8 = 9;

pub(super) static NATIVES: &[Native] = &[
    Native { name: "to_text", returns: TEXT, compute: |c| c.texts(|row| text::canonical(&c.args[0], row)) },
    Native { name: "format_number", returns: TEXT, compute: formatted },
    Native { name: "to_int", returns: INT, compute: |c| c.ints(|row| to_int(&c.value(0, row)?)) },
    Native { name: "to_decimal", returns: decimal_type, compute: |c| c.decimals(|row| to_decimal(c, row)) },
    Native { name: "to_float", returns: |_| DataType::Float64, compute: |c| c.floats(|row| to_float(c, row)) },
    Native { name: "to_bool", returns: |_| DataType::Boolean, compute: |c| c.bools(|row| to_bool(&c.value(0, row)?)) },
    Native { name: "to_date", returns: DATE, compute: to_date },
    Native { name: "to_time", returns: |_| DataType::Time64(TimeUnit::Microsecond), compute: to_time },
    Native { name: "to_timestamp", returns: |_| values::timestamp_type(), compute: to_timestamp },
    Native {
        name: "to_email",
        returns: TEXT,
        compute: |c| c.texts(|row| Some(c.text(0, row)?.trim()).filter(|text| is_email(text)).map(str::to_owned)),
    },
    Native {
        name: "to_phone",
        returns: TEXT,
        compute: |c| c.texts(|row| Some(c.text(0, row)?.trim()).filter(|text| is_phone(text)).map(str::to_owned)),
    },
    Native {
        name: "json_text",
        returns: TEXT,
        compute: |c| {
            c.texts(|row| match json(c.text(0, row)?, c.text(1, row)?)? {
                serde_json::Value::Null => None,
                serde_json::Value::String(text) => Some(text),
                other => Some(other.to_string()),
            })
        },
    },
    Native {
        name: "json_number",
        returns: |_| DataType::Decimal128(MAX_DIGITS, READ_DIGITS),
        compute: |c| {
            c.decimals(|row| match json(c.text(0, row)?, c.text(1, row)?)? {
                serde_json::Value::Number(number) => read_decimal(&number.to_string()),
                _ => None,
            })
        },
    },
];

fn formatted(c: &Call<'_>) -> Result<ArrayRef> {
    let text = |row: usize| match format_number(c, row) {
        Some(None) => c.fail(row, "the number has too many digits to be written out"),
        text => Ok(text.flatten()),
    };
    let texts = (0..c.rows).map(text).collect::<Result<Vec<_>>>()?;
    c.texts(|row| texts[row].clone())
}

/// Null for a null; the inner `None` is a number with too many digits.
fn format_number(c: &Call<'_>, row: usize) -> Option<Option<String>> {
    let digits = c.int(1, row)?.clamp(0, 18) as u32;
    let marks = (c.text(2, row)?, c.text(3, row)?);
    let (value, given) = match c.exact(0, row) {
        Some(exact) => exact,
        None => {
            let scaled = (c.float(0, row)? * 10f64.powi(digits as i32)).round_ties_even();
            if scaled.abs() > 1e38 {
                return Some(None);
            }
            (scaled as i128, digits as i8)
        }
    };
    let given = given.max(0).unsigned_abs().into();
    match digits >= given {
        // What it has, and zeros: so that no number is too long.
        true => Some(Some(grouped(value, given, digits - given, marks))),
        false => {
            let unit = 10i128.checked_pow(given - digits);
            Some(unit.map(|unit| grouped(round(value, unit), digits, 0, marks)))
        }
    }
}

/// A number of so many digits and zeros behind the point, with signs between thousands and before the digits.
fn grouped(value: i128, digits: u32, zeros: u32, (thousands, point): (&str, &str)) -> String {
    let number = format!("{:0>width$}", value.unsigned_abs(), width = digits as usize + 1);
    let (whole, fraction) = number.split_at(number.len() - digits as usize);
    let mut text = String::from(if value < 0 { "-" } else { "" });
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push_str(thousands);
        }
        text.push(digit);
    }
    if digits + zeros > 0 {
        text.push_str(point);
        text.push_str(fraction);
        text.extend((0..zeros).map(|_| '0'));
    }
    text
}

fn to_int(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) => Some(*value),
        Value::Decimal(value) => i64::try_from(value.trunc().mantissa()).ok(),
        Value::LongDecimal(value) => i64::try_from(value.units / 10i128.pow(value.scale.into())).ok(),
        Value::Float(value) => (value.abs() < 9.2e18).then_some(*value as i64),
        Value::Bool(value) => Some((*value).into()),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn decimal_type(given: &Given<'_>) -> DataType {
    match given.ty(0) {
        DataType::Decimal128(_, scale) => DataType::Decimal128(MAX_DIGITS, scale),
        DataType::Int64 => DataType::Decimal128(MAX_DIGITS, 0),
        _ => DataType::Decimal128(MAX_DIGITS, READ_DIGITS),
    }
}

fn to_decimal(c: &Call<'_>, row: usize) -> Option<i128> {
    if let Some((value, _)) = c.exact(0, row) {
        return Some(value);
    }
    match c.value(0, row)? {
        Value::Float(value) => read_decimal(&value.to_string()),
        Value::Text(text) => read_decimal(text.trim()),
        _ => None,
    }
    .filter(|_| scale(c.returns) == READ_DIGITS)
}

/// A number in text, with [`READ_DIGITS`] behind the point.
fn read_decimal(text: &str) -> Option<i128> {
    let number = text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(text)).ok()?;
    let power = i32::from(READ_DIGITS) - number.scale() as i32;
    match power >= 0 {
        true => number.mantissa().checked_mul(10i128.pow(power.unsigned_abs())),
        false => Some(round(number.mantissa(), 10i128.pow(power.unsigned_abs()))),
    }
}

fn to_float(c: &Call<'_>, row: usize) -> Option<f64> {
    match c.text(0, row) {
        Some(text) => text.trim().parse().ok(),
        None => c.float(0, row),
    }
}

fn to_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Int(1) => Some(true),
        Value::Int(0) => Some(false),
        Value::Text(text) => match text.trim().to_lowercase().as_str() {
            "true" | "yes" | "y" | "1" => Some(true),
            "false" | "no" | "n" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn to_date(c: &Call<'_>) -> Result<ArrayRef> {
    let date = |row: usize| Date::strptime(c.text(1, row)?, c.text(0, row)?.trim()).ok().map(values::days);
    Ok(Arc::new((0..c.rows).map(date).collect::<Date32Array>()))
}

fn to_time(c: &Call<'_>) -> Result<ArrayRef> {
    let time = |row: usize| c.text(0, row)?.trim().parse::<Time>().ok().map(values::micros);
    Ok(Arc::new((0..c.rows).map(time).collect::<Time64MicrosecondArray>()))
}

fn to_timestamp(c: &Call<'_>) -> Result<ArrayRef> {
    let zone = zone(c);
    let instant = |row: usize| {
        let text = c.text(0, row)?.trim();
        let instant = text.parse::<Timestamp>().ok();
        instant.or_else(|| civil::instant(text.parse::<DateTime>().ok()?, &zone))
    };
    Ok(instants((0..c.rows).map(instant).collect()))
}

/// One `@`, something before it, a domain with a point behind it, no blanks.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control());
    let labels = domain.split('.').all(|label| !label.is_empty() && !label.contains('@'));
    plain(local) && !local.contains('@') && plain(domain) && labels && domain.contains('.')
}

/// `+` and 7 to 15 digits, or the same without it, with blanks, points, hyphens and parentheses between.
fn is_phone(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let rest = text.strip_prefix('+').unwrap_or(text);
    (7..=15).contains(&digits) && rest.chars().all(|c| c.is_ascii_digit() || " .-()/".contains(c))
}

/// The value under a path such as `a.b.0`.
fn json(text: &str, path: &str) -> Option<serde_json::Value> {
    let mut value: serde_json::Value = serde_json::from_str(text).ok()?;
    for step in path.split('.').filter(|step| !step.is_empty()) {
        value = match value {
            serde_json::Value::Array(items) => items.into_iter().nth(step.parse().ok()?)?,
            serde_json::Value::Object(mut fields) => fields.remove(step)?,
            _ => return None,
        };
    }
    Some(value)
}
