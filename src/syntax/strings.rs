//! What strings stand for: escapes, doubled braces, and the indentation of `"""` blocks.

use std::ops::Range;

/// The three ways to write a string.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quoting {
    /// `'...'`: braces mean nothing.
    Plain,
    /// `"..."`
    Template,
    /// `"""..."""`
    Block,
}

/// What is wrong with an escape.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EscapeFault {
    /// A backslash before this character means nothing.
    Unknown(char),
    /// A backslash at the end of the string or line.
    Nothing,
    /// `\u{...}` with something else than a character's number.
    NoCharacter,
}

/// Decodes the runs of characters of one string, of which the opening quote ends at `open_end`; also returns the places of wrong escapes.
pub fn decode(
    text: &str,
    quoting: Quoting,
    open_end: usize,
    chunks: &[Range<usize>],
) -> (Vec<String>, Vec<(Range<usize>, EscapeFault)>) {
    let mut faults = Vec::new();
    let indent = if quoting == Quoting::Block { common_indent(text, chunks) } else { String::new() };
    let last = chunks.len().saturating_sub(1);
    let decoded = chunks.iter().enumerate().map(|(at, chunk)| {
        let mut run = chunk.clone();
        if quoting == Quoting::Block {
            let edges = (at == 0 && chunk.start == open_end, at == last && text[chunk.end..].starts_with("\"\"\""));
            run = trim_edges(text, run, edges);
        }
        decode_run(text, run, quoting, &indent, &mut faults)
    });
    let decoded = decoded.collect();
    (decoded, faults)
}

/// The white space that every line with something on it begins with. The line of the opening quote does not count.
fn common_indent(text: &str, chunks: &[Range<usize>]) -> String {
    let mut common: Option<&str> = None;
    for chunk in chunks {
        let run = &text[chunk.clone()];
        for (newline, _) in run.match_indices('\n') {
            let line = &run[newline + 1..];
            let content = line.find(|c: char| c != ' ' && c != '\t').unwrap_or(line.len());
            let blank = match line[content..].chars().next() {
                Some('\n' | '\r') => true,
                Some(_) => false,
                // The line goes on with a hole, or the string ends.
                None => text[chunk.end..].starts_with("\"\"\""),
            };
            if !blank {
                let indent = &line[..content];
                common = Some(common.map_or(indent, |common| common_prefix(common, indent)));
            }
        }
    }
    common.unwrap_or("").to_owned()
}

fn common_prefix<'t>(a: &'t str, b: &str) -> &'t str {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    &a[..same]
}

/// Drops the newline behind the opening quote, and before the closing one with the white space between.
fn trim_edges(text: &str, mut run: Range<usize>, (first, last): (bool, bool)) -> Range<usize> {
    if first {
        let line_end = text[run.clone()].find('\n').map(|at| run.start + at);
        if let Some(line_end) = line_end.filter(|end| text[run.start..*end].trim().is_empty()) {
            run.start = line_end + 1;
        }
    }
    if last {
        let line_start = text[run.clone()].rfind('\n').map(|at| run.start + at);
        match line_start {
            Some(newline) if text[newline..run.end].trim().is_empty() => {
                run.end = if text[run.start..newline].ends_with('\r') { newline - 1 } else { newline };
            }
            // Only the closing line is left.
            None if first && text[..run.start].ends_with('\n') && text[run.clone()].trim().is_empty() => {
                run.end = run.start
            }
            _ => {}
        }
    }
    run
}

fn decode_run(
    text: &str,
    run: Range<usize>,
    quoting: Quoting,
    indent: &str,
    faults: &mut Vec<(Range<usize>, EscapeFault)>,
) -> String {
    let mut out = String::with_capacity(run.len());
    let mut at = run.start;
    // A run that begins behind the opening quote's newline begins with indentation.
    if quoting == Quoting::Block && text[..at].ends_with('\n') {
        at += skip_indent(&text[at..run.end], indent);
    }
    while let Some(character) = text[at..run.end].chars().next() {
        let width = character.len_utf8();
        let rest = &text[at + width..run.end];
        match character {
            '\\' => {
                let (value, length) = escape(rest);
                match value {
                    Ok(value) => out.push(value),
                    Err(fault) => faults.push((at..at + 1 + length, fault)),
                }
                at += length;
            }
            '{' | '}' if quoting != Quoting::Plain => {
                out.push(character);
                if rest.starts_with(character) {
                    at += 1;
                }
            }
            '\r' if rest.starts_with('\n') => {}
            '\n' => {
                out.push('\n');
                at += skip_indent(rest, indent);
            }
            _ => out.push(character),
        }
        at += width;
    }
    out
}

/// How much of a line's beginning is indentation; blank lines may have less than the others.
fn skip_indent(line: &str, indent: &str) -> usize {
    common_prefix(line, indent).len()
}

/// The character behind a backslash and how many bytes it takes.
fn escape(rest: &str) -> (Result<char, EscapeFault>, usize) {
    let Some(character) = rest.chars().next() else { return (Err(EscapeFault::Nothing), 0) };
    let value = match character {
        'n' => Ok('\n'),
        't' => Ok('\t'),
        '\\' | '"' | '\'' => Ok(character),
        'u' if rest.starts_with("u{") => return unicode_escape(rest),
        '\n' | '\r' => return (Err(EscapeFault::Nothing), 0),
        other => Err(EscapeFault::Unknown(other)),
    };
    (value, character.len_utf8())
}

/// `u{1F600}`
fn unicode_escape(rest: &str) -> (Result<char, EscapeFault>, usize) {
    let digits_end = rest[2..].find(|c: char| !c.is_ascii_alphanumeric()).map_or(rest.len(), |at| at + 2);
    let closed = rest[digits_end..].starts_with('}');
    let value = u32::from_str_radix(&rest[2..digits_end], 16).ok().and_then(char::from_u32).filter(|_| closed);
    (value.ok_or(EscapeFault::NoCharacter), digits_end + usize::from(closed))
}
