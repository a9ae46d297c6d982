//! HTML: escaping values that go into it, and the plain text that it says.

use std::borrow::Cow;

/// `text` as HTML that shows it: `& < > " '` become entities.
pub fn escape_html(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| entity(byte).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if let Some(entity) = entity(byte) {
            escaped.push_str(&text[from..at]);
            escaped.push_str(entity);
            from = at + 1;
        }
    }
    escaped.push_str(&text[from..]);
    Cow::Owned(escaped)
}

const fn entity(byte: u8) -> Option<&'static str> {
    match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'"' => Some("&quot;"),
        b'\'' => Some("&#39;"),
        _ => None,
    }
}

/// What an HTML message says, for readers that show plain text: paragraphs and items on lines of their own, the
/// address of a link after its words. Made for messages, not for every page of the web.
pub fn plain_text(html: &str) -> String {
    let mut text = PlainText::default();
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        text.words(&rest[..at]);
        rest = &rest[at..];
        rest = if rest.starts_with('<') { text.tag(rest) } else { text.reference(rest) };
    }
    text.words(rest);
    text.out.truncate(text.out.trim_end().len());
    text.out.push('\n');
    text.out
}

#[derive(Default)]
struct PlainText {
    out: String,
    /// A blank is due before the next word.
    blank: bool,
    /// The link that is open, and where its words start.
    link: Option<(String, usize)>,
}

impl PlainText {
    /// Text between tags: every run of white space is one blank.
    fn words(&mut self, text: &str) {
        for piece in text.split_inclusive(|c: char| c.is_ascii_whitespace()) {
            let word = piece.trim_end_matches(|c: char| c.is_ascii_whitespace());
            if !word.is_empty() {
                self.word(word);
            }
            self.blank |= word.len() < piece.len();
        }
    }

    fn word(&mut self, word: &str) {
        if self.blank && !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push(' ');
        }
        self.blank = false;
        self.out.push_str(word);
    }

    /// Makes the text end with at least `lines` line ends, unless it is empty.
    fn break_lines(&mut self, lines: usize) {
        self.blank = false;
        self.out.truncate(self.out.trim_end_matches(' ').len());
        if self.out.is_empty() {
            return;
        }
        let present = self.out.len() - self.out.trim_end_matches('\n').len();
        self.out.extend(std::iter::repeat_n('\n', lines.saturating_sub(present)));
    }

    /// `rest` starts with `<`; gives what follows the tag. A tag that never ends is text.
    fn tag<'t>(&mut self, rest: &'t str) -> &'t str {
        if let Some(comment) = rest.strip_prefix("<!--") {
            return comment.split_once("-->").map_or("", |(_, after)| after);
        }
        let Some(end) = tag_end(rest) else {
            self.word("<");
            return &rest[1..];
        };
        let (inside, after) = (&rest[1..end], &rest[end + 1..]);
        let name_end = inside.char_indices().find(|(at, c)| !(c.is_ascii_alphanumeric() || *at == 0 && *c == '/'));
        let name = inside[..name_end.map_or(inside.len(), |(at, _)| at)].to_ascii_lowercase();
        match name.as_str() {
            "style" | "script" | "head" | "title" => return skip_element(after, &name),
            "br" => {
                self.blank = false;
                self.out.push('\n');
            }
            "p" | "/p" | "h1" | "/h1" | "h2" | "/h2" | "h3" | "/h3" | "table" | "/table" | "ul" | "/ul" | "ol"
            | "/ol" => self.break_lines(2),
            "div" | "/div" | "tr" | "/tr" | "/li" => self.break_lines(1),
            "li" => {
                self.break_lines(1);
                self.out.push_str("- ");
            }
            "td" | "/td" | "th" | "/th" => self.blank = true,
            "a" => self.link = attribute(inside, "href").map(|target| (target, self.out.len())),
            "/a" => self.close_link(),
            "img" => {
                if let Some(words) = attribute(inside, "alt") {
                    self.words(&words);
                }
            }
            _ => {}
        }
        after
    }

    fn close_link(&mut self) {
        if let Some((target, from)) = self.link.take()
            && target.contains(':')
            && self.out.get(from..).is_none_or(|words| words.trim() != target)
        {
            self.blank = true;
            self.word(&format!("<{target}>"));
        }
    }

    /// `rest` starts with `&`; gives what follows the character reference. What is none is text.
    fn reference<'t>(&mut self, rest: &'t str) -> &'t str {
        match reference(rest) {
            Some(('\u{a0}', after)) => {
                self.blank = true;
                after
            }
            Some((character, after)) => {
                self.word(character.encode_utf8(&mut [0; 4]));
                after
            }
            None => {
                self.word("&");
                &rest[1..]
            }
        }
    }
}

