//! Natives on text.

use datafusion::arrow::datatypes::DataType;

use super::super::digests::{hex, md5, sha256, sha512, uuid};
use super::super::{Given, Native, ticket};
use crate::plan::query::values::MAX_DIGITS;

const TEXT: fn(&Given<'_>) -> DataType = |_| DataType::Utf8;
const INT: fn(&Given<'_>) -> DataType = |_| DataType::Int64;
const BOOL: fn(&Given<'_>) -> DataType = |_| DataType::Boolean;
/// Digits of a lot behind the point.
const LOT_DIGITS: i8 = 12;

pub(super) static NATIVES: &[Native] = &[
    Native { name: "lower", returns: TEXT, compute: |c| c.texts(|row| Some(c.text(0, row)?.to_lowercase())) },
    Native { name: "upper", returns: TEXT, compute: |c| c.texts(|row| Some(c.text(0, row)?.to_uppercase())) },
    Native { name: "title_case", returns: TEXT, compute: |c| c.texts(|row| Some(title_case(c.text(0, row)?))) },
    Native { name: "trim", returns: TEXT, compute: |c| c.texts(|row| Some(c.text(0, row)?.trim().to_owned())) },
    Native {
        name: "trim_start",
        returns: TEXT,
        compute: |c| c.texts(|row| Some(c.text(0, row)?.trim_start().to_owned())),
    },
    Native { name: "trim_end", returns: TEXT, compute: |c| c.texts(|row| Some(c.text(0, row)?.trim_end().to_owned())) },
    Native { name: "length", returns: INT, compute: |c| c.ints(|row| Some(c.text(0, row)?.chars().count() as i64)) },
    Native { name: "byte_length", returns: INT, compute: |c| c.ints(|row| Some(c.text(0, row)?.len() as i64)) },
    Native {
        name: "left",
        returns: TEXT,
        compute: |c| c.texts(|row| Some(characters(c.text(0, row)?, 0, c.int(1, row)?))),
    },
    Native {
        name: "right",
        returns: TEXT,
        compute: |c| {
            c.texts(|row| {
                let (text, n) = (c.text(0, row)?, c.int(1, row)?);
                Some(characters(text, (text.chars().count() as i64).saturating_sub(n), i64::MAX))
            })
        },
    },
    Native {
        name: "substring",
        returns: TEXT,
        compute: |c| {
            c.texts(|row| {
                let start = c.int(1, row)?.saturating_sub(1);
                Some(characters(c.text(0, row)?, start, c.int(2, row).unwrap_or(i64::MAX)))
            })
        },
    },
    Native {
        name: "position",
        returns: INT,
        compute: |c| {
            c.ints(|row| {
                let (text, part) = (c.text(0, row)?, c.text(1, row)?);
                Some(text.find(part).map_or(0, |at| text[..at].chars().count() as i64 + 1))
            })
        },
    },
    Native {
        name: "contains",
        returns: BOOL,
        compute: |c| c.bools(|row| Some(c.text(0, row)?.contains(c.text(1, row)?))),
    },
    Native {
        name: "starts_with",
        returns: BOOL,
        compute: |c| c.bools(|row| Some(c.text(0, row)?.starts_with(c.text(1, row)?))),
    },
    Native {
        name: "ends_with",
        returns: BOOL,
        compute: |c| c.bools(|row| Some(c.text(0, row)?.ends_with(c.text(1, row)?))),
    },
    Native {
        name: "replace",
        returns: TEXT,
        compute: |c| {
            c.texts(|row| {
                let (text, old, new) = (c.text(0, row)?, c.text(1, row)?, c.text(2, row)?);
                Some(if old.is_empty() { text.to_owned() } else { text.replace(old, new) })
            })
        },
    },
    Native {
        name: "pad_start",
        returns: TEXT,
        compute: |c| {
            c.texts(|row| {
                let (text, n) = (c.text(0, row)?, c.int(1, row)?);
                Some(format!("{}{text}", padding(text, n, c.text(2, row)?)))
            })
        },
    },
    Native {
        name: "pad_end",
        returns: TEXT,
        compute: |c| {
            c.texts(|row| {
                let (text, n) = (c.text(0, row)?, c.int(1, row)?);
                Some(format!("{text}{}", padding(text, n, c.text(2, row)?)))
            })
        },
    },
    Native {
        name: "reverse",
        returns: TEXT,
        compute: |c| c.texts(|row| Some(c.text(0, row)?.chars().rev().collect())),
    },
    Native {
        name: "part",
        returns: TEXT,
        compute: |c| {
            c.texts(|row| {
                let (text, separator) = (c.text(0, row)?, c.text(1, row)?);
                let at = usize::try_from(c.int(2, row)? - 1).ok()?;
                text.split(separator).nth(at).filter(|_| !separator.is_empty()).map(str::to_owned)
            })
        },
    },
    Native {
        name: "line",
        returns: TEXT,
        compute: |c| {
            c.texts(|row| c.text(0, row)?.lines().nth(usize::try_from(c.int(1, row)? - 1).ok()?).map(str::to_owned))
        },
    },
    Native {
        name: "code_point",
        returns: INT,
        compute: |c| c.ints(|row| Some(i64::from(u32::from(c.text(0, row)?.chars().next()?)))),
    },
    Native {
        name: "character",
        returns: TEXT,
        compute: |c| c.texts(|row| Some(char::from_u32(u32::try_from(c.int(0, row)?).ok()?)?.to_string())),
    },
    Native {
        name: "email_domain",
        returns: TEXT,
        compute: |c| {
            c.texts(|row| {
                let (_, domain) = c.text(0, row)?.rsplit_once('@')?;
                (!domain.is_empty()).then(|| domain.to_lowercase())
            })
        },
    },
    Native { name: "url_encode", returns: TEXT, compute: |c| c.texts(|row| Some(url_encode(c.text(0, row)?))) },
    Native { name: "md5", returns: TEXT, compute: |c| c.texts(|row| Some(hex(&md5(c.text(0, row)?.as_bytes())))) },
    Native {
        name: "sha256",
        returns: TEXT,
        compute: |c| c.texts(|row| Some(hex(&sha256(c.text(0, row)?.as_bytes())))),
    },
    Native {
        name: "sha512",
        returns: TEXT,
        compute: |c| c.texts(|row| Some(hex(&sha512(c.text(0, row)?.as_bytes())))),
    },
    Native { name: "uuid", returns: TEXT, compute: |c| c.texts(|row| Some(uuid(c.text(0, row)?.as_bytes()))) },
    Native {
        name: "lot",
        returns: |_| DataType::Decimal128(MAX_DIGITS, LOT_DIGITS),
        compute: |c| {
            c.decimals(|row| {
                let lot = u128::from(ticket::of_texts(c.text(1, row)?, [c.text(0, row)?]));
                Some(((lot * 10u128.pow(LOT_DIGITS as u32)) >> 64) as i128)
            })
        },
    },
];

/// `count` characters from `start`, counted from 0; what lies before the first does not count.
fn characters(text: &str, start: i64, count: i64) -> String {
    let end = start.saturating_add(count.max(0)).max(0);
    let start = start.max(0);
    text.chars().skip(start as usize).take(end.saturating_sub(start).max(0) as usize).collect()
}

/// What is missing up to `n` characters; at most a million.
fn padding(text: &str, n: i64, fill: &str) -> String {
    let missing = n.min(1_000_000).saturating_sub(text.chars().count() as i64).max(0) as usize;
    fill.chars().cycle().take(if fill.is_empty() { 0 } else { missing }).collect()
}

fn title_case(text: &str) -> String {
    let mut inside = false;
    let mut result = String::with_capacity(text.len());
    for character in text.chars() {
        match inside {
            true => result.extend(character.to_lowercase()),
            false => result.extend(character.to_uppercase()),
        }
        // `O'Neill` has one apostrophe and two capitals, `it's` is rare in names.
        inside = character.is_alphanumeric();
    }
    result
}

fn url_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
