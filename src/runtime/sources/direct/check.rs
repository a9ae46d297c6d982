//! What only the values of a file can tell.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::arrow_reader::ArrowReaderMetadata;

use super::Header;
use crate::runtime::sources::cell::{Bad, one_of};
use crate::runtime::sources::columns::{Column, Kind};
use crate::runtime::sources::error::SourceError;
use crate::runtime::sources::files::SourceFile;
use crate::runtime::sources::import::shortened;

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
        let may_lack = !may_be_missing(column) && header.schema.field(at).is_nullable() && header.nulls[at] != Some(0);
        may_lack || matches!(column.kind, Kind::OneOf { .. } | Kind::Json)
    };
    columns.iter().filter(asks).collect()
}

/// A value that is not as declared.
pub(super) struct BadCell {
    /// Its row in the batch.
    pub row: usize,
    /// Its column among those looked at.
    pub column: usize,
    pub value: String,
    pub reason: String,
}

/// Looks at some rows: what is wrong, column by column.
pub(super) fn bad_cells(batch: &RecordBatch, columns: &[&Column]) -> Vec<BadCell> {
    let mut found = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        let Some(values) = batch.column_by_name(&column.name) else { continue };
        if !may_be_missing(column) && values.null_count() > 0 {
            let missing = (0..values.len()).filter(|row| values.is_null(*row));
            let reason = format!("there is no value, but `{}` is never null", column.name);
            found.extend(missing.map(|row| BadCell { row, column: at, value: String::new(), reason: reason.clone() }));
        }
        found.extend(bad_texts(values, &column.kind).into_iter().map(|(row, value, reason)| BadCell {
            row,
            column: at,
            value,
            reason,
        }));
    }
    found
}

/// Whether there may be no value, or another stands for it.
pub(super) fn may_be_missing(column: &Column) -> bool {
    column.nullable || column.default.is_some()
}

/// The error for such a value; `before` is the number of rows before the batch.
pub(super) fn error(file: &SourceFile, cell: BadCell, columns: &[&Column], before: u64) -> SourceError {
    let column = columns.get(cell.column);
    SourceError::Cell {
        shown: file.shown.clone(),
        line: before + cell.row as u64 + 1,
        column: column.map(|column| column.name.clone()),
        value: shortened(&cell.value),
        reason: cell.reason,
        field: column.map(|column| column.span),
        text: false,
    }
}

/// The texts that the kind does not allow.
fn bad_texts(values: &ArrayRef, kind: &Kind) -> Vec<(usize, String, String)> {
    if !matches!(kind, Kind::OneOf { .. } | Kind::Json) {
        return Vec::new();
    }
    let Ok(texts) = cast(values, &DataType::Utf8) else { return Vec::new() };
    let Some(texts) = texts.as_string_opt::<i32>() else { return Vec::new() };
    let bad = |(at, text): (usize, Option<&str>)| {
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
    };
    texts.iter().enumerate().filter_map(bad).collect()
}
