//! `do`: procedures are put in where they are called.

use super::super::problem::FlowProblem;
use super::super::{Expr, ExprKind, Local, LocalKind, MessageId, Param, QueryKind, Stmt, StmtKind, Ty, TyKind, Value};
use super::arguments::default_value;
use super::{Bound, Checker, Global, Scope};
use crate::base::Span;
use crate::diag::codes::flow as codes;
use crate::syntax::ast;

/// How deep procedures may call one another.
const DEEPEST: usize = 64;

/// How many calls of procedures a program may make when all are put in.
const MOST: usize = 10_000;

impl<'a> Checker<'a> {
    /// `do remind(vip, welcome, 3d)`
    pub(super) fn do_stmt(
        &mut self,
        procedure: &ast::Expr,
        args: &ast::Args,
        span: Span,
        scope: &Scope,
        out: &mut Vec<Stmt>,
    ) {
        let Some((name, define, block)) = self.procedure_named(procedure) else { return };
        let outer = self.calls.iter().map(|(known, _)| known);
        let mut path: Vec<String> = self.procedure.iter().chain(outer).cloned().collect();
        if path.contains(&name) {
            if !self.recursive.contains(&name) {
                path.push(name);
                self.recursive.extend(path.iter().cloned());
                self.report(FlowProblem::Recursion { path, span: procedure.span });
            }
            return;
        }
        if !self.room_for(&name, procedure.span) {
            return;
        }
        let params = self.procedure_params(define);
        let given = self.assign(&params, args, &format!("procedure `{name}`"));
        let mut inner = Scope::default();
        for (at, param) in params.iter().enumerate() {
            let value = given.iter().find(|given| given.param == at).map(|given| given.value);
            let bound = self.argument(param, value, args.span, scope, out);
            inner.bind_to(format!("{name}.{}", param.name), bound.clone());
            inner.bind_to(param.name.clone(), bound);
        }
        self.calls.push((name, span));
        let body = self.stmts(&block.stmts, &mut inner);
        self.calls.pop();
        out.extend(body);
    }

    fn procedure_named(&mut self, written: &ast::Expr) -> Option<(String, &'a ast::Define, &'a ast::Block)> {
        let name = match &written.kind {
            ast::ExprKind::Name(name) => name.clone(),
            ast::ExprKind::Field { base, field } => match &base.kind {
                ast::ExprKind::Name(module) => {
                    ast::Name { text: format!("{}.{}", module.text, field.text), span: written.span }
                }
                _ => return None,
            },
            _ => return None,
        };
        let Some(Global::Define(at)) = self.lookup_global(&name, "function") else { return None };
        let define = self.defines[at];
        match &define.body {
            ast::DefineBody::Block(block) => Some((name.text, define, block)),
            _ => {
                let why = format!("`{}` is a value, not something to do", name.text);
                let help = "`do` calls definitions with a block: `define NAME(...) { ... }`";
                self.wrong(codes::BAD_ARGUMENTS, why, help, written.span);
                None
            }
        }
    }

    /// Calls that multiply (each procedure calling the next one twice) would grow without end.
    fn room_for(&mut self, name: &str, span: Span) -> bool {
        self.procedures_put_in += 1;
        let why = if self.calls.len() >= DEEPEST {
            format!("procedures call one another more than {DEEPEST} deep")
        } else if self.procedures_put_in == MOST {
            format!("procedures call one another so often that they make {MOST} calls together")
        } else {
            return self.procedures_put_in < MOST;
        };
        let help = format!("call `{name}` less often, or use `repeat`");
        self.wrong(codes::TOO_MANY_CALLS, why, help, span);
        false
    }

    /// Parameters of a procedure. What is wrong with them is reported where it is checked by itself.
    fn procedure_params(&mut self, define: &'a ast::Define) -> Vec<Param> {
        let before = self.problems.len();
        let params = self.params(&define.params);
        self.problems.truncate(before);
        params
    }

    /// What a parameter stands for in the procedure. A population is bound to a segment of its own and a value to a
    /// `let`, so that both are computed once, when the procedure begins.
    fn argument(
        &mut self,
        param: &Param,
        value: Option<&ast::Expr>,
        call: Span,
        scope: &Scope,
        out: &mut Vec<Stmt>,
    ) -> Bound {
        let Some(value) = value else {
            // A missing argument was reported.
            return if param.default.is_some() || param.ty.nullable {
                Bound::Value(Box::new(default_value(param, call)))
            } else {
                Bound::Poisoned
            };
        };
        match &param.ty.kind {
            TyKind::Error => Bound::Poisoned,
            TyKind::Message(channel) => self.message_argument(channel, value, scope),
            TyKind::Segment(_) => self.segment_argument(param, value, scope, out),
            TyKind::Delivery(_) => self.delivery_argument(param, value, scope),
            _ => self.value_argument(param, value, scope, out),
        }
    }

