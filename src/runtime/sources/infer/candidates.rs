//! What the cells of a text column may be, from narrow to wide.

use jiff::tz::TimeZone;

use crate::hir::TyKind;
use crate::runtime::sources::cell::{Bad, MAX_SCALE, Reading, parse};
use crate::runtime::sources::columns::Kind;
use crate::runtime::sources::options::NumberFormat;

/// A way to read all cells of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Candidate {
    Int,
    Decimal,
    /// With a comma before the decimals.
    CommaDecimal,
    Float,
    /// Every cell ends in `%`.
    Percent,
    Date,
    /// Written in this format.
    DateAs(&'static str),
    Timestamp,
    Time,
    Bool,
    /// Objects and lists.
    Json,
}

/// Formats of dates, those with the day first before those with the month first.
const FORMATS: [&str; 5] = ["%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%m/%d/%Y", "%Y/%m/%d"];

/// All, with those that are narrower first.
pub(super) fn all(reading: &Reading) -> Vec<Candidate> {
    use Candidate::*;
    let mut all = vec![Int, Decimal, Float, Percent, Date, Timestamp, Time, Bool, Json];
    if reading.date_format.is_none() {
        all.extend(FORMATS.map(DateAs));
    }
    if reading.numbers == NumberFormat::PLAIN {
        all.push(CommaDecimal);
    }
    all
}

impl Candidate {
    /// The type of the column.
    pub fn ty(self) -> TyKind {
        match self {
            Self::Int => TyKind::Int,
            Self::Decimal | Self::CommaDecimal => TyKind::Decimal,
            Self::Float => TyKind::Float,
            Self::Percent => TyKind::Percent,
            Self::Date | Self::DateAs(_) => TyKind::Date,
            Self::Timestamp => TyKind::Timestamp,
            Self::Time => TyKind::Time,
            Self::Bool => TyKind::Bool,
            Self::Json => TyKind::Json,
        }
    }

    /// Can this cell, which is not empty, be read so? `declared` is how the source says that it is written.
    pub fn fits(self, cell: &str, declared: &Reading) -> bool {
        let as_date = |format: &str| Reading { date_format: Some(format.to_owned()), ..plain() };
        match self {
            Self::Int => !is_code(cell) && typed(cell, &Kind::Int, declared),
            Self::Decimal => !is_code(cell) && typed(cell, &Kind::Decimal, declared),
            Self::CommaDecimal => {
                let numbers = NumberFormat { decimal: ',', thousands: Some('.') };
                cell.contains(',') && typed(cell, &Kind::Decimal, &Reading { numbers, ..plain() })
                    || typed(cell, &Kind::Int, &plain()) && !is_code(cell)
            }
            Self::Float => !is_code(cell) && typed(cell, &Kind::Float, declared),
            Self::Percent => cell.ends_with('%') && typed(cell, &Kind::Percent, declared),
            Self::Date => typed(cell, &Kind::Date, declared),
            Self::DateAs(format) => typed(cell, &Kind::Date, &as_date(format)),
            Self::Timestamp => typed(cell, &Kind::Timestamp, declared),
            Self::Time => typed(cell, &Kind::Time, declared),
            Self::Bool => typed(cell, &Kind::Bool, declared),
            Self::Json => cell.trim_start().starts_with(['{', '[']) && typed(cell, &Kind::Json, declared),
        }
    }
}

fn plain() -> Reading {
    Reading { zone: TimeZone::UTC, date_format: None, numbers: NumberFormat::PLAIN }
}

fn typed(cell: &str, kind: &Kind, reading: &Reading) -> bool {
    !matches!(parse(cell, kind, MAX_SCALE, reading), Err(Bad::Reason(_)))
}

/// `0042` is a name made of digits, `+33` begins a telephone number.
fn is_code(cell: &str) -> bool {
    let digits = cell.bytes().all(|byte| byte.is_ascii_digit());
    cell.starts_with('+') || (cell.len() > 1 && cell.starts_with('0') && digits)
}
