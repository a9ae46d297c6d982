//! Civil dates, counted in days from 1970-01-01, and instants, in seconds.

pub const HOUR: i64 = 3_600;
pub const DAY: i64 = 24 * HOUR;

/// The number of a civil date. Years are taken to begin in March, so that a leap day is their last.
pub const fn day(year: i64, month: i64, date: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before_month = (153 * month + 2) / 5;
    365 * year + year / 4 - year / 100 + year / 400 + before_month + date - 1 - 719_468
}

/// The civil date of a day number: year, month, day of the month.
pub fn date(number: i64) -> (i64, i64, i64) {
    // The guess is never early and at most one year late.
    let mut year = 1970 + number / 365;
    while day(year, 1, 1) > number {
        year -= 1;
    }
    let month = (2..=12).take_while(|&month| day(year, month, 1) <= number).last().unwrap_or(1);
    (year, month, number - day(year, month, 1) + 1)
}

/// 0 is Monday; 1970-01-01 was a Thursday.
pub fn weekday(day: i64) -> i64 {
    (day + 3).rem_euclid(7)
}

pub fn iso_date(day: i64) -> String {
    let (year, month, date) = date(day);
    format!("{year}-{month:02}-{date:02}")
}

pub fn iso_instant(at: i64) -> String {
    let (day, second) = (at / DAY, at % DAY);
    let (hour, minute, second) = (second / HOUR, second / 60 % 60, second % 60);
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", iso_date(day))
}
