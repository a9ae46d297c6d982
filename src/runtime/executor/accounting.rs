//! Rows in, rows out, rows dropped by reason.

use std::collections::BTreeMap;

use super::freeze::Frozen;
use crate::hir::{Query, QueryKind, SetOp};
use crate::plan::query::{Columns, Ordering, Scope, Session, count, population};
use crate::plan::unmatched;
use crate::runtime::error::RunError;

/// The accounting of a population: `rows_in = rows_out + dropped`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Accounting {
    pub rows_in: u64,
    pub rows_out: u64,
    pub dropped: BTreeMap<String, u64>,
}

impl Accounting {
    fn drop_rows(&mut self, reason: &str, rows: u64) {
        if rows > 0 {
            *self.dropped.entry(reason.to_string()).or_default() += rows;
        }
    }

    /// True when the equation holds.
    pub fn balances(&self) -> bool {
        self.rows_in == self.rows_out + self.dropped.values().sum::<u64>()
    }
}

/// Whether the rows of a level are others than those that enter it.
fn changes_rows(level: &Query) -> bool {
    matches!(level.kind, QueryKind::Match { .. } | QueryKind::Navigate { .. })
}

async fn count_of(session: &Session, scope: &Scope<'_>, query: &Query) -> Result<u64, RunError> {
    let plan = population(scope, query, &Columns::Named(Vec::new()), Ordering::Any)?;
    Ok(count(session, plan).await?)
}

/// Where the rows of a population come from, and what can change their number on the way.
pub(super) struct Levels<'q> {
    source: &'q Query,
    /// Outermost first, with the reason for which they drop rows.
    levels: Vec<(&'static str, &'q Query)>,
}

impl<'q> Levels<'q> {
    /// Those of a population.
    pub fn of(query: &'q Query) -> Self {
        let mut levels = Vec::new();
        let source = source_of(query, &mut levels);
        Self { source, levels }
    }

    /// The levels that have to be counted: all but the last, whose rows are known, and those after which the same reason
    /// drops further rows.
    pub fn counted(&self) -> Vec<&'q Query> {
        self.places().into_iter().map(|at| self.levels[at].1).collect()
    }

    fn places(&self) -> Vec<usize> {
        (1..self.levels.len()).filter(|at| !self.goes_on(*at)).collect()
    }

    /// Whether the level after this one drops rows for the same reason, so that together they count as one.
    fn goes_on(&self, at: usize) -> bool {
        let ((reason, level), (next, after)) = (self.levels[at], self.levels[at - 1]);
        reason == next && only_drops(level) && only_drops(after)
    }

    /// `rows_in = rows_out + dropped`, by what was counted while the population was computed. What was not is counted
    /// now. A population with one clause costs one count of its source.
    pub async fn account(&self, session: &Session, scope: &Scope<'_>, frozen: &Frozen) -> Result<Accounting, RunError> {
        let counts: BTreeMap<usize, Option<u64>> =
            self.places().into_iter().zip(frozen.counts.iter().copied()).collect();
        let rows_out = frozen.rows;
        let mut entering = count_of(session, scope, self.source).await?;
        let mut accounting = Accounting { rows_in: entering, rows_out, dropped: BTreeMap::new() };
        for (at, (reason, level)) in self.levels.iter().enumerate().rev() {
            if at > 0 && self.goes_on(at) {
                continue;
            }
            let leaving = match (at, counts.get(&at).copied().flatten()) {
                (0, _) => rows_out,
                (_, Some(rows)) => rows,
                (_, None) => count_of(session, scope, level).await?,
            };
            if changes_rows(level)
                && let Some(lost) = unmatched(level)
            {
                // What remains is merged, or becomes several rows.
                let lost = count_of(session, scope, &lost).await?;
                entering = entering.saturating_sub(lost);
                accounting.drop_rows("unmatched", lost);
            }
            match entering.checked_sub(leaving) {
                Some(lost) => accounting.drop_rows(reason, lost),
                // A union adds rows: they enter here.
                None => accounting.rows_in += leaving - entering,
            }
            entering = leaving;
        }
        if self.levels.is_empty() && entering != rows_out {
            accounting.rows_in = rows_out;
        }
        Ok(accounting)
    }
}

/// Whether the rows of a level are some of those that enter it.
fn only_drops(level: &Query) -> bool {
    !changes_rows(level) && !matches!(level.kind, QueryKind::SetOp { op: SetOp::Union, .. })
}

/// Walks down to where rows come from; collects, outermost first, the levels that can change their number.
fn source_of<'q>(query: &'q Query, levels: &mut Vec<(&'static str, &'q Query)>) -> &'q Query {
    use QueryKind::*;
    let (reason, input) = match &query.kind {
        With { input, .. } | OrderBy { input, .. } => return source_of(input, levels),
        Where { input, .. } => ("where", input),
        Dedupe { input, .. } => ("dedupe", input),
        Limit { input, .. } => ("limit", input),
        Sample { input, .. } => ("sample", input),
        Match { input, .. } => ("merged", input),
        New { input, .. } => ("taken_before", input),
        Navigate { input, .. } => ("merged", input),
        SetOp { op, left, .. } => (set_reason(*op), left),
        _ => return query,
    };
    levels.push((reason, query));
    source_of(input, levels)
}

fn set_reason(op: SetOp) -> &'static str {
    match op {
        SetOp::Union => "union",
        SetOp::Intersect => "intersect",
        SetOp::Except => "except",
    }
}
