//! Scripts over small tables: segments are frozen and `let`s evaluated in order, as a run would.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::datasource::MemTable;

use super::{Columns, LocalId, Memory, Ordering, Rows, Value, World, block, session};
use crate::analysis::Workspace;
use crate::diag::Severity;
use crate::hir::{StmtKind, Ty, TyKind};
use crate::plan::query::{QueryError, collect, population, scalar};

const SCHEMA: &str = r#"
entity customers {
  id: int key
  email: email?
  city: text?
  tier: "bronze" | "silver" | "gold"
  spend: decimal?
  visits: int?
  joined: date?
  seen: timestamp?
  vip: bool?
  store_id: int?
  store: one stores by store_id
  orders: many orders by customer_id
}
entity orders {
  id: int key
  customer_id: int?
  sku: text?
  amount: decimal?
  placed_at: timestamp?
  customer: one customers by customer_id
}
entity stores {
  id: int key
  name: text?
  customers: many customers by store_id
}
entity shelves {
  store: int key
  number: int key
  label: text?
  boxes: many boxes by (store, number)
}
entity boxes {
  id: int key
  store: int?
  number: int?
  weight: decimal?
  shelf: one shelves by (store, number)
}
entity people {
  id: int key
  `First Name`: text?
  `order.by`: text?
  "#;

const SCHEMA_END: &str = "boss_id: int?\n  boss: one people by boss_id\n  team: many people by boss_id\n}\n";

/// Rows as text: one line per row, cells between bars, `-` for null.
const DATA: &[(&str, &str)] = &[
    (
        "customers",
        "1 | a@x.test | Lyon  | gold   | 10.00  | 3 | 2024-02-29 | 2026-11-20T10:00:00Z | true  | 1
         2 | b@x.test | Paris | bronze | 500.50 | 0 | 2025-11-24 | 2026-10-25T00:30:00Z | false | 2
         3 | -        | -     | silver | -      | - | -          | -                    | -     | -
         4 | A@X.test | Lyon  | silver | 900.00 | 7 | 2026-11-20 | 2026-11-24T09:59:59Z | true  | 9
         5 | -        | Nice  | bronze | 0.00   | 3 | 2026-01-31 | 2026-03-28T09:00:00Z | -     | 2",
    ),
    (
        "orders",
        "10 | 1 | tea  | 5.00   | 2026-11-01T10:00:00Z
         11 | 1 | cup  | 7.50   | 2026-11-20T10:00:00Z
         12 | 2 | tea  | 500.50 | 2026-10-01T10:00:00Z
         13 | 4 | pot  | 600.00 | 2026-09-01T10:00:00Z
         14 | 4 | tea  | 300.00 | 2026-11-23T10:00:00Z
         15 | - | cup  | 1.00   | -
         16 | 4 | -    | -      | 2026-11-23T10:00:00Z",
    ),
    ("stores", "1 | Lyon\n2 | Paris"),
    ("shelves", "1 | 1 | a\n1 | 2 | b\n2 | 1 | c"),
    ("boxes", "1 | 1 | 2 | 1.5\n2 | 2 | 1 | 2.5\n3 | 2 | 1 | 3.0\n4 | 2 | - | 4.0\n5 | 9 | 9 | 5.0"),
    ("people", "1 | Ann | x | -\n2 | Bob | y | 1\n3 | Cid | x | 1\n4 | Dee | - | 2"),
];

fn cell(text: &str, ty: &Ty) -> Value {
    match (text, &ty.kind) {
        ("-", _) => Value::Null,
        (text, TyKind::Int) => Value::Int(text.parse().unwrap()),
        (text, TyKind::Decimal) => Value::Decimal(text.parse().unwrap()),
        (text, TyKind::Bool) => Value::Bool(text.parse().unwrap()),
        (text, TyKind::Date) => Value::Date(text.parse().unwrap()),
        (text, TyKind::Timestamp) => Value::Timestamp(text.parse().unwrap()),
        (text, _) => Value::Text(text.to_owned()),
    }
}

/// What a script bound.
pub struct Outcome {
    pub world: World,
    segments: HashMap<String, Result<Vec<Vec<Value>>, QueryError>>,
    lets: HashMap<String, Result<Value, QueryError>>,
}

/// Runs the segments and `let`s of a script.
pub fn run(script: &str) -> Outcome {
    run_with(script, |_| {})
}

/// The same elsewhere and at another time.
pub fn run_at(clock: (&'static str, &'static str), script: &str) -> Outcome {
    run_with(script, |world| world.clock = clock)
}

/// The same in a changed world.
pub fn run_with(script: &str, change: impl FnOnce(&mut World)) -> Outcome {
    let schema = format!("{SCHEMA}{SCHEMA_END}");
    let analysis =
        Workspace::from_files([("schema.orch", schema.as_str()), ("test.orch", script)]).schema(["schema.orch"]);
    let analysis = analysis.timezone("Europe/Paris").analyze("test.orch");
    let errors: Vec<_> = analysis.problems.iter().filter(|problem| problem.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let mut world =
        World { program: analysis.program, memory: Memory::default(), locals: HashMap::new(), clock: super::PARIS };
    for (name, rows) in DATA {
        let at = world.program.entities.iter().position(|entity| entity.name == *name).unwrap();
        let entity = crate::hir::EntityId(at as u32);
        let types: Vec<Ty> = world.program[entity].fields.iter().map(|field| field.ty.clone()).collect();
        let row = |line: &str| line.split('|').zip(&types).map(|(text, ty)| cell(text.trim(), ty)).collect();
        world.fill(entity, rows.lines().map(row).collect());
    }
    change(&mut world);
    let mut outcome = Outcome { world, segments: HashMap::new(), lets: HashMap::new() };
    let campaign = outcome.world.program.campaigns[0].clone();
    for stmt in &campaign.body {
        match &stmt.kind {
            StmtKind::Segment { local, query } => outcome.freeze(*local, &campaign[*local].name, query),
            StmtKind::Let { local, value } => {
                let result = block(scalar(&outcome.world.scope(), &session(), value));
                if let Ok(value) = &result {
                    outcome.world.locals.insert(*local, value.clone());
                }
                outcome.lets.insert(campaign[*local].name.clone(), result);
            }
            _ => {}
        }
    }
    outcome
}

impl Outcome {
    fn freeze(&mut self, local: LocalId, name: &str, query: &crate::hir::Query) {
        let frozen = population(&self.world.scope(), query, &Columns::All, Ordering::Defined).and_then(|plan| {
            let schema = Arc::new(plan.schema().as_arrow().clone());
            let batches = block(collect(&session(), plan.clone()))?;
            let schema = batches.first().map_or(schema, |batch| batch.schema());
            let table = MemTable::try_new(schema, vec![batches])?;
            self.world.memory.tables.insert(Rows::Frozen(local), Arc::new(table));
            super::run(plan)
        });
        self.segments.insert(name.to_owned(), frozen);
    }

    pub fn rows(&self, segment: &str) -> &Vec<Vec<Value>> {
        match self.segments.get(segment) {
            Some(Ok(rows)) => rows,
            other => panic!("`{segment}`: {other:?}"),
        }
    }

    /// The first column of each row.
    pub fn keys(&self, segment: &str) -> Vec<i64> {
        self.rows(segment).iter().map(|row| super::as_int(&row[0])).collect()
    }

    /// A column of each row, as text.
    pub fn column(&self, segment: &str, at: usize) -> Vec<String> {
        let zone = jiff::tz::TimeZone::get("Europe/Paris").unwrap();
        let text = |value: &Value| match value {
            Value::Null => "-".to_owned(),
            other => other.to_text(&zone),
        };
        self.rows(segment).iter().map(|row| text(&row[at])).collect()
    }

    /// The last column: the one added last.
    pub fn last(&self, segment: &str) -> Vec<String> {
        let width = self.rows(segment).first().map_or(1, Vec::len);
        self.column(segment, width - 1)
    }

    pub fn value(&self, name: &str) -> &Value {
        match self.lets.get(name) {
            Some(Ok(value)) => value,
            other => panic!("`{name}`: {other:?}"),
        }
    }

    pub fn error(&self, name: &str) -> &QueryError {
        match (self.lets.get(name), self.segments.get(name)) {
            (Some(Err(error)), _) | (_, Some(Err(error))) => error,
            other => panic!("`{name}`: {other:?}"),
        }
    }
}

/// Asserts the keys of one segment.
#[track_caller]
pub fn expect(query: &str, keys: &[i64]) {
    assert_eq!(run(&format!("segment s = {query}")).keys("s"), keys, "{query}");
}

impl Outcome {
    pub fn value_or_error(&self, name: &str) -> Result<Value, QueryError> {
        self.lets[name].clone()
    }
}
