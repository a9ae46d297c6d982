//! Layer 1: text to tree.
//!
//! ```text
//! text ─lexer─▶ tokens ─layout─▶ tokens with ends and keywords ─recover, parser─▶ ast
//!        │                                                        (grammar/orch.lalrpop, actions in build)
//!        └─▶ trivia: comments, for the formatter and for lints
//! ```
//!
//! Nothing here fails: every text has a tree, with error nodes where it could not be understood, and a list of problems.

pub mod ast;
mod build;
mod error;
mod explain;
pub(crate) mod layout;
mod lexer;
mod literal;
mod parser;
mod recover;
mod strings;
pub(crate) mod token;
mod trivia;

#[cfg(test)]
mod tests;

pub use error::SyntaxError;
pub use layout::MAX_DEPTH;
pub use token::{WordClass, words};
pub use trivia::{Comment, Trivia};

use crate::base::{SourceId, Span};
use crate::diag::Problems;
use build::Build;
use layout::{Inside, Layout};
use lexer::Lexed;
use recover::Driver;

/// A text that has been read.
#[derive(Clone, PartialEq, Debug)]
pub struct Parsed {
    /// The tree; statements that were not understood are [`ast::StmtKind::Error`].
    pub file: ast::File,
    /// What was wrong, in order of place.
    pub problems: Problems,
    /// The comments.
    pub trivia: Trivia,
}

/// Reads a whole script.
pub fn parse(source: SourceId, text: &str) -> Parsed {
    let Some(span) = whole(source, text) else { return too_long(source) };
    let (mut lexed, mut laid_out) = prepare(source, text, Inside::Block);
    let known = take_problems(&mut lexed, &mut laid_out);
    let build = Build::new(source, text, &lexed.values, &lexed.docs);
    let mut driver = Driver::new(source, text, &laid_out, build, &known);
    let stmts = driver.statements();
    let gaps = driver.gaps();
    let problems = all_problems(driver, known);
    Parsed { file: ast::File { stmts, span, gaps }, problems, trivia: lexed.trivia }
}

/// Reads a text that is one expression, as the command line and the REPL take them. `None` for an empty text.
pub fn parse_expression(source: SourceId, text: &str) -> (Option<ast::Expr>, Problems) {
    if whole(source, text).is_none() {
        return (None, too_long(source).problems);
    }
    let (mut lexed, mut laid_out) = prepare(source, text, Inside::Expression);
    let known = take_problems(&mut lexed, &mut laid_out);
    let build = Build::new(source, text, &lexed.values, &lexed.docs);
    let mut driver = Driver::new(source, text, &laid_out, build, &known);
    let expr = driver.expression();
    (expr, all_problems(driver, known))
}

/// True when more text could make this right: a bracket or block is open at its end, or its last statement or
/// expression needs more. For the REPL.
pub fn is_incomplete(text: &str) -> bool {
    let source = SourceId(0);
    if whole(source, text).is_none() {
        return false;
    }
    let first = text.split(|c: char| !c.is_alphanumeric() && c != '_').find(|word| !word.is_empty());
    let is_statement = first.is_some_and(|word| token::statement(word).is_some());
    let inside = if is_statement { Inside::Block } else { Inside::Expression };
    let (mut lexed, mut laid_out) = prepare(source, text, inside);
    if lexed.open_block || laid_out.open_at_end {
        return true;
    }
    let known = take_problems(&mut lexed, &mut laid_out);
    let build = Build::new(source, text, &lexed.values, &lexed.docs);
    let mut driver = Driver::new(source, text, &laid_out, build, &known);
    if is_statement {
        driver.statements();
    } else {
        driver.expression();
    }
    known.is_empty() && driver.rejected_end == Some(true)
}

/// A date, time or timestamp as it has to be written, from one in whatever order or form; `None` for other texts.
pub(crate) fn respelled_moment(text: &str) -> Option<String> {
    let first = text.chars().next()?;
    if !first.is_ascii_digit() || text.len() > 32 {
        return None;
    }
    let joined = text.replacen(' ', "T", 1);
    match literal::read(&joined) {
        Ok(
            ast::Literal::Date(_)
            | ast::Literal::Time(_)
            | ast::Literal::LocalTimestamp(_)
            | ast::Literal::Timestamp(_),
        ) => Some(joined),
        Ok(_) => None,
        Err(fault) => fault.fix.filter(|fix| fix.contains(['-', ':'])),
    }
}

/// The tokens of a text, for the formatter.
pub(crate) struct Scanned {
    pub tokens: Vec<token::Token>,
    pub units: Vec<layout::Unit>,
    pub docs: std::collections::HashMap<u32, ast::Doc>,
    pub trivia: Trivia,
}

/// The places of a text's tokens, as ranges of bytes; for those who test the lexer with any text.
pub fn token_places(text: &str) -> Vec<std::ops::Range<usize>> {
    let scanned = scan(SourceId(0), text);
    scanned.tokens.iter().map(|token| token.start as usize..token.end as usize).collect()
}

/// Reads a whole script up to the point before parsing.
pub(crate) fn scan(source: SourceId, text: &str) -> Scanned {
    let (lexed, laid_out) = prepare(source, text, Inside::Block);
    Scanned { tokens: laid_out.tokens, units: laid_out.units, docs: lexed.docs, trivia: lexed.trivia }
}

fn prepare(source: SourceId, text: &str, inside: Inside) -> (Lexed, Layout) {
    let lexed = lexer::lex(source, text);
    let laid_out = layout::layout(source, text, &lexed.tokens, &lexed.problems, inside);
    (lexed, laid_out)
}

fn take_problems(lexed: &mut Lexed, laid_out: &mut Layout) -> Problems {
    let mut known = std::mem::take(&mut lexed.problems);
    known.extend(std::mem::take(&mut laid_out.problems));
    known
}

fn all_problems(driver: Driver<'_>, mut known: Problems) -> Problems {
    known.extend(driver.problems);
    known.finish();
    known
}

/// The span of the whole text, if spans can count it.
fn whole(source: SourceId, text: &str) -> Option<Span> {
    u32::try_from(text.len()).ok().map(|end| Span::new(source, 0, end))
}

fn too_long(source: SourceId) -> Parsed {
    let span = Span::new(source, 0, 0);
    let mut problems = Problems::new();
    problems.push(SyntaxError::TooLong { span });
    Parsed {
        file: ast::File { stmts: Vec::new(), span, gaps: ast::Gaps::default() },
        problems,
        trivia: Trivia::default(),
    }
}
