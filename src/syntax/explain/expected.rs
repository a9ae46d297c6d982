//! Twenty to seventy terminals in three or four words.

use std::collections::BTreeSet;

/// Begin an operand.
const OPERANDS: &[&str] =
    &["LITERAL", "PERCENT", "TEXT", "TEMPLATE_OPEN", "null", "true", "false", "(", "[", "-", "not", "if"];
/// Can follow an operand.
const OPERATORS: &[&str] = &[
    "+", "-", "*", "/", "??", "=", "!=", "<", "<=", ">", ">=", "and", "or", "in", "not", "like", "between", "is", ".",
    "(", "per",
];
/// Can follow a population.
const CLAUSES: &[&str] =
    &["where", "with", "dedupe", "order", "limit", "sample", "match", "new", "union", "intersect", "except"];
/// Begin a part of a campaign's header.
const HEADER: &[&str] = &["at", "cron", "every", "from", "in", "on", "overlap", "until"];
/// Say nothing to people.
const INTERNAL: &[&str] = &["BAD", "BAD_ITEM", "WANT_STMT", "WANT_EXPR", "CHUNK", "HOLE_OPEN", "TEMPLATE_CLOSE"];

/// What would have been right.
#[derive(Debug)]
pub struct Wanted {
    /// "an expression", "a clause", ...
    phrases: Vec<&'static str>,
    /// Words and marks to be written as they are.
    written: Vec<String>,
    /// Every word that would be a keyword here, those of the phrases included.
    keywords: Vec<String>,
    /// Every terminal, as the grammar calls it.
    terminals: BTreeSet<String>,
    pub name: bool,
    pub end: bool,
}

impl Wanted {
    /// From the names of terminals as the parser generator gives them.
    pub fn new(terminals: &[String]) -> Self {
        let mut set: BTreeSet<&str> = terminals.iter().map(|terminal| terminal.trim_matches('"')).collect();
        let all = set.iter().map(|terminal| (*terminal).to_owned()).collect();
        let mut phrases = Vec::new();
        set.retain(|terminal| !INTERNAL.contains(terminal));
        let is_soft = |word: &str| super::super::token::soft(word).is_some();
        let any_name = set.remove("ANY_NAME");
        let any_message = set.remove("ANY_MESSAGE");
        let is_operand = set.contains("LITERAL") && set.contains("(") && any_name;
        let is_type = set.contains("NAME") && set.contains("TEXT") && !set.contains("LITERAL") && !any_name;
        if any_name || is_type {
            set.retain(|word| !is_soft(word));
        } else if any_message {
            set.retain(|word| *word == "to" || !is_soft(word));
        }
        if is_operand {
            phrases.push("an expression");
            set.retain(|terminal| !OPERANDS.contains(terminal));
        } else if is_type {
            phrases.push("a type");
            set.remove("TEXT");
        } else if any_message {
            phrases.push("the name of a message");
        } else if any_name || set.contains("NAME") {
            phrases.push("a name");
        }
        set.remove("NAME");
        let keywords = set.iter().filter(|word| word.len() > 1 && word.starts_with(char::is_alphabetic));
        let keywords = keywords.filter(|word| !word.contains(char::is_uppercase));
        let keywords = keywords.map(|word| word.trim_end_matches('!').to_owned()).collect();
        gather(&mut set, &mut phrases, is_operand);
        let end = set.remove("END");
        let written = set.iter().map(|word| word.trim_end_matches('!'));
        let written = written.map(|word| if word == "HOLE_CLOSE" { "}" } else { word }.to_owned()).collect();
        Self { phrases, written, keywords, terminals: all, name: any_name || any_message, end }
    }

    /// True when this word or mark would have been right.
    pub fn has(&self, word: &str) -> bool {
        self.written.iter().any(|written| written == word) || self.keywords.iter().any(|keyword| keyword == word)
    }

    /// True when the grammar would have taken this terminal, worth saying or not. Where any name would do, a soft word
    /// is one of them and no keyword.
    pub fn takes(&self, terminal: &str) -> bool {
        let is_name = self.terminals.contains("ANY_NAME") && super::super::token::soft(terminal).is_some();
        self.terminals.contains(terminal) && !is_name
    }

    /// True when an operand was wanted.
    pub fn operand(&self) -> bool {
        self.phrases.contains(&"an expression")
    }

    /// True in an arm of a `split`.
    pub fn share(&self) -> bool {
        self.phrases.contains(&"a percentage")
    }

    /// Words that would be keywords here.
    pub fn keywords(&self) -> impl Iterator<Item = &str> {
        self.keywords.iter().map(String::as_str)
    }

    /// "an expression, `to` or the end of the statement"
    pub fn describe(&self) -> String {
        let mut parts: Vec<String> = self.phrases.iter().map(|phrase| (*phrase).to_owned()).collect();
        // Words say more than marks.
        let (words, marks): (Vec<&String>, Vec<&String>) =
            self.written.iter().partition(|word| word.starts_with(char::is_alphabetic));
        let room = 4_usize.saturating_sub(parts.len());
        parts.extend(marks.iter().chain(&words).take(room).map(|word| format!("`{word}`")));
        if self.end && parts.len() < 4 {
            parts.push("the end of the statement".to_owned());
        }
        match parts.split_last() {
            None => "something else".to_owned(),
            Some((last, [])) => last.clone(),
            Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        }
    }
}

/// Replaces terminals that go together by one phrase.
fn gather(set: &mut BTreeSet<&str>, phrases: &mut Vec<&'static str>, is_operand: bool) {
    if set.contains("segment!") {
        phrases.push("a statement");
        set.retain(|word| !word.ends_with('!'));
    }
    if !is_operand && set.contains("dedupe") {
        phrases.push("a clause");
        set.retain(|terminal| !CLAUSES.contains(terminal) && !OPERATORS.contains(terminal));
    } else if !is_operand && ["+", "*", "."].iter().any(|operator| set.contains(operator)) {
        set.retain(|terminal| !OPERATORS.contains(terminal));
        // An operator could follow nearly everywhere: it is only worth saying when nothing else could.
        if set.is_empty() {
            phrases.push("an operator");
        }
    }
    if set.contains("cron") && set.contains("overlap") {
        phrases.push("a part of the header");
        set.retain(|terminal| !HEADER.contains(terminal));
    }
    for (terminal, phrase) in
        [("LITERAL", "a number, date or duration"), ("TEXT", "a string without holes"), ("PERCENT", "a percentage")]
    {
        if set.remove(terminal) {
            phrases.push(phrase);
        }
    }
}
