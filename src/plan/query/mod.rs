//! Populations and expressions as plans of the query engine: built from the typed tree, never from query text.
//!
//! ```text
//! Query ─▶ Frame: a plan, and where in it the row's fields, its key and outer rows are ─▶ LogicalPlan
//! ```
//!
//! A `Frame` is a population while it is being planned. Expressions are lowered against a frame and may widen
//! it: a path over a `one` relation is a left join, a nested query is grouped by what ties it to the outer row and
//! joined. Columns inside a plan have invented names that occur once, so nothing is ever ambiguous; only the last
//! projection gives them the program's names.

mod aggregate;
mod barrier;
mod clauses;
mod combine;
mod error;
mod expr;
mod frame;
mod lower;
mod nested;
mod session;
mod sorted;
mod tally;
#[cfg(test)]
mod tests;
mod uses;
pub mod values;
mod work;

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::datasource::TableProvider;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};

pub use aggregate::SAFE_DIGITS;
pub use error::{QueryError, RowError};
pub use session::{Joins, Session, SessionOptions, collect, computation, count, stream};
pub use tally::Tally;
pub use work::{Computation, Operator, Work};

use crate::hir::{EntityId, Expr, FeedbackKind, LocalId, Program, Query, RelationId, RowId, Value};
use lower::Lower;

/// Columns with this prefix are no fields: they identify rows. The rows of an entity without a key have at least one,
/// and so have the rows of a `match`, whose source key they hold.
pub const IDENTITY: &str = "$";

/// Rows that a plan starts from.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Rows {
    /// All rows of an entity.
    Entity(EntityId),
    /// A frozen population.
    Frozen(LocalId),
    /// What became of a send.
    Feedback(LocalId, FeedbackKind),
    /// An audience saved under a name.
    Audience(String, EntityId),
    /// The bad lines of an entity's files.
    Rejected(EntityId),
    /// The rows that a `match` or a change of dimension lost.
    Unmatched(LocalId),
}

/// What earlier runs took, for `new`.
pub enum Taken {
    /// Nothing yet.
    Nothing,
    /// These rows; columns named like the entity's key fields.
    Keys(Arc<dyn TableProvider>),
    /// Every row whose `by` lies in one of these: above the first value, if there is one, up to and with the second.
    Ranges(Vec<(Option<Value>, Value)>),
}

/// Where the rows are. The runtime implements it.
///
/// Columns are named like the entity's fields and the population's added columns; a field may be absent where it was not
/// kept, the key may not. Column types are those of [`values::arrow_type`], decimals with a scale of their own.
pub trait Tables: Send + Sync {
    /// The rows.
    fn rows(&self, rows: &Rows) -> Result<Arc<dyn TableProvider>, QueryError>;

    /// What `new` leaves out of the rows of an entity. The memory is the segment's own unless it is named; `by` is what
    /// grows, as a name.
    fn taken(&self, memory: Option<&str>, entity: EntityId, by: Option<&str>) -> Result<Taken, QueryError>;
}

/// Everything outside the query that its meaning depends on.
pub struct Scope<'a> {
    pub program: &'a Program,
    pub tables: &'a dyn Tables,
    /// Values of `let`s, parameters, loop variables and signal fields.
    pub locals: &'a HashMap<LocalId, Value>,
    /// The instant of the statement.
    pub now: jiff::Timestamp,
    /// The campaign's zone.
    pub zone: jiff::tz::TimeZone,
    /// Seed of a `sample` without one.
    pub seed: &'a str,
}

/// Which columns a population is to have. Its identity is always there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Columns {
    /// All fields and all added columns.
    All,
    /// Fields and added columns with these names.
    Named(Vec<String>),
}

/// In which order rows come out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ordering {
    /// Whatever is fastest.
    Any,
    /// By the query's own order, ties and all else by key.
    Defined,
}

/// The row an expression looks at: where its fields are, seen from the population's row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Binding {
    pub row: RowId,
    /// `one` relations that lead to it; empty for the population's row itself.
    pub path: Vec<RelationId>,
}

/// The plan of a population: the entity's fields by name, then added columns, then `$` columns of its identity.
pub fn population(
    scope: &Scope<'_>,
    query: &Query,
    columns: &Columns,
    ordering: Ordering,
) -> Result<LogicalPlan, QueryError> {
    values(scope, query, &[], &[], columns, ordering)
}

