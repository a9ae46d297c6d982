//! Text to tokens.
//!
//! # Why there are modes
//!
//! `"Hi {first_name ?? "there"}"` is one string with an expression inside, and that expression has a string of its
//! own. No regular expression finds the end of such a string, and cutting it out first and parsing its holes later
//! would lose the places of everything inside them. So the lexer keeps a stack: outside strings it reads *code*, after
//! an opening quote it reads *characters*, and a `{` among the characters pushes code again until its `}`. Braces
//! inside a hole are counted, so that the right `}` ends it. The two modes are two small `logos` lexers; which of them
//! reads next is the only thing the driver below decides. `'plain'` strings and `"..."` strings without holes leave as
//! one token, others as an opening quote, chunks, the tokens of the holes and a closing quote.
//!
//! A newline ends every string except a `"""` block: a forgotten quote then costs one line, not the rest of the file.
//!
//! # Why it never fails
//!
//! The parser needs tokens for the rest of the line whatever was wrong before. Wrong spellings are reported here and
//! leave as what was most likely meant: `&&` as `and`, `3m` as a literal without a value, an unclosed string as a
//! string. Characters that mean nothing are reported and leave nothing.

use std::collections::HashMap;
use std::ops::Range;

use logos::Logos;

use super::ast::Doc;
use super::error::SyntaxError;
use super::layout::MAX_DEPTH;
use super::literal;
use super::strings::{self, Quoting};
use super::token::{Kind, Token, Value, reserved, soft};
use super::trivia::{Comment, Trivia};
use crate::base::{SourceId, Span};
use crate::diag::Problems;

mod foreign;
mod several;
mod shapes;

#[cfg(test)]
mod tests;

use shapes::{Code, Part, punctuation};

/// Problems beyond this many are dropped: the text is not a script.
const MAX_PROBLEMS: usize = 100;

/// What the lexer hands on.
#[derive(Debug, Default)]
pub struct Lexed {
    /// In order; comments and white space are not among them.
    pub tokens: Vec<Token>,
    /// What literals and strings stand for.
    pub values: Vec<Value>,
    /// `##` comments by the start of the token below them.
    pub docs: HashMap<u32, Doc>,
    /// Comments.
    pub trivia: Trivia,
    /// What was wrong.
    pub problems: Problems,
    /// The text ends inside a `"""` block.
    pub open_block: bool,
}

/// A string being read.
struct StringFrame {
    quoting: Quoting,
    /// The opening quote.
    open: Range<usize>,
    /// Index of its `TemplateOpen` token.
    token: usize,
    /// Where the current run of characters began.
    run: usize,
    /// Indices of its chunk tokens.
    chunks: Vec<usize>,
    has_holes: bool,
    /// Closing braces without opening ones: only worth a word when the string itself is well formed.
    lone: Vec<Range<usize>>,
    escaped_brace: bool,
    /// It goes over several lines, which was reported.
    lines: bool,
}

/// What is being read, innermost last; nothing means code outside all strings.
enum Frame {
    String(StringFrame),
    /// Code inside a hole, with the number of braces open in it.
    Hole {
        braces: u32,
    },
}

struct Lexer<'t> {
    text: &'t str,
    source: SourceId,
    at: usize,
    frames: Vec<Frame>,
    line_start: bool,
    doc: Option<Doc>,
    out: Lexed,
    problems: usize,
}

/// Reads a whole text.
pub fn lex(source: SourceId, text: &str) -> Lexed {
    let at = if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
    let mut lexer =
        Lexer { text, source, at, frames: Vec::new(), line_start: true, doc: None, out: Lexed::default(), problems: 0 };
    while lexer.step() {}
    lexer.finish()
}

