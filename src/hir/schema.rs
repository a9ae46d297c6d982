//! Entities, topics, channels: what a program knows of its data before it opens any.

use super::{Column, Expr, Ty};
use crate::base::Span;

/// Index into [`Program::entities`](super::Program).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EntityId(pub u32);

/// Index into [`Entity::fields`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FieldId(pub u32);

/// Index into [`Entity::relations`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RelationId(pub u32);

/// A thing we have rows of.
#[derive(Clone, PartialEq, Debug)]
pub struct Entity {
    pub name: String,
    /// The name in the declaration.
    pub span: Span,
    pub doc: Option<String>,
    pub source: Option<Source>,
    pub fields: Vec<Field>,
    pub relations: Vec<Relation>,
    /// The key fields, in order; empty for a file without a key, whose rows are known by their line.
    pub key: Vec<FieldId>,
    /// Channel name and the condition under which a row may be addressed on it. The expression's row is
    /// [`RowId::DECLARED`](super::RowId::DECLARED).
    pub consent: Vec<(String, Expr)>,
    /// What makes two rows the same person, if it is not the key; same row as `consent`.
    pub person: Option<Expr>,
}

/// Where an entity's rows come from.
#[derive(Clone, PartialEq, Debug)]
pub struct Source {
    pub location: SourceLocation,
    /// Options as constants, checked for name and type.
    pub options: Vec<(String, super::Value)>,
    /// How old it may be.
    pub fresh: Option<Fresh>,
    /// The place of the location in the text.
    pub span: Span,
}

/// `fresh: 6h`: how old a source may be when a run reads it.
#[derive(Clone, PartialEq, Debug)]
pub struct Fresh {
    /// At most this old.
    pub within: super::Duration,
    /// The field whose newest value is its age (`fresh_by`); without it the time its newest file was written counts.
    pub by: Option<String>,
    /// Where it says so.
    pub span: Span,
}

/// A path relative to the declaring file, or the dotted name of a table in a bound source.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum SourceLocation {
    Path(String),
    Bound { source: String, table: Vec<String> },
}

/// A column of an entity.
#[derive(Clone, PartialEq, Debug)]
pub struct Field {
    pub name: String,
    pub span: Span,
    pub doc: Option<String>,
    pub ty: Ty,
    /// The value when the source has none. A field with a default is not nullable.
    pub default: Option<super::Value>,
}

/// A way from one entity to another.
#[derive(Clone, PartialEq, Debug)]
pub struct Relation {
    pub name: String,
    pub span: Span,
    pub doc: Option<String>,
    pub many: bool,
    pub target: EntityId,
    /// Pairs (field here, field there) that are equal. For `many orders by customer_id` the key here and the foreign
    /// key there; for `one stores by store_id` the foreign key here and the key there.
    pub on: Vec<(FieldId, FieldId)>,
}

/// What people subscribe to.
#[derive(Clone, PartialEq, Debug)]
pub struct Topic {
    pub name: String,
    pub span: Span,
    pub title: Option<String>,
    /// Names a bool field of the addressed profile.
    pub consent: Option<String>,
}

/// The typed interface of a channel.
#[derive(Clone, PartialEq, Debug)]
pub struct Channel {
    pub name: String,
    /// Fields of a message, `address` among them.
    pub fields: Vec<Column>,
}

impl Entity {
    /// The field with this name.
    pub fn field(&self, name: &str) -> Option<FieldId> {
        self.fields.iter().position(|field| field.name == name).map(|at| FieldId(at as u32))
    }

    /// The relation with this name.
    pub fn relation(&self, name: &str) -> Option<RelationId> {
        self.relations.iter().position(|relation| relation.name == name).map(|at| RelationId(at as u32))
    }
}

impl std::ops::Index<FieldId> for Entity {
    type Output = Field;
    fn index(&self, id: FieldId) -> &Field {
        &self.fields[id.0 as usize]
    }
}

impl std::ops::Index<RelationId> for Entity {
    type Output = Relation;
    fn index(&self, id: RelationId) -> &Relation {
        &self.relations[id.0 as usize]
    }
}
