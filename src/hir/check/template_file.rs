//! Template files: every variable they use must be a field of the rows.

use std::collections::BTreeSet;

use super::super::problem::{Lint, NameProblem};
use super::super::{Content, resolve_path};
use super::{Checker, Scope};
use crate::base::Span;
use crate::diag::codes::names as codes;
use crate::syntax::ast;

impl Checker<'_> {
    /// `file "welcome.html"`
    pub(super) fn template_file(&mut self, path: &ast::Text, scope: &Scope) -> Content {
        let from = self.file(path.span.source).map_or("", |file| file.name.as_str());
        let resolved = resolve_path(from, &path.value);
        let text = match self.environment.templates.get(&resolved) {
            Some(Ok(text)) => text.clone(),
            Some(Err(reason)) => {
                let (path, reason, span) = (path.value.clone(), reason.clone(), path.span);
                self.report(NameProblem::UnreadableFile { path, reason, span });
                String::new()
            }
            None => String::new(),
        };
        let variables = match used_variables(&text) {
            Ok(variables) => variables,
            Err(reason) => {
                self.report(NameProblem::Declaration {
                    code: codes::BAD_TEMPLATE,
                    why: format!("template `{}`: {reason}", path.value),
                    help: "templates are MiniJinja: `{{ name }}`, `{% if name %} ... {% endif %}`".into(),
                    span: path.span,
                });
                BTreeSet::new()
            }
        };
        let mut checked = Vec::new();
        for variable in variables {
            let written = path_expr(&variable, path.span);
            let value = self.expr(&written, scope, None);
            if value.ty.nullable && !has_default(&text, &variable) {
                let (path, span) = (path.value.clone(), path.span);
                self.report(Lint::NullInTemplate { variable: variable.clone(), path, span });
            }
            checked.push((variable, value));
        }
        Content::File { path: resolved, text, variables: checked }
    }
}

/// Variables of a template, `store.city` among them. What the template itself sets, and `loop`, is not one.
fn used_variables(text: &str) -> Result<BTreeSet<String>, String> {
    let environment = minijinja::Environment::new();
    let template = environment.template_from_str(text).map_err(|error| short_error(&error))?;
    let whole = template.undeclared_variables(false);
    let known = environment.globals().map(|(name, _)| name.to_owned()).collect::<BTreeSet<_>>();
    let nested = template.undeclared_variables(true);
    let used = nested.into_iter().filter(|name| {
        let first = name.split('.').next().unwrap_or(name);
        whole.contains(first) && !known.contains(first)
    });
    Ok(used.collect())
}

fn short_error(error: &minijinja::Error) -> String {
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    match error.line() {
        Some(line) => format!("line {line}: {detail}"),
        None => detail,
    }
}

/// `store.city` as an expression that stands where the file's name stands.
fn path_expr(variable: &str, span: Span) -> ast::Expr {
    let mut names = variable.split('.').map(|text| ast::Name { text: text.to_owned(), span });
    let first = names.next().unwrap_or(ast::Name { text: String::new(), span });
    let start = ast::Expr { kind: ast::ExprKind::Name(first), span };
    names.fold(start, |base, field| ast::Expr { kind: ast::ExprKind::Field { base: Box::new(base), field }, span })
}

/// True if every use of the variable looks guarded: by a `default` filter or by an `if`.
fn has_default(text: &str, variable: &str) -> bool {
    text.match_indices(variable).all(|(at, _)| {
        let rest = text[at + variable.len()..].trim_start();
        rest.strip_prefix('|').is_some_and(|filter| filter.trim_start().starts_with("default"))
            || text[..at].trim_end().ends_with("if")
            || text[..at].contains(&format!("if {variable}"))
    })
}
