//! The files that one analysis reads.

use super::{LineIndex, SourceId, Span};

/// One file: its name as shown to people, its text and where its lines begin.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Path relative to the project, `stdlib/...` for embedded files, `<input>` for text given on a command line.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// Lines of `text`.
    pub lines: LineIndex,
}

/// All files of an analysis. Ids are handed out in order and never reused.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file and names it.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        let text = text.into();
        let lines = LineIndex::new(&text);
        self.files.push(SourceFile { name: name.into(), text, lines });
        SourceId(self.files.len() as u32 - 1)
    }

    /// The file with this id.
    pub fn file(&self, id: SourceId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// All files with their ids.
    pub fn files(&self) -> impl Iterator<Item = (SourceId, &SourceFile)> {
        self.files.iter().enumerate().map(|(at, file)| (SourceId(at as u32), file))
    }

    /// The text under a span.
    pub fn text(&self, span: Span) -> &str {
        let text = &self.file(span.source).text;
        text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// `file:line:column` of a span's start.
    pub fn place(&self, span: Span) -> String {
        let file = self.file(span.source);
        let at = file.lines.line_column(&file.text, span.start);
        format!("{}:{}:{}", file.name, at.line, at.column)
    }
}
