//! What a template file looks at. Only its variables are read, nothing is rendered here.

use minijinja::machinery::ast::{BinOpKind, Call, CallArg, Expr, Macro, Stmt};
use minijinja::machinery::parse;

/// A place in a template that looks at a value of the row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Use {
    /// `store`, `city`. Below [`EACH`] are the elements of a list: `items`, `[]`, `title`.
    pub path: Vec<String>,
    /// Line in the template, from 1.
    pub line: u32,
    /// It is printed as it is, so that null would be an error when the message is made.
    pub printed: bool,
}

/// The step from a list to its elements.
pub(crate) const EACH: &str = "[]";

/// All uses in a template, or why it cannot be one.
pub(crate) fn uses(text: &str) -> Result<Vec<Use>, String> {
    let tree = parse(text, "template", Default::default()).map_err(|error| reason(&error))?;
    let mut walk = Walk::default();
    walk.stmt(&tree);
    match walk.refused {
        Some(refused) => Err(refused),
        None => Ok(walk.uses),
    }
}

fn reason(error: &minijinja::Error) -> String {
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    match error.line() {
        Some(line) => format!("line {line}: {detail}"),
        None => detail,
    }
}

#[derive(Default)]
struct Walk {
    uses: Vec<Use>,
    /// Names that the template binds, and the path they stand for where that is known. Later ones hide earlier ones.
    bound: Vec<(String, Option<Vec<String>>)>,
    /// Paths that an `if` around this place tests.
    tested: Vec<Vec<String>>,
    /// A construct that cannot be used here.
    refused: Option<String>,
}

