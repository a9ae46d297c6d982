//! Documentation: what is declared, with its `##` comments.

use super::{Analysis, Workspace};
use crate::base::Span;
use crate::hir::ParsedFile;
use crate::stdlib;
use crate::syntax::ast;

/// Something that is declared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its name, after that of the module or entity that it is in: `rfm.recency`, `customers.email`.
    pub name: String,
    /// What people call it: `function`, `procedure`, `entity`, `field`.
    pub kind: &'static str,
    /// The module of the library, or the file.
    pub place: String,
    /// How it begins, on one line.
    pub signature: String,
    /// The `##` comments without the examples.
    pub doc: String,
    /// Conditions that are true.
    pub examples: Vec<String>,
    /// What is inside: the fields of an entity, the functions of a module.
    pub members: Vec<Entry>,
}

impl Entry {
    /// The first sentence of the documentation.
    pub fn summary(&self) -> &str {
        let end = self.doc.find(". ").or(self.doc.find(".\n")).unwrap_or(self.doc.len());
        self.doc[..end].lines().next().unwrap_or_default().trim_end_matches('.')
    }

    /// True if somebody who says `name` may mean this.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.name.rsplit_once('.').is_some_and(|(_, last)| last == name)
    }
}

/// Everything that the library declares: the prelude, and an entry for each module.
pub fn library() -> Vec<Entry> {
    let uses: String = stdlib::modules().map(|name| format!("use {name}\n")).collect();
    let nothing: [(&str, &str); 0] = [];
    let analysis = Workspace::from_files(nothing).analyze_text("", &uses);
    let mut entries = aggregates();
    for file in analysis.files.iter().filter(|file| file.library) {
        let members = declared(&analysis, file);
        let Some(module) = &file.module else {
            entries.extend(members);
            continue;
        };
        let name = format!("std.{module}");
        let signature = format!("use {name} as {module}");
        let doc = first_comment(&analysis.sources.file(file.source).text);
        entries.push(Entry {
            place: name.clone(),
            name,
            kind: "module",
            signature,
            doc,
            examples: Vec::new(),
            members,
        });
    }
    entries
}

/// What the files of a project declare that were read for an analysis.
pub fn project(analysis: &Analysis) -> Vec<Entry> {
    analysis.files.iter().filter(|file| !file.library).flat_map(|file| declared(analysis, file)).collect()
}

/// Aggregates are part of the language and have no declaration; their table is what there is.
fn aggregates() -> Vec<Entry> {
    let table = include_str!("../../docs/functions.md").split("\n## ").find(|part| part.starts_with("Aggregates\n"));
    let rows = table.unwrap_or_default().lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"));
    let mut entries: Vec<Entry> = Vec::new();
    for (signatures, doc) in rows.filter_map(|row| row.split_once("` | ")) {
        for signature in signatures.split("`, `") {
            let name = signature.split('(').next().unwrap_or_default().to_owned();
            let doc = doc.to_owned();
            let (kind, place, signature) = ("aggregate", "the language".to_owned(), signature.to_owned());
            entries.push(Entry { name, kind, place, signature, doc, examples: Vec::new(), members: Vec::new() });
        }
    }
    entries
}

/// The comment that a file begins with.
fn first_comment(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with('#')));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

fn declared(analysis: &Analysis, file: &ParsedFile) -> Vec<Entry> {
    file.ast.stmts.iter().filter_map(|stmt| declaration(analysis, file, stmt)).collect()
}

fn declaration(analysis: &Analysis, file: &ParsedFile, stmt: &ast::Stmt) -> Option<Entry> {
    use ast::StmtKind::*;
    let text = &analysis.sources.file(file.source).text;
    let (kind, name, body) = match &stmt.kind {
        Define(define) => {
            let (kind, body) = match &define.body {
                ast::DefineBody::Block(block) => ("procedure", block.span),
                ast::DefineBody::Expr(body) => ("function", body.span),
                ast::DefineBody::Builtin(native) => ("function", native.span),
            };
            (kind, &define.name, Some(body))
        }
        Entity(entity) => ("entity", &entity.name, None),
        Message(message) => ("message", &message.name, Some(message.body.span)),
        Topic(topic) => ("topic", &topic.name, None),
        Channel(channel) => ("channel", &channel.name, None),
        Policy(policy) => ("policy", &policy.name, None),
        Signal(signal) => ("signal", &signal.name, None),
        Campaign(campaign) => ("campaign", &campaign.name, Some(campaign.body.span)),
        _ => return None,
    };
    let module = file.module.as_ref().map(|module| format!("{module}.")).unwrap_or_default();
    let head = Span { end: body.map_or(stmt.span.end, |body| body.start), ..stmt.span };
    let mut entry = Entry {
        name: format!("{module}{}", name.text),
        kind,
        place: place(file),
        signature: signature(written(text, head)),
        doc: String::new(),
        examples: Vec::new(),
        members: Vec::new(),
    };
    entry.document(stmt.doc.as_ref());
    if let Entity(entity) = &stmt.kind {
        let fields = entity.items.iter().flatten().filter_map(|item| member(&entry, text, item));
        entry.members = fields.collect();
    }
    Some(entry)
}

