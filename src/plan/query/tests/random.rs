//! Random queries over random small tables: the engine and the naive evaluator must agree.

use std::collections::BTreeMap;

use super::build::{self, CUSTOMERS, ORDERS, STORES, e, fresh, query, span};
use super::naive::{Naive, NaiveRow};
use super::{Columns, Joins, LocalId, Ordering, Rows, World, population, run_by, table};
use crate::hir::*;

/// How many random programs each test tries.
const CASES: u64 = 500;

/// A small linear generator: the same cases everywhere, from a printed seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize].clone()
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// A row in scope.
#[derive(Clone)]
struct InScope {
    row: RowId,
    ty: SegmentTy,
    grouped: bool,
}

struct Generator<'w> {
    program: &'w Program,
    chance: Chance,
}

fn or_null(chance: &mut Chance, value: Value) -> Value {
    if chance.one_in(5) { Value::Null } else { value }
}

fn random_value(chance: &mut Chance, kind: &TyKind) -> Value {
    match kind {
        TyKind::Int => Value::Int(chance.below(6) as i64),
        TyKind::Decimal => Value::Decimal(rust_decimal::Decimal::new(chance.below(8) as i64 * 125, 2)),
        TyKind::Date => Value::Date(jiff::civil::date(2026, 1 + chance.below(3) as i8, 1)),
        TyKind::Timestamp => {
            Value::Timestamp(jiff::Timestamp::from_second(1_790_000_000 + chance.below(4) as i64 * 3600).unwrap())
        }
        _ => Value::Text(chance.pick(&["a", "b", "B", ""]).to_owned()),
    }
}

fn random_rows(chance: &mut Chance, fields: &[(String, Ty)], most: u64) -> Vec<Vec<Value>> {
    let rows = chance.below(most + 1);
    (0..rows)
        .map(|row| {
            let rest = fields[1..].iter().map(|(_, ty)| {
                let value = random_value(chance, &ty.kind);
                or_null(chance, value)
            });
            let rest: Vec<Value> = rest.collect();
            std::iter::once(Value::Int(row as i64)).chain(rest).collect()
        })
        .collect()
}

/// The shop with random rows and a frozen population of customers with a note.
fn random_world(chance: &mut Chance) -> (World, BTreeMap<u32, Vec<Vec<Value>>>) {
    let mut world = build::shop();
    let mut tables = BTreeMap::new();
    for (entity, most) in [(CUSTOMERS, 6), (ORDERS, 9), (STORES, 4)] {
        let rows = random_rows(chance, &fields(&world.program, entity), most);
        world.fill(entity, rows.clone());
        tables.insert(entity.0, rows);
    }
    let mut kept = fields(&world.program, CUSTOMERS);
    kept.push(("note".to_owned(), Ty::of(TyKind::Text).or_null()));
    let rows = random_rows(chance, &kept, 5);
    let frozen = table(&world.program, &kept, &rows);
    world.memory.tables.insert(Rows::Frozen(LocalId(0)), frozen);
    tables.insert(99, rows);
    (world, tables)
}

fn fields(program: &Program, entity: EntityId) -> Vec<(String, Ty)> {
    program[entity].fields.iter().map(|field| (field.name.clone(), field.ty.clone())).collect()
}

fn naive<'p>(program: &'p Program, tables: &BTreeMap<u32, Vec<Vec<Value>>>) -> Naive<'p> {
    let row = |entity: EntityId, values: &Vec<Value>| {
        let split = program[entity].fields.len();
        let added = values[split..].iter().map(|value| ("note".to_owned(), value.clone())).collect();
        let fields = values[..split].to_vec();
        NaiveRow { entity, fields, added, extra: vec![], source: None, group: None }
    };
    let tables = tables.iter().map(|(id, rows)| match id {
        99 => (Rows::Frozen(LocalId(0)), rows.iter().map(|values| row(CUSTOMERS, values)).collect()),
        id => (Rows::Entity(EntityId(*id)), rows.iter().map(|values| row(EntityId(*id), values)).collect()),
    });
    Naive { program, tables: tables.collect(), seed: "seed".to_owned() }
}

const PLAIN: [TyKind; 3] = [TyKind::Int, TyKind::Decimal, TyKind::Text];

