//! What can be wrong in a manifest.

use crate::base::{Span, did_you_mean};
use crate::diag::{Problem, codes};

/// One mistake, without its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum ManifestProblem {
    /// Text that is not TOML.
    Syntax { message: String },
    /// A key that means nothing there.
    UnknownKey { key: String, known: Vec<String> },
    /// One of a few words was wanted.
    UnknownWord { word: String, known: Vec<String> },
    /// A table without a key that it needs.
    MissingKey { key: String },
    /// A value of another kind than the key takes.
    WrongKind { found: String, wanted: String },
    /// A section that is not a table.
    NotATable { what: String },
    /// A value of the right kind that does not read; with what to write.
    BadValue { message: String, help: Option<String> },
}

impl ManifestProblem {
    /// What the reader of TOML says about text that it cannot read.
    pub fn from_syntax(message: &str) -> Self {
        Self::Syntax { message: lower(message) }
    }

    /// What serde says about a value. Its sentences are stable and carry the keys in backquotes, but they speak of Rust
    /// types; so they are taken apart here.
    pub fn from_serde(message: &str) -> Self {
        let quoted: Vec<String> = message.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        let first_and_rest = || {
            let mut words = quoted.clone().into_iter();
            (words.next().unwrap_or_default(), words.collect())
        };
        if message.starts_with("unknown field") {
            let (key, known) = first_and_rest();
            return Self::UnknownKey { key, known };
        }
        if message.starts_with("unknown variant") {
            let (word, known) = first_and_rest();
            return Self::UnknownWord { word, known };
        }
        if message.starts_with("missing field") {
            return Self::MissingKey { key: first_and_rest().0 };
        }
        let kinds = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
        if let Some((found, wanted)) = kinds.and_then(|kinds| kinds.rsplit_once(", expected ")) {
            return Self::WrongKind { found: kind(found), wanted: kind(wanted) };
        }
        let (message, help) = match message.split_once(HELP) {
            Some((message, help)) => (message, Some(help.to_owned())),
            None => (message, None),
        };
        Self::BadValue { message: lower(message), help }
    }

    /// The problem at its place.
    pub fn at(self, span: Span) -> Problem {
        use codes::run::{MANIFEST_SYNTAX, UNKNOWN_MANIFEST_KEY, WRONG_MANIFEST_VALUE};
        match self {
            Self::Syntax { message } => Problem::error(MANIFEST_SYNTAX, message, span),
            Self::UnknownKey { key, known } => {
                Problem::error(UNKNOWN_MANIFEST_KEY, format!("nothing is set by the key `{key}` here"), span)
                    .help(suggest(&key, &known))
            }
            Self::UnknownWord { word, known } => {
                Problem::error(WRONG_MANIFEST_VALUE, format!("`{word}` cannot be chosen here"), span)
                    .help(suggest(&word, &known))
            }
            Self::MissingKey { key } => Problem::error(WRONG_MANIFEST_VALUE, format!("`{key}` is missing here"), span)
                .help(format!("add a line `{key} = ...`")),
            Self::WrongKind { found, wanted } => {
                Problem::error(WRONG_MANIFEST_VALUE, format!("found {found} where {wanted} is wanted"), span)
            }
            Self::NotATable { what } => {
                Problem::error(WRONG_MANIFEST_VALUE, format!("`{what}` is a section, not a value"), span)
                    .help(format!("write `[{what}.NAME]` and its keys below"))
            }
            Self::BadValue { message, help } => {
                let problem = Problem::error(WRONG_MANIFEST_VALUE, message, span);
                if let Some(help) = help { problem.help(help) } else { problem }
            }
        }
    }
}

/// Between message and help in the errors of our own value types, which reach us through serde as one text.
pub(super) const HELP: &str = "\nhelp: ";

fn suggest(written: &str, known: &[String]) -> String {
    let list = known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    match did_you_mean(written, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`? known are {list}"),
        None => format!("known are {list}"),
    }
}

/// A kind of value in the words of a manifest instead of Rust's.
fn kind(rust: &str) -> String {
    let words = [
        ("string ", "the text "),
        ("integer ", "the number "),
        ("floating point ", "the number "),
        ("boolean ", "the value "),
    ];
    let table = [
        ("a string", "a text"),
        ("a boolean", "`true` or `false`"),
        ("a sequence", "a list"),
        ("sequence", "a list"),
        ("a map", "a table"),
        ("map", "a table"),
        ("datetime", "a date"),
    ];
    let unsigned = ["u8", "u16", "u32", "u64", "usize"];
    if unsigned.contains(&rust) {
        return "a whole number of at least 0".to_owned();
    }
    if let Some((_, ours)) = table.iter().find(|(theirs, _)| *theirs == rust) {
        return (*ours).to_owned();
    }
    for (theirs, ours) in words {
        if let Some(value) = rust.strip_prefix(theirs) {
            return format!("{ours}{value}");
        }
    }
    rust.to_owned()
}

fn lower(message: &str) -> String {
    let mut characters = message.trim().trim_end_matches('.').chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}
