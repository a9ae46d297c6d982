//! Reading and parsing a script and everything it uses.

use std::collections::HashMap;

use super::{Loader, SchemaRequest, columns};
use crate::base::{SourceId, SourceMap, Span};
use crate::diag::codes::names as codes;
use crate::diag::{Problem, Problems};
use crate::hir::problem::NameProblem;
use crate::hir::{ParsedFile, SourceLocation, Ty, Value, resolve_path};
use crate::stdlib;
use crate::syntax::Trivia;
use crate::syntax::ast::{self, UseTarget};

/// Files while they are being read.
pub(super) struct Load<'l> {
    loader: &'l dyn Loader,
    loaded: Loaded,
    /// Paths that were read or are being read.
    seen: Vec<String>,
    /// Files that are being read, outermost first.
    reading: Vec<String>,
}

/// All files.
pub(super) struct Loaded {
    pub sources: SourceMap,
    pub files: Vec<ParsedFile>,
    pub comments: Vec<(SourceId, Trivia)>,
    pub entry: Option<SourceId>,
    pub problems: Problems,
}

impl<'l> Load<'l> {
    /// Only the library's prelude.
    pub fn new(loader: &'l dyn Loader) -> Self {
        let loaded = Loaded {
            sources: SourceMap::new(),
            files: Vec::new(),
            comments: Vec::new(),
            entry: None,
            problems: Problems::new(),
        };
        let mut load = Self { loader, loaded, seen: Vec::new(), reading: Vec::new() };
        for (name, text) in stdlib::PRELUDE {
            load.library(name, text, None);
        }
        load
    }

    /// Files that every script sees.
    pub fn project(mut self, paths: &[String]) -> Self {
        for path in paths {
            let path = resolve_path("", path);
            if let Err(reason) = self.file(&path) {
                let message = format!("`{path}` cannot be read: {reason}");
                self.loaded.problems.push(Problem::outside(codes::UNREADABLE_FILE, message));
            }
        }
        self
    }

    /// The script.
    pub fn entry(mut self, path: &str) -> Self {
        let path = resolve_path("", path);
        if let Err(reason) = self.file(&path) {
            let message = format!("`{path}` cannot be read: {reason}");
            self.loaded.problems.push(Problem::outside(codes::UNREADABLE_FILE, message));
        }
        self.loaded.entry = self.loaded.files.iter().find(|file| file.name == path).map(|file| file.source);
        self
    }

    /// The script as a text.
    pub fn entry_text(mut self, name: &str, text: &str) -> Self {
        self.loaded.entry = Some(self.parse(name, text.to_owned(), None, false));
        self
    }

    /// Everything that was read.
    pub fn finish(self) -> Loaded {
        self.loaded
    }

    /// Reads a file once; its uses come before it.
    fn file(&mut self, path: &str) -> Result<(), String> {
        if self.seen.iter().any(|seen| seen == path) {
            return Ok(());
        }
        let text = self.loader.read(path)?;
        self.parse(path, text, None, false);
        Ok(())
    }

    fn library(&mut self, name: &str, text: &str, module: Option<String>) {
        self.parse(name, text.to_owned(), module, true);
    }

    fn parse(&mut self, name: &str, text: String, module: Option<String>, library: bool) -> SourceId {
        self.seen.push(name.to_owned());
        let source = self.loaded.sources.add(name, text);
        let parsed = crate::syntax::parse(source, &self.loaded.sources.file(source).text);
        self.loaded.problems.extend(parsed.problems);
        self.loaded.comments.push((source, parsed.trivia));
        self.reading.push(name.to_owned());
        for stmt in &parsed.file.stmts {
            if let ast::StmtKind::Use(used) = &stmt.kind {
                self.used(name, used);
            }
        }
        self.reading.pop();
        self.loaded.files.push(ParsedFile { source, name: name.to_owned(), ast: parsed.file, module, library });
        source
    }

    fn used(&mut self, from: &str, used: &ast::Use) {
        match &used.target {
            UseTarget::File(path) => {
                if let Some(alias) = &used.alias {
                    let why = "only modules of the library are given another name".to_owned();
                    let help = format!("write `use \"{}\"`; its names are used as they are", path.value);
                    let problem = NameProblem::Declaration { code: codes::WRONG_OPTION, why, help, span: alias.span };
                    self.loaded.problems.push(problem);
                }
                self.used_file(from, path);
            }
            UseTarget::Module(names) => self.used_module(names, used.alias.as_ref()),
        }
    }

