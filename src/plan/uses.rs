//! Which entities a plan reads.

use std::collections::BTreeSet;

use super::{Plan, Step, StepKind};
use crate::hir::{
    ArmKind, Content, EntityId, Expr, LocalId, Query, QueryKind, RelationId, Send, SendAt, TemplatePart, Until,
    visit_expr, visit_query,
};

impl Plan {
    /// The entities whose rows the campaign may read, so that their sources can be looked at before anything happens.
    /// Paths are followed from every entity that is read, which may name one more than is needed, never one less.
    pub fn entities(&self) -> BTreeSet<EntityId> {
        self.read(self.uses())
    }

    /// The entities whose rows one step may read.
    pub fn entities_of(&self, step: &Step) -> BTreeSet<EntityId> {
        let mut uses = Uses::default();
        uses.step(&step.kind);
        if let StepKind::Send(send) = &step.kind {
            self.consent_rules(send, &mut uses);
        }
        self.read(uses)
    }

    fn read(&self, uses: Uses) -> BTreeSet<EntityId> {
        let mut entities = uses.entities;
        let mut open: Vec<EntityId> = entities.iter().copied().collect();
        while let Some(entity) = open.pop() {
            for path in &uses.paths {
                for target in self.along(entity, path) {
                    if entities.insert(target) {
                        open.push(target);
                    }
                }
            }
        }
        entities
    }

    /// Whether anything reads the unmatched rows of a population.
    pub fn reads_unmatched(&self, local: LocalId) -> bool {
        self.uses().unmatched.contains(&local)
    }

    fn uses(&self) -> Uses {
        let mut uses = Uses::default();
        for step in self.steps() {
            uses.step(&step.kind);
            if let StepKind::Send(send) = &step.kind {
                self.consent_rules(send, &mut uses);
            }
        }
        uses
    }

    fn consent_rules(&self, send: &Send, uses: &mut Uses) {
        uses.paths.insert(send.profile.clone());
        let channel = &self.program[send.channel].name;
        for entity in &self.program.entities {
            for (_, rule) in entity.consent.iter().filter(|(name, _)| name == channel) {
                uses.expr(rule);
            }
        }
    }

    /// The entities on the way, as far as the path exists from `entity`.
    fn along(&self, mut entity: EntityId, path: &[RelationId]) -> Vec<EntityId> {
        let mut out = Vec::new();
        for relation in path {
            let Some(relation) = self.program[entity].relations.get(relation.0 as usize) else { break };
            entity = relation.target;
            out.push(entity);
        }
        out
    }
}

/// What was found so far.
#[derive(Default)]
struct Uses {
    entities: BTreeSet<EntityId>,
    paths: BTreeSet<Vec<RelationId>>,
    unmatched: BTreeSet<LocalId>,
}

impl Uses {
    fn step(&mut self, kind: &StepKind) {
        match kind {
            StepKind::Segment { query, .. } => self.query(query),
            StepKind::Split { input, arms, .. } => {
                self.query(input);
                arms.iter().for_each(|arm| self.arm(&arm.kind));
            }
            StepKind::WaitUntil { until, within, .. } => {
                match until {
                    Until::Moment(expr) | Until::Condition(expr) => self.expr(expr),
                    Until::Weekday { at, .. } => self.exprs(at),
                }
                self.exprs(within);
            }
            StepKind::WaitSignal { filter, within, .. } => {
                self.exprs(filter);
                self.exprs(within);
            }
            StepKind::Human { text, role, within, .. } => {
                self.expr(text);
                self.exprs(role);
                self.exprs(within);
            }
            StepKind::Repeat { times, every, until, .. } => {
                self.expr(times);
                self.exprs(every);
                self.exprs(until);
            }
            StepKind::For { list, .. } => self.expr(list),
            StepKind::Emit { args, .. } => self.exprs(args),
            StepKind::Let { value: expr, .. } | StepKind::Wait { duration: expr } | StepKind::Log { text: expr } => {
                self.expr(expr);
            }
            StepKind::Send(send) => self.send(send),
            StepKind::If { arms, .. } => arms.iter().for_each(|(condition, _)| self.expr(condition)),
            StepKind::Require { condition, reason } => {
                self.expr(condition);
                self.exprs(reason);
            }
            StepKind::Data(data) => {
                data.query().into_iter().for_each(|query| self.query(query));
                data.exprs().into_iter().for_each(|expr| self.expr(expr));
                self.entities.extend(data.target());
            }
            StepKind::Stop { reason } | StepKind::Fail { reason } => self.exprs(reason),
            StepKind::Parallel { .. } => {}
        }
    }

    fn exprs<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) {
        exprs.into_iter().for_each(|expr| self.expr(expr));
    }

    fn arm(&mut self, kind: &ArmKind) {
        match kind {
            ArmKind::Rows { predicate, by, .. } => {
                self.exprs(predicate);
                self.exprs(by.iter().map(|key| &key.value));
            }
            ArmKind::Share(expr) => self.expr(expr),
            ArmKind::Sample(_) | ArmKind::Otherwise => {}
        }
    }

    fn send(&mut self, send: &Send) {
        self.query(&send.to);
        self.expr(&send.address);
        if let Some(SendAt::LocalTime(moment) | SendAt::Moment(moment)) = &send.options.at {
            self.expr(moment);
        }
        self.exprs(&send.options.require);
        let fields = send.message.iter().flat_map(|message| &message.fields);
        for (_, content) in fields {
            match content {
                Content::Inline(parts) => parts.iter().for_each(|part| {
                    if let TemplatePart::Hole(expr) = part {
                        self.expr(expr);
                    }
                }),
                Content::File { variables, .. } => variables.iter().for_each(|(_, expr)| self.expr(expr)),
            }
        }
    }

    fn query(&mut self, query: &Query) {
        let Uses { entities, paths, unmatched } = self;
        visit_query(query, &mut |_, path, _| followed(paths, path), &mut |query| found(entities, unmatched, query));
    }

    fn expr(&mut self, expr: &Expr) {
        let Uses { entities, paths, unmatched } = self;
        visit_expr(expr, &mut |_, path, _| followed(paths, path), &mut |query| found(entities, unmatched, query));
    }
}

fn followed(paths: &mut BTreeSet<Vec<RelationId>>, path: &[RelationId]) {
    paths.insert(path.to_vec());
}

fn found(entities: &mut BTreeSet<EntityId>, unmatched: &mut BTreeSet<LocalId>, query: &Query) {
    entities.insert(query.ty.entity);
    if let QueryKind::Unmatched(local) = &query.kind {
        unmatched.insert(*local);
    }
    if let QueryKind::Match { target, .. } = &query.kind {
        entities.insert(*target);
    }
}
