//! What a statement wants to change, read from frozen rows.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use datafusion::arrow::array::RecordBatch;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use jiff::tz::TimeZone;

use super::super::super::keys::KeyNames;
use super::super::super::person::value_of;
use super::super::publish::file_error;
use super::{Reject, SET};
use crate::hir::{Entity, Expr, FieldId, Value};
use crate::runtime::error::RunError;
use crate::runtime::seal;
use crate::runtime::sources::{Edited, Edits, identity};

/// The column that holds the line of a row, for entities without a key.
const LINE: &str = "line";

/// Changes of the rows of an entity.
pub(super) struct Changes<'e> {
    entity: &'e Entity,
    pub edits: Edits,
    /// How people know the rows of `edits`.
    names: HashMap<String, String>,
    /// The keys of rows that are changed or deleted, in their order.
    pub keys: Vec<(String, Vec<Value>)>,
    /// The rows that new rows come from.
    pub sources: Vec<String>,
    pub rejects: Vec<Reject>,
    /// All rows that were to be written, rejected ones included.
    pub wanted: u64,
}

impl<'e> Changes<'e> {
    /// None yet.
    pub fn new(entity: &'e Entity) -> Self {
        Self {
            entity,
            edits: Edits::default(),
            names: HashMap::new(),
            keys: Vec::new(),
            sources: Vec::new(),
            rejects: Vec::new(),
            wanted: 0,
        }
    }

    /// True when nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.edits.inserts.is_empty()
    }

    /// Takes new values of rows. A row that occurs twice gets the first.
    pub fn read_updates(&mut self, rows: &Path, set: &[(String, Expr)]) -> Result<(), RunError> {
        self.edits.fields = self.fields(set);
        for batch in batches(rows)? {
            let batch = batch?;
            for at in 0..batch.num_rows() {
                if let Some(row) = self.row(&batch, at)? {
                    let values = new_values(&batch, at, set)?;
                    self.edits.updates.insert(row, values);
                }
            }
        }
        Ok(())
    }

    /// Takes rows that are to go.
    pub fn read_deletes(&mut self, rows: &Path) -> Result<(), RunError> {
        for batch in batches(rows)? {
            let batch = batch?;
            for at in 0..batch.num_rows() {
                if let Some(row) = self.row(&batch, at)? {
                    self.edits.deletes.insert(row);
                }
            }
        }
        Ok(())
    }

    /// Takes new rows, made from rows of `source`. Of those that are equal in the fields `unique` the first counts.
    pub fn read_inserts(
        &mut self,
        rows: &Path,
        source: &Entity,
        set: &[(String, Expr)],
        unique: &[FieldId],
    ) -> Result<(), RunError> {
        self.edits.new_fields = self.fields(set);
        let unique: Vec<usize> = unique
            .iter()
            .filter_map(|field| self.edits.new_fields.iter().position(|known| *known == field.0 as usize))
            .collect();
        let names = KeyNames::new(source);
        let mut seen = HashSet::new();
        for batch in batches(rows)? {
            let batch = batch?;
            let key = names.locate(&batch.schema());
            for at in 0..batch.num_rows() {
                self.wanted += 1;
                let values = new_values(&batch, at, set)?;
                let name = key.text(&batch, at)?.unwrap_or_default();
                let same: Vec<Value> = unique.iter().map(|at| values[*at].clone()).collect();
                if !same.is_empty() && !same.contains(&Value::Null) && !seen.insert(identity(&same)) {
                    self.reject(name, "repeated", "an earlier row becomes the same new row");
                    continue;
                }
                self.edits.inserts.push(values);
                self.sources.push(name);
            }
        }
        Ok(())
    }

    /// Takes in what became of the changes in a file.
    pub fn settle(&mut self, edited: &Edited) {
        for (row, _) in std::mem::take(&mut self.keys) {
            if !edited.found.contains(&row) {
                let name = self.names.get(&row).cloned().unwrap_or_default();
                self.reject(name, "vanished", "the row is not there any more, or not as it was");
            }
        }
        for at in &edited.existing {
            let name = self.sources.get(*at).cloned().unwrap_or_default();
            self.reject(name, "key_exists", "there is a row with this key");
        }
    }

    /// Notes a change that is not made.
    pub fn reject(&mut self, key: String, reason: &'static str, detail: &str) {
        self.rejects.push(Reject { key, reason, detail: detail.to_string() });
    }

    /// How people know a row.
    pub fn name(&self, row: &str) -> String {
        self.names.get(row).cloned().unwrap_or_default()
    }

    fn fields(&self, set: &[(String, Expr)]) -> Vec<usize> {
        set.iter().filter_map(|(name, _)| self.entity.field(name)).map(|field| field.0 as usize).collect()
    }

    /// What names the row; `None` when it occurred before, which is noted.
    fn row(&mut self, batch: &RecordBatch, at: usize) -> Result<Option<String>, RunError> {
        self.wanted += 1;
        let mut key = Vec::new();
        let field = |name: &str| value_of(batch, name, at).map(|value| value.unwrap_or(Value::Null));
        if self.entity.key.is_empty() {
            key.push(field(LINE)?);
            for declared in &self.entity.fields {
                key.push(field(&declared.name)?);
            }
        } else {
            for declared in &self.entity.key {
                key.push(field(&self.entity[*declared].name)?);
            }
        }
        let shown = if self.entity.key.is_empty() { &key[..1] } else { &key[..] };
        let name = shown.iter().map(|value| value.to_text(&TimeZone::UTC)).collect::<Vec<_>>().join("/");
        let row = identity(&key);
        if self.names.insert(row.clone(), name.clone()).is_some() {
            self.reject(name, "repeated", "an earlier row changes the same row");
            return Ok(None);
        }
        self.keys.push((row.clone(), key));
        Ok(Some(row))
    }
}

/// The values of a row, in the order of `set`.
fn new_values(batch: &RecordBatch, at: usize, set: &[(String, Expr)]) -> Result<Vec<Value>, RunError> {
    let value = |(name, _): &(String, Expr)| {
        value_of(batch, &format!("{SET}{name}"), at).map(|value| value.unwrap_or(Value::Null))
    };
    Ok(set.iter().map(value).collect::<Result<_, _>>()?)
}

fn batches(rows: &Path) -> Result<impl Iterator<Item = Result<RecordBatch, RunError>>, RunError> {
    let opened = seal::open(rows).map_err(|error| file_error(rows, &error))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(opened).map_err(|error| file_error(rows, &error))?;
    let reader = reader.build().map_err(|error| file_error(rows, &error))?;
    let path = rows.to_path_buf();
    Ok(reader.map(move |batch| batch.map_err(|error| file_error(&path, &error).into())))
}
