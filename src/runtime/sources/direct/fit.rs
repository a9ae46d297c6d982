//! Which Arrow types can be read as which declared ones, without losing anything.

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, TimestampMicrosecondArray};
use datafusion::arrow::compute::cast as cast_array;
use datafusion::arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, Expr, Volatility, create_udf};
use jiff::tz::TimeZone;

use crate::hir::TyKind;
use crate::runtime::sources::cell::{MAX_SCALE, in_zone as instant};
use crate::runtime::sources::columns::{Column, Kind, MIN_SCALE};
use crate::runtime::sources::error::Unfit;

/// A column of a file that can be read as declared.
pub(crate) struct Fit {
    pub from: DataType,
    /// Decimals, for a decimal.
    pub scale: u8,
}

/// Checks the type of one column.
pub(crate) fn fit(column: &Column, found: &DataType) -> std::result::Result<Fit, Unfit> {
    use DataType::*;
    let integer = matches!(found, Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32);
    let scale = match found {
        Decimal32(_, scale) | Decimal64(_, scale) | Decimal128(_, scale) => u8::try_from(*scale).ok(),
        _ => integer.then_some(MIN_SCALE),
    };
    let fits = match column.kind {
        Kind::Bool => matches!(found, Boolean),
        Kind::Int => integer,
        Kind::Float => matches!(found, Float16 | Float32 | Float64 | Int8 | Int16 | Int32 | UInt8 | UInt16 | UInt32),
        Kind::Decimal | Kind::Percent => scale.is_some_and(|scale| scale <= MAX_SCALE),
        Kind::Text | Kind::OneOf { .. } | Kind::Json => is_text(found),
        Kind::Date => matches!(found, Date32 | Date64),
        Kind::Time => matches!(found, Time32(_) | Time64(_)),
        Kind::Timestamp => matches!(found, Timestamp(_, _)),
    };
    if fits {
        return Ok(Fit { from: found.clone(), scale: scale.unwrap_or(MIN_SCALE) });
    }
    let known = ty(found);
    let help = known.as_ref().map(|kind| match (&column.kind, kind) {
        (Kind::Decimal | Kind::Percent, TyKind::Float) => format!(
            "a float is not exact: store `{}` as a decimal in the file, or declare `{}: float`",
            column.name, column.name
        ),
        _ => format!("declare `{}: {}`", column.name, word(kind)),
    });
    let found = known.as_ref().map_or_else(|| found.to_string(), |kind| word(kind).to_owned());
    Err(Unfit { name: column.name.clone(), declared: column.kind.words(), found, help, span: column.span })
}

fn is_text(found: &DataType) -> bool {
    match found {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// What an Arrow type is in the language, if it is anything.
pub(crate) fn ty(found: &DataType) -> Option<TyKind> {
    use DataType::*;
    Some(match found {
        Boolean => TyKind::Bool,
        Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 => TyKind::Int,
        Float16 | Float32 | Float64 => TyKind::Float,
        Decimal32(_, scale) | Decimal64(_, scale) | Decimal128(_, scale) if (0..=MAX_SCALE as i8).contains(scale) => {
            TyKind::Decimal
        }
        Date32 | Date64 => TyKind::Date,
        Time32(_) | Time64(_) => TyKind::Time,
        Timestamp(_, _) => TyKind::Timestamp,
        text if is_text(text) => TyKind::Text,
        _ => return None,
    })
}

fn word(kind: &TyKind) -> &'static str {
    TyKind::names().find(|name| TyKind::named(name).as_ref() == Some(kind)).unwrap_or("text")
}

/// Timestamps without zone as instants: they are civil times of `zone`.
pub(crate) fn in_zone(value: Expr, zone: &TimeZone) -> Expr {
    let name = format!("orch_in_zone({})", zone.iana_name().unwrap_or("fixed"));
    let civil = DataType::Timestamp(TimeUnit::Microsecond, None);
    let target = Kind::Timestamp.arrow(0);
    let zone = zone.clone();
    let convert = move |args: &[ColumnarValue]| -> Result<ColumnarValue> {
        let [value] = args else { return Ok(ColumnarValue::Scalar(ScalarValue::Null)) };
        let array = value.to_array(1)?;
        let array = cast_array(&array, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
        let civil = array.as_primitive::<TimestampMicrosecondType>();
        let instants: TimestampMicrosecondArray = civil.iter().map(|at| at.and_then(|at| instant(at, &zone))).collect();
        let instants: Arc<dyn Array> = Arc::new(instants.with_timezone("UTC"));
        Ok(match value {
            ColumnarValue::Array(_) => ColumnarValue::Array(instants),
            ColumnarValue::Scalar(_) => ColumnarValue::Scalar(ScalarValue::try_from_array(&instants, 0)?),
        })
    };
    let function = create_udf(&name, vec![civil.clone()], target, Volatility::Immutable, Arc::new(convert));
    function.call(vec![datafusion::logical_expr::cast(value, civil)])
}
