//! The frame with the source lines. The only file that knows miette.

use std::fmt;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan,
    SpanContents, ThemeCharacters, ThemeStyles,
};

use super::excerpt::Excerpt;
use super::{RenderStyle, short};
use crate::base::{SourceMap, Span};
use crate::diag::{Label, Problem, Severity};

/// Columns that line number and frame take.
const GUTTER: usize = 8;

/// The lines that the labels of the primary file point at; empty for a problem outside any text.
pub(super) fn frame(problem: &Problem, sources: &SourceMap, style: RenderStyle) -> String {
    let Some(primary) = problem.span() else { return String::new() };
    let file = sources.file(primary.source);
    let near: Vec<&Label> = problem.labels.iter().filter(|label| label.span.source == primary.source).collect();
    let spans: Vec<Span> = near.iter().map(|label| label.span).collect();
    let excerpt = Excerpt::new(file, &spans, style.width.saturating_sub(GUTTER).max(40));
    let mut labels: Vec<LabeledSpan> = Vec::new();
    for (at, label) in near.iter().enumerate() {
        let (start, end) = excerpt.locate(file, label.span);
        let text = (!label.text.is_empty()).then(|| short(&label.text));
        let span = SourceSpan::from((start, end.saturating_sub(start)));
        labels.push(if at == 0 {
            LabeledSpan::new_primary_with_span(text, span)
        } else {
            LabeledSpan::new_with_span(text, span)
        });
    }
    labels.sort_by_key(LabeledSpan::offset);
    let theme = GraphicalTheme { characters: ThemeCharacters::unicode(), styles: styles(problem, &labels, style) };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(style.width).with_links(false);
    let mut out = String::new();
    // Writing to a String cannot fail; if miette refuses a label, what was drawn so far stays.
    let _ = handler.render_report(&mut out, &Report { excerpt, labels });
    // The first line is the place of the message, which is drawn elsewhere.
    out.lines().skip(1).map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// The primary label has the colour of the severity, the others another one.
fn styles(problem: &Problem, labels: &[LabeledSpan], style: RenderStyle) -> ThemeStyles {
    if !style.color {
        return ThemeStyles::none();
    }
    let ansi = ThemeStyles::ansi();
    let primary = if problem.severity == Severity::Error { ansi.error } else { ansi.warning };
    let highlights = labels.iter().map(|label| if label.primary() { primary } else { ansi.help }).collect();
    ThemeStyles { link: ansi.linum, highlights, ..ansi }
}

/// What miette draws: lines and labels, no message.
struct Report {
    excerpt: Excerpt,
    labels: Vec<LabeledSpan>,
}

impl fmt::Display for Report {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Report {}

impl miette::Diagnostic for Report {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

impl SourceCode for Excerpt {
    /// Always whole lines. Without context miette asks for the place to write above the frame, which is the place in
    /// the file.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        _after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let first = self.line_at(span.offset());
        let last = self.line_at((span.offset() + span.len()).saturating_sub(1).max(span.offset()));
        let start = self.lines.get(first).ok_or(MietteError::OutOfBounds)?.start;
        let end = self.lines.get(last + 1).map_or(self.text.len(), |line| line.start);
        let data = self.text.get(start..end).ok_or(MietteError::OutOfBounds)?;
        let place = self.places.iter().find(|(shown, _)| before == 0 && *shown == span.offset());
        let (line, column) = match place {
            Some((_, place)) => (place.line as usize - 1, place.column as usize - 1),
            None => (self.lines[first].number, 0),
        };
        let span = SourceSpan::from((start, end - start));
        let contents =
            MietteSpanContents::new_named(self.name.clone(), data.as_bytes(), span, line, column, last - first + 1);
        Ok(Box::new(contents))
    }
}
