//! Rows in, rows out, rows dropped by reason.

use std::collections::BTreeMap;

use super::freeze::Frozen;
use crate::hir::{Program, Query, QueryKind, SetOp};
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
    /// What they are made from: one population, or the sides of a union.
    sources: Vec<&'q Query>,
    /// Outermost first, with the reason for which they drop rows.
    levels: Vec<(&'static str, &'q Query)>,
}

impl<'q> Levels<'q> {
    /// Those of a population.
    pub fn of(query: &'q Query) -> Self {
        let mut levels = Vec::new();
        let source = source_of(query, &mut levels);
        let mut sources = Vec::new();
        sides_of(source, &mut sources);
        if sources.len() > 1 {
            levels.push(("duplicate", source));
        }
        Self { sources, levels }
    }

    /// What is to be counted while the population is computed: the levels but the last, whose rows are known, and but
    /// those after which the same reason drops further rows; then the sides of a union that are computed.
    pub fn counted(&self) -> Vec<&'q Query> {
        let levels = self.places().into_iter().map(|at| self.levels[at].1);
        levels.chain(self.computed_sources()).collect()
    }

    fn computed_sources(&self) -> impl Iterator<Item = &'q Query> {
        self.sources.iter().copied().filter(|source| !is_source(source))
    }

    /// The rows that enter, in words: `customers`, `customers from 2 populations`.
    pub fn rows_in_words(&self, program: &Program) -> String {
        let name = &program[self.sources[0].ty.entity].name;
        match self.sources.len() {
            1 => name.clone(),
            sides => format!("{name} from {sides} populations"),
        }
    }

    fn places(&self) -> Vec<usize> {
        (1..self.levels.len()).filter(|at| !self.goes_on(*at)).collect()
    }

    /// Whether the level after this one drops rows for the same reason, so that together they count as one.
    fn goes_on(&self, at: usize) -> bool {
        let ((reason, level), (next, after)) = (self.levels[at], self.levels[at - 1]);
        reason == next && !changes_rows(level) && !changes_rows(after)
    }

    /// `rows_in = rows_out + dropped`, by what was counted while the population was computed. What was not is counted
    /// now. A population with one clause costs one count of its source.
    pub async fn account(&self, session: &Session, scope: &Scope<'_>, frozen: &Frozen) -> Result<Accounting, RunError> {
        let places = self.places();
        let (of_levels, of_sources) = frozen.counts.split_at(places.len().min(frozen.counts.len()));
        let counts: BTreeMap<usize, Option<u64>> = places.into_iter().zip(of_levels.iter().copied()).collect();
        let rows_out = frozen.rows;
        let mut entering = 0;
        let mut known = of_sources.iter().copied();
        for source in &self.sources {
            let counted = if is_source(source) { None } else { known.next().flatten() };
            entering += match counted {
                Some(rows) => rows,
                None => count_of(session, scope, source).await?,
            };
        }
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
                // A row that leads to several becomes several.
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

/// Whether a population is one that is there: its rows are counted without being computed.
fn is_source(query: &Query) -> bool {
    query.input().is_none()
}

/// The sides of a union, and of the unions that they are; else the query itself.
fn sides_of<'q>(query: &'q Query, sides: &mut Vec<&'q Query>) {
    match &query.kind {
        QueryKind::SetOp { op: SetOp::Union, left, right, .. } => {
            sides_of(left, sides);
            sides_of(right, sides);
        }
        _ => sides.push(query),
    }
}

/// Walks down to where rows come from, at most to a union; collects, outermost first, the levels that can change their
/// number.
fn source_of<'q>(query: &'q Query, levels: &mut Vec<(&'static str, &'q Query)>) -> &'q Query {
    use crate::hir::SetOp as Op;
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
        SetOp { op: Op::Intersect, left, .. } => ("intersect", left),
        SetOp { op: Op::Except, left, .. } => ("except", left),
        _ => return query,
    };
    levels.push((reason, query));
    source_of(input, levels)
}
