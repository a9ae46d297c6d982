//! Echoes: problems that are only there because something else could not be understood.

use std::collections::HashSet;

use crate::base::SourceMap;
use crate::diag::codes::{lints, names, types};
use crate::diag::{Code, Problem, Problems, Severity};
use crate::hir::ParsedFile;
use crate::syntax::ast::Gaps;

/// The problems that checking found, without the echoes of mistakes in the form of statements, and with each unknown
/// name once.
pub(super) fn without_echoes(found: Problems, files: &[ParsedFile], sources: &SourceMap, broken: bool) -> Problems {
    let mut kept = Problems::new();
    let mut unknown: HashSet<(Code, String)> = HashSet::new();
    for problem in found {
        if broken && is_echo(&problem, files, sources) {
            continue;
        }
        let is_unknown = problem.code == names::UNKNOWN_NAME && problem.labels.len() == 1;
        let is_new = !is_unknown || unknown.insert((problem.code, problem.message.clone()));
        if is_new {
            kept.push(problem);
        }
    }
    kept
}

fn is_echo(problem: &Problem, files: &[ParsedFile], sources: &SourceMap) -> bool {
    if problem.severity == Severity::Warning {
        // What was not understood may use what seems unused, or hold what seems to be missing.
        const ABOUT_THE_REST: [Code; 4] =
            [lints::UNUSED_SEGMENT, lints::NO_TOPIC, lints::PLACEHOLDER_MESSAGE, lints::REPEATED_MESSAGE];
        // What a statement seems to lack stands perhaps in the part that was not understood.
        let is_broken = |span: crate::base::Span| {
            let mut broken = files.iter().flat_map(|file| &file.ast.gaps.broken);
            broken.any(|broken| {
                broken.span.source == span.source && span.start <= broken.span.start && broken.span.start <= span.end
            })
        };
        let of_broken = problem.code == lints::UNLIMITED_WAIT && problem.span().is_some_and(is_broken);
        return of_broken || ABOUT_THE_REST.contains(&problem.code);
    }
    let gaps = || files.iter().map(|file| &file.ast.gaps);
    let Some(span) = problem.span() else { return false };
    let text = sources.file(span.source).text.get(span.start as usize..span.end as usize).unwrap_or("");
    let is_inside = |gaps: &Gaps| {
        let around = |broken: &crate::syntax::ast::Broken| {
            broken.span.source == span.source && broken.span.start <= span.start && span.end <= broken.span.end
        };
        gaps.broken.iter().any(around)
    };
    if gaps().any(is_inside) {
        return true;
    }
    let is_about_a_name = problem.code == names::UNKNOWN_NAME || problem.code == types::UNKNOWN_FIELD;
    let quoted: Vec<&str> = problem.message.split('`').skip(1).step_by(2).collect();
    let is_lost = |name: &str| gaps().any(|gaps| gaps.names.iter().any(|lost| lost == name));
    if is_about_a_name && (is_lost(text) || quoted.last().is_some_and(|name| is_lost(name))) {
        return true;
    }
    let of_broken = |name: &str| gaps().flat_map(|gaps| &gaps.broken).any(|it| it.name.as_deref() == Some(name));
    if quoted.iter().any(|name| of_broken(name)) || of_broken(text) {
        return true;
    }
    let is_guess = problem.help.as_ref().is_some_and(|help| help.starts_with("did you mean"));
    let nameless = gaps().flat_map(|gaps| &gaps.broken).any(|broken| broken.nameless);
    is_about_a_name && nameless && !is_guess
}
