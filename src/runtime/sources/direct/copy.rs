//! A copy of a file: without what is bad in it, for sources that set bad rows aside; with the numbers of its rows, for
//! entities without a key.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Int64Array};
use datafusion::arrow::compute::{concat_batches, filter_record_batch, nullif};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;

use super::check::{self, BadCell};
use super::{batches, unreadable};
use crate::runtime::sources::cache::Entry;
use crate::runtime::sources::columns::Column;
use crate::runtime::sources::error::SourceError;
use crate::runtime::sources::files::{Format, SourceFile};
use crate::runtime::sources::import::{Context, Imported, LINE, Reject, Rejects, Sink};
use crate::runtime::sources::options::OnBad;

/// Rows of a row group.
const GROUP: usize = 1 << 17;

/// Copies the declared columns of `file` into the cache, unless that was done before: without rows that are bad in one of
/// the columns of `questions`, or with nulls for bad values that may be missing. Entities without a key have their rows'
/// numbers, from 1, as well.
pub(super) fn copy(
    file: &SourceFile,
    format: Format,
    found: &Schema,
    questions: &[&Column],
    context: &Context,
    entry: &Entry,
) -> Result<Imported, SourceError> {
    if let Some(made) = entry.find() {
        return Ok(made);
    }
    let schema = schema(context, found, questions);
    let mut sink = Sink::new(entry.folder(), &schema)?;
    let mut rejects = Rejects::new(entry.folder())?;
    let (mut before, mut group, mut held) = (0, Vec::new(), 0);
    let asked: Vec<&Column> = context.columns.iter().collect();
    for batch in batches(file, format, &asked)? {
        let batch = batch.map_err(|error| unreadable(file, format, error))?;
        let rows = batch.num_rows() as u64;
        let bad = judged(&batch, questions, context.options.on_error);
        for (row, cells) in &bad.by_row {
            for cell in cells {
                let column = questions[cell.column];
                let line = before + *row as u64 + 1;
                let reject = Reject { line, column: None, value: cell.value.clone(), reason: cell.reason.clone() };
                rejects.add(&file.shown, &column.name, &reject)?;
            }
        }
        let kept = bad.without(batch, questions, &schema, before);
        let kept = kept.map_err(|error| unreadable(file, format, error))?;
        before += rows;
        held += kept.num_rows();
        group.push(kept);
        if held >= GROUP {
            write(&mut sink, &schema, &mut group)?;
            held = 0;
        }
    }
    write(&mut sink, &schema, &mut group)?;
    entry.commit(sink, before, rejects)
}

fn write(sink: &mut Sink, schema: &SchemaRef, group: &mut Vec<RecordBatch>) -> Result<(), SourceError> {
    let batch = concat_batches(schema, group.iter()).map_err(|error| sink.failed(error))?;
    group.clear();
    sink.write(&batch)
}

/// The file's columns that are declared. Those that are looked at may hold nulls, where bad values were.
fn schema(context: &Context, found: &Schema, questions: &[&Column]) -> SchemaRef {
    let declared =
        found.fields().iter().filter(|field| context.columns.iter().any(|column| column.name == *field.name()));
    let fields = declared.map(|field| {
        let emptied = questions.iter().any(|column| column.name == *field.name());
        field.as_ref().clone().with_nullable(field.is_nullable() || emptied)
    });
    let lines = context.lines.then(|| Field::new(LINE, DataType::Int64, false));
    Arc::new(Schema::new(fields.chain(lines).collect::<Vec<_>>()))
}

/// What is wrong with the rows of a batch.
struct Judged {
    /// What is said of them: each value that becomes null, else the first mistake of a row.
    by_row: BTreeMap<usize, Vec<BadCell>>,
    /// Rows that are left out.
    dropped: Vec<usize>,
}

fn judged(batch: &RecordBatch, columns: &[&Column], on_error: OnBad) -> Judged {
    let mut by_row: BTreeMap<usize, Vec<BadCell>> = BTreeMap::new();
    for cell in check::bad_cells(batch, columns) {
        by_row.entry(cell.row).or_default().push(cell);
    }
    let mut dropped = Vec::new();
    for (row, cells) in &mut by_row {
        let is_fatal = |cell: &BadCell| on_error != OnBad::Null || !check::may_be_missing(columns[cell.column]);
        if let Some(fatal) = cells.iter().position(is_fatal) {
            dropped.push(*row);
            // As with a line of text: one reason is enough.
            let first = cells.swap_remove(fatal);
            *cells = vec![first];
        }
    }
    Judged { by_row, dropped }
}

impl Judged {
    /// The batch as it goes on.
    fn without(
        &self,
        batch: RecordBatch,
        columns: &[&Column],
        schema: &SchemaRef,
        before: u64,
    ) -> Result<RecordBatch, ArrowError> {
        let rows = batch.num_rows();
        let mut arrays: Vec<ArrayRef> = batch.columns().to_vec();
        for (at, column) in columns.iter().enumerate() {
            let is_bad =
                |row: usize| self.by_row.get(&row).is_some_and(|cells| cells.iter().any(|cell| cell.column == at));
            let Ok(place) = batch.schema().index_of(&column.name) else { continue };
            if self.by_row.values().flatten().any(|cell| cell.column == at) {
                let mask: BooleanArray = (0..rows).map(|row| Some(is_bad(row))).collect();
                arrays[place] = nullif(&arrays[place], &mask)?;
            }
        }
        if schema.fields().len() > arrays.len() {
            let first = before as i64 + 1;
            arrays.push(Arc::new(Int64Array::from_iter_values(first..first + rows as i64)));
        }
        let batch = RecordBatch::try_new(Arc::clone(schema), arrays)?;
        if self.dropped.is_empty() {
            return Ok(batch);
        }
        let keep: BooleanArray = (0..rows).map(|row| Some(self.dropped.binary_search(&row).is_err())).collect();
        filter_record_batch(&batch, &keep)
    }
}
