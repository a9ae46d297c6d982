//! What is visible at a place.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::{Column, EntityId, Expr, LocalId, MessageId, Query, QueryKind, RelationId, RowId, SegmentTy};

/// The names that an expression can use. Cheap to clone; clauses push a row, statements push locals.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    /// Current rows, innermost last. Only the innermost row's fields are names; outer rows need their qualifier.
    pub rows: Vec<RowScope>,
    /// Segments, `let`s, parameters, deliveries, loop variables; later ones hide earlier ones. A dotted name is a
    /// qualified one: `welcome.country` (a parameter by its campaign), `s.sku` (a field of a signal).
    pub locals: Locals,
}

/// Names in the order in which they were bound. A clone shares what there is, so that a clause or a block costs nothing
/// for the thousands of names before it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Locals {
    /// Only the last one grows, and only while nobody shares it.
    layers: Vec<Arc<Layer>>,
}

#[derive(Clone, Debug, Default)]
struct Layer {
    names: Vec<(String, Bound)>,
    /// Where each name was bound last, once there are too many to look through.
    latest: HashMap<String, usize>,
}

/// Names that are looked through faster than a hash is computed. Most layers are those of a call and have fewer.
const FEW: usize = 8;

impl Layer {
    fn push(&mut self, name: String, bound: Bound) {
        self.names.push((name, bound));
        let unknown = match self.names.len() {
            few if few <= FEW => return,
            many if self.latest.is_empty() => 0..many,
            many => many - 1..many,
        };
        for at in unknown {
            self.latest.insert(self.names[at].0.clone(), at);
        }
    }

    fn find(&self, name: &str) -> Option<&Bound> {
        if self.latest.is_empty() {
            return self.names.iter().rev().find(|(known, _)| known == name).map(|(_, bound)| bound);
        }
        self.latest.get(name).map(|at| &self.names[*at].1)
    }
}

impl Locals {
    fn push(&mut self, name: String, bound: Bound) {
        if self.layers.last_mut().and_then(Arc::get_mut).is_none() {
            self.layers.push(Arc::default());
        }
        if let Some(layer) = self.layers.last_mut().and_then(Arc::get_mut) {
            layer.push(name, bound);
        }
    }

    /// How many were bound.
    pub fn len(&self) -> usize {
        self.layers.iter().map(|layer| layer.names.len()).sum()
    }

    /// All, the first bound first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &(String, Bound)> {
        self.layers.iter().flat_map(|layer| &layer.names)
    }

    /// What was bound last under a name.
    fn find(&self, name: &str) -> Option<&Bound> {
        self.layers.iter().rev().find_map(|layer| layer.find(name))
    }
}

/// What a name in scope stands for.
#[derive(Clone, Debug)]
pub(crate) enum Bound {
    /// Something bound in the campaign.
    Local(LocalId),
    /// An argument of a definition that is being expanded.
    Value(Box<Expr>),
    /// The same, for a population.
    Population(Box<Query>),
    /// The same, for a message.
    Message(MessageId),
    /// Bound to something wrong that was reported.
    Poisoned,
}

/// A row whose fields are in scope.
#[derive(Clone, Debug)]
pub(crate) struct RowScope {
    pub row: RowId,
    /// The way from `row` to the row meant here; not empty only while a definition is used on a related row.
    pub path: Vec<RelationId>,
    pub entity: EntityId,
    /// Added columns.
    pub with: Arc<[Column]>,
    /// False for rows that only have added columns: rejected lines.
    pub has_fields: bool,
    /// What qualifies it from an inner clause: the name of its entity or segment. The entity's name always does.
    pub name: String,
    /// After `dedupe`: what `group` is.
    pub group: Option<SegmentTy>,
}

impl Scope {
    /// The same scope with one more row.
    #[must_use]
    pub fn with_row(&self, row: RowScope) -> Self {
        let mut rows = Vec::with_capacity(self.rows.len() + 1);
        rows.extend(self.rows.iter().cloned());
        rows.push(row);
        Scope { rows, locals: self.locals.clone() }
    }

    /// Makes a local visible from here on.
    pub fn bind(&mut self, name: impl Into<String>, local: LocalId) {
        self.locals.push(name.into(), Bound::Local(local));
    }

    /// Makes a local visible under its name and under `owner.name`, for where a field hides it.
    pub fn bind_qualified(&mut self, owner: &str, name: &str, local: LocalId) {
        self.bind(format!("{owner}.{name}"), local);
        self.bind(name, local);
    }

    /// Makes a name stand for an argument.
    pub fn bind_to(&mut self, name: impl Into<String>, bound: Bound) {
        self.locals.push(name.into(), bound);
    }

    /// The innermost local with this name.
    pub fn local(&self, name: &str) -> Option<LocalId> {
        match self.bound(name)? {
            Bound::Local(local) => Some(*local),
            _ => None,
        }
    }

    /// What the name stands for, apart from rows and globals.
    pub fn bound(&self, name: &str) -> Option<&Bound> {
        self.locals.find(name)
    }
}

impl RowScope {
    /// A row of an entity.
    pub fn new(row: RowId, entity: EntityId, name: impl Into<String>) -> Self {
        Self { row, path: Vec::new(), entity, with: Arc::default(), has_fields: true, name: name.into(), group: None }
    }

    /// A row of a population.
    pub fn of_query(row: RowId, query: &Query, name: impl Into<String>) -> Self {
        let group = group_of(query).cloned();
        let has_fields = !is_rejected(query);
        Self { with: query.ty.with.clone(), group, has_fields, ..Self::new(row, query.ty.entity, name) }
    }
}

/// The population a query narrows without changing what its rows are.
fn narrowed(query: &Query) -> Option<&Query> {
    match &query.kind {
        QueryKind::Where { input, .. }
        | QueryKind::With { input, .. }
        | QueryKind::OrderBy { input, .. }
        | QueryKind::Limit { input, .. }
        | QueryKind::Sample { input, .. }
        | QueryKind::New { input, .. } => Some(input),
        _ => None,
    }
}

/// What `group` is in clauses after `query`: the input of the last `dedupe`.
fn group_of(query: &Query) -> Option<&SegmentTy> {
    match &query.kind {
        QueryKind::Dedupe { input, .. } => Some(&input.ty),
        _ => group_of(narrowed(query)?),
    }
}

fn is_rejected(query: &Query) -> bool {
    matches!(query.kind, QueryKind::Rejected(_)) || narrowed(query).is_some_and(is_rejected)
}
