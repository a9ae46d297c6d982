//! Typed expressions over rows.

use rust_decimal::Decimal;

use super::{FieldId, LocalId, Query, RelationId, Ty};
use crate::base::Span;
pub use crate::syntax::ast::{BinaryOp, Duration};

/// A typed expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    pub kind: ExprKind,
    pub ty: Ty,
    pub span: Span,
}

/// Names the current row of a clause. Unique within a program, so that nested queries can reach outer rows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RowId(pub u32);

impl RowId {
    /// The row in a rule that belongs to a declaration: consent, person, a message's placeholders.
    pub const DECLARED: RowId = RowId(0);
}

/// A constant. A weekday is an [`Value::Int`] from 1 (Monday) to 7; a percent is the [`Value::Decimal`] it stands for;
/// topics, enumerations and all kinds of text are [`Value::Text`].
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Decimal(Decimal),
    /// A decimal that was computed and has more digits than a [`Value::Decimal`] can have.
    LongDecimal(LongDecimal),
    Float(f64),
    Text(String),
    Duration(Duration),
    Date(jiff::civil::Date),
    Time(jiff::civil::Time),
    Timestamp(jiff::Timestamp),
    List(Vec<Value>),
}

/// A decimal of up to 38 digits: `units / 10^scale`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct LongDecimal {
    pub units: i128,
    /// At most 38.
    pub scale: u8,
}

/// Every kind of expression.
#[derive(Clone, PartialEq, Debug)]
pub enum ExprKind {
    /// Reported already.
    Error,
    Literal(Value),
    /// A civil timestamp literal, which becomes an instant in the campaign's zone.
    LocalTimestamp(jiff::civil::DateTime),
    /// A column of a row, reached through `one` relations: `store.city` is path `[store]`, column `city`.
    Column {
        row: RowId,
        path: Vec<RelationId>,
        column: ColumnRef,
    },
    /// A `let`, a parameter, a loop variable or a signal's field.
    Local(LocalId),
    /// Text with values put in.
    Template(Vec<TemplatePart>),
    List(Vec<Expr>),
    Not(Box<Expr>),
    Neg(Box<Expr>),
    /// All of [`BinaryOp`]; for `and` and `or` three-valued logic holds. Numeric operands may differ in type; the
    /// result's type says what they widen to.
    Binary {
        op: BinaryOp,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// `x in (a, b)`. An item of a list type (`country in countries`) stands for its elements.
    In {
        negated: bool,
        value: Box<Expr>,
        items: Vec<Expr>,
    },
    /// `key in segment`, `email in blocked.address`: membership in a column of a population. `column` looks at `row`, a
    /// row of `query`. Nulls of the column are no members: `not in` is null only where `value` is.
    InQuery {
        negated: bool,
        value: Box<Expr>,
        query: Box<Query>,
        row: RowId,
        column: Box<Expr>,
    },
    Between {
        negated: bool,
        value: Box<Expr>,
        low: Box<Expr>,
        high: Box<Expr>,
    },
    IsNull {
        negated: bool,
        value: Box<Expr>,
    },
    /// Null or empty text, or an empty list.
    IsEmpty {
        negated: bool,
        value: Box<Expr>,
    },
    If {
        condition: Box<Expr>,
        then: Box<Expr>,
        otherwise: Box<Expr>,
    },
    /// A native of the standard library by its registered name, with positional arguments, defaults filled in. An
    /// argument may be of a type that widens to the declared one (an `int` for a `decimal`, an `email` for a `text`).
    Call {
        native: String,
        args: Vec<Expr>,
    },
    /// `exists(Q)`
    Exists(Box<Query>),
    /// `count(Q)`, `sum(X of Q)`, ...
    Aggregate(Box<Aggregate>),
    /// An instant relative to now: `ago(90d)`; a date or a timestamp by its type.
    Ago(Box<Expr>),
    /// `now()` as an instant, `today()` as a date, by type.
    Now,
    /// `[200] per [second]`
    Rate {
        amount: Box<Expr>,
        per: Box<Expr>,
    },
}

/// Which column.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ColumnRef {
    /// A declared field of the entity at the end of the path.
    Field(FieldId),
    /// An added column of the population, by name. The path is empty.
    Added(String),
}

/// A piece of text.
#[derive(Clone, PartialEq, Debug)]
pub enum TemplatePart {
    Text(String),
    Hole(Expr),
}

/// An aggregate over a query.
#[derive(Clone, PartialEq, Debug)]
pub struct Aggregate {
    pub function: AggregateFn,
    /// What is aggregated, over the query's result row `row`; empty for `count(Q)`, several only for `list`.
    pub values: Vec<(String, Expr)>,
    pub row: RowId,
    pub query: Query,
    /// Further arguments: the separator of `string_agg`, the share of `percentile`.
    pub args: Vec<Expr>,
}

/// Aggregate functions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AggregateFn {
    Count,
    CountDistinct,
    Sum,
    Avg,
    Min,
    Max,
    /// Of the first row in the query's order.
    First,
    /// All rows in the query's order.
    List,
    StringAgg,
    StdDev,
    Median,
    Percentile,
}
