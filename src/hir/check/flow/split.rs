//! Splits.

use rust_decimal::Decimal;

use super::super::super::problem::{FlowProblem, Lint};
use super::super::super::{
    Amount, Arm, ArmKind, Expr, ExprKind, LocalKind, OrderKey, Query, StmtKind, Ty, TyKind, Value,
};
use super::super::{Checker, Scope};
use super::cover::{covers, is_always};
use crate::base::Span;
use crate::diag::codes::flow as codes;
use crate::syntax::ast::{self, ClauseKind};

impl<'a> Checker<'a> {
    /// `split S into { ... }`
    pub(super) fn split(&mut self, written: &ast::Split, scope: &mut Scope) -> StmtKind {
        let input = self.query(&written.segment, scope);
        let (row, inner) = self.row_scope(&input, &written.segment, scope);
        let mut arms = Vec::new();
        for arm in &written.arms {
            let kind = self.arm_kind(arm, &inner);
            let local = self.bind_local(&arm.name, LocalKind::Arm, arm_ty(&input), scope);
            arms.extend(kind.map(|kind| Arm { local, kind }));
        }
        self.arms_together(written, &arms);
        if !written.overlapping && !input.ty.is_error() {
            self.lint_null_into_otherwise(written, &arms, (row, input.ty.entity));
        }
        let seed = written.seed.as_ref().map(|seed| seed.value.clone());
        StmtKind::Split { input, row, overlapping: written.overlapping, arms, seed }
    }

    fn arm_kind(&mut self, arm: &ast::Arm, scope: &Scope) -> Option<ArmKind> {
        match &arm.kind {
            ast::ArmKind::Error => None,
            ast::ArmKind::Otherwise => Some(ArmKind::Otherwise),
            ast::ArmKind::Share(share) => Some(ArmKind::Share(self.of_kind(share, scope, TyKind::Percent))),
            ast::ArmKind::Clauses(clauses) => self.clauses(clauses, scope),
        }
    }

    fn clauses(&mut self, clauses: &[ast::Clause], scope: &Scope) -> Option<ArmKind> {
        let (mut predicate, mut limit, mut order): (Option<Expr>, Option<Amount>, Vec<OrderKey>) = Default::default();
        for clause in clauses {
            match &clause.kind {
                ClauseKind::Where(condition) => {
                    let condition = self.predicate(condition, scope);
                    predicate = Some(and(predicate, condition));
                }
                ClauseKind::OrderBy(keys) => order = self.sort_keys(keys, scope),
                ClauseKind::Limit { amount, by } => {
                    limit = Some(self.clause_amount(amount, "limit", scope));
                    if !by.is_empty() {
                        order = self.sort_keys(by, scope);
                    }
                }
                ClauseKind::Sample { amount, seed } => return self.sample_arm(clauses, amount, seed.as_ref(), scope),
                _ => {
                    let help = "an arm takes `where`, `order by`, `limit`, `sample`, a percentage or `otherwise`";
                    self.wrong(codes::BAD_SPLIT, "this clause cannot stand in an arm", help, clause.span);
                }
            }
        }
        Some(ArmKind::Rows { predicate, amount: limit, by: order })
    }

    fn sample_arm(
        &mut self,
        clauses: &[ast::Clause],
        amount: &ast::Expr,
        seed: Option<&ast::Text>,
        scope: &Scope,
    ) -> Option<ArmKind> {
        if let Some(seed) = seed {
            let help = "write it behind the closing brace: `split ... into { ... } seed \"s\"`";
            self.wrong(codes::BAD_SPLIT, "the arms of a split have one seed together", help, seed.span);
        }
        if let [_, second, ..] = clauses {
            let help = "filter the population before it is split, or give the condition an arm of its own";
            self.wrong(codes::BAD_SPLIT, "a random arm has no other clauses", help, second.span);
        }
        Some(ArmKind::Sample(self.clause_amount(amount, "sample", scope)))
    }

