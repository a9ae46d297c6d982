//! `--fix`: writing suggested changes into the files.

use std::collections::BTreeMap;

use super::Findings;
use crate::base::SourceId;
use crate::cli::Failure;
use crate::cli::workspace::replace;
use crate::diag::{Fix, Problem};

/// Applies the fixes that are no guesses and do not touch each other; gives `FILE:LINE: OLD -> NEW` for each. Each file
/// is replaced as a whole.
///
/// # Errors
/// A file that cannot be written.
pub(super) fn apply(findings: &Findings) -> Result<Vec<String>, Failure> {
    let mut by_file: BTreeMap<SourceId, Vec<&Fix>> = BTreeMap::new();
    for problem in &findings.problems {
        let Some(fix) = &problem.fix else { continue };
        let written = findings.sources.file(fix.span.source).text.get(fix.span.start as usize..fix.span.end as usize);
        if written.is_some_and(|written| !is_guess(problem, written, &fix.replacement)) {
            by_file.entry(fix.span.source).or_default().push(fix);
        }
    }
    let mut applied = Vec::new();
    for (source, fixes) in by_file {
        let Some(path) = findings.paths.get(&source) else { continue };
        let file = findings.sources.file(source);
        let (mended, done) = mend(&file.text, fixes);
        if mended != *file.text {
            replace(path, &mended).map_err(|error| Failure::unwritable(path, &error))?;
            applied.extend(done.iter().map(|fix| said(&file.name, &file.text, fix)));
        }
    }
    Ok(applied)
}

/// True for a name or a value that is only near to what was written. One that differs in upper and lower case alone is
/// none.
fn is_guess(problem: &Problem, written: &str, replacement: &str) -> bool {
    let suggests = problem.help.as_ref().is_some_and(|help| help.starts_with("did you mean"));
    suggests && written.to_lowercase() != replacement.to_lowercase()
}

/// `vip.orch:3: == -> =`
fn said(name: &str, text: &str, fix: &Fix) -> String {
    let (start, end) = (fix.span.start as usize, fix.span.end as usize);
    let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
    let shown = |text: &str| match text.trim() {
        "" => "nothing".to_owned(),
        text => text.split_whitespace().collect::<Vec<_>>().join(" "),
    };
    format!("{name}:{line}: {} -> {}", shown(text.get(start..end).unwrap_or_default()), shown(&fix.replacement))
}

/// The text with the fixes that do not overlap an earlier one, and these.
pub(super) fn mend<'f>(text: &str, mut fixes: Vec<&'f Fix>) -> (String, Vec<&'f Fix>) {
    fixes.sort_by_key(|fix| (fix.span.start, fix.span.end));
    let mut out = String::new();
    let mut done = 0;
    let mut applied: Vec<&Fix> = Vec::new();
    for fix in fixes {
        let (start, end) = (fix.span.start as usize, fix.span.end as usize);
        // Two insertions at one place are one, or they depend on each other.
        let repeated = applied.last().is_some_and(|last| last.span.start == fix.span.start);
        let Some(kept) = text.get(done..start).filter(|_| !repeated && text.get(start..end).is_some()) else {
            continue;
        };
        out += kept;
        out += &fix.replacement;
        done = end;
        applied.push(fix);
    }
    out += text.get(done..).unwrap_or_default();
    (out, applied)
}
