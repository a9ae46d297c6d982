//! Random expressions, well typed.

use super::data::{ORDERS, PEOPLE, TABLES, random_date, random_moment, random_text, random_time, random_value};
use super::functions::FUNCTIONS;
use super::make::{InScope, Maker, qualifier};
use super::tree::{Kind, Length, N, Op, Piece, X};
use super::value::V;

const LENGTHS: [Length; 9] = [
    Length { months: 0, days: 1, seconds: 0, text: "1d" },
    Length { months: 0, days: 14, seconds: 0, text: "2w" },
    Length { months: 1, days: 0, seconds: 0, text: "1mo" },
    Length { months: 12, days: 0, seconds: 0, text: "1y" },
    Length { months: 13, days: 3, seconds: 0, text: "1y1mo3d" },
    Length { months: 0, days: 0, seconds: 86_400, text: "24h" },
    Length { months: 0, days: 0, seconds: 5_400, text: "90min" },
    Length { months: 0, days: 1, seconds: 43_200, text: "1d12h" },
    Length { months: 0, days: 90, seconds: 0, text: "90d" },
];

/// Number kinds have the scale of their columns.
fn scale_of(kind: Kind) -> u8 {
    if kind == Kind::Decimal { 2 } else { 0 }
}

fn is_number(kind: Kind) -> bool {
    matches!(kind, Kind::Int | Kind::Decimal | Kind::Float)
}

fn capped(scale: u8, widest: u8) -> u8 {
    if scale <= 18 { scale } else { widest.max(18) }
}

/// The kind and scale of a result of arithmetic.
pub fn result(op: Op, left: &X, right: &X) -> (Kind, u8) {
    if left.kind == Kind::Float || right.kind == Kind::Float {
        return (Kind::Float, 0);
    }
    if left.kind == Kind::Int && right.kind == Kind::Int && op != Op::Div {
        return (Kind::Int, 0);
    }
    let widest = left.scale.max(right.scale);
    let scale = match op {
        Op::Mul => capped(left.scale + right.scale, widest),
        Op::Div => capped(widest + 6, widest),
        _ => widest,
    };
    (Kind::Decimal, scale)
}

fn bin(op: Op, left: X, right: X) -> X {
    X::new(N::Bin(op, Box::new(left), Box::new(right)), Kind::Bool)
}