/// The place of the `>` that ends the tag at the start of `rest`, quotes respected.
fn tag_end(rest: &str) -> Option<usize> {
    if !rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
        return None;
    }
    let mut quote = None;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
    }
    None
}

/// What follows the end tag of `name`.
fn skip_element<'t>(rest: &'t str, name: &str) -> &'t str {
    let end = format!("</{name}");
    let mut from = 0;
    while let Some(at) = rest[from..].find("</") {
        let tag = &rest[from + at..];
        if tag.get(..end.len()).is_some_and(|found| found.eq_ignore_ascii_case(&end)) {
            return tag.split_once('>').map_or("", |(_, after)| after);
        }
        from += at + 2;
    }
    ""
}

/// The value of a quoted attribute, references resolved.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = format!("{name}=");
    let lower = tag.to_ascii_lowercase();
    let (at, _) = lower.match_indices(&start).find(|(at, _)| lower[..*at].ends_with(char::is_whitespace))?;
    let value = &tag[at + start.len()..];
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let mut rest = value[1..].split(quote).next()?;
    let mut out = String::with_capacity(rest.len());
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let (character, after) = reference(&rest[at..]).unwrap_or(('&', &rest[at + 1..]));
        out.push(character);
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

/// The character reference at the start of `rest`.
fn reference(rest: &str) -> Option<(char, &str)> {
    let (name, after) = rest.get(1..)?.split_once(';')?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "euro" => '€',
        "copy" => '©',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "rsquo" => '’',
        "laquo" => '«',
        "raquo" => '»',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|character| !character.is_control())?
        }
    };
    Some((character, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_open_tags_or_leave_attributes() {
        assert_eq!(escape_html(r#"<b onclick='x'>"A & B""#), "&lt;b onclick=&#39;x&#39;&gt;&quot;A &amp; B&quot;");
        assert!(matches!(escape_html("Zoë 🙂"), Cow::Borrowed("Zoë 🙂")));
    }

    #[test]
    fn html_as_text() {
        let cases = [
            ("<p>Hi   Zoë,</p>\n<p>two\nlines</p>", "Hi Zoë,\n\ntwo lines\n"),
            ("<ul><li>one</li><li>two</li></ul>after", "- one\n- two\n\nafter\n"),
            (
                "See <a href=\"https://shop.test/?a=1&amp;b=2\">the shop</a>.",
                "See the shop <https://shop.test/?a=1&b=2>.\n",
            ),
            ("<a href='https://shop.test'>https://shop.test</a>", "https://shop.test\n"),
            ("<style>p { color: red }</style><p>a&nbsp;b &lt;c&gt; &#8364;5</p>", "a b <c> €5\n"),
            ("one<br>two<!-- three --><img alt=\"a cat\" src=x>", "one\ntwoa cat\n"),
            ("5 < 6 & 7 > 6", "5 < 6 & 7 > 6\n"),
            ("<a data-href=\"x:y\">é</a><é>", "é<é>\n"),
            ("<STYLE>x</Style>é</>", "é\n"),
            ("<", "<\n"),
            ("", "\n"),
        ];
        for (html, expected) in cases {
            assert_eq!(plain_text(html), expected, "{html}");
        }
    }
}
