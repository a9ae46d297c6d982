//! Time in questions: zones, clock changes, calendar units, the day of the campaign.

use super::Value;
use super::script::run_at;

/// The value of an expression, as text; instants in UTC.
fn value(clock: (&'static str, &'static str), expression: &str) -> String {
    let outcome = run_at(clock, &format!("let x = {expression}"));
    match outcome.value("x") {
        Value::Timestamp(at) => at.to_string(),
        other => other.to_text(&jiff::tz::TimeZone::UTC),
    }
}

#[track_caller]
fn is(clock: (&'static str, &'static str), table: &[(&str, &str)]) {
    for (expression, expected) in table {
        assert_eq!(value(clock, expression), *expected, "{expression} in {clock:?}");
    }
}

#[test]
fn a_day_is_a_day_and_hours_are_hours_when_clocks_change() {
    // Spring: 29 March has 23 hours in Paris.
    is(
        ("Europe/Paris", "2026-03-29T10:00:00Z"),
        &[
            ("timestamp(2026-03-28, 02:30) + 1d", "2026-03-29T01:00:00Z"),
            ("timestamp(2026-03-28, 12:00) + 1d", "2026-03-29T10:00:00Z"),
            ("timestamp(2026-03-28, 12:00) + 24h", "2026-03-29T11:00:00Z"),
            ("now() - 1d", "2026-03-28T11:00:00Z"),
            ("now() - 24h", "2026-03-28T10:00:00Z"),
            ("timestamp(2026-03-30) - timestamp(2026-03-29)", "23h"),
            ("days_between(timestamp(2026-03-28, 12:00), timestamp(2026-03-29, 12:00))", "1"),
            ("hours_between(timestamp(2026-03-28, 12:00), timestamp(2026-03-29, 12:00))", "23"),
            ("truncate_time(timestamp(2026-03-29, 05:00), 1d)", "2026-03-28T23:00:00Z"),
            ("truncate_time(timestamp(2026-03-29, 05:10), 6h)", "2026-03-28T23:00:00Z"),
            ("truncate_time(2026-10-25T01:40Z, 30min)", "2026-10-25T01:30:00Z"),
        ],
    );
    // Autumn: 25 October has 25; of two times the first is meant.
    is(
        ("Europe/Paris", "2026-10-25T10:00:00Z"),
        &[
            ("timestamp(2026-10-25, 02:30)", "2026-10-25T00:30:00Z"),
            ("timestamp(2026-10-24, 02:30) + 1d", "2026-10-25T00:30:00Z"),
            ("timestamp(2026-10-24, 02:30) + 25h", "2026-10-25T01:30:00Z"),
            ("hour(2026-10-25T00:30Z)", "2"),
            ("hour(2026-10-25T01:30Z)", "2"),
            ("timestamp(2026-10-26) - timestamp(2026-10-25)", "25h"),
        ],
    );
    is(
        ("America/New_York", "2026-11-01T12:00:00Z"),
        &[
            ("timestamp(2026-10-31, 01:30) + 1d", "2026-11-01T05:30:00Z"),
            ("timestamp(2026-03-07, 02:30) + 1d", "2026-03-08T07:00:00Z"),
            ("now() - 1d", "2026-10-31T11:00:00Z"),
        ],
    );
    // Half an hour.
    is(
        ("Australia/Lord_Howe", "2026-10-04T12:00:00Z"),
        &[
            ("timestamp(2026-10-03, 02:15) + 1d", "2026-10-03T15:30:00Z"),
            ("timestamp(2026-04-04, 01:45) + 1d", "2026-04-04T14:45:00Z"),
            ("timestamp(2026-10-05) - timestamp(2026-10-04)", "23h30min"),
            ("timestamp(2026-04-06) - timestamp(2026-04-05)", "24h30min"),
        ],
    );
    // An hour back for Ramadan.
    is(
        ("Africa/Casablanca", "2026-02-16T12:00:00Z"),
        &[
            ("timestamp(2026-02-14, 12:00) + 1d", "2026-02-15T12:00:00Z"),
            ("timestamp(2026-02-14, 12:00) + 24h", "2026-02-15T11:00:00Z"),
            ("timestamp(2026-03-21, 02:30) + 1d", "2026-03-22T02:00:00Z"),
        ],
    );
}

