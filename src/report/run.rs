//! A run, or a rehearsal of one, as data, as JSON and as text.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::text::{count, moment, plural};
use crate::diag::safe_text;
use crate::runtime::Rehearsal;
use crate::runtime::machine::Phase;
use crate::runtime::store::{RunRecord, SendRecord, StepRecord, Store, StoreError, Tally};

/// Everything about a run that its report shows.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// The run.
    pub record: RunRecord,
    /// Its finished steps, in order.
    pub steps: Vec<StepRecord>,
    /// Its sends with their accounting.
    pub sends: Vec<(SendRecord, Tally)>,
}

impl RunReport {
    /// Reads a run from a store; `None` when there is no such run.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn read(store: &dyn Store, run: &str) -> Result<Option<Self>, StoreError> {
        let Some(record) = store.run(run)? else { return Ok(None) };
        let mut sends = Vec::new();
        for send in store.sends(run)? {
            let tally = store.tally(send.id)?;
            sends.push((send, tally));
        }
        Ok(Some(Self { record, steps: store.steps(run)?, sends }))
    }

    /// The report of a rehearsal.
    pub fn of_rehearsal(rehearsal: &Rehearsal) -> Self {
        Self { record: rehearsal.record.clone(), steps: rehearsal.steps.clone(), sends: rehearsal.sends.clone() }
    }

    /// The machine-readable form; fields are only ever added.
    pub fn json(&self) -> RunJson<'_> {
        RunJson {
            run: &self.record.run,
            campaign: &self.record.campaign,
            file: &self.record.file,
            status: self.record.status(),
            reason: self.record.state.reason.as_deref(),
            simulated: self.record.simulated,
            started: self.record.started,
            updated: self.record.updated,
            waiting_until: waiting_until(&self.record),
            steps: self.steps.iter().map(StepJson::new).collect(),
            sends: self.sends.iter().map(|(send, tally)| SendJson::new(send, tally)).collect(),
        }
    }

    /// The equation of all sends together: `1,204 = 1,131 sent + 73 excluded`; `None` without sends.
    pub fn balance(&self) -> Option<String> {
        (!self.sends.is_empty()).then(|| balance(&self.total()))
    }

    /// All sends added up.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        for (_, tally) in &self.sends {
            total.targeted += tally.targeted;
            total.sent += tally.sent;
            total.failed += tally.failed;
            total.unknown += tally.unknown;
            total.due += tally.due;
            total.late += tally.late;
            for (reason, rows) in &tally.excluded {
                *total.excluded.entry(*reason).or_default() += rows;
            }
        }
        total
    }

    /// The steps as lines, each followed by what was dropped and why.
    pub fn lines(&self, zone: &TimeZone, sent_word: &str) -> Vec<String> {
        let unfinished = self.unfinished();
        let paths = self.steps.iter().chain(&unfinished).map(|step| step.step.chars().count()).max().unwrap_or(1);
        let titles = self
            .steps
            .iter()
            .chain(&unfinished)
            .map(|step| step.title().chars().count())
            .max()
            .unwrap_or(0)
            .clamp(16, 48);
        let mut out = Vec::new();
        for step in self.steps.iter().chain(&unfinished) {
            let tally = self.tally_of(step);
            let said = summary(step, tally, zone, sent_word);
            out.push(format!("  {:>paths$}  {:<titles$}  {said}", step.step, step.title()).trim_end().to_string());
            if let Some(details) = tally.and_then(exclusions).or_else(|| dropped(step)) {
                out.push(format!("  {:>paths$}  {:<titles$}  {details}", "", ""));
            }
        }
        out
    }

    /// Sends that have begun and are not done, as steps with what is known of them.
    fn unfinished(&self) -> Vec<StepRecord> {
        let is_done =
            |send: &SendRecord| self.steps.iter().any(|step| step.step == send.step && step.token == send.token);
        let step = |(send, tally): &(SendRecord, Tally)| StepRecord {
            run: send.run.clone(),
            step: send.step.clone(),
            token: send.token.clone(),
            kind: "send".to_string(),
            name: format!("send {} {}", send.channel, send.message.as_deref().unwrap_or_default()).trim().to_string(),
            rows_in: Some(tally.targeted),
            rows_out: Some(tally.sent),
            dropped: BTreeMap::new(),
            at: send.at,
            note: None,
        };
        self.sends.iter().filter(|(send, _)| !is_done(send)).map(step).collect()
    }

    /// The accounting of the send that a step is.
    pub fn tally_of(&self, step: &StepRecord) -> Option<&Tally> {
        let is_send = |send: &SendRecord| send.step == step.step && send.token == step.token;
        self.sends.iter().find(|(send, _)| is_send(send)).map(|(_, tally)| tally)
    }
}

