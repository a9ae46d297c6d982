//! What can go wrong with a source, and what to say about it.

use std::path::PathBuf;

use super::files::SourceFile;
use crate::base::{SourceId, Span, plain_reason};
use crate::diag::{Code, Problem, codes::run};

/// A failure to open or import a source. Paths are as people write them; the place in the program is added by
/// [`SourceError::problem`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("there is no `{shown}`")]
    Missing { shown: String, nearest: Option<String>, folder: String },
    #[error("no file matches `{shown}`")]
    NoMatch { shown: String },
    #[error("cannot read `{shown}`: {reason}")]
    Unreadable { shown: String, reason: String },
    #[error("cannot read `{shown}`: {reason}")]
    Store { shown: String, reason: String, denied: bool },
    #[error("`{shown}` is empty")]
    Empty { shown: String, header: bool },
    #[error("`{}` {}", .0.shown, .0.words())]
    Columns(Box<Mismatch>),
    #[error("{shown}:{line}: {}{}", place(.column), said(.value, .reason))]
    Cell {
        shown: String,
        line: u64,
        column: Option<String>,
        value: String,
        /// What to say after the value.
        reason: String,
        field: Option<Span>,
        /// Is it a line of a text file, which can be set aside?
        text: bool,
    },
    #[error("{shown}, row {row}: column {column}: {}", said(.value, .reason))]
    Value {
        shown: String,
        /// The row's key as text.
        row: String,
        column: String,
        value: String,
        /// What to say after the value.
        reason: String,
        field: Span,
    },
    #[error("`{shown}` has more bad lines than `max_errors: {limit}` allows")]
    TooMany { shown: String, limit: u64, first: String, rejects: Option<PathBuf> },
    #[error("{shown}:{line}: a quote is opened here and never closed")]
    OpenQuote { shown: String, line: u64 },
    #[error("{shown}:{line}: this line is longer than {limit} MiB")]
    LongRecord { shown: String, line: u64, limit: usize },
    #[error("`{shown}` changed while it was read")]
    Changed { shown: String },
    #[error("{what} cannot be read yet")]
    Unsupported { what: String, help: String },
    #[error("`{shown}` cannot be changed: {reason}")]
    Unwritable { shown: String, reason: String },
    #[error("`{entity}` {what}, which cannot be changed")]
    ReadOnly { entity: String, what: String },
    #[error("{}", .0.message)]
    Problem(Box<Problem>),
    #[error("{message}")]
    Option { message: String, help: String },
    #[error("a file cannot hold a column of this type: `{field}`")]
    FieldType { field: String, span: Span },
    #[error("cannot keep imported data in `{}`: {}", .path.display(), plain_reason(.reason))]
    Cache { path: PathBuf, reason: String },
}

/// How the columns of a file differ from those declared. Everything at once.
#[derive(Debug)]
pub(crate) struct Mismatch {
    pub shown: String,
    /// What has the columns: a file, a table.
    pub holder: &'static str,
    /// The columns of the file.
    pub found: Vec<String>,
    pub missing: Vec<MissingColumn>,
    /// Names that stand in the file more than once.
    pub repeated: Vec<String>,
    /// Names that are in the file only, where that is an error.
    pub undeclared: Vec<String>,
    pub unfit: Vec<Unfit>,
    /// Another file of the source, which has the columns.
    pub unlike: Option<String>,
}

impl Default for Mismatch {
    fn default() -> Self {
        Self {
            shown: String::new(),
            holder: "file",
            found: Vec::new(),
            missing: Vec::new(),
            repeated: Vec::new(),
            undeclared: Vec::new(),
            unfit: Vec::new(),
            unlike: None,
        }
    }
}

/// A declared column that the file lacks.
#[derive(Debug)]
pub(crate) struct MissingColumn {
    pub name: String,
    pub nearest: Option<String>,
    pub span: Span,
}

/// A column whose type in the file does not fit the declared one.
#[derive(Debug)]
pub(crate) struct Unfit {
    pub name: String,
    pub declared: &'static str,
    pub found: String,
    pub help: Option<String>,
    pub span: Span,
}

