//! Which names can follow what stands before the cursor.

/// What a name is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SymbolKind {
    /// An entity or a segment of rows.
    Population,
    /// A field or relation of the population with this name.
    Field { of: String },
    /// A function of the standard library.
    Function,
    /// A message, topic, campaign, variable: anything else with a name.
    Other,
}

/// A name that can be completed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Symbol {
    /// As declared, without backquotes.
    pub name: String,
    /// What it is.
    pub kind: SymbolKind,
}

/// Words that begin a statement at the prompt.
const STATEMENTS: &[&str] = &["segment", "let", "send", "export", "log"];

/// Words that go on in a query or an expression.
pub(super) const WORDS: &[&str] = &[
    "where",
    "with",
    "dedupe",
    "by",
    "keep",
    "prefer",
    "order",
    "limit",
    "sample",
    "match",
    "on",
    "union",
    "intersect",
    "except",
    "and",
    "or",
    "not",
    "in",
    "is",
    "null",
    "between",
    "like",
    "true",
    "false",
    "if",
    "then",
    "else",
    "of",
    "desc",
    "asc",
];

/// Where the word under the cursor begins, and how it may go on: what to show, what to insert. `text` ends at the
/// cursor.
pub(super) fn complete(text: &str, symbols: &[Symbol]) -> (usize, Vec<(String, String)>) {
    let start =
        text.rfind(|c: char| !is_name(c)).map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    let (before, prefix) = text.split_at(start);
    let fits = |name: &str| name.to_lowercase().starts_with(&prefix.to_lowercase());
    let mut found: Vec<(String, String)> = Vec::new();
    let mut offer = |display: String, insert: String| {
        if !found.iter().any(|(known, _)| *known == display) {
            found.push((display, insert));
        }
    };
    let owner = before.strip_suffix('.').map(last_name);
    for symbol in symbols.iter().filter(|symbol| fits(&symbol.name)) {
        let wanted = match (&symbol.kind, owner) {
            (SymbolKind::Field { of }, Some(owner)) => leads_to(owner, of, symbols),
            (SymbolKind::Field { of }, None) => mentions(before, of),
            (_, owner) => owner.is_none(),
        };
        if wanted {
            let call = if symbol.kind == SymbolKind::Function { "(" } else { "" };
            offer(symbol.name.clone(), quoted(&symbol.name) + call);
        }
    }
    if owner.is_none() && !prefix.is_empty() {
        let begins = before.trim_end().is_empty() || before.trim_end().ends_with([';', '{', '}']);
        let words = if begins { STATEMENTS } else { WORDS };
        for word in words.iter().filter(|word| fits(word)) {
            offer((*word).to_owned(), format!("{word} "));
        }
    }
    found.sort();
    (start, found)
}

/// After a dot: the owner itself, or a relation, whose target is not known here, so that every field is offered.
fn leads_to(owner: &str, of: &str, symbols: &[Symbol]) -> bool {
    let is_population = symbols.iter().any(|symbol| symbol.name == owner && symbol.kind == SymbolKind::Population);
    !is_population || owner == of
}

fn mentions(text: &str, name: &str) -> bool {
    text.split(|c: char| !is_name(c)).any(|word| word == name)
}

fn last_name(text: &str) -> &str {
    text.rsplit(|c: char| !is_name(c)).next().unwrap_or_default()
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn quoted(name: &str) -> String {
    if name.chars().all(is_name) && !WORDS.contains(&name) { name.to_owned() } else { format!("`{name}`") }
}
