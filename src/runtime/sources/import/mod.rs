//! Import of a text file: typed by the declaration once, kept as Parquet.
//!
//! ```text
//! file ─cutter─▶ chunks of whole records ─worker, one thread each─▶ row groups ─sink, in order─▶ Parquet
//! ```
//! Work goes in rounds of as many chunks as there are threads: while they type, the round before is written and the
//! one after is read, so at most three rounds are in memory. A decimal column begins with two decimals; when a cell
//! needs more, the import begins anew with as many.

mod builders;
mod cutter;
pub(crate) mod fixed;
mod header;
pub(crate) mod json;
mod rejects;
mod sink;
mod typist;
mod worker;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use jiff::tz::TimeZone;

pub(crate) use builders::Builder;
pub(crate) use rejects::{Rejects, publish, shortened};
pub(crate) use sink::Sink;
pub(crate) use typist::Reject;
pub(crate) use worker::decode;

use super::cache::{Entry, Stamp};
use super::cell::{MAX_SCALE, Reading};
use super::columns::{Column, MIN_SCALE};
use super::error::{Mismatch, SourceError};
use super::files::{SourceFile, io_reason};
use super::options::{FileOptions, Layout, NumberFormat, OnBad};
use super::packing::Packing;
use super::table;
use crate::base::{SourceId, Span, did_you_mean};
use crate::hir::Value;
use cutter::{Chunk, CutError, Cutter, MAX_RECORD};
use header::Header;
use typist::{Keys, Raw, Typed};
use worker::type_chunk;

/// The column that holds the line of a row, for entities without a key.
pub(crate) const LINE: &str = "line";

/// Bytes of text that become one row group, at most and at least.
const CHUNK: std::ops::RangeInclusive<u64> = 1 << 20..=8 << 20;

/// So many times as large as a compressed file its text is taken to be, when chunks are sized.
const UNPACKED: u64 = 5;

/// What tells where a record ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dialect {
    /// A newline outside of quotes.
    Delimited { delimiter: u8, quote: u8 },
    /// Any newline.
    Lines,
    /// The brace that closes an object.
    Objects,
}

impl Dialect {
    fn of(options: &FileOptions) -> Self {
        match options.layout {
            Layout::Delimited => Self::Delimited { delimiter: options.delimiter, quote: options.quote },
            Layout::Fixed(_) | Layout::JsonLines => Self::Lines,
            Layout::Json => Self::Objects,
        }
    }
}

/// Where the cells of a column come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// The record, at this place.
    Cell(usize),
    /// The name of the file's folder; `None` is null.
    Folder(Option<String>),
}

impl Place {
    fn cell(&self) -> Option<usize> {
        match self {
            Place::Cell(at) => Some(*at),
            Place::Folder(_) => None,
        }
    }
}

/// A reader of records for `text`; the header is a record as others.
pub(crate) fn reader<'t>(options: &FileOptions, text: &'t [u8]) -> csv::Reader<&'t [u8]> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(options.delimiter)
        .quote(options.quote)
        .buffer_capacity(1 << 16)
        .from_reader(text)
}

/// All chunks with their lines, or `None` when the file cannot be cut.
#[cfg(test)]
pub(crate) fn cut(file: std::fs::File, size: usize, dialect: Dialect) -> Option<Vec<(Vec<u8>, u64)>> {
    let mut cutter = Cutter::new(Box::new(file), size, dialect);
    let mut chunks = Vec::new();
    while let Some(chunk) = cutter.next().ok()? {
        chunks.push((chunk.bytes, chunk.line));
    }
    Some(chunks)
}

/// The rejects of a source as a table.
pub(crate) fn rejects_table(rejects: &Rejects, cache: &Path) -> Result<Arc<dyn TableProvider>, SourceError> {
    let columns = rejects::COLUMNS.map(|(name, kind)| Column {
        name: name.to_owned(),
        kind,
        nullable: matches!(name, "column" | "value"),
        default: None,
        span: Span::new(SourceId(0), 0, 0),
    });
    let options = FileOptions { header: false, ..FileOptions::of_extension("csv") };
    let context = Context {
        columns: &columns,
        options: &options,
        cache,
        zone: &TimeZone::UTC,
        threads: 1,
        lines: false,
        rejects: None,
    };
    let mut imports = Vec::new();
    for path in &rejects.parts {
        let file = SourceFile::new(path.clone(), path.display().to_string());
        imports.push(import(&file, &context, &mut Rejects::default())?);
    }
    if imports.is_empty() {
        let schema = schema(&context, &[0; 5]);
        let none = MemTable::try_new(schema, vec![Vec::new()]);
        return Ok(Arc::new(
            none.map_err(|error| SourceError::Cache { path: cache.to_owned(), reason: error.to_string() })?,
        ));
    }
    table::of_imports(&imports)
}

