//! Rows as they come over the wire, typed as declared.

use std::sync::Arc;

use jiff::tz::TimeZone;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use super::fit::{Asked, Wire};
use crate::runtime::sources::cell::{Bad, Cell, Reading, in_zone, parse};
use crate::runtime::sources::columns::Column;
use crate::runtime::sources::error::SourceError;
use crate::runtime::sources::import::{Builder, shortened};
use crate::runtime::sources::options::NumberFormat;

/// Days and microseconds from 1970 to 2000, where the server begins to count.
const DAYS: i32 = 10_957;
const MICROS: i64 = DAYS as i64 * 86_400_000_000;

/// The first and the last day that the language knows, in days since 1970.
const FIRST_DAY: i32 = -719_528;
const LAST_DAY: i32 = 2_932_896;

/// A value's bytes.
struct Raw<'r>(&'r [u8]);

impl<'r> FromSql<'r> for Raw<'r> {
    fn from_sql(_: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// How the rows of a table are typed.
#[derive(Debug)]
pub(super) struct Decoder {
    pub shown: String,
    pub columns: Arc<[Column]>,
    pub asked: Arc<[Asked]>,
    pub scales: Arc<[u8]>,
    /// The columns of the key, by which people know a row.
    pub key: Vec<usize>,
    pub zone: TimeZone,
}

impl Decoder {
    /// Types the value at `place` of a row, which is of the column `at`; gives its size in bytes. `names` are the places
    /// of the key's texts.
    pub fn append(
        &self,
        builder: &mut Builder,
        row: &Row,
        place: usize,
        at: usize,
        names: std::ops::Range<usize>,
    ) -> Result<usize, SourceError> {
        let (column, asked) = (&self.columns[at], &self.asked[at]);
        let bad = |value: &str, reason: String| {
            let name = names.clone().map(|place| text(row, place)).collect::<Vec<_>>().join("/");
            SourceError::Value {
                shown: self.shown.clone(),
                row: name,
                column: column.name.clone(),
                value: shortened(value),
                reason,
                field: column.span,
            }
        };
        let raw: Option<Raw<'_>> = row.try_get(place).map_err(|_| bad("", "cannot be read".to_owned()))?;
        let Some(Raw(raw)) = raw else {
            match (&column.default, column.nullable) {
                (Some(_), _) => builder.append(Cell::Default, ""),
                (None, true) => builder.append(Cell::Null, ""),
                (None, false) => {
                    return Err(bad("", format!("there is no value, but `{}` is never null", column.name)));
                }
            }
            return Ok(1);
        };
        if asked.wire == Wire::Text {
            let text = std::str::from_utf8(raw).map_err(|_| bad("", "is not UTF-8".to_owned()))?;
            let cell = self.text_cell(text, at).map_err(|reason| bad(text, reason))?;
            builder.append(cell, text);
        } else {
            let cell = self.cell(raw, asked.wire).map_err(|reason| bad("", reason))?;
            builder.append(cell, "");
        }
        Ok(raw.len())
    }

    fn text_cell(&self, text: &str, at: usize) -> Result<Cell, String> {
        let reading = Reading { zone: TimeZone::UTC, date_format: None, numbers: NumberFormat::PLAIN };
        parse(text, &self.columns[at].kind, self.scales[at], &reading).map_err(|error| match error {
            Bad::Reason(reason) => reason,
            Bad::Scale(_) => "has more decimals than the others had before; run again".to_owned(),
        })
    }

    fn cell(&self, raw: &[u8], wire: Wire) -> Result<Cell, String> {
        let short = || "is not what its type says".to_owned();
        let long = || -> Result<i64, String> { Ok(i64::from_be_bytes(raw.try_into().map_err(|_| short())?)) };
        Ok(match wire {
            Wire::Bool => Cell::Bool(raw.first().ok_or_else(short)? != &0),
            Wire::Int | Wire::Text => Cell::Int(long()?),
            Wire::Float => {
                let value = f64::from_be_bytes(raw.try_into().map_err(|_| short())?);
                if !value.is_finite() {
                    return Err(format!("`{value}` is not a finite number"));
                }
                Cell::Float(value)
            }
            Wire::Date => {
                let days = i32::from_be_bytes(raw.try_into().map_err(|_| short())?);
                let days = days.checked_add(DAYS).filter(|days| (FIRST_DAY..=LAST_DAY).contains(days));
                Cell::Date(days.ok_or_else(|| OUTSIDE.to_owned())?)
            }
            Wire::Time => {
                let micros = Some(long()?).filter(|micros| *micros < 86_400_000_000);
                Cell::Time(micros.ok_or_else(|| "`24:00` is no time of a day".to_owned())?)
            }
            Wire::Instant => Cell::Timestamp(since_1970(long()?)?),
            Wire::Civil => {
                let civil = since_1970(long()?)?;
                Cell::Timestamp(in_zone(civil, &self.zone).ok_or_else(|| OUTSIDE.to_owned())?)
            }
        })
    }
}

const OUTSIDE: &str = "the value lies outside the years 0 to 9999";

/// Microseconds since 1970, of an instant that the language knows.
fn since_1970(micros: i64) -> Result<i64, String> {
    let first = i64::from(FIRST_DAY) * 86_400_000_000;
    let behind = (i64::from(LAST_DAY) + 1) * 86_400_000_000;
    let micros = micros.checked_add(MICROS).filter(|micros| (first..behind).contains(micros));
    micros.ok_or_else(|| OUTSIDE.to_owned())
}

/// A value that was asked for as text.
fn text(row: &Row, place: usize) -> String {
    let raw: Option<Raw<'_>> = row.try_get(place).ok().flatten();
    raw.map_or_else(|| "null".to_owned(), |Raw(raw)| String::from_utf8_lossy(raw).into_owned())
}
