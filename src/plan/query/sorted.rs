//! Joins that spill: the engine plans joins by hash on a single thread, whatever it is told to prefer, so each becomes
//! one by sorting here. What that needs, sorted sides, later rules of the engine add.

use std::sync::Arc;

use datafusion::arrow::compute::SortOptions;
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{HashJoinExec, SortMergeJoinExec};

/// The rule; it must come before all others.
#[derive(Debug)]
pub(super) struct SortedJoins;

impl PhysicalOptimizerRule for SortedJoins {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| match plan.downcast_ref::<HashJoinExec>() {
            // What must know of nulls on the other side can only be done by hash.
            Some(join) if !join.null_aware && !join.contains_projection() => {
                let sorts = vec![SortOptions::default(); join.on().len()];
                let sorted = SortMergeJoinExec::try_new(
                    Arc::clone(join.left()),
                    Arc::clone(join.right()),
                    join.on().to_vec(),
                    join.filter().cloned(),
                    *join.join_type(),
                    sorts,
                    join.null_equality(),
                )?;
                Ok(Transformed::yes(Arc::new(sorted) as Arc<dyn ExecutionPlan>))
            }
            _ => Ok(Transformed::no(plan)),
        })
        .data()
    }

    fn name(&self) -> &str {
        "sorted_joins"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
