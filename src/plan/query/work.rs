//! What the engine did to compute a plan.

use std::sync::Arc;

use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::metrics::MetricValue;
use datafusion::physical_plan::{ExecutionPlan, SendableRecordBatchStream};

use super::Joins;

/// A plan that is being computed.
pub struct Computation {
    /// Its rows as they come.
    pub rows: SendableRecordBatchStream,
    pub(super) plan: Arc<dyn ExecutionPlan>,
    pub(super) joins: Joins,
}

/// What computing took.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Work {
    /// The operators, the last first, each a line with its depth.
    pub operators: Vec<Operator>,
    /// Bytes read from files, as they are stored.
    pub bytes_read: u64,
    /// Bytes written to disk because they did not fit into memory.
    pub spilled: u64,
    /// Joins were made by sorting, because one side did not fit into memory.
    pub sorted_joins: bool,
    /// Computed in one pass with this earlier statement, whose work it is.
    pub together_with: Option<String>,
}

/// A step of the engine's plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operator {
    /// How far below the last one.
    pub depth: usize,
    /// What it does, in the engine's words.
    pub text: String,
    /// Rows that came out of it, where it counts them.
    pub rows: Option<u64>,
    /// Time spent in it by all threads together, in nanoseconds.
    pub nanos: u64,
}

impl Computation {
    /// What was done so far: everything, once the rows have ended.
    pub fn work(&self) -> Work {
        let mut work = Work { sorted_joins: self.joins == Joins::Spilling, ..Work::default() };
        note(&self.plan, 0, &mut work);
        work
    }
}

fn note(plan: &Arc<dyn ExecutionPlan>, depth: usize, work: &mut Work) {
    let metrics = plan.metrics().unwrap_or_default();
    for metric in metrics.iter() {
        match metric.value() {
            MetricValue::SpilledBytes(bytes) => work.spilled += bytes.value() as u64,
            MetricValue::Count { name, count } if name == "bytes_scanned" => work.bytes_read += count.value() as u64,
            _ => {}
        }
    }
    let text = DisplayableExecutionPlan::new(plan.as_ref()).one_line().to_string();
    work.operators.push(Operator {
        depth,
        text: shortened(text.trim()),
        rows: metrics.output_rows().map(|rows| rows as u64),
        nanos: metrics.elapsed_compute().unwrap_or_default() as u64,
    });
    plan.children().into_iter().for_each(|child| note(child, depth + 1, work));
}

/// Without the places of files, which say nothing and are long.
fn shortened(text: &str) -> String {
    let Some((before, rest)) = text.split_once("file_groups={") else { return text.to_owned() };
    match rest.split_once("]]}, ") {
        Some((files, after)) => {
            let name = files.rsplit('/').next().unwrap_or_default();
            let name = name.split(':').next().unwrap_or(name);
            format!("{before}file={name}, {after}")
        }
        None => text.to_owned(),
    }
}
