//! Loops: how many turns, when, with what.

use super::Executor;
use crate::hir::{Expr, LocalId, Value};
use crate::plan::Step;
use crate::runtime::error::RunError;
use crate::runtime::machine::Outcome;
use crate::runtime::store::StepRecord;

type StepOutcome = (Outcome, Option<StepRecord>);

impl Executor<'_> {
    /// `repeat N times every D until C`: the condition is looked at before each turn, turns begin `every` apart.
    pub(super) async fn repeat(
        &self,
        token: &str,
        step: &Step,
        times: &Expr,
        every: Option<&Expr>,
        until: Option<&Expr>,
    ) -> Result<StepOutcome, RunError> {
        let turn = self.token(token)?.turn;
        let times = match self.value(times).await? {
            Value::Int(times) => u32::try_from(times.max(0)).unwrap_or(u32::MAX),
            _ => 0,
        };
        let met = match until {
            Some(until) => self.value(until).await? == Value::Bool(true),
            None => false,
        };
        if turn >= times || met {
            let note = format!("{turn} turns");
            return Ok((Outcome::Over, Some(self.record(token, step, Some(note)))));
        }
        let next = match every {
            Some(every) if turn + 1 < times => match self.value(every).await? {
                Value::Duration(every) => every.after(self.around.clock.now(), self.around.zone),
                _ => None,
            },
            _ => None,
        };
        Ok((Outcome::Turn { bind: None, next }, None))
    }

    /// `for x in [...]`
    pub(super) async fn for_each(
        &self,
        token: &str,
        step: &Step,
        local: LocalId,
        list: &Expr,
    ) -> Result<StepOutcome, RunError> {
        let turn = self.token(token)?.turn as usize;
        let Value::List(items) = self.value(list).await? else {
            return Ok((Outcome::Over, Some(self.record(token, step, None))));
        };
        match items.get(turn) {
            Some(item) => Ok((Outcome::Turn { bind: Some((local.0, item.clone())), next: None }, None)),
            None => Ok((Outcome::Over, Some(self.record(token, step, Some(format!("{turn} turns")))))),
        }
    }
}
