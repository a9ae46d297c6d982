//! Values and cells, both ways.

use jiff::tz::TimeZone;

use crate::hir::Value;
use crate::plan::query::values::{any_decimal, date, time};
use crate::runtime::sources::cell::{Cell, MAX_SCALE, Reading, in_zone, parse};
use crate::runtime::sources::columns::{Kind, WEEKDAYS};
use crate::runtime::sources::options::FileOptions;

/// Values as one text: equal for equal values, whatever their form (`1.5` and `1.50`).
pub(crate) fn identity(values: &[Value]) -> String {
    let mut text = String::new();
    for value in values {
        match value {
            Value::Null => text.push('\u{0}'),
            Value::Decimal(number) => text.push_str(&number.normalize().to_string()),
            Value::Timestamp(at) => text.push_str(&at.to_string()),
            Value::Time(time) => text.push_str(&time.to_string()),
            other => text.push_str(&other.to_text(&TimeZone::UTC)),
        }
        text.push('\u{1f}');
    }
    text
}

/// The value of a cell; `None` for a cell that is not of its kind. Null where a default would be taken.
pub(super) fn of_cell(text: &str, kind: &Kind, options: &FileOptions, reading: &Reading) -> Option<Value> {
    if text.is_empty() || options.null.as_deref() == Some(text) {
        return Some(Value::Null);
    }
    Some(match parse(text, kind, MAX_SCALE, reading).ok()? {
        Cell::Null | Cell::Default => Value::Null,
        Cell::Bool(value) => Value::Bool(value),
        Cell::Int(value) => Value::Int(value),
        Cell::Float(value) => Value::Float(value),
        Cell::Decimal(units) => any_decimal(units, MAX_SCALE as i8)?,
        Cell::Text => Value::Text(text.to_owned()),
        Cell::Date(days) => Value::Date(date(days)?),
        Cell::Time(micros) => Value::Time(time(micros)?),
        Cell::Timestamp(micros) => Value::Timestamp(jiff::Timestamp::from_microsecond(micros).ok()?),
    })
}

/// How the cells of a column are written, learnt from those that are there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Habit {
    example: Option<String>,
}

impl Habit {
    /// Looks at a cell.
    pub fn learn(&mut self, cell: &str) {
        if self.example.is_none() && !cell.trim().is_empty() {
            self.example = Some(cell.trim().to_owned());
        }
    }

    /// The cell that a value becomes.
    pub fn cell(&self, value: &Value, kind: &Kind, options: &FileOptions, zone: &TimeZone) -> String {
        let example = self.example.as_deref().unwrap_or_default();
        match value {
            Value::Null => options.null.clone().unwrap_or_default(),
            Value::Bool(value) => boolean(*value, example).to_owned(),
            Value::Int(day) if matches!(kind, Kind::OneOf { what, .. } if what == "weekday") => {
                let at = usize::try_from(day - 1).unwrap_or(usize::MAX);
                WEEKDAYS.get(at).map_or_else(|| day.to_string(), |name| (*name).to_owned())
            }
            Value::Decimal(number) if *kind == Kind::Percent && example.ends_with('%') => {
                format!("{}%", (number * rust_decimal::Decimal::ONE_HUNDRED).normalize())
            }
            Value::Date(day) => match &options.date_format {
                Some(format) => day.strftime(format).to_string(),
                None => day.to_string(),
            },
            Value::Time(time) if example.len() == 5 && time.second() == 0 => time.strftime("%H:%M").to_string(),
            Value::Time(time) => time.to_string(),
            Value::Timestamp(at) => timestamp(*at, example, zone),
            other => other.to_text(zone),
        }
    }
}

fn boolean(value: bool, example: &str) -> &'static str {
    const FORMS: [(&str, &str); 9] = [
        ("true", "false"),
        ("True", "False"),
        ("TRUE", "FALSE"),
        ("yes", "no"),
        ("Yes", "No"),
        ("YES", "NO"),
        ("1", "0"),
        ("t", "f"),
        ("y", "n"),
    ];
    let (yes, no) = FORMS.iter().find(|(yes, no)| [*yes, *no].contains(&example)).copied().unwrap_or(FORMS[0]);
    if value { yes } else { no }
}

/// With offset, unless the column has none and the civil time means this instant only.
fn timestamp(at: jiff::Timestamp, example: &str, zone: &TimeZone) -> String {
    let separator = if example.get(10..11) == Some(" ") { ' ' } else { 'T' };
    let has_offset =
        example.is_empty() || example.ends_with('Z') || example.get(11..).is_some_and(|rest| rest.contains(['+', '-']));
    let civil = zone.to_datetime(at);
    let written = |civil: jiff::civil::DateTime| format!("{}{separator}{}", civil.date(), civil.time());
    if !has_offset {
        let micros = TimeZone::UTC.to_timestamp(civil).map(jiff::Timestamp::as_microsecond).ok();
        if micros.and_then(|micros| in_zone(micros, zone)) == Some(at.as_microsecond()) {
            return written(civil);
        }
    }
    format!("{}Z", written(TimeZone::UTC.to_datetime(at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_one_identity() {
        let decimal = |text: &str| Value::Decimal(text.parse().unwrap());
        assert_eq!(identity(&[decimal("1.50")]), identity(&[decimal("1.5")]));
        assert_ne!(
            identity(&[Value::Text("a".into()), Value::Null]),
            identity(&[Value::Null, Value::Text("a".into())])
        );
        assert_ne!(identity(&[Value::Text(String::new())]), identity(&[Value::Null]));
    }

    #[test]
    fn cells_follow_the_habit_of_their_column() {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let options = FileOptions {
            null: Some("NULL".into()),
            date_format: Some("%d/%m/%Y".into()),
            ..FileOptions::of_extension("csv")
        };
        let at = Value::Timestamp("2026-01-05T08:00:00Z".parse().unwrap());
        let table = [
            ("yes", Value::Bool(false), Kind::Bool, "no"),
            ("", Value::Bool(true), Kind::Bool, "true"),
            ("3%", Value::Decimal("0.05".parse().unwrap()), Kind::Percent, "5%"),
            ("2026-01-01 00:00:00", at.clone(), Kind::Timestamp, "2026-01-05 09:00:00"),
            ("2026-01-01T00:00:00Z", at, Kind::Timestamp, "2026-01-05T08:00:00Z"),
            ("", Value::Date(jiff::civil::date(2026, 1, 5)), Kind::Date, "05/01/2026"),
            ("x", Value::Null, Kind::Text, "NULL"),
        ];
        for (example, value, kind, expected) in table {
            let mut habit = Habit::default();
            habit.learn(example);
            assert_eq!(habit.cell(&value, &kind, &options, &zone), expected, "{example}");
        }
    }
}
