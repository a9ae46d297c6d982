//! Relations: which fields here equal which fields there.

use super::super::problem::NameProblem;
use super::super::{EntityId, FieldId, Relation, TyKind};
use super::Checker;
use crate::base::{Span, did_you_mean};
use crate::diag::codes::names as codes;
use crate::syntax::ast::{self, EntityItemKind};

/// A relation as written.
struct Written<'r> {
    name: &'r ast::Name,
    many: bool,
    entity: &'r ast::Name,
    by: &'r [ast::Name],
}

impl Checker<'_> {
    /// The relations of an entity; those of other entities may still be missing.
    pub(super) fn relations(&mut self, id: EntityId, items: &[ast::EntityItem]) {
        for item in items {
            let EntityItemKind::Relation { name, many, entity, by } = &item.kind else { continue };
            let written = Written { name, many: *many, entity, by };
            let doc = item.doc.as_ref().map(|doc| doc.text.clone());
            self.relation(id, &written, doc);
        }
    }

    fn relation(&mut self, id: EntityId, written: &Written<'_>, doc: Option<String>) {
        let name = written.name;
        let here = &self.program[id];
        let taken = here.field(&name.text).map(|at| ("a field", here[at].span));
        let taken = taken.or_else(|| here.relation(&name.text).map(|at| ("a relation", here[at].span)));
        if let Some((what, first)) = taken {
            let (name, span) = (name.text.clone(), name.span);
            return self.report(NameProblem::Duplicate { name, what, span, first });
        }
        let Some(target) = self.entity_named(written.entity) else { return };
        // A wrong relation stays known, so that its uses are not reported as well.
        let on = self.pairs(id, target, written).unwrap_or_default();
        let relation = Relation { name: name.text.clone(), span: name.span, doc, many: written.many, target, on };
        self.entity_mut(id).relations.push(relation);
    }

    /// Pairs (field here, field there). The foreign keys are there for `many`, here for `one`.
    fn pairs(&mut self, here: EntityId, there: EntityId, written: &Written<'_>) -> Option<Vec<(FieldId, FieldId)>> {
        let (of_key, of_foreign) = if written.many { (here, there) } else { (there, here) };
        let mut foreign = Vec::new();
        for name in written.by {
            foreign.push(self.foreign_key(of_foreign, name));
        }
        let foreign: Vec<FieldId> = foreign.into_iter().collect::<Option<_>>()?;
        let key = self.program[of_key].key.clone();
        let span = written.by.first()?.span.to(written.by.last()?.span);
        if key.is_empty() {
            // Reading the schema from data gives no key; rows without a block cannot be related.
            self.no_key(of_key, written, span);
            return None;
        }
        if key.len() != foreign.len() {
            self.key_length(of_key, &key, foreign.len(), written, span);
            return None;
        }
        for ((key, foreign), name) in key.iter().zip(&foreign).zip(written.by) {
            self.same_type((of_key, *key), (of_foreign, *foreign), written, name.span);
        }
        let pair = |(key, foreign)| if written.many { (key, foreign) } else { (foreign, key) };
        Some(key.into_iter().zip(foreign).map(pair).collect())
    }

    fn foreign_key(&mut self, entity: EntityId, name: &ast::Name) -> Option<FieldId> {
        let entity = &self.program[entity];
        let found = entity.field(&name.text);
        if found.is_none() && !entity.fields.is_empty() {
            let nearest = did_you_mean(&name.text, entity.fields.iter().map(|field| field.name.as_str()));
            let help = match nearest {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("`by` names the field of `{}` that holds the other's key", entity.name),
            };
            let why = format!("`{}` has no field `{}`", entity.name, name.text);
            self.report(NameProblem::Declaration { code: codes::BAD_RELATION, why, help, span: name.span });
        }
        found
    }

    fn no_key(&mut self, of: EntityId, written: &Written<'_>, span: Span) {
        if self.program[of].fields.is_empty() {
            return;
        }
        let entity = self.program[of].name.clone();
        let why = format!("relation `{}` needs a key, and `{entity}` has none", written.name.text);
        let help = format!("mark the key of `{entity}`: `id: int key`");
        self.report(NameProblem::Declaration { code: codes::BAD_RELATION, why, help, span });
    }

    fn key_length(&mut self, of: EntityId, key: &[FieldId], given: usize, written: &Written<'_>, span: Span) {
        let entity = &self.program[of];
        let names: Vec<&str> = key.iter().map(|at| entity[*at].name.as_str()).collect();
        let why = format!(
            "relation `{}` names {given} field{}, the key of `{}` has {}",
            written.name.text,
            if given == 1 { "" } else { "s" },
            entity.name,
            key.len()
        );
        let help = format!("name as many, in the order of the key: `by ({})`", names.join(", "));
        self.report(NameProblem::Declaration { code: codes::BAD_RELATION, why, help, span });
    }

    fn same_type(&mut self, key: (EntityId, FieldId), foreign: (EntityId, FieldId), written: &Written<'_>, span: Span) {
        let (key_ty, foreign_ty) = (&self.program[key.0][key.1].ty.kind, &self.program[foreign.0][foreign.1].ty.kind);
        if comparable(key_ty, foreign_ty) {
            return;
        }
        let field = |(entity, field): (EntityId, FieldId)| {
            let entity = &self.program[entity];
            format!("`{}.{}`", entity.name, entity[field].name)
        };
        let why =
            format!("relation `{}`: {} and {} have different types", written.name.text, field(foreign), field(key));
        let help = "give both the same type".to_owned();
        self.report(NameProblem::Declaration { code: codes::BAD_RELATION, why, help, span });
    }
}

/// True if values of the two types can be equal.
fn comparable(left: &TyKind, right: &TyKind) -> bool {
    *left == TyKind::Error
        || *right == TyKind::Error
        || left == right
        || (left.is_number() && right.is_number())
        || (left.is_text() && right.is_text())
}
