//! The lines of a file that a problem shows: cleaned, and cut to a window where a line is very long.

use std::collections::BTreeSet;

use crate::base::{LineColumn, SourceFile, Span};

/// A label over more lines is shown on its first line only.
const MOST_LINES: usize = 8;

/// Bytes shown before a label in a line that is cut.
const LEAD: usize = 40;

/// Some lines of a file, in order, each ending in a blank (so that a label can stand behind the last character) and a
/// newline.
pub(super) struct Excerpt {
    /// The file's name.
    pub name: String,
    /// The lines as shown.
    pub text: String,
    /// What each line shows.
    pub lines: Vec<Shown>,
    /// Where each label begins: in the excerpt and in the file.
    pub places: Vec<(usize, LineColumn)>,
}

/// One line of an excerpt.
pub(super) struct Shown {
    /// Line in the file, from 0.
    pub number: usize,
    /// First byte in the excerpt.
    pub start: usize,
    /// First byte after what stands for the omitted beginning.
    inner: usize,
    /// The bytes of the file that are shown.
    from: usize,
    to: usize,
}

impl Excerpt {
    /// The lines under `spans`, the first of which is the primary one. Lines are cut to about `width` columns.
    pub fn new(file: &SourceFile, spans: &[Span], width: usize) -> Self {
        let spans: Vec<(usize, usize)> = spans.iter().map(|span| clamp(file, *span)).collect();
        let mut excerpt = Self { name: file.name.clone(), text: String::new(), lines: Vec::new(), places: Vec::new() };
        let mut numbers = BTreeSet::new();
        for (start, end) in &spans {
            let (first, last) = lines_of(file, *start, *end);
            numbers.extend(first..=last);
        }
        let primary = spans.first().map_or(0, |span| span.0);
        for number in numbers {
            let on_line = |at: &usize| file.lines.line_of(*at as u32) == number;
            let starts = || spans.iter().map(|span| span.0).filter(on_line);
            let focus = if on_line(&primary) { Some(primary) } else { starts().min() };
            excerpt.add_line(file, number, focus, width);
        }
        for (start, _) in spans {
            let shown = excerpt.place_of(file, start, file.lines.line_of(start as u32));
            excerpt.places.push((shown, file.lines.line_column(&file.text, start as u32)));
        }
        excerpt
    }

    fn add_line(&mut self, file: &SourceFile, number: usize, focus: Option<usize>, width: usize) {
        let start = file.lines.start_of(number, &file.text) as usize;
        let end = file.lines.start_of(number + 1, &file.text) as usize;
        let end = start + file.text[start..end].trim_end_matches(['\n', '\r']).len();
        let (mut from, mut to) = (start, end);
        if end - start > width {
            let wanted = focus.unwrap_or(start).saturating_sub(LEAD).max(start);
            from = floor(&file.text, if wanted < start + LEAD { start } else { wanted });
            to = floor(&file.text, (from + width).min(end));
        }
        let line_start = self.text.len();
        self.text.push_str(if from > start { "…" } else { "" });
        let inner = self.text.len();
        self.text.push_str(&super::clean::safe_text(&file.text[from..to]));
        self.text.push_str(if to < end { "… \n" } else { " \n" });
        self.lines.push(Shown { number, start: line_start, inner, from, to });
    }

    /// The bytes of the excerpt that show a span of the file. A span that is not shown is moved to the nearest place.
    pub fn locate(&self, file: &SourceFile, span: Span) -> (usize, usize) {
        let (start, end) = clamp(file, span);
        let (first, last) = lines_of(file, start, end);
        let line_end = || file.lines.start_of(first + 1, &file.text) as usize;
        let end = if last == first { end.min(line_end()) } else { end };
        (self.place_of(file, start, first), self.place_of(file, end, last))
    }

    fn place_of(&self, file: &SourceFile, offset: usize, number: usize) -> usize {
        let at = self.lines.partition_point(|line| line.number < number).min(self.lines.len().saturating_sub(1));
        let Some(line) = self.lines.get(at) else { return 0 };
        let offset = floor(&file.text, offset.clamp(line.from, line.to));
        line.inner + super::clean::safe_text(&file.text[line.from..offset]).len()
    }

    /// Index of the line of the excerpt that holds a byte of it.
    pub fn line_at(&self, offset: usize) -> usize {
        self.lines.partition_point(|line| line.start <= offset).saturating_sub(1)
    }
}

/// A span as offsets inside the text; what lies behind the last visible character is moved just behind it.
fn clamp(file: &SourceFile, span: Span) -> (usize, usize) {
    let last = file.text.trim_end().len();
    let start = floor(&file.text, (span.start as usize).min(last));
    let end = floor(&file.text, (span.end as usize).clamp(start, last.max(start)));
    (start, end)
}

/// First and last line of a range; both the first if it covers too many.
fn lines_of(file: &SourceFile, start: usize, end: usize) -> (usize, usize) {
    let first = file.lines.line_of(start as u32);
    let last = file.lines.line_of(end.saturating_sub(1).max(start) as u32);
    (first, if last - first >= MOST_LINES { first } else { last })
}

/// The nearest character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
