//! Populations.

mod clauses;
mod lost;
mod sets;

use super::expr::problem::{Advice, TypeProblem};
use super::expr::{Meaning, related};
use super::{Checker, Global, RowScope, Scope};
use crate::base::Span;
use crate::hir::{Query, QueryKind, SegmentTy};
use crate::syntax::ast;

/// Definitions nested deeper than this are recursive.
const DEEPEST: usize = 64;

impl Checker<'_> {
    /// Checks a population.
    pub fn query(&mut self, expr: &ast::Expr, scope: &Scope) -> Query {
        let found = self.deeper(expr.span, |checker| checker.query_kind(expr, scope));
        found.unwrap_or_else(|| poisoned(expr.span))
    }

    fn query_kind(&mut self, expr: &ast::Expr, scope: &Scope) -> Query {
        use ast::ExprKind::*;
        let span = expr.span;
        match &expr.kind {
            Error => poisoned(span),
            Paren(inner) => self.query(inner, scope),
            Binary { .. } if self.combined_populations(expr, scope) => poisoned(span),
            Name(_) | Field { .. } => self.query_path(expr, scope),
            Call { callee, args } => match self.resolve(callee, scope) {
                Ok(Meaning::Define { index, on }) => self.query_define(expr, index, Some(args), on, scope),
                _ => self.not_a_population(expr, scope),
            },
            Clause { input, clause } => self.clause(expr, input, clause, scope),
            SetOp { op, left, right, on, .. } => self.set_op(*op, [left, right], on, span, scope),
            Audience { name, entity } => match self.entity_named(entity) {
                Some(id) => Query { kind: QueryKind::Audience(name.value.clone()), ty: SegmentTy::of(id), span },
                None => poisoned(span),
            },
            _ => self.not_a_population(expr, scope),
        }
    }

    /// Whether an expression is a population rather than a value. Reports nothing.
    pub fn is_population(&self, expr: &ast::Expr, scope: &Scope) -> bool {
        self.is_population_at(expr, scope, 0)
    }

    pub(crate) fn is_population_at(&self, expr: &ast::Expr, scope: &Scope, depth: usize) -> bool {
        use ast::ExprKind::*;
        if depth > DEEPEST {
            return false;
        }
        match &expr.kind {
            Clause { .. } | SetOp { .. } | Audience { .. } => true,
            Paren(inner) => self.is_population_at(inner, scope, depth),
            Call { callee, .. } => match self.resolve(callee, scope) {
                Ok(Meaning::Define { index, .. }) => self.is_population_define(index, depth),
                _ => false,
            },
            Name(_) | Field { .. } => match self.resolve(expr, scope) {
                Ok(Meaning::Population(_) | Meaning::Many(_)) => true,
                Ok(Meaning::Define { index, .. }) => self.is_population_define(index, depth),
                Ok(Meaning::Unexpanded) => self.is_member_population(expr, scope, depth),
                _ => false,
            },
            _ => false,
        }
    }

    /// `(a union b).customer`: whether what follows the dot is a population too.
    fn is_member_population(&self, expr: &ast::Expr, scope: &Scope, depth: usize) -> bool {
        let ast::ExprKind::Field { base, field } = &expr.kind else { return false };
        if !self.is_population_at(base, scope, depth) {
            return false;
        }
        match self.entity_of(base, scope, depth) {
            Some(id) => {
                let Some(entity) = self.known_entity(id) else { return false };
                entity.relation(&field.text).is_some() || lost::is_lost(&field.text)
            }
            // Of something that is wrong anyway.
            None => true,
        }
    }

    /// The entity of a population, as far as it can be told without checking it.
    fn entity_of(&self, expr: &ast::Expr, scope: &Scope, depth: usize) -> Option<crate::hir::EntityId> {
        use ast::ExprKind::*;
        if depth > DEEPEST {
            return None;
        }
        let named = |name: &ast::Name| match self.find_global(name) {
            Some((Global::Entity(id), _)) => Some(id),
            _ => None,
        };
        match &expr.kind {
            Paren(inner) => self.entity_of(inner, scope, depth),
            Clause { input, clause } => match &clause.kind {
                ast::ClauseKind::Match { entity, .. } => named(entity),
                _ => self.entity_of(input, scope, depth),
            },
            SetOp { left, .. } => self.entity_of(left, scope, depth),
            Audience { entity, .. } => named(entity),
            Field { base, field } if matches!(self.resolve(expr, scope), Ok(Meaning::Unexpanded)) => {
                let entity = self.known_entity(self.entity_of(base, scope, depth)?)?;
                Some(entity[entity.relation(&field.text)?].target)
            }
            Name(_) | Field { .. } => match self.resolve(expr, scope).ok()? {
                Meaning::Population(query) => Some(query.ty.entity),
                Meaning::Many(place) | Meaning::Row(place) => Some(place.entity),
                Meaning::Define { index, .. } => self.entity_of_define(index, depth),
                _ => None,
            },
            Call { callee, .. } => match self.resolve(callee, scope).ok()? {
                Meaning::Define { index, .. } => self.entity_of_define(index, depth),
                _ => None,
            },
            _ => None,
        }
    }

    fn entity_of_define(&self, index: usize, depth: usize) -> Option<crate::hir::EntityId> {
        let define = self.defines[index];
        match (&define.ty, &define.body) {
            (Some(ast::TypeExpr { kind: ast::TypeExprKind::Segment { entity, .. }, .. }), _) => {
                match self.find_global(entity)?.0 {
                    Global::Entity(id) => Some(id),
                    _ => None,
                }
            }
            (_, ast::DefineBody::Expr(body)) => self.entity_of(body, &Scope::default(), depth + 1),
            _ => None,
        }
    }

    fn query_path(&mut self, expr: &ast::Expr, scope: &Scope) -> Query {
        let span = expr.span;
        match self.resolve(expr, scope) {
            Ok(Meaning::Population(query)) => Query { span, ..query },
            Ok(Meaning::Many(place)) => related(&place, span),
            Ok(Meaning::Row(place)) if !place.path.is_empty() => related(&place, span),
            Ok(Meaning::Define { index, on }) => self.query_define(expr, index, None, on, scope),
            Ok(Meaning::Unexpanded) => self.query_member(expr, scope),
            Ok(Meaning::Poisoned) => poisoned(span),
            Ok(Meaning::Delivery { .. }) => {
                let name = super::expr::written(expr).unwrap_or_else(|| "this".to_owned());
                let advice =
                    Advice::say(format!("say which rows: `{name}.sent`, `{name}.opened`, `{name}.clicked`, ..."));
                self.report(TypeProblem::NotAPopulation { found: "a send".to_owned(), advice, span });
                poisoned(span)
            }
            Ok(_) => self.not_a_population(expr, scope),
            Err(problem) => {
                let problem = match *problem {
                    TypeProblem::UnknownName { name, outer, .. } => self.unknown_population(name, outer, scope),
                    other => other,
                };
                self.report(problem);
                poisoned(span)
            }
        }
    }

    /// `(a union b).customer`, `vips(100).orders`
    fn query_member(&mut self, expr: &ast::Expr, scope: &Scope) -> Query {
        let ast::ExprKind::Field { base, field } = &expr.kind else { return poisoned(expr.span) };
        let base = self.query(base, scope);
        match self.member_of_query(base, field) {
            Ok(Meaning::Population(query)) => Query { span: expr.span, ..query },
            Ok(Meaning::ColumnOf { query, column }) => {
                let found = self.column_ty(&query, &column.text);
                self.report(TypeProblem::NotAPopulation { found, advice: Advice::None, span: column.span });
                poisoned(expr.span)
            }
            Ok(_) => poisoned(expr.span),
            Err(problem) => {
                self.report(*problem);
                poisoned(expr.span)
            }
        }
    }

    fn query_define(
        &mut self,
        expr: &ast::Expr,
        index: usize,
        args: Option<&ast::Args>,
        on: Option<super::expr::Place>,
        scope: &Scope,
    ) -> Query {
        if self.is_population_define(index, 0) {
            return self.expand_query(index, args, on, expr.span, scope);
        }
        self.not_a_population(expr, scope)
    }

    /// Reports a value where a population is needed.
    fn not_a_population(&mut self, expr: &ast::Expr, scope: &Scope) -> Query {
        if let ast::ExprKind::If { .. } = &expr.kind {
            let advice =
                Advice::say("use the statement `if ... { segment ... } else { ... }`, or `where` with the condition");
            self.report(TypeProblem::NotAPopulation { found: "a conditional".to_owned(), advice, span: expr.span });
            return poisoned(expr.span);
        }
        if let ast::ExprKind::Literal(ast::Literal::Text(text)) = &expr.kind
            && (scope.bound(text).is_some() || self.globals.contains_key(text))
        {
            let advice = Advice::write_to(text.clone(), expr.span, "without quotes, as it is a name");
            self.report(TypeProblem::NotAPopulation { found: "text".to_owned(), advice, span: expr.span });
            return poisoned(expr.span);
        }
        if let ast::ExprKind::Literal(ast::Literal::Text(text)) = &expr.kind
            && text.contains('@')
        {
            let advice = Advice::say(format!("choose the row that has it: `(customers where email = \"{text}\")`"));
            self.report(TypeProblem::NotAPopulation { found: "address".to_owned(), advice, span: expr.span });
            return poisoned(expr.span);
        }
        if let Some((found, advice)) = self.no_rows(expr, scope) {
            self.report(TypeProblem::NotAPopulation { found: found.to_owned(), advice, span: expr.span });
            return poisoned(expr.span);
        }
        let found = match self.resolve(expr, scope) {
            Ok(Meaning::ColumnOf { query, column }) => Some(self.column_ty(&query, &column.text)),
            Ok(Meaning::Global(global)) => Some(super::expr::problem::a(global.noun())),
            Ok(Meaning::Message) => Some("a message".to_owned()),
            Ok(Meaning::Native(_)) => Some("a function".to_owned()),
            _ => None,
        };
        let found = found.or_else(|| {
            let value = self.expr(expr, scope, None);
            (!value.ty.is_error()).then(|| value.ty.kind.show(&self.program))
        });
        if let Some(found) = found {
            self.report(TypeProblem::NotAPopulation { found, advice: Advice::None, span: expr.span });
        }
        poisoned(expr.span)
    }

    /// Conditions and lists, which are never populations, whatever they hold.
    fn no_rows(&self, expr: &ast::Expr, scope: &Scope) -> Option<(&'static str, Advice)> {
        use ast::BinaryOp::{Add, Coalesce, Divide, Multiply, Subtract};
        match &expr.kind {
            ast::ExprKind::Unary { op: ast::UnaryOp::Not, operand } if self.is_population(operand, scope) => {
                let advice = match (&operand.kind, super::expr::written(operand)) {
                    (ast::ExprKind::Field { base, .. }, Some(those)) => match super::expr::written(base) {
                        Some(send) => Advice::say(format!("write `{send}.sent except {those}` for the others")),
                        None => Advice::None,
                    },
                    (_, Some(those)) => Advice::say(format!("say whom it is taken from: `SEGMENT except {those}`")),
                    _ => Advice::None,
                };
                Some(("a condition", advice))
            }
            ast::ExprKind::Binary { op: Add | Subtract | Multiply | Divide | Coalesce, .. } => None,
            ast::ExprKind::Unary { op: ast::UnaryOp::Not, .. }
            | ast::ExprKind::Binary { .. }
            | ast::ExprKind::In { .. }
            | ast::ExprKind::Between { .. }
            | ast::ExprKind::Is { .. } => {
                Some(("a condition", Advice::say("name the rows before the condition: `(customers where ...)`")))
            }
            ast::ExprKind::List(_) => {
                let advice = Advice::say("choose the rows: `(customers where email in (\"...\", \"...\"))`");
                Some(("a list", advice))
            }
            _ => None,
        }
    }

    fn column_ty(&self, query: &Query, column: &str) -> String {
        let added = query.ty.column(column);
        let declared = || {
            let entity = self.known_entity(query.ty.entity)?;
            Some(&entity[entity.field(column)?].ty)
        };
        added.or_else(declared).map_or_else(|| "a value".to_owned(), |ty| ty.kind.show(&self.program))
    }

    /// A fresh row of a population, named after the expression that wrote it: for clauses, and for those of statements.
    pub fn row_of(&mut self, query: &Query, written: &ast::Expr) -> RowScope {
        let name = population_name(written).unwrap_or_else(|| self.entity_name(query.ty.entity).to_owned());
        RowScope::of_query(self.fresh_row(), query, name)
    }
}

/// What names the rows of a population in inner clauses: its entity or segment, the relation that leads to it.
fn population_name(expr: &ast::Expr) -> Option<String> {
    use ast::ExprKind::*;
    match &expr.kind {
        Name(name) => Some(name.text.clone()),
        Field { field, .. } => Some(field.text.clone()),
        Paren(inner) => population_name(inner),
        Clause { input, clause } => match &clause.kind {
            ast::ClauseKind::Match { entity, .. } => Some(entity.text.clone()),
            _ => population_name(input),
        },
        _ => None,
    }
}

/// What stands for something wrong.
pub(crate) fn poisoned(span: Span) -> Query {
    Query { kind: QueryKind::Error, ty: SegmentTy::error(), span }
}

#[cfg(test)]
mod tests;
