//! Counting rows on their way: how many each clause of a population let through, without computing the population once
//! more for each.
//!
//! A tally is a node that passes everything on. It stands still: conditions are not moved through it, since it would
//! then count other rows. What an operator above does not ask for to the end was not counted to the end, and is counted
//! anew by whoever wants to know.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchemaRef, DataFusionError, Result, Statistics};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{
    Expr, Extension, InvariantLevel, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::{
    ChildStats, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, StatisticsArgs,
};
use futures::{Stream, StreamExt};

/// A count that fills while a plan runs.
#[derive(Clone, Default)]
pub struct Tally(Arc<Counts>);

#[derive(Default)]
struct Counts {
    rows: AtomicU64,
    /// Parts of the rows that began, and that were read to their end.
    begun: AtomicUsize,
    ended: AtomicUsize,
    parts: AtomicUsize,
}

impl Tally {
    /// The rows that passed, once all have; `None` when nobody asked for all of them.
    pub fn rows(&self) -> Option<u64> {
        let Counts { rows, begun, ended, parts } = &*self.0;
        let parts = parts.load(Relaxed);
        let whole = parts > 0 && begun.load(Relaxed) == parts && ended.load(Relaxed) == parts;
        whole.then(|| rows.load(Relaxed))
    }

    /// The plan, counted.
    pub(super) fn count(&self, input: LogicalPlan) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(Counted { input, tally: self.clone() }) })
    }
}

impl fmt::Debug for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tally")
    }
}

/// The plan without tallies, for a second use: rows are counted once.
pub(super) fn uncounted(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up(|plan| match &plan {
        LogicalPlan::Extension(Extension { node }) => match node.as_any().downcast_ref::<Counted>() {
            Some(counted) => Ok(Transformed::yes(counted.input.clone())),
            None => Ok(Transformed::no(plan)),
        },
        _ => Ok(Transformed::no(plan)),
    })
    .data()
}

/// A plan whose rows are counted.
#[derive(Debug)]
struct Counted {
    input: LogicalPlan,
    tally: Tally,
}

impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.tally.0, &other.tally.0) && self.input == other.input
    }
}

impl Eq for Counted {}

impl Hash for Counted {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.input.hash(state);
    }
}

impl PartialOrd for Counted {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.input.partial_cmp(&other.input)
    }
}

impl UserDefinedLogicalNodeCore for Counted {
    fn name(&self) -> &str {
        "Tally"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn check_invariants(&self, _: InvariantLevel) -> Result<()> {
        Ok(())
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tally")
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let input = inputs.into_iter().next().ok_or_else(|| DataFusionError::Internal("a tally of nothing".into()))?;
        Ok(Self { input, tally: self.tally.clone() })
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![output_columns.to_vec()])
    }
}

/// The operator of a tally; none for other nodes.
pub(super) fn planned(
    node: &dyn UserDefinedLogicalNode,
    inputs: &[Arc<dyn ExecutionPlan>],
) -> Option<Arc<dyn ExecutionPlan>> {
    let (counted, input) = node.as_any().downcast_ref::<Counted>().zip(inputs.first())?;
    Some(Arc::new(TallyExec::new(Arc::clone(input), counted.tally.clone())))
}

/// Counts rows while they pass.
#[derive(Debug)]
struct TallyExec {
    input: Arc<dyn ExecutionPlan>,
    tally: Tally,
    properties: Arc<PlanProperties>,
}

impl TallyExec {
    fn new(input: Arc<dyn ExecutionPlan>, tally: Tally) -> Self {
        let properties = Arc::new(PlanProperties::clone(input.properties()));
        Self { input, tally, properties }
    }
}

impl DisplayAs for TallyExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TallyExec")
    }
}

impl ExecutionPlan for TallyExec {
    fn name(&self) -> &str {
        "TallyExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match children.into_iter().next() {
            Some(input) => Ok(Arc::new(Self::new(input, self.tally.clone()))),
            None => Ok(self),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let parts = self.properties.partitioning.partition_count();
        self.tally.0.parts.store(parts, Relaxed);
        self.tally.0.begun.fetch_add(1, Relaxed);
        let rows = self.input.execute(partition, context)?;
        Ok(Box::pin(Passing { rows, tally: self.tally.clone(), ended: false }))
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(&self, input: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        input.first().cloned().ok_or_else(|| DataFusionError::Internal("a tally of nothing".into()))
    }
}

/// One part of the rows.
struct Passing {
    rows: SendableRecordBatchStream,
    tally: Tally,
    ended: bool,
}

impl Stream for Passing {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.rows.poll_next_unpin(context);
        match &polled {
            Poll::Ready(Some(Ok(batch))) => {
                self.tally.0.rows.fetch_add(batch.num_rows() as u64, Relaxed);
            }
            Poll::Ready(None) if !self.ended => {
                self.ended = true;
                self.tally.0.ended.fetch_add(1, Relaxed);
            }
            _ => {}
        }
        polled
    }
}

impl RecordBatchStream for Passing {
    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }
}
