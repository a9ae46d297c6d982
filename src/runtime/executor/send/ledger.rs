//! What the ledger already says of a send's rows, and how doubt is resolved after a crash.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::marker::{self, Fate, Marks};
use crate::runtime::channels::{Capabilities, Idempotency, SendKey};
use crate::runtime::store::{Intent, OutcomeKind, OutcomeRow, RowState, Store, StoreError};

/// Retries end after this many hours.
const LONGEST_RETRY_HOURS: i64 = 72;

/// A row that has been looked at before and is not settled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Pending {
    /// To be tried again under the next attempt, not before the instant.
    Retry { attempt: u32, at: Option<Timestamp>, first: Timestamp },
    /// Its intent stands and may have arrived: to be handed over again under the same attempt, not before the instant.
    /// Nothing but a final answer ends the doubt, so refusals for now are counted here and not recorded.
    Again { attempt: u32, refusals: u32, at: Option<Timestamp>, first: Timestamp },
}

impl Pending {
    fn doubtful(intent: &Intent) -> Self {
        Pending::Again { attempt: intent.attempt, refusals: 0, at: None, first: intent.at }
    }
}

/// The rows of a send that have been looked at: one bit for each settled row, more only for the few that wait.
#[derive(Default)]
pub(super) struct Rows {
    settled: Vec<u64>,
    pending: HashMap<u64, Pending>,
    /// Every row below this number has an exclusion or an outcome.
    below: u64,
    /// The earliest instant at which a row that this pass left undecided may go out.
    held: Option<Timestamp>,
    /// Hashes of the addresses that messages were meant for, where the send asks for it.
    pub addresses: HashSet<[u8; 16]>,
}

impl Rows {
    /// Reads the ledger. Intents without an outcome are in doubt: they are handed over again if the driver honours
    /// the key, settled if the marks know the answer, given back if they never left, and otherwise recorded as `unknown`. The outcomes to
    /// record come with the rows.
    pub fn load(
        store: &dyn Store,
        send: i64,
        marks: &Path,
        capabilities: &Capabilities,
        resend_unknown: bool,
        now: Timestamp,
    ) -> Result<(Self, Vec<OutcomeRow>), StoreError> {
        let mut rows = Rows::default();
        let mut doubtful = Vec::new();
        let mut excluded = Vec::new();
        let below = store.unsettled(send, &mut |record| match record.state {
            RowState::Excluded(_) => excluded.push(record.row),
            RowState::Intended(intent) => doubtful.push(intent),
            RowState::Ended(_, outcome) => rows.record(&outcome, record.first),
        })?;
        rows.settle_below(below, &doubtful);
        // An excluded row is settled, even if it was tried before.
        excluded.into_iter().for_each(|row| rows.settle(row));
        if doubtful.is_empty() {
            return Ok((rows, Vec::new()));
        }
        let marks = marker::read(marks);
        let mut resolved = Vec::new();
        for intent in doubtful {
            match resolve(&intent, &marks, capabilities, now) {
                // The owner of the campaign prefers a possible repetition to a possible loss.
                Some(outcome) if resend_unknown && outcome.kind == OutcomeKind::Unknown => {
                    rows.pending.insert(intent.row, Pending::doubtful(&intent));
                }
                Some(outcome) => {
                    rows.record(&outcome, intent.at);
                    resolved.push(outcome);
                }
                None => {
                    rows.pending.insert(intent.row, Pending::doubtful(&intent));
                }
            }
        }
        Ok((rows, resolved))
    }

    /// True when the row is to be decided now.
    pub fn is_due(&self, row: u64, now: Timestamp) -> bool {
        match self.pending.get(&row) {
            Some(Pending::Again { at, .. } | Pending::Retry { at, .. }) => at.is_none_or(|at| at <= now),
            None => self.settled.get(row as usize / 64).is_none_or(|word| word & (1 << (row % 64)) == 0),
        }
    }

    /// True when the row's intent stands without an outcome: its message may have left.
    pub fn is_in_doubt(&self, row: u64) -> bool {
        matches!(self.pending.get(&row), Some(Pending::Again { .. }))
    }

    /// The attempt under which the row goes out next, and whether its intent has yet to be written.
    pub fn attempt(&self, row: u64) -> (u32, bool) {
        match self.pending.get(&row) {
            Some(Pending::Again { attempt, .. }) => (*attempt, false),
            Some(Pending::Retry { attempt, .. }) => (attempt + 1, true),
            None => (1, true),
        }
    }

    /// When the row was first intended.
    pub fn first_intended(&self, row: u64) -> Option<Timestamp> {
        match self.pending.get(&row)? {
            Pending::Again { first, .. } | Pending::Retry { first, .. } => Some(*first),
        }
    }

    /// The row is done.
    pub fn settle(&mut self, row: u64) {
        let word = row as usize / 64;
        if self.settled.len() <= word {
            self.settled.resize(word + 1, 0);
        }
        self.settled[word] |= 1 << (row % 64);
        self.pending.remove(&row);
    }

