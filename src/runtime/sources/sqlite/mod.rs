//! Tables of SQLite databases: `[source.crm] url = "sqlite:crm.db"`, `entity contacts from crm.contacts`.
//!
//! Structure is looked at when the table is opened; values are typed as they are read, by the rules for text cells.
//! Whole numbers are truth values (0 and 1) and instants (seconds since 1970) where those are declared.

mod habit;
mod provider;

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use jiff::tz::TimeZone;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::Opened;
use super::bound::{BoundTable, quoted};
use super::cell::{Bad, Reading, parse};
use super::columns::{self, Column, MIN_SCALE};
use super::error::SourceError;
use super::import::{LINE, Rejects, rejects_table};
use super::infer::{self, Sample, by_name};
use super::options::NumberFormat;
use crate::hir::{Entity, Program, Ty, TyKind};
pub(crate) use habit::{ColumnHabit, column_habits};
use provider::SqliteTable;

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

pub(super) fn unreadable(shown: &str, error: &rusqlite::Error) -> SourceError {
    SourceError::Unreadable { shown: shown.to_owned(), reason: error.to_string() }
}

/// Opens the table of an entity.
pub(super) fn open(
    entity: &Entity,
    program: &Program,
    bound: &BoundTable<'_>,
    path: &Path,
    cache: &Path,
    zone: &TimeZone,
) -> Result<Opened, SourceError> {
    let shown = bound.shown();
    let db = connect(path, false, &shown)?;
    let columns = columns::of_entity(entity, program)?;
    let declared = declared_types(&db, bound)?;
    let missing: Vec<&Column> =
        columns.iter().filter(|column| !declared.iter().any(|(name, _)| *name == column.name)).collect();
    if let Some(mismatch) = bound.lacking(&missing, declared.iter().map(|(name, _)| name.clone()).collect()) {
        return Err(SourceError::Columns(Box::new(mismatch)));
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
        path: path.to_owned(),
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
        archived: Vec::new(),
    })
}

/// Rows that are looked at for the columns of an entity without a block.
const SOME_ROWS: u64 = 10_000;

/// The columns of a table whose entity is declared without a block: as the table declares them, and where it does not, or
/// its values say otherwise, as the first rows suggest.
pub(super) fn columns(bound: &BoundTable<'_>, path: &Path) -> Result<Vec<(String, Ty)>, SourceError> {
    let db = connect(path, false, &bound.shown())?;
    let declared = declared_types(&db, bound)?;
    let mut columns = Vec::new();
    for (profile, (name, ty)) in sample(&db, bound, SOME_ROWS)?.columns.iter().zip(&declared) {
        let seen = profile.ty();
        let kind = by_name(name, declared_kind(ty).filter(|kind| profile.may_be(kind)).unwrap_or(seen.kind));
        columns.push((name.clone(), Ty { kind, nullable: seen.nullable || !is_never_null(&db, bound, name)? }));
    }
    Ok(columns)
}

/// What the first `rows` rows hold.
pub(super) fn sample(db: &Connection, bound: &BoundTable<'_>, rows: u64) -> Result<Sample, SourceError> {
    let names = declared_types(db, bound)?.into_iter().map(|(name, _)| (name, None)).collect();
    let mut sample = infer::of_table(names);
    let failed = |error: rusqlite::Error| unreadable(&bound.shown(), &error);
    let mut statement = db.prepare(&format!("SELECT * FROM {} LIMIT {}", bound.sql(), rows + 1)).map_err(failed)?;
    let count = statement.column_count();
    let mut found = statement.query([]).map_err(failed)?;
    while let Some(row) = found.next().map_err(failed)? {
        if sample.rows == rows {
            sample.whole = false;
            break;
        }
        sample.row((0..count).map(|at| row.get_ref(at).ok().and_then(text).map(Cow::Owned)));
    }
    Ok(sample)
}

