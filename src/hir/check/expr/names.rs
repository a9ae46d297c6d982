//! What a name, or a path of names, stands for.
//!
//! The fields of the innermost row come first, then outer rows (as qualifiers only), then locals, then declarations,
//! then functions. Nothing is reported here: what a name means depends on who asks.

use super::problem::{Advice, TypeProblem};
use crate::base::Span;
use crate::hir::check::functions::{self, Native};
use crate::hir::check::{Bound, Checker, Global, RowScope, Scope};
use crate::hir::{
    ColumnRef, Entity, EntityId, Expr, ExprKind, FeedbackKind, LocalId, Query, QueryKind, RelationId, SegmentTy, Ty,
    TyKind,
};
use crate::syntax::ast;

/// What a name or a path stands for.
#[derive(Clone, Debug)]
pub(crate) enum Meaning {
    Value(Expr),
    /// A row: what a `one` relation leads to, or a qualifier.
    Row(Place),
    /// What a `many` relation of a row leads to.
    Many(Place),
    Population(Query),
    /// A column of a population: `blocked.address`.
    ColumnOf {
        query: Query,
        column: ast::Name,
    },
    Delivery {
        local: LocalId,
        ty: SegmentTy,
    },
    /// The name of a matched source row, whose columns have dotted names.
    Prefix(String),
    /// A definition, and the row it is used on if one was named.
    Define {
        index: usize,
        on: Option<Place>,
    },
    Native(&'static Native),
    Global(Global),
    Message,
    /// A member of something that has to be checked first.
    Unexpanded,
    /// Wrong, and reported.
    Poisoned,
}

/// A row and the way to it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub row: RowScope,
    /// Relations after those of `row`.
    pub path: Vec<RelationId>,
    pub entity: EntityId,
}

/// After this many problems names are no longer compared with all that are known: the script was made for another schema.
pub(super) const MOST_SUGGESTIONS: usize = 200;

impl Place {
    /// The row itself.
    pub fn of(row: &RowScope) -> Self {
        Self { row: row.clone(), path: Vec::new(), entity: row.entity }
    }

    /// All relations from the clause's row.
    pub fn full_path(&self) -> Vec<RelationId> {
        self.row.path.iter().chain(&self.path).copied().collect()
    }

    fn then(&self, relation: RelationId, entity: EntityId) -> Self {
        let mut place = self.clone();
        place.path.push(relation);
        place.entity = entity;
        place
    }
}

/// Boxed, because it is rare and large.
pub(crate) type Resolved = Result<Meaning, Box<TypeProblem>>;

