//! Natives on numbers. A whole or decimal number stays exact.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;

use super::super::arithmetic::{fits, round, scale};
use super::super::{Call, Given, Native};
use crate::plan::query::values::MAX_DIGITS;

const FLOAT: fn(&Given<'_>) -> DataType = |_| DataType::Float64;
const INT: fn(&Given<'_>) -> DataType = |_| DataType::Int64;
/// Digits of a share behind the point.
const SHARE_DIGITS: i8 = 6;
const EARTH_RADIUS_KM: f64 = 6371.0088;

pub(super) static NATIVES: &[Native] = &[
    Native { name: "ceil", returns: whole, compute: |c| same(c, |x, s, _| -div_floor(-x, s), |x, _| x.ceil()) },
    Native { name: "floor", returns: whole, compute: |c| same(c, |x, s, _| div_floor(x, s), |x, _| x.floor()) },
    Native {
        name: "round",
        returns: to_digits,
        compute: |c| same(c, rounded, |x, digits| near(x, digits, f64::round_ties_even)),
    },
    Native { name: "truncate", returns: to_digits, compute: |c| same(c, cut, |x, digits| near(x, digits, f64::trunc)) },
    Native {
        name: "sign",
        returns: INT,
        compute: |c| {
            c.ints(|row| match c.exact(0, row) {
                Some((value, _)) => Some(value.signum() as i64),
                None => c.float(0, row).map(|value| if value == 0.0 { 0 } else { value.signum() as i64 }),
            })
        },
    },
    Native { name: "sqrt", returns: FLOAT, compute: |c| c.floats(|row| Some(c.float(0, row)?.sqrt())) },
    Native { name: "ln", returns: FLOAT, compute: |c| c.floats(|row| Some(c.float(0, row)?.ln())) },
    Native { name: "log10", returns: FLOAT, compute: |c| c.floats(|row| Some(c.float(0, row)?.log10())) },
    Native {
        name: "has_bit",
        returns: |_| DataType::Boolean,
        compute: |c| c.bools(|row| Some(c.int(0, row)? & mask(c.int(1, row)?) != 0)),
    },
    Native { name: "set_bit", returns: INT, compute: |c| c.ints(|row| Some(c.int(0, row)? | mask(c.int(1, row)?))) },
    Native { name: "clear_bit", returns: INT, compute: |c| c.ints(|row| Some(c.int(0, row)? & !mask(c.int(1, row)?))) },
    Native { name: "distance_km", returns: FLOAT, compute: |c| c.floats(|row| distance_km(c, row)) },
];

/// Natives that fail where a result has too many digits.
pub(super) static FALLIBLE: &[Native] = &[
    Native {
        name: "abs",
        returns: same_scale,
        compute: |c| match c.returns {
            DataType::Int64 => checked(c, |row| Some(c.int(0, row)?.checked_abs()), "abs", |c, of| c.ints(of)),
            _ => same(c, |x, _, _| x.abs(), |x, _| x.abs()),
        },
    },
    Native { name: "modulo", returns: modulo_type, compute: modulo },
    Native {
        name: "power",
        returns: FLOAT,
        compute: |c| float(c, "power", |row| Some(c.float(0, row)?.powf(c.float(1, row)?))),
    },
    Native { name: "exp", returns: FLOAT, compute: |c| float(c, "exp", |row| Some(c.float(0, row)?.exp())) },
    Native {
        name: "share",
        returns: |_| DataType::Decimal128(MAX_DIGITS, SHARE_DIGITS),
        compute: |c| checked(c, |row| share(c, row), "share", |c, of| c.decimals(of)),
    },
];

/// A column of values; the inner `None` is one that does not fit.
fn checked<T: Copy>(
    c: &Call<'_>,
    of: impl Fn(usize) -> Option<Option<T>>,
    name: &str,
    column: impl Fn(&Call<'_>, &dyn Fn(usize) -> Option<T>) -> Result<ArrayRef>,
) -> Result<ArrayRef> {
    let value = |row: usize| match of(row) {
        Some(None) => c.fail(row, format!("the result of `{name}` has too many digits")),
        value => Ok(value.flatten()),
    };
    let values = (0..c.rows).map(value).collect::<Result<Vec<_>>>()?;
    column(c, &|row| values[row])
}

/// A column of floats. What is no number, such as a root of a negative one, is null.
fn float(c: &Call<'_>, name: &str, of: impl Fn(usize) -> Option<f64>) -> Result<ArrayRef> {
    let value = |row: usize| of(row).filter(|value| !value.is_nan());
    checked(c, |row| value(row).map(|value| value.is_finite().then_some(value)), name, |c, of| c.floats(of))
}

/// The bit, or none where there is no such bit.
fn mask(bit: i64) -> i64 {
    u32::try_from(bit).ok().and_then(|bit| 1i64.checked_shl(bit)).unwrap_or(0)
}

fn same_scale(given: &Given<'_>) -> DataType {
    match given.ty(0) {
        DataType::Decimal128(_, scale) => DataType::Decimal128(MAX_DIGITS, scale),
        other => other,
    }
}

fn whole(given: &Given<'_>) -> DataType {
    match given.ty(0) {
        DataType::Decimal128(..) => DataType::Decimal128(MAX_DIGITS, 0),
        other => other,
    }
}

/// As many digits as were asked for, where that is a constant.
fn to_digits(given: &Given<'_>) -> DataType {
    match (given.ty(0), given.constant_int(1)) {
        (DataType::Decimal128(_, scale), Some(digits)) => {
            DataType::Decimal128(MAX_DIGITS, digits.clamp(0, scale.into()) as i8)
        }
        (DataType::Decimal128(_, scale), None) => DataType::Decimal128(MAX_DIGITS, scale),
        (other, _) => other,
    }
}

fn div_floor(value: i128, scale: i8) -> i128 {
    value.div_euclid(10i128.pow(scale.unsigned_abs().into()))
}

/// Applies a function to the number: decimals come with their scale and the digits wanted and give a number of the
/// result's scale.
fn same(c: &Call<'_>, exact: fn(i128, i8, i64) -> i128, float: fn(f64, i64) -> f64) -> Result<ArrayRef> {
    match c.returns {
        DataType::Int64 => c.ints(|row| {
            let value = exact(c.int(0, row)?.into(), 0, digits(c, row)?);
            i64::try_from(value).ok()
        }),
        DataType::Decimal128(..) => {
            let wanted = scale(c.returns);
            c.decimals(|row| {
                let (value, given) = c.exact(0, row)?;
                let digits = digits(c, row)?;
                let value = exact(value, given, digits);
                // `round` and `truncate` keep the scale they were given; drop what the result's type lacks.
                let kept = if c.args.len() > 1 { given } else { wanted };
                Some(value / 10i128.pow((kept - wanted).max(0) as u32))
            })
        }
        _ => c.floats(|row| Some(float(c.float(0, row)?, digits(c, row)?))),
    }
}

/// The second argument; 0 where there is none, null where it is null.
fn digits(c: &Call<'_>, row: usize) -> Option<i64> {
    if c.args.len() > 1 { c.int(1, row) } else { Some(0) }
}

/// The power of ten below which digits go, if any do.
fn unit(scale: i8, digits: i64) -> Option<i128> {
    let power = i64::from(scale).saturating_sub(digits);
    if power <= 0 { None } else { 10i128.checked_pow(power.min(38) as u32) }
}

fn rounded(value: i128, scale: i8, digits: i64) -> i128 {
    unit(scale, digits).map_or(value, |unit| round(value, unit) * unit)
}

fn cut(value: i128, scale: i8, digits: i64) -> i128 {
    unit(scale, digits).map_or(value, |unit| value / unit * unit)
}

fn near(value: f64, digits: i64, of: fn(f64) -> f64) -> f64 {
    let factor = 10f64.powi(digits.clamp(-300, 300) as i32);
    of(value * factor) / factor
}

fn modulo_type(given: &Given<'_>) -> DataType {
    match (given.ty(0), given.ty(1)) {
        (DataType::Float64, _) | (_, DataType::Float64) => DataType::Float64,
        (left @ DataType::Decimal128(..), right) | (left, right @ DataType::Decimal128(..)) => {
            DataType::Decimal128(MAX_DIGITS, scale(&left).max(scale(&right)))
        }
        _ => DataType::Int64,
    }
}

fn modulo(c: &Call<'_>) -> Result<ArrayRef> {
    match c.returns {
        // Of -1 nothing is ever left, though the engine of a machine overflows.
        DataType::Int64 => c.ints(|row| match (c.int(0, row)?, c.int(1, row)?) {
            (_, 0) => None,
            (left, right) => Some(left.wrapping_rem(right)),
        }),
        DataType::Decimal128(_, wanted) => {
            let up = |value: i128, scale: i8| value.checked_mul(10i128.pow((wanted - scale).unsigned_abs().into()));
            let rest = |row: usize| -> Option<Option<i128>> {
                let ((left, left_scale), (right, right_scale)) = (c.exact(0, row)?, c.exact(1, row)?);
                if right == 0 {
                    return None;
                }
                Some(up(left, left_scale).zip(up(right, right_scale)).map(|(left, right)| left % right))
            };
            checked(c, rest, "modulo", |c, of| c.decimals(of))
        }
        _ => c.floats(|row| Some(c.float(0, row)? % c.float(1, row)?)),
    }
}

/// Null where there is nothing to have a share of; the inner `None` is a share that does not fit.
fn share(c: &Call<'_>, row: usize) -> Option<Option<i128>> {
    match (c.exact(0, row), c.exact(1, row)) {
        (Some(_), Some((0, _))) => None,
        (Some((part, part_scale)), Some((all, all_scale))) => {
            let up = |value: i128, power: i8| value.checked_mul(10i128.checked_pow(u32::try_from(power).ok()?)?);
            let power = SHARE_DIGITS + all_scale - part_scale;
            let sides = match power >= 0 {
                true => up(part, power).map(|part| (part, all)),
                false => up(all, -power).map(|all| (part, all)),
            };
            Some(sides.map(|(part, all)| round(part, all)).filter(|share| fits(*share)))
        }
        _ => {
            let (part, all) = (c.float(0, row)?, c.float(1, row)?);
            let scaled = part / all * 10f64.powi(SHARE_DIGITS.into());
            (all != 0.0).then(|| (scaled.abs() < 1e37).then(|| scaled.round_ties_even() as i128))
        }
    }
}

/// On a sphere.
fn distance_km(c: &Call<'_>, row: usize) -> Option<f64> {
    let (latitude_a, longitude_a) = (c.float(0, row)?.to_radians(), c.float(1, row)?.to_radians());
    let (latitude_b, longitude_b) = (c.float(2, row)?.to_radians(), c.float(3, row)?.to_radians());
    let half = |a: f64, b: f64| ((b - a) / 2.0).sin().powi(2);
    let chord = half(latitude_a, latitude_b) + latitude_a.cos() * latitude_b.cos() * half(longitude_a, longitude_b);
    Some(2.0 * EARTH_RADIUS_KM * chord.sqrt().min(1.0).asin())
}
