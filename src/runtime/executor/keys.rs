//! What tells rows apart: their keys as text, and the proof that each occurs once.

use std::collections::HashSet;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, Scalar};
use datafusion::arrow::compute::kernels::cmp;
use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::row::{RowConverter, SortField};

use crate::hir::{Entity, Value};
use crate::plan::query::{IDENTITY, QueryError, values};

/// The names of the columns that tell an entity's rows apart.
#[derive(Clone)]
pub(super) struct KeyNames {
    names: Vec<String>,
    /// Whether the columns count by which the query engine tells rows apart, such as a matched row's key.
    identity: bool,
}

impl KeyNames {
    /// The key fields; the line of an entity without a key.
    pub fn new(entity: &Entity) -> Self {
        let names = match entity.key.is_empty() {
            true => vec!["line".to_string()],
            false => entity.key.iter().map(|field| entity[*field].name.clone()).collect(),
        };
        Self { names, identity: true }
    }

    /// The entity's own key only.
    pub fn declared(entity: &Entity) -> Self {
        Self { identity: false, ..Self::new(entity) }
    }

    /// Where they are, together with the columns by which the query engine tells rows apart.
    pub fn locate(&self, schema: &Schema) -> KeyColumns {
        let fields = schema.fields().iter().enumerate();
        KeyColumns(fields.filter(|(_, field)| self.is_key(field.name())).map(|(at, _)| at).collect())
    }

    /// Whether a column belongs to what tells rows apart.
    pub fn is_key(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name) || self.identity && name.starts_with(IDENTITY)
    }
}

/// The places of the key's columns.
pub(super) struct KeyColumns(Vec<usize>);

impl KeyColumns {
    /// The key of a row as text; `None` when a part of it is null, or when there is no key.
    pub fn text(&self, batch: &RecordBatch, row: usize) -> Result<Option<String>, QueryError> {
        let mut text = String::new();
        let is_there = self.write(batch, row, &mut text)?;
        Ok((is_there && !text.is_empty()).then_some(text))
    }

    /// Writes the key of a row as text behind `text`; false, with something written or nothing, when a part of it is null.
    pub fn write(&self, batch: &RecordBatch, row: usize, text: &mut String) -> Result<bool, QueryError> {
        let start = text.len();
        for index in &self.0 {
            let column = batch.column(*index);
            if column.is_null(row) {
                return Ok(false);
            }
            if text.len() > start {
                text.push('/');
            }
            let value = values::from_array(column.as_ref(), row)?;
            // Two instants of one minute are two keys.
            let part = match value {
                Value::Timestamp(at) => at.to_string(),
                Value::Time(time) => time.to_string(),
                other => other.to_text(&jiff::tz::TimeZone::UTC),
            };
            // Of several parts none may hold the sign between them, or two keys would be one text.
            text.push_str(&if self.0.len() > 1 { part.replace('\\', "\\\\").replace('/', "\\/") } else { part });
        }
        Ok(true)
    }
}

/// Row identity: a key is there and occurs once.
pub(super) struct KeyCheck {
    names: KeyNames,
    seen: Seen,
}

/// The keys so far.
enum Seen {
    /// Rows come in the order of their key, so it is enough to know the last.
    Last(Vec<ArrayRef>),
    /// Digests of all.
    Any(HashSet<[u8; 16]>),
}

impl KeyCheck {
    /// Nothing seen yet; `ordered` when the rows come in the order of their key.
    pub fn new(entity: &Entity, ordered: bool) -> Self {
        let seen = if ordered { Seen::Last(Vec::new()) } else { Seen::Any(HashSet::new()) };
        Self { names: KeyNames::new(entity), seen }
    }

    /// The first key of the next rows that is missing (then it is empty) or occurred before.
    pub fn repeated(&mut self, batch: &RecordBatch) -> Result<Option<String>, QueryError> {
        if batch.num_rows() == 0 {
            return Ok(None);
        }
        let places = self.names.locate(&batch.schema());
        let columns: Vec<ArrayRef> = places.0.iter().map(|at| batch.column(*at).clone()).collect();
        let missing = columns.iter().any(|column| column.null_count() > 0) || is_blank(&columns);
        let bad = match &mut self.seen {
            _ if missing || columns.is_empty() => missing_at(&columns),
            Seen::Last(last) => {
                let bad = equal_neighbours(last, &columns)?;
                *last = columns.iter().map(|column| column.slice(column.len() - 1, 1)).collect();
                bad
            }
            Seen::Any(seen) => seen_before(seen, &columns)?,
        };
        match bad {
            Some(row) => Ok(Some(places.text(batch, row)?.unwrap_or_default())),
            None => Ok(None),
        }
    }
}

/// Whether the key is one text that is empty somewhere.
fn is_blank(columns: &[ArrayRef]) -> bool {
    matches!(columns, [only] if blank_at(only).is_some())
}

fn blank_at(column: &ArrayRef) -> Option<usize> {
    column.as_string_opt::<i32>().and_then(|texts| texts.iter().position(|text| text == Some("")))
}

fn missing_at(columns: &[ArrayRef]) -> Option<usize> {
    let rows = columns.first().map_or(1, |column| column.len());
    let blank = columns.first().and_then(blank_at);
    (0..rows).find(|row| blank == Some(*row) || columns.is_empty() || columns.iter().any(|column| column.is_null(*row)))
}

/// The first row whose key is that of the row before it.
fn equal_neighbours(last: &[ArrayRef], columns: &[ArrayRef]) -> Result<Option<usize>, QueryError> {
    let mut first = !last.is_empty();
    for (last, column) in last.iter().zip(columns) {
        let equal = cmp::eq(&Scalar::new(last.clone()), &column.slice(0, 1)).map_err(QueryError::from_arrow)?;
        first &= equal.value(0);
    }
    if first {
        return Ok(Some(0));
    }
    let rows = columns.first().map_or(0, |column| column.len());
    let mut same = vec![true; rows.saturating_sub(1)];
    for column in columns {
        let equal = cmp::eq(&column.slice(1, rows - 1), &column.slice(0, rows - 1)).map_err(QueryError::from_arrow)?;
        same.iter_mut().zip(equal.values().iter()).for_each(|(same, equal)| *same &= equal);
    }
    Ok(same.iter().position(|same| *same).map(|at| at + 1))
}

fn seen_before(seen: &mut HashSet<[u8; 16]>, columns: &[ArrayRef]) -> Result<Option<usize>, QueryError> {
    let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
    let converter = RowConverter::new(fields).map_err(QueryError::from_arrow)?;
    let rows = converter.convert_columns(columns).map_err(QueryError::from_arrow)?;
    for (at, row) in rows.iter().enumerate() {
        let mut digest = [0; 16];
        digest.copy_from_slice(&blake3::hash(row.as_ref()).as_bytes()[..16]);
        if !seen.insert(digest) {
            return Ok(Some(at));
        }
    }
    Ok(None)
}
