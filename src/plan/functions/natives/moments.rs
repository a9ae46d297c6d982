//! Natives on dates and instants. Their arguments end with the campaign's zone and today.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, IntervalMonthDayNanoType, TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::Result;
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::super::{Call, Given, Native};
use crate::base::civil as civil_time;
use crate::hir::Value;
use crate::plan::query::values;

pub(super) const INT: fn(&Given<'_>) -> DataType = |_| DataType::Int64;
pub(super) const DATE: fn(&Given<'_>) -> DataType = |_| DataType::Date32;
const TIMESTAMP: fn(&Given<'_>) -> DataType = |_| values::timestamp_type();
const SAME: fn(&Given<'_>) -> DataType = |given| given.ty(0);

pub(super) static NATIVES: &[Native] = &[
    Native { name: "year", returns: INT, compute: |c| number(c, |at| at.year().into()) },
    Native { name: "quarter", returns: INT, compute: |c| number(c, |at| (i64::from(at.month()) + 2) / 3) },
    Native { name: "month", returns: INT, compute: |c| number(c, |at| at.month().into()) },
    Native { name: "week", returns: INT, compute: |c| number(c, |at| at.date().iso_week_date().week().into()) },
    Native { name: "day", returns: INT, compute: |c| number(c, |at| at.day().into()) },
    Native { name: "day_of_year", returns: INT, compute: |c| number(c, |at| at.date().day_of_year().into()) },
    Native {
        name: "weekday",
        returns: INT,
        compute: |c| number(c, |at| at.date().weekday().to_monday_one_offset().into()),
    },
    Native {
        name: "weekday_number",
        returns: INT,
        compute: |c| number(c, |at| at.date().weekday().to_monday_one_offset().into()),
    },
    Native { name: "hour", returns: INT, compute: |c| number(c, |at| at.hour().into()) },
    Native { name: "minute", returns: INT, compute: |c| number(c, |at| at.minute().into()) },
    Native { name: "second", returns: INT, compute: |c| number(c, |at| at.second().into()) },
    Native {
        name: "year_month",
        returns: INT,
        compute: |c| number(c, |at| i64::from(at.year()) * 100 + i64::from(at.month())),
    },
    Native {
        name: "date_number",
        returns: INT,
        compute: |c| number(c, |at| i64::from(at.year()) * 10_000 + i64::from(at.month()) * 100 + i64::from(at.day())),
    },
    Native { name: "date", returns: DATE, compute: |c| dates(c, |c, row, zone| Some(civil(c, 0, row, zone)?.date())) },
    Native { name: "time", returns: |_| DataType::Time64(TimeUnit::Microsecond), compute: time },
    Native { name: "timestamp", returns: TIMESTAMP, compute: timestamp },
    Native { name: "start_of_week", returns: SAME, compute: |c| start(c, monday) },
    Native { name: "start_of_month", returns: SAME, compute: |c| start(c, |date| Some(date.first_of_month())) },
    Native { name: "start_of_quarter", returns: SAME, compute: |c| start(c, quarter) },
    Native { name: "start_of_year", returns: SAME, compute: |c| start(c, |date| Some(date.first_of_year())) },
    Native {
        name: "end_of_month",
        returns: DATE,
        compute: |c| dates(c, |c, row, zone| Some(civil(c, 0, row, zone)?.date().last_of_month())),
    },
    Native { name: "truncate_time", returns: TIMESTAMP, compute: truncate },
    Native {
        name: "is_anniversary",
        returns: |_| DataType::Boolean,
        compute: |c| {
            let zone = zone(c);
            c.bools(|row| {
                let (day, on) = (civil(c, 0, row, &zone)?.date(), civil(c, 1, row, &zone)?.date());
                Some(in_year(day, on.year())? == on)
            })
        },
    },
    Native {
        name: "next_anniversary",
        returns: DATE,
        compute: |c| {
            dates(c, |c, row, zone| {
                let (day, from) = (civil(c, 0, row, zone)?.date(), civil(c, 1, row, zone)?.date());
                let this = in_year(day, from.year())?;
                if this >= from { Some(this) } else { in_year(day, from.year().checked_add(1)?) }
            })
        },
    },
    Native { name: "format_date", returns: |_| DataType::Utf8, compute: format_date },
];

/// The zone for the campaign's times: the last argument but one.
pub(super) fn zone(c: &Call<'_>) -> TimeZone {
    let name = c.args.len().checked_sub(2).filter(|_| c.rows > 0).and_then(|at| c.text(at, 0));
    name.and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC)
}

/// The zone that argument `at` names, or else the campaign's.
fn zone_at(c: &Call<'_>, at: usize, row: usize, campaign: &TimeZone) -> Result<TimeZone> {
    match c.text(at, row).filter(|_| at + 2 < c.args.len()) {
        None => Ok(campaign.clone()),
        Some(name) => match TimeZone::get(name) {
            Ok(zone) => Ok(zone),
            Err(_) => c.fail(row, format!("`{name}` is no time zone")),
        },
    }
}

/// An instant.
pub(super) fn instant(c: &Call<'_>, at: usize, row: usize) -> Option<Timestamp> {
    let column = c.args.get(at).filter(|column| column.is_valid(row))?;
    Timestamp::from_microsecond(column.as_primitive_opt::<TimestampMicrosecondType>()?.value(row)).ok()
}

/// A date at midnight, or an instant by the clock of the zone.
pub(super) fn civil(c: &Call<'_>, at: usize, row: usize, zone: &TimeZone) -> Option<DateTime> {
    let column = c.args.get(at).filter(|column| column.is_valid(row))?;
    match column.as_primitive_opt::<Date32Type>() {
        Some(days) => Some(values::date(days.value(row))?.to_datetime(Time::midnight())),
        None => Some(zone.to_datetime(instant(c, at, row)?)),
    }
}

/// A number of a moment; in the zone of the second argument, where the native has one.
fn number(c: &Call<'_>, of: fn(DateTime) -> i64) -> Result<ArrayRef> {
    let campaign = zone(c);
    if c.args.len() < 4 {
        return c.ints(|row| civil(c, 0, row, &campaign).map(of));
    }
    let numbers = (0..c.rows).map(|row| Ok(civil(c, 0, row, &zone_at(c, 1, row, &campaign)?).map(of)));
    let numbers = numbers.collect::<Result<Vec<_>>>()?;
    c.ints(|row| numbers[row])
}

fn dates(c: &Call<'_>, of: fn(&Call<'_>, usize, &TimeZone) -> Option<Date>) -> Result<ArrayRef> {
    let campaign = zone(c);
    // Only `date` has a zone of its own, in second place and as text.
    let own = c.args.get(1).is_some_and(|column| column.data_type() == &DataType::Utf8) && c.args.len() == 4;
    let row = |row: usize| {
        let zone = if own { zone_at(c, 1, row, &campaign)? } else { campaign.clone() };
        Ok(of(c, row, &zone).map(values::days))
    };
    Ok(Arc::new((0..c.rows).map(row).collect::<Result<Date32Array>>()?))
}

fn time(c: &Call<'_>) -> Result<ArrayRef> {
    let campaign = zone(c);
    let row = |row: usize| {
        let zone = zone_at(c, 1, row, &campaign)?;
        Ok(civil(c, 0, row, &zone).map(|at| values::micros(at.time())))
    };
    Ok(Arc::new((0..c.rows).map(row).collect::<Result<Time64MicrosecondArray>>()?))
}

/// A column of instants.
pub(super) fn instants(values: Vec<Option<Timestamp>>) -> ArrayRef {
    let micros = values.into_iter().map(|at| at.map(|at| at.as_microsecond()));
    Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone(values::UTC))
}

fn timestamp(c: &Call<'_>) -> Result<ArrayRef> {
    let campaign = zone(c);
    let row = |row: usize| {
        let zone = zone_at(c, 2, row, &campaign)?;
        let (Some(date), Some(Value::Time(time))) = (civil(c, 0, row, &zone), c.value(1, row)) else {
            return Ok(None);
        };
        match civil_time::instant(date.date().to_datetime(time), &zone) {
            Some(instant) => Ok(Some(instant)),
            None => c.fail(row, "the instant lies outside the calendar"),
        }
    };
    Ok(instants((0..c.rows).map(row).collect::<Result<_>>()?))
}

/// The start of a period: a date for a date, the start of that day for an instant.
fn start(c: &Call<'_>, of: fn(Date) -> Option<Date>) -> Result<ArrayRef> {
    let zone = zone(c);
    let first = |row: usize| of(civil(c, 0, row, &zone)?.date());
    if c.returns == &DataType::Date32 {
        return Ok(Arc::new((0..c.rows).map(|row| first(row).map(values::days)).collect::<Date32Array>()));
    }
    let row = |row| civil_time::instant(first(row)?.to_datetime(Time::midnight()), &zone);
    Ok(instants((0..c.rows).map(row).collect()))
}

fn monday(date: Date) -> Option<Date> {
    if date.weekday() == Weekday::Monday { Some(date) } else { date.nth_weekday(-1, Weekday::Monday).ok() }
}

fn quarter(date: Date) -> Option<Date> {
    Date::new(date.year(), (date.month() - 1) / 3 * 3 + 1, 1).ok()
}

/// The same day in another year; a 29 February is the 28th where there is none.
fn in_year(day: Date, year: i16) -> Option<Date> {
    let first = Date::new(year, day.month(), 1).ok()?;
    Date::new(year, day.month(), day.day().min(first.days_in_month())).ok()
}

/// Cut to a unit that divides a day, by the clock of the zone.
fn truncate(c: &Call<'_>) -> Result<ArrayRef> {
    let zone = zone(c);
    let lengths = c.args[1].as_primitive::<IntervalMonthDayNanoType>();
    let row = |row: usize| {
        let (Some(at), false) = (instant(c, 0, row), lengths.is_null(row)) else { return Ok(None) };
        let length = values::duration(lengths.value(row));
        let unit = length.days * 86_400 + length.seconds;
        if length.months != 0 || !(1..=86_400).contains(&unit) || 86_400 % unit != 0 {
            return c.fail(row, "the unit does not divide a day");
        }
        let civil = zone.to_datetime(at);
        let since = civil.time().duration_since(Time::midnight()).as_secs();
        // Back by exact time, so that both runs of a repeated hour stay apart; by the clock where it was changed between.
        let back = (since % unit).seconds().nanoseconds(civil.subsec_nanosecond());
        let start = civil.checked_sub(back).ok();
        let exact = at.checked_sub(back).ok();
        match exact.filter(|at| start == Some(zone.to_datetime(*at))) {
            None => Ok(start.and_then(|start| civil_time::instant(start, &zone))),
            exact => Ok(exact),
        }
    };
    Ok(instants((0..c.rows).map(row).collect::<Result<_>>()?))
}

fn format_date(c: &Call<'_>) -> Result<ArrayRef> {
    let campaign = zone(c);
    let row = |row: usize| {
        let Some(pattern) = c.text(1, row) else { return Ok(None) };
        let zone = zone_at(c, 2, row, &campaign)?;
        let text = match (instant(c, 0, row), civil(c, 0, row, &zone)) {
            (Some(at), _) => jiff::fmt::strtime::format(pattern, &at.to_zoned_datetime(zone)),
            (None, Some(date)) => jiff::fmt::strtime::format(pattern, date),
            (None, None) => return Ok(None),
        };
        match text {
            Ok(text) => Ok(Some(text)),
            Err(_) => c.fail(row, format!("`{pattern}` is no pattern for this date")),
        }
    };
    let texts = (0..c.rows).map(row).collect::<Result<Vec<Option<String>>>>()?;
    c.texts(|row| texts[row].clone())
}
