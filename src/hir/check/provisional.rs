//! Stand-ins for what the declarations provide, until they are merged.

use super::{Checker, Global};
use crate::base::Span;
use crate::hir::{Ty, TyKind};
use crate::syntax::ast;

impl Global {
    pub fn noun(self) -> &'static str {
        "declaration"
    }
}

impl Checker<'_> {
    pub fn find_global(&self, name: &ast::Name) -> Option<(Global, Span)> {
        self.globals.get(&name.text).copied()
    }

    pub fn ty(&mut self, written: &ast::TypeExpr) -> Ty {
        let kind = match &written.kind {
            ast::TypeExprKind::Name(name) => TyKind::named(&name.text).unwrap_or(TyKind::Error),
            _ => TyKind::Error,
        };
        Ty { kind, nullable: written.nullable }
    }

    pub fn entity_named(&mut self, name: &ast::Name) -> Option<crate::hir::EntityId> {
        match self.find_global(name)?.0 {
            Global::Entity(id) => Some(id),
            _ => None,
        }
    }
}
