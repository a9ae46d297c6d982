//! What can go wrong with a statement that writes, and what to say about it.

use crate::diag::{Code, Problem, codes::run};
use crate::runtime::error::RunError;

/// Why a statement could not write.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum DataError {
    #[error("`{path}` is not a place to write to: {why}")]
    Place { path: String, why: String, help: String },
    #[error("`{path}` cannot be written: {why}")]
    Export { path: String, why: String, help: String },
    #[error("`{path}`: there are no rows to write")]
    NoRows { path: String },
    #[error("`{path}` cannot be written: {reason}")]
    File { path: String, reason: String },
    #[error("an audience without a name cannot be saved")]
    NamelessAudience,
    #[error("`{path}` was changed by somebody else while it was written")]
    Changed { path: String },
}

impl DataError {
    fn code(&self) -> Code {
        match self {
            DataError::Place { .. } => run::EXPORT_PLACE,
            DataError::Export { .. } => run::BAD_EXPORT,
            DataError::NoRows { .. } => run::NO_ROWS,
            DataError::File { .. } => run::WRITE_FAILED,
            DataError::NamelessAudience => run::UNKNOWN_AUDIENCE,
            DataError::Changed { .. } => run::SOURCE_CHANGED,
        }
    }

    fn help(&self) -> String {
        match self {
            DataError::Place { help, .. } | DataError::Export { help, .. } => help.clone(),
            DataError::NoRows { .. } => "`if_empty: write` writes an empty file, `if_empty: skip` none".into(),
            DataError::File { .. } => {
                "check the folder's permissions and free space; the run goes on with `orch resume`".into()
            }
            DataError::NamelessAudience => "give it a name: `save vip as audience \"vip\"`".into(),
            DataError::Changed { .. } => "once nobody else writes to it, the run goes on with `orch resume`".into(),
        }
    }
}

impl From<DataError> for RunError {
    fn from(error: DataError) -> Self {
        RunError::Source(Box::new(Problem::outside(error.code(), error.to_string()).help(error.help())))
    }
}
