//! Declarations.

use super::{Block, Expr, Name, Record, Stmt, Text, Window};
use crate::base::Span;

/// `use "schema.orch"`, `use std.rfm as rfm`
#[derive(Clone, PartialEq, Debug)]
pub struct Use {
    pub target: UseTarget,
    pub alias: Option<Name>,
}

/// What is used.
#[derive(Clone, PartialEq, Debug)]
pub enum UseTarget {
    /// A file of the project, relative to the file that says so.
    File(Text),
    /// A dotted module of the standard library.
    Module(Vec<Name>),
}

/// A source: `"data/x.csv"` or `crm.contracts`, with `(options)` behind.
#[derive(Clone, PartialEq, Debug)]
pub struct SourceRef {
    pub location: SourceLocation,
    pub options: Option<Record>,
    pub span: Span,
}

/// Where rows come from.
#[derive(Clone, PartialEq, Debug)]
pub enum SourceLocation {
    Path(Text),
    Dotted(Vec<Name>),
}

/// `entity NAME [from SOURCE] [{ ... }]`
#[derive(Clone, PartialEq, Debug)]
pub struct Entity {
    pub name: Name,
    pub source: Option<SourceRef>,
    /// `None`: the schema is read from the data.
    pub items: Option<Vec<EntityItem>>,
}

/// A line of an entity, and `##` comments above it.
#[derive(Clone, PartialEq, Debug)]
pub struct EntityItem {
    pub doc: Option<super::Doc>,
    pub kind: EntityItemKind,
    pub span: Span,
}

/// What an entity's line declares.
#[derive(Clone, PartialEq, Debug)]
pub enum EntityItemKind {
    /// `id: int key`, `zone: timezone = "Europe/Paris"`
    Field { name: Name, ty: TypeExpr, key: bool, default: Option<Expr> },
    /// `orders: many orders by customer_id`, `store: one stores by (country, store_no)`
    Relation { name: Name, many: bool, entity: Name, by: Vec<Name> },
    /// `consent email = opt_in`
    Consent { channel: Name, rule: Expr },
    /// `person = lower(email)`
    Person { rule: Expr },
    /// Could not be parsed.
    Error,
}

/// A type as written.
#[derive(Clone, PartialEq, Debug)]
pub struct TypeExpr {
    pub kind: TypeExprKind,
    /// `?`
    pub nullable: bool,
    pub span: Span,
}

/// The forms of types.
#[derive(Clone, PartialEq, Debug)]
pub enum TypeExprKind {
    Error,
    /// `int`, `email`, ...; `list of wishlist_items` names an entity.
    Name(Name),
    /// `"a" | "b"`
    Enumeration(Vec<Text>),
    /// `list of T`
    List(Box<TypeExpr>),
    /// `segment of E with { f: T }`
    Segment {
        entity: Name,
        with: Vec<FieldType>,
    },
    /// `one E`, `many E`
    Relation {
        many: bool,
        entity: Name,
    },
    /// `message for C`
    Message {
        channel: Name,
    },
    /// `delivery of E`
    Delivery {
        entity: Name,
    },
}

/// `name: type`
#[derive(Clone, PartialEq, Debug)]
pub struct FieldType {
    pub name: Name,
    pub ty: TypeExpr,
}

/// `topic NAME "title" (options)`
#[derive(Clone, PartialEq, Debug)]
pub struct Topic {
    pub name: Name,
    pub title: Option<Text>,
    pub options: Option<Record>,
}

/// `channel whatsapp { address: phone; body: text }`
#[derive(Clone, PartialEq, Debug)]
pub struct Channel {
    pub name: Name,
    pub fields: Vec<FieldType>,
}

/// `message CHANNEL NAME[(params)] [of E] [with { f: T }] { field: value }`
#[derive(Clone, PartialEq, Debug)]
pub struct Message {
    pub channel: Name,
    pub name: Name,
    pub params: Vec<Param>,
    pub entity: Option<Name>,
    pub with: Vec<FieldType>,
    pub body: Record,
}