    /// What is wrong with the arms as a whole.
    fn arms_together(&mut self, written: &ast::Split, arms: &[Arm]) {
        let shares: Decimal = arms.iter().filter_map(|arm| literal_share(&arm.kind)).sum();
        if shares > Decimal::ONE && !written.overlapping {
            let span =
                written.arms.iter().rev().find(|arm| is_random(&arm.kind)).map_or(written.segment.span, |arm| arm.span);
            self.report(FlowProblem::SharesOver100 { total: shares, span });
        }
        let mut otherwise: Option<Span> = None;
        for arm in &written.arms {
            if !matches!(arm.kind, ast::ArmKind::Otherwise) {
                continue;
            }
            if let Some(first) = otherwise {
                let name = "otherwise".to_owned();
                self.report(super::super::super::problem::NameProblem::RepeatedOption { name, span: arm.span, first });
            }
            otherwise = Some(arm.span);
        }
        if !written.overlapping {
            self.unreachable_arms(written, shares);
        }
    }

    /// Arms after one that takes everything, or everything that they would take.
    fn unreachable_arms(&mut self, written: &ast::Split, shares: Decimal) {
        let mut all: Option<Span> = None;
        let mut conditions: Vec<(&ast::Expr, Span)> = Vec::new();
        for arm in &written.arms {
            let own = only_condition(&arm.kind);
            let earlier = own.and_then(|own| conditions.iter().find(|(condition, _)| covers(condition, own)));
            if let (Some((_, because)), None) = (earlier, all) {
                let (name, because) = (arm.name.text.clone(), *because);
                let help = "the first arm that matches takes a row; put this arm before it, or change its condition";
                self.report(Lint::UnreachableArm {
                    name,
                    span: arm.span,
                    because,
                    what: "this takes all of its rows",
                    help,
                });
            }
            conditions
                .extend(own.filter(|own| !takes_all(&arm.kind) && !own.span.is_empty()).map(|own| (own, arm.span)));
            if let (Some(because), false) = (all, matches!(arm.kind, ast::ArmKind::Error)) {
                let help = "the first arm that matches takes a row; put this arm before it";
                let name = arm.name.text.clone();
                self.report(Lint::UnreachableArm { name, span: arm.span, because, what: ALL_LEFT, help });
            }
            if takes_all(&arm.kind) {
                all = all.or(Some(arm.span));
            }
        }
        let rest = written.arms.iter().find(|arm| matches!(arm.kind, ast::ArmKind::Otherwise));
        let share = written.arms.iter().rev().find(|arm| matches!(arm.kind, ast::ArmKind::Share(_)));
        if let (Some(rest), Some(share)) = (rest, share)
            && shares == Decimal::ONE
            && all.is_none_or(|at| at == rest.span)
        {
            let help = "the shares add up to 100%; make them smaller, or remove this arm";
            let (name, because) = (rest.name.text.clone(), share.span);
            self.report(Lint::UnreachableArm { name, span: rest.span, because, what: ALL_LEFT, help });
        }
    }
}

const ALL_LEFT: &str = "this takes all that is left";

/// The condition of an arm that has nothing else.
fn only_condition(arm: &ast::ArmKind) -> Option<&ast::Expr> {
    match arm {
        ast::ArmKind::Clauses(clauses) => match clauses.as_slice() {
            [ast::Clause { kind: ClauseKind::Where(condition), .. }] => Some(condition),
            _ => None,
        },
        _ => None,
    }
}

fn arm_ty(input: &Query) -> Ty {
    Ty::of(TyKind::Segment(input.ty.clone()))
}

fn and(left: Option<Expr>, right: Expr) -> Expr {
    let Some(left) = left else { return right };
    let span = left.span.to(right.span);
    let ty = Ty::of(TyKind::Bool).null_if(left.ty.nullable || right.ty.nullable);
    let kind = ExprKind::Binary { op: ast::BinaryOp::And, left: Box::new(left), right: Box::new(right) };
    Expr { kind, ty, span }
}

fn literal_share(arm: &ArmKind) -> Option<Decimal> {
    let (ArmKind::Share(share) | ArmKind::Sample(Amount::Share(share))) = arm else { return None };
    match &share.kind {
        ExprKind::Literal(Value::Decimal(share)) => Some(*share),
        _ => None,
    }
}

fn is_random(arm: &ast::ArmKind) -> bool {
    match arm {
        ast::ArmKind::Share(_) => true,
        ast::ArmKind::Clauses(clauses) => clauses.iter().any(|clause| matches!(clause.kind, ClauseKind::Sample { .. })),
        _ => false,
    }
}

/// `otherwise`, `where true`
fn takes_all(arm: &ast::ArmKind) -> bool {
    matches!(arm, ast::ArmKind::Otherwise) || only_condition(arm).is_some_and(is_always)
}
