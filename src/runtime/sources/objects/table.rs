//! A table over objects: before it is read, the query engine gets to know their store.

use std::pin::Pin;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, Statistics};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::Bucket;

/// The table, which knows its store.
pub(in crate::runtime::sources) fn registered(
    inner: Arc<dyn TableProvider>,
    bucket: &Arc<Bucket>,
) -> Arc<dyn TableProvider> {
    Arc::new(Registered { inner, bucket: Arc::clone(bucket) })
}

#[derive(Debug)]
struct Registered {
    inner: Arc<dyn TableProvider>,
    bucket: Arc<Bucket>,
}

type Planning<'a> = Pin<Box<dyn Future<Output = Result<Arc<dyn ExecutionPlan>>> + Send + 'a>>;

impl TableProvider for Registered {
    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        self.inner.supports_filters_pushdown(filters)
    }

    fn statistics(&self) -> Option<Statistics> {
        self.inner.statistics()
    }

    fn scan<'life0, 'life1, 'life2, 'life3, 'async_trait>(
        &'life0 self,
        state: &'life1 dyn Session,
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
        if let Ok(url) = ObjectStoreUrl::parse(&self.bucket.url) {
            state.runtime_env().register_object_store(url.as_ref(), Arc::clone(&self.bucket.store));
        }
        self.inner.scan(state, projection, filters, limit)
    }
}