/// What a declared type is in the language, if it says so much.
fn declared_kind(ty: &str) -> Option<TyKind> {
    let known = [
        (&["BOOL"][..], TyKind::Bool),
        (&["INT"], TyKind::Int),
        (&["REAL", "FLOA", "DOUB"], TyKind::Float),
        (&["DEC", "NUMERIC", "MONEY"], TyKind::Decimal),
        (&["TIMESTAMP", "DATETIME"], TyKind::Timestamp),
        (&["DATE"], TyKind::Date),
        (&["JSON"], TyKind::Json),
    ];
    let ty = ty.to_ascii_uppercase();
    known.into_iter().find(|(words, _)| words.iter().any(|word| ty.contains(word))).map(|(_, kind)| kind)
}

/// Does the table forbid null in this column?
pub(super) fn is_never_null(db: &Connection, bound: &BoundTable<'_>, column: &str) -> Result<bool, SourceError> {
    let (schema, name) = place(bound)?;
    let sql = "SELECT \"notnull\" > 0 OR pk > 0 FROM pragma_table_info(?1, ?2) WHERE name = ?3";
    let found = db.query_row(sql, [name, schema, column], |row| row.get(0));
    found.map_err(|error| unreadable(&bound.shown(), &error))
}

/// Schema and name of the table.
fn place<'b>(bound: &BoundTable<'b>) -> Result<(&'b str, &'b str), SourceError> {
    match bound.table {
        [name] => Ok(("main", name)),
        [schema, name] => Ok((schema, name)),
        _ => Err(bound.missing(&[])),
    }
}

/// Names of the table's columns and the types it declares for them.
pub(crate) fn declared_types(db: &Connection, bound: &BoundTable<'_>) -> Result<Vec<(String, String)>, SourceError> {
    let shown = bound.shown();
    let failed = |error: rusqlite::Error| unreadable(&shown, &error);
    let (schema, name) = place(bound)?;
    let columns = db
        .prepare("SELECT name, type FROM pragma_table_info(?1, ?2)")
        .map_err(failed)?
        .query_map([name, schema], |row| Ok((row.get(0)?, row.get(1)?)))
        .and_then(Iterator::collect::<Result<Vec<(String, String)>, _>>)
        .map_err(failed)?;
    if columns.is_empty() {
        return Err(bound.missing(&tables(db).map_err(failed)?));
    }
    Ok(columns)
}

/// The names of tables and views, without those of the database itself and our own.
pub(super) fn tables(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite%'
        AND name <> '_orch_writes' ORDER BY name";
    db.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

/// Columns that point to others: column, table, its column.
type Foreign = Vec<(String, String, String)>;

/// The columns of the table's primary key, and its foreign keys of one column.
pub(super) fn keys(db: &Connection, bound: &BoundTable<'_>) -> Result<(Vec<String>, Foreign), SourceError> {
    let (schema, name) = place(bound)?;
    let failed = |error: rusqlite::Error| unreadable(&bound.shown(), &error);
    let primary = "SELECT name FROM pragma_table_info(?1, ?2) WHERE pk > 0 ORDER BY pk";
    let primary = db
        .prepare(primary)
        .and_then(|mut found| found.query_map([name, schema], |row| row.get(0))?.collect())
        .map_err(failed)?;
    // A key that names no column means the primary one.
    let foreign = "SELECT \"from\", \"table\", coalesce(\"to\", (SELECT p.name FROM pragma_table_info(f.\"table\") p WHERE p.pk = 1), '')
        FROM pragma_foreign_key_list(?1, ?2) f
        WHERE id IN (SELECT id FROM pragma_foreign_key_list(?1, ?2) GROUP BY id HAVING count(*) = 1)";
    let foreign = db
        .prepare(foreign)
        .and_then(|mut found| {
            found.query_map([name, schema], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
        })
        .map_err(failed)?;
    Ok((primary, foreign))
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
