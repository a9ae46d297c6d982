//! The beginning of a file: which cell is which column.

use std::borrow::Cow;
use std::collections::HashSet;

use super::worker::decode;
use super::{Chunk, Context, Place, cutter::newlines, fixed, reader};
use crate::base::did_you_mean;
use crate::runtime::sources::columns::Column;
use crate::runtime::sources::error::{Mismatch, MissingColumn, SourceError};
use crate::runtime::sources::files::SourceFile;
use crate::runtime::sources::options::Layout;

/// What the beginning of a file tells.
pub(super) struct Header {
    /// For each column where its cells come from.
    pub places: Vec<Place>,
    /// Cells of a record.
    pub width: usize,
    /// Is it a JSON list, which must end?
    pub list: bool,
}

/// Reads what stands before the first record, and moves the start of the first chunk behind it.
pub(super) fn read(first: Option<&mut Chunk>, file: &SourceFile, context: &Context) -> Result<Header, SourceError> {
    let by_position = by_position(file, context)?;
    let Some(chunk) = first else {
        let names_needed = context.options.header && !context.options.layout.is_json();
        let empty = SourceError::Empty { shown: file.shown.clone(), header: true };
        return if names_needed { Err(empty) } else { Ok(by_position) };
    };
    skip_mark(chunk, file)?;
    if context.options.layout == Layout::Json {
        let blank = |byte: &&u8| byte.is_ascii_whitespace();
        let begin = chunk.start + chunk.bytes[chunk.start..].iter().take_while(blank).count();
        let list = chunk.bytes.get(begin) == Some(&b'[');
        if list {
            chunk.line += newlines(&chunk.bytes[chunk.start..begin]);
            chunk.start = begin + 1;
        }
        return Ok(Header { list, ..by_position });
    }
    if !context.options.header || context.options.layout.is_json() {
        return Ok(by_position);
    }
    let names = names(chunk, file, context)?;
    Ok(Header { places: by_name(&names, file, context)?, width: names.len(), list: false })
}

/// The columns that are not in the folder's name, in their order. The keys of JSON are columns as declared.
fn by_position(file: &SourceFile, context: &Context) -> Result<Header, SourceError> {
    let mut width = 0;
    let places = context.columns.iter().enumerate().map(|(at, column)| {
        file.folder_place(&column.name).unwrap_or_else(|| {
            width += 1;
            Place::Cell(if context.options.layout.is_json() { at } else { width - 1 })
        })
    });
    let places = places.collect();
    match &context.options.layout {
        Layout::Fixed(widths) if !context.options.header && widths.len() != width => Err(SourceError::Option {
            message: format!("`widths` and the fields of the file differ in number: {} and {width}", widths.len()),
            help: "write one width for each field, in their order".to_owned(),
        }),
        _ => Ok(Header { places, width, list: false }),
    }
}

/// Skips a byte order mark.
fn skip_mark(chunk: &mut Chunk, file: &SourceFile) -> Result<(), SourceError> {
    if chunk.bytes.starts_with(&[0xEF, 0xBB, 0xBF]) {
        chunk.start = 3;
    }
    if chunk.bytes.starts_with(&[0xFF, 0xFE]) || chunk.bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(SourceError::Unsupported {
            what: format!("`{}`, which is UTF-16,", file.shown),
            help: "save it as UTF-8".to_owned(),
        });
    }
    Ok(())
}

/// Takes the first record off the chunk.
fn names(chunk: &mut Chunk, file: &SourceFile, context: &Context) -> Result<Vec<String>, SourceError> {
    if let Layout::Fixed(widths) = &context.options.layout {
        return fixed_names(chunk, file, context, widths);
    }
    let mut reader = reader(context.options, &chunk.bytes[chunk.start..]);
    let mut record = csv::ByteRecord::new();
    let unreadable =
        |error: csv::Error| SourceError::Unreadable { shown: file.shown.clone(), reason: error.to_string() };
    if !reader.read_byte_record(&mut record).map_err(unreadable)? {
        return Err(SourceError::Empty { shown: file.shown.clone(), header: true });
    }
    let behind = chunk.start + reader.position().byte() as usize;
    chunk.line += newlines(&chunk.bytes[chunk.start..behind]);
    chunk.start = behind;
    record.iter().map(|name| decoded(name, file, context).map(|name| name.trim().to_owned())).collect()
}

fn fixed_names(
    chunk: &mut Chunk,
    file: &SourceFile,
    context: &Context,
    widths: &[usize],
) -> Result<Vec<String>, SourceError> {
    let text = &chunk.bytes[chunk.start..];
    let end = text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| at + 1);
    let line = decoded(&text[..end], file, context)?;
    let mut names: Vec<String> = fixed::cells(&line, widths).into_iter().map(str::to_owned).collect();
    names.truncate(widths.len());
    chunk.start += end;
    chunk.line += 1;
    Ok(names)
}

fn decoded<'t>(bytes: &'t [u8], file: &SourceFile, context: &Context) -> Result<Cow<'t, str>, SourceError> {
    decode(bytes, context.options.encoding).map_err(|_| SourceError::Unreadable {
        shown: file.shown.clone(),
        reason: "its first line is not UTF-8; is it `encoding: \"windows-1252\"`?".to_owned(),
    })
}

fn by_name(names: &[String], file: &SourceFile, context: &Context) -> Result<Vec<Place>, SourceError> {
    let mut missing = Vec::new();
    let mut repeated = Vec::new();
    let mut found = Vec::new();
    for column in context.columns {
        if let Some(place) = file.folder_place(&column.name) {
            found.push(place);
            continue;
        }
        let mut places = names.iter().enumerate().filter(|(_, name)| **name == column.name).map(|(at, _)| at);
        match (places.next(), places.next()) {
            (Some(at), None) => found.push(Place::Cell(at)),
            (Some(_), Some(_)) => repeated.push(column.name.clone()),
            (None, _) => missing.push(column),
        }
    }
    let undeclared = undeclared(names.iter().map(String::as_str), context);
    if missing.is_empty() && repeated.is_empty() && undeclared.is_empty() {
        return Ok(found);
    }
    let missing = missing.into_iter().map(|column| missing_column(column, names, context)).collect();
    Err(SourceError::Columns(Box::new(Mismatch {
        shown: file.shown.clone(),
        found: names.to_vec(),
        missing,
        repeated,
        undeclared,
        ..Mismatch::default()
    })))
}

/// The names that no column has, if they are not to be.
pub(super) fn undeclared<'n>(names: impl Iterator<Item = &'n str>, context: &Context) -> Vec<String> {
    let declared = |name: &&str| context.columns.iter().any(|column| column.name == *name);
    if !context.options.undeclared_fail {
        return Vec::new();
    }
    names.filter(|name| !declared(name)).map(str::to_owned).collect()
}

/// A declared column that the file lacks, with the name that may be meant.
pub(super) fn missing_column(column: &Column, names: &[String], context: &Context) -> MissingColumn {
    let declared: HashSet<&str> = context.columns.iter().map(|column| column.name.as_str()).collect();
    let spare = names.iter().map(String::as_str).filter(|name| !declared.contains(name));
    MissingColumn {
        name: column.name.clone(),
        nearest: did_you_mean(&column.name, spare).map(str::to_owned),
        span: column.span,
    }
}
