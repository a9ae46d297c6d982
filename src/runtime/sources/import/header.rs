//! The first line of a file: which cell is which column.

use std::collections::HashSet;

use super::worker::decode;
use super::{Chunk, Context, cutter::newlines, reader};
use crate::base::did_you_mean;
use crate::runtime::sources::error::{MissingColumn, SourceError};
use crate::runtime::sources::files::SourceFile;

/// Finds for each column its cell, and the number of cells of a record. Moves the start of the first chunk behind the
/// header.
pub(super) fn read(
    first: Option<&mut Chunk>,
    file: &SourceFile,
    context: &Context,
) -> Result<(Vec<usize>, usize), SourceError> {
    let by_position = ((0..context.columns.len()).collect(), context.columns.len());
    let Some(chunk) = first else {
        let empty = SourceError::Empty { shown: file.shown.clone(), header: context.options.header };
        return if context.options.header { Err(empty) } else { Ok(by_position) };
    };
    skip_mark(chunk, file)?;
    if !context.options.header {
        return Ok(by_position);
    }
    let names = names(chunk, file, context)?;
    let cells = cells(&names, file, context)?;
    Ok((cells, names.len()))
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
    record
        .iter()
        .map(|name| match decode(name, context.options.encoding) {
            Ok(name) => Ok(name.trim().to_owned()),
            Err(_) => Err(SourceError::Unreadable {
                shown: file.shown.clone(),
                reason: "its first line is not UTF-8; is it `encoding: \"windows-1252\"`?".to_owned(),
            }),
        })
        .collect()
}

fn cells(names: &[String], file: &SourceFile, context: &Context) -> Result<Vec<usize>, SourceError> {
    let mut missing = Vec::new();
    let mut repeated = Vec::new();
    let mut cells = Vec::new();
    for column in context.columns {
        let mut places = names.iter().enumerate().filter(|(_, name)| **name == column.name).map(|(at, _)| at);
        match (places.next(), places.next()) {
            (Some(at), None) => cells.push(at),
            (Some(_), Some(_)) => repeated.push(column.name.clone()),
            (None, _) => missing.push(column),
        }
    }
    if missing.is_empty() && repeated.is_empty() {
        return Ok(cells);
    }
    let declared: HashSet<&str> = context.columns.iter().map(|column| column.name.as_str()).collect();
    let spare = || names.iter().map(String::as_str).filter(|name| !declared.contains(name));
    let missing = missing.into_iter().map(|column| MissingColumn {
        name: column.name.clone(),
        nearest: did_you_mean(&column.name, spare()).map(str::to_owned),
        span: column.span,
    });
    let missing = missing.collect();
    Err(SourceError::Columns { shown: file.shown.clone(), found: names.to_vec(), missing, repeated, unfit: Vec::new() })
}
