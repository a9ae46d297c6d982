//! The same questions in SQL, where SQL can say them, for SQLite as a second judge. Decimals are whole numbers there.

use rusqlite::Connection;
use rusqlite::types::Value;

use super::data::{TABLES, World};
use super::tree::{Added, Amount, F, Key, Kind, N, Op, Q, SetOp, X};
use super::value::{V, rescaled};

/// A database with the rows of a world.
pub fn database(world: &World) -> Connection {
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch("PRAGMA case_sensitive_like = ON").unwrap();
    for (table, rows) in TABLES.iter().zip(&world.rows) {
        let columns: Vec<String> = table.fields.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        db.execute_batch(&format!("CREATE TABLE {} ({})", table.name, columns.join(", "))).unwrap();
        let holes = vec!["?"; columns.len()].join(", ");
        let mut insert = db.prepare(&format!("INSERT INTO {} VALUES ({holes})", table.name)).unwrap();
        for row in rows {
            insert.execute(rusqlite::params_from_iter(row.iter().map(|value| cell(value, 2)))).unwrap();
        }
    }
    db
}

/// A value as SQLite holds it; decimals with this scale.
fn cell(value: &V, scale: u8) -> Value {
    match value {
        V::Null | V::List(_) => Value::Null,
        V::Bool(value) => Value::Integer((*value).into()),
        V::Int(value) => Value::Integer(*value),
        V::Num(mantissa, given) => match rescaled((*mantissa, *given), scale) {
            Some(V::Num(mantissa, _)) => Value::Integer(mantissa as i64),
            _ => Value::Null,
        },
        V::Float(value) => Value::Real(*value),
        V::Text(text) => Value::Text(text.clone()),
        V::Date(date) => Value::Text(date.to_string()),
        V::Time(time) => Value::Text(time.strftime("%H:%M:%S").to_string()),
        V::Stamp(at) => Value::Integer(at.as_microsecond()),
    }
}

fn literal(value: &V, scale: u8) -> String {
    match cell(value, scale) {
        Value::Null => "NULL".to_owned(),
        Value::Integer(number) => format!("({number})"),
        Value::Real(number) => format!("({number:e})"),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Blob(_) => panic!("no blobs"),
    }
}

/// Rows as the product gives them, in the form of [`answer`].
pub fn expected(query: &Q, rows: &[Vec<V>]) -> Vec<Vec<Value>> {
    let scales = scales(query);
    let whole = |value: &V, (kind, scale): (Kind, u8)| match (kind, value) {
        (Kind::Decimal, V::Int(number)) => cell(&V::Num((*number).into(), 0), scale),
        _ => cell(value, scale),
    };
    rows.iter().map(|row| row.iter().zip(&scales).map(|(value, ty)| whole(value, *ty)).collect()).collect()
}

fn scales(query: &Q) -> Vec<(Kind, u8)> {
    let fields = TABLES[query.table].fields.iter().map(|(_, kind)| (*kind, 2));
    fields.chain(query.with.iter().map(|column| (column.kind, column.scale))).collect()
}

/// What SQLite finds, ordered by key; `None` where SQL cannot say the question.
pub fn answer(db: &Connection, query: &Q, lets: &[V]) -> Option<Vec<Vec<Value>>> {
    if query.matched || query.with.iter().any(|column| column.kind == Kind::List) {
        return None;
    }
    let mut sql = Sql { lets, names: 0 };
    let text = sql.query(query, &[])?;
    let columns = columns("r", query.table, &query.with);
    let text = format!("SELECT {columns} FROM ({text}) r ORDER BY {}", keys("r", query.table));
    let mut statement = match db.prepare(&text) {
        Ok(statement) => statement,
        // Some nested tables cannot look at outer rows.
        Err(error) if error.to_string().contains("no such column") => return None,
        Err(error) => panic!("{error}: {text}"),
    };
    let width = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    let mut found = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        found.push((0..width).map(|at| row.get(at).unwrap()).collect());
    }
    Some(found)
}

fn columns(alias: &str, table: usize, with: &[Added]) -> String {
    let fields = TABLES[table].fields.iter().map(|(name, _)| *name);
    let names = fields.chain(with.iter().map(|column| column.name.as_str()));
    names.map(|name| format!("{alias}.\"{name}\"")).collect::<Vec<_>>().join(", ")
}

fn keys(alias: &str, table: usize) -> String {
    let fields = &TABLES[table].fields[..TABLES[table].key];
    fields.iter().map(|(name, _)| format!("{alias}.\"{name}\"")).collect::<Vec<_>>().join(", ")
}

