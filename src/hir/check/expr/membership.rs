//! `in`, `between`, `is null`, `is empty`.

use super::compare::{binary_node, comparison, date_of};
use super::problem::{Advice, TypeProblem};
use super::{Meaning, node, poisoned, relate, written};
use crate::base::Span;
use crate::hir::check::lints_expr::ExprLint;
use crate::hir::check::{Checker, RowScope, Scope};
use crate::hir::{BinaryOp, ColumnRef, Expr, ExprKind, Query, Ty, TyKind};
use crate::syntax::ast;

impl Checker<'_> {
    /// `x in (a, b)`, `x in list`, `x in population`
    pub(crate) fn membership(
        &mut self,
        expr: &ast::Expr,
        negated: bool,
        value: &ast::Expr,
        within: &ast::Expr,
        scope: &Scope,
    ) -> Expr {
        let stands_bare = !matches!(within.kind, ast::ExprKind::Paren(_) | ast::ExprKind::List(_));
        let within = unwrapped(within);
        if let Some((query, column)) = self.members_of(within, scope) {
            return self.in_query(expr, negated, value, within, (query, column), scope);
        }
        let items: &[ast::Expr] = match &within.kind {
            ast::ExprKind::List(items) => items,
            _ => std::slice::from_ref(within),
        };
        let is_list = matches!(within.kind, ast::ExprKind::List(_));
        let found = self.infer(value, scope, None);
        let mut checked = Vec::new();
        for item in items {
            let member = self.beside(&found, value, item, scope);
            if stands_bare && self.is_no_list(&member, [value, item]) {
                return poisoned(expr.span);
            }
            checked.push(self.member(&found, value, member, item, is_list));
        }
        if negated {
            self.lint_lost_nulls(expr, [(&found, value)], "not in", scope);
        }
        let nullable = found.ty.nullable || checked.iter().any(|item| item.ty.nullable);
        let by_day = checked.iter().any(|item| mixes_days(&found, item));
        let day = |value: Expr| if by_day && value.ty.kind == TyKind::Timestamp { date_of(value) } else { value };
        let (found, checked) = (day(found), checked.into_iter().map(day).collect());
        let kind = ExprKind::In { negated, value: Box::new(found), items: checked };
        node(kind, Ty::of(TyKind::Bool).null_if(nullable), expr.span)
    }

    /// `"burg" in city`: one value, where several are looked through. True when it was reported.
    fn is_no_list(&mut self, member: &Expr, [value, item]: [&ast::Expr; 2]) -> bool {
        let kind = &member.ty.kind;
        if member.ty.is_error() || matches!(kind, TyKind::List(_) | TyKind::Null | TyKind::Error) {
            return false;
        }
        let advice = match (written(value), written(item)) {
            (Some(part), Some(whole)) if kind.is_text() && matches!(value.kind, ast::ExprKind::Literal(_)) => {
                Advice::write_to(format!("contains({whole}, {part})"), value.span.to(item.span), "for a part of a text")
            }
            (Some(value), Some(item)) => Advice::say(format!("write `{value} = {item}`, or `{value} in ({item})`")),
            _ => Advice::None,
        };
        let found = kind.show(&self.program);
        self.report(TypeProblem::Mismatch {
            wanted: "list or a population".to_owned(),
            found,
            advice,
            span: member.span,
        });
        true
    }

    /// One item of `in`; a list that stands alone gives its elements.
    fn member(&mut self, value: &Expr, written: &ast::Expr, item: Expr, expr: &ast::Expr, in_list: bool) -> Expr {
        let kind = match &item.ty.kind {
            TyKind::List(element) if !in_list => &element.kind,
            kind => kind,
        };
        if *kind == TyKind::Null && !matches!(item.kind, ExprKind::List(_)) {
            let advice = Advice::say("a null is in no list: test it with `is null`");
            self.report(TypeProblem::ComparedWithNull { advice, span: item.span });
        } else if !relate::comparable(&value.ty.kind, kind) {
            let element = Expr { ty: Ty::of(kind.clone()), ..item.clone() };
            self.report_incomparable([value, &element], [written, expr]);
        }
        item
    }

    /// The population on the right of `in`, and the column that is meant if one is named.
    fn members_of(&mut self, within: &ast::Expr, scope: &Scope) -> Option<(Query, Option<ast::Name>)> {
        if self.is_population(within, scope) {
            return Some((self.query(within, scope), None));
        }
        let ast::ExprKind::Field { base, field } = &within.kind else { return None };
        match self.resolve(within, scope) {
            Ok(Meaning::ColumnOf { query, column }) => Some((query, Some(column))),
            Ok(Meaning::Unexpanded) if self.is_population(base, scope) => {
                Some((self.query(base, scope), Some(field.clone())))
            }
            _ => None,
        }
    }

    fn in_query(
        &mut self,
        expr: &ast::Expr,
        negated: bool,
        value: &ast::Expr,
        within: &ast::Expr,
        (query, named): (Query, Option<ast::Name>),
        scope: &Scope,
    ) -> Expr {
        let found = self.infer(value, scope, None);
        let row = self.fresh_row();
        let column = match named {
            Some(name) => {
                let name_expr = ast::Expr { span: name.span, kind: ast::ExprKind::Name(name) };
                let inner = scope.with_row(RowScope::of_query(row, &query, ""));
                self.infer(&name_expr, &inner, None)
            }
            None => self.key_column(&query, row, within),
        };
        let ty = Ty::of(TyKind::Bool).null_if(found.ty.nullable);
        if found.ty.is_error() || column.ty.is_error() {
            return node(ExprKind::Error, ty, expr.span);
        }
        if !relate::comparable(&found.ty.kind, &column.ty.kind) {
            let column = Expr { span: within.span, ..column.clone() };
            self.report_incomparable([&found, &column], [value, within]);
        }
        if negated {
            self.lint_lost_nulls(expr, [(&found, value)], "not in", scope);
        }
        let (value, query, column) = (Box::new(found), Box::new(query), Box::new(column));
        node(ExprKind::InQuery { negated, value, query, row, column }, ty, expr.span)
    }

    /// The key of a population, which is what `x in population` compares with.
    fn key_column(&mut self, query: &Query, row: crate::hir::RowId, within: &ast::Expr) -> Expr {
        let Some(entity) = self.known_entity(query.ty.entity) else { return poisoned(within.span) };
        let [key] = entity.key[..] else {
            let name = written(within).unwrap_or_else(|| entity.name.clone());
            let advice = Advice::say(format!("name the column to look in, for example `{name}.FIELD`"));
            let population = format!("`{name}`, which has no key of one field,");
            self.report(TypeProblem::PopulationAsValue { population, advice, span: within.span });
            return poisoned(within.span);
        };
        let ty = entity[key].ty.clone();
        node(ExprKind::Column { row, path: Vec::new(), column: ColumnRef::Field(key) }, ty, within.span)
    }

    /// `x between a and b`
    pub(crate) fn between(
        &mut self,
        expr: &ast::Expr,
        negated: bool,
        value: &ast::Expr,
        bounds: [&ast::Expr; 2],
        scope: &Scope,
    ) -> Expr {
        let found = self.infer(value, scope, None);
        let [low, high] = bounds.map(|bound| {
            let checked = self.beside(&found, value, bound, scope);
            self.bound(&found, value, checked, bound, scope)
        });
        let nullable = found.ty.nullable || low.ty.nullable || high.ty.nullable;
        let ty = Ty::of(TyKind::Bool).null_if(nullable);
        if [&found, &low, &high].iter().any(|part| part.ty.is_error()) {
            return node(ExprKind::Error, ty, expr.span);
        }
        if negated {
            self.lint_lost_nulls(expr, [(&found, value)], "not between", scope);
        }
        if [&low, &high].iter().any(|bound| mixes_days(&found, bound)) {
            let from = comparison(BinaryOp::GreaterEqual, found.clone(), low, ty.clone(), expr.span);
            let to = comparison(BinaryOp::LessEqual, found, high, ty.clone(), expr.span);
            let inside = binary_node(BinaryOp::And, from, to, ty.clone(), expr.span);
            return if negated { node(ExprKind::Not(Box::new(inside)), ty, expr.span) } else { inside };
        }
        let [value, low, high] = [found, low, high].map(Box::new);
        node(ExprKind::Between { negated, value, low, high }, ty, expr.span)
    }

    fn bound(&mut self, value: &Expr, written: &ast::Expr, bound: Expr, expr: &ast::Expr, scope: &Scope) -> Expr {
        let (kind, other) = (&value.ty.kind, &bound.ty.kind);
        if value.ty.is_error() || bound.ty.is_error() {
            return bound;
        }
        if !relate::comparable(kind, other) {
            self.report_incomparable([value, &bound], [written, expr]);
        } else if !relate::has_order(kind) {
            let about = self.about(value, written, scope);
            let ty = kind.show(&self.program);
            self.report(TypeProblem::NoOrder { ty, about, advice: Advice::None, span: value.span });
        } else {
            return bound;
        }
        poisoned(bound.span)
    }

    /// `x is null`, `x is not empty`
    pub(crate) fn is(
        &mut self,
        negated: bool,
        value: &ast::Expr,
        test: ast::IsTest,
        span: Span,
        scope: &Scope,
    ) -> Expr {
        let ty = Ty::of(TyKind::Bool);
        if self.is_population(value, scope) {
            return self.is_empty_population(negated, value, test, span, scope);
        }
        let found = match self.resolve(value, scope) {
            Ok(Meaning::Row(place)) if !place.path.is_empty() => self.presence(&place, value.span),
            _ => None,
        };
        let found = found.unwrap_or_else(|| self.infer(value, scope, None));
        if found.ty.is_error() {
            return node(ExprKind::Error, ty, span);
        }
        let is_empty = test == ast::IsTest::Empty;
        if is_empty && !found.ty.kind.is_text() && !matches!(found.ty.kind, TyKind::List(_) | TyKind::Null) {
            let advice = match written(value) {
                Some(text) => Advice::write(format!("{text} is {}null", if negated { "not " } else { "" }), span),
                None => Advice::None,
            };
            self.bad_operand("is empty", &[], &found, advice);
        }
        if !is_empty {
            self.lint_never_null(&found, "this test has always the same answer");
        }
        let value = Box::new(found);
        let kind = if is_empty { ExprKind::IsEmpty { negated, value } } else { ExprKind::IsNull { negated, value } };
        node(kind, ty, span)
    }

    /// `orders is empty` asks whether there are any.
    fn is_empty_population(
        &mut self,
        negated: bool,
        value: &ast::Expr,
        test: ast::IsTest,
        span: Span,
        scope: &Scope,
    ) -> Expr {
        let ty = Ty::of(TyKind::Bool);
        if test == ast::IsTest::Null {
            let text = written(value).unwrap_or_else(|| "this".to_owned());
            let advice = Advice::write(format!("{text} is {}empty", if negated { "not " } else { "" }), span);
            self.report(TypeProblem::PopulationAsValue { population: format!("`{text}`"), advice, span: value.span });
            return node(ExprKind::Error, ty, span);
        }
        let query = self.query(value, scope);
        let exists = node(ExprKind::Exists(Box::new(query)), ty.clone(), span);
        if negated { exists } else { node(ExprKind::Not(Box::new(exists)), ty, span) }
    }

    /// Warns about null being handled where there is none. Inside a definition it may come from other uses.
    pub(crate) fn lint_never_null(&mut self, value: &Expr, why: &'static str) {
        let certain = matches!(value.kind, ExprKind::Column { .. } | ExprKind::Literal(_) | ExprKind::Template(_));
        if certain && !value.ty.nullable && !relate::is_unknown(&value.ty) && self.calls.is_empty() {
            let ty = value.ty.show(&self.program);
            self.report(ExprLint::NeverNull { ty, why, span: value.span });
        }
    }
}

/// A date beside an instant, which are compared by the day.
fn mixes_days(left: &Expr, right: &Expr) -> bool {
    matches!((&left.ty.kind, &right.ty.kind), (TyKind::Date, TyKind::Timestamp) | (TyKind::Timestamp, TyKind::Date))
}

/// The expression without parentheses around it.
fn unwrapped(expr: &ast::Expr) -> &ast::Expr {
    match &expr.kind {
        ast::ExprKind::Paren(inner) => unwrapped(inner),
        _ => expr,
    }
}
