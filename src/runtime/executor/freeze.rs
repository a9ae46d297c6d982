//! Frozen populations: computed once, kept as a file of the run.
//!
//! The file is written under a temporary name, synced and renamed, and only then does the journal mention it. A crash
//! before that leaves a file that nobody names; computing again is harmless because nothing has happened yet.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};
use futures::StreamExt;

use super::keys::KeyCheck;
use super::send::ROW;
use crate::base::plain_reason;
use crate::hir::{Query, QueryKind};
use crate::plan::query::{Columns, Joins, QueryError, Scope, Session, Work, computation, counting};
use crate::runtime::durable::{make_folder, parent, sync_folder};
use crate::runtime::error::RunError;
use crate::runtime::seal::Sealing;

/// Bytes of a column's dictionary at most.
const DICTIONARY: usize = 1 << 16;

/// What is to be frozen.
pub(in crate::runtime) struct Freezing<'f> {
    pub query: &'f Query,
    /// The columns to keep; the key is always kept.
    pub columns: &'f Columns,
    /// Queries that it is made from, whose rows are counted on the way.
    pub levels: &'f [&'f Query],
    /// The statement in a few words.
    pub title: &'f str,
}

impl<'f> Freezing<'f> {
    /// All of a population, nothing counted.
    pub fn all(query: &'f Query, title: &'f str) -> Self {
        Self { query, columns: &Columns::All, levels: &[], title }
    }
}

/// A population that was frozen.
pub(in crate::runtime) struct Frozen {
    /// Its rows.
    pub rows: u64,
    /// The rows that came out of each level, where all of them were asked for.
    pub counts: Vec<Option<u64>>,
    /// What it took.
    pub work: Work,
}

/// Computes a population in the order of its key and writes it, numbered, to `path`. What does not fit into memory is
/// computed again with joins that spill.
pub(in crate::runtime) async fn freeze(
    session: &Session,
    scope: &Scope<'_>,
    what: &Freezing<'_>,
    path: &Path,
) -> Result<Frozen, RunError> {
    match freeze_with(session, scope, what, path, Joins::Fast).await {
        Err(RunError::Query(QueryError::OutOfMemory(_))) => {
            freeze_with(session, scope, what, path, Joins::Spilling).await
        }
        result => result,
    }
}

async fn freeze_with(
    session: &Session,
    scope: &Scope<'_>,
    what: &Freezing<'_>,
    path: &Path,
    joins: Joins,
) -> Result<Frozen, RunError> {
    let counting = counting(scope, what.query, what.columns, what.levels)?;
    let mut computation = computation(session, counting.plan, joins).await?;
    let mut keys = KeyCheck::new(&scope.program[what.query.ty.entity], counting.by_key);
    let is_rejected = matches!(source_of(what.query).kind, QueryKind::Rejected(_));
    let mut file = SnapshotFile::create(path)?;
    while let Some(batch) = computation.rows.next().await {
        let batch = batch.map_err(QueryError::from)?;
        // Several cells of one line may be bad; nothing is ever addressed to them.
        if !is_rejected && let Some(key) = keys.repeated(&batch)? {
            let entity = scope.program[what.query.ty.entity].name.clone();
            return Err(RunError::BadKey { step: what.title.to_string(), entity, key });
        }
        file.write(&batch)?;
    }
    let rows = file.finish(Some(&computation.rows.schema()))?;
    let counts = counting.tallies.iter().map(|tally| tally.rows()).collect();
    Ok(Frozen { rows, counts, work: computation.work() })
}

/// Where the rows of a population come from, the left side of a set operator.
pub(super) fn source_of(query: &Query) -> &Query {
    query.input().map_or(query, source_of)
}

pub(in crate::runtime) fn file_error(path: &Path, error: &dyn std::fmt::Display) -> RunError {
    RunError::File { path: path.display().to_string(), reason: plain_reason(&error.to_string()) }
}

/// A frozen population being written: its rows are numbered, and it has its name only when it is whole and durable.
pub(in crate::runtime) struct SnapshotFile {
    path: PathBuf,
    temporary: PathBuf,
    file: Option<File>,
    writer: Option<ArrowWriter<Sealing>>,
    rows: u64,
}

impl SnapshotFile {
    /// Begins the file.
    pub fn create(path: &Path) -> Result<Self, RunError> {
        let folder = parent(path);
        make_folder(folder).map_err(|error| file_error(folder, &error))?;
        let temporary = path.with_extension("tmp");
        let file = File::create(&temporary).map_err(|error| file_error(&temporary, &error))?;
        Ok(Self { path: path.to_path_buf(), temporary, file: Some(file), writer: None, rows: 0 })
    }

    /// Adds rows.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), RunError> {
        let count = batch.num_rows() as u64;
        let numbers = Int64Array::from_iter_values((self.rows..self.rows + count).map(|row| row as i64));
        let schema = numbered(&batch.schema());
        let columns = batch.columns().iter().cloned().chain([Arc::new(numbers) as ArrayRef]).collect();
        let batch = RecordBatch::try_new(schema.clone(), columns).map_err(|error| file_error(&self.path, &error))?;
        self.begin(&schema)?;
        if let Some(writer) = &mut self.writer {
            writer.write(&batch).map_err(|error| file_error(&self.path, &error))?;
        }
        self.rows += count;
        Ok(())
    }

    fn begin(&mut self, schema: &SchemaRef) -> Result<(), RunError> {
        if let Some(file) = self.file.take() {
            let properties = WriterProperties::builder()
                .set_compression(Compression::LZ4_RAW)
                // Columns of few values are small as numbers of a dictionary; building one of a million names is wasted.
                .set_dictionary_page_size_limit(DICTIONARY)
                .set_statistics_enabled(EnabledStatistics::Chunk)
                .build();
            let writer = ArrowWriter::try_new(Sealing::new(file), schema.clone(), Some(properties));
            self.writer = Some(writer.map_err(|error| file_error(&self.path, &error))?);
        }
        Ok(())
    }

    /// Ends the file and gives it its name. Without rows it has the columns of `schema`.
    pub fn finish(mut self, schema: Option<&SchemaRef>) -> Result<u64, RunError> {
        self.begin(&numbered(schema.map_or(&Schema::empty(), |schema| schema)))?;
        if let Some(writer) = self.writer.take() {
            let file = writer.into_inner().map_err(|error| file_error(&self.path, &error))?;
            file.finish(&self.path).map_err(|error| file_error(&self.path, &error))?;
        }
        fs::rename(&self.temporary, &self.path).map_err(|error| file_error(&self.path, &error))?;
        // The name must be as durable as the content.
        let folder = parent(&self.path);
        sync_folder(folder).map_err(|error| file_error(folder, &error))?;
        Ok(self.rows)
    }
}

impl Drop for SnapshotFile {
    /// Nothing half-written stays behind; after a rename there is nothing to remove.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.temporary);
    }
}

fn numbered(schema: &Schema) -> SchemaRef {
    let number = Arc::new(Field::new(ROW, DataType::Int64, false));
    Arc::new(Schema::new(schema.fields().iter().cloned().chain([number]).collect::<Vec<_>>()))
}
