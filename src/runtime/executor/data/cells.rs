//! Values of frozen rows as text of a file: exact, so that reading the file again gives the same value.

use std::fmt::Write;

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::DataType;
use jiff::tz::TimeZone;

use crate::hir::Value;
use crate::plan::query::{QueryError, values};

/// How values are written.
pub(super) struct Style<'z> {
    /// Timestamps are written in this zone, with their offset.
    pub zone: &'z TimeZone,
    /// `12,50` instead of `12.50`.
    pub decimal_comma: bool,
}

impl Style<'_> {
    /// A value without quotes; nothing for null.
    pub fn value(&self, value: &Value) -> String {
        match value {
            Value::Decimal(_) | Value::LongDecimal(_) if self.decimal_comma => {
                value.to_text(self.zone).replace('.', ",")
            }
            Value::Float(number) if self.decimal_comma => number.to_string().replace('.', ","),
            Value::Time(time) => time.to_string(),
            Value::Timestamp(at) => {
                at.to_zoned_datetime(self.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string()
            }
            other => other.to_text(self.zone),
        }
    }

    /// The cell of a text file. Lists and rows are JSON.
    pub fn cell(&self, array: &dyn Array, at: usize) -> Result<String, QueryError> {
        if array.is_null(at) {
            return Ok(String::new());
        }
        if matches!(array.data_type(), DataType::List(_) | DataType::Struct(_)) {
            let mut out = String::new();
            self.json(array, at, &mut out)?;
            return Ok(out);
        }
        Ok(self.value(&values::from_array(array, at)?))
    }

    /// The value as JSON. Decimals are numbers with all their digits.
    pub fn json(&self, array: &dyn Array, at: usize, out: &mut String) -> Result<(), QueryError> {
        if array.is_null(at) {
            out.push_str("null");
            return Ok(());
        }
        match array.data_type() {
            DataType::List(_) => {
                let items = array.as_list::<i32>().value(at);
                out.push('[');
                for item in 0..items.len() {
                    if item > 0 {
                        out.push(',');
                    }
                    self.json(items.as_ref(), item, out)?;
                }
                out.push(']');
            }
            DataType::Struct(fields) => {
                let columns = array.as_struct().columns();
                let named = fields.iter().zip(columns).map(|(field, column)| (field.name().as_str(), column));
                self.object(named, at, out)?;
            }
            _ => match values::from_array(array, at)? {
                Value::Null => out.push_str("null"),
                Value::Float(number) if !number.is_finite() => out.push_str("null"),
                value @ (Value::Bool(_)
                | Value::Int(_)
                | Value::Float(_)
                | Value::Decimal(_)
                | Value::LongDecimal(_)) => {
                    // Never with a comma: this is JSON.
                    out.push_str(&value.to_text(self.zone));
                }
                value => string(&self.value(&value), out),
            },
        }
        Ok(())
    }

    /// A JSON object of one row.
    pub fn object<'a>(
        &self,
        columns: impl Iterator<Item = (&'a str, &'a datafusion::arrow::array::ArrayRef)>,
        at: usize,
        out: &mut String,
    ) -> Result<(), QueryError> {
        out.push('{');
        for (place, (name, column)) in columns.enumerate() {
            if place > 0 {
                out.push(',');
            }
            string(name, out);
            out.push(':');
            self.json(column.as_ref(), at, out)?;
        }
        out.push('}');
        Ok(())
    }
}

fn string(text: &str, out: &mut String) {
    // A JSON text cannot fail to be written into a string.
    let _ = write!(out, "{}", serde_json::Value::String(text.to_owned()));
}

/// A text that a spreadsheet would take for a formula gets a leading apostrophe: `=`, `+`, `-`, `@`, a tab or a
/// carriage return in front. Plain numbers and telephone numbers, such as `+33 6 12`, stay as they are.
pub(super) fn guarded(text: String) -> String {
    let Some(rest) = text.strip_prefix(['=', '+', '-', '@', '\t', '\r']) else { return text };
    let number = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit() || b" ().-/".contains(&byte));
    if number && text.starts_with(['+', '-']) { text } else { format!("'{text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_disarmed_and_numbers_are_not() {
        let table = [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-cmd|' /C calc'!A0", "'-cmd|' /C calc'!A0"),
            ("+33 6 12 34", "+33 6 12 34"),
            ("-12.5", "-12.5"),
            ("-", "'-"),
            ("+é", "'+é"),
            ("\tx", "'\tx"),
            ("Ann", "Ann"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(guarded(text.to_string()), expected);
        }
    }

    #[test]
    fn values_keep_all_they_are() {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let style = Style { zone: &zone, decimal_comma: true };
        let table = [
            (Value::Timestamp("2026-11-23T08:00:05.25Z".parse().unwrap()), "2026-11-23T09:00:05.25+01:00"),
            (Value::Time(jiff::civil::time(9, 0, 30, 0)), "09:00:30"),
            (Value::Decimal("812.50".parse().unwrap()), "812,50"),
            (Value::Null, ""),
        ];
        for (value, text) in table {
            assert_eq!(style.value(&value), text);
        }
    }
}