/// A parameter: `name: type = default`
#[derive(Clone, PartialEq, Debug)]
pub struct Param {
    pub name: Name,
    pub ty: TypeExpr,
    pub default: Option<Expr>,
}

/// `policy NAME [extends NAME] { ... }`
#[derive(Clone, PartialEq, Debug)]
pub struct Policy {
    pub name: Name,
    pub extends: Option<Name>,
    pub rules: Vec<PolicyRule>,
}

/// A line of a policy.
#[derive(Clone, PartialEq, Debug)]
pub struct PolicyRule {
    pub kind: PolicyRuleKind,
    pub span: Span,
}

/// What a policy's line says. A channel may be `any`.
#[derive(Clone, PartialEq, Debug)]
pub enum PolicyRuleKind {
    /// `cap email 3 per 7d`
    Cap { channel: Name, rate: Expr },
    /// `quiet sms 21:00 to 08:00 local drop`
    Quiet { channel: Name, window: Window, drop: bool },
    /// `window email 09:00 to 12:00 local`
    Window { channel: Name, window: Window },
    /// `holdout 5% seed "2026"`
    Holdout { share: Expr, seed: Option<Text> },
    /// Could not be parsed.
    Error,
}

/// `signal stock_in(sku: text, quantity: int)`, or inside a test `signal stock_in(sku: "a")`.
#[derive(Clone, PartialEq, Debug)]
pub struct Signal {
    pub name: Name,
    pub params: SignalParams,
}

/// Parameters of a declaration or arguments of an arrival; told apart by their form.
#[derive(Clone, PartialEq, Debug)]
pub enum SignalParams {
    Declared(Vec<Param>),
    Given(super::Args),
}

/// `define NAME[(params)] [of E] [: T] = X`, or with a block.
#[derive(Clone, PartialEq, Debug)]
pub struct Define {
    pub name: Name,
    pub params: Vec<Param>,
    pub entity: Option<Name>,
    pub ty: Option<TypeExpr>,
    pub body: DefineBody,
}

/// What a definition stands for.
#[derive(Clone, PartialEq, Debug)]
pub enum DefineBody {
    Expr(Expr),
    Block(Block),
    /// `builtin "name"`: the standard library's natives.
    Builtin(Text),
}

/// `campaign NAME[(params)] header... { ... }`
#[derive(Clone, PartialEq, Debug)]
pub struct Campaign {
    pub name: Name,
    pub params: Vec<Param>,
    /// In the order written; repetitions are the checker's business.
    pub header: Vec<HeaderPart>,
    pub body: Block,
}

/// A part of a campaign's header.
#[derive(Clone, PartialEq, Debug)]
pub struct HeaderPart {
    pub kind: HeaderPartKind,
    pub span: Span,
}

/// Everything a header may say.
#[derive(Clone, PartialEq, Debug)]
pub enum HeaderPartKind {
    /// `every ... [at TIME, TIME]`
    Every { unit: EveryUnit, at: Vec<Expr> },
    /// `cron "0 9 * * 1-5"`
    Cron(Text),
    /// `in "Europe/Paris"`
    Zone(Expr),
    /// `from 2026-12-01`
    From(Expr),
    /// `until 2027-02-28`
    Until(Expr),
    /// `on signal stock_in`
    OnSignal(Name),
    /// `overlap skip`, `overlap queue by sku`
    Overlap { mode: Name, by: Option<Name> },
    /// `on error pause`
    OnError(Name),
}

/// What follows `every`.
#[derive(Clone, PartialEq, Debug)]
pub enum EveryUnit {
    /// `every 15min`, `every 2w on monday`
    Interval { length: Expr, on: Vec<Name> },
    /// `every day`, `every weekday`, `every monday, thursday`
    Days(Vec<Name>),
    /// `every month on day 1`
    MonthDay(Expr),
    /// `every month on last friday`, `every month on first monday`
    MonthWeekday { which: Name, day: Name },
}

/// `test "..." { ... }`
#[derive(Clone, PartialEq, Debug)]
pub struct Test {
    pub title: Text,
    pub body: Vec<Stmt>,
}
