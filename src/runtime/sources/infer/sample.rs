//! Looking at the rows of a source.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Read;

use datafusion::arrow::array::{AsArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;

use super::profile::Profile;
use crate::base::{SourceId, Span};
use crate::hir::{Ty, TyKind};
use crate::runtime::sources::cell::Reading;
use crate::runtime::sources::columns::{Column, Kind};
use crate::runtime::sources::direct;
use crate::runtime::sources::error::SourceError;
use crate::runtime::sources::files::{Format, SourceFile, io_reason};
use crate::runtime::sources::import::{self, Place, fixed, json};
use crate::runtime::sources::options::{FileOptions, Layout};
use crate::runtime::sources::packing::Packing;

/// Columns and rows that were looked at.
pub(in crate::runtime::sources) struct Sample {
    pub columns: Vec<Profile>,
    pub rows: u64,
    /// Are these all rows?
    pub whole: bool,
    reading: Reading,
    places: HashMap<String, usize>,
}

/// Looks at about `limit` bytes of text files.
pub(super) fn of_text(files: &[SourceFile], options: &FileOptions, limit: u64) -> Result<Sample, SourceError> {
    let mut sample = Sample::new(options);
    let mut left = limit;
    for file in files {
        if left == 0 {
            sample.whole = false;
            break;
        }
        let before = sample.rows;
        let (bytes, whole) = head(file, options.packing, left)?;
        left = left.saturating_sub(bytes.len() as u64);
        sample.whole &= whole;
        let text = import::decode(&bytes, options.encoding);
        let text = text.unwrap_or_else(|_| String::from_utf8_lossy(&bytes));
        match &options.layout {
            Layout::Delimited => sample.delimited(file, &text, options, whole)?,
            Layout::Fixed(widths) => sample.fixed(file, &text, options, widths)?,
            Layout::JsonLines => sample.json_lines(&text),
            Layout::Json => sample.json(&text),
        }
        sample.folders(file, sample.rows - before);
    }
    sample.fill();
    Ok(sample)
}

/// The beginning of a file that ends where a line ends, and whether that is all.
pub(super) fn head(file: &SourceFile, packing: Option<Packing>, limit: u64) -> Result<(Vec<u8>, bool), SourceError> {
    let unreadable =
        |error: std::io::Error| SourceError::Unreadable { shown: file.shown.clone(), reason: io_reason(&error) };
    let mut bytes = Vec::new();
    file.read(packing).map_err(unreadable)?.take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
    let whole = (bytes.len() as u64) < limit;
    if !whole {
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
        bytes.truncate(end);
    }
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        bytes.drain(..3);
    }
    Ok((bytes, whole))
}

/// Names and types of the columns of typed files, as the header of the first tells them.
pub(super) fn of_headers(files: &[SourceFile], format: Format) -> Result<Vec<(String, Ty)>, SourceError> {
    let Some(file) = files.first() else { return Ok(Vec::new()) };
    let header = direct::quick_header(file, format)?;
    let schema = &header.schema;
    // What the language has no type for cannot be asked for.
    let typed = schema.fields().iter().enumerate().filter_map(|(at, field)| {
        let kind = by_name(field.name(), direct::ty(field.data_type())?);
        let nullable = header.nulls[at].map_or(field.is_nullable(), |nulls| nulls > 0 || field.name() != "id");
        Some((field.name().clone(), Ty { kind, nullable: nullable && field.is_nullable() }))
    });
    let mut columns: Vec<_> = typed.collect();
    let mut folders = Sample::new(&FileOptions::of_extension(""));
    files.iter().for_each(|file| folders.folders(file, 1));
    columns.extend(folders.columns.iter().map(|column| (column.name.clone(), column.ty())));
    Ok(columns)
}

