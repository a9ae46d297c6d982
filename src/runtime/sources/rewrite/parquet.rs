//! Parquet files: columns that are not declared, the schema and the compression stay.

use std::fs::File;
use std::path::Path;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, new_null_array};
use datafusion::arrow::compute::{cast, filter_record_batch, interleave};
use datafusion::arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::scalar::ScalarValue;

use super::{Edited, Edits, NewKeys, WritableFile, identity};
use crate::hir::{Program, Value};
use crate::plan::query::values;
use crate::runtime::sources::cell::MAX_SCALE;
use crate::runtime::sources::error::SourceError;
use crate::runtime::sources::files::io_reason;

/// Writes the changed copy.
pub(super) fn rewrite(source: &WritableFile<'_>, edits: &Edits, out: &Path) -> Result<Edited, SourceError> {
    let opened = File::open(&source.file.path).map_err(|error| source.failed(io_reason(&error)))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(opened).map_err(|error| source.failed(error))?;
    let schema = builder.schema().clone();
    let group = builder.metadata().row_groups().first().and_then(|group| group.columns().first());
    let compression = group.map_or(Compression::SNAPPY, |column| column.compression());
    let properties = WriterProperties::builder().set_compression(compression).build();
    let file = File::create(out).map_err(|error| source.failed(io_reason(&error)))?;
    let mut writer =
        ArrowWriter::try_new(file, schema.clone(), Some(properties)).map_err(|error| source.failed(error))?;
    let mut editor = Editor::new(source, edits, schema)?;
    for batch in builder.with_batch_size(8192).build().map_err(|error| source.failed(error))? {
        let batch = editor.batch(&batch.map_err(|error| source.failed(error))?)?;
        writer.write(&batch).map_err(|error| source.failed(error))?;
    }
    if let Some(batch) = editor.new_rows()? {
        writer.write(&batch).map_err(|error| source.failed(error))?;
    }
    let file = writer.into_inner().map_err(|error| source.failed(error))?;
    file.sync_all().map_err(|error| source.failed(io_reason(&error)))?;
    Ok(editor.edited)
}

struct Editor<'s> {
    source: &'s WritableFile<'s>,
    edits: &'s Edits,
    schema: SchemaRef,
    /// For each declared column its column in the file.
    places: Vec<usize>,
    keys: NewKeys,
    /// Rows before the current batch.
    before: u64,
    edited: Edited,
}

impl<'s> Editor<'s> {
    fn new(source: &'s WritableFile<'s>, edits: &'s Edits, schema: SchemaRef) -> Result<Self, SourceError> {
        let place = |name: &str| schema.index_of(name).map_err(|error| source.failed(error));
        let places = source.columns.iter().map(|column| place(&column.name)).collect::<Result<Vec<_>, _>>()?;
        let keys = NewKeys::new(&source.key(), &edits.new_fields);
        Ok(Self { source, edits, schema, places, keys, before: 0, edited: Edited::default() })
    }

    /// A batch as it is to be.
    fn batch(&mut self, batch: &RecordBatch) -> Result<RecordBatch, SourceError> {
        let names = self.names(batch)?;
        self.before += batch.num_rows() as u64;
        let keep: Vec<bool> = names.iter().map(|name| !self.edits.deletes.contains(name)).collect();
        let changes: Vec<Option<&Vec<Value>>> = names.iter().map(|name| self.edits.updates.get(name)).collect();
        for (name, (keep, change)) in names.iter().zip(keep.iter().zip(&changes)) {
            if !keep || change.is_some() {
                self.edited.found.insert(name.clone());
            }
        }
        let mut columns = batch.columns().to_vec();
        if changes.iter().any(Option::is_some) {
            for (at, field) in self.edits.fields.iter().enumerate() {
                let place = self.places[*field];
                let values: Vec<&Value> = changes.iter().flatten().map(|values| &values[at]).collect();
                let new = self.array(*field, &values)?;
                let mut next = 0;
                let pick = |(row, change): (usize, &Option<&Vec<Value>>)| {
                    if change.is_none() {
                        return (0, row);
                    }
                    next += 1;
                    (1, next - 1)
                };
                let picks: Vec<(usize, usize)> = changes.iter().enumerate().map(pick).collect();
                columns[place] = interleave(&[columns[place].as_ref(), new.as_ref()], &picks)
                    .map_err(|error| self.source.failed(error))?;
            }
        }
        let batch = RecordBatch::try_new(self.schema.clone(), columns).map_err(|error| self.source.failed(error))?;
        filter_record_batch(&batch, &BooleanArray::from(keep)).map_err(|error| self.source.failed(error))
    }