/// What every file of a source has in common.
pub(crate) struct Context<'a> {
    pub columns: &'a [Column],
    pub options: &'a FileOptions,
    pub cache: &'a Path,
    pub zone: &'a TimeZone,
    pub threads: usize,
    /// Is there a column with the line?
    pub lines: bool,
    /// Where to copy the rejects file to.
    pub rejects: Option<&'a Path>,
}

/// A file as it lies in the cache.
#[derive(Clone, Debug)]
pub(crate) struct Imported {
    pub path: PathBuf,
    pub schema: SchemaRef,
    pub rows: u64,
    /// Lines of the text file.
    pub lines: u64,
    /// Bad lines and cells.
    pub rejected: u64,
    /// The rejects file, without header, if there are any.
    pub rejects: Option<PathBuf>,
}

/// How to type the records of one file.
pub(crate) struct Plan<'a> {
    pub columns: &'a [Column],
    pub options: &'a FileOptions,
    pub reading: Reading,
    /// For each column where its cells come from.
    pub places: Vec<Place>,
    /// For each column the texts that stand for others.
    replacements: Vec<HashMap<&'a str, &'a str>>,
    /// Cells of a record.
    pub width: usize,
    /// Decimals of each column.
    pub scales: Vec<u8>,
    pub lines: bool,
    pub schema: SchemaRef,
    /// The most bad lines.
    pub limit: u64,
}

impl<'a> Plan<'a> {
    /// The cell, or what it stands for.
    fn replaced<'t>(&self, column: usize, cell: Raw<'t>) -> Raw<'t>
    where
        'a: 't,
    {
        let replacements = &self.replacements[column];
        match cell {
            Raw::Text(text) if !replacements.is_empty() => {
                Raw::Text(replacements.get(text.trim()).copied().unwrap_or(text))
            }
            cell => cell,
        }
    }
}

/// For each column the texts that stand for others.
fn replacements<'a>(
    columns: &[Column],
    options: &'a FileOptions,
) -> Result<Vec<HashMap<&'a str, &'a str>>, SourceError> {
    let mut all: Vec<HashMap<&str, &str>> = columns.iter().map(|_| HashMap::new()).collect();
    for replacement in &options.replacements {
        let of = |column: &&Column| replacement.column.as_ref().is_none_or(|name| *name == column.name);
        let mut found = columns.iter().zip(&mut all).filter(|(column, _)| of(column)).peekable();
        if let (Some(name), None) = (&replacement.column, found.peek()) {
            let names = columns.iter().map(|column| column.name.as_str());
            return Err(SourceError::Option {
                message: format!("option `map`: there is no field `{name}`"),
                help: match did_you_mean(name, names) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "write `\"COLUMN: FROM -> TO\"`, with `*` for every column".to_owned(),
                },
            });
        }
        for (_, replacements) in found {
            replacements.insert(&replacement.from, &replacement.to);
        }
    }
    Ok(all)
}

/// Imports `file`, or finds it imported. `earlier` are the rejects of the files before it.
pub(crate) fn import(file: &SourceFile, context: &Context, earlier: &mut Rejects) -> Result<Imported, SourceError> {
    let stamp = Stamp::found(file)?;
    let entry = Entry::new(context, &file.path, &stamp);
    if let Some(imported) = entry.find() {
        return Ok(imported);
    }
    let mut scales: Vec<u8> = context.columns.iter().map(first_scale).collect();
    let (sink, lines, rejects) = loop {
        match attempt(file, context, &stamp, &entry, scales, earlier)? {
            Attempt::Done { sink, lines, rejects } => break (sink, lines, rejects),
            Attempt::Rescale(wider) => scales = wider,
        }
    };
    if !stamp.holds(file)? {
        return Err(SourceError::Changed { shown: file.shown.clone() });
    }
    entry.commit(sink, lines, rejects)
}

