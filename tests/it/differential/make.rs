//! Random populations, well typed.

use super::data::{Chance, TABLES, World};
use super::tree::{Added, Amount, Define, F, Key, Kind, N, Op, Q, SetOp, X};

/// A row in scope.
#[derive(Clone)]
pub struct InScope {
    pub table: usize,
    pub with: Vec<Added>,
    /// After `dedupe`: the columns of the collapsed rows.
    pub grouped: Option<Vec<Added>>,
    pub name: String,
    /// Only the columns of a matched row are known under dotted names.
    pub matched: bool,
}

/// Makes questions about one world.
pub struct Maker<'w> {
    pub world: &'w World,
    pub chance: Chance,
    pub frozen: Vec<Q>,
    pub lets: Vec<(Kind, u8)>,
    pub defines: Vec<Define>,
    /// Parameters of the definition in the making.
    pub params: Vec<Kind>,
    /// Inside a definition only its own row and its parameters are known.
    pub in_define: bool,
}

impl InScope {
    pub fn of(query: &Q) -> Self {
        Self {
            table: query.table,
            with: query.with.clone(),
            grouped: query.grouped.clone(),
            name: query.name.clone(),
            matched: query.matched,
        }
    }

    pub fn plain(table: usize) -> Self {
        let name = TABLES[table].name.to_owned();
        Self { table, with: Vec::new(), grouped: None, name, matched: false }
    }

    /// Whether a bare name would mean something of this row.
    fn has(&self, name: &str) -> bool {
        let table = &TABLES[self.table];
        let prefix = format!("{name}.");
        table.field(name).is_some()
            || table.relation(name).is_some()
            || name == "group" && self.grouped.is_some()
            || self.with.iter().any(|column| column.name == name || column.name.starts_with(&prefix))
    }

    /// A relation that no prefix of matched columns hides.
    pub fn sees(&self, relation: &str) -> bool {
        let prefix = format!("{relation}.");
        !self.with.iter().any(|column| column.name.starts_with(&prefix))
    }
}

/// What comes before a field's name so that it means the row at a place; `None` if nothing does.
pub fn qualifier(scope: &[InScope], at: usize) -> Option<String> {
    let last = scope.last()?;
    let candidates = [scope[at].name.clone(), TABLES[scope[at].table].name.to_owned()];
    candidates.into_iter().find(|name| {
        let found = scope.iter().rposition(|row| row.name == *name);
        let found = found.or_else(|| scope.iter().rposition(|row| TABLES[row.table].name == *name));
        !last.has(name) && found == Some(at)
    })
}

fn plain(node: F, table: usize, name: &str) -> Q {
    Q { node, table, with: Vec::new(), grouped: None, name: name.to_owned(), matched: false }
}

