//! Natives that count the time between two moments. Their arguments end with the campaign's zone and today.

use datafusion::arrow::array::ArrayRef;
use datafusion::common::Result;
use jiff::Unit;
use jiff::civil::{DateTime, Time};

use super::super::{Call, Native};
use super::moments::{INT, civil, instant, zone};

pub(super) static NATIVES: &[Native] = &[
    Native { name: "days_between", returns: INT, compute: |c| between(c, Unit::Day, 1) },
    Native { name: "weeks_between", returns: INT, compute: |c| between(c, Unit::Day, 7) },
    Native { name: "months_between", returns: INT, compute: |c| between(c, Unit::Month, 1) },
    Native { name: "years_between", returns: INT, compute: |c| between(c, Unit::Month, 12) },
    Native { name: "hours_between", returns: INT, compute: |c| exactly(c, 3600) },
    Native { name: "minutes_between", returns: INT, compute: |c| exactly(c, 60) },
    Native { name: "seconds_between", returns: INT, compute: |c| exactly(c, 1) },
    Native { name: "days_since", returns: INT, compute: |c| since(c, Unit::Day, 1) },
    Native { name: "months_since", returns: INT, compute: |c| since(c, Unit::Month, 1) },
    Native { name: "years_since", returns: INT, compute: |c| since(c, Unit::Month, 12) },
];

/// Whole units by the calendar and the clock of the zone, towards zero.
fn whole(start: DateTime, end: DateTime, unit: Unit, size: i64) -> Option<i64> {
    let span = start.until((unit, end)).ok()?;
    let units = match unit {
        Unit::Month => i64::from(span.get_months()),
        _ => i64::from(span.get_days()),
    };
    Some(units / size)
}

fn between(c: &Call<'_>, unit: Unit, size: i64) -> Result<ArrayRef> {
    let zone = zone(c);
    c.ints(|row| whole(civil(c, 0, row, &zone)?, civil(c, 1, row, &zone)?, unit, size))
}

/// From the date of a moment to today.
fn since(c: &Call<'_>, unit: Unit, size: i64) -> Result<ArrayRef> {
    let zone = zone(c);
    let today = c.args.len().saturating_sub(1);
    c.ints(|row| {
        let start = civil(c, 0, row, &zone)?.date().to_datetime(Time::midnight());
        whole(start, civil(c, today, row, &zone)?, unit, size)
    })
}

fn exactly(c: &Call<'_>, seconds: i64) -> Result<ArrayRef> {
    c.ints(|row| {
        let (start, end) = (instant(c, 0, row)?, instant(c, 1, row)?);
        Some(end.duration_since(start).as_secs() / seconds)
    })
}
