//! Populations.

use super::{Checker, RowScope, Scope};
use crate::hir::{LocalId, Query, QueryKind, SegmentTy};
use crate::syntax::ast;

impl Checker<'_> {
    /// Checks a population.
    pub fn query(&mut self, expr: &ast::Expr, scope: &Scope) -> Query {
        let _ = scope;
        Query { kind: QueryKind::Error, ty: SegmentTy::error(), span: expr.span }
    }

    /// Whether an expression is a population rather than a value. Reports nothing.
    pub fn is_population(&self, expr: &ast::Expr, scope: &Scope) -> bool {
        let _ = (expr, scope);
        false
    }

    /// A fresh row of a population, named after the expression that wrote it: for the clauses of statements.
    pub fn row_of(&mut self, query: &Query, written: &ast::Expr) -> RowScope {
        let _ = written;
        RowScope::of_query(self.fresh_row(), query, "")
    }

    /// To be called when a population gets a name, so that `NAME.unmatched` is known.
    pub fn bound_segment(&mut self, local: LocalId, query: &Query) {
        let _ = (local, query);
    }
}
