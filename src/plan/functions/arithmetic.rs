//! Arithmetic on numbers that is exact or fails, and never wraps. Dividing by zero fails as well.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Float64Array, Int64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, Float64Type, Int64Type, i256};
use datafusion::common::Result;

use super::{Arithmetic, Call, MAX_DIGITS, Native};

/// Digits behind the point that a product or quotient keeps at most, unless an operand has more.
const MAX_SCALE: i8 = 18;
/// Digits that a quotient has beyond its operands.
const QUOTIENT_DIGITS: i8 = 6;

static ADD: Native = Native {
    name: "orch_add",
    returns: |given| result(Arithmetic::Add, given.types),
    compute: |call| compute(Arithmetic::Add, call),
};
static SUBTRACT: Native = Native {
    name: "orch_subtract",
    returns: |given| result(Arithmetic::Subtract, given.types),
    compute: |call| compute(Arithmetic::Subtract, call),
};
static MULTIPLY: Native = Native {
    name: "orch_multiply",
    returns: |given| result(Arithmetic::Multiply, given.types),
    compute: |call| compute(Arithmetic::Multiply, call),
};
static DIVIDE: Native = Native {
    name: "orch_divide",
    returns: |given| result(Arithmetic::Divide, given.types),
    compute: |call| compute(Arithmetic::Divide, call),
};

/// A decimal as an int; an error where it does not fit.
pub(super) static TO_INT: Native = Native { name: "orch_to_int", returns: |_| DataType::Int64, compute: to_int };

/// A wide decimal as one of the usual width; an error where it does not fit.
pub(super) static NARROW: Native = Native {
    name: "orch_narrow",
    returns: |given| DataType::Decimal128(MAX_DIGITS, scale(&given.ty(0))),
    compute: narrow,
};

/// A whole or decimal number with the scale of the second argument's type; an error where it does not fit.
pub(super) static RESCALE: Native = Native {
    name: "orch_rescale",
    returns: |given| DataType::Decimal128(MAX_DIGITS, scale(&given.ty(1))),
    compute: rescale,
};

pub(super) fn native(op: Arithmetic) -> &'static Native {
    match op {
        Arithmetic::Add => &ADD,
        Arithmetic::Subtract => &SUBTRACT,
        Arithmetic::Multiply => &MULTIPLY,
        Arithmetic::Divide => &DIVIDE,
    }
}

/// Ints stay ints except in a quotient, floats win over all, everything else is a decimal.
fn result(op: Arithmetic, types: &[DataType]) -> DataType {
    if types.iter().any(DataType::is_floating) {
        return DataType::Float64;
    }
    let decimal = types.iter().any(|ty| matches!(ty, DataType::Decimal128(..)));
    if !decimal && op != Arithmetic::Divide {
        return DataType::Int64;
    }
    let scales = types.iter().map(scale);
    let widest = scales.clone().max().unwrap_or(0);
    let scale = match op {
        Arithmetic::Add | Arithmetic::Subtract => widest,
        Arithmetic::Multiply => capped(scales.sum(), widest),
        Arithmetic::Divide => capped(widest + QUOTIENT_DIGITS, widest),
    };
    DataType::Decimal128(MAX_DIGITS, scale)
}

fn capped(scale: i8, widest: i8) -> i8 {
    if scale <= MAX_SCALE { scale } else { widest.max(MAX_SCALE) }
}

/// Digits behind the point of a numeric type.
pub(super) fn scale(ty: &DataType) -> i8 {
    match ty {
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => *scale,
        _ => 0,
    }
}

fn compute(op: Arithmetic, call: &Call<'_>) -> Result<ArrayRef> {
    match call.returns {
        DataType::Int64 => integers(op, call),
        DataType::Float64 => floats(op, call),
        _ => decimals(op, call),
    }
}

