//! Template files: every variable they use must be a field of the rows.

use super::super::problem::{Lint, NameProblem, listed};
use super::super::template::{EACH, Use, uses};
use super::super::{Column, Content, Expr, Ty, TyKind, resolve_path};
use super::{Checker, Scope};
use crate::base::{Span, did_you_mean};
use crate::diag::codes::{names, types};
use crate::syntax::ast;

/// A template where it is named.
struct Template<'t> {
    path: &'t ast::Text,
    scope: &'t Scope,
    /// What was found so far, by the dotted name.
    variables: Vec<(String, Expr)>,
}

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
        let mut template = Template { path, scope, variables: Vec::new() };
        match uses(&text) {
            Ok(uses) => uses.iter().for_each(|used| self.template_use(used, &mut template)),
            Err(reason) => self.report(NameProblem::Declaration {
                code: names::BAD_TEMPLATE,
                why: format!("template `{}`: {reason}", path.value),
                help: "templates are MiniJinja: `{{ name }}`, `{% if name %} ... {% endif %}`".into(),
                span: path.span,
            }),
        }
        Content::File { path: resolved, text, variables: template.variables }
    }

    fn template_use(&mut self, used: &Use, template: &mut Template<'_>) {
        let list = used.path.iter().position(|step| step == EACH);
        let (variable, inside) = used.path.split_at(list.unwrap_or(used.path.len()));
        let name = variable.join(".");
        let value = match template.variables.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => value.clone(),
            None => {
                let value = self.template_variable(variable, used, template);
                template.variables.push((name, value.clone()));
                value
            }
        };
        let Some(ty) = self.inner_ty(&value.ty, inside, used, template) else { return };
        if used.printed && ty.nullable {
            let (variable, path, span) = (shown(&used.path), template.path.value.clone(), template.path.span);
            self.report(Lint::NullInTemplate { variable, path, line: used.line, span });
        }
    }

    /// The value of a variable. What is wrong with it is shown at the file's name, with the line in the file.
    fn template_variable(&mut self, path: &[String], used: &Use, template: &Template<'_>) -> Expr {
        let before = self.problems.len();
        let value = self.expr(&path_expr(path, template.path.span), template.scope, None);
        for mut problem in self.problems.split_off(before) {
            // The edit would be one of the file, and the place is that of its name.
            problem.fix = None;
            self.problems.push(problem.label(format!("in line {} of the file", used.line)));
        }
        value
    }

    /// The type of a path inside the elements of a list.
    fn inner_ty(&mut self, ty: &Ty, inside: &[String], used: &Use, template: &Template<'_>) -> Option<Ty> {
        let Some((step, rest)) = inside.split_first() else { return Some(ty.clone()) };
        let next = match (&ty.kind, step.as_str()) {
            (TyKind::List(element), EACH) => element.as_ref().clone(),
            (TyKind::Error | TyKind::Json, _) => return None,
            (_, EACH) => {
                self.template_problem(types::MISMATCH, "a loop goes over a list, and this is none", used, template);
                return None;
            }
            (TyKind::Record(columns), field) => self.element_field(columns, field, used, template)?,
            (TyKind::Row(entity), field) => {
                let fields = &self.program.entities.get(entity.0 as usize)?.fields;
                let columns = fields.iter().map(|field| Column { name: field.name.clone(), ty: field.ty.clone() });
                let columns: Vec<Column> = columns.collect();
                self.element_field(&columns, field, used, template)?
            }
            // The elements of `list(X of Q)` are values, which people tend to give a name.
            _ => {
                let why = format!("`{}` is a value and has no `{step}`", shown(&used.path[..used.path.len() - 1]));
                self.template_problem(types::UNKNOWN_FIELD, &why, used, template);
                return None;
            }
        };
        self.inner_ty(&next, rest, used, template)
    }

    fn element_field(&mut self, columns: &[Column], name: &str, used: &Use, template: &Template<'_>) -> Option<Ty> {
        if let Some(column) = columns.iter().find(|column| column.name == name) {
            return Some(column.ty.clone());
        }
        let nearest = did_you_mean(name, columns.iter().map(|column| column.name.as_str()));
        let help = match nearest {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("its elements have {}", listed(columns.iter().map(|column| column.name.as_str()).take(8))),
        };
        let why = format!("there is no `{}`", shown(&used.path));
        let problem = crate::diag::Problem::error(types::UNKNOWN_FIELD, why, template.path.span);
        self.report(problem.label(format!("in line {} of the file", used.line)).help(help));
        None
    }

    fn template_problem(&mut self, code: crate::diag::Code, why: &str, used: &Use, template: &Template<'_>) {
        let problem = crate::diag::Problem::error(code, why, template.path.span);
        self.report(problem.label(format!("in line {} of the file", used.line)));
    }
}

/// A path as a template writes it, for an element of a list: `items[].title`.
fn shown(path: &[String]) -> String {
    path.join(".").replace(".[]", "[]")
}

/// `store.city` as an expression that stands where the file's name stands.
fn path_expr(path: &[String], span: Span) -> ast::Expr {
    let mut names = path.iter().map(|text| ast::Name { text: text.clone(), span });
    let first = names.next().unwrap_or(ast::Name { text: String::new(), span });
    let start = ast::Expr { kind: ast::ExprKind::Name(first), span };
    names.fold(start, |base, field| ast::Expr { kind: ast::ExprKind::Field { base: Box::new(base), field }, span })
}
