use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::Cron;
use crate::analysis::Workspace;
use crate::base::civil;
use crate::hir::Schedule;

/// The zones whose clocks change in ways of their own: by an hour, at another hour, by half an hour, around Ramadan.
const ZONES: [&str; 4] = ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"];

/// The schedule of a campaign whose header this is.
fn schedule(header: &str) -> Schedule {
    let script = format!("campaign a {header} {{ log \"a\" }}");
    let analysis = Workspace::from_files([("a.orch", script)]).analyze("a.orch");
    let problems = analysis.render(crate::diag::RenderStyle::default());
    analysis.program.campaigns[0].schedule.clone().unwrap_or_else(|| panic!("{header}: {problems}"))
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn instant(civil: &str, name: &str) -> Timestamp {
    civil::instant(civil.parse().unwrap(), &zone(name)).unwrap()
}

/// The first `count` starts after a civil time, each as the clock on the wall shows it.
fn starts(header: &str, name: &str, after: &str, count: usize) -> Vec<String> {
    let schedule = schedule(header);
    let zone = zone(name);
    let mut at = instant(after, name);
    let mut found = Vec::new();
    while let Some(next) = schedule.next_after(at, &zone).filter(|_| found.len() < count) {
        let shown = zone.to_datetime(next).strftime("%a %Y-%m-%d %H:%M").to_string();
        found.push(shown);
        at = next;
    }
    found
}

#[test]
fn every_form_finds_its_days() {
    // Header, first starts after Monday 2 November 2026 at noon, in UTC.
    let table: &[(&str, &[&str])] = &[
        ("every day at 07:30, 18:00", &["Mon 2026-11-02 18:00", "Tue 2026-11-03 07:30", "Tue 2026-11-03 18:00"]),
        ("every weekday at 07:30", &["Tue 2026-11-03 07:30", "Wed 2026-11-04 07:30", "Thu 2026-11-05 07:30"]),
        ("every weekend at 10:00", &["Sat 2026-11-07 10:00", "Sun 2026-11-08 10:00", "Sat 2026-11-14 10:00"]),
        ("every monday, thursday at 09:00", &["Thu 2026-11-05 09:00", "Mon 2026-11-09 09:00", "Thu 2026-11-12 09:00"]),
        ("every monday at 12:00", &["Mon 2026-11-09 12:00", "Mon 2026-11-16 12:00"]),
        ("every month on day 1 at 08:00", &["Tue 2026-12-01 08:00", "Fri 2027-01-01 08:00", "Mon 2027-02-01 08:00"]),
        (
            "every month on day 31 at 08:00",
            &["Mon 2026-11-30 08:00", "Thu 2026-12-31 08:00", "Sun 2027-01-31 08:00", "Sun 2027-02-28 08:00"],
        ),
        ("every month on last day at 08:00", &["Mon 2026-11-30 08:00", "Thu 2026-12-31 08:00"]),
        (
            "every month on last friday at 08:00",
            &["Fri 2026-11-27 08:00", "Fri 2026-12-25 08:00", "Fri 2027-01-29 08:00"],
        ),
        ("every month on first monday at 13:00", &["Mon 2026-11-02 13:00", "Mon 2026-12-07 13:00"]),
        ("every month on fourth sunday at 08:00", &["Sun 2026-11-22 08:00", "Sun 2026-12-27 08:00"]),
        ("every 15min", &["Mon 2026-11-02 12:15", "Mon 2026-11-02 12:30", "Mon 2026-11-02 12:45"]),
        ("every 6h", &["Mon 2026-11-02 18:00", "Tue 2026-11-03 00:00", "Tue 2026-11-03 06:00"]),
        ("every 5h from 2026-11-02", &["Mon 2026-11-02 15:00", "Mon 2026-11-02 20:00", "Tue 2026-11-03 01:00"]),
        ("every 2d at 09:00 from 2026-11-01", &["Tue 2026-11-03 09:00", "Thu 2026-11-05 09:00"]),
        ("every 2d from 2026-11-01", &["Tue 2026-11-03 00:00", "Thu 2026-11-05 00:00"]),
        ("every 2w on monday at 09:00 from 2026-11-04", &["Mon 2026-11-16 09:00", "Mon 2026-11-30 09:00"]),
        (
            "every 2w on monday, friday at 09:00 from 2026-11-02",
            &["Fri 2026-11-06 09:00", "Mon 2026-11-16 09:00", "Fri 2026-11-20 09:00"],
        ),
        ("every 1w at 09:00", &["Mon 2026-11-09 09:00", "Mon 2026-11-16 09:00"]),
        (
            "every 3mo at 09:00 from 2026-08-31",
            &["Mon 2026-11-30 09:00", "Sun 2027-02-28 09:00", "Mon 2027-05-31 09:00"],
        ),
        ("every 1d12h from 2026-11-02", &["Tue 2026-11-03 12:00", "Thu 2026-11-05 00:00", "Fri 2026-11-06 12:00"]),
        ("cron \"0 9 * * 1-5\"", &["Tue 2026-11-03 09:00", "Wed 2026-11-04 09:00"]),
        ("cron \"*/20 12,14 * * *\"", &["Mon 2026-11-02 12:20", "Mon 2026-11-02 12:40", "Mon 2026-11-02 14:00"]),
        ("cron \"0 0 13 * 5\"", &["Fri 2026-11-06 00:00", "Fri 2026-11-13 00:00", "Fri 2026-11-20 00:00"]),
        ("cron \"0 8 * 1 7\"", &["Sun 2027-01-03 08:00", "Sun 2027-01-10 08:00"]),
        ("every day at 09:00 from 2026-12-24 until 2026-12-25", &["Thu 2026-12-24 09:00", "Fri 2026-12-25 09:00"]),
        ("every 12h from 2026-12-24 until 2026-12-24", &["Thu 2026-12-24 00:00", "Thu 2026-12-24 12:00"]),
    ];
    for (header, expected) in table {
        let found = starts(header, "UTC", "2026-11-02T12:00", expected.len());
        assert_eq!(found, *expected, "{header}");
    }
    for (header, count) in [("every day at 09:00 until 2026-11-01", 0), ("every 12h until 2026-11-03", 2)] {
        assert_eq!(starts(header, "UTC", "2026-11-02T12:00", 9).len(), count, "{header} ends");
    }
}

/// Zone, header, the day before, the starts on the wall.
type Starts = (&'static str, &'static str, &'static str, &'static [&'static str]);

/// Around changes of clocks, both ways.
const CHANGES: &[Starts] = &[
    ("Europe/Paris", "every day at 02:30", "2026-03-28T12:00", &["Sun 2026-03-29 03:00", "Mon 2026-03-30 02:30"]),
    ("Europe/Paris", "every day at 02:30", "2026-10-24T12:00", &["Sun 2026-10-25 02:30", "Mon 2026-10-26 02:30"]),
    // Several times in one gap are one start.
    (
        "Europe/Paris",
        "every day at 02:00, 02:30, 03:00",
        "2026-03-28T12:00",
        &["Sun 2026-03-29 03:00", "Mon 2026-03-30 02:00"],
    ),
    ("Europe/Paris", "cron \"*/30 2 * * *\"", "2026-03-28T12:00", &["Sun 2026-03-29 03:00", "Mon 2026-03-30 02:00"]),
    (
        "Europe/Paris",
        "cron \"*/30 2 * * *\"",
        "2026-10-24T12:00",
        &["Sun 2026-10-25 02:00", "Sun 2026-10-25 02:30", "Mon 2026-10-26 02:00"],
    ),
    (
        "America/New_York",
        "every sunday at 02:30",
        "2026-03-07T12:00",
        &["Sun 2026-03-08 03:00", "Sun 2026-03-15 02:30"],
    ),
    (
        "America/New_York",
        "every sunday at 01:30",
        "2026-10-31T12:00",
        &["Sun 2026-11-01 01:30", "Sun 2026-11-08 01:30"],
    ),
    (
        "Australia/Lord_Howe",
        "every day at 02:15",
        "2026-10-03T12:00",
        &["Sun 2026-10-04 02:30", "Mon 2026-10-05 02:15"],
    ),
    (
        "Australia/Lord_Howe",
        "every day at 01:45",
        "2026-04-04T12:00",
        &["Sun 2026-04-05 01:45", "Mon 2026-04-06 01:45"],
    ),
    ("Africa/Casablanca", "every day at 02:30", "2026-03-21T12:00", &["Sun 2026-03-22 03:00", "Mon 2026-03-23 02:30"]),
    ("Africa/Casablanca", "every day at 02:30", "2026-02-14T12:00", &["Sun 2026-02-15 02:30", "Mon 2026-02-16 02:30"]),
    (
        "Europe/Paris",
        "every 6h",
        "2026-03-28T20:00",
        &[
            "Sun 2026-03-29 00:00",
            "Sun 2026-03-29 07:00",
            "Sun 2026-03-29 13:00",
            "Sun 2026-03-29 19:00",
            "Mon 2026-03-30 00:00",
        ],
    ),
];

#[test]
fn a_skipped_time_runs_at_the_first_instant_after_the_gap_and_a_repeated_one_once() {
    for (name, header, after, expected) in CHANGES {
        assert_eq!(starts(header, name, after, expected.len()), *expected, "{name}: {header}");
    }
    let first =
        schedule("every day at 02:30").next_after(instant("2026-10-24T12:00", "Europe/Paris"), &zone("Europe/Paris"));
    assert_eq!(first.unwrap().to_string(), "2026-10-25T00:30:00Z", "the first of the two");
}

#[test]
fn the_leap_day_is_a_day() {
    let table: &[(&str, &str, &[&str])] = &[
        ("every month on day 29 at 09:00", "2028-02-01T00:00", &["Tue 2028-02-29 09:00", "Wed 2028-03-29 09:00"]),
        ("every month on day 30 at 09:00", "2028-02-01T00:00", &["Tue 2028-02-29 09:00"]),
        ("every month on last day at 09:00", "2027-02-01T00:00", &["Sun 2027-02-28 09:00"]),
        ("every day at 09:00", "2028-02-28T12:00", &["Tue 2028-02-29 09:00", "Wed 2028-03-01 09:00"]),
        ("cron \"0 9 29 2 *\"", "2026-11-02T12:00", &["Tue 2028-02-29 09:00", "Sun 2032-02-29 09:00"]),
        ("cron \"0 9 29 2 *\"", "2096-03-01T00:00", &["Fri 2104-02-29 09:00"]),
        ("every 12mo at 09:00 from 2028-02-29", "2028-01-01T00:00", &["Tue 2028-02-29 09:00", "Wed 2029-02-28 09:00"]),
    ];
    for (header, after, expected) in table {
        assert_eq!(starts(header, "UTC", after, expected.len()), *expected, "{header}");
    }
    assert_eq!(starts("cron \"0 9 31 2 *\"", "UTC", "2026-11-02T12:00", 1), [""; 0], "there is no such day");
}

#[test]
fn a_schedule_has_the_zone_it_names() {
    let tokyo = schedule("every day at 09:00 in \"Asia/Tokyo\"");
    let next = tokyo.next_after(instant("2026-11-02T12:00", "Europe/Paris"), &zone("Europe/Paris")).unwrap();
    assert_eq!(next.to_string(), "2026-11-03T00:00:00Z");
    assert_eq!(tokyo.to_string(), "every day at 09:00 in \"Asia/Tokyo\"");
}

#[test]
fn what_is_shown_means_the_same_schedule() {
    let headers = [
        "every 15min",
        "every 2w on monday, friday at 09:00 from 2026-12-01 until 2027-02-28",
        "every day at 07:30, 18:00",
        "every weekday at 07:30",
        "every weekend at 07:30",
        "every month on day 31 at 08:00",
        "every month on last day at 08:00",
        "every month on last friday at 08:00",
        "every 1mo at 09:00",
        "cron \"0 9 * * 1-5\" in \"Europe/Paris\"",
    ];
    for header in headers {
        assert_eq!(schedule(header).to_string(), header);
        assert_eq!(schedule(&schedule(header).to_string()), schedule(header));
    }
}

#[test]
fn cron_rules_that_are_none() {
    for rule in [
        "",
        "* * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "5-1 * * * *",
        "*/0 * * * *",
        "a * * * *",
    ] {
        assert!(Cron::parse(rule).is_err(), "{rule}");
    }
    assert_eq!(Cron::parse("5/20 * * * *").unwrap().times().len(), 24 * 3);
}

#[test]
fn missed_starts_are_counted() {
    let daily = schedule("every day at 09:00");
    let utc = TimeZone::UTC;
    let at = |text: &str| instant(text, "UTC");
    let last = Some(at("2026-11-07T09:00"));
    assert_eq!(daily.fires_between(at("2026-11-02T12:00"), at("2026-11-07T12:00"), &utc), (5, last));
    assert_eq!(daily.fires_between(at("2026-11-02T12:00"), at("2026-11-03T08:59"), &utc), (0, None));
    let often = schedule("cron \"* * * * *\"");
    let found = often.fires_between(at("2020-11-02T12:00"), at("2026-11-02T12:00"), &utc);
    assert_eq!(found, (1_000, Some(at("2026-11-02T12:00"))), "after six years, at once");
}

/// Schedules of every form.
fn headers() -> impl Strategy<Value = String> {
    let time = (0..24_u8, 0..60_u8).prop_map(|(hour, minute)| format!("{hour:02}:{minute:02}"));
    let days = prop::sample::select(vec!["day", "weekday", "weekend", "monday", "sunday, tuesday", "saturday"]);
    let month =
        prop::sample::select(vec!["day 1", "day 15", "day 29", "day 31", "last day", "last sunday", "second friday"]);
    let fields =
        prop::sample::select(vec!["0 2 * * *", "30 1,2,3 * * *", "*/7 * * * *", "0 0 29 2 *", "15 2 1-7 3,10,11 0"]);
    prop_oneof![
        (days, time.clone()).prop_map(|(days, time)| format!("every {days} at {time}")),
        (month, time.clone()).prop_map(|(day, time)| format!("every month on {day} at {time}")),
        (1..9_i64, time.clone()).prop_map(|(days, time)| format!("every {days}d at {time}")),
        (1..5_i64, time).prop_map(|(weeks, time)| format!("every {weeks}w on wednesday at {time}")),
        (1..2_000_i64).prop_map(|minutes| format!("every {minutes}min")),
        fields.prop_map(|rule| format!("cron \"{rule}\"")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Starts only go forward, asking between two of them gives the later one, and all of them are as the rule says.
    #[test]
    fn starts_go_forward_and_none_is_lost(header in headers(), name in prop::sample::select(ZONES.to_vec()), day in 0..1_500_i64, part in 1..1_000_i64) {
        let (schedule, zone) = (schedule(&header), zone(name));
        let begin = instant("2026-01-01T00:00", name) + SignedDuration::from_hours(day * 24);
        let mut at = begin;
        for _ in 0..12 {
            let Some(next) = schedule.next_after(at, &zone) else { break };
            prop_assert!(next > at, "{header}: {next} is not later than {at}");
            let between = at + SignedDuration::from_millis(next.duration_since(at).as_millis() as i64 * part / 1_000);
            prop_assert_eq!(schedule.next_after(between, &zone), Some(next), "{}: asked at {}", header, between);
            at = next;
        }
    }

    /// A daily time comes once on each day of the calendar, however long the day is.
    #[test]
    fn a_daily_time_comes_once_a_day(hour in 0..24_i8, minute in 0..60_i8, name in prop::sample::select(ZONES.to_vec())) {
        let (schedule, zone) = (schedule(&format!("every day at {hour:02}:{minute:02}")), zone(name));
        let mut at = instant("2026-01-01T00:00", name) - SignedDuration::from_secs(1);
        let mut date = zone.to_datetime(at).date().tomorrow().unwrap();
        for _ in 0..366 {
            let next = schedule.next_after(at, &zone).unwrap();
            let wanted = date.at(hour, minute, 0, 0);
            let shown: DateTime = zone.to_datetime(next);
            prop_assert_eq!(shown.date(), date);
            prop_assert!(shown >= wanted && shown.duration_since(wanted) <= SignedDuration::from_hours(1), "{}", shown);
            (at, date) = (next, date.tomorrow().unwrap());
        }
    }

    /// A quarter of an hour is a quarter of an hour, also while clocks change.
    #[test]
    fn short_intervals_are_exact(name in prop::sample::select(ZONES.to_vec()), day in 0..365_i64) {
        let (schedule, zone) = (schedule("every 15min"), zone(name));
        let mut at = schedule.next_after(instant("2026-01-01T00:00", name) + SignedDuration::from_hours(24 * day), &zone).unwrap();
        for _ in 0..200 {
            let next = schedule.next_after(at, &zone).unwrap();
            prop_assert_eq!(next.duration_since(at), SignedDuration::from_mins(15));
            at = next;
        }
    }
}
