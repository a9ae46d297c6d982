//! Entities: fields, keys, defaults, consent, person.

use super::super::problem::NameProblem;
use super::super::{Entity, EntityId, Field, FieldId, RowId, Ty, TyKind};
use super::collect::Found;
use super::{Checker, RowScope, Scope};
use crate::diag::codes::names as codes;
use crate::syntax::ast::{self, EntityItemKind};

impl<'a> Checker<'a> {
    /// All entities: fields first, since relations, defaults and rules look at those of others.
    pub(super) fn check_entities(&mut self, found: &Found<'a>) {
        for (id, entity) in &found.entities {
            self.fields(*id, entity);
        }
        for (id, entity) in &found.entities {
            let items = entity.items.as_deref().unwrap_or_default();
            self.relations(*id, items);
        }
    }

    /// Consent and person rules, which may use functions and topics.
    pub(super) fn check_entity_rules(&mut self, found: &Found<'a>) {
        for (id, entity) in &found.entities {
            let scope = self.entity_scope(*id, &[]);
            for item in entity.items.as_deref().unwrap_or_default() {
                match &item.kind {
                    EntityItemKind::Consent { channel, rule } => self.consent(*id, channel, rule, &scope),
                    EntityItemKind::Person { rule } => self.person(*id, rule, &scope, item.span),
                    _ => {}
                }
            }
        }
    }

    /// A scope whose only row is the declared one.
    pub(super) fn entity_scope(&self, entity: EntityId, with: &[super::super::Column]) -> Scope {
        let row = RowScope::new(RowId::DECLARED, entity, self.program[entity].name.clone());
        Scope::default().with_row(RowScope { with: with.into(), ..row })
    }

    /// The entity, to be changed.
    pub(super) fn entity_mut(&mut self, id: EntityId) -> &mut Entity {
        &mut self.program.entities[id.0 as usize]
    }

    fn fields(&mut self, id: EntityId, entity: &'a ast::Entity) {
        self.entity_mut(id).source = None;
        let source = entity.source.as_ref().map(|source| self.source(source));
        self.entity_mut(id).source = source;
        match &entity.items {
            Some(items) => items.iter().for_each(|item| self.field(id, item)),
            None => self.fields_from_environment(id, entity),
        }
        self.fresh_field(id);
    }

    fn fields_from_environment(&mut self, id: EntityId, entity: &ast::Entity) {
        let columns = match self.environment.schemas.get(&entity.name.text) {
            Some(Ok(columns)) => columns,
            Some(Err(reason)) => {
                let (entity, reason) = (entity.name.clone(), Some(reason.clone()));
                return self.report(NameProblem::UnknownSchema { entity, reason });
            }
            None => return self.report(NameProblem::UnknownSchema { entity: entity.name.clone(), reason: None }),
        };
        let span = entity.name.span;
        self.entity_mut(id).fields = columns
            .iter()
            .map(|(name, ty)| Field { name: name.clone(), span, doc: None, ty: ty.clone(), default: None })
            .collect();
        // Without a block nobody can mark the key. Rows known by their line would be others after each change of the file.
        let is_key =
            |(name, ty): &(String, Ty)| name == "id" && !ty.nullable && matches!(ty.kind, TyKind::Int | TyKind::Text);
        let key = columns.iter().position(is_key).map(|at| FieldId(at as u32));
        self.entity_mut(id).key.extend(key);
    }

    fn field(&mut self, id: EntityId, item: &ast::EntityItem) {
        let EntityItemKind::Field { name, ty, key, default } = &item.kind else { return };
        let mut checked = self.value_ty(ty, "a field");
        if let Some(at) = self.program[id].field(&name.text) {
            let first = self.program[id][at].span;
            let (name, span) = (name.text.clone(), name.span);
            return self.report(NameProblem::Duplicate { name, what: "a field", span, first });
        }
        let default = default.as_ref().and_then(|default| self.constant(default, &checked));
        if *key {
            checked = self.key_field(id, name, checked, ty);
        }
        if default.is_some() {
            checked.nullable = false;
        }
        let doc = item.doc.as_ref().map(|doc| doc.text.clone());
        let field = Field { name: name.text.clone(), span: name.span, doc, ty: checked, default };
        self.entity_mut(id).fields.push(field);
    }

    /// Notes a key field; returns its type, never nullable.
    fn key_field(&mut self, id: EntityId, name: &ast::Name, ty: Ty, written: &ast::TypeExpr) -> Ty {
        let at = FieldId(self.program[id].fields.len() as u32);
        self.entity_mut(id).key.push(at);
        let wrong = match &ty.kind {
            _ if ty.nullable => Some("cannot be null"),
            TyKind::List(_) | TyKind::Json | TyKind::Row(_) => Some("must be a single value"),
            TyKind::Float => Some("cannot be a float, whose equality is not exact"),
            _ => None,
        };
        if let Some(why) = wrong {
            self.report(NameProblem::Declaration {
                code: codes::BAD_KEY,
                why: format!("key `{}` {why}", name.text),
                help: if ty.nullable { "remove the `?`".into() } else { "use an `int` or a `text`".into() },
                span: written.span,
            });
        }
        Ty { nullable: false, ..ty }
    }

    fn consent(&mut self, id: EntityId, channel: &ast::Name, rule: &ast::Expr, scope: &Scope) {
        let checked = self.expr(rule, scope, Some(&Ty::of(TyKind::Bool).or_null()));
        if channel.text != "any" && self.lookup_global(channel, "channel").is_none() {
            return;
        }
        if self.program[id].consent.iter().any(|(known, _)| *known == channel.text) {
            return self.report(NameProblem::Declaration {
                code: codes::REPEATED_OPTION,
                why: format!("consent for `{}` is given twice", channel.text),
                help: "join the rules with `and`".into(),
                span: channel.span,
            });
        }
        self.entity_mut(id).consent.push((channel.text.clone(), checked));
    }

    fn person(&mut self, id: EntityId, rule: &ast::Expr, scope: &Scope, span: crate::base::Span) {
        let checked = self.expr(rule, scope, None);
        if self.program[id].person.is_some() {
            return self.report(NameProblem::Declaration {
                code: codes::REPEATED_OPTION,
                why: "`person` is given twice".into(),
                help: "remove one of them".into(),
                span,
            });
        }
        self.entity_mut(id).person = Some(checked);
    }
}