impl StepRecord {
    /// The statement in a few words: `segment vip`, `wait 2d`.
    pub fn title(&self) -> String {
        if self.kind == "segment" { format!("segment {}", self.name) } else { self.name.clone() }
    }

    /// Whether it writes data, or tells somebody.
    fn is_data(&self) -> bool {
        let kinds = ["export", "save", "alert", "update", "upsert", "insert", "delete", "subscribe", "unsubscribe"];
        kinds.contains(&self.kind.as_str())
    }
}

/// What a finished step says of itself.
pub fn summary(step: &StepRecord, tally: Option<&Tally>, zone: &TimeZone, sent_word: &str) -> String {
    // Notes may hold anything that data holds.
    safe_text(&plain_summary(step, tally, zone, sent_word))
}

fn plain_summary(step: &StepRecord, tally: Option<&Tally>, zone: &TimeZone, sent_word: &str) -> String {
    if let Some(tally) = tally {
        return format!("{} targeted → {} {sent_word}", count(tally.targeted), count(tally.sent));
    }
    match (step.rows_in, step.rows_out, &step.note) {
        (Some(rows_in), _, Some(note)) if step.kind == "split" => format!("{} → {note}", count(rows_in)),
        (Some(rows_in), Some(rows_out), Some(note)) if step.is_data() => data_summary(step, rows_in, rows_out, note),
        (Some(rows_in), Some(rows_out), note) => {
            let what = note.as_deref().unwrap_or("rows");
            format!("{} {what} → {}", count(rows_in), count(rows_out))
        }
        (_, _, Some(note)) if step.kind.starts_with("wait") => match note.parse::<Timestamp>() {
            Ok(until) => format!("until {}", moment(until, zone)),
            Err(_) => note.clone(),
        },
        (_, _, Some(note)) if step.kind == "let" => format!("= {note}"),
        (_, _, Some(note)) if step.kind == "if" => match note.strip_prefix("arm ") {
            Some("1") => "it holds".to_owned(),
            Some(arm) => format!("condition {arm} holds"),
            None => note.clone(),
        },
        (_, _, Some(note)) => note.clone(),
        _ => String::new(),
    }
}

/// `1,024 rows → out/vip.csv`, `2,000 rows → 13`, `only 12 good customers · 1 of 1 told`
fn data_summary(step: &StepRecord, rows_in: u64, rows_out: u64, note: &str) -> String {
    let rows = |rows: u64| plural(rows, "row");
    match step.kind.as_str() {
        "alert" => format!("{note} · {} of {} told", count(rows_out), count(rows_in)),
        "export" if rows_in == rows_out => format!("{} → {note}", rows(rows_in)),
        "export" => format!("{} → {} in {note}", rows(rows_in), count(rows_out)),
        // The title names what is written to.
        _ => match note.split_once(" · ") {
            Some((_, more)) => format!("{} → {} · {more}", rows(rows_in), count(rows_out)),
            None => format!("{} → {}", rows(rows_in), count(rows_out)),
        },
    }
}

