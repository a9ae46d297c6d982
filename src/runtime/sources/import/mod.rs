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
mod header;
mod rejects;
mod sink;
mod worker;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use jiff::tz::TimeZone;

pub(crate) use builders::Builder;
pub(crate) use rejects::{Rejects, publish, shortened};
pub(crate) use sink::Sink;
pub(crate) use worker::decode;

use super::cache::{Entry, Stamp};
use super::cell::{MAX_SCALE, Reading};
use super::columns::{Column, MIN_SCALE};
use super::error::SourceError;
use super::files::{SourceFile, io_reason};
use super::options::{FileOptions, OnBad};
use super::table;
use crate::base::{SourceId, Span};
use crate::hir::Value;
use cutter::{Chunk, CutError, Cutter, MAX_RECORD};
use worker::{Typed, type_chunk};

/// The column that holds the line of a row, for entities without a key.
pub(crate) const LINE: &str = "line";

/// Bytes of text that become one row group, at most and at least.
const CHUNK: std::ops::RangeInclusive<u64> = 1 << 20..=8 << 20;

/// The signs that structure a text file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dialect {
    pub delimiter: u8,
    pub quote: u8,
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
pub(crate) fn cut(file: File, size: usize, dialect: Dialect) -> Option<Vec<(Vec<u8>, u64)>> {
    let mut cutter = Cutter::new(file, size, dialect);
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
        let file = SourceFile { path: path.clone(), shown: path.display().to_string() };
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
    /// For each column its cell in a record.
    pub cells: Vec<usize>,
    /// Cells of a record.
    pub width: usize,
    /// Decimals of each column.
    pub scales: Vec<u8>,
    pub lines: bool,
    pub schema: SchemaRef,
    /// The most bad lines.
    pub limit: u64,
}

/// Imports `file`, or finds it imported. `earlier` are the rejects of the files before it.
pub(crate) fn import(file: &SourceFile, context: &Context, earlier: &mut Rejects) -> Result<Imported, SourceError> {
    let unreadable =
        |error: std::io::Error| SourceError::Unreadable { shown: file.shown.clone(), reason: io_reason(&error) };
    let stamp = Stamp::of(&file.path).map_err(unreadable)?;
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
    if Stamp::of(&file.path).map_err(unreadable)? != stamp {
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
    let opened = File::open(&file.path).map_err(unreadable)?;
    let size = (stamp.len / (2 * context.threads as u64)).clamp(*CHUNK.start(), *CHUNK.end());
    let dialect = Dialect { delimiter: context.options.delimiter, quote: context.options.quote };
    let mut cutter = Cutter::new(opened, size as usize, dialect);
    let mut first = cutter.next().map_err(|error| cut_error(file, error))?;
    let (cells, width) = header::read(first.as_mut(), file, context)?;
    let schema = schema(context, &scales);
    let limit = context.options.max_errors.unwrap_or(u64::MAX).saturating_sub(earlier.count);
    let plan = Plan {
        columns: context.columns,
        options: context.options,
        reading: Reading { zone: context.zone.clone(), date_format: context.options.date_format.clone() },
        cells,
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
    };
    match job.rounds(&mut cutter, first)? {
        Some(wider) => Ok(Attempt::Rescale(wider)),
        None => Ok(Attempt::Done { sink: job.sink, lines: cutter.lines(), rejects: job.rejects }),
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
}

impl Job<'_> {
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

fn schema(context: &Context, scales: &[u8]) -> SchemaRef {
    let mut fields: Vec<_> = context.columns.iter().zip(scales).map(|(column, scale)| column.arrow(*scale)).collect();
    if context.lines {
        fields.push(Field::new(LINE, DataType::Int64, false));
    }
    Arc::new(Schema::new(fields))
}
