//! Problems for people: the frame is miette's, which is confined to this file.

use std::fmt::{self, Display};

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceSpan, ThemeCharacters, ThemeStyles,
};

use super::{Label, Problem, Severity};
use crate::base::SourceMap;

/// How problems are drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RenderStyle {
    /// Colours, for a terminal that shows them.
    pub color: bool,
    /// Width to wrap messages at, in columns.
    pub width: usize,
}

impl Default for RenderStyle {
    fn default() -> Self {
        Self { color: false, width: 100 }
    }
}

/// Draws one problem with its source lines. Labels in other files follow as notes with their places.
pub fn render(problem: &Problem, sources: &SourceMap, style: RenderStyle) -> String {
    let theme = GraphicalTheme {
        characters: ThemeCharacters::unicode(),
        styles: if style.color { ThemeStyles::ansi() } else { ThemeStyles::none() },
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(style.width).with_links(false);
    let mut out = String::new();
    let shown = Shown::new(problem, sources);
    // Writing to a String cannot fail; a theme that refuses leaves what was written so far.
    let _ = handler.render_report(&mut out, &shown);
    out
}

/// A problem in the form that miette draws.
struct Shown<'p> {
    problem: &'p Problem,
    source: Option<NamedSource<String>>,
    labels: Vec<LabeledSpan>,
    help: Option<String>,
}

impl<'p> Shown<'p> {
    fn new(problem: &'p Problem, sources: &SourceMap) -> Self {
        let Some(primary) = problem.labels.first() else {
            return Self { problem, source: None, labels: Vec::new(), help: problem.help.clone() };
        };
        let file = sources.file(primary.span.source);
        let (near, far): (Vec<&Label>, Vec<&Label>) =
            problem.labels.iter().partition(|label| label.span.source == primary.span.source);
        let labels = near.iter().enumerate().map(|(at, label)| labeled(label, at == 0, &file.text)).collect();
        let notes = far.iter().map(|label| format!("{}: {}", sources.place(label.span), label.text));
        let help = problem.help.clone().into_iter().chain(notes).collect::<Vec<_>>();
        Self {
            problem,
            source: Some(NamedSource::new(&file.name, file.text.clone())),
            labels,
            help: (!help.is_empty()).then(|| help.join("\n")),
        }
    }
}

/// A label at or past the end of the text would vanish, so it is moved to the last character.
fn labeled(label: &Label, primary: bool, text: &str) -> LabeledSpan {
    let last = text.trim_end().len();
    let mut start = (label.span.start as usize).min(last.saturating_sub(1));
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let end = (label.span.end as usize).clamp(start, text.len());
    let span = SourceSpan::from((start, end - start));
    let words = (!label.text.is_empty()).then(|| label.text.clone());
    if primary { LabeledSpan::new_primary_with_span(words, span) } else { LabeledSpan::new_with_span(words, span) }
}

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem.message)
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl std::error::Error for Shown<'_> {}

impl miette::Diagnostic for Shown<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        Some(Box::new(self.problem.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.problem.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source.as_ref().map(|source| source as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}
