//! One message per row.
//!
//! ```text
//! frozen population -> address, profile, consent -> reasons -> render -> intents (commit) -> dispatch -> outcomes (commit)
//! ```
//!
//! Each row is decided once. An intent is durable before any byte of its message leaves, an outcome is recorded after;
//! one commit carries the outcomes of finished batches and the intents of the next. Performing a send again after a
//! crash starts from what the ledger says of each row, so nothing is lost and nothing is sent twice on purpose.

mod cancel;
mod contacts;
mod decide;
mod doubts;
mod judge;
mod ledger;
mod marker;
mod policy;
mod rows;
mod step;

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::array::{AsArray, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::physical_plan::SendableRecordBatchStream;
use futures::StreamExt;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use contacts::Contacts;
use decide::{Before, Decided, Decider, Decision, Present, ToSend};
pub(in crate::runtime) use doubts::resolve_doubts;
use ledger::Rows;
use marker::MarkerFile;
pub(in crate::runtime) use rows::ROW;
pub(super) use rows::numbered_query;

use super::pace::Pace;
use crate::diag::{Problem, codes};
use crate::plan::query::QueryError;
use crate::runtime::audiences::Remembered;
use crate::runtime::channels::{Channel, Dispatch, Outcome, OutgoingMessage, SendKey};
use crate::runtime::clock::Clock;
use crate::runtime::error::RunError;
use crate::runtime::machine::Doubt;
use crate::runtime::store::{Change, Contact, Exclusion, Intent, OutcomeKind, OutcomeRow, RowState, Store};

/// Batches that may be on their way at once: one is dispatched while the next is decided and committed.
const IN_FLIGHT: usize = 3;
/// After so many batches of which nothing started a pass ends: the channel is down.
const DEAD_BATCHES: u32 = 3;
/// Passes over the rows that brought nothing forward before the channel is given up for now.
const FRUITLESS_PASSES: u32 = 3;
/// A channel is left alone for so long within a send; a longer pause is a wait of the run.
const SHORT_PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// A send that may go on only after longer than this is left and taken up again.
const LONGEST_SLOT: SignedDuration = SignedDuration::from_mins(10);
/// While one waits for the next slot, word from outside is looked for this often.
const SLOT_PAUSE: SignedDuration = SignedDuration::from_millis(250);
/// So many outcomes must be known before a send's `require` is looked at, and looked at again.
const REQUIRED_AFTER: u64 = 1000;

/// Looks whether what a send requires holds.
type Requirement<'e> = dyn Fn() -> BoxFuture<'e, Result<bool, RunError>> + Send + Sync + 'e;
/// The rows of a send, being opened.
type OpenRows<'o> = BoxFuture<'o, Result<SendableRecordBatchStream, QueryError>>;

/// A send that is being performed.
struct Sender<'e> {
    pub store: &'e dyn Store,
    pub clock: &'e dyn Clock,
    pub channel: Arc<dyn Channel>,
    pub channel_name: String,
    pub resend_unknown: bool,
    pub decider: Arc<Decider>,
    /// The send's number in the ledger.
    pub send: i64,
    pub marks: PathBuf,
    pub pace: &'e Pace,
    /// What was sent may have been sent before, after the backup that the run comes from.
    pub doubt: Option<Doubt>,
    /// The send's own limit.
    pub own_pace: Pace,
    /// Held by whoever decides under a cap.
    pub gate: &'e Mutex<()>,
    /// Our own state, then the one that a rehearsal looks at.
    pub remembered: Vec<Remembered<'e>>,
    /// What the send requires, if anything: nothing more is sent once it gives false.
    pub require: Option<&'e Requirement<'e>>,
    /// Asked between batches: true to stop making new intents.
    pub cancelled: &'e (dyn Fn() -> bool + Send + Sync),
    /// Hears how many rows are settled.
    pub progress: &'e (dyn Fn(u64) + Send + Sync),
}

/// How performing a send ended.
enum SendEnd {
    /// Every row is settled.
    Settled,
    /// Deferred rows are to be tried again at this instant.
    Deferred(Timestamp),
    /// Asked to stop; the rest is still due.
    Cancelled,
    /// What the send requires does not hold any more; the rest is still due.
    Unfit,
}

