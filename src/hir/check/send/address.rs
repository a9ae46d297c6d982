//! Where a message goes, and whose consent counts.

use super::super::super::problem::{FlowProblem, NameProblem};
use super::super::super::{ChannelId, ColumnRef, EntityId, Expr, ExprKind, Field, FieldId, Query, RelationId, RowId};
use super::super::super::{SendOptions, Ty, TyKind};
use super::super::{Checker, Scope};
use crate::base::{Span, did_you_mean};
use crate::diag::codes::{flow, names};
use crate::syntax::ast;

/// A send: what and to whom.
pub(super) struct Place<'r> {
    pub channel: ChannelId,
    pub to: &'r Query,
    pub row: RowId,
    pub span: Span,
}

/// The item of a record with this name.
pub(super) fn item<'r>(options: Option<&'r ast::Record>, name: &str) -> Option<&'r ast::RecordItem> {
    options.and_then(|record| record.items.iter().find(|item| item.name.text == name))
}

impl Checker<'_> {
    /// The way to the profile; empty for the row itself. `None` if it was wrong.
    pub(super) fn profile(&mut self, options: Option<&ast::Record>, place: &Place<'_>) -> Option<Vec<RelationId>> {
        let Some(item) = item(options, "profile") else { return Some(Vec::new()) };
        let written = self.plain_value(item)?;
        let mut path = Vec::new();
        let mut entity = place.to.ty.entity;
        for name in dotted(written).unwrap_or_default() {
            let relation = self.one_relation(entity, name)?;
            entity = self.program[entity][relation].target;
            path.push(relation);
        }
        if path.is_empty() {
            let help = "write the name of a relation, such as `profile: customer`";
            self.wrong(flow::BAD_PROFILE, "`profile` names the relation that leads to the person", help, written.span);
            return None;
        }
        Some(path)
    }

    fn one_relation(&mut self, entity: EntityId, name: &ast::Name) -> Option<RelationId> {
        let here = &self.program[entity];
        match here.relation(&name.text) {
            Some(at) if !here[at].many => return Some(at),
            Some(_) => {
                let why = format!("`{}` leads to many rows, a profile is one", name.text);
                self.wrong(flow::BAD_PROFILE, why, "name a `one` relation", name.span);
            }
            None => {
                let ones: Vec<&str> =
                    here.relations.iter().filter(|known| !known.many).map(|known| known.name.as_str()).collect();
                let why = format!("`{}` has no relation `{}`", here.name, name.text);
                let help = match (did_you_mean(&name.text, ones.iter().copied()), ones.as_slice()) {
                    (Some(nearest), _) => format!("did you mean `{nearest}`?"),
                    (None, []) => format!("declare one: `{}: one ENTITY by FIELD`", name.text),
                    (None, ones) => format!("it has {}", super::super::super::problem::listed(ones.iter().copied())),
                };
                self.wrong(flow::BAD_PROFILE, why, help, name.span);
            }
        }
        None
    }

    /// What to write to: the option, else the one field of the row with the channel's type, else the profile's.
    pub(super) fn address(
        &mut self,
        options: Option<&ast::Record>,
        place: &Place<'_>,
        profile: &Option<Vec<RelationId>>,
        inner: &Scope,
    ) -> Option<Expr> {
        let kind = self.program[place.channel].address_kind();
        if let Some(item) = item(options, "address") {
            let written = self.plain_value(item)?;
            return Some(self.expr(written, inner, Some(&Ty::of(kind).or_null())));
        }
        let own = self.own_addresses(place, &kind);
        if let Some(found) = self.only(own, place)? {
            return Some(found);
        }
        let profile = profile.as_ref()?;
        let theirs = self.profile_addresses(place, profile, &kind);
        if let Some(found) = self.only(theirs, place)? {
            return Some(found);
        }
        self.no_address(place, &kind);
        None
    }

    /// The one candidate, `Some(None)` if there is none, `None` after reporting several.
    #[allow(clippy::option_option, reason = "reported, none and one are three different things")]
    fn only(&mut self, mut candidates: Vec<(String, Expr)>, place: &Place<'_>) -> Option<Option<Expr>> {
        if candidates.len() > 1 {
            let channel = self.program[place.channel].name.clone();
            let candidates = candidates.into_iter().map(|(name, _)| name).collect();
            self.report(FlowProblem::SeveralAddresses { channel, candidates, span: place.span });
            return None;
        }
        Some(candidates.pop().map(|(_, expr)| expr))
    }

    /// Fields and added columns of the row that can be an address. Any text could be one of a channel that is reached
    /// at a plain text, so there it has to be named.
    fn own_addresses(&self, place: &Place<'_>, kind: &TyKind) -> Vec<(String, Expr)> {
        if *kind == TyKind::Text {
            return Vec::new();
        }
        let added = place.to.ty.with.iter().filter(|column| column.ty.kind == *kind && !column.name.contains('.'));
        let added = added.map(|column| {
            let column_ref = ColumnRef::Added(column.name.clone());
            (column.name.clone(), column_expr(place, Vec::new(), column_ref, column.ty.clone()))
        });
        let mut own = self.addresses_of(place, place.to.ty.entity, &[], kind);
        own.extend(added);
        own
    }

    fn profile_addresses(&self, place: &Place<'_>, profile: &[RelationId], kind: &TyKind) -> Vec<(String, Expr)> {
        if *kind == TyKind::Text || profile.is_empty() {
            return Vec::new();
        }
        let mut entity = place.to.ty.entity;
        let mut prefix = String::new();
        for relation in profile {
            prefix.push_str(&self.program[entity][*relation].name);
            prefix.push('.');
            entity = self.program[entity][*relation].target;
        }
        let named = self.addresses_of(place, entity, profile, kind);
        named.into_iter().map(|(name, expr)| (format!("{prefix}{name}"), expr)).collect()
    }

    fn addresses_of(
        &self,
        place: &Place<'_>,
        entity: EntityId,
        path: &[RelationId],
        kind: &TyKind,
    ) -> Vec<(String, Expr)> {
        let fields = self.program[entity].fields.iter().enumerate().filter(|(_, field)| field.ty.kind == *kind);
        let expr = |(at, field): (usize, &Field)| {
            // A way over relations may lead nowhere.
            let ty = field.ty.clone().null_if(!path.is_empty());
            let column = ColumnRef::Field(FieldId(at as u32));
            (field.name.clone(), column_expr(place, path.to_vec(), column, ty))
        };
        fields.map(expr).collect()
    }

    fn no_address(&mut self, place: &Place<'_>, kind: &TyKind) {
        let entity = &self.program[place.to.ty.entity];
        // A field whose type is wrong may be the address.
        if entity.fields.is_empty() || entity.fields.iter().any(|field| field.ty.is_error()) {
            return;
        }
        let reaches = |target: EntityId| self.program[target].fields.iter().any(|field| field.ty.kind == *kind);
        let ways = entity.relations.iter().filter(|way| !way.many && *kind != TyKind::Text && reaches(way.target));
        let ways = ways.map(|way| way.name.clone()).collect();
        let (channel, entity) = (self.program[place.channel].name.clone(), entity.name.clone());
        let kind = kind.show(&self.program);
        self.report(FlowProblem::NoAddress { channel, kind, entity, ways, span: place.span });
    }

    /// The consent field of the topic must be one of the profile's.
    pub(super) fn consent_of_topic(&mut self, options: &SendOptions, to: &Query, profile: &[RelationId], span: Span) {
        let Some(topic) = options.topic else { return };
        let mut entity = to.ty.entity;
        for relation in profile {
            entity = self.program[entity][*relation].target;
        }
        let topic = &self.program[topic];
        let Some(field) = &topic.consent else { return };
        let entity = &self.program[entity];
        if entity.field(field).is_some() || entity.fields.is_empty() {
            return;
        }
        let ways: Vec<&str> = entity
            .relations
            .iter()
            .filter(|way| !way.many && self.program[way.target].field(field).is_some())
            .map(|way| way.name.as_str())
            .collect();
        let help = match ways.first() {
            Some(way) => format!("say whose consent counts: `{{ profile: {way} }}`"),
            None => "say whose consent counts, `{ profile: RELATION }`, or send with another topic".to_owned(),
        };
        let why =
            format!("topic `{}` asks for the consent `{field}`, which `{}` does not have", topic.name, entity.name);
        self.report(NameProblem::Declaration { code: names::MISSING_CONSENT, why, help, span });
    }
}

fn column_expr(place: &Place<'_>, path: Vec<RelationId>, column: ColumnRef, ty: Ty) -> Expr {
    Expr { kind: ExprKind::Column { row: place.row, path, column }, ty, span: place.span }
}

/// `a.b.c` as names.
fn dotted(written: &ast::Expr) -> Option<Vec<&ast::Name>> {
    match &written.kind {
        ast::ExprKind::Name(name) => Some(vec![name]),
        ast::ExprKind::Field { base, field } => {
            let mut names = dotted(base)?;
            names.push(field);
            Some(names)
        }
        _ => None,
    }
}
