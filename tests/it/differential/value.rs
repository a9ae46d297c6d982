//! Values and exact arithmetic, without any help of the product.

use std::cmp::Ordering;

use datafusion::arrow::datatypes::i256;
use jiff::Timestamp;
use jiff::civil::{Date, Time};

use super::tree::Op;

/// A value. A decimal is a mantissa and the digits behind its point.
#[derive(Clone, PartialEq, Debug)]
pub enum V {
    Null,
    Bool(bool),
    Int(i64),
    Num(i128, u8),
    Float(f64),
    Text(String),
    Date(Date),
    Time(Time),
    Stamp(Timestamp),
    List(Vec<V>),
}

impl V {
    pub fn truth(value: Option<bool>) -> V {
        value.map_or(V::Null, V::Bool)
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self {
            V::Bool(value) => Some(*value),
            V::Null => None,
            other => panic!("{other:?} is no truth"),
        }
    }

    pub fn text(text: impl Into<String>) -> V {
        V::Text(text.into())
    }

    /// A number as mantissa and scale.
    pub fn exact(&self) -> Option<(i128, u8)> {
        match self {
            V::Int(value) => Some(((*value).into(), 0)),
            V::Num(value, scale) => Some((*value, *scale)),
            _ => None,
        }
    }

    pub fn float(&self) -> f64 {
        match self {
            V::Float(value) => *value,
            other => {
                let (value, scale) = other.exact().unwrap();
                value as f64 / 10f64.powi(scale.into())
            }
        }
    }

