//! `export`, `update`, `upsert`, `insert`, `delete`, `subscribe`.

use super::super::super::problem::{FlowProblem, Lint, NameProblem};
use super::super::super::{ColumnRef, EntityId, Expr, ExprKind, Query, QueryKind, RowId, SourceLocation, StmtKind};
use super::super::super::{Ty, TyKind, Value};
use super::super::options::{OptionKind, OptionSpec};
use super::super::{Checker, Global, RowScope, Scope};
use crate::base::{Span, did_you_mean};
use crate::diag::Problem;
use crate::diag::codes::{flow as codes, types};
use crate::syntax::ast;

const EXPORT: &[OptionSpec] = &[
    OptionSpec { name: "columns", kind: OptionKind::Names },
    OptionSpec { name: "if_empty", kind: OptionKind::Word(&["skip", "write", "fail"]) },
    OptionSpec { name: "append", kind: OptionKind::Constant(TyKind::Bool) },
    OptionSpec { name: "order", kind: OptionKind::Elsewhere },
    OptionSpec { name: "format", kind: OptionKind::Word(&["csv", "fixed", "ndjson", "parquet", "arrow"]) },
    OptionSpec { name: "widths", kind: OptionKind::Constants(TyKind::Int) },
    OptionSpec { name: "align", kind: OptionKind::Names },
    OptionSpec { name: "pad", kind: OptionKind::Constants(TyKind::Text) },
    OptionSpec { name: "too_long", kind: OptionKind::Word(&["fail", "cut"]) },
    OptionSpec { name: "delimiter", kind: OptionKind::Constant(TyKind::Text) },
    OptionSpec { name: "header", kind: OptionKind::Constant(TyKind::Bool) },
    OptionSpec { name: "encoding", kind: OptionKind::Constant(TyKind::Text) },
    OptionSpec { name: "decimal_comma", kind: OptionKind::Constant(TyKind::Bool) },
    OptionSpec { name: "guard", kind: OptionKind::Constant(TyKind::Bool) },
];

