//! Columns whose value is the name of the file's folder.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};

use crate::runtime::sources::cell::{Bad, Cell, Reading, parse};
use crate::runtime::sources::columns::Column;
use crate::runtime::sources::error::SourceError;
use crate::runtime::sources::files::SourceFile;
use crate::runtime::sources::import::{Builder, Context};
use crate::runtime::sources::options::NumberFormat;

/// The value with at least `scale` decimals, and the number of its decimals.
pub(super) fn value(
    file: &SourceFile,
    column: &Column,
    text: Option<&str>,
    scale: u8,
    context: &Context,
) -> Result<(Expr, u8), SourceError> {
    let bad = |reason: String| SourceError::Unreadable {
        shown: file.shown.clone(),
        reason: format!("in its folder's name, `{}` {reason}", text.unwrap_or_default()),
    };
    let reading = Reading { zone: context.zone.clone(), date_format: None, numbers: NumberFormat::PLAIN };
    let (cell, scale) = match text.map(|text| parse(text, &column.kind, scale, &reading)) {
        Some(Ok(cell)) => (cell, scale),
        Some(Err(Bad::Scale(wider))) => return value(file, column, text, wider, context),
        Some(Err(Bad::Reason(reason))) => return Err(bad(reason)),
        None => (Cell::Null, scale),
    };
    let cell = match cell {
        Cell::Null if column.default.is_some() => Cell::Default,
        Cell::Null if !column.nullable => {
            return Err(bad(format!("is null, but `{}` is never null", column.name)));
        }
        cell => cell,
    };
    let failed = |error: String| SourceError::Unreadable { shown: file.shown.clone(), reason: error };
    let mut builder = Builder::new(column, scale).map_err(|error| failed(error.to_string()))?;
    builder.append(cell, text.unwrap_or_default());
    let value = ScalarValue::try_from_array(&builder.finish(), 0).map_err(|error| failed(error.to_string()))?;
    Ok((lit(value), scale))
}