impl Checker<'_> {
    /// The entity, unless it is unknown because of an error.
    pub(crate) fn known_entity(&self, id: EntityId) -> Option<&Entity> {
        self.program.entities.get(id.0 as usize)
    }

    /// The entity's name.
    pub(crate) fn entity_name(&self, id: EntityId) -> &str {
        self.known_entity(id).map_or("?", |entity| entity.name.as_str())
    }

    /// What a name or a path of names means.
    pub(crate) fn resolve(&self, expr: &ast::Expr, scope: &Scope) -> Resolved {
        match &expr.kind {
            ast::ExprKind::Error => Ok(Meaning::Poisoned),
            ast::ExprKind::Name(name) => self.resolve_name(name, scope),
            ast::ExprKind::Paren(inner) => self.resolve(inner, scope),
            ast::ExprKind::Field { base, field } => self.resolve_field(base, field, expr.span, scope),
            _ => Ok(Meaning::Unexpanded),
        }
    }

    fn resolve_name(&self, name: &ast::Name, scope: &Scope) -> Resolved {
        if let Some(row) = scope.rows.last()
            && let Some(found) = self.in_row(&Place::of(row), name)
        {
            return Ok(found);
        }
        if let Some(bound) = scope.bound(&name.text) {
            return Ok(self.bound_meaning(bound, name.span));
        }
        if let Some((global, _)) = self.find_global(name) {
            return Ok(self.global_meaning(global, name.span));
        }
        if let Some(native) = functions::native(&name.text) {
            return Ok(Meaning::Native(native));
        }
        if self.is_lost(&name.text) {
            return Ok(Meaning::Poisoned);
        }
        if name.text == "group" {
            return Err(Box::new(TypeProblem::NoGroup { span: name.span }));
        }
        Err(Box::new(self.unknown_name(name, scope)))
    }

    fn resolve_field(&self, base: &ast::Expr, field: &ast::Name, span: Span, scope: &Scope) -> Resolved {
        if let ast::ExprKind::Name(first) = &base.kind
            && let Some(found) = self.qualified(first, field, span, scope)
        {
            return found;
        }
        let found = self.resolve_member(base, field, span, scope);
        match found {
            Err(problem) => match *problem {
                TypeProblem::UnknownField { field: wrong, of, known, advice: Advice::None }
                    if wrong.span == field.span =>
                {
                    let advice = self.advice_for_field(base, field, scope);
                    Err(Box::new(TypeProblem::UnknownField { field: wrong, of, known, advice }))
                }
                other => match &other {
                    TypeProblem::UnknownName { name, .. } if name.span == base.span => {
                        Err(Box::new(self.unknown_behind(name, field, scope).unwrap_or(other)))
                    }
                    _ => Err(Box::new(other)),
                },
            },
            found => found,
        }
    }

    /// A field of what `base` means.
    fn resolve_member(&self, base: &ast::Expr, field: &ast::Name, span: Span, scope: &Scope) -> Resolved {
        match self.resolve(base, scope)? {
            Meaning::Row(place) => self.member_of_row(&place, field),
            Meaning::Many(place) => self.member_of_query(related(&place, base.span), field),
            Meaning::Population(query) => self.member_of_query(query, field),
            Meaning::Delivery { local, ty } => self.feedback(local, ty, field, span),
            Meaning::Prefix(prefix) => self.prefixed(&prefix, field, scope),
            Meaning::Value(value) if value.ty.is_error() => Ok(Meaning::Poisoned),
            Meaning::Value(value) => {
                let of = super::problem::a(&value.ty.kind.show(&self.program));
                let advice = self.advice_for_field(base, field, scope);
                Err(Box::new(TypeProblem::UnknownField { field: field.clone(), of, known: Vec::new(), advice }))
            }
            Meaning::ColumnOf { column, .. } => Err(self.no_field(field, &format!("`{}`", column.text), Vec::new())),
            Meaning::Native(native) => {
                let of = format!("the function `{}`", native.name);
                let is_feedback = FeedbackKind::of_word(&field.text).is_some();
                let advice = match is_feedback {
                    true => Advice::say(format!(
                        "no send is called so: write `send ... as NAME`, and `NAME.{}`",
                        field.text
                    )),
                    false => Advice::None,
                };
                Err(Box::new(TypeProblem::UnknownField { field: field.clone(), of, known: Vec::new(), advice }))
            }
            Meaning::Global(global) => Err(self.no_field(field, &format!("the {}", global.noun()), Vec::new())),
            Meaning::Message => Err(self.no_field(field, "a message", Vec::new())),
            Meaning::Define { .. } | Meaning::Unexpanded => Ok(Meaning::Unexpanded),
            Meaning::Poisoned => Ok(Meaning::Poisoned),
        }
    }

    /// `customers.id` for an outer row, `welcome.country` for a parameter, `rfm.score` for a module's definition;
    /// unless the current row has something called like the first name.
    fn qualified(&self, first: &ast::Name, field: &ast::Name, span: Span, scope: &Scope) -> Option<Resolved> {
        match scope.rows.last().and_then(|row| self.in_row(&Place::of(row), first)) {
            None => {}
            // A column of many rows is no value, but the outer row's is: `customers.city` among stores with `customers`.
            Some(Meaning::Many(_)) => return self.outer_value(&first.text, field, scope).map(Ok),
            Some(_) => return None,
        }
        let dotted = ast::Name { text: format!("{}.{}", first.text, field.text), span };
        if let Some(row) = self.qualifier(&first.text, scope) {
            return Some(self.member_of_row(&Place::of(row), field));
        }
        if let Some(bound) = scope.bound(&dotted.text) {
            return Some(Ok(self.bound_meaning(bound, span)));
        }
        let (global, _) = self.find_global(&dotted)?;
        Some(Ok(self.global_meaning(global, span)))
    }

    /// A value of an outer row with this name.
    fn outer_value(&self, name: &str, field: &ast::Name, scope: &Scope) -> Option<Meaning> {
        let outer = scope.rows.split_last().map_or(&[][..], |(_, outer)| outer);
        let row = self.qualifier_among(name, outer)?;
        self.in_row(&Place::of(row), field).filter(|found| matches!(found, Meaning::Value(_)))
    }

    /// The innermost row with this name, else the innermost row of the entity with this name.
    pub(crate) fn qualifier<'s>(&self, name: &str, scope: &'s Scope) -> Option<&'s RowScope> {
        self.qualifier_among(name, &scope.rows)
    }

    fn qualifier_among<'s>(&self, name: &str, rows: &'s [RowScope]) -> Option<&'s RowScope> {
        let rows = || rows.iter().rev();
        rows().find(|row| row.name == name).or_else(|| rows().find(|row| self.entity_name(row.entity) == name))
    }

    /// What a name means among the fields, added columns and relations of a row.
    fn in_row(&self, place: &Place, name: &ast::Name) -> Option<Meaning> {
        let Some(entity) = self.known_entity(place.entity) else { return Some(Meaning::Poisoned) };
        if place.path.is_empty()
            && let Some(found) = added(&place.row, name)
        {
            return Some(found);
        }
        if !place.row.has_fields && place.path.is_empty() {
            return None;
        }
        if let Some(field) = entity.field(&name.text) {
            let path = place.full_path();
            let ty = entity[field].ty.clone().null_if(!path.is_empty());
            let kind = ExprKind::Column { row: place.row.row, path, column: ColumnRef::Field(field) };
            return Some(Meaning::Value(Expr { kind, ty, span: name.span }));
        }
        let relation = entity.relation(&name.text)?;
        let next = place.then(relation, entity[relation].target);
        Some(if entity[relation].many { Meaning::Many(next) } else { Meaning::Row(next) })
    }

    fn member_of_row(&self, place: &Place, field: &ast::Name) -> Resolved {
        if let Some(found) = self.in_row(place, field) {
            return Ok(found);
        }
        if let Some((Global::Define(index), _)) = self.find_global(field)
            && self.defines[index].entity.as_ref().is_some_and(|of| of.text == self.entity_name(place.entity))
        {
            return Ok(Meaning::Define { index, on: Some(place.clone()) });
        }
        let of = format!("`{}`", self.entity_name(place.entity));
        Err(self.no_field(field, &of, self.members(place.entity, &place.row.with)))
    }

    /// What a name means after a population and a dot.
    pub(crate) fn member_of_query(&self, query: Query, field: &ast::Name) -> Resolved {
        let Some(entity) = self.known_entity(query.ty.entity) else { return Ok(Meaning::Poisoned) };
        let span = query.span.to(field.span);
        if query.ty.column(&field.text).is_some() || entity.field(&field.text).is_some() {
            return Ok(Meaning::ColumnOf { query, column: field.clone() });
        }
        if let Some(relation) = entity.relation(&field.text) {
            let ty = SegmentTy::of(entity[relation].target);
            let kind = match query.kind {
                // One step further from a row: still the row's own.
                QueryKind::Related { row, mut path } => {
                    path.push(relation);
                    QueryKind::Related { row, path }
                }
                _ => QueryKind::Navigate { input: Box::new(query), relation },
            };
            return Ok(Meaning::Population(Query { kind, ty, span }));
        }
        if let Some(found) = self.lost_rows(&query, field, span) {
            return found;
        }
        let of = format!("`{}`", entity.name);
        Err(self.no_field(field, &of, self.members(query.ty.entity, &query.ty.with)))
    }

    fn feedback(&self, local: LocalId, ty: SegmentTy, field: &ast::Name, span: Span) -> Resolved {
        let Some((_, kind)) = FEEDBACK.iter().find(|(name, _)| *name == field.text) else {
            let known = FEEDBACK.iter().map(|(name, _)| (*name).to_owned()).collect();
            return Err(self.no_field(field, "a send", known));
        };
        let mut ty = ty;
        if *kind == FeedbackKind::Excluded && ty.column("reason").is_none() {
            ty = ty.and([crate::hir::Column { name: "reason".to_owned(), ty: Ty::of(TyKind::Text) }]);
        }
        Ok(Meaning::Population(Query { kind: QueryKind::Feedback { delivery: local, kind: *kind }, ty, span }))
    }

    fn prefixed(&self, prefix: &str, field: &ast::Name, scope: &Scope) -> Resolved {
        let dotted = ast::Name { text: format!("{prefix}.{}", field.text), span: field.span };
        let Some(row) = scope.rows.last() else { return Ok(Meaning::Poisoned) };
        if let Some(found) = added(row, &dotted) {
            return Ok(found);
        }
        let start = format!("{prefix}.");
        let known = row.with.iter().filter_map(|column| column.name.strip_prefix(&start)).map(str::to_owned);
        Err(self.no_field(field, &format!("`{prefix}`"), known.collect()))
    }

    fn bound_meaning(&self, bound: &Bound, span: Span) -> Meaning {
        match bound {
            Bound::Value(value) if value.ty.is_error() => Meaning::Poisoned,
            Bound::Value(value) => Meaning::Value(Expr { span, ..Expr::clone(value) }),
            Bound::Population(query) => Meaning::Population(Query { span, ..Query::clone(query) }),
            Bound::Message(_) => Meaning::Message,
            Bound::Poisoned => Meaning::Poisoned,
            Bound::Local(local) => {
                let ty = &self.locals[local.0 as usize].ty;
                match &ty.kind {
                    TyKind::Error => Meaning::Poisoned,
                    TyKind::Segment(segment) => {
                        Meaning::Population(Query { kind: QueryKind::Local(*local), ty: segment.clone(), span })
                    }
                    TyKind::Delivery(segment) => Meaning::Delivery { local: *local, ty: segment.clone() },
                    TyKind::Message(_) => Meaning::Message,
                    _ => Meaning::Value(Expr { kind: ExprKind::Local(*local), ty: ty.clone(), span }),
                }
            }
        }
    }

    fn global_meaning(&self, global: Global, span: Span) -> Meaning {
        match global {
            Global::Entity(id) => {
                Meaning::Population(Query { kind: QueryKind::Entity(id), ty: SegmentTy::of(id), span })
            }
            Global::Define(index) => match &self.defines[index].body {
                ast::DefineBody::Builtin(name) => {
                    functions::native(&name.value).map_or(Meaning::Global(global), Meaning::Native)
                }
                _ => Meaning::Define { index, on: None },
            },
            Global::Poisoned => Meaning::Poisoned,
            other => Meaning::Global(other),
        }
    }

    fn no_field(&self, field: &ast::Name, of: &str, known: Vec<String>) -> Box<TypeProblem> {
        let advice = Advice::None;
        Box::new(TypeProblem::UnknownField { field: field.clone(), of: of.to_owned(), known, advice })
    }

    /// Names of the columns and relations of a row.
    pub(crate) fn members(&self, entity: EntityId, with: &[crate::hir::Column]) -> Vec<String> {
        let added = with.iter().map(|column| column.name.clone());
        let Some(entity) = self.known_entity(entity) else { return added.collect() };
        let fields = entity.fields.iter().map(|field| field.name.clone());
        let relations = entity.relations.iter().map(|relation| relation.name.clone());
        added.chain(fields).chain(relations).collect()
    }

    fn unknown_name(&self, name: &ast::Name, scope: &Scope) -> TypeProblem {
        let outer = scope.rows.iter().rev().skip(1).find(|row| self.in_row(&Place::of(row), name).is_some());
        let outer = outer.map(|row| format!("{}.{}", row.name, name.text));
        let advice = self.advice_for_owner(name, scope);
        TypeProblem::UnknownName { name: name.clone(), known: self.values_in(scope), outer, advice }
    }

    /// Names that can begin a value: the row's own, qualifiers, locals, definitions, topics.
    fn values_in(&self, scope: &Scope) -> Vec<String> {
        if self.problems.len() > MOST_SUGGESTIONS {
            return Vec::new();
        }
        let row = scope.rows.last();
        let mut known = row.map_or_else(Vec::new, |row| self.members(row.entity, &row.with));
        known.extend(scope.locals.iter().rev().map(|(name, _)| name.clone()));
        known.extend(scope.rows.iter().map(|row| row.name.clone()));
        known.extend(self.globals_that(|global| matches!(global, Global::Define(_) | Global::Topic(_))));
        known.extend(self.globals_that(|global| matches!(global, Global::Entity(_))));
        known
    }

    /// Names that can begin a population: relations of the row, locals, entities, definitions.
    pub(crate) fn populations_in(&self, scope: &Scope) -> Vec<String> {
        if self.problems.len() > MOST_SUGGESTIONS {
            return Vec::new();
        }
        let entity = scope.rows.last().and_then(|row| self.known_entity(row.entity));
        let relations = entity.map_or(&[][..], |entity| &entity.relations[..]);
        let mut known: Vec<String> = relations.iter().map(|relation| relation.name.clone()).collect();
        for (name, bound) in scope.locals.iter().rev() {
            let is_value = match bound {
                Bound::Local(local) => {
                    !matches!(self.locals[local.0 as usize].ty.kind, TyKind::Segment(_) | TyKind::Delivery(_))
                }
                Bound::Value(_) | Bound::Message(_) => true,
                Bound::Population(_) | Bound::Poisoned => false,
            };
            if !is_value {
                known.push(name.clone());
            }
        }
        known.extend(self.globals_that(|global| matches!(global, Global::Entity(_) | Global::Define(_))));
        known
    }

    /// Names of declarations of some kinds, in the order of the alphabet.
    fn globals_that(&self, wanted: fn(Global) -> bool) -> Vec<String> {
        let found = self.globals.iter().filter(|(_, (global, _))| wanted(*global));
        let mut names: Vec<String> = found.map(|(name, _)| name.clone()).collect();
        names.sort_unstable();
        names
    }
}

