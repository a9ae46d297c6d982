//! Which files a location means.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::error::SourceError;
use super::import::Place;
use super::objects::{Handle, Object, Objects, Remote, SCHEME};
use super::packing::Packing;
use crate::base::did_you_mean;

/// A file of a source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SourceFile {
    pub path: PathBuf,
    /// As people know it: relative to the declaring file.
    pub shown: String,
    /// Columns that the names of its folders give: `region=FR`. `None` is null.
    pub folders: Vec<(String, Option<String>)>,
    /// What it is, if it is in an object store.
    pub object: Option<Object>,
}

impl SourceFile {
    /// A file that is not in a partitioned folder.
    pub fn new(path: PathBuf, shown: String) -> Self {
        Self { path, shown, folders: Vec::new(), object: None }
    }

    /// The place of a column that the folders' names give.
    pub fn folder_place(&self, column: &str) -> Option<Place> {
        self.folders.iter().find(|(name, _)| name == column).map(|(_, value)| Place::Folder(value.clone()))
    }

    /// The text of the file, unpacked as `packing` says, or as its name does.
    pub fn read(&self, packing: Option<Packing>) -> std::io::Result<Box<dyn Read>> {
        Ok(packing.unwrap_or_else(|| Packing::of_path(&self.path)).unpack(self.open()?)?)
    }

    /// The file, open.
    pub fn open(&self) -> std::io::Result<Handle> {
        Ok(match &self.object {
            Some(object) => Handle::Remote(Remote::new(object.clone(), &self.shown)),
            None => Handle::Local(File::open(&self.path)?),
        })
    }
}

/// What a file holds, by its extension.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    Text,
    Parquet,
    Arrow,
}

/// The files that `location` (a file, a folder or a pattern, relative to `base`) means, in the order of their names.
pub(crate) fn find(base: &Path, location: &str, objects: &Objects) -> Result<Vec<SourceFile>, SourceError> {
    if location.starts_with(SCHEME) {
        return objects.find(location);
    }
    if let Some((scheme, _)) = location.split_once("://") {
        return Err(SourceError::Unsupported {
            what: format!("a source behind `{scheme}://`"),
            help: "copy the file into the project, or into an object store: `s3://BUCKET/FILE`".to_owned(),
        });
    }
    let path = base.join(location);
    let (folder, name) = match location.rsplit_once('/') {
        Some((folder, name)) => (folder, name),
        None => ("", location),
    };
    if path.is_dir() {
        let shown = location.trim_end_matches('/');
        if let Some(files) = partitions(&path, shown)? {
            return some(files, &format!("{shown}/*"));
        }
        let mut files = list(&path, location.trim_end_matches('/'), |_| true)?;
        let first = files.first().and_then(|file| extension(&file.path));
        files.retain(|file| extension(&file.path) == first);
        return some(files, &format!("{}/*", location.trim_end_matches('/')));
    }
    if !path.exists() && name.contains(['*', '?']) {
        if folder.contains(['*', '?']) {
            return Err(SourceError::pattern_in_folder());
        }
        return some(list(&base.join(folder), folder, |file| matches(name, file))?, location);
    }
    if !path.exists() {
        return Err(missing(base, folder, name, location));
    }
    if !path.is_file() {
        return Err(SourceError::Unreadable { shown: location.to_owned(), reason: "it is not a file".to_owned() });
    }
    Ok(vec![SourceFile::new(path, location.to_owned())])
}

/// The extension in lower case, without dot; that of a compressed file is the one before `.gz` or `.zst`.
pub(crate) fn extension(path: &Path) -> Option<String> {
    let stem = path.file_stem().map(Path::new);
    let path = if Packing::of_path(path) == Packing::Plain { path } else { stem? };
    path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase())
}

/// What a file of this name holds, if it holds rows.
pub(super) fn kind(path: &Path) -> Option<Format> {
    Some(match extension(path)?.as_str() {
        "csv" | "tsv" | "txt" | "fwf" | "dat" | "json" | "ndjson" | "jsonl" => Format::Text,
        "parquet" | "pq" => Format::Parquet,
        "arrow" | "ipc" | "feather" => Format::Arrow,
        _ => return None,
    })
}