    /// As a literal of the language.
    pub fn written(&self) -> String {
        match self {
            V::Null => "null".to_owned(),
            V::Bool(value) => value.to_string(),
            V::Int(value) => value.to_string(),
            V::Num(..) => self.shown(),
            V::Float(value) => format!("{value:e}"),
            V::Text(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
            V::Date(date) => date.to_string(),
            V::Time(time) => time.strftime("%H:%M:%S").to_string(),
            V::Stamp(at) => at.to_string(),
            V::List(items) => format!("[{}]", items.iter().map(V::written).collect::<Vec<_>>().join(", ")),
        }
    }

    /// Without anything rounded: what identifies a row in a message.
    pub fn shown(&self) -> String {
        match self {
            V::Num(value, scale) => {
                let scale = usize::from(*scale);
                let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
                let (whole, fraction) = digits.split_at(digits.len() - scale);
                let minus = if *value < 0 { "-" } else { "" };
                if scale == 0 { format!("{minus}{whole}") } else { format!("{minus}{whole}.{fraction}") }
            }
            V::Text(text) => text.clone(),
            other => other.written(),
        }
    }

    /// The same for every way to write a number.
    pub fn normal(self) -> V {
        match self {
            V::Num(0, _) => V::Int(0),
            V::Num(value, scale) if scale > 0 && value % 10 == 0 => V::Num(value / 10, scale - 1).normal(),
            V::Num(value, 0) if i64::try_from(value).is_ok() => V::Int(value as i64),
            V::List(items) => V::List(items.into_iter().map(V::normal).collect()),
            // Also for the negative zero.
            V::Float(0.0) => V::Float(0.0),
            other => other,
        }
    }
}

/// Null where one side is null.
pub fn compare(left: &V, right: &V) -> Option<Ordering> {
    match (left, right) {
        (V::Null, _) | (_, V::Null) => None,
        (V::Bool(l), V::Bool(r)) => Some(l.cmp(r)),
        (V::Text(l), V::Text(r)) => Some(l.cmp(r)),
        (V::Date(l), V::Date(r)) => Some(l.cmp(r)),
        (V::Time(l), V::Time(r)) => Some(l.cmp(r)),
        (V::Stamp(l), V::Stamp(r)) => Some(l.cmp(r)),
        (V::Float(_), _) | (_, V::Float(_)) => left.float().partial_cmp(&right.float()),
        _ => {
            let (l, r) = (left.exact().unwrap(), right.exact().unwrap());
            let wide = l.1.max(r.1);
            Some(up(wide_of(l.0), wide - l.1).cmp(&up(wide_of(r.0), wide - r.1)))
        }
    }
}

pub fn same(left: &V, right: &V) -> bool {
    compare(left, right) == Some(Ordering::Equal)
}

/// Nulls last, whichever the direction.
pub fn by_order(left: &V, right: &V, down: bool) -> Ordering {
    match (left, right) {
        (V::Null, V::Null) => Ordering::Equal,
        (V::Null, _) => Ordering::Greater,
        (_, V::Null) => Ordering::Less,
        _ if down => compare(right, left).unwrap(),
        _ => compare(left, right).unwrap(),
    }
}

fn wide_of(value: i128) -> i256 {
    i256::from_i128(value)
}

fn up(value: i256, digits: u8) -> i256 {
    value.checked_mul(i256::from_i128(10).checked_pow(digits.into()).unwrap()).unwrap()
}

/// `left / right`, half to even.
fn divided(left: i256, right: i256) -> i256 {
    let zero = i256::from_i128(0);
    let negative = (left < zero) != (right < zero);
    let (left, right) = (left.wrapping_abs(), right.wrapping_abs());
    let whole = left / right;
    let rest = left - whole * right;
    let twice = rest + rest;
    let odd = whole - (whole / i256::from_i128(2)) * i256::from_i128(2) != zero;
    let whole = if twice > right || twice == right && odd { whole + i256::from_i128(1) } else { whole };
    if negative { zero - whole } else { whole }
}

fn fitting(value: i256, scale: u8) -> Option<V> {
    let value = value.to_i128()?;
    (value.unsigned_abs() < 10u128.pow(38)).then_some(V::Num(value, scale))
}

/// A number with so many digits behind the point, half to even.
pub fn rescaled(value: (i128, u8), scale: u8) -> Option<V> {
    let wide = wide_of(value.0);
    match scale >= value.1 {
        true => fitting(up(wide, scale - value.1), scale),
        false => fitting(divided(wide, up(i256::from_i128(1), value.1 - scale)), scale),
    }
}

/// Exact arithmetic; the error says what is wrong.
pub fn arithmetic(op: Op, left: &V, right: &V, scale: u8, whole: bool) -> Result<V, &'static str> {
    if matches!(left, V::Float(_)) || matches!(right, V::Float(_)) {
        let (l, r) = (left.float(), right.float());
        let value = match op {
            Op::Add => l + r,
            Op::Sub => l - r,
            Op::Mul => l * r,
            _ if r == 0.0 => return Err("zero"),
            _ => l / r,
        };
        return if value.is_finite() { Ok(V::Float(value)) } else { Err("fit") };
    }
    let (l, r) = (left.exact().unwrap(), right.exact().unwrap());
    if whole {
        let value = match op {
            Op::Add => l.0 + r.0,
            Op::Sub => l.0 - r.0,
            _ => l.0 * r.0,
        };
        return i64::try_from(value).map(V::Int).map_err(|_| "fit");
    }
    let (a, b) = (wide_of(l.0), wide_of(r.0));
    let wide = l.1.max(r.1);
    let value = match op {
        Op::Add | Op::Sub => {
            let (a, b) = (up(a, wide - l.1), up(b, wide - r.1));
            let sum = if op == Op::Add { a + b } else { a - b };
            up(sum, scale - wide)
        }
        Op::Mul => {
            let (product, digits) = (a * b, l.1 + r.1);
            if digits <= scale {
                up(product, scale - digits)
            } else {
                divided(product, up(i256::from_i128(1), digits - scale))
            }
        }
        _ if r.0 == 0 => return Err("zero"),
        _ => {
            // a / 10^l / (b / 10^r) with `scale` digits.
            let power = i32::from(scale) + i32::from(r.1) - i32::from(l.1);
            if power >= 0 { divided(up(a, power as u8), b) } else { divided(a, up(b, (-power) as u8)) }
        }
    };
    fitting(value, scale).ok_or("fit")
}
