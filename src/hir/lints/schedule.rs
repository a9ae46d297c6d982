//! Runs that last longer than the time to their next start.

use super::super::check::{approximate_period, approximate_seconds};
use super::super::problem::Lint;
use super::super::visit::blocks;
use super::super::{Campaign, Expr, ExprKind, Overlap, Stmt, StmtKind, Value};

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
