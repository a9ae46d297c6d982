//! What is visible at a place.

use super::super::{Column, EntityId, LocalId, RowId};

/// The names that an expression can use. Cheap to clone; clauses push a row, statements push locals.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    /// Current rows, innermost last.
    pub rows: Vec<RowScope>,
    /// Segments, `let`s, parameters, deliveries, loop variables; later ones hide earlier ones.
    pub locals: Vec<(String, LocalId)>,
}

/// A row whose fields are in scope.
#[derive(Clone, Debug)]
pub(crate) struct RowScope {
    pub row: RowId,
    pub entity: EntityId,
    /// Added columns.
    pub with: Vec<Column>,
    /// What qualifies it from an inner clause: the name of its entity or segment.
    pub name: String,
    /// After `dedupe`: `group` is visible.
    pub grouped: bool,
}

impl Scope {
    /// The same scope with one more row.
    #[must_use]
    pub fn with_row(&self, row: RowScope) -> Self {
        let mut inner = self.clone();
        inner.rows.push(row);
        inner
    }

    /// Makes a local visible from here on.
    pub fn bind(&mut self, name: impl Into<String>, local: LocalId) {
        self.locals.push((name.into(), local));
    }

    /// The innermost local with this name.
    pub fn local(&self, name: &str) -> Option<LocalId> {
        self.locals.iter().rev().find(|(known, _)| known == name).map(|(_, local)| *local)
    }
}
