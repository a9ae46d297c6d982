//! The Parquet file that an import writes, row group by row group.

use std::fs::File;
use std::path::{Path, PathBuf};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use datafusion::parquet::basic::Compression;
use datafusion::parquet::file::metadata::KeyValue;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::parquet::file::writer::SerializedFileWriter;
use tempfile::NamedTempFile;

use crate::runtime::sources::error::SourceError;

/// A file under a temporary name, which vanishes unless it is persisted.
pub(crate) struct Sink {
    temporary: NamedTempFile,
    writer: SerializedFileWriter<File>,
    factory: ArrowRowGroupWriterFactory,
    folder: PathBuf,
    pub rows: u64,
    pub schema: SchemaRef,
}

impl Sink {
    /// Creates the file in `folder`, which is created if it is missing.
    pub fn new(folder: &Path, schema: &SchemaRef) -> Result<Self, SourceError> {
        let failed = |reason: String| SourceError::Cache { path: folder.to_owned(), reason };
        std::fs::create_dir_all(folder).map_err(|error| failed(error.to_string()))?;
        let temporary = NamedTempFile::new_in(folder).map_err(|error| failed(error.to_string()))?;
        let file = temporary.reopen().map_err(|error| failed(error.to_string()))?;
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties));
        let (writer, factory) =
            writer.and_then(ArrowWriter::into_serialized_writer).map_err(|error| failed(error.to_string()))?;
        Ok(Self { temporary, writer, factory, folder: folder.to_owned(), rows: 0, schema: schema.clone() })
    }

    /// Writers for the columns of one row group, to be used on any thread.
    pub fn column_writers(&self) -> Result<Vec<ArrowColumnWriter>, SourceError> {
        self.factory.create_column_writers(0).map_err(|error| self.failed(error))
    }

    /// Appends rows as a row group.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), SourceError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let mut writers = self.column_writers()?;
        let mut places = writers.iter_mut();
        for (column, field) in batch.columns().iter().zip(self.schema.fields()) {
            for leaf in compute_leaves(field, column).map_err(|error| self.failed(error))? {
                if let Some(writer) = places.next() {
                    writer.write(&leaf).map_err(|error| self.failed(error))?;
                }
            }
        }
        let chunks = writers.into_iter().map(ArrowColumnWriter::close).collect::<Result<Vec<_>, _>>();
        self.append(chunks.map_err(|error| self.failed(error))?, batch.num_rows() as u64)
    }

    /// Appends a row group.
    pub fn append(&mut self, columns: Vec<ArrowColumnChunk>, rows: u64) -> Result<(), SourceError> {
        if rows == 0 {
            return Ok(());
        }
        self.rows += rows;
        let folder = &self.folder;
        let failed = |error: datafusion::parquet::errors::ParquetError| SourceError::Cache {
            path: folder.clone(),
            reason: error.to_string(),
        };
        let mut group = self.writer.next_row_group().map_err(failed)?;
        for column in columns {
            column.append_to_row_group(&mut group).map_err(failed)?;
        }
        group.close().map_err(failed)?;
        Ok(())
    }

    /// Completes the file and gives it its name.
    pub fn persist(mut self, path: &Path, notes: &[(&str, u64)]) -> Result<(), SourceError> {
        let folder = self.folder.clone();
        let failed = |reason: String| SourceError::Cache { path: folder.clone(), reason };
        for (name, value) in notes {
            self.writer.append_key_value_metadata(KeyValue::new((*name).to_owned(), value.to_string()));
        }
        self.writer.finish().map_err(|error| failed(error.to_string()))?;
        self.temporary.as_file().sync_data().map_err(|error| failed(error.to_string()))?;
        self.temporary.persist(path).map_err(|error| failed(error.error.to_string()))?;
        Ok(())
    }

    /// A failure to write.
    pub fn failed(&self, reason: impl ToString) -> SourceError {
        SourceError::Cache { path: self.folder.clone(), reason: reason.to_string() }
    }
}
