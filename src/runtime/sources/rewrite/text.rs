//! Text files: records that do not change are copied as they are.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use csv::{ByteRecord, Terminator};

use super::value::{Habit, of_cell};
use super::{Edited, Edits, NewKeys, WritableFile, identity};
use crate::hir::Value;
use crate::runtime::sources::cell::Reading;
use crate::runtime::sources::error::SourceError;
use crate::runtime::sources::files::io_reason;
use crate::runtime::sources::import::decode;

const MARK: &[u8] = b"\xEF\xBB\xBF";

/// Writes the changed copy.
pub(super) fn rewrite(source: &WritableFile<'_>, edits: &Edits, out: &Path) -> Result<Edited, SourceError> {
    let written = |error: std::io::Error| source.failed(io_reason(&error));
    let file = File::create(out).map_err(written)?;
    let mut editor = Editor::new(source, edits, BufWriter::new(file));
    editor.copy()?;
    editor.insert()?;
    let file = editor.out.into_inner().map_err(|error| written(error.into_error()))?;
    file.sync_all().map_err(written)?;
    Ok(editor.edited)
}

/// A record as it stands in the file.
struct Raw {
    /// Blank lines before it.
    before: Vec<u8>,
    /// What ends it.
    end: Vec<u8>,
    whole: Vec<u8>,
}

struct Editor<'s> {
    source: &'s WritableFile<'s>,
    edits: &'s Edits,
    out: BufWriter<File>,
    reading: Reading,
    /// For each declared column its cell.
    cells: Vec<usize>,
    width: usize,
    habits: Vec<Habit>,
    keys: NewKeys,
    line_end: Vec<u8>,
    ended: bool,
    edited: Edited,
}

impl<'s> Editor<'s> {
    fn new(source: &'s WritableFile<'s>, edits: &'s Edits, out: BufWriter<File>) -> Self {
        let count = source.columns.len();
        Self {
            source,
            edits,
            out,
            reading: Reading {
                zone: source.zone.clone(),
                date_format: source.options.date_format.clone(),
                numbers: source.options.numbers,
            },
            cells: (0..count).collect(),
            width: count,
            habits: vec![Habit::default(); count],
            keys: NewKeys::new(&source.key(), &edits.new_fields),
            line_end: b"\n".to_vec(),
            ended: true,
            edited: Edited::default(),
        }
    }

    /// Copies the file record by record.
    fn copy(&mut self) -> Result<(), SourceError> {
        let source = self.source;
        let failed = |error: &dyn std::fmt::Display| source.failed(error);
        let open = || File::open(&source.file.path).map_err(|error| failed(&io_reason(&error)));
        let mut raw_file = BufReader::new(open()?);
        let mut parsed_file = open()?;
        let mut mark = [0; 3];
        let has_mark = parsed_file.read(&mut mark).is_ok_and(|count| count == 3) && mark == *MARK;
        if has_mark {
            raw_file.read_exact(&mut mark).map_err(|error| failed(&error))?;
            self.out.write_all(MARK).map_err(|error| failed(&error))?;
        } else {
            parsed_file = open()?;
        }
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(source.options.delimiter)
            .quote(source.options.quote)
            .terminator(Terminator::Any(b'\n'))
            .from_reader(parsed_file);
        let (mut record, mut position, mut line, mut header) = (ByteRecord::new(), 0, 1, source.options.header);
        while reader.read_byte_record(&mut record).map_err(|error| failed(&error))? {
            let end = reader.position().byte();
            let mut whole = vec![0; (end - position) as usize];
            raw_file.read_exact(&mut whole).map_err(|error| failed(&error))?;
            position = end;
            let raw = Raw::new(whole);
            let first_line = line + newlines(&raw.before);
            line += newlines(&raw.whole);
            self.ended = !raw.end.is_empty();
            if self.ended {
                self.line_end.clone_from(&raw.end);
            }
            let Some(cells) = self.texts(&record) else {
                self.raw(&raw.whole)?;
                continue;
            };
            if std::mem::take(&mut header) {
                self.header(&cells);
                self.raw(&raw.whole)?;
            } else {
                self.record(cells, &raw, first_line)?;
            }
        }
        let mut rest = Vec::new();
        raw_file.read_to_end(&mut rest).map_err(|error| failed(&error))?;
        self.raw(&rest)
    }

    /// The cells as text; `None` when they are in another encoding.
    fn texts(&self, record: &ByteRecord) -> Option<Vec<String>> {
        let count = record.len();
        let cells = record.iter().enumerate().map(|(at, cell)| {
            let cell = if at + 1 == count { cell.strip_suffix(b"\r").unwrap_or(cell) } else { cell };
            decode(cell, self.source.options.encoding).ok().map(std::borrow::Cow::into_owned)
        });
        cells.collect()
    }

    fn header(&mut self, names: &[String]) {
        self.width = names.len();
        let place = |name: &str| names.iter().position(|found| found.trim() == name).unwrap_or(usize::MAX);
        self.cells = self.source.columns.iter().map(|column| place(&column.name)).collect();
    }

