//! Types the records of one chunk and encodes them as a row group.

use std::borrow::Cow;

use csv::{ByteRecord, StringRecord};
use datafusion::arrow::array::ArrayRef;
use datafusion::parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, compute_leaves};
use datafusion::parquet::errors::ParquetError;

use super::builders::Builder;
use super::cutter::Chunk;
use super::{Plan, reader};
use crate::runtime::sources::cell::{Bad, Cell, parse};
use crate::runtime::sources::options::{Encoding, OnBad};

/// Rows that are encoded together, so that few are held as Arrow arrays.
const BATCH: usize = 8192;

/// A chunk as a row group.
pub(super) struct Typed {
    pub rows: u64,
    pub columns: Vec<ArrowColumnChunk>,
    /// In the order of lines.
    pub rejects: Vec<Reject>,
    /// Decimals of each column that would have been enough, if some had too few. The rest is void then.
    pub wider: Option<Vec<u8>>,
}

/// A bad cell, or a bad line.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Reject {
    pub line: u64,
    /// Index of the declared column; `None` when the line as a whole is wrong.
    pub column: Option<usize>,
    pub value: String,
    /// What to say after the value.
    pub reason: String,
}

/// Types `chunk`. Failures are those of the encoder; bad cells are data.
pub(super) fn type_chunk(chunk: Chunk, plan: &Plan, writers: Vec<ArrowColumnWriter>) -> Result<Typed, ParquetError> {
    let text = match plan.options.encoding {
        Encoding::Utf8 => Cow::Borrowed(&chunk.bytes[chunk.start..]),
        encoding => match decode(&chunk.bytes[chunk.start..], encoding) {
            Ok(text) => Cow::Owned(text.into_owned().into_bytes()),
            Err(_) => Cow::Borrowed(&chunk.bytes[chunk.start..]),
        },
    };
    let mut reader = reader(plan.options, &text);
    let mut typist = Typist::new(plan, writers)?;
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|error| ParquetError::External(Box::new(error)))? {
        let line = line(&record, &text, chunk.line);
        record = match StringRecord::from_byte_record(record) {
            Ok(row) => {
                typist.row(&row, line)?;
                row.into_byte_record()
            }
            Err(error) => {
                let cell = error.utf8_error().field();
                let record = error.into_byte_record();
                typist.not_utf8(&record, cell, line);
                record
            }
        };
        if typist.stopped {
            break;
        }
    }
    typist.finish()
}

/// The physical line of a record, where `first` is the line of the first byte of `text`.
fn line(record: &ByteRecord, text: &[u8], first: u64) -> u64 {
    let Some(position) = record.position() else { return first };
    // The reader leaves the second half of a line end, and empty lines, to the next record.
    let before = text.get(position.byte() as usize..).unwrap_or(&[]).iter();
    let skipped = before.take_while(|byte| matches!(byte, b'\n' | b'\r')).filter(|byte| **byte == b'\n').count();
    first + position.line() - 1 + skipped as u64
}

/// Bytes in `encoding` as text.
pub(crate) fn decode(bytes: &[u8], encoding: Encoding) -> Result<Cow<'_, str>, std::str::Utf8Error> {
    Ok(match encoding {
        Encoding::Utf8 => Cow::Borrowed(std::str::from_utf8(bytes)?),
        Encoding::Latin1 => encoding_rs::mem::decode_latin1(bytes),
        Encoding::Windows1252 => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0,
    })
}

struct Typist<'p> {
    plan: &'p Plan<'p>,
    writers: Vec<ArrowColumnWriter>,
    builders: Vec<Builder>,
    /// The cells of the current record.
    cells: Vec<Cell>,
    /// Rows in the builders.
    waiting: usize,
    rows: u64,
    rejects: Vec<Reject>,
    scales: Vec<u8>,
    rescale: bool,
    stopped: bool,
}

impl<'p> Typist<'p> {
    fn new(plan: &'p Plan<'p>, writers: Vec<ArrowColumnWriter>) -> Result<Self, ParquetError> {
        let builders = plan.columns.iter().zip(&plan.scales).map(|(column, scale)| Builder::new(column, *scale));
        let mut builders: Vec<_> = builders.collect::<Result<_, _>>()?;
        if plan.lines {
            builders.push(Builder::int());
        }
        Ok(Self {
            plan,
            writers,
            builders,
            cells: Vec::with_capacity(plan.columns.len()),
            waiting: 0,
            rows: 0,
            rejects: Vec::new(),
            scales: plan.scales.clone(),
            rescale: false,
            stopped: false,
        })
    }

