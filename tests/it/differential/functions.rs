//! Functions of the standard library, written a second time.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::tree::{Kind, Length, X};
use super::value::{V, by_order, compare, rescaled, same};

/// What an argument may be.
pub enum Take {
    Any(Kind),
    /// One of these constants.
    Text(&'static [&'static str]),
    Int(i64, i64),
}

pub struct Function {
    pub name: &'static str,
    pub takes: &'static [Take],
    pub gives: Kind,
    pub scale: fn(&[X]) -> u8,
    compute: fn(&Clock, &[V], u8) -> Result<V, &'static str>,
    /// Sees nulls; every other function of a null is null.
    sees_nulls: bool,
}

/// When and where.
pub struct Clock {
    pub now: Timestamp,
    pub zone: TimeZone,
}

impl Clock {
    pub fn today(&self) -> Date {
        self.civil(self.now).date()
    }

    pub fn civil(&self, at: Timestamp) -> DateTime {
        self.zone.to_datetime(at)
    }

    /// The first instant that shows this civil time; in a gap, the first instant after it. Looked for among all offsets
    /// around.
    pub fn instant(&self, civil: DateTime) -> Timestamp {
        let guess = TimeZone::UTC.to_timestamp(civil).unwrap();
        let around =
            [-26i64, -13, 0, 13, 26].map(|hours| guess.saturating_add(SignedDuration::from_hours(hours)).unwrap());
        let mut offsets: Vec<i32> = around.iter().map(|at| self.zone.to_offset(*at).seconds()).collect();
        offsets.sort_unstable();
        offsets.dedup();
        let shows = |offset: &i32| {
            let at = guess.checked_sub(SignedDuration::from_secs((*offset).into())).unwrap();
            (self.civil(at) == civil).then_some(at)
        };
        if let Some(at) = offsets.iter().filter_map(shows).min() {
            return at;
        }
        // A gap: the clock shows less before, more after; halve until the very second.
        let (mut low, mut high) = (around[0].as_second(), around[4].as_second());
        while high - low > 1 {
            let middle = (low + high) / 2;
            let shown = self.civil(Timestamp::from_second(middle).unwrap());
            if shown < civil { low = middle } else { high = middle }
        }
        Timestamp::from_second(high).unwrap()
    }

    /// Months and days by the calendar, seconds exact.
    pub fn shifted(&self, at: Timestamp, length: Length, sign: i32) -> Timestamp {
        let at = if length.months == 0 && length.days == 0 {
            at
        } else {
            let civil = self.civil(at);
            self.instant(shifted_date(civil.date(), length, sign).unwrap().to_datetime(civil.time()))
        };
        at.checked_add(SignedDuration::from_secs(length.seconds * i64::from(sign))).unwrap()
    }
}

/// The last day of a month stands for days that it does not have.
pub fn shifted_date(date: Date, length: Length, sign: i32) -> Option<Date> {
    let months = i32::from(date.year()) * 12 + i32::from(date.month()) - 1 + length.months * sign;
    let (year, month) = (i16::try_from(months.div_euclid(12)).ok()?, months.rem_euclid(12) as i8 + 1);
    let first = Date::new(year, month, 1).ok()?;
    let day = date.day().min(first.days_in_month());
    first.with().day(day).build().ok()?.checked_add((i64::from(length.days) * i64::from(sign)).days()).ok()
}

fn text(value: &V) -> &str {
    match value {
        V::Text(text) => text,
        other => panic!("{other:?} is no text"),
    }
}

fn int(value: &V) -> i64 {
    match value {
        V::Int(value) => *value,
        other => panic!("{other:?} is no int"),
    }
}

fn day(clock: &Clock, value: &V) -> Date {
    match value {
        V::Date(date) => *date,
        V::Stamp(at) => clock.civil(*at).date(),
        other => panic!("{other:?} is no moment"),
    }
}

