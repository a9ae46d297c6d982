//! What is checked but not followed yet: where ignoring it changes nothing that is sent, a note says so.

use super::Plan;
use crate::diag::Problem;
use crate::diag::codes::run;
use crate::hir::visit::{Visitor, walk_query};
use crate::hir::{Campaign, FeedbackKind, LocalId, Query, QueryKind};

impl Plan {
    /// What a run of this plan does not follow, although it goes on: warnings.
    pub fn notes(&self) -> Vec<Problem> {
        let mut notes = Vec::new();
        let mut feedback = Feedback { campaign: self.campaign(), seen: Vec::new(), notes: &mut notes };
        self.campaign().body.iter().for_each(|stmt| feedback.stmt(stmt));
        notes
    }
}

/// Looks for feedback that no driver reports.
struct Feedback<'c> {
    campaign: &'c Campaign,
    /// Said already.
    seen: Vec<(LocalId, FeedbackKind)>,
    notes: &'c mut Vec<Problem>,
}

impl Visitor for Feedback<'_> {
    fn query(&mut self, query: &Query) {
        use FeedbackKind::{Bounced, Clicked, Opened, Unsubscribed};
        if let QueryKind::Feedback { delivery, kind: kind @ (Opened | Clicked | Bounced | Unsubscribed) } = &query.kind
            && !self.seen.contains(&(*delivery, *kind))
        {
            self.seen.push((*delivery, *kind));
            let set = format!("{}.{}", self.campaign[*delivery].name, kind.word());
            let text = format!("`{set}` is always empty: no channel reports it yet");
            let help = "`sent`, `failed`, `unknown` and `excluded` are known";
            self.notes.push(Problem::warning(run::NO_FEEDBACK, text, query.span).help(help));
        }
        walk_query(self, query);
    }
}
