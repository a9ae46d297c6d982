//! Rules in cron's five fields.

use jiff::civil::{Date, Time};

/// A rule such as `0 9 * * 1-5`, understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// The day of the month begins with `*`: then only the day of the week counts, and the other way round.
    any_day: bool,
    any_weekday: bool,
}

/// Name, lowest and highest number of each field.
const FIELDS: [(&str, u32, u32); 5] =
    [("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("day of the week", 0, 7)];

impl Cron {
    /// Reads a rule.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn parse(rule: &str) -> Result<Self, String> {
        let parts: Vec<&str> = rule.split_whitespace().collect();
        if parts.len() != FIELDS.len() {
            return Err(format!("a cron rule has five fields, this one has {}", parts.len()));
        }
        let mut fields = [0_u64; 5];
        for ((part, (name, low, high)), field) in parts.iter().zip(FIELDS).zip(&mut fields) {
            let numbers = part.split(',').map(|item| item_of(item, low, high));
            *field = numbers.reduce(|a, b| Some(a? | b?)).flatten().ok_or_else(|| format!("`{part}` is no {name}"))?;
        }
        let [minutes, hours, days, months, weekdays] = fields;
        // Sunday has two numbers.
        let weekdays = weekdays | (weekdays >> 7);
        let any = |at: usize| parts.get(at).is_some_and(|part| part.starts_with('*'));
        Ok(Self { minutes, hours, days, months, weekdays, any_day: any(2), any_weekday: any(4) })
    }

    /// Whether the rule names a day. When both the day of the month and the day of the week are restricted, either is
    /// enough, as everywhere else where cron is spoken.
    pub fn has_day(&self, date: Date) -> bool {
        let has = |set: u64, number: i8| set & (1 << number) != 0;
        let day = has(self.days, date.day());
        let weekday = has(self.weekdays, date.weekday().to_sunday_zero_offset());
        let is_day = match (self.any_day, self.any_weekday) {
            (false, false) => day || weekday,
            _ => day && weekday,
        };
        has(self.months, date.month()) && is_day
    }

    /// The times of a day, the earliest first.
    pub fn times(&self) -> Vec<Time> {
        let numbers = |set: u64, end: i8| (0..end).filter(move |number| set & (1 << number) != 0);
        numbers(self.hours, 24)
            .flat_map(|hour| numbers(self.minutes, 60).map(move |minute| Time::constant(hour, minute, 0, 0)))
            .collect()
    }
}

/// The numbers of `*`, `5`, `1-5`, `*/15`, `1-5/2`, as bits; `5/15` goes on to the highest number.
fn item_of(item: &str, low: u32, high: u32) -> Option<u64> {
    let (range, step) = item.split_once('/').map_or((item, None), |(range, step)| (range, Some(step)));
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| (low..=high).contains(number));
    let (from, to) = match range.split_once('-') {
        Some((from, to)) => (number(from)?, number(to)?),
        None if range == "*" => (low, high),
        None => {
            let from = number(range)?;
            (from, if step.is_some() { high } else { from })
        }
    };
    let step = step.map_or(Some(1), |step| step.parse::<u32>().ok().filter(|step| *step > 0))?;
    let numbers = (from..=to).step_by(step as usize);
    (from <= to).then(|| numbers.fold(0, |set, number| set | (1 << number)))
}
