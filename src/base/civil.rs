//! Civil times and instants: the one place with the rule for clock changes.
//!
//! A time that a clock change skips is the first instant after the gap (02:30 becomes 03:00); a time that occurs
//! twice is its first occurrence.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};

/// The instant of a civil time in a zone. `None` outside the calendar.
pub fn instant(civil: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok(),
        // Read with the offset from before the gap, the skipped time lies behind the clock change.
        AmbiguousOffset::Gap { .. } => {
            let behind = ambiguous.later().ok()?;
            zone.preceding(behind.checked_add(jiff::SignedDuration::from_nanos(1)).ok()?)
                .next()
                .map(|transition| transition.timestamp())
        }
    }
}

/// The first instant, not before `from`, at which the clocks of `zone` show `time`.
pub fn next_at(time: Time, from: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let mut date = zone.to_datetime(from).date();
    loop {
        match instant(date.to_datetime(time), zone) {
            Some(at) if at >= from => return Some(at),
            _ => date = date.tomorrow().ok()?,
        }
    }
}

/// The last instant, not after `until`, at which the clocks of `zone` showed `time`.
pub fn last_at(time: Time, until: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let mut date: Date = zone.to_datetime(until).date();
    loop {
        match instant(date.to_datetime(time), zone) {
            Some(at) if at <= until => return Some(at),
            _ => date = date.yesterday().ok()?,
        }
    }
}

/// `months` and `days` later by the calendar of `zone`, then `seconds` later exactly. The last day of a month stands
/// for days that the month does not have. `None` outside the calendar.
pub fn later(at: Timestamp, months: i64, days: i64, seconds: i64, zone: &TimeZone) -> Option<Timestamp> {
    let at = if months == 0 && days == 0 {
        at
    } else {
        let span = jiff::Span::new().try_months(months).ok()?.try_days(days).ok()?;
        let civil = zone.to_datetime(at).checked_add(span).ok()?;
        instant(civil, zone)?
    };
    at.checked_add(jiff::SignedDuration::from_secs(seconds)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn skipped_and_repeated_times_follow_the_rule() {
        let table = [
            ("Europe/Paris", "2026-03-29T02:30", "2026-03-29T01:00:00Z"),
            ("Europe/Paris", "2026-03-29T03:00", "2026-03-29T01:00:00Z"),
            ("Europe/Paris", "2026-10-25T02:30", "2026-10-25T00:30:00Z"),
            ("America/New_York", "2026-03-08T02:30", "2026-03-08T07:00:00Z"),
            ("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30:00Z"),
            ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30:00Z"),
            ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45:00Z"),
            ("Africa/Casablanca", "2026-03-22T02:30", "2026-03-22T02:00:00Z"),
        ];
        for (name, civil, expected) in table {
            let found = instant(civil.parse().unwrap(), &zone(name)).unwrap();
            assert_eq!(found, at(expected), "{name} {civil}");
        }
    }

    #[test]
    fn times_of_day_around_an_instant() {
        let paris = zone("Europe/Paris");
        let nine = Time::constant(9, 0, 0, 0);
        let table = [
            ("2026-06-01T07:00:00Z", "2026-06-01T07:00:00Z", "2026-06-01T07:00:00Z"),
            ("2026-06-01T06:59:59Z", "2026-06-01T07:00:00Z", "2026-05-31T07:00:00Z"),
            ("2026-06-01T07:00:01Z", "2026-06-02T07:00:00Z", "2026-06-01T07:00:00Z"),
            // Across the change of clocks nine o'clock comes an hour earlier.
            ("2026-03-28T12:00:00Z", "2026-03-29T07:00:00Z", "2026-03-28T08:00:00Z"),
        ];
        for (now, next, last) in table {
            assert_eq!(next_at(nine, at(now), &paris), Some(at(next)), "{now}");
            assert_eq!(last_at(nine, at(now), &paris), Some(at(last)), "{now}");
        }
        // Half past two occurs twice: only the first one counts.
        let half_past_two = Time::constant(2, 30, 0, 0);
        let between = at("2026-10-25T01:00:00Z");
        assert_eq!(last_at(half_past_two, between, &paris), Some(at("2026-10-25T00:30:00Z")));
        assert_eq!(next_at(half_past_two, between, &paris), Some(at("2026-10-26T01:30:00Z")));
    }

    #[test]
    fn days_follow_the_calendar_and_hours_do_not() {
        let paris = zone("Europe/Paris");
        let before = at("2026-03-28T08:00:00Z");
        assert_eq!(later(before, 0, 1, 0, &paris), Some(at("2026-03-29T07:00:00Z")), "nine o'clock again");
        assert_eq!(later(before, 0, 0, 86_400, &paris), Some(at("2026-03-29T08:00:00Z")));
        assert_eq!(later(at("2027-01-30T23:00:00Z"), 1, 0, 0, &paris), Some(at("2027-02-27T23:00:00Z")));
        assert_eq!(later(at("2024-02-28T23:00:00Z"), 12, 0, 0, &paris), Some(at("2025-02-27T23:00:00Z")));
        assert_eq!(later(before, i64::MAX, 0, 0, &paris), None);
    }
}