impl Maker<'_> {
    /// A column of one of the rows in scope, most often of the innermost.
    fn column(&mut self, kind: Kind, scope: &[InScope]) -> Option<X> {
        if scope.is_empty() {
            return None;
        }
        let last = scope.len() - 1;
        let at = if self.chance.one_in(4) { self.chance.at(scope.len()) } else { last };
        self.column_of(kind, scope, at)
    }

    pub fn column_of(&mut self, kind: Kind, scope: &[InScope], at: usize) -> Option<X> {
        let innermost = at + 1 == scope.len();
        let row = &scope[at];
        let prefix = if innermost { String::new() } else { qualifier(scope, at)? + "." };
        let dotted = |name: &str| name.contains('.');
        if self.chance.one_in(3) {
            let columns = row.with.iter().filter(|column| column.kind == kind && (innermost || !dotted(&column.name)));
            let columns: Vec<_> = columns.cloned().collect();
            if !columns.is_empty() {
                let column = self.chance.pick(&columns);
                let text = format!("{prefix}{}", column.name);
                let node = N::Col { at, path: Vec::new(), name: column.name, text };
                return Some(X { node, kind, scale: column.scale });
            }
        }
        let (mut path, mut text, mut table) = (Vec::new(), prefix, row.table);
        while self.chance.one_in(5) {
            let ones = TABLES[table].relations.iter().enumerate().filter(|(_, relation)| !relation.many);
            let ones: Vec<_> = ones.filter(|(_, one)| !path.is_empty() || row.sees(one.name)).collect();
            if ones.is_empty() {
                break;
            }
            let (id, relation) = ones[self.chance.at(ones.len())];
            path.push(id);
            text += &format!("{}.", relation.name);
            table = relation.target;
        }
        let fields = TABLES[table].fields.iter().filter(|(_, of)| *of == kind);
        let fields: Vec<_> = fields.map(|(name, _)| *name).collect();
        if fields.is_empty() {
            return None;
        }
        let name = self.chance.pick(&fields).to_owned();
        let text = format!("{text}{name}");
        Some(X { node: N::Col { at, path, name, text }, kind, scale: scale_of(kind) })
    }

    fn literal(&mut self, kind: Kind) -> X {
        if kind == Kind::Bool {
            return X::new(N::Lit(V::Bool(self.chance.one_in(2))), kind);
        }
        let extreme = self.world.extreme && self.chance.one_in(3);
        let value = match kind {
            Kind::Int if extreme => V::Int(9_000_000_000_000_000_000),
            Kind::Int => V::Int(self.chance.below(5) as i64),
            Kind::Decimal => V::Num(self.chance.below(900) as i128, 2),
            Kind::Float => V::Float(self.chance.pick(&[0.5, 2.0, 1e3])),
            Kind::Date => V::Date(random_date(&mut self.chance, false)),
            Kind::Stamp => V::Stamp(random_moment(&mut self.chance)),
            Kind::Time => V::Time(random_time(&mut self.chance)),
            Kind::Tier => random_value(&mut self.chance, kind, false),
            _ => V::Text(random_text(&mut self.chance)),
        };
        X { node: N::Lit(value), kind, scale: scale_of(kind) }
    }

    /// A column, a `let`, a parameter, or a constant.
    fn leaf(&mut self, kind: Kind, scope: &[InScope]) -> X {
        let params = self.params.iter().enumerate().filter(|(_, of)| **of == kind);
        let params: Vec<usize> = params.map(|(at, _)| at).collect();
        if !params.is_empty() && self.chance.one_in(2) {
            return X { node: N::Param(self.chance.pick(&params)), kind, scale: scale_of(kind) };
        }
        let lets = self.lets.iter().enumerate().filter(|(_, (of, _))| *of == kind && !self.in_define);
        let lets: Vec<(usize, u8)> = lets.map(|(at, (_, scale))| (at, *scale)).collect();
        if !lets.is_empty() && self.chance.one_in(6) {
            let (at, scale) = self.chance.pick(&lets);
            return X { node: N::Let(at), kind, scale };
        }
        let column = if self.chance.one_in(5) { None } else { self.column(kind, scope) };
        column.unwrap_or_else(|| self.literal(kind))
    }

    /// A condition.
    pub fn truth(&mut self, scope: &[InScope], depth: u32) -> X {
        if depth == 0 {
            return self.simple(scope, 0);
        }
        match self.chance.below(13) {
            0..=3 => self.simple(scope, depth),
            12 => {
                let (guard, quotient) = self.protected(scope);
                match self.chance.below(3) {
                    0 => bin(Op::And, guard, quotient),
                    1 => bin(Op::Or, X::new(N::Not(Box::new(guard)), Kind::Bool), quotient),
                    _ => {
                        let other = Box::new(self.literal(Kind::Bool));
                        X::new(N::If(Box::new(guard), Box::new(quotient), other), Kind::Bool)
                    }
                }
            }
            4..=6 => {
                let op = self.chance.pick(&[Op::And, Op::Or]);
                let (left, right) = (self.truth(scope, depth - 1), self.truth(scope, depth - 1));
                bin(op, left, right)
            }
            7 => X::new(N::Not(Box::new(self.truth(scope, depth - 1))), Kind::Bool),
            8 | 9 => {
                let table = self.table();
                X::new(N::Exists(Box::new(self.query(table, scope, depth - 1))), Kind::Bool)
            }
            10 => self.membership(scope, depth - 1).unwrap_or_else(|| self.simple(scope, 0)),
            _ => self.value(Kind::Bool, scope, depth),
        }
    }

    /// A condition, and another with a quotient that the first one may protect.
    pub fn protected(&mut self, scope: &[InScope]) -> (X, X) {
        let divisor = self.column(Kind::Int, scope).unwrap_or_else(|| self.leaf(Kind::Int, scope));
        let divisor = if matches!(divisor.node, N::Lit(_)) { X::new(N::Param(0), Kind::Int) } else { divisor };
        if matches!(divisor.node, N::Param(_)) {
            return (self.simple(scope, 0), self.simple(scope, 0));
        }
        let zero = X::new(N::Lit(V::Int(0)), Kind::Int);
        let guard = match self.chance.below(4) {
            0 => bin(Op::Gt, divisor.clone(), zero),
            1 => X::new(N::Exists(Box::new(self.query(ORDERS, scope, 0))), Kind::Bool),
            _ => bin(Op::Ne, divisor.clone(), zero),
        };
        let kind = self.chance.pick(&[Kind::Int, Kind::Decimal]);
        let dividend = self.leaf(kind, scope);
        let (kind, scale) = result(Op::Div, &dividend, &divisor);
        let quotient = X { node: N::Bin(Op::Div, Box::new(dividend), Box::new(divisor)), kind, scale };
        let op = self.chance.pick(&[Op::Gt, Op::Le, Op::Eq]);
        let other = self.leaf(Kind::Int, scope);
        (guard, bin(op, quotient, other))
    }

    fn membership(&mut self, scope: &[InScope], depth: u32) -> Option<X> {
        let table = self.table();
        let query = self.query(table, scope, depth);
        if matches!(query.node, super::tree::F::Related { .. } | super::tree::F::Group { .. }) || query.matched {
            return None;
        }
        let kind = self.chance.pick(&[Kind::Int, Kind::Text, Kind::Decimal]);
        let fields = TABLES[query.table].fields.iter().filter(|(_, of)| *of == kind);
        let fields: Vec<_> = fields.map(|(name, _)| *name).collect();
        let column = if fields.is_empty() { return None } else { self.chance.pick(&fields).to_owned() };
        let value = Box::new(self.leaf(kind, scope));
        let not = self.chance.one_in(2);
        Some(X::new(N::InQuery { not, value, query: Box::new(query), column }, Kind::Bool))
    }

    fn simple(&mut self, scope: &[InScope], depth: u32) -> X {
        let kinds = [Kind::Int, Kind::Int, Kind::Decimal, Kind::Text, Kind::Date, Kind::Stamp, Kind::Float, Kind::Time];
        let kind = self.chance.pick(&kinds);
        match self.chance.below(10) {
            0..=4 => {
                let op = self.chance.pick(&[Op::Eq, Op::Ne, Op::Lt, Op::Le, Op::Gt, Op::Ge]);
                let other = match kind {
                    Kind::Int if self.chance.one_in(3) => Kind::Decimal,
                    // A date stands for its day.
                    Kind::Stamp if self.chance.one_in(3) => Kind::Date,
                    kind => kind,
                };
                let (left, right) = (self.value(kind, scope, depth), self.leaf(other, scope));
                // To compare a thing with itself is a mistake.
                let right = if left.text() == right.text() { self.literal(other) } else { right };
                bin(op, left, right)
            }
            5 => {
                let value = Box::new(self.value(kind, scope, depth));
                let not = self.chance.one_in(2);
                match kind == Kind::Text && self.chance.one_in(2) {
                    true => X::new(N::IsEmpty { not, value }, Kind::Bool),
                    false => X::new(N::IsNull { not, value }, Kind::Bool),
                }
            }
            6 => {
                let value = Box::new(self.value(kind, scope, depth));
                let (low, high) = (Box::new(self.leaf(kind, scope)), Box::new(self.leaf(kind, scope)));
                X::new(N::Between { not: self.chance.one_in(2), value, low, high }, Kind::Bool)
            }
            7 => {
                let value = Box::new(self.value(kind, scope, depth));
                let items = (0..1 + self.chance.below(3)).map(|_| self.leaf(kind, scope)).collect();
                X::new(N::In { not: self.chance.one_in(2), value, items }, Kind::Bool)
            }
            8 => {
                let tier = self.leaf(Kind::Tier, scope);
                if matches!(tier.node, N::Lit(_)) {
                    return self.column(Kind::Bool, scope).unwrap_or_else(|| self.literal(Kind::Bool));
                }
                let other = self.literal(Kind::Tier);
                bin(self.chance.pick(&[Op::Eq, Op::Ne]), tier, other)
            }
            _ => {
                let value = self.leaf(Kind::Text, scope);
                let pattern = self.chance.pick(&["a%", "%b", "%a%", "_", "a_b", "%", "é", "%漢%", ""]);
                let pattern = X::new(N::Lit(V::text(pattern)), Kind::Text);
                bin(self.chance.pick(&[Op::Like, Op::NotLike]), value, pattern)
            }
        }
    }

    /// A value of a kind; possibly null.
    pub fn value(&mut self, kind: Kind, scope: &[InScope], depth: u32) -> X {
        // A conditional of constants would be any text.
        if depth == 0 || kind == Kind::Tier {
            return self.leaf(kind, scope);
        }
        match self.chance.below(14) {
            0 | 1 => self.aggregate(kind, scope, depth - 1),
            2 => {
                let condition = self.truth(scope, depth - 1);
                let (then, other) = (self.value(kind, scope, depth - 1), self.value(kind, scope, depth - 1));
                let scale = then.scale.max(other.scale);
                X { node: N::If(Box::new(condition), Box::new(then), Box::new(other)), kind, scale }
            }
            3 => {
                let (left, right) = (self.value(kind, scope, depth - 1), self.leaf(kind, scope));
                let scale = left.scale.max(right.scale);
                X { node: N::Bin(Op::Or0, Box::new(left), Box::new(right)), kind, scale }
            }
            4..=6 if is_number(kind) => self.computed(kind, scope, depth - 1),
            4..=6 if matches!(kind, Kind::Date | Kind::Stamp) => self.moment(kind, scope, depth - 1),
            4 if kind == Kind::Bool => self.truth(scope, depth - 1),
            4 if kind == Kind::Text => {
                let hole =
                    self.chance.pick(&[Kind::Int, Kind::Text, Kind::Decimal, Kind::Date, Kind::Stamp, Kind::Bool]);
                let hole = self.value(hole, scope, depth - 1);
                X::new(N::Template(vec![Piece::Text("<"), Piece::Hole(hole), Piece::Text(">")]), kind)
            }
            7..=9 => self.call(kind, scope, depth - 1),
            10 => self.definition(kind, scope, depth - 1).unwrap_or_else(|| self.leaf(kind, scope)),
            _ => self.leaf(kind, scope),
        }
    }

    fn computed(&mut self, kind: Kind, scope: &[InScope], depth: u32) -> X {
        let left = self.value(kind, scope, depth);
        if self.chance.one_in(8) && !matches!(left.node, N::Lit(_)) {
            let scale = left.scale;
            return X { node: N::Neg(Box::new(left)), kind, scale };
        }
        let op = match kind {
            Kind::Int => self.chance.pick(&[Op::Add, Op::Sub, Op::Mul]),
            _ => self.chance.pick(&[Op::Add, Op::Sub, Op::Mul, Op::Div]),
        };
        if matches!(kind, Kind::Int | Kind::Decimal) && self.chance.one_in(5) {
            let share = self.share();
            let op = self.chance.pick(&[Op::Mul, Op::Div]);
            let (kind, scale) = result(op, &left, &share);
            return X { node: N::Bin(op, Box::new(left), Box::new(share)), kind, scale };
        }
        let of = if kind == Kind::Decimal && self.chance.one_in(2) { Kind::Int } else { kind };
        let right = self.leaf(of, scope);
        let zero = match &right.node {
            N::Lit(V::Int(0) | V::Num(0, _)) => true,
            N::Lit(V::Float(value)) => *value == 0.0,
            _ => false,
        };
        let op = if zero && op == Op::Div { Op::Add } else { op };
        let (kind, scale) = result(op, &left, &right);
        X { node: N::Bin(op, Box::new(left), Box::new(right)), kind, scale }
    }

    /// A number written as a share. It has the digits that it needs.
    fn share(&mut self) -> X {
        let thousandths = 1 + self.chance.below(1_500) as i64;
        let (mut units, mut scale) = (i128::from(thousandths), 3);
        while scale > 0 && units % 10 == 0 {
            (units, scale) = (units / 10, scale - 1);
        }
        X { node: N::Percent(thousandths, V::Num(units, scale)), kind: Kind::Decimal, scale }
    }

    fn moment(&mut self, kind: Kind, scope: &[InScope], depth: u32) -> X {
        let fits = |length: &&Length| kind == Kind::Stamp || length.seconds == 0;
        let lengths: Vec<Length> = LENGTHS.iter().filter(fits).copied().collect();
        let length = self.chance.pick(&lengths);
        match self.chance.below(5) {
            0 if kind == Kind::Date => X::new(N::Today, kind),
            0 => X::new(N::Now, kind),
            1 if kind == Kind::Stamp => {
                X::new(N::Bin(Op::Or0, Box::new(self.leaf(kind, scope)), Box::new(X::new(N::Ago(length), kind))), kind)
            }
            _ => X::new(N::Shift(Box::new(self.value(kind, scope, depth)), length, self.chance.one_in(2)), kind),
        }
    }

    fn call(&mut self, kind: Kind, scope: &[InScope], depth: u32) -> X {
        let known: Vec<_> = FUNCTIONS.iter().filter(|function| function.gives == kind).collect();
        if known.is_empty() {
            return self.leaf(kind, scope);
        }
        let function = known[self.chance.at(known.len())];
        // There are no constants of this kind.
        let json = function.takes.iter().any(|take| matches!(take, super::functions::Take::Any(Kind::Json)));
        let document = if json { self.column(Kind::Json, scope) } else { None };
        if json && document.is_none() {
            return self.leaf(kind, scope);
        }
        let args: Vec<X> = function
            .takes
            .iter()
            .map(|take| match take {
                super::functions::Take::Any(Kind::Json) => document.clone().unwrap_or_else(|| self.literal(Kind::Json)),
                super::functions::Take::Any(kind) => self.value(*kind, scope, depth),
                super::functions::Take::Text(texts) => X::new(N::Lit(V::text(self.chance.pick(texts))), Kind::Text),
                super::functions::Take::Int(low, high) => {
                    let value = low + self.chance.below((high - low + 1) as u64) as i64;
                    X::new(N::Lit(V::Int(value)), Kind::Int)
                }
            })
            .collect();
        let scale = (function.scale)(&args);
        X { node: N::Call(function.name, args), kind, scale }
    }

    fn definition(&mut self, kind: Kind, scope: &[InScope], depth: u32) -> Option<X> {
        let row = scope.last()?;
        if self.in_define || row.matched {
            return None;
        }
        let known = self.defines.iter().enumerate().filter(|(_, one)| one.body.kind == kind);
        let known: Vec<usize> = known.map(|(at, _)| at).collect();
        let define = if known.is_empty() { return None } else { self.chance.pick(&known) };
        let (at, of) = (scope.len() - 1, self.defines[define].table);
        let mut ways = Vec::new();
        if row.table == of {
            ways.push((Vec::new(), String::new()));
        }
        for (id, relation) in TABLES[row.table].relations.iter().enumerate() {
            if !relation.many && relation.target == of && row.sees(relation.name) {
                ways.push((vec![id], format!("{}.", relation.name)));
            }
        }
        let (path, text) = if ways.is_empty() { return None } else { self.chance.pick(&ways) };
        let params = self.defines[define].params.clone();
        let args: Vec<X> = params.iter().map(|kind| self.value(*kind, scope, depth.min(1))).collect();
        // An argument of another scale would give the body another scale.
        if args.iter().any(|arg| arg.kind == Kind::Decimal && arg.scale != 2) {
            return None;
        }
        let text = format!("{text}{}", self.defines[define].name);
        let scale = self.defines[define].body.scale;
        Some(X { node: N::Use { define, args, at, path, text }, kind, scale })
    }

    fn aggregate(&mut self, kind: Kind, scope: &[InScope], depth: u32) -> X {
        let table = if self.chance.one_in(2) { self.table() } else { self.chance.pick(&[PEOPLE, ORDERS]) };
        let query = self.query(table, scope, depth);
        let mut inner = scope.to_vec();
        inner.push(InScope::of(&query));
        let names: &[&'static str] = match kind {
            Kind::Int => &["count", "count", "count_of", "count_distinct", "sum", "min", "max", "first"],
            Kind::Decimal => &["sum", "avg", "avg_int", "min", "max", "first", "median", "percentile"],
            Kind::Float => &["sum", "avg", "min", "max", "first", "stddev"],
            Kind::Text => &["min", "max", "first", "string_agg", "join"],
            Kind::Date | Kind::Stamp | Kind::Time => &["min", "max", "first"],
            _ => &["first"],
        };
        let mut name = self.chance.pick(names);
        let of = match name {
            "avg_int" => Kind::Int,
            "count_of" | "count_distinct" => {
                self.chance.pick(&[Kind::Int, Kind::Text, Kind::Decimal, Kind::Date, Kind::Tier])
            }
            "join" => Kind::Text,
            _ => kind,
        };
        let value = match self.chance.one_in(4) && depth > 0 {
            true => self.value(of, &inner, 1),
            false => self.column(of, &inner).unwrap_or_else(|| self.literal(of)),
        };
        let scale = match name {
            "avg" | "avg_int" if kind == Kind::Decimal => capped(value.scale + 6, value.scale),
            "median" => value.scale + 1,
            _ => value.scale,
        };
        let mut values = vec![value];
        let mut extra = None;
        match name {
            "count" => values.clear(),
            "count_of" => name = "count",
            "avg_int" => name = "avg",
            "percentile" => extra = Some(self.chance.pick(&[("90%", 90), ("50%", 50), ("0%", 0), ("100%", 100)])),
            "string_agg" => extra = Some(("\"+\"", 0)),
            "join" => {
                let node = N::Aggregate { name: "list", values, extra: None, query: Box::new(query) };
                let list = X::new(node, Kind::List);
                return X::new(N::Call("join", vec![list, X::new(N::Lit(V::text("|")), Kind::Text)]), Kind::Text);
            }
            _ => {}
        }
        X { node: N::Aggregate { name, values, extra, query: Box::new(query) }, kind, scale }
    }

    /// A list of values, or of records, in the order of its query.
    pub fn list(&mut self, scope: &[InScope], depth: u32) -> Option<X> {
        let table = self.table();
        let mut query = self.query(table, scope, depth);
        let mut inner = scope.to_vec();
        inner.push(InScope::of(&query));
        if self.chance.one_in(2) && !matches!(query.node, super::tree::F::Set { .. }) {
            let keys = self.keys(&inner, 0);
            let order = super::tree::F::Order(Box::new(query.clone()), keys);
            query = super::tree::Q { node: order, ..query };
        }
        let mut values = Vec::new();
        for _ in 0..1 + self.chance.below(3) {
            let kind = self.chance.pick(&[Kind::Int, Kind::Text, Kind::Decimal, Kind::Date, Kind::Bool]);
            values.extend(self.column(kind, &inner));
        }
        // A record has a name once.
        let mut names: Vec<String> = values.iter().map(X::text).collect();
        names.sort();
        names.dedup();
        let last = |text: &str| text.rsplit('.').next().unwrap_or_default().to_owned();
        let mut short: Vec<String> = names.iter().map(|name| last(name)).collect();
        short.sort();
        short.dedup();
        if values.is_empty() || short.len() < values.len() {
            return None;
        }
        Some(X::new(N::Aggregate { name: "list", values, extra: None, query: Box::new(query) }, Kind::List))
    }
}
