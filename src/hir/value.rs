//! Constants as text.

use jiff::tz::TimeZone;

use super::{Duration, Value};

impl Value {
    /// The value as people read it in a message: dates as `2026-11-30`, instants in `zone` to the minute, decimals
    /// with the digits they carry, null as nothing.
    pub fn to_text(&self, zone: &TimeZone) -> String {
        match self {
            Value::Null => String::new(),
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Decimal(value) => value.to_string(),
            Value::Float(value) => value.to_string(),
            Value::Text(value) => value.clone(),
            Value::Duration(value) => value.to_string(),
            Value::Date(value) => value.to_string(),
            Value::Time(value) => value.strftime("%H:%M").to_string(),
            Value::Timestamp(value) => value.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string(),
            Value::List(values) => values.iter().map(|value| value.to_text(zone)).collect::<Vec<_>>().join(", "),
        }
    }

    /// The order of two values of one type; values of different types are equal.
    pub fn compare(&self, other: &Value) -> std::cmp::Ordering {
        use std::cmp::Ordering::Equal;
        match (self, other) {
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Int(a), Value::Int(b)) => a.cmp(b),
            (Value::Decimal(a), Value::Decimal(b)) => a.cmp(b),
            (Value::Float(a), Value::Float(b)) => a.total_cmp(b),
            (Value::Text(a), Value::Text(b)) => a.cmp(b),
            (Value::Date(a), Value::Date(b)) => a.cmp(b),
            (Value::Time(a), Value::Time(b)) => a.cmp(b),
            (Value::Timestamp(a), Value::Timestamp(b)) => a.cmp(b),
            _ => Equal,
        }
    }

    /// The value as JSON, for file templates and machine-readable output.
    pub fn to_json(&self, zone: &TimeZone) -> serde_json::Value {
        match self {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Int(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::List(values) => values.iter().map(|value| value.to_json(zone)).collect(),
            other => other.to_text(zone).into(),
        }
    }
}

impl Duration {
    /// The instant this long after `at`: months and days by the calendar of `zone`, the rest exactly. `None` outside
    /// the calendar.
    pub fn after(self, at: jiff::Timestamp, zone: &TimeZone) -> Option<jiff::Timestamp> {
        crate::base::civil::later(at, self.months, self.days, self.seconds, zone)
    }
}

impl Duration {
    /// The length as exact time, for windows of caps and rates: a day is 24 hours, a month 30 days.
    pub fn exact(self) -> jiff::SignedDuration {
        let days = self.months.saturating_mul(30).saturating_add(self.days);
        jiff::SignedDuration::from_secs(days.saturating_mul(86_400).saturating_add(self.seconds))
    }
}

impl std::fmt::Display for Duration {
    /// As it would be written: `1mo2d12h`, `2d`, `90s` as `1min30s`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (hours, minutes, seconds) = (self.seconds / 3600, self.seconds / 60 % 60, self.seconds % 60);
        let parts = [(self.months, "mo"), (self.days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")];
        let mut written = false;
        for (amount, unit) in parts.into_iter().filter(|(amount, _)| *amount != 0) {
            write!(f, "{amount}{unit}")?;
            written = true;
        }
        if written { Ok(()) } else { f.write_str("0s") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_as_people_write_them() {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let table = [
            (Value::Decimal("812.50".parse().unwrap()), "812.50"),
            (Value::Timestamp("2026-11-23T08:00:00Z".parse().unwrap()), "2026-11-23 09:00"),
            (Value::Date(jiff::civil::date(2024, 2, 29)), "2024-02-29"),
            (Value::Time(jiff::civil::time(9, 0, 0, 0)), "09:00"),
            (Value::Null, ""),
            (Value::List(vec![Value::Int(1), Value::Text("b".into())]), "1, b"),
            (Value::Duration(Duration { months: 0, days: 2, seconds: 5400 }), "2d1h30min"),
            (Value::Duration(Duration::default()), "0s"),
        ];
        for (value, text) in table {
            assert_eq!(value.to_text(&zone), text);
        }
    }
}
