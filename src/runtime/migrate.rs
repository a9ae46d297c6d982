//! Moving a run that stands still to another version of its script.
//!
//! Its branches go to where the same steps stand in the new version, its names to the same names. Whatever has no such
//! place is a reason to refuse: nothing is guessed. Steps that a branch stands at keep the names they have in the ledger;
//! later ones get names of their own, so that nothing of the old version is taken for theirs.

use std::collections::{BTreeMap, BTreeSet};

use super::error::RunError;
use super::inbox::Moved;
use super::machine::{self, Bound, Event, Phase, State, Token, Version};
use super::store::{Change, RunRecord, SendRecord, Store};
use crate::hir::{LocalId, LocalKind, TyKind, Value};
use crate::plan::compare::{self, Comparison, Place};
use crate::plan::{BlockId, Plan, Step, StepKind};

/// How a run would go on in another version.
#[derive(Clone, Debug)]
pub struct Migration {
    /// What became of each step.
    pub comparison: Comparison,
    /// Why it cannot; empty when it can.
    pub refused: Vec<String>,
    /// What somebody should know about it.
    pub notes: Vec<String>,
    /// Where branches stand, in both versions.
    pub positions: Vec<(Place, Option<Place>)>,
    tokens: BTreeMap<String, Token>,
    locals: BTreeMap<u32, Bound>,
    from: Version,
    to: Version,
}

/// Both versions of a run.
struct Move<'m> {
    old: &'m Plan,
    new: &'m Plan,
    state: &'m State,
    sends: &'m [SendRecord],
}

impl Migration {
    /// Looks how a run would go on; changes nothing.
    ///
    /// # Errors
    /// The store cannot be read, or the run's record does not fit its plan.
    pub fn find(store: &dyn Store, record: &RunRecord, old: &Plan, new: &Plan, file: &str) -> Result<Self, RunError> {
        let sends = store.sends(&record.run)?;
        let moved = Move { old, new, state: &record.state, sends: &sends };
        let (campaign, fingerprint) = (new.campaign().name.clone(), new.fingerprint.clone());
        let stands = |token: &Token| (token.block, token.at as usize);
        let places: Vec<Place> = record.state.tokens.values().map(stands).collect();
        let mut migration = Self {
            comparison: Comparison::of(old, new, &places),
            refused: Vec::new(),
            notes: Vec::new(),
            positions: Vec::new(),
            tokens: BTreeMap::new(),
            locals: BTreeMap::new(),
            from: record.version(),
            to: Version { campaign, file: file.to_string(), fingerprint },
        };
        for (name, token) in &record.state.tokens {
            moved.branch(name, token, &mut migration)?;
        }
        moved.names(&mut migration);
        moved.parameters(&mut migration);
        if migration.refused.is_empty() {
            moved.unbound(&mut migration);
        }
        Ok(migration)
    }

    /// The run as it is moved.
    ///
    /// # Errors
    /// It was refused, or the run is over.
    pub fn moved(&self, record: &RunRecord, plan: &Plan, now: jiff::Timestamp) -> Result<Moved, RunError> {
        if let Some(why) = self.refused.first() {
            return Err(machine::MachineError(why.clone()).into());
        }
        let event = Event::Migrated {
            from: self.from.clone(),
            to: self.to.clone(),
            tokens: self.tokens.clone(),
            locals: self.locals.clone(),
        };
        let mut state = record.state.clone();
        machine::apply(plan, &mut state, &event)?;
        let (run, to, files) = (record.run.clone(), self.to.clone(), plan.files.clone());
        Ok(Moved { run, to, files, seq: record.seq + 1, at: now.max(record.updated), event, state })
    }

    /// The changes that move the run, for one transaction.
    ///
    /// # Errors
    /// It was refused, or the run is over.
    pub fn changes(&self, record: &RunRecord, plan: &Plan, now: jiff::Timestamp) -> Result<Vec<Change>, RunError> {
        Ok(self.moved(record, plan, now)?.changes())
    }
}

