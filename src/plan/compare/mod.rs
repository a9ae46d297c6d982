//! Two versions of a campaign: which step of one is which step of the other.
//!
//! Steps that stand in the same block belong together when they bind the same name or are the same statement, in order;
//! those that say the same come first. What is inside two steps that belong together is compared in the same way.

mod shape;

use std::collections::BTreeMap;

use super::{BlockId, Plan, Step, StepKind};
use crate::hir::{Local, LocalId};
pub use shape::locals;

/// A step's place in a plan: its block, and its index there.
pub type Place = (BlockId, usize);

/// What became of a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// It says the same.
    Unchanged,
    /// It says something else.
    Changed,
    /// Only the later version has it.
    Added,
    /// Only the earlier version has it.
    Removed,
}

/// One line of a comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// What became of the step.
    pub change: Change,
    /// Where it stands in the earlier version.
    pub old: Option<Place>,
    /// Where it stands in the later one.
    pub new: Option<Place>,
}

/// A comparison.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// In the order of the later version, what was removed in between.
    pub lines: Vec<Line>,
    /// The later place of earlier steps.
    pub steps: BTreeMap<Place, Place>,
    /// The later block of earlier blocks.
    pub blocks: BTreeMap<BlockId, BlockId>,
    stands: Vec<Place>,
}

impl Comparison {
    /// Compares two versions. Steps where something `stands` find their partners first.
    pub fn of(old: &Plan, new: &Plan, stands: &[Place]) -> Self {
        let mut comparison = Self { stands: stands.to_vec(), ..Self::default() };
        comparison.block((old, BlockId(0)), (new, BlockId(0)));
        comparison
    }

    /// What became of an earlier step.
    pub fn change(&self, old: Place) -> Change {
        self.lines.iter().find(|line| line.old == Some(old)).map_or(Change::Removed, |line| line.change)
    }

    fn block(&mut self, (old, was): (&Plan, BlockId), (new, is): (&Plan, BlockId)) {
        self.blocks.insert(was, is);
        let (before, after) = (&old.block(was).steps, &new.block(is).steps);
        let shapes = |plan: &Plan, steps: &[Step]| -> Vec<(String, String)> {
            steps.iter().map(|step| (key(plan, step), shape::step(plan, step))).collect()
        };
        let stands: Vec<usize> = self.stands.iter().filter(|(block, _)| *block == was).map(|(_, at)| *at).collect();
        for (at, to) in aligned(&shapes(old, before), &shapes(new, after), &stands) {
            match (at, to) {
                (Some(at), Some(to)) => {
                    let same = shape::step(old, &before[at]) == shape::step(new, &after[to]);
                    let change = if same { Change::Unchanged } else { Change::Changed };
                    self.lines.push(Line { change, old: Some((was, at)), new: Some((is, to)) });
                    self.steps.insert((was, at), (is, to));
                    self.children((old, &before[at]), (new, &after[to]));
                }
                (Some(at), None) => self.only(old, (was, at), Change::Removed),
                (None, Some(to)) => self.only(new, (is, to), Change::Added),
                (None, None) => {}
            }
        }
    }

    /// A step of one version alone, with everything inside it.
    fn only(&mut self, plan: &Plan, place: Place, change: Change) {
        let (old, new) = if change == Change::Added { (None, Some(place)) } else { (Some(place), None) };
        self.lines.push(Line { change, old, new });
        for block in plan.block(place.0).steps[place.1].kind.children() {
            for at in 0..plan.block(block).steps.len() {
                self.only(plan, (block, at), change);
            }
        }
    }

    fn children(&mut self, (old, was): (&Plan, &Step), (new, is): (&Plan, &Step)) {
        let (before, after) = (inner(&was.kind), inner(&is.kind));
        let arms = before.len().max(after.len());
        for at in 0..arms {
            match (before.get(at).copied().flatten(), after.get(at).copied().flatten()) {
                (Some(block), Some(other)) => self.block((old, block), (new, other)),
                (Some(block), None) => self.whole(old, block, Change::Removed),
                (None, Some(block)) => self.whole(new, block, Change::Added),
                (None, None) => {}
            }
        }
    }

    fn whole(&mut self, plan: &Plan, block: BlockId, change: Change) {
        for at in 0..plan.block(block).steps.len() {
            self.only(plan, (block, at), change);
        }
    }
}

/// The blocks inside a step; the first is `else`, so that it belongs to the other `else` however many arms there are.
fn inner(kind: &StepKind) -> Vec<Option<BlockId>> {
    match kind {
        StepKind::If { arms, otherwise } => {
            std::iter::once(*otherwise).chain(arms.iter().map(|(_, block)| Some(*block))).collect()
        }
        other => other.children().into_iter().map(Some).collect(),
    }
}

