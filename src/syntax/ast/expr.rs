//! Expressions: values and populations share one grammar; the checker tells them apart.

use rust_decimal::Decimal;

use super::{Name, Text};
use crate::base::Span;

/// An expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Everything it covers.
    pub span: Span,
}

/// Every kind of expression.
#[derive(Clone, PartialEq, Debug)]
pub enum ExprKind {
    /// Text that could not be parsed; a problem was reported.
    Error,
    /// `42`, `"gold"`, `2d`, ...
    Literal(Literal),
    /// A name in scope: a field, a segment, an entity, a function before its arguments.
    Name(Name),
    /// `"Hi {first_name}"`
    Template(Template),
    /// `( ... )`, kept because it answers "which side does this clause belong to".
    Paren(Box<Expr>),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `audience "name" of customers`
    Audience { name: Text, entity: Name },
    /// `file "templates/welcome.html"`
    File(Text),
    /// `store.city`
    Field { base: Box<Expr>, field: Name },
    /// `count(orders)`
    Call { callee: Box<Expr>, args: Args },
    /// `not x`, `-x`
    Unary { op: UnaryOp, operand: Box<Expr> },
    /// `a and b`, `a = b`, `a + b`, `a ?? b`, `a like b`
    Binary { op: BinaryOp, op_span: Span, left: Box<Expr>, right: Box<Expr> },
    /// `x in y`; a literal list written `in ("a", "b")` is an [`ExprKind::List`] on the right.
    In { negated: bool, value: Box<Expr>, within: Box<Expr> },
    /// `x between a and b`, both ends included
    Between { negated: bool, value: Box<Expr>, low: Box<Expr>, high: Box<Expr> },
    /// `x is null`, `x is not empty`
    Is { negated: bool, value: Box<Expr>, test: IsTest },
    /// `if c then a else b`
    If { condition: Box<Expr>, then: Box<Expr>, otherwise: Box<Expr> },
    /// `200 per second`, `5_000 per 3h`
    Rate { amount: Box<Expr>, per: Box<Expr> },
    /// `customers where ...`: a clause after what it applies to
    Clause { input: Box<Expr>, clause: Box<Clause> },
    /// `a union b on (x, y)`
    SetOp { op: SetOp, op_span: Span, left: Box<Expr>, right: Box<Expr>, on: Vec<Name> },
}

/// A literal value.
#[derive(Clone, PartialEq, Debug)]
pub enum Literal {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// `10_000`
    Int(i64),
    /// `19.99`, exact
    Decimal(Decimal),
    /// `1e-3`
    Float(f64),
    /// `10%`, kept as the exact number it stands for: 0.10
    Percent(Decimal),
    /// `'plain'`, or `"..."` without interpolation
    Text(String),
    /// `1d12h`
    Duration(Duration),
    /// `2026-11-30`
    Date(jiff::civil::Date),
    /// `09:00`
    Time(jiff::civil::Time),
    /// `2026-11-30T09:00`: in the campaign's zone
    LocalTimestamp(jiff::civil::DateTime),
    /// `2026-11-30T09:00Z`, `...+01:00`
    Timestamp(jiff::Timestamp),
}

/// A length of time. Months and days are calendar units, seconds are exact.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Duration {
    /// `mo` and `y` (12).
    pub months: i64,
    /// `d` and `w` (7).
    pub days: i64,
    /// `h`, `min`, `s`.
    pub seconds: i64,
}

/// A string with holes.
#[derive(Clone, PartialEq, Debug)]
pub struct Template {
    /// In order; adjacent texts are merged.
    pub parts: Vec<TemplatePart>,
}

/// A piece of a template.
#[derive(Clone, PartialEq, Debug)]
pub enum TemplatePart {
    /// Characters.
    Text(Text),
    /// `{ expr }`; the expression's span lies inside the braces.
    Hole(Expr),
}

/// Arguments of a call.
#[derive(Clone, PartialEq, Debug)]
pub struct Args {
    /// How they were written.
    pub kind: ArgsKind,
    /// With the parentheses; empty and behind the callee when there are none.
    pub span: Span,
}