fn civil(clock: &Clock, value: &V) -> DateTime {
    match value {
        V::Date(date) => date.to_datetime(Time::midnight()),
        V::Stamp(at) => clock.civil(*at),
        other => panic!("{other:?} is no moment"),
    }
}

fn stamp(value: &V) -> Timestamp {
    match value {
        V::Stamp(at) => *at,
        other => panic!("{other:?} is no instant"),
    }
}

/// Whole months from one to the other, towards zero.
fn months(from: DateTime, to: DateTime) -> i64 {
    if from > to {
        return -months_back(to, from);
    }
    let raw = |at: DateTime| i64::from(at.year()) * 12 + i64::from(at.month());
    let mut whole = raw(to) - raw(from);
    let step = |months: i64| {
        let length = Length { months: months as i32, days: 0, seconds: 0, text: "" };
        shifted_date(from.date(), length, 1).unwrap().to_datetime(from.time())
    };
    while whole > 0 && step(whole) > to {
        whole -= 1;
    }
    whole
}

/// The same seen from the later one.
fn months_back(early: DateTime, late: DateTime) -> i64 {
    let raw = |at: DateTime| i64::from(at.year()) * 12 + i64::from(at.month());
    let mut whole = raw(late) - raw(early);
    let step = |months: i64| {
        let length = Length { months: months as i32, days: 0, seconds: 0, text: "" };
        shifted_date(late.date(), length, -1).unwrap().to_datetime(late.time())
    };
    while whole > 0 && step(whole) < early {
        whole -= 1;
    }
    whole
}

/// Whole days by the clock, towards zero.
fn days(from: DateTime, to: DateTime) -> i64 {
    let nanos = |at: DateTime| {
        let days = i128::from(day_number(at.date()));
        days * 86_400_000_000_000 + i128::from(at.time().duration_since(Time::midnight()).as_nanos() as i64)
    };
    ((nanos(to) - nanos(from)) / 86_400_000_000_000) as i64
}

pub fn day_number(date: Date) -> i64 {
    date.duration_since(Date::constant(1970, 1, 1)).as_hours() / 24
}

fn number(of: fn(DateTime) -> i64) -> impl Fn(&Clock, &[V]) -> V {
    move |clock, args| V::Int(of(civil(clock, &args[0])))
}

fn json<'j>(value: &'j serde_json::Value, path: &str) -> Option<&'j serde_json::Value> {
    path.split('.').try_fold(value, |at, step| match at {
        serde_json::Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        other => other.get(step),
    })
}

fn in_year(day: Date, year: i16) -> Date {
    Date::new(year, day.month(), day.day()).unwrap_or_else(|_| Date::constant(year, 2, 28))
}

/// As people read it.
pub fn shown(clock: &Clock, value: &V) -> String {
    match value {
        V::Null => String::new(),
        V::Stamp(at) => clock.civil(*at).strftime("%Y-%m-%d %H:%M").to_string(),
        V::Time(at) => at.strftime("%H:%M").to_string(),
        V::Float(value) => value.to_string(),
        V::List(items) => items.iter().map(|item| shown(clock, item)).collect::<Vec<_>>().join(", "),
        other => other.shown(),
    }
}

fn round(value: &V, digits: i64, ties: bool) -> Result<V, &'static str> {
    let (mantissa, scale) = value.exact().unwrap();
    let digits = digits.clamp(0, scale.into()) as u8;
    let cut = 10i128.pow(u32::from(scale - digits));
    match ties {
        true => rescaled((mantissa, scale), digits).ok_or("fit"),
        false => Ok(V::Num(mantissa / cut, digits)),
    }
}

fn digit_runs(text: &str) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (at, byte) in text.bytes().enumerate() {
        match runs.last_mut() {
            _ if !byte.is_ascii_digit() => {}
            Some((_, end)) if *end == at => *end = at + 1,
            _ => runs.push((at, at + 1)),
        }
    }
    runs
}

