//! Reports about messages after they have left, as mail providers and trackers write them to files.

use std::io::{BufRead, BufReader, Read};

use jiff::Timestamp;

use super::channels::SendKey;
use super::store::FeedbackEvent;
use crate::diag::{Problem, codes};
use crate::hir::FeedbackKind;

/// What can be reported.
pub const REPORTED: [FeedbackKind; 4] =
    [FeedbackKind::Opened, FeedbackKind::Clicked, FeedbackKind::Bounced, FeedbackKind::Unsubscribed];

/// A report as it is written.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    key: String,
    event: String,
    at: Option<String>,
}

/// How a file is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FeedbackFormat {
    /// Text with the header `key,event,at`; `at` may be left out.
    Csv,
    /// One JSON object a line, with the same names.
    Ndjson,
}

/// Reads reports and hands them to `each` in groups, so that a file of any size needs little memory. What has no time of its own
/// happened `now`. `name` is the file as people know it.
///
/// # Errors
/// `run::bad_feedback` with the line; what came before it was handed over. Reports are idempotent, so the whole file
/// can be read again. And whatever `each` says.
pub fn read_feedback(
    input: impl Read,
    format: FeedbackFormat,
    name: &str,
    now: Timestamp,
    each: &mut dyn FnMut(Vec<FeedbackEvent>) -> Result<(), Problem>,
) -> Result<(), Problem> {
    const GROUP: usize = 10_000;
    let mut group = Vec::new();
    let mut add = |line: u64, written: Result<Written, String>| {
        let event = written.and_then(|written| event(&written, now)).map_err(|why| bad(name, line, &why))?;
        group.push(event);
        if group.len() == GROUP { each(std::mem::take(&mut group)) } else { Ok(()) }
    };
    match format {
        FeedbackFormat::Csv => {
            let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(input);
            for (at, row) in reader.deserialize().enumerate() {
                // The header is the first line.
                add(at as u64 + 2, row.map_err(|error| plain(&error)))?;
            }
        }
        FeedbackFormat::Ndjson => {
            for (at, line) in BufReader::new(input).lines().enumerate() {
                let text = line.map_err(|error| bad(name, at as u64 + 1, &error.to_string()))?;
                if !text.trim().is_empty() {
                    add(at as u64 + 1, serde_json::from_str(&text).map_err(|error| error.to_string()))?;
                }
            }
        }
    }
    if group.is_empty() { Ok(()) } else { each(group) }
}

fn event(written: &Written, now: Timestamp) -> Result<FeedbackEvent, String> {
    // A `Message-ID` is the key, an at sign and a domain.
    let digits = written.key.trim_start_matches('<').split('@').next().unwrap_or_default();
    let key = SendKey::parse(digits)
        .ok_or_else(|| format!("`{}` is neither the key of a message nor its Message-ID", written.key))?;
    let kind = REPORTED.into_iter().find(|kind| kind.word() == written.event).ok_or_else(|| {
        let words: Vec<&str> = REPORTED.iter().map(|kind| kind.word()).collect();
        format!("`{}` cannot be reported, only {}", written.event, words.join(", "))
    })?;
    let at = match written.at.as_deref().filter(|at| !at.is_empty()) {
        Some(at) => at.parse().map_err(|_| format!("`{at}` is no moment such as 2026-11-30T09:00:00Z"))?,
        None => now,
    };
    Ok(FeedbackEvent { key, kind, at })
}

/// What is wrong with a line, without the position, which we say ourselves.
fn plain(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => err.kind().to_string(),
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".to_string(),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} fields where the header has {expected_len}")
        }
        _ => error.to_string(),
    }
}

fn bad(name: &str, line: u64, why: &str) -> Problem {
    Problem::outside(codes::run::BAD_FEEDBACK, format!("line {line} of `{name}`: {why}"))
        .help("each line has a `key`, an `event` and, if it is known, the moment `at` which it happened")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, format: FeedbackFormat) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        let mut each = |events: Vec<FeedbackEvent>| {
            found.extend(events.iter().map(|event| format!("{} {} {}", event.key, event.kind.word(), event.at)));
            Ok(())
        };
        let now = Timestamp::UNIX_EPOCH;
        read_feedback(text.as_bytes(), format, "events", now, &mut each).map_err(|problem| problem.message.clone())?;
        Ok(found)
    }

    const KEY: &str = "000102030405060708090a0b0c0d0e0f";

    #[test]
    fn both_formats_say_the_same() {
        let expected = [format!("{KEY} opened 2026-11-30T09:00:00Z"), format!("{KEY} clicked 1970-01-01T00:00:00Z")];
        let csv = format!("key,event,at\n{KEY},opened,2026-11-30T10:00:00+01:00\n<{KEY}@shop.test>, clicked,\n");
        assert_eq!(read(&csv, FeedbackFormat::Csv).unwrap(), expected);
        let json = format!(
            "{{\"key\":\"{KEY}\",\"event\":\"opened\",\"at\":\"2026-11-30T09:00:00Z\"}}\n\n{{\"key\":\"{KEY}@shop.test\",\"event\":\"clicked\"}}\n"
        );
        assert_eq!(read(&json, FeedbackFormat::Ndjson).unwrap(), expected);
    }

    #[test]
    fn a_wrong_line_is_named() {
        let table = [
            (
                "key,event\nabc,opened\n".to_string(),
                "line 2 of `events`: `abc` is neither the key of a message nor its Message-ID",
            ),
            (
                format!("key,event\n{KEY},liked\n"),
                "line 2 of `events`: `liked` cannot be reported, only opened, clicked, bounced, unsubscribed",
            ),
            (
                format!("key,event,at\n{KEY},opened,soon\n"),
                "line 2 of `events`: `soon` is no moment such as 2026-11-30T09:00:00Z",
            ),
            (format!("key,event\n{KEY},opened\n{KEY}\n"), "line 3 of `events`: it has 1 fields where the header has 2"),
        ];
        for (text, expected) in table {
            assert_eq!(read(&text, FeedbackFormat::Csv).unwrap_err(), expected);
        }
        let error = read("{\"key\":1}\n", FeedbackFormat::Ndjson).unwrap_err();
        assert!(error.starts_with("line 1 of `events`: invalid type"), "{error}");
    }
}
