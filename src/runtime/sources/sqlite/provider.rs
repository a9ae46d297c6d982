//! A table of SQLite as the query engine sees it: it reads only the columns and rows that are wanted.

use std::pin::Pin;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use rusqlite::types::{Value, ValueRef};

use super::{connect, text};
use crate::plan::query::QueryError;
use crate::runtime::sources::bound::quoted;
use crate::runtime::sources::cell::{Bad, Cell, Reading, parse};
use crate::runtime::sources::columns::{Column, Kind};
use crate::runtime::sources::error::SourceError;
use crate::runtime::sources::import::{Builder, LINE, shortened};

/// Rows of a batch.
const BATCH: usize = 8192;

/// A table.
#[derive(Debug)]
pub(super) struct SqliteTable {
    pub path: std::path::PathBuf,
    /// The table's name in SQL.
    pub sql: String,
    pub shown: String,
    pub schema: SchemaRef,
    pub columns: Arc<[Column]>,
    pub scales: Arc<[u8]>,
    /// Declared types of the columns, in upper case.
    pub types: Vec<String>,
    pub reading: Arc<Reading>,
}

type Planning<'a> = Pin<Box<dyn Future<Output = Result<Arc<dyn ExecutionPlan>>> + Send + 'a>>;

impl TableProvider for SqliteTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match self.condition(filter) {
            Some(_) => TableProviderFilterPushDown::Inexact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(support).collect())
    }

    fn scan<'life0, 'life1, 'life2, 'life3, 'async_trait>(
        &'life0 self,
        _state: &'life1 dyn Session,
        projection: Option<&'life2 Vec<usize>>,
        filters: &'life3 [Expr],
        limit: Option<usize>,
    ) -> Planning<'async_trait>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        'life2: 'async_trait,
        'life3: 'async_trait,
        Self: 'async_trait,
    {
        let planned = self.plan(projection, filters, limit);
        Box::pin(std::future::ready(planned))
    }
}

impl SqliteTable {
    fn plan(
        &self,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let wanted = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let schema = Arc::new(self.schema.project(&wanted)?);
        let (sql, parameters) = self.statement(&wanted, filters, limit);
        let scan = Scan {
            path: self.path.clone(),
            shown: self.shown.clone(),
            sql,
            parameters,
            schema: schema.clone(),
            wanted,
            columns: self.columns.clone(),
            scales: self.scales.clone(),
            reading: self.reading.clone(),
        };
        Ok(Arc::new(StreamingTableExec::try_new(schema, vec![Arc::new(scan)], None, [], false, limit)?))
    }

    /// What is asked of SQLite.
    fn statement(&self, wanted: &[usize], filters: &[Expr], limit: Option<usize>) -> (String, Vec<Value>) {
        let names = wanted.iter().map(|at| match self.columns.get(*at) {
            Some(column) => quoted(&column.name),
            // The line of an entity without a key.
            None => "rowid".to_owned(),
        });
        let names = names.collect::<Vec<_>>().join(", ");
        let names = if names.is_empty() { "1".to_owned() } else { names };
        let (conditions, parameters): (Vec<String>, Vec<Value>) =
            filters.iter().filter_map(|filter| self.condition(filter)).unzip();
        let mut sql = format!("SELECT {names} FROM {}", self.sql);
        if !conditions.is_empty() {
            sql += &format!(" WHERE {}", conditions.join(" AND "));
        }
        if let Some(limit) = limit {
            sql += &format!(" LIMIT {limit}");
        }
        (sql, parameters)
    }

