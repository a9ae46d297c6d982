//! One message sent twice to populations that may have people in common.

use std::collections::{HashMap, HashSet};

use super::super::problem::Lint;
use super::super::visit::{Visitor, blocks, walk_query};
use super::super::{
    ArmKind, BinaryOp, Campaign, ColumnRef, Expr, ExprKind, FieldId, LocalId, MessageId, Program, Query,
};
use super::super::{QueryKind, RowId, SetOp, Stmt, StmtKind, Value};
use crate::base::Span;

/// What is known of names when a statement is reached.
#[derive(Default)]
struct Known<'p> {
    /// The populations that segments stand for.
    segments: HashMap<LocalId, &'p Query>,
    /// Arms of a split that exclude one another: the arm's split.
    arms: HashMap<LocalId, Span>,
    /// The input of each arm's split.
    inputs: HashMap<LocalId, &'p Query>,
    /// Where each named send went.
    sends: HashMap<LocalId, &'p Query>,
    /// Sends so far.
    sent: Vec<Sent<'p>>,
}

/// A message that went to a population.
struct Sent<'p> {
    message: MessageId,
    to: &'p Query,
    /// The name of the population, if it has a short one.
    name: Option<String>,
    span: Span,
}

/// Warns where the same message goes to overlapping populations in one pass of the flow.
pub(super) fn messages(program: &Program, campaign: &Campaign, found: &mut Vec<Lint>) {
    let mut known = Known::default();
    block(program, &campaign.body, &mut known, found);
}

fn block<'p>(program: &Program, stmts: &'p [Stmt], known: &mut Known<'p>, found: &mut Vec<Lint>) {
    for stmt in stmts {
        match &stmt.kind {
            StmtKind::Segment { local, query } => {
                known.segments.insert(*local, query);
            }
            StmtKind::Split { input, overlapping, arms, .. } => {
                for arm in arms {
                    known.inputs.insert(arm.local, input);
                    if !overlapping || matches!(arm.kind, ArmKind::Otherwise) {
                        known.arms.insert(arm.local, stmt.span);
                    }
                }
            }
            StmtKind::Send(send) => {
                if let Some(used) = send.message.as_ref().filter(|used| used.args.is_empty()) {
                    // In a procedure, what was written twice is its call.
                    let (span, name) = match stmt.calls.first() {
                        Some(call) => (*call, None),
                        None => (stmt.span, Some(send.to_name.clone()).filter(|name| !name.contains(' '))),
                    };
                    let sent = Sent { message: used.message, to: &send.to, name, span };
                    again(program, &sent, known, found);
                    known.sent.push(sent);
                }
                if let Some(delivery) = send.delivery {
                    known.sends.insert(delivery, &send.to);
                }
            }
            // Only one arm is taken; what was sent in it may have been sent afterwards.
            StmtKind::If { .. } => {
                let before = known.sent.len();
                let mut taken = Vec::new();
                for inner in blocks(&stmt.kind) {
                    block(program, inner, known, found);
                    taken.extend(known.sent.drain(before..));
                }
                known.sent.extend(taken);
            }
            kind => blocks(kind).into_iter().for_each(|inner| block(program, inner, known, found)),
        }
    }
}

fn again(program: &Program, now: &Sent<'_>, known: &Known<'_>, found: &mut Vec<Lint>) {
    let is_again = |before: &&Sent<'_>| before.message == now.message && !disjoint(before.to, now.to, known, 0);
    let Some(before) = known.sent.iter().rev().take(200).find(is_again) else { return };
    // Reminding those who were reached is what a second send after a look at the first one's outcome is for.
    if reads_outcome(now.to, known) || before.to.ty.entity != now.to.ty.entity || before.span == now.span {
        return;
    }
    let overlap = now.name.as_ref().zip(before.name.as_ref());
    let overlap = overlap.filter(|(now, before)| now != before).map(|(now, before)| format!("{now} except {before}"));
    let message = program[now.message].name.clone();
    found.push(Lint::RepeatedMessage { message, span: now.span, first: before.span, overlap });
}

/// True if it is plain from the text that the two have no row in common.
fn disjoint(left: &Query, right: &Query, known: &Known<'_>, depth: usize) -> bool {
    if depth > 20 {
        return false;
    }
    let excludes =
        |query: &Query, other: &Query| excluded(query, known, 0).iter().any(|out| within(other, out, known, 0));
    let (left_arms, right_arms) = (arms_of(left, known, 0), arms_of(right, known, 0));
    let apart = left_arms.iter().any(|(arm, split)| right_arms.iter().any(|(other, at)| at == split && other != arm));
    apart || excludes(left, right) || excludes(right, left) || pinned_apart(left, right, known)
}

