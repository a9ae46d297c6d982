//! `--fix`: writing suggested changes into the files.

use std::collections::BTreeMap;

use super::Findings;
use crate::base::SourceId;
use crate::cli::Failure;
use crate::cli::workspace::replace;
use crate::diag::Fix;

/// Applies the fixes that do not touch each other, and says how many. Each file is replaced as a whole.
///
/// # Errors
/// A file that cannot be written.
pub(super) fn apply(findings: &Findings) -> Result<usize, Failure> {
    let mut by_file: BTreeMap<SourceId, Vec<&Fix>> = BTreeMap::new();
    for fix in findings.problems.iter().filter_map(|problem| problem.fix.as_ref()) {
        by_file.entry(fix.span.source).or_default().push(fix);
    }
    let mut applied = 0;
    for (source, fixes) in by_file {
        let Some(path) = findings.paths.get(&source) else { continue };
        let text = &findings.sources.file(source).text;
        let (mended, count) = mend(text, fixes);
        if mended != *text {
            replace(path, &mended).map_err(|error| Failure::unwritable(path, &error))?;
            applied += count;
        }
    }
    Ok(applied)
}

/// The text with the fixes that do not overlap an earlier one, and how many these are.
pub(super) fn mend(text: &str, mut fixes: Vec<&Fix>) -> (String, usize) {
    fixes.sort_by_key(|fix| (fix.span.start, fix.span.end));
    let mut out = String::new();
    let (mut done, mut count) = (0, 0);
    let mut last: Option<&Fix> = None;
    for fix in fixes {
        let (start, end) = (fix.span.start as usize, fix.span.end as usize);
        // Two insertions at one place are one, or they depend on each other.
        let repeated = last.is_some_and(|last| last.span.start == fix.span.start);
        let Some(kept) = text.get(done..start).filter(|_| !repeated && text.get(start..end).is_some()) else {
            continue;
        };
        out += kept;
        out += &fix.replacement;
        (done, count, last) = (end, count + 1, Some(fix));
    }
    out += text.get(done..).unwrap_or_default();
    (out, count)
}
