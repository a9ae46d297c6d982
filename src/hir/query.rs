//! Populations: queries that yield rows of an entity.

use super::visit::{Visitor, walk_expr, walk_query};
use super::{Column, EntityId, Expr, ExprKind, LocalId, RelationId, RowId, SegmentTy};
use crate::base::Span;
pub use crate::syntax::ast::SetOp;

/// A population.
#[derive(Clone, PartialEq, Debug)]
pub struct Query {
    pub kind: QueryKind,
    /// Its entity and added columns.
    pub ty: SegmentTy,
    pub span: Span,
}

/// Every form of population. A clause that looks at rows names the row it looks at, a row of its input.
#[derive(Clone, PartialEq, Debug)]
pub enum QueryKind {
    /// Reported already; yields nothing.
    Error,
    /// All rows of an entity.
    Entity(EntityId),
    /// A population bound earlier in the campaign: frozen.
    Local(LocalId),
    /// The rows that a `many` (or `one`) relation of an outer row leads to: a correlated query.
    Related {
        row: RowId,
        path: Vec<RelationId>,
    },
    /// Change of dimension: the distinct rows that `relation` of the input's rows leads to.
    Navigate {
        input: Box<Query>,
        relation: RelationId,
    },
    /// `audience "name" of E`
    Audience(String),
    /// Feedback of a send: `welcome.clicked`
    Feedback {
        delivery: LocalId,
        kind: FeedbackKind,
    },
    /// `P.unmatched`
    Unmatched(LocalId),
    /// `E.rejected`
    Rejected(EntityId),
    /// The rows collapsed into a row by `dedupe`: `group`.
    Group {
        row: RowId,
    },
    Where {
        input: Box<Query>,
        row: RowId,
        predicate: Expr,
    },
    With {
        input: Box<Query>,
        row: RowId,
        columns: Vec<(Column, Expr)>,
    },
    Dedupe {
        input: Box<Query>,
        row: RowId,
        by: Vec<Expr>,
        keep: u64,
        prefer: Vec<OrderKey>,
    },
    OrderBy {
        input: Box<Query>,
        row: RowId,
        keys: Vec<OrderKey>,
    },
    Limit {
        input: Box<Query>,
        row: RowId,
        amount: Amount,
        by: Vec<OrderKey>,
    },
    Sample {
        input: Box<Query>,
        amount: Amount,
        seed: Option<String>,
    },
    /// Reconcile: rows of `target` for pairs that satisfy `on`; `source` is the input's row, `row` the target's. The
    /// columns of the source row become added columns named after it: `leads.email`.
    Match {
        input: Box<Query>,
        source: RowId,
        target: EntityId,
        row: RowId,
        on: Expr,
    },
    New {
        input: Box<Query>,
        memory: Option<String>,
        row: RowId,
        by: Option<Expr>,
    },
    /// Set algebra by key, or by the columns `on`. A union has the added columns of both sides (the left side's value
    /// wins; null where a side has none), the others have those of the left side.
    SetOp {
        op: SetOp,
        left: Box<Query>,
        right: Box<Query>,
        on: Vec<String>,
    },
}

/// How many.
#[derive(Clone, PartialEq, Debug)]
pub enum Amount {
    /// An expression of type `int`.
    Rows(Expr),
    /// An expression of type `percent`.
    Share(Expr),
}

/// One key of an order; nulls last, enumerations in the order declared.
#[derive(Clone, PartialEq, Debug)]
pub struct OrderKey {
    pub value: Expr,
    pub descending: bool,
}

/// What became of a send's rows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedbackKind {
    Sent,
    Delivered,
    Opened,
    Clicked,
    Bounced,
    Failed,
    Excluded,
    Unsubscribed,
    Unknown,
}

impl FeedbackKind {
    /// Every kind.
    pub const ALL: [FeedbackKind; 9] = [
        FeedbackKind::Sent,
        FeedbackKind::Delivered,
        FeedbackKind::Opened,
        FeedbackKind::Clicked,
        FeedbackKind::Bounced,
        FeedbackKind::Failed,
        FeedbackKind::Excluded,
        FeedbackKind::Unsubscribed,
        FeedbackKind::Unknown,
    ];

    /// The word in scripts: `letter.opened`.
    pub const fn word(self) -> &'static str {
        match self {
            FeedbackKind::Sent => "sent",
            FeedbackKind::Delivered => "delivered",
            FeedbackKind::Opened => "opened",
            FeedbackKind::Clicked => "clicked",
            FeedbackKind::Bounced => "bounced",
            FeedbackKind::Failed => "failed",
            FeedbackKind::Excluded => "excluded",
            FeedbackKind::Unsubscribed => "unsubscribed",
            FeedbackKind::Unknown => "unknown",
        }
    }

    /// The kind with this word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// True for what happens at the other end, after the message was handed over.
    pub const fn comes_from_people(self) -> bool {
        use FeedbackKind::*;
        matches!(self, Delivered | Opened | Clicked | Bounced | Unsubscribed)
    }
}

impl Query {
    /// The population that this one is made from by a clause, the left one of a set operator.
    pub fn input(&self) -> Option<&Query> {
        match &self.kind {
            QueryKind::Where { input, .. }
            | QueryKind::With { input, .. }
            | QueryKind::Dedupe { input, .. }
            | QueryKind::OrderBy { input, .. }
            | QueryKind::Limit { input, .. }
            | QueryKind::Sample { input, .. }
            | QueryKind::Match { input, .. }
            | QueryKind::New { input, .. }
            | QueryKind::Navigate { input, .. }
            | QueryKind::SetOp { left: input, .. } => Some(input),
            _ => None,
        }
    }

    /// Whether anything in it depends on one of these rows. Of a wrong piece that is not known, so it counts.
    pub fn looks_at(&self, rows: &[RowId]) -> bool {
        let mut looking = LooksAt { rows, found: false };
        looking.query(self);
        looking.found
    }
}

struct LooksAt<'r> {
    rows: &'r [RowId],
    found: bool,
}

impl Visitor for LooksAt<'_> {
    fn expr(&mut self, expr: &Expr) {
        if let ExprKind::Column { row, .. } = &expr.kind {
            self.found |= self.rows.contains(row);
        }
        self.found |= expr.kind == ExprKind::Error;
        walk_expr(self, expr);
    }

    fn query(&mut self, query: &Query) {
        self.found |= query.kind == QueryKind::Error;
        if let QueryKind::Related { row, .. } | QueryKind::Group { row } = &query.kind {
            self.found |= self.rows.contains(row);
        }
        walk_query(self, query);
    }
}
