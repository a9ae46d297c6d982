//! Flow statements.

mod bind;
mod control;
mod cover;
mod human;
mod split;
mod wait;
mod write;

pub(crate) use human::ends;

use super::super::problem::FlowProblem;
use super::super::{Expr, ExprKind, Query, RowId, Stmt, StmtKind, TemplatePart, Ty, TyKind};
use super::{Checker, Scope};
use crate::base::Span;
use crate::syntax::ast;

impl<'a> Checker<'a> {
    /// The statements of a campaign's body or of a block. Names bound in it stay in `scope`.
    pub(super) fn stmts(&mut self, stmts: &'a [ast::Stmt], scope: &mut Scope) -> Vec<Stmt> {
        let mut checked = Vec::with_capacity(stmts.len());
        if let Some(first) = stmts.first() {
            self.deeper(first.span, |checker| {
                stmts.iter().for_each(|stmt| checker.stmt(stmt, scope, &mut checked));
            });
        }
        checked
    }

    /// A block whose names are not visible after it.
    pub(super) fn inner_block(&mut self, block: &'a ast::Block, scope: &Scope) -> Vec<Stmt> {
        self.stmts(&block.stmts, &mut scope.clone())
    }

    /// An `else { ... }`.
    pub(super) fn otherwise(&mut self, block: Option<&'a ast::Block>, scope: &Scope) -> Option<Vec<Stmt>> {
        block.map(|block| self.inner_block(block, scope))
    }

    /// One statement; a procedure becomes several, a `let` that binds a message none.
    pub(super) fn stmt(&mut self, stmt: &'a ast::Stmt, scope: &mut Scope, out: &mut Vec<Stmt>) {
        use ast::StmtKind as Written;
        let span = stmt.span;
        let kind = match &stmt.kind {
            Written::Segment { name, query } => self.segment(name, query, scope),
            Written::Let { name, ty, value } => self.let_stmt(name, ty.as_ref(), value, scope),
            Written::Split(split) => Some(self.split(split, scope)),
            Written::Wait(wait) => self.wait(wait, span, scope),
            Written::Send(send) => self.send(send, span, scope),
            Written::If(written) => Some(self.if_stmt(written, scope)),
            Written::Parallel(branches) => Some(self.parallel(branches, scope)),
            Written::Repeat(repeat) => Some(self.repeat(repeat, scope)),
            Written::For { name, list, body } => self.for_stmt(name, list, body, scope),
            Written::Approve(step) => Some(self.approve(step, span, scope)),
            Written::Task(step) => Some(self.task(step, span, scope)),
            Written::Alert { text, to } => {
                Some(StmtKind::Alert { text: self.text_expr(text, scope), to: to.text.clone() })
            }
            Written::Emit { signal, args } => self.emit(signal, args, scope),
            Written::Log { text } => Some(StmtKind::Log { text: self.text_expr(text, scope) }),
            Written::Require { condition, reason } => {
                let condition = self.predicate(condition, scope);
                Some(StmtKind::Require { condition, reason: self.reason(reason.as_ref(), scope) })
            }
            Written::Stop { reason } => Some(StmtKind::Stop { reason: self.reason(reason.as_ref(), scope) }),
            Written::Fail { reason } => Some(StmtKind::Fail { reason: self.reason(reason.as_ref(), scope) }),
            Written::Do { procedure, args } => return self.do_stmt(procedure, args, span, scope, out),
            _ => self.write_stmt(stmt, scope),
        };
        if let Some(kind) = kind {
            self.push(kind, span, out);
        }
    }

    /// Adds a statement that comes from `span`.
    pub(super) fn push(&self, kind: StmtKind, span: Span, out: &mut Vec<Stmt>) {
        out.push(Stmt { kind, span, calls: self.calls.iter().map(|(_, span)| *span).collect() });
    }

    /// Statements that write data, and those that cannot stand in a flow.
    fn write_stmt(&mut self, stmt: &'a ast::Stmt, scope: &Scope) -> Option<StmtKind> {
        use ast::StmtKind as Written;
        match &stmt.kind {
            Written::Save { segment, audience } => {
                let query = self.query(segment, scope);
                Some(StmtKind::Save { query, audience: self.text_expr(audience, scope) })
            }
            Written::Export { segment, to, options } => Some(self.export(segment, to, options.as_ref(), scope)),
            Written::Update { segment, set } => Some(self.update(segment, set, scope)),
            Written::Upsert { segment, entity, on, set } => self.upsert(segment, (entity, on), set, stmt.span, scope),
            Written::Insert { segment, entity, set } => self.insert(segment, entity, set, stmt.span, scope),
            Written::Delete { segment } => Some(self.delete(segment, scope)),
            Written::Subscribe { segment, topic } => Some(self.subscribe(segment, topic, true, scope)),
            Written::Unsubscribe { segment, topic } => Some(self.subscribe(segment, topic, false, scope)),
            _ => {
                self.misplaced(stmt, "inside a flow");
                None
            }
        }
    }

