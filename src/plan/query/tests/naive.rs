//! What queries mean, written down as plainly as possible: loops over rows in memory. The engine must agree.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use rust_decimal::{Decimal, RoundingStrategy};

use crate::hir::*;
use crate::plan::functions;
use crate::plan::query::Rows;

/// A row. A population is a list of them in its defined order.
#[derive(Clone, Debug)]
pub struct NaiveRow {
    pub entity: EntityId,
    pub fields: Vec<Value>,
    pub added: Vec<(String, Value)>,
    /// Further identity, after `match`.
    pub extra: Vec<Value>,
    /// The matched source row.
    pub source: Option<(RowId, Box<NaiveRow>)>,
    pub group: Option<Vec<NaiveRow>>,
}

pub struct Naive<'p> {
    pub program: &'p Program,
    pub tables: HashMap<Rows, Vec<NaiveRow>>,
    pub seed: String,
}

type Env = BTreeMap<RowId, NaiveRow>;

/// Null where one side is null.
pub fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Null, _) | (_, Value::Null) => None,
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Date(left), Value::Date(right)) => Some(left.cmp(right)),
        (Value::Timestamp(left), Value::Timestamp(right)) => Some(left.cmp(right)),
        (left, right) => Some(number(left).cmp(&number(right))),
    }
}

fn number(value: &Value) -> Decimal {
    match value {
        Value::Int(value) => Decimal::from(*value),
        Value::Decimal(value) => *value,
        other => panic!("{other:?} is no number"),
    }
}

/// Nulls last, whichever the direction.
fn by_order(left: &Value, right: &Value, descending: bool) -> Ordering {
    match (left, right) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Greater,
        (_, Value::Null) => Ordering::Less,
        _ => {
            let order = compare(left, right).unwrap();
            if descending { order.reverse() } else { order }
        }
    }
}

fn same(left: &[Value], right: &[Value]) -> bool {
    left.iter().zip(right).all(|(left, right)| compare(left, right) == Some(Ordering::Equal))
}

