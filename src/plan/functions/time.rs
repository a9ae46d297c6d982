//! Time: civil units by the calendar of a named zone, seconds exact.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, IntervalMonthDayNanoArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit,
    Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::Result;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use super::{Call, Native, text};
use crate::base::civil;
use crate::plan::query::values;

const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);
const NANOS_PER_DAY: i64 = 86_400_000_000_000;

pub(super) static SHIFT: Native = Native { name: "orch_shift", returns: |given| given.ty(0), compute: shift };
pub(super) static ELAPSED: Native = Native { name: "orch_elapsed", returns: |_| INTERVAL, compute: elapsed };
pub(super) static ADD: Native = Native { name: "orch_add_durations", returns: |_| INTERVAL, compute: add };
pub(super) static SCALE: Native = Native { name: "orch_scale_duration", returns: |_| INTERVAL, compute: scale };

/// The zone a call was given as its last argument; the same for all rows.
pub(super) fn zone_of(call: &Call<'_>) -> TimeZone {
    let name = call.args.last().filter(|_| call.rows > 0).and_then(|name| text::canonical(name, 0));
    name.and_then(|name| TimeZone::get(&name).ok()).unwrap_or(TimeZone::UTC)
}

fn shift(call: &Call<'_>) -> Result<ArrayRef> {
    let lengths = call.args[1].as_primitive::<IntervalMonthDayNanoType>();
    let null = |row| call.args[0].is_null(row) || lengths.is_null(row);
    match call.args[0].data_type() {
        DataType::Date32 => {
            let dates = call.args[0].as_primitive::<Date32Type>();
            let row = |row| match null(row) {
                true => Ok(None),
                false => inside(call, row, shift_date(dates.value(row), lengths.value(row))),
            };
            Ok(Arc::new((0..call.rows).map(row).collect::<Result<Date32Array>>()?))
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            let times = call.args[0].as_primitive::<Time64MicrosecondType>();
            let row = |row| (!null(row)).then(|| shift_time(times.value(row), lengths.value(row)));
            Ok(Arc::new((0..call.rows).map(row).collect::<Time64MicrosecondArray>()))
        }
        DataType::Timestamp(TimeUnit::Microsecond, stored) => {
            let zone = zone_of(call);
            let instants = call.args[0].as_primitive::<TimestampMicrosecondType>();
            let row = |row| match null(row) {
                true => Ok(None),
                false => inside(call, row, shift_instant(instants.value(row), lengths.value(row), &zone)),
            };
            let shifted = (0..call.rows).map(row).collect::<Result<TimestampMicrosecondArray>>()?;
            Ok(Arc::new(shifted.with_timezone_opt(stored.clone())))
        }
        other => call.fail(0, format!("a duration cannot be added to {other}")),
    }
}

fn inside<T>(call: &Call<'_>, row: usize, shifted: Option<T>) -> Result<Option<T>> {
    match shifted {
        Some(shifted) => Ok(Some(shifted)),
        None => call.fail(row, "the result lies outside the calendar"),
    }
}

fn calendar(length: IntervalMonthDayNano) -> Option<Span> {
    Span::new().try_months(length.months).ok()?.try_days(length.days).ok()
}

/// Whole days of exact time count for dates; the rest of a day does not.
fn shift_date(days: i32, length: IntervalMonthDayNano) -> Option<i32> {
    let date = values::date(days)?.checked_add(calendar(length)?).ok()?;
    let whole = i32::try_from(length.nanoseconds.div_euclid(NANOS_PER_DAY)).ok()?;
    Some(values::days(date.checked_add(Span::new().try_days(whole).ok()?).ok()?))
}

/// Times go round the clock.
fn shift_time(micros: i64, length: IntervalMonthDayNano) -> i64 {
    (micros + (length.nanoseconds % NANOS_PER_DAY) / 1000).rem_euclid(NANOS_PER_DAY / 1000)
}

