//! Arguments against parameters.

use super::problem::TypeProblem;
use crate::base::{Span, did_you_mean};
use crate::hir::check::Checker;
use crate::syntax::ast;

/// What is called: its name, its parameters and how it is used.
pub(crate) struct Signature<'p> {
    pub name: &'p str,
    /// Name, and whether it may be left out.
    pub params: Vec<(&'p str, bool)>,
    /// For help texts: `left(s: text, n: int): text`.
    pub usage: String,
}

impl Checker<'_> {
    /// The argument of each parameter, `None` for one that is left out. Reports what does not match; the whole is
    /// `None` then.
    pub(crate) fn match_arguments<'e>(
        &mut self,
        signature: &Signature,
        args: Option<&'e ast::Args>,
        span: Span,
    ) -> Option<Vec<Option<&'e ast::Expr>>> {
        let mut found: Vec<Option<&ast::Expr>> = vec![None; signature.params.len()];
        let name = signature.name;
        let place = args.map_or(span, |args| args.span);
        let matched = match args.map(|args| &args.kind) {
            None => Ok(()),
            Some(ast::ArgsKind::Positional(given)) => positional(signature, given, &mut found),
            Some(ast::ArgsKind::Named(given)) => named(signature, given, &mut found),
            Some(ast::ArgsKind::Of { query, .. }) => {
                Err((format!("`{name}` is no aggregate: it takes no `of`"), query.span))
            }
        };
        let missing = signature.params.iter().zip(&found).find(|((_, optional), given)| !optional && given.is_none());
        let outcome = matched.and_then(|()| match missing {
            Some(((param, _), _)) => {
                Err((format!("`{name}` needs {}", super::problem::a_word("argument", param)), place))
            }
            None => Ok(()),
        });
        match outcome {
            Ok(()) => Some(found),
            Err((why, span)) => {
                self.report(TypeProblem::BadArguments { why, usage: signature.usage.clone(), span });
                None
            }
        }
    }
}

type Matched = Result<(), (String, Span)>;

fn positional<'e>(signature: &Signature, given: &'e [ast::Expr], found: &mut [Option<&'e ast::Expr>]) -> Matched {
    if let Some(extra) = given.get(found.len()) {
        let (name, most) = (signature.name, found.len());
        let arguments = match most {
            0 => "no arguments".to_owned(),
            1 => "one argument".to_owned(),
            n => format!("at most {n} arguments"),
        };
        return Err((format!("`{name}` takes {arguments}, not {}", given.len()), extra.span));
    }
    for (slot, arg) in found.iter_mut().zip(given) {
        *slot = Some(arg);
    }
    Ok(())
}

fn named<'e>(signature: &Signature, given: &'e [ast::NamedArg], found: &mut [Option<&'e ast::Expr>]) -> Matched {
    let name = signature.name;
    for arg in given {
        let Some(at) = signature.params.iter().position(|(param, _)| *param == arg.name.text) else {
            let params = signature.params.iter().map(|(param, _)| *param);
            let guess = did_you_mean(&arg.name.text, params).map(|param| format!("; did you mean `{param}`?"));
            let why = format!("`{name}` has no parameter `{}`{}", arg.name.text, guess.unwrap_or_default());
            return Err((why, arg.name.span));
        };
        if found[at].is_some() {
            return Err((format!("`{}` is given twice", arg.name.text), arg.name.span));
        }
        found[at] = Some(&arg.value);
    }
    Ok(())
}
