//! Questions as trees of the test's own, and how they are written in the language.

use super::value::V;

/// What a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Bool,
    Int,
    Decimal,
    Float,
    Text,
    Tier,
    Date,
    Time,
    Stamp,
    Json,
    List,
}

/// An expression with its type. The scale counts for decimals only.
#[derive(Clone, Debug)]
pub struct X {
    pub node: N,
    pub kind: Kind,
    pub scale: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    And,
    Or,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Like,
    NotLike,
    Or0,
    Add,
    Sub,
    Mul,
    Div,
}

impl Op {
    pub fn sign(self) -> &'static str {
        match self {
            Op::And => "and",
            Op::Or => "or",
            Op::Eq => "=",
            Op::Ne => "!=",
            Op::Lt => "<",
            Op::Le => "<=",
            Op::Gt => ">",
            Op::Ge => ">=",
            Op::Like => "like",
            Op::NotLike => "not like",
            Op::Or0 => "??",
            Op::Add => "+",
            Op::Sub => "-",
            Op::Mul => "*",
            Op::Div => "/",
        }
    }
}

/// A length of time: months, days, seconds, and how it is written.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Length {
    pub months: i32,
    pub days: i32,
    pub seconds: i64,
    pub text: &'static str,
}

#[derive(Clone, Debug)]
pub enum N {
    Lit(V),
    /// A number written as a share, in thousandths, and its value.
    Percent(i64, V),
    /// A column of the row at a place of the scope, along `one` relations.
    Col {
        at: usize,
        path: Vec<usize>,
        name: String,
        text: String,
    },
    /// A `let`.
    Let(usize),
    /// A parameter of the definition that is being written.
    Param(usize),
    Not(Box<X>),
    Neg(Box<X>),
    Bin(Op, Box<X>, Box<X>),
    In {
        not: bool,
        value: Box<X>,
        items: Vec<X>,
    },
    InQuery {
        not: bool,
        value: Box<X>,
        query: Box<Q>,
        column: String,
    },
    Between {
        not: bool,
        value: Box<X>,
        low: Box<X>,
        high: Box<X>,
    },
    IsNull {
        not: bool,
        value: Box<X>,
    },
    IsEmpty {
        not: bool,
        value: Box<X>,
    },
    If(Box<X>, Box<X>, Box<X>),
    Call(&'static str, Vec<X>),
    Exists(Box<Q>),
    Aggregate {
        name: &'static str,
        values: Vec<X>,
        extra: Option<(&'static str, i128)>,
        query: Box<Q>,
    },
    /// A definition on a row.
    Use {
        define: usize,
        args: Vec<X>,
        at: usize,
        path: Vec<usize>,
        text: String,
    },
    /// Text with holes.
    Template(Vec<Piece>),
    /// A date or an instant and a length of time, later or earlier.
    Shift(Box<X>, Length, bool),
    Ago(Length),
    Today,
    Now,
}

#[derive(Clone, Debug)]
pub enum Piece {
    Text(&'static str),
    Hole(X),
}

/// A population.
#[derive(Clone, Debug)]
pub struct Q {
    pub node: F,
    pub table: usize,
    pub with: Vec<Added>,
    /// After `dedupe`: the columns of the collapsed rows.
    pub grouped: Option<Vec<Added>>,
    /// What names its rows in inner clauses.
    pub name: String,
    pub matched: bool,
}

/// An added column.
#[derive(Clone, PartialEq, Debug)]
pub struct Added {
    pub name: String,
    pub kind: Kind,
    pub scale: u8,
}

#[derive(Clone, Debug)]
pub struct Key {
    pub value: X,
    pub down: bool,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Amount {
    Rows(i64),
    /// Hundredths.
    Share(i64),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SetOp {
    Union,
    Intersect,
    Except,
}

#[derive(Clone, Debug)]
pub enum F {
    Table,
    Frozen(usize),
    Related { at: usize, path: Vec<usize>, text: String },
    Group { at: usize, text: String },
    Step(Box<Q>, usize),
    Where(Box<Q>, X),
    With(Box<Q>, Vec<(String, X)>),
    Dedupe { input: Box<Q>, by: Vec<X>, keep: usize, prefer: Vec<Key> },
    Order(Box<Q>, Vec<Key>),
    Limit { input: Box<Q>, amount: Amount, by: Vec<Key> },
    Sample { input: Box<Q>, amount: Amount, seed: Option<&'static str> },
    Match { input: Box<Q>, on: X },
    Set { op: SetOp, left: Box<Q>, right: Box<Q>, on: Vec<String> },
}

/// A definition over the rows of a table.
#[derive(Clone, Debug)]
pub struct Define {
    pub name: String,
    pub table: usize,
    pub params: Vec<Kind>,
    pub body: X,
}

impl X {
    pub fn new(node: N, kind: Kind) -> Self {
        Self { node, kind, scale: 0 }
    }

    /// Whether it depends on nothing.
    pub fn is_constant(&self) -> bool {
        match &self.node {
            N::Lit(_) | N::Percent(..) | N::Let(_) | N::Today | N::Now => true,
            N::Not(x) | N::Neg(x) | N::IsNull { value: x, .. } | N::IsEmpty { value: x, .. } | N::Shift(x, ..) => {
                x.is_constant()
            }
            N::Bin(_, left, right) => left.is_constant() && right.is_constant(),
            N::In { value, items, .. } => value.is_constant() && items.iter().all(X::is_constant),
            N::Between { value, low, high, .. } => [value, low, high].iter().all(|x| x.is_constant()),
            N::If(condition, then, other) => [condition, then, other].iter().all(|x| x.is_constant()),
            N::Call(_, args) => args.iter().all(X::is_constant),
            _ => false,
        }
    }

    fn boxed(&self) -> String {
        match self.node {
            N::Lit(V::Int(0..)) | N::Lit(V::Text(_)) | N::Col { .. } | N::Call(..) | N::Let(_) | N::Param(_) => {
                self.text()
            }
            _ => format!("({})", self.text()),
        }
    }

    /// As it is written.
    pub fn text(&self) -> String {
        let not = |not: &bool| if *not { "not " } else { "" };
        let list = |items: &[X]| items.iter().map(X::text).collect::<Vec<_>>().join(", ");
        match &self.node {
            N::Lit(value) => value.written(),
            N::Percent(thousandths, _) => format!("{}.{}%", thousandths / 10, thousandths % 10),
            N::Col { text, .. } => text.clone(),
            N::Let(at) => format!("let_{at}"),
            N::Param(at) => format!("p{at}"),
            N::Not(value) => format!("not {}", value.boxed()),
            N::Neg(value) => format!("-{}", value.boxed()),
            N::Bin(op, left, right) => format!("{} {} {}", left.boxed(), op.sign(), right.boxed()),
            N::In { not: n, value, items } => format!("{} {}in ({})", value.boxed(), not(n), list(items)),
            N::InQuery { not: n, value, query, column } => {
                format!("{} {}in ({}).{column}", value.boxed(), not(n), query.text())
            }
            N::Between { not: n, value, low, high } => {
                format!("{} {}between {} and {}", value.boxed(), not(n), low.boxed(), high.boxed())
            }
            N::IsNull { not: n, value } => format!("{} is {}null", value.boxed(), not(n)),
            N::IsEmpty { not: n, value } => format!("{} is {}empty", value.boxed(), not(n)),
            N::If(condition, then, other) => {
                format!("if {} then {} else {}", condition.boxed(), then.boxed(), other.boxed())
            }
            N::Call(name, args) => format!("{name}({})", list(args)),
            N::Exists(query) => format!("exists({})", query.text()),
            N::Aggregate { name, values, extra, query } => {
                let mut given: Vec<String> = values.iter().map(X::boxed).collect();
                given.extend(extra.iter().map(|(text, _)| (*text).to_owned()));
                match given.is_empty() {
                    true => format!("{name}({})", query.text()),
                    false => format!("{name}({} of {})", given.join(", "), query.text()),
                }
            }
            N::Use { args, text, .. } if args.is_empty() => text.clone(),
            N::Use { args, text, .. } => format!("{text}({})", list(args)),
            N::Template(pieces) => {
                let piece = |piece: &Piece| match piece {
                    Piece::Text(text) => (*text).to_owned(),
                    Piece::Hole(value) => format!("{{{}}}", value.text()),
                };
                format!("\"{}\"", pieces.iter().map(piece).collect::<String>())
            }
            N::Shift(value, length, later) => {
                format!("{} {} {}", value.boxed(), if *later { "+" } else { "-" }, length.text)
            }
            N::Ago(length) => format!("ago({})", length.text),
            N::Today => "today()".to_owned(),
            N::Now => "now()".to_owned(),
        }
    }
}

impl Amount {
    fn text(self) -> String {
        match self {
            Amount::Rows(rows) => rows.to_string(),
            Amount::Share(hundredths) => format!("{hundredths}%"),
        }
    }
}

fn keys(keys: &[Key]) -> String {
    let key = |key: &Key| format!("{}{}", key.value.boxed(), if key.down { " desc" } else { "" });
    keys.iter().map(key).collect::<Vec<_>>().join(", ")
}

impl Q {
    pub fn boxed(&self) -> String {
        match &self.node {
            F::Table | F::Frozen(_) | F::Group { .. } => self.text(),
            _ => format!("({})", self.text()),
        }
    }

    /// What a clause stands behind: clauses follow one another without parentheses.
    fn before(&self) -> String {
        match &self.node {
            F::Set { .. } | F::Step(..) => self.boxed(),
            _ => self.text(),
        }
    }

    /// As it is written.
    pub fn text(&self) -> String {
        match &self.node {
            F::Table => super::data::TABLES[self.table].name.to_owned(),
            F::Frozen(at) => format!("frozen_{at}"),
            F::Related { text, .. } | F::Group { text, .. } => text.clone(),
            F::Step(input, relation) => {
                format!("({}).{}", input.text(), super::data::TABLES[input.table].relations[*relation].name)
            }
            F::Where(input, predicate) => format!("{} where {}", input.before(), predicate.text()),
            F::With(input, columns) => {
                let column = |(name, value): &(String, X)| format!("{name} = {}", value.boxed());
                let columns: Vec<String> = columns.iter().map(column).collect();
                format!("{} with {}", input.before(), columns.join(", "))
            }
            F::Dedupe { input, by, keep, prefer } => {
                let by: Vec<String> = by.iter().map(X::boxed).collect();
                let keep = if *keep == 1 { String::new() } else { format!(" keep {keep}") };
                let prefer = if prefer.is_empty() { String::new() } else { format!(" prefer {}", keys(prefer)) };
                format!("{} dedupe by {}{keep}{prefer}", input.before(), by.join(", "))
            }
            F::Order(input, by) => format!("{} order by {}", input.before(), keys(by)),
            F::Limit { input, amount, by } if by.is_empty() => format!("{} limit {}", input.before(), amount.text()),
            F::Limit { input, amount, by } => {
                format!("{} limit {} by {}", input.before(), amount.text(), keys(by))
            }
            F::Sample { input, amount, seed } => {
                let seed = seed.map_or_else(String::new, |seed| format!(" seed \"{seed}\""));
                format!("{} sample {}{seed}", input.before(), amount.text())
            }
            F::Match { input, on } => {
                format!("{} match {} on {}", input.before(), super::data::TABLES[self.table].name, on.boxed())
            }
            F::Set { op, left, right, on } => {
                let word = match op {
                    SetOp::Union => "union",
                    SetOp::Intersect => "intersect",
                    SetOp::Except => "except",
                };
                let on = match on.as_slice() {
                    [] => String::new(),
                    [one] => format!(" on {one}"),
                    several => format!(" on ({})", several.join(", ")),
                };
                format!("{} {word} {}{on}", left.boxed(), right.boxed())
            }
        }
    }
}
