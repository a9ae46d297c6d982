//! Tables and views of PostgreSQL: `[source.crm] url = "postgres://..."`, `entity contacts from crm.contacts`.
//!
//! Structure is held against the declaration when the table is opened. Rows come as a stream, of which a few batches are
//! in memory; columns, conditions and limits that mean the same there are left to the server. All readings of one query
//! see the database at the same instant.

mod address;
pub(crate) mod catalog;
mod filter;
mod fit;
mod link;
mod provider;
mod reading;
mod row;
mod write;

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use jiff::tz::TimeZone;

pub(crate) use address::Address;
pub(crate) use catalog::TableColumn;
pub(crate) use link::{Failed, Link, Server, Servers};
pub(crate) use write::{sql_type, text_of};

use super::Opened;
use super::bound::{BoundTable, quoted};
use super::cell::MAX_SCALE;
use super::columns::{self, Column, MIN_SCALE};
use super::error::{Mismatch, SourceError};
use super::import::{LINE, Rejects, rejects_table};
use super::thread::wait;
use crate::hir::{Entity, Program, Ty, TyKind};
use fit::{Asked, fit};
use provider::PostgresTable;
use row::Decoder;

/// Opens the table of an entity.
pub(super) fn open(
    entity: &Entity,
    program: &Program,
    bound: &BoundTable<'_>,
    server: &Arc<Server>,
    cache: &Path,
    zone: &TimeZone,
) -> Result<Opened, SourceError> {
    let columns = columns::of_entity(entity, program)?;
    let (link, found) = table_columns(bound, server)?;
    let asked = fitted(&columns, &found, bound)?;
    let scales = scales(&columns, &asked, bound, link)?;
    let mut fields: Vec<Field> = columns.iter().zip(&scales).map(|(column, scale)| column.arrow(*scale)).collect();
    if entity.key.is_empty() && entity.field(LINE).is_none() {
        fields.push(Field::new(LINE, DataType::Int64, false));
    }
    let decoder = Decoder {
        shown: bound.shown(),
        columns: columns.into(),
        asked: asked.into(),
        scales: scales.into(),
        key: entity.key.iter().map(|field| field.0 as usize).collect(),
        zone: zone.clone(),
    };
    let table = PostgresTable {
        server: Arc::clone(server),
        sql: bound.sql(),
        schema: Arc::new(Schema::new(fields)),
        decoder: Arc::new(decoder),
    };
    Ok(Opened {
        table: Arc::new(table),
        rows: 0,
        rejected_table: rejects_table(&Rejects::default(), cache)?,
        rejected: 0,
        files: Vec::new(),
        archived: Vec::new(),
    })
}

/// The columns of a table, and the connection that told them.
pub(crate) fn table_columns(
    bound: &BoundTable<'_>,
    server: &Arc<Server>,
) -> Result<(Link, Vec<TableColumn>), SourceError> {
    let (server, sql, shown) = (Arc::clone(server), bound.sql(), bound.shown());
    let failed = move |error: Failed| SourceError::Unreadable { shown: shown.clone(), reason: error.words() };
    let looked = wait(&bound.shown(), async move {
        let link = server.connect().await.map_err(&failed)?;
        match catalog::table(&link.client, &sql).await.map_err(&failed)? {
            Some(table) => Ok((link.columns(table).await.map_err(&failed)?, None)),
            None => Ok(((link, Vec::new()), Some(known(&server).await.map_err(&failed)?))),
        }
    })?;
    match looked {
        (found, None) => Ok(found),
        (_, Some(known)) => Err(bound.missing(&known)),
    }
}

/// The tables that there are.
async fn known(server: &Server) -> Result<Vec<String>, Failed> {
    let link = server.connect().await?;
    let tables = catalog::tables(&link.client).await?;
    Ok(tables.into_iter().map(|table| table.join(".")).collect())
}

impl Link {
    async fn columns(self, table: u32) -> Result<(Self, Vec<TableColumn>), Failed> {
        let columns = catalog::columns(&self.client, table).await?;
        Ok((self, columns))
    }
}

/// For each declared column how it is asked for. Everything wrong is reported at once.
fn fitted(columns: &[Column], found: &[TableColumn], bound: &BoundTable<'_>) -> Result<Vec<Asked>, SourceError> {
    let (mut missing, mut unfit, mut asked) = (Vec::new(), Vec::new(), Vec::new());
    for column in columns {
        match found.iter().find(|known| known.name == column.name).map(|known| fit(column, known)) {
            Some(Ok(one)) => asked.push(one),
            Some(Err(error)) => unfit.push(error),
            None => missing.push(column),
        }
    }
    if missing.is_empty() && unfit.is_empty() {
        return Ok(asked);
    }
    let names = found.iter().map(|known| known.name.clone()).collect();
    let lacking = bound.lacking(&missing, names);
    let alike = || Mismatch { shown: bound.shown(), holder: "table", ..Mismatch::default() };
    Err(SourceError::Columns(Box::new(Mismatch { unfit, ..lacking.unwrap_or_else(alike) })))
}

/// Decimals of each column: those of its type, or as many as its values have.
fn scales(columns: &[Column], asked: &[Asked], bound: &BoundTable<'_>, link: Link) -> Result<Vec<u8>, SourceError> {
    let mut scales = vec![MIN_SCALE; columns.len()];
    let mut open = Vec::new();
    for (at, (column, asked)) in columns.iter().zip(asked).enumerate() {
        if !column.kind.is_decimal() {
            continue;
        }
        match asked.from.digits {
            Some((_, decimals)) => scales[at] = (decimals.max(0) as u8).clamp(MIN_SCALE, MAX_SCALE),
            None if asked.from.ty == "numeric" => open.push(at),
            None => {}
        }
    }
    if open.is_empty() {
        return Ok(scales);
    }
    let most = open.iter().map(|at| format!("max(min_scale({}))", quoted(&columns[*at].name)));
    let sql = format!("SELECT {} FROM {}", most.collect::<Vec<_>>().join(", "), bound.sql());
    let shown = bound.shown();
    let found: Vec<Option<i32>> = wait(&bound.shown(), async move {
        let failed = |error: tokio_postgres::Error| SourceError::Unreadable {
            shown: shown.clone(),
            reason: Failed::from(error).words(),
        };
        let row = link.client.query_one(&sql, &[]).await.map_err(failed)?;
        (0..row.len()).map(|at| row.try_get(at).map_err(failed)).collect()
    })?;
    for (at, decimals) in open.into_iter().zip(found) {
        scales[at] = (decimals.unwrap_or(0).max(0) as u8).clamp(MIN_SCALE, MAX_SCALE);
    }
    Ok(scales)
}

/// The columns of a table whose entity is declared without a block. What the language has no type for is left out.
pub(super) fn columns(bound: &BoundTable<'_>, server: &Arc<Server>) -> Result<Vec<(String, Ty)>, SourceError> {
    let (_, found) = table_columns(bound, server)?;
    let typed = found.iter().filter_map(|column| {
        // The values of an enumeration are not part of what a run is pinned to.
        let kind = match fit::ty(column)? {
            TyKind::Enumeration(_) => TyKind::Text,
            kind => super::infer::by_name(&column.name, kind),
        };
        Some((column.name.clone(), Ty { kind, nullable: !column.not_null }))
    });
    Ok(typed.collect())
}

/// What a type of a table is in the language, if it is anything.
pub(crate) fn ty(column: &TableColumn) -> Option<TyKind> {
    fit::ty(column)
}