    /// What names each row.
    fn names(&mut self, batch: &RecordBatch) -> Result<Vec<String>, SourceError> {
        let key = self.source.key();
        let identifying = if key.is_empty() { (0..self.places.len()).collect() } else { key.clone() };
        let mut columns = Vec::with_capacity(identifying.len());
        for at in &identifying {
            let target = self.source.columns[*at].kind.arrow(MAX_SCALE);
            let column = cast(batch.column(self.places[*at]), &target).map_err(|error| self.source.failed(error))?;
            columns.push(column);
        }
        let mut names = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            let mut found = Vec::with_capacity(columns.len() + 1);
            if key.is_empty() {
                found.push(Value::Int((self.before + row as u64 + 1) as i64));
            }
            for (at, column) in identifying.iter().zip(&columns) {
                let value = values::from_array(column.as_ref(), row).map_err(|error| self.source.failed(error))?;
                let default = self.source.columns[*at].default.as_ref();
                found.push(default.filter(|_| value == Value::Null).cloned().unwrap_or(value));
            }
            if !key.is_empty() && !self.edits.inserts.is_empty() {
                self.keys.note(&found);
            }
            names.push(identity(&found));
        }
        Ok(names)
    }

    /// Values of a declared column as the file holds them.
    fn array(&self, field: usize, values: &[&Value]) -> Result<ArrayRef, SourceError> {
        let target = self.schema.field(self.places[field]);
        let column = &self.source.columns[field];
        let ty = &self.source.entity.fields[field].ty;
        if values.is_empty() {
            return Ok(new_null_array(target.data_type(), 0));
        }
        let wanted = column.kind.arrow(MAX_SCALE);
        let scalars = values.iter().map(|value| {
            let scalar = match value {
                Value::Null => ScalarValue::try_from(&wanted)?,
                value => values::to_scalar(&Program::default(), value, ty)
                    .map_err(|error| datafusion::error::DataFusionError::External(Box::new(error)))?
                    .cast_to(&wanted)?,
            };
            Ok(scalar)
        });
        let scalars: Result<Vec<ScalarValue>, datafusion::error::DataFusionError> = scalars.collect();
        let array = scalars.and_then(ScalarValue::iter_to_array).map_err(|error| self.source.failed(error))?;
        let array = to_file(&array, target).map_err(|error| self.source.failed(error))?;
        if array.null_count() > 0 && !target.is_nullable() {
            return Err(self.source.failed(format!("its column `{}` cannot be null", column.name)));
        }
        Ok(array)
    }

    /// The new rows.
    fn new_rows(&mut self) -> Result<Option<RecordBatch>, SourceError> {
        let mut taken: Vec<(Vec<Value>, &Vec<Value>)> = Vec::new();
        for (at, values) in self.edits.inserts.iter().enumerate() {
            match self.keys.take(values) {
                Some(key) => taken.push((key, values)),
                None => self.edited.existing.push(at),
            }
        }
        if taken.is_empty() {
            return Ok(None);
        }
        let key = self.source.key();
        let mut columns = Vec::with_capacity(self.schema.fields().len());
        for (place, target) in self.schema.fields().iter().enumerate() {
            let field = self.places.iter().position(|found| *found == place);
            let in_key = field.and_then(|field| key.iter().position(|key| *key == field));
            let in_set = field.and_then(|field| self.edits.new_fields.iter().position(|set| *set == field));
            let default = field.and_then(|field| self.source.columns[field].default.clone()).unwrap_or(Value::Null);
            let value = |(key, values): &(Vec<Value>, &Vec<Value>)| match (in_key, in_set) {
                (Some(at), _) => key[at].clone(),
                (None, Some(at)) => values[at].clone(),
                (None, None) => default.clone(),
            };
            let values: Vec<Value> = taken.iter().map(value).collect();
            columns.push(match field {
                Some(field) => self.array(field, &values.iter().collect::<Vec<_>>())?,
                None if target.is_nullable() => new_null_array(target.data_type(), taken.len()),
                None => {
                    let name = target.name();
                    return Err(self.source.failed(format!("its column `{name}` is not declared and cannot be null")));
                }
            });
        }
        let batch = RecordBatch::try_new(self.schema.clone(), columns).map_err(|error| self.source.failed(error))?;
        Ok(Some(batch))
    }
}

/// In the type of the file's column. What does not fit is an error, never another value.
fn to_file(array: &ArrayRef, target: &Field) -> Result<ArrayRef, datafusion::arrow::error::ArrowError> {
    if array.data_type() == target.data_type() {
        return Ok(array.clone());
    }
    let options = datafusion::arrow::compute::CastOptions { safe: false, ..Default::default() };
    let there = datafusion::arrow::compute::cast_with_options(array, target.data_type(), &options)?;
    if matches!(target.data_type(), DataType::Decimal128(..) | DataType::Float32 | DataType::Float64) {
        let back = datafusion::arrow::compute::cast_with_options(&there, array.data_type(), &options)?;
        if back.to_data() != array.to_data() && matches!(target.data_type(), DataType::Decimal128(..)) {
            let why = format!("a value has more decimals than its column `{}`", target.name());
            return Err(datafusion::arrow::error::ArrowError::InvalidArgumentError(why));
        }
    }
    Ok(there)
}
