//! Which files a location means.

use std::path::{Path, PathBuf};

use super::error::SourceError;
use crate::base::did_you_mean;

/// A file of a source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SourceFile {
    pub path: PathBuf,
    /// As people know it: relative to the declaring file.
    pub shown: String,
}

/// What a file holds, by its extension.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    Text,
    Parquet,
    Arrow,
}

/// The files that `location` (a file, a folder or a pattern, relative to `base`) means, in the order of their names.
pub(crate) fn find(base: &Path, location: &str) -> Result<Vec<SourceFile>, SourceError> {
    if let Some((scheme, _)) = location.split_once("://") {
        return Err(SourceError::Unsupported {
            what: format!("a source behind `{scheme}://`"),
            help: "copy the file into the project".to_owned(),
        });
    }
    let path = base.join(location);
    let (folder, name) = match location.rsplit_once('/') {
        Some((folder, name)) => (folder, name),
        None => ("", location),
    };
    if path.is_dir() {
        let mut files = list(&path, location.trim_end_matches('/'), |_| true)?;
        let first = files.first().and_then(|file| extension(&file.path));
        files.retain(|file| extension(&file.path) == first);
        return some(files, &format!("{}/*", location.trim_end_matches('/')));
    }
    if !path.exists() && name.contains(['*', '?']) {
        if folder.contains(['*', '?']) {
            return Err(SourceError::Unsupported {
                what: "a pattern in a folder's name".to_owned(),
                help: "use `*` in the file's name only".to_owned(),
            });
        }
        return some(list(&base.join(folder), folder, |file| matches(name, file))?, location);
    }
    if !path.exists() {
        return Err(missing(base, folder, name, location));
    }
    if !path.is_file() {
        return Err(SourceError::Unreadable { shown: location.to_owned(), reason: "it is not a file".to_owned() });
    }
    Ok(vec![SourceFile { path, shown: location.to_owned() }])
}

/// The extension in lower case, without dot.
pub(crate) fn extension(path: &Path) -> Option<String> {
    path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase())
}

/// What the file holds.
pub(crate) fn format(file: &SourceFile) -> Result<Format, SourceError> {
    let extension = extension(&file.path).unwrap_or_default();
    Ok(match extension.as_str() {
        "csv" | "tsv" | "txt" => Format::Text,
        "parquet" | "pq" => Format::Parquet,
        "arrow" | "ipc" | "feather" => Format::Arrow,
        _ => {
            return Err(SourceError::Unsupported {
                what: format!("`{}`", file.shown),
                help: "files end in .csv, .tsv, .txt, .parquet or .arrow".to_owned(),
            });
        }
    })
}

/// Files of a folder whose name `wanted` accepts, without hidden ones.
fn list(folder: &Path, shown: &str, wanted: impl Fn(&str) -> bool) -> Result<Vec<SourceFile>, SourceError> {
    let unreadable =
        |error: std::io::Error| SourceError::Unreadable { shown: shown.to_owned(), reason: io_reason(&error) };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && wanted(&name) && entry.path().is_file() {
            let shown = if shown.is_empty() { name } else { format!("{shown}/{name}") };
            files.push(SourceFile { path: entry.path(), shown });
        }
    }
    files.sort_by(|a, b| a.shown.cmp(&b.shown));
    Ok(files)
}

fn some(files: Vec<SourceFile>, shown: &str) -> Result<Vec<SourceFile>, SourceError> {
    if files.is_empty() { Err(SourceError::NoMatch { shown: shown.to_owned() }) } else { Ok(files) }
}

fn missing(base: &Path, folder: &str, name: &str, location: &str) -> SourceError {
    let inside = |near: &str| if folder.is_empty() { near.to_owned() } else { format!("{folder}/{near}") };
    let files = list(&base.join(folder), "", |_| true).unwrap_or_default();
    let nearest = did_you_mean(name, files.iter().map(|file| file.shown.as_str())).map(inside);
    let folder = if folder.is_empty() { "." } else { folder };
    SourceError::Missing { shown: location.to_owned(), nearest, folder: folder.to_owned() }
}

/// Does `name` match `pattern`, where `*` is any text and `?` any character?
fn matches(pattern: &str, name: &str) -> bool {
    let mut rest = name.chars();
    let mut signs = pattern.chars();
    match signs.next() {
        None => name.is_empty(),
        Some('*') => {
            name.char_indices().map(|(at, _)| at).chain([name.len()]).any(|at| matches(signs.as_str(), &name[at..]))
        }
        Some('?') => rest.next().is_some() && matches(signs.as_str(), rest.as_str()),
        Some(sign) => rest.next() == Some(sign) && matches(signs.as_str(), rest.as_str()),
    }
}

/// An operating system error without its number.
pub(crate) fn io_reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "it does not exist".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string().to_lowercase(),
    }
}