fn tied(here: &str, table: usize, relation: usize, there: &str) -> String {
    let relation = &TABLES[table].relations[relation];
    let pair = |(from, to): &(usize, usize)| {
        let (from, to) = (TABLES[table].fields[*from].0, TABLES[relation.target].fields[*to].0);
        format!("{here}.\"{from}\" = {there}.\"{to}\"")
    };
    relation.on.iter().map(pair).collect::<Vec<_>>().join(" AND ")
}

/// A row in scope: its alias and its table.
type Rows<'r> = &'r [(String, usize)];

struct Sql<'l> {
    lets: &'l [V],
    names: usize,
}

impl Sql<'_> {
    fn fresh(&mut self) -> String {
        self.names += 1;
        format!("t{}", self.names)
    }

    fn inner(&mut self, rows: Rows<'_>, table: usize) -> (String, Vec<(String, usize)>) {
        let alias = self.fresh();
        let mut inner = rows.to_vec();
        inner.push((alias.clone(), table));
        (alias, inner)
    }

    fn query(&mut self, query: &Q, rows: Rows<'_>) -> Option<String> {
        let target = TABLES[query.table].name;
        Some(match &query.node {
            F::Table => format!("SELECT * FROM {target}"),
            F::Related { at, path, .. } => self.related(&rows[*at], path)?,
            F::Step(input, relation) => {
                let (from, text, to) = (self.fresh(), self.query(input, rows)?, self.fresh());
                let tie = tied(&from, input.table, *relation, &to);
                format!("SELECT {to}.* FROM {target} {to} WHERE EXISTS (SELECT 1 FROM ({text}) {from} WHERE {tie})")
            }
            F::Where(input, predicate) => {
                let text = self.query(input, rows)?;
                let (alias, inner) = self.inner(rows, query.table);
                format!("SELECT * FROM ({text}) {alias} WHERE {}", self.value(predicate, &inner)?)
            }
            F::With(input, added) => {
                let text = self.query(input, rows)?;
                let (alias, inner) = self.inner(rows, query.table);
                let mut values = Vec::new();
                for (name, value) in added {
                    values.push(format!("{} AS \"{name}\"", self.value(value, &inner)?));
                }
                format!("SELECT {alias}.*, {} FROM ({text}) {alias}", values.join(", "))
            }
            F::Order(input, _) => self.query(input, rows)?,
            F::Limit { input, amount, by } => self.limit(query, input, *amount, by, rows)?,
            F::Dedupe { input, by, keep, prefer } => {
                let text = self.query(input, rows)?;
                let (alias, inner) = self.inner(rows, query.table);
                let by = by.iter().map(|x| self.value(x, &inner)).collect::<Option<Vec<_>>>()?;
                let missing: Vec<String> = by.iter().map(|value| format!("{value} IS NULL")).collect();
                let keys = keys(&alias, query.table);
                let apart: Vec<String> =
                    keys.split(", ").map(|key| format!("CASE WHEN {} THEN {key} END", missing.join(" OR "))).collect();
                let order = self.order(prefer, &inner, query.table)?;
                let place = format!(
                    "row_number() OVER (PARTITION BY {}, {} ORDER BY {order})",
                    by.join(", "),
                    apart.join(", ")
                );
                let wanted = columns("k", query.table, &query.with);
                format!(
                    "SELECT {wanted} FROM (SELECT {alias}.*, {place} AS \"place of it\" FROM ({text}) {alias}) k WHERE \"place of it\" <= {keep}"
                )
            }
            F::Set { op, left, right, on } => self.set(query, *op, left, right, on, rows)?,
            F::Frozen(_) | F::Group { .. } | F::Sample { .. } | F::Match { .. } => return None,
        })
    }

    fn related(&mut self, from: &(String, usize), path: &[usize]) -> Option<String> {
        let (first, rest) = path.split_first()?;
        let target = TABLES[from.1].relations[*first].target;
        let to = self.fresh();
        let tie = tied(&from.0, from.1, *first, &to);
        let reached = format!("SELECT {to}.* FROM {} {to} WHERE {tie}", TABLES[target].name);
        let [next] = rest else { return rest.is_empty().then_some(reached) };
        let (middle, last) = (self.fresh(), self.fresh());
        let name = TABLES[TABLES[target].relations[*next].target].name;
        let tie = tied(&middle, target, *next, &last);
        Some(format!(
            "SELECT {last}.* FROM {name} {last} WHERE EXISTS (SELECT 1 FROM ({reached}) {middle} WHERE {tie})"
        ))
    }

    fn order(&mut self, by: &[Key], rows: Rows<'_>, table: usize) -> Option<String> {
        let mut parts = Vec::new();
        for key in by {
            if key.value.kind == Kind::Tier {
                return None;
            }
            // A constant orders nothing, and SQLite takes a number for that of a column.
            if key.value.is_constant() {
                continue;
            }
            let value = self.value(&key.value, rows)?;
            parts.push(format!("({value} IS NULL)"));
            parts.push(format!("{value}{}", if key.down { " DESC" } else { "" }));
        }
        parts.push(keys(&rows.last()?.0, table));
        Some(parts.join(", "))
    }

    fn limit(&mut self, query: &Q, input: &Q, amount: Amount, by: &[Key], rows: Rows<'_>) -> Option<String> {
        // Without an order of its own it has that of its input, which SQL forgets.
        if by.is_empty() && is_ordered(input) {
            return None;
        }
        let text = self.query(input, rows)?;
        let (alias, inner) = self.inner(rows, query.table);
        let order = self.order(by, &inner, query.table)?;
        let most = match amount {
            Amount::Rows(rows) => rows.to_string(),
            Amount::Share(share) => format!("(SELECT (count(*) * {share} + 50) / 100 FROM ({text}))"),
        };
        Some(format!("SELECT * FROM ({text}) {alias} ORDER BY {order} LIMIT {most}"))
    }

    fn set(&mut self, query: &Q, op: SetOp, left: &Q, right: &Q, on: &[String], rows: Rows<'_>) -> Option<String> {
        let (first, second) = (self.query(left, rows)?, self.query(right, rows)?);
        let (l, r) = (self.fresh(), self.fresh());
        let key: Vec<String> =
            TABLES[query.table].fields[..TABLES[query.table].key].iter().map(|f| f.0.to_owned()).collect();
        let alike = |columns: &[String]| {
            columns.iter().map(|name| format!("{l}.\"{name}\" = {r}.\"{name}\"")).collect::<Vec<_>>().join(" AND ")
        };
        let same = alike(if on.is_empty() { &key } else { on });
        Some(match op {
            SetOp::Intersect => {
                format!("SELECT * FROM ({first}) {l} WHERE EXISTS (SELECT 1 FROM ({second}) {r} WHERE {same})")
            }
            SetOp::Except => {
                format!("SELECT * FROM ({first}) {l} WHERE NOT EXISTS (SELECT 1 FROM ({second}) {r} WHERE {same})")
            }
            SetOp::Union => {
                let side = |alias: &str, of: &Q| -> Option<String> {
                    let mut parts = vec![columns(alias, query.table, &[])];
                    for column in &query.with {
                        let known = of.with.iter().find(|known| known.name == column.name);
                        parts.push(match known {
                            Some(known) if known.scale != column.scale => return None,
                            Some(_) => format!("{alias}.\"{}\"", column.name),
                            None => format!("NULL AS \"{}\"", column.name),
                        });
                    }
                    Some(parts.join(", "))
                };
                let (here, there) = (side(&l, left)?, side(&r, right)?);
                let twice = alike(&key);
                format!(
                    "SELECT {here} FROM ({first}) {l} UNION ALL SELECT {there} FROM ({second}) {r} \
                     WHERE NOT EXISTS (SELECT 1 FROM ({first}) {l} WHERE ({same}) OR ({twice}))"
                )
            }
        })
    }

    /// A value with the scale of its expression.
    fn value(&mut self, x: &X, rows: Rows<'_>) -> Option<String> {
        let not = |not: &bool| if *not { "NOT " } else { "" };
        Some(match &x.node {
            N::Lit(value) | N::Percent(_, value) => literal(value, x.scale),
            N::Let(at) => match (&self.lets[*at], x.kind) {
                (V::Int(number), Kind::Decimal) => literal(&V::Num((*number).into(), 0), x.scale),
                (value, _) => literal(value, x.scale),
            },
            N::Col { at, path, name, .. } => self.column(&rows[*at], path, name)?,
            N::Not(value) => format!("(NOT {})", self.value(value, rows)?),
            N::Neg(value) if x.kind == Kind::Int || x.kind == Kind::Decimal => {
                format!("(- {})", self.value(value, rows)?)
            }
            N::Bin(op, left, right) => self.binary(x, *op, left, right, rows)?,
            N::In { not: n, value, items } => {
                let scale = items.iter().map(|item| item.scale).max().unwrap_or(0).max(value.scale);
                let value = self.aligned(value, scale, rows)?;
                let items = items.iter().map(|item| self.aligned(item, scale, rows)).collect::<Option<Vec<_>>>()?;
                format!("({value} {}IN ({}))", not(n), items.join(", "))
            }
            N::InQuery { not: n, value, query, column } => {
                let (value, text, alias) = (self.value(value, rows)?, self.query(query, rows)?, self.fresh());
                let members =
                    format!("SELECT {alias}.\"{column}\" FROM ({text}) {alias} WHERE {alias}.\"{column}\" IS NOT NULL");
                format!("(CASE WHEN {value} IS NULL THEN NULL ELSE {value} {}IN ({members}) END)", not(n))
            }
            N::Between { not: n, value, low, high } => {
                let scale = value.scale.max(low.scale).max(high.scale);
                let mut side = |x: &X| self.aligned(x, scale, rows);
                let (value, low, high) = (side(value)?, side(low)?, side(high)?);
                format!("({value} {}BETWEEN {low} AND {high})", not(n))
            }
            N::IsNull { not: n, value } => format!("({} IS {}NULL)", self.value(value, rows)?, not(n)),
            N::IsEmpty { not: n, value } => {
                let value = self.value(value, rows)?;
                format!("({}(coalesce({value}, '') = ''))", not(n))
            }
            N::If(condition, then, other) => {
                let condition = self.value(condition, rows)?;
                let (then, other) = (self.aligned(then, x.scale, rows)?, self.aligned(other, x.scale, rows)?);
                format!("(CASE WHEN {condition} THEN {then} ELSE {other} END)")
            }
            N::Call(name, args) => self.call(x, name, args, rows)?,
            N::Exists(query) => format!("EXISTS ({})", self.query(query, rows)?),
            N::Aggregate { name, values, query, .. } => self.aggregate(x, name, values, query, rows)?,
            _ => return None,
        })
    }

    fn column(&mut self, from: &(String, usize), path: &[usize], name: &str) -> Option<String> {
        let Some((first, rest)) = path.split_first() else { return Some(format!("{}.\"{name}\"", from.0)) };
        let target = TABLES[from.1].relations[*first].target;
        let alias = self.fresh();
        let value = self.column(&(alias.clone(), target), rest, name)?;
        let tie = tied(&from.0, from.1, *first, &alias);
        Some(format!("(SELECT {value} FROM {} {alias} WHERE {tie})", TABLES[target].name))
    }

    /// A number with more digits behind the point.
    fn aligned(&mut self, x: &X, scale: u8, rows: Rows<'_>) -> Option<String> {
        let value = self.value(x, rows)?;
        Some(if scale > x.scale { format!("({value} * {})", 10i64.pow((scale - x.scale).into())) } else { value })
    }

    fn binary(&mut self, x: &X, op: Op, left: &X, right: &X, rows: Rows<'_>) -> Option<String> {
        if left.kind == Kind::Stamp && right.kind == Kind::Date || [left.kind, right.kind].contains(&Kind::Float) {
            return None;
        }
        let scale = match op {
            Op::Mul if left.scale + right.scale == x.scale => 0,
            Op::Mul | Op::Div => return None,
            _ => left.scale.max(right.scale),
        };
        let (l, r) = (self.aligned(left, scale, rows)?, self.aligned(right, scale, rows)?);
        Some(match op {
            Op::Or0 => format!("coalesce({l}, {r})"),
            Op::NotLike => format!("({l} NOT LIKE {r})"),
            op => format!("({l} {} {r})", op.sign().to_uppercase()),
        })
    }

    fn call(&mut self, x: &X, name: &str, args: &[X], rows: Rows<'_>) -> Option<String> {
        let args = args.iter().map(|arg| self.aligned(arg, x.scale, rows)).collect::<Option<Vec<_>>>()?;
        match name {
            "length" | "abs" | "coalesce" => Some(format!("{name}({})", args.join(", "))),
            "null_if" => Some(format!("nullif({})", args.join(", "))),
            "left" => Some(format!("substr({}, 1, {})", args[0], args[1])),
            "starts_with" => Some(format!("(substr({0}, 1, length({1})) = {1})", args[0], args[1])),
            _ => None,
        }
    }

    fn aggregate(&mut self, x: &X, name: &str, values: &[X], query: &Q, rows: Rows<'_>) -> Option<String> {
        let text = self.query(query, rows)?;
        let (alias, inner) = self.inner(rows, query.table);
        let Some(value) = values.first() else { return Some(format!("(SELECT count(*) FROM ({text}) {alias})")) };
        if x.kind == Kind::Float || value.kind == Kind::Tier && name != "count" && name != "count_distinct" {
            return None;
        }
        // An aggregate of outer columns alone would be one of the outer rows.
        let (value, key) = (self.value(value, &inner)?, TABLES[query.table].fields[0].0);
        let value = format!("CASE WHEN {alias}.\"{key}\" IS NULL THEN NULL ELSE {value} END");
        let function = match name {
            "count" | "min" | "max" => format!("{name}({value})"),
            "count_distinct" => format!("count(DISTINCT {value})"),
            "sum" => format!("coalesce(sum({value}), 0)"),
            _ => return None,
        };
        Some(format!("(SELECT {function} FROM ({text}) {alias})"))
    }
}

fn is_ordered(query: &Q) -> bool {
    match &query.node {
        F::Order(..) | F::Limit { .. } | F::Group { .. } => true,
        F::Where(input, _) | F::With(input, _) | F::Sample { input, .. } => is_ordered(input),
        _ => false,
    }
}
