//! Byte offsets to lines and columns. The one place that knows about UTF-16.

/// A line and a column, both counted from 1; columns count characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
pub struct LineColumn {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// The starts of the lines of one text.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<u32>,
}

impl LineIndex {
    /// Scans `text` once.
    pub fn new(text: &str) -> Self {
        let mut starts = vec![0];
        starts.extend(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at as u32 + 1));
        Self { starts }
    }

    /// Number of lines; a text that ends in a newline has an empty last line.
    pub fn lines(&self) -> usize {
        self.starts.len()
    }

    /// Index of the line (from 0) that holds `offset`.
    pub fn line_of(&self, offset: u32) -> usize {
        self.starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// First byte of line `line` (from 0), or the end of the text past the last line.
    pub fn start_of(&self, line: usize, text: &str) -> u32 {
        self.starts.get(line).copied().unwrap_or(text.len() as u32)
    }

    /// Line and column of `offset` in `text`, the text this index was made from. Offsets past the end are clamped.
    pub fn line_column(&self, text: &str, offset: u32) -> LineColumn {
        let (line, prefix) = self.prefix(text, offset);
        LineColumn { line: line as u32 + 1, column: prefix.chars().count() as u32 + 1 }
    }

    /// Line and column as editors count them: both from 0, columns in UTF-16 code units.
    pub fn utf16(&self, text: &str, offset: u32) -> (u32, u32) {
        let (line, prefix) = self.prefix(text, offset);
        (line as u32, prefix.encode_utf16().count() as u32)
    }

    /// The byte offset of an editor's position; positions past a line's end are clamped to it.
    pub fn offset_of_utf16(&self, text: &str, line: u32, column: u32) -> u32 {
        let start = self.start_of(line as usize, text);
        let end = self.start_of(line as usize + 1, text);
        let mut units = 0;
        for (at, character) in text[start as usize..end as usize].char_indices() {
            if units >= column || character == '\n' {
                return start + at as u32;
            }
            units += character.len_utf16() as u32;
        }
        end
    }

    /// The line that holds `offset` and the text before it on that line.
    fn prefix<'t>(&self, text: &'t str, offset: u32) -> (usize, &'t str) {
        let mut end = (offset as usize).min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let line = self.line_of(end as u32);
        (line, &text[self.starts[line] as usize..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_utf16_counts_units() {
        let text = "é😀x\ny";
        let index = LineIndex::new(text);
        let x = text.find('x').unwrap() as u32;
        assert_eq!(index.line_column(text, x), LineColumn { line: 1, column: 3 });
        assert_eq!(index.utf16(text, x), (0, 3));
        assert_eq!(index.offset_of_utf16(text, 0, 3), x);
        assert_eq!(index.line_column(text, 999), LineColumn { line: 2, column: 2 });
        assert_eq!(index.offset_of_utf16(text, 0, 99), text.find('\n').unwrap() as u32);
    }
}
