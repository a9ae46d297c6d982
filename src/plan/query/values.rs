//! Values and types on both sides: [`hir::Value`](crate::hir::Value) and the engine's arrays.

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Field, Fields, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit, TimeUnit,
};
use datafusion::scalar::ScalarValue;
use jiff::civil::{Date, Time};
use rust_decimal::Decimal;

use super::QueryError;
use crate::hir::{Duration, LongDecimal, Program, Ty, TyKind, Value};

/// The zone of every timestamp column: instants only.
pub const UTC: &str = "UTC";
/// Digits of the widest decimal.
pub const MAX_DIGITS: u8 = 38;
/// Scale of a decimal type of which nothing else is known.
const UNKNOWN_SCALE: i8 = 6;
const NANOS: i64 = 1_000_000_000;

/// The column type that holds values of `ty`. Decimals have the scale of their source; where none is known, a wide one.
pub fn arrow_type(program: &Program, ty: &Ty) -> DataType {
    match &ty.kind {
        TyKind::Error | TyKind::Null => DataType::Null,
        TyKind::Bool => DataType::Boolean,
        TyKind::Int | TyKind::Weekday => DataType::Int64,
        TyKind::Float => DataType::Float64,
        TyKind::Decimal | TyKind::Percent => DataType::Decimal128(38, UNKNOWN_SCALE),
        TyKind::Date => DataType::Date32,
        TyKind::Time => DataType::Time64(TimeUnit::Microsecond),
        TyKind::Timestamp => timestamp_type(),
        TyKind::Duration => DataType::Interval(IntervalUnit::MonthDayNano),
        TyKind::List(item) => DataType::List(item_field(arrow_type(program, item))),
        TyKind::Record(columns) => DataType::Struct(
            columns.iter().map(|column| Field::new(&column.name, arrow_type(program, &column.ty), true)).collect(),
        ),
        TyKind::Row(entity) => DataType::Struct(
            program[*entity]
                .fields
                .iter()
                .map(|field| Field::new(&field.name, arrow_type(program, &field.ty), true))
                .collect::<Fields>(),
        ),
        _ => DataType::Utf8,
    }
}

/// Instants, to the microsecond.
pub fn timestamp_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
}

fn item_field(item: DataType) -> Arc<Field> {
    Arc::new(Field::new_list_field(item, true))
}

/// A constant as the engine knows it, typed by `ty` where the value alone does not say (null, the empty list).
pub fn to_scalar(program: &Program, value: &Value, ty: &Ty) -> Result<ScalarValue, QueryError> {
    Ok(match value {
        Value::Null => ScalarValue::try_from(&arrow_type(program, ty))?,
        Value::Bool(value) => ScalarValue::Boolean(Some(*value)),
        Value::Int(value) => match ty.kind {
            TyKind::Float => ScalarValue::Float64(Some(*value as f64)),
            TyKind::Decimal | TyKind::Percent => decimal(Decimal::from(*value)),
            _ => ScalarValue::Int64(Some(*value)),
        },
        Value::Decimal(value) => decimal(*value),
        Value::LongDecimal(value) => ScalarValue::Decimal128(Some(value.units), MAX_DIGITS, value.scale as i8),
        Value::Float(value) => ScalarValue::Float64(Some(*value)),
        Value::Text(value) => ScalarValue::Utf8(Some(value.clone())),
        Value::Duration(value) => ScalarValue::IntervalMonthDayNano(Some(interval(*value)?)),
        Value::Date(value) => ScalarValue::Date32(Some(days(*value))),
        Value::Time(value) => ScalarValue::Time64Microsecond(Some(micros(*value))),
        Value::Timestamp(value) => ScalarValue::TimestampMicrosecond(Some(value.as_microsecond()), Some(UTC.into())),
        Value::List(values) => list(program, values, ty)?,
    })
}

fn list(program: &Program, values: &[Value], ty: &Ty) -> Result<ScalarValue, QueryError> {
    let item = match &ty.kind {
        TyKind::List(item) => (**item).clone(),
        _ => Ty::of(TyKind::Text),
    };
    let mut items = values.iter().map(|value| to_scalar(program, value, &item)).collect::<Result<Vec<_>, _>>()?;
    let item = common_type(&items).unwrap_or_else(|| arrow_type(program, &item));
    for value in &mut items {
        *value = value.cast_to(&item)?;
    }
    Ok(ScalarValue::List(ScalarValue::new_list(&items, &item, true)))
}

/// Decimals of a list may differ in scale; everything else has one type.
fn common_type(items: &[ScalarValue]) -> Option<DataType> {
    let scales = items.iter().filter_map(|item| match item {
        ScalarValue::Decimal128(_, _, scale) => Some(*scale),
        _ => None,
    });
    match scales.max() {
        Some(scale) => Some(DataType::Decimal128(38, scale)),
        None => items.iter().find(|item| !item.is_null()).map(ScalarValue::data_type),
    }
}

/// The narrowest decimal type that holds the number, so that comparing with a column does not widen the column.
fn decimal(value: Decimal) -> ScalarValue {
    let scale = value.scale() as u8;
    let digits = value.mantissa().unsigned_abs().checked_ilog10().unwrap_or(0) as u8 + 1;
    ScalarValue::Decimal128(Some(value.mantissa()), digits.max(scale).max(1), scale as i8)
}

