//! What populations mean, as plainly as possible: loops over rows in memory.
//!
//! What a language may leave out is left out or not: `lazy` evaluates only what somebody looks at, otherwise everything
//! that is reached is evaluated. An error of the lazy reading must be an error of the product; an error of the product
//! must be one of the other reading.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::rc::Rc;

use super::data::TABLES;
use super::functions::Clock;
use super::tree::{Amount, Define, F, Kind, Q, SetOp, X};
use super::value::{V, by_order, same};

/// A value of an added column: there, or not looked at yet.
#[derive(Clone)]
pub enum Slot<'q> {
    There(V),
    Later(&'q X, Rc<Env<'q>>),
}

/// A row. A population is a list of them in its defined order.
#[derive(Clone)]
pub struct Row<'q> {
    pub table: usize,
    pub fields: Rc<Vec<V>>,
    pub added: Vec<(String, Slot<'q>)>,
    /// Further identity, after `match`.
    pub extra: Vec<V>,
    pub group: Option<Rc<Vec<Row<'q>>>>,
    /// Errors of conditions on it, which count if no later condition leaves it out.
    pub tainted: Vec<String>,
}

/// Rows in scope, arguments of the definition at hand, and the key of the row that an error names.
#[derive(Clone, Default)]
pub struct Env<'q> {
    pub rows: Vec<Row<'q>>,
    pub params: Vec<(&'q X, Rc<Env<'q>>)>,
    pub key: Vec<V>,
}

/// A row of a table with its added columns.
pub type FrozenRow = (Vec<V>, Vec<(String, V)>);

/// A frozen population.
pub struct Frozen {
    pub rows: Vec<FrozenRow>,
}

pub struct Judge<'q> {
    pub rows: &'q [Vec<Vec<V>>],
    pub frozen: &'q [Frozen],
    pub lets: &'q [V],
    pub defines: &'q [Define],
    pub clock: &'q Clock,
    pub seed: &'q str,
    pub lazy: bool,
    /// Keys of rows with an error.
    pub failed: RefCell<Vec<String>>,
    /// Something that nobody may look at was not evaluated.
    pub skipped: Cell<bool>,
}

impl<'q> Row<'q> {
    pub fn of(table: usize, fields: &[V]) -> Self {
        Self {
            table,
            fields: Rc::new(fields.to_vec()),
            added: Vec::new(),
            extra: Vec::new(),
            group: None,
            tainted: Vec::new(),
        }
    }

    /// A row that is not there: all its fields are null.
    pub fn none(table: usize) -> Self {
        Self::of(table, &vec![V::Null; TABLES[table].fields.len()])
    }

    pub fn key(&self) -> Vec<V> {
        self.fields[..TABLES[self.table].key].iter().chain(&self.extra).cloned().collect()
    }

