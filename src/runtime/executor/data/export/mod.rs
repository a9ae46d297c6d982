//! `export S to "file" { ... }`

mod fixed;
mod options;

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::ipc::writer::FileWriter;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::file::properties::WriterProperties;

use super::super::Executor;
use super::Done;
use super::cells::{Style, guarded};
use super::error::DataError;
use super::publish::file_error;
use crate::hir::{Expr, Query, Value};
use crate::plan::Step;
use crate::plan::query::{Columns, IDENTITY};
use crate::runtime::error::RunError;
use crate::runtime::executor::ROW;
use crate::runtime::seal;
use options::{Format, Options};

impl Executor<'_> {
    /// Writes a population to a file, or behind its end.
    pub(super) async fn export(
        &self,
        token: &str,
        step: &Step,
        query: &Query,
        to: &Expr,
        options: &[(String, Value)],
    ) -> Result<Done, RunError> {
        if let Some(done) = self.decided(token, step)? {
            return Ok(done);
        }
        let written = self.text(to).await?;
        let target = self.target(&written, to.span)?;
        let options = Options::new(&written, options)?;
        if !options.append {
            self.not_a_source(&target, &written)?;
        }
        let (target, written) = self.placed(target, written);
        let columns = match &options.columns {
            Some(names) => Columns::Named(names.clone()),
            None => Columns::All,
        };
        let (rows, accounting) = self.frozen_rows(token, step, query, &columns).await?;
        let mut done = Done::of(accounting).noted(written.clone());
        if done.rows_out == 0 && options.if_empty == "fail" {
            return Err(DataError::NoRows { path: written }.into());
        }
        if done.rows_out == 0 && (options.if_empty == "skip" || options.append && target.exists()) {
            done.note = Some(format!("{written}: no rows, nothing written"));
            return self.publish_nothing(token, step, &target, done);
        }
        let draft = self.draft(token, step, &target)?;
        let work = Work { options: &options, shown: &written, style: self.style(options.decimal_comma) };
        work.write(&rows, &draft.path, if options.append { Some(&target) } else { None }, query, self)?;
        self.publish(token, step, draft, done)
    }

    pub(super) fn style(&self, decimal_comma: bool) -> Style<'_> {
        Style { zone: self.around.zone, decimal_comma }
    }

    /// The data that the campaign reads must not vanish under an export.
    fn not_a_source(&self, target: &Path, written: &str) -> Result<(), DataError> {
        let Ok(target) = target.canonicalize() else { return Ok(()) };
        for entity in self.plan.entities() {
            let read = self.around.sources.files(entity);
            if read.iter().filter_map(|file| file.canonicalize().ok()).any(|file| file == target) {
                let entity = &self.program[entity].name;
                return Err(DataError::Place {
                    path: written.to_string(),
                    why: format!("this campaign reads `{entity}` from it"),
                    help: "write to another file; `update`, `insert` and `delete` change the rows of an entity".into(),
                });
            }
        }
        Ok(())
    }

    /// The columns that an export without `columns` has: those of the program.
    fn export_columns(
        &self,
        query: &Query,
        schema: &Schema,
        options: &Options,
        shown: &str,
    ) -> Result<Vec<usize>, DataError> {
        let Some(names) = &options.columns else {
            let wanted = |name: &str| name != ROW && !name.starts_with(IDENTITY);
            return Ok((0..schema.fields().len()).filter(|at| wanted(schema.field(*at).name())).collect());
        };
        let find = |name: &String| {
            schema.index_of(name).map_err(|_| DataError::Export {
                path: shown.to_string(),
                why: format!("the rows of `{}` have no column `{name}`", self.program[query.ty.entity].name),
                help: "leave it out of `columns`, or add it: `with NAME = ...`".to_string(),
            })
        };
        names.iter().map(find).collect()
    }
}

/// One export.
struct Work<'w> {
    options: &'w Options,
    shown: &'w str,
    style: Style<'w>,
}

