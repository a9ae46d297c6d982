//! A table of PostgreSQL as the query engine sees it.

use std::pin::Pin;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::{StreamExt, pin_mut};
use tokio::sync::mpsc::Sender;
use tokio_postgres::types::ToSql;

use super::filter::{Known, Parameter, condition};
use super::link::{Failed, Server, Snapshot};
use super::row::Decoder;
use crate::base::{SourceId, Span};
use crate::plan::query::QueryError;
use crate::runtime::sources::bound::quoted;
use crate::runtime::sources::error::SourceError;
use crate::runtime::sources::import::Builder;

/// Rows of a batch, and bytes of values after which a batch ends.
const BATCH: usize = 8192;
const BYTES: usize = 8 << 20;

/// A table.
#[derive(Debug)]
pub(super) struct PostgresTable {
    pub server: Arc<Server>,
    /// The table's name in SQL.
    pub sql: String,
    pub schema: SchemaRef,
    pub decoder: Arc<Decoder>,
}

type Planning<'a> = Pin<Box<dyn Future<Output = Result<Arc<dyn ExecutionPlan>>> + Send + 'a>>;

impl TableProvider for PostgresTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match condition(filter, &self.known(), &mut Vec::new()) {
            Some(_) => TableProviderFilterPushDown::Exact,
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
        Box::pin(self.plan(projection, filters, limit))
    }
}

impl PostgresTable {
    fn known(&self) -> Known<'_> {
        Known { columns: &self.decoder.columns, asked: &self.decoder.asked }
    }

    async fn plan(
        &self,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let wanted = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let schema = Arc::new(self.schema.project(&wanted)?);
        if wanted.iter().any(|at| *at >= self.decoder.columns.len()) {
            let what = format!("`{}`, whose rows have no key,", self.decoder.shown);
            let help = "declare which field is its key: `id: int key`".to_owned();
            return Err(problem(&self.decoder, SourceError::Unsupported { what, help }));
        }
        let (sql, parameters) = self.statement(&wanted, filters, limit);
        // The readings of one query are planned before the first of them is let go.
        let snapshot = self.server.snapshot().await.map_err(|error| failed(&self.decoder, &error))?;
        let scan = Scan {
            server: Arc::clone(&self.server),
            snapshot,
            sql,
            parameters,
            schema: schema.clone(),
            wanted,
            decoder: Arc::clone(&self.decoder),
        };
        Ok(Arc::new(StreamingTableExec::try_new(schema, vec![Arc::new(scan)], None, [], false, limit)?))
    }

    /// What is asked of the server: the wanted columns, then those by which people know a row.
    fn statement(&self, wanted: &[usize], filters: &[Expr], limit: Option<usize>) -> (String, Vec<Parameter>) {
        let mut names: Vec<String> = wanted.iter().map(|at| self.decoder.asked[*at].sql.clone()).collect();
        if !wanted.is_empty() {
            let key = self.decoder.key.iter().map(|at| quoted(&self.decoder.columns[*at].name));
            names.extend(key.map(|name| format!("{name}::text")));
        }
        let mut parameters = Vec::new();
        let known = self.known();
        let conditions: Vec<String> =
            filters.iter().filter_map(|filter| condition(filter, &known, &mut parameters)).collect();
        let mut sql = format!("SELECT {} FROM {}", names.join(", "), self.sql);
        if !conditions.is_empty() {
            sql += &format!(" WHERE {}", conditions.join(" AND "));
        }
        if let Some(limit) = limit {
            sql += &format!(" LIMIT {limit}");
        }
        (sql, parameters)
    }
}

/// One reading of the table.
#[derive(Clone, Debug)]
struct Scan {
    server: Arc<Server>,
    snapshot: Arc<Snapshot>,
    sql: String,
    parameters: Vec<Parameter>,
    schema: SchemaRef,
    wanted: Vec<usize>,
    decoder: Arc<Decoder>,
}

impl PartitionStream for Scan {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut builder = RecordBatchReceiverStreamBuilder::new(self.schema.clone(), 2);
        let (scan, rows) = (self.clone(), builder.tx());
        builder.spawn(async move { scan.read(&rows).await });
        builder.build()
    }
}

impl Scan {
    /// Reads batch by batch until nobody wants more. Whoever drops this future cancels the statement.
    async fn read(&self, batches: &Sender<Result<RecordBatch>>) -> Result<()> {
        let failed = |error: &Failed| failed(&self.decoder, error);
        let server = |error: tokio_postgres::Error| failed(&error.into());
        let mut link = self.server.connect_to(&self.snapshot).await.map_err(|error| failed(&error))?;
        link.busy(true);
        let rows = link.client.query_raw(&self.sql, self.parameters.iter().map(bound)).await.map_err(server)?;
        pin_mut!(rows);
        let mut builders = self.builders()?;
        let names = self.wanted.len()..self.wanted.len() + self.decoder.key.len();
        let (mut count, mut bytes) = (0, 0);
        while let Some(row) = rows.next().await {
            let row = row.map_err(server)?;
            for (place, at) in self.wanted.iter().enumerate() {
                let size = self.decoder.append(&mut builders[place], &row, place, *at, names.clone());
                bytes += size.map_err(|error| problem(&self.decoder, error))?;
            }
            count += 1;
            if count == BATCH || bytes > BYTES {
                if batches.send(Ok(self.batch(&mut builders, count)?)).await.is_err() {
                    return Ok(());
                }
                (count, bytes) = (0, 0);
            }
        }
        link.busy(false);
        if count > 0 {
            // Nobody wants it any more: so be it.
            let _ = batches.send(Ok(self.batch(&mut builders, count)?)).await;
        }
        Ok(())
    }

    fn builders(&self) -> Result<Vec<Builder>> {
        let builder = |at: &usize| Builder::new(&self.decoder.columns[*at], self.decoder.scales[*at]);
        Ok(self.wanted.iter().map(builder).collect::<std::result::Result<_, _>>()?)
    }

    fn batch(&self, builders: &mut [Builder], rows: usize) -> Result<RecordBatch> {
        let columns: Vec<ArrayRef> = builders.iter_mut().map(Builder::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?)
    }
}

fn bound(parameter: &Parameter) -> &(dyn ToSql + Sync) {
    match parameter {
        Parameter::Int(number) => number,
        Parameter::Text(text) => text,
    }
}

fn failed(decoder: &Decoder, error: &Failed) -> DataFusionError {
    problem(decoder, SourceError::Unreadable { shown: decoder.shown.clone(), reason: error.words() })
}

fn problem(decoder: &Decoder, error: SourceError) -> DataFusionError {
    let nowhere = Span::new(SourceId(0), 0, 0);
    let place = decoder.columns.first().map_or(nowhere, |column| column.span);
    DataFusionError::External(Box::new(QueryError::Problem(Box::new(error.problem(place)))))
}