#[test]
fn today_is_the_day_of_the_campaign() {
    // One instant, three days.
    let midnight = "2026-12-31T23:30:00Z";
    is(
        ("Europe/Paris", midnight),
        &[("today()", "2027-01-01"), ("year(now())", "2027"), ("days_since(2026-12-31)", "1")],
    );
    is(("UTC", midnight), &[("today()", "2026-12-31"), ("year(now())", "2026"), ("days_since(2026-12-31)", "0")]);
    is(("America/New_York", midnight), &[("today()", "2026-12-31"), ("hour(now())", "18")]);
    is(("Australia/Lord_Howe", midnight), &[("today()", "2027-01-01"), ("hour(now())", "10")]);
    // The first and the last second of a day.
    is(("Europe/Paris", "2026-11-23T22:59:59Z"), &[("today()", "2026-11-23")]);
    is(("Europe/Paris", "2026-11-23T23:00:00Z"), &[("today()", "2026-11-24")]);
}

#[test]
fn months_and_leap_days_follow_the_calendar() {
    is(
        ("Europe/Paris", "2028-02-29T12:00:00Z"),
        &[
            ("today() + 1y", "2029-02-28"),
            ("today() - 4y", "2024-02-29"),
            ("today() - 1y", "2027-02-28"),
            ("2028-01-31 + 1mo", "2028-02-29"),
            ("2028-03-31 - 1mo", "2028-02-29"),
            ("2027-01-31 + 1mo + 1mo", "2027-03-28"),
            ("2027-01-31 + 2mo", "2027-03-31"),
            ("years_since(2000-02-29)", "28"),
            ("years_since(2000-03-01)", "27"),
            ("months_since(2028-01-31)", "0"),
            ("is_anniversary(2000-02-29)", "true"),
            ("next_anniversary(2000-02-28)", "2029-02-28"),
            ("day_of_year(2028-12-31)", "366"),
            ("timestamp(2028-02-29, 12:00) + 1y", "2029-02-28T11:00:00Z"),
        ],
    );
}

#[test]
fn how_long_ago_depends_on_what_it_is_compared_with() {
    // 29 March 2026, 12:00 in Paris: a day ago it was 12:00 as well, 23 hours before.
    let clock = ("Europe/Paris", "2026-03-29T10:00:00Z");
    let keys = |query: &str| run_at(clock, &format!("segment s = {query}")).keys("s");
    // Customer 5 was seen on 28 March at 10:00 in Paris.
    assert_eq!(keys("customers where seen > ago(1d) and id = 5"), [] as [i64; 0]);
    assert_eq!(keys("customers where seen > ago(26h) and id = 5"), [5]);
    assert_eq!(keys("customers where seen > ago(1d2h) and id = 5"), [] as [i64; 0]);
    assert_eq!(keys("customers where seen > ago(1d2h1min) and id = 5"), [5]);
    // A date is compared with a date: joined on 31 January.
    assert_eq!(keys("customers where joined >= ago(57d) and id = 5"), [5]);
    assert_eq!(keys("customers where joined >= ago(56d) and id = 5"), [] as [i64; 0]);
    // An instant and a date meet in the campaign's zone: 30 minutes past midnight in Paris is the 25th.
    assert_eq!(keys("customers where seen = 2026-10-25"), [2]);
    let tokyo = run_at(("Asia/Tokyo", "2026-11-24T10:00:00Z"), "segment s = customers where date(seen) = 2026-11-24");
    assert_eq!(tokyo.keys("s"), [4]);
}