    /// Reports a statement that cannot stand here. A piece that could not be parsed was reported already.
    pub(super) fn misplaced(&mut self, stmt: &ast::Stmt, place: &'static str) {
        use ast::StmtKind::*;
        let (what, help) = match &stmt.kind {
            Error => return,
            Use(_) | Entity(_) | Topic(_) | Channel(_) | Message(_) | Policy(_) | Signal(_) | Define(_)
            | Campaign(_) | Test(_) => {
                self.lost_names.extend(declared_name(&stmt.kind).map(|name| name.text.clone()));
                ("a declaration", "move it to the top level of the file")
            }
            Param(_) => {
                ("`param`", "declare parameters behind the campaign's name, or at the top level of a file that is one")
            }
            Given { .. }
            | At { .. }
            | Run { .. }
            | Advance { .. }
            | Feedback { .. }
            | Decide { .. }
            | Expect { .. } => ("a line of a test", "move it into a `test \"...\" { ... }`"),
            _ => ("a flow statement", "tests have lines such as `given`, `at`, `run`, `advance` and `expect`"),
        };
        self.report(FlowProblem::Misplaced { what, place, help, span: stmt.span });
    }

    /// Text to show; other values are formatted as in a template.
    pub(super) fn text_expr(&mut self, written: &ast::Expr, scope: &Scope) -> Expr {
        self.lint_holes(written);
        let checked = self.expr(written, scope, None);
        if checked.ty.kind.is_text() || checked.ty.is_error() {
            return checked;
        }
        let span = checked.span;
        Expr { kind: ExprKind::Template(vec![TemplatePart::Hole(checked)]), ty: Ty::of(TyKind::Text), span }
    }

    fn reason(&mut self, written: Option<&ast::Expr>, scope: &Scope) -> Option<Expr> {
        written.map(|reason| self.text_expr(reason, scope))
    }

    /// A value of the type.
    pub(super) fn of_kind(&mut self, written: &ast::Expr, scope: &Scope, kind: TyKind) -> Expr {
        self.expr(written, scope, Some(&Ty::of(kind)))
    }

    /// A fresh row of the population, and the scope in which its fields are visible.
    pub(super) fn row_scope(&mut self, query: &Query, written: &ast::Expr, scope: &Scope) -> (RowId, Scope) {
        let row = self.row_of(query, written);
        (row.row, scope.with_row(row))
    }
}

/// How a statement's population is called in reports.
pub(super) fn short_name(written: &ast::Expr) -> String {
    match &written.kind {
        ast::ExprKind::Name(name) => name.text.clone(),
        ast::ExprKind::Paren(inner) => short_name(inner),
        ast::ExprKind::Field { base, field } => format!("{}.{}", short_name(base), field.text),
        ast::ExprKind::Clause { input, clause } => format!("{} {} ...", short_name(input), clause_word(&clause.kind)),
        ast::ExprKind::SetOp { op, left, right, .. } => {
            format!("{} {} {}", short_name(left), set_word(*op), short_name(right))
        }
        ast::ExprKind::Audience { name, .. } => format!("audience \"{}\"", name.value),
        _ => "...".to_owned(),
    }
}

fn clause_word(clause: &ast::ClauseKind) -> &'static str {
    match clause {
        ast::ClauseKind::Where(_) => "where",
        ast::ClauseKind::With(_) => "with",
        ast::ClauseKind::Dedupe { .. } => "dedupe",
        ast::ClauseKind::OrderBy(_) => "order",
        ast::ClauseKind::Limit { .. } => "limit",
        ast::ClauseKind::Sample { .. } => "sample",
        ast::ClauseKind::Match { .. } => "match",
        ast::ClauseKind::New { .. } => "new",
    }
}

fn set_word(op: ast::SetOp) -> &'static str {
    match op {
        ast::SetOp::Union => "union",
        ast::SetOp::Intersect => "intersect",
        ast::SetOp::Except => "except",
    }
}

/// The name that a declaration gives.
fn declared_name(kind: &ast::StmtKind) -> Option<&ast::Name> {
    use ast::StmtKind::*;
    match kind {
        Entity(entity) => Some(&entity.name),
        Topic(topic) => Some(&topic.name),
        Channel(channel) => Some(&channel.name),
        Message(message) => Some(&message.name),
        Policy(policy) => Some(&policy.name),
        Signal(signal) => Some(&signal.name),
        Define(define) => Some(&define.name),
        _ => None,
    }
}
