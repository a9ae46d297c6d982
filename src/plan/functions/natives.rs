//! Natives of the standard library, by the name under which it registers them.

use datafusion::functions::{string, unicode};
use datafusion::logical_expr::Expr;

use super::Context;

/// The call of a native; `None` for a name that is not registered.
pub(crate) fn native(name: &str, args: Vec<Expr>, context: &Context) -> Option<Expr> {
    let _ = context;
    let mut args = args.into_iter();
    Some(match name {
        "lower" => string::expr_fn::lower(args.next()?),
        "upper" => string::expr_fn::upper(args.next()?),
        "trim" => string::expr_fn::trim(args.collect()),
        "length" => unicode::expr_fn::character_length(args.next()?),
        _ => return None,
    })
}
