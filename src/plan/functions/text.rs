//! Values as text.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use jiff::tz::TimeZone;

use super::{Call, Native};
use crate::hir::{Duration, Value};
use crate::plan::query::values;

pub(super) static TEXT: Native = Native { name: "orch_text", returns: |_| DataType::Utf8, compute };

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let value = &call.args[0];
    if value.data_type() == &DataType::Utf8 {
        return Ok(Arc::clone(value));
    }
    let zone = show(&call.args[1], 0, "UTC").unwrap_or_default();
    Ok(Arc::new((0..call.rows).map(|row| show(value, row, &zone)).collect::<StringArray>()))
}

/// The value in a row as a person writes it; `None` for null.
pub(super) fn show(column: &ArrayRef, row: usize, zone: &str) -> Option<String> {
    if column.is_null(row) {
        return None;
    }
    match column.data_type() {
        DataType::Utf8 => Some(column.as_string::<i32>().value(row).to_owned()),
        DataType::Int64 => Some(column.as_primitive::<Int64Type>().value(row).to_string()),
        _ => {
            let value = values::from_array(column, row).ok()?;
            Some(shown(&value, &TimeZone::get(zone).unwrap_or(TimeZone::UTC)))
        }
    }
}

/// A value as a person writes it: dates as `2026-11-30`, timestamps as `2026-11-30 09:00` in the zone.
pub fn shown(value: &Value, zone: &TimeZone) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Decimal(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Text(value) => value.clone(),
        Value::Duration(value) => duration(*value),
        Value::Date(value) => value.to_string(),
        Value::Time(value) => clock(*value),
        Value::Timestamp(value) => {
            let civil = zone.to_datetime(*value);
            format!("{} {}", civil.date(), clock(civil.time()))
        }
        Value::List(values) => values.iter().map(|value| shown(value, zone)).collect::<Vec<_>>().join(", "),
    }
}

/// Hours and minutes, seconds where there are any.
fn clock(time: jiff::civil::Time) -> String {
    match time.second() {
        0 => format!("{:02}:{:02}", time.hour(), time.minute()),
        second => format!("{:02}:{:02}:{second:02}", time.hour(), time.minute()),
    }
}

/// `1y2mo3d4h5min6s`, as in a program.
fn duration(length: Duration) -> String {
    let negative = length.months < 0 || length.days < 0 || length.seconds < 0;
    let (months, days, seconds) =
        (length.months.unsigned_abs(), length.days.unsigned_abs(), length.seconds.unsigned_abs());
    let parts = [
        (months / 12, "y"),
        (months % 12, "mo"),
        (days, "d"),
        (seconds / 3600, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let text: String =
        parts.iter().filter(|(number, _)| *number > 0).map(|(number, unit)| format!("{number}{unit}")).collect();
    match (text.is_empty(), negative) {
        (true, _) => "0s".to_owned(),
        (false, true) => format!("-{text}"),
        (false, false) => text,
    }
}
