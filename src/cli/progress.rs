//! A run on the terminal: one line per finished step, a bar while messages leave.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::Output;
use crate::plan::Plan;
use crate::report::{count, dropped, elapsed, exclusions, moment, summary};
use crate::runtime::clock::{Clock, WallClock};
use crate::runtime::store::{StepRecord, Tally};
use crate::runtime::{Observer, Progress};

/// Bounds of the statements' column, in characters.
const TITLES: std::ops::RangeInclusive<usize> = 20..=44;

/// Prints what happens.
pub struct Terminal<'o> {
    output: &'o Output,
    zone: TimeZone,
    /// How the wait is announced: what somebody can do meanwhile.
    on_wait: String,
    /// Where the messages of a channel lie.
    delivered_to: Option<String>,
    /// Width of the statements' column.
    titles: usize,
    bar: Mutex<ProgressBar>,
    terminal: bool,
    /// Whether waits take time that can be counted down.
    counts: bool,
}

impl<'o> Terminal<'o> {
    /// An observer that prints results to `output`; a bar is drawn only when `terminal` says that somebody watches.
    pub fn new(
        output: &'o Output,
        zone: TimeZone,
        on_wait: String,
        delivered_to: Option<String>,
        plan: &Plan,
        terminal: bool,
    ) -> Self {
        let bar = Mutex::new(ProgressBar::hidden());
        let longest = plan.steps().iter().map(|step| step.title.chars().count()).max().unwrap_or(0);
        let titles = longest.clamp(*TITLES.start(), *TITLES.end());
        Self { output, zone, on_wait, delivered_to, titles, bar, terminal, counts: true }
    }

    /// The same for a clock that jumps.
    pub fn jumping(mut self) -> Self {
        self.counts = false;
        self
    }

    fn line(&self, mark: char, title: &str, text: &str) {
        self.clear();
        let width = self.titles;
        self.output.line(format!("  {mark} {title:<width$}  {text}").trim_end());
    }

    fn finished(&self, title: &str, record: &StepRecord, tally: Option<&Tally>, took: Duration) {
        let is_moment = |note: &String| note.parse::<jiff::Timestamp>().is_ok();
        if record.kind.starts_with("wait") && record.note.as_ref().is_some_and(is_moment) {
            // Waiting for a moment is announced when it begins.
            return;
        }
        let mut text = match tally {
            Some(tally) => sent(tally),
            None => summary(record, None, &self.zone, ""),
        };
        text = format!("{text:<38} {:>7}", elapsed(took));
        if let (Some(_), Some(place)) = (tally, &self.delivered_to) {
            text = format!("{text}   {place}");
        }
        self.line('✓', title, &text);
        if let Some(details) = tally.and_then(exclusions).or_else(|| dropped(record)) {
            self.line(' ', "", &details);
        }
    }

    fn sending(&self, title: &str, settled: u64, targeted: u64) {
        if !self.terminal {
            return;
        }
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        if bar.is_hidden() {
            *bar = ProgressBar::with_draw_target(Some(targeted), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("  ▸ {msg:24} {bar:24} {human_pos}/{human_len} {per_sec} {eta}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_message(title.to_string());
        }
        bar.set_position(settled);
    }

    /// Counts down under the line of a wait, for somebody who watches.
    fn count_down(&self, until: Timestamp) {
        if !self.terminal || !self.counts {
            return;
        }
        let left = move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
            // A line that cannot be written is written again in a second.
            let _ = out.write_str(&left(until.duration_since(WallClock.now())));
        };
        let style = ProgressStyle::with_template("    {left} left").map(|style| style.with_key("left", left));
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        *bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.enable_steady_tick(Duration::from_secs(1));
    }

    /// Takes the bar away before something else is printed.
    pub fn clear(&self) {
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        bar.finish_and_clear();
        *bar = ProgressBar::hidden();
    }
}

/// `1,131 sent · 73 excluded · 0 failed`
fn sent(tally: &Tally) -> String {
    let mut text = format!(
        "{} sent · {} excluded · {} failed",
        count(tally.sent),
        count(tally.excluded_total()),
        count(tally.failed)
    );
    for (rows, word) in [(tally.unknown, "unknown"), (tally.due, "deferred")] {
        if rows > 0 {
            text += &format!(" · {} {word}", count(rows));
        }
    }
    text
}

/// `1d 23:59:12`, never less than nothing.
fn left(left: SignedDuration) -> String {
    let seconds = left.as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let days = if days > 0 { format!("{days}d ") } else { String::new() };
    format!("{days}{hours:02}:{minutes:02}:{:02}", seconds % 60)
}

impl Observer for Terminal<'_> {
    fn on(&self, progress: Progress<'_>) {
        match progress {
            Progress::Started { .. } | Progress::Computed { .. } => {}
            Progress::Finished { title, record, tally, took } => self.finished(title, record, tally, took),
            Progress::Sending { title, settled, targeted } => self.sending(title, settled, targeted),
            Progress::Waiting { title, until } => {
                let moment = moment(until, &self.zone);
                self.line('◷', title, &format!("until {moment}{}", self.on_wait));
                self.count_down(until);
            }
            Progress::Blocked => {
                self.line('◷', "waiting", "for a person or a signal · `orch tasks` lists what is asked")
            }
            Progress::Log { .. } => {}
            Progress::Warning { text } => {
                self.clear();
                self.output.remark(crate::diag::safe_text(&format!("warning: {text}")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_counted_in_days_and_as_a_clock() {
        assert_eq!(left(SignedDuration::from_secs(2 * 86_400 - 48)), "1d 23:59:12");
        assert_eq!(left(SignedDuration::from_secs(61)), "00:01:01");
        assert_eq!(left(SignedDuration::from_secs(-5)), "00:00:00");
    }
}
