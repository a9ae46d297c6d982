//! What is checked but not built yet. A part of a program that a run would ignore without a word is refused before
//! the run exists; where ignoring it changes nothing that is sent, a note says so.

use super::{Plan, PlanError};
use crate::base::Span;
use crate::diag::Problem;
use crate::diag::codes::run;
use crate::hir::visit::{Visitor, walk_expr, walk_stmt};
use crate::hir::{Campaign, Expr, ExprKind, LocalId, LocalKind, OnError, Overlap};
use crate::hir::{Program, Stmt, StmtKind};

/// Refuses a campaign that reads the signal that should have started it: a run that is started by hand has none.
pub(super) fn trigger(campaign: &Campaign) -> Result<(), PlanError> {
    if campaign.trigger.is_none() {
        return Ok(());
    }
    let mut reads = Reads { campaign, waited: Vec::new(), found: None };
    campaign.body.iter().for_each(|stmt| reads.stmt(stmt));
    match reads.found {
        Some((local, span)) => {
            let name = &campaign[local].name;
            Err(PlanError::not_executable(format!("`{name}` of the signal that starts a campaign"), span))
        }
        None => Ok(()),
    }
}

/// Looks for a field of the signal that started the run.
struct Reads<'c> {
    campaign: &'c Campaign,
    /// Fields of signals that the run itself waits for.
    waited: Vec<LocalId>,
    found: Option<(LocalId, Span)>,
}

impl Visitor for Reads<'_> {
    fn stmt(&mut self, stmt: &Stmt) {
        if let StmtKind::WaitSignal { fields, .. } = &stmt.kind {
            self.waited.extend(fields);
        }
        walk_stmt(self, stmt);
    }

    fn expr(&mut self, expr: &Expr) {
        if let ExprKind::Local(local) = expr.kind
            && self.campaign[local].kind == LocalKind::SignalField
            && !self.waited.contains(&local)
        {
            self.found.get_or_insert((local, expr.span));
        }
        walk_expr(self, expr);
    }
}

impl Plan {
    /// What a run of this plan does not follow, although it goes on: warnings.
    pub fn notes(&self) -> Vec<Problem> {
        header_notes(&self.program, self.campaign())
    }
}

fn header_notes(program: &Program, campaign: &Campaign) -> Vec<Problem> {
    let name = &campaign.name;
    let schedule_help = "start runs with `orch run`, from `cron` for example";
    let note = |(word, span): &(&'static str, Span)| match *word {
        "every" => {
            let text = format!("the schedule of `{name}` is not followed yet: this run starts now");
            Some(Problem::warning(run::SCHEDULE_NOT_FOLLOWED, text, *span).help(schedule_help))
        }
        "on signal" => {
            let signal = campaign.trigger.map_or("", |signal| program[signal].name.as_str());
            let text = format!("`{name}` is not started by the signal `{signal}` yet: this run starts now");
            Some(Problem::warning(run::SCHEDULE_NOT_FOLLOWED, text, *span).help(schedule_help))
        }
        "overlap" if campaign.overlap != (Overlap::Allow { by: None }) => {
            let text = format!("`overlap` of `{name}` is not followed yet: this run starts beside others");
            let help = "look with `orch runs` whether an earlier one is still going";
            Some(Problem::warning(run::SCHEDULE_NOT_FOLLOWED, text, *span).help(help))
        }
        "on error" if campaign.on_error != OnError::Pause => {
            let text = format!("`on error` of `{name}` is not followed yet: an error pauses the run");
            let help = "`orch resume` goes on with a run that is paused, `orch stop` ends it";
            Some(Problem::warning(run::ON_ERROR_NOT_FOLLOWED, text, *span).help(help))
        }
        _ => None,
    };
    campaign.header.iter().filter_map(note).collect()
}
