//! Layer 1: scripts in one style.
//!
//! Two spaces of indentation, at most 100 columns where that is possible, one statement a line. Spaces and breaks are
//! decided here, with two exceptions that stay as they are written, because they say how a script is meant to be read: a
//! block whose brace ends its line keeps its lines, and a query that is broken before a clause is broken before all of
//! them. Empty lines stay, one at a time. Strings are not touched.
//!
//! The output is checked before it is returned: it must have the same tokens and doc comments as the input, apart from
//! separators, and formatting it again must not change it.

mod comments;
mod doc;
mod shape;
mod spacing;

#[cfg(test)]
mod tests;

use crate::base::{SourceId, Span};
use crate::diag::{Problem, Problems, codes};
use crate::syntax::token::Kind;
use crate::syntax::{self, Scanned};
use comments::Comments;
use shape::Shaper;

/// A comment may move once when the line it stands on is broken anew; then it stays.
const MAX_ROUNDS: usize = 4;

/// Formats a script. Fails with its problems when it cannot be parsed, and never changes what it means.
pub fn format(source: SourceId, text: &str) -> Result<String, Problems> {
    let parsed = syntax::parse(source, text);
    if parsed.problems.has_errors() {
        return Err(parsed.problems);
    }
    let text = &text.replace("\r\n", "\n");
    let written = syntax::scan(source, text);
    let mut current = shaped(text, &written);
    // What was right stays: the usual case, and the cheapest.
    let mut same = current == *text;
    for _ in 0..MAX_ROUNDS {
        if same {
            break;
        }
        let scanned = syntax::scan(source, &current);
        let next = shaped(&current, &scanned);
        same = next == current && essence(text, &written).eq(essence(&current, &scanned));
        current = next;
    }
    if same { Ok(current) } else { Err(refusal(source, text)) }
}

fn shaped(text: &str, scanned: &Scanned) -> String {
    let comments = Comments::new(&scanned.tokens, &scanned.trivia.comments);
    let doc = Shaper::new(text, &scanned.tokens, &scanned.units, comments).file();
    doc::print(&doc)
}

/// What must not change: tokens without optional separators, the documentation they have, and comments.
fn essence<'t>(text: &'t str, scanned: &'t Scanned) -> impl Iterator<Item = (Option<Kind>, &'t str, &'t str)> {
    let Scanned { tokens, docs, trivia, .. } = scanned;
    let kind = |at: usize| tokens.get(at).map(|token| token.kind);
    let is_optional = move |at: usize| {
        let before = at.checked_sub(1).and_then(kind);
        kind(at) == Some(Kind::Comma)
            && (matches!(kind(at + 1), Some(Kind::ParenClose | Kind::SquareClose))
                || (before == Some(Kind::BraceClose) && kind(at + 1) == Some(Kind::BraceOpen)))
    };
    let kept = (0..tokens.len()).filter(move |at| !is_optional(*at));
    let words = kept.map(|at| match tokens[at].kind {
        Kind::End => (Some(Kind::End), "", ""),
        kind => {
            let doc = docs.get(&tokens[at].start).map_or("", |doc| doc.text.as_str());
            (Some(kind), tokens[at].text(text), doc)
        }
    });
    words.chain(trivia.comments.iter().map(|comment| (None, comment.text(text), "")))
}

fn refusal(source: SourceId, text: &str) -> Problems {
    let span = Span::new(source, 0, text.find('\n').unwrap_or(text.len()) as u32);
    let mut problems = Problems::new();
    problems.push(
        Problem::error(codes::syntax::NOT_FORMATTED, "this script cannot be formatted without changing it", span)
            .help("move comments out of the middle of statements; the script itself is fine"),
    );
    problems
}