/// What happened to a message that is back from the channel.
struct Returned {
    messages: Vec<(u64, u32, SendKey)>,
    outcomes: Vec<(SendKey, Outcome)>,
}

impl Sender<'_> {
    /// Performs passes over the population until every row is settled, deferred, or we are asked to stop.
    /// `open` gives the rows from a number on, in order, evaluated at this instant.
    pub async fn run<'o>(&self, open: &(dyn Fn(u64) -> OpenRows<'o> + Send + Sync)) -> Result<SendEnd, RunError> {
        let capabilities = self.channel.capabilities();
        let resend = self.resend_unknown || self.doubt.is_some_and(|doubt| doubt.resend);
        let now = self.clock.now();
        let (mut rows, resolved) = Rows::load(self.store, self.send, &self.marks, &capabilities, resend, now)?;
        if !resolved.is_empty() {
            self.store.commit(vec![Change::Outcomes(self.send, resolved)]).await?;
        }
        let marker =
            Arc::new(MarkerFile::open(&self.marks).map_err(|error| super::freeze::file_error(&self.marks, &error))?);
        if self.own_pace.is_limited()
            && let Some(last) = self.store.last_intent(self.send)?
        {
            self.own_pace.after(last).await;
        }
        if self.decider.rules.unique_address {
            self.store.rows(self.send, &mut |record| {
                if let RowState::Intended(intent) | RowState::Ended(intent, _) = record.state {
                    rows.addresses.insert(self.decider.address_hash(&intent.address));
                }
            })?;
        }
        let mut fruitless = 0;
        loop {
            if rows.settled() >= REQUIRED_AFTER && !self.holds().await? {
                return Ok(SendEnd::Unfit);
            }
            let before = rows.settled();
            rows.begin_pass();
            let stream = open(rows.first_unsettled()).await?;
            let Passed { last_reason, fit, moved } = self.pass(stream, &mut rows, marker.clone()).await?;
            if (self.cancelled)() {
                return Ok(SendEnd::Cancelled);
            }
            if !fit || (rows.waiting().is_none() && !self.holds().await?) {
                return Ok(SendEnd::Unfit);
            }
            let Some(next) = rows.waiting() else { return Ok(SendEnd::Settled) };
            let now = self.clock.now();
            // Whatever is due, nothing leaves before the channel's pause is over.
            let held = self.pace.held_until(now);
            if held.is_some_and(|until| until.duration_since(now) <= SHORT_PAUSE) {
                self.rest().await;
                continue;
            }
            let next = held.map_or(next, |until| next.max(until));
            if next > now {
                return Ok(SendEnd::Deferred(self.wake(next)));
            }
            fruitless = if rows.settled() == before && !moved { fruitless + 1 } else { 0 };
            if fruitless >= FRUITLESS_PASSES {
                let reason = last_reason.unwrap_or_else(|| "it takes no messages".into());
                let help = "nothing is lost; mend the channel and go on with `orch resume`";
                let error = crate::runtime::channels::ChannelError::new(reason, help);
                return Err(RunError::Channel { channel: self.channel_name.clone(), error });
            }
        }
    }

    /// Leaves a channel alone that asked for it; ends early when we are asked to stop.
    async fn rest(&self) {
        while !(self.cancelled)()
            && let Some(until) = self.pace.held_until(self.clock.now())
        {
            let left = until.duration_since(self.clock.now());
            self.clock.pause(left.clamp(SignedDuration::ZERO, SLOT_PAUSE)).await;
        }
    }

    /// When to look again for rows of which the earliest is due at `next`: with those that are due soon after it. On a
    /// virtual clock that is a minute, because each look costs work and no time.
    fn wake(&self, next: Timestamp) -> Timestamp {
        let unit = if self.clock.is_virtual() { jiff::Unit::Minute } else { jiff::Unit::Second };
        next.round(jiff::TimestampRound::new().smallest(unit).mode(jiff::RoundMode::Ceil)).unwrap_or(next)
    }

    /// One pass: decides due rows, dispatches them, records what became of them.
    async fn pass(
        &self,
        stream: SendableRecordBatchStream,
        rows: &mut Rows,
        marker: Arc<MarkerFile>,
    ) -> Result<Passed, RunError> {
        let mut flight = Flight {
            marker,
            tasks: JoinSet::new(),
            pending: Vec::new(),
            last_reason: None,
            dead: 0,
            moved: false,
            fit: true,
            fit_at: rows.settled(),
        };
        // Not more at once than a second's worth, or a rate would be bursts.
        let batch = self.channel.capabilities().batch;
        let batch = if self.require.is_some() { batch.min(REQUIRED_AFTER as usize / 2) } else { batch };
        let size = batch.min(self.pace.per_second()).min(self.own_pace.per_second()).max(1);
        let mut chunks = Chunks { stream, current: None, size, last: None };
        let mut failure = None;
        while !(self.cancelled)() && flight.dead < DEAD_BATCHES {
            match self.next_batch(&mut chunks, &mut flight, rows).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        // Whatever went wrong: what is in the air is awaited, and what is known of it is kept.
        while !flight.tasks.is_empty() {
            if let Err(error) = self.land(&mut flight, rows).await {
                failure.get_or_insert(error);
            }
        }
        if !flight.pending.is_empty() && !matches!(failure, Some(RunError::Store(_))) {
            let outcomes = Change::Outcomes(self.send, std::mem::take(&mut flight.pending));
            self.store.commit(vec![outcomes, Change::Progress(self.send, rows.below())]).await?;
        }
        (self.progress)(rows.settled());
        match failure {
            Some(error) => Err(error),
            None => Ok(Passed { last_reason: flight.last_reason, fit: flight.fit, moved: flight.moved }),
        }
    }

    async fn holds(&self) -> Result<bool, RunError> {
        match self.require {
            Some(require) => require().await,
            None => Ok(true),
        }
    }

    /// Looks again whether what the send requires holds, with every outcome that is known.
    async fn check_fitness(&self, flight: &mut Flight, rows: &Rows) -> Result<(), RunError> {
        if self.require.is_none() || rows.settled() < flight.fit_at + REQUIRED_AFTER {
            return Ok(());
        }
        flight.fit_at = rows.settled();
        self.store.commit(vec![Change::Outcomes(self.send, std::mem::take(&mut flight.pending))]).await?;
        flight.fit = self.holds().await?;
        Ok(())
    }

    /// Decides and hands over one more batch; false when there are no more rows, or none may leave now.
    async fn next_batch(&self, chunks: &mut Chunks, flight: &mut Flight, rows: &mut Rows) -> Result<bool, RunError> {
        let Some(chunk) = chunks.next(rows, self.clock.now()).await? else { return Ok(false) };
        while flight.tasks.len() >= IN_FLIGHT {
            self.land(flight, rows).await?;
        }
        // Asked for a pause by this batch or by another send: the rest is decided after it.
        if let Some(until) = self.pace.held_until(self.clock.now()) {
            rows.hold(until);
            flight.moved = true;
            return Ok(false);
        }
        self.check_fitness(flight, rows).await?;
        if !flight.fit || !self.wait_for_slot(rows).await {
            return Ok(false);
        }
        self.launch(&chunk, flight, rows).await?;
        Ok(true)
    }

    /// Waits for the send's next slot. False when it is far away, which the rows are then told, or when we are asked
    /// to stop.
    async fn wait_for_slot(&self, rows: &mut Rows) -> bool {
        if self.clock.stands() {
            return true;
        }
        loop {
            let now = self.clock.now();
            let slot = self.own_pace.next(now).await;
            let left = slot.duration_since(now);
            if left <= SignedDuration::ZERO {
                return true;
            }
            if left > LONGEST_SLOT {
                rows.hold(slot);
                return false;
            }
            if (self.cancelled)() {
                return false;
            }
            self.clock.pause(if self.clock.is_virtual() { left } else { left.min(SLOT_PAUSE) }).await;
        }
    }

    /// Decides a chunk, commits its exclusions and intents with the outcomes that have gathered, then hands its
    /// messages over.
    async fn launch(&self, chunk: &Chunk, flight: &mut Flight, rows: &mut Rows) -> Result<(), RunError> {
        let gate = if self.decider.rules.caps.is_empty() { None } else { Some(self.gate.lock().await) };
        let now = self.clock.now();
        let decided = self.decide(chunk, rows, now)?;
        let mut changes = Vec::new();
        let (mut exclusions, mut intents, mut batch, mut messages) = (vec![], vec![], vec![], vec![]);
        let (mut contacts, mut late) = (vec![], vec![]);
        let judged = self.judged(&decided).await;
        for decided in decided {
            let Decided { row, entity, decision } = decided;
            match decision {
                Decision::Excluded { reason, .. } if rows.is_in_doubt(row) => {
                    // It was decided before, and may have left: to exclude it now could be untrue.
                    let reason = format!("it may have left before the process ended; now {}", reason.word());
                    let (first, (attempt, _)) = (rows.first_intended(row).unwrap_or(now), rows.attempt(row));
                    let outcome = outcome_row(row, attempt, Outcome::Unknown { reason }, first, now);
                    rows.record(&outcome, first);
                    flight.pending.push(outcome);
                }
                Decision::Excluded { reason, detail } => {
                    rows.settle(row);
                    exclusions.push(Exclusion { row, entity, reason, detail, at: now });
                }
                Decision::Held(until) => rows.hold(until),
                Decision::Message(to_send) => {
                    let ToSend { message, person, late: is_late } = *to_send;
                    let (attempt, fresh) = rows.attempt(row);
                    if fresh {
                        let (key, address) = (message.key.0, message.address.clone());
                        intents.push(Intent { row, attempt, key, entity, address, at: now });
                        contacts.extend(person.map(|person| Contact { row, attempt, person, at: now }));
                        late.extend(is_late.then_some(row));
                    }
                    if let Some(outcome) = judged.outcome(message.key) {
                        let first = rows.first_intended(row).unwrap_or(now);
                        let outcome = outcome_row(row, attempt, outcome, first, now);
                        rows.record(&outcome, first);
                        flight.pending.push(outcome);
                        continue;
                    }
                    messages.push((row, attempt, message.key));
                    batch.push(message);
                }
            }
        }
        changes.push(Change::Outcomes(self.send, std::mem::take(&mut flight.pending)));
        changes.push(Change::Exclusions(self.send, exclusions));
        changes.push(Change::Intents(self.send, intents));
        changes.push(Change::Contacts(self.send, contacts));
        changes.push(Change::Late(self.send, late));
        changes.push(Change::Progress(self.send, rows.below()));
        self.store.commit(changes).await?;
        drop(gate);
        self.own_pace.take(batch.len(), self.clock).await;
        self.pace.take(batch.len(), self.clock).await;
        (self.progress)(rows.settled());
        if !batch.is_empty() {
            let channel = self.channel.clone();
            let marker = flight.marker.clone();
            flight.tasks.spawn(dispatch(channel, marker, batch, messages));
        }
        Ok(())
    }

    fn decide(&self, chunk: &Chunk, rows: &mut Rows, now: Timestamp) -> Result<Vec<Decided>, RunError> {
        let mut addresses = std::mem::take(&mut rows.addresses);
        let before = |row| {
            if rows.is_in_doubt(row) {
                Before::InDoubt
            } else if rows.first_intended(row).is_some() {
                Before::Retried
            } else {
                Before::New
            }
        };
        let decided = self.decider.batch(
            &chunk.batch,
            &chunk.at,
            &mut Present {
                now,
                stands: self.clock.stands(),
                before: &before,
                contacts: Contacts::new(&self.remembered, &self.decider.run, &self.channel_name),
                addresses: &mut addresses,
            },
        );
        rows.addresses = addresses;
        Ok(decided?)
    }

    /// Takes one batch back and notes its outcomes for the next commit.
    async fn land(&self, flight: &mut Flight, rows: &mut Rows) -> Result<(), RunError> {
        let Some(returned) = flight.tasks.join_next().await else { return Ok(()) };
        let returned = returned.map_err(|error| {
            let error = crate::runtime::channels::ChannelError::new(
                format!("its driver stopped in the middle of a batch: {error}"),
                "this is a defect of the driver; `orch resume` goes on",
            );
            RunError::Channel { channel: self.channel_name.clone(), error }
        })?;
        let now = self.clock.now();
        let started = returned.outcomes.iter().any(|(_, outcome)| !matches!(outcome, Outcome::NotStarted { .. }));
        flight.dead = if started { 0 } else { flight.dead + 1 };
        flight.moved |= started;
        let pause = self.pause_asked(&returned.outcomes, now);
        let mut outcomes: std::collections::HashMap<SendKey, Outcome> = returned.outcomes.into_iter().collect();
        for (row, attempt, key) in returned.messages {
            let outcome = outcomes
                .remove(&key)
                .unwrap_or_else(|| Outcome::Unknown { reason: "the driver gave no outcome".into() });
            let outcome = match outcome {
                // It is not the message that is refused: it goes out as soon as the channel takes messages again.
                Outcome::Deferred { reason, throttled: true, .. } => Outcome::Deferred {
                    reason,
                    retry_after: pause.and_then(|length| length.try_into().ok()),
                    throttled: true,
                },
                other => other,
            };
            if let Outcome::NotStarted { reason } | Outcome::Deferred { reason, .. } = &outcome {
                flight.last_reason = Some(reason.clone());
            }
            let outcome = match still_in_doubt(rows, row, outcome, now) {
                Some(outcome) => outcome,
                None => continue,
            };
            let first = rows.first_intended(row).unwrap_or(now);
            let recorded = outcome_row(row, attempt, outcome, first, now);
            rows.record(&recorded, first);
            flight.pending.push(recorded);
        }
        Ok(())
    }
}

