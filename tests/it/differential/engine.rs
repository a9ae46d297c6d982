//! The product's side: scripts are checked, planned and computed over tables in memory.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, new_empty_array};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Float64Type, Int64Type, Schema, Time64MicrosecondType, TimeUnit,
    TimestampMicrosecondType,
};
use datafusion::datasource::{MemTable, TableProvider};
use datafusion::scalar::ScalarValue;
use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp, ToSpan};
use orch::analysis::Workspace;
use orch::diag::Severity;
use orch::hir::{EntityId, LocalId, Program, Query, StmtKind, Value};
use orch::plan::query::{
    Columns, Joins, Ordering, QueryError, Rows, Scope, Session, Tables, Taken, computation, population, scalar,
};

use super::data::{TABLES, World, schema};
use super::tree::Kind;
use super::value::V;

fn data_type(kind: Kind, extreme: bool) -> DataType {
    match kind {
        Kind::Bool => DataType::Boolean,
        Kind::Int => DataType::Int64,
        Kind::Decimal if extreme => DataType::Decimal128(38, 2),
        Kind::Decimal => DataType::Decimal128(12, 2),
        Kind::Float => DataType::Float64,
        Kind::Date => DataType::Date32,
        Kind::Time => DataType::Time64(TimeUnit::Microsecond),
        Kind::Stamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        _ => DataType::Utf8,
    }
}

fn scalar_of(value: &V, ty: &DataType) -> ScalarValue {
    match value {
        V::Null => ScalarValue::try_from(ty).unwrap(),
        V::Bool(value) => ScalarValue::Boolean(Some(*value)),
        V::Int(value) => ScalarValue::Int64(Some(*value)),
        V::Num(value, _) => {
            let DataType::Decimal128(digits, scale) = ty else { panic!("{ty} holds no decimal") };
            ScalarValue::Decimal128(Some(*value), *digits, *scale)
        }
        V::Float(value) => ScalarValue::Float64(Some(*value)),
        V::Text(text) => ScalarValue::Utf8(Some(text.clone())),
        V::Date(date) => ScalarValue::Date32(Some(super::functions::day_number(*date) as i32)),
        V::Time(time) => ScalarValue::Time64Microsecond(Some(time.duration_since(Time::midnight()).as_micros() as i64)),
        V::Stamp(at) => ScalarValue::TimestampMicrosecond(Some(at.as_microsecond()), Some("UTC".into())),
        V::List(_) => panic!("no list in a table"),
    }
}

/// The value in a row of a column.
pub fn read(column: &dyn Array, row: usize) -> V {
    if column.is_null(row) {
        return V::Null;
    }
    match column.data_type() {
        DataType::Boolean => V::Bool(column.as_boolean().value(row)),
        DataType::Int64 => V::Int(column.as_primitive::<Int64Type>().value(row)),
        DataType::Decimal128(_, scale) => V::Num(column.as_primitive::<Decimal128Type>().value(row), *scale as u8),
        DataType::Float64 => V::Float(column.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => V::text(column.as_string::<i32>().value(row)),
        DataType::Utf8View => V::text(column.as_string_view().value(row)),
        DataType::Date32 => {
            let days = column.as_primitive::<Date32Type>().value(row);
            V::Date(Date::constant(1970, 1, 1).checked_add(days.days()).unwrap())
        }
        DataType::Time64(_) => {
            let micros = column.as_primitive::<Time64MicrosecondType>().value(row);
            V::Time(Time::midnight().checked_add(SignedDuration::from_micros(micros)).unwrap())
        }
        DataType::Timestamp(..) => {
            let micros = column.as_primitive::<TimestampMicrosecondType>().value(row);
            V::Stamp(Timestamp::from_microsecond(micros).unwrap())
        }
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            V::List((0..items.len()).map(|at| read(&items, at)).collect())
        }
        DataType::Struct(_) => V::List(column.as_struct().columns().iter().map(|one| read(one, row)).collect()),
        DataType::Null => V::Null,
        other => panic!("{other} is read nowhere"),
    }
}

/// A table of two partitions, so that nothing depends on the order of rows.
fn table(fields: &[(&str, Kind)], rows: &[Vec<V>], extreme: bool) -> Arc<dyn TableProvider> {
    let types: Vec<DataType> = fields.iter().map(|(_, kind)| data_type(*kind, extreme)).collect();
    let named = fields.iter().zip(&types).map(|((name, _), ty)| Field::new(*name, ty.clone(), true));
    let schema = Arc::new(Schema::new(named.collect::<Vec<_>>()));
    let half = rows.len().div_ceil(2);
    let batch = |rows: &[Vec<V>]| {
        let column = |at: usize| -> ArrayRef {
            match rows.is_empty() {
                true => new_empty_array(&types[at]),
                false => ScalarValue::iter_to_array(rows.iter().map(|row| scalar_of(&row[at], &types[at]))).unwrap(),
            }
        };
        RecordBatch::try_new(Arc::clone(&schema), (0..fields.len()).map(column).collect()).unwrap()
    };
    let partitions = [&rows[half..], &rows[..half]].map(|rows| vec![batch(rows)]);
    Arc::new(MemTable::try_new(schema, partitions.to_vec()).unwrap())
}

struct Memory(HashMap<Rows, Arc<dyn TableProvider>>);

impl Tables for Memory {
    fn rows(&self, rows: &Rows) -> Result<Arc<dyn TableProvider>, QueryError> {
        self.0.get(rows).cloned().ok_or_else(|| QueryError::Source(format!("no rows for {rows:?}")))
    }

