//! The options of a source, from `entity E from "..." (...)`.

use super::error::SourceError;
use super::packing::Packing;
use crate::base::did_you_mean;
use crate::hir::Value;

/// How the text of a file is read.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct FileOptions {
    pub layout: Layout,
    /// How the file is packed; `None` when its name says so.
    pub packing: Option<Packing>,
    pub delimiter: u8,
    pub quote: u8,
    /// Does the first line name the columns? Otherwise the cells are the fields in their order.
    pub header: bool,
    pub encoding: Encoding,
    /// A text that means null, besides the empty cell.
    pub null: Option<String>,
    /// A `strptime` format for dates.
    pub date_format: Option<String>,
    pub numbers: NumberFormat,
    /// Texts that stand for others.
    pub replacements: Vec<Replacement>,
    /// Are columns that are not declared an error?
    pub undeclared_fail: bool,
    pub on_error: OnBad,
    /// The most bad lines of one source; `None` for any number.
    pub max_errors: Option<u64>,
    /// The folder to which files move once a run that has read them has finished.
    pub archive: Option<String>,
}

/// How records and cells are told apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Layout {
    /// Cells between delimiters.
    Delimited,
    /// Cells of these widths, in characters.
    Fixed(Vec<usize>),
    /// One JSON object in a line.
    JsonLines,
    /// A JSON list of objects, or objects one after the other.
    Json,
}

impl Layout {
    /// Does the text say for each record what its cells are?
    pub fn is_json(&self) -> bool {
        matches!(self, Layout::JsonLines | Layout::Json)
    }
}

/// How numbers are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NumberFormat {
    pub decimal: char,
    /// Between groups of three digits.
    pub thousands: Option<char>,
}

impl NumberFormat {
    /// `1234.50`
    pub const PLAIN: Self = Self { decimal: '.', thousands: None };
}

/// `"tier: G -> gold"`: a cell that is `from` counts as if it were `to`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Replacement {
    /// `None` for every column.
    pub column: Option<String>,
    pub from: String,
    pub to: String,
}

/// How characters are stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Encoding {
    Utf8,
    Latin1,
    Windows1252,
}

impl Encoding {
    /// The encoding with this name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Encoding::Utf8,
            "latin-1" | "latin1" | "iso-8859-1" => Encoding::Latin1,
            "windows-1252" | "cp1252" => Encoding::Windows1252,
            _ => return None,
        })
    }

    /// The text as bytes; `None` when it has a character that the encoding lacks.
    pub fn encode<'t>(self, text: &'t str) -> Option<std::borrow::Cow<'t, [u8]>> {
        match self {
            Encoding::Utf8 => Some(text.as_bytes().into()),
            Encoding::Latin1 => {
                let bytes = text.chars().map(|sign| u8::try_from(u32::from(sign)).ok());
                bytes.collect::<Option<Vec<u8>>>().map(Into::into)
            }
            Encoding::Windows1252 => {
                let (bytes, _, lossy) = encoding_rs::WINDOWS_1252.encode(text);
                (!lossy).then_some(bytes)
            }
        }
    }
}

/// What a bad cell does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OnBad {
    /// The import fails.
    Fail,
    /// The line is set aside.
    Reject,
    /// The cell becomes null where it may be null; otherwise the line is set aside.
    Null,
}

const KNOWN: [&str; 15] = [
    "delimiter",
    "quote",
    "header",
    "encoding",
    "null",
    "date_format",
    "decimal",
    "thousands",
    "map",
    "widths",
    "undeclared",
    "on_error",
    "max_errors",
    "compression",
    "archive",
];

impl FileOptions {
    /// The defaults for a file with this extension.
    pub fn of_extension(extension: &str) -> Self {
        Self {
            layout: match extension {
                "ndjson" | "jsonl" => Layout::JsonLines,
                "json" => Layout::Json,
                _ => Layout::Delimited,
            },
            packing: None,
            delimiter: if extension == "tsv" { b'\t' } else { b',' },
            quote: b'"',
            header: true,
            encoding: Encoding::Utf8,
            null: None,
            date_format: None,
            numbers: NumberFormat::PLAIN,
            replacements: Vec::new(),
            undeclared_fail: false,
            on_error: OnBad::Fail,
            max_errors: None,
            archive: None,
        }
    }

