//! Calls: natives, definitions, aggregates, and the few words that look like functions.

use super::arguments::Signature;
use super::problem::{Advice, TypeProblem};
use super::{Hint, Meaning, node, poisoned, relate, written};
use crate::base::{Span, did_you_mean};
use crate::hir::check::functions::{self, Native, NativeDefault, NativeParam, Shape};
use crate::hir::check::{Checker, Global, Scope};
use crate::hir::{Expr, ExprKind, Ty, TyKind};
use crate::syntax::ast;

impl Checker<'_> {
    /// `callee(args)`
    pub(crate) fn call(
        &mut self,
        expr: &ast::Expr,
        callee: &ast::Expr,
        args: &ast::Args,
        scope: &Scope,
        hint: Option<Hint>,
    ) -> Expr {
        let span = expr.span;
        if let ast::ExprKind::Name(name) = &callee.kind {
            return self.call_by_name(name, args, span, scope, hint);
        }
        match self.resolve(callee, scope) {
            Ok(Meaning::Define { index, on }) => self.expand(index, Some(args), on, span, scope, hint),
            Ok(Meaning::Native(native)) => self.call_native(native, args, span, scope),
            Ok(Meaning::Poisoned) => poisoned(span),
            Ok(_) => {
                let name = written(callee).unwrap_or_else(|| "this".to_owned());
                let what = Some("a value".to_owned());
                self.report(TypeProblem::NotAFunction { name, what, advice: Advice::None, span: callee.span });
                poisoned(span)
            }
            Err(problem) => {
                self.report(*problem);
                poisoned(span)
            }
        }
    }

    /// Functions have names of their own: a field called `count` does not hide the function.
    fn call_by_name(
        &mut self,
        name: &ast::Name,
        args: &ast::Args,
        span: Span,
        scope: &Scope,
        hint: Option<Hint>,
    ) -> Expr {
        if let Some((Global::Define(index), _)) = self.find_global(name)
            && !matches!(self.defines[index].body, ast::DefineBody::Builtin(_))
        {
            return self.expand(index, Some(args), None, span, scope, hint);
        }
        if let Some(function) = functions::aggregate(&name.text) {
            return self.aggregate(function, name, args, span, scope);
        }
        if let Some(native) = functions::native(&name.text) {
            return self.call_native(native, args, span, scope);
        }
        match name.text.as_str() {
            "exists" => self.exists(args, span, scope),
            "ago" => self.ago(args, span, scope, hint),
            "now" => self.moment("now", TyKind::Timestamp, args, span),
            "today" => self.moment("today", TyKind::Date, args, span),
            _ => self.not_a_function(name, args, scope),
        }
    }

    /// A native with its arguments in the order of its parameters, defaults filled in.
    fn call_native(&mut self, native: &'static Native, args: &ast::Args, span: Span, scope: &Scope) -> Expr {
        if let [NativeParam { shape: Shape::Values, .. }] = native.params[..]
            && native.name != "size"
        {
            return self.call_variadic(native, args, span, scope);
        }
        let signature = Signature {
            name: native.name,
            params: native.params.iter().map(|param| (param.name, param.default.is_some())).collect(),
            usage: native.usage.clone(),
        };
        let Some(found) = self.match_arguments(&signature, Some(args), span) else { return poisoned(span) };
        let mut checked: Vec<Expr> = Vec::with_capacity(native.params.len());
        for (param, arg) in native.params.iter().zip(found) {
            let value = match arg {
                // `null_if(tier, "gold")`: a later argument may take its meaning from the first.
                Some(arg) => self.native_argument(param, arg, checked.first(), scope),
                None => default_argument(param, span),
            };
            checked.push(value);
        }
        self.finish_call(native, checked, span)
    }

    /// Any number of arguments.
    fn call_variadic(&mut self, native: &'static Native, args: &ast::Args, span: Span, scope: &Scope) -> Expr {
        let ast::ArgsKind::Positional(given) = &args.kind else {
            let why = format!("the arguments of `{}` have no names", native.name);
            self.report(TypeProblem::BadArguments {
                why,
                usage: format!("{}(a, b, ...)", native.name),
                span: args.span,
            });
            return poisoned(span);
        };
        if given.is_empty() {
            let why = format!("`{}` needs at least one argument", native.name);
            self.report(TypeProblem::BadArguments {
                why,
                usage: format!("{}(a, b, ...)", native.name),
                span: args.span,
            });
            return poisoned(span);
        }
        let mut checked: Vec<Expr> = Vec::with_capacity(given.len());
        for arg in given {
            let known = checked.iter().find(|value| !relate::is_unknown(&value.ty)).map(|value| value.ty.clone());
            checked.push(self.infer(arg, scope, known.as_ref().map(Hint::loosely)));
        }
        self.finish_call(native, checked, span)
    }

    fn finish_call(&mut self, native: &'static Native, args: Vec<Expr>, span: Span) -> Expr {
        if args.iter().any(|arg| arg.ty.is_error()) {
            let ty = match &native.result {
                Shape::Kind(kind) => Ty::of(kind.clone()),
                _ => Ty::error(),
            };
            return node(ExprKind::Error, ty, span);
        }
        match functions::special_result(native, &args) {
            Ok(ty) => node(ExprKind::Call { native: native.name.to_owned(), args }, ty, span),
            Err((first, second)) => {
                let (other, wrong) = (self.side(&args[first]), self.side(&args[second]));
                self.report(TypeProblem::Incomparable { other, wrong, advice: Advice::None });
                poisoned(span)
            }
        }
    }

    fn native_argument(&mut self, param: &NativeParam, arg: &ast::Expr, first: Option<&Expr>, scope: &Scope) -> Expr {
        match &param.shape {
            Shape::Kind(kind) => self.expr(arg, scope, Some(&Ty::of(kind.clone()))),
            Shape::Any => {
                let hint = first.map(|first| first.ty.clone());
                self.infer(arg, scope, hint.as_ref().map(Hint::of))
            }
            Shape::Number => self.argument_of(arg, scope, "number", TyKind::is_number),
            Shape::Moment => self
                .argument_of(arg, scope, "date or timestamp", |kind| matches!(kind, TyKind::Date | TyKind::Timestamp)),
            Shape::Values => self.argument_of(arg, scope, "list", |kind| matches!(kind, TyKind::List(_))),
        }
    }

    /// An argument of one of several types.
    fn argument_of(&mut self, arg: &ast::Expr, scope: &Scope, wanted: &str, fits: fn(&TyKind) -> bool) -> Expr {
        let number = Ty::of(TyKind::Decimal);
        let hint = (wanted == "number").then_some(Hint::of(&number));
        let value = self.infer(arg, scope, hint);
        if relate::is_unknown(&value.ty) || fits(&value.ty.kind) {
            return value;
        }
        let kind = if wanted == "number" { TyKind::Decimal } else { TyKind::Date };
        let advice = self.conversion(&value, &kind, arg);
        let found = value.ty.kind.show(&self.program);
        self.report(TypeProblem::Mismatch { wanted: wanted.to_owned(), found, advice, span: value.span });
        poisoned(arg.span)
    }

    /// `ago(90d)`: a date beside a date, otherwise an instant.
    fn ago(&mut self, args: &ast::Args, span: Span, scope: &Scope, hint: Option<Hint>) -> Expr {
        let usage = "ago(length: duration)".to_owned();
        let signature = Signature { name: "ago", params: vec![("length", false)], usage };
        let Some(found) = self.match_arguments(&signature, Some(args), span) else { return poisoned(span) };
        let Some(Some(length)) = found.first() else { return poisoned(span) };
        let length = self.expr(length, scope, Some(&Ty::of(TyKind::Duration)));
        let is_date = hint.is_some_and(|hint| hint.ty.kind == TyKind::Date);
        let kind = if is_date { TyKind::Date } else { TyKind::Timestamp };
        let ty = Ty::of(kind).null_if(length.ty.nullable);
        node(ExprKind::Ago(Box::new(length)), ty, span)
    }

    fn moment(&mut self, name: &str, kind: TyKind, args: &ast::Args, span: Span) -> Expr {
        let signature = Signature { name, params: Vec::new(), usage: format!("{name}()") };
        match self.match_arguments(&signature, Some(args), span) {
            Some(_) => node(ExprKind::Now, Ty::of(kind), span),
            None => poisoned(span),
        }
    }

    fn not_a_function(&mut self, name: &ast::Name, args: &ast::Args, scope: &Scope) -> Expr {
        let span = name.span;
        let name_expr = ast::Expr { kind: ast::ExprKind::Name(name.clone()), span };
        let (what, advice) = match self.resolve(&name_expr, scope) {
            Ok(Meaning::Poisoned) => return poisoned(span),
            // `tier ("gold")`: the word `in` was forgotten.
            Ok(Meaning::Value(value)) => {
                let ty = value.ty.kind.show(&self.program);
                let (replacement, at) = match written_arguments(args) {
                    Some(values) => (format!("{} in {values}", name.text), span.to(args.span)),
                    None => (format!("{} in", name.text), span),
                };
                let advice = Advice::write_to(replacement, at, "to test for several values");
                (Some(super::problem::a(&ty)), advice)
            }
            Ok(Meaning::Population(_) | Meaning::Many(_)) => {
                let columns = written_arguments(args).filter(|_| is_names(args));
                let advice = Advice::say(match columns {
                    Some(columns) => {
                        let columns = columns.trim_matches(['(', ')']);
                        format!("choose columns with the option `{{ columns: [{columns}] }}` of an export")
                    }
                    None => format!("choose rows with `{} where ...`", name.text),
                });
                (Some("a population".to_owned()), advice)
            }
            Ok(Meaning::Global(global)) => (Some(super::problem::a(global.noun())), Advice::None),
            _ => (None, self.advice_for_call(name, args, scope)),
        };
        self.report(TypeProblem::NotAFunction { name: name.text.clone(), what, advice, span });
        poisoned(args.span)
    }

    pub(super) fn nearest_function(&self, name: &str, span: Span) -> Advice {
        if let Some(advice) = functions::other_name(name) {
            return Advice::say(advice);
        }
        let defines = self.defines.iter().map(|define| define.name.text.as_str());
        match did_you_mean(name, functions::names().into_iter().chain(defines)) {
            Some(nearest) => Advice::write(nearest.to_owned(), span),
            None => Advice::None,
        }
    }
}

/// True for several plain names.
fn is_names(args: &ast::Args) -> bool {
    let ast::ArgsKind::Positional(values) = &args.kind else { return false };
    values.len() > 1 && values.iter().all(|value| matches!(value.kind, ast::ExprKind::Name(_)))
}

/// `("silver", "gold")`
fn written_arguments(args: &ast::Args) -> Option<String> {
    let ast::ArgsKind::Positional(values) = &args.kind else { return None };
    let values: Option<Vec<String>> = values.iter().map(written).collect();
    Some(format!("({})", values?.join(", ")))
}

/// What stands for an argument that was left out.
fn default_argument(param: &NativeParam, span: Span) -> Expr {
    let kind = match &param.shape {
        Shape::Kind(kind) => kind.clone(),
        _ => TyKind::Null,
    };
    match &param.default {
        Some(NativeDefault::Today) => node(ExprKind::Now, Ty::of(TyKind::Date), span),
        // Not nullable: a default of null means something to the native, and does not make its result null.
        Some(NativeDefault::Value(value)) => super::literal(value.clone(), kind, span),
        None => poisoned(span),
    }
}
