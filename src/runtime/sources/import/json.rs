//! JSON objects as records.
//!
//! Numbers are not read as floats on the way: what is typed is the text as written. So `12.10` is an exact decimal, and
//! an int of nineteen digits keeps its last one.

use std::borrow::Cow;

use datafusion::parquet::errors::ParquetError;
use serde::de::IgnoredAny;

use super::cutter::newlines;
use super::typist::{Raw, Typist};
use super::worker::NOT_UTF8;
use crate::runtime::sources::columns::Kind;

/// Names of keys that no column has, at most.
const SPARE: usize = 100;

const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// One object in each line; blank lines are left out.
pub(super) fn lines(text: &[u8], first: u64, typist: &mut Typist) -> Result<(), ParquetError> {
    for (bytes, line) in text.split(|byte| *byte == b'\n').zip(first..) {
        let Ok(text) = std::str::from_utf8(bytes) else {
            typist.bad_line(line, &String::from_utf8_lossy(bytes), NOT_UTF8.to_owned());
            continue;
        };
        if !text.trim().is_empty() {
            match Object::read(text, typist) {
                Ok((object, rest)) if rest.trim().is_empty() => object.type_row(line, typist)?,
                Ok(_) => typist.bad_line(line, text.trim(), "has more than one value in the line".to_owned()),
                Err(reason) => typist.bad_line(line, text.trim(), reason),
            }
        }
        if typist.stopped {
            break;
        }
    }
    Ok(())
}

/// Objects one after the other, with commas between them and a bracket at the end of a list. A text that is not JSON
/// ends the import: where the next object begins is not known.
pub(super) fn elements(text: &[u8], first: u64, typist: &mut Typist) -> Result<(), ParquetError> {
    let Ok(all) = std::str::from_utf8(text) else {
        typist.broken = Some((first, NOT_UTF8.to_owned()));
        return Ok(());
    };
    let mut line = first;
    let mut rest = all;
    while !typist.stopped && typist.broken.is_none() {
        let trimmed = rest.trim_start_matches(|sign| BLANKS.contains(&sign) || sign == ',');
        line += newlines(&rest.as_bytes()[..rest.len() - trimmed.len()]);
        if let Some(behind) = trimmed.strip_prefix(']') {
            typist.closed = true;
            if !behind.trim().is_empty() {
                typist.broken = Some((line, "there is more text behind the list".to_owned()));
            }
            break;
        }
        if trimmed.is_empty() {
            break;
        }
        rest = match element(trimmed, line, typist)? {
            Some(behind) => behind,
            None => break,
        };
        line += newlines(&trimmed.as_bytes()[..trimmed.len() - rest.len()]);
    }
    Ok(())
}

/// Takes one element to the typist; the text behind it.
fn element<'t>(text: &'t str, line: u64, typist: &mut Typist) -> Result<Option<&'t str>, ParquetError> {
    if text.starts_with('{') {
        return match Object::read(text, typist) {
            Ok((object, rest)) => object.type_row(line, typist).map(|()| Some(rest)),
            Err(reason) => {
                typist.broken = Some((line, format!("what begins here {reason}")));
                Ok(None)
            }
        };
    }
    match raw_value(text) {
        Ok((value, rest)) => {
            typist.bad_line(line, value, NO_OBJECT.to_owned());
            Ok(Some(rest))
        }
        Err(reason) => {
            typist.broken = Some((line, format!("what begins here {reason}")));
            Ok(None)
        }
    }
}

const NO_OBJECT: &str = "is not an object, such as `{\"id\": 1}`";

/// The values of a record, by column.
struct Object<'t> {
    values: Vec<Value<'t>>,
}

enum Value<'t> {
    Absent,
    Text(Cow<'t, str>),
    Json(&'t str),
}

impl<'t> Object<'t> {
    /// Reads an object, and gives what is behind it; the error is what to say after its text.
    fn read(text: &'t str, typist: &mut Typist) -> Result<(Self, &'t str), String> {
        let columns = typist.plan.columns;
        let mut values: Vec<Value> = columns.iter().map(|_| Value::Absent).collect();
        let keys = &mut typist.keys;
        let rest = members(text, |key, value| {
            match columns.iter().position(|column| column.name == key) {
                Some(at) => {
                    keys.seen[at] = true;
                    values[at] = typed(value, &columns[at].kind)?;
                }
                None if keys.spare.len() < SPARE && !keys.spare.contains(&*key) => {
                    keys.spare.insert(key.into_owned());
                }
                None => {}
            }
            Ok(())
        })?;
        Ok((Self { values }, rest))
    }

    fn type_row(&self, line: u64, typist: &mut Typist) -> Result<(), ParquetError> {
        typist.row(line, |at| match &self.values[at] {
            Value::Absent => Raw::Absent,
            Value::Text(text) => Raw::Text(text),
            Value::Json(text) => Raw::Json(text),
        })
    }
}

/// A value for a column of this kind.
fn typed<'t>(raw: &'t str, kind: &Kind) -> Result<Value<'t>, String> {
    Ok(match raw.as_bytes().first() {
        Some(b'n') => Value::Absent,
        _ if *kind == Kind::Json => Value::Json(raw),
        Some(b'"') => Value::Text(string(raw)?),
        Some(b'{' | b'[') => Value::Json(raw),
        _ => Value::Text(Cow::Borrowed(raw)),
    })
}

/// Calls `take` with each key and the text of its value; gives what is behind the object.
pub(crate) fn members<'t>(
    text: &'t str,
    mut take: impl FnMut(Cow<'t, str>, &'t str) -> Result<(), String>,
) -> Result<&'t str, String> {
    let blank = |text: &'t str| text.trim_start_matches(BLANKS);
    let mut rest = blank(text).strip_prefix('{').ok_or_else(|| NO_OBJECT.to_owned())?;
    if let Some(behind) = blank(rest).strip_prefix('}') {
        return Ok(behind);
    }
    loop {
        let (key, behind) = raw_value(rest)?;
        if !key.starts_with('"') {
            return Err(not_json("a key is a text in double quotes"));
        }
        let behind = blank(behind).strip_prefix(':').ok_or_else(|| not_json("expected `:` behind a key"))?;
        let (value, behind) = raw_value(behind)?;
        take(string(key)?, value)?;
        let behind = blank(behind);
        rest = match behind.strip_prefix(',') {
            Some(next) => next,
            None => return behind.strip_prefix('}').ok_or_else(|| not_json("expected `,` or `}`")),
        };
    }
}

/// The text of the next value, and what is behind it.
fn raw_value(text: &str) -> Result<(&str, &str), String> {
    let text = text.trim_start_matches(BLANKS);
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    match values.next() {
        Some(Ok(_)) => Ok(text.split_at(values.byte_offset())),
        Some(Err(error)) if error.is_eof() => Err(not_json("it is cut off")),
        Some(Err(error)) => Err(not_json(error.to_string().split(" at line").next().unwrap_or_default())),
        None => Err(not_json("it is cut off")),
    }
}

/// The value of a JSON string.
pub(crate) fn string(raw: &str) -> Result<Cow<'_, str>, String> {
    if !raw.contains('\\') {
        return Ok(Cow::Borrowed(raw.trim_matches('"')));
    }
    serde_json::from_str(raw).map(Cow::Owned).map_err(|error| not_json(&error.to_string()))
}

fn not_json(reason: &str) -> String {
    format!("is not valid json: {reason}")
}
