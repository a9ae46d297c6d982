//! Types as written to types.

use std::sync::Arc;

use super::super::problem::NameProblem;
use super::super::{Column, EntityId, SegmentTy, Ty, TyKind};
use super::{Checker, Global};
use crate::base::did_you_mean;
use crate::diag::codes::names as codes;
use crate::syntax::ast::{self, TypeExprKind};

impl Checker<'_> {
    /// The type that was written. An unknown one is reported and poisoned.
    pub fn ty(&mut self, written: &ast::TypeExpr) -> Ty {
        let kind = match &written.kind {
            TypeExprKind::Error => TyKind::Error,
            TypeExprKind::Name(name) => self.named_type(name),
            TypeExprKind::Enumeration(values) => self.enumeration(values),
            TypeExprKind::List(element) => TyKind::List(Box::new(self.element_type(element))),
            TypeExprKind::Segment { entity, with } if self.is_any(entity) => {
                TyKind::Segment(SegmentTy { entity: SegmentTy::UNKNOWN, with: self.columns(with).into() })
            }
            TypeExprKind::Segment { entity, with } => match self.entity_named(entity) {
                Some(entity) => TyKind::Segment(SegmentTy { entity, with: self.columns(with).into() }),
                None => TyKind::Error,
            },
            TypeExprKind::Relation { many, entity } => match self.entity_named(entity) {
                Some(entity) if *many => TyKind::Segment(SegmentTy::of(entity)),
                Some(entity) => TyKind::Row(entity),
                None => TyKind::Error,
            },
            TypeExprKind::Message { channel } => match self.lookup_global(channel, "channel") {
                Some(Global::Channel(_)) => TyKind::Message(channel.text.clone()),
                _ => TyKind::Error,
            },
            TypeExprKind::Delivery { entity } if self.is_any(entity) => TyKind::Delivery(SegmentTy::error()),
            TypeExprKind::Delivery { entity } => match self.entity_named(entity) {
                Some(entity) => TyKind::Delivery(SegmentTy::of(entity)),
                None => TyKind::Error,
            },
        };
        Ty { kind, nullable: written.nullable }
    }

    /// `segment of any`: of whatever entity the argument is. What is done with it is checked where it is called.
    fn is_any(&self, entity: &ast::Name) -> bool {
        entity.text == "any" && self.find_global(entity).is_none()
    }

    /// The type of a column or a message's parameter: no populations, messages or deliveries.
    pub fn value_ty(&mut self, written: &ast::TypeExpr, place: &'static str) -> Ty {
        let ty = self.ty(written);
        let Some(what) = not_a_value(&ty.kind) else { return ty };
        self.report(NameProblem::MisplacedType { what: what.to_owned(), place, span: written.span });
        Ty::error()
    }

    /// Columns declared as `name: type`.
    pub fn columns(&mut self, fields: &[ast::FieldType]) -> Vec<Column> {
        let mut columns: Vec<Column> = Vec::new();
        for (at, field) in fields.iter().enumerate() {
            let ty = self.value_ty(&field.ty, "a column");
            if let Some(first) = fields[..at].iter().find(|earlier| earlier.name.text == field.name.text) {
                let (name, span, first) = (field.name.text.clone(), field.name.span, first.name.span);
                self.report(NameProblem::Duplicate { name, what: "a column", span, first });
                continue;
            }
            columns.push(Column { name: field.name.text.clone(), ty });
        }
        columns
    }

    /// The entity with this name; others are reported.
    pub fn entity_named(&mut self, name: &ast::Name) -> Option<EntityId> {
        match self.lookup_global(name, "entity") {
            Some(Global::Entity(id)) => Some(id),
            _ => None,
        }
    }

    fn named_type(&mut self, name: &ast::Name) -> TyKind {
        if let Some(kind) = TyKind::named(&name.text) {
            return kind;
        }
        if let Some((Global::Entity(_), _)) = self.find_global(name) {
            let why = format!("`{}` is an entity, and no type of a field", name.text);
            let help = format!("write a relation: `NAME: one {} by FIELD`", name.text);
            self.report(NameProblem::Declaration { code: codes::UNKNOWN_TYPE, why, help, span: name.span });
            return TyKind::Error;
        }
        let nearest = other_name(&name.text).or_else(|| did_you_mean(&name.text, TyKind::names()));
        let nearest = nearest.map(str::to_owned);
        self.report(NameProblem::UnknownType { name: name.clone(), nearest });
        TyKind::Error
    }

    /// What a list holds: a value, or rows of an entity.
    fn element_type(&mut self, written: &ast::TypeExpr) -> Ty {
        if let TypeExprKind::Name(name) = &written.kind
            && TyKind::named(&name.text).is_none()
            && let Some((Global::Entity(entity), _)) = self.find_global(name)
        {
            return Ty { kind: TyKind::Row(entity), nullable: written.nullable };
        }
        self.value_ty(written, "an element of a list")
    }

    fn enumeration(&mut self, values: &[ast::Text]) -> TyKind {
        let mut known: Vec<String> = Vec::new();
        for value in values {
            if known.contains(&value.value) {
                let first =
                    values.iter().find(|first| first.value == value.value).map_or(value.span, |first| first.span);
                let name = value.value.clone();
                self.report(NameProblem::Duplicate { name, what: "a value", span: value.span, first });
            } else {
                known.push(value.value.clone());
            }
        }
        TyKind::Enumeration(Arc::from(known))
    }
}

/// What types of other languages are called here.
fn other_name(name: &str) -> Option<&'static str> {
    Some(match name.to_lowercase().as_str() {
        "string" | "str" | "varchar" | "nvarchar" | "char" | "character" | "memo" | "uuid" => "text",
        "integer" | "bigint" | "smallint" | "long" | "int64" | "int32" | "short" | "byte" | "serial" => "int",
        "number" | "numeric" | "money" | "currency" | "amount" | "price" => "decimal",
        "double" | "real" | "float64" => "float",
        "boolean" | "bit" | "flag" => "bool",
        "datetime" | "instant" | "timestamptz" => "timestamp",
        "day" => "date",
        "interval" | "timespan" | "period" => "duration",
        "mail" | "e_mail" | "emailaddress" => "email",
        "telephone" | "mobile" | "tel" | "phonenumber" | "msisdn" => "phone",
        "link" | "uri" => "url",
        "zone" | "tz" => "timezone",
        "percentage" => "percent",
        "object" | "dict" | "map" | "struct" => "json",
        _ => return None,
    })
}

/// What a type that holds no values is called.
pub(super) fn not_a_value(kind: &TyKind) -> Option<&'static str> {
    match kind {
        TyKind::Segment(_) => Some("a population"),
        TyKind::Row(_) => Some("a row"),
        TyKind::Message(_) => Some("a message"),
        TyKind::Delivery(_) => Some("the outcome of a send"),
        _ => None,
    }
}
