//! What the grammar does not see: comments.

/// A comment, from `#` to the end of its line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Comment {
    /// Its `#`.
    pub start: u32,
    /// The end of its line, without trailing white space.
    pub end: u32,
    /// True when nothing stands before it on its line.
    pub own_line: bool,
    /// True for `##` on its own line: it describes the declaration below.
    pub doc: bool,
}

impl Comment {
    /// Its text with the marks.
    pub fn text(self, source: &str) -> &str {
        source.get(self.start as usize..self.end as usize).unwrap_or("")
    }
}

/// All comments of a file, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Trivia {
    /// In order of place.
    pub comments: Vec<Comment>,
}
