//! Strings in simple quotes that go over several lines.

use crate::syntax::token::statement;

/// Lines that are looked at for the closing quote.
const MOST_LINES: usize = 40;

/// How far the closing quote is, when the lines of `rest` up to it can only be text: none begins a statement, an item or
/// a comment, and behind the quote nothing follows that would need an operand.
pub(super) fn lines_to_quote(rest: &str, quote: char) -> Option<usize> {
    let mut start = 0;
    for line in rest.split_inclusive('\n').take(MOST_LINES) {
        let content = line.trim();
        if begins_something(content) {
            return None;
        }
        if let Some(at) = line.find(quote) {
            let behind = line[at + 1..].trim();
            let ends = behind.is_empty() || behind.starts_with([';', ',', '}', ')']);
            return ends.then_some(start + at);
        }
        start += line.len();
    }
    None
}

fn begins_something(line: &str) -> bool {
    let word_end = line.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(line.len());
    let (word, behind) = line.split_at(word_end);
    let is_item = !word.is_empty() && behind.trim_start().starts_with(':');
    is_item || statement(word).is_some() || line.starts_with(['}', '#'])
}
