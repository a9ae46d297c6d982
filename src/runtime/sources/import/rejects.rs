//! The rejects file: what was wrong in which line.

use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::typist::Reject;
use super::{Context, Imported};
use crate::runtime::sources::columns::Kind;
use crate::runtime::sources::error::SourceError;

/// The columns of a rejects file.
pub(crate) const COLUMNS: [(&str, Kind); 5] =
    [("file", Kind::Text), ("line", Kind::Int), ("column", Kind::Text), ("value", Kind::Text), ("reason", Kind::Text)];

/// Rejects of one file or of several, in order.
#[derive(Debug, Default)]
pub(crate) struct Rejects {
    pub count: u64,
    /// The first, as a sentence.
    pub first: Option<String>,
    /// Finished files without header.
    pub parts: Vec<PathBuf>,
    writer: Option<csv::Writer<NamedTempFile>>,
    folder: PathBuf,
}

impl Rejects {
    /// A new file in `folder`, created with the first reject.
    pub fn new(folder: &Path) -> Result<Self, SourceError> {
        Ok(Self { folder: folder.to_owned(), ..Self::default() })
    }

    /// Adds one.
    pub fn add(&mut self, file: &str, column: &str, reject: &Reject) -> Result<(), SourceError> {
        let folder = self.folder.clone();
        let failed = |reason: String| SourceError::Cache { path: folder.clone(), reason };
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => {
                let temporary = NamedTempFile::new_in(&self.folder).map_err(|error| failed(error.to_string()))?;
                none.insert(csv::Writer::from_writer(temporary))
            }
        };
        let line = reject.line.to_string();
        let record = [file, line.as_str(), column, reject.value.as_str(), reject.reason.as_str()];
        writer.write_record(record).map_err(|error| failed(error.to_string()))?;
        self.count += 1;
        self.first.get_or_insert_with(|| sentence(record));
        Ok(())
    }

    /// Gives the file its name. Nothing is written when there are no rejects.
    pub fn persist(mut self, path: &Path) -> Result<Option<PathBuf>, SourceError> {
        let failed = |reason: String| SourceError::Cache { path: path.to_owned(), reason };
        let Some(writer) = self.writer.take() else { return Ok(None) };
        let temporary = writer.into_inner().map_err(|error| failed(error.to_string()))?;
        temporary.as_file().sync_data().map_err(|error| failed(error.to_string()))?;
        temporary.persist(path).map_err(|error| failed(error.error.to_string()))?;
        Ok(Some(path.to_owned()))
    }

    /// Counts those of a file in the cache, as far as there may be so many.
    pub fn take(&mut self, imported: &Imported, shown: &str, context: &Context) -> Result<(), SourceError> {
        self.append(imported.rejected, imported.rejects.as_ref());
        match context.options.max_errors {
            Some(limit) if self.count > limit => {
                Err(super::super::too_many(shown, limit, context.rejects, &mut [self]))
            }
            _ => Ok(()),
        }
    }

    /// Counts those of a finished file.
    pub fn append(&mut self, count: u64, path: Option<&PathBuf>) {
        self.count += count;
        if let Some(path) = path {
            self.first = self.first.take().or_else(|| first_of(path));
            self.parts.push(path.clone());
        }
    }
}

/// Writes all rejects to `target`, with a header. `target` is replaced as a whole.
pub(crate) fn publish(target: &Path, lists: &mut [&mut Rejects]) -> Result<(), SourceError> {
    let failed = |error: std::io::Error| SourceError::Cache { path: target.to_owned(), reason: error.to_string() };
    let folder = target.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut file = NamedTempFile::new_in(folder).map_err(failed)?;
    writeln!(file, "{}", COLUMNS.map(|(name, _)| name).join(",")).map_err(failed)?;
    for list in lists {
        for part in &list.parts {
            let mut part = std::fs::File::open(part).map_err(failed)?;
            std::io::copy(&mut part, &mut file).map_err(failed)?;
        }
        if let Some(writer) = &mut list.writer {
            writer.flush().map_err(failed)?;
            let mut written = std::fs::File::open(writer.get_ref().path()).map_err(failed)?;
            std::io::copy(&mut written, &mut file).map_err(failed)?;
        }
    }
    file.persist(target).map_err(|error| failed(error.error))?;
    Ok(())
}

/// The first reject of a finished file.
fn first_of(path: &Path) -> Option<String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(path).ok()?;
    let record = reader.records().next()?.ok()?;
    let cell = |at| record.get(at).unwrap_or("");
    Some(sentence([cell(0), cell(1), cell(2), cell(3), cell(4)]))
}

fn sentence([file, line, column, value, reason]: [&str; 5]) -> String {
    let column = if column.is_empty() { String::new() } else { format!("column {column}: ") };
    let value = if value.is_empty() { String::new() } else { format!("`{}` ", shortened(value)) };
    format!("{file}:{line}: {column}{value}{reason}")
}

/// A value short enough for a message, on one line.
pub(crate) fn shortened(value: &str) -> String {
    const LIMIT: usize = 40;
    let line = value.replace(['\n', '\r', '\t'], " ");
    match line.char_indices().nth(LIMIT) {
        Some((at, _)) => format!("{}...", &line[..at]),
        None => line,
    }
}
