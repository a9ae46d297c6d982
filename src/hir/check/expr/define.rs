//! Definitions are expanded where they are used.
//!
//! The body sees the row it is used on, as a row of the entity it is declared for, and its parameters; nothing else of
//! the place where it is used. What is wrong in a body is reported once, with the first use.

use super::arguments::Signature;
use super::problem::TypeProblem;
use super::{Hint, Place, poisoned};
use crate::base::Span;
use crate::hir::check::{Bound, Checker, Global, RowScope, Scope};
use crate::hir::{Expr, ExprKind, Query, QueryKind, RowId, SegmentTy, Ty, TyKind};
use crate::syntax::ast;

/// Definitions that use others several times grow like powers; this many in one program is no accident.
const MOST_EXPANSIONS: u32 = 20_000;

impl<'a> Checker<'a> {
    /// A definition as a value.
    pub(crate) fn expand(
        &mut self,
        index: usize,
        args: Option<&ast::Args>,
        on: Option<Place>,
        span: Span,
        scope: &Scope,
        hint: Option<Hint>,
    ) -> Expr {
        let Some((define, body, inner)) = self.enter(index, args, on, span, scope) else { return poisoned(span) };
        let value = match &define.ty {
            Some(ty) => {
                let ty = self.ty(ty);
                self.expr(body, &inner, Some(&ty))
            }
            None => self.infer(body, &inner, hint),
        };
        self.calls.pop();
        Expr { span, ..value }
    }

    /// A definition as a population.
    pub(crate) fn expand_query(
        &mut self,
        index: usize,
        args: Option<&ast::Args>,
        on: Option<Place>,
        span: Span,
        scope: &Scope,
    ) -> Query {
        let Some((_, body, inner)) = self.enter(index, args, on, span, scope) else {
            return Query { kind: QueryKind::Error, ty: SegmentTy::error(), span };
        };
        let query = self.query(body, &inner);
        self.calls.pop();
        Query { span, ..query }
    }

    /// Checks definitions by themselves, so that mistakes are found in those that nothing uses.
    pub fn check_defines(&mut self) {
        for index in 0..self.defines.len() {
            self.check_define(self.defines[index]);
        }
    }

    fn check_define(&mut self, define: &ast::Define) {
        let ast::DefineBody::Expr(body) = &define.body else { return };
        let scope = self.define_scope(define);
        if self.is_population(body, &scope) {
            self.query(body, &scope);
        } else {
            let ty = define.ty.as_ref().map(|ty| self.ty(ty));
            self.expr(body, &scope, ty.as_ref());
        }
    }

    /// What a body sees when all that is known of its arguments are their types.
    fn define_scope(&mut self, define: &ast::Define) -> Scope {
        let mut scope = Scope::default();
        if let Some(entity) = &define.entity {
            let id = self.entity_named(entity).unwrap_or(SegmentTy::UNKNOWN);
            let row = self.fresh_row();
            scope.rows.push(RowScope::new(row, id, entity.text.clone()));
        }
        for param in &define.params {
            let ty = self.ty(&param.ty);
            scope.bind_to(param.name.text.clone(), placeholder(ty, param.name.span));
        }
        scope
    }

    /// Whether a definition stands for a population. Reports nothing.
    pub(crate) fn is_population_define(&self, index: usize, depth: usize) -> bool {
        let define = self.defines[index];
        if let Some(ty) = &define.ty {
            return matches!(ty.kind, ast::TypeExprKind::Segment { .. } | ast::TypeExprKind::Relation { .. });
        }
        let ast::DefineBody::Expr(body) = &define.body else { return false };
        let mut scope = Scope::default();
        if let Some(entity) = &define.entity
            && let Some((Global::Entity(id), _)) = self.find_global(entity)
        {
            scope.rows.push(RowScope::new(RowId::DECLARED, id, entity.text.clone()));
        }
        for param in &define.params {
            let is_segment = matches!(param.ty.kind, ast::TypeExprKind::Segment { .. });
            let bound = match is_segment {
                true => placeholder(Ty::of(TyKind::Segment(SegmentTy::error())), param.name.span),
                false => Bound::Poisoned,
            };
            scope.bind_to(param.name.text.clone(), bound);
        }
        self.is_population_at(body, &scope, depth + 1)
    }

