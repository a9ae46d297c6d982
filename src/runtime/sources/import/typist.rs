//! Types records and encodes them as a row group.

use std::collections::BTreeSet;

use datafusion::arrow::array::ArrayRef;
use datafusion::parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, compute_leaves};
use datafusion::parquet::errors::ParquetError;

use super::builders::Builder;
use super::{Place, Plan};
use crate::runtime::sources::cell::{Bad, Cell, parse};
use crate::runtime::sources::columns::Kind;
use crate::runtime::sources::options::OnBad;

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
    /// Why the text behind this line cannot be read at all.
    pub broken: Option<(u64, String)>,
    /// Does the list end in this chunk?
    pub closed: bool,
    pub keys: Keys,
}

/// The keys of JSON objects.
#[derive(Default)]
pub(super) struct Keys {
    /// For each column: has a record had it?
    pub seen: Vec<bool>,
    /// Some of those that no column has.
    pub spare: BTreeSet<String>,
}

impl Keys {
    /// Those of both.
    pub fn add(&mut self, other: Keys) {
        self.seen.resize(other.seen.len(), false);
        for (seen, other) in self.seen.iter_mut().zip(other.seen) {
            *seen |= other;
        }
        self.spare.extend(other.spare);
    }
}

/// A cell as the file has it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Raw<'t> {
    /// Not there, or null.
    Absent,
    Text(&'t str),
    /// A JSON value as written.
    Json(&'t str),
}

impl<'t> Raw<'t> {
    /// As written; empty when there is nothing.
    pub fn text(self) -> &'t str {
        match self {
            Raw::Absent => "",
            Raw::Text(text) | Raw::Json(text) => text,
        }
    }
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

/// Types one chunk's records.
pub(super) struct Typist<'p> {
    pub plan: &'p Plan<'p>,
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
    /// More bad lines than allowed: what follows is not wanted.
    pub stopped: bool,
    pub broken: Option<(u64, String)>,
    pub closed: bool,
    pub keys: Keys,
}

impl<'p> Typist<'p> {
    /// For the rows of one row group.
    pub fn new(plan: &'p Plan<'p>, writers: Vec<ArrowColumnWriter>) -> Result<Self, ParquetError> {
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
            broken: None,
            closed: false,
            keys: Keys { seen: vec![false; plan.columns.len()], spare: BTreeSet::new() },
        })
    }

    /// Takes a record: all of its cells, or none. `cell` gives the cells by their place in the record.
    pub fn row<'t>(&mut self, line: u64, cell: impl Fn(usize) -> Raw<'t>) -> Result<(), ParquetError> {
        let plan = self.plan;
        let raw = |at: usize| match &plan.places[at] {
            Place::Cell(place) => plan.replaced(at, cell(*place)),
            Place::Folder(Some(text)) => Raw::Text(text),
            Place::Folder(None) => Raw::Absent,
        };
        self.cells.clear();
        for at in 0..plan.columns.len() {
            match self.cell(at, raw(at), line) {
                Ok(cell) => self.cells.push(cell),
                Err(reason) => {
                    self.reject(Reject { line, column: Some(at), value: raw(at).text().to_owned(), reason });
                    return Ok(());
                }
            }
        }
        for (at, cell) in self.cells.iter().enumerate() {
            self.builders[at].append(*cell, raw(at).text());
        }
        if plan.lines
            && let Some(lines) = self.builders.last_mut()
        {
            lines.append(Cell::Int(line as i64), "");
        }
        self.waiting += 1;
        if self.waiting == BATCH { self.encode() } else { Ok(()) }
    }

    /// Sets a line aside as a whole.
    pub fn bad_line(&mut self, line: u64, value: &str, reason: String) {
        self.reject(Reject { line, column: None, value: value.to_owned(), reason });
    }

    /// Types one cell; the error is what to say after its text.
    fn cell(&mut self, at: usize, raw: Raw, line: u64) -> Result<Cell, String> {
        let plan = self.plan;
        let column = &plan.columns[at];
        let text = raw.text();
        let typed = match raw {
            Raw::Absent => Ok(Cell::Null),
            Raw::Text("") => Ok(Cell::Null),
            Raw::Text(text) if plan.options.null.as_deref() == Some(text) => Ok(Cell::Null),
            Raw::Json(_) if column.kind != Kind::Json => Err(Bad::Reason("is a list or an object".to_owned())),
            Raw::Text(text) | Raw::Json(text) => parse(text, &column.kind, plan.scales[at], &plan.reading),
        };
        let absent = if column.default.is_some() { Some(Cell::Default) } else { column.nullable.then_some(Cell::Null) };
        match typed {
            Ok(Cell::Null) => absent.ok_or_else(|| match raw {
                Raw::Absent => format!("there is no value, but `{}` is never null", column.name),
                Raw::Text("") => format!("the cell is empty, but `{}` is never null", column.name),
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

    /// Sets a cell or a line aside.
    pub fn reject(&mut self, reject: Reject) {
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

    /// The row group.
    pub fn finish(mut self) -> Result<Typed, ParquetError> {
        self.encode()?;
        let columns = self.writers.into_iter().map(ArrowColumnWriter::close).collect::<Result<_, _>>()?;
        let wider = self.rescale.then_some(self.scales);
        let (broken, closed, keys) = (self.broken, self.closed, self.keys);
        Ok(Typed { rows: self.rows, columns, rejects: self.rejects, wider, broken, closed, keys })
    }
}
