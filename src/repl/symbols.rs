//! The names that an analysis knows.

use super::{Symbol, SymbolKind};
use crate::analysis::Analysis;
use crate::hir::{EntityId, LocalKind, Program, TyKind};
use crate::syntax::ast::StmtKind;

/// All names that can be written in a line typed after the script: declarations, the script's own bindings, functions.
pub fn symbols(analysis: &Analysis) -> Vec<Symbol> {
    let mut found = Vec::new();
    let mut add = |name: &str, kind| found.push(Symbol { name: name.to_owned(), kind });
    let program = &analysis.program;
    for (at, entity) in program.entities.iter().enumerate() {
        add(&entity.name, SymbolKind::Population);
        for field in names_of(program, EntityId(at as u32)) {
            add(field, SymbolKind::Field { of: entity.name.clone() });
        }
    }
    for local in program.campaigns.iter().flat_map(|campaign| &campaign.locals) {
        let TyKind::Segment(segment) = &local.ty.kind else {
            add(&local.name, SymbolKind::Other);
            continue;
        };
        let kind = if local.kind == LocalKind::Delivery { SymbolKind::Other } else { SymbolKind::Population };
        add(&local.name, kind);
        let added = segment.with.iter().map(|column| column.name.as_str());
        for field in names_of(program, segment.entity).chain(added) {
            add(field, SymbolKind::Field { of: local.name.clone() });
        }
    }
    for message in &program.messages {
        add(&message.name, SymbolKind::Other);
    }
    for topic in &program.topics {
        add(&topic.name, SymbolKind::Other);
    }
    for stmt in analysis.files.iter().flat_map(|file| &file.ast.stmts) {
        if let StmtKind::Define(define) = &stmt.kind {
            add(&define.name.text, SymbolKind::Function);
        }
    }
    found
}

/// Fields and relations of an entity.
fn names_of(program: &Program, id: EntityId) -> impl Iterator<Item = &str> {
    let entity = &program[id];
    let relations = entity.relations.iter().map(|relation| relation.name.as_str());
    entity.fields.iter().map(|field| field.name.as_str()).chain(relations)
}
