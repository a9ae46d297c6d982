//! Tokens to trees. The only file that knows the parser generator.

use lalrpop_util::{ParseError, lalrpop_mod};

use super::build::{Build, Entry};
use super::token::Token;

lalrpop_mod!(
    #[allow(
        clippy::all,
        clippy::pedantic,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        missing_docs,
        unused,
        unused_qualifications,
        reason = "lalrpop writes this code"
    )]
    orch
);

/// Where the grammar gave up.
pub struct Rejected {
    /// How many tokens it had read, the unexpected one included.
    pub read: usize,
    /// Names of the terminals that would have been right.
    pub expected: Vec<String>,
}

/// Parses one statement or expression: the tokens begin with the marker that says which, and end with an end token.
pub fn parse(build: &Build<'_>, tokens: impl Iterator<Item = Token>) -> Result<Entry, Rejected> {
    let mut read = 0;
    let counted = tokens.inspect(|_| read += 1).map(|token| Ok((token.start, token, token.end)));
    let result = orch::EntryParser::new().parse(build, counted);
    result.map_err(|error| {
        let expected = match error {
            ParseError::UnrecognizedEof { expected, .. } | ParseError::UnrecognizedToken { expected, .. } => expected,
            ParseError::InvalidToken { .. } | ParseError::ExtraToken { .. } => Vec::new(),
            ParseError::User { error } => match error {},
        };
        Rejected { read, expected }
    })
}