    /// Reads the declared options.
    pub fn new(extension: &str, declared: &[(String, Value)]) -> Result<Self, SourceError> {
        let mut options = Self::of_extension(extension);
        for (name, value) in declared {
            options.set(name, value)?;
        }
        if matches!(options.layout, Layout::Fixed(_)) && !declared.iter().any(|(name, _)| name == "header") {
            options.header = false;
        }
        if options.numbers.thousands == Some(options.numbers.decimal) {
            return Err(invalid("thousands", "it is the decimal sign as well", "two signs that differ"));
        }
        if options.delimiter == options.quote {
            return Err(invalid("delimiter", "it is the quote as well", "a delimiter and a quote that differ"));
        }
        Ok(options)
    }

    /// Reads the options declared for files that are typed already, such as `shown`.
    pub fn of_typed(declared: &[(String, Value)], shown: &str) -> Result<Self, SourceError> {
        let mut options = Self::of_extension("");
        for (name, value) in declared {
            if !matches!(name.as_str(), "archive" | "on_error" | "max_errors") {
                return Err(SourceError::Option {
                    message: format!("`{name}` is an option of text files"),
                    help: format!("leave it out: `{shown}` is typed already"),
                });
            }
            options.set(name, value)?;
        }
        Ok(options)
    }

    /// Why rows cannot be written the way they are read, if so.
    pub fn unwritable(&self) -> Option<&'static str> {
        match self.layout {
            Layout::Fixed(_) => Some("a file of fixed widths"),
            Layout::JsonLines | Layout::Json => Some("a JSON file"),
            Layout::Delimited if self.numbers != NumberFormat::PLAIN => Some("with an option for numbers"),
            Layout::Delimited if self.archive.is_some() => Some("with `archive`"),
            Layout::Delimited if !self.replacements.is_empty() => Some("with `map`"),
            Layout::Delimited => None,
        }
    }

    fn set(&mut self, name: &str, value: &Value) -> Result<(), SourceError> {
        match (name, value) {
            ("delimiter", Value::Text(text)) => self.delimiter = one_byte(name, text)?,
            ("quote", Value::Text(text)) => self.quote = one_byte(name, text)?,
            ("header", Value::Bool(header)) => self.header = *header,
            ("encoding", Value::Text(text)) => self.encoding = encoding(text)?,
            ("null", Value::Text(text)) => self.null = Some(text.clone()),
            ("date_format", Value::Text(text)) => self.date_format = Some(date_format(text)?),
            ("decimal", Value::Text(text)) => self.numbers.decimal = sign(name, text, "`\",\"`")?,
            ("thousands", Value::Text(text)) => self.numbers.thousands = Some(sign(name, text, "`\".\"`")?),
            ("map", Value::List(list)) => self.replacements = list.iter().map(replacement).collect::<Result<_, _>>()?,
            ("widths", Value::List(list)) => {
                if self.layout.is_json() {
                    return Err(invalid(name, "objects of JSON have no widths", "it for files of fixed columns only"));
                }
                self.layout = Layout::Fixed(list.iter().map(width).collect::<Result<_, _>>()?);
            }
            ("undeclared", Value::Text(text)) => self.undeclared_fail = undeclared(text)?,
            ("on_error", Value::Text(text)) => self.on_error = on_bad(text)?,
            ("max_errors", Value::Int(limit)) if *limit >= 0 => self.max_errors = Some(limit.unsigned_abs()),
            ("compression", Value::Text(text)) => self.packing = Some(packing(text)?),
            ("archive", Value::Text(text)) => self.archive = Some(archive(text)?),
            (known, _) if KNOWN.contains(&known) => {
                let expected = match known {
                    "header" => "`true` or `false`",
                    "map" => "a list of texts, such as `[\"tier: G -> gold\"]`",
                    "widths" => "a list of numbers, such as `[6, 20, 10]`",
                    "max_errors" => "a number of lines, such as `100`",
                    _ => "a text",
                };
                return Err(invalid(known, "its value is of the wrong type", expected));
            }
            _ => return Err(unknown(name)),
        }
        Ok(())
    }
}