impl Sender<'_> {
    /// How long the channel wants to be left alone after a batch, if it does.
    fn pause_asked(&self, outcomes: &[(SendKey, Outcome)], now: Timestamp) -> Option<SignedDuration> {
        let throttled = |(_, outcome): &(SendKey, Outcome)| match outcome {
            Outcome::Deferred { throttled: true, retry_after, .. } => Some(*retry_after),
            _ => None,
        };
        match outcomes.iter().filter_map(throttled).max() {
            Some(asked) => Some(self.pace.slow_down(asked.and_then(|asked| asked.try_into().ok()), now)),
            None => {
                if outcomes.iter().any(|(_, outcome)| outcome.is_final()) {
                    self.pace.recover();
                }
                None
            }
        }
    }
}

/// What to record of a message that is back; nothing while it may have arrived earlier and was only refused for now:
/// to call it deferred, or failed in the end, could be untrue.
fn still_in_doubt(rows: &mut Rows, row: u64, outcome: Outcome, now: Timestamp) -> Option<Outcome> {
    let (asked, refused, reason) = match &outcome {
        Outcome::Deferred { reason, retry_after, .. } if rows.is_in_doubt(row) => (*retry_after, true, reason),
        Outcome::NotStarted { reason } if rows.is_in_doubt(row) => (None, false, reason),
        _ => return Some(outcome),
    };
    if rows.keep_in_doubt(row, asked, refused, now) {
        return None;
    }
    Some(Outcome::Unknown { reason: format!("it may have left before the process ended; 72 hours later: {reason}") })
}

