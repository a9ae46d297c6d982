//! What can go wrong while a population is planned or computed.

use std::fmt;

use datafusion::error::DataFusionError;

use crate::base::Span;
use crate::diag::{Problem, codes::run};

/// Why a population or a value could not be planned or computed.
#[derive(Clone, PartialEq, Debug)]
pub enum QueryError {
    /// A row's value could not be computed: a number with too many digits, a date outside the calendar.
    Value(RowError),
    /// A frozen population lacks a column that an expression reads.
    NotKept { column: String, span: Span },
    /// A name has no value: a local that was never bound.
    Unbound { what: String, span: Span },
    /// Checked, but the engine has no plan for it.
    Unsupported { what: String, span: Span },
    /// Rows could not be opened or read.
    Source(String),
    /// The same, with more to say than a text.
    Problem(Box<Problem>),
    /// The memory limit is too small for this query, even with spilling.
    OutOfMemory(String),
    /// The engine reported something that it should not have.
    Engine(String),
}

/// A value that could not be computed for a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowError {
    /// `the sum does not fit into an int`
    pub what: String,
    /// The expression, where it is known.
    pub span: Option<Span>,
    /// The row's key as text, where it is known.
    pub row: Option<String>,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.row {
            Some(row) => write!(f, " in the row with key `{row}`"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for RowError {}

impl RowError {
    /// As an error of the engine, which hands it back unchanged.
    pub(crate) fn raise(self) -> DataFusionError {
        DataFusionError::External(Box::new(self))
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            QueryError::Value(error) => write!(f, "{error}"),
            QueryError::NotKept { column, .. } => write!(f, "the column `{column}` was not kept with this population"),
            QueryError::Unbound { what, .. } => write!(f, "`{what}` has no value here"),
            QueryError::Unsupported { what, .. } => write!(f, "{what} cannot be computed"),
            QueryError::Source(text) => write!(f, "{text}"),
            QueryError::Problem(problem) => f.write_str(&problem.message),
            QueryError::OutOfMemory(_) => write!(f, "this needs more memory than the engine's `memory_limit`"),
            QueryError::Engine(text) => write!(f, "the query engine reported: {text}"),
        }
    }
}

impl std::error::Error for QueryError {}

impl QueryError {
    /// An error of a column operation.
    pub fn from_arrow(error: datafusion::arrow::error::ArrowError) -> Self {
        DataFusionError::from(error).into()
    }
}

impl From<DataFusionError> for QueryError {
    fn from(error: DataFusionError) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(current) = cause {
            if let Some(row) = current.downcast_ref::<RowError>() {
                return QueryError::Value(row.clone());
            }
            if let Some(ours) = current.downcast_ref::<QueryError>() {
                return ours.clone();
            }
            if let Some(DataFusionError::ResourcesExhausted(text)) = current.downcast_ref::<DataFusionError>() {
                return QueryError::OutOfMemory(text.clone());
            }
            cause = match current.downcast_ref::<DataFusionError>() {
                // `source` skips the error in the box itself.
                Some(DataFusionError::External(inner)) => Some(inner.as_ref()),
                Some(DataFusionError::Shared(inner)) => Some(inner.as_ref()),
                _ => current.source(),
            };
        }
        QueryError::Engine(error.strip_backtrace())
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        let message = error.to_string();
        let at = |code, span: Option<Span>| match span {
            Some(span) => Problem::error(code, message.clone(), span),
            None => Problem::outside(code, message.clone()),
        };
        match &error {
            QueryError::Value(row) => at(run::BAD_VALUE, row.span)
                .help("guard the expression, for example `if n = 0 then null else total / n`"),
            QueryError::NotKept { span, .. } => at(run::NOT_KEPT, Some(*span))
                .help("read it before the population is frozen: add it with `with` in the segment"),
            QueryError::Unbound { span, .. } | QueryError::Unsupported { span, .. } => {
                at(run::CANNOT_PLAN, Some(*span))
            }
            QueryError::Source(_) => at(run::UNREADABLE_ROWS, None),
            QueryError::Problem(problem) => (**problem).clone(),
            QueryError::OutOfMemory(_) => {
                at(run::OUT_OF_MEMORY, None).help("raise `memory_limit` in the section `[engine]` of `orch.toml`")
            }
            QueryError::Engine(_) => at(run::ENGINE, None),
        }
    }
}
