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
    /// The exclusive arms that all its rows belong to, with their splits.
    arms: Vec<(LocalId, Span)>,
    /// Populations that were taken out of it.
    excluded: Vec<&'p Query>,
    /// Fields that have one value in all its rows.
    pinned: Vec<(FieldId, &'p Value)>,
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
                    let mut sent = Sent {
                        message: used.message,
                        to: &send.to,
                        name,
                        span,
                        arms: Vec::new(),
                        excluded: Vec::new(),
                        pinned: Vec::new(),
                    };
                    sent.look_into(&send.to, known, 0);
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
    let is_again = |before: &&Sent<'_>| before.message == now.message && !disjoint(before, now, known);
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
fn disjoint(left: &Sent<'_>, right: &Sent<'_>, known: &Known<'_>) -> bool {
    let excludes = |one: &Sent<'_>, other: &Sent<'_>| one.excluded.iter().any(|out| within(other.to, out, known, 0));
    let apart = left.arms.iter().any(|(arm, split)| right.arms.iter().any(|(other, at)| at == split && other != arm));
    let pinned_apart =
        left.pinned.iter().any(|(field, value)| right.pinned.iter().any(|(at, other)| field == at && value != other));
    apart || pinned_apart || excludes(left, right) || excludes(right, left)
}

impl<'p> Sent<'p> {
    /// Notes what tells its rows from others', from the population down to what it narrows.
    fn look_into(&mut self, query: &'p Query, known: &Known<'p>, depth: usize) {
        match &query.kind {
            QueryKind::Local(local) => self.arms.extend(known.arms.get(local).map(|split| (*local, *split))),
            QueryKind::SetOp { op: SetOp::Except, right, .. } => self.excluded.push(right),
            QueryKind::Where { row, predicate, .. } => equalities(predicate, *row, &mut self.pinned),
            _ => {}
        }
        if let (Some(inner), true) = (narrowed(query, known), depth < 20) {
            self.look_into(inner, known, depth + 1);
        }
    }
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
