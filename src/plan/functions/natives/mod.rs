//! Natives of the standard library, by the name under which it registers them (`builtin "NAME"`).

mod convert;
mod distance;
mod mixed;
mod moments;
mod numbers;
mod parts;
mod texts;

use datafusion::logical_expr::{Expr, lit};
use datafusion::scalar::ScalarValue;

pub(crate) use mixed::wants_one_type;

use super::{Context, Native, call, safe_call};
use crate::plan::query::values;

/// The call of a native; `None` for a name that is not registered.
pub(crate) fn native(name: &str, mut args: Vec<Expr>, context: &Context) -> Option<Expr> {
    let find = |natives: &'static [Native]| natives.iter().find(|native| native.name == name);
    if let Some(native) = find(texts::NATIVES).or(find(numbers::NATIVES)) {
        return Some(safe_call(native, args));
    }
    if let Some(native) = find(parts::NATIVES).or(find(numbers::FALLIBLE)) {
        return Some(call(native, args, context));
    }
    // These end with the campaign's zone and today.
    if let Some(native) = find(moments::NATIVES).or(find(distance::NATIVES)).or(find(convert::NATIVES)) {
        args.push(lit(context.zone.as_str()));
        args.push(Expr::Literal(ScalarValue::Date32(Some(values::days(context.today))), None));
        return Some(call(native, args, context));
    }
    mixed::build(name, args, context)
}

/// Whether a native fails for some values.
pub(crate) fn may_fail(name: &str) -> bool {
    let named = |natives: &[Native]| natives.iter().any(|native| native.name == name);
    let other = matches!(name, "format_number" | "format_date" | "timestamp" | "truncate_time");
    other || named(parts::NATIVES) || named(numbers::FALLIBLE)
}

/// True for a name that [`native`] knows, whatever its arguments.
#[cfg(test)]
pub(crate) fn is_registered(name: &str) -> bool {
    let context = Context { zone: "UTC".to_owned(), ..Context::nowhere() };
    (0..6).any(|args| native(name, vec![lit("x"); args], &context).is_some())
}
