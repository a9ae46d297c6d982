//! Natives on values of many types: built from functions of the engine.

use datafusion::arrow::datatypes::DataType;
use datafusion::functions::core::expr_fn::{coalesce, greatest, least, nullif};
use datafusion::functions::regex::expr_fn::{regexp_like, regexp_match, regexp_replace};
use datafusion::functions::string::expr_fn::{concat, concat_ws};
use datafusion::functions_nested::expr_fn::{array_element, array_to_string, cardinality};
use datafusion::logical_expr::{Expr, cast, lit, when};

use super::super::{Arithmetic, Context, arithmetic, text};

/// True for natives whose arguments and result are of one type.
pub(crate) fn wants_one_type(name: &str) -> bool {
    matches!(name, "coalesce" | "greatest" | "least" | "null_if")
}

/// The call of a native; `None` for a name or a number of arguments that is not known.
pub(super) fn build(name: &str, args: Vec<Expr>, context: &Context) -> Option<Expr> {
    let shown = |args: Vec<Expr>| args.into_iter().map(|arg| text(arg, &context.zone)).collect::<Vec<_>>();
    let mut given = args.clone().into_iter();
    Some(match name {
        "coalesce" if !args.is_empty() => coalesce(args),
        "greatest" if !args.is_empty() => greatest(args),
        "least" if !args.is_empty() => least(args),
        "null_if" => nullif(given.next()?, given.next()?),
        "all_present" if !args.is_empty() => {
            let there = shown(args).into_iter().map(|value| value.clone().is_not_null().and(value.not_eq(lit(""))));
            there.reduce(Expr::and)?.is_true()
        }
        "concat" if !args.is_empty() => concat(shown(args)),
        "join_words" if !args.is_empty() => {
            let words = shown(args).into_iter().map(|word| nullif(word, lit(""))).collect();
            concat_ws(lit(" "), words)
        }
        "size" => cast(cardinality(given.next()?), DataType::Int64),
        "element" => array_element(given.next()?, given.next()?),
        "join" => array_to_string(given.next()?, given.next()?),
        "matches" => regexp_like(given.next()?, given.next()?, None),
        "extract" => extract(given.next()?, given.next()?, given.next()?, context),
        "replace_matches" => {
            let (value, pattern, new) = (given.next()?, given.next()?, given.next()?);
            regexp_replace(value, pattern, new, Some(lit("g")))
        }
        _ => return None,
    })
}

/// The engine gives a list of groups, or of the whole match where there are none. With one more group around the whole
/// pattern, group 0 is always the first.
fn extract(value: Expr, pattern: Expr, group: Expr, context: &Context) -> Expr {
    let pattern = concat(vec![lit("("), pattern, lit(")")]);
    let groups = regexp_match(value, pattern, None);
    let place = arithmetic(Arithmetic::Add, group.clone(), lit(1i64), context);
    let found = array_element(groups, place);
    // A negative group would count from the end.
    when(group.gt_eq(lit(0i64)), found.clone()).end().unwrap_or(found)
}