impl Lexer<'_> {
    /// Reads one piece; false at the end of the text.
    fn step(&mut self) -> bool {
        if self.at >= self.text.len() {
            return false;
        }
        if let Some(Frame::String(_)) = self.frames.last() {
            self.step_in_string();
        } else {
            self.step_in_code();
        }
        true
    }

    /// The next shape of either mode and its range; `None` for a character that begins none.
    fn shape<'t, T>(text: &'t str, at: &mut usize) -> (Option<T>, Range<usize>)
    where
        T: Logos<'t, Source = str>,
        T::Extras: Default,
    {
        let mut lexer = T::lexer(text);
        lexer.bump(*at);
        let shape = lexer.next().and_then(Result::ok);
        let end = match shape {
            Some(_) => lexer.span().end,
            None => *at + text[*at..].chars().next().map_or(1, char::len_utf8),
        };
        let range = *at..end;
        *at = end;
        (shape, range)
    }

    fn step_in_code(&mut self) {
        let (shape, range) = Self::shape::<Code>(self.text, &mut self.at);
        let Some(shape) = shape else { return self.other_character(range) };
        let kind = match shape {
            Code::Space => return,
            Code::Newline => return self.newline(range),
            Code::Comment => {
                let range = self.on_to(range, &['\n'], &[]);
                return self.comment(range);
            }
            Code::Word => return self.word(range.start),
            Code::Quoted => {
                let range = self.on_to(range, &['`', '\n'], &['`']);
                return self.quoted_name(range);
            }
            Code::Number | Code::Time | Code::Date => return self.number(range),
            Code::ShortDate => return self.number(range),
            Code::ForeignComment => return self.foreign_comment(range),
            Code::CurlyQuote => return self.curly_string(range),
            Code::BlockQuote => return self.open_string(Quoting::Block, range),
            Code::Quote => return self.open_string(Quoting::Template, range),
            Code::Apostrophe => return self.open_string(Quoting::Plain, range),
            Code::BraceOpen | Code::BraceClose => return self.brace(shape, range),
            Code::EqualEqual => self.respelled(&range, "=", Kind::Equal),
            Code::AndAnd => self.respelled(&range, "and", Kind::And),
            Code::PipePipe => self.respelled(&range, "or", Kind::Or),
            Code::Bang => self.respelled(&range, "not", Kind::Not),
            Code::LessGreater | Code::BangEqualEqual | Code::NotEqualSign => {
                self.respelled(&range, "!=", Kind::NotEqual)
            }
            Code::EqualEqualEqual => self.respelled(&range, "=", Kind::Equal),
            Code::EqualGreater | Code::GreaterOrEqual => self.respelled(&range, ">=", Kind::GreaterEqual),
            Code::EqualLess | Code::LessOrEqual => self.respelled(&range, "<=", Kind::LessEqual),
            other => punctuation(other),
        };
        self.push(kind, range);
    }

    /// Goes on up to one of the characters `until`, and with it if it is among `with`; the range then.
    fn on_to(&mut self, range: Range<usize>, until: &[char], with: &[char]) -> Range<usize> {
        let rest = &self.text[self.at..];
        let run = rest.find(until).unwrap_or(rest.len());
        let last = rest[run..].chars().next().filter(|last| with.contains(last));
        self.at += run + last.map_or(0, char::len_utf8);
        range.start..self.at
    }

    fn newline(&mut self, range: Range<usize>) {
        // A hole in a one-line string cannot hold a newline: the string ends here, and so do those around it.
        self.close_open_strings(range.start, |string| string.quoting != Quoting::Block);
        self.line_start = true;
    }

    /// Closes strings at `end`, innermost first, until none that is `broken` is left; reports the outermost of these.
    fn close_open_strings(&mut self, end: usize, broken: impl Fn(&StringFrame) -> bool) {
        let mut report = None;
        let in_hole = matches!(self.frames.last(), Some(Frame::Hole { .. }));
        while self.frames.iter().any(|frame| matches!(frame, Frame::String(string) if broken(string))) {
            match self.frames.last() {
                Some(Frame::String(string)) => {
                    report = Some((string.open.clone(), string.quoting));
                    self.close_string(end..end);
                }
                _ => {
                    self.frames.pop();
                    self.push(Kind::HoleClose, end..end);
                    self.begin_run(end);
                }
            }
        }
        if let Some((open, quoting)) = report {
            let span = match quoting {
                Quoting::Block => self.span(open),
                _ => self.span(open.start..end),
            };
            self.problem(SyntaxError::UnterminatedString { span, quoting, in_hole });
        }
    }

    fn comment(&mut self, range: Range<usize>) {
        let text = &self.text[range.clone()];
        self.report_direction_marks(&range);
        let own_line = self.line_start || self.out.tokens.is_empty();
        let doc = own_line && text.starts_with("##") && !text.starts_with("###");
        let end = range.start + text.trim_end().len();
        self.out.trivia.comments.push(Comment { start: range.start as u32, end: end as u32, own_line, doc });
        if doc {
            let line = text.trim_end()[2..].strip_prefix(' ').unwrap_or(&text.trim_end()[2..]);
            let span = self.span(range.start..end);
            self.doc = Some(match self.doc.take() {
                Some(mut doc) => {
                    doc.text.push('\n');
                    doc.text.push_str(line);
                    Doc { span: doc.span.to(span), ..doc }
                }
                None => Doc { text: line.to_owned(), span },
            });
        }
    }

    /// A word from `start`, of which the first character is read: letters beyond ASCII follow here.
    fn word(&mut self, start: usize) {
        let rest = &self.text[self.at..];
        self.at += rest.find(|c| !unicode_ident::is_xid_continue(c)).unwrap_or(rest.len());
        let word = &self.text[start..self.at];
        let kind = reserved(word).or_else(|| soft(word)).unwrap_or(Kind::Name);
        self.push(kind, start..self.at);
    }

    fn quoted_name(&mut self, range: Range<usize>) {
        let text = &self.text[range.clone()];
        if text.len() < 2 || !text.ends_with('`') {
            let span = self.span(range.clone());
            self.problem(SyntaxError::UnterminatedName { span });
        } else if text.trim_matches('`').trim().is_empty() {
            let span = self.span(range.clone());
            self.problem(SyntaxError::EmptyName { span });
        }
        self.report_direction_marks(&range);
        self.push(Kind::Name, range);
    }

    fn number(&mut self, range: Range<usize>) {
        let text = &self.text[range.clone()];
        if self.report_separated(&range) {
            return;
        }
        let kind = if text.ends_with('%') { Kind::Percent } else { Kind::Literal };
        let value = match literal::read(text) {
            Ok(literal) => Value::Literal(literal),
            Err(fault) => {
                let span = self.span(range.clone());
                self.problem(SyntaxError::BadLiteral { span, written: text.to_owned(), fault });
                Value::Bad
            }
        };
        self.push_value(kind, range, value);
    }

    /// `1,000`: where a comma may stand, this would be read as two numbers. True when it was reported.
    fn report_separated(&mut self, range: &Range<usize>) -> bool {
        let text = &self.text[range.clone()];
        let [.., number, comma] = &self.out.tokens[..] else { return false };
        let whole = &self.text[number.start as usize..comma.start as usize];
        let touching = number.end == comma.start && comma.end as usize == range.start;
        let is_group = text.len() == 3 && text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_number = number.kind == Kind::Literal && whole.len() <= 3;
        if !touching || comma.kind != Kind::Comma || !is_group || !is_number {
            return false;
        }
        let fix = format!("{whole}_{text}");
        let whole = number.start as usize..range.end;
        let written = self.text[whole.clone()].to_owned();
        let fault =
            literal::Fault { what: "is not a number".to_owned(), help: format!("write `{fix}`"), fix: Some(fix) };
        let span = self.span(whole);
        self.out.tokens.pop();
        if let Some(number) = self.out.tokens.last_mut() {
            number.end = range.end as u32;
        }
        self.problem(SyntaxError::BadLiteral { span, written, fault });
        true
    }

    /// `// text`, `/* text */`, `-- text`: reported and passed over. Two signs before a number are no comment.
    fn foreign_comment(&mut self, range: Range<usize>) {
        let rest = &self.text[range.end..];
        let mark = &self.text[range.clone()];
        if mark == "--" && !self.line_start && !rest.starts_with([' ', '-']) {
            self.at = range.start + 1;
            return self.push(Kind::Minus, range.start..range.start + 1);
        }
        let line_end = range.end + rest.find('\n').unwrap_or(rest.len());
        let span = self.span(range.start..range.start + self.text[range.start..line_end].trim_end().len());
        let whole_line = mark != "/*";
        self.at = match rest.find("*/") {
            Some(close) if !whole_line => range.end + close + 2,
            _ => line_end,
        };
        let mark = whole_line.then(|| self.span(range));
        self.problem(SyntaxError::ForeignComment { span, mark });
    }

    /// `“pasted”` from a word processor.
    fn curly_string(&mut self, open: Range<usize>) {
        let (ends, closes): (&[char], &[char]) = match self.text[open.clone()].chars().next() {
            Some('\u{AB}') => (&['\u{AB}', '\u{BB}', '\n'], &['\u{BB}']),
            Some('\u{BB}') => (&['\u{AB}', '\u{BB}', '\n'], &['\u{AB}']),
            Some('\u{2018}' | '\u{2019}') => (&['\u{2018}', '\u{2019}', '\n'], &['\u{2018}', '\u{2019}']),
            _ => (&['\u{201C}', '\u{201D}', '\u{201E}', '\n'], &['\u{201C}', '\u{201D}']),
        };
        let range = self.on_to(open, ends, closes);
        let text = &self.text[range.clone()];
        const QUOTES: [char; 7] = ['\u{201C}', '\u{201D}', '\u{201E}', '\u{2018}', '\u{2019}', '\u{AB}', '\u{BB}'];
        let content = text.trim_matches(QUOTES).trim_matches('\u{A0}').to_owned();
        let span = self.span(range.clone());
        self.problem(SyntaxError::CurlyQuotes { span, content: content.clone() });
        self.push_value(Kind::Text, range, Value::Text(content));
    }

    fn brace(&mut self, shape: Code, range: Range<usize>) {
        let open = shape == Code::BraceOpen;
        let depth = match self.frames.last_mut() {
            Some(Frame::Hole { braces }) => Some(braces),
            _ => None,
        };
        match depth {
            Some(0) if !open => {
                self.frames.pop();
                self.push(Kind::HoleClose, range.clone());
                self.begin_run(range.end);
                return;
            }
            Some(braces) if open => *braces += 1,
            Some(braces) => *braces -= 1,
            None => {}
        }
        self.push(if open { Kind::BraceOpen } else { Kind::BraceClose }, range);
    }

    fn other_character(&mut self, range: Range<usize>) {
        let character = self.text[range.start..].chars().next().unwrap_or('\0');
        if unicode_ident::is_xid_start(character) {
            return self.word(range.start);
        }
        // `$(vars/@country)` is one mistake, and stands for one value.
        let line = self.text[range.start..].lines().next().unwrap_or("");
        if line.starts_with("$(")
            && let Some(close) = line.find(')')
        {
            let whole = range.start..range.start + close + 1;
            self.at = whole.end;
            let span = self.span(whole.clone());
            self.problem(SyntaxError::UnknownCharacter { span, character });
            return self.push_value(Kind::Literal, whole, Value::Bad);
        }
        // A run of the same nonsense is one mistake.
        let rest = &self.text[range.end..];
        self.at += rest.find(|c| c != character).unwrap_or(rest.len());
        let whole = range.start..self.at;
        if character == '&' && self.joins_texts(&whole) {
            self.push(Kind::Plus, whole.clone());
            return self.joined(&whole);
        }
        let span = self.span(whole);
        self.problem(SyntaxError::UnknownCharacter { span, character });
    }

    fn open_string(&mut self, quoting: Quoting, range: Range<usize>) {
        if self.frames.len() >= MAX_DEPTH as usize {
            let span = self.span(range);
            self.problem(SyntaxError::TooDeep { span, limit: MAX_DEPTH });
            return;
        }
        let token = self.out.tokens.len();
        self.push(Kind::TemplateOpen, range.clone());
        let run = range.end;
        let frame = StringFrame {
            quoting,
            open: range,
            token,
            run,
            chunks: Vec::new(),
            has_holes: false,
            lone: Vec::new(),
            escaped_brace: false,
            lines: false,
        };
        self.frames.push(Frame::String(frame));
    }

    fn step_in_string(&mut self) {
        let start = self.at;
        let run = self.on_to(start..start, &['"', '\'', '\\', '{', '}', '\n'], &[]);
        if !run.is_empty() {
            return self.report_hidden(&run);
        }
        let (shape, range) = Self::shape::<Part>(self.text, &mut self.at);
        let Some(Frame::String(frame)) = self.frames.last() else { return };
        let (quoting, lines) = (frame.quoting, frame.lines);
        match (shape, quoting) {
            (Some(Part::Newline), _) if lines => {}
            (Some(Part::Newline), Quoting::Template | Quoting::Plain) if self.goes_on(range.start) => {}
            (Some(Part::Quote), Quoting::Template)
            | (Some(Part::BlockQuote), Quoting::Block)
            | (Some(Part::Apostrophe), Quoting::Plain) => self.close_string(range),
            (Some(Part::BlockQuote), Quoting::Template) => {
                // Two quotes belong to something that follows.
                self.at = range.start + 1;
                self.close_string(range.start..range.start + 1);
            }
            (Some(Part::Newline), Quoting::Template | Quoting::Plain) => {
                self.at = range.start;
                self.close_open_strings(range.start, |string| string.quoting != Quoting::Block);
            }
            (Some(Part::Open), Quoting::Template | Quoting::Block) => {
                self.end_run(range.start);
                if let Some(Frame::String(frame)) = self.frames.last_mut() {
                    frame.has_holes = true;
                }
                self.push(Kind::HoleOpen, range);
                self.frames.push(Frame::Hole { braces: 0 });
            }
            (Some(Part::Close), Quoting::Template | Quoting::Block) => {
                if let Some(Frame::String(frame)) = self.frames.last_mut() {
                    frame.lone.push(range);
                }
            }
            (Some(Part::Escape), _) if self.text[range.clone()].starts_with("\\{") => {
                // The escape is reported; the brace that closes it is part of the same mistake.
                if let Some(Frame::String(frame)) = self.frames.last_mut() {
                    frame.escaped_brace = true;
                }
            }
            _ => {}
        }
    }

    /// True for a string that plainly goes on in the next lines, which is reported: what follows is neither a statement
    /// nor an item, and ends with the missing quote.
    fn goes_on(&mut self, newline: usize) -> bool {
        let [Frame::String(frame)] = &mut self.frames[..] else { return false };
        let quote = if frame.quoting == Quoting::Plain { '\'' } else { '"' };
        let Some(length) = several::lines_to_quote(&self.text[newline + 1..], quote) else { return false };
        frame.lines = true;
        let (open, quoting) = (frame.open.clone(), frame.quoting);
        let close = newline + 1 + length;
        let content = &self.text[open.end..close];
        let fix = (quoting == Quoting::Template && !content.contains('\\')).then(|| format!("\"\"\"{content}\"\"\""));
        let (whole, span) = (self.span(open.start..close + 1), self.span(open.start..newline));
        self.problem(SyntaxError::SeveralLines { span, fix: fix.map(|fix| (whole, fix)) });
        true
    }

    /// Characters of the innermost string begin at `at`.
    fn begin_run(&mut self, at: usize) {
        if let Some(Frame::String(frame)) = self.frames.last_mut() {
            frame.run = at;
        }
    }

    /// Characters of the innermost string end at `end`: they become a chunk.
    fn end_run(&mut self, end: usize) {
        let Some(Frame::String(frame)) = self.frames.last_mut() else { return };
        if frame.run < end {
            frame.chunks.push(self.out.tokens.len());
            let run = frame.run..end;
            self.push(Kind::Chunk, run);
        }
    }

    fn close_string(&mut self, quote: Range<usize>) {
        self.end_run(quote.start);
        let Some(Frame::String(frame)) = self.frames.pop() else { return };
        let whole = frame.open.start..quote.end;
        for brace in frame.lone.iter().filter(|_| !quote.is_empty() && !frame.escaped_brace) {
            let span = self.span(brace.clone());
            self.problem(SyntaxError::LoneBrace { span });
        }
        let texts = self.decode(&frame);
        if frame.has_holes {
            for (token, text) in frame.chunks.iter().zip(texts) {
                self.out.tokens[*token].value = self.out.values.len() as u32;
                self.out.values.push(Value::Text(text));
            }
            self.push(Kind::TemplateClose, quote);
        } else {
            let first = self.out.tokens[frame.token].first;
            self.out.tokens.truncate(frame.token);
            self.line_start = first;
            self.push_value(Kind::Text, whole, Value::Text(texts.concat()));
        }
    }

    /// What the chunks of a string stand for.
    fn decode(&mut self, frame: &StringFrame) -> Vec<String> {
        let chunks: Vec<Range<usize>> = frame
            .chunks
            .iter()
            .map(|token| self.out.tokens[*token].start as usize..self.out.tokens[*token].end as usize)
            .collect();
        let end_of_open = frame.open.end;
        let (texts, faults) = strings::decode(self.text, frame.quoting, end_of_open, &chunks);
        for (range, fault) in faults {
            let span = self.span(range);
            self.problem(SyntaxError::BadEscape { span, fault });
        }
        texts
    }

    fn report_hidden(&mut self, range: &Range<usize>) {
        self.report_direction_marks(range);
        let control =
            self.text[range.clone()].char_indices().find(|(_, c)| c.is_control() && !matches!(c, '\t' | '\r'));
        if let Some((offset, character)) = control {
            let at = range.start + offset;
            let span = self.span(at..at + character.len_utf8());
            self.problem(SyntaxError::HiddenCharacter { span, character });
        }
    }

    /// Marks that make text look different from what it is, wherever they hide.
    fn report_direction_marks(&mut self, range: &Range<usize>) {
        let is_mark = |c: char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
        if let Some((offset, character)) = self.text[range.clone()].char_indices().find(|(_, c)| is_mark(*c)) {
            let at = range.start + offset;
            let span = self.span(at..at + character.len_utf8());
            self.problem(SyntaxError::HiddenCharacter { span, character });
        }
    }

    fn push_value(&mut self, kind: Kind, range: Range<usize>, value: Value) {
        self.push(kind, range);
        if let Some(token) = self.out.tokens.last_mut() {
            token.value = self.out.values.len() as u32;
            self.out.values.push(value);
        }
    }

    fn push(&mut self, kind: Kind, range: Range<usize>) {
        let (start, end) = (range.start as u32, range.end as u32);
        if let Some(doc) = self.doc.take() {
            self.out.docs.insert(start, doc);
        }
        self.out.tokens.push(Token { kind, start, end, value: 0, first: self.line_start });
        self.line_start = false;
    }

    fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.source, range.start as u32, range.end as u32)
    }

    fn problem(&mut self, error: SyntaxError) {
        self.problems += 1;
        if self.problems <= MAX_PROBLEMS {
            self.out.problems.push(error);
        }
    }

    fn finish(mut self) -> Lexed {
        self.out.open_block =
            self.frames.iter().any(|frame| matches!(frame, Frame::String(string) if string.quoting == Quoting::Block));
        self.close_open_strings(self.text.len(), |_| true);
        self.out
    }
}
