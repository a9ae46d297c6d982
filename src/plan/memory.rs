//! What `new` remembers, and in which memory.

use super::{Plan, StepKind};
use crate::hir::{ColumnRef, Expr, ExprKind, LocalId, Program, Query, QueryKind, RowId};

/// A `new` of a segment.
#[derive(Clone, Debug)]
pub struct NewRows<'p> {
    /// The name under which taken rows are remembered.
    pub memory: String,
    /// The segment.
    pub segment: &'p str,
    /// The population up to and with `new`.
    pub query: &'p Query,
    /// The population before it.
    pub input: &'p Query,
    /// The row of `by`.
    pub row: RowId,
    /// What grows; without it keys are remembered.
    pub by: Option<&'p Expr>,
    /// Whether the finished segment still consists of the rows that passed, and not of rows of another entity: those are
    /// taken that are in it.
    pub to_the_end: bool,
}

impl Plan {
    /// Every `new` of the campaign, in the order of its segments.
    pub fn news(&self) -> Vec<NewRows<'_>> {
        let of_step = |step: &super::Step| match &step.kind {
            StepKind::Segment { local, .. } => Some(*local),
            _ => None,
        };
        self.steps().into_iter().filter_map(of_step).flat_map(|local| self.news_of(local)).collect()
    }

    /// The `new`s of one segment, the last clause first.
    pub fn news_of(&self, segment: LocalId) -> Vec<NewRows<'_>> {
        let is_it = |step: &&super::Step| matches!(&step.kind, StepKind::Segment { local, .. } if *local == segment);
        let Some(StepKind::Segment { query, .. }) = self.steps().into_iter().find(is_it).map(|step| &step.kind) else {
            return Vec::new();
        };
        let name = self.campaign()[segment].name.as_str();
        let mut found = Vec::new();
        let (mut at, mut to_the_end) = (Some(query), true);
        while let Some(query) = at {
            if let QueryKind::New { input, memory, row, by } = &query.kind {
                let memory = memory.clone().unwrap_or_else(|| self.default_memory(segment));
                let by = by.as_ref();
                found.push(NewRows { memory, segment: name, query, input, row: *row, by, to_the_end });
            }
            to_the_end &= !matches!(query.kind, QueryKind::Match { .. } | QueryKind::Navigate { .. });
            at = query.input();
        }
        found
    }

    /// The memory of a segment whose `new` names none.
    pub fn default_memory(&self, segment: LocalId) -> String {
        format!("{}.{}", self.campaign().name, self.campaign()[segment].name)
    }
}

/// What a `by` looks at, as a name: `placed_at`, `customer.joined`.
pub fn by_name(program: &Program, of: &Query, by: &Expr) -> String {
    let ExprKind::Column { path, column, .. } = &by.kind else { return "an expression".to_owned() };
    let mut entity = of.ty.entity;
    let mut names = Vec::new();
    for relation in path {
        let relation = &program[entity][*relation];
        names.push(relation.name.as_str());
        entity = relation.target;
    }
    names.push(match column {
        ColumnRef::Field(field) => program[entity][*field].name.as_str(),
        ColumnRef::Added(name) => name,
    });
    names.join(".")
}
