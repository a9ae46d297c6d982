//! The declared columns of an entity, and what they are in Arrow.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field as ArrowField, TimeUnit};

use super::error::SourceError;
use crate::base::Span;
use crate::hir::{Entity, Program, TyKind, Value};

/// The fewest decimals of a decimal column: enough for money.
pub(crate) const MIN_SCALE: u8 = 2;

/// A column as declared.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub name: String,
    pub kind: Kind,
    /// May the cell be empty? False for a field with a default, which is never null.
    pub nullable: bool,
    pub default: Option<Value>,
    pub span: Span,
}

/// What the cells of a column hold.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Kind {
    Bool,
    Int,
    Float,
    Decimal,
    Percent,
    Text,
    /// One of these texts; `what` says of what they are the values.
    OneOf {
        what: String,
        values: Arc<[String]>,
    },
    Date,
    Time,
    Timestamp,
    Json,
}

impl Kind {
    /// With its article, for messages.
    pub fn words(&self) -> &'static str {
        match self {
            Kind::Bool => "bool",
            Kind::Int => "int",
            Kind::Float => "float",
            Kind::Decimal => "decimal",
            Kind::Percent => "percent",
            Kind::Text | Kind::OneOf { .. } => "text",
            Kind::Date => "date",
            Kind::Time => "time",
            Kind::Timestamp => "timestamp",
            Kind::Json => "json",
        }
    }

    /// True for the kinds whose Arrow type has a scale.
    pub fn is_decimal(&self) -> bool {
        matches!(self, Kind::Decimal | Kind::Percent)
    }

    /// True for what is written in digits, with a decimal sign perhaps.
    pub fn is_number(&self) -> bool {
        self.is_decimal() || matches!(self, Kind::Int | Kind::Float)
    }

    /// The Arrow type; `scale` is the number of decimals of a decimal.
    pub fn arrow(&self, scale: u8) -> DataType {
        match self {
            Kind::Bool => DataType::Boolean,
            Kind::Int => DataType::Int64,
            Kind::Float => DataType::Float64,
            Kind::Decimal | Kind::Percent => DataType::Decimal128(38, scale as i8),
            Kind::Text | Kind::OneOf { .. } | Kind::Json => DataType::Utf8,
            Kind::Date => DataType::Date32,
            Kind::Time => DataType::Time64(TimeUnit::Microsecond),
            Kind::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }
}

impl Column {
    /// The Arrow field.
    pub fn arrow(&self, scale: u8) -> ArrowField {
        ArrowField::new(&self.name, self.kind.arrow(scale), self.nullable)
    }
}

/// The columns of `entity` in the order declared.
pub(crate) fn of_entity(entity: &Entity, program: &Program) -> Result<Vec<Column>, SourceError> {
    entity
        .fields
        .iter()
        .map(|field| {
            let kind = kind(&field.name, &field.ty.kind, program)
                .ok_or_else(|| SourceError::FieldType { field: field.name.clone(), span: field.span })?;
            let nullable = field.ty.nullable && field.default.is_none();
            Ok(Column { name: field.name.clone(), kind, nullable, default: field.default.clone(), span: field.span })
        })
        .collect()
}

fn kind(name: &str, ty: &TyKind, program: &Program) -> Option<Kind> {
    let one_of = |what: &str, values: Vec<String>| Kind::OneOf { what: what.to_owned(), values: values.into() };
    Some(match ty {
        TyKind::Bool => Kind::Bool,
        TyKind::Int => Kind::Int,
        TyKind::Float => Kind::Float,
        TyKind::Decimal => Kind::Decimal,
        TyKind::Percent => Kind::Percent,
        TyKind::Date => Kind::Date,
        TyKind::Time => Kind::Time,
        TyKind::Timestamp => Kind::Timestamp,
        TyKind::Json => Kind::Json,
        TyKind::Enumeration(values) => Kind::OneOf { what: name.to_owned(), values: values.clone() },
        TyKind::Topic => one_of("topic", program.topics.iter().map(|topic| topic.name.clone()).collect()),
        TyKind::Weekday => one_of("weekday", WEEKDAYS.map(str::to_owned).into()),
        kind if kind.is_text() => Kind::Text,
        _ => return None,
    })
}

pub(crate) const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