impl Checker<'_> {
    pub(super) fn export(
        &mut self,
        segment: &ast::Expr,
        to: &ast::Expr,
        record: Option<&ast::Record>,
        scope: &Scope,
    ) -> StmtKind {
        let mut query = self.query(segment, scope);
        self.export_place(to, record);
        if let Some(path) =
            path_without_quotes(to).filter(|path| path.contains(['/', '.']) && self.is_no_value(to, scope))
        {
            let problem = Problem::error(codes::BAD_WRITE, "a path stands in quotes", to.span);
            self.report(problem.help(format!("write `\"{path}\"`")).fix(to.span, format!("\"{path}\"")));
            let options = self.constant_options(record, "`export`", EXPORT);
            return StmtKind::Export {
                query,
                to: Expr { kind: ExprKind::Error, ty: Ty::error(), span: to.span },
                options,
            };
        }
        let to = self.of_kind(to, scope, TyKind::Text);
        let options = self.constant_options(record, "`export`", EXPORT);
        if let (Some(record), false) = (record, query.ty.is_error()) {
            self.export_columns(record, &query);
            query = self.export_order(record, segment, query, scope);
        }
        StmtKind::Export { query, to, options }
    }

    /// True for a path of names of which the first means nothing here.
    fn is_no_value(&self, to: &ast::Expr, scope: &Scope) -> bool {
        match &to.kind {
            ast::ExprKind::Field { base: inner, .. } | ast::ExprKind::Binary { left: inner, .. } => {
                self.is_no_value(inner, scope)
            }
            _ => self.resolve(to, scope).is_err(),
        }
    }

    /// What is plain from the text: an export stays in the project, and its name says what kind of file it is.
    fn export_place(&mut self, to: &ast::Expr, record: Option<&ast::Record>) {
        let (first, last) = match &to.kind {
            ast::ExprKind::Literal(ast::Literal::Text(path)) => (Some(path.as_str()), Some(path.as_str())),
            ast::ExprKind::Template(template) => {
                let text = |part: Option<&ast::TemplatePart>| match part {
                    Some(ast::TemplatePart::Text(text)) => Some(text.value.clone()),
                    _ => None,
                };
                let (first, last) = (text(template.parts.first()), text(template.parts.last()));
                return self.export_path(first.as_deref(), last.as_deref(), to.span, record);
            }
            _ => return,
        };
        self.export_path(first, last, to.span, record);
    }

    fn export_path(&mut self, first: Option<&str>, last: Option<&str>, span: Span, record: Option<&ast::Record>) {
        let outside = first.is_some_and(|first| {
            let drive = first.len() > 1 && first.as_bytes()[1] == b':';
            first.starts_with(['/', '\\', '~'])
                || drive
                || first.contains("://")
                || first.split('/').any(|part| part == "..")
        });
        if outside {
            let help = "write a path inside the project, such as `\"out/vip.csv\"`";
            let why = match first.is_some_and(|first| first.contains("://")) {
                true => "only files are written, and this is an address",
                false => "an export stays in the project, and this leads out of it",
            };
            return self.wrong(codes::BAD_WRITE, why, help, span);
        }
        let says_format = record.is_some_and(|record| record.items.iter().any(|item| item.name.text == "format"));
        let Some(last) = last.filter(|_| !says_format) else { return };
        let name = last.rsplit('/').next().unwrap_or(last);
        const KNOWN: [&str; 14] = [
            "csv", "tsv", "txt", "dat", "fwf", "ndjson", "jsonl", "parquet", "pq", "arrow", "ipc", "feather", "gz",
            "zst",
        ];
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_lowercase());
        if extension.as_deref().is_some_and(|extension| KNOWN.contains(&extension)) {
            return;
        }
        let why = match extension.as_deref() {
            Some("xls" | "xlsx") => "spreadsheets are not written, and read .csv files".to_owned(),
            Some(other) if !other.is_empty() => format!("`.{other}` is no kind of file that is written"),
            _ => "nothing says what kind of file it is".to_owned(),
        };
        let help = "end the name in .csv, .ndjson, .parquet or .arrow, or add `{ format: csv }`";
        self.wrong(codes::BAD_WRITE, why, help, span);
    }

    /// The columns of an export must exist.
    fn export_columns(&mut self, record: &ast::Record, query: &Query) {
        let item = record.items.iter().find(|item| item.name.text == "columns");
        let Some(ast::RecordValue::Expr(ast::Expr { kind: ast::ExprKind::List(items), .. })) =
            item.map(|item| &item.value)
        else {
            return;
        };
        for item in items {
            let Some(name) = super::super::options::word(item) else { continue };
            let entity = &self.program[query.ty.entity];
            if query.ty.column(name).is_some() || entity.field(name).is_some() || entity.fields.is_empty() {
                continue;
            }
            let known = entity.fields.iter().map(|field| field.name.as_str());
            let known = known.chain(query.ty.with.iter().map(|column| column.name.as_str()));
            let help = nearest_help(name, known);
            let why = format!("these rows have no column `{name}`");
            self.report(NameProblem::Declaration { code: types::UNKNOWN_FIELD, why, help, span: item.span });
        }
    }

    /// `order: [-spend, id]`: the rows in the order of these columns, descending with a minus.
    fn export_order(&mut self, record: &ast::Record, segment: &ast::Expr, query: Query, scope: &Scope) -> Query {
        let item = record.items.iter().find(|item| item.name.text == "order");
        let Some(value) = item.and_then(|item| self.plain_value(item)) else { return query };
        let written = match &value.kind {
            ast::ExprKind::List(items) => items.as_slice(),
            _ => std::slice::from_ref(value),
        };
        let key = |item: &ast::Expr| match &item.kind {
            ast::ExprKind::Unary { op: ast::UnaryOp::Neg, operand } => {
                ast::OrderKey { value: operand.as_ref().clone(), descending: true }
            }
            _ => ast::OrderKey { value: item.clone(), descending: false },
        };
        let keys: Vec<ast::OrderKey> = written.iter().map(key).collect();
        let (row, inner) = self.row_scope(&query, segment, scope);
        let keys = self.sort_keys(&keys, &inner);
        let (ty, span) = (query.ty.clone(), query.span);
        Query { kind: QueryKind::OrderBy { input: Box::new(query), row, keys }, ty, span }
    }

    pub(super) fn update(&mut self, segment: &ast::Expr, set: &[ast::Binding], scope: &Scope) -> StmtKind {
        let query = self.query(segment, scope);
        let (row, inner) = self.row_scope(&query, segment, scope);
        if query.ty.is_error() {
            return StmtKind::Update { query, row, set: Vec::new() };
        }
        let entity = query.ty.entity;
        self.writable(entity, segment.span);
        for binding in set {
            let key = self.program[entity].field(&binding.name.text);
            if key.is_some_and(|field| self.program[entity].key.contains(&field)) {
                let help = "insert a new row and delete the old one";
                self.wrong(codes::BAD_WRITE, "a key cannot be changed", help, binding.name.span);
            }
        }
        let set = self.assignments(entity, set, &inner);
        StmtKind::Update { query, row, set }
    }

    pub(super) fn upsert(
        &mut self,
        segment: &ast::Expr,
        (into, on): (&ast::Name, &ast::Expr),
        set: &[ast::Binding],
        span: Span,
        scope: &Scope,
    ) -> Option<StmtKind> {
        let query = self.query(segment, scope);
        let entity = self.entity_named(into)?;
        let (source, inner) = self.row_scope(&query, segment, scope);
        self.writable(entity, into.span);
        let row = self.fresh_row();
        let both = inner.with_row(RowScope::new(row, entity, into.text.clone()));
        let on = self.predicate(on, &both);
        let mut set = self.assignments(entity, set, &inner);
        for (name, value) in equated(&on, row) {
            let name = self.program[entity][name].name.clone();
            if !set.iter().any(|(known, _)| *known == name) {
                set.push((name, value));
            }
        }
        self.required(entity, &set, span);
        Some(StmtKind::Upsert { query, source, entity, row, on, set })
    }

    pub(super) fn insert(
        &mut self,
        segment: &ast::Expr,
        into: &ast::Name,
        set: &[ast::Binding],
        span: Span,
        scope: &Scope,
    ) -> Option<StmtKind> {
        let query = self.query(segment, scope);
        let entity = self.entity_named(into)?;
        let (row, inner) = self.row_scope(&query, segment, scope);
        self.writable(entity, into.span);
        let set = self.assignments(entity, set, &inner);
        self.required(entity, &set, span);
        Some(StmtKind::Insert { query, row, entity, set })
    }

    pub(super) fn delete(&mut self, segment: &ast::Expr, scope: &Scope) -> StmtKind {
        let query = self.query(segment, scope);
        if !query.ty.is_error() {
            self.writable(query.ty.entity, segment.span);
        }
        if let QueryKind::Entity(entity) = query.kind {
            let entity = self.program[entity].name.clone();
            self.report(Lint::DeleteAll { entity, span: segment.span });
        }
        StmtKind::Delete { query }
    }

    pub(super) fn subscribe(
        &mut self,
        segment: &ast::Expr,
        topic: &ast::Expr,
        subscribe: bool,
        scope: &Scope,
    ) -> StmtKind {
        let query = self.query(segment, scope);
        let (row, inner) = self.row_scope(&query, segment, scope);
        let topic = match self.topic_literal(topic, &query) {
            Some(topic) => topic,
            None => self.expr(topic, &inner, Some(&Ty::of(TyKind::Topic).or_null())),
        };
        StmtKind::Subscribe { query, row, topic, subscribe }
    }

    /// A topic's name, unless a field of the rows has it.
    fn topic_literal(&self, written: &ast::Expr, query: &Query) -> Option<Expr> {
        let ast::ExprKind::Name(name) = &written.kind else { return None };
        let entity = self.program.entities.get(query.ty.entity.0 as usize);
        if entity.is_some_and(|entity| entity.field(&name.text).is_some()) {
            return None;
        }
        match self.find_global(name) {
            Some((Global::Topic(id), _)) => {
                let value = Value::Text(self.program[id].name.clone());
                Some(Expr { kind: ExprKind::Literal(value), ty: Ty::of(TyKind::Topic), span: written.span })
            }
            _ => None,
        }
    }

    /// `f = X` for fields of `entity`.
    fn assignments(&mut self, entity: EntityId, set: &[ast::Binding], scope: &Scope) -> Vec<(String, Expr)> {
        let mut checked: Vec<(String, Expr)> = Vec::new();
        self.misnamed_field = false;
        for (at, binding) in set.iter().enumerate() {
            let name = &binding.name;
            if let Some(first) = set[..at].iter().find(|first| first.name.text == name.text) {
                let (name, span, first) = (name.text.clone(), name.span, first.name.span);
                self.report(NameProblem::RepeatedOption { name, span, first });
                continue;
            }
            let Some(field) = self.program[entity].field(&name.text) else {
                self.no_such_field(entity, name);
                self.misnamed_field = true;
                continue;
            };
            let ty = self.program[entity][field].ty.clone();
            let value = self.expr(&binding.value, scope, Some(&ty.clone().or_null()));
            if value.ty.nullable && !ty.nullable && self.program[entity][field].default.is_none() {
                let why = format!("`{}` cannot be null, and this may be", name.text);
                let help = "give a value for null: `... ?? VALUE`, or filter with `where ... is not null`";
                self.wrong(codes::BAD_WRITE, why, help, binding.value.span);
            }
            checked.push((name.text.clone(), value));
        }
        checked
    }

    fn no_such_field(&mut self, entity: EntityId, name: &ast::Name) {
        let entity = &self.program[entity];
        if entity.fields.is_empty() {
            return;
        }
        let help = nearest_help(&name.text, entity.fields.iter().map(|field| field.name.as_str()));
        let why = format!("`{}` has no field `{}`", entity.name, name.text);
        self.report(NameProblem::Declaration { code: types::UNKNOWN_FIELD, why, help, span: name.span });
    }

    /// One text or Parquet file can be changed; several, or a file of another kind, cannot.
    fn writable(&mut self, entity: EntityId, span: Span) {
        let entity = &self.program[entity];
        if let Some(SourceLocation::Path(path)) = entity.source.as_ref().map(|source| &source.location) {
            let why = match read_only(path) {
                Some(what) => format!("`{}` is read from {what}, `{path}`, which cannot be changed", entity.name),
                None => return,
            };
            let help = "declare it from one .csv, .tsv or .parquet file, or from a table of a writable source";
            self.wrong(codes::BAD_WRITE, why, help, span);
        }
    }

    /// Fields of a new row that have neither a value nor a default. A single `int` key is left to the database.
    fn required(&mut self, entity: EntityId, set: &[(String, Expr)], span: Span) {
        let id = entity;
        let entity = &self.program[id];
        let generated = match entity.key.as_slice() {
            [key] if entity[*key].ty.kind == TyKind::Int => Some(entity[*key].name.clone()),
            _ => None,
        };
        let missing: Vec<String> = entity
            .fields
            .iter()
            .filter(|field| !field.ty.nullable && field.default.is_none() && Some(&field.name) != generated.as_ref())
            .map(|field| field.name.clone())
            .filter(|name| !set.iter().any(|(known, _)| known == name))
            .collect();
        // A field under another name is what is missing.
        if !missing.is_empty() && !std::mem::take(&mut self.misnamed_field) {
            let entity = entity.name.clone();
            self.report(FlowProblem::MissingValue { entity, fields: missing, span });
        }
    }
}