/// What a pass over the rows brought.
struct Passed {
    /// Why the last message that did not start did not.
    last_reason: Option<String>,
    /// Whether what the send requires still holds.
    fit: bool,
    /// Whether the channel said anything but that nothing left.
    moved: bool,
}

/// Batches on their way.
struct Flight {
    marker: Arc<MarkerFile>,
    tasks: JoinSet<Returned>,
    /// Outcomes that the next commit carries.
    pending: Vec<OutcomeRow>,
    last_reason: Option<String>,
    /// Batches in a row of which not one message started.
    dead: u32,
    /// Whether the channel said anything but that nothing left.
    moved: bool,
    /// Whether what the send requires held when it was last looked at, and how many rows were settled then.
    fit: bool,
    fit_at: u64,
}

/// Hands a batch to the driver and gathers its outcomes.
async fn dispatch(
    channel: Arc<dyn Channel>,
    marker: Arc<MarkerFile>,
    batch: Vec<OutgoingMessage>,
    messages: Vec<(u64, u32, SendKey)>,
) -> Returned {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    channel.send_batch(batch, Dispatch::new(marker, sender)).await;
    let mut outcomes = Vec::with_capacity(messages.len());
    while let Some(reported) = receiver.recv().await {
        outcomes.push(reported);
    }
    Returned { messages, outcomes }
}

