//! Rows in, rows out, rows dropped by reason.

use std::collections::BTreeMap;

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
    /// Counts what each clause of `query` dropped. `rows_out` is known already, so a population with one clause costs
    /// one count of its source.
    pub async fn of(
        session: &Session,
        scope: &Scope<'_>,
        query: &Query,
        rows_out: u64,
    ) -> Result<Accounting, RunError> {
        let mut levels = Vec::new();
        let source = source_of(query, &mut levels);
        let mut entering = count_of(session, scope, source).await?;
        let mut accounting = Accounting { rows_in: entering, rows_out, dropped: BTreeMap::new() };
        for (at, (reason, level)) in levels.iter().enumerate().rev() {
            let leaving = if at == 0 { rows_out } else { count_of(session, scope, level).await? };
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
        if levels.is_empty() && entering != rows_out {
            accounting.rows_in = rows_out;
        }
        Ok(accounting)
    }

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
