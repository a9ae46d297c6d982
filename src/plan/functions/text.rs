//! Values as text.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use datafusion::common::Result;
use jiff::tz::TimeZone;

use super::arithmetic::shown;
use super::{Call, Native};
use crate::hir::Value;
use crate::plan::query::values;

pub(super) static TEXT: Native = Native { name: "orch_text", returns: |_| DataType::Utf8, compute };

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let value = &call.args[0];
    if value.data_type() == &DataType::Utf8 {
        return Ok(Arc::clone(value));
    }
    let zone = super::time::zone_of(call);
    Ok(Arc::new((0..call.rows).map(|row| show(value, row, &zone)).collect::<StringArray>()))
}

/// The value in a row as people read it; `None` for null.
fn show(column: &ArrayRef, row: usize, zone: &TimeZone) -> Option<String> {
    plain(column, row).or_else(|| Some(valid(column, row)?.to_text(zone)))
}

/// The value in a row so that different values have different texts; `None` for null.
pub(super) fn canonical(column: &ArrayRef, row: usize) -> Option<String> {
    plain(column, row).or_else(|| Some(exact(&valid(column, row)?)))
}

/// As a program could write it: nothing is rounded, instants are in UTC.
pub(super) fn exact(value: &Value) -> String {
    match value {
        Value::Timestamp(at) => at.to_string(),
        Value::Time(at) => at.to_string(),
        other => other.to_text(&TimeZone::UTC),
    }
}

/// The common types, which have one form.
fn plain(column: &ArrayRef, row: usize) -> Option<String> {
    if column.is_null(row) {
        return None;
    }
    match column.data_type() {
        DataType::Utf8 => Some(column.as_string::<i32>().value(row).to_owned()),
        DataType::Int64 => Some(column.as_primitive::<Int64Type>().value(row).to_string()),
        DataType::Decimal128(_, scale) => Some(shown(column.as_primitive::<Decimal128Type>().value(row), *scale)),
        _ => None,
    }
}

fn valid(column: &ArrayRef, row: usize) -> Option<Value> {
    values::from_array(column, row).ok().filter(|value| *value != Value::Null)
}
