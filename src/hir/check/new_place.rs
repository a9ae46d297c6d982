//! Where `new` may stand: among the clauses of a segment, since what is taken are the rows of the finished segment.

use std::collections::{BTreeSet, HashSet};

use super::Checker;
use super::expr::problem::TypeProblem;
use crate::base::Span;
use crate::hir::visit::{Visitor, walk_query, walk_stmt};
use crate::hir::{Query, QueryKind, Stmt, StmtKind};

/// Every `new`, and those that stand where they may.
#[derive(Default)]
struct Places {
    all: Vec<Span>,
    good: HashSet<Span>,
    after_match: Vec<Span>,
}

impl Visitor for Places {
    fn stmt(&mut self, stmt: &Stmt) {
        if let StmtKind::Segment { query, .. } = &stmt.kind {
            self.segment(query);
        }
        walk_stmt(self, stmt);
    }

    fn query(&mut self, query: &Query) {
        if let QueryKind::New { .. } = query.kind {
            self.all.push(query.span);
        }
        walk_query(self, query);
    }
}

impl Places {
    fn segment(&mut self, query: &Query) {
        let mut keyed = Vec::new();
        let mut at = Some(query);
        while let Some(query) = at {
            match &query.kind {
                QueryKind::New { by, .. } => {
                    self.good.insert(query.span);
                    keyed.extend(by.is_none().then_some(query.span));
                }
                QueryKind::Match { .. } => self.after_match.append(&mut keyed),
                _ => {}
            }
            at = query.input();
        }
    }
}

impl Checker<'_> {
    /// Reports every `new` that could not say which rows it takes.
    pub(super) fn check_places_of_new(&mut self) {
        let mut places = Places::default();
        for stmt in self.program.campaigns.iter().flat_map(|campaign| &campaign.body) {
            places.stmt(stmt);
        }
        let good = places.good;
        let wrong: BTreeSet<Span> = places.all.into_iter().filter(|span| !good.contains(span)).collect();
        for span in wrong {
            let help = "bind it first, `segment fresh = ... new`, and use `fresh` here";
            self.report(TypeProblem::NewPlace { place: "here: it takes the rows of a segment", help, span });
        }
        for span in places.after_match {
            let help = "put `new` before `match`, so that it remembers the rows that are matched";
            self.report(TypeProblem::NewPlace { place: "after `match`: what it keeps are pairs of rows", help, span });
        }
    }
}
