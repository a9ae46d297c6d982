//! Amounts with a unit, as manifests write them: `2GiB`, `200/s`.

use std::time::Duration;

use super::problems::HELP;

/// An amount of memory or disk, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Bytes(pub u64);

/// At most this many messages in this time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Pace {
    /// Messages, at least 1.
    pub count: u64,
    /// The time they take, at least a millisecond.
    pub per: Duration,
}

/// How long something is kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Age(pub Duration);

const BYTE_UNITS: &[(&str, u64)] = &[
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// In milliseconds. Calendar units have no place in a manifest: a day is 24 hours.
const TIME_UNITS: &[(&str, u64)] =
    &[("ms", 1), ("s", 1_000), ("min", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];

impl TryFrom<String> for Bytes {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let amount = split(&text).and_then(|(number, unit)| scaled(number, unit, BYTE_UNITS));
        amount.map(Bytes).ok_or_else(|| format!("`{text}` is not an amount of memory{HELP}write `512MiB` or `2GiB`"))
    }
}

impl TryFrom<String> for Pace {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        pace(&text).ok_or_else(|| format!("`{text}` is not a rate{HELP}write `200/s`, `30/min` or `5_000/3h`"))
    }
}

impl TryFrom<String> for Age {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        duration(&text).map(Age).ok_or_else(|| format!("`{text}` is not a length of time{HELP}write `90d` or `12h`"))
    }
}

impl Age {
    /// So many days of 24 hours.
    pub const fn days(days: u64) -> Self {
        Self(Duration::from_secs(days * 86_400))
    }
}

impl Bytes {
    /// As a `usize`, for allocators.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

fn pace(text: &str) -> Option<Pace> {
    let (count, per) = text.split_once('/')?;
    let count = number(count.trim())?;
    let per = per.trim();
    let per = if per.starts_with(|first: char| first.is_ascii_digit()) {
        duration(per)?
    } else {
        duration(&format!("1{per}"))?
    };
    (count > 0 && !per.is_zero()).then_some(Pace { count, per })
}

/// `1d12h`: any number of parts, each with its unit.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (amount, tail) = split(rest)?;
        let unit_end = tail.find(|at: char| !at.is_alphabetic()).unwrap_or(tail.len());
        total = total.checked_add(scaled(amount, &tail[..unit_end], TIME_UNITS)?)?;
        rest = &tail[unit_end..];
    }
    (!text.trim().is_empty()).then_some(Duration::from_millis(total))
}

/// The number in front and what follows it.
fn split(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text.find(|at: char| !at.is_ascii_digit() && at != '_').unwrap_or(text.len());
    Some((number(&text[..end])?, text[end..].trim_start()))
}

fn number(text: &str) -> Option<u64> {
    text.replace('_', "").parse().ok()
}

fn scaled(amount: u64, unit: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (_, factor) = units.iter().find(|(known, _)| *known == unit)?;
    amount.checked_mul(*factor)
}