/// The columns of typed files, with a look at the values of about `rows` rows.
pub(super) fn of_typed(files: &[SourceFile], format: Format, rows: u64) -> Result<Sample, SourceError> {
    let mut sample = Sample::new(&FileOptions::of_extension(""));
    for file in files {
        if sample.rows >= rows {
            sample.whole = false;
            break;
        }
        let schema = direct::quick_header(file, format)?.schema;
        let typed = schema.fields().iter().filter_map(|field| Some((field.name(), direct::ty(field.data_type())?)));
        let columns: Vec<Column> = typed.clone().map(|(name, _)| text_column(name)).collect();
        for (name, ty) in typed {
            sample.column(name, || Profile::typed(name.clone(), Some(ty)));
        }
        let before = sample.rows;
        sample.batches(file, format, &columns, rows)?;
        sample.folders(file, sample.rows - before);
    }
    sample.fill();
    Ok(sample)
}

/// A sample of a database's rows, of which nothing was looked at yet.
pub(in crate::runtime::sources) fn of_table(columns: Vec<(String, Option<TyKind>)>) -> Sample {
    let mut sample = Sample::new(&FileOptions::of_extension(""));
    for (name, typed) in columns {
        let profile = match typed {
            Some(kind) => Profile::typed(name.clone(), Some(kind)),
            None => Profile::new(name.clone(), &sample.reading),
        };
        sample.column(&name, || profile);
    }
    sample
}

fn text_column(name: &str) -> Column {
    let span = Span::new(SourceId(0), 0, 0);
    Column { name: name.to_owned(), kind: Kind::Text, nullable: true, default: None, span }
}

impl Sample {
    fn new(options: &FileOptions) -> Self {
        let reading = Reading {
            zone: jiff::tz::TimeZone::UTC,
            date_format: options.date_format.clone(),
            numbers: options.numbers,
        };
        Self { columns: Vec::new(), rows: 0, whole: true, reading, places: HashMap::new() }
    }

    /// The place of a column, which is new if it was not seen before.
    fn column(&mut self, name: &str, new: impl FnOnce() -> Profile) -> usize {
        if let Some(at) = self.places.get(name) {
            return *at;
        }
        self.columns.push(new());
        self.places.insert(name.to_owned(), self.columns.len() - 1);
        self.columns.len() - 1
    }

    fn text_column(&mut self, name: &str) -> usize {
        let profile = Profile::new(name.to_owned(), &self.reading);
        self.column(name, || profile)
    }