/// An added column, the rows collapsed by `dedupe`, or the name of a matched source.
fn added(row: &RowScope, name: &ast::Name) -> Option<Meaning> {
    if let Some(column) = row.with.iter().find(|column| column.name == name.text) {
        let column_ref = ColumnRef::Added(column.name.clone());
        let kind = ExprKind::Column { row: row.row, path: Vec::new(), column: column_ref };
        return Some(Meaning::Value(Expr { kind, ty: column.ty.clone(), span: name.span }));
    }
    if name.text == "group"
        && let Some(ty) = &row.group
    {
        let kind = QueryKind::Group { row: row.row };
        return Some(Meaning::Population(Query { kind, ty: ty.clone(), span: name.span }));
    }
    let prefix = format!("{}.", name.text);
    let matched = row.with.iter().any(|column| column.name.starts_with(&prefix));
    matched.then(|| Meaning::Prefix(name.text.clone()))
}

/// The rows that a relation of a row leads to.
pub(crate) fn related(place: &Place, span: Span) -> Query {
    let kind = QueryKind::Related { row: place.row.row, path: place.full_path() };
    Query { kind, ty: SegmentTy::of(place.entity), span }
}

const FEEDBACK: &[(&str, FeedbackKind)] = &[
    ("sent", FeedbackKind::Sent),
    ("delivered", FeedbackKind::Delivered),
    ("opened", FeedbackKind::Opened),
    ("clicked", FeedbackKind::Clicked),
    ("bounced", FeedbackKind::Bounced),
    ("failed", FeedbackKind::Failed),
    ("excluded", FeedbackKind::Excluded),
    ("unsubscribed", FeedbackKind::Unsubscribed),
    ("unknown", FeedbackKind::Unknown),
];