    /// Copies, changes or leaves out a record.
    fn record(&mut self, mut cells: Vec<String>, raw: &Raw, line: u64) -> Result<(), SourceError> {
        for (habit, at) in self.habits.iter_mut().zip(&self.cells) {
            habit.learn(cells.get(*at).map_or("", String::as_str));
        }
        let Some(row) = self.identify(&cells, line) else { return self.raw(&raw.whole) };
        if self.edits.deletes.contains(&row) {
            self.edited.found.insert(row);
            self.ended = true;
            return self.raw(&raw.before);
        }
        let Some(values) = self.edits.updates.get(&row) else { return self.raw(&raw.whole) };
        self.edited.found.insert(row);
        let mut changed = false;
        for (field, value) in self.edits.fields.iter().zip(values) {
            let Some(cell) = cells.get_mut(self.cells[*field]) else { continue };
            let column = &self.source.columns[*field];
            let same = |text: &str| of_cell(text, &column.kind, &self.source.options, &self.reading);
            let written = self.habits[*field].cell(value, &column.kind, &self.source.options, self.source.zone);
            if same(cell).as_ref().map(|value| identity(std::slice::from_ref(value)))
                != same(&written).as_ref().map(|value| identity(std::slice::from_ref(value)))
            {
                *cell = written;
                changed = true;
            }
        }
        if !changed {
            return self.raw(&raw.whole);
        }
        let line = self.line(&cells)?;
        self.raw(&raw.before)?;
        self.raw(&line)?;
        self.raw(&raw.end)
    }

    /// What names a row, and notes its key; `None` for a line that is no row.
    fn identify(&mut self, cells: &[String], line: u64) -> Option<String> {
        let value = |editor: &Self, at: usize| {
            let cell = cells.get(editor.cells[at])?;
            let column = &editor.source.columns[at];
            let found = of_cell(cell, &column.kind, &editor.source.options, &editor.reading)?;
            Some(match (&found, &column.default) {
                (Value::Null, Some(default)) => default.clone(),
                _ => found,
            })
        };
        let key = self.source.key();
        if key.is_empty() {
            let all = (0..self.cells.len()).map(|at| value(self, at)).collect::<Option<Vec<_>>>()?;
            return Some(identity(&[vec![Value::Int(line as i64)], all].concat()));
        }
        let values = key.iter().map(|at| value(self, *at)).collect::<Option<Vec<_>>>()?;
        if !self.edits.inserts.is_empty() {
            self.keys.note(&values);
        }
        Some(identity(&values))
    }

    /// Adds new rows behind the last record.
    fn insert(&mut self) -> Result<(), SourceError> {
        let key = self.source.key();
        for (at, values) in self.edits.inserts.iter().enumerate() {
            let Some(given) = self.keys.take(values) else {
                self.edited.existing.push(at);
                continue;
            };
            let mut cells = vec![String::new(); self.width];
            let set = self.edits.new_fields.iter().copied().zip(values.iter());
            for (field, value) in set.chain(key.iter().copied().zip(given.iter())) {
                let column = &self.source.columns[field];
                if let Some(cell) = cells.get_mut(self.cells[field]) {
                    *cell = self.habits[field].cell(value, &column.kind, &self.source.options, self.source.zone);
                }
            }
            let line = self.line(&cells)?;
            let end = self.line_end.clone();
            if !std::mem::replace(&mut self.ended, true) {
                self.raw(&end)?;
            }
            self.raw(&line)?;
            self.raw(&end)?;
        }
        Ok(())
    }

    /// A record without its line end.
    fn line(&self, cells: &[String]) -> Result<Vec<u8>, SourceError> {
        let options = &self.source.options;
        let mut writer = csv::WriterBuilder::new()
            .delimiter(options.delimiter)
            .quote(options.quote)
            .flexible(true)
            .terminator(Terminator::Any(b'\n'))
            .from_writer(Vec::new());
        for cell in cells {
            let Some(bytes) = options.encoding.encode(cell) else {
                return Err(self.source.failed(format!("`{cell}` cannot be written in the file's encoding")));
            };
            writer.write_field(bytes).map_err(|error| self.source.failed(error))?;
        }
        writer.write_record(None::<&[u8]>).map_err(|error| self.source.failed(error))?;
        let mut line = writer.into_inner().map_err(|error| self.source.failed(error.error()))?;
        line.pop();
        Ok(line)
    }

    fn raw(&mut self, bytes: &[u8]) -> Result<(), SourceError> {
        self.out.write_all(bytes).map_err(|error| self.source.failed(io_reason(&error)))
    }
}

impl Raw {
    fn new(whole: Vec<u8>) -> Self {
        let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let start = whole.iter().position(|byte| !is_end(byte)).unwrap_or(whole.len());
        let behind = whole.iter().rposition(|byte| !is_end(byte)).map_or(whole.len(), |at| at + 1);
        Self { before: whole[..start].to_vec(), end: whole[behind.max(start)..].to_vec(), whole }
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}