enum Attempt {
    Done { sink: Sink, lines: u64, rejects: Rejects },
    Rescale(Vec<u8>),
}

fn attempt(
    file: &SourceFile,
    context: &Context,
    stamp: &Stamp,
    entry: &Entry,
    scales: Vec<u8>,
    earlier: &mut Rejects,
) -> Result<Attempt, SourceError> {
    let unreadable =
        |error: std::io::Error| SourceError::Unreadable { shown: file.shown.clone(), reason: io_reason(&error) };
    let opened = file.read(context.options.packing).map_err(unreadable)?;
    let packed = context.options.packing.unwrap_or_else(|| Packing::of_path(&file.path)) != Packing::Plain;
    let length = if packed { stamp.len.saturating_mul(UNPACKED) } else { stamp.len };
    let size = (length / (2 * context.threads as u64)).clamp(*CHUNK.start(), *CHUNK.end());
    let mut cutter = Cutter::new(opened, size as usize, Dialect::of(context.options));
    let mut first = cutter.next().map_err(|error| cut_error(file, error))?;
    let Header { places, width, list } = header::read(first.as_mut(), file, context)?;
    let schema = schema(context, &scales);
    let limit = context.options.max_errors.unwrap_or(u64::MAX).saturating_sub(earlier.count);
    let plan = Plan {
        columns: context.columns,
        options: context.options,
        reading: Reading {
            zone: context.zone.clone(),
            date_format: context.options.date_format.clone(),
            numbers: if context.options.layout.is_json() { NumberFormat::PLAIN } else { context.options.numbers },
        },
        places,
        replacements: replacements(context.columns, context.options)?,
        width,
        scales,
        lines: context.lines,
        schema,
        limit,
    };
    let mut job = Job {
        file,
        plan: &plan,
        context,
        sink: Sink::new(context.cache, &plan.schema)?,
        rejects: Rejects::new(entry.folder())?,
        earlier,
        keys: Keys::default(),
        closed: !list,
    };
    match job.rounds(&mut cutter, first)? {
        Some(wider) => Ok(Attempt::Rescale(wider)),
        None => job.check_end(cutter.lines()).map(|()| Attempt::Done {
            sink: job.sink,
            lines: cutter.lines(),
            rejects: job.rejects,
        }),
    }
}

/// One attempt at one file.
struct Job<'a> {
    file: &'a SourceFile,
    plan: &'a Plan<'a>,
    context: &'a Context<'a>,
    sink: Sink,
    rejects: Rejects,
    earlier: &'a mut Rejects,
    /// Of JSON objects.
    keys: Keys,
    /// Has a JSON list ended?
    closed: bool,
}