/// A duration in the engine's form.
pub fn interval(duration: Duration) -> Result<IntervalMonthDayNano, QueryError> {
    let too_long = || QueryError::Engine(format!("the duration of {} seconds is too long", duration.seconds));
    Ok(IntervalMonthDayNano::new(
        i32::try_from(duration.months).map_err(|_| too_long())?,
        i32::try_from(duration.days).map_err(|_| too_long())?,
        duration.seconds.checked_mul(NANOS).ok_or_else(too_long)?,
    ))
}

/// Days since 1970-01-01.
pub fn days(date: Date) -> i32 {
    date.duration_since(Date::constant(1970, 1, 1)).as_hours().div_euclid(24) as i32
}

/// The date so many days after 1970-01-01, if the calendar has it.
pub fn date(days: i32) -> Option<Date> {
    Date::constant(1970, 1, 1).checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

/// Microseconds since midnight.
pub fn micros(time: Time) -> i64 {
    time.duration_since(Time::midnight()).as_micros() as i64
}

/// The time so many microseconds after midnight.
pub fn time(micros: i64) -> Option<Time> {
    Time::midnight().checked_add(jiff::SignedDuration::from_micros(micros)).ok()
}

/// The value in row `at` of a column. A struct becomes the list of its fields' values.
pub fn from_array(array: &dyn Array, at: usize) -> Result<Value, QueryError> {
    let unknown = || QueryError::Engine(format!("a value of type {} has no meaning here", array.data_type()));
    if array.is_null(at) {
        return Ok(Value::Null);
    }
    Ok(match array.data_type() {
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(at);
            Value::List((0..items.len()).map(|at| from_array(&items, at)).collect::<Result<_, _>>()?)
        }
        DataType::Struct(_) => {
            let columns = array.as_struct().columns();
            Value::List(columns.iter().map(|column| from_array(column, at)).collect::<Result<_, _>>()?)
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let value = array.as_primitive::<IntervalMonthDayNanoType>().value(at);
            Value::Duration(duration(value))
        }
        DataType::Decimal128(_, scale) => {
            let units = array.as_primitive::<Decimal128Type>().value(at);
            any_decimal(units, *scale).ok_or_else(unknown)?
        }
        _ => from_scalar(&ScalarValue::try_from_array(array, at)?).ok_or_else(unknown)?,
    })
}

/// The engine's interval as a duration; parts of a second are cut off.
pub fn duration(value: IntervalMonthDayNano) -> Duration {
    Duration { months: value.months.into(), days: value.days.into(), seconds: value.nanoseconds / NANOS }
}

/// A simple value; `None` for types that no program has.
pub fn from_scalar(scalar: &ScalarValue) -> Option<Value> {
    if scalar.is_null() {
        return Some(Value::Null);
    }
    Some(match scalar {
        ScalarValue::Boolean(Some(value)) => Value::Bool(*value),
        ScalarValue::Int64(Some(value)) => Value::Int(*value),
        ScalarValue::Int32(Some(value)) => Value::Int((*value).into()),
        ScalarValue::UInt64(Some(value)) => Value::Int(i64::try_from(*value).ok()?),
        ScalarValue::Float64(Some(value)) => Value::Float(*value),
        ScalarValue::Decimal128(Some(units), _, scale) => any_decimal(*units, *scale)?,
        ScalarValue::Utf8(Some(text)) | ScalarValue::LargeUtf8(Some(text)) | ScalarValue::Utf8View(Some(text)) => {
            Value::Text(text.clone())
        }
        ScalarValue::Date32(Some(days)) => Value::Date(date(*days)?),
        ScalarValue::Time64Microsecond(Some(micros)) => Value::Time(time(*micros)?),
        ScalarValue::TimestampMicrosecond(Some(micros), _) => {
            Value::Timestamp(jiff::Timestamp::from_microsecond(*micros).ok()?)
        }
        ScalarValue::IntervalMonthDayNano(Some(value)) => Value::Duration(duration(*value)),
        _ => return None,
    })
}

/// `units / 10^scale`, whatever it takes to hold it. A long one has one form: no zeros at its end.
pub fn any_decimal(mut units: i128, scale: i8) -> Option<Value> {
    if let Some(value) = to_decimal(units, scale) {
        return Some(Value::Decimal(value));
    }
    let mut scale = u8::try_from(scale).ok()?;
    while scale > 0 && units % 10 == 0 {
        units /= 10;
        scale -= 1;
    }
    Some(Value::LongDecimal(LongDecimal { units, scale }))
}

/// `mantissa / 10^scale`, if a [`Decimal`] can hold it; trailing zeros go where the number would not fit otherwise.
pub fn to_decimal(mut mantissa: i128, scale: i8) -> Option<Decimal> {
    let mut scale = u32::try_from(scale).ok()?;
    loop {
        match Decimal::try_from_i128_with_scale(mantissa, scale) {
            Ok(value) => return Some(value),
            Err(_) if scale > 0 && mantissa % 10 == 0 => {
                mantissa /= 10;
                scale -= 1;
            }
            Err(_) => return None,
        }
    }
}