impl Work<'_> {
    fn write(
        &self,
        rows: &Path,
        draft: &Path,
        behind: Option<&Path>,
        query: &Query,
        executor: &Executor<'_>,
    ) -> Result<(), RunError> {
        let opened = seal::open(rows).map_err(|error| file_error(rows, &error))?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(opened).map_err(|error| file_error(rows, &error))?;
        let schema = reader.schema().clone();
        let columns = executor.export_columns(query, &schema, self.options, self.shown)?;
        if let Some(fixed) = &self.options.fixed {
            fixed.fits(columns.len()).map_err(|why| DataError::Export {
                path: self.shown.to_string(),
                why,
                help: "choose the columns with `columns`, and give each of them a width".to_string(),
            })?;
        }
        let schema = schema.project(&columns).map_err(|error| file_error(rows, &error))?;
        let mut out = File::create(draft).map_err(|error| file_error(draft, &error))?;
        let earlier = match behind {
            Some(earlier) => self.copy_earlier(earlier, &mut out, &schema)?,
            None => false,
        };
        let mut sink = Sink::new(self, out, &schema, earlier).map_err(|error| self.failed(&*error))?;
        for batch in reader.build().map_err(|error| file_error(rows, &error))? {
            let batch = batch.and_then(|batch| batch.project(&columns)).map_err(|error| file_error(rows, &error))?;
            sink.write(self, &batch)?;
        }
        let file = sink.finish().map_err(|error| self.failed(&*error))?;
        file.sync_all().map_err(|error| file_error(draft, &error))?;
        Ok(())
    }

    fn failed(&self, error: &dyn std::error::Error) -> DataError {
        DataError::File { path: self.shown.to_string(), reason: error.to_string() }
    }

    /// Copies what the file holds already; true when it holds anything. Its first line must be our header.
    fn copy_earlier(&self, earlier: &Path, out: &mut File, schema: &Schema) -> Result<bool, DataError> {
        let file = match File::open(earlier) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(file_error(earlier, &error)),
        };
        let failed = |error: std::io::Error| file_error(earlier, &error);
        let mut reader = BufReader::new(file);
        let mut first = Vec::new();
        reader.read_until(b'\n', &mut first).map_err(failed)?;
        if first.is_empty() {
            return Ok(false);
        }
        if self.options.format == Format::Csv && self.options.header {
            let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            let expected = self.record(names.iter().map(|name| (*name).to_string()))?;
            let found = first.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&first);
            if found.trim_ascii_end() != expected.trim_ascii_end() {
                let found = String::from_utf8_lossy(found);
                return Err(DataError::Export {
                    path: self.shown.to_string(),
                    why: format!("it begins with `{}`, which are not the columns of these rows", found.trim_end()),
                    help: format!("choose the same `columns`, or another file; these are {}", names.join(", ")),
                });
            }
        }
        out.write_all(&first).map_err(failed)?;
        let mut last = first.last().copied();
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = reader.read(&mut buffer).map_err(failed)?;
            if count == 0 {
                break;
            }
            out.write_all(&buffer[..count]).map_err(failed)?;
            last = buffer[..count].last().copied();
        }
        if last != Some(b'\n') {
            out.write_all(b"\n").map_err(failed)?;
        }
        Ok(true)
    }

    /// One line of a CSV file.
    fn record(&self, cells: impl Iterator<Item = String>) -> Result<Vec<u8>, DataError> {
        let mut writer = self.csv_writer();
        self.add_record(&mut writer, cells)?;
        writer.into_inner().map_err(|error| self.failed(error.error()))
    }

    fn csv_writer(&self) -> csv::Writer<Vec<u8>> {
        csv::WriterBuilder::new().delimiter(self.options.delimiter).from_writer(Vec::new())
    }

    fn add_record(
        &self,
        writer: &mut csv::Writer<Vec<u8>>,
        cells: impl Iterator<Item = String>,
    ) -> Result<(), DataError> {
        for cell in cells {
            let Some(bytes) = self.options.encoding.encode(&cell) else {
                return Err(DataError::Export {
                    path: self.shown.to_string(),
                    why: format!("`{cell}` cannot be written in the encoding that was chosen"),
                    help: "leave out `encoding` to write UTF-8".to_string(),
                });
            };
            writer.write_field(bytes).map_err(|error| self.failed(&error))?;
        }
        writer.write_record(None::<&[u8]>).map_err(|error| self.failed(&error))
    }

    fn csv_lines(&self, batch: &RecordBatch) -> Result<Vec<u8>, RunError> {
        let mut writer = self.csv_writer();
        let mut cells = Vec::with_capacity(batch.num_columns());
        for at in 0..batch.num_rows() {
            for column in batch.columns() {
                let cell = self.style.cell(column.as_ref(), at)?;
                let is_text = !column.data_type().is_numeric();
                cells.push(if is_text && self.options.guard { guarded(cell) } else { cell });
            }
            self.add_record(&mut writer, cells.drain(..))?;
        }
        writer.into_inner().map_err(|error| self.failed(error.error()).into())
    }

    fn fixed_lines(&self, batch: &RecordBatch) -> Result<Vec<u8>, RunError> {
        let Some(fixed) = &self.options.fixed else { return Ok(Vec::new()) };
        let mut lines = String::new();
        for at in 0..batch.num_rows() {
            for (place, column) in batch.columns().iter().enumerate() {
                let cell = self.style.cell(column.as_ref(), at)?;
                fixed.add(place, &cell, column.data_type().is_numeric(), &mut lines).map_err(|why| {
                    let schema = batch.schema();
                    let name = schema.field(place).name();
                    DataError::Export {
                        path: self.shown.to_string(),
                        why: format!("`{cell}` of the column `{name}` {why}"),
                        help: "give the column more room in `widths`, or cut what is too long: `too_long: cut`".into(),
                    }
                })?;
            }
            lines.push('\n');
        }
        Ok(self.encoded(&lines)?)
    }

    /// Text in the encoding that was chosen.
    fn encoded(&self, text: &str) -> Result<Vec<u8>, DataError> {
        match self.options.encoding.encode(text) {
            Some(bytes) => Ok(bytes.into_owned()),
            None => Err(DataError::Export {
                path: self.shown.to_string(),
                why: "a character cannot be written in the encoding that was chosen".to_string(),
                help: "leave out `encoding` to write UTF-8".to_string(),
            }),
        }
    }

    fn json_lines(&self, batch: &RecordBatch) -> Result<Vec<u8>, RunError> {
        let schema = batch.schema();
        let mut lines = String::new();
        for at in 0..batch.num_rows() {
            let named = schema.fields().iter().map(|field| field.name().as_str()).zip(batch.columns());
            self.style.object(named, at, &mut lines)?;
            lines.push('\n');
        }
        Ok(lines.into_bytes())
    }
}

