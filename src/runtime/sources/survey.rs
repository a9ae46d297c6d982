//! What the tables of a database hold, for declarations.

use std::path::Path;
use std::sync::Arc;

use futures::{StreamExt, pin_mut};

use super::bound::{BoundTable, Database, quoted};
use super::error::SourceError;
use super::infer::{self, Found, Keys, Sample};
use super::postgres::{Failed, Link, Server, Servers, TableColumn, catalog, ty};
use super::sqlite;
use super::thread::wait;
use crate::hir::TyKind;
use crate::runtime::bindings::SourceBinding;

/// Rows that are looked at.
const MOST_ROWS: u64 = 200_000;

/// Looks at all tables of a source, or at one. `source` is its name in declarations.
pub(super) fn survey(
    source: &str,
    table: Option<&[String]>,
    binding: &SourceBinding,
    project: &Path,
) -> Result<Vec<Found>, SourceError> {
    let servers = Servers::default();
    let bound = |table| BoundTable { source, table, binding: Some(binding), project, servers: &servers };
    match (bound(&[]).database()?, table) {
        (Database::Sqlite(file), table) => {
            let db = sqlite::connect(&file, false, source)?;
            let all = || sqlite::tables(&db).map_err(|error| sqlite::unreadable(source, &error));
            let tables = table.map_or_else(
                || Ok(all()?.into_iter().map(|name| vec![name]).collect()),
                |one| Ok(vec![one.to_vec()]),
            )?;
            tables.iter().map(|table| sqlite_table(&db, &bound(table))).collect()
        }
        (Database::Postgres(server), table) => {
            let tables = match table {
                Some(table) => vec![table.to_vec()],
                None => all_tables(source, &server)?,
            };
            tables.iter().map(|table| postgres_table(&bound(table), &server)).collect()
        }
    }
}

fn sqlite_table(db: &rusqlite::Connection, bound: &BoundTable<'_>) -> Result<Found, SourceError> {
    let mut sample = sqlite::sample(db, bound, MOST_ROWS)?;
    for profile in &mut sample.columns {
        // A column that may be null is one, unless all rows were seen.
        if sqlite::is_never_null(db, bound, &profile.name)? {
            profile.may_be_null(false);
        } else if !sample.whole {
            profile.may_be_null(true);
        }
    }
    let (primary, foreign) = sqlite::keys(db, bound)?;
    let foreign =
        foreign.into_iter().map(|(column, table, key)| (column, infer::written(bound.source, &[table]), key)).collect();
    Ok(infer::table(bound, sample, Keys { primary, foreign }))
}

fn all_tables(source: &str, server: &Arc<Server>) -> Result<Vec<Vec<String>>, SourceError> {
    let (server, shown) = (Arc::clone(server), source.to_owned());
    wait(source, async move {
        let failed = |error: Failed| SourceError::Unreadable { shown: shown.clone(), reason: error.words() };
        let link = server.connect().await.map_err(failed)?;
        catalog::tables(&link.client).await.map_err(failed)
    })
}

fn postgres_table(bound: &BoundTable<'_>, server: &Arc<Server>) -> Result<Found, SourceError> {
    let (link, columns) = super::postgres::table_columns(bound, server)?;
    // What the language has no type for cannot be declared.
    let columns: Vec<(TableColumn, TyKind)> =
        columns.into_iter().filter_map(|column| Some((column.clone(), ty(&column)?))).collect();
    let typed = columns.iter().map(|(column, kind)| (column.name.clone(), Some(kind.clone()))).collect();
    let asked = columns.iter().map(|(column, kind)| asked(column, kind)).collect::<Vec<_>>().join(", ");
    let asked = if asked.is_empty() { "NULL".to_owned() } else { asked };
    let query = format!("SELECT {asked} FROM {} LIMIT {}", bound.sql(), MOST_ROWS + 1);
    let mut primary: Vec<(i16, String)> =
        columns.iter().filter_map(|(column, _)| Some((column.key?, column.name.clone()))).collect();
    primary.sort();
    let (sql, source, shown) = (bound.sql(), bound.source.to_owned(), bound.shown());
    let (mut sample, foreign) = wait(&bound.shown(), async move {
        let looked = look(&link, &sql, &query, infer::of_table(typed), &source).await;
        looked.map_err(|error| SourceError::Unreadable { shown, reason: error.words() })
    })?;
    for (profile, (column, _)) in sample.columns.iter_mut().zip(&columns) {
        profile.may_be_null(!column.not_null);
    }
    let primary = primary.into_iter().map(|(_, name)| name).collect();
    Ok(infer::table(bound, sample, Keys { primary, foreign }))
}

/// A column as a text that is worth looking at; of what is neither a key nor read by people only whether there is a value.
fn asked(column: &TableColumn, kind: &TyKind) -> String {
    let name = quoted(&column.name);
    match kind {
        TyKind::Int | TyKind::Text => format!("left({name}::text, 300)"),
        _ => format!("CASE WHEN {name} IS NOT NULL THEN '1' END"),
    }
}

/// Columns that point to others: column, table as it is written, its column.
type Foreign = Vec<(String, String, String)>;

async fn look(
    link: &Link,
    sql: &str,
    query: &str,
    mut sample: Sample,
    source: &str,
) -> Result<(Sample, Foreign), Failed> {
    let mut foreign = Vec::new();
    if let Some(table) = catalog::table(&link.client, sql).await? {
        for key in catalog::foreign_keys(&link.client, table).await? {
            foreign.push((key.column, infer::written(source, &key.table), key.key));
        }
    }
    let rows = link.client.query_raw(query, Vec::<i32>::new()).await?;
    pin_mut!(rows);
    while let Some(row) = rows.next().await {
        let row = row?;
        if sample.rows == MOST_ROWS {
            sample.whole = false;
            break;
        }
        let mut values = Vec::with_capacity(sample.columns.len());
        for at in 0..sample.columns.len() {
            values.push(row.try_get::<_, Option<&str>>(at)?.map(Into::into));
        }
        sample.row(values.into_iter());
    }
    Ok((sample, foreign))
}
