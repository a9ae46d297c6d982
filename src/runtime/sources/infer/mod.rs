//! What files without declaration hold.
//!
//! Two questions have the same beginning. An entity without a block needs the names and types of its columns, at once:
//! Parquet and Arrow files say them in their header, of a text file the beginning is looked at. A declaration that people
//! will read and keep is worth a look at all rows: what is unique may be a key, what is contained in a key of another
//! file a relation, a few distinct texts an enumeration.
//!
//! ```text
//! files ─sample─▶ a profile of each column ─relations─▶ keys, relations ─declare─▶ text
//! ```

mod candidates;
mod declare;
mod names;
mod profile;
mod relations;
mod sample;
#[cfg(test)]
mod tests;

use std::path::Path;

use super::bound::BoundTable;
use super::cell::Reading;
use super::error::SourceError;
use super::files::{self, Format, SourceFile};
use super::import;
use super::objects::Objects;
use super::options::{Encoding, FileOptions, Layout, NumberFormat};
use crate::hir::{Ty, Value, quoted_name};
use candidates::Candidate;
pub use declare::{Inferred, People};
use profile::Profile;
pub(super) use sample::{Sample, by_name, of_table};

/// How much text is looked at for the columns of an entity without a block, in bytes.
const HEAD: u64 = 1 << 18;

/// How much is looked at for a declaration: bytes of text, rows of typed files.
const MOST_BYTES: u64 = 64 << 20;
const MOST_ROWS: u64 = 1_000_000;

/// Names and types of the columns of `files`. Cells of text may always be null, because the lines behind the first may
/// lack what these have; only a column `id` that looks like a key is taken for one, and keys are never null.
pub(super) fn columns(files: &[SourceFile], options: &[(String, Value)]) -> Result<Vec<(String, Ty)>, SourceError> {
    let Some(file) = files.first() else { return Ok(Vec::new()) };
    let format = files::format(file)?;
    if format != Format::Text {
        return sample::of_headers(files, format);
    }
    let options = FileOptions::new(&files::extension(&file.path).unwrap_or_default(), options)?;
    let sample = sample::of_text(files, &options, HEAD)?;
    let columns = sample.columns.into_iter().map(|mut column| {
        column.only(&[]);
        let is_key = column.name == "id" && column.nulls == 0 && column.is_unique();
        let Ty { kind, .. } = column.ty();
        (column.name, Ty { kind, nullable: !is_key })
    });
    Ok(columns.collect())
}

/// A source to be declared.
pub(super) struct Found {
    pub name: String,
    /// As the declaration will write it: a path in quotes with options behind it, or a table.
    pub written: String,
    pub columns: Vec<Profile>,
    pub rows: u64,
    pub whole: bool,
    /// What a database says of keys.
    pub keys: Option<Keys>,
}

/// Keys of a table.
#[derive(Default)]
pub(super) struct Keys {
    /// The columns of the primary key.
    pub primary: Vec<String>,
    /// Columns that point to others, with the table as the declaration will write it, and its column.
    pub foreign: Vec<(String, String, String)>,
}

/// Looks at the files that `location` means, relative to `base`.
fn look(base: &Path, location: &str, objects: &Objects) -> Result<Found, SourceError> {
    let files = files::find(base, location, objects)?;
    let Some(file) = files.first() else { return Err(SourceError::NoMatch { shown: location.to_owned() }) };
    let format = files::format(file)?;
    let several =
        files.len() > 1 && (file.object.is_some() || base.join(location).is_dir()) && !location.contains(['*', '?']);
    let stem = Path::new(location).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = if several { stem } else { stem.split('.').next().unwrap_or_default().to_owned() };
    // A pattern of all files is called as their folder is.
    let nameless = !stem.contains(char::is_alphanumeric);
    let folder = Path::new(location).parent().and_then(Path::file_name).filter(|_| nameless);
    let stem = folder.map_or(stem, |folder| folder.to_string_lossy().into_owned());
    let name = names::entity(&stem);
    let (mut sample, mut options) = match format {
        Format::Text => look_at_text(&files, file)?,
        format => (sample::of_typed(&files, format, MOST_ROWS)?, Vec::new()),
    };
    options.extend(ways(&mut sample));
    let Sample { columns, rows, whole, .. } = sample;
    let options = if options.is_empty() { String::new() } else { format!(" ({})", options.join(", ")) };
    let path = location.replace('\\', "/").replace('"', "\\\"").replace('{', "{{").replace('}', "}}");
    Ok(Found { name, written: format!("\"{path}\"{options}"), columns, rows, whole, keys: None })
}

