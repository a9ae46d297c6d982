//! When a schedule fires: a pure function of its text, the zone and the instant after which it is asked.
//!
//! Days, weeks and months are counted by the calendar, and a time of day follows the one rule for clock changes of
//! [`crate::base::civil`]: a time that is skipped is the first instant after the gap, a time that occurs twice is its
//! first occurrence. Two times that the gap makes one instant are one start.
//!
//! What is counted (`every 2w`, `every 3d`) is counted from the date after `from`, and without one from the first days
//! of 1970, so that every machine finds the same days.

mod cron;

#[cfg(test)]
mod tests;

use std::fmt;

use jiff::civil::{Date, Time, Weekday, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

pub use cron::Cron;

use super::{Duration, Schedule, ScheduleRule};
use crate::base::civil;

const DAY: i64 = 86_400;
/// How far ahead a day is looked for: 29 February can be eight years away.
const HORIZON: usize = 12 * 366;
/// Days and months are counted from here.
const EPOCH: Date = date(1970, 1, 1);
/// Weeks are counted from the first Monday.
const EPOCH_WEEK: Date = date(1970, 1, 5);

impl Schedule {
    /// The first start later than `after`; none when the schedule is over. `project` is the zone of a schedule that
    /// names none.
    pub fn next_after(&self, after: Timestamp, project: &TimeZone) -> Option<Timestamp> {
        let named = self.zone.as_deref().and_then(|name| TimeZone::get(name).ok());
        let zone = &named.unwrap_or_else(|| project.clone());
        match &self.rule {
            ScheduleRule::Interval { length, .. } if !takes_times(*length) => self.next_on_grid(*length, after, zone),
            ScheduleRule::Cron(rule) => {
                let cron = Cron::parse(rule).ok()?;
                self.next_on_day(after, zone, &cron.times(), |date| cron.has_day(date))
            }
            _ if self.at.is_empty() => self.next_on_day(after, zone, &[Time::midnight()], |date| self.has_day(date)),
            _ => self.next_on_day(after, zone, &self.at, |date| self.has_day(date)),
        }
    }

    /// How often it fires later than `after` up to and with `until`, and the last of these instants. Counts to a
    /// thousand and no further.
    pub fn fires_between(&self, after: Timestamp, until: Timestamp, project: &TimeZone) -> (u64, Option<Timestamp>) {
        const MOST: usize = 1_000;
        let fires = |after| {
            let first = self.next_after(after, project);
            std::iter::successors(first, |at| self.next_after(*at, project)).take_while(|at| *at <= until)
        };
        let count = fires(after).take(MOST).count() as u64;
        // The last one is looked for backwards, in steps that hold few of them.
        let minutes = [1, 60, 24 * 60, 40 * 24 * 60, 400 * 24 * 60];
        let begins =
            minutes.map(|minutes| until.checked_sub(jiff::SignedDuration::from_mins(minutes)).unwrap_or(after));
        let last = begins.into_iter().chain([after]).find_map(|begin| fires(begin.max(after)).last());
        (count, last)
    }

    /// The first time of a day that fits.
    fn next_on_day(
        &self,
        after: Timestamp,
        zone: &TimeZone,
        times: &[Time],
        fits: impl Fn(Date) -> bool,
    ) -> Option<Timestamp> {
        // A day earlier, since a gap before midnight can move a time into the next day.
        let first = zone.to_datetime(after).date().yesterday().ok()?;
        let first = self.from.map_or(first, |from| from.max(first));
        let days = first.series(1.day()).take(HORIZON).take_while(|date| self.until.is_none_or(|until| *date <= until));
        let instants = days
            .filter(|date| fits(*date))
            .flat_map(|date| times.iter().filter_map(move |time| civil::instant(date.to_datetime(*time), zone)));
        // In civil order they are in the order of time, too.
        instants.into_iter().find(|at| *at > after)
    }

    /// Whether the rule names a day.
    fn has_day(&self, date: Date) -> bool {
        match &self.rule {
            ScheduleRule::Interval { length, on } => self.counts(*length, on, date),
            ScheduleRule::Days(days) => days.contains(&date.weekday()),
            // The last day of a month stands for days that the month does not have.
            ScheduleRule::MonthDay(-1) => date.day() == date.days_in_month(),
            ScheduleRule::MonthDay(day) => date.day() == (*day).min(date.days_in_month()),
            ScheduleRule::MonthWeekday { nth, day } => {
                date.first_of_month().nth_weekday_of_month(*nth, *day).is_ok_and(|found| found == date)
            }
            ScheduleRule::Cron(_) => false,
        }
    }

    /// Whether a day is a whole number of intervals away from where counting begins.
    fn counts(&self, length: Duration, on: &[Weekday], date: Date) -> bool {
        let Duration { months, days, .. } = length;
        let first = self.counted_from(length);
        if months > 0 {
            let since = months_of(date) - months_of(first);
            return since.rem_euclid(months) == 0 && date.day() == first.day().min(date.days_in_month());
        }
        if on.is_empty() {
            return days > 0 && days_between(first, date).rem_euclid(days) == 0;
        }
        let weeks = days_between(monday_of(first), monday_of(date));
        days > 0 && weeks.rem_euclid(days) == 0 && on.contains(&date.weekday())
    }

    /// The day that counting begins with.
    fn counted_from(&self, length: Duration) -> Date {
        let weeks = length.months == 0 && length.days > 0 && length.days % 7 == 0;
        self.from.unwrap_or(if weeks { EPOCH_WEEK } else { EPOCH })
    }

    /// Intervals with hours, minutes or seconds. Those that divide a day begin anew at each midnight, so that
    /// `every 6h` means the same times of day in summer and in winter; all others are exact from where counting begins.
    fn next_on_grid(&self, length: Duration, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let midnight = |date: Date| civil::instant(date.to_datetime(Time::midnight()), zone);
        let begin = midnight(self.counted_from(length))?;
        let Duration { months, days, seconds } = length;
        let next = if months == 0 && days == 0 && DAY % seconds == 0 {
            let today = zone.to_datetime(after).date();
            let today = self.from.map_or(today, |from| from.max(today));
            let (start, tomorrow) = (midnight(today)?, midnight(today.tomorrow().ok()?)?);
            steps(start, after, seconds)?.min(tomorrow)
        } else if months == 0 && days == 0 {
            steps(begin, after, seconds)?
        } else {
            // A month has at most 31 days, so this many turns end before the one that is looked for.
            let longest = (months * 31 + days) * DAY + seconds + DAY;
            let sure = (after.as_second() - begin.as_second()).div_euclid(longest).max(0);
            (sure..)
                .map_while(|n| civil::later(begin, n * months, n * days, n * seconds, zone))
                .find(|at| *at > after)?
        };
        let date = zone.to_datetime(next).date();
        self.until.is_none_or(|until| date <= until).then_some(next)
    }
}

/// Whether an interval is counted in whole days or whole months, so that it has times of the day.
pub(in crate::hir) fn takes_times(length: Duration) -> bool {
    length.seconds == 0 && (length.days == 0 || length.months == 0)
}

/// The first of `begin`, `begin + seconds`, ... later than `after`.
fn steps(begin: Timestamp, after: Timestamp, seconds: i64) -> Option<Timestamp> {
    if after < begin {
        return Some(begin);
    }
    let passed = after.as_second() - begin.as_second();
    begin.checked_add(jiff::SignedDuration::from_secs((passed / seconds + 1) * seconds)).ok()
}

fn days_between(from: Date, to: Date) -> i64 {
    from.duration_until(to).as_hours() / 24
}

fn months_of(date: Date) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month()) - 1
}