impl Naive<'_> {
    fn key(&self, row: &NaiveRow) -> Vec<Value> {
        let key = self.program[row.entity].key.iter().map(|field| row.fields[field.0 as usize].clone());
        key.chain(row.extra.iter().cloned()).collect()
    }

    fn by_key(&self, mut rows: Vec<NaiveRow>) -> Vec<NaiveRow> {
        rows.sort_by(|left, right| self.key_order(left, right));
        rows
    }

    fn key_order(&self, left: &NaiveRow, right: &NaiveRow) -> Ordering {
        let pairs = self.key(left).into_iter().zip(self.key(right));
        pairs.map(|(left, right)| by_order(&left, &right, false)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    fn reached(&self, row: &NaiveRow, relation: RelationId) -> Vec<NaiveRow> {
        let relation = &self.program[row.entity][relation];
        let table = &self.tables[&Rows::Entity(relation.target)];
        let tied = |target: &&NaiveRow| {
            relation.on.iter().all(|(here, there)| {
                compare(&row.fields[here.0 as usize], &target.fields[there.0 as usize]) == Some(Ordering::Equal)
            })
        };
        table.iter().filter(tied).cloned().collect()
    }

    fn distinct(&self, rows: Vec<NaiveRow>) -> Vec<NaiveRow> {
        let mut rows = self.by_key(rows);
        rows.dedup_by(|left, right| self.key_order(left, right).is_eq());
        rows
    }

    fn with_row(env: &Env, id: RowId, row: &NaiveRow) -> Env {
        let mut env = env.clone();
        if let Some((source, row)) = &row.source {
            env.insert(*source, (**row).clone());
        }
        env.insert(id, row.clone());
        env
    }

    pub fn query(&self, query: &Query, env: &Env) -> Vec<NaiveRow> {
        match &query.kind {
            QueryKind::Entity(entity) => self.by_key(self.tables[&Rows::Entity(*entity)].clone()),
            QueryKind::Local(local) => self.by_key(self.tables[&Rows::Frozen(*local)].clone()),
            QueryKind::Related { row, path } => {
                let mut rows = vec![env[row].clone()];
                for relation in path {
                    rows = self.distinct(rows.iter().flat_map(|row| self.reached(row, *relation)).collect());
                }
                rows
            }
            QueryKind::Group { row } => env[row].group.clone().unwrap(),
            QueryKind::Navigate { input, relation } => {
                let rows = self.query(input, env);
                self.distinct(rows.iter().flat_map(|row| self.reached(row, *relation)).collect())
            }
            QueryKind::Where { input, row, predicate } => {
                let mut rows = self.query(input, env);
                rows.retain(|given| self.expr(predicate, &Self::with_row(env, *row, given)) == Value::Bool(true));
                rows
            }
            QueryKind::With { input, row, columns } => {
                let mut rows = self.query(input, env);
                for given in &mut rows {
                    for (column, value) in columns {
                        let value = self.expr(value, &Self::with_row(env, *row, given));
                        given.added.retain(|(name, _)| *name != column.name);
                        given.added.push((column.name.clone(), value));
                    }
                }
                rows
            }
            QueryKind::OrderBy { input, row, keys } => self.ordered(self.query(input, env), *row, keys, env),
            QueryKind::Limit { input, row, amount, by } => {
                let mut rows = self.query(input, env);
                if !by.is_empty() {
                    rows = self.ordered(rows, *row, by, env);
                }
                rows.truncate(self.amount(amount, rows.len(), env));
                rows
            }
            QueryKind::Sample { input, amount, seed } => self.sample(self.query(input, env), amount, seed, env),
            QueryKind::Dedupe { input, row, by, keep, prefer } => {
                self.dedupe(self.query(input, env), (*row, by, *keep, prefer), env)
            }
            QueryKind::Match { input, source, target, row, on } => {
                let mut pairs = Vec::new();
                for given in self.query(input, env) {
                    for target in &self.tables[&Rows::Entity(*target)] {
                        let mut pair = target.clone();
                        pair.extra = self.key(&given);
                        pair.added = query.ty.with.iter().map(|column| self.matched(&given, &column.name)).collect();
                        pair.source = Some((*source, Box::new(given.clone())));
                        if self.expr(on, &Self::with_row(env, *row, &pair)) == Value::Bool(true) {
                            pairs.push(pair);
                        }
                    }
                }
                self.by_key(pairs)
            }
            QueryKind::SetOp { op, left, right, on } => self.set_op(*op, [left, right], on, &query.ty, env),
            other => panic!("no meaning for {other:?}"),
        }
    }

    fn matched(&self, given: &NaiveRow, name: &str) -> (String, Value) {
        let short = name.split_once('.').unwrap().1;
        (name.to_owned(), self.column(given, short).unwrap_or(Value::Null))
    }

    fn column(&self, row: &NaiveRow, name: &str) -> Option<Value> {
        let added = row.added.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        added.or_else(|| Some(row.fields[self.program[row.entity].field(name)?.0 as usize].clone()))
    }

    fn set_op(&self, op: SetOp, sides: [&Query; 2], on: &[String], ty: &SegmentTy, env: &Env) -> Vec<NaiveRow> {
        let (left, right) = (self.query(sides[0], env), self.query(sides[1], env));
        let id = |row: &NaiveRow| match on.is_empty() {
            true => self.key(row),
            false => on.iter().map(|name| self.column(row, name).unwrap()).collect(),
        };
        let within = |row: &NaiveRow, rows: &[NaiveRow]| rows.iter().any(|other| same(&id(row), &id(other)));
        let rows = match op {
            SetOp::Intersect => left.into_iter().filter(|row| within(row, &right)).collect(),
            SetOp::Except => left.into_iter().filter(|row| !within(row, &right)).collect(),
            SetOp::Union => {
                let rest: Vec<_> = right.into_iter().filter(|row| !within(row, &left)).collect();
                let mut rows: Vec<_> = left.into_iter().chain(rest).collect();
                for row in &mut rows {
                    let added = ty.with.iter().map(|column| {
                        let value = row.added.iter().find(|(name, _)| *name == column.name);
                        (column.name.clone(), value.map_or(Value::Null, |(_, value)| value.clone()))
                    });
                    row.added = added.collect();
                }
                rows
            }
        };
        self.by_key(rows)
    }

    fn amount(&self, amount: &Amount, of: usize, env: &Env) -> usize {
        match amount {
            Amount::Rows(rows) => match self.expr(rows, env) {
                Value::Int(rows) => rows.max(0) as usize,
                other => panic!("{other:?} rows"),
            },
            Amount::Share(share) => {
                let rows = number(&self.expr(share, env)) * Decimal::from(of);
                (rows + Decimal::new(5, 1)).floor().to_string().parse().unwrap()
            }
        }
    }

    fn ordered(&self, mut rows: Vec<NaiveRow>, id: RowId, keys: &[OrderKey], env: &Env) -> Vec<NaiveRow> {
        rows = self.by_key(rows);
        rows.sort_by(|left, right| {
            for key in keys {
                let left = self.expr(&key.value, &Self::with_row(env, id, left));
                let right = self.expr(&key.value, &Self::with_row(env, id, right));
                let order = by_order(&left, &right, key.descending);
                if order.is_ne() {
                    return order;
                }
            }
            Ordering::Equal
        });
        rows
    }

    fn ticket(&self, row: &NaiveRow, seed: &Option<String>) -> u64 {
        functions::ticket(seed.as_deref().unwrap_or(&self.seed), &self.key(row))
    }

    fn sample(&self, rows: Vec<NaiveRow>, amount: &Amount, seed: &Option<String>, env: &Env) -> Vec<NaiveRow> {
        match amount {
            Amount::Share(share) => {
                let share: f64 = number(&self.expr(share, env)).to_string().parse().unwrap();
                let low = |row: &NaiveRow| (self.ticket(row, seed) as f64) < share * 2f64.powi(64);
                rows.into_iter().filter(low).collect()
            }
            Amount::Rows(_) => {
                let mut tickets: Vec<u64> = rows.iter().map(|row| self.ticket(row, seed)).collect();
                tickets.sort_unstable();
                tickets.truncate(self.amount(amount, rows.len(), env));
                rows.into_iter().filter(|row| tickets.contains(&self.ticket(row, seed))).collect()
            }
        }
    }

    fn dedupe(
        &self,
        rows: Vec<NaiveRow>,
        (id, by, keep, prefer): (RowId, &[Expr], u64, &[OrderKey]),
        env: &Env,
    ) -> Vec<NaiveRow> {
        let best = self.ordered(rows.clone(), id, prefer, env);
        let of = |row: &NaiveRow| -> Vec<Value> {
            by.iter().map(|expr| self.expr(expr, &Self::with_row(env, id, row))).collect()
        };
        let mut groups: Vec<(Vec<Value>, Vec<NaiveRow>)> = Vec::new();
        for row in best {
            let key = of(&row);
            match groups.iter_mut().find(|(known, _)| same(known, &key)) {
                Some((_, members)) => members.push(row),
                None => groups.push((key, vec![row])),
            }
        }
        let mut kept = Vec::new();
        for (_, members) in groups {
            // The group keeps the order of the input.
            let order = |row: &NaiveRow| rows.iter().position(|given| self.key_order(given, row).is_eq());
            let mut group = members.clone();
            group.sort_by_key(order);
            for mut row in members.into_iter().take(keep as usize) {
                row.group = Some(group.clone());
                kept.push(row);
            }
        }
        self.by_key(kept)
    }

    pub fn expr(&self, expr: &Expr, env: &Env) -> Value {
        let truth = |value: Option<bool>| value.map_or(Value::Null, Value::Bool);
        match &expr.kind {
            ExprKind::Literal(value) => value.clone(),
            ExprKind::Column { row, path, column } => {
                let mut at = env[row].clone();
                for relation in path {
                    match self.reached(&at, *relation).into_iter().next() {
                        Some(row) => at = row,
                        None => return Value::Null,
                    }
                }
                match column {
                    ColumnRef::Field(field) => at.fields[field.0 as usize].clone(),
                    ColumnRef::Added(name) => self.column(&at, name).unwrap(),
                }
            }
            ExprKind::Not(value) => truth(self.truth(value, env).map(|value| !value)),
            ExprKind::Binary { op, left, right } => self.binary(*op, left, right, env),
            ExprKind::IsNull { negated, value } => Value::Bool((self.expr(value, env) == Value::Null) != *negated),
            ExprKind::Between { negated, value, low, high } => {
                let value = self.expr(value, env);
                let above = compare(&value, &self.expr(low, env)).map(Ordering::is_ge);
                let below = compare(&value, &self.expr(high, env)).map(Ordering::is_le);
                truth(both(above, below).map(|inside| inside != *negated))
            }
            ExprKind::In { negated, value, items } => {
                let value = self.expr(value, env);
                let mut found = Some(false);
                for item in items {
                    let equal = compare(&value, &self.expr(item, env)).map(Ordering::is_eq);
                    found = either(found, equal);
                }
                truth(found.map(|found| found != *negated))
            }
            ExprKind::InQuery { negated, value, query, row, column } => {
                let value = self.expr(value, env);
                if value == Value::Null {
                    return Value::Null;
                }
                let found = self.query(query, env).iter().any(|member| {
                    let member = self.expr(column, &Self::with_row(env, *row, member));
                    compare(&member, &value) == Some(Ordering::Equal)
                });
                Value::Bool(found != *negated)
            }
            ExprKind::If { condition, then, otherwise } => match self.truth(condition, env) {
                Some(true) => self.expr(then, env),
                _ => self.expr(otherwise, env),
            },
            ExprKind::Exists(query) => Value::Bool(!self.query(query, env).is_empty()),
            ExprKind::Aggregate(aggregate) => self.aggregate(aggregate, &expr.ty, env),
            other => panic!("no meaning for {other:?}"),
        }
    }

    fn truth(&self, expr: &Expr, env: &Env) -> Option<bool> {
        match self.expr(expr, env) {
            Value::Bool(value) => Some(value),
            Value::Null => None,
            other => panic!("{other:?} is no truth"),
        }
    }

    fn binary(&self, op: BinaryOp, left: &Expr, right: &Expr, env: &Env) -> Value {
        use BinaryOp::*;
        let truth = |value: Option<bool>| value.map_or(Value::Null, Value::Bool);
        match op {
            And => return truth(both(self.truth(left, env), self.truth(right, env))),
            Or => return truth(either(self.truth(left, env), self.truth(right, env))),
            _ => {}
        }
        let (left, right) = (self.expr(left, env), self.expr(right, env));
        let test = |of: fn(Ordering) -> bool| truth(compare(&left, &right).map(of));
        match op {
            Equal => test(Ordering::is_eq),
            NotEqual => test(Ordering::is_ne),
            Less => test(Ordering::is_lt),
            LessEqual => test(Ordering::is_le),
            Greater => test(Ordering::is_gt),
            GreaterEqual => test(Ordering::is_ge),
            Coalesce => {
                if left == Value::Null {
                    right
                } else {
                    left
                }
            }
            Add | Subtract | Multiply | Divide => arithmetic(op, &left, &right),
            other => panic!("no meaning for {other:?}"),
        }
    }

    fn aggregate(&self, aggregate: &Aggregate, ty: &Ty, env: &Env) -> Value {
        let rows = self.query(&aggregate.query, env);
        let values: Vec<Value> = match aggregate.values.first() {
            Some((_, value)) => {
                rows.iter().map(|row| self.expr(value, &Self::with_row(env, aggregate.row, row))).collect()
            }
            None => vec![Value::Bool(true); rows.len()],
        };
        let known: Vec<Value> = values.iter().filter(|value| **value != Value::Null).cloned().collect();
        let sum = || known.iter().map(number).sum::<Decimal>();
        let is_int = known.iter().all(|value| matches!(value, Value::Int(_)));
        match aggregate.function {
            AggregateFn::Count => Value::Int(known.len() as i64),
            AggregateFn::CountDistinct => {
                let mut distinct: Vec<&Value> = Vec::new();
                for value in &known {
                    if !distinct.iter().any(|seen| compare(seen, value) == Some(Ordering::Equal)) {
                        distinct.push(value);
                    }
                }
                Value::Int(distinct.len() as i64)
            }
            AggregateFn::Sum if ty.kind == TyKind::Int => Value::Int(sum().to_string().parse().unwrap()),
            AggregateFn::Sum => Value::Decimal(sum()),
            AggregateFn::Avg if known.is_empty() => Value::Null,
            AggregateFn::Avg => {
                let scale = if is_int { 0 } else { 2 };
                quotient(sum(), Decimal::from(known.len()), scale)
            }
            AggregateFn::Min => known.into_iter().min_by(|a, b| compare(a, b).unwrap()).unwrap_or(Value::Null),
            AggregateFn::Max => known.into_iter().max_by(|a, b| compare(a, b).unwrap()).unwrap_or(Value::Null),
            AggregateFn::First => values.into_iter().next().unwrap_or(Value::Null),
            AggregateFn::List => Value::List(values),
            AggregateFn::Median => {
                let mut sorted: Vec<Decimal> = known.iter().map(number).collect();
                sorted.sort();
                match sorted.len() {
                    0 => Value::Null,
                    n => Value::Decimal((sorted[(n - 1) / 2] + sorted[n / 2]) / Decimal::TWO),
                }
            }
            other => panic!("no meaning for {other:?}"),
        }
    }
}

fn both(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn either(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    both(left.map(|left| !left), right.map(|right| !right)).map(|neither| !neither)
}

fn quotient(left: Decimal, right: Decimal, scale: u32) -> Value {
    Value::Decimal((left / right).round_dp_with_strategy(scale + 6, RoundingStrategy::MidpointNearestEven))
}

fn arithmetic(op: BinaryOp, left: &Value, right: &Value) -> Value {
    if *left == Value::Null || *right == Value::Null {
        return Value::Null;
    }
    let (l, r) = (number(left), number(right));
    let is_int = matches!((left, right), (Value::Int(_), Value::Int(_)));
    let value = match op {
        BinaryOp::Add => l + r,
        BinaryOp::Subtract => l - r,
        BinaryOp::Multiply => l * r,
        // The tables' decimals have two digits.
        _ => return quotient(l, r, if is_int { 0 } else { 2 }),
    };
    if is_int { Value::Int(value.to_string().parse().unwrap()) } else { Value::Decimal(value) }
}