    fn taken(&self, _: Option<&str>, _: EntityId, _: Option<&str>) -> Result<Taken, QueryError> {
        Ok(Taken::Nothing)
    }
}

/// What a statement gave.
pub enum Answer {
    /// Fields and added columns of each row, in order.
    Rows(Vec<Vec<V>>),
    Value(V),
    Failed(QueryError),
}

/// A script at work.
pub struct Engine<'s> {
    session: &'s Session,
    runtime: &'s tokio::runtime::Runtime,
    program: Program,
    memory: Memory,
    locals: HashMap<LocalId, Value>,
    zone: jiff::tz::TimeZone,
    now: Timestamp,
    pub joins: Joins,
}

impl<'s> Engine<'s> {
    /// Checks a script; `Err` holds what the checker has to say.
    pub fn new(
        session: &'s Session,
        runtime: &'s tokio::runtime::Runtime,
        world: &World,
        script: &str,
    ) -> Result<Self, String> {
        let schema = schema();
        let files = [("schema.orch", schema.as_str()), ("test.orch", script)];
        let analysis = Workspace::from_files(files).schema(["schema.orch"]).timezone(world.zone).analyze("test.orch");
        let errors = analysis.problems.iter().filter(|problem| problem.severity == Severity::Error);
        let shown = |problem: &orch::diag::Problem| {
            let span = problem.labels[0].span;
            let place = script.get(span.start as usize..span.end as usize).unwrap_or_default();
            let line = script[..(span.start as usize).min(script.len())].lines().count();
            let line = script.lines().nth(line.saturating_sub(1)).unwrap_or_default();
            format!("{}: {} at {place:.300}\n  in {line:.3000}", problem.code, problem.message)
        };
        let errors: Vec<String> = errors.map(shown).collect();
        if !errors.is_empty() {
            return Err(errors.join("\n"));
        }
        let mut memory = Memory(HashMap::new());
        for (of, rows) in TABLES.iter().zip(&world.rows) {
            let at = analysis.program.entities.iter().position(|entity| entity.name == of.name).unwrap();
            memory.0.insert(Rows::Entity(EntityId(at as u32)), table(of.fields, rows, world.extreme));
        }
        let zone = jiff::tz::TimeZone::get(world.zone).unwrap();
        let (program, now, locals) = (analysis.program, world.now, HashMap::new());
        Ok(Self { session, runtime, program, memory, locals, zone, now, joins: Joins::Fast })
    }

    fn scope(&self) -> Scope<'_> {
        let (program, tables, locals) = (&self.program, &self.memory as &dyn Tables, &self.locals);
        Scope { program, tables, locals, now: self.now, zone: self.zone.clone(), seed: "seed" }
    }

    fn name(&self, local: LocalId) -> String {
        self.program.campaigns[0][local].name.clone()
    }

    /// Computes every segment and `let` in order; what is called `frozen_N` can be used by those that follow.
    pub fn run(&mut self, mut each: impl FnMut(&str, Answer)) {
        for stmt in self.program.campaigns[0].body.clone() {
            match &stmt.kind {
                StmtKind::Segment { local, query } => {
                    let name = self.name(*local);
                    let keep = name.starts_with("frozen_").then_some(*local);
                    let answer = self.segment(query, keep).map_or_else(Answer::Failed, Answer::Rows);
                    each(&name, answer);
                }
                StmtKind::Let { local, value } => {
                    let name = self.name(*local);
                    match self.runtime.block_on(scalar(&self.scope(), self.session, value)) {
                        Ok(value) => {
                            self.locals.insert(*local, value.clone());
                            each(&name, Answer::Value(of_value(&value)));
                        }
                        Err(error) => each(&name, Answer::Failed(error)),
                    }
                }
                _ => {}
            }
        }
    }

    fn segment(&mut self, query: &Query, keep: Option<LocalId>) -> Result<Vec<Vec<V>>, QueryError> {
        let width = self.program.entities[query.ty.entity.0 as usize].fields.len() + query.ty.with.len();
        let plan = population(&self.scope(), query, &Columns::All, Ordering::Defined)?;
        let schema = Arc::new(plan.schema().as_arrow().clone());
        let batches = self.runtime.block_on(async {
            let mut batches = Vec::new();
            let mut rows = computation(self.session, plan, self.joins).await?.rows;
            while let Some(batch) = futures::StreamExt::next(&mut rows).await {
                batches.push(batch?);
            }
            Ok::<_, QueryError>(batches)
        })?;
        if let Some(local) = keep {
            let schema = batches.first().map_or(schema, RecordBatch::schema);
            let table = MemTable::try_new(schema, vec![batches.clone()])?;
            self.memory.0.insert(Rows::Frozen(local), Arc::new(table));
        }
        let mut rows = Vec::new();
        for batch in &batches {
            let columns = &batch.columns()[..width];
            rows.extend((0..batch.num_rows()).map(|row| columns.iter().map(|column| read(column, row)).collect()));
        }
        Ok(rows)
    }
}

fn of_value(value: &Value) -> V {
    match value {
        Value::Null => V::Null,
        Value::Bool(value) => V::Bool(*value),
        Value::Int(value) => V::Int(*value),
        Value::Decimal(value) => V::Num(value.mantissa(), value.scale() as u8),
        Value::LongDecimal(value) => V::Num(value.units, value.scale),
        Value::Float(value) => V::Float(*value),
        Value::Text(text) => V::text(text.as_str()),
        Value::Date(date) => V::Date(*date),
        Value::Time(time) => V::Time(*time),
        Value::Timestamp(at) => V::Stamp(*at),
        other => panic!("{other:?} is bound by no `let` here"),
    }
}
