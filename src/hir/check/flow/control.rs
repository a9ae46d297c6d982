//! `if`, `parallel`, `repeat`, `for`.

use super::super::super::problem::{Lint, NameProblem};
use super::super::super::{ExprKind, LocalKind, StmtKind, Ty, TyKind, Value};
use super::super::{Bound, Checker, Scope};
use super::cover::{covers, is_always, is_never};
use crate::diag::codes::flow as codes;
use crate::syntax::ast;

impl<'a> Checker<'a> {
    pub(super) fn if_stmt(&mut self, written: &'a ast::If, scope: &Scope) -> StmtKind {
        let mut arms = Vec::new();
        self.lint_conditions(written);
        for (condition, body) in &written.arms {
            let condition = self.predicate(condition, scope);
            arms.push((condition, self.inner_block(body, scope)));
        }
        StmtKind::If { arms, otherwise: self.otherwise(written.otherwise.as_ref(), scope) }
    }

    /// Conditions that cannot hold when they are reached, and an `else` behind one that always does.
    fn lint_conditions(&mut self, written: &ast::If) {
        let mut earlier: Vec<&ast::Expr> = Vec::new();
        for (condition, body) in &written.arms {
            if let Some(before) = earlier.iter().find(|before| covers(before, condition)) {
                let because = if is_always(before) { "this always holds" } else { "this holds whenever it does" };
                self.report(Lint::Unreachable { span: condition.span, after: before.span, because });
            } else if is_never(condition) {
                let because = "this never holds";
                self.report(Lint::Unreachable { span: body.span, after: condition.span, because });
            }
            earlier.push(condition);
        }
        let always = earlier.iter().find(|condition| is_always(condition));
        if let (Some(always), Some(otherwise)) = (always, &written.otherwise) {
            let because = "this always holds";
            self.report(Lint::Unreachable { span: otherwise.span, after: always.span, because });
        }
    }

    /// Branches do not see one another's names; what follows sees all of them.
    pub(super) fn parallel(&mut self, written: &'a [ast::Branch], scope: &mut Scope) -> StmtKind {
        let before = scope.clone();
        let mut branches = Vec::new();
        for (at, branch) in written.iter().enumerate() {
            if let Some(first) = written[..at].iter().find(|first| first.name.value == branch.name.value) {
                let (name, span, first) = (branch.name.value.clone(), branch.name.span, first.name.span);
                self.report(NameProblem::Duplicate { name, what: "a branch", span, first });
            }
            let mut inner = before.clone();
            let body = self.stmts(&branch.body.stmts, &mut inner);
            branches.push((branch.name.value.clone(), body));
            for (name, bound) in inner.locals.iter().skip(before.locals.len()) {
                self.export_name(name.clone(), bound.clone(), before.locals.len(), scope);
            }
        }
        StmtKind::Parallel { branches }
    }

    /// Makes a branch's name visible after the branches, unless another branch has it.
    fn export_name(&mut self, name: String, bound: Bound, from: usize, scope: &mut Scope) {
        let other = scope.locals.iter().skip(from).find(|(known, _)| *known == name).map(|(_, other)| other);
        let (Some(Bound::Local(other)), Bound::Local(local)) = (other, &bound) else {
            return scope.bind_to(name, bound);
        };
        let (span, first) = (self.locals[local.0 as usize].span, &self.locals[other.0 as usize]);
        let (what, first) = (first.kind.known_as(), first.span);
        self.report(NameProblem::Duplicate { name, what, span, first });
    }

    pub(super) fn repeat(&mut self, written: &'a ast::Repeat, scope: &Scope) -> StmtKind {
        let times = self.of_kind(&written.times, scope, TyKind::Int);
        if matches!(times.kind, ExprKind::Literal(Value::Int(number)) if number < 1) {
            let help = "write how often, from 1 on: `repeat 3 times { ... }`";
            self.wrong(codes::BAD_LOOP, "this is never done", help, written.times.span);
        }
        let every = written.every.as_ref().map(|every| self.of_kind(every, scope, TyKind::Duration));
        let until = written.until.as_ref().map(|until| self.predicate(until, scope));
        StmtKind::Repeat { times, every, until, body: self.inner_block(&written.body, scope) }
    }

    pub(super) fn for_stmt(
        &mut self,
        name: &ast::Name,
        list: &ast::Expr,
        body: &'a ast::Block,
        scope: &Scope,
    ) -> Option<StmtKind> {
        let mut inner = scope.clone();
        if self.is_population(list, scope) {
            inner.bind_to(name.text.clone(), Bound::Poisoned);
            self.stmts(&body.stmts, &mut inner);
            let help = "a step handles a whole population at once: use it directly, as in `send email to vip`";
            self.wrong(codes::BAD_LOOP, "`for` goes over the values of a list, not over rows", help, list.span);
            return None;
        }
        let list_span = list.span;
        let list = self.expr(list, scope, None);
        let element = match &list.ty.kind {
            TyKind::List(element) => element.as_ref().clone(),
            TyKind::Error => Ty::error(),
            _ => {
                let help = "write the values in brackets: `for c in [\"FR\", \"DE\"]`";
                self.wrong(codes::BAD_LOOP, "`for` goes over a list", help, list_span);
                Ty::error()
            }
        };
        let local = self.bind_local(name, LocalKind::Loop, element, &mut inner);
        let body = self.stmts(&body.stmts, &mut inner);
        Some(StmtKind::For { local, list, body })
    }
}