type Failure = Box<dyn std::error::Error>;

/// Where rows go.
enum Sink {
    Text(BufWriter<File>),
    Parquet(Box<ArrowWriter<File>>),
    Arrow(Box<FileWriter<File>>),
}

impl Sink {
    /// Begins the file, with its header unless there is one already.
    fn new(work: &Work<'_>, file: File, schema: &Schema, earlier: bool) -> Result<Self, Failure> {
        Ok(match work.options.format {
            Format::Parquet => {
                let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
                let schema = std::sync::Arc::new(schema.clone());
                Sink::Parquet(Box::new(ArrowWriter::try_new(file, schema, Some(properties))?))
            }
            Format::Arrow => Sink::Arrow(Box::new(FileWriter::try_new(file, schema)?)),
            Format::Csv | Format::Ndjson | Format::Fixed => {
                let mut out = BufWriter::new(file);
                if work.options.mark && !earlier {
                    out.write_all(b"\xEF\xBB\xBF")?;
                }
                if let (Some(fixed), true, false) = (&work.options.fixed, work.options.header, earlier) {
                    out.write_all(&work.encoded(&fixed.header(schema))?)?;
                }
                if work.options.format == Format::Csv && work.options.header && !earlier {
                    out.write_all(&work.record(schema.fields().iter().map(|field| field.name().clone()))?)?;
                }
                Sink::Text(out)
            }
        })
    }

    fn write(&mut self, work: &Work<'_>, batch: &RecordBatch) -> Result<(), RunError> {
        match self {
            Sink::Text(out) => {
                let lines = match work.options.format {
                    Format::Ndjson => work.json_lines(batch)?,
                    Format::Fixed => work.fixed_lines(batch)?,
                    _ => work.csv_lines(batch)?,
                };
                out.write_all(&lines).map_err(|error| work.failed(&error).into())
            }
            Sink::Parquet(writer) => writer.write(batch).map_err(|error| work.failed(&error).into()),
            Sink::Arrow(writer) => writer.write(batch).map_err(|error| work.failed(&error).into()),
        }
    }

    fn finish(self) -> Result<File, Failure> {
        Ok(match self {
            Sink::Text(out) => out.into_inner().map_err(|error| error.into_error())?,
            Sink::Parquet(writer) => writer.into_inner()?,
            Sink::Arrow(mut writer) => {
                writer.finish()?;
                writer.into_inner()?
            }
        })
    }
}
