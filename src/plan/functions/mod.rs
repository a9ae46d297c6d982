//! Functions that the engine calls: arithmetic that never wraps, time in named zones, stable hashing, and the natives
//! of the standard library.
//!
//! Each is a `Native`: a name, a result type and a computation over columns. `Function` is the one adapter that makes
//! them functions of the engine.

mod arithmetic;
mod call;
mod digests;
mod first;
mod natives;
mod order;
mod statistics;
#[cfg(test)]
mod tests;
mod text;
mod ticket;
mod time;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, new_empty_array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
    when,
};
use datafusion::scalar::ScalarValue;

use super::query::values;
use crate::base::Span;

use call::Call;
pub(crate) use first::first;
pub(crate) use natives::{may_fail, native, wants_one_type};
pub(crate) use statistics::Statistic;
pub use ticket::{ticket, ticket_threshold};

/// An operation on numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// Where a function is called.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// The expression, for errors.
    pub span: Option<Span>,
    /// The row's key, for errors.
    pub key: Vec<Expr>,
    /// Where the value counts; elsewhere it is null and cannot fail.
    pub guard: Option<Expr>,
    /// The campaign's zone.
    pub zone: String,
    /// The date of the statement in that zone.
    pub today: jiff::civil::Date,
}

impl Context {
    /// No place: for what cannot fail and knows no time.
    fn nowhere() -> Self {
        Self { span: None, key: Vec::new(), guard: None, zone: String::new(), today: jiff::civil::Date::ZERO }
    }
}

/// A function over columns.
#[derive(Debug)]
struct Native {
    /// What plans show. Unique.
    name: &'static str,
    /// The type of the result.
    returns: fn(&Given<'_>) -> DataType,
    /// The result.
    compute: fn(&Call<'_>) -> Result<ArrayRef>,
}

/// What is known of a call's arguments before it runs.
struct Given<'g> {
    types: &'g [DataType],
    /// Values of arguments that are constants.
    constants: &'g [Option<&'g ScalarValue>],
}

impl Given<'_> {
    /// The type of an argument; null for one that is not there.
    fn ty(&self, at: usize) -> DataType {
        self.types.get(at).cloned().unwrap_or(DataType::Null)
    }

    /// An argument that is a constant int.
    fn constant_int(&self, at: usize) -> Option<i64> {
        match self.constants.get(at)? {
            Some(ScalarValue::Int64(value)) => *value,
            _ => None,
        }
    }
}

/// A native at a place in the program. The first `args` arguments are the native's, the others are the row's key.
#[derive(Debug)]
struct Function {
    native: &'static Native,
    args: usize,
    span: Option<Span>,
    signature: Signature,
    nesting: Nesting,
}

/// How deep calls stand in calls. The engine names each call by its arguments, again and again; that names of names grow
/// with each level would cost the cube of the levels, so from some level on a name is a digest.
#[derive(Debug)]
struct Nesting {
    levels: u32,
    digest: Option<u64>,
}

/// Levels whose names are written out.
const NAMED_LEVELS: u32 = 12;

impl Nesting {
    /// That of a call with these arguments.
    fn of(native: &Native, args: &[Expr]) -> Self {
        let levels = 1 + args.iter().map(levels).max().unwrap_or(0);
        let digest = (levels > NAMED_LEVELS).then(|| {
            let mut hasher = DefaultHasher::new();
            (native.name, args).hash(&mut hasher);
            hasher.finish()
        });
        Self { levels, digest }
    }
}

/// The levels of calls in an expression.
fn levels(expr: &Expr) -> u32 {
    let mut most = 0;
    let walked = expr.apply(|part| match part {
        Expr::ScalarFunction(call) => match call.func.inner().downcast_ref::<Function>() {
            Some(function) => {
                most = most.max(function.nesting.levels);
                Ok(TreeNodeRecursion::Jump)
            }
            None => Ok(TreeNodeRecursion::Continue),
        },
        _ => Ok(TreeNodeRecursion::Continue),
    });
    // Walking fails only where the closure does.
    walked.map_or(0, |_| most)
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.native.name == other.native.name && self.args == other.args && self.span == other.span
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.native.name, self.args, self.span).hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.native.name
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let args = match self.nesting.digest {
            Some(digest) => format!("#{digest:016x}"),
            None => args.iter().map(|arg| arg.schema_name().to_string()).collect::<Vec<_>>().join(","),
        };
        Ok(format!("{}({args})", self.native.name))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok((self.native.returns)(&Given { types: &types[..self.args.min(types.len())], constants: &[] }))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let types: Vec<DataType> =
            args.arg_fields.iter().take(self.args).map(|field| field.data_type().clone()).collect();
        let given = Given { types: &types, constants: args.scalar_arguments };
        Ok(Arc::new(Field::new(self.native.name, (self.native.returns)(&given), true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        if rows == 0 {
            return Ok(ColumnarValue::Array(new_empty_array(args.return_field.data_type())));
        }
        let columns = args.args.iter().map(|arg| plain_text(arg.to_array(rows)?)).collect::<Result<Vec<_>>>()?;
        let (given, key) = columns.split_at(self.args.min(columns.len()));
        let returns = args.return_field.data_type();
        let call = Call { args: given, returns, rows, key, span: self.span };
        let result = (self.native.compute)(&call)?;
        match constant {
            true => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?)),
            false => Ok(ColumnarValue::Array(result)),
        }
    }
}

