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
        let format = match text("format").or(extension.as_deref()) {
            Some("csv" | "tsv" | "txt" | "dat" | "fwf" | "fixed") if fixed.is_some() => Format::Fixed,
            Some("dat" | "fwf" | "fixed") => {
                let help = "give each column a width: `widths: [8, 24, 10]`";
                return Err(wrong("a file of fixed widths needs widths".into(), help));
            }
            Some(_) if fixed.is_some() => {
                let help = "end the name in .txt, .dat or .fwf, or add `format: fixed`";
                return Err(wrong("only text files have widths".into(), help));
            }
            Some("csv" | "tsv" | "txt") => Format::Csv,
            Some("ndjson" | "jsonl") => Format::Ndjson,
            Some("parquet" | "pq") => Format::Parquet,
            Some("arrow" | "ipc" | "feather") => Format::Arrow,
            _ => {
                let help = "end the name in .csv, .ndjson, .parquet or .arrow, or add `format: csv`";
                return Err(wrong("nothing says what kind of file it is".into(), help));
            }
        };
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
        let (encoding, mark) = match text("encoding") {
            None => (Encoding::Utf8, false),
            Some("utf-8-bom") => (Encoding::Utf8, true),
            Some(name) => match Encoding::named(name) {
                Some(encoding) => (encoding, false),
                None => {
                    let help = "known are \"utf-8\", \"utf-8-bom\", \"latin-1\" and \"windows-1252\"";
                    return Err(wrong(format!("the encoding `{name}` is unknown"), help));
                }
            },
        };
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
