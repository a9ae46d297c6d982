//! What a database says of its tables.

use tokio_postgres::Client;

use super::link::Failed;
use super::write::Memory;

/// A column of a table.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct TableColumn {
    pub name: String,
    /// The name of its type, or of the type beneath a domain: `int4`, `numeric`, `text`.
    pub ty: String,
    /// What kind of type it is, as the catalogue has it: `N` numbers, `S` texts, `A` lists and so on.
    pub category: char,
    /// The type as SQL writes it, without a length.
    pub sql: String,
    /// Digits and decimals, of a `numeric` that has a limit.
    pub digits: Option<(i32, i32)>,
    pub not_null: bool,
    /// The values of an enumeration.
    pub labels: Vec<String>,
    /// Are two texts equal only when all their bytes are?
    pub exact: bool,
    /// Does the order of texts by their bytes there mean what it means here?
    pub bytewise: bool,
    /// Its place in the primary key, from 1.
    pub key: Option<i16>,
}

const COLUMNS: &str = "
WITH RECURSIVE columns(place, name, oid, typmod, not_null, coll) AS (
    SELECT attnum, attname::text, atttypid, atttypmod, attnotnull, attcollation
    FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
  UNION ALL
    SELECT place, name, typbasetype, CASE WHEN typtypmod >= 0 THEN typtypmod ELSE typmod END,
           not_null OR typnotnull, coll
    FROM columns JOIN pg_type t ON t.oid = columns.oid WHERE typtype = 'd'
)
SELECT c.name, t.typname::text, t.typcategory::text, format_type(c.oid, NULL),
       CASE WHEN t.typname = 'numeric' THEN c.typmod ELSE -1 END, c.not_null,
       ARRAY(SELECT enumlabel::text FROM pg_enum WHERE enumtypid = c.oid ORDER BY enumsortorder),
       coalesce((to_jsonb(l) ->> 'collisdeterministic')::boolean, true),
       (SELECT array_position(i.indkey::int2[], c.place)::int4 FROM pg_index i WHERE i.indrelid = $1 AND i.indisprimary),
       getdatabaseencoding() IN ('UTF8', 'LATIN1', 'SQL_ASCII')
FROM columns c JOIN pg_type t ON t.oid = c.oid LEFT JOIN pg_collation l ON l.oid = c.coll
WHERE t.typtype <> 'd' ORDER BY c.place";

/// Tables, views and what else holds rows.
const HOLDS_ROWS: &str = "c.relkind IN ('r', 'p', 'v', 'm', 'f')";

/// The number by which the database knows the table that SQL names so; `None` when there is none.
pub(crate) async fn table(client: &Client, sql: &str) -> Result<Option<u32>, Failed> {
    let query = format!("SELECT c.oid FROM pg_class c WHERE c.oid = to_regclass($1) AND {HOLDS_ROWS}");
    let row = client.query_opt(&query, &[&sql]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// The columns of a table, in their order.
pub(crate) async fn columns(client: &Client, table: u32) -> Result<Vec<TableColumn>, Failed> {
    let rows = client.query(COLUMNS, &[&table]).await?;
    let column = |row: &tokio_postgres::Row| -> Result<TableColumn, tokio_postgres::Error> {
        let category: String = row.try_get(2)?;
        let limit: i32 = row.try_get(4)?;
        // Decimals are eleven bits with a sign.
        let digits = |limit: i32| (((limit - 4) >> 16) & 0xFFFF, ((((limit - 4) & 0x7FF) ^ 0x400) - 0x400));
        Ok(TableColumn {
            name: row.try_get(0)?,
            ty: row.try_get(1)?,
            category: category.chars().next().unwrap_or('X'),
            sql: row.try_get(3)?,
            digits: (limit >= 4).then(|| digits(limit)),
            not_null: row.try_get(5)?,
            labels: row.try_get(6)?,
            exact: row.try_get(7)?,
            // Places in the index begin at 0.
            key: row.try_get::<_, Option<i32>>(8)?.map(|place| place as i16 + 1),
            bytewise: row.try_get(9)?,
        })
    };
    Ok(rows.iter().map(column).collect::<Result<_, _>>()?)
}

/// The names under which tables can be written: those on the search path alone, others behind their schema's name. Our
/// own memory and the server's catalogue are left out.
pub(crate) async fn tables(client: &Client) -> Result<Vec<Vec<String>>, Failed> {
    let query = format!(
        "SELECT n.nspname::text, c.relname::text, pg_table_is_visible(c.oid)
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE {HOLDS_ROWS} AND NOT c.relispartition AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND c.relname <> '_orch_writes' AND has_table_privilege(c.oid, 'SELECT')
         ORDER BY n.nspname <> 'public', n.nspname, c.relname"
    );
    let mut tables = Vec::new();
    for row in client.query(&query, &[]).await? {
        let (schema, name, visible): (String, String, bool) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        tables.push(if visible { vec![name] } else { vec![schema, name] });
    }
    Ok(tables)
}

/// A foreign key of one column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Foreign {
    pub column: String,
    /// The table that it points to, as it can be written.
    pub table: Vec<String>,
    pub key: String,
}

/// Foreign keys of one column.
pub(crate) async fn foreign_keys(client: &Client, table: u32) -> Result<Vec<Foreign>, Failed> {
    let query = "
        SELECT a.attname::text, n.nspname::text, t.relname::text, pg_table_is_visible(t.oid), f.attname::text
        FROM pg_constraint c
        JOIN pg_class t ON t.oid = c.confrelid
        JOIN pg_namespace n ON n.oid = t.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        JOIN pg_attribute f ON f.attrelid = c.confrelid AND f.attnum = c.confkey[1]
        WHERE c.conrelid = $1 AND c.contype = 'f' AND cardinality(c.conkey) = 1 ORDER BY a.attnum";
    let mut keys = Vec::new();
    for row in client.query(query, &[&table]).await? {
        let (schema, name, visible): (String, String, bool) = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        let table = if visible { vec![name] } else { vec![schema, name] };
        keys.push(Foreign { column: row.try_get(0)?, table, key: row.try_get(4)? });
    }
    Ok(keys)
}

/// The memory of what was written, beside the table that SQL names so.
pub(crate) async fn memory(client: &Client, sql: &str) -> Result<Memory, Failed> {
    let query = "
        SELECT quote_ident(n.nspname), to_regclass(quote_ident(n.nspname) || '._orch_writes') IS NOT NULL,
               (SELECT p.conname::text FROM pg_constraint p WHERE p.conrelid = c.oid AND p.contype = 'p')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)";
    let row = client.query_one(query, &[&sql]).await?;
    let schema: String = row.try_get(0)?;
    Ok(Memory::new(&schema, row.try_get(1)?, row.try_get(2)?))
}
