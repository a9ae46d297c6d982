//! Arrow builders for typed cells.

use datafusion::arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder, StringBuilder,
    Time64MicrosecondBuilder, TimestampMicrosecondBuilder,
};
use datafusion::arrow::error::ArrowError;
use std::sync::Arc;

use crate::hir::Value;
use crate::runtime::sources::cell::{Cell, days};
use crate::runtime::sources::columns::{Column, Kind};

/// A column under construction.
pub(crate) struct Builder {
    values: Values,
    default: Option<(Cell, String)>,
}

enum Values {
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Decimal(Decimal128Builder),
    Text(StringBuilder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder),
}

impl Builder {
    /// An empty column; `scale` is the number of decimals of a decimal.
    pub fn new(column: &Column, scale: u8) -> Result<Self, ArrowError> {
        let values = match column.kind {
            Kind::Bool => Values::Bool(BooleanBuilder::new()),
            Kind::Int => Values::Int(Int64Builder::new()),
            Kind::Float => Values::Float(Float64Builder::new()),
            Kind::Decimal | Kind::Percent => {
                Values::Decimal(Decimal128Builder::new().with_precision_and_scale(38, scale as i8)?)
            }
            Kind::Text | Kind::OneOf { .. } | Kind::Json => Values::Text(StringBuilder::new()),
            Kind::Date => Values::Date(Date32Builder::new()),
            Kind::Time => Values::Time(Time64MicrosecondBuilder::new()),
            Kind::Timestamp => Values::Timestamp(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
        };
        let default = column.default.as_ref().map(|value| constant(value, &column.kind, scale));
        Ok(Self { values, default })
    }

    /// A column of whole numbers.
    pub fn int() -> Self {
        Self { values: Values::Int(Int64Builder::new()), default: None }
    }

    /// Adds a cell of this column's kind whose text is `text`.
    pub fn append(&mut self, cell: Cell, text: &str) {
        match (cell, &self.default) {
            (Cell::Default, Some((default, text))) => self.values.append(*default, text),
            _ => self.values.append(cell, text),
        }
    }

    /// The column so far; the builder is empty again.
    pub fn finish(&mut self) -> ArrayRef {
        match &mut self.values {
            Values::Bool(values) => Arc::new(values.finish()),
            Values::Int(values) => Arc::new(values.finish()),
            Values::Float(values) => Arc::new(values.finish()),
            Values::Decimal(values) => Arc::new(values.finish()),
            Values::Text(values) => Arc::new(values.finish()),
            Values::Date(values) => Arc::new(values.finish()),
            Values::Time(values) => Arc::new(values.finish()),
            Values::Timestamp(values) => Arc::new(values.finish()),
        }
    }
}

impl Values {
    fn append(&mut self, cell: Cell, text: &str) {
        match (self, cell) {
            (Values::Bool(values), Cell::Bool(value)) => values.append_value(value),
            (Values::Int(values), Cell::Int(value)) => values.append_value(value),
            (Values::Float(values), Cell::Float(value)) => values.append_value(value),
            (Values::Decimal(values), Cell::Decimal(value)) => values.append_value(value),
            (Values::Text(values), Cell::Text) => values.append_value(text),
            (Values::Date(values), Cell::Date(value)) => values.append_value(value),
            (Values::Time(values), Cell::Time(value)) => values.append_value(value),
            (Values::Timestamp(values), Cell::Timestamp(value)) => values.append_value(value),
            // Null, and cells of another kind, which do not occur.
            (values, _) => values.append_null(),
        }
    }

    fn append_null(&mut self) {
        match self {
            Values::Bool(values) => values.append_null(),
            Values::Int(values) => values.append_null(),
            Values::Float(values) => values.append_null(),
            Values::Decimal(values) => values.append_null(),
            Values::Text(values) => values.append_null(),
            Values::Date(values) => values.append_null(),
            Values::Time(values) => values.append_null(),
            Values::Timestamp(values) => values.append_null(),
        }
    }
}

/// A declared default as a cell with its text.
fn constant(value: &Value, kind: &Kind, scale: u8) -> (Cell, String) {
    let cell = match (value, kind) {
        (Value::Bool(value), _) => Cell::Bool(*value),
        (Value::Int(value), Kind::Float) => Cell::Float(*value as f64),
        (Value::Int(value), kind) if kind.is_decimal() => Cell::Decimal(i128::from(*value) * 10i128.pow(scale.into())),
        (Value::Int(value), _) => Cell::Int(*value),
        (Value::Float(value), _) => Cell::Float(*value),
        (Value::Decimal(value), Kind::Float) => Cell::Float(value.to_string().parse().unwrap_or(f64::NAN)),
        (Value::Decimal(value), _) => {
            let value = value.normalize();
            let shift = u32::from(scale).saturating_sub(value.scale());
            Cell::Decimal(value.mantissa() * 10i128.pow(shift))
        }
        (Value::Text(text), _) => return (Cell::Text, text.clone()),
        (Value::Date(date), _) => Cell::Date(days(*date)),
        (Value::Time(time), _) => {
            let seconds = i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
            Cell::Time(seconds * 1_000_000 + i64::from(time.subsec_nanosecond()) / 1000)
        }
        (Value::Timestamp(timestamp), _) => Cell::Timestamp(timestamp.as_microsecond()),
        (Value::Null | Value::LongDecimal(_) | Value::Duration(_) | Value::List(_), _) => Cell::Null,
    };
    (cell, String::new())
}