impl Function {
    pub fn call(&self, clock: &Clock, args: &[V], scale: u8) -> Result<V, &'static str> {
        if !self.sees_nulls && args.contains(&V::Null) {
            return Ok(V::Null);
        }
        (self.compute)(clock, args, scale)
    }
}

/// The function with this name; of several, the one that gives this kind.
pub fn function(name: &str, gives: Kind) -> &'static Function {
    let named = || FUNCTIONS.iter().filter(|function| function.name == name);
    named().find(|function| function.gives == gives).or(named().next()).unwrap_or_else(|| panic!("no function {name}"))
}

const fn f(
    name: &'static str,
    takes: &'static [Take],
    gives: Kind,
    compute: fn(&Clock, &[V], u8) -> Result<V, &'static str>,
) -> Function {
    Function { name, takes, gives, scale: |_| 0, compute, sees_nulls: false }
}

const fn seeing(mut function: Function) -> Function {
    function.sees_nulls = true;
    function
}

const fn scaled(mut function: Function, scale: fn(&[X]) -> u8) -> Function {
    function.scale = scale;
    function
}

use Kind::{Bool, Date as D, Decimal, Float, Int, Json, Stamp, Text};
use Take::Any;

const T: Take = Any(Text);
const I: Take = Any(Int);
const N: Take = Any(Decimal);
const DAY: Take = Any(D);
const AT: Take = Any(Stamp);

fn widest(args: &[X]) -> u8 {
    args.iter().map(|arg| arg.scale).max().unwrap_or(0)
}

fn all(value: impl Into<String>) -> Result<V, &'static str> {
    Ok(V::Text(value.into()))
}

fn whole(value: i64) -> Result<V, &'static str> {
    Ok(V::Int(value))
}