fn place(file: &ParsedFile) -> String {
    match &file.module {
        Some(module) => format!("std.{module}"),
        None if file.library => "prelude".to_owned(),
        None => file.name.clone(),
    }
}

/// A field or a relation of an entity.
fn member(entity: &Entry, text: &str, item: &ast::EntityItem) -> Option<Entry> {
    let (kind, name) = match &item.kind {
        ast::EntityItemKind::Field { name, .. } => ("field", name),
        ast::EntityItemKind::Relation { name, .. } => ("relation", name),
        _ => return None,
    };
    let mut entry = Entry {
        name: format!("{}.{}", entity.name, name.text),
        kind,
        place: entity.place.clone(),
        signature: signature(written(text, item.span)),
        doc: String::new(),
        examples: Vec::new(),
        members: Vec::new(),
    };
    entry.document(item.doc.as_ref());
    Some(entry)
}

fn written(text: &str, span: Span) -> &str {
    text.get(span.start as usize..span.end as usize).unwrap_or_default()
}

/// The beginning of a declaration on one line, without what leads over to its body.
fn signature(head: &str) -> String {
    let head = head.split('{').next().unwrap_or_default();
    let words = head.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = words.replace("( ", "(").replace(" )", ")");
    words.trim_end_matches("builtin").trim_end().trim_end_matches('=').trim_end().to_owned()
}

impl Entry {
    fn document(&mut self, doc: Option<&ast::Doc>) {
        let Some(doc) = doc else { return };
        let mut said = Vec::new();
        for line in doc.text.lines() {
            match line.trim().strip_prefix("example: ") {
                Some(example) => self.examples.push(example.to_owned()),
                None => said.push(line.trim_end()),
            }
        }
        self.doc = said.join("\n").trim().to_owned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_documented() {
        let library = library();
        let find = |name: &str| library.iter().find(|entry| entry.is_called(name)).unwrap();
        let round = find("round");
        assert_eq!(round.signature, "define round(x: number, digits: int = 0): number");
        assert_eq!(round.doc, "Rounded to `digits` after the point, half to even.");
        assert_eq!(round.examples[0], "round(2.675, 2) = 2.68");
        assert_eq!(find("count").kind, "aggregate");
        assert_eq!(find("sms").kind, "channel");
        let rfm = find("std.rfm");
        assert!(rfm.doc.starts_with("Recency, frequency and monetary value"), "{}", rfm.doc);
        assert!(rfm.members.iter().any(|entry| entry.is_called("recency") && entry.is_called("rfm.recency")));
        let test = find("std.ab").members.iter().find(|entry| entry.is_called("email_test")).unwrap();
        assert!(test.signature.starts_with("define email_test(target: segment of any, a: message"), "{test:?}");
        assert!(library.iter().all(|entry| !entry.doc.is_empty()));
    }

    #[test]
    fn declarations_of_a_project_are_listed_with_their_fields() {
        let text = "## People.\n## Two lines.\nentity people from \"p.csv\" {\n  id: int key\n  ## Where to write.\n  \
                    email: email?\n}\nmessage sms hi of people { body: \"hi\" }\nsignal s(a: text)";
        let entries = project(&Workspace::from_files([("a.orch", text)]).analyze("a.orch"));
        let shown: Vec<(&str, &str, &str)> =
            entries.iter().map(|entry| (entry.kind, entry.name.as_str(), entry.signature.as_str())).collect();
        assert_eq!(
            shown,
            [
                ("entity", "people", "entity people from \"p.csv\""),
                ("message", "hi", "message sms hi of people"),
                ("signal", "s", "signal s(a: text)"),
            ]
        );
        assert_eq!((entries[0].doc.as_str(), entries[0].summary()), ("People.\nTwo lines.", "People"));
        assert_eq!(entries[0].members[1].signature, "email: email?");
        assert_eq!(entries[0].members[1].doc, "Where to write.");
    }
}
