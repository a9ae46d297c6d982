//! Segments that nothing uses.

use std::collections::HashSet;

use super::super::problem::Lint;
use super::super::visit::{Visitor, walk_expr, walk_query};
use super::super::{Campaign, Expr, ExprKind, LocalId, LocalKind, Query, QueryKind};

/// The names that are used.
#[derive(Default)]
struct Uses(HashSet<LocalId>);

impl Visitor for Uses {
    fn query(&mut self, query: &Query) {
        if let QueryKind::Local(local) | QueryKind::Unmatched(local) | QueryKind::Feedback { delivery: local, .. } =
            query.kind
        {
            self.0.insert(local);
        }
        walk_query(self, query);
    }

    fn expr(&mut self, expr: &Expr) {
        if let ExprKind::Local(local) = expr.kind {
            self.0.insert(local);
        }
        walk_expr(self, expr);
    }
}

/// Segments of a campaign that are bound and never used. Arms of a split may serve to leave people out.
pub(super) fn segments(campaign: &Campaign, found: &mut Vec<Lint>) {
    let mut uses = Uses::default();
    campaign.body.iter().for_each(|stmt| uses.stmt(stmt));
    for (at, local) in campaign.locals.iter().enumerate() {
        let used = uses.0.contains(&LocalId(at as u32));
        if local.kind == LocalKind::Segment && !used && !local.name.starts_with('_') && !local.ty.is_error() {
            found.push(Lint::UnusedSegment { name: local.name.clone(), what: "segment", span: local.span });
        }
    }
}