fn monday_of(date: Date) -> Date {
    date.checked_sub(i64::from(date.weekday().to_monday_zero_offset()).days()).unwrap_or(date)
}

/// `every 2w on monday at 09:00 in "Europe/Paris" from 2026-12-01`, as it would be written.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rule {
            ScheduleRule::Interval { length, on } => {
                write!(f, "every {}", written(*length))?;
                if !on.is_empty() {
                    write!(f, " on {}", day_names(on))?;
                }
            }
            ScheduleRule::Days(days) => write!(f, "every {}", day_names(days))?,
            ScheduleRule::MonthDay(-1) => f.write_str("every month on last day")?,
            ScheduleRule::MonthDay(day) => write!(f, "every month on day {day}")?,
            ScheduleRule::MonthWeekday { nth, day } => {
                let which = match nth {
                    1 => "first",
                    2 => "second",
                    3 => "third",
                    4 => "fourth",
                    _ => "last",
                };
                write!(f, "every month on {which} {}", day_name(*day))?;
            }
            ScheduleRule::Cron(rule) => write!(f, "cron \"{rule}\"")?,
        }
        if !self.at.is_empty() {
            let times: Vec<String> = self.at.iter().map(|time| time.strftime("%H:%M").to_string()).collect();
            write!(f, " at {}", times.join(", "))?;
        }
        if let Some(zone) = &self.zone {
            write!(f, " in \"{zone}\"")?;
        }
        if let Some(from) = self.from {
            write!(f, " from {from}")?;
        }
        self.until.map_or(Ok(()), |until| write!(f, " until {until}"))
    }
}

/// Weeks as weeks.
fn written(length: Duration) -> String {
    match length {
        Duration { months: 0, seconds: 0, days } if days > 0 && days % 7 == 0 => format!("{}w", days / 7),
        length => length.to_string(),
    }
}

fn day_names(days: &[Weekday]) -> String {
    let weekdays = [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];
    match days {
        [Weekday::Saturday, Weekday::Sunday] => "weekend".to_owned(),
        days if days.len() == 7 => "day".to_owned(),
        days if days == weekdays => "weekday".to_owned(),
        days => days.iter().map(|day| day_name(*day)).collect::<Vec<_>>().join(", "),
    }
}

fn day_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "monday",
        Weekday::Tuesday => "tuesday",
        Weekday::Wednesday => "wednesday",
        Weekday::Thursday => "thursday",
        Weekday::Friday => "friday",
        Weekday::Saturday => "saturday",
        Weekday::Sunday => "sunday",
    }
}
