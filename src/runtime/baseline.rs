//! What a memory holds before any run: rows that `new` is to leave out from the beginning.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::scalar::ScalarValue;

use super::audiences::Remembered;
use super::engine::Engine;
use super::error::RunError;
use super::executor::{Freezing, SnapshotFile, freeze_population, highest_of, stale};
use super::memories::{keys_file, seen, takes, untaken, write_keys};
use super::store::{Realm, Seen, Store, TakeRecord};
use super::tables::{RunTables, Sources};
use crate::hir::{Entity, Query, QueryKind, SegmentTy, Value};
use crate::plan::query::{Columns, QueryError, Scope, scalar, values};
use crate::plan::{NewRows, Plan, by_name};

/// What is left out.
#[derive(Clone, PartialEq, Debug)]
pub enum Baseline {
    /// Every row that there is now.
    Everything,
    /// Rows up to this value of what grows.
    UpTo(Value),
    /// Rows with these keys, in the order of the key's fields.
    Keys(Vec<Vec<Value>>),
}

impl Engine {
    /// Finds what a baseline of the memory of a `new` is to hold, and how the memory was then. Its keys are in their file
    /// already, nothing is recorded yet. `None` when there are no rows.
    ///
    /// # Errors
    /// A source or the store that cannot be read.
    pub fn baseline(
        &self,
        store: &dyn Store,
        plan: &Plan,
        new: &NewRows<'_>,
        baseline: &Baseline,
    ) -> Result<Option<(TakeRecord, Seen)>, RunError> {
        let entity = &plan.program[new.query.ty.entity];
        let at = self.options().clock.now();
        let before = seen(store, &new.memory)?;
        let mut take = TakeRecord {
            memory: new.memory.clone(),
            entity: entity.name.clone(),
            by: new.by.map(|by| by_name(&plan.program, new.input, by)),
            at,
            kept: true,
            ..TakeRecord::default()
        };
        let state = &self.options().folders.state;
        let file = keys_file(&new.memory, &format!("baseline {at}"));
        let path = state.join(&file);
        match (baseline, new.by) {
            (Baseline::Keys(keys), _) => {
                write_given(&path, plan, entity, keys)?;
                take.rows = keys.len() as u64;
            }
            (Baseline::Everything, None) => {
                let rows = path.with_extension("rows.parquet");
                self.everything(plan, new, &rows)?;
                take.rows = write_keys(&rows, entity, &path)?;
                // It was only needed to be copied from.
                let _ = std::fs::remove_file(&rows);
            }
            (baseline, by) => {
                let highest = match (baseline, by) {
                    (Baseline::UpTo(value), _) => value.clone(),
                    (_, Some(by)) => self.highest(plan, new, by)?,
                    _ => Value::Null,
                };
                if highest == Value::Null {
                    return Ok(None);
                }
                let remembered = [Remembered { store, state: state.clone(), realm: Realm::Real }];
                let earlier = takes(&remembered, &new.memory, false)?;
                take.ranges = untaken(earlier.into_iter().flat_map(|(take, _)| take.ranges).collect(), &highest);
            }
        }
        take.file = take.by.is_none().then_some(file);
        if take.rows == 0 && take.ranges.is_empty() {
            return Ok(None);
        }
        Ok(Some((take, before)))
    }

    /// Freezes all rows of the entity.
    fn everything(&self, plan: &Plan, new: &NewRows<'_>, to: &Path) -> Result<u64, RunError> {
        let all = whole(new);
        self.with_entities(plan, |scope| {
            let what = Freezing { columns: &Columns::Named(Vec::new()), ..Freezing::all(&all, "the baseline") };
            Ok(self.block_on(freeze_population(self.session(), scope, &what, to))?.rows)
        })
    }

    fn highest(&self, plan: &Plan, new: &NewRows<'_>, by: &crate::hir::Expr) -> Result<Value, RunError> {
        let highest = highest_of(whole(new), new, by);
        self.with_entities(plan, |scope| Ok(self.block_on(scalar(scope, self.session(), &highest))?))
    }

    /// What a run of this plan would be held for now, because a source is too old.
    ///
    /// # Errors
    /// A source that cannot be read.
    pub fn stale(&self, plan: &Plan) -> Result<Vec<crate::diag::Problem>, RunError> {
        let sources = self.open_sources(plan);
        self.with_entities(plan, |scope| {
            let mut found = Vec::new();
            for entity in plan.entities() {
                found.extend(self.block_on(stale(scope, self.session(), &sources, entity))?);
            }
            Ok(found)
        })
    }

