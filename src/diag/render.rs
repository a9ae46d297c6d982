//! Problems for people: a header, the source lines in miette's frame, what to write instead, a summary.

mod clean;
mod excerpt;
mod frame;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::{Code, Label, Problem, Problems, Severity};
use crate::base::SourceMap;

pub use clean::safe_text;

/// Problems drawn in one run. The rest is counted, since nobody reads on.
const MOST_DRAWN: usize = 50;

/// Longest message, help or label in characters: they may quote a name of any length.
const LONGEST_TEXT: usize = 600;

/// How problems are drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RenderStyle {
    /// Colours, for a terminal that shows them.
    pub color: bool,
    /// Width to wrap at, in columns.
    pub width: usize,
}

impl Default for RenderStyle {
    fn default() -> Self {
        Self { color: false, width: 100 }
    }
}

impl RenderStyle {
    /// `text` in the colours of an ANSI sequence such as `1;31`, or as it is.
    fn paint(self, text: &str, sequence: &str) -> String {
        if self.color { format!("\u{1b}[{sequence}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Draws one problem with its source lines. Labels in other files follow as notes with their places.
pub fn render(problem: &Problem, sources: &SourceMap, style: RenderStyle) -> String {
    draw(problem, sources, style, true)
}

/// Draws problems in their order, at most 50 of them and errors before warnings if there are more. The page to
/// explain a code is named with the first problem of that code. Ends with [`summary`].
pub fn render_all(problems: &Problems, sources: &SourceMap, style: RenderStyle, files: usize) -> String {
    let mut out = String::new();
    let mut explained: HashSet<Code> = HashSet::new();
    let drawn = most_important(problems);
    for problem in &drawn {
        out += &draw(problem, sources, style, explained.insert(problem.code));
        out.push('\n');
    }
    let left = problems.iter().count() - drawn.len();
    if left > 0 {
        let _ = writeln!(out, "… {left} more problems\n");
    }
    let _ = writeln!(out, "{}", summary(problems, files));
    out
}

/// `1 error, 2 warnings in 3 files`; `files` is the number of files that were read.
pub fn summary(problems: &Problems, files: usize) -> String {
    let counted = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let found = [(Severity::Error, "error"), (Severity::Warning, "warning")]
        .into_iter()
        .map(|(severity, word)| (problems.count(severity), word))
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| counted(n, word))
        .collect::<Vec<_>>();
    let found = if found.is_empty() { "no problems".to_owned() } else { found.join(", ") };
    format!("{found} in {}", counted(files, "file"))
}

/// The problems that are drawn, in their order.
fn most_important(problems: &Problems) -> Vec<&Problem> {
    let mut errors_left = MOST_DRAWN;
    let mut warnings_left = MOST_DRAWN.saturating_sub(problems.count(Severity::Error));
    let mut drawn = Vec::new();
    for problem in problems {
        let left = if problem.severity == Severity::Error { &mut errors_left } else { &mut warnings_left };
        if *left > 0 {
            *left -= 1;
            drawn.push(problem);
        }
    }
    drawn
}

fn draw(problem: &Problem, sources: &SourceMap, style: RenderStyle, explain: bool) -> String {
    let mut out = header(problem, style);
    out.push('\n');
    out += &frame::frame(problem, sources, style);
    out += &footer(problem, sources, style, explain);
    out
}

/// `error[types::unknown_value]: message`
fn header(problem: &Problem, style: RenderStyle) -> String {
    let (word, color) = match problem.severity {
        Severity::Error => ("error", "1;31"),
        Severity::Warning => ("warning", "1;33"),
    };
    let head = style.paint(&format!("{word}[{}]", problem.code), color);
    format!("{head}{}", style.paint(&format!(": {}", short(&problem.message)), "1"))
}

/// The help, the labels that are not in the frame, and where to read more.
fn footer(problem: &Problem, sources: &SourceMap, style: RenderStyle, explain: bool) -> String {
    let mut lines = Vec::new();
    if let Some(help) = &problem.help {
        lines.extend(paragraph("help", &short(help), style));
    }
    for label in elsewhere(problem) {
        let place = sources.place(label.span);
        lines.extend(paragraph("note", &short(&format!("{place}: {}", label.text)), style));
    }
    if explain {
        let hint = format!("orch explain {}", problem.code);
        let room = style.width.saturating_sub(hint.width());
        // Beside the last line if it fits there, otherwise below it.
        let used = lines.last().map_or(usize::MAX, |(_, width)| *width);
        let hint = style.paint(&hint, "2");
        match lines.last_mut() {
            Some((line, _)) if used + 2 <= room => *line += &format!("{}{hint}", " ".repeat(room - used)),
            _ => lines.push((format!("{}{hint}", " ".repeat(room)), 0)),
        }
    }
    lines.into_iter().map(|(line, _)| line + "\n").collect()
}

/// Labels in other files than the primary one.
fn elsewhere(problem: &Problem) -> impl Iterator<Item = &Label> {
    let home = problem.span().map(|span| span.source);
    problem.labels.iter().filter(move |label| Some(label.span.source) != home)
}

/// `  = help: text`, wrapped, with the width of each line.
fn paragraph(word: &str, text: &str, style: RenderStyle) -> Vec<(String, usize)> {
    let lead = format!("  = {word}: ");
    let indent = " ".repeat(lead.width());
    let room = style.width.saturating_sub(lead.width()).max(20);
    let mut lines = Vec::new();
    for line in text.lines().flat_map(|line| wrap(line, room)) {
        let width = lead.width() + line.width();
        let lead = if lines.is_empty() { style.paint(&lead, "36") } else { indent.clone() };
        lines.push((lead + &line, width));
    }
    lines
}

/// Breaks a line at blanks so that each part is at most `room` columns wide; longer words stay whole.
fn wrap(line: &str, room: usize) -> Vec<String> {
    if line.width() <= room {
        return vec![line.to_owned()];
    }
    let mut parts = vec![String::new()];
    for word in line.split_inclusive(' ') {
        let current = parts.last().map_or(0, |part| part.width());
        if current > 0 && current + word.trim_end().width() > room {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push_str(word);
        }
    }
    parts.iter().map(|part| part.trim_end().to_owned()).collect()
}

/// Text of a problem as it may be shown: cleaned, and cut if it is very long.
fn short(text: &str) -> String {
    let mut cut: String = text.chars().take(LONGEST_TEXT).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    safe_text(&cut)
}