/// The forms of arguments; they never mix.
#[derive(Clone, PartialEq, Debug)]
pub enum ArgsKind {
    /// `(a, b)`; also `()` and, for statements, nothing at all.
    Positional(Vec<Expr>),
    /// `(x: 1, y: 2)`
    Named(Vec<NamedArg>),
    /// `(a, b of Q)`
    Of { values: Vec<Expr>, query: Box<Expr> },
}

/// `name: value`
#[derive(Clone, PartialEq, Debug)]
pub struct NamedArg {
    /// Before the colon.
    pub name: Name,
    /// After it.
    pub value: Expr,
}

/// Operators before one operand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UnaryOp {
    /// `not`
    Not,
    /// `-`
    Neg,
}

/// Operators between two operands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BinaryOp {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    /// `a like "x%"`
    Like,
    /// `a not like "x%"`
    NotLike,
    Add,
    Subtract,
    Multiply,
    Divide,
    /// `a ?? b`
    Coalesce,
}

/// What follows `is`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum IsTest {
    Null,
    Empty,
}

/// Set algebra.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SetOp {
    Union,
    Intersect,
    Except,
}

/// A clause and where its first word stands.
#[derive(Clone, PartialEq, Debug)]
pub struct Clause {
    /// What it does.
    pub kind: ClauseKind,
    /// From its first word to its end.
    pub span: Span,
}

/// Every clause of a population.
#[derive(Clone, PartialEq, Debug)]
pub enum ClauseKind {
    /// `where P`
    Where(Expr),
    /// `with a = X, b = Y`
    With(Vec<Binding>),
    /// `dedupe by K, L keep 2 prefer X desc`
    Dedupe { by: Vec<Expr>, keep: Option<Expr>, prefer: Vec<OrderKey> },
    /// `order by X desc, Y`
    OrderBy(Vec<OrderKey>),
    /// `limit 10_000 by total desc`, `limit 10%`
    Limit { amount: Expr, by: Vec<OrderKey> },
    /// `sample 10% seed "s"`
    Sample { amount: Expr, seed: Option<Text> },
    /// `match E on P`
    Match { entity: Name, on: Expr },
    /// `new "memory" by FIELD`
    New { memory: Option<Text>, by: Option<Expr> },
}

/// `name = value`
#[derive(Clone, PartialEq, Debug)]
pub struct Binding {
    /// Before `=`.
    pub name: Name,
    /// After it.
    pub value: Expr,
}

/// One key of an order.
#[derive(Clone, PartialEq, Debug)]
pub struct OrderKey {
    /// What to order by.
    pub value: Expr,
    /// `desc`
    pub descending: bool,
}

/// `{ name: value, ... }` or `( name: value, ... )`: options and fixture rows.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// In order.
    pub items: Vec<RecordItem>,
    /// With the brackets.
    pub span: Span,
}

/// `name: value`
#[derive(Clone, PartialEq, Debug)]
pub struct RecordItem {
    /// `##` comments above it.
    pub doc: Option<super::Doc>,
    /// Before the colon.
    pub name: Name,
    /// After it.
    pub value: RecordValue,
}

/// What may stand after the colon.
#[derive(Clone, PartialEq, Debug)]
pub enum RecordValue {
    /// Anything else.
    Expr(Expr),
    /// `09:00 local`
    LocalTime(Expr),
    /// `09:00 to 12:00 local`
    Window(Box<Window>),
}

/// `09:00 to 12:00 local`, `21:00 to 08:00 in "Europe/Paris"`
#[derive(Clone, PartialEq, Debug)]
pub struct Window {
    pub from: Expr,
    pub to: Expr,
    pub zone: WindowZone,
    pub span: Span,
}

/// Whose clock a window follows.
#[derive(Clone, PartialEq, Debug)]
pub enum WindowZone {
    /// Nothing was written: the campaign's.
    Campaign,
    /// `local`: the person's.
    Local,
    /// `in "Europe/Paris"`
    Named(Expr),
}