impl Generator<'_> {
    fn base(&mut self, entity: EntityId, scope: &[InScope]) -> Query {
        let mut ways = Vec::new();
        for outer in scope {
            for (at, relation) in self.program[outer.ty.entity].relations.iter().enumerate() {
                let first = RelationId(at as u32);
                if relation.target == entity {
                    ways.push((outer.row, vec![first]));
                }
                for (next, relation) in self.program[relation.target].relations.iter().enumerate() {
                    if relation.target == entity && self.chance.one_in(3) {
                        ways.push((outer.row, vec![first, RelationId(next as u32)]));
                    }
                }
            }
            if outer.grouped && outer.ty.entity == entity && !self.chance.one_in(3) {
                return Query { ty: outer.ty.clone(), kind: QueryKind::Group { row: outer.row }, span: span() };
            }
        }
        if !ways.is_empty() && !self.chance.one_in(4) {
            let (row, path) = self.chance.pick(&ways);
            return query(entity, QueryKind::Related { row, path });
        }
        if entity == CUSTOMERS && self.chance.one_in(4) {
            let mut frozen = query(entity, QueryKind::Local(LocalId(0)));
            frozen.ty.with = [Column { name: "note".to_owned(), ty: Ty::of(TyKind::Text).or_null() }].into();
            return frozen;
        }
        build::all(entity)
    }

    fn query(&mut self, entity: EntityId, scope: &[InScope], depth: u32) -> Query {
        let mut result = self.base(entity, scope);
        let mut grouped = false;
        if depth > 0 && self.chance.one_in(4) {
            result = self.two(entity, scope, depth - 1);
        }
        for _ in 0..self.chance.below(3).min(u64::from(depth) + 1) {
            (result, grouped) = self.clause(result, grouped, scope, depth);
        }
        result
    }

    /// Set algebra, change of dimension, reconciliation.
    fn two(&mut self, entity: EntityId, scope: &[InScope], depth: u32) -> Query {
        match self.chance.below(5) {
            0 => {
                let from = self.chance.pick(&[CUSTOMERS, ORDERS, STORES]);
                let relations = &self.program[from].relations;
                let Some(at) = relations.iter().position(|relation| relation.target == entity) else {
                    return self.base(entity, scope);
                };
                let input = Box::new(self.query(from, scope, depth));
                query(entity, QueryKind::Navigate { input, relation: RelationId(at as u32) })
            }
            1 => self.match_rows(entity, scope, depth),
            op => {
                let left = self.query(entity, scope, depth);
                let right = self.query(entity, scope, depth);
                let op = [SetOp::Union, SetOp::Intersect, SetOp::Except][op as usize - 2];
                let plain = |query: &Query| !has_match(query);
                let (left, right) = match plain(&left) && plain(&right) {
                    true => (left, right),
                    false => (self.base(entity, scope), self.base(entity, scope)),
                };
                let mut ty = left.ty.clone();
                if op == SetOp::Union {
                    let only_right = right.ty.with.iter().filter(|column| left.ty.column(&column.name).is_none());
                    ty = ty.and(only_right.cloned());
                }
                // A union by other columns may have a key twice, which is no population.
                let on = match op != SetOp::Union && self.chance.one_in(3) {
                    true => vec![self.program[entity].fields[1].name.clone()],
                    false => vec![],
                };
                let kind = QueryKind::SetOp { op, left: Box::new(left), right: Box::new(right), on };
                Query { kind, ty, span: span() }
            }
        }
    }

    fn match_rows(&mut self, entity: EntityId, scope: &[InScope], depth: u32) -> Query {
        let from = self.chance.pick(&[CUSTOMERS, ORDERS, STORES]);
        let input = self.query(from, scope, depth.min(1));
        if has_match(&input) {
            return self.base(entity, scope);
        }
        let (source, row) = (fresh(), fresh());
        let fields = &self.program[from].fields;
        let with = fields.iter().map(|field| Column { name: format!("source.{}", field.name), ty: field.ty.clone() });
        let with = with.collect();
        let mut inner = scope.to_vec();
        inner.push(InScope { row: source, ty: input.ty.clone(), grouped: false });
        inner.push(InScope { row, ty: SegmentTy::of(entity), grouped: false });
        let on = self.truth(&inner, depth.min(1));
        let kind = QueryKind::Match { input: Box::new(input), source, target: entity, row, on };
        Query { kind, ty: SegmentTy { entity, with }, span: span() }
    }

    fn clause(&mut self, input: Query, grouped: bool, scope: &[InScope], depth: u32) -> (Query, bool) {
        let row = fresh();
        let mut ty = input.ty.clone();
        let mut inner = scope.to_vec();
        inner.push(InScope { row, ty: ty.clone(), grouped });
        let input = Box::new(input);
        let mut now_grouped = grouped;
        let kind = match self.chance.below(9) {
            0..=3 => QueryKind::Where { input, row, predicate: self.truth(&inner, depth) },
            4 => {
                let mut columns = Vec::new();
                for name in ["x", "y"] {
                    let kind = self.chance.pick(&PLAIN);
                    let ty = Ty::of(kind.clone()).or_null();
                    let value = self.value(&kind, &inner, depth);
                    columns.push((Column { name: format!("{name}{}", row.0), ty }, value));
                }
                ty = ty.and(columns.iter().map(|(column, _)| column.clone()));
                QueryKind::With { input, row, columns }
            }
            5 => QueryKind::OrderBy { input, row, keys: self.order(&inner, depth) },
            6 => {
                let amount = match self.chance.one_in(2) {
                    true => Amount::Rows(build::int(self.chance.below(4) as i64)),
                    false => Amount::Share(build::lit(build_decimal(self.chance.pick(&[10, 34, 50])), TyKind::Percent)),
                };
                let by = if self.chance.one_in(2) { self.order(&inner, depth) } else { vec![] };
                QueryKind::Limit { input, row, amount, by }
            }
            7 => {
                let amount = match self.chance.one_in(2) {
                    true => Amount::Rows(build::int(self.chance.below(4) as i64)),
                    false => Amount::Share(build::lit(build_decimal(self.chance.pick(&[10, 34, 50])), TyKind::Percent)),
                };
                QueryKind::Sample { input, amount, seed: None }
            }
            _ => {
                let kind = self.chance.pick(&PLAIN);
                let by = vec![self.value(&kind, &inner, depth.min(1))];
                now_grouped = true;
                let prefer = if self.chance.one_in(2) { self.order(&inner, depth) } else { vec![] };
                QueryKind::Dedupe { input, row, by, keep: 1 + self.chance.below(2), prefer }
            }
        };
        (Query { kind, ty, span: span() }, now_grouped)
    }

    fn order(&mut self, scope: &[InScope], depth: u32) -> Vec<OrderKey> {
        let kind = self.chance.pick(&PLAIN);
        let value = self.value(&kind, scope, depth.min(1));
        vec![OrderKey { value, descending: self.chance.one_in(2) }]
    }

    fn truth(&mut self, scope: &[InScope], depth: u32) -> Expr {
        use BinaryOp::*;
        let simple = depth == 0;
        match self.chance.below(if simple { 5 } else { 9 }) {
            0..=2 => {
                let kind = self.chance.pick(&PLAIN);
                let op = self.chance.pick(&[Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual]);
                let (left, right) = (self.value(&kind, scope, depth), self.value(&kind, scope, 0));
                build::cmp(op, left, right)
            }
            3 => {
                let kind = self.chance.pick(&PLAIN);
                let value = Box::new(self.value(&kind, scope, depth));
                let kind = match self.chance.below(3) {
                    0 => ExprKind::IsNull { negated: self.chance.one_in(2), value },
                    1 => {
                        let (low, high) = (self.value(&kind, scope, 0), self.value(&kind, scope, 0));
                        let negated = self.chance.one_in(2);
                        ExprKind::Between { negated, value, low: Box::new(low), high: Box::new(high) }
                    }
                    _ => {
                        let items = (0..2).map(|_| self.value(&kind, scope, 0)).collect();
                        ExprKind::In { negated: self.chance.one_in(2), value, items }
                    }
                };
                e(kind, Ty::of(TyKind::Bool).or_null())
            }
            4 | 5 => {
                let op = self.chance.pick(&[And, Or]);
                let depth = depth.saturating_sub(1);
                let (left, right) = (self.truth(scope, depth), self.truth(scope, depth));
                build::cmp(op, left, right)
            }
            6 => build::not(self.truth(scope, depth - 1)),
            7 => {
                let entity = self.chance.pick(&[CUSTOMERS, ORDERS, STORES]);
                build::exists(self.query(entity, scope, depth - 1))
            }
            _ => {
                let entity = self.chance.pick(&[CUSTOMERS, ORDERS, STORES]);
                let query = self.query(entity, scope, depth - 1);
                let row = fresh();
                let mut inner = scope.to_vec();
                inner.push(InScope { row, ty: query.ty.clone(), grouped: false });
                let kind = self.chance.pick(&PLAIN);
                let value = Box::new(self.value(&kind, scope, 0));
                let column = Box::new(self.value(&kind, &inner, 0));
                let negated = self.chance.one_in(2);
                let kind = ExprKind::InQuery { negated, value, query: Box::new(query), row, column };
                e(kind, Ty::of(TyKind::Bool).or_null())
            }
        }
    }

    fn value(&mut self, kind: &TyKind, scope: &[InScope], depth: u32) -> Expr {
        if depth > 0 {
            let depth = depth - 1;
            match self.chance.below(8) {
                0 => return self.aggregate(kind, scope, depth),
                1 => {
                    let condition = Box::new(self.truth(scope, depth));
                    let then = Box::new(self.value(kind, scope, depth));
                    let otherwise = Box::new(self.value(kind, scope, depth));
                    let ty = Ty::of(kind.clone()).or_null();
                    return e(ExprKind::If { condition, then, otherwise }, ty);
                }
                2 if *kind != TyKind::Text => {
                    let op = self.chance.pick(&[BinaryOp::Add, BinaryOp::Subtract, BinaryOp::Multiply]);
                    let (left, right) = (self.value(kind, scope, depth), self.value(kind, scope, 0));
                    return build::binary(op, left, right, kind.clone());
                }
                3 if *kind == TyKind::Decimal => {
                    let by = self.chance.pick(&[TyKind::Int, TyKind::Decimal]);
                    let (left, right) = (self.column(kind, scope), self.column(&by, scope));
                    if let (Some(left), Some(right)) = (left, right) {
                        // A division by zero would be an error, so each one is guarded.
                        let condition = Box::new(build::cmp(BinaryOp::NotEqual, right.clone(), build::int(0)));
                        let then = Box::new(build::binary(BinaryOp::Divide, left, right, TyKind::Decimal));
                        let ty = Ty::of(TyKind::Decimal).or_null();
                        let otherwise = Box::new(e(ExprKind::Literal(Value::Null), ty.clone()));
                        return e(ExprKind::If { condition, then, otherwise }, ty);
                    }
                }
                4 => {
                    let (left, right) = (self.value(kind, scope, depth), self.value(kind, scope, 0));
                    return build::binary(BinaryOp::Coalesce, left, right, kind.clone());
                }
                _ => {}
            }
        }
        if !self.chance.one_in(3)
            && let Some(column) = self.column(kind, scope)
        {
            return column;
        }
        let value = random_value(&mut self.chance, kind);
        e(ExprKind::Literal(value), Ty::of(kind.clone()).or_null())
    }

    /// A column of a row in scope, most often of the innermost, perhaps along a path.
    fn column(&mut self, kind: &TyKind, scope: &[InScope]) -> Option<Expr> {
        let last = scope.last()?.clone();
        let at = if self.chance.one_in(4) { self.chance.pick(scope) } else { last };
        let mut path = Vec::new();
        let mut entity = at.ty.entity;
        while self.chance.one_in(4) {
            let relations = &self.program[entity].relations;
            let Some(one) = relations.iter().position(|relation| !relation.many) else { break };
            path.push(RelationId(one as u32));
            entity = relations[one].target;
        }
        let is_kind = |ty: &Ty| ty.kind == *kind || (*kind == TyKind::Text && ty.kind.is_text());
        if path.is_empty()
            && self.chance.one_in(3)
            && let Some(added) = at.ty.with.iter().find(|column| is_kind(&column.ty))
        {
            let column = ColumnRef::Added(added.name.clone());
            return Some(e(ExprKind::Column { row: at.row, path, column }, added.ty.clone()));
        }
        let fields = self.program[entity].fields.iter().enumerate().filter(|(_, field)| is_kind(&field.ty));
        let fields: Vec<u32> = fields.map(|(at, _)| at as u32).collect();
        if fields.is_empty() {
            return None;
        }
        let field = self.chance.pick(&fields);
        let ty = Ty::of(kind.clone()).or_null();
        Some(e(ExprKind::Column { row: at.row, path, column: ColumnRef::Field(FieldId(field)) }, ty))
    }

    fn aggregate(&mut self, kind: &TyKind, scope: &[InScope], depth: u32) -> Expr {
        use AggregateFn::*;
        let entity = self.chance.pick(&[CUSTOMERS, ORDERS]);
        let of = self.query(entity, scope, depth);
        let row = fresh();
        let mut inner = scope.to_vec();
        inner.push(InScope { row, ty: of.ty.clone(), grouped: false });
        let (function, of_kind) = match kind {
            TyKind::Int => {
                let function = self.chance.pick(&[Count, CountDistinct, Sum, Min, Max, First]);
                (function, TyKind::Int)
            }
            // The scale of the column is known to the naive evaluator.
            TyKind::Decimal => (self.chance.pick(&[Sum, Avg, Min, Max, First, Median]), TyKind::Decimal),
            _ => (self.chance.pick(&[Min, Max, First]), TyKind::Text),
        };
        let value = match function {
            Count if self.chance.one_in(2) => None,
            _ => self.column(&of_kind, &inner),
        };
        let Some(value) = value else {
            let count = e(count_of(of, row), Ty::of(TyKind::Int));
            return if *kind == TyKind::Int {
                count
            } else {
                e(ExprKind::Literal(Value::Null), Ty::of(kind.clone()).or_null())
            };
        };
        let values = vec![("value".to_owned(), value)];
        let aggregate = Aggregate { function, values, row, query: of, args: vec![] };
        e(ExprKind::Aggregate(Box::new(aggregate)), Ty::of(kind.clone()).or_null())
    }
}