impl Job<'_> {
    /// What can only be told after the last record.
    fn check_end(&self, lines: u64) -> Result<(), SourceError> {
        if !self.closed {
            let reason = format!("its list is cut off in line {lines}: there is no `]`");
            return Err(SourceError::Unreadable { shown: self.file.shown.clone(), reason });
        }
        let names: Vec<String> = self.keys.spare.iter().cloned().collect();
        // A key that no record has may be optional, or written differently in the file.
        let unseen =
            self.plan.columns.iter().zip(&self.keys.seen).filter(|(_, seen)| !**seen).map(|(column, _)| column);
        let missing = unseen.map(|column| header::missing_column(column, &names, self.context));
        let missing: Vec<_> = missing.filter(|column| column.nearest.is_some()).collect();
        let undeclared = header::undeclared(names.iter().map(String::as_str), self.context);
        if missing.is_empty() && undeclared.is_empty() {
            return Ok(());
        }
        let seen = self.plan.columns.iter().zip(&self.keys.seen).filter(|(_, seen)| **seen);
        let found = seen.map(|(column, _)| column.name.clone()).chain(names).collect();
        let shown = self.file.shown.clone();
        Err(SourceError::Columns(Box::new(Mismatch { shown, found, missing, undeclared, ..Mismatch::default() })))
    }

    /// Types all chunks; returns wider scales if some are too narrow.
    fn rounds(&mut self, cutter: &mut Cutter, first: Option<Chunk>) -> Result<Option<Vec<u8>>, SourceError> {
        let mut chunks = self.round(cutter, first)?;
        let mut typed = Vec::new();
        while !chunks.is_empty() || !typed.is_empty() {
            let plan = self.plan;
            let work = chunks.drain(..).map(|chunk| Ok((chunk, self.sink.column_writers()?)));
            let work: Vec<_> = work.collect::<Result<_, SourceError>>()?;
            let next = std::thread::scope(|scope| {
                let workers: Vec<_> = work
                    .into_iter()
                    .map(|(chunk, writers)| scope.spawn(move || type_chunk(chunk, plan, writers)))
                    .collect();
                let written = typed.drain(..).try_for_each(|typed| self.take(typed));
                let next = written.and_then(|()| self.round(cutter, None));
                for worker in workers {
                    let joined = worker.join().map_err(|_| self.sink.failed("a worker thread failed"))?;
                    typed.push(joined.map_err(|error| self.sink.failed(error))?);
                }
                next
            });
            let wider = typed
                .iter()
                .flat_map(|typed| typed.wider.clone())
                .reduce(|a, b| a.iter().zip(&b).map(|(a, b)| *a.max(b)).collect());
            if wider.is_some() {
                return Ok(wider);
            }
            chunks = next?;
        }
        Ok(None)
    }

    /// As many chunks as there are threads.
    fn round(&self, cutter: &mut Cutter, first: Option<Chunk>) -> Result<Vec<Chunk>, SourceError> {
        let mut chunks: Vec<_> = first.into_iter().collect();
        while chunks.len() < self.context.threads {
            match cutter.next().map_err(|error| cut_error(self.file, error))? {
                Some(chunk) => chunks.push(chunk),
                None => break,
            }
        }
        Ok(chunks)
    }

    /// Writes what a worker has typed.
    fn take(&mut self, typed: Typed) -> Result<(), SourceError> {
        self.keys.add(typed.keys);
        self.closed |= typed.closed;
        for reject in typed.rejects {
            if self.plan.options.on_error == OnBad::Fail {
                let column = reject.column.map(|at| &self.plan.columns[at]);
                return Err(SourceError::Cell {
                    shown: self.file.shown.clone(),
                    line: reject.line,
                    column: column.map(|column| column.name.clone()),
                    value: shortened(&reject.value),
                    reason: reject.reason,
                    field: column.map(|column| column.span),
                    text: true,
                });
            }
            let column = reject.column.map_or("", |at| &self.plan.columns[at].name);
            self.rejects.add(&self.file.shown, column, &reject)?;
            if self.rejects.count > self.plan.limit {
                return Err(self.too_many());
            }
        }
        if let Some((line, reason)) = typed.broken {
            return Err(SourceError::Unreadable { shown: format!("{}:{line}", self.file.shown), reason });
        }
        self.sink.append(typed.columns, typed.rows)
    }

    fn too_many(&mut self) -> SourceError {
        let limit = self.context.options.max_errors.unwrap_or(0);
        super::too_many(&self.file.shown, limit, self.context.rejects, &mut [self.earlier, &mut self.rejects])
    }
}

fn cut_error(file: &SourceFile, error: CutError) -> SourceError {
    let shown = file.shown.clone();
    match error {
        CutError::Io(error) => SourceError::Unreadable { shown, reason: io_reason(&error) },
        CutError::OpenQuote(line) => SourceError::OpenQuote { shown, line },
        CutError::LongRecord(line) => SourceError::LongRecord { shown, line, limit: MAX_RECORD >> 20 },
    }
}

/// Two decimals, or as many as the default has.
fn first_scale(column: &Column) -> u8 {
    match &column.default {
        Some(Value::Decimal(default)) => (default.normalize().scale() as u8).clamp(MIN_SCALE, MAX_SCALE),
        _ => MIN_SCALE,
    }
}

/// The columns in Arrow, with these decimals.
pub(crate) fn schema(context: &Context, scales: &[u8]) -> SchemaRef {
    let mut fields: Vec<_> = context.columns.iter().zip(scales).map(|(column, scale)| column.arrow(*scale)).collect();
    if context.lines {
        fields.push(Field::new(LINE, DataType::Int64, false));
    }
    Arc::new(Schema::new(fields))
}
