//! One reading of a table of PostgreSQL, as a step of a query's execution.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::sort_pushdown::SortOrderPushdownResult;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, ReplaceChildrenOptions,
};
use futures::{StreamExt, pin_mut};
use tokio::sync::mpsc::Sender;
use tokio_postgres::types::ToSql;

use super::filter::Parameter;
use super::fit::Wire;
use super::link::{Failed, Server, Snapshot};
use super::provider::{failed, problem};
use super::row::Decoder;
use crate::runtime::sources::bound::quoted;
use crate::runtime::sources::columns::Kind;
use crate::runtime::sources::import::Builder;

/// Rows of a batch, and bytes of values after which a batch ends.
const BATCH: usize = 8192;
const BYTES: usize = 8 << 20;

/// The step.
#[derive(Debug)]
pub(super) struct Reading {
    scan: Scan,
    properties: Arc<PlanProperties>,
}

impl Reading {
    pub fn new(scan: Scan) -> Self {
        Self::ordered(scan, EquivalenceProperties::new)
    }

    fn ordered(scan: Scan, known: impl FnOnce(SchemaRef) -> EquivalenceProperties) -> Self {
        let properties = PlanProperties::new(
            known(scan.schema.clone()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { scan, properties: Arc::new(properties) }
    }
}

impl DisplayAs for Reading {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresExec: {}", self.scan.statement())
    }
}

impl ExecutionPlan for Reading {
    fn name(&self) -> &str {
        "PostgresExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, _partition: usize, _context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let mut builder = RecordBatchReceiverStreamBuilder::new(self.scan.schema.clone(), 2);
        let (scan, rows) = (self.scan.clone(), builder.tx());
        builder.spawn(async move { scan.read(&rows).await });
        Ok(builder.build())
    }

    fn fetch(&self) -> Option<usize> {
        self.scan.limit
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        let limit = match (limit, self.scan.limit) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let scan = Scan { limit, ..self.scan.clone() };
        Some(Arc::new(Self { scan, properties: Arc::clone(&self.properties) }))
    }

    fn try_pushdown_sort(&self, order: &[PhysicalSortExpr]) -> Result<SortOrderPushdownResult<Arc<dyn ExecutionPlan>>> {
        // A limit would take other rows if they were put in another order first.
        let ordered = if self.scan.limit.is_none() { self.scan.ordered(order) } else { None };
        let Some(by) = ordered else { return Ok(SortOrderPushdownResult::Unsupported) };
        let scan = Scan { order: by, ..self.scan.clone() };
        let order = order.to_vec();
        let inner = Self::ordered(scan, |schema| EquivalenceProperties::new_with_orderings(schema, [order]));
        Ok(SortOrderPushdownResult::Exact { inner: Arc::new(inner) })
    }
}

/// What is read.
#[derive(Clone, Debug)]
pub(super) struct Scan {
    pub server: Arc<Server>,
    pub snapshot: Arc<Snapshot>,
    /// The table's name in SQL.
    pub table: String,
    /// Conditions that the server tests, and their values.
    pub conditions: Vec<String>,
    pub parameters: Vec<Parameter>,
    /// What the rows are ordered by.
    pub order: Vec<String>,
    pub limit: Option<usize>,
    pub schema: SchemaRef,
    /// The columns of the schema, by their places in the table.
    pub wanted: Vec<usize>,
    pub decoder: Arc<Decoder>,
}

impl Scan {
    /// What is asked of the server: the wanted columns, then those by which people know a row.
    fn statement(&self) -> String {
        let mut names: Vec<String> = self.wanted.iter().map(|at| self.decoder.asked[*at].sql.clone()).collect();
        if !self.wanted.is_empty() {
            let key = self.decoder.key.iter().map(|at| quoted(&self.decoder.columns[*at].name));
            names.extend(key.map(|name| format!("{name}::text")));
        }
        let mut sql = format!("SELECT {} FROM {} AS t", names.join(", "), self.table);
        if !self.conditions.is_empty() {
            sql += &format!(" WHERE {}", self.conditions.join(" AND "));
        }
        if !self.order.is_empty() {
            sql += &format!(" ORDER BY {}", self.order.join(", "));
        }
        if let Some(limit) = self.limit {
            sql += &format!(" LIMIT {limit}");
        }
        sql
    }

    /// An order that the server has as we would have it, by columns of the key: there is an index for them. What is in
    /// the statement's result is called as the column is, so the column is named with its table.
    fn ordered(&self, order: &[PhysicalSortExpr]) -> Option<Vec<String>> {
        order.iter().map(|one| self.ordered_by(one)).collect()
    }

    fn ordered_by(&self, order: &PhysicalSortExpr) -> Option<String> {
        let column: &Column = order.expr.downcast_ref()?;
        let at = *self.wanted.get(column.index())?;
        let (declared, asked) = (&self.decoder.columns[at], &self.decoder.asked[at]);
        if asked.from.key.is_none() || declared.default.is_some() {
            return None;
        }
        let name = format!("t.{}", quoted(&declared.name));
        let by = match &declared.kind {
            Kind::Int | Kind::Date => name,
            Kind::Decimal if asked.from.ty != "money" => name,
            Kind::Timestamp if asked.wire == Wire::Instant => name,
            Kind::Text if asked.from.ty != "inet" && asked.from.bytewise => format!("{name}::text COLLATE \"C\""),
            _ => return None,
        };
        let way = if order.options.descending { "DESC" } else { "ASC" };
        let nulls = if order.options.nulls_first { "FIRST" } else { "LAST" };
        Some(format!("{by} {way} NULLS {nulls}"))
    }

    /// Reads batch by batch until nobody wants more. Whoever drops this future cancels the statement.
    async fn read(&self, batches: &Sender<Result<RecordBatch>>) -> Result<()> {
        let failed = |error: &Failed| failed(&self.decoder, error);
        let server = |error: tokio_postgres::Error| failed(&error.into());
        let mut link = self.server.connect_to(&self.snapshot).await.map_err(|error| failed(&error))?;
        link.busy(true);
        let rows = link.client.query_raw(&self.statement(), self.parameters.iter().map(bound)).await.map_err(server)?;
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