    /// A condition that SQLite tests as we would, with its parameter: whole numbers and equal texts, in columns that are
    /// declared to hold them.
    fn condition(&self, filter: &Expr) -> Option<(String, Value)> {
        let Expr::BinaryExpr(BinaryExpr { left, op, right }) = filter else { return None };
        let (Expr::Column(column), Expr::Literal(value, _)) = (left.as_ref(), right.as_ref()) else { return None };
        let at = self.columns.iter().position(|known| known.name == column.name)?;
        // A default stands for null, which SQLite does not know.
        if self.columns[at].default.is_some() {
            return None;
        }
        let whole = self.columns[at].kind == Kind::Int && self.types[at].contains("INT");
        let is_text = self.columns[at].kind == Kind::Text
            && ["CHAR", "TEXT", "CLOB"].iter().any(|word| self.types[at].contains(word));
        let (sign, parameter) = match (op, value) {
            (Operator::Eq, ScalarValue::Int64(Some(number))) if whole => ("=", Value::Integer(*number)),
            (Operator::Lt, ScalarValue::Int64(Some(number))) if whole => ("<", Value::Integer(*number)),
            (Operator::LtEq, ScalarValue::Int64(Some(number))) if whole => ("<=", Value::Integer(*number)),
            (Operator::Gt, ScalarValue::Int64(Some(number))) if whole => (">", Value::Integer(*number)),
            (Operator::GtEq, ScalarValue::Int64(Some(number))) if whole => (">=", Value::Integer(*number)),
            (Operator::Eq, ScalarValue::Utf8(Some(text))) if is_text => ("=", Value::Text(text.clone())),
            _ => return None,
        };
        Some((format!("{} {sign} ?", quoted(&column.name)), parameter))
    }
}

/// One reading of the table.
#[derive(Clone, Debug)]
struct Scan {
    path: std::path::PathBuf,
    shown: String,
    sql: String,
    parameters: Vec<Value>,
    schema: SchemaRef,
    wanted: Vec<usize>,
    columns: Arc<[Column]>,
    scales: Arc<[u8]>,
    reading: Arc<Reading>,
}

impl PartitionStream for Scan {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut builder = RecordBatchReceiverStreamBuilder::new(self.schema.clone(), 2);
        let (scan, rows) = (self.clone(), builder.tx());
        builder.spawn_blocking(move || {
            let mut send = |batch| rows.blocking_send(Ok(batch)).is_ok();
            scan.read(&mut send)
        });
        builder.build()
    }
}

impl Scan {
    /// Reads batch by batch until nobody wants more.
    fn read(&self, send: &mut dyn FnMut(RecordBatch) -> bool) -> Result<()> {
        let failed = |error: rusqlite::Error| {
            self.problem(SourceError::Unreadable { shown: self.shown.clone(), reason: error.to_string() })
        };
        let db = connect(&self.path, false, &self.shown).map_err(|error| self.problem(error))?;
        let mut statement = db.prepare(&self.sql).map_err(failed)?;
        let mut rows = statement.query(rusqlite::params_from_iter(&self.parameters)).map_err(failed)?;
        let mut builders = self.builders()?;
        let (mut count, mut line) = (0, 0);
        while let Some(row) = rows.next().map_err(failed)? {
            (count, line) = (count + 1, line + 1);
            for (place, at) in self.wanted.iter().enumerate() {
                let value = row.get_ref(place).map_err(failed)?;
                self.append(&mut builders[place], *at, value, line)?;
            }
            if count == BATCH {
                if !send(self.batch(&mut builders, count)?) {
                    return Ok(());
                }
                count = 0;
            }
        }
        if count > 0 {
            send(self.batch(&mut builders, count)?);
        }
        Ok(())
    }

    fn builders(&self) -> Result<Vec<Builder>> {
        let builder = |at: &usize| match self.columns.get(*at) {
            Some(column) => Builder::new(column, self.scales[*at]).map_err(DataFusionError::from),
            None => Ok(Builder::int()),
        };
        self.wanted.iter().map(builder).collect()
    }

    fn batch(&self, builders: &mut [Builder], rows: usize) -> Result<RecordBatch> {
        let columns: Vec<ArrayRef> = builders.iter_mut().map(Builder::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?)
    }