pub static FUNCTIONS: &[Function] = &[
    f("lower", &[T], Text, |_, a, _| all(text(&a[0]).to_lowercase())),
    f("upper", &[T], Text, |_, a, _| all(text(&a[0]).to_uppercase())),
    f("trim", &[T], Text, |_, a, _| all(text(&a[0]).trim())),
    f("reverse", &[T], Text, |_, a, _| all(text(&a[0]).chars().rev().collect::<String>())),
    f("left", &[T, Take::Int(0, 3)], Text, |_, a, _| {
        all(text(&a[0]).chars().take(int(&a[1]) as usize).collect::<String>())
    }),
    f("right", &[T, Take::Int(0, 3)], Text, |_, a, _| {
        let skip = text(&a[0]).chars().count().saturating_sub(int(&a[1]) as usize);
        all(text(&a[0]).chars().skip(skip).collect::<String>())
    }),
    f("substring", &[T, Take::Int(1, 3), Take::Int(0, 3)], Text, |_, a, _| {
        all(text(&a[0]).chars().skip(int(&a[1]) as usize - 1).take(int(&a[2]) as usize).collect::<String>())
    }),
    f("replace", &[T, Take::Text(&["a", "é", "x1"]), Take::Text(&["", "aa", "漢"])], Text, |_, a, _| {
        all(text(&a[0]).replace(text(&a[1]), text(&a[2])))
    }),
    f("pad_start", &[T, Take::Int(0, 4), Take::Text(&["0", "é"])], Text, |_, a, _| {
        let missing = (int(&a[1]) as usize).saturating_sub(text(&a[0]).chars().count());
        all(format!("{}{}", text(&a[2]).repeat(missing), text(&a[0])))
    }),
    f("part", &[T, Take::Text(&["-", " ", "a"]), Take::Int(1, 3)], Text, |_, a, _| {
        Ok(text(&a[0]).split(text(&a[1])).nth(int(&a[2]) as usize - 1).map_or(V::Null, V::text))
    }),
    f("extract", &[T, Take::Text(&["[0-9]+"])], Text, |_, a, _| {
        Ok(digit_runs(text(&a[0])).first().map_or(V::Null, |(from, to)| V::text(&text(&a[0])[*from..*to])))
    }),
    f("replace_matches", &[T, Take::Text(&["[0-9]+"]), Take::Text(&["#", ""])], Text, |_, a, _| {
        let mut result = text(&a[0]).to_owned();
        for (from, to) in digit_runs(text(&a[0])).into_iter().rev() {
            result.replace_range(from..to, text(&a[2]));
        }
        all(result)
    }),
    seeing(f("concat", &[T, Any(Int), T], Text, |clock, a, _| {
        all(a.iter().map(|value| shown(clock, value)).collect::<String>())
    })),
    seeing(f("join_words", &[T, T, Any(Decimal)], Text, |clock, a, _| {
        let words: Vec<String> = a.iter().map(|value| shown(clock, value)).filter(|word| !word.is_empty()).collect();
        all(words.join(" "))
    })),
    f("format_number", &[N, Take::Int(0, 3), Take::Text(&[",", ""])], Text, |_, a, _| {
        let (exact, wanted) = (a[0].exact().unwrap(), int(&a[1]) as u8);
        let zeros = "0".repeat(wanted.saturating_sub(exact.1).into());
        let number = rescaled(exact, wanted.min(exact.1)).unwrap_or(V::Null);
        let point = if exact.1 == 0 && wanted > 0 { "." } else { "" };
        let shown = format!("{}{point}{zeros}", number.shown());
        let (sign, digits) = shown.strip_prefix('-').map_or(("", shown.as_str()), |digits| ("-", digits));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let groups: Vec<&str> = whole.as_bytes().rchunks(3).rev().map(|g| std::str::from_utf8(g).unwrap()).collect();
        let point = if fraction.is_empty() { "" } else { "." };
        all(format!("{sign}{}{point}{fraction}", groups.join(text(&a[2]))))
    }),
    f("format_date", &[DAY, Take::Text(&["%d.%m.%Y"])], Text, |_, a, _| {
        let V::Date(date) = &a[0] else { panic!("no date") };
        let year = i32::from(date.year());
        all(format!("{:02}.{:02}.{year:04}", date.day(), date.month()))
    }),
    f("json_text", &[Any(Json), Take::Text(&["a", "b.c", "b.1", "0", "1.c"])], Text, |_, a, _| {
        let Ok(parsed) = serde_json::from_str::<serde_json::Value>(text(&a[0])) else { return Ok(V::Null) };
        Ok(match json(&parsed, text(&a[1])) {
            None | Some(serde_json::Value::Null) => V::Null,
            Some(serde_json::Value::String(text)) => V::text(text.as_str()),
            Some(other) => V::Text(other.to_string()),
        })
    }),
    f("length", &[T], Int, |_, a, _| whole(text(&a[0]).chars().count() as i64)),
    f("position", &[T, Take::Text(&["b", "é", ""])], Int, |_, a, _| {
        let found = text(&a[0]).find(text(&a[1]));
        whole(found.map_or(0, |at| text(&a[0])[..at].chars().count() as i64 + 1))
    }),
    f("to_int", &[T], Int, |_, a, _| Ok(text(&a[0]).trim().parse().map_or(V::Null, V::Int))),
    f("abs", &[I], Int, |_, a, _| int(&a[0]).checked_abs().map(V::Int).ok_or("fit")),
    f("sign", &[N], Int, |_, a, _| whole(a[0].exact().unwrap().0.signum() as i64)),
    f("modulo", &[I, I], Int, |_, a, _| {
        Ok(if int(&a[1]) == 0 { V::Null } else { V::Int(int(&a[0]).wrapping_rem(int(&a[1]))) })
    }),
    f("year", &[DAY], Int, |c, a, _| Ok(number(|at| at.year().into())(c, a))),
    f("month", &[AT], Int, |c, a, _| Ok(number(|at| at.month().into())(c, a))),
    f("day", &[AT], Int, |c, a, _| Ok(number(|at| at.day().into())(c, a))),
    f("hour", &[AT], Int, |c, a, _| Ok(number(|at| at.hour().into())(c, a))),
    f("minute", &[AT], Int, |c, a, _| Ok(number(|at| at.minute().into())(c, a))),
    f("quarter", &[DAY], Int, |c, a, _| Ok(number(|at| (i64::from(at.month()) + 2) / 3)(c, a))),
    f("weekday_number", &[DAY], Int, |_, a, _| {
        let V::Date(date) = &a[0] else { panic!("no date") };
        // The first day of 1970 was a Thursday.
        whole((day_number(*date) + 3).rem_euclid(7) + 1)
    }),
    f("year_month", &[AT], Int, |c, a, _| Ok(number(|at| i64::from(at.year()) * 100 + i64::from(at.month()))(c, a))),
    f("days_between", &[AT, AT], Int, |c, a, _| whole(days(civil(c, &a[0]), civil(c, &a[1])))),
    f("months_between", &[DAY, DAY], Int, |c, a, _| whole(months(civil(c, &a[0]), civil(c, &a[1])))),
    f("years_between", &[DAY, DAY], Int, |c, a, _| whole(months(civil(c, &a[0]), civil(c, &a[1])) / 12)),
    f("hours_between", &[AT, AT], Int, |_, a, _| {
        whole((stamp(&a[1]).as_nanosecond() - stamp(&a[0]).as_nanosecond()) as i64 / 3_600_000_000_000)
    }),
    f("days_since", &[DAY], Int, |c, a, _| {
        let V::Date(date) = &a[0] else { panic!("no date") };
        whole(day_number(c.today()) - day_number(*date))
    }),
    f("months_since", &[AT], Int, |c, a, _| {
        let midnight = |date: Date| date.to_datetime(Time::midnight());
        whole(months(midnight(day(c, &a[0])), midnight(c.today())))
    }),
    f("start_of_month", &[DAY], D, |_, a, _| {
        let V::Date(date) = &a[0] else { panic!("no date") };
        Ok(V::Date(Date::new(date.year(), date.month(), 1).unwrap()))
    }),
    f("start_of_week", &[DAY], D, |_, a, _| {
        let V::Date(date) = &a[0] else { panic!("no date") };
        let back = (day_number(*date) + 3).rem_euclid(7);
        Ok(date.checked_sub(back.days()).map_or(V::Null, V::Date))
    }),
    f("end_of_month", &[AT], D, |c, a, _| {
        let date = day(c, &a[0]);
        Ok(V::Date(Date::new(date.year(), date.month(), date.days_in_month()).unwrap()))
    }),
    f("date", &[AT], D, |c, a, _| Ok(V::Date(day(c, &a[0])))),
    f("next_anniversary", &[DAY, DAY], D, |_, a, _| {
        let (V::Date(date), V::Date(from)) = (&a[0], &a[1]) else { panic!("no dates") };
        let this = in_year(*date, from.year());
        if this >= *from {
            return Ok(V::Date(this));
        }
        Ok(V::Date(in_year(*date, from.year() + 1)))
    }),
    f("is_anniversary", &[DAY, DAY], Bool, |_, a, _| {
        let (V::Date(date), V::Date(on)) = (&a[0], &a[1]) else { panic!("no dates") };
        Ok(V::Bool(in_year(*date, on.year()) == *on))
    }),
    f("start_of_month", &[AT], Stamp, |c, a, _| {
        let date = day(c, &a[0]);
        let first = Date::new(date.year(), date.month(), 1).unwrap();
        Ok(V::Stamp(c.instant(first.to_datetime(Time::midnight()))))
    }),
    f("timestamp", &[DAY, Any(Kind::Time)], Stamp, |c, a, _| {
        let (V::Date(date), V::Time(time)) = (&a[0], &a[1]) else { panic!("no moment") };
        Ok(V::Stamp(c.instant(date.to_datetime(*time))))
    }),
    f("contains", &[T, Take::Text(&["a", "é", ""])], Bool, |_, a, _| Ok(V::Bool(text(&a[0]).contains(text(&a[1]))))),
    f("starts_with", &[T, Take::Text(&["a", "x1", ""])], Bool, |_, a, _| {
        Ok(V::Bool(text(&a[0]).starts_with(text(&a[1]))))
    }),
    f("matches", &[T, Take::Text(&["^[a-z]+$"])], Bool, |_, a, _| {
        let text = text(&a[0]);
        Ok(V::Bool(!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase())))
    }),
    seeing(f("all_present", &[T, I], Bool, |_, a, _| {
        Ok(V::Bool(a.iter().all(|value| *value != V::Null && *value != V::text(""))))
    })),
    scaled(
        f("abs", &[N], Decimal, |_, a, _| {
            let (value, scale) = a[0].exact().unwrap();
            Ok(V::Num(value.abs(), scale))
        }),
        |args| args[0].scale,
    ),
    scaled(f("round", &[N, Take::Int(0, 3)], Decimal, |_, a, _| round(&a[0], int(&a[1]), true)), |args| args[0].scale),
    scaled(f("truncate", &[N, Take::Int(0, 3)], Decimal, |_, a, _| round(&a[0], int(&a[1]), false)), |args| {
        args[0].scale
    }),
    f("floor", &[N], Decimal, |_, a, _| {
        let (value, scale) = a[0].exact().unwrap();
        Ok(V::Num(value.div_euclid(10i128.pow(scale.into())), 0))
    }),
    f("ceil", &[N], Decimal, |_, a, _| {
        let (value, scale) = a[0].exact().unwrap();
        Ok(V::Num(-(-value).div_euclid(10i128.pow(scale.into())), 0))
    }),
    scaled(
        f("json_number", &[Any(Json), Take::Text(&["a", "b.c", "0"])], Decimal, |_, a, _| {
            let Ok(parsed) = serde_json::from_str::<serde_json::Value>(text(&a[0])) else { return Ok(V::Null) };
            let found = json(&parsed, text(&a[1])).and_then(serde_json::Value::as_f64);
            Ok(found.map_or(V::Null, |value| V::Num((value * 1e9).round() as i128, 9)))
        }),
        |_| 9,
    ),
    seeing(scaled(
        f("coalesce", &[N, I, N], Decimal, |_, a, _| Ok(a.iter().find(|v| **v != V::Null).cloned().unwrap_or(V::Null))),
        widest,
    )),
    seeing(f("coalesce", &[T, T], Text, |_, a, _| Ok(a.iter().find(|v| **v != V::Null).cloned().unwrap_or(V::Null)))),
    seeing(scaled(
        f("greatest", &[N, N], Decimal, |_, a, _| {
            let known = a.iter().filter(|v| **v != V::Null);
            Ok(known.max_by(|l, r| compare(l, r).unwrap()).cloned().unwrap_or(V::Null))
        }),
        widest,
    )),
    seeing(f("least", &[DAY, DAY], D, |_, a, _| {
        Ok(a.iter().min_by(|l, r| by_order(l, r, false)).cloned().unwrap_or(V::Null))
    })),
    seeing(f("null_if", &[T, Take::Text(&["a", ""])], Text, |_, a, _| {
        Ok(if same(&a[0], &a[1]) { V::Null } else { a[0].clone() })
    })),
    seeing(f("null_if", &[I, Take::Int(0, 2)], Int, |_, a, _| {
        Ok(if same(&a[0], &a[1]) { V::Null } else { a[0].clone() })
    })),
    f("sqrt", &[Any(Float)], Float, |_, a, _| {
        let value = a[0].float();
        Ok(if value < 0.0 { V::Null } else { V::Float(value.sqrt()) })
    }),
    f("join", &[Any(Kind::List), Take::Text(&["|"])], Kind::List, |clock, a, _| {
        let V::List(items) = &a[0] else { panic!("no list") };
        let items: Vec<String> = items.iter().filter(|item| **item != V::Null).map(|item| shown(clock, item)).collect();
        all(items.join(text(&a[1])))
    }),
];