    /// Takes a row of a database, whose values are in the order of the columns.
    pub fn row<'t>(&mut self, values: impl Iterator<Item = Option<Cow<'t, str>>>) {
        self.rows += 1;
        for (column, value) in self.columns.iter_mut().zip(values) {
            match value {
                Some(value) if !value.is_empty() => column.cell(&value, &self.reading),
                _ => column.null(),
            }
        }
    }

    /// Rows that lack a column have null in it.
    fn fill(&mut self) {
        for column in &mut self.columns {
            column.nulls = self.rows.saturating_sub(column.filled);
        }
    }

    fn cell(&mut self, at: usize, cell: &str, options: &FileOptions) {
        if cell.is_empty() || options.null.as_deref() == Some(cell) {
            return;
        }
        self.columns[at].cell(cell, &self.reading);
    }

    fn delimited(
        &mut self,
        file: &SourceFile,
        text: &str,
        options: &FileOptions,
        whole: bool,
    ) -> Result<(), SourceError> {
        let mut reader = import::reader(options, text.as_bytes());
        let mut record = csv::StringRecord::new();
        let mut places: Option<Vec<usize>> = None;
        let unreadable =
            |error: csv::Error| SourceError::Unreadable { shown: file.shown.clone(), reason: error.to_string() };
        while reader.read_record(&mut record).map_err(unreadable)? {
            // The last record of a part may be cut off inside of quotes.
            if !whole && reader.is_done() {
                break;
            }
            let Some(places) = &places else {
                let named = options.header;
                let names = record.iter().enumerate();
                let names =
                    names.map(|(at, name)| if named { name.trim().into() } else { format!("column_{}", at + 1) });
                let found: Vec<usize> = names.collect::<Vec<_>>().iter().map(|name| self.text_column(name)).collect();
                if !named {
                    self.record(&found, record.iter(), options);
                }
                places = Some(found);
                continue;
            };
            self.record(places, record.iter(), options);
        }
        if places.is_none() {
            return Err(SourceError::Empty { shown: file.shown.clone(), header: options.header });
        }
        Ok(())
    }

    fn record<'t>(&mut self, places: &[usize], cells: impl Iterator<Item = &'t str>, options: &FileOptions) {
        for (at, cell) in places.iter().zip(cells) {
            self.cell(*at, cell, options);
        }
        self.rows += 1;
    }

    fn fixed(
        &mut self,
        file: &SourceFile,
        text: &str,
        options: &FileOptions,
        widths: &[usize],
    ) -> Result<(), SourceError> {
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let names: Vec<String> = match options.header {
            true => {
                let empty = || SourceError::Empty { shown: file.shown.clone(), header: true };
                let names = fixed::cells(lines.next().ok_or_else(empty)?, widths);
                names[..widths.len()].iter().map(|name| (*name).to_owned()).collect()
            }
            false => (1..=widths.len()).map(|at| format!("column_{at}")).collect(),
        };
        let places: Vec<usize> = names.iter().map(|name| self.text_column(name)).collect();
        for line in lines {
            self.record(&places, fixed::cells(line, widths).into_iter(), options);
        }
        Ok(())
    }

    fn json_lines(&mut self, text: &str) {
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            self.object(line);
        }
    }

    /// Objects as long as there are any.
    fn json(&mut self, text: &str) {
        let separator = |sign: char| sign.is_whitespace() || sign == ',';
        let mut rest = text.trim_start();
        rest = rest.strip_prefix('[').unwrap_or(rest);
        while let Some(behind) = self.object(rest.trim_start_matches(separator)) {
            rest = behind;
        }
    }

    /// What is behind the object; `None` when it is none.
    fn object<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let mut cells: Vec<(Cow<str>, &str)> = Vec::new();
        let rest = json::members(text, |key, value| {
            cells.push((key, value));
            Ok(())
        });
        let rest = rest.ok()?;
        self.rows += 1;
        for (key, value) in cells {
            let at = self.text_column(&key);
            match (value.as_bytes().first(), json::string(value)) {
                (Some(b'n'), _) => {}
                (Some(b'"'), Ok(text)) if text.is_empty() => {}
                (Some(b'"'), Ok(text)) => self.columns[at].text(&text, &self.reading),
                _ => self.columns[at].cell(value, &self.reading),
            }
        }
        Some(rest)
    }

    /// Columns that the folders' names give, for so many rows.
    fn folders(&mut self, file: &SourceFile, rows: u64) {
        for (name, _) in &file.folders {
            let at = self.text_column(name);
            if let Some(Place::Folder(Some(value))) = file.folder_place(name) {
                self.columns[at].cell(&value, &self.reading);
                self.columns[at].filled += rows.saturating_sub(1);
            } else {
                self.columns[at].null();
            }
        }
    }

    fn batches(&mut self, file: &SourceFile, format: Format, columns: &[Column], rows: u64) -> Result<(), SourceError> {
        let wanted: Vec<&Column> = columns.iter().collect();
        for batch in direct::batches(file, format, &wanted)? {
            let failed = |error: &dyn std::fmt::Display| SourceError::Unreadable {
                shown: file.shown.clone(),
                reason: error.to_string(),
            };
            let batch = batch.map_err(|error| failed(&error))?;
            for (field, values) in batch.schema().fields().iter().zip(batch.columns()) {
                let Some(at) = self.places.get(field.name()).copied() else { continue };
                let texts = cast(values, &DataType::Utf8).map_err(|error| failed(&error))?;
                let texts: Option<&StringArray> = texts.as_string_opt();
                for text in texts.into_iter().flatten().flatten() {
                    self.columns[at].cell(text, &self.reading);
                }
            }
            self.rows += batch.num_rows() as u64;
            if self.rows >= rows {
                self.whole = false;
                break;
            }
        }
        Ok(())
    }
}

/// The type of a column by its name alone, where the file says only that it is text.
pub(in crate::runtime::sources) fn by_name(name: &str, kind: TyKind) -> TyKind {
    match kind {
        TyKind::Text if super::names::is_email(name) => TyKind::Email,
        TyKind::Text if super::names::is_phone(name) => TyKind::Phone,
        TyKind::Text if super::names::is_zone(name) => TyKind::Timezone,
        kind => kind,
    }
}