/// Text in the one form that natives read.
fn plain_text(column: ArrayRef) -> Result<ArrayRef> {
    match column.data_type() {
        DataType::Utf8View | DataType::LargeUtf8 => Ok(cast(&column, &DataType::Utf8)?),
        _ => Ok(column),
    }
}

/// A call of a native as an expression.
fn call(native: &'static Native, args: Vec<Expr>, context: &Context) -> Expr {
    let signature = Signature::variadic_any(Volatility::Immutable);
    let given = args.len();
    let mut all = args;
    // What depends on no row is computed once, before any row is read, so that sources can use it to skip rows.
    if all.iter().any(|arg| !arg.column_refs().is_empty()) {
        // A function of a null is null.
        if let (Some(guard), Some(first)) = (&context.guard, all.first_mut())
            && let Ok(guarded) = when(guard.clone(), first.clone()).end()
        {
            *first = guarded;
        }
        all.extend(context.key.iter().cloned());
    }
    let nesting = Nesting::of(native, &all);
    let function = Function { native, args: given, span: context.span, signature, nesting };
    ScalarUDF::new_from_impl(function).call(all)
}

/// A call that cannot fail for a row.
fn safe_call(native: &'static Native, args: Vec<Expr>) -> Expr {
    call(native, args, &Context::nowhere())
}

/// `left op right` on numbers: exact for whole and decimal numbers, an error where the result does not fit.
pub(crate) fn arithmetic(op: Arithmetic, left: Expr, right: Expr, context: &Context) -> Expr {
    call(arithmetic::native(op), vec![left, right], context)
}

/// A decimal without a fraction as an int.
pub(crate) fn to_int(value: Expr, context: &Context) -> Expr {
    call(&arithmetic::TO_INT, vec![value], context)
}

/// A whole or decimal number as a decimal with so many digits behind the point, which has at least as many as before.
pub(crate) fn rescaled(value: Expr, scale: i8, context: &Context) -> Expr {
    let like = lit(ScalarValue::Decimal128(None, MAX_DIGITS, scale));
    call(&arithmetic::RESCALE, vec![value, like], context)
}

/// A date, time or timestamp, and a duration: months and days by the calendar of the zone, seconds exact.
pub(crate) fn shift(moment: Expr, duration: Expr, context: &Context) -> Expr {
    call(&time::SHIFT, vec![moment, duration, lit(context.zone.as_str())], context)
}

/// The time between two moments: days between dates, seconds between instants.
pub(crate) fn elapsed(later: Expr, earlier: Expr, context: &Context) -> Expr {
    call(&time::ELAPSED, vec![later, earlier], context)
}

/// The sum of two durations.
pub(crate) fn add_durations(left: Expr, right: Expr, context: &Context) -> Expr {
    call(&time::ADD, vec![left, right], context)
}

/// A duration times a whole number.
pub(crate) fn scale_duration(duration: Expr, times: Expr, context: &Context) -> Expr {
    call(&time::SCALE, vec![duration, times], context)
}

/// A duration the other way.
pub(crate) fn negate_duration(duration: Expr, context: &Context) -> Expr {
    scale_duration(duration, lit(-1i64), context)
}

/// Any value as a person writes it; timestamps in the zone. Null stays null.
pub(crate) fn text(value: Expr, zone: &str) -> Expr {
    safe_call(&text::TEXT, vec![value, lit(zone)])
}

/// A stable pseudo-random number of a row: [`ticket`] of its key.
pub(crate) fn ticket_expr(seed: &str, key: Vec<Expr>) -> Expr {
    safe_call(&ticket::TICKET, std::iter::once(lit(seed)).chain(key).collect())
}

/// A sum in the type it was added up in, as a decimal; an error where it does not fit.
pub(crate) fn narrowed(sum: Expr, context: &Context) -> Expr {
    call(&arithmetic::NARROW, vec![sum], context)
}

/// A statistic of a sorted list of numbers.
pub(crate) fn statistic(statistic: Statistic, sorted: Expr, share: Option<Expr>, context: &Context) -> Expr {
    call(statistics::native(statistic), std::iter::once(sorted).chain(share).collect(), context)
}

/// Lists in the order of their keys; without keys the values themselves are what orders them.
pub(crate) fn in_order(gathered: Expr, descending: &[bool]) -> Expr {
    let order: String = descending.iter().map(|descending| if *descending { 'd' } else { 'a' }).collect();
    safe_call(&order::IN_ORDER, vec![gathered, lit(order)])
}

/// Decimal digits that a value may have.
const MAX_DIGITS: u8 = values::MAX_DIGITS;
