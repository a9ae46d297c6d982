//! Frozen populations: computed once, kept as a file of the run.
//!
//! The file is written under a temporary name, synced and renamed, and only then does the journal mention it. A crash
//! before that leaves a file that nobody names; computing again is harmless because nothing has happened yet.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::file::properties::WriterProperties;
use futures::StreamExt;

use super::send::ROW;
use crate::base::plain_reason;
use crate::hir::{Entity, Query, QueryKind};
use crate::plan::query::{Columns, IDENTITY, Joins, Ordering, QueryError, Scope, Session, population, stream, values};
use crate::runtime::durable::{make_folder, parent, sync_folder};
use crate::runtime::error::RunError;
use crate::runtime::seal::Sealing;

/// Computes a population in the order of its key and writes it, numbered, to `path`. Returns the number of rows. What
/// does not fit into memory is computed again with joins that spill.
pub(in crate::runtime) async fn freeze(
    session: &Session,
    scope: &Scope<'_>,
    query: &Query,
    path: &Path,
    title: &str,
) -> Result<u64, RunError> {
    match freeze_with(session, scope, query, path, title, Joins::Fast).await {
        Err(RunError::Query(QueryError::OutOfMemory(_))) => {
            freeze_with(session, scope, query, path, title, Joins::Spilling).await
        }
        result => result,
    }
}

async fn freeze_with(
    session: &Session,
    scope: &Scope<'_>,
    query: &Query,
    path: &Path,
    title: &str,
    joins: Joins,
) -> Result<u64, RunError> {
    let plan = population(scope, query, &Columns::All, Ordering::Defined)?;
    let mut batches = stream(session, plan, joins).await?;
    let mut keys = KeyCheck::new(&scope.program[query.ty.entity], title);
    let is_rejected = matches!(source_of(query).kind, QueryKind::Rejected(_));
    let mut file = SnapshotFile::create(path)?;
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(QueryError::from)?;
        // Several cells of one line may be bad; nothing is ever addressed to them.
        if !is_rejected {
            keys.check(&batch)?;
        }
        file.write(&batch)?;
    }
    file.finish(Some(&batches.schema()))
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
            let properties = WriterProperties::builder().set_compression(Compression::LZ4_RAW).build();
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

/// The names of the columns that tell an entity's rows apart.
#[derive(Clone)]
pub(super) struct KeyNames {
    names: Vec<String>,
    /// Whether the columns count by which the query engine tells rows apart, such as a matched row's key.
    identity: bool,
}

impl KeyNames {
    /// The key fields; the line of an entity without a key.
    pub fn new(entity: &Entity) -> Self {
        let names = match entity.key.is_empty() {
            true => vec!["line".to_string()],
            false => entity.key.iter().map(|field| entity[*field].name.clone()).collect(),
        };
        Self { names, identity: true }
    }

    /// The entity's own key only.
    pub fn declared(entity: &Entity) -> Self {
        Self { identity: false, ..Self::new(entity) }
    }

    /// Where they are, together with the columns by which the query engine tells rows apart.
    pub fn locate(&self, schema: &Schema) -> KeyColumns {
        let is_key =
            |name: &str| self.names.iter().any(|known| known == name) || self.identity && name.starts_with(IDENTITY);
        let fields = schema.fields().iter().enumerate();
        KeyColumns(fields.filter(|(_, field)| is_key(field.name())).map(|(at, _)| at).collect())
    }
}

/// The places of the key's columns.
pub(super) struct KeyColumns(Vec<usize>);

impl KeyColumns {
    /// The key of a row as text; `None` when a part of it is null, or when there is no key.
    pub fn text(&self, batch: &RecordBatch, row: usize) -> Result<Option<String>, QueryError> {
        let mut text = String::new();
        for index in &self.0 {
            let column = batch.column(*index);
            if column.is_null(row) {
                return Ok(None);
            }
            if !text.is_empty() {
                text.push('/');
            }
            let value = values::from_array(column.as_ref(), row)?;
            let part = value.to_text(&jiff::tz::TimeZone::UTC);
            // Of several parts none may hold the sign between them, or two keys would be one text.
            text.push_str(&if self.0.len() > 1 { part.replace('\\', "\\\\").replace('/', "\\/") } else { part });
        }
        Ok((!text.is_empty()).then_some(text))
    }
}

/// Row identity: a key is there and occurs once.
struct KeyCheck<'t> {
    names: KeyNames,
    seen: HashSet<[u8; 16]>,
    title: &'t str,
    entity: &'t str,
}

impl<'t> KeyCheck<'t> {
    fn new(entity: &'t Entity, title: &'t str) -> Self {
        Self { names: KeyNames::new(entity), seen: HashSet::new(), title, entity: &entity.name }
    }

    fn check(&mut self, batch: &RecordBatch) -> Result<(), RunError> {
        let columns = self.names.locate(&batch.schema());
        for row in 0..batch.num_rows() {
            let key = columns.text(batch, row)?.unwrap_or_default();
            let mut digest = [0; 16];
            digest.copy_from_slice(&blake3::hash(key.as_bytes()).as_bytes()[..16]);
            if key.is_empty() || !self.seen.insert(digest) {
                return Err(RunError::BadKey { step: self.title.to_string(), entity: self.entity.to_string(), key });
            }
        }
        Ok(())
    }
}
