//! Runs that last longer than the time to their next start, or overwrite what another run of the day wrote.

use super::super::check::{approximate_period, approximate_seconds};
use super::super::problem::{Lint, ValueLint};
use super::super::visit::{Visitor, blocks, walk_expr};
use super::super::{Campaign, Expr, ExprKind, Overlap, ScheduleRule, Stmt, StmtKind, TyKind, Value};
use crate::base::Span;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Waits that together are longer than the schedule's period, while an earlier run makes starts be skipped.
pub(super) fn longer_than_period(campaign: &Campaign, found: &mut Vec<Lint>) {
    let Some(schedule) = &campaign.schedule else { return };
    if campaign.overlap != Overlap::Skip {
        return;
    }
    let period = approximate_period(schedule);
    let mut waited = 0;
    for stmt in &campaign.body {
        waited += longest(stmt);
        if waited > period {
            found.push(Lint::LongerThanPeriod { span: stmt.span, schedule: campaign.span });
            return;
        }
    }
}

/// Exports whose name has the day but not the time, in runs of which there may be several a day.
pub(super) fn replaced_exports(campaign: &Campaign, found: &mut Vec<Lint>) {
    let often = often_a_day(campaign);
    campaign.body.iter().for_each(|stmt| replaced(stmt, often, found));
}

/// What makes a campaign run several times a day.
fn often_a_day(campaign: &Campaign) -> Option<Span> {
    let part = |word: &str| campaign.header.iter().find(|(known, _)| *known == word).map(|(_, span)| *span);
    if let Some(schedule) = &campaign.schedule {
        let often = match &schedule.rule {
            ScheduleRule::Cron(rule) => {
                let mut fields = rule.split_whitespace();
                let several = |field: Option<&str>| field.is_none_or(|field| field.contains(['*', ',', '-', '/']));
                several(fields.next()) || several(fields.next())
            }
            _ => schedule.at.len() > 1 || approximate_period(schedule) < DAY,
        };
        return often.then(|| part("every").unwrap_or(campaign.span));
    }
    campaign.trigger.and_then(|_| part("on signal"))
}

fn replaced(stmt: &Stmt, often: Option<Span>, found: &mut Vec<Lint>) {
    let often = match &stmt.kind {
        StmtKind::Repeat { every: Some(every), .. } if (1..DAY).contains(&seconds(every)) => Some(every.span),
        _ => often,
    };
    if let (StmtKind::Export { to, options, .. }, Some(often)) = (&stmt.kind, often) {
        let appends = options.iter().any(|(name, value)| name == "append" && *value == Value::Bool(true));
        if !appends && names_only_the_day(to) {
            found.push(ValueLint::ReplacedExport { span: to.span, often }.into());
        }
    }
    blocks(&stmt.kind).into_iter().flatten().for_each(|inner| replaced(inner, often, found));
}

/// True for a name with `today()` in it and nothing that differs between runs of a day.
fn names_only_the_day(to: &Expr) -> bool {
    let mut names = Names::default();
    names.expr(to);
    names.day && !names.more
}

#[derive(Default)]
struct Names {
    day: bool,
    more: bool,
}

impl Visitor for Names {
    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Now if expr.ty.kind == TyKind::Date => self.day = true,
            ExprKind::Now | ExprKind::Local(_) | ExprKind::Aggregate(_) => self.more = true,
            _ => {}
        }
        walk_expr(self, expr);
    }
}

/// The longest that a statement waits, as far as the text says; in seconds.
fn longest(stmt: &Stmt) -> i64 {
    let inner = blocks(&stmt.kind).into_iter().map(|block| block.iter().map(longest).sum::<i64>()).max().unwrap_or(0);
    let own = match &stmt.kind {
        StmtKind::Wait { duration } => seconds(duration),
        StmtKind::WaitUntil { within: Some(within), .. } | StmtKind::WaitSignal { within: Some(within), .. } => {
            seconds(within)
        }
        StmtKind::Repeat { times, every: Some(every), .. } => {
            return (seconds(every) * (count(times) - 1)).max(0) + inner;
        }
        StmtKind::Repeat { times, .. } => return inner * count(times),
        _ => 0,
    };
    own + inner
}

fn seconds(expr: &Expr) -> i64 {
    match &expr.kind {
        ExprKind::Literal(Value::Duration(duration)) => approximate_seconds(*duration),
        _ => 0,
    }
}

fn count(expr: &Expr) -> i64 {
    match &expr.kind {
        ExprKind::Literal(Value::Int(count)) => *count,
        _ => 1,
    }
}
