//! Natives that make durations and take them apart.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, IntervalMonthDayNano, IntervalUnit};
use datafusion::common::Result;
use datafusion::scalar::ScalarValue;

use super::super::{Call, Given, Native};
use crate::hir::Value;

const INTERVAL: fn(&Given<'_>) -> DataType = |_| DataType::Interval(IntervalUnit::MonthDayNano);
const INT: fn(&Given<'_>) -> DataType = |_| DataType::Int64;
const DAY: i64 = 86_400;
const NANOS: i64 = 1_000_000_000;

pub(super) static NATIVES: &[Native] = &[
    Native { name: "days", returns: INTERVAL, compute: |c| make(c, |n| civil(0, n)) },
    Native { name: "weeks", returns: INTERVAL, compute: |c| make(c, |n| civil(0, n.checked_mul(7)?)) },
    Native { name: "months", returns: INTERVAL, compute: |c| make(c, |n| civil(n, 0)) },
    Native { name: "years", returns: INTERVAL, compute: |c| make(c, |n| civil(n.checked_mul(12)?, 0)) },
    Native { name: "hours", returns: INTERVAL, compute: |c| make(c, |n| exact(n, 3600)) },
    Native { name: "minutes", returns: INTERVAL, compute: |c| make(c, |n| exact(n, 60)) },
    Native { name: "seconds", returns: INTERVAL, compute: |c| make(c, |n| exact(n, 1)) },
    Native { name: "total_days", returns: INT, compute: |c| c.ints(|row| Some(total(c, row)? / DAY)) },
    Native { name: "total_hours", returns: INT, compute: |c| c.ints(|row| Some(total(c, row)? / 3600)) },
    Native { name: "total_seconds", returns: INT, compute: |c| c.ints(|row| total(c, row)) },
];

fn civil(months: i64, days: i64) -> Option<IntervalMonthDayNano> {
    Some(IntervalMonthDayNano::new(months.try_into().ok()?, days.try_into().ok()?, 0))
}

fn exact(n: i64, seconds: i64) -> Option<IntervalMonthDayNano> {
    Some(IntervalMonthDayNano::new(0, 0, n.checked_mul(seconds)?.checked_mul(NANOS)?))
}

fn make(c: &Call<'_>, of: fn(i64) -> Option<IntervalMonthDayNano>) -> Result<ArrayRef> {
    let lengths = (0..c.rows).map(|row| match c.int(0, row).map(|n| (n, of(n))) {
        Some((n, None)) => c.fail(row, format!("the duration of {n} units is too long")),
        Some((_, length)) => Ok(ScalarValue::IntervalMonthDayNano(length)),
        None => Ok(ScalarValue::IntervalMonthDayNano(None)),
    });
    let lengths = lengths.collect::<Result<Vec<_>>>()?;
    ScalarValue::iter_to_array(lengths)
}

/// Seconds, a day having 24 hours; null with months, whose length varies.
fn total(c: &Call<'_>, row: usize) -> Option<i64> {
    match c.value(0, row)? {
        Value::Duration(length) if length.months == 0 => length.days.checked_mul(DAY)?.checked_add(length.seconds),
        _ => None,
    }
}