/// Months and days first, keeping the time of day (the first valid one in a gap), then seconds.
fn shift_instant(micros: i64, length: IntervalMonthDayNano, zone: &TimeZone) -> Option<i64> {
    let instant = Timestamp::from_microsecond(micros).ok()?;
    let day = civil::later(instant, length.months.into(), length.days.into(), 0, zone)?;
    Some(day.checked_add(SignedDuration::from_nanos(length.nanoseconds)).ok()?.as_microsecond())
}

fn elapsed(call: &Call<'_>) -> Result<ArrayRef> {
    let (later, earlier) = (&call.args[0], &call.args[1]);
    let row = |row: usize| {
        if call.any_null(row) {
            return Ok(None);
        }
        let length = match (later.data_type(), earlier.data_type()) {
            (DataType::Date32, DataType::Date32) => {
                let days = |column: &ArrayRef| column.as_primitive::<Date32Type>().value(row);
                days(later).checked_sub(days(earlier)).map(|days| IntervalMonthDayNano::new(0, days, 0))
            }
            (DataType::Timestamp(..), DataType::Timestamp(..)) => {
                let micros = |column: &ArrayRef| column.as_primitive::<TimestampMicrosecondType>().value(row);
                exactly(micros(later).checked_sub(micros(earlier)))
            }
            (DataType::Time64(_), DataType::Time64(_)) => {
                let micros = |column: &ArrayRef| column.as_primitive::<Time64MicrosecondType>().value(row);
                exactly(micros(later).checked_sub(micros(earlier)))
            }
            _ => None,
        };
        match length {
            Some(length) => Ok(Some(length)),
            None => call.fail(row, "the time between these moments is too long"),
        }
    };
    Ok(Arc::new((0..call.rows).map(row).collect::<Result<IntervalMonthDayNanoArray>>()?))
}

fn exactly(micros: Option<i64>) -> Option<IntervalMonthDayNano> {
    Some(IntervalMonthDayNano::new(0, 0, micros?.checked_mul(1000)?))
}

fn add(call: &Call<'_>) -> Result<ArrayRef> {
    let left = call.args[0].as_primitive::<IntervalMonthDayNanoType>();
    let right = call.args[1].as_primitive::<IntervalMonthDayNanoType>();
    let row = |row: usize| {
        if call.any_null(row) {
            return Ok(None);
        }
        let (left, right) = (left.value(row), right.value(row));
        let months = left.months.checked_add(right.months);
        let days = left.days.checked_add(right.days);
        let nanos = left.nanoseconds.checked_add(right.nanoseconds);
        interval(call, row, months, days, nanos)
    };
    Ok(Arc::new((0..call.rows).map(row).collect::<Result<IntervalMonthDayNanoArray>>()?))
}

fn scale(call: &Call<'_>) -> Result<ArrayRef> {
    let lengths = call.args[0].as_primitive::<IntervalMonthDayNanoType>();
    let times = call.args[1].as_primitive::<Int64Type>();
    let row = |row: usize| {
        if call.any_null(row) {
            return Ok(None);
        }
        let (length, times) = (lengths.value(row), times.value(row));
        let short = |unit: i32| i64::from(unit).checked_mul(times).and_then(|unit| i32::try_from(unit).ok());
        interval(call, row, short(length.months), short(length.days), length.nanoseconds.checked_mul(times))
    };
    Ok(Arc::new((0..call.rows).map(row).collect::<Result<IntervalMonthDayNanoArray>>()?))
}

fn interval(
    call: &Call<'_>,
    row: usize,
    months: Option<i32>,
    days: Option<i32>,
    nanos: Option<i64>,
) -> Result<Option<IntervalMonthDayNano>> {
    match (months, days, nanos) {
        (Some(months), Some(days), Some(nanos)) => Ok(Some(IntervalMonthDayNano::new(months, days, nanos))),
        _ => call.fail(row, "the duration is too long"),
    }
}
