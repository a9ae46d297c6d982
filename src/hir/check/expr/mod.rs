//! Value expressions.

use super::{Checker, Scope};
use crate::hir::{Expr, TemplatePart, Ty, Value};
use crate::syntax::ast;

impl Checker<'_> {
    /// Checks a value expression. `expected` gives literals their meaning, and what does not fit is reported; whether
    /// null may stand here is the caller's business (see the result's type).
    pub fn expr(&mut self, expr: &ast::Expr, scope: &Scope, expected: Option<&Ty>) -> Expr {
        let _ = (scope, expected);
        Expr { kind: crate::hir::ExprKind::Error, ty: Ty::error(), span: expr.span }
    }

    /// A constant of the expected type: a literal, or simple arithmetic on literals. `None` when it was reported.
    pub fn constant(&mut self, expr: &ast::Expr, expected: &Ty) -> Option<Value> {
        let _ = (expr, expected);
        None
    }

    /// The pieces of a string with holes, whose values must be printable.
    pub fn template(&mut self, template: &ast::Template, scope: &Scope) -> Vec<TemplatePart> {
        let _ = (template, scope);
        Vec::new()
    }
}
