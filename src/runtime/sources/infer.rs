//! The columns of files without declaration.
//!
//! Parquet and Arrow files say what they hold. For text files the first lines are looked at: a column has the
//! narrowest kind that all of them fit, and may always be null, because the lines behind may lack what these have.

use std::fs::File;
use std::io::Read;

use jiff::tz::TimeZone;

use super::cell::{Bad, MAX_SCALE, Reading, parse};
use super::columns::Kind;
use super::direct;
use super::error::SourceError;
use super::files::{self, Format, SourceFile, io_reason};
use super::import;
use super::options::FileOptions;
use crate::hir::{Ty, TyKind, Value};

/// How much text is looked at, in bytes.
const SAMPLE: u64 = 1 << 18;

/// Kinds from narrow to wide. Before them comes nothing at all, behind them `text`.
const KINDS: [(Kind, TyKind); 7] = [
    (Kind::Int, TyKind::Int),
    (Kind::Decimal, TyKind::Decimal),
    (Kind::Float, TyKind::Float),
    (Kind::Date, TyKind::Date),
    (Kind::Timestamp, TyKind::Timestamp),
    (Kind::Time, TyKind::Time),
    (Kind::Bool, TyKind::Bool),
];

/// Names and types of the columns of the first of `files`.
pub(super) fn columns(files: &[SourceFile], options: &[(String, Value)]) -> Result<Vec<(String, Ty)>, SourceError> {
    let Some(file) = files.first() else { return Ok(Vec::new()) };
    match files::format(file)? {
        Format::Text => of_text(file, options),
        format => {
            let header = direct::header(file, format)?;
            let fields = header.schema.fields().iter();
            // What the language has no type for cannot be asked for.
            let typed = fields.filter_map(|field| {
                let kind = direct::ty(field.data_type())?;
                Some((field.name().clone(), Ty { kind, nullable: field.is_nullable() }))
            });
            Ok(typed.collect())
        }
    }
}

fn of_text(file: &SourceFile, options: &[(String, Value)]) -> Result<Vec<(String, Ty)>, SourceError> {
    let unreadable = |reason: String| SourceError::Unreadable { shown: file.shown.clone(), reason };
    let options = FileOptions::new(&files::extension(&file.path).unwrap_or_default(), options)?;
    let mut bytes = Vec::new();
    let opened = File::open(&file.path).map_err(|error| unreadable(io_reason(&error)))?;
    opened.take(SAMPLE).read_to_end(&mut bytes).map_err(|error| unreadable(io_reason(&error)))?;
    let whole = (bytes.len() as u64) < SAMPLE;
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    let mut reader = import::reader(&options, bytes);
    let mut records = Vec::new();
    for record in reader.byte_records() {
        records.push(record.map_err(|error| unreadable(error.to_string()))?);
    }
    if !whole {
        records.pop();
    }
    let decoded =
        |cell: &[u8]| import::decode(cell, options.encoding).map(|text| text.into_owned()).unwrap_or_default();
    let mut records = records.iter().map(|record| record.iter().map(decoded).collect::<Vec<_>>()).peekable();
    let names = match (options.header, records.peek()) {
        (_, None) => return Err(SourceError::Empty { shown: file.shown.clone(), header: options.header }),
        (true, Some(_)) => records.next().unwrap_or_default(),
        (false, Some(first)) => (1..=first.len()).map(|at| format!("column_{at}")).collect(),
    };
    let rows: Vec<_> = records.collect();
    let typed = names.iter().enumerate().map(|(at, name)| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(String::as_str);
        (
            name.trim().to_owned(),
            narrowest(cells.filter(|cell| !cell.is_empty() && options.null.as_deref() != Some(cell)), &options)
                .or_null(),
        )
    });
    Ok(typed.collect())
}

fn narrowest<'c>(cells: impl Iterator<Item = &'c str>, options: &FileOptions) -> Ty {
    let cells: Vec<&str> = cells.collect();
    let reading = Reading { zone: TimeZone::UTC, date_format: options.date_format.clone(), numbers: options.numbers };
    // `0042` is a name made of digits.
    let name = |cell: &str| cell.len() > 1 && cell.starts_with('0') && cell.bytes().all(|byte| byte.is_ascii_digit());
    let fits = |kind: &Kind| {
        cells.iter().all(|cell| !name(cell) && !matches!(parse(cell, kind, MAX_SCALE, &reading), Err(Bad::Reason(_))))
    };
    let kind = KINDS.iter().find(|(kind, _)| !cells.is_empty() && fits(kind)).map(|(_, ty)| ty.clone());
    Ty::of(kind.unwrap_or(TyKind::Text))
}