impl SourceError {
    /// The failure as a problem of no program.
    pub fn problem_outside(self) -> Problem {
        let nowhere = Span::new(SourceId(0), 0, 0);
        let problem = self.problem(nowhere);
        Problem { labels: Vec::new(), ..problem }
    }

    /// The failure as a problem of the program: `source` is the place of the location in the declaration.
    pub fn problem(self, source: Span) -> Problem {
        if let Self::Problem(problem) = self {
            return *problem;
        }
        let place = match &self {
            Self::Cell { field: Some(field), .. } | Self::Value { field, .. } => *field,
            Self::FieldType { span, .. } => *span,
            _ => source,
        };
        let problem = Problem::error(self.code(), self.to_string(), place);
        match self {
            Self::Missing { nearest: Some(nearest), .. } => problem.help(format!("did you mean `{nearest}`?")),
            Self::Missing { folder, .. } => problem.help(match folder.as_str() {
                source if source.starts_with("the source") => {
                    format!("correct the name, or grant the right to see it in {source}")
                }
                folder if folder.starts_with("s3://") => format!("put it into `{folder}`, or correct the path"),
                "" | "." => "put it into the folder of the script, or correct the path".to_owned(),
                folder => format!("put it into `{folder}`, or correct the path"),
            }),
            Self::Store { denied: true, .. } => problem.help(
                "name a `[source.NAME]` of orch.toml with `url`, `access_key` and `secret_key`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            ),
            Self::NoMatch { .. } => problem.help("`*` stands for any characters of a file name, `?` for one"),
            Self::Empty { header: true, .. } => problem
                .help("the first line must name the columns; for a file without such a line write `header: false`"),
            Self::Columns(mismatch) => columns(problem, *mismatch),
            Self::Cell { column, text, .. } => {
                let problem = if column.is_some() { problem.label("declared here") } else { problem };
                problem.help(match text {
                    true => "mend the file, or write `on_error: reject` after the path to set such lines aside",
                    false => "mend the file, declare a type that allows it, or write `on_error: reject` after the path to set such rows aside",
                })
            }
            Self::Value { .. } => problem
                .label("declared here")
                .help("correct the value, declare a type that allows it, or read from a view that leaves the row out"),
            Self::TooMany { first, rejects, .. } => problem.help(match rejects {
                Some(path) => format!("the first: {first}\nall so far are in `{}`", path.display()),
                None => format!("the first: {first}"),
            }),
            Self::OpenQuote { .. } => problem.help("a quote inside a quoted cell is written twice: `\"\"`"),
            Self::LongRecord { .. } => problem.help("check `delimiter` and `quote`, or whether this is a text file"),
            Self::Cache { .. } => problem.help("make room, or see to it that this is a folder that can be written"),
            Self::Changed { .. } => problem.help("run again once nobody writes to it"),
            Self::Unsupported { help, .. } | Self::Option { help, .. } => problem.help(help),
            Self::ReadOnly { .. } => {
                problem.help("write to an entity of one .csv, .tsv or .parquet file, or of a source with `writable = true` in orch.toml")
            }
            Self::FieldType { .. } => problem.help("declare it as `text` or `json`"),
            _ => problem,
        }
    }

    /// Patterns are of names of files.
    pub fn pattern_in_folder() -> Self {
        Self::Unsupported {
            what: "a pattern in a folder's name".to_owned(),
            help: "use `*` in the file's name only".to_owned(),
        }
    }

    /// Says of a file that its columns are not those of the files before it.
    pub fn unlike(self, file: &SourceFile, files: &[SourceFile]) -> Self {
        match (self, files.first()) {
            (Self::Columns(mismatch), Some(first)) if first != file => {
                Self::Columns(Box::new(Mismatch { unlike: Some(first.shown.clone()), ..*mismatch }))
            }
            (error, _) => error,
        }
    }

    fn code(&self) -> Code {
        match self {
            Self::Missing { .. } | Self::NoMatch { .. } => run::SOURCE_MISSING,
            Self::Unreadable { .. } | Self::Store { .. } => run::SOURCE_UNREADABLE,
            Self::Empty { .. } => run::SOURCE_EMPTY,
            Self::Columns(_) => run::SOURCE_COLUMNS,
            Self::Cell { column: Some(_), .. } | Self::Value { .. } => run::BAD_CELL,
            Self::Cell { column: None, .. } => run::BAD_ROW,
            Self::TooMany { .. } => run::TOO_MANY_BAD_ROWS,
            Self::OpenQuote { .. } | Self::LongRecord { .. } => run::OPEN_QUOTE,
            Self::Changed { .. } => run::SOURCE_CHANGED,
            Self::Unsupported { .. } | Self::FieldType { .. } => run::SOURCE_UNSUPPORTED,
            Self::Problem(problem) => problem.code,
            Self::Unwritable { .. } => run::WRITE_FAILED,
            Self::ReadOnly { .. } => run::READ_ONLY,
            Self::Option { .. } => run::SOURCE_OPTION,
            Self::Cache { .. } => run::CACHE_UNUSABLE,
        }
    }
}

/// Labels for every column that is missing or unfit, and a help that lists what the file has.
fn columns(mut problem: Problem, mismatch: Mismatch) -> Problem {
    let mut helps = Vec::new();
    let holder = mismatch.holder;
    if !mismatch.missing.is_empty() {
        helps.push(format!("its columns are {}", mismatch.found.join(", ")));
        helps.extend(other_delimiter(&mismatch.found));
    }
    if let Some(other) = mismatch.unlike {
        helps.push(format!("`{other}` is as declared; all files of a source hold the same columns"));
    }
    for column in mismatch.missing {
        let hint = column.nearest.map(|nearest| format!("not in the {holder}; did you mean `{nearest}`?"));
        problem = problem.also(column.span, hint.unwrap_or_else(|| format!("not in the {holder}")));
    }
    for column in mismatch.unfit {
        problem = problem.also(column.span, format!("the {holder} has {}", column.found));
        helps.extend(column.help);
    }
    if !mismatch.undeclared.is_empty() {
        helps.push("declare them, or remove `undeclared: fail`".to_owned());
    }
    if helps.is_empty() { problem } else { problem.help(helps.join("\n")) }
}

/// A header that is one column may be several, separated by something else.
fn other_delimiter(found: &[String]) -> Option<String> {
    let [only] = found else { return None };
    let sign = only.chars().find(|sign| [';', '\t', '|'].contains(sign))?;
    Some(format!("if these are several, write `(delimiter: {:?})` after the path", sign.to_string()))
}

impl Mismatch {
    fn words(&self) -> String {
        let quoted = |names: Vec<&str>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let strings = |names: &'_ [String]| quoted(names.iter().map(String::as_str).collect());
        let mut parts = Vec::new();
        let names: Vec<&str> = self.missing.iter().map(|column| column.name.as_str()).collect();
        match names.len() {
            0 => {}
            1 => parts.push(format!("has no column {}", quoted(names))),
            _ => parts.push(format!("has no columns {}", quoted(names))),
        }
        if !self.repeated.is_empty() {
            parts.push(format!("names {} more than once", strings(&self.repeated)));
        }
        if !self.undeclared.is_empty() {
            parts.push(format!("has {}, which the entity does not declare,", strings(&self.undeclared)));
        }
        parts.extend(self.unfit.iter().map(|column| format!("holds no {} in `{}`", column.declared, column.name)));
        let words = match parts.pop() {
            Some(last) if !parts.is_empty() => format!("{} and {last}", parts.join(", ")),
            last => last.unwrap_or_default(),
        };
        words.trim_end_matches(',').to_owned()
    }
}

fn place(column: &Option<String>) -> String {
    column.as_ref().map(|column| format!("column {column}: ")).unwrap_or_default()
}

fn said(value: &str, reason: &str) -> String {
    if value.is_empty() { reason.to_owned() } else { format!("`{value}` {reason}") }
}
