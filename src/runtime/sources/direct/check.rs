//! What only the values of a file can tell.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::arrow_reader::ArrowReaderMetadata;

use super::Header;
use crate::runtime::sources::cell::{Bad, one_of};
use crate::runtime::sources::columns::{Column, Kind};
use crate::runtime::sources::error::SourceError;
use crate::runtime::sources::files::SourceFile;

/// The number of nulls in the column at `root`, where the file tells it.
pub(super) fn nulls_of(loaded: &ArrowReaderMetadata, root: usize) -> Option<u64> {
    let parquet = loaded.parquet_schema();
    let mut leaves = (0..parquet.num_columns()).filter(|leaf| parquet.get_column_root_idx(*leaf) == root);
    let (leaf, None) = (leaves.next()?, leaves.next()) else { return None };
    let groups = loaded.metadata().row_groups().iter();
    groups.map(|group| group.column(leaf).statistics()?.null_count_opt()).sum()
}

/// The columns whose values must be looked at.
pub(super) fn questions<'c>(columns: &'c [Column], header: &Header) -> Vec<&'c Column> {
    let asks = |column: &&Column| {
        let Ok(at) = header.schema.index_of(&column.name) else { return false };
        let full = column.nullable || column.default.is_some();
        let may_lack = !full && header.schema.field(at).is_nullable() && header.nulls[at] != Some(0);
        may_lack || matches!(column.kind, Kind::OneOf { .. } | Kind::Json)
    };
    columns.iter().filter(asks).collect()
}

/// Looks at some rows; `before` is the number of rows before them.
pub(super) fn batch(
    file: &SourceFile,
    batch: &RecordBatch,
    columns: &[&Column],
    before: u64,
) -> Result<(), SourceError> {
    for column in columns {
        let Some(values) = batch.column_by_name(&column.name) else { continue };
        let bad = |at: usize, value: String, reason: String| SourceError::Cell {
            shown: file.shown.clone(),
            line: before + at as u64 + 1,
            column: Some(column.name.clone()),
            value: crate::runtime::sources::import::shortened(&value),
            reason,
            field: Some(column.span),
            text: false,
        };
        let full = column.nullable || column.default.is_some();
        if !full && values.null_count() > 0 {
            let at = (0..values.len()).find(|at| values.is_null(*at)).unwrap_or(0);
            return Err(bad(at, String::new(), format!("there is no value, but `{}` is never null", column.name)));
        }
        if let Some((at, value, reason)) = first_bad_text(values, &column.kind) {
            return Err(bad(at, value, reason));
        }
    }
    Ok(())
}

/// The first text that the kind does not allow.
fn first_bad_text(values: &ArrayRef, kind: &Kind) -> Option<(usize, String, String)> {
    let texts: Arc<dyn Array> = cast(values, &DataType::Utf8).ok()?;
    let texts: &StringArray = texts.as_string_opt()?;
    texts.iter().enumerate().find_map(|(at, text)| {
        let text = text?;
        let reason = match kind {
            Kind::OneOf { what, values } => match one_of(text, what, values) {
                Err(Bad::Reason(reason)) => reason,
                _ => return None,
            },
            Kind::Json if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() => {
                "is not valid json".to_owned()
            }
            _ => return None,
        };
        Some((at, text.to_owned(), reason))
    })
}
