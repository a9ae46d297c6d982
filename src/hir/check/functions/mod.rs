//! The functions of the standard library, as the checker knows them.
//!
//! The declarations in `stdlib/prelude.orch` are the one place that says which natives there are. Their first lines
//! are read here without the parser: that takes microseconds, and names are needed before anything is parsed. A test
//! of the library compares both readings.

mod other_names;
mod special;

use std::collections::HashMap;
use std::sync::OnceLock;

pub(crate) use other_names::other_name;
pub(crate) use special::result as special_result;

use crate::hir::{AggregateFn, TyKind, Value};

const PRELUDE: &str = include_str!("../../../../stdlib/prelude.orch");

/// A native function.
#[derive(Debug)]
pub(crate) struct Native {
    /// Its name in scripts and in [`ExprKind::Call`](crate::hir::ExprKind::Call).
    pub name: &'static str,
    pub params: Vec<NativeParam>,
    pub result: Shape,
    /// The result may be null even where no argument is.
    pub may_be_null: bool,
    /// As declared, for help texts: `left(s: text, n: int): text`.
    pub usage: String,
}

/// A parameter of a native.
#[derive(Debug)]
pub(crate) struct NativeParam {
    pub name: &'static str,
    pub shape: Shape,
    pub default: Option<NativeDefault>,
}

/// What stands for an argument that is left out.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum NativeDefault {
    Value(Value),
    Today,
}

/// What a native takes or gives.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Shape {
    Kind(TyKind),
    /// `int`, `decimal`, `float` or `percent`; as a result: that of the first argument.
    Number,
    /// A date or a timestamp; as a result: that of the first argument.
    Moment,
    /// Anything printable; as a result: see [`special`].
    Any,
    /// A list of anything. As the only parameter: any number of arguments.
    Values,
}

/// The native with this name.
pub(crate) fn native(name: &str) -> Option<&'static Native> {
    natives().get(name)
}

/// All natives by name.
pub(crate) fn natives() -> &'static HashMap<&'static str, Native> {
    static NATIVES: OnceLock<HashMap<&'static str, Native>> = OnceLock::new();
    NATIVES.get_or_init(|| {
        let declarations = PRELUDE.split("\ndefine ").skip(1);
        declarations.filter_map(declaration).map(|native| (native.name, native)).collect()
    })
}

/// Words that look like functions and are part of the language.
pub(crate) const WORDS: &[&str] = &["exists", "ago", "now", "today"];

/// The aggregate with this name.
pub(crate) fn aggregate(name: &str) -> Option<AggregateFn> {
    AGGREGATES.iter().find(|(known, _)| *known == name).map(|(_, function)| *function)
}

/// Names of all that can be called, for suggestions.
pub(crate) fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = natives().keys().copied().collect();
    names.extend(AGGREGATES.iter().map(|(name, _)| *name));
    names.extend(WORDS);
    names.sort_unstable();
    names
}

const AGGREGATES: &[(&str, AggregateFn)] = &[
    ("count", AggregateFn::Count),
    ("count_distinct", AggregateFn::CountDistinct),
    ("sum", AggregateFn::Sum),
    ("avg", AggregateFn::Avg),
    ("min", AggregateFn::Min),
    ("max", AggregateFn::Max),
    ("first", AggregateFn::First),
    ("list", AggregateFn::List),
    ("string_agg", AggregateFn::StringAgg),
    ("stddev", AggregateFn::StdDev),
    ("median", AggregateFn::Median),
    ("percentile", AggregateFn::Percentile),
];

/// Reads `NAME(PARAM: TYPE [= DEFAULT], ...): TYPE = builtin "NAME"`, on one line or with a line for each parameter.
fn declaration(text: &'static str) -> Option<Native> {
    let (usage, _) = text.split_once(" = builtin ")?;
    let (name, rest) = usage.split_once('(')?;
    let (params, result) = rest.rsplit_once("): ")?;
    let params = split_params(params);
    let usage = format!("{name}({}): {result}", params.join(", "));
    let params = params.into_iter().filter_map(parameter).collect();
    Some(Native { name, params, result: shape(result), may_be_null: result.ends_with('?'), usage })
}

/// Splits at the commas outside quotes.
fn split_params(params: &'static str) -> Vec<&'static str> {
    let mut quoted = false;
    let comma = |letter| {
        quoted ^= letter == '"';
        letter == ',' && !quoted
    };
    params.split(comma).map(str::trim).filter(|param| !param.is_empty()).collect()
}

fn parameter(text: &'static str) -> Option<NativeParam> {
    let (name, rest) = text.split_once(": ")?;
    let (ty, default) = match rest.split_once(" = ") {
        Some((ty, default)) => (ty, Some(default_value(default))),
        None => (rest, None),
    };
    Some(NativeParam { name, shape: shape(ty), default })
}

fn shape(ty: &str) -> Shape {
    match ty.trim_end_matches('?') {
        "number" => Shape::Number,
        "moment" => Shape::Moment,
        "any" => Shape::Any,
        "list of any" => Shape::Values,
        name => TyKind::named(name).map_or(Shape::Any, Shape::Kind),
    }
}

fn default_value(text: &str) -> NativeDefault {
    NativeDefault::Value(match text {
        "null" => Value::Null,
        "today()" => return NativeDefault::Today,
        "00:00" => Value::Time(jiff::civil::Time::midnight()),
        number if number.parse::<i64>().is_ok() => Value::Int(number.parse().unwrap_or(0)),
        quoted => Value::Text(quoted.trim_matches('"').to_owned()),
    })
}

#[cfg(test)]
mod tests;
