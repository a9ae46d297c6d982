//! The rows that populations are made of: sources, frozen populations, feedback.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::datasource::TableProvider;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use jiff::tz::TimeZone;

use super::error::RunError;
use super::sources::{self, OpenOptions, Opened};
use crate::hir::{EntityId, LocalId, Program};
use crate::plan::query::{QueryError, Rows, Tables, Taken};

/// Where the files of a project are.
#[derive(Clone, Debug)]
pub struct Folders {
    /// The project's folder: the base of paths in source files.
    pub project: PathBuf,
    /// The state directory.
    pub state: PathBuf,
}

impl Folders {
    /// Imported files.
    pub fn imports(&self) -> PathBuf {
        self.state.join("imports")
    }

    /// Files of a run: frozen populations, marks.
    pub fn run(&self, run: &str) -> PathBuf {
        self.state.join("runs").join(run)
    }
}

/// Opened sources. A source is looked at again whenever [`Sources::refresh`] was called since: rows are read when the
/// flow reaches a statement, so a file that changed during a wait is read anew.
pub struct Sources {
    program: Arc<Program>,
    /// The folder of the file that declares each entity.
    bases: Vec<PathBuf>,
    folders: Folders,
    zone: TimeZone,
    threads: usize,
    opened: Mutex<BTreeMap<EntityId, Opened>>,
}

impl Sources {
    /// The sources of a program whose files have these names, by their ids, relative to the project.
    pub fn new(
        program: Arc<Program>,
        files: &[(String, String)],
        folders: Folders,
        zone: TimeZone,
        threads: usize,
    ) -> Self {
        let base = |span: crate::base::Span| {
            let name = files.get(span.source.0 as usize).map_or("", |(name, _)| name);
            let folder = Path::new(name).parent().unwrap_or(Path::new(""));
            folders.project.join(folder)
        };
        let bases = program
            .entities
            .iter()
            .map(|entity| base(entity.source.as_ref().map_or(entity.span, |source| source.span)))
            .collect();
        Self { program, bases, folders, zone, threads, opened: Mutex::default() }
    }

    /// Opens an entity's source, importing it if it is new or has changed.
    ///
    /// # Errors
    /// What is wrong with the file, by line and column.
    pub fn open(&self, entity: EntityId) -> Result<Opened, RunError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = opened.get(&entity) {
            return Ok(found.clone());
        }
        let declared = &self.program[entity];
        let cache = self.folders.imports();
        let rejects = self.folders.state.join("rejects").join(format!("{}.csv", declared.name));
        let options = OpenOptions {
            base: &self.bases[entity.0 as usize],
            cache: &cache,
            zone: &self.zone,
            threads: self.threads,
            rejects: Some(&rejects),
        };
        let found = sources::open(declared, &self.program, &options)?;
        opened.insert(entity, found.clone());
        Ok(found)
    }

    /// Makes the next [`Sources::open`] look at the files again.
    pub fn refresh(&self) {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The tables that a run's populations start from.
pub struct RunTables<'r> {
    /// Entities.
    pub sources: &'r Sources,
    /// Frozen populations by local.
    pub frozen: &'r BTreeMap<u32, PathBuf>,
}

impl Tables for RunTables<'_> {
    fn rows(&self, rows: &Rows) -> Result<Arc<dyn TableProvider>, QueryError> {
        match rows {
            Rows::Entity(entity) => {
                self.sources.open(*entity).map(|opened| opened.table).map_err(|error| source_error(&error))
            }
            Rows::Rejected(entity) => {
                self.sources.open(*entity).map(|opened| opened.rejected_table).map_err(|error| source_error(&error))
            }
            Rows::Frozen(local) => self.frozen_table(*local),
            Rows::Feedback(..) => Err(not_yet("the feedback of a send")),
            Rows::Audience(..) => Err(not_yet("a saved audience")),
            Rows::Unmatched(_) => Err(not_yet("the unmatched rows of a population")),
        }
    }

    fn taken(&self, _memory: Option<&str>) -> Result<Taken, QueryError> {
        Err(not_yet("`new`"))
    }
}

impl RunTables<'_> {
    fn frozen_table(&self, local: LocalId) -> Result<Arc<dyn TableProvider>, QueryError> {
        let path = self.frozen.get(&local.0).ok_or_else(|| QueryError::Source("it was not frozen yet".into()))?;
        let schema = parquet_schema(path).map_err(|reason| {
            QueryError::Source(format!("the frozen population `{}` cannot be read: {reason}", path.display()))
        })?;
        sources::parquet_file(path, schema).map_err(QueryError::from)
    }
}

fn source_error(error: &RunError) -> QueryError {
    QueryError::Source(error.to_string())
}

fn not_yet(what: &str) -> QueryError {
    QueryError::Source(format!("{what} cannot be read in a run yet"))
}

/// The columns of a Parquet file, from its footer.
pub(crate) fn parquet_schema(path: &Path) -> Result<SchemaRef, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())?;
    Ok(reader.schema().clone())
}

/// The number of rows of a Parquet file, from its footer.
pub(crate) fn parquet_rows(path: &Path) -> Result<u64, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())?;
    Ok(reader.metadata().file_metadata().num_rows().unsigned_abs())
}
