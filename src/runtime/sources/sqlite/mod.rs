//! Tables of SQLite databases: `[source.crm] url = "sqlite:crm.db"`, `entity contacts from crm.contacts`.
//!
//! Structure is looked at when the table is opened; values are typed as they are read, by the rules for text cells.
//! Whole numbers are truth values (0 and 1) and instants (seconds since 1970) where those are declared.

mod habit;
mod provider;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use jiff::tz::TimeZone;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::Opened;
use super::cell::{Bad, Reading, parse};
use super::columns::{self, Column, MIN_SCALE};
use super::error::{Mismatch, MissingColumn, SourceError};
use super::import::{LINE, Rejects, rejects_table};
use super::options::NumberFormat;
use crate::base::did_you_mean;
use crate::diag::Problem;
use crate::hir::{Entity, Program};
use crate::runtime::bindings::SourceBinding;
pub(crate) use habit::{ColumnHabit, column_habits};
use provider::SqliteTable;

/// A table of a bound source, as the manifest and the declaration name it.
pub(crate) struct BoundTable<'b> {
    /// The source's name.
    pub source: &'b str,
    /// The table's name.
    pub table: &'b [String],
    /// What the manifest says; nothing when it does not know the source.
    pub binding: Option<&'b SourceBinding>,
    /// The folder to which the manifest's paths are relative.
    pub project: &'b Path,
}

impl BoundTable<'_> {
    /// `crm.contacts`
    pub fn shown(&self) -> String {
        format!("{}.{}", self.source, self.table.join("."))
    }

    /// The database's file.
    ///
    /// # Errors
    /// A source that is not bound, or not to SQLite.
    pub fn file(&self) -> Result<PathBuf, SourceError> {
        let Some(binding) = self.binding else {
            return Err(SourceError::Option {
                message: format!("`{}` is not bound to anything", self.source),
                help: format!("add `[source.{}]` with `url = \"sqlite:FILE\"` to orch.toml", self.source),
            });
        };
        let url = binding.url.as_ref().map_err(|problem| SourceError::Problem(problem.clone()))?.expose();
        match url.strip_prefix("sqlite:") {
            Some(path) => Ok(self.project.join(path.strip_prefix("//").unwrap_or(path))),
            None => {
                let kind = url.split_once(':').map_or("another kind", |(scheme, _)| scheme);
                Err(SourceError::Unsupported {
                    what: format!("`{}`, a source of the kind `{kind}`,", self.source),
                    help: "bind it to a file of SQLite, `sqlite:crm.db`, or export its tables to files".to_owned(),
                })
            }
        }
    }

    /// Looks whether the manifest allows to change the table, whose entity has this name.
    pub fn check_writable(&self, entity: &str) -> Result<(), SourceError> {
        if self.binding.is_some_and(|binding| binding.writable) {
            return Ok(());
        }
        let what = format!("belongs to the source `{}`", self.source);
        Err(SourceError::ReadOnly { entity: entity.to_owned(), what })
    }

    /// The table as SQL names it.
    pub fn sql(&self) -> String {
        self.table.iter().map(|part| quoted(part)).collect::<Vec<_>>().join(".")
    }
}