impl Walk {
    fn body(&mut self, stmts: &[Stmt<'_>]) {
        stmts.iter().for_each(|stmt| self.stmt(stmt));
    }

    /// Statements whose names are forgotten afterwards.
    fn inner(&mut self, stmts: &[Stmt<'_>]) {
        let before = self.bound.len();
        self.body(stmts);
        self.bound.truncate(before);
    }

    fn stmt(&mut self, stmt: &Stmt<'_>) {
        match stmt {
            Stmt::Template(template) => self.body(&template.children),
            Stmt::EmitExpr(emit) => self.expr(&emit.expr, true),
            Stmt::ForLoop(each) => {
                self.expr(&each.iter, false);
                let before = self.bound.len();
                self.bind(&each.target, self.element_of(&each.iter));
                self.bound.push(("loop".to_owned(), None));
                self.optional(each.filter_expr.as_ref());
                self.body(&each.body);
                self.bound.truncate(before);
                self.inner(&each.else_body);
            }
            Stmt::IfCond(condition) => {
                self.expr(&condition.expr, false);
                let before = self.tested.len();
                self.test(&condition.expr);
                self.body(&condition.true_body);
                self.body(&condition.false_body);
                self.tested.truncate(before);
            }
            Stmt::WithBlock(with) => {
                let before = self.bound.len();
                for (target, value) in &with.assignments {
                    self.expr(value, false);
                    self.bind(target, self.path(value));
                }
                self.body(&with.body);
                self.bound.truncate(before);
            }
            Stmt::Set(set) => {
                self.expr(&set.expr, false);
                self.bind(&set.target, self.path(&set.expr));
            }
            Stmt::SetBlock(set) => {
                self.inner(&set.body);
                self.bind(&set.target, None);
            }
            Stmt::AutoEscape(block) => self.body(&block.body),
            Stmt::FilterBlock(block) => self.body(&block.body),
            Stmt::Block(block) => self.inner(&block.body),
            Stmt::Macro(written) => self.written_macro(written),
            Stmt::CallBlock(block) => {
                self.call(&block.call);
                self.written_macro(&block.macro_decl);
            }
            Stmt::Do(written) => self.call(&written.call),
            Stmt::EmitRaw(_) => {}
            Stmt::Include(node) => self.refuse("include", node.span().start_line),
            Stmt::Extends(node) => self.refuse("extends", node.span().start_line),
            Stmt::Import(node) => self.refuse("import", node.span().start_line),
            Stmt::FromImport(node) => self.refuse("import", node.span().start_line),
        }
    }

    fn refuse(&mut self, what: &str, line: u16) {
        let why = format!("line {line}: `{what}` is not possible, a template is one file");
        self.refused.get_or_insert(why);
    }

    fn written_macro(&mut self, written: &Macro<'_>) {
        self.bound.push((written.name.to_owned(), None));
        let before = self.bound.len();
        written.defaults.iter().for_each(|value| self.expr(value, false));
        written.args.iter().for_each(|arg| self.bind(arg, None));
        self.bound.push(("caller".to_owned(), None));
        self.body(&written.body);
        self.bound.truncate(before);
    }

    /// Binds the names of a target; only a single name can stand for a path.
    fn bind(&mut self, target: &Expr<'_>, path: Option<Vec<String>>) {
        match target {
            Expr::Var(name) => self.bound.push((name.id.to_owned(), path)),
            Expr::List(names) => names.items.iter().for_each(|name| self.bind(name, None)),
            Expr::Tuple(names) => names.items.iter().for_each(|name| self.bind(name, None)),
            _ => {}
        }
    }

    /// The path that a name or an attribute stands for, if it begins at the row.
    fn path(&self, expr: &Expr<'_>) -> Option<Vec<String>> {
        match expr {
            Expr::Var(name) => match self.bound.iter().rev().find(|(known, _)| known == name.id) {
                Some((_, path)) => path.clone(),
                None if GLOBALS.contains(&name.id) => None,
                None => Some(vec![name.id.to_owned()]),
            },
            Expr::GetAttr(attribute) => {
                let mut path = self.path(&attribute.expr)?;
                path.push(attribute.name.to_owned());
                Some(path)
            }
            // `items[0]` is an element like any other.
            Expr::GetItem(item) if matches!(&item.subscript_expr, Expr::Const(at) if at.value.as_i64().is_some()) => {
                self.element_of(&item.expr)
            }
            _ => None,
        }
    }

    /// What the variable of a loop stands for.
    fn element_of(&self, list: &Expr<'_>) -> Option<Vec<String>> {
        let mut path = match list {
            // `items | sort`, `items[:3]` and the like keep the elements.
            Expr::Filter(filter) if KEEPING.contains(&filter.name) => return self.element_of(filter.expr.as_ref()?),
            Expr::Slice(slice) => return self.element_of(&slice.expr),
            other => self.path(other)?,
        };
        path.push(EACH.to_owned());
        Some(path)
    }

    fn optional(&mut self, expr: Option<&Expr<'_>>) {
        if let Some(expr) = expr {
            self.expr(expr, false);
        }
    }

    fn expr(&mut self, expr: &Expr<'_>, printed: bool) {
        if let Some(path) = self.path(expr) {
            let printed = printed && !self.tested.contains(&path);
            self.uses.push(Use { path, line: u32::from(expr.span().start_line), printed });
            return;
        }
        match expr {
            Expr::Var(_) | Expr::Const(_) => {}
            Expr::GetAttr(attribute) => self.expr(&attribute.expr, false),
            Expr::GetItem(item) => {
                self.expr(&item.expr, false);
                self.expr(&item.subscript_expr, false);
            }
            Expr::Slice(slice) => {
                self.expr(&slice.expr, false);
                [&slice.start, &slice.stop, &slice.step].into_iter().for_each(|part| self.optional(part.as_ref()));
            }
            Expr::UnaryOp(unary) => self.expr(&unary.expr, false),
            Expr::BinOp(binary) => {
                let printed = printed && matches!(binary.op, BinOpKind::Concat);
                self.expr(&binary.left, printed);
                self.expr(&binary.right, printed);
            }
            Expr::Compare(compare) => {
                self.expr(&compare.expr, false);
                compare.ops.iter().for_each(|op| self.expr(&op.expr, false));
            }
            Expr::IfExpr(choice) => {
                self.expr(&choice.test_expr, false);
                let before = self.tested.len();
                self.test(&choice.test_expr);
                self.expr(&choice.true_expr, printed);
                choice.false_expr.iter().for_each(|otherwise| self.expr(otherwise, printed));
                self.tested.truncate(before);
            }
            Expr::Filter(filter) => {
                let guarded = ["default", "d"].contains(&filter.name);
                filter.expr.iter().for_each(|inner| self.expr(inner, printed && !guarded));
                self.args(&filter.args);
            }
            Expr::Test(test) => {
                self.expr(&test.expr, false);
                self.args(&test.args);
            }
            Expr::Call(call) => self.call(call),
            Expr::List(list) => list.items.iter().for_each(|item| self.expr(item, false)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.expr(item, false)),
            Expr::Map(map) => map.keys.iter().chain(&map.values).for_each(|item| self.expr(item, false)),
        }
    }

    fn call(&mut self, call: &Call<'_>) {
        match &call.expr {
            // A function, or a method of a value.
            Expr::Var(_) => {}
            Expr::GetAttr(method) => self.expr(&method.expr, false),
            other => self.expr(other, false),
        }
        self.args(&call.args);
    }

    fn args(&mut self, args: &[CallArg<'_>]) {
        for arg in args {
            match arg {
                CallArg::Pos(value)
                | CallArg::Kwarg(_, value)
                | CallArg::PosSplat(value)
                | CallArg::KwargSplat(value) => {
                    self.expr(value, false);
                }
            }
        }
    }

    /// Notes the paths that a condition tests: somebody thought of their being null.
    fn test(&mut self, condition: &Expr<'_>) {
        if let Some(path) = self.path(condition) {
            self.tested.push(path);
            return;
        }
        match condition {
            Expr::UnaryOp(unary) => self.test(&unary.expr),
            Expr::BinOp(binary) => {
                self.test(&binary.left);
                self.test(&binary.right);
            }
            Expr::Compare(compare) => {
                self.test(&compare.expr);
                compare.ops.iter().for_each(|op| self.test(&op.expr));
            }
            Expr::Test(test) => self.test(&test.expr),
            _ => {}
        }
    }
}

/// Names that MiniJinja knows itself.
const GLOBALS: &[&str] = &["range", "dict", "debug", "namespace", "loop", "self", "true", "false", "none"];

/// Filters that give the elements of what they are given.
const KEEPING: &[&str] = &["sort", "reverse", "unique", "list", "select", "reject", "selectattr", "rejectattr"];

#[cfg(test)]
mod tests {
    use super::uses;

    fn shown(text: &str) -> Vec<String> {
        let mark =
            |used: super::Use| format!("{}:{}{}", used.line, used.path.join("."), if used.printed { "!" } else { "" });
        uses(text).map_or_else(|error| vec![error], |uses| uses.into_iter().map(mark).collect())
    }

    #[test]
    fn uses_know_their_line_and_whether_null_would_be_printed() {
        let table: &[(&str, &[&str])] = &[
            ("Hi {{ name }}", &["1:name!"]),
            ("Hi\n{{ store.city | upper }}", &["2:store.city!"]),
            ("{{ name | default('you') }}", &["1:name"]),
            ("{% if name %}{{ name }}{% endif %}", &["1:name", "1:name"]),
            ("{% if name is none %}you{% else %}{{ name }}{% endif %}", &["1:name", "1:name"]),
            ("{{ name if name else 'you' }}", &["1:name", "1:name"]),
            ("{% for i in items %}{{ i.title }}{{ loop.index }}{% endfor %}", &["1:items", "1:items.[].title!"]),
            ("{% for i in items | sort %}{{ i }}{% endfor %}", &["1:items", "1:items.[]!"]),
            ("{{ items[0].title }}", &["1:items.[].title!"]),
            ("{% set n = name %}{{ n }}{{ range(3) }}", &["1:name", "1:name!"]),
            ("{% with n = name ~ 'x' %}{{ n }}{% endwith %}", &["1:name"]),
            ("{% macro m(a) %}{{ a }}{{ b }}{% endmacro %}{{ m(c) }}", &["1:b!", "1:c"]),
            ("{{ a ~ b }} {{ c + 1 }}", &["1:a!", "1:b!", "1:c"]),
            ("{% include 'x' %}", &["line 1: `include` is not possible, a template is one file"]),
        ];
        for (text, expected) in table {
            assert_eq!(shown(text), *expected, "{text}");
        }
        assert!(shown("{% if x %}")[0].starts_with("line 1: "), "{:?}", shown("{% if x %}"));
    }
}
