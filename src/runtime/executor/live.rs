//! From a frozen row to its live row.
//!
//! A frozen population keeps the columns it had, but address, consent and zone are those of the moment of sending. So
//! each keyed entity gets a relation to itself by its key, under a name that no program can write; whatever is to be
//! read live goes through it. A row that has vanished from the source has nothing at its end.

use crate::hir::{EntityId, Program, Relation, RelationId};

/// No name of the language may contain a blank outside backquotes, nor begin with one inside.
const LIVE: &str = " live";

/// The program in which every entity with a key has a relation to its own live row.
pub(super) fn with_live_relations(program: &Program) -> Program {
    let mut program = program.clone();
    for (at, entity) in program.entities.iter_mut().enumerate() {
        if !entity.key.is_empty() {
            entity.relations.push(Relation {
                name: LIVE.to_string(),
                span: entity.span,
                doc: None,
                many: false,
                target: EntityId(at as u32),
                on: entity.key.iter().map(|key| (*key, *key)).collect(),
            });
        }
    }
    program
}

/// The way from a frozen row of `entity` to its live row; none for entities without a key, whose rows are read as
/// they were frozen.
pub(super) fn live_relation(program: &Program, entity: EntityId) -> Option<RelationId> {
    program[entity].relation(LIVE)
}
