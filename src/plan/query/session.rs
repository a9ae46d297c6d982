//! The engine: one per process, told how much memory and how many threads it may use.

use std::path::PathBuf;
use std::sync::Arc;
use std::task::Poll;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::JoinType;
use datafusion::common::tree_node::TreeNode;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SendableRecordBatchStream, SessionStateBuilder, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::StreamExt;

use super::barrier::Planner;
use super::sorted::SortedJoins;
use super::{Computation, QueryError, values};

/// Limits of the engine.
#[derive(Clone, Debug, Default)]
pub struct SessionOptions {
    /// Bytes that queries may hold; beyond it operators spill to disk. `None`: no limit.
    pub memory_limit: Option<usize>,
    /// Where spilled rows go; `None`: the system's directory for temporary files.
    pub spill_dir: Option<PathBuf>,
    /// Threads; `None`: as many as there are cores.
    pub threads: Option<usize>,
}

/// How tables are joined.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Joins {
    /// By hash: fast, but one side must fit into memory.
    Fast,
    /// By sorting, on one thread: slower, and spills to disk.
    Spilling,
}

/// Rows of a batch where little memory is left.
const SPILLING_BATCH: usize = 512;

/// The engine. Cheap to share; make one per process.
pub struct Session {
    fast: SessionContext,
    /// As fast, for plans that group rows of which few are asked for.
    choosy: SessionContext,
    spilling: SessionContext,
    /// One partition: for the few plans whose order the engine loses while it spreads them over threads.
    single: SessionContext,
}

impl Session {
    /// An engine with these limits.
    pub fn new(options: &SessionOptions) -> Result<Self, QueryError> {
        let mut runtime = RuntimeEnvBuilder::new();
        if let Some(bytes) = options.memory_limit {
            runtime = runtime.with_memory_pool(Arc::new(FairSpillPool::new(bytes)));
        }
        if let Some(dir) = &options.spill_dir {
            let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Directories(vec![dir.clone()]));
            runtime = runtime.with_disk_manager_builder(disk);
        }
        let runtime = runtime.build_arc()?;
        let context = |hash: bool, choosy: bool, threads: Option<usize>| {
            let mut config = SessionConfig::new()
                .with_information_schema(false)
                // Logical and physical plan disagree on whether some conditionals can be null; nothing depends on it.
                .set_bool("datafusion.execution.skip_physical_aggregate_schema_check", true)
                .set_bool("datafusion.optimizer.repartition_sorts", threads != Some(1))
                .set_bool("datafusion.execution.parquet.schema_force_view_types", false)
                // Judging rows before their other columns are decoded costs more than it saves, unless most are dropped.
                .set_bool("datafusion.execution.parquet.pushdown_filters", choosy);
            if let Some(bytes) = options.memory_limit {
                // What each thread sets aside for merging spilled rows: little enough for a small limit.
                let aside = (bytes / 32).min(config.options().execution.sort_spill_reservation_bytes);
                config = config.with_sort_spill_reservation_bytes(aside);
            }
            if !hash {
                // Several sorters share the memory, and each must hold a batch of every run that it merges.
                config = config.with_batch_size(SPILLING_BATCH);
            }
            if let Some(threads) = threads {
                config = config.with_target_partitions(threads.max(1));
            }
            let state = SessionStateBuilder::new().with_config(config).with_runtime_env(Arc::clone(&runtime));
            let mut state = state.with_default_features().with_query_planner(Arc::new(Planner));
            if !hash {
                let usual = PhysicalOptimizer::new().rules;
                let first: Arc<dyn PhysicalOptimizerRule + Send + Sync> = Arc::new(SortedJoins);
                state = state.with_physical_optimizer_rules(std::iter::once(first).chain(usual).collect());
            }
            SessionContext::new_with_state(state.build())
        };
        Ok(Self {
            fast: context(true, false, options.threads),
            choosy: context(true, true, options.threads),
            // One thread: several sorters share the memory so evenly that nothing is left to merge what they sorted.
            spilling: context(false, true, Some(1)),
            single: context(true, true, Some(1)),
        })
    }

    fn tasks(&self, joins: Joins) -> Arc<TaskContext> {
        match joins {
            Joins::Fast => self.fast.task_ctx(),
            Joins::Spilling => self.spilling.task_ctx(),
        }
    }

    fn context(&self, joins: Joins, plan: &LogicalPlan) -> &SessionContext {
        match joins {
            Joins::Fast if groups_for_few(plan) => &self.choosy,
            Joins::Fast => &self.fast,
            Joins::Spilling => &self.spilling,
        }
    }
}