/// A population whose rows are counted where clauses meet.
pub struct Counting {
    /// Its plan.
    pub plan: LogicalPlan,
    /// Whether the rows come in the order of their key.
    pub by_key: bool,
    /// What comes out of each of the levels, in their order.
    pub tallies: Vec<Tally>,
}

/// The plan of a population in its order. What comes out of `levels`, queries that it is made from, is counted.
pub fn counting(
    scope: &Scope<'_>,
    query: &Query,
    columns: &Columns,
    levels: &[&Query],
) -> Result<Counting, QueryError> {
    on_large_stack(|| counted(scope, query, columns, levels))
}

fn counted(scope: &Scope<'_>, query: &Query, columns: &Columns, levels: &[&Query]) -> Result<Counting, QueryError> {
    let tallies: Vec<Tally> = levels.iter().map(|_| Tally::default()).collect();
    let mut lower = Lower::new(scope);
    lower.counted = levels.iter().copied().zip(tallies.clone()).collect();
    let mut frame = lower.query(query, &lower::Base::Free)?;
    let by_key = frame.order.is_empty();
    let output = frame.output(scope.program, columns);
    let plan = LogicalPlanBuilder::from(std::mem::take(&mut frame.plan)).sort(frame.total_order())?;
    Ok(Counting { plan: plan.project(output)?.build()?, by_key, tallies })
}

/// The same with further columns: values of expressions over its row.
pub fn values(
    scope: &Scope<'_>,
    query: &Query,
    bindings: &[Binding],
    exprs: &[(String, Expr)],
    columns: &Columns,
    ordering: Ordering,
) -> Result<LogicalPlan, QueryError> {
    on_large_stack(|| lowered(scope, query, bindings, exprs, columns, ordering))
}

fn lowered(
    scope: &Scope<'_>,
    query: &Query,
    bindings: &[Binding],
    exprs: &[(String, Expr)],
    columns: &Columns,
    ordering: Ordering,
) -> Result<LogicalPlan, QueryError> {
    let lower = Lower::new(scope);
    let mut frame = lower.query(query, &lower::Base::Free)?;
    for binding in bindings {
        let row = frame.row.clone();
        let row = lower.path(&mut frame, &row, &binding.path, query.span)?;
        frame.rows.insert(binding.row, row);
    }
    frame.coming = uses::aggregates(exprs.iter().map(|(_, expr)| expr));
    let mut computed = Vec::with_capacity(exprs.len());
    for (name, expr) in exprs {
        computed.push(lower.expr(&mut frame, expr)?.alias(name));
    }
    let mut output = frame.output(scope.program, columns);
    output.extend(computed);
    let mut plan = LogicalPlanBuilder::from(std::mem::take(&mut frame.plan));
    if ordering == Ordering::Defined {
        plan = plan.sort(frame.total_order())?;
    }
    Ok(plan.project(output)?.build()?)
}

/// The plan of one row with one column: the value of an expression that looks at no row.
pub fn scalar_plan(scope: &Scope<'_>, expr: &Expr) -> Result<LogicalPlan, QueryError> {
    on_large_stack(|| {
        let lower = Lower::new(scope);
        let mut frame = frame::Frame::one_row()?;
        let value = lower.expr(&mut frame, expr)?.alias("value");
        Ok(LogicalPlanBuilder::from(frame.plan).project([value])?.build()?)
    })
}

/// Bytes of stack for lowering; only what is used is ever backed by memory.
const STACK: usize = 256 << 20;

/// Lowers on a stack of its own: a tree is as deep as the parser and definitions allow, and a caller's stack may be
/// small.
fn on_large_stack<T: Send>(lower: impl Fn() -> Result<T, QueryError> + Send + Sync) -> Result<T, QueryError> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("plan".to_owned()).stack_size(STACK);
        match thread.spawn_scoped(scope, &lower).map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(lowered)) => lowered,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => lower(),
        }
    })
}

/// The value of an expression that looks at no row; counts of populations are computed.
pub async fn scalar(scope: &Scope<'_>, session: &Session, expr: &Expr) -> Result<Value, QueryError> {
    let plan = scalar_plan(scope, expr)?;
    let batches = collect(session, plan).await?;
    match batches.iter().find(|batch| batch.num_rows() > 0) {
        Some(batch) => values::from_array(batch.column(0), 0),
        None => Err(QueryError::Engine("a single value came out as no row".to_owned())),
    }
}