    /// Takes a record: all of its cells, or none.
    fn row(&mut self, row: &StringRecord, line: u64) -> Result<(), ParquetError> {
        if row.len() != self.plan.width {
            let cells = if row.len() == 1 { "1 cell".to_owned() } else { format!("{} cells", row.len()) };
            let reason = format!("the line has {cells}, not {}", self.plan.width);
            self.reject(Reject { line, column: None, value: String::new(), reason });
            return Ok(());
        }
        self.cells.clear();
        for at in 0..self.plan.columns.len() {
            let text = &row[self.plan.cells[at]];
            match self.cell(at, text, line) {
                Ok(cell) => self.cells.push(cell),
                Err(reason) => {
                    self.reject(Reject { line, column: Some(at), value: text.to_owned(), reason });
                    return Ok(());
                }
            }
        }
        for (at, cell) in self.cells.iter().enumerate() {
            self.builders[at].append(*cell, &row[self.plan.cells[at]]);
        }
        if self.plan.lines
            && let Some(lines) = self.builders.last_mut()
        {
            lines.append(Cell::Int(line as i64), "");
        }
        self.waiting += 1;
        if self.waiting == BATCH { self.encode() } else { Ok(()) }
    }

    /// Types one cell; the error is what to say after its text.
    fn cell(&mut self, at: usize, text: &str, line: u64) -> Result<Cell, String> {
        let plan = self.plan;
        let column = &plan.columns[at];
        let empty = text.is_empty() || plan.options.null.as_deref() == Some(text);
        let typed = if empty { Ok(Cell::Null) } else { parse(text, &column.kind, plan.scales[at], &plan.reading) };
        let absent = if column.default.is_some() { Some(Cell::Default) } else { column.nullable.then_some(Cell::Null) };
        match typed {
            Ok(Cell::Null) => absent.ok_or_else(|| match text {
                "" => format!("the cell is empty, but `{}` is never null", column.name),
                _ => format!("is null, but `{}` is never null", column.name),
            }),
            Ok(cell) => Ok(cell),
            Err(Bad::Scale(scale)) => {
                self.scales[at] = self.scales[at].max(scale);
                self.rescale = true;
                Ok(Cell::Decimal(0))
            }
            Err(Bad::Reason(reason)) => match (plan.options.on_error, absent) {
                (OnBad::Null, Some(cell)) => {
                    self.reject(Reject { line, column: Some(at), value: text.to_owned(), reason });
                    Ok(cell)
                }
                _ => Err(reason),
            },
        }
    }

    fn not_utf8(&mut self, record: &ByteRecord, cell: usize, line: u64) {
        let value = String::from_utf8_lossy(record.get(cell).unwrap_or(&[])).into_owned();
        let column = self.plan.cells.iter().position(|of| *of == cell);
        let reason = "is not UTF-8; is it `encoding: \"windows-1252\"`?".to_owned();
        self.reject(Reject { line, column, value, reason });
    }

    fn reject(&mut self, reject: Reject) {
        self.rejects.push(reject);
        let limit = if self.plan.options.on_error == OnBad::Fail { 0 } else { self.plan.limit };
        self.stopped = self.rejects.len() as u64 > limit;
    }

    /// Hands the rows in the builders to the encoders.
    fn encode(&mut self) -> Result<(), ParquetError> {
        let mut writers = self.writers.iter_mut();
        for (builder, field) in self.builders.iter_mut().zip(self.plan.schema.fields()) {
            let array: ArrayRef = builder.finish();
            for leaf in compute_leaves(field, &array)? {
                if let Some(writer) = writers.next() {
                    writer.write(&leaf)?;
                }
            }
        }
        self.rows += self.waiting as u64;
        self.waiting = 0;
        Ok(())
    }

    fn finish(mut self) -> Result<Typed, ParquetError> {
        self.encode()?;
        let columns = self.writers.into_iter().map(ArrowColumnWriter::close).collect::<Result<_, _>>()?;
        let wider = self.rescale.then_some(self.scales);
        Ok(Typed { rows: self.rows, columns, rejects: self.rejects, wider })
    }
}
