//! A table of PostgreSQL as the query engine sees it.

use std::pin::Pin;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::filter::{Known, condition};
use super::link::{Failed, Server};
use super::reading::{Reading, Scan};
use super::row::Decoder;
use crate::base::{SourceId, Span};
use crate::plan::query::QueryError;
use crate::runtime::sources::error::SourceError;

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
        let mut parameters = Vec::new();
        let known = self.known();
        let conditions = filters.iter().filter_map(|filter| condition(filter, &known, &mut parameters)).collect();
        // The readings of one query are planned before the first of them is let go.
        let snapshot = self.server.snapshot().await.map_err(|error| failed(&self.decoder, &error))?;
        Ok(Arc::new(Reading::new(Scan {
            server: Arc::clone(&self.server),
            snapshot,
            table: self.sql.clone(),
            conditions,
            parameters,
            order: Vec::new(),
            limit,
            schema,
            wanted,
            decoder: Arc::clone(&self.decoder),
        })))
    }
}

pub(super) fn failed(decoder: &Decoder, error: &Failed) -> DataFusionError {
    problem(decoder, SourceError::Unreadable { shown: decoder.shown.clone(), reason: error.words() })
}

pub(super) fn problem(decoder: &Decoder, error: SourceError) -> DataFusionError {
    let nowhere = Span::new(SourceId(0), 0, 0);
    let place = decoder.columns.first().map_or(nowhere, |column| column.span);
    DataFusionError::External(Box::new(QueryError::Problem(Box::new(error.problem(place)))))
}