/// A name as SQL writes it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A connection that cannot write, or one that can.
pub(crate) fn connect(path: &Path, writable: bool, shown: &str) -> Result<Connection, SourceError> {
    if !path.is_file() {
        return Err(SourceError::Unreadable {
            shown: shown.to_owned(),
            reason: format!("there is no database `{}`", path.display()),
        });
    }
    let access = if writable { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
    let connected = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .and_then(|db| db.busy_timeout(std::time::Duration::from_secs(10)).map(|()| db));
    connected.map_err(|error| unreadable(shown, &error))
}

fn unreadable(shown: &str, error: &rusqlite::Error) -> SourceError {
    SourceError::Unreadable { shown: shown.to_owned(), reason: error.to_string() }
}

/// Opens the table of an entity.
pub(crate) fn open(
    entity: &Entity,
    program: &Program,
    bound: &BoundTable<'_>,
    cache: &Path,
    zone: &TimeZone,
) -> Result<Opened, Problem> {
    let place = entity.source.as_ref().map_or(entity.span, |source| source.span);
    opened(entity, program, bound, cache, zone).map_err(|error| error.problem(place))
}

fn opened(
    entity: &Entity,
    program: &Program,
    bound: &BoundTable<'_>,
    cache: &Path,
    zone: &TimeZone,
) -> Result<Opened, SourceError> {
    let shown = bound.shown();
    let path = bound.file()?;
    let db = connect(&path, false, &shown)?;
    let columns = columns::of_entity(entity, program)?;
    let declared = declared_types(&db, bound)?;
    let missing = columns.iter().filter(|column| !declared.iter().any(|(name, _)| *name == column.name));
    let missing: Vec<MissingColumn> = missing
        .map(|column| {
            let nearest = did_you_mean(&column.name, declared.iter().map(|(name, _)| name.as_str()));
            MissingColumn { name: column.name.clone(), nearest: nearest.map(str::to_owned), span: column.span }
        })
        .collect();
    if !missing.is_empty() {
        let found = declared.into_iter().map(|(name, _)| name).collect();
        return Err(SourceError::Columns(Box::new(Mismatch { shown, found, missing, ..Mismatch::default() })));
    }
    let failed = |error: rusqlite::Error| unreadable(&shown, &error);
    let count = format!("SELECT count(*) FROM {}", bound.sql());
    let rows: i64 = db.query_row(&count, [], |row| row.get(0)).map_err(failed)?;
    let reading = Reading { zone: zone.clone(), date_format: None, numbers: NumberFormat::PLAIN };
    let scales = columns.iter().map(|column| scale(&db, bound, column, &reading));
    let scales = scales.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let mut fields: Vec<Field> = columns.iter().zip(&scales).map(|(column, scale)| column.arrow(*scale)).collect();
    if entity.key.is_empty() && entity.field(LINE).is_none() {
        fields.push(Field::new(LINE, DataType::Int64, false));
    }
    let types = columns.iter().map(|column| {
        let found = declared.iter().find(|(name, _)| *name == column.name);
        found.map_or(String::new(), |(_, ty)| ty.to_ascii_uppercase())
    });
    let table = SqliteTable {
        types: types.collect(),
        path,
        sql: bound.sql(),
        shown,
        schema: Arc::new(Schema::new(fields)),
        columns: columns.into(),
        scales: scales.into(),
        reading: Arc::new(reading),
    };
    Ok(Opened {
        table: Arc::new(table),
        rows: rows.unsigned_abs(),
        rejected_table: rejects_table(&Rejects::default(), cache)?,
        rejected: 0,
        files: Vec::new(),
    })
}

/// Names of the table's columns and the types it declares for them.
pub(crate) fn declared_types(db: &Connection, bound: &BoundTable<'_>) -> Result<Vec<(String, String)>, SourceError> {
    let shown = bound.shown();
    let failed = |error: rusqlite::Error| unreadable(&shown, &error);
    let (name, schema) = match bound.table {
        [name] => (name, "main"),
        [schema, name] => (name, schema.as_str()),
        _ => return Err(SourceError::Missing { shown, nearest: None, folder: bound.source.to_owned() }),
    };
    let mut columns = db
        .prepare("SELECT name, type FROM pragma_table_info(?1, ?2)")
        .map_err(failed)?
        .query_map([name.as_str(), schema], |row| Ok((row.get(0)?, row.get(1)?)))
        .and_then(Iterator::collect::<Result<Vec<(String, String)>, _>>)
        .map_err(failed)?;
    if columns.is_empty() {
        let tables = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite%'";
        let known = db
            .prepare(tables)
            .and_then(|mut found| found.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>())
            .map_err(failed)?;
        let nearest = did_you_mean(name, known.iter().map(String::as_str));
        let nearest = nearest.map(|near| format!("{}.{near}", bound.source));
        return Err(SourceError::Missing { shown, nearest, folder: bound.source.to_owned() });
    }
    columns.shrink_to_fit();
    Ok(columns)
}

/// As many decimals as the column's values have, as far as they are numbers.
fn scale(db: &Connection, bound: &BoundTable<'_>, column: &Column, reading: &Reading) -> rusqlite::Result<u8> {
    if !column.kind.is_decimal() {
        return Ok(0);
    }
    let sql = format!("SELECT DISTINCT {} FROM {}", quoted(&column.name), bound.sql());
    let mut statement = db.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut scale = MIN_SCALE;
    while let Some(row) = rows.next()? {
        let Some(text) = text(row.get_ref(0)?) else { continue };
        if let Err(Bad::Scale(wider)) = parse(&text, &column.kind, scale, reading) {
            scale = scale.max(wider);
        }
    }
    Ok(scale)
}

/// A value as a cell of text; `None` for null and for bytes that are no text.
fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => std::str::from_utf8(bytes).ok().map(str::to_owned),
    }
}