    /// Types one value.
    fn append(&self, builder: &mut Builder, at: usize, value: ValueRef<'_>, line: u64) -> Result<()> {
        let Some(column) = self.columns.get(at) else {
            let ValueRef::Integer(number) = value else {
                let what = format!("`{}`, whose rows have no number,", self.shown);
                let help = "declare which field is its key: `id: int key`".to_owned();
                return Err(self.problem(SourceError::Unsupported { what, help }));
            };
            builder.append(Cell::Int(number), LINE);
            return Ok(());
        };
        let bad = |value: String, reason: String| {
            self.problem(SourceError::Cell {
                shown: self.shown.clone(),
                line,
                column: Some(column.name.clone()),
                value: shortened(&value),
                reason,
                field: Some(column.span),
                text: false,
            })
        };
        let (cell, written) = match (value, &column.kind) {
            (ValueRef::Null, _) => (Cell::Null, String::new()),
            (ValueRef::Integer(seconds), Kind::Timestamp) => {
                (Cell::Timestamp(seconds.saturating_mul(1_000_000)), String::new())
            }
            _ => {
                let written = text(value).ok_or_else(|| bad(String::new(), "is no text".to_owned()))?;
                let cell = parse(&written, &column.kind, self.scales[at], &self.reading).map_err(|error| {
                    let reason = match error {
                        Bad::Reason(reason) => reason,
                        Bad::Scale(_) => "has more decimals than it had before; run again".to_owned(),
                    };
                    bad(written.clone(), reason)
                })?;
                (cell, written)
            }
        };
        let cell = match cell {
            Cell::Null if column.default.is_some() => Cell::Default,
            Cell::Null if !column.nullable => {
                return Err(bad(String::new(), "is null; declare it with `?`".to_owned()));
            }
            cell => cell,
        };
        builder.append(cell, &written);
        Ok(())
    }

    fn problem(&self, error: SourceError) -> DataFusionError {
        let place =
            self.columns.first().map_or(crate::base::Span::new(crate::base::SourceId(0), 0, 0), |column| column.span);
        DataFusionError::External(Box::new(QueryError::Problem(Box::new(error.problem(place)))))
    }
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{ident, lit};

    use super::*;
    use crate::base::{SourceId, Span};
    use crate::runtime::sources::options::NumberFormat;

    fn table() -> SqliteTable {
        let column = |name: &str, kind: Kind| Column {
            name: name.into(),
            kind,
            nullable: true,
            default: None,
            span: Span::new(SourceId(0), 0, 0),
        };
        let columns = vec![column("id", Kind::Int), column("mail", Kind::Text), column("spend", Kind::Decimal)];
        let fields: Vec<_> = columns.iter().map(|column| column.arrow(2)).collect();
        SqliteTable {
            path: "crm.db".into(),
            sql: quoted("people"),
            shown: "crm.people".into(),
            schema: Arc::new(datafusion::arrow::datatypes::Schema::new(fields)),
            columns: columns.into(),
            scales: vec![0, 0, 2].into(),
            types: vec!["INTEGER".into(), "TEXT".into(), "NUMERIC".into()],
            reading: Arc::new(Reading {
                zone: jiff::tz::TimeZone::UTC,
                date_format: None,
                numbers: NumberFormat::PLAIN,
            }),
        }
    }

    #[test]
    fn only_what_is_wanted_is_asked_for() {
        let table = table();
        let filters = [ident("id").gt_eq(lit(2i64)), ident("mail").eq(lit("a")), ident("spend").gt(lit(1i64))];
        let support = table.supports_filters_pushdown(&filters.iter().collect::<Vec<_>>()).unwrap();
        use TableProviderFilterPushDown::{Inexact, Unsupported};
        assert_eq!(support, [Inexact, Inexact, Unsupported]);
        let (sql, parameters) = table.statement(&[1, 0], &filters[..2], None);
        assert_eq!(sql, "SELECT \"mail\", \"id\" FROM \"people\" WHERE \"id\" >= ? AND \"mail\" = ?");
        assert_eq!(parameters, [Value::Integer(2), Value::Text("a".into())]);
        let (sql, _) = table.statement(&[], &[], Some(5));
        assert_eq!(sql, "SELECT 1 FROM \"people\" LIMIT 5");
    }
}