fn integers(op: Arithmetic, call: &Call<'_>) -> Result<ArrayRef> {
    let left = cast(&call.args[0], &DataType::Int64)?;
    let right = cast(&call.args[1], &DataType::Int64)?;
    let (left, right) = (left.as_primitive::<Int64Type>(), right.as_primitive::<Int64Type>());
    let row = |row: usize| {
        if left.is_null(row) || right.is_null(row) {
            return Ok(None);
        }
        let (left, right) = (left.value(row), right.value(row));
        let value = match op {
            Arithmetic::Add => left.checked_add(right),
            Arithmetic::Subtract => left.checked_sub(right),
            Arithmetic::Multiply | Arithmetic::Divide => left.checked_mul(right),
        };
        match value {
            Some(value) => Ok(Some(value)),
            None => call.fail(row, format!("{left} {} {right} does not fit into an int", sign(op))),
        }
    };
    Ok(Arc::new((0..call.rows).map(row).collect::<Result<Int64Array>>()?))
}

fn floats(op: Arithmetic, call: &Call<'_>) -> Result<ArrayRef> {
    let left = cast(&call.args[0], &DataType::Float64)?;
    let right = cast(&call.args[1], &DataType::Float64)?;
    let (left, right) = (left.as_primitive::<Float64Type>(), right.as_primitive::<Float64Type>());
    let row = |row: usize| {
        if left.is_null(row) || right.is_null(row) {
            return Ok(None);
        }
        let (left, right) = (left.value(row), right.value(row));
        let value = match op {
            Arithmetic::Add => left + right,
            Arithmetic::Subtract => left - right,
            Arithmetic::Multiply => left * right,
            Arithmetic::Divide if right == 0.0 => return by_zero(call, row, left),
            Arithmetic::Divide => left / right,
        };
        match value.is_finite() {
            true => Ok(Some(value)),
            false => call.fail(row, format!("{left} {} {right} does not fit into a float", sign(op))),
        }
    };
    Ok(Arc::new((0..call.rows).map(row).collect::<Result<Float64Array>>()?))
}

fn decimals(op: Arithmetic, call: &Call<'_>) -> Result<ArrayRef> {
    let (left, left_scale) = wide(&call.args[0])?;
    let (right, right_scale) = wide(&call.args[1])?;
    let (left, right) = (left.as_primitive::<Decimal128Type>(), right.as_primitive::<Decimal128Type>());
    let scale = scale(call.returns);
    let row = |row: usize| {
        if left.is_null(row) || right.is_null(row) {
            return Ok(None);
        }
        let (left, right) = (left.value(row), right.value(row));
        if op == Arithmetic::Divide && right == 0 {
            return by_zero(call, row, shown(left, left_scale));
        }
        match decimal(op, (left, left_scale), (right, right_scale), scale) {
            Some(value) => Ok(Some(value)),
            None => {
                let (left, right) = (shown(left, left_scale), shown(right, right_scale));
                call.fail(row, format!("{left} {} {right} does not fit into a decimal", sign(op)))
            }
        }
    };
    let values = (0..call.rows).map(row).collect::<Result<Decimal128Array>>()?;
    Ok(Arc::new(values.with_precision_and_scale(MAX_DIGITS, scale)?))
}

fn by_zero<T>(call: &Call<'_>, row: usize, left: impl std::fmt::Display) -> Result<T> {
    call.fail(row, format!("{left} cannot be divided by zero"))
}

/// Any whole or decimal column as decimals of its own scale.
fn wide(column: &ArrayRef) -> Result<(ArrayRef, i8)> {
    let scale = scale(column.data_type());
    let column = match column.data_type() {
        DataType::Decimal128(..) => Arc::clone(column),
        _ => cast(column, &DataType::Decimal128(MAX_DIGITS, 0))?,
    };
    Ok((column, scale))
}

/// The result with this scale; `None` where it has too many digits.
fn decimal(op: Arithmetic, left: (i128, i8), right: (i128, i8), scale: i8) -> Option<i128> {
    let (l, r) = (i256::from_i128(left.0), i256::from_i128(right.0));
    let value = match op {
        Arithmetic::Add => rescaled(l, scale - left.1)?.checked_add(rescaled(r, scale - right.1)?)?,
        Arithmetic::Subtract => rescaled(l, scale - left.1)?.checked_sub(rescaled(r, scale - right.1)?)?,
        Arithmetic::Multiply => rescaled(l.checked_mul(r)?, scale - left.1 - right.1)?,
        Arithmetic::Divide => {
            let up = scale + right.1 - left.1;
            match up >= 0 {
                true => quotient(rescaled(l, up)?, r)?,
                false => quotient(l, rescaled(r, -up)?)?,
            }
        }
    };
    value.to_i128().filter(|value| fits(*value))
}

