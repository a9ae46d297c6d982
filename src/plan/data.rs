//! Statements that write data or tell people about a run: what they need to be performed.

use crate::hir::{EntityId, Expr, ExprKind, Query, QueryKind, RowId, SegmentTy, StmtKind, Ty, TyKind, Value};

/// A statement about data.
#[derive(Clone, Debug)]
pub enum DataStep {
    /// Keep a population under a name.
    Save { query: Query, audience: Expr },
    /// Write a population to a file.
    Export { query: Query, to: Expr, options: Vec<(String, Value)> },
    /// Change fields of rows.
    Update { query: Query, row: RowId, set: Vec<(String, Expr)> },
    /// Change the rows of `entity` that match a row of `query`; add one where there is none.
    Upsert { query: Query, source: RowId, entity: EntityId, row: RowId, on: Expr, set: Vec<(String, Expr)> },
    /// Add rows.
    Insert { query: Query, row: RowId, entity: EntityId, set: Vec<(String, Expr)> },
    /// Take rows away.
    Delete { query: Query },
    /// Note that people want, or do not want, messages of a topic.
    Subscribe { query: Query, row: RowId, topic: Expr, subscribe: bool },
    /// Tell people about the run.
    Alert { text: Expr, to: String },
}

impl DataStep {
    /// The step of a statement; `None` for statements that are not about data.
    pub fn of(stmt: &StmtKind) -> Option<DataStep> {
        Some(match stmt.clone() {
            StmtKind::Save { query, audience } => DataStep::Save { query, audience },
            StmtKind::Export { query, to, options } => DataStep::Export { query, to, options },
            StmtKind::Update { query, row, set } => DataStep::Update { query, row, set },
            StmtKind::Upsert { query, source, entity, row, on, set } => {
                DataStep::Upsert { query, source, entity, row, on, set }
            }
            StmtKind::Insert { query, row, entity, set } => DataStep::Insert { query, row, entity, set },
            StmtKind::Delete { query } => DataStep::Delete { query },
            StmtKind::Subscribe { query, row, topic, subscribe } => {
                DataStep::Subscribe { query, row, topic, subscribe }
            }
            StmtKind::Alert { text, to } => DataStep::Alert { text, to },
            _ => return None,
        })
    }

    /// The statement word, for reports.
    pub fn word(&self) -> &'static str {
        match self {
            DataStep::Save { .. } => "save",
            DataStep::Export { .. } => "export",
            DataStep::Update { .. } => "update",
            DataStep::Upsert { .. } => "upsert",
            DataStep::Insert { .. } => "insert",
            DataStep::Delete { .. } => "delete",
            DataStep::Subscribe { subscribe: true, .. } => "subscribe",
            DataStep::Subscribe { subscribe: false, .. } => "unsubscribe",
            DataStep::Alert { .. } => "alert",
        }
    }

    /// The population it is about.
    pub fn query(&self) -> Option<&Query> {
        match self {
            DataStep::Save { query, .. }
            | DataStep::Export { query, .. }
            | DataStep::Update { query, .. }
            | DataStep::Upsert { query, .. }
            | DataStep::Insert { query, .. }
            | DataStep::Delete { query }
            | DataStep::Subscribe { query, .. } => Some(query),
            DataStep::Alert { .. } => None,
        }
    }

    /// The expressions it evaluates.
    pub fn exprs(&self) -> Vec<&Expr> {
        match self {
            DataStep::Save { audience: expr, .. }
            | DataStep::Export { to: expr, .. }
            | DataStep::Subscribe { topic: expr, .. }
            | DataStep::Alert { text: expr, .. } => vec![expr],
            DataStep::Update { set, .. } | DataStep::Insert { set, .. } => set.iter().map(|(_, value)| value).collect(),
            DataStep::Upsert { on, set, .. } => std::iter::once(on).chain(set.iter().map(|(_, value)| value)).collect(),
            DataStep::Delete { .. } => Vec::new(),
        }
    }

    /// The entity whose rows it changes.
    pub fn target(&self) -> Option<EntityId> {
        match self {
            DataStep::Update { query, .. } | DataStep::Delete { query } => Some(query.ty.entity),
            DataStep::Upsert { entity, .. } | DataStep::Insert { entity, .. } => Some(*entity),
            _ => None,
        }
    }
}

/// The rows that the last `match` or change of dimension of a population loses; `None` when it has neither.
pub fn unmatched(query: &Query) -> Option<Query> {
    let span = query.span;
    let yields = |ty: SegmentTy, kind| Query { kind, ty, span };
    let (input, row, found) = match &query.kind {
        QueryKind::Match { input, source, target, row, on } => {
            let all = yields(SegmentTy::of(*target), QueryKind::Entity(*target));
            let kind = QueryKind::Where { input: Box::new(all), row: *row, predicate: on.clone() };
            (input, *source, yields(SegmentTy::of(*target), kind))
        }
        QueryKind::Navigate { input, relation } => {
            let kind = QueryKind::Related { row: LOST, path: vec![*relation] };
            (input, LOST, yields(SegmentTy::of(query.ty.entity), kind))
        }
        _ => return unmatched(query.input()?),
    };
    let truth = |kind| Expr { kind, ty: Ty::of(TyKind::Bool), span };
    let predicate = truth(ExprKind::Not(Box::new(truth(ExprKind::Exists(Box::new(found))))));
    Some(yields(input.ty.clone(), QueryKind::Where { input: input.clone(), row, predicate }))
}

/// The row of the population that a change of dimension starts from; no program has as many rows.
const LOST: RowId = RowId(u32::MAX - 1);