    /// Begins an expansion: checks the arguments at the place of use and opens the body's scope. The caller ends it by
    /// popping [`Checker::calls`].
    fn enter(
        &mut self,
        index: usize,
        args: Option<&ast::Args>,
        on: Option<Place>,
        span: Span,
        scope: &Scope,
    ) -> Option<(&'a ast::Define, &'a ast::Expr, Scope)> {
        let define = self.defines[index];
        let name = &define.name.text;
        let ast::DefineBody::Expr(body) = &define.body else {
            let advice = super::Advice::say(format!("run it as a statement: `do {name}(...)`"));
            let noun = "a procedure".to_owned();
            self.report(TypeProblem::NotAValue { name: name.clone(), noun, advice, span });
            return None;
        };
        if self.recursive.contains(name) {
            return None;
        }
        if let Some(at) = self.calls.iter().position(|(call, _)| call == name) {
            let mut path: Vec<String> = self.calls[at..].iter().map(|(call, _)| call.clone()).collect();
            self.recursive.extend(path.iter().cloned());
            path.push(name.clone());
            self.report(TypeProblem::Recursion { path, span });
            return None;
        }
        self.expansions += 1;
        if self.expansions > MOST_EXPANSIONS {
            self.expands_too_far(span);
            return None;
        }
        let signature = Signature {
            name,
            params: define.params.iter().map(|param| (param.name.text.as_str(), param.default.is_some())).collect(),
            usage: usage(define),
        };
        let found = self.match_arguments(&signature, args, span)?;
        let mut inner = Scope::default();
        if let Some(row) = self.row_for(define, on, span, scope)? {
            inner.rows.push(row);
        }
        for (param, arg) in define.params.iter().zip(found) {
            let bound = self.bind_argument(param, arg, scope);
            inner.bind_to(param.name.text.clone(), bound);
        }
        self.calls.push((name.clone(), span));
        Some((define, body, inner))
    }

    /// The row a definition is about: the one it is used on, else the innermost of its entity. `None` if it needs one
    /// and there is none.
    fn row_for(
        &mut self,
        define: &ast::Define,
        on: Option<Place>,
        span: Span,
        scope: &Scope,
    ) -> Option<Option<RowScope>> {
        let Some(entity) = &define.entity else { return Some(None) };
        let id = self.entity_named(entity)?;
        let place = on.or_else(|| scope.rows.iter().rev().find(|row| row.entity == id).map(Place::of));
        let Some(place) = place else {
            // In a row that is wrong already, nothing is missing.
            if !scope.rows.iter().any(|row| row.entity == SegmentTy::UNKNOWN) {
                let way = scope.rows.last().and_then(|row| {
                    let relations = &self.known_entity(row.entity)?.relations;
                    relations.iter().find(|relation| !relation.many && relation.target == id)
                });
                let usage = usage(define);
                let help = match way {
                    Some(relation) => format!("use it on a related row: `{}.{usage}`", relation.name),
                    None => format!("use it in a clause: `{} where {usage}`", entity.text),
                };
                let (define, declared) = (define.name.text.clone(), define.name.span);
                self.report(TypeProblem::NeedsRow { define, entity: entity.text.clone(), help, declared, span });
            }
            return None;
        };
        let path = place.full_path();
        Some(Some(RowScope { path, ..RowScope::new(place.row.row, id, entity.text.clone()) }))
    }

    fn bind_argument(&mut self, param: &ast::Param, arg: Option<&ast::Expr>, scope: &Scope) -> Bound {
        let ty = self.ty(&param.ty);
        let nothing = Scope::default();
        let (arg, scope) = match (arg, &param.default) {
            (Some(arg), _) => (arg, scope),
            (None, Some(default)) => (default, &nothing),
            (None, None) => return Bound::Poisoned,
        };
        match &ty.kind {
            TyKind::Error => Bound::Poisoned,
            TyKind::Segment(wanted) => {
                let query = self.query(arg, scope);
                let found = Ty::of(TyKind::Segment(query.ty.clone()));
                if query.ty.is_error() || !super::relate::fits(&found.kind, &TyKind::Segment(wanted.clone())) {
                    let value = super::node(ExprKind::Error, found, arg.span);
                    if !query.ty.is_error() {
                        self.report_mismatch(&value, &ty, arg);
                    }
                    return Bound::Poisoned;
                }
                Bound::Population(Box::new(query))
            }
            TyKind::Message(_) => match self.resolve(arg, scope) {
                Ok(super::Meaning::Global(Global::Message(id))) => Bound::Message(id),
                Ok(super::Meaning::Poisoned) => Bound::Poisoned,
                _ => {
                    let value = self.infer(arg, scope, None);
                    self.report_mismatch(&value, &ty, arg);
                    Bound::Poisoned
                }
            },
            _ => Bound::Value(Box::new(self.expr(arg, scope, Some(&ty)))),
        }
    }
}

/// Stands for an argument of which only the type is known.
fn placeholder(ty: Ty, span: Span) -> Bound {
    match ty.kind {
        TyKind::Error => Bound::Poisoned,
        TyKind::Segment(segment) => Bound::Population(Box::new(Query { kind: QueryKind::Error, ty: segment, span })),
        _ => Bound::Value(Box::new(Expr { kind: ExprKind::Error, ty, span })),
    }
}

/// `active(window)`
fn usage(define: &ast::Define) -> String {
    let params: Vec<&str> = define.params.iter().map(|param| param.name.text.as_str()).collect();
    match params[..] {
        [] => define.name.text.clone(),
        _ => format!("{}({})", define.name.text, params.join(", ")),
    }
}