    /// Rows below a number are done, except for those that are known to wait or to be in doubt.
    fn settle_below(&mut self, below: u64, doubtful: &[Intent]) {
        let words = below.div_ceil(64) as usize;
        if self.settled.len() < words {
            self.settled.resize(words, 0);
        }
        let whole = (below / 64) as usize;
        self.settled[..whole].fill(u64::MAX);
        if !below.is_multiple_of(64) {
            self.settled[whole] |= (1 << (below % 64)) - 1;
        }
        let waiting = self.pending.keys().copied().chain(doubtful.iter().map(|intent| intent.row));
        for row in waiting.collect::<Vec<_>>() {
            if let Some(word) = self.settled.get_mut(row as usize / 64) {
                *word &= !(1 << (row % 64));
            }
        }
        self.below = below;
    }

    /// The number below which every row is excluded or has an outcome, if these are all committed.
    pub fn below(&mut self) -> u64 {
        loop {
            let word = self.settled.get(self.below as usize / 64).copied().unwrap_or(0);
            if word == u64::MAX && self.below.is_multiple_of(64) {
                self.below += 64;
            } else if word & (1 << (self.below % 64)) != 0
                || matches!(self.pending.get(&self.below), Some(Pending::Retry { .. }))
            {
                self.below += 1;
            } else {
                return self.below;
            }
        }
    }

    /// The first row that is not settled, as far as rows are known.
    pub fn first_unsettled(&self) -> u64 {
        let word = self.settled.iter().position(|word| *word != u64::MAX).unwrap_or(self.settled.len());
        let bit = self.settled.get(word).map_or(0, |word| word.trailing_ones());
        word as u64 * 64 + u64::from(bit)
    }

    /// Notes an outcome; `first` is when the row was first intended.
    pub fn record(&mut self, outcome: &OutcomeRow, first: Timestamp) {
        if outcome.kind.is_final() {
            return self.settle(outcome.row);
        }
        let at = if outcome.kind == OutcomeKind::NotStarted { None } else { outcome.retry_at };
        self.pending.insert(outcome.row, Pending::Retry { attempt: outcome.attempt, at, first });
    }

    /// A pass over all rows begins.
    pub fn begin_pass(&mut self) {
        self.held = None;
    }

    /// A row may not go out before this instant. Nothing more is kept of it: it is judged anew.
    pub fn hold(&mut self, until: Timestamp) {
        self.held = Some(self.held.map_or(until, |held| held.min(until)));
    }

    /// The earliest instant at which a row that is not settled is due.
    pub fn waiting(&self) -> Option<Timestamp> {
        let at = |pending: &Pending| match pending {
            Pending::Retry { at, .. } | Pending::Again { at, .. } => at.unwrap_or(Timestamp::MIN),
        };
        self.pending.values().map(at).chain(self.held).min()
    }

    /// Keeps a row in doubt that was refused for now, until it is tried once more. False when it was tried for so long
    /// that it stays unknown.
    pub fn keep_in_doubt(&mut self, row: u64, asked: Option<Duration>, refused: bool, now: Timestamp) -> bool {
        let Some(Pending::Again { refusals, at, first, .. }) = self.pending.get_mut(&row) else { return false };
        if !refused {
            *at = None;
            return true;
        }
        *refusals += 1;
        *at = retry_at(*refusals, asked, *first, now);
        at.is_some()
    }

    /// How many rows are settled.
    pub fn settled(&self) -> u64 {
        self.settled.iter().map(|word| u64::from(word.count_ones())).sum()
    }
}

/// What to record about an intent in doubt; nothing when it is simply handed over again.
fn resolve(intent: &Intent, marks: &Marks, capabilities: &Capabilities, now: Timestamp) -> Option<OutcomeRow> {
    let honours_key = match capabilities.idempotency {
        Idempotency::Always => true,
        Idempotency::None => false,
        Idempotency::Key { lifetime } => now.duration_since(intent.at).unsigned_abs() < lifetime,
    };
    if honours_key {
        return None;
    }
    let (kind, detail) = match marks {
        Marks::Known(fates) => match fates.get(&SendKey(intent.key)) {
            None | Some(Fate::Back) => (OutcomeKind::NotStarted, "it had not left when the process ended"),
            Some(Fate::InTheAir) => (OutcomeKind::Unknown, "the process ended while it was handed over"),
            Some(Fate::Sent(id)) => (OutcomeKind::Sent, id.as_str()),
            Some(Fate::Failed(reason)) => (OutcomeKind::Failed, reason.as_str()),
        },
        Marks::Lost => (OutcomeKind::Unknown, "the machine was restarted while it may have been handed over"),
    };
    let detail = detail.to_string();
    Some(OutcomeRow { row: intent.row, attempt: intent.attempt, kind, detail, retry_at: None, at: now })
}

