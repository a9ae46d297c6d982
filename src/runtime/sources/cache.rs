//! Imported files, kept by what they were made from.
//!
//! An entry's name holds a hash of everything its content depends on, and it appears under that name only when it is
//! complete. So a reader sees a whole entry or none, two importers of the same file write the same thing, and a changed
//! file has another entry. Entries of files that changed stay until somebody clears the folder: a query may be reading
//! them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use datafusion::arrow::datatypes::Schema;
use datafusion::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use serde::{Deserialize, Serialize};

use super::error::SourceError;
use super::files::{SourceFile, io_reason};
use super::import::{Context, Imported, Rejects, Sink};

/// Changes when the same text would be imported differently.
const VERSION: u32 = 1;

/// Keys of notes in the Parquet file.
const LINES: &str = "orch.lines";
const REJECTED: &str = "orch.rejected";

/// What tells a changed file from an unchanged one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Stamp {
    /// Size in bytes.
    pub len: u64,
    modified: Option<SystemTime>,
    /// What an object store says instead.
    tag: Option<String>,
}

impl Stamp {
    /// Of the local file as it is now.
    pub fn of(path: &Path) -> std::io::Result<Self> {
        let metadata = std::fs::metadata(path)?;
        Ok(Self { len: metadata.len(), modified: metadata.modified().ok(), tag: None })
    }

    /// Of the file as it was found; an object is not asked about again.
    pub fn found(file: &SourceFile) -> Result<Self, SourceError> {
        match &file.object {
            Some(object) => Ok(Self { len: object.meta.size, modified: None, tag: Some(object.tag()) }),
            None => Self::of(&file.path).map_err(|error| unreadable(file, &error)),
        }
    }

    /// Is the file still the same?
    pub fn holds(&self, file: &SourceFile) -> Result<bool, SourceError> {
        match &file.object {
            Some(object) => {
                let now = object.again(&file.shown)?;
                Ok(now.is_some_and(|now| now.meta.size == self.len && Some(now.tag()) == self.tag))
            }
            None => Ok(Self::of(&file.path).map_err(|error| unreadable(file, &error))? == *self),
        }
    }
}

fn unreadable(file: &SourceFile, error: &std::io::Error) -> SourceError {
    SourceError::Unreadable { shown: file.shown.clone(), reason: io_reason(error) }
}

/// The place of an import in the cache.
pub(crate) struct Entry {
    folder: PathBuf,
    name: String,
}

impl Entry {
    /// The place for `file` as it is now, read as `context` says.
    pub fn new(context: &Context, file: &Path, stamp: &Stamp) -> Self {
        let absolute = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
        let zone = context.zone.iana_name().map_or_else(|| format!("{:?}", context.zone), str::to_owned);
        let mut hash = blake3::Hasher::new();
        let mut options = context.options.clone();
        // The limit decides whether an import is accepted, not what it holds.
        options.max_errors = None;
        options.archive = None;
        hash.update(format!("{VERSION} {absolute:?} {stamp:?} {options:?} {zone} {}", context.lines).as_bytes());
        for column in context.columns {
            let described = (&column.name, &column.kind, column.nullable, &column.default);
            hash.update(format!("{described:?}").as_bytes());
        }
        let stem = file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        let stem: String =
            stem.chars().filter(|sign| sign.is_alphanumeric() || "-_".contains(*sign)).take(40).collect();
        let name = format!("{stem}-{}", &hash.finalize().to_hex()[..20]);
        Self { folder: context.cache.to_owned(), name }
    }

    /// The folder of the cache.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The import, if it was made before. An entry that cannot be read is as good as none.
    pub fn find(&self) -> Option<Imported> {
        let path = self.path("parquet");
        let file = File::open(&path).ok()?;
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::default()).ok()?;
        let note = |key: &str| metadata.schema().metadata().get(key)?.parse::<u64>().ok();
        let rejected = note(REJECTED)?;
        let rejects = (rejected > 0).then(|| self.path("rejects.csv"));
        if rejects.as_ref().is_some_and(|rejects| !rejects.is_file()) {
            return None;
        }
        Some(Imported {
            schema: Arc::new(Schema::new(metadata.schema().fields().clone())),
            rows: u64::try_from(metadata.metadata().file_metadata().num_rows()).ok()?,
            lines: note(LINES)?,
            rejected,
            rejects,
            path,
        })
    }

    /// Was the file looked at before?
    pub fn is_marked(&self) -> bool {
        self.path("checked").is_file()
    }

    /// Remembers that the file was looked at.
    pub fn mark(&self) -> Result<(), SourceError> {
        let failed =
            |error: std::io::Error| SourceError::Cache { path: self.folder.clone(), reason: error.to_string() };
        std::fs::create_dir_all(&self.folder).map_err(failed)?;
        std::fs::write(self.path("checked"), []).map_err(failed)
    }

    /// Completes an import. The rejects come first, so that an entry with rejects always has them.
    pub fn commit(&self, sink: Sink, lines: u64, rejects: Rejects) -> Result<Imported, SourceError> {
        let (rows, schema, rejected) = (sink.rows, sink.schema.clone(), rejects.count);
        let rejects = rejects.persist(&self.path("rejects.csv"))?;
        let path = self.path("parquet");
        sink.persist(&path, &[(LINES, lines), (REJECTED, rejected)])?;
        Ok(Imported { path, schema, rows, lines, rejected, rejects })
    }

    /// The entry's file with this extension.
    pub fn path(&self, extension: &str) -> PathBuf {
        self.folder.join(format!("{}.{extension}", self.name))
    }
}
