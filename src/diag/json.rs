//! Problems as JSON: our own stable shape (fields are only ever added).

use serde::Serialize;

use super::{Problem, Severity};
use crate::base::{LineColumn, SourceMap};

/// The document `{"problems": [...]}`.
#[derive(Serialize)]
pub struct ProblemsJson {
    /// In the order given.
    pub problems: Vec<ProblemJson>,
}

/// One problem.
#[derive(Serialize)]
pub struct ProblemJson {
    code: String,
    severity: Severity,
    message: String,
    help: Option<String>,
    labels: Vec<LabelJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<FixJson>,
}

#[derive(Serialize)]
struct LabelJson {
    file: String,
    start: LineColumn,
    end: LineColumn,
    text: String,
    primary: bool,
}

#[derive(Serialize)]
struct FixJson {
    file: String,
    start: LineColumn,
    end: LineColumn,
    replacement: String,
}

/// Builds the document for `problems`.
pub fn problems_json<'p>(problems: impl IntoIterator<Item = &'p Problem>, sources: &SourceMap) -> ProblemsJson {
    ProblemsJson { problems: problems.into_iter().map(|problem| one(problem, sources)).collect() }
}

fn one(problem: &Problem, sources: &SourceMap) -> ProblemJson {
    let place = |span: crate::base::Span| {
        let file = sources.file(span.source);
        let at = |offset| file.lines.line_column(&file.text, offset);
        (file.name.clone(), at(span.start), at(span.end))
    };
    let labels = problem.labels.iter().enumerate().map(|(index, label)| {
        let (file, start, end) = place(label.span);
        LabelJson { file, start, end, text: label.text.clone(), primary: index == 0 }
    });
    let fix = problem.fix.as_ref().map(|fix| {
        let (file, start, end) = place(fix.span);
        FixJson { file, start, end, replacement: fix.replacement.clone() }
    });
    ProblemJson {
        code: problem.code.full(),
        severity: problem.severity,
        message: problem.message.clone(),
        help: problem.help.clone(),
        labels: labels.collect(),
        fix,
    }
}