fn count_of(query: Query, row: RowId) -> ExprKind {
    ExprKind::Aggregate(Box::new(Aggregate { function: AggregateFn::Count, values: vec![], row, query, args: vec![] }))
}

fn build_decimal(hundredths: i64) -> Value {
    Value::Decimal(rust_decimal::Decimal::new(hundredths, 2))
}

fn has_match(query: &Query) -> bool {
    let kind = &query.kind;
    matches!(kind, QueryKind::Match { .. })
        || query.input().is_some_and(has_match)
        || right_side(query).is_some_and(has_match)
}

fn right_side(query: &Query) -> Option<&Query> {
    match &query.kind {
        QueryKind::SetOp { right, .. } => Some(right),
        _ => None,
    }
}

/// Decimals by value, whatever their scale.
fn normal(value: Value) -> Value {
    match value {
        Value::Decimal(value) => Value::Decimal(value.normalize()),
        Value::List(values) => Value::List(values.into_iter().map(normal).collect()),
        other => other,
    }
}

fn compare_once(seed: u64) -> Result<(), String> {
    let mut chance = Chance(seed);
    for _ in 0..4 {
        chance.below(2);
    }
    let (world, tables) = random_world(&mut chance);
    let entity = chance.pick(&[CUSTOMERS, ORDERS, STORES]);
    let mut generator = Generator { program: &world.program, chance };
    let query = generator.query(entity, &[], 2 + (seed % 2) as u32);
    let expected: Vec<Vec<Value>> = naive(&world.program, &tables)
        .query(&query, &BTreeMap::new())
        .into_iter()
        .map(|row| {
            let added = row.added.into_iter().map(|(_, value)| value);
            row.fields.into_iter().chain(added).map(normal).collect()
        })
        .collect();
    let width = world.program[entity].fields.len() + query.ty.with.len();
    let joins = if seed.is_multiple_of(3) { Joins::Spilling } else { Joins::Fast };
    let plan = population(&world.scope(), &query, &Columns::All, Ordering::Defined);
    let got = match plan.and_then(|plan| run_by(plan, joins)) {
        Ok(rows) => rows,
        Err(error) => return Err(format!("seed {seed}: {error}\n{query:#?}")),
    };
    let got: Vec<Vec<Value>> = got.into_iter().map(|row| row.into_iter().take(width).map(normal).collect()).collect();
    eprintln!("STAT {} {}", expected.len(), format!("{query:?}").len());
    match got == expected {
        true => Ok(()),
        false => Err(format!("seed {seed}\n{query:#?}\n{tables:?}\ngot      {got:?}\nexpected {expected:?}")),
    }
}

#[test]
fn the_engine_agrees_with_the_naive_evaluator() {
    let wrong: Vec<String> = (0..CASES).filter_map(|seed| compare_once(seed).err()).collect();
    let shortest = wrong.iter().min_by_key(|report| report.len());
    assert!(wrong.is_empty(), "{} of {CASES} differ, the shortest is {}", wrong.len(), shortest.unwrap());
}