    fn message_argument(&mut self, channel: &str, value: &ast::Expr, scope: &Scope) -> Bound {
        let Some(id) = self.message_named(value, scope) else {
            match &value.kind {
                // A parameter of the procedure that is being checked by itself.
                ast::ExprKind::Name(name) if matches!(scope.bound(&name.text), Some(Bound::Poisoned)) => {}
                ast::ExprKind::Name(name) => drop(self.lookup_global(name, "message")),
                _ => self.wrong_option("message", "the name of a message", value.span),
            }
            return Bound::Poisoned;
        };
        if self.channel_of(id) != Some(channel) {
            let message = self.program[id].name.clone();
            let of = self.channel_of(id).unwrap_or_default().to_owned();
            let why = format!("message `{message}` is for channel `{of}`, not for `{channel}`");
            self.wrong(codes::WRONG_CHANNEL, why, format!("give a message of channel `{channel}`"), value.span);
            return Bound::Poisoned;
        }
        Bound::Message(id)
    }

    fn channel_of(&self, id: MessageId) -> Option<&str> {
        let channel = self.program[id].channel;
        self.program.channels.get(channel.0 as usize).map(|channel| channel.name.as_str())
    }

    fn segment_argument(&mut self, param: &Param, value: &ast::Expr, scope: &Scope, out: &mut Vec<Stmt>) -> Bound {
        let query = self.query(value, scope);
        if query.ty.is_error() {
            return Bound::Poisoned;
        }
        if let TyKind::Segment(wanted) = &param.ty.kind
            && !wanted.is_error()
            && wanted.entity != query.ty.entity
        {
            let (wanted, given) = (&self.program[wanted.entity].name, &self.program[query.ty.entity].name);
            let why = format!("`{}` is a segment of `{wanted}`, this is one of `{given}`", param.name);
            self.wrong(codes::WRONG_ENTITY, why, format!("give a population of `{wanted}`"), value.span);
            return Bound::Poisoned;
        }
        if let QueryKind::Local(local) = query.kind {
            return Bound::Local(local);
        }
        let ty = Ty::of(TyKind::Segment(query.ty.clone()));
        let local = self.argument_local(param, LocalKind::Segment, ty, value.span);
        self.bound_segment(local, &query);
        self.push(StmtKind::Segment { local, query }, value.span, out);
        Bound::Local(local)
    }

    fn delivery_argument(&mut self, param: &Param, value: &ast::Expr, scope: &Scope) -> Bound {
        let local = match &value.kind {
            ast::ExprKind::Name(name) => scope.local(&name.text),
            _ => None,
        };
        match local {
            Some(local) if matches!(self.locals[local.0 as usize].ty.kind, TyKind::Delivery(_)) => Bound::Local(local),
            _ => {
                self.wrong_option(&param.name, "the name of a send: `send ... as NAME`", value.span);
                Bound::Poisoned
            }
        }
    }

    fn value_argument(&mut self, param: &Param, value: &ast::Expr, scope: &Scope, out: &mut Vec<Stmt>) -> Bound {
        let span = value.span;
        let value = self.expr(value, scope, Some(&param.ty));
        if matches!(value.kind, ExprKind::Literal(_) | ExprKind::Local(_) | ExprKind::Error) {
            return Bound::Value(Box::new(value));
        }
        let local = self.argument_local(param, LocalKind::Let, value.ty.clone(), span);
        self.push(StmtKind::Let { local, value }, span, out);
        Bound::Local(local)
    }

    fn argument_local(&mut self, param: &Param, kind: LocalKind, ty: Ty, span: Span) -> super::super::LocalId {
        self.add_local(Local { name: param.name.clone(), span, kind, ty })
    }

    /// Procedures, each by itself, as far as that is possible without arguments.
    pub(super) fn check_procedures(&mut self) {
        for at in 0..self.defines.len() {
            let define = self.defines[at];
            let ast::DefineBody::Block(block) = &define.body else { continue };
            self.locals.clear();
            let params = self.params(&define.params);
            let mut scope = Scope::default();
            for param in params {
                let bound = self.unknown_argument(&param);
                scope.bind_to(format!("{}.{}", define.name.text, param.name), bound.clone());
                scope.bind_to(param.name, bound);
            }
            self.procedure = Some(define.name.text.clone());
            self.stmts(&block.stmts, &mut scope);
        }
        self.procedure = None;
        self.locals.clear();
    }

    /// A stand-in for an argument of the parameter's type.
    fn unknown_argument(&mut self, param: &Param) -> Bound {
        match &param.ty.kind {
            TyKind::Error | TyKind::Message(_) => Bound::Poisoned,
            TyKind::Segment(segment) if segment.is_error() => Bound::Poisoned,
            TyKind::Segment(_) => {
                Bound::Local(self.argument_local(param, LocalKind::Segment, param.ty.clone(), param.span))
            }
            TyKind::Delivery(_) => {
                Bound::Local(self.argument_local(param, LocalKind::Delivery, param.ty.clone(), param.span))
            }
            _ => Bound::Value(Box::new(Expr {
                kind: ExprKind::Literal(Value::Null),
                ty: param.ty.clone(),
                span: param.span,
            })),
        }
    }
}
