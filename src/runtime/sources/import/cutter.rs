//! Cuts a text file into chunks that end where a record ends, so that they can be typed side by side.

use std::io::Read;

use super::Dialect;

/// A piece of the file that begins and ends between records.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub bytes: Vec<u8>,
    /// The first byte that counts: behind the header in the first chunk.
    pub start: usize,
    /// The physical line, from 1, of `bytes[start]`.
    pub line: u64,
}

/// Why no further chunk could be cut.
#[derive(Debug)]
pub(crate) enum CutError {
    Io(std::io::Error),
    /// A quote opened on this line is never closed.
    OpenQuote(u64),
    /// The record that begins on this line is too long.
    LongRecord(u64),
}

/// A record longer than this is taken for a mistake, so that memory stays bounded.
pub(crate) const MAX_RECORD: usize = 64 << 20;

/// Reads a file chunk by chunk.
pub(crate) struct Cutter {
    file: Box<dyn Read>,
    /// Read already, behind the last chunk's end.
    rest: Vec<u8>,
    /// Wanted size of a chunk in bytes.
    size: usize,
    line: u64,
    dialect: Dialect,
    finished: bool,
}

impl Cutter {
    /// Chunks of about `size` bytes.
    pub fn new(file: Box<dyn Read>, size: usize, dialect: Dialect) -> Self {
        Self { file, rest: Vec::new(), size, line: 1, dialect, finished: false }
    }

    /// Lines that have been cut off so far.
    pub fn lines(&self) -> u64 {
        self.line - 1
    }

    /// The next chunk, or `None` at the end of the file.
    pub fn next(&mut self) -> Result<Option<Chunk>, CutError> {
        if self.finished {
            return Ok(None);
        }
        let mut bytes = std::mem::take(&mut self.rest);
        let mut wanted = self.size;
        let end = loop {
            let missing = wanted.saturating_sub(bytes.len());
            bytes.reserve(missing);
            let read = self.file.by_ref().take(missing as u64).read_to_end(&mut bytes).map_err(CutError::Io)?;
            let cut = last_end(&bytes, self.dialect);
            if read < missing {
                self.finished = true;
                if let Some(at) = cut.open_quote {
                    return Err(CutError::OpenQuote(self.line + newlines(&bytes[..at])));
                }
                break bytes.len();
            }
            match cut.end {
                Some(end) => break end,
                None if bytes.len() >= MAX_RECORD => {
                    return Err(match cut.open_quote {
                        Some(at) => CutError::OpenQuote(self.line + newlines(&bytes[..at])),
                        None => CutError::LongRecord(self.line),
                    });
                }
                None => wanted = bytes.len() * 2,
            }
        };
        self.rest = bytes.split_off(end);
        let line = self.line;
        self.line += newlines(&bytes);
        Ok((!bytes.is_empty()).then_some(Chunk { bytes, start: 0, line }))
    }
}

/// Number of line ends.
pub(crate) fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

struct Cut {
    /// Behind the last record that ends in a newline.
    end: Option<usize>,
    /// Where a quote opens that is not closed before the end.
    open_quote: Option<usize>,
}

/// Finds the last end of a record in `bytes`, which begin with a record.
fn last_end(bytes: &[u8], dialect: Dialect) -> Cut {
    match dialect {
        Dialect::Delimited { delimiter, quote } if bytes.contains(&quote) => last_quoted_end(bytes, delimiter, quote),
        Dialect::Delimited { .. } | Dialect::Lines => {
            Cut { end: bytes.iter().rposition(|byte| *byte == b'\n').map(|at| at + 1), open_quote: None }
        }
        Dialect::Objects => Cut { end: last_object_end(bytes), open_quote: None },
    }
}

/// The place behind the last brace that closes an outermost object.
fn last_object_end(bytes: &[u8]) -> Option<usize> {
    let (mut end, mut depth, mut at) = (None, 0usize, 0);
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => match string_end(bytes, at) {
                Some(behind) => at = behind,
                None => return end,
            },
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    end = Some(at);
                }
            }
            _ => {}
        }
    }
    end
}

/// The place behind the quote that ends the JSON string whose text begins at `at`.
fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn last_quoted_end(bytes: &[u8], delimiter: u8, quote: u8) -> Cut {
    // A quote matters only at the beginning of a cell; inside a quoted cell, two stand for one. This is what the csv
    // crate does as well.
    let (mut end, mut at, mut cell_begins) = (None, 0, true);
    while let Some(byte) = bytes.get(at) {
        if cell_begins && *byte == quote {
            let open = at;
            at = match close(bytes, at + 1, quote) {
                Some(behind) => behind,
                None => return Cut { end, open_quote: Some(open) },
            };
            cell_begins = false;
            continue;
        }
        at += 1;
        cell_begins = *byte == delimiter || *byte == b'\n' || *byte == b'\r';
        if *byte == b'\n' {
            end = Some(at);
        }
    }
    Cut { end, open_quote: None }
}

/// The place behind the quote that closes the cell whose text begins at `at`.
fn close(bytes: &[u8], mut at: usize, quote: u8) -> Option<usize> {
    loop {
        at += bytes[at..].iter().position(|byte| *byte == quote)? + 1;
        if bytes.get(at) != Some(&quote) {
            return Some(at);
        }
        at += 1;
    }
}
