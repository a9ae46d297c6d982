//! Populations over small tables in memory.

mod build;
mod failing;
mod first;
mod language;
mod limits;
mod script;
mod time;

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::{MemTable, TableProvider};
use datafusion::scalar::ScalarValue;

use super::*;
use crate::hir::Ty;

/// Tables in memory.
#[derive(Default)]
pub(super) struct Memory {
    pub tables: HashMap<Rows, Arc<dyn TableProvider>>,
    /// What `new` leaves out.
    pub taken: Option<Known>,
}

/// What earlier runs took.
pub(super) enum Known {
    Keys(Arc<dyn TableProvider>),
    Ranges(Vec<(Option<Value>, Value)>),
}

impl Tables for Memory {
    fn rows(&self, rows: &Rows) -> Result<Arc<dyn TableProvider>, QueryError> {
        self.tables.get(rows).cloned().ok_or_else(|| QueryError::Source(format!("no rows for {rows:?}")))
    }

    fn taken(&self, _: Option<&str>, _: EntityId, _: Option<&str>) -> Result<Taken, QueryError> {
        Ok(match &self.taken {
            None => Taken::Nothing,
            Some(Known::Keys(keys)) => Taken::Keys(Arc::clone(keys)),
            Some(Known::Ranges(ranges)) => Taken::Ranges(ranges.clone()),
        })
    }
}

/// A program, its data and what is bound.
pub(super) struct World {
    pub program: Program,
    pub memory: Memory,
    pub locals: HashMap<LocalId, Value>,
    /// Zone and instant of the statement.
    pub clock: (&'static str, &'static str),
}

/// Where and when most questions are asked: eleven o'clock.
pub(super) const PARIS: (&str, &str) = ("Europe/Paris", "2026-11-24T10:00:00Z");

impl World {
    pub fn scope(&self) -> Scope<'_> {
        Scope {
            program: &self.program,
            tables: &self.memory,
            locals: &self.locals,
            now: self.clock.1.parse().unwrap(),
            zone: jiff::tz::TimeZone::get(self.clock.0).unwrap(),
            seed: "seed",
        }
    }

    /// Fills an entity's table.
    pub fn fill(&mut self, entity: EntityId, rows: Vec<Vec<Value>>) {
        let fields: Vec<(String, Ty)> =
            self.program[entity].fields.iter().map(|field| (field.name.clone(), field.ty.clone())).collect();
        let table = table(&self.program, &fields, &rows);
        self.memory.tables.insert(Rows::Entity(entity), table);
    }

    /// The rows of a population in its defined order, all columns.
    pub fn rows(&self, query: &Query) -> Vec<Vec<Value>> {
        self.try_rows(query, &Columns::All).unwrap()
    }

    pub fn try_rows(&self, query: &Query, columns: &Columns) -> Result<Vec<Vec<Value>>, QueryError> {
        let plan = population(&self.scope(), query, columns, Ordering::Defined)?;
        run(plan)
    }

    /// The first column of each row: the key of most entities here.
    pub fn keys(&self, query: &Query) -> Vec<i64> {
        self.rows(query).into_iter().map(|row| as_int(&row[0])).collect()
    }

    pub fn values(&self, query: &Query, row: RowId, exprs: Vec<(&str, Expr)>) -> Vec<Vec<Value>> {
        let exprs: Vec<_> = exprs.into_iter().map(|(name, expr)| (name.to_owned(), expr)).collect();
        let bindings = [Binding { row, path: Vec::new() }];
        let columns = Columns::Named(Vec::new());
        run(values(&self.scope(), query, &bindings, &exprs, &columns, Ordering::Defined).unwrap()).unwrap()
    }

    pub fn scalar(&self, expr: &Expr) -> Result<Value, QueryError> {
        block(scalar(&self.scope(), &session(), expr))
    }
}

pub(super) fn as_int(value: &Value) -> i64 {
    match value {
        Value::Int(value) => *value,
        other => panic!("{other:?} is no int"),
    }
}

pub(super) fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}

pub(super) fn session() -> Session {
    Session::new(&SessionOptions { threads: Some(2), ..SessionOptions::default() }).unwrap()
}

pub(super) fn run(plan: LogicalPlan) -> Result<Vec<Vec<Value>>, QueryError> {
    Ok(listed(&block(collect(&session(), plan))?))
}

fn listed(batches: &[RecordBatch]) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for batch in batches {
        for at in 0..batch.num_rows() {
            rows.push(batch.columns().iter().map(|column| values::from_array(column, at).unwrap()).collect());
        }
    }
    rows
}

/// A table of two partitions, so that nothing depends on the order of rows.
pub(super) fn table(program: &Program, fields: &[(String, Ty)], rows: &[Vec<Value>]) -> Arc<dyn TableProvider> {
    let types: Vec<DataType> = fields
        .iter()
        .map(|(_, ty)| match values::arrow_type(program, ty) {
            DataType::Decimal128(..) => DataType::Decimal128(12, 2),
            other => other,
        })
        .collect();
    let schema = Arc::new(Schema::new(
        fields.iter().zip(&types).map(|((name, _), ty)| Field::new(name, ty.clone(), true)).collect::<Vec<_>>(),
    ));
    let half = rows.len().div_ceil(2);
    let batch = |rows: &[Vec<Value>]| {
        let column = |at: usize| -> ArrayRef {
            let ty = &fields[at].1;
            let cells =
                rows.iter().map(|row| values::to_scalar(program, &row[at], ty).unwrap().cast_to(&types[at]).unwrap());
            let mut cells = cells.peekable();
            match cells.peek() {
                Some(_) => ScalarValue::iter_to_array(cells).unwrap(),
                None => datafusion::arrow::array::new_empty_array(&types[at]),
            }
        };
        let columns = (0..fields.len()).map(column).collect();
        RecordBatch::try_new(Arc::clone(&schema), columns).unwrap()
    };
    let partitions = [&rows[half..], &rows[..half]].map(|rows| match rows.is_empty() {
        true => vec![batch(rows)],
        false => rows.chunks(1000).map(batch).collect(),
    });
    Arc::new(MemTable::try_new(Arc::clone(&schema), partitions.to_vec()).unwrap())
}