/// A table to be declared, from a look at its first rows.
pub(super) fn table(bound: &BoundTable<'_>, sample: Sample, keys: Keys) -> Found {
    let name = bound.table.last().map_or_else(String::new, |name| names::entity(name));
    let Sample { columns, rows, whole, .. } = sample;
    Found { name, written: written(bound.source, bound.table), columns, rows, whole, keys: Some(keys) }
}

/// The name of something else as that of an entity: `Orders-2026` as `orders`.
pub fn entity_name(name: &str) -> String {
    names::entity(name)
}

/// A table as a declaration writes it.
pub(super) fn written(source: &str, table: &[String]) -> String {
    let names = std::iter::once(source).chain(table.iter().map(String::as_str));
    names.map(quoted_name).collect::<Vec<_>>().join(".")
}

/// Declarations of files at `locations`, which are relative to `base`, the folder of the file that will hold the
/// declarations, and of tables that were looked at.
pub(super) fn infer(
    base: &Path,
    locations: &[String],
    objects: &Objects,
    tables: Vec<Found>,
) -> Result<Inferred, SourceError> {
    let mut found = locations.iter().map(|location| look(base, location, objects)).collect::<Result<Vec<_>, _>>()?;
    found.extend(tables);
    Ok(declare::declare(found))
}

/// A look at text files, with the delimiter and the encoding that their beginning suggests.
fn look_at_text(files: &[SourceFile], file: &SourceFile) -> Result<(Sample, Vec<String>), SourceError> {
    let mut options = FileOptions::of_extension(&files::extension(&file.path).unwrap_or_default());
    let mut written = Vec::new();
    let head = sample::head(file, None, HEAD)?.0;
    if std::str::from_utf8(&head).is_err() {
        options.encoding = Encoding::Windows1252;
        written.push("encoding: \"windows-1252\"".to_owned());
    }
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |sign: u8| line.iter().filter(|byte| **byte == sign).count();
    let best = [b',', b';', b'\t', b'|'].into_iter().rev().max_by_key(|sign| count(*sign)).unwrap_or(b',');
    if !options.layout.is_json() && count(best) > count(options.delimiter) {
        options.delimiter = best;
        written.push(match best {
            b'\t' => "delimiter: \"tab\"".to_owned(),
            sign => format!("delimiter: \"{}\"", char::from(sign)),
        });
    }
    if options.layout == Layout::Delimited && !names_columns(&head, &options) {
        options.header = false;
        written.push("header: false".to_owned());
    }
    Ok((sample::of_text(files, &options, MOST_BYTES)?, written))
}

/// Does the first line look like names? A number, a date or an address is none.
fn names_columns(head: &[u8], options: &FileOptions) -> bool {
    let text = import::decode(head, options.encoding).unwrap_or_else(|_| String::from_utf8_lossy(head));
    let mut reader = import::reader(options, text.as_bytes());
    let mut record = csv::StringRecord::new();
    let read = reader.read_record(&mut record).unwrap_or(false);
    let reading = Reading { zone: jiff::tz::TimeZone::UTC, date_format: None, numbers: NumberFormat::PLAIN };
    let is_value = |cell: &str| {
        let cell = cell.trim();
        cell.contains('@') || [Candidate::Decimal, Candidate::Date].iter().any(|kind| kind.fits(cell, &reading))
    };
    !read || !record.iter().any(|cell| !cell.trim().is_empty() && is_value(cell))
}

/// How the file writes dates and numbers, if all its columns agree.
fn ways(sample: &mut Sample) -> Vec<String> {
    let mut ways: Vec<Candidate> = Vec::new();
    for way in sample.columns.iter().filter_map(Profile::way) {
        let same = |known: &Candidate| std::mem::discriminant(known) == std::mem::discriminant(&way);
        if !ways.iter().any(same) {
            ways.push(way);
        }
    }
    let plain = |kind: Candidate| sample.columns.iter().any(|column| column.is_written(kind));
    let (dates, decimals) = (plain(Candidate::Date), plain(Candidate::Decimal));
    ways.retain(|way| match way {
        Candidate::CommaDecimal => !decimals,
        _ => !dates,
    });
    sample.columns.iter_mut().for_each(|column| column.only(&ways));
    let mut options = Vec::new();
    for way in ways {
        match way {
            Candidate::DateAs(format) => options.push(format!("date_format: \"{format}\"")),
            _ => options.extend(["decimal: \",\"".to_owned(), "thousands: \".\"".to_owned()]),
        }
    }
    options
}
