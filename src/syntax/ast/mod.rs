//! What was written: sugar intact, a span on every node, error nodes where text could not be understood.
//!
//! Everything at the top level of a file and in a block is a [`Stmt`]; which kinds may stand where is decided by
//! name resolution, so that a misplaced statement gets a clear message instead of a syntax error.

mod decl;
mod expr;
mod flow;

pub use decl::*;
pub use expr::*;
pub use flow::*;

use crate::base::Span;

/// A name as written, without backquotes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Name {
    /// The text.
    pub text: String,
    /// With the backquotes, if there were any.
    pub span: Span,
}

/// A string without interpolation, escapes resolved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Text {
    /// The characters it stands for.
    pub value: String,
    /// With the quotes.
    pub span: Span,
}

/// The lines of `##` comments above a declaration, without the marks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Doc {
    /// Joined by newlines.
    pub text: String,
    /// First to last line.
    pub span: Span,
}

/// A whole file.
#[derive(Clone, PartialEq, Debug)]
pub struct File {
    /// In order.
    pub stmts: Vec<Stmt>,
    /// The whole text.
    pub span: Span,
    /// What could not be understood.
    pub gaps: Gaps,
}

/// What could not be understood in a file: whatever else seems wrong with it is an echo of that.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Gaps {
    /// Names in what was given up: they may be declared there.
    pub names: Vec<String>,
    /// Statements with mistakes of form.
    pub broken: Vec<Broken>,
}

/// A statement with a mistake of form.
#[derive(Clone, PartialEq, Debug)]
pub struct Broken {
    /// The statement, without the steps in its braces.
    pub span: Span,
    /// The name that it declares, as far as it is known.
    pub name: Option<String>,
    /// It may declare a name that is nowhere to be seen.
    pub nameless: bool,
}

/// `{ ... }`.
#[derive(Clone, PartialEq, Debug)]
pub struct Block {
    /// In order.
    pub stmts: Vec<Stmt>,
    /// With the braces.
    pub span: Span,
}

/// A declaration or a flow statement.
#[derive(Clone, PartialEq, Debug)]
pub struct Stmt {
    /// `##` comments above it.
    pub doc: Option<Doc>,
    /// What it is.
    pub kind: StmtKind,
    /// From its first to its last token, without the doc comment.
    pub span: Span,
}

/// Every kind of statement.
#[derive(Clone, PartialEq, Debug)]
pub enum StmtKind {
    /// Text that could not be parsed; a problem was reported.
    Error,
    /// `use "x.orch"`, `use std.rfm as rfm`
    Use(Use),
    /// `entity customers from "..." { ... }`
    Entity(Entity),
    /// `topic news "Weekly news" (consent: opt_in)`
    Topic(Topic),
    /// `channel whatsapp { ... }`
    Channel(Channel),
    /// `message email welcome of customers { ... }`
    Message(Box<Message>),
    /// `policy marketing { ... }`
    Policy(Policy),
    /// `signal stock_in(sku: text)`; inside a test: a signal that arrives
    Signal(Signal),
    /// `define active(window: duration) of customers = ...`
    Define(Box<Define>),
    /// `campaign weekly every monday ... { ... }`
    Campaign(Campaign),
    /// `param country: text = "FR"`
    Param(Param),
    /// `test "..." { ... }`
    Test(Test),
    /// `segment vip = ...`
    Segment { name: Name, query: Expr },
    /// `let x = ...`
    Let { name: Name, ty: Option<TypeExpr>, value: Expr },
    /// `split S into { ... }`
    Split(Split),
    /// every `wait`
    Wait(Box<Wait>),
    /// `send email welcome to vip`
    Send(Box<Send>),
    /// `if C { } else if C { } else { }`
    If(If),
    /// `parallel { branch "a" { } }`
    Parallel(Vec<Branch>),
    /// `repeat 5 times every 7d until C { }`
    Repeat(Box<Repeat>),
    /// `for c in ["FR", "DE"] { }`
    For { name: Name, list: Expr, body: Block },
    /// `approve "text" by "role" within 24h else { }`
    Approve(Box<HumanStep>),
    /// `task "text" for "role" within 3d else { }`
    Task(Box<HumanStep>),
    /// `alert "text" to ops`
    Alert { text: Expr, to: Name },
    /// `emit stock_in(sku: "a")`
    Emit { signal: Name, args: Args },
    /// `log "text"`
    Log { text: Expr },
    /// `require C else "reason"`
    Require { condition: Expr, reason: Option<Expr> },
    /// `stop "reason"`
    Stop { reason: Option<Expr> },
    /// `fail "reason"`
    Fail { reason: Option<Expr> },
    /// `save S as audience "name"`
    Save { segment: Expr, audience: Expr },
    /// `export S to "file" { ... }`
    Export { segment: Expr, to: Expr, options: Option<Record> },
    /// `update S set f = X`
    Update { segment: Expr, set: Vec<Binding> },
    /// `upsert S into E on P set f = X`
    Upsert { segment: Expr, entity: Name, on: Expr, set: Vec<Binding> },
    /// `insert S into E set f = X`
    Insert { segment: Expr, entity: Name, set: Vec<Binding> },
    /// `delete S`
    Delete { segment: Expr },
    /// `subscribe S to topic`
    Subscribe { segment: Expr, topic: Expr },
    /// `unsubscribe S from topic`
    Unsubscribe { segment: Expr, topic: Expr },
    /// `do remind(vip, welcome, 3d)`
    Do { procedure: Expr, args: Args },
    /// `given customers [ ... ]`, in tests
    Given { entity: Name, rows: Vec<Record>, span: Span },
    /// `at 2026-03-28T09:00`, in tests
    At { moment: Expr },
    /// `run vip_offer(country: "FR")`, in tests
    Run { campaign: Name, args: Args },
    /// `advance 2d`, in tests
    Advance { duration: Expr },
    /// `feedback opened for 1`, in tests
    Feedback { kind: Name, delivery: Option<Name>, rows: Expr },
    /// `decide yes`, in tests
    Decide { answer: Name, step: Option<Expr> },
    /// `expect count(sent(email)) = 1`, in tests
    Expect { condition: Expr },
}
