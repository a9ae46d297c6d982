//! Lints of expressions: correct but suspicious.

use super::{Checker, Scope};
use crate::base::Span;
use crate::diag::Problem;
use crate::diag::codes::lints as codes;
use crate::hir::{Query, QueryKind};
use crate::syntax::ast::{self, BinaryOp, Name};

/// A suspicious thing in an expression.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum ExprLint {
    /// `name` of some `rows` may be null, so that they are in neither side of a negative condition; `whole` is the
    /// condition as written.
    LostNulls {
        rows: String,
        name: String,
        ty: String,
        whole: Option<String>,
        operator: &'static str,
        span: Span,
    },
    /// A field of `row` hides a local, which can be reached as `qualified`.
    Shadowed {
        name: Name,
        row: String,
        qualified: Option<String>,
        declared: Span,
    },
    NeverNull {
        ty: String,
        why: &'static str,
        span: Span,
    },
    /// An aggregate over `of` in a clause of `row`.
    IgnoresRow {
        of: String,
        row: String,
        span: Span,
    },
    /// `a or b and c`; `group` is the `and` with its operands, `written` as text.
    Mixed {
        written: Option<String>,
        group: Span,
    },
    /// `text`: whether a text would stand in for it.
    NullInText {
        written: Option<String>,
        text: bool,
        span: Span,
    },
}

impl From<ExprLint> for Problem {
    fn from(lint: ExprLint) -> Self {
        match lint {
            ExprLint::LostNulls { rows, name, ty, whole, operator, span } => {
                let message = format!("{rows} whose {name} is unknown are in neither side of this `{operator}`");
                let problem = Problem::warning(codes::NULL_COMPARISON, message, span).label(format!("{name}: {ty}"));
                match whole {
                    Some(whole) => {
                        let replacement = format!("({whole} or {name} is null)");
                        problem.help(format!("write `{replacement}` to keep them")).fix(span, replacement)
                    }
                    None => problem.help(format!("add `or {name} is null` to keep them")),
                }
            }
            ExprLint::Shadowed { name, row, qualified, declared } => {
                let text = &name.text;
                let message = format!("`{text}` is the field of {row} here, and hides another `{text}`");
                let problem = Problem::warning(codes::SHADOWED_NAME, message, name.span).also(declared, "this one");
                match qualified {
                    Some(other) => {
                        problem.help(format!("write `{row}.{text}` for the field, or `{other}` for the other"))
                    }
                    None => problem.help(format!("write `{row}.{text}` for the field, or give the other another name")),
                }
            }
            ExprLint::NeverNull { ty, why, span } => {
                Problem::warning(codes::NEVER_NULL, format!("this is never null, so {why}"), span)
                    .label(ty)
                    .help("leave it out, or declare the field with `?`")
            }
            ExprLint::IgnoresRow { of, row, span } => {
                let message = format!("this is the same for every row of {row}: it is about all of {of}");
                Problem::warning(codes::IGNORES_ROW, message, span).help(format!(
                    "compare with the row, as in `{of} where ... = {row}.FIELD`, or bind it before with `let`"
                ))
            }
            ExprLint::Mixed { written, group } => {
                let message = "`and` binds tighter than `or`, which people overlook";
                let problem =
                    Problem::warning(codes::MIXED_AND_OR, message, group).label("what `and` joins belongs together");
                match written {
                    Some(written) => {
                        let help = format!("write `{written}` if that is meant, or put parentheses around the `or`");
                        problem.help(help).fix(group, written)
                    }
                    None => problem.help("put it into parentheses if that is meant, or write other parentheses"),
                }
            }
            ExprLint::NullInText { written, text, span } => {
                let problem = Problem::warning(codes::NULL_IN_TEXT, "this may be null, and is empty then", span);
                match written {
                    Some(written) if text => {
                        problem.help(format!("say what stands there then: `{{{written} ?? \"...\"}}`"))
                    }
                    _ => problem.help("say what stands there then, with `??`"),
                }
            }
        }
    }
}

impl Checker<'_> {
    /// Warns about an `and` beside an `or` without parentheses, once for each `or`.
    pub(super) fn lint_mixed(&mut self, op: BinaryOp, sides: [&ast::Expr; 2]) {
        let is_and = |side: &ast::Expr| matches!(side.kind, ast::ExprKind::Binary { op: BinaryOp::And, .. });
        let [left, right] = sides;
        if op != BinaryOp::Or || !(is_and(left) || is_and(right)) {
            return;
        }
        let side = |side: &ast::Expr| {
            super::expr::written(side).map(|text| if is_and(side) { format!("({text})") } else { text })
        };
        let (group, written) = match (is_and(left), is_and(right)) {
            (true, true) => {
                let both = side(left).zip(side(right)).map(|(left, right)| format!("{left} or {right}"));
                (left.span.to(right.span), both)
            }
            (true, false) => (left.span, side(left)),
            _ => (right.span, side(right)),
        };
        self.report(ExprLint::Mixed { written, group });
    }

    /// Warns about an aggregate in a clause that has nothing to do with the clause's row. `written` names the rows.
    pub(super) fn lint_ignored_row(&mut self, query: &Query, written: &ast::Expr, scope: &Scope) {
        let Some(row) = scope.rows.last() else { return };
        let is_population = matches!(base(query).kind, QueryKind::Entity(_) | QueryKind::Local(_));
        let rows: Vec<_> = scope.rows.iter().map(|row| row.row).collect();
        if is_population && !query.ty.is_error() && !query.looks_at(&rows) {
            let of = super::expr::written(written).unwrap_or_else(|| self.entity_name(query.ty.entity).to_owned());
            let row = row.name.clone();
            self.report(ExprLint::IgnoresRow { of, row, span: written.span });
        }
    }
}

/// What a population is made from.
fn base(query: &Query) -> &Query {
    match query.input() {
        Some(input) => base(input),
        None => query,
    }
}