/// When to try a deferred row again: as the other side asks, else after 1, 5, 15 and then 60 minutes. `None` when it
/// has been tried for 72 hours.
pub(super) fn retry_at(attempt: u32, asked: Option<Duration>, first: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let minutes = match attempt {
        1 => 1,
        2 => 5,
        3 => 15,
        _ => 60,
    };
    let delay = asked
        .and_then(|asked| jiff::SignedDuration::try_from(asked).ok())
        .unwrap_or(jiff::SignedDuration::from_mins(minutes));
    let at = now.checked_add(delay).ok()?;
    (at.duration_since(first) <= jiff::SignedDuration::from_hours(LONGEST_RETRY_HOURS)).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn intent(key: u8) -> Intent {
        let address = "a@x.test".to_string();
        Intent { row: key.into(), attempt: 1, key: [key; 16], entity: String::new(), address, at: at(0) }
    }

    #[test]
    fn doubt_is_resolved_by_keys_marks_or_not_at_all() {
        let none = Capabilities::default();
        let always = Capabilities { idempotency: Idempotency::Always, ..none };
        let lifetime = std::time::Duration::from_secs(60);
        let keyed = Capabilities { idempotency: Idempotency::Key { lifetime }, ..none };
        let fates = [Fate::InTheAir, Fate::Sent("4F1B2".into()), Fate::Failed("550".into()), Fate::Back];
        let marks = Marks::Known((1..).map(|byte| SendKey([byte; 16])).zip(fates).collect());
        let kind = |intent: &Intent, marks: &Marks, capabilities: &Capabilities, now| {
            resolve(intent, marks, capabilities, now).map(|outcome| outcome.kind)
        };
        assert_eq!(kind(&intent(1), &marks, &always, at(9)), None);
        assert_eq!(kind(&intent(1), &marks, &none, at(9)), Some(OutcomeKind::Unknown));
        assert_eq!(kind(&intent(2), &marks, &none, at(9)), Some(OutcomeKind::Sent));
        assert_eq!(kind(&intent(3), &marks, &none, at(9)), Some(OutcomeKind::Failed));
        assert_eq!(kind(&intent(4), &marks, &none, at(9)), Some(OutcomeKind::NotStarted));
        assert_eq!(kind(&intent(9), &marks, &none, at(9)), Some(OutcomeKind::NotStarted));
        assert_eq!(kind(&intent(2), &Marks::Lost, &none, at(9)), Some(OutcomeKind::Unknown));
        assert_eq!(kind(&intent(1), &marks, &keyed, at(59)), None, "the key is still known");
        assert_eq!(kind(&intent(1), &marks, &keyed, at(61)), Some(OutcomeKind::Unknown));
    }

    #[test]
    fn retries_back_off_and_end_after_three_days() {
        assert_eq!(retry_at(1, None, at(0), at(0)), Some(at(60)));
        assert_eq!(retry_at(9, None, at(0), at(0)), Some(at(3600)));
        let asked = Some(std::time::Duration::from_secs(5));
        assert_eq!(retry_at(1, asked, at(0), at(10)), Some(at(15)));
        assert_eq!(retry_at(50, None, at(0), at(72 * 3600)), None);
    }

    #[test]
    fn rows_move_on_by_outcomes() {
        let mut rows = Rows::default();
        assert!(rows.is_due(7, at(0)));
        assert_eq!(rows.attempt(7), (1, true));
        let mut outcome = OutcomeRow {
            row: 7,
            attempt: 1,
            kind: OutcomeKind::Deferred,
            detail: String::new(),
            retry_at: Some(at(60)),
            at: at(0),
        };
        rows.record(&outcome, at(0));
        assert!(!rows.is_due(7, at(59)) && rows.is_due(7, at(60)));
        assert_eq!(rows.waiting(), Some(at(60)));
        assert_eq!(rows.attempt(7), (2, true));
        outcome.kind = OutcomeKind::Sent;
        rows.record(&outcome, at(0));
        assert!(!rows.is_due(7, at(999)));
        assert_eq!((rows.waiting(), rows.settled()), (None, 1));
    }

    #[test]
    fn rows_below_a_number_are_known_without_being_listed() {
        let mut rows = Rows::default();
        let retry = OutcomeRow {
            row: 3,
            attempt: 1,
            kind: OutcomeKind::Deferred,
            detail: String::new(),
            retry_at: Some(at(60)),
            at: at(0),
        };
        rows.record(&retry, at(0));
        rows.settle_below(130, &[intent(70)]);
        assert_eq!(rows.settled(), 128);
        assert_eq!((rows.first_unsettled(), rows.below()), (3, 130));
        assert!(
            !rows.is_due(2, at(99)) && rows.is_due(3, at(99)) && rows.is_due(70, at(99)) && rows.is_due(130, at(0))
        );
        rows.settle(130);
        rows.settle(132);
        assert_eq!(rows.below(), 131, "row 131 has not been decided");
        (3..=200).for_each(|row| rows.settle(row));
        assert_eq!((rows.first_unsettled(), rows.below()), (201, 201));
    }
}