fn unknown(name: &str) -> SourceError {
    SourceError::Option {
        message: format!("a file has no option `{name}`"),
        help: match did_you_mean(name, KNOWN) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("its options are {}", KNOWN.join(", ")),
        },
    }
}

fn invalid(name: &str, reason: &str, expected: &str) -> SourceError {
    SourceError::Option { message: format!("option `{name}`: {reason}"), help: format!("write {expected}") }
}

fn one_byte(name: &str, text: &str) -> Result<u8, SourceError> {
    match text.as_bytes() {
        [byte] if !matches!(byte, b'\n' | b'\r' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z') => Ok(*byte),
        _ if text == "tab" => Ok(b'\t'),
        _ => Err(invalid(name, &format!("`{text}` is not one ASCII sign"), "one sign, such as `\";\"`")),
    }
}

fn sign(name: &str, text: &str, example: &str) -> Result<char, SourceError> {
    let mut signs = text.chars();
    match (signs.next(), signs.next()) {
        (Some(sign), None) if !sign.is_alphanumeric() && !matches!(sign, '+' | '-' | '%') => Ok(sign),
        _ => Err(invalid(name, &format!("`{text}` is no sign of a number"), &format!("one sign, such as {example}"))),
    }
}

fn replacement(value: &Value) -> Result<Replacement, SourceError> {
    let wrong = |text: &str| {
        let expected = "`\"COLUMN: FROM -> TO\"`, with `*` for every column";
        invalid("map", &format!("`{text}` does not say what stands for what"), expected)
    };
    let Value::Text(text) = value else { return Err(wrong("")) };
    let (column, pair) = text.split_once(": ").ok_or_else(|| wrong(text))?;
    let (from, to) = pair.split_once("->").ok_or_else(|| wrong(text))?;
    let column = (column.trim() != "*").then(|| column.trim().to_owned());
    Ok(Replacement { column, from: from.trim().to_owned(), to: to.trim().to_owned() })
}

fn width(value: &Value) -> Result<usize, SourceError> {
    match value {
        Value::Int(width @ 1..=100_000) => Ok(width.unsigned_abs() as usize),
        _ => Err(invalid("widths", "a width is at least 1", "a list of numbers, such as `[6, 20, 10]`")),
    }
}

fn undeclared(text: &str) -> Result<bool, SourceError> {
    match text {
        "fail" => Ok(true),
        "ignore" => Ok(false),
        _ => Err(invalid("undeclared", &format!("`{text}` is unknown"), "`ignore` or `fail`")),
    }
}

/// A folder below the one of the script.
fn archive(text: &str) -> Result<String, SourceError> {
    use std::path::Component;
    let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    match !text.trim().is_empty() && std::path::Path::new(text).components().all(inside) {
        true => Ok(text.to_owned()),
        false => Err(invalid(
            "archive",
            &format!("`{text}` is no folder below the script's"),
            "a folder, such as `\"done/\"`",
        )),
    }
}

fn packing(text: &str) -> Result<Packing, SourceError> {
    let unknown = || invalid("compression", &format!("`{text}` is unknown"), "`gzip`, `zstd` or `none`");
    Packing::named(text).ok_or_else(unknown)
}

fn encoding(text: &str) -> Result<Encoding, SourceError> {
    Encoding::named(text).ok_or_else(|| SourceError::Unsupported {
        what: format!("files in encoding `{text}`"),
        help: "known are \"utf-8\", \"latin-1\" and \"windows-1252\"".to_owned(),
    })
}

fn date_format(text: &str) -> Result<String, SourceError> {
    let example = jiff::civil::date(2026, 12, 31);
    let written = jiff::fmt::strtime::format(text, example);
    let read = written.and_then(|written| jiff::civil::Date::strptime(text, written));
    match read {
        Ok(date) if date == example => Ok(text.to_owned()),
        _ => Err(invalid(
            "date_format",
            &format!("`{text}` does not describe a date"),
            "a format such as `\"%d/%m/%Y\"`",
        )),
    }
}

fn on_bad(text: &str) -> Result<OnBad, SourceError> {
    Ok(match text {
        "fail" => OnBad::Fail,
        "reject" => OnBad::Reject,
        "null" => OnBad::Null,
        _ => return Err(invalid("on_error", &format!("`{text}` is unknown"), "`fail`, `reject` or `null`")),
    })
}
