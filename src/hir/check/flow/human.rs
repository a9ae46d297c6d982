//! `approve` and `task`: steps that people do.

use super::super::super::problem::{FlowProblem, Lint};
use super::super::super::{Expr, Stmt, StmtKind, TyKind};
use super::super::{Checker, Scope};
use crate::base::Span;
use crate::syntax::ast;

/// The parts that both have.
struct Step {
    text: Expr,
    role: Option<Expr>,
    within: Option<Expr>,
    otherwise: Option<Vec<Stmt>>,
}

impl<'a> Checker<'a> {
    pub(super) fn approve(&mut self, written: &'a ast::HumanStep, span: Span, scope: &Scope) -> StmtKind {
        let Step { text, role, within, otherwise } = self.human_step(written, span, "a refusal", scope);
        StmtKind::Approve { text, role, within, otherwise }
    }

    pub(super) fn task(&mut self, written: &'a ast::HumanStep, span: Span, scope: &Scope) -> StmtKind {
        let Step { text, role, within, otherwise } = self.human_step(written, span, "a task that was not done", scope);
        StmtKind::Task { text, role, within, otherwise }
    }

    fn human_step(&mut self, written: &'a ast::HumanStep, span: Span, failure: &'static str, scope: &Scope) -> Step {
        let text = self.text_expr(&written.text, scope);
        let role = written.role.as_ref().map(|role| self.of_kind(role, scope, TyKind::Text));
        let within = self.limit(written.within.as_ref(), scope);
        let otherwise = self.otherwise(written.otherwise.as_ref(), scope);
        match (&within, &otherwise) {
            (Some(limit), None) => self.report(FlowProblem::MissingElse { span: limit.span }),
            (None, _) => self.report(Lint::UnlimitedWait { span }),
            _ => {}
        }
        if let (Some(written), Some(checked)) = (&written.otherwise, &otherwise)
            && !ends(checked)
        {
            self.report(Lint::RefusalGoesOn { what: failure, span: written.span });
        }
        Step { text, role, within, otherwise }
    }

    /// `within 3d`
    pub(super) fn limit(&mut self, within: Option<&ast::Expr>, scope: &Scope) -> Option<Expr> {
        within.map(|within| self.of_kind(within, scope, TyKind::Duration))
    }
}

/// True if nothing is done after these statements: each way through them ends in `stop` or `fail`.
pub(crate) fn ends(stmts: &[Stmt]) -> bool {
    stmts.iter().any(|stmt| match &stmt.kind {
        StmtKind::Stop { .. } | StmtKind::Fail { .. } => true,
        StmtKind::If { arms, otherwise: Some(otherwise) } => arms.iter().all(|(_, body)| ends(body)) && ends(otherwise),
        StmtKind::Parallel { branches } => branches.iter().any(|(_, body)| ends(body)),
        _ => false,
    })
}
