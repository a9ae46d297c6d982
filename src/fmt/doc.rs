//! Documents: text with places where a line may end, and the printer that decides where it does.
//!
//! A *group* is printed on one line when that fits; otherwise all the breaks that belong to it, and none of those of
//! the groups in it, become new lines. This is the well-known scheme of Wadler and Prettier.

/// Columns that a line should not exceed.
pub const WIDTH: usize = 100;
/// Columns of one level of indentation.
pub const INDENT: usize = 2;

/// A piece of output.
#[derive(Clone, Debug)]
pub enum Doc {
    /// Printed as it is; may have several lines.
    Text(String),
    /// A new line in a broken group, and this text in one that is not.
    Break(&'static str),
    /// Spaces in a broken group, nothing in one that is not.
    Pad(usize),
    /// Always a new line.
    Hard,
    /// Always a new line, which goes on with the statement: one level deeper if nothing else is said about it.
    Deeper,
    /// Always a new line, with an empty one before.
    Blank,
    /// A comment that ends the line on which it stands.
    Comment(String),
    /// One after the other.
    All(Vec<Doc>),
    /// One level deeper.
    Indent(Vec<Doc>),
    /// On one line if it fits and is not broken.
    Group { docs: Vec<Doc>, broken: bool },
}

impl Doc {
    pub fn text(text: impl Into<String>) -> Doc {
        Doc::Text(text.into())
    }

    /// A group; broken when it holds a new line that cannot be avoided.
    pub fn group(docs: Vec<Doc>) -> Doc {
        Doc::group_broken(docs, false)
    }

    /// A group that is broken in any case when `broken` says so.
    pub fn group_broken(docs: Vec<Doc>, broken: bool) -> Doc {
        let broken = broken || docs.iter().any(Doc::forces);
        Doc::Group { docs, broken }
    }

    /// True when there is a new line in it that cannot be avoided.
    pub fn forces(&self) -> bool {
        match self {
            Doc::Text(_) | Doc::Break(_) | Doc::Pad(_) => false,
            Doc::Hard | Doc::Deeper | Doc::Blank | Doc::Comment(_) => true,
            Doc::All(docs) | Doc::Indent(docs) => docs.iter().any(Doc::forces),
            Doc::Group { broken, .. } => *broken,
        }
    }

    /// Its width on one line; `None` when it needs more than one.
    pub fn flat_width(&self) -> Option<usize> {
        match self {
            Doc::Text(text) if text.contains('\n') => None,
            Doc::Text(text) => Some(width(text)),
            Doc::Break(flat) => Some(flat.len()),
            Doc::Pad(_) => Some(0),
            Doc::Hard | Doc::Deeper | Doc::Blank | Doc::Comment(_) => None,
            Doc::Group { broken: true, .. } => None,
            Doc::All(docs) | Doc::Indent(docs) | Doc::Group { docs, .. } => docs.iter().map(Doc::flat_width).sum(),
        }
    }
}

fn width(text: &str) -> usize {
    // Strings may be megabytes long, and nearly all are ASCII.
    if text.is_ascii() { text.len() } else { unicode_width::UnicodeWidthStr::width(text) }
}

/// What is still to be printed: how deep, whether breaks are new lines, and what.
type Pending<'d> = (usize, bool, &'d Doc);

struct Printer {
    out: String,
    /// Where in it comments behind statements begin, until those of neighbouring lines are aligned.
    marks: Vec<usize>,
    column: usize,
    /// Comments for the end of the line.
    comments: Vec<String>,
    /// Additional indentation of the line that begins.
    deeper: usize,
}

/// Prints a document; every line ends in a newline.
pub fn print(doc: &Doc) -> String {
    let mut printer = Printer { out: String::new(), marks: Vec::new(), column: 0, comments: Vec::new(), deeper: 0 };
    let mut stack: Vec<Pending<'_>> = vec![(0, true, doc)];
    while let Some((indent, broken, doc)) = stack.pop() {
        match doc {
            Doc::Text(text) => printer.text(text, indent),
            Doc::Break(flat) if !broken => printer.text(flat, indent),
            Doc::Break(_) | Doc::Hard => printer.newline(),
            Doc::Deeper => {
                printer.newline();
                printer.deeper = INDENT;
            }
            Doc::Pad(_) if !broken => {}
            Doc::Pad(spaces) => printer.text(&" ".repeat(*spaces), indent),
            Doc::Blank => {
                printer.newline();
                if !printer.out.is_empty() && !printer.out.ends_with("\n\n") {
                    printer.out.push('\n');
                }
            }
            Doc::Comment(text) => printer.comments.push(text.clone()),
            Doc::All(docs) => stack.extend(docs.iter().rev().map(|doc| (indent, broken, doc))),
            Doc::Indent(docs) => stack.extend(docs.iter().rev().map(|doc| (indent + INDENT, broken, doc))),
            Doc::Group { docs, broken } => {
                let start = if printer.column == 0 { indent } else { printer.column };
                let broken = *broken || !fits(docs, indent, &stack, WIDTH.saturating_sub(start));
                stack.extend(docs.iter().rev().map(|doc| (indent, broken, doc)));
            }
        }
    }
    printer.newline();
    align_comments(&printer.out, &printer.marks)
}