/// Rows that are due, as many at a time as suits the driver.
struct Chunks {
    stream: SendableRecordBatchStream,
    /// What is being worked through, and how far.
    current: Option<(RecordBatch, usize)>,
    size: usize,
    /// Number of the row that came last.
    last: Option<i64>,
}

/// Places of due rows in a batch.
struct Chunk {
    batch: RecordBatch,
    at: Vec<usize>,
}

impl Chunks {
    async fn next(&mut self, rows: &Rows, now: Timestamp) -> Result<Option<Chunk>, RunError> {
        loop {
            if let Some((batch, done)) = &mut self.current {
                let numbers = numbers(batch)?;
                let (from, due) = (*done, |at: &usize| rows.is_due(numbers.value(*at) as u64, now));
                let at: Vec<usize> = (from..batch.num_rows()).filter(due).take(self.size).collect();
                if let Some(last) = at.last() {
                    *done = last + 1;
                    return Ok(Some(Chunk { batch: batch.clone(), at }));
                }
            }
            let Some(batch) = self.stream.next().await else { return Ok(None) };
            let batch: RecordBatch = batch.map_err(QueryError::from)?;
            check_numbers(&batch, &mut self.last)?;
            self.current = Some((batch, 0));
        }
    }
}

fn numbers(batch: &RecordBatch) -> Result<&Int64Array, QueryError> {
    let missing = || QueryError::Engine(format!("the column {ROW} is missing"));
    Ok(batch.column_by_name(ROW).ok_or_else(missing)?.as_primitive::<Int64Type>())
}