/// Why the rows of a location cannot be changed.
fn read_only(path: &str) -> Option<&'static str> {
    let (_, name) = path.rsplit_once('/').unwrap_or(("", path));
    if name.contains(['*', '?']) || name.is_empty() {
        return Some("several files");
    }
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref() {
        Some("csv" | "tsv" | "txt" | "parquet" | "pq") => None,
        Some("arrow" | "ipc" | "feather") => Some("an arrow file"),
        Some("json" | "ndjson" | "jsonl") => Some("a JSON file"),
        Some("fwf" | "dat") => Some("a file of fixed widths"),
        // A folder, or what only opening it can tell.
        _ => Some("a folder"),
    }
}

fn nearest_help<'n>(written: &str, known: impl Iterator<Item = &'n str> + Clone) -> String {
    match did_you_mean(written, known.clone()) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("there are {}", super::super::super::problem::listed(known)),
    }
}

/// Fields of `row` that a condition makes equal to something: a new row takes them from it.
fn equated(on: &Expr, row: RowId) -> Vec<(super::super::super::FieldId, Expr)> {
    let ExprKind::Binary { op, left, right } = &on.kind else { return Vec::new() };
    let own = |expr: &Expr| match &expr.kind {
        ExprKind::Column { row: of, path, column: ColumnRef::Field(field) } if *of == row && path.is_empty() => {
            Some(*field)
        }
        _ => None,
    };
    match op {
        ast::BinaryOp::And => {
            let mut both = equated(left, row);
            both.extend(equated(right, row));
            both
        }
        ast::BinaryOp::Equal => match (own(left), own(right)) {
            (Some(field), None) => vec![(field, right.as_ref().clone())],
            (None, Some(field)) => vec![(field, left.as_ref().clone())],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// `out/vip.csv`
fn path_without_quotes(to: &ast::Expr) -> Option<String> {
    match &to.kind {
        ast::ExprKind::Name(name) => Some(name.text.clone()),
        ast::ExprKind::Field { base, field } => Some(format!("{}.{}", path_without_quotes(base)?, field.text)),
        ast::ExprKind::Binary { op: ast::BinaryOp::Divide, left, right, .. } => {
            Some(format!("{}/{}", path_without_quotes(left)?, path_without_quotes(right)?))
        }
        _ => None,
    }
}
