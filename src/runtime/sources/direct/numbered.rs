//! A copy of a file whose rows know their number, for entities without a key.

use std::fs::File;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use tempfile::NamedTempFile;

use super::{batches, unreadable};
use crate::runtime::sources::cache::Entry;
use crate::runtime::sources::columns::Column;
use crate::runtime::sources::error::SourceError;
use crate::runtime::sources::files::{Format, SourceFile};
use crate::runtime::sources::import::LINE;

/// Copies the declared columns of `file` and the rows' numbers, from 1, into the cache, unless that was done before.
pub(super) fn copy(
    file: &SourceFile,
    format: Format,
    schema: &Schema,
    columns: &[Column],
    entry: &Entry,
) -> Result<(SourceFile, SchemaRef), SourceError> {
    let failed = |reason: String| SourceError::Cache { path: entry.folder().to_owned(), reason };
    let declared = |field: &&Arc<Field>| columns.iter().any(|column| column.name == *field.name());
    let mut fields: Vec<_> = schema.fields().iter().filter(declared).cloned().collect();
    fields.push(Arc::new(Field::new(LINE, DataType::Int64, false)));
    let schema = Arc::new(Schema::new(fields));
    let copy = SourceFile::new(entry.path("numbered.parquet"), file.shown.clone());
    if File::open(&copy.path).is_ok() {
        return Ok((copy, schema));
    }
    std::fs::create_dir_all(entry.folder()).map_err(|error| failed(error.to_string()))?;
    let temporary = NamedTempFile::new_in(entry.folder()).map_err(|error| failed(error.to_string()))?;
    let writer = ArrowWriter::try_new(temporary.as_file(), schema.clone(), None);
    let mut writer = writer.map_err(|error| failed(error.to_string()))?;
    let asked: Vec<&Column> = columns.iter().collect();
    let mut rows = 0;
    for batch in batches(file, format, &asked)? {
        let batch = batch.map_err(|error| unreadable(file, format, error))?;
        let next = rows + batch.num_rows() as i64;
        let lines: ArrayRef = Arc::new(Int64Array::from_iter_values(rows + 1..=next));
        rows = next;
        let arrays = batch.columns().iter().cloned().chain([lines]).collect();
        let numbered = RecordBatch::try_new(schema.clone(), arrays).map_err(|error| failed(error.to_string()))?;
        writer.write(&numbered).map_err(|error| failed(error.to_string()))?;
    }
    writer.close().map_err(|error| failed(error.to_string()))?;
    temporary.as_file().sync_data().map_err(|error| failed(error.to_string()))?;
    temporary.persist(&copy.path).map_err(|error| failed(error.error.to_string()))?;
    Ok((copy, schema))
}
