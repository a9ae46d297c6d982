//! Numbers, times and shares as people read them.

use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use crate::diag::safe_text;

/// `1204` as `1,204`.
pub fn count(n: u64) -> String {
    group_digits(&n.to_string())
}

/// The digits before the point in groups of three: `-1234567.891` as `-1,234,567.891`. What is not a number stays.
pub fn group_digits(number: &str) -> String {
    let (sign, rest) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let end = rest.find(|at: char| !at.is_ascii_digit()).unwrap_or(rest.len());
    let (whole, fraction) = rest.split_at(end);
    let mut out = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + fraction
}

/// `1 row`, `312 rows`.
pub fn plural(n: u64, what: &str) -> String {
    format!("{} {what}{}", count(n), if n == 1 { "" } else { "s" })
}

/// An amount of memory or disk: `812 B`, `12.4 kB`, `1.2 GB`.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    let mut amount = n as f64 / 1_000.0;
    if n < 1_000 {
        return format!("{n} B");
    }
    for unit in UNITS {
        // 999.95 would be shown as 1000.0.
        if amount < 999.95 || unit == UNITS[3] {
            return format!("{amount:.1} {unit}");
        }
        amount /= 1_000.0;
    }
    format!("{n} B")
}

/// A measured time in the unit that fits: `9 ms`, `0.9 s`, `2 min 5 s`, `3 h 20 min`.
pub fn elapsed(time: Duration) -> String {
    let (millis, seconds) = (time.as_millis(), time.as_secs());
    match seconds {
        0 if millis < 500 => format!("{millis} ms"),
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// An instant as people say it: `Wed 25 Nov 2026 09:00`, in a zone.
pub fn moment(at: jiff::Timestamp, zone: &jiff::tz::TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%a %-d %b %Y %H:%M").to_string()
}

/// The part of a whole with one digit after the point: `24.1%`.
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0%".to_owned();
    }
    format!("{:.1}%", part as f64 * 100.0 / whole as f64)
}

/// One value of a chart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bar {
    /// Its name.
    pub name: String,
    /// How many.
    pub count: u64,
}

/// A line per value, the longest bar `width` columns long; at most `most` lines and one that counts the others.
pub fn bars(values: &[Bar], width: usize, most: usize) -> String {
    let shown = &values[..values.len().min(most)];
    let names: Vec<String> = shown.iter().map(|bar| safe_text(&bar.name).replace('\n', "↵")).collect();
    let name_width = names.iter().map(|name| name.width()).max().unwrap_or(0);
    let largest = shown.iter().map(|bar| bar.count).max().unwrap_or(0).max(1);
    let mut out = String::new();
    for (bar, name) in shown.iter().zip(&names) {
        let pad = " ".repeat(name_width - name.width());
        let length = (bar.count as u128 * width as u128).div_ceil(u128::from(largest)) as usize;
        out += &format!(" {name}{pad} {} {}\n", "█".repeat(length), count(bar.count));
    }
    if values.len() > most {
        out += &format!(" … {} more\n", count((values.len() - most) as u64));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped() {
        let table = [
            ("0", "0"),
            ("999", "999"),
            ("1204", "1,204"),
            ("-1234567.891234", "-1,234,567.891234"),
            ("100000", "100,000"),
            ("-12", "-12"),
            ("NaN", "NaN"),
            ("1e20", "1e20"),
        ];
        for (plain, grouped) in table {
            assert_eq!(group_digits(plain), grouped);
        }
        assert_eq!(
            (plural(1, "row"), plural(0, "row"), plural(1312, "row")),
            ("1 row".into(), "0 rows".into(), "1,312 rows".into())
        );
    }

    #[test]
    fn amounts_have_the_unit_that_fits() {
        let shown = [999, 1_000, 12_345, 999_949, 999_960, 5_000_000_000].map(bytes);
        assert_eq!(shown, ["999 B", "1.0 kB", "12.3 kB", "999.9 kB", "1.0 MB", "5.0 GB"]);
    }

    #[test]
    fn times_have_the_unit_that_fits() {
        let shown = |millis| elapsed(Duration::from_millis(millis));
        assert_eq!([shown(9), shown(499), shown(900), shown(59_940)], ["9 ms", "499 ms", "0.9 s", "59.9 s"]);
        assert_eq!([shown(125_000), shown(12_000_000)], ["2 min 5 s", "3 h 20 min"]);
    }

    #[test]
    fn bars_are_in_proportion() {
        let bar = |name: &str, count| Bar { name: name.to_owned(), count };
        let chart = bars(&[bar("FR", 402), bar("Österreich", 201), bar("IT", 1), bar("x", 0)], 10, 3);
        assert_eq!(chart, " FR         ██████████ 402\n Österreich █████ 201\n IT         █ 1\n … 1 more\n");
        assert_eq!(bars(&[], 10, 3), "");
        assert_eq!((share(1204, 5000), share(1, 0)), ("24.1%".into(), "0%".into()));
    }
}
