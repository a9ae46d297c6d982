//! Conditions on columns of a population that was taken before a wait: they see the values of then. An approval is no
//! such wait, since what was approved is how things were.

use std::collections::HashMap;

use super::super::problem::{Lint, ValueLint};
use super::super::visit::{Visitor, blocks, population, walk_query};
use super::super::{ArmKind, Campaign, ColumnRef, Expr, ExprKind, FieldId, LocalId, Program, Query, QueryKind, RowId};
use super::super::{Stmt, StmtKind};
use crate::base::Span;

struct Frozen<'p> {
    program: &'p Program,
    campaign: &'p Campaign,
    /// Waits so far.
    waits: Vec<Span>,
    /// How many waits there were when a population was taken, and where.
    taken: HashMap<LocalId, (usize, Span)>,
    found: Vec<Lint>,
}

/// Warns of conditions that only see how things were before a wait.
pub(super) fn conditions(program: &Program, campaign: &Campaign, found: &mut Vec<Lint>) {
    let mut lint = Frozen { program, campaign, waits: Vec::new(), taken: HashMap::new(), found: Vec::new() };
    lint.block(&campaign.body);
    found.append(&mut lint.found);
}

impl Frozen<'_> {
    fn block(&mut self, stmts: &[Stmt]) {
        for stmt in stmts {
            self.statement(stmt);
        }
    }

    fn statement(&mut self, stmt: &Stmt) {
        if let Some(query) = population(&stmt.kind) {
            self.query(query);
        }
        match &stmt.kind {
            StmtKind::Segment { local, query } => self.take(*local, query, stmt.span),
            StmtKind::Split { input, row, arms, .. } => {
                for arm in arms {
                    if let ArmKind::Rows { predicate: Some(predicate), .. } = &arm.kind {
                        self.condition(input, *row, predicate);
                    }
                    self.take(arm.local, input, stmt.span);
                }
            }
            StmtKind::Send(send) => {
                if let Some(delivery) = send.delivery {
                    self.take(delivery, &send.to, stmt.span);
                }
            }
            StmtKind::Wait { .. } | StmtKind::WaitUntil { .. } | StmtKind::WaitSignal { .. } => {
                self.waits.push(stmt.span)
            }
            StmtKind::Repeat { every: Some(every), .. } => self.waits.push(every.span),
            _ => {}
        }
        blocks(&stmt.kind).into_iter().for_each(|block| self.block(block));
    }

    /// A population keeps the columns of what it was taken from.
    fn take(&mut self, local: LocalId, query: &Query, span: Span) {
        let taken = self.source(query).and_then(|source| self.taken.get(&source).copied());
        self.taken.insert(local, taken.unwrap_or((self.waits.len(), span)));
    }

    /// The frozen population that the rows of a query are taken from.
    fn source(&self, query: &Query) -> Option<LocalId> {
        match &query.kind {
            QueryKind::Local(local) | QueryKind::Feedback { delivery: local, .. } => Some(*local),
            QueryKind::SetOp { .. } | QueryKind::Navigate { .. } | QueryKind::Match { .. } => None,
            _ => query.input().and_then(|input| self.source(input)),
        }
    }

    fn condition(&mut self, input: &Query, row: RowId, predicate: &Expr) {
        let Some(source) = self.source(input) else { return };
        let Some((waits, taken)) = self.taken.get(&source).copied() else { return };
        let Some(waited) = self.waits.get(waits).copied() else { return };
        let Some(entity) = self.program.entities.get(input.ty.entity.0 as usize) else { return };
        let key = &entity.key;
        let mut own = Own { row, key, found: None };
        own.expr(predicate);
        if let Some(span) = own.found {
            let population = named(input, &self.campaign[source].name);
            let entity = entity.name.clone();
            self.found.push(ValueLint::FrozenFilter { population, entity, span, taken, waited }.into());
        }
    }
}

/// What the rows are taken from, as it is written: `vip`, `letters.clicked`.
fn named(query: &Query, source: &str) -> String {
    match &query.kind {
        QueryKind::Feedback { kind, .. } => format!("{source}.{}", kind.word()),
        _ => query.input().map_or_else(|| source.to_owned(), |input| named(input, source)),
    }
}

impl Visitor for Frozen<'_> {
    fn query(&mut self, query: &Query) {
        if let QueryKind::Where { input, row, predicate } = &query.kind {
            self.condition(input, *row, predicate);
        }
        walk_query(self, query);
    }
}

/// Looks for a field of the row itself that may have changed.
struct Own<'k> {
    row: RowId,
    key: &'k [FieldId],
    found: Option<Span>,
}

impl Visitor for Own<'_> {
    fn expr(&mut self, expr: &Expr) {
        // Whether there is an address is looked at again by the send.
        if matches!(expr.kind, ExprKind::IsNull { .. } | ExprKind::IsEmpty { .. }) {
            return;
        }
        if let ExprKind::Column { row, path, column: ColumnRef::Field(field) } = &expr.kind
            && *row == self.row
            && path.is_empty()
            && !self.key.contains(field)
        {
            self.found = self.found.or(Some(expr.span));
        }
        super::super::visit::walk_expr(self, expr);
    }

    // What a nested population compares with the row is usually a key, and live on its own side.
    fn query(&mut self, _: &Query) {}
}
