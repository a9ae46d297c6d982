//! `union`, `intersect`, `except`.

use super::super::expr::problem::{Advice, Side, TypeProblem};
use super::super::expr::{relate, written};
use super::poisoned;
use crate::base::Span;
use crate::hir::check::{Checker, Scope};
use crate::hir::{Column, Query, QueryKind, SegmentTy, SetOp};
use crate::syntax::ast;

impl Checker<'_> {
    /// Set algebra between two populations of one entity.
    pub(crate) fn set_op(
        &mut self,
        op: SetOp,
        [left, right]: [&ast::Expr; 2],
        on: &[ast::Name],
        span: Span,
        scope: &Scope,
    ) -> Query {
        let sides = [self.query(left, scope), self.query(right, scope)];
        let [first, second] = &sides;
        if first.ty.is_error() || second.ty.is_error() {
            let ty = if first.ty.is_error() { second.ty.clone() } else { first.ty.clone() };
            return Query { kind: QueryKind::Error, ty, span };
        }
        if first.ty.entity != second.ty.entity {
            self.report_entities(op, [first, second], [left, right]);
            return Query { kind: QueryKind::Error, ty: first.ty.clone(), span };
        }
        for name in on {
            self.check_set_column(name, [first, second]);
        }
        let ty = match op {
            SetOp::Union => self.union_ty([first, second]),
            _ => Some(first.ty.clone()),
        };
        let Some(ty) = ty else { return poisoned(span) };
        let on = on.iter().map(|name| name.text.clone()).collect();
        let [left, right] = sides.map(Box::new);
        Query { kind: QueryKind::SetOp { op, left, right, on }, ty, span }
    }

    /// A column that only one side has is null for rows of the other.
    fn union_ty(&mut self, [left, right]: [&Query; 2]) -> Option<SegmentTy> {
        let mut with: Vec<Column> = Vec::new();
        for column in left.ty.with.iter() {
            let ty = match right.ty.column(&column.name) {
                Some(other) => match relate::unify(&column.ty, other) {
                    Some(ty) => ty,
                    None => {
                        let side = |ty: &crate::hir::Ty, span| Side { ty: ty.show(&self.program), span };
                        let (left, right) = (side(&column.ty, left.span), side(other, right.span));
                        let advice = Advice::say(format!(
                            "`{}` is added on both sides: give one of them another name",
                            column.name
                        ));
                        self.report(TypeProblem::Incomparable { other: left, wrong: right, advice });
                        return None;
                    }
                },
                None => column.ty.clone().or_null(),
            };
            with.push(Column { name: column.name.clone(), ty });
        }
        let only_right = right.ty.with.iter().filter(|column| left.ty.column(&column.name).is_none());
        with.extend(only_right.map(|column| Column { name: column.name.clone(), ty: column.ty.clone().or_null() }));
        Some(SegmentTy { entity: left.ty.entity, with: with.into() })
    }

    fn check_set_column(&mut self, name: &ast::Name, sides: [&Query; 2]) {
        let entity = self.known_entity(sides[0].ty.entity);
        let declared = entity.is_some_and(|entity| entity.field(&name.text).is_some());
        for side in sides {
            if !declared && side.ty.column(&name.text).is_none() {
                let known = self.members(side.ty.entity, &side.ty.with);
                let of = format!("`{}`", self.entity_name(side.ty.entity));
                self.report(TypeProblem::UnknownField { field: name.clone(), of, known, advice: Advice::None });
                return;
            }
        }
    }

    fn report_entities(&mut self, op: SetOp, queries: [&Query; 2], sides: [&ast::Expr; 2]) {
        let operator = match op {
            SetOp::Union => "union",
            SetOp::Intersect => "intersect",
            SetOp::Except => "except",
        };
        let [left, right] = queries.map(|query| {
            let ty = format!("`{}`", self.entity_name(query.ty.entity));
            Side { ty, span: query.span }
        });
        let advice = self.way(queries[1], queries[0].ty.entity, sides[1]);
        self.report(TypeProblem::DifferentEntities { operator, left, right, advice });
    }

    /// How to get from a population to another entity, if one relation leads there.
    fn way(&self, query: &Query, target: crate::hir::EntityId, side: &ast::Expr) -> Advice {
        let Some(entity) = self.known_entity(query.ty.entity) else { return Advice::None };
        let Some(relation) = entity.relations.iter().find(|relation| relation.target == target) else {
            let target = self.entity_name(target);
            return Advice::say(format!(
                "no relation leads from `{}` to `{target}`: use `match {target} on ...`",
                entity.name
            ));
        };
        let name = super::super::expr::quoted_name(&relation.name);
        match written(side) {
            Some(text) => Advice::write_to(format!("{text}.{name}"), side.span, "to change the dimension"),
            None => Advice::say(format!("change the dimension of this side with `(...).{name}`")),
        }
    }
}
