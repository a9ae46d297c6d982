//! One call of a native: its arguments by row, and columns of results.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Float64Array, Int64Array, StringArray,
};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type};
use datafusion::common::Result;

use super::text;
use crate::base::Span;
use crate::hir::Value;
use crate::plan::query::{RowError, values};

/// One call over a batch of rows.
pub(super) struct Call<'c> {
    /// All as long as the batch.
    pub args: &'c [ArrayRef],
    pub returns: &'c DataType,
    pub rows: usize,
    pub key: &'c [ArrayRef],
    pub span: Option<Span>,
}

impl Call<'_> {
    /// The error of one row.
    pub fn fail<T>(&self, row: usize, what: impl Into<String>) -> Result<T> {
        let parts: Vec<String> = self.key.iter().filter_map(|column| text::canonical(column, row)).collect();
        let key = (!parts.is_empty()).then(|| parts.join(", "));
        Err(RowError { what: what.into(), span: self.span, row: key }.raise())
    }

    /// True when one of the arguments is null in this row.
    pub fn any_null(&self, row: usize) -> bool {
        self.args.iter().any(|column| column.is_null(row))
    }

    /// A text argument in a row; null where it is null.
    pub fn text(&self, at: usize, row: usize) -> Option<&str> {
        let column = self.args.get(at).filter(|column| column.is_valid(row))?;
        column.as_string_opt::<i32>().map(|texts| texts.value(row))
    }

    /// An int argument in a row.
    pub fn int(&self, at: usize, row: usize) -> Option<i64> {
        let column = self.args.get(at).filter(|column| column.is_valid(row))?;
        column.as_primitive_opt::<Int64Type>().map(|values| values.value(row))
    }

    /// A whole or decimal argument in a row, with its scale.
    pub fn exact(&self, at: usize, row: usize) -> Option<(i128, i8)> {
        let column = self.args.get(at).filter(|column| column.is_valid(row))?;
        match column.data_type() {
            DataType::Decimal128(_, scale) => Some((column.as_primitive::<Decimal128Type>().value(row), *scale)),
            _ => self.int(at, row).map(|value| (value.into(), 0)),
        }
    }

    /// Any number in a row, as a float.
    pub fn float(&self, at: usize, row: usize) -> Option<f64> {
        let column = self.args.get(at).filter(|column| column.is_valid(row))?;
        match column.as_primitive_opt::<Float64Type>() {
            Some(values) => Some(values.value(row)),
            None => self.exact(at, row).map(|(value, scale)| value as f64 / 10f64.powi(scale.into())),
        }
    }

    /// The value of a row of any simple type.
    pub fn value(&self, at: usize, row: usize) -> Option<Value> {
        let column = self.args.get(at).filter(|column| column.is_valid(row))?;
        values::from_array(column, row).ok()
    }

    /// A column of texts.
    pub fn texts(&self, of: impl Fn(usize) -> Option<String>) -> Result<ArrayRef> {
        Ok(Arc::new((0..self.rows).map(of).collect::<StringArray>()))
    }

    /// A column of ints.
    pub fn ints(&self, of: impl Fn(usize) -> Option<i64>) -> Result<ArrayRef> {
        Ok(Arc::new((0..self.rows).map(of).collect::<Int64Array>()))
    }

    /// A column of truths.
    pub fn bools(&self, of: impl Fn(usize) -> Option<bool>) -> Result<ArrayRef> {
        Ok(Arc::new((0..self.rows).map(of).collect::<BooleanArray>()))
    }

    /// A column of floats; what is no finite number becomes null.
    pub fn floats(&self, of: impl Fn(usize) -> Option<f64>) -> Result<ArrayRef> {
        let finite = |row| of(row).filter(|value| value.is_finite());
        Ok(Arc::new((0..self.rows).map(finite).collect::<Float64Array>()))
    }

    /// A column of decimals of the call's result type.
    pub fn decimals(&self, of: impl Fn(usize) -> Option<i128>) -> Result<ArrayRef> {
        let values = (0..self.rows).map(of).collect::<Decimal128Array>();
        Ok(Arc::new(values.with_precision_and_scale(values::MAX_DIGITS, super::arithmetic::scale(self.returns))?))
    }
}