/// `61 no address · 9 invalid address · 3 failed`; `None` when every row was sent.
pub fn exclusions(tally: &Tally) -> Option<String> {
    let mut parts: Vec<String> =
        tally.excluded.iter().map(|(reason, rows)| format!("{} {}", count(*rows), words(reason.word()))).collect();
    let others =
        [(tally.failed, "failed"), (tally.unknown, "unknown"), (tally.due, "still due"), (tally.late, "sent late")];
    for (rows, word) in others {
        if rows > 0 {
            parts.push(format!("{} {word}", count(rows)));
        }
    }
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// What a population lost, when more than one clause took rows or lines could not be read.
pub fn dropped(step: &StepRecord) -> Option<String> {
    /// Always said: rows that could not be read or written, and rows that several populations have.
    const ALWAYS: &[&str] = &[
        "rejected",
        "repeated",
        "vanished",
        "key_exists",
        "constraint",
        "no_topic",
        "no_person",
        "failed",
        "unknown",
        "duplicate",
    ];
    /// What happened to them, not the clause that did it.
    const HAPPENED: &[&str] = &["merged", "unmatched", "taken_before"];
    // One clause needs no word.
    if step.dropped.len() < 2 && !step.dropped.keys().any(|reason| ALWAYS.contains(&reason.as_str())) {
        return None;
    }
    let part = |(reason, rows): (&String, &u64)| match reason.as_str() {
        "duplicate" => format!("{} in more than one", count(*rows)),
        reason if ALWAYS.contains(&reason) || HAPPENED.contains(&reason) => {
            format!("{} {}", count(*rows), words(reason))
        }
        reason => format!("{} by {}", count(*rows), words(reason)),
    };
    Some(step.dropped.iter().map(part).collect::<Vec<_>>().join(" · "))
}

/// `no_address` as `no address`.
fn words(reason: &str) -> String {
    reason.replace('_', " ")
}

/// `1,204 = 1,131 sent + 73 excluded`, with every part that is not zero.
pub fn balance(tally: &Tally) -> String {
    let parts = [
        (tally.sent, "sent"),
        (tally.excluded_total(), "excluded"),
        (tally.failed, "failed"),
        (tally.unknown, "unknown"),
        (tally.due, "due"),
    ];
    let shown: Vec<String> = parts
        .iter()
        .enumerate()
        .filter(|(at, (rows, _))| *rows > 0 || *at == 0)
        .map(|(_, (rows, word))| format!("{} {word}", count(*rows)))
        .collect();
    format!("{} = {}", count(tally.targeted), shown.join(" + "))
}

/// The earliest instant a run waits for.
pub fn waiting_until(record: &RunRecord) -> Option<Timestamp> {
    let until = |token: &crate::runtime::machine::Token| match token.phase {
        Phase::Waiting { until } => Some(until),
        Phase::Ready | Phase::Blocked | Phase::Inside => None,
    };
    record.state.tokens.values().filter_map(until).min()
}

/// A run as JSON.
#[derive(Serialize, Debug)]
pub struct RunJson<'r> {
    run: &'r str,
    campaign: &'r str,
    file: &'r str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'r str>,
    simulated: bool,
    started: Timestamp,
    updated: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_until: Option<Timestamp>,
    steps: Vec<StepJson<'r>>,
    sends: Vec<SendJson<'r>>,
}

#[derive(Serialize, Debug)]
struct StepJson<'r> {
    path: &'r str,
    #[serde(skip_serializing_if = "str::is_empty")]
    branch: &'r str,
    kind: &'r str,
    name: &'r str,
    rows_in: Option<u64>,
    rows_out: Option<u64>,
    dropped: &'r BTreeMap<String, u64>,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'r str>,
}

impl<'r> StepJson<'r> {
    fn new(step: &'r StepRecord) -> Self {
        Self {
            path: &step.step,
            branch: &step.token,
            kind: &step.kind,
            name: &step.name,
            rows_in: step.rows_in,
            rows_out: step.rows_out,
            dropped: &step.dropped,
            at: step.at,
            note: step.note.as_deref(),
        }
    }
}

#[derive(Serialize, Debug)]
struct SendJson<'r> {
    path: &'r str,
    channel: &'r str,
    message: Option<&'r str>,
    targeted: u64,
    sent: u64,
    failed: u64,
    unknown: u64,
    due: u64,
    /// Of those sent, after the moment that was meant for them.
    late: u64,
    excluded: BTreeMap<&'static str, u64>,
}

impl<'r> SendJson<'r> {
    fn new(send: &'r SendRecord, tally: &Tally) -> Self {
        Self {
            path: &send.step,
            channel: &send.channel,
            message: send.message.as_deref(),
            targeted: tally.targeted,
            sent: tally.sent,
            failed: tally.failed,
            unknown: tally.unknown,
            due: tally.due,
            late: tally.late,
            excluded: tally.excluded.iter().map(|(reason, rows)| (reason.word(), *rows)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::store::Reason;

    #[test]
    fn a_balance_names_every_part_that_counts() {
        let mut tally = Tally { targeted: 1204, sent: 1131, ..Tally::default() };
        tally.excluded = BTreeMap::from([(Reason::NoAddress, 61), (Reason::NoConsent, 12)]);
        assert_eq!(balance(&tally), "1,204 = 1,131 sent + 73 excluded");
        assert_eq!(exclusions(&tally).as_deref(), Some("61 no address · 12 no consent"));
        let nobody = Tally::default();
        assert_eq!(balance(&nobody), "0 = 0 sent");
        assert_eq!(exclusions(&nobody), None);
    }
}
