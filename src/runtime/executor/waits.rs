//! Waiting: for moments, conditions, signals and people.

use jiff::civil::{Time, Weekday};
use jiff::{SignedDuration, Timestamp};

use super::Executor;
use super::steps::instance;
use crate::base::civil;
use crate::hir::{Expr, LocalId, SignalId, Until, Value};
use crate::plan::{HumanKind, Step};
use crate::runtime::error::RunError;
use crate::runtime::machine::Outcome;
use crate::runtime::observe::Progress;
use crate::runtime::store::{Change, StepRecord, TaskRecord};

type StepOutcome = (Outcome, Option<StepRecord>);

/// A condition is looked at again after this long, and whenever something arrives from outside. On a virtual clock an
/// hour is short enough, because it costs no time but work.
pub(super) const LOOK_AGAIN: (SignedDuration, SignedDuration) =
    (SignedDuration::from_secs(30), SignedDuration::from_hours(1));

impl Executor<'_> {
    /// `wait until ...`
    pub(super) async fn wait_until(
        &self,
        token: &str,
        step: &Step,
        until: &Until,
        within: Option<&Expr>,
    ) -> Result<StepOutcome, RunError> {
        let now = self.around.clock.now();
        let moment = match until {
            Until::Moment(expr) => self.moment(&self.value(expr).await?, now),
            Until::Weekday { day, at } => {
                let at = match at {
                    Some(at) => self.value(at).await?,
                    None => Value::Time(Time::midnight()),
                };
                self.next_weekday(*day, &at, now)
            }
            Until::Condition(condition) => return self.wait_for_condition(token, step, condition, within, now).await,
        };
        let moment = moment.unwrap_or(now);
        if moment < now {
            let text = format!("`{}`: that moment has passed, so nothing is waited for", step.title);
            self.around.observer.on(Progress::Warning { text: &text });
        }
        Ok((Outcome::Until(moment), Some(self.record(token, step, Some(moment.to_string())))))
    }

    /// The instant of a date, a time of day or a timestamp. A time of day is its next occurrence.
    fn moment(&self, value: &Value, now: Timestamp) -> Option<Timestamp> {
        let zone = self.around.zone;
        match value {
            Value::Timestamp(at) => Some(*at),
            Value::Date(date) => civil::instant(date.to_datetime(Time::midnight()), zone),
            Value::Time(time) => civil::next_at(*time, now.checked_add(SignedDuration::from_nanos(1)).ok()?, zone),
            _ => None,
        }
    }

    /// The next time it is that day and time.
    fn next_weekday(&self, day: Weekday, at: &Value, now: Timestamp) -> Option<Timestamp> {
        let Value::Time(time) = at else { return None };
        let zone = self.around.zone;
        let mut date = zone.to_datetime(now).date();
        for _ in 0..=7 {
            if date.weekday() == day {
                let moment = civil::instant(date.to_datetime(*time), zone)?;
                if moment > now {
                    return Some(moment);
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    async fn wait_for_condition(
        &self,
        token: &str,
        step: &Step,
        condition: &Expr,
        within: Option<&Expr>,
        now: Timestamp,
    ) -> Result<StepOutcome, RunError> {
        if self.value(condition).await? == Value::Bool(true) {
            return Ok((Outcome::Noted, Some(self.record(token, step, Some("it holds".into())))));
        }
        let deadline = self.deadline(token, within, now).await?;
        match deadline {
            Some(deadline) if deadline <= now || self.around.clock.stands() => {
                Ok((Outcome::GivenUp, Some(self.record(token, step, Some("the time ran out".into())))))
            }
            _ => {
                let pause = if self.around.clock.is_virtual() { LOOK_AGAIN.1 } else { LOOK_AGAIN.0 };
                let look = now.checked_add(pause).unwrap_or(now);
                let at = Some(deadline.map_or(look, |deadline| deadline.min(look)));
                Ok((Outcome::Again { at, deadline }, None))
            }
        }
    }

    /// When a wait gives up: as remembered from its first look, else from now.
    async fn deadline(
        &self,
        token: &str,
        within: Option<&Expr>,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, RunError> {
        if let Some(deadline) = self.token(token)?.deadline {
            return Ok(Some(deadline));
        }
        let Some(within) = within else { return Ok(None) };
        Ok(match self.value(within).await? {
            Value::Duration(within) => within.after(now, self.around.zone),
            _ => None,
        })
    }

    /// `wait for signal NAME`: takes the oldest signal since the run began that this run has not taken.
    pub(super) async fn wait_signal(
        &self,
        token: &str,
        step: &Step,
        wanted: (SignalId, &[LocalId], Option<&Expr>),
        within: Option<&Expr>,
    ) -> Result<StepOutcome, RunError> {
        let (signal, fields, filter) = wanted;
        let declared = &self.program[signal];
        for found in self.around.store.signals(&self.run, &declared.name, self.started)? {
            let values: Vec<(u32, Value)> = fields
                .iter()
                .zip(&declared.params)
                .map(|(local, param)| (local.0, found.values.get(&param.name).cloned().unwrap_or(Value::Null)))
                .collect();
            let fits = match filter {
                Some(filter) => self.value_with(filter, &values).await? == Value::Bool(true),
                None => true,
            };
            if fits {
                let record = self.record(token, step, Some(format!("signal {}", found.id)));
                return Ok((Outcome::Signalled { signal: found.id, values }, Some(record)));
            }
        }
        let now = self.around.clock.now();
        let deadline = self.deadline(token, within, now).await?;
        Ok(self.give_up_or_again(token, step, deadline, now))
    }

    fn give_up_or_again(&self, token: &str, step: &Step, deadline: Option<Timestamp>, now: Timestamp) -> StepOutcome {
        match deadline {
            Some(deadline) if deadline <= now || self.around.clock.stands() => {
                (Outcome::GivenUp, Some(self.record(token, step, Some("the time ran out".into()))))
            }
            _ => (Outcome::Again { at: deadline, deadline }, None),
        }
    }

    /// `approve` and `task`: asks once, then waits for the answer.
    pub(super) async fn human(
        &self,
        token: &str,
        step: &Step,
        kind: HumanKind,
        (text, role): (&Expr, Option<&Expr>),
        within: Option<&Expr>,
    ) -> Result<StepOutcome, RunError> {
        let now = self.around.clock.now();
        let zone = self.around.zone;
        let deadline = self.deadline(token, within, now).await?;
        let asked = self.around.store.task(&self.run, &step.path, token)?;
        let Some(asked) = asked else {
            let role = match role {
                Some(role) => Some(self.value(role).await?.to_text(zone)),
                None => None,
            };
            let text = self.value(text).await?.to_text(zone);
            let (run, step_path, token_name) = (self.run.clone(), step.path.clone(), token.to_string());
            let task = TaskRecord {
                run,
                step: step_path,
                token: token_name,
                kind,
                text,
                role,
                at: now,
                deadline,
                answer: None,
            };
            if !self.around.effects {
                // A rehearsal cannot ask; it goes on as if the answer were yes.
                return Ok((Outcome::Noted, Some(self.record(token, step, Some("assumed to be answered yes".into())))));
            }
            self.around.store.commit(vec![Change::Task(task)]).await?;
            return Ok((Outcome::Again { at: deadline, deadline }, None));
        };
        match asked.answer {
            Some(answer) => {
                let word = match (kind, answer.yes) {
                    (HumanKind::Approve, true) => "approved",
                    (HumanKind::Approve, false) => "rejected",
                    (HumanKind::Task, true) => "done",
                    (HumanKind::Task, false) => "refused",
                };
                let record = self.record(token, step, Some(format!("{word} by {}", answer.by)));
                let outcome = if answer.yes { Outcome::Noted } else { Outcome::GivenUp };
                Ok((outcome, Some(record)))
            }
            None => Ok(self.give_up_or_again(token, step, deadline, now)),
        }
    }

    /// `emit NAME(...)`: the signal is named after the step, so performing it again changes nothing.
    pub(super) async fn emit(
        &self,
        token: &str,
        step: &Step,
        signal: SignalId,
        args: &[Expr],
    ) -> Result<StepOutcome, RunError> {
        let declared = &self.program[signal];
        let mut values = std::collections::BTreeMap::new();
        for (param, arg) in declared.params.iter().zip(args) {
            values.insert(param.name.clone(), self.value(arg).await?);
        }
        let id = format!("{}:{}", self.run, instance(token, step));
        let record = crate::runtime::store::SignalRecord {
            id,
            name: declared.name.clone(),
            values,
            at: self.around.clock.now(),
            simulated: self.simulated,
        };
        self.around.store.commit(vec![Change::Signal(record)]).await?;
        Ok((Outcome::Noted, Some(self.record(token, step, None))))
    }
}
