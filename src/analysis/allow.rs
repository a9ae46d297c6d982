//! `# allow: code` turns off a warning on its line or on the next.

use crate::base::{SourceId, SourceMap};
use crate::diag::{Code, Problem, Problems, Severity};
use crate::syntax::Trivia;

/// A warning that is allowed on a line (from 0).
struct Allowed {
    source: SourceId,
    line: usize,
    code: Code,
}

/// The problems without the warnings that comments allow. Errors cannot be allowed.
pub(super) fn suppress(problems: Problems, comments: &[(SourceId, Trivia)], sources: &SourceMap) -> Problems {
    let allowed = allowed(comments, sources);
    let is_allowed = |problem: &Problem| {
        problem.severity == Severity::Warning
            && problem.span().is_some_and(|span| {
                let line = sources.file(span.source).lines.line_of(span.start);
                allowed.iter().any(|one| one.source == span.source && one.code == problem.code && one.line == line)
            })
    };
    let mut kept = Problems::new();
    kept.extend(problems.into_iter().filter(|problem| !is_allowed(problem)));
    kept
}

fn allowed(comments: &[(SourceId, Trivia)], sources: &SourceMap) -> Vec<Allowed> {
    let mut allowed = Vec::new();
    for (source, trivia) in comments {
        let file = sources.file(*source);
        for comment in &trivia.comments {
            let text = comment.text(&file.text).trim_start_matches('#').trim_start();
            let Some(names) = text.strip_prefix("allow:") else { continue };
            let line = file.lines.line_of(comment.start) + usize::from(comment.own_line);
            let codes = names.split([',', ' ']).filter(|name| !name.is_empty()).filter_map(Code::find);
            allowed.extend(codes.map(|code| Allowed { source: *source, line, code }));
        }
    }
    allowed
}