impl Maker<'_> {
    /// Where rows come from.
    fn base(&mut self, table: usize, scope: &[InScope]) -> Q {
        let mut ways = Vec::new();
        for (at, outer) in scope.iter().enumerate() {
            let innermost = at + 1 == scope.len();
            let Some(prefix) = (if innermost { Some(String::new()) } else { qualifier(scope, at).map(|q| q + ".") })
            else {
                continue;
            };
            if let Some(with) = &outer.grouped
                && outer.table == table
                && !outer.matched
                && self.chance.one_in(2)
            {
                let mut group = plain(F::Group { at, text: format!("{prefix}group") }, table, "group");
                group.with = with.clone();
                return group;
            }
            for (id, relation) in TABLES[outer.table].relations.iter().enumerate() {
                if !outer.sees(relation.name) {
                    continue;
                }
                let text = format!("{prefix}{}", relation.name);
                if relation.target == table {
                    ways.push((at, vec![id], text.clone(), relation.name));
                }
                for (next, further) in TABLES[relation.target].relations.iter().enumerate() {
                    if further.target == table && self.chance.one_in(3) {
                        ways.push((at, vec![id, next], format!("{text}.{}", further.name), further.name));
                    }
                }
            }
        }
        if !ways.is_empty() && !self.chance.one_in(5) {
            let (at, path, text, name) = self.chance.pick(&ways);
            return plain(F::Related { at, path, text }, table, name);
        }
        let frozen: Vec<usize> = (0..self.frozen.len()).filter(|at| self.frozen[*at].table == table).collect();
        let seen = |name: &String| !scope.last().is_some_and(|row| row.has(name));
        let at = if frozen.is_empty() { 0 } else { self.chance.pick(&frozen) };
        let name = format!("frozen_{at}");
        if !frozen.is_empty() && !self.in_define && seen(&name) && self.chance.one_in(3) {
            return Q { node: F::Frozen(at), name, grouped: None, ..self.frozen[at].clone() };
        }
        // The bare name of a table may mean a relation of the row.
        if scope.last().is_some_and(|row| row.has(TABLES[table].name)) {
            let at = scope.len() - 1;
            let id = TABLES[scope[at].table].relation(TABLES[table].name);
            if let Some(id) = id.filter(|_| scope[at].sees(TABLES[table].name)) {
                let relation = &TABLES[scope[at].table].relations[id];
                let text = relation.name.to_owned();
                return plain(F::Related { at, path: vec![id], text }, relation.target, relation.name);
            }
            return self.base(self.other_than(table), scope);
        }
        plain(F::Table, table, TABLES[table].name)
    }

    fn other_than(&self, table: usize) -> usize {
        (table + 1) % TABLES.len()
    }

    pub fn table(&mut self) -> usize {
        self.chance.pick(&[0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 5])
    }

    pub fn query(&mut self, table: usize, scope: &[InScope], depth: u32) -> Q {
        let mut result = match depth > 0 && self.chance.one_in(4) {
            true => self.two(table, scope, depth - 1),
            false => self.base(table, scope),
        };
        for _ in 0..self.chance.below(3).min(u64::from(depth) + 1) {
            result = self.clause(result, scope, depth);
        }
        result
    }

    /// Set algebra, change of dimension, reconciliation.
    fn two(&mut self, table: usize, scope: &[InScope], depth: u32) -> Q {
        match self.chance.below(5) {
            0 => {
                let mut ways = Vec::new();
                for (from, other) in TABLES.iter().enumerate() {
                    let relations = other.relations.iter().enumerate();
                    ways.extend(relations.filter(|(_, one)| one.target == table).map(|(id, _)| (from, id)));
                }
                let (from, relation) = self.chance.pick(&ways);
                let input = self.query(from, scope, depth);
                let sees = InScope::of(&input).sees(TABLES[input.table].relations[0].name);
                // A base may be of another table than was asked for, and a prefix may hide the relation.
                if input.table != from || !sees || input.matched || matches!(input.node, F::Group { .. }) {
                    return self.base(table, scope);
                }
                let name = TABLES[from].relations[relation].name;
                plain(F::Step(Box::new(input), relation), table, name)
            }
            1 => self.matched(table, scope, depth),
            op => {
                let (left, right) = (self.query(table, scope, depth), self.query(table, scope, depth));
                if left.matched || right.matched || left.table != right.table {
                    return self.base(table, scope);
                }
                self.set([SetOp::Union, SetOp::Intersect, SetOp::Except][op as usize - 2], left, right)
            }
        }
    }

    fn set(&mut self, op: SetOp, left: Q, right: Q) -> Q {
        let table = left.table;
        let mut with = left.with.clone();
        if op == SetOp::Union {
            for column in &right.with {
                match with.iter_mut().find(|known| known.name == column.name) {
                    Some(known) => known.scale = known.scale.max(column.scale),
                    None => with.push(column.clone()),
                }
            }
        }
        let mut on = Vec::new();
        if self.chance.one_in(3) {
            let fields = TABLES[table].fields;
            on.push(fields[self.chance.at(fields.len())].0.to_owned());
            if self.chance.one_in(3) {
                let second = fields[self.chance.at(fields.len())].0.to_owned();
                if on[0] != second {
                    on.push(second);
                }
            }
        }
        let name = TABLES[table].name.to_owned();
        let node = F::Set { op, left: Box::new(left), right: Box::new(right), on };
        Q { node, table, with, grouped: None, name, matched: false }
    }

    fn matched(&mut self, table: usize, scope: &[InScope], depth: u32) -> Q {
        let from = self.table();
        let input = self.query(from, scope, depth.min(1));
        let name = TABLES[table].name;
        if input.matched || input.name == name || TABLES[input.table].name == name || input.name == "group" {
            return self.base(table, scope);
        }
        let fields = TABLES[input.table].fields.iter();
        let fields = fields.map(|(field, kind)| (*field, *kind, if *kind == Kind::Decimal { 2 } else { 0 }));
        let added = input.with.iter().map(|column| (column.name.as_str(), column.kind, column.scale));
        let dotted =
            |(field, kind, scale): (&str, Kind, u8)| Added { name: format!("{}.{field}", input.name), kind, scale };
        let with = fields.chain(added).map(dotted).collect();
        let mut inner = scope.to_vec();
        inner.push(InScope::of(&input));
        inner.push(InScope::plain(table));
        let on = match self.chance.one_in(3) {
            true => self.truth(&inner, depth.min(1)),
            false => self.pairing(&inner).unwrap_or_else(|| X::new(N::Lit(super::value::V::Bool(true)), Kind::Bool)),
        };
        let node = F::Match { input: Box::new(input), on };
        Q { node, table, with, grouped: None, name: name.to_owned(), matched: true }
    }

    /// Columns of the last two rows that are equal.
    fn pairing(&mut self, scope: &[InScope]) -> Option<X> {
        let last = scope.len() - 1;
        let kind = self.chance.pick(&[Kind::Int, Kind::Text, Kind::Decimal, Kind::Date]);
        let here = self.column_of(kind, scope, last)?;
        let there = self.column_of(kind, scope, last - 1)?;
        Some(X::new(N::Bin(Op::Eq, Box::new(here), Box::new(there)), Kind::Bool))
    }

    fn amount(&mut self) -> Amount {
        match self.chance.one_in(2) {
            true => Amount::Rows(self.chance.below(5) as i64),
            false => Amount::Share(self.chance.pick(&[0, 10, 34, 50, 100])),
        }
    }

    pub fn keys(&mut self, scope: &[InScope], depth: u32) -> Vec<Key> {
        let wanted = 1 + self.chance.below(2);
        (0..wanted)
            .map(|_| {
                let kind =
                    self.chance.pick(&[Kind::Int, Kind::Decimal, Kind::Text, Kind::Tier, Kind::Date, Kind::Bool]);
                Key { value: self.value(kind, scope, depth.min(1)), down: self.chance.one_in(2) }
            })
            .collect()
    }

    pub fn clause(&mut self, input: Q, scope: &[InScope], depth: u32) -> Q {
        let mut inner = scope.to_vec();
        inner.push(InScope::of(&input));
        let mut result = Q { node: F::Table, ..input.clone() };
        let input = Box::new(input);
        result.node = match self.chance.below(10) {
            0 => {
                // A condition that protects the next one, and sometimes does not.
                let (guard, quotient) = self.protected(&inner);
                let guarded = Q { node: F::Where(input, guard), ..result.clone() };
                F::Where(Box::new(guarded), quotient)
            }
            1..=3 => F::Where(input, self.truth(&inner, depth)),
            4 | 5 => {
                let columns = self.added(&inner, depth);
                for (name, value) in &columns {
                    result.with.push(Added { name: name.clone(), kind: value.kind, scale: value.scale });
                }
                F::With(input, columns)
            }
            6 => F::Order(input, self.keys(&inner, depth)),
            7 => {
                let by = if self.chance.one_in(2) { self.keys(&inner, depth) } else { Vec::new() };
                F::Limit { input, amount: self.amount(), by }
            }
            8 => {
                let seed = self.chance.pick(&[None, Some("x"), Some("é")]);
                F::Sample { input, amount: self.amount(), seed }
            }
            _ => {
                let wanted = 1 + self.chance.below(2);
                let kinds = [Kind::Int, Kind::Decimal, Kind::Text, Kind::Tier, Kind::Date, Kind::Bool];
                let by = (0..wanted)
                    .map(|_| {
                        let kind = self.chance.pick(&kinds);
                        self.value(kind, &inner, depth.min(1))
                    })
                    .collect();
                let prefer = if self.chance.one_in(2) { self.keys(&inner, depth) } else { Vec::new() };
                result.grouped = Some(input.with.clone());
                F::Dedupe { input, by, keep: 1 + self.chance.at(2), prefer }
            }
        };
        result
    }

    /// Columns of one `with`: their names say their kinds, so that both sides of a union agree.
    fn added(&mut self, scope: &[InScope], depth: u32) -> Vec<(String, X)> {
        let kinds = [
            (Kind::Int, "int"),
            (Kind::Decimal, "dec"),
            (Kind::Text, "text"),
            (Kind::Bool, "bool"),
            (Kind::Date, "date"),
            (Kind::Stamp, "stamp"),
            (Kind::Float, "float"),
            (Kind::List, "list"),
        ];
        let mut columns: Vec<(String, X)> = Vec::new();
        for _ in 0..1 + self.chance.below(2) {
            let (kind, word) = self.chance.pick(&kinds);
            let name = format!("{word}_{}", self.chance.below(3));
            let taken =
                scope.last().is_some_and(|row| row.has(&name)) || columns.iter().any(|(known, _)| *known == name);
            if taken {
                continue;
            }
            let value = match kind {
                Kind::List => match self.list(scope, depth.min(1)) {
                    Some(list) => list,
                    None => continue,
                },
                kind => self.value(kind, scope, depth),
            };
            // A list of another shape under the same name on both sides of a union would be a mistake.
            let name = if kind == Kind::List { format!("list_{}", self.unique()) } else { name };
            columns.push((name, value));
        }
        if columns.is_empty() {
            let name = format!("u{}", self.unique());
            columns.push((name, X::new(N::Lit(super::value::V::Int(1)), Kind::Int)));
        }
        columns
    }

    fn unique(&mut self) -> u64 {
        self.chance.below(1 << 30)
    }
}
