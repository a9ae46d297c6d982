//! Takes the records of one chunk to a typist, each in the way its layout has them.

use std::borrow::Cow;

use csv::{ByteRecord, StringRecord};
use datafusion::parquet::arrow::arrow_writer::ArrowColumnWriter;
use datafusion::parquet::errors::ParquetError;

use super::cutter::Chunk;
use super::typist::{Raw, Reject, Typed, Typist};
use super::{Plan, fixed, json, reader};
use crate::runtime::sources::options::{Encoding, Layout};

/// Types `chunk`. Failures are those of the encoder; bad cells are data.
pub(super) fn type_chunk(chunk: Chunk, plan: &Plan, writers: Vec<ArrowColumnWriter>) -> Result<Typed, ParquetError> {
    let text = match plan.options.encoding {
        Encoding::Utf8 => Cow::Borrowed(&chunk.bytes[chunk.start..]),
        encoding => match decode(&chunk.bytes[chunk.start..], encoding) {
            Ok(text) => Cow::Owned(text.into_owned().into_bytes()),
            Err(_) => Cow::Borrowed(&chunk.bytes[chunk.start..]),
        },
    };
    let mut typist = Typist::new(plan, writers)?;
    match &plan.options.layout {
        Layout::Delimited => delimited(&text, chunk.line, &mut typist)?,
        Layout::Fixed(widths) => fixed::records(&text, chunk.line, widths, &mut typist)?,
        Layout::JsonLines => json::lines(&text, chunk.line, &mut typist)?,
        Layout::Json => json::elements(&text, chunk.line, &mut typist)?,
    }
    typist.finish()
}

fn delimited(text: &[u8], first: u64, typist: &mut Typist) -> Result<(), ParquetError> {
    let mut reader = reader(typist.plan.options, text);
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|error| ParquetError::External(Box::new(error)))? {
        let line = line(&record, text, first);
        record = match StringRecord::from_byte_record(record) {
            Ok(row) => {
                if row.len() == typist.plan.width {
                    typist.row(line, |cell| Raw::Text(&row[cell]))?;
                } else {
                    let cells = if row.len() == 1 { "1 cell".to_owned() } else { format!("{} cells", row.len()) };
                    typist.bad_line(line, "", format!("the line has {cells}, not {}", typist.plan.width));
                }
                row.into_byte_record()
            }
            Err(error) => {
                let cell = error.utf8_error().field();
                let record = error.into_byte_record();
                not_utf8(typist, &record, cell, line);
                record
            }
        };
        if typist.stopped {
            break;
        }
    }
    Ok(())
}

fn not_utf8(typist: &mut Typist, record: &ByteRecord, cell: usize, line: u64) {
    let value = String::from_utf8_lossy(record.get(cell).unwrap_or(&[])).into_owned();
    let column = typist.plan.places.iter().position(|place| place.cell() == Some(cell));
    typist.reject(Reject { line, column, value, reason: NOT_UTF8.to_owned() });
}

/// What to say after a text that is not UTF-8.
pub(super) const NOT_UTF8: &str = "is not UTF-8; is it `encoding: \"windows-1252\"`?";

/// The physical line of a record, where `first` is the line of the first byte of `text`.
fn line(record: &ByteRecord, text: &[u8], first: u64) -> u64 {
    let Some(position) = record.position() else { return first };
    // The reader leaves the second half of a line end, and empty lines, to the next record.
    let before = text.get(position.byte() as usize..).unwrap_or(&[]).iter();
    let skipped = before.take_while(|byte| matches!(byte, b'\n' | b'\r')).filter(|byte| **byte == b'\n').count();
    first + position.line() - 1 + skipped as u64
}

/// Bytes in `encoding` as text.
pub(crate) fn decode(bytes: &[u8], encoding: Encoding) -> Result<Cow<'_, str>, std::str::Utf8Error> {
    Ok(match encoding {
        Encoding::Utf8 => Cow::Borrowed(std::str::from_utf8(bytes)?),
        Encoding::Latin1 => encoding_rs::mem::decode_latin1(bytes),
        Encoding::Windows1252 => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0,
    })
}
