//! Flow statements that need more than a few fields.

use super::{Block, Clause, Expr, Name, Record, Text};
use crate::base::Span;

/// `split S [overlapping] into { ... } [seed "s"]`
#[derive(Clone, PartialEq, Debug)]
pub struct Split {
    pub segment: Expr,
    pub overlapping: bool,
    pub arms: Vec<Arm>,
    pub seed: Option<Text>,
}

/// `name: where P limit 500 by X desc`, `name: 10%`, `name: otherwise`
#[derive(Clone, PartialEq, Debug)]
pub struct Arm {
    pub name: Name,
    pub kind: ArmKind,
    pub span: Span,
}

/// Which rows an arm takes.
#[derive(Clone, PartialEq, Debug)]
pub enum ArmKind {
    /// One or more of `where`, `order by`, `limit`, `sample`.
    Clauses(Vec<Clause>),
    /// A percentage.
    Share(Expr),
    /// What is left.
    Otherwise,
    /// Could not be parsed.
    Error,
}

/// A wait.
#[derive(Clone, PartialEq, Debug)]
pub struct Wait {
    pub kind: WaitKind,
    /// `within 3d`
    pub within: Option<Expr>,
    /// `else { ... }`
    pub otherwise: Option<Block>,
}

/// What is waited for.
#[derive(Clone, PartialEq, Debug)]
pub enum WaitKind {
    /// `wait 2d`
    Duration(Expr),
    /// `wait until T`, `wait until COND`: the checker tells them apart by type.
    Until(Expr),
    /// `wait until monday at 09:00`
    UntilWeekday { day: Name, at: Option<Expr> },
    /// `wait for signal NAME as s where P`
    Signal { signal: Name, alias: Option<Name>, filter: Option<Expr> },
}

/// `send CHANNEL [MESSAGE] to SEGMENT [{ options }] [as NAME]`
#[derive(Clone, PartialEq, Debug)]
pub struct Send {
    pub channel: Name,
    /// A name, a dotted name or a call.
    pub message: Option<Expr>,
    pub to: Expr,
    pub options: Option<Record>,
    pub alias: Option<Name>,
}

/// `if C { } else if C { } else { }`
#[derive(Clone, PartialEq, Debug)]
pub struct If {
    pub arms: Vec<(Expr, Block)>,
    pub otherwise: Option<Block>,
}

/// `branch "a" { ... }`
#[derive(Clone, PartialEq, Debug)]
pub struct Branch {
    pub name: Text,
    pub body: Block,
    pub span: Span,
}

/// `repeat N times [every D] [until C] { ... }`
#[derive(Clone, PartialEq, Debug)]
pub struct Repeat {
    pub times: Expr,
    pub every: Option<Expr>,
    pub until: Option<Expr>,
    pub body: Block,
}

/// `approve "text" by "role" within 24h else { }`, `task "text" for "role" ...`
#[derive(Clone, PartialEq, Debug)]
pub struct HumanStep {
    pub text: Expr,
    pub role: Option<Expr>,
    pub within: Option<Expr>,
    pub otherwise: Option<Block>,
}
