//! What is correct but suspicious about the values of rows, texts and moments.

use super::Lint;
use crate::base::Span;
use crate::diag::Problem;
use crate::diag::codes::lints as codes;

/// A suspicious value.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum ValueLint {
    /// `{{name}}`
    DoubleBraces { name: String, span: Span },
    /// Marks of another template language: `%name%`, `<%= name %>`.
    ForeignHole { written: String, name: Option<String>, span: Span },
    /// `rows` of which `name` may be null go into the arm `otherwise`.
    NullIntoOtherwise { rows: String, name: String, otherwise: String, span: Span },
    /// `rows` whose key `name` may be null are all kept by `dedupe`.
    NullKey { rows: String, name: String, span: Span },
    /// A condition on a column of a population that was taken before a wait.
    FrozenFilter { population: String, entity: String, span: Span, taken: Span, waited: Span },
    /// A file that later runs of the same day replace.
    ReplacedExport { span: Span, often: Span },
    /// `= now()`, `wait until now()`: `why` says what comes of it.
    NowMisused { why: &'static str, help: String, span: Span, fix: Option<String> },
}

impl From<ValueLint> for Lint {
    fn from(lint: ValueLint) -> Self {
        Lint::Value(lint)
    }
}

impl From<ValueLint> for Problem {
    fn from(lint: ValueLint) -> Self {
        use ValueLint::*;
        match lint {
            DoubleBraces { name, span } => {
                let text = format!("`{name}` is plain text here, no value is put in");
                Problem::warning(codes::DOUBLE_BRACES, text, span)
                    .help(format!("write `{{{name}}}`, with single braces, in a string in double quotes"))
            }
            ForeignHole { written, name, span } => {
                let text = format!("`{written}` is plain text here, no value is put in");
                let name = name.unwrap_or_else(|| "FIELD".to_owned());
                Problem::warning(codes::DOUBLE_BRACES, text, span)
                    .help(format!("write `{{{name}}}`, with single braces, in a string in double quotes"))
            }
            NullIntoOtherwise { rows, name, otherwise, span } => {
                let text = format!("{rows} whose {name} is unknown go into `{otherwise}`, the `otherwise`");
                Problem::warning(codes::NULL_COMPARISON, text, span).help(format!(
                    "give them an arm of their own, `where {name} is null`, or add `or {name} is null` here"
                ))
            }
            NullKey { rows, name, span } => {
                let text = format!("{rows} whose {name} is unknown are duplicates of nobody, so each of them stays");
                Problem::warning(codes::NULL_KEY, text, span)
                    .label(format!("{name} may be null"))
                    .help(format!("leave them out before: `where {name} is not null`"))
            }
            FrozenFilter { population, entity, span, taken, waited } => {
                let text = format!("this looks at `{population}` as it was before the wait");
                Problem::warning(codes::FROZEN_FILTER, text, span)
                    .also(taken, "taken here, with its columns")
                    .also(waited, "the wait")
                    .help(format!("for the values of now write `{population} intersect ({entity} where ...)`"))
            }
            ReplacedExport { span, often } => Problem::warning(
                codes::REPLACED_EXPORT,
                "runs of the same day write this file one over the other",
                span,
            )
            .also(often, "several runs a day")
            .help("put the time into its name, `{format_date(now(), \"%Y-%m-%d-%H%M\")}`, or write `append: true`"),
            NowMisused { why, help, span, fix } => {
                let problem = Problem::warning(codes::NOW_MISUSED, why, span).help(help);
                match fix {
                    Some(fix) => problem.fix(span, fix),
                    None => problem,
                }
            }
        }
    }
}
