//! The options of an export.

use std::path::Path;

use super::super::error::DataError;
use super::fixed::Fixed;
use crate::hir::Value;
use crate::runtime::sources::Encoding;

/// What a file is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Format {
    Csv,
    Fixed,
    Ndjson,
    Parquet,
    Arrow,
}

/// The options of an export, with their defaults.
pub(super) struct Options {
    pub format: Format,
    pub columns: Option<Vec<String>>,
    pub if_empty: String,
    pub append: bool,
    pub delimiter: u8,
    pub header: bool,
    pub encoding: Encoding,
    pub mark: bool,
    pub decimal_comma: bool,
    pub guard: bool,
    /// The columns of a file of fixed widths.
    pub fixed: Option<Fixed>,
}

impl Options {
    /// What was written, with defaults; what does not fit together is an error.
    pub fn new(path: &str, given: &[(String, Value)]) -> Result<Self, DataError> {
        let wrong = |why: String, help: &str| DataError::Export { path: path.to_string(), why, help: help.to_string() };
        let option = |name: &str| given.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        let text = |name: &str| match option(name) {
            Some(Value::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        let flag = |name: &str, default: bool| match option(name) {
            Some(Value::Bool(value)) => *value,
            _ => default,
        };
        let extension = Path::new(path).extension().map(|found| found.to_string_lossy().to_lowercase());
        let list = |name: &str| match option(name) {
            Some(Value::List(values)) => Some(values.as_slice()),
            _ => None,
        };
        let fixed = Fixed::new(&list, text("too_long") == Some("cut")).map_err(|why| {
            wrong(why, "write one for each column: `widths: [8, 24, 10], align: [left, left, right]`")
        })?;
        let format = text("format").or(extension.as_deref());
        let format = format_of(format, fixed.is_some()).map_err(|(why, help)| wrong(why.into(), help))?;
        let append = flag("append", false);
        if append && matches!(format, Format::Parquet | Format::Arrow) {
            return Err(wrong(
                "rows can be added to text files only".into(),
                "use .csv or .ndjson, or leave out `append`",
            ));
        }
        let decimal_comma = flag("decimal_comma", false);
        let delimiter = match text("delimiter") {
            Some("tab") => b'\t',
            Some(sign) => match sign.as_bytes() {
                [byte] if !byte.is_ascii_alphanumeric() && !b"\"\r\n".contains(byte) => *byte,
                _ => return Err(wrong(format!("`{sign}` is no delimiter"), "write one sign, such as `\";\"`")),
            },
            None if extension.as_deref() == Some("tsv") => b'\t',
            None if decimal_comma => b';',
            None => b',',
        };
        let (encoding, mark) = encoding_of(text("encoding"))
            .map_err(|why| wrong(why, "known are \"utf-8\", \"utf-8-bom\", \"latin-1\" and \"windows-1252\""))?;
        let columns = match option("columns") {
            Some(Value::List(names)) => Some(names.iter().map(|name| name.to_text(&jiff::tz::TimeZone::UTC)).collect()),
            _ => None,
        };
        Ok(Self {
            format,
            columns,
            if_empty: text("if_empty").unwrap_or("write").to_string(),
            append,
            delimiter,
            // As in sources: columns of fixed widths have no names unless it is asked for.
            header: flag("header", format != Format::Fixed),
            encoding,
            mark,
            decimal_comma,
            guard: flag("guard", true) && format != Format::Fixed,
            fixed,
        })
    }
}

/// What kind of file a word or the end of a name stands for, and whether it has columns of fixed widths; else why
/// not, and what to write.
fn format_of(word: Option<&str>, has_widths: bool) -> Result<Format, (&'static str, &'static str)> {
    match word {
        Some("csv" | "tsv" | "txt" | "dat" | "fwf" | "fixed") if has_widths => Ok(Format::Fixed),
        Some("dat" | "fwf" | "fixed") => {
            Err(("a file of fixed widths needs widths", "give each column a width: `widths: [8, 24, 10]`"))
        }
        Some(_) if has_widths => {
            Err(("only text files have widths", "end the name in .txt, .dat or .fwf, or add `format: fixed`"))
        }
        Some("csv" | "tsv" | "txt") => Ok(Format::Csv),
        Some("ndjson" | "jsonl") => Ok(Format::Ndjson),
        Some("parquet" | "pq") => Ok(Format::Parquet),
        Some("arrow" | "ipc" | "feather") => Ok(Format::Arrow),
        _ => Err((
            "nothing says what kind of file it is",
            "end the name in .csv, .ndjson, .parquet or .arrow, or add `format: csv`",
        )),
    }
}

/// The encoding with this name, and whether the file begins with a mark; UTF-8 without one unless it is said.
fn encoding_of(name: Option<&str>) -> Result<(Encoding, bool), String> {
    match name {
        None => Ok((Encoding::Utf8, false)),
        Some("utf-8-bom") => Ok((Encoding::Utf8, true)),
        Some(name) => match Encoding::named(name) {
            Some(encoding) => Ok((encoding, false)),
            None => Err(format!("the encoding `{name}` is unknown")),
        },
    }
}