    fn used_file(&mut self, from: &str, path: &ast::Text) {
        let resolved = resolve_path(from, &path.value);
        if let Some(at) = self.reading.iter().position(|reading| *reading == resolved) {
            let mut circle = self.reading[at..].to_vec();
            circle.push(resolved);
            return self.loaded.problems.push(NameProblem::UseCycle { path: circle, span: path.span });
        }
        if let Err(reason) = self.file(&resolved) {
            let path_text = path.value.clone();
            self.loaded.problems.push(NameProblem::UnreadableFile { path: path_text, reason, span: path.span });
        }
    }

    fn used_module(&mut self, names: &[ast::Name], alias: Option<&ast::Name>) {
        let (Some(first), Some(last)) = (names.first(), names.last()) else { return };
        let dotted = names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".");
        let Some((file, text)) = stdlib::module(&dotted) else {
            let span: Span = first.span.to(last.span);
            let meant = format!("std.{dotted}");
            let known = match stdlib::module(&meant) {
                Some(_) => vec![meant],
                None => stdlib::modules().map(str::to_owned).collect(),
            };
            let name = ast::Name { text: dotted, span };
            return self.loaded.problems.push(NameProblem::Unknown { name, kinds: "module", known });
        };
        let module = Some(alias.unwrap_or(last).text.clone());
        // Two files may give a module different names.
        if !self.loaded.files.iter().any(|known| known.name == file && known.module == module) {
            self.library(file, text, module);
        }
    }

    /// Columns of all entities without a block, as the loader knows them. They are kept with the texts.
    pub fn schemas(&mut self) -> HashMap<String, Result<Vec<(String, Ty)>, String>> {
        let mut schemas = HashMap::new();
        let mut texts = Vec::new();
        for file in &self.loaded.files {
            for stmt in &file.ast.stmts {
                let ast::StmtKind::Entity(ast::Entity { name, source: Some(source), items: None }) = &stmt.kind else {
                    continue;
                };
                let request = SchemaRequest {
                    entity: &name.text,
                    location: location(&source.location),
                    options: options(source),
                    file: &file.name,
                };
                let schema = self.loader.schema(&request);
                if let Ok(known) = &schema {
                    texts.push((columns::file_name(&name.text), columns::write(known)));
                }
                schemas.insert(name.text.clone(), schema);
            }
        }
        for (name, text) in texts {
            self.loaded.sources.add(name, text);
        }
        schemas
    }

    /// Texts of all template files that messages name. They are kept with the texts, since a run is pinned to them, too.
    pub fn templates(&mut self) -> HashMap<String, Result<String, String>> {
        let templates = self.read_templates();
        let mut found: Vec<(&String, &String)> =
            templates.iter().filter_map(|(path, text)| Some((path, text.as_ref().ok()?))).collect();
        found.sort();
        for (path, text) in found {
            if !self.seen.contains(path) {
                self.loaded.sources.add(path.as_str(), text.as_str());
            }
        }
        templates
    }

    fn read_templates(&self) -> HashMap<String, Result<String, String>> {
        let mut templates = HashMap::new();
        for file in &self.loaded.files {
            for stmt in &file.ast.stmts {
                let ast::StmtKind::Message(message) = &stmt.kind else { continue };
                for item in &message.body.items {
                    let ast::RecordValue::Expr(value) = &item.value else { continue };
                    if let ast::ExprKind::File(path) = &value.kind {
                        let path = resolve_path(&file.name, &path.value);
                        let text = self.loader.read(&path);
                        templates.insert(path, text);
                    }
                }
            }
        }
        templates
    }
}

fn location(written: &ast::SourceLocation) -> SourceLocation {
    match written {
        ast::SourceLocation::Path(path) => SourceLocation::Path(path.value.clone()),
        ast::SourceLocation::Dotted(names) => {
            let mut names = names.iter().map(|name| name.text.clone());
            SourceLocation::Bound { source: names.next().unwrap_or_default(), table: names.collect() }
        }
    }
}

/// The options whose values need no checking to be understood.
fn options(source: &ast::SourceRef) -> Vec<(String, Value)> {
    let items = source.options.iter().flat_map(|record| &record.items);
    let constant = |item: &ast::RecordItem| match &item.value {
        ast::RecordValue::Expr(value) => Some((item.name.text.clone(), literal(value)?)),
        _ => None,
    };
    items.filter_map(constant).collect()
}

fn literal(value: &ast::Expr) -> Option<Value> {
    Some(match &value.kind {
        ast::ExprKind::Literal(ast::Literal::Text(text)) => Value::Text(text.clone()),
        ast::ExprKind::Literal(ast::Literal::Bool(value)) => Value::Bool(*value),
        ast::ExprKind::Literal(ast::Literal::Int(value)) => Value::Int(*value),
        ast::ExprKind::Name(name) => Value::Text(name.text.clone()),
        ast::ExprKind::List(items) => Value::List(items.iter().map(literal).collect::<Option<_>>()?),
        _ => return None,
    })
}
