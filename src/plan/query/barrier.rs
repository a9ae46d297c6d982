//! A place in a plan that no condition on a certain column is moved below.
//!
//! The engine moves conditions as near to the tables as it can, also below what leaves out rows: below a membership,
//! for example. A condition that fails for some rows must stay above, or it fails for rows that never get to it.

use std::collections::HashSet;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DFSchemaRef, DataFusionError, Result};
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions};
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

/// The node of a logical plan: the rows of its input.
#[derive(Clone, PartialEq, Eq, PartialOrd, Hash, Debug)]
struct Barrier {
    input: LogicalPlan,
    column: String,
}

/// The rows of a plan; conditions on the column stay above.
pub(super) fn barrier(input: LogicalPlan, column: &str) -> LogicalPlan {
    let node = Arc::new(Barrier { input, column: column.to_owned() });
    LogicalPlan::Extension(Extension { node })
}

fn one<T>(mut inputs: Vec<T>) -> Result<T> {
    inputs.pop().ok_or_else(|| DataFusionError::Internal("a barrier has one input".to_owned()))
}

impl UserDefinedLogicalNodeCore for Barrier {
    fn name(&self) -> &str {
        "Barrier"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        HashSet::from([self.column.clone()])
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Barrier: {}", self.column)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(Self { input: one(inputs)?, column: self.column.clone() })
    }

    fn necessary_children_exprs(&self, wanted: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![wanted.to_vec()])
    }
}

/// The node of an executable plan. Filters are not moved below it, because it says nothing about them.
#[derive(Debug)]
struct BarrierExec {
    input: Arc<dyn ExecutionPlan>,
}

impl DisplayAs for BarrierExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BarrierExec")
    }
}

impl ExecutionPlan for BarrierExec {
    fn name(&self) -> &str {
        "BarrierExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
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

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self { input: one(children)? }))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self { input: one(children)? }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }
}

type Planned<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// Makes barriers and tallies executable.
struct Extensions;

impl ExtensionPlanner for Extensions {
    fn plan_extension<'s, 'p, 'n, 'l, 'r, 'i, 'e, 'c, 'async_trait>(
        &'s self,
        _: &'p dyn PhysicalPlanner,
        node: &'n dyn UserDefinedLogicalNode,
        _: &'l [&'r LogicalPlan],
        inputs: &'i [Arc<dyn ExecutionPlan>],
        _: &'e dyn Session,
        _: &'c PhysicalPlanningContext,
    ) -> Planned<'async_trait, Option<Arc<dyn ExecutionPlan>>>
    where
        's: 'async_trait,
        'p: 'async_trait,
        'n: 'async_trait,
        'l: 'async_trait,
        'i: 'async_trait,
        'r: 'async_trait,
        'e: 'async_trait,
        'c: 'async_trait,
    {
        let found = match (node.as_any().downcast_ref::<Barrier>(), inputs) {
            (Some(_), [input]) => Some(Arc::new(BarrierExec { input: Arc::clone(input) }) as Arc<dyn ExecutionPlan>),
            _ => super::tally::planned(node, inputs),
        };
        Box::pin(std::future::ready(Ok(found)))
    }
}

/// The planner of a session: the engine's own, which knows barriers and tallies.
#[derive(Debug)]
pub(super) struct Planner;

impl QueryPlanner for Planner {
    fn create_physical_plan<'s, 'l, 'e, 'async_trait>(
        &'s self,
        plan: &'l LogicalPlan,
        session: &'e dyn Session,
    ) -> Planned<'async_trait, Arc<dyn ExecutionPlan>>
    where
        's: 'async_trait,
        'l: 'async_trait,
        'e: 'async_trait,
    {
        Box::pin(async move {
            let planner = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(Extensions)]);
            planner.create_physical_plan(plan, session).await
        })
    }
}
