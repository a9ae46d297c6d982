//! Starts: by schedules, by signals, from the queue. Each is decided in one transaction with the run that comes of it,
//! so that a crash neither loses one nor makes it twice.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::register::Known;
use super::{Conductor, Day, Happening};
use crate::hir::{Overlap, Value};
use crate::runtime::engine::{Pacing, new_run};
use crate::runtime::error::RunError;
use crate::runtime::inbox::NewRun;
use crate::runtime::store::{AgendaChange, CampaignRecord, Cause, Change, QueuedStart, SignalRecord};

/// What becomes of a start.
enum Decision {
    Start,
    Skip {
        /// The run that is still going.
        run: String,
    },
    Queue,
}

impl Conductor<'_> {
    /// The zone of schedules that name none.
    pub(super) fn zone(&self) -> &TimeZone {
        &self.engine.options().zone
    }

    /// Starts what is due. Starts that passed while nobody looked are one.
    pub(super) fn start_by_schedules(&self, day: &mut Day) -> Result<(), RunError> {
        let now = self.clock.now();
        let Day { known, queue, .. } = day;
        for known in known {
            let Some(expected) = known.record.next.filter(|next| *next <= now) else { continue };
            let Some(schedule) = &known.plan.campaign().schedule else { continue };
            let (later, last) = schedule.fires_between(expected, now, self.zone());
            let cause = Cause::Schedule(last.unwrap_or(expected));
            let next = schedule.next_after(now, self.zone());
            let CampaignRecord { file, campaign, .. } = &known.record;
            let fired = |skipped| {
                let (file, campaign) = (file.clone(), campaign.clone());
                AgendaChange::Fired { file, campaign, expected, considered: now, next, skipped }
            };
            *queue |= self.start(known, BTreeMap::new(), &cause, later, fired)?;
            (known.record.considered, known.record.next) = (now, next);
        }
        Ok(())
    }

    /// Starts campaigns by the signals that arrived, each once.
    pub(super) fn start_by_signals(&self, day: &mut Day) -> Result<(), RunError> {
        loop {
            let arrivals = self.store.arrivals(self.store.heard()?)?;
            let Some((last, _)) = arrivals.last() else { return Ok(()) };
            let last = *last;
            let mut heard = None;
            for (arrival, signal) in &arrivals {
                if day.known.iter().any(|known| known.record.is_started_by(*arrival, signal)) {
                    self.start_by_signal(*arrival, signal, day)?;
                    heard = Some(*arrival);
                }
            }
            if heard != Some(last) {
                let change = Change::Agenda(AgendaChange::Heard { arrival: last });
                self.engine.block_on(self.store.commit(vec![change]))?;
            }
        }
    }

    /// All campaigns that one signal starts, in one transaction.
    fn start_by_signal(&self, arrival: i64, signal: &SignalRecord, day: &mut Day) -> Result<(), RunError> {
        let cause = Cause::Signal(signal.id.clone());
        let mut changes = vec![Change::Agenda(AgendaChange::Heard { arrival })];
        let mut told = Vec::new();
        for known in day.known.iter().filter(|known| known.record.is_started_by(arrival, signal)) {
            let made = self.decide(known, signal.values.clone(), &cause, &mut changes)?;
            if let Made::Skipped { .. } = &made {
                let (file, campaign) = (known.record.file.clone(), known.record.campaign.clone());
                changes.push(Change::Agenda(AgendaChange::Skipped { file, campaign }));
            }
            day.queue |= matches!(made, Made::Queued);
            told.push((known.record.campaign.clone(), made));
        }
        self.engine.block_on(self.store.commit(changes))?;
        told.iter().for_each(|(campaign, made)| self.tell(campaign, &cause, 0, made));
        Ok(())
    }

    /// Decides one start of a schedule and commits what comes of it. True when it waits for its turn.
    fn start(
        &self,
        known: &Known,
        values: BTreeMap<String, Value>,
        cause: &Cause,
        missed: u64,
        fired: impl Fn(bool) -> AgendaChange,
    ) -> Result<bool, RunError> {
        let mut changes = Vec::new();
        let made = self.decide(known, values, cause, &mut changes)?;
        changes.insert(0, Change::Agenda(fired(matches!(made, Made::Skipped { .. }))));
        self.engine.block_on(self.store.commit(changes))?;
        self.tell(&known.record.campaign, cause, missed, &made);
        Ok(matches!(made, Made::Queued))
    }

    /// What becomes of a start, with the changes that make it so.
    fn decide(
        &self,
        known: &Known,
        values: BTreeMap<String, Value>,
        cause: &Cause,
        changes: &mut Vec<Change>,
    ) -> Result<Made, RunError> {
        let file = &known.record.file;
        let now = self.clock.now();
        let new = match new_run(self.store, &known.plan, file, &values, Pacing::Real, now) {
            Ok(new) => NewRun { cause: cause.clone(), ..new },
            Err(error @ RunError::Store(_)) => return Err(error),
            Err(error) => return Ok(Made::Impossible(error)),
        };
        Ok(match self.overlap(known, new.key.as_deref())? {
            Decision::Start => {
                let run = new.run.clone();
                changes.extend(new.changes());
                Made::Started { run }
            }
            Decision::Skip { run } => Made::Skipped { run },
            Decision::Queue => {
                let (file, campaign) = (file.clone(), known.record.campaign.clone());
                let queued = QueuedStart { id: 0, file, campaign, key: new.key, values, cause: cause.clone(), at: now };
                changes.push(Change::Agenda(AgendaChange::Queued(queued)));
                Made::Queued
            }
        })
    }

    /// What the campaign says about a start while an earlier run is still going.
    fn overlap(&self, known: &Known, key: Option<&str>) -> Result<Decision, RunError> {
        let (file, campaign) = (&known.record.file, &known.record.campaign);
        let overlap = &known.plan.campaign().overlap;
        let key = match overlap {
            Overlap::Allow { by: None } => return Ok(Decision::Start),
            Overlap::Queue { by: Some(_) } | Overlap::Allow { by: Some(_) } => key,
            Overlap::Queue { by: None } | Overlap::Skip => None,
        };
        let open = self.store.open_run_of(file, campaign, key)?;
        if !matches!(overlap, Overlap::Queue { .. }) {
            return Ok(open.map_or(Decision::Start, |run| Decision::Skip { run }));
        }
        let same =
            |start: &QueuedStart| start.file == *file && start.campaign == *campaign && start.key.as_deref() == key;
        let waits = open.is_some() || self.store.queued()?.iter().any(same);
        Ok(if waits { Decision::Queue } else { Decision::Start })
    }

    /// Starts those that wait and whose turn has come.
    pub(super) fn start_queued(&self, day: &mut Day) -> Result<(), RunError> {
        if !day.queue {
            return Ok(());
        }
        let queued = self.store.queued()?;
        day.queue = !queued.is_empty();
        let mut passed: Vec<(&str, &str, Option<&str>)> = Vec::new();
        for start in &queued {
            let turn = (start.file.as_str(), start.campaign.as_str(), start.key.as_deref());
            // Only the first of those that wait for the same runs.
            if passed.contains(&turn) || self.store.open_run_of(turn.0, turn.1, turn.2)?.is_some() {
                passed.push(turn);
                continue;
            }
            passed.push(turn);
            self.start_from_queue(start, day)?;
        }
        Ok(())
    }

    fn start_from_queue(&self, start: &QueuedStart, day: &Day) -> Result<(), RunError> {
        let known =
            day.known.iter().find(|known| known.record.file == start.file && known.record.campaign == start.campaign);
        let mut changes = vec![Change::Agenda(AgendaChange::Unqueued { id: start.id })];
        let made = match known {
            None => Made::Impossible(RunError::Parameter("the script no longer declares the campaign".into())),
            Some(known) => {
                let now = self.clock.now();
                match new_run(self.store, &known.plan, &start.file, &start.values, Pacing::Real, now) {
                    Ok(new) => {
                        let run = new.run.clone();
                        changes.extend(NewRun { cause: start.cause.clone(), ..new }.changes());
                        Made::Started { run }
                    }
                    Err(error @ RunError::Store(_)) => return Err(error),
                    Err(error) => Made::Impossible(error),
                }
            }
        };
        self.engine.block_on(self.store.commit(changes))?;
        self.tell(&start.campaign, &start.cause, 0, &made);
        Ok(())
    }

    fn tell(&self, campaign: &str, cause: &Cause, missed: u64, made: &Made) {
        self.host.on(match made {
            Made::Started { run } => Happening::Started { run, cause, missed },
            Made::Skipped { run } => Happening::Skipped { campaign, cause, run },
            Made::Queued => Happening::Queued { campaign, cause },
            Made::Impossible(error) => Happening::NotStarted { campaign, cause, error },
        });
    }
}

/// What became of a start.
enum Made {
    Started { run: String },
    Skipped { run: String },
    Queued,
    Impossible(RunError),
}