/// Each frozen row comes once and in order. If a row's key has meanwhile become ambiguous in its source it would come
/// twice, and somebody would be decided about twice.
pub(super) fn check_numbers(batch: &RecordBatch, last: &mut Option<i64>) -> Result<(), QueryError> {
    for row in numbers(batch)?.values() {
        if last.is_some_and(|last| *row <= last) {
            let problem = Problem::outside(codes::run::BAD_KEY, "two rows of a source have the key of one frozen row")
                .help("make the key unique in the source; the run goes on with `orch resume`");
            return Err(QueryError::Problem(Box::new(problem)));
        }
        *last = Some(*row);
    }
    Ok(())
}

/// The record of an outcome. A deferral without end becomes a failure.
fn outcome_row(row: u64, attempt: u32, outcome: Outcome, first: Timestamp, now: Timestamp) -> OutcomeRow {
    let (kind, detail, retry_at) = match outcome {
        Outcome::Sent { id } => (OutcomeKind::Sent, id.unwrap_or_default(), None),
        Outcome::Failed { code, reason } => (OutcomeKind::Failed, format!("{code} {reason}").trim().to_string(), None),
        Outcome::Unknown { reason } => (OutcomeKind::Unknown, reason, None),
        Outcome::NotStarted { reason } => (OutcomeKind::NotStarted, reason, None),
        Outcome::Deferred { reason, retry_after, .. } => match ledger::retry_at(attempt, retry_after, first, now) {
            Some(at) => (OutcomeKind::Deferred, reason, Some(at)),
            None => (OutcomeKind::Failed, format!("given up after 72 hours: {reason}"), None),
        },
    };
    OutcomeRow { row, attempt, kind, detail, retry_at, at: now }
}