impl Move<'_> {
    /// A branch goes to the step that is the same in the new version.
    fn branch(&self, name: &str, token: &Token, migration: &mut Migration) -> Result<(), RunError> {
        let step = machine::step_of(self.old, token)?;
        let place = (token.block, token.at as usize);
        let found = migration.comparison.steps.get(&place).copied();
        migration.positions.push((place, found));
        let title = format!("step {} `{}`", step.path, step.title);
        if token.again.is_some() {
            migration.refused.push(format!("messages of {title} were asked for again and have not left yet"));
            return Ok(());
        }
        let Some(found) = found else {
            migration.refused.push(format!("the run stands at {title}, which the new version does not have"));
            return Ok(());
        };
        let is = &self.new.block(found.0).steps[found.1];
        if migration.comparison.change(place) == compare::Change::Changed {
            self.changed(name, token, (step, is), migration);
        }
        let began = Some(self.state.path_of(token, step));
        let moved = Token { block: found.0, at: found.1 as u32, began, ..token.clone() };
        migration.tokens.insert(name.to_string(), moved);
        Ok(())
    }

    /// A branch stands at a step that says something else now.
    fn changed(&self, name: &str, token: &Token, (was, is): (&Step, &Step), migration: &mut Migration) {
        let path = self.state.path_of(token, was);
        let begun = |send: &&SendRecord| send.step == path && send.token == name;
        match (&was.kind, token.phase) {
            (StepKind::Send(_), _) => {
                if let Some(send) = self.sends.iter().find(begun) {
                    let people = send.targeted;
                    migration.refused.push(format!(
                        "`{}` has begun ({people} people): its message, population and options cannot change",
                        was.title
                    ));
                }
            }
            (StepKind::Parallel { branches }, Phase::Inside) if is.kind.children().len() != branches.len() => {
                migration.refused.push(format!("`{}` has begun: it cannot have other branches", was.title));
            }
            (StepKind::Human { .. }, Phase::Blocked | Phase::Waiting { .. }) => {
                migration.notes.push(format!("`{}` was asked already, in its old words", was.title));
            }
            (
                StepKind::Wait { .. } | StepKind::WaitUntil { .. } | StepKind::WaitSignal { .. },
                Phase::Waiting { .. },
            ) => {
                migration.notes.push(format!("`{}` has begun: it ends when it would have ended", was.title));
            }
            (StepKind::For { .. }, Phase::Inside) => {
                migration.notes.push(format!("`{}` has begun: it goes over the items it found", was.title));
            }
            _ => {}
        }
    }

    /// What names are bound to goes to the same names.
    fn names(&self, migration: &mut Migration) {
        let (before, after) = (self.old.kept(), self.new.kept());
        for (local, bound) in &self.state.locals {
            let was = LocalId(*local);
            let Some(is) = compare::same_local(self.old, self.new, was) else { continue };
            if let Some(why) = compare::misfit(self.old, was, self.new, is) {
                migration.refused.push(why);
                continue;
            }
            if let Bound::Snapshot(_) | Bound::Delivery(_) = bound
                && let Some(lacking) = after.lacking(is, &before, was, &self.keys(is))
            {
                let name = &self.new.campaign()[is].name;
                migration
                    .refused
                    .push(format!("the frozen rows of `{name}` were kept without {lacking}, which is read now"));
                continue;
            }
            if self.new.reads_unmatched(is) && !self.old.reads_unmatched(was) {
                let name = &self.new.campaign()[is].name;
                migration
                    .refused
                    .push(format!("`{name}.unmatched` is read now, and was not kept when `{name}` was computed"));
            }
            migration.locals.insert(is.0, bound.clone());
        }
    }

    /// The key of the entity whose rows a name holds.
    fn keys(&self, local: LocalId) -> Vec<&str> {
        let entity = match &self.new.campaign()[local].ty.kind {
            TyKind::Segment(ty) | TyKind::Delivery(ty) => &self.new.program[ty.entity],
            _ => return Vec::new(),
        };
        entity.key.iter().map(|key| entity[*key].name.as_str()).collect()
    }

    /// Parameters that the run was not started with have their defaults.
    fn parameters(&self, migration: &mut Migration) {
        for param in &self.new.campaign().params {
            let Some(local) = param.local.filter(|local| !migration.locals.contains_key(&local.0)) else { continue };
            match &param.default {
                Some(value) => drop(migration.locals.insert(local.0, Bound::Value(value.clone()))),
                None if param.ty.nullable => drop(migration.locals.insert(local.0, Bound::Value(Value::Null))),
                None => migration.refused.push(format!("the parameter `{}` is new and has no default", param.name)),
            }
        }
    }

    /// Names that the rest of the run uses, but that were to be bound by steps it has passed.
    fn unbound(&self, migration: &mut Migration) {
        let mut rest = Vec::new();
        for token in migration.tokens.values() {
            self.rest_of(token, &mut rest);
        }
        let bound: BTreeSet<LocalId> = rest.iter().flat_map(|step| binds(&step.kind)).collect();
        for step in &rest {
            for local in compare::locals(step) {
                let Some(known) = self.new.campaign().locals.get(local.0 as usize) else { continue };
                // A message or a definition that is put in where it is used is no value of the run.
                let is_value = known.kind != LocalKind::Parameter;
                if is_value && !bound.contains(&local) && !migration.locals.contains_key(&local.0) {
                    let why = format!(
                        "step {} `{}` uses `{}`, which nothing has bound: the run has passed the place",
                        step.path, step.title, known.name
                    );
                    if !migration.refused.contains(&why) {
                        migration.refused.push(why);
                    }
                }
            }
        }
    }

    /// The steps that a branch has still before it, the one it stands at and everything inside included.
    fn rest_of<'s>(&'s self, token: &Token, into: &mut Vec<&'s Step>) {
        let steps = &self.new.block(token.block).steps;
        for (at, step) in steps.iter().enumerate().skip(token.at as usize) {
            into.push(step);
            // Of a step whose inside is under way, the branches inside it say what is left; loops come round again.
            let under_way = at == token.at as usize && token.phase == Phase::Inside;
            if !under_way || matches!(step.kind, StepKind::Repeat { .. } | StepKind::For { .. }) {
                step.kind.children().into_iter().for_each(|block| self.whole(block, into));
            }
        }
    }

    fn whole<'s>(&'s self, block: BlockId, into: &mut Vec<&'s Step>) {
        for step in &self.new.block(block).steps {
            into.push(step);
            step.kind.children().into_iter().for_each(|block| self.whole(block, into));
        }
    }
}

/// The names that a step binds.
fn binds(kind: &StepKind) -> Vec<LocalId> {
    match kind {
        StepKind::Segment { local, .. } | StepKind::Let { local, .. } | StepKind::For { local, .. } => vec![*local],
        StepKind::Split { arms, .. } => arms.iter().map(|arm| arm.local).collect(),
        StepKind::WaitSignal { fields, .. } => fields.clone(),
        StepKind::Send(send) => send.delivery.into_iter().collect(),
        _ => Vec::new(),
    }
}
