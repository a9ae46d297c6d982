//! Colours for a line that is being typed. Only what the eye looks for: words of the language, texts, comments.

use super::complete::WORDS;

const BOLD: &str = "1";
const GREEN: &str = "32";
const GREY: &str = "2";

/// The line with ANSI colours around some of its parts.
pub(super) fn highlight(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let (length, color) = match first {
            '"' | '\'' => (text_length(rest, first), Some(GREEN)),
            '#' => (rest.find('\n').unwrap_or(rest.len()), Some(GREY)),
            _ if first.is_alphabetic() => {
                let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                (length, WORDS.contains(&&rest[..length]).then_some(BOLD))
            }
            _ => (first.len_utf8(), None),
        };
        let (part, tail) = rest.split_at(length);
        match color {
            Some(color) => out += &format!("\u{1b}[{color}m{part}\u{1b}[0m"),
            None => out.push_str(part),
        }
        rest = tail;
    }
    out
}

/// Bytes up to and with the closing quote, or the whole rest.
fn text_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        if character == quote && !escaped {
            return at + 1;
        }
        escaped = character == '\\' && !escaped;
    }
    text.len()
}