/// The names of what a folder holds, sorted; none when there is no folder.
pub(super) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// What the file holds.
pub(crate) fn format(file: &SourceFile) -> Result<Format, SourceError> {
    let extension = extension(&file.path).unwrap_or_default();
    let Some(format) = kind(&file.path) else {
        return Err(SourceError::Unsupported {
            what: format!("`{}`", file.shown),
            help: match unpacker(&extension) {
                Some(program) => format!("unpack it, for example with `{program}`, or pack it as .gz or .zst"),
                None => KINDS.to_owned(),
            },
        });
    };
    if format != Format::Text && Packing::of_path(&file.path) != Packing::Plain {
        return Err(SourceError::Unsupported {
            what: format!("`{}`, which is compressed as a whole,", file.shown),
            help: format!("unpack it: .{extension} files are compressed inside already"),
        });
    }
    Ok(format)
}

/// The files that can be read, by their names.
pub const KINDS: &str =
    "files end in .csv, .tsv, .txt, .json, .ndjson, .parquet or .arrow; text files may be packed as .gz or .zst";

/// The program that unpacks files with this extension, which we do not read.
fn unpacker(extension: &str) -> Option<&'static str> {
    match extension {
        "bz2" => Some("bunzip2"),
        "xz" => Some("unxz"),
        "zip" => Some("unzip"),
        _ => None,
    }
}

/// Are there folders called `COLUMN=VALUE` in this one?
pub(crate) fn is_partitioned(folder: &Path) -> bool {
    let mut entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.any(|entry| entry.path().is_dir() && entry.file_name().to_string_lossy().contains('='))
}

/// The files of a folder whose folders are called `COLUMN=VALUE`; `None` when they are not.
fn partitions(folder: &Path, shown: &str) -> Result<Option<Vec<SourceFile>>, SourceError> {
    let unreadable =
        |error: std::io::Error| SourceError::Unreadable { shown: shown.to_owned(), reason: io_reason(&error) };
    let mut inner = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir()
            && let Some((column, value)) = name.split_once('=')
        {
            inner.push((unescaped(column), folder_value(value), entry.path(), format!("{shown}/{name}")));
        }
    }
    if inner.is_empty() {
        return Ok(None);
    }
    let mut files = Vec::new();
    for (column, value, path, shown) in inner {
        let below = match partitions(&path, &shown)? {
            Some(files) => files,
            None => list(&path, &shown, |name| !name.starts_with('_'))?,
        };
        files.extend(below.into_iter().map(|mut file| {
            file.folders.insert(0, (column.clone(), value.clone()));
            file
        }));
    }
    files.sort_by(|a, b| a.shown.cmp(&b.shown));
    same_folders(&files)?;
    Ok(Some(files))
}

/// Looks whether the folders of all files are called after the same columns.
pub(super) fn same_folders(files: &[SourceFile]) -> Result<(), SourceError> {
    let columns = |file: &SourceFile| file.folders.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    match files.windows(2).find(|pair| columns(&pair[0]) != columns(&pair[1])) {
        Some(pair) => Err(SourceError::Unsupported {
            what: format!("`{}` together with `{}`", pair[0].shown, pair[1].shown),
            help: "name the folders of all files after the same columns".to_owned(),
        }),
        None => Ok(()),
    }
}

/// What a folder's name says; the name for null is the one that other programs write.
pub(super) fn folder_value(text: &str) -> Option<String> {
    (!text.is_empty() && text != "__HIVE_DEFAULT_PARTITION__").then(|| unescaped(text))
}

/// `%2F` as `/`.
pub(super) fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let escaped = if *first == b'%' { behind.get(..2) } else { None };
        let escaped = escaped.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
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
            files.push(SourceFile::new(entry.path(), shown));
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
pub(super) fn matches(pattern: &str, name: &str) -> bool {
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
