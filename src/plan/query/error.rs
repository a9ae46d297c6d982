//! What can go wrong while a population is planned or computed.

use std::fmt;

use datafusion::error::DataFusionError;

use crate::base::{SourceId, Span};
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
#[derive(Clone, PartialEq, Eq)]
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

/// What stands before the parts of a [`RowError`] in its debug text.
const MARK: &str = "RowError";

/// What, where as source, start and end, and in which row.
type Parts = (String, Option<(u32, u32, u32)>, Option<String>);

/// The engine keeps nothing but the debug text of an error in a filter that it evaluates while it reads a Parquet file.
/// So the text is one that can be read back.
impl fmt::Debug for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = self.span.map(|span| (span.source.0, span.start, span.end));
        let parts: Parts = (self.what.clone(), span, self.row.clone());
        write!(f, "{MARK}{}", serde_json::to_string(&parts).map_err(|_| fmt::Error)?)
    }
}

impl RowError {
    /// The first one whose debug text is part of a text.
    fn in_text(text: &str) -> Option<Self> {
        let (_, parts) = text.split_once(MARK)?;
        let (what, span, row) = serde_json::Deserializer::from_str(parts).into_iter::<Parts>().next()?.ok()?;
        let span = span.map(|(source, start, end)| Span::new(SourceId(source), start, end));
        Some(Self { what, span, row })
    }

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
        let text = error.strip_backtrace();
        match RowError::in_text(&text) {
            Some(row) => QueryError::Value(row),
            None => QueryError::Engine(text),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// As the engine reports a filter of a Parquet file.
    fn of_filter(error: RowError) -> QueryError {
        let text = format!("Error evaluating filter predicate: {:?}", error.raise());
        DataFusionError::Execution(text).into()
    }

    #[test]
    fn an_error_that_is_kept_as_a_text_is_read_back() {
        let span = Some(Span::new(SourceId(3), 17, 30));
        let row = Some("a \"b\" ]), RowError[\u{1b}".to_owned());
        for error in [
            RowError { what: "1 cannot be divided by zero".to_owned(), span, row },
            RowError { what: "the sum does not fit".to_owned(), span: None, row: None },
        ] {
            assert_eq!(of_filter(error.clone()), QueryError::Value(error));
        }
        let other = DataFusionError::Execution("RowError of somebody else".to_owned());
        assert!(matches!(QueryError::from(other), QueryError::Engine(_)));
    }
}
