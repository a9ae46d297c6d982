//! Parameters and arguments.

use super::super::problem::NameProblem;
use super::super::{Expr, ExprKind, Param, Ty, Value};
use super::types::not_a_value;
use super::{Checker, Scope};
use crate::base::{Span, did_you_mean};
use crate::diag::codes::flow as codes;
use crate::syntax::ast::{self, ArgsKind};

/// An argument that was given for a parameter.
pub(super) struct Given<'r> {
    /// Index of the parameter.
    pub param: usize,
    pub value: &'r ast::Expr,
}

impl<'a> Checker<'a> {
    /// Parameters that are values, with constant defaults.
    pub(super) fn value_params(&mut self, written: &[ast::Param]) -> Vec<Param> {
        let params = self.params(written);
        for (param, written) in params.iter().zip(written) {
            if let Some(what) = not_a_value(&param.ty.kind) {
                let (what, place) = (what.to_owned(), "a parameter here");
                self.report(NameProblem::MisplacedType { what, place, span: written.ty.span });
            }
        }
        params
    }

    /// Parameters with their types and constant defaults.
    pub(super) fn params(&mut self, written: &[ast::Param]) -> Vec<Param> {
        let mut params: Vec<Param> = Vec::new();
        for param in written {
            let ty = self.ty(&param.ty);
            if let Some(first) = params.iter().find(|first| first.name == param.name.text) {
                let (name, span, first) = (param.name.text.clone(), param.name.span, first.span);
                self.report(NameProblem::Duplicate { name, what: "a parameter", span, first });
                continue;
            }
            let default = param.default.as_ref().and_then(|default| self.constant(default, &ty));
            params.push(Param { name: param.name.text.clone(), span: param.name.span, ty, default, local: None });
        }
        params
    }

    /// Which argument belongs to which parameter; what is too much or missing is reported.
    pub(super) fn assign<'r>(&mut self, params: &[Param], args: &'r ast::Args, of: &str) -> Vec<Given<'r>> {
        let mut given: Vec<Given<'r>> = Vec::new();
        match &args.kind {
            ArgsKind::Positional(values) => {
                for (param, value) in values.iter().enumerate() {
                    if param >= params.len() {
                        self.too_many(params, of, value.span);
                        break;
                    }
                    given.push(Given { param, value });
                }
            }
            ArgsKind::Named(named) => {
                let known = named.iter().filter(|arg| self.assign_named(params, arg, of, &mut given)).count();
                if known < named.len() {
                    // A name that was mistyped is missing as well, which need not be said.
                    return given;
                }
            }
            ArgsKind::Of { query, .. } => {
                let help = signature(params);
                self.wrong(codes::BAD_ARGUMENTS, format!("{of} takes no `of`"), help, query.span);
                return given;
            }
        }
        self.missing_arguments(params, &given, args, of);
        given
    }

    /// False if it was wrong and reported.
    fn assign_named<'r>(
        &mut self,
        params: &[Param],
        arg: &'r ast::NamedArg,
        of: &str,
        given: &mut Vec<Given<'r>>,
    ) -> bool {
        let Some(param) = params.iter().position(|param| param.name == arg.name.text) else {
            let help = match did_you_mean(&arg.name.text, params.iter().map(|param| param.name.as_str())) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => signature(params),
            };
            let why = format!("{of} has no parameter `{}`", arg.name.text);
            self.wrong(codes::BAD_ARGUMENTS, why, help, arg.name.span);
            return false;
        };
        if let Some(first) = given.iter().find(|first| first.param == param) {
            let (name, span, first) = (arg.name.text.clone(), arg.name.span, first.value.span);
            self.report(NameProblem::RepeatedOption { name, span, first });
            return false;
        }
        given.push(Given { param, value: &arg.value });
        true
    }

    fn too_many(&mut self, params: &[Param], of: &str, span: Span) {
        let why = format!(
            "{of} takes {}",
            match params.len() {
                0 => "no arguments".to_owned(),
                1 => "one argument".to_owned(),
                n => format!("{n} arguments"),
            }
        );
        self.wrong(codes::BAD_ARGUMENTS, why, signature(params), span);
    }

    fn missing_arguments(&mut self, params: &[Param], given: &[Given<'_>], args: &ast::Args, of: &str) {
        let missing: Vec<&str> = params
            .iter()
            .enumerate()
            .filter(|(at, param)| {
                param.default.is_none() && !param.ty.nullable && !given.iter().any(|given| given.param == *at)
            })
            .map(|(_, param)| param.name.as_str())
            .collect();
        if let Some(first) = missing.first() {
            let why = format!("{of} needs {}", super::super::problem::listed(missing.iter().copied()));
            self.wrong(codes::BAD_ARGUMENTS, why, format!("add `{first}: ...`"), args.span);
        }
    }

    /// Values for all parameters, in their order: arguments, else defaults, else null.
    pub(super) fn argument_values(&mut self, params: &[Param], args: &ast::Args, of: &str, scope: &Scope) -> Vec<Expr> {
        let given = self.assign(params, args, of);
        let mut values = Vec::new();
        for (at, param) in params.iter().enumerate() {
            values.push(match given.iter().find(|given| given.param == at) {
                Some(given) => self.expr(given.value, scope, Some(&param.ty)),
                None => default_value(param, args.span),
            });
        }
        values
    }

    /// Constants for the parameters that are given.
    pub(super) fn constant_arguments(&mut self, params: &[Param], args: &ast::Args, of: &str) -> Vec<(usize, Value)> {
        let given = self.assign(params, args, of);
        let constants = given.iter().map(|given| (given.param, self.constant(given.value, &params[given.param].ty)));
        constants.filter_map(|(param, value)| value.map(|value| (param, value))).collect()
    }
}

/// A parameter's default, or null where it may be. An argument that had to be given was reported.
pub(super) fn default_value(param: &Param, span: Span) -> Expr {
    let value = match &param.default {
        Some(value) => value.clone(),
        None if param.ty.nullable => Value::Null,
        None => return Expr { kind: ExprKind::Error, ty: Ty::error(), span },
    };
    let nullable = value == Value::Null;
    Expr { kind: ExprKind::Literal(value), ty: Ty { nullable, ..param.ty.clone() }, span }
}

fn signature(params: &[Param]) -> String {
    match params {
        [] => "remove it".to_owned(),
        params => {
            let names: Vec<&str> = params.iter().map(|param| param.name.as_str()).collect();
            format!("its parameters are `({})`", names.join(", "))
        }
    }
}
