//! Statistics of a sorted list of numbers. The order makes sums of floats the same on every machine.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Float64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Float64Type};
use datafusion::common::Result;

use super::{Call, Given, MAX_DIGITS, Native, arithmetic};

/// A statistic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Statistic {
    /// Of floats.
    Sum,
    /// Of floats.
    Mean,
    /// Of a sample (divided by n - 1); null for fewer than two.
    StdDev,
    /// The middle one, or the mean of the middle two.
    Median,
    /// The smallest value that at least this share of all does not exceed.
    Percentile,
}

static SUM: Native = Native { name: "orch_sum", returns: float, compute: |call| floats(call, sum) };
static MEAN: Native = Native { name: "orch_mean", returns: float, compute: |call| floats(call, mean) };
static STDDEV: Native = Native { name: "orch_stddev", returns: float, compute: |call| floats(call, stddev) };
static MEDIAN: Native = Native { name: "orch_median", returns: same_or_finer, compute: median };
static PERCENTILE: Native = Native { name: "orch_percentile", returns: same, compute: percentile };

pub(super) fn native(statistic: Statistic) -> &'static Native {
    match statistic {
        Statistic::Sum => &SUM,
        Statistic::Mean => &MEAN,
        Statistic::StdDev => &STDDEV,
        Statistic::Median => &MEDIAN,
        Statistic::Percentile => &PERCENTILE,
    }
}

fn float(_: &Given<'_>) -> DataType {
    DataType::Float64
}

fn same(given: &Given<'_>) -> DataType {
    match given.ty(0) {
        DataType::List(field) => field.data_type().clone(),
        _ => DataType::Float64,
    }
}

/// One more digit holds the half between two neighbours.
fn same_or_finer(given: &Given<'_>) -> DataType {
    match same(given) {
        DataType::Decimal128(_, scale) => DataType::Decimal128(MAX_DIGITS, scale + 1),
        _ => DataType::Float64,
    }
}

fn floats(call: &Call<'_>, of: fn(&[f64]) -> Option<f64>) -> Result<ArrayRef> {
    let lists = call.args[0].as_list::<i32>();
    let row = |row: usize| -> Result<Option<f64>> {
        if lists.is_null(row) {
            return Ok(None);
        }
        let values = cast(&lists.value(row), &DataType::Float64)?;
        match of(values.as_primitive::<Float64Type>().values()) {
            Some(value) if !value.is_finite() => call.fail(row, "the result does not fit into a float"),
            value => Ok(value),
        }
    };
    Ok(Arc::new((0..call.rows).map(row).collect::<Result<Float64Array>>()?))
}

fn sum(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum())
}

fn mean(values: &[f64]) -> Option<f64> {
    Some(sum(values)? / values.len() as f64)
}

fn stddev(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}

fn median(call: &Call<'_>) -> Result<ArrayRef> {
    if call.returns == &DataType::Float64 {
        return floats(call, |values| {
            let (low, high) = (values.get((values.len().max(1) - 1) / 2)?, values.get(values.len() / 2)?);
            Some((low + high) / 2.0)
        });
    }
    exactly(call, arithmetic::scale(call.returns), |values, row| {
        let middle = (values.get((values.len().max(1) - 1) / 2), values.get(values.len() / 2));
        let (Some(low), Some(high)) = middle else { return Ok(None) };
        // Half the sum, with one digit more: ten halves make five.
        match low.checked_add(*high).and_then(|sum| sum.checked_mul(5)).filter(|value| arithmetic::fits(*value)) {
            None => call.fail(row, "the median does not fit into a decimal"),
            value => Ok(value),
        }
    })
}

fn percentile(call: &Call<'_>) -> Result<ArrayRef> {
    let share = cast(&call.args[1], &DataType::Decimal128(MAX_DIGITS, 9))?;
    let share = share.as_primitive::<Decimal128Type>().clone();
    let place = move |length: usize, row: usize| -> Option<usize> {
        if share.is_null(row) || length == 0 {
            return None;
        }
        let unit = 1_000_000_000i128;
        let rank = (share.value(row).clamp(0, unit) * length as i128 + unit - 1) / unit;
        Some((rank.max(1) - 1) as usize)
    };
    if call.returns == &DataType::Float64 {
        let lists = call.args[0].as_list::<i32>();
        let row = |row: usize| -> Option<f64> {
            let values = (!lists.is_null(row)).then(|| lists.value(row))?;
            Some(values.as_primitive::<Float64Type>().value(place(values.len(), row)?))
        };
        return Ok(Arc::new((0..call.rows).map(row).collect::<Float64Array>()));
    }
    exactly(call, arithmetic::scale(call.returns), |values, row| {
        Ok(place(values.len(), row).and_then(|place| values.get(place)).copied())
    })
}

fn exactly(call: &Call<'_>, scale: i8, of: impl Fn(&[i128], usize) -> Result<Option<i128>>) -> Result<ArrayRef> {
    let lists = call.args[0].as_list::<i32>();
    let row = |row: usize| match lists.is_null(row) {
        true => Ok(None),
        false => of(lists.value(row).as_primitive::<Decimal128Type>().values(), row),
    };
    let values = (0..call.rows).map(row).collect::<Result<Decimal128Array>>()?;
    Ok(Arc::new(values.with_precision_and_scale(MAX_DIGITS, scale)?))
}
