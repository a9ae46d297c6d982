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
        let (turn, over) = (self.token(token)?.turn, self.token(token)?.over.clone());
        let over = match over {
            Some(over) => over,
            None => vec![self.value(times).await?],
        };
        let times = match over.first() {
            Some(Value::Int(times)) => u32::try_from((*times).max(0)).unwrap_or(u32::MAX),
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
        Ok((Outcome::Turn { bind: None, next, over: Some(over) }, None))
    }

    /// `for x in [...]`
    pub(super) async fn for_each(
        &self,
        token: &str,
        step: &Step,
        local: LocalId,
        list: &Expr,
    ) -> Result<StepOutcome, RunError> {
        let (turn, over) = (self.token(token)?.turn as usize, self.token(token)?.over.clone());
        // A list that a query makes is not made again: it could be another one, and people would be met twice.
        let items = match over {
            Some(items) => items,
            None => match self.value(list).await? {
                Value::List(items) => items,
                _ => Vec::new(),
            },
        };
        match items.get(turn) {
            Some(item) => {
                let bind = Some((local.0, item.clone()));
                Ok((Outcome::Turn { bind, next: None, over: Some(items) }, None))
            }
            None => Ok((Outcome::Over, Some(self.record(token, step, Some(format!("{turn} turns")))))),
        }
    }
}
