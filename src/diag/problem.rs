//! One problem, as data.

use super::Code;
use crate::base::Span;

/// How much it matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Suspicious; the program still runs.
    Warning,
    /// The program does not run.
    Error,
}

/// A place in the source with a short text beside it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What to say about it; may be empty.
    pub text: String,
}

/// A replacement that mends the problem, for `orch check --fix` and the editor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fix {
    /// What to replace; empty to insert.
    pub span: Span,
    /// The new text.
    pub replacement: String,
}

/// One problem. Messages are lower case, have no final stop and put what was written in backquotes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Stable name.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// Where. The first label is the primary one: the smallest wrong piece of source. Empty only for problems
    /// outside any source text.
    pub labels: Vec<Label>,
    /// What to write instead.
    pub help: Option<String>,
    /// The help as an edit, where it is one.
    pub fix: Option<Fix>,
}

impl Problem {
    /// An error at `span`.
    pub fn error(code: Code, message: impl Into<String>, span: Span) -> Self {
        Self::new(code, Severity::Error, message, vec![Label { span, text: String::new() }])
    }

    /// A warning at `span`.
    pub fn warning(code: Code, message: impl Into<String>, span: Span) -> Self {
        Self::new(code, Severity::Warning, message, vec![Label { span, text: String::new() }])
    }

    /// An error that has no place in a source text.
    pub fn outside(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, message, Vec::new())
    }

    fn new(code: Code, severity: Severity, message: impl Into<String>, labels: Vec<Label>) -> Self {
        Self { code, severity, message: message.into(), labels, help: None, fix: None }
    }

    /// Text beside the primary label.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(primary) = self.labels.first_mut() {
            primary.text = text.into();
        }
        self
    }

    /// Another place that explains.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// What to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The help as an edit.
    #[must_use]
    pub fn fix(mut self, span: Span, replacement: impl Into<String>) -> Self {
        self.fix = Some(Fix { span, replacement: replacement.into() });
        self
    }

    /// True for the same thing said of the same place.
    pub fn same_as(&self, other: &Problem) -> bool {
        self.code == other.code && self.span() == other.span() && self.message == other.message
    }

    /// The primary place.
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }
}

/// A growing list of problems.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, problem: impl Into<Problem>) {
        self.0.push(problem.into());
    }

    /// Adds all of another list.
    pub fn extend(&mut self, other: impl IntoIterator<Item = Problem>) {
        self.0.extend(other);
    }

    /// True when at least one is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// How many have this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.0.iter().filter(|problem| problem.severity == severity).count()
    }

    /// How many, of any severity.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets all but the first `len`.
    pub fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    /// Takes out all but the first `len`.
    pub fn split_off(&mut self, len: usize) -> Vec<Problem> {
        self.0.split_off(len.min(self.0.len()))
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All, in the order they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// Sorts by place, removes exact repetitions.
    pub fn finish(&mut self) {
        self.0.sort_by_key(|problem| problem.span());
        self.0.dedup();
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'p> IntoIterator for &'p Problems {
    type Item = &'p Problem;
    type IntoIter = std::slice::Iter<'p, Problem>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
