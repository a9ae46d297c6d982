//! `segment` and `let`: names for populations and values.

use super::super::super::problem::NameProblem;
use super::super::super::{Local, LocalId, LocalKind, StmtKind, Ty, TyKind};
use super::super::{Bound, Checker, Global, Scope};
use crate::diag::codes::names as codes;
use crate::syntax::ast;

impl<'a> Checker<'a> {
    pub(super) fn segment(&mut self, name: &ast::Name, written: &ast::Expr, scope: &mut Scope) -> Option<StmtKind> {
        let query = self.query(written, scope);
        let local = self.bind_local(name, LocalKind::Segment, Ty::of(TyKind::Segment(query.ty.clone())), scope);
        self.bound_segment(local, &query);
        let not_null = self.proven(&query);
        self.not_null.insert(local, not_null);
        Some(StmtKind::Segment { local, query })
    }

    pub(super) fn let_stmt(
        &mut self,
        name: &ast::Name,
        ty: Option<&ast::TypeExpr>,
        written: &'a ast::Expr,
        scope: &mut Scope,
    ) -> Option<StmtKind> {
        let ty = ty.map(|ty| self.ty(ty));
        if let Some(message) = self.message_named(written, scope) {
            scope.bind_to(name.text.clone(), Bound::Message(message));
            return None;
        }
        if self.is_population(written, scope) {
            scope.bind_to(name.text.clone(), Bound::Poisoned);
            self.report(NameProblem::Declaration {
                code: codes::WRONG_KIND,
                why: "`let` binds a value, and this is a population".into(),
                help: format!("write `segment {} = ...`, or count it: `let {0} = count(...)`", name.text),
                span: written.span,
            });
            return None;
        }
        let value = self.expr(written, scope, ty.as_ref());
        let local = self.bind_local(name, LocalKind::Let, ty.unwrap_or_else(|| value.ty.clone()), scope);
        Some(StmtKind::Let { local, value })
    }

    /// Binds a name in a campaign. A name that is visible already, or that an entity has, is reported: nobody could
    /// tell which one is meant.
    pub(in super::super) fn bind_local(
        &mut self,
        name: &ast::Name,
        kind: LocalKind,
        ty: Ty,
        scope: &mut Scope,
    ) -> LocalId {
        let earlier = scope.local(&name.text).map(|local| {
            let local = &self.locals[local.0 as usize];
            (local.kind.known_as(), local.span)
        });
        let entity = match self.find_global(name) {
            Some((Global::Entity(_), span)) => Some(("an entity", span)),
            _ => None,
        };
        if let Some((what, first)) = earlier.or(entity) {
            let (name, span) = (name.text.clone(), name.span);
            self.report(NameProblem::Duplicate { name, what, span, first });
        }
        let local = self.add_local(Local { name: name.text.clone(), span: name.span, kind, ty });
        scope.bind(name.text.clone(), local);
        local
    }

    pub(super) fn emit(&mut self, signal: &ast::Name, args: &ast::Args, scope: &Scope) -> Option<StmtKind> {
        let Some(Global::Signal(id)) = self.lookup_global(signal, "signal") else { return None };
        let params = self.program[id].params.clone();
        let args = self.argument_values(&params, args, &format!("signal `{}`", signal.text), scope);
        Some(StmtKind::Emit { signal: id, args })
    }
}

impl LocalKind {
    /// The noun with its article.
    pub(crate) fn known_as(self) -> &'static str {
        match self {
            LocalKind::Parameter => "a parameter",
            LocalKind::Segment => "a segment",
            LocalKind::Arm => "an arm of a split",
            LocalKind::Let => "a `let`",
            LocalKind::Delivery => "a send",
            LocalKind::Loop => "the variable of a loop",
            LocalKind::SignalField => "a field of a signal",
        }
    }
}