/// Whether a number has no more digits than a decimal may have.
pub(super) fn fits(value: i128) -> bool {
    value.unsigned_abs() < 10u128.pow(u32::from(MAX_DIGITS))
}

fn rescale(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, given) = wide(&call.args[0])?;
    let values = values.as_primitive::<Decimal128Type>();
    let wanted = scale(call.returns);
    let row = |row: usize| {
        if values.is_null(row) {
            return Ok(None);
        }
        let value = values.value(row);
        match rescaled(i256::from_i128(value), wanted - given).and_then(i256::to_i128).filter(|value| fits(*value)) {
            Some(value) => Ok(Some(value)),
            None => call.fail(row, format!("{} does not fit into a decimal", shown(value, given))),
        }
    };
    let values = (0..call.rows).map(row).collect::<Result<Decimal128Array>>()?;
    Ok(Arc::new(values.with_precision_and_scale(MAX_DIGITS, wanted)?))
}

fn narrow(call: &Call<'_>) -> Result<ArrayRef> {
    let column = &call.args[0];
    let scale = scale(call.returns);
    let wide = column.as_primitive_opt::<Decimal256Type>();
    let Some(wide) = wide else { return Ok(Arc::clone(column)) };
    let row = |row: usize| {
        if wide.is_null(row) {
            return Ok(None);
        }
        match wide.value(row).to_i128().filter(|value| fits(*value)) {
            Some(value) => Ok(Some(value)),
            None => call.fail(row, "the sum does not fit into a decimal"),
        }
    };
    let values = (0..call.rows).map(row).collect::<Result<Decimal128Array>>()?;
    Ok(Arc::new(values.with_precision_and_scale(MAX_DIGITS, scale)?))
}

/// Times a power of ten; rounded half to even where it is negative.
fn rescaled(value: i256, power: i8) -> Option<i256> {
    let factor = i256::from_i128(10).checked_pow(u32::from(power.unsigned_abs()))?;
    if power >= 0 { value.checked_mul(factor) } else { quotient(value, factor) }
}

/// Division rounded half to even.
fn quotient(left: i256, right: i256) -> Option<i256> {
    let zero = i256::from_i128(0);
    let one = i256::from_i128(1);
    let whole = left.checked_div(right)?;
    let rest = left.checked_rem(right)?;
    let (rest, size) = (magnitude(rest)?, magnitude(right)?);
    let twice = rest.checked_mul(i256::from_i128(2))?;
    let odd = whole.checked_rem(i256::from_i128(2))? != zero;
    if twice < size || (twice == size && !odd) {
        return Some(whole);
    }
    if (left < zero) == (right < zero) { whole.checked_add(one) } else { whole.checked_sub(one) }
}

fn magnitude(value: i256) -> Option<i256> {
    if value < i256::from_i128(0) { value.checked_neg() } else { Some(value) }
}

fn to_int(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, scale) = wide(&call.args[0])?;
    let values = values.as_primitive::<Decimal128Type>();
    let row = |row: usize| {
        if values.is_null(row) {
            return Ok(None);
        }
        let value = values.value(row);
        let whole = rescaled(i256::from_i128(value), -scale).and_then(i256::to_i128);
        match whole.and_then(|value| i64::try_from(value).ok()) {
            Some(value) => Ok(Some(value)),
            None => call.fail(row, format!("{} does not fit into an int", shown(value, scale))),
        }
    };
    Ok(Arc::new((0..call.rows).map(row).collect::<Result<Int64Array>>()?))
}

fn sign(op: Arithmetic) -> char {
    match op {
        Arithmetic::Add => '+',
        Arithmetic::Subtract => '-',
        Arithmetic::Multiply => '*',
        Arithmetic::Divide => '/',
    }
}

/// A decimal with all its digits.
pub(super) fn shown(value: i128, scale: i8) -> String {
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale.max(0) as usize + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale.max(0) as usize);
    let minus = if value < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{minus}{whole}") } else { format!("{minus}{whole}.{fraction}") }
}

/// `value / unit`, rounded half to even.
pub(super) fn round(value: i128, unit: i128) -> i128 {
    quotient(i256::from_i128(value), i256::from_i128(unit)).and_then(i256::to_i128).unwrap_or(0)
}
