//! When a campaign starts by itself.

use jiff::civil::Weekday;

use super::super::schedule::{Cron, takes_times};
use super::super::{Schedule, ScheduleRule, Ty, TyKind, Value};
use super::Checker;
use super::campaign::ScheduleParts;
use crate::base::Span;
use crate::diag::codes::flow as codes;
use crate::syntax::ast::{self, Duration, EveryUnit, HeaderPartKind};

impl Checker<'_> {
    /// The schedule that a header describes.
    pub(super) fn schedule(&mut self, header: &[ast::HeaderPart]) -> Option<Schedule> {
        let mut parts = ScheduleParts::default();
        for part in header {
            match &part.kind {
                HeaderPartKind::Every { unit, at } => self.every(unit, at, part.span, &mut parts),
                HeaderPartKind::Cron(rule) => parts.rule = self.cron(rule),
                HeaderPartKind::Zone(zone) => parts.zone = self.zone_constant(zone),
                HeaderPartKind::From(date) => parts.from = self.date_constant(date),
                HeaderPartKind::Until(date) => parts.until = self.date_constant(date),
                _ => {}
            }
        }
        self.sensible(header, &parts);
        parts.finish()
    }

    /// Parts that contradict one another or mean nothing without a rule.
    fn sensible(&mut self, header: &[ast::HeaderPart], parts: &ScheduleParts) {
        let scheduled =
            header.iter().any(|part| matches!(part.kind, HeaderPartKind::Every { .. } | HeaderPartKind::Cron(_)));
        for part in header {
            match &part.kind {
                HeaderPartKind::Zone(_) | HeaderPartKind::From(_) | HeaderPartKind::Until(_) if !scheduled => {
                    let help = "add `every ... at ...`, or remove it";
                    self.wrong(codes::BAD_SCHEDULE, "this belongs to a schedule, and there is none", help, part.span);
                }
                HeaderPartKind::Until(_) if parts.from.zip(parts.until).is_some_and(|(from, until)| until < from) => {
                    let help = "put the later date behind `until`";
                    self.wrong(codes::BAD_SCHEDULE, "this schedule ends before it begins", help, part.span);
                }
                _ => {}
            }
        }
    }

    fn every(&mut self, unit: &EveryUnit, at: &[ast::Expr], span: Span, parts: &mut ScheduleParts) {
        parts.at = at.iter().filter_map(|time| self.time_constant(time)).collect();
        parts.at.sort();
        parts.rule = match unit {
            EveryUnit::Interval { length, on } => self.interval(length, on),
            EveryUnit::Days(days) => self.days(days),
            EveryUnit::MonthDay(day) => self.month_day(day),
            EveryUnit::MonthWeekday { which, day } => self.month_weekday(which, day),
        };
        let needs_time = !matches!(unit, EveryUnit::Interval { on, .. } if on.is_empty());
        // A day that there is not was reported.
        if needs_time && at.is_empty() && parts.rule.is_some() {
            let help = "add a time: `at 09:00`";
            self.wrong(codes::BAD_SCHEDULE, "nothing says at what time of the day", help, span);
        }
        if let (Some(ScheduleRule::Interval { length, .. }), Some(time)) = (&parts.rule, at.first())
            && !takes_times(*length)
        {
            let help = "remove `at`, or count in days: `every 1d at 09:00`";
            self.wrong(codes::BAD_SCHEDULE, "an interval of hours has no time of the day", help, time.span);
        }
    }

    fn interval(&mut self, length: &ast::Expr, on: &[ast::Name]) -> Option<ScheduleRule> {
        let days: Vec<Weekday> = on.iter().filter_map(|day| self.weekday(day)).collect();
        let Some(Value::Duration(duration)) = self.constant(length, &Ty::of(TyKind::Duration)) else { return None };
        if approximate_seconds(duration) < 60 {
            let help = "the shortest interval is `1min`";
            self.wrong(codes::BAD_SCHEDULE, "this is too often", help, length.span);
            return None;
        }
        let weeks = duration.months == 0 && duration.seconds == 0 && duration.days > 0 && duration.days % 7 == 0;
        if let (Some(first), false) = (on.first(), weeks) {
            let help = "write `every 2w on monday`";
            self.wrong(codes::BAD_SCHEDULE, "days can only be named for whole weeks", help, first.span);
        }
        Some(ScheduleRule::Interval { length: duration, on: days })
    }

    fn days(&mut self, names: &[ast::Name]) -> Option<ScheduleRule> {
        let mut days: Vec<Weekday> = Vec::new();
        for name in names {
            match name.text.as_str() {
                "day" => days.extend(ALL_DAYS),
                "weekday" => days.extend(&ALL_DAYS[..5]),
                "weekend" => days.extend(&ALL_DAYS[5..]),
                _ => days.extend(self.weekday(name)),
            }
        }
        days.sort_by_key(|day| day.to_monday_zero_offset());
        days.dedup();
        (!days.is_empty()).then_some(ScheduleRule::Days(days))
    }

    fn month_day(&mut self, day: &ast::Expr) -> Option<ScheduleRule> {
        match self.constant(day, &Ty::of(TyKind::Int))? {
            Value::Int(number) if (1..=31).contains(&number) => Some(ScheduleRule::MonthDay(number as i8)),
            _ => {
                self.wrong(
                    codes::BAD_SCHEDULE,
                    "no month has such a day",
                    "days are 1 to 31; the last one is `on last day`",
                    day.span,
                );
                None
            }
        }
    }

    fn month_weekday(&mut self, which: &ast::Name, day: &ast::Name) -> Option<ScheduleRule> {
        if (which.text.as_str(), day.text.as_str()) == ("last", "day") {
            return Some(ScheduleRule::MonthDay(-1));
        }
        let nth = match which.text.as_str() {
            "first" => 1,
            "second" => 2,
            "third" => 3,
            "fourth" => 4,
            "last" => -1,
            _ => {
                let help = "write `first`, `second`, `third`, `fourth` or `last`";
                self.wrong(codes::BAD_SCHEDULE, format!("`{}` says not which one", which.text), help, which.span);
                return None;
            }
        };
        Some(ScheduleRule::MonthWeekday { nth, day: self.weekday(day)? })
    }

    fn cron(&mut self, rule: &ast::Text) -> Option<ScheduleRule> {
        match Cron::parse(&rule.value) {
            Ok(_) => Some(ScheduleRule::Cron(rule.value.clone())),
            Err(why) => {
                let help = "five fields: minute, hour, day, month, day of the week, as in \"0 9 * * 1-5\"";
                self.wrong(codes::BAD_SCHEDULE, why, help, rule.span);
                None
            }
        }
    }

    fn date_constant(&mut self, value: &ast::Expr) -> Option<jiff::civil::Date> {
        match self.constant(value, &Ty::of(TyKind::Date)) {
            Some(Value::Date(date)) => Some(date),
            _ => None,
        }
    }
}

const ALL_DAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// A duration in seconds, with months of 30 days: for comparisons only.
pub(crate) fn approximate_seconds(duration: Duration) -> i64 {
    let days = duration.months.saturating_mul(30).saturating_add(duration.days);
    days.saturating_mul(86_400).saturating_add(duration.seconds)
}

/// The usual time between two starts, in seconds.
pub(crate) fn approximate_period(schedule: &Schedule) -> i64 {
    let per_day = schedule.at.len().max(1) as i64;
    match &schedule.rule {
        ScheduleRule::Interval { length, .. } => approximate_seconds(*length),
        ScheduleRule::Days(days) => 7 * 86_400 / (days.len().max(1) as i64 * per_day),
        ScheduleRule::MonthDay(_) | ScheduleRule::MonthWeekday { .. } => 28 * 86_400 / per_day,
        ScheduleRule::Cron(_) => i64::MAX,
    }
}