/// True when the group and what follows on its line take no more than `room` columns.
fn fits(group: &[Doc], indent: usize, rest: &[Pending<'_>], room: usize) -> bool {
    let mut left = room;
    let mut stack: Vec<Pending<'_>> = group.iter().rev().map(|doc| (indent, false, doc)).collect();
    let mut rest = rest.iter().rev();
    loop {
        let Some((indent, broken, doc)) = stack.pop().or_else(|| rest.next().copied()) else { return true };
        match doc {
            Doc::Text(text) => {
                let first = text.split('\n').next().unwrap_or("");
                match left.checked_sub(width(first)) {
                    Some(room) => left = room,
                    None => return false,
                }
                if first.len() < text.len() {
                    return true;
                }
            }
            Doc::Break(flat) if !broken => match left.checked_sub(flat.len()) {
                Some(room) => left = room,
                None => return false,
            },
            Doc::Break(_) | Doc::Hard | Doc::Deeper | Doc::Blank => return true,
            Doc::Comment(_) | Doc::Pad(_) => {}
            Doc::All(docs) | Doc::Indent(docs) => stack.extend(docs.iter().rev().map(|doc| (indent, broken, doc))),
            // What follows may be broken where this group ends at the latest.
            Doc::Group { docs, broken: forced } => {
                stack.extend(docs.iter().rev().map(|doc| (indent, broken || *forced, doc)));
            }
        }
    }
}

impl Printer {
    fn text(&mut self, text: &str, indent: usize) {
        if text.is_empty() || (self.column == 0 && text.trim().is_empty()) {
            return;
        }
        if self.column == 0 {
            self.column = indent + std::mem::take(&mut self.deeper);
            self.out.extend(std::iter::repeat_n(' ', self.column));
        }
        self.out.push_str(text);
        self.column = match text.rsplit_once('\n') {
            Some((_, last)) => width(last).max(1),
            None => self.column + width(text),
        };
    }

    /// Ends the line, if there is something on it.
    fn newline(&mut self) {
        self.deeper = 0;
        for comment in std::mem::take(&mut self.comments) {
            if self.column > 0 {
                self.out.truncate(self.out.trim_end_matches(' ').len());
                self.out.push_str("  ");
                self.marks.push(self.out.len());
            }
            self.out.push_str(&comment);
            self.column += 1;
        }
        if self.column > 0 {
            self.out.truncate(self.out.trim_end_matches(' ').len());
            self.out.push('\n');
            self.column = 0;
        }
    }
}

/// Puts the comments behind neighbouring lines below each other.
fn align_comments(text: &str, marks: &[usize]) -> String {
    if marks.is_empty() {
        return text.to_owned();
    }
    let mut marks = marks.iter().copied().peekable();
    let mut start = 0;
    let mut lines: Vec<(&str, Option<&str>)> = Vec::new();
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        let first = marks.peek().copied().filter(|mark| *mark < end);
        while marks.next_if(|mark| *mark < end).is_some() {}
        lines.push(match first.map(|mark| line.split_at(mark - start)) {
            Some((code, comment)) => (code, Some(comment)),
            None => (line, None),
        });
        start = end;
    }
    let mut out = String::with_capacity(text.len());
    let mut column = 0;
    for (at, (code, comment)) in lines.iter().enumerate() {
        out.push_str(code);
        let Some(comment) = comment else { continue };
        let depth = |code: &str| code.len() - code.trim_start_matches(' ').len();
        let joins = |line: &(&str, Option<&str>)| line.1.is_some() && depth(line.0) == depth(code);
        if at == 0 || !joins(&lines[at - 1]) {
            let run = lines[at..].iter().take_while(|line| joins(line));
            column = run.map(|(code, _)| width(code)).max().unwrap_or(0);
        }
        out.extend(std::iter::repeat_n(' ', column - width(code)));
        out.push_str(comment);
    }
    out
}