/// What a population narrows without adding rows.
fn narrowed<'q>(query: &'q Query, known: &Known<'q>) -> Option<&'q Query> {
    use QueryKind as Kind;
    match &query.kind {
        Kind::Where { input, .. }
        | Kind::With { input, .. }
        | Kind::Dedupe { input, .. }
        | Kind::OrderBy { input, .. }
        | Kind::Limit { input, .. }
        | Kind::Sample { input, .. }
        | Kind::New { input, .. } => Some(input),
        Kind::SetOp { op: SetOp::Intersect | SetOp::Except, left, .. } => Some(left),
        Kind::Local(local) => known.segments.get(local).or_else(|| known.inputs.get(local)).copied(),
        Kind::Feedback { delivery, .. } => known.sends.get(delivery).copied(),
        _ => None,
    }
}

/// The exclusive arms that all rows of a population belong to, with their splits.
fn arms_of(query: &Query, known: &Known<'_>, depth: usize) -> Vec<(LocalId, Span)> {
    let mut arms = Vec::new();
    if let QueryKind::Local(local) = query.kind
        && let Some(split) = known.arms.get(&local)
    {
        arms.push((local, *split));
    }
    if let (Some(inner), true) = (narrowed(query, known), depth < 20) {
        arms.extend(arms_of(inner, known, depth + 1));
    }
    arms
}

/// Populations that `except` took out of a population.
fn excluded<'q>(query: &'q Query, known: &Known<'q>, depth: usize) -> Vec<&'q Query> {
    let mut out = Vec::new();
    if let QueryKind::SetOp { op: SetOp::Except, right, .. } = &query.kind {
        out.push(right.as_ref());
    }
    if let (Some(inner), true) = (narrowed(query, known), depth < 20) {
        out.extend(excluded(inner, known, depth + 1));
    }
    out
}

/// True if all rows of `query` are plainly rows of `whole`.
fn within(query: &Query, whole: &Query, known: &Known<'_>, depth: usize) -> bool {
    if same(query, whole) {
        return true;
    }
    let in_union = match &whole.kind {
        QueryKind::SetOp { op: SetOp::Union, left, right, .. } => {
            within(query, left, known, depth + 1) || within(query, right, known, depth + 1)
        }
        _ => false,
    };
    in_union || (depth < 20 && narrowed(query, known).is_some_and(|inner| within(inner, whole, known, depth + 1)))
}

fn same(left: &Query, right: &Query) -> bool {
    match (&left.kind, &right.kind) {
        (QueryKind::Local(left), QueryKind::Local(right)) => left == right,
        (QueryKind::Entity(left), QueryKind::Entity(right)) => left == right,
        (QueryKind::Audience(left), QueryKind::Audience(right)) => left == right,
        _ => false,
    }
}

/// True if a population looks at the outcome of a send.
fn reads_outcome(query: &Query, known: &Known<'_>) -> bool {
    let mut outcome = Outcome { known, seen: HashSet::new(), found: false };
    outcome.query(query);
    outcome.found
}

struct Outcome<'k, 'p> {
    known: &'k Known<'p>,
    seen: HashSet<LocalId>,
    found: bool,
}

impl Visitor for Outcome<'_, '_> {
    fn query(&mut self, query: &Query) {
        self.found |= matches!(query.kind, QueryKind::Feedback { .. });
        if let QueryKind::Local(local) = query.kind
            && self.seen.insert(local)
            && let Some(inner) = self.known.segments.get(&local).or_else(|| self.known.inputs.get(&local))
        {
            self.query(inner);
        }
        walk_query(self, query);
    }
}

/// True if both ask one field for different values.
fn pinned_apart(left: &Query, right: &Query, known: &Known<'_>) -> bool {
    let (left, right) = (pinned(left, known, 0), pinned(right, known, 0));
    left.iter().any(|(field, value)| right.iter().any(|(other, wanted)| field == other && value != wanted))
}

/// Fields of the rows that a population asks for one value.
fn pinned<'q>(query: &'q Query, known: &Known<'q>, depth: usize) -> Vec<(FieldId, &'q Value)> {
    let mut fields = Vec::new();
    if let QueryKind::Where { row, predicate, .. } = &query.kind {
        equalities(predicate, *row, &mut fields);
    }
    if let (Some(inner), true) = (narrowed(query, known), depth < 20) {
        fields.extend(pinned(inner, known, depth + 1));
    }
    fields
}

/// `field = value`, joined by `and`.
fn equalities<'q>(predicate: &'q Expr, row: RowId, fields: &mut Vec<(FieldId, &'q Value)>) {
    let ExprKind::Binary { op, left, right } = &predicate.kind else { return };
    match (op, &left.kind, &right.kind) {
        (BinaryOp::And, ..) => {
            equalities(left, row, fields);
            equalities(right, row, fields);
        }
        (
            BinaryOp::Equal,
            ExprKind::Column { row: of, path, column: ColumnRef::Field(field) },
            ExprKind::Literal(value),
        ) if *of == row && path.is_empty() => {
            fields.push((*field, value));
        }
        _ => {}
    }
}