/// Whether rows are grouped for others of which some were left out. Where these are known before the grouping begins, the
/// engine leaves out the groups of the others while it reads, which saves far more than it costs.
fn groups_for_few(plan: &LogicalPlan) -> bool {
    let holds =
        |plan: &LogicalPlan, is_it: fn(&LogicalPlan) -> bool| plan.exists(|node| Ok(is_it(node))).unwrap_or(false);
    let groups = |plan: &LogicalPlan| holds(plan, |node| matches!(node, LogicalPlan::Aggregate(_)));
    let narrows = |plan: &LogicalPlan| {
        holds(plan, |node| match node {
            LogicalPlan::Filter(_) | LogicalPlan::Limit(_) => true,
            LogicalPlan::Join(join) => join.join_type != JoinType::Left,
            _ => false,
        })
    };
    plan.exists(|node| {
        Ok(matches!(node, LogicalPlan::Join(join)
            if join.join_type == JoinType::Left && groups(&join.right) && narrows(&join.left)))
    })
    .unwrap_or(false)
}

/// Looks at the memory in use before a query that did not fit is tried again: what its tasks held is given back a moment
/// after it has failed, and the next try would not find it.
const MOST_LOOKS: usize = 10_000;

impl Session {
    /// Ready when nothing is held any more, or after a while.
    async fn settled(&self) {
        let pool = Arc::clone(&self.spilling.runtime_env().memory_pool);
        let mut looks = 0;
        futures::future::poll_fn(move |context| {
            looks += 1;
            if pool.reserved() == 0 || looks > MOST_LOOKS {
                return Poll::Ready(());
            }
            std::thread::yield_now();
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

/// Optimises a plan and makes it executable.
async fn prepare(session: &Session, joins: Joins, plan: &LogicalPlan) -> Result<Arc<dyn ExecutionPlan>, QueryError> {
    match session.context(joins, plan).state().create_physical_plan(plan).await {
        Ok(executable) => Ok(executable),
        Err(first) => match session.single.state().create_physical_plan(plan).await {
            Ok(executable) => Ok(executable),
            Err(_) => Err(first.into()),
        },
    }
}

fn start(plan: Arc<dyn ExecutionPlan>, task: Arc<TaskContext>) -> Result<SendableRecordBatchStream, QueryError> {
    Ok(execute_stream(plan, task)?)
}

/// All rows of a plan. What does not fit into memory with hash joins is tried again with joins that spill. Dropping the
/// future cancels the query.
pub async fn collect(session: &Session, plan: LogicalPlan) -> Result<Vec<RecordBatch>, QueryError> {
    match run(session, Joins::Fast, &plan).await {
        Err(QueryError::OutOfMemory(_)) => {
            session.settled().await;
            run(session, Joins::Spilling, &plan).await
        }
        result => result,
    }
}

async fn run(session: &Session, joins: Joins, plan: &LogicalPlan) -> Result<Vec<RecordBatch>, QueryError> {
    let executable = prepare(session, joins, plan).await?;
    let mut rows = start(executable, session.tasks(joins))?;
    let mut batches = Vec::new();
    while let Some(batch) = rows.next().await {
        batches.push(batch?);
    }
    Ok(batches)
}

/// The rows of a plan as they come, with the first of them at hand. What does not fit into memory with hash joins shows
/// before any row comes, and is begun again with joins that spill. Dropping the stream cancels the query.
pub async fn stream(session: &Session, plan: LogicalPlan) -> Result<SendableRecordBatchStream, QueryError> {
    let mut rows = computation(session, plan.clone(), Joins::Fast).await?.rows;
    let first = match rows.next().await.transpose().map_err(QueryError::from) {
        Ok(first) => first,
        Err(QueryError::OutOfMemory(_)) => {
            drop(rows);
            return Ok(computation(session, plan, Joins::Spilling).await?.rows);
        }
        Err(other) => return Err(other),
    };
    let schema = rows.schema();
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::iter(first.map(Ok)).chain(rows))))
}

/// The same, with what it takes.
pub async fn computation(session: &Session, plan: LogicalPlan, joins: Joins) -> Result<Computation, QueryError> {
    if joins == Joins::Spilling {
        session.settled().await;
    }
    let plan = prepare(session, joins, &plan).await?;
    let rows = start(Arc::clone(&plan), session.tasks(joins))?;
    Ok(Computation { rows, plan, joins })
}

/// The number of rows of a plan.
pub async fn count(session: &Session, plan: LogicalPlan) -> Result<u64, QueryError> {
    let rows = datafusion::functions_aggregate::expr_fn::count(lit(1i64));
    let plan = LogicalPlanBuilder::from(plan).aggregate(Vec::<Expr>::new(), [rows])?.build()?;
    let batches = collect(session, plan).await?;
    match batches.iter().find(|batch| batch.num_rows() > 0).map(|batch| values::from_array(batch.column(0), 0)) {
        Some(Ok(crate::hir::Value::Int(rows))) => Ok(rows.unsigned_abs()),
        Some(Err(error)) => Err(error),
        _ => Err(QueryError::Engine("a count came out as no number".to_owned())),
    }
}