    /// Runs `work` with the entities' rows and no names.
    fn with_entities<T>(
        &self,
        plan: &Plan,
        work: impl FnOnce(&Scope<'_>) -> Result<T, RunError>,
    ) -> Result<T, RunError> {
        let sources: Sources = self.open_sources(plan);
        let (frozen, locals) = (BTreeMap::new(), HashMap::new());
        let tables = RunTables {
            sources: &sources,
            frozen: &frozen,
            numbered: None,
            ledger: None,
            remembered: Vec::new(),
            memory: None,
            simulated: false,
        };
        let (now, zone) = (self.options().clock.now(), self.options().zone.clone());
        work(&Scope { program: &plan.program, tables: &tables, locals: &locals, now, zone, seed: "" })
    }
}

fn whole(new: &NewRows<'_>) -> Query {
    let ty = SegmentTy::of(new.query.ty.entity);
    Query { kind: QueryKind::Entity(ty.entity), ty, span: new.query.span }
}

/// Writes keys that come from outside.
fn write_given(path: &Path, plan: &Plan, entity: &Entity, keys: &[Vec<Value>]) -> Result<(), RunError> {
    let program = &plan.program;
    let mut fields = Vec::new();
    let mut columns = Vec::new();
    for (at, key) in entity.key.iter().enumerate() {
        let field = &entity[*key];
        fields.push(Field::new(&field.name, values::arrow_type(program, &field.ty), true));
        let cells = keys.iter().map(|key| values::to_scalar(program, &key[at], &field.ty));
        let cells = cells.collect::<Result<Vec<ScalarValue>, _>>()?;
        columns.push(ScalarValue::iter_to_array(cells).map_err(QueryError::from)?);
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(schema.clone(), columns).map_err(QueryError::from_arrow)?;
    let mut writer = SnapshotFile::create(path)?;
    writer.write(&batch)?;
    writer.finish(Some(&schema))?;
    Ok(())
}

/// Remembered keys.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Keys {
    /// The key's fields.
    pub names: Vec<String>,
    /// A key each.
    pub rows: Vec<Vec<Value>>,
}

/// The keys that a take holds; none for one that holds ranges.
///
/// # Errors
/// A file that cannot be read.
pub fn keys_of(state: &Path, take: &TakeRecord) -> Result<Keys, RunError> {
    let mut keys = Keys::default();
    let Some(file) = &take.file else { return Ok(keys) };
    let path = state.join(file);
    for batch in super::tables::parquet_batches(&path)? {
        let batch = batch.map_err(|error| super::executor::file_error(&path, &error))?;
        let schema = batch.schema();
        let places: Vec<usize> =
            (0..batch.num_columns()).filter(|at| schema.field(*at).name() != super::executor::ROW).collect();
        keys.names = places.iter().map(|at| schema.field(*at).name().clone()).collect();
        for row in 0..batch.num_rows() {
            let key = places.iter().map(|at| values::from_array(batch.column(*at), row));
            keys.rows.push(key.collect::<Result<_, _>>()?);
        }
    }
    Ok(keys)
}

/// The cells of a CSV file: its header and its rows.
///
/// # Errors
/// A file that cannot be read.
pub fn read_cells(path: &Path) -> Result<(Vec<String>, Vec<Vec<String>>), RunError> {
    let failed = |error: csv::Error| super::executor::file_error(path, &error);
    let mut reader = csv::Reader::from_path(path).map_err(failed)?;
    let text = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
    let header = text(reader.headers().map_err(failed)?);
    let rows = reader.records().map(|record| record.map(|record| text(&record)).map_err(failed));
    Ok((header, rows.collect::<Result<_, _>>()?))
}

/// Writes a CSV file.
///
/// # Errors
/// A file that cannot be written.
pub fn write_cells(path: &Path, header: &[String], rows: &[Vec<String>]) -> Result<(), RunError> {
    let failed = |error: csv::Error| super::executor::file_error(path, &error);
    let mut writer = csv::Writer::from_path(path).map_err(failed)?;
    writer.write_record(header).map_err(failed)?;
    for row in rows {
        writer.write_record(row).map_err(failed)?;
    }
    writer.flush().map_err(|error| super::executor::file_error(path, &error))
}
