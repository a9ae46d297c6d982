//! Text in the seven bits and short lines that every mail server takes: RFC 2045 bodies, RFC 2047 headers.

use std::fmt::Write as _;

/// The longest line that needs no encoding. RFC 5322 allows 998 octets; the margin is for relays that add to lines.
const LONGEST_LINE: usize = 900;
/// RFC 2045: an encoded line has at most 76 characters, the soft line break included.
const ENCODED_LINE: usize = 75;
/// RFC 5322: lines of a header should not pass this.
const HEADER_LINE: usize = 78;
/// Bytes of text in one encoded word. RFC 2047 allows 75 characters per word and 76 per line, and the longest of our
/// header names needs its share.
const WORD_BYTES: usize = 36;

const HEX: &[u8; 16] = b"0123456789ABCDEF";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Writes the header fields that describe a text body, the blank line and the body. Every line end becomes CRLF.
pub fn text_part(out: &mut String, subtype: &str, text: &str) {
    let (encoding, write): (&str, fn(&mut String, &str)) = if is_plain(text) {
        ("7bit", plain_lines)
    } else if text.bytes().filter(|byte| !byte.is_ascii()).count() * 3 > text.len() {
        ("base64", base64_lines)
    } else {
        ("quoted-printable", quoted_printable)
    };
    for piece in ["Content-Type: text/", subtype, "; charset=utf-8\r\nContent-Transfer-Encoding: ", encoding] {
        out.push_str(piece);
    }
    out.push_str("\r\n\r\n");
    write(out, text);
}

/// ASCII text without control characters and long lines.
fn is_plain(text: &str) -> bool {
    let mut line = 0;
    text.bytes().all(|byte| {
        line = if byte == b'\n' { 0 } else { line + 1 };
        line <= LONGEST_LINE && matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~')
    })
}

/// The lines of a text, whichever line ends it has. A final line end does not start another line.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(['\r', '\n']).unwrap_or(rest.len());
        let line = &rest[..end];
        rest = &rest[end..];
        rest = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(['\r', '\n'])).unwrap_or(rest);
        Some(line)
    })
}

fn plain_lines(out: &mut String, text: &str) {
    for line in lines(text) {
        out.push_str(line);
        out.push_str("\r\n");
    }
}

fn quoted_printable(out: &mut String, text: &str) {
    for line in lines(text) {
        let mut column = 0;
        let last = line.len().saturating_sub(1);
        for (at, byte) in line.bytes().enumerate() {
            // A blank at the end of a line may be dropped on the way.
            let literal = matches!(byte, b'!'..=b'<' | b'>'..=b'~') || (matches!(byte, b' ' | b'\t') && at < last);
            let width = if literal { 1 } else { 3 };
            if column + width > ENCODED_LINE {
                out.push_str("=\r\n");
                column = 0;
            }
            if literal {
                out.push(char::from(byte));
            } else {
                hex_escape(out, byte);
            }
            column += width;
        }
        out.push_str("\r\n");
    }
}

fn hex_escape(out: &mut String, byte: u8) {
    out.push('=');
    out.push(char::from(HEX[usize::from(byte >> 4)]));
    out.push(char::from(HEX[usize::from(byte & 15)]));
}

fn base64_lines(out: &mut String, text: &str) {
    let mut body = String::with_capacity(text.len() + 64);
    plain_lines(&mut body, text);
    for line in body.as_bytes().chunks(57) {
        base64(out, line);
        out.push_str("\r\n");
    }
}

fn base64(out: &mut String, bytes: &[u8]) {
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let digit = if at <= group.len() { BASE64[(bits >> (18 - 6 * at)) as usize & 63] } else { b'=' };
            out.push(char::from(digit));
        }
    }
}

/// Writes one header field. Whatever `value` holds, it stays one field: control characters become blanks, long
/// values are folded, anything beyond ASCII becomes encoded words.
pub fn unstructured(out: &mut String, name: &str, value: &str) {
    out.push_str(name);
    out.push_str(": ");
    let cleaned = clean(value);
    let needs_words = !cleaned.is_ascii() || cleaned.contains("=?") || cleaned.split(' ').any(|w| w.len() > 700);
    if needs_words {
        encoded_words(out, &cleaned);
    } else {
        fold(out, name.len() + 2, &cleaned);
    }
    out.push_str("\r\n");
}

/// Writes a display name: as it is, quoted, or as encoded words.
pub fn phrase(out: &mut String, name: &str) {
    let name = clean(name);
    let is_atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~ ".contains(c);
    if !name.is_ascii() || name.contains("=?") || name.len() > 200 {
        encoded_words(out, &name);
    } else if name.chars().all(is_atom) {
        out.push_str(&name);
    } else {
        out.push('"');
        for character in name.chars() {
            if matches!(character, '"' | '\\') {
                out.push('\\');
            }
            out.push(character);
        }
        out.push('"');
    }
}

/// Without control characters and blanks at the ends.
fn clean(value: &str) -> std::borrow::Cow<'_, str> {
    let value = value.trim();
    // The two separators beyond ASCII end lines too, for some readers.
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if value.contains(breaks) { value.replace("\r\n", " ").replace(breaks, " ").into() } else { value.into() }
}

fn fold(out: &mut String, mut column: usize, value: &str) {
    for (at, word) in value.split(' ').enumerate() {
        if at > 0 {
            if column + 1 + word.len() > HEADER_LINE && !word.is_empty() {
                out.push_str("\r\n");
                column = 0;
            }
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.len();
    }
}

/// RFC 2047: in the readable encoding unless it is much longer, split between characters.
fn encoded_words(out: &mut String, text: &str) {
    let readable = text.bytes().filter(|byte| !is_word_literal(*byte) && *byte != b' ').count() * 6 < text.len() * 2;
    let mut rest = text;
    let mut first = true;
    while !rest.is_empty() {
        let end = word_end(rest, readable);
        out.push_str(match (first, readable) {
            (true, true) => "=?utf-8?Q?",
            (true, false) => "=?utf-8?B?",
            (false, true) => "\r\n =?utf-8?Q?",
            (false, false) => "\r\n =?utf-8?B?",
        });
        first = false;
        if readable {
            for byte in rest[..end].bytes() {
                match byte {
                    b' ' => out.push('_'),
                    _ if is_word_literal(byte) => out.push(char::from(byte)),
                    _ => hex_escape(out, byte),
                }
            }
        } else {
            base64(out, &rest.as_bytes()[..end]);
        }
        out.push_str("?=");
        rest = &rest[end..];
    }
}

/// The characters that RFC 2047 lets stand for themselves everywhere, in names of people too.
const fn is_word_literal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'!' | b'*' | b'+' | b'-' | b'/')
}

/// How much of `rest` fits one encoded word.
fn word_end(rest: &str, readable: bool) -> usize {
    let mut width = 0;
    for (at, character) in rest.char_indices() {
        let cost = |byte: u8| if readable && !is_word_literal(byte) && byte != b' ' { 3 } else { 1 };
        width += character.encode_utf8(&mut [0; 4]).bytes().map(cost).sum::<usize>();
        let limit = if readable { WORD_BYTES * 4 / 3 } else { WORD_BYTES };
        if width > limit && at > 0 {
            return at;
        }
    }
    rest.len()
}

/// Writes a time as `Date` wants it.
pub fn date(out: &mut String, at: jiff::Timestamp) {
    let _ = write!(out, "{}", at.strftime("%a, %d %b %Y %H:%M:%S +0000"));
}

#[cfg(test)]
mod tests;
