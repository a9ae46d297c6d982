//! Writing a changed copy of an entity's file.
//!
//! What is not changed stays as it is, byte by byte where the format allows it: columns that are not declared, the order
//! of columns, delimiters, line ends. The caller puts the copy in the place of the file.

mod parquet;
mod text;
mod value;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::cache::Stamp;
use super::columns::{self, Column};
use super::error::SourceError;
use super::files::{self, Format, SourceFile, io_reason};
use super::objects::Objects;
use super::options::FileOptions;
use super::packing::Packing;
use crate::hir::{Entity, Program, SourceLocation, Value};
pub(crate) use value::{Habit, identity};

/// Changes of an entity's rows. Rows are named by the [`identity`] of their key, those of an entity without a key by the
/// identity of their line and all they say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edits {
    /// The fields that get a new value, by index.
    pub fields: Vec<usize>,
    /// New values by row, in the order of `fields`.
    pub updates: HashMap<String, Vec<Value>>,
    pub deletes: HashSet<String>,
    /// The fields of new rows that get a value, by index.
    pub new_fields: Vec<usize>,
    /// New rows: their values, in the order of `new_fields`.
    pub inserts: Vec<Vec<Value>>,
}

/// What became of edits.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Edited {
    /// Rows to change or delete that are there.
    pub found: HashSet<String>,
    /// Places in [`Edits::inserts`] of rows whose key exists already.
    pub existing: Vec<usize>,
}

/// An entity's file that can be changed.
pub(crate) struct WritableFile<'e> {
    entity: &'e Entity,
    columns: Vec<Column>,
    file: SourceFile,
    format: Format,
    options: FileOptions,
    zone: &'e TimeZone,
    stamp: Stamp,
}

impl<'e> WritableFile<'e> {
    /// The file of `entity`, whose location is relative to `base`, as it is now.
    pub fn open(entity: &'e Entity, program: &Program, base: &Path, zone: &'e TimeZone) -> Result<Self, SourceError> {
        let unfit = |what: String| SourceError::ReadOnly { entity: entity.name.clone(), what };
        let Some(SourceLocation::Path(location)) = entity.source.as_ref().map(|source| &source.location) else {
            return Err(unfit("has no file".into()));
        };
        if super::is_remote(location) {
            return Err(unfit(format!("is read from `{location}`, an object store")));
        }
        let mut found = files::find(base, location, &Objects::default())?;
        let file = match found.len() {
            // The folders' names may be columns.
            1 if base.join(location).is_file() => found.remove(0),
            1 => return Err(unfit(format!("is read from a folder, `{location}`"))),
            _ => return Err(unfit(format!("is read from several files, `{location}`"))),
        };
        let format = files::format(&file)?;
        if format == Format::Arrow {
            return Err(unfit(format!("is read from `{location}`, an arrow file")));
        }
        let extension = files::extension(&file.path).unwrap_or_default();
        let declared = entity.source.as_ref().map_or(&[][..], |source| &source.options);
        let options = match format {
            Format::Text => FileOptions::new(&extension, declared)?,
            _ => FileOptions::of_extension(&extension),
        };
        if let Some(what) = options.unwritable() {
            return Err(unfit(format!("is read from `{location}`, {what}")));
        }
        if options.packing.unwrap_or_else(|| Packing::of_path(&file.path)) != Packing::Plain {
            return Err(unfit(format!("is read from `{location}`, a compressed file")));
        }
        if !file.folders.is_empty() {
            return Err(unfit(format!("is read from `{location}`, whose folders are columns")));
        }
        let stamp = Stamp::of(&file.path).map_err(|error| unreadable(&file, &io_reason(&error)))?;
        Ok(Self { entity, columns: columns::of_entity(entity, program)?, file, format, options, zone, stamp })
    }

    /// Where the file is.
    pub fn path(&self) -> PathBuf {
        self.file.path.canonicalize().unwrap_or_else(|_| self.file.path.clone())
    }

    /// As people know it.
    pub fn shown(&self) -> &str {
        &self.file.shown
    }

    /// Whether somebody has written to the file since it was opened.
    pub fn has_changed(&self) -> bool {
        Stamp::of(&self.file.path).ok().as_ref() != Some(&self.stamp)
    }

    /// Writes the changed copy to `out` and syncs it.
    pub fn rewrite(&self, edits: &Edits, out: &Path) -> Result<Edited, SourceError> {
        match self.format {
            Format::Parquet | Format::Arrow => parquet::rewrite(self, edits, out),
            Format::Text => text::rewrite(self, edits, out),
        }
    }

    /// The declared key columns, or none for an entity whose rows are known by their line.
    fn key(&self) -> Vec<usize> {
        self.entity.key.iter().map(|field| field.0 as usize).collect()
    }

    fn failed(&self, reason: impl std::fmt::Display) -> SourceError {
        SourceError::Unwritable { shown: self.file.shown.clone(), reason: reason.to_string() }
    }
}

fn unreadable(file: &SourceFile, reason: &str) -> SourceError {
    SourceError::Unreadable { shown: file.shown.clone(), reason: reason.to_owned() }
}

/// Keys of new rows: those that exist are found, missing whole numbers are given.
struct NewKeys {
    /// The place of the key in `new_fields`, for each key column; `None` where the key is to be given.
    places: Vec<Option<usize>>,
    seen: HashSet<String>,
    highest: i64,
}

impl NewKeys {
    fn new(key: &[usize], fields: &[usize]) -> Self {
        let places = key.iter().map(|key| fields.iter().position(|field| field == key)).collect();
        Self { places, seen: HashSet::new(), highest: 0 }
    }

    /// Notes a row of the file.
    fn note(&mut self, key: &[Value]) {
        if let [Value::Int(number)] = key {
            self.highest = self.highest.max(*number);
        }
        self.seen.insert(identity(key));
    }

    /// The key of a new row; `None` when there is one with this key already.
    fn take(&mut self, values: &[Value]) -> Option<Vec<Value>> {
        let mut key = Vec::with_capacity(self.places.len());
        for place in &self.places {
            key.push(match place.map(|at| values[at].clone()) {
                Some(value) if value != Value::Null => value,
                _ => {
                    self.highest += 1;
                    Value::Int(self.highest)
                }
            });
        }
        if key.is_empty() {
            return Some(key);
        }
        if let [Value::Int(number)] = key.as_slice() {
            self.highest = self.highest.max(*number);
        }
        self.seen.insert(identity(&key)).then_some(key)
    }
}
