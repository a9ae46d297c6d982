//! Constants as text.

use jiff::tz::TimeZone;

use super::{Duration, LongDecimal, Value};

impl Value {
    /// The value as people read it in a message: dates as `2026-11-30`, instants in `zone` to the minute, decimals
    /// with the digits they carry, null as nothing.
    pub fn to_text(&self, zone: &TimeZone) -> String {
        match self {
            Value::Null => String::new(),
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Decimal(value) => value.to_string(),
            Value::LongDecimal(value) => value.to_string(),
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
            (Value::LongDecimal(a), Value::LongDecimal(b)) => a.cmp(b),
            (Value::LongDecimal(a), Value::Decimal(b)) => a.cmp(&(*b).into()),
            (Value::Decimal(a), Value::LongDecimal(b)) => LongDecimal::from(*a).cmp(b),
            (Value::Float(a), Value::Float(b)) => a.total_cmp(b),
            (Value::Text(a), Value::Text(b)) => a.cmp(b),
            (Value::Date(a), Value::Date(b)) => a.cmp(b),
            (Value::Time(a), Value::Time(b)) => a.cmp(b),
            (Value::Timestamp(a), Value::Timestamp(b)) => a.cmp(b),
            _ => Equal,
        }
    }

    /// The value as JSON for programs: an instant with its offset from UTC in `zone` and all it has of a second, so that
    /// nothing is lost; decimals as text, with all their digits.
    pub fn to_exact_json(&self, zone: &TimeZone) -> serde_json::Value {
        match self {
            Value::Time(value) => value.to_string().into(),
            Value::Timestamp(value) => {
                value.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string().into()
            }
            Value::List(values) => values.iter().map(|value| value.to_exact_json(zone)).collect(),
            other => other.to_json(zone),
        }
    }

    /// The value as JSON, for file templates: what people read is written as they read it.
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

impl LongDecimal {
    /// What stands before the point, rounded down, and the digits behind it as a whole number.
    fn parts(self) -> (i128, i128) {
        let one = 10i128.pow(self.scale.into());
        (self.units.div_euclid(one), self.units.rem_euclid(one))
    }
}

impl Ord for LongDecimal {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let ((whole, rest), (other_whole, other_rest)) = (self.parts(), other.parts());
        let scale = self.scale.max(other.scale);
        // Below 10^38, which an i128 holds.
        let aligned = |rest: i128, of: u8| rest * 10i128.pow((scale - of).into());
        whole.cmp(&other_whole).then(aligned(rest, self.scale).cmp(&aligned(other_rest, other.scale)))
    }
}

impl PartialOrd for LongDecimal {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl From<rust_decimal::Decimal> for LongDecimal {
    fn from(value: rust_decimal::Decimal) -> Self {
        Self { units: value.mantissa(), scale: value.scale() as u8 }
    }
}

impl std::fmt::Display for LongDecimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scale = usize::from(self.scale);
        let digits = format!("{:0>width$}", self.units.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let sign = if self.units < 0 { "-" } else { "" };
        let point = if scale > 0 { "." } else { "" };
        write!(f, "{sign}{whole}{point}{fraction}")
    }
}

impl From<LongDecimal> for String {
    fn from(value: LongDecimal) -> Self {
        value.to_string()
    }
}

impl TryFrom<String> for LongDecimal {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let units = format!("{whole}{fraction}").parse().ok().filter(|_| fraction.len() <= 38);
        match units {
            Some(units) => Ok(Self { units, scale: fraction.len() as u8 }),
            None => Err(format!("`{text}` is no decimal of at most 38 digits")),
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
    fn long_decimals_keep_all_their_digits() {
        let long = |text: &str| LongDecimal::try_from(text.to_owned()).unwrap();
        for text in ["99999999999999999999999999999999.123456", "-0.00000000000000000000000000000001", "-12", "7.00"] {
            assert_eq!(long(text).to_string(), text);
            let value = Value::LongDecimal(long(text));
            assert_eq!(serde_json::from_str::<Value>(&serde_json::to_string(&value).unwrap()).unwrap(), value);
        }
        let ordered = [
            "-99999999999999999999999999999999999999",
            "-1.5",
            "-1.25",
            "0.1",
            "0.11",
            "2",
            "12345678901234567890123456789012.5",
        ];
        for pair in ordered.windows(2) {
            assert!(long(pair[0]) < long(pair[1]), "{pair:?}");
        }
        let few = Value::Decimal("-1.3".parse().unwrap());
        assert!(
            Value::LongDecimal(long("-1.25")).compare(&few).is_gt()
                && few.compare(&Value::LongDecimal(long("0"))).is_lt()
        );
        assert!(LongDecimal::try_from("1.x".to_owned()).is_err());
    }

    #[test]
    fn json_has_the_whole_instant() {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let at = |text: &str| Value::Timestamp(text.parse().unwrap()).to_exact_json(&zone);
        assert_eq!(at("2026-11-23T08:00:59.123456Z"), "2026-11-23T09:00:59.123456+01:00");
        assert_eq!(at("2026-07-01T08:00:00Z"), "2026-07-01T10:00:00+02:00");
        assert_eq!(Value::Time(jiff::civil::time(9, 0, 7, 0)).to_exact_json(&zone), "09:00:07");
        let list = Value::List(vec![Value::Int(1), Value::Time(jiff::civil::time(9, 0, 7, 0))]);
        assert_eq!(list.to_exact_json(&zone), serde_json::json!([1, "09:00:07"]));
    }

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