/// What two versions of a step have in common.
fn key(plan: &Plan, step: &Step) -> String {
    let name = |local: &LocalId| plan.campaign()[*local].name.as_str();
    let detail = match &step.kind {
        StepKind::Segment { local, .. } | StepKind::Let { local, .. } | StepKind::For { local, .. } => {
            name(local).to_owned()
        }
        StepKind::Split { arms, .. } => arms.first().map(|arm| name(&arm.local)).unwrap_or_default().to_owned(),
        StepKind::Send(send) => {
            format!("{} {}", plan.program[send.channel].name, send.delivery.as_ref().map(name).unwrap_or_default())
        }
        StepKind::WaitSignal { signal, .. } | StepKind::Emit { signal, .. } => plan.program[*signal].name.clone(),
        _ => String::new(),
    };
    format!("{} {detail}", step.kind.word())
}

/// Pairs of two lists, in order: a partner for each step where something stands, then as many equal pairs as possible,
/// then as many with the same key.
fn aligned(
    old: &[(String, String)],
    new: &[(String, String)],
    stands: &[usize],
) -> Vec<(Option<usize>, Option<usize>)> {
    const SAME: usize = 1_000;
    const STANDS: usize = 1_000_000;
    let score = |at: usize, to: usize| {
        let alike = match () {
            () if old[at] == new[to] => SAME + 1,
            () if old[at].0 == new[to].0 => 1,
            () => return 0,
        };
        if stands.contains(&at) { alike + STANDS } else { alike }
    };
    // best[at][to]: the most that the rest of both lists can give.
    let mut best = vec![vec![0; new.len() + 1]; old.len() + 1];
    for at in (0..old.len()).rev() {
        for to in (0..new.len()).rev() {
            let pair = score(at, to);
            let together = if pair > 0 { pair + best[at + 1][to + 1] } else { 0 };
            best[at][to] = together.max(best[at + 1][to]).max(best[at][to + 1]);
        }
    }
    let (mut at, mut to, mut pairs) = (0, 0, Vec::new());
    while at < old.len() || to < new.len() {
        let pair = if at < old.len() && to < new.len() { score(at, to) } else { 0 };
        if pair > 0 && best[at][to] == pair + best[at + 1][to + 1] {
            pairs.push((Some(at), Some(to)));
            (at, to) = (at + 1, to + 1);
        } else if to == new.len() || (at < old.len() && best[at][to] == best[at + 1][to]) {
            pairs.push((Some(at), None));
            at += 1;
        } else {
            pairs.push((None, Some(to)));
            to += 1;
        }
    }
    pairs
}

/// The name in the later version that is the same as one of the earlier: the one of its kind, counted among those that
/// are written alike.
pub fn same_local(old: &Plan, new: &Plan, local: LocalId) -> Option<LocalId> {
    let known = &old.campaign().locals;
    let wanted = known.get(local.0 as usize)?;
    let is_like = |other: &&Local| other.name == wanted.name && other.kind == wanted.kind;
    let before = known[..local.0 as usize].iter().filter(is_like).count();
    let mut like = new.campaign().locals.iter().enumerate().filter(|(_, other)| is_like(other));
    like.nth(before).map(|(at, _)| LocalId(at as u32))
}

/// Why what an earlier name is bound to cannot be used under a later one; `None` when it can.
pub fn misfit(old: &Plan, was: LocalId, new: &Plan, is: LocalId) -> Option<String> {
    let (before, after) = (&old.campaign()[was], &new.campaign()[is]);
    if shape::ty(old, &before.ty) != shape::ty(new, &after.ty) {
        let (was, is) = (before.ty.show(&old.program), after.ty.show(&new.program));
        return Some(format!("`{}` holds {was}, and would be {is}", before.name));
    }
    let entity = |plan: &Plan, local: &Local| {
        use crate::hir::TyKind::{Delivery, Segment};
        match &local.ty.kind {
            Segment(ty) | Delivery(ty) => Some(plan.program[ty.entity].clone()),
            _ => None,
        }
    };
    let (Some(known), Some(wanted)) = (entity(old, before), entity(new, after)) else { return None };
    let has =
        |name: &str, ty: &str| known.fields.iter().any(|field| field.name == name && shape::ty(old, &field.ty) == ty);
    let missing = wanted.fields.iter().find(|field| !has(&field.name, &shape::ty(new, &field.ty)))?;
    let (name, field) = (&before.name, &missing.name);
    Some(format!(
        "the frozen rows of `{name}` have no `{field}` of this type: `{}` was declared otherwise",
        wanted.name
    ))
}