    fn key_order(&self, other: &Self) -> Ordering {
        let pairs = self.key().into_iter().zip(other.key());
        pairs.map(|(left, right)| by_order(&left, &right, false)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

impl<'q> Env<'q> {
    pub fn with(&self, row: &Row<'q>) -> Env<'q> {
        let mut env = self.clone();
        env.rows.push(row.clone());
        env.key = row.key();
        env
    }
}

fn by_key(mut rows: Vec<Row<'_>>) -> Vec<Row<'_>> {
    rows.sort_by(Row::key_order);
    rows
}

fn distinct(rows: Vec<Row<'_>>) -> Vec<Row<'_>> {
    let mut rows = by_key(rows);
    rows.dedup_by(|left, right| left.key_order(right).is_eq());
    rows
}

impl<'q> Judge<'q> {
    pub fn reached(&self, row: &Row<'q>, relation: usize) -> Vec<Row<'q>> {
        let relation = &TABLES[row.table].relations[relation];
        let tied = |target: &&Vec<V>| relation.on.iter().all(|(here, there)| same(&row.fields[*here], &target[*there]));
        self.rows[relation.target].iter().filter(tied).map(|fields| Row::of(relation.target, fields)).collect()
    }

    pub fn look(&self, slot: &Slot<'q>) -> V {
        match slot {
            Slot::There(value) => value.clone(),
            Slot::Later(x, env) => self.value(x, env),
        }
    }

    pub fn column(&self, row: &Row<'q>, name: &str) -> Option<V> {
        match row.added.iter().find(|(known, _)| known == name) {
            Some((_, slot)) => Some(self.look(slot)),
            None => Some(row.fields[TABLES[row.table].field(name)?].clone()),
        }
    }

    /// Rows that somebody uses: what went wrong with them counts.
    pub fn used(&self, query: &'q Q, env: &Env<'q>, ordered: bool) -> Vec<Row<'q>> {
        let mut rows = self.query(query, env, ordered);
        for row in &mut rows {
            self.failed.borrow_mut().append(&mut row.tainted);
        }
        rows
    }

    /// Keeps the rows for which the condition is true.
    fn kept(&self, mut rows: Vec<Row<'q>>, predicate: &'q X, env: &Env<'q>) -> Vec<Row<'q>> {
        rows.retain_mut(|row| {
            let before = self.failed.borrow().len();
            let is_true = self.value(predicate, &env.with(row)) == V::Bool(true);
            if !self.lazy || self.failed.borrow().len() == before {
                return is_true;
            }
            row.tainted.extend(self.failed.borrow_mut().drain(before..));
            true
        });
        rows
    }

    /// Whether nobody looks at the rows before a clause, because it leaves out all of them.
    fn is_nothing(&self, query: &'q Q) -> bool {
        let never = |predicate: &'q X| {
            let before = self.failed.borrow().len();
            let never = predicate.is_constant() && self.value(predicate, &Env::default()) != V::Bool(true);
            self.failed.borrow_mut().truncate(before);
            never
        };
        self.lazy
            && match &query.node {
                F::Where(_, predicate) => never(predicate),
                F::Limit { amount, .. } | F::Sample { amount, .. } => {
                    matches!(amount, Amount::Rows(0) | Amount::Share(0))
                }
                _ => false,
            }
    }

    /// The rows of a population, ordered if anybody looks at their order.
    pub fn query(&self, query: &'q Q, env: &Env<'q>, ordered: bool) -> Vec<Row<'q>> {
        if self.is_nothing(query) {
            return Vec::new();
        }
        match &query.node {
            F::Table => by_key(self.rows[query.table].iter().map(|fields| Row::of(query.table, fields)).collect()),
            F::Frozen(at) => {
                let row = |(fields, added): &(Vec<V>, Vec<(String, V)>)| {
                    let added = added.iter().map(|(name, value)| (name.clone(), Slot::There(value.clone())));
                    Row { added: added.collect(), ..Row::of(query.table, fields) }
                };
                by_key(self.frozen[*at].rows.iter().map(row).collect())
            }
            F::Related { at, path, .. } => {
                let mut rows = vec![env.rows[*at].clone()];
                for relation in path {
                    rows = distinct(rows.iter().flat_map(|row| self.reached(row, *relation)).collect());
                }
                rows
            }
            F::Group { at, .. } => env.rows[*at].group.as_ref().unwrap().to_vec(),
            F::Step(input, relation) => {
                let rows = self.used(input, env, false);
                distinct(rows.iter().flat_map(|row| self.reached(row, *relation)).collect())
            }
            F::Where(input, predicate) => self.kept(self.query(input, env, ordered), predicate, env),
            F::With(input, columns) => {
                let mut rows = self.query(input, env, ordered);
                for row in &mut rows {
                    let before = Rc::new(env.with(row));
                    for (name, value) in columns {
                        let slot = match self.lazy {
                            true => Slot::Later(value, Rc::clone(&before)),
                            false => Slot::There(self.value(value, &before)),
                        };
                        row.added.push((name.clone(), slot));
                    }
                }
                rows
            }
            F::Order(input, keys) => {
                let rows = self.query(input, env, false);
                if self.lazy && !ordered {
                    self.skipped.set(true);
                    return rows;
                }
                self.ordered(rows, keys, env)
            }
            F::Limit { input, amount, by } => {
                let mut rows = self.used(input, env, by.is_empty());
                if !by.is_empty() {
                    rows = self.ordered(rows, by, env);
                }
                rows.truncate(amount_of(*amount, rows.len()));
                rows
            }
            F::Sample { input, amount, seed } => {
                self.sample(self.used(input, env, ordered), *amount, seed.unwrap_or(self.seed))
            }
            F::Dedupe { input, by, keep, prefer } => self.dedupe(self.used(input, env, true), by, *keep, prefer, env),
            F::Match { input, on } => self.matched(query, input, on, env),
            F::Set { op, left, right, on } => {
                let (left, right) = (self.used(left, env, false), self.used(right, env, false));
                self.set(query, *op, left, right, on)
            }
        }
    }

    fn matched(&self, query: &'q Q, input: &'q Q, on: &'q X, env: &Env<'q>) -> Vec<Row<'q>> {
        let mut pairs = Vec::new();
        for given in self.used(input, env, false) {
            for target in &self.rows[query.table] {
                let mut pair = Row::of(query.table, target);
                pair.extra = given.key();
                let both = Env { key: pair.key(), ..env.with(&given).with(&pair) };
                if self.value(on, &both) != V::Bool(true) {
                    continue;
                }
                let names = TABLES[given.table].fields.iter().enumerate();
                let fields = names.map(|(at, (name, _))| (*name, Slot::There(given.fields[at].clone())));
                let added = given.added.iter().map(|(name, slot)| (name.as_str(), slot.clone()));
                let dotted = fields.chain(added).map(|(name, slot)| (format!("{}.{name}", input.name), slot));
                pair.added = dotted.collect();
                pairs.push(pair);
            }
        }
        by_key(pairs)
    }

    fn set(&self, query: &'q Q, op: SetOp, left: Vec<Row<'q>>, right: Vec<Row<'q>>, on: &[String]) -> Vec<Row<'q>> {
        let id = |row: &Row<'q>| -> Vec<V> {
            match on.is_empty() {
                true => row.key(),
                false => on.iter().map(|name| self.column(row, name).unwrap()).collect(),
            }
        };
        let alike = |l: &Row<'q>, r: &Row<'q>| id(l).iter().zip(&id(r)).all(|(l, r)| same(l, r));
        let within = |row: &Row<'q>, rows: &[Row<'q>]| rows.iter().any(|other| alike(row, other));
        let rows = match op {
            SetOp::Intersect => left.into_iter().filter(|row| within(row, &right)).collect(),
            SetOp::Except => left.into_iter().filter(|row| !within(row, &right)).collect(),
            SetOp::Union => {
                // A row is in a population once, whatever the columns say.
                let twice = |row: &Row<'q>| left.iter().any(|other| other.key_order(row).is_eq());
                let rest: Vec<_> = right.into_iter().filter(|row| !within(row, &left) && !twice(row)).collect();
                let mut rows: Vec<_> = left.into_iter().chain(rest).collect();
                for row in &mut rows {
                    let added = query.with.iter().map(|column| {
                        let known = row.added.iter().find(|(name, _)| *name == column.name);
                        (column.name.clone(), known.map_or(Slot::There(V::Null), |(_, slot)| slot.clone()))
                    });
                    row.added = added.collect();
                    row.group = None;
                }
                rows
            }
        };
        by_key(rows)
    }

    pub fn ordered(&self, rows: Vec<Row<'q>>, keys: &'q [super::tree::Key], env: &Env<'q>) -> Vec<Row<'q>> {
        let keyed = by_key(rows).into_iter().map(|row| {
            let inner = env.with(&row);
            let values: Vec<V> = keys.iter().map(|key| declared(&key.value, self.value(&key.value, &inner))).collect();
            (values, row)
        });
        let mut keyed: Vec<(Vec<V>, Row<'q>)> = keyed.collect();
        keyed.sort_by(|(left, _), (right, _)| {
            let pairs = left.iter().zip(right).zip(keys);
            pairs
                .map(|((left, right), key)| by_order(left, right, key.down))
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        });
        keyed.into_iter().map(|(_, row)| row).collect()
    }

    fn sample(&self, rows: Vec<Row<'q>>, amount: Amount, seed: &str) -> Vec<Row<'q>> {
        let ticket = |row: &Row<'q>| ticket(seed, &row.key());
        match amount {
            Amount::Share(100..) => rows,
            Amount::Share(hundredths) => {
                let limit = (hundredths as u128) << 64;
                rows.into_iter().filter(|row| u128::from(ticket(row)) * 100 < limit).collect()
            }
            Amount::Rows(_) => {
                let mut tickets: Vec<u64> = rows.iter().map(ticket).collect();
                tickets.sort_unstable();
                tickets.truncate(amount_of(amount, rows.len()));
                rows.into_iter().filter(|row| tickets.contains(&ticket(row))).collect()
            }
        }
    }

    fn dedupe(
        &self,
        rows: Vec<Row<'q>>,
        by: &'q [X],
        keep: usize,
        prefer: &'q [super::tree::Key],
        env: &Env<'q>,
    ) -> Vec<Row<'q>> {
        let place = |row: &Row<'q>| rows.iter().position(|given| given.key_order(row).is_eq()).unwrap();
        let mut groups: Vec<(Vec<V>, Vec<Row<'q>>)> = Vec::new();
        for row in self.ordered(rows.clone(), prefer, env) {
            let inner = env.with(&row);
            let id: Vec<V> = by.iter().map(|x| self.value(x, &inner)).collect();
            match groups.iter_mut().find(|(known, _)| known.iter().zip(&id).all(|(l, r)| same(l, r))) {
                Some((_, members)) => members.push(row),
                None => groups.push((id, vec![row])),
            }
        }
        let mut kept = Vec::new();
        for (_, members) in groups {
            // The group keeps the order of the input.
            let mut group = members.clone();
            group.sort_by_key(place);
            let group = Rc::new(group);
            kept.extend(members.into_iter().take(keep).map(|row| Row { group: Some(Rc::clone(&group)), ..row }));
        }
        by_key(kept)
    }
}

/// Enumerations are ordered as declared.
fn declared(x: &X, value: V) -> V {
    match (x.kind, &value) {
        (Kind::Tier, V::Text(text)) => V::Int(super::data::TIERS.iter().position(|tier| tier == text).unwrap() as i64),
        _ => value,
    }
}

fn amount_of(amount: Amount, of: usize) -> usize {
    match amount {
        Amount::Rows(rows) => rows as usize,
        Amount::Share(hundredths) => (of * hundredths as usize + 50) / 100,
    }
}

/// The stable number of a row: BLAKE3 over each part preceded by its length in eight bytes, smallest first.
pub fn ticket(seed: &str, key: &[V]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    let key = key.iter().map(V::shown);
    for part in std::iter::once(seed.to_owned()).chain(key) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    u64::from_le_bytes(hasher.finalize().as_bytes()[..8].try_into().unwrap())
}
