//! Types.

use std::sync::Arc;

use super::{EntityId, Program};

/// A type: what a value is, and whether it may be missing.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Ty {
    /// What the value is.
    pub kind: TyKind,
    /// `?`: may be null.
    pub nullable: bool,
}

/// What a value is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TyKind {
    /// Something wrong was reported here already; fits everywhere, so that nothing is reported twice.
    Error,
    /// The type of a bare `null`.
    Null,
    Bool,
    Int,
    Float,
    /// An exact decimal number.
    Decimal,
    Text,
    /// A civil date.
    Date,
    /// A civil time of day.
    Time,
    /// An instant.
    Timestamp,
    Duration,
    /// An exact share: `3%` is 0.03.
    Percent,
    Json,
    Email,
    Phone,
    Url,
    PushToken,
    Html,
    Timezone,
    /// The name of a declared topic.
    Topic,
    Weekday,
    /// `200 per second`
    Rate,
    /// `"a" | "b"`, in the order declared.
    Enumeration(Arc<[String]>),
    /// `list of T`
    List(Box<Ty>),
    /// Rows with named columns: an element of `list(X, Y of Q)`.
    Record(Arc<[Column]>),
    /// A row of an entity: an element of `list of wishlist_items`, the target of a `one` relation.
    Row(EntityId),
    /// `segment of E with { ... }`
    Segment(SegmentTy),
    /// `message for C`; the name of the channel.
    Message(String),
    /// `delivery of E`; the type of the population that was sent to, whose columns its feedback sets keep.
    Delivery(SegmentTy),
}

/// The type of a population: rows of an entity plus added columns.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SegmentTy {
    /// Whose rows.
    pub entity: EntityId,
    /// Columns added by `with` and `match`, in order. Those of a matched source row have dotted names: `leads.email`.
    /// Shared, because every clause and every use of a name has the type of what stands before it.
    pub with: Arc<[Column]>,
}

/// A named column.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Column {
    pub name: String,
    pub ty: Ty,
}

impl Ty {
    /// A type that is never null.
    pub const fn of(kind: TyKind) -> Self {
        Self { kind, nullable: false }
    }

    /// The same, possibly null.
    #[must_use]
    pub fn or_null(self) -> Self {
        Self { nullable: true, ..self }
    }

    /// The same, nullable if `nullable` is true or it was already.
    #[must_use]
    pub fn null_if(self, nullable: bool) -> Self {
        Self { nullable: self.nullable || nullable, ..self }
    }

    /// The poison type.
    pub const fn error() -> Self {
        Self::of(TyKind::Error)
    }

    /// True for the poison type.
    pub fn is_error(&self) -> bool {
        self.kind == TyKind::Error
    }
}

impl TyKind {
    /// `int`, `float`, `decimal`, `percent`.
    pub fn is_number(&self) -> bool {
        matches!(self, TyKind::Int | TyKind::Float | TyKind::Decimal | TyKind::Percent)
    }

    /// `text` and everything that can be used as text.
    pub fn is_text(&self) -> bool {
        use TyKind::*;
        matches!(self, Text | Email | Phone | Url | PushToken | Html | Timezone | Topic | Enumeration(_))
    }

    /// The built-in type with this name.
    pub fn named(name: &str) -> Option<TyKind> {
        NAMED.iter().find(|(known, _)| *known == name).map(|(_, kind)| kind.clone())
    }

    /// Names of all built-in types, for suggestions and completion.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMED.iter().map(|(name, _)| *name)
    }
}

const NAMED: &[(&str, TyKind)] = &[
    ("bool", TyKind::Bool),
    ("int", TyKind::Int),
    ("float", TyKind::Float),
    ("decimal", TyKind::Decimal),
    ("text", TyKind::Text),
    ("date", TyKind::Date),
    ("time", TyKind::Time),
    ("timestamp", TyKind::Timestamp),
    ("duration", TyKind::Duration),
    ("percent", TyKind::Percent),
    ("json", TyKind::Json),
    ("email", TyKind::Email),
    ("phone", TyKind::Phone),
    ("url", TyKind::Url),
    ("push_token", TyKind::PushToken),
    ("html", TyKind::Html),
    ("timezone", TyKind::Timezone),
    ("topic", TyKind::Topic),
    ("weekday", TyKind::Weekday),
    ("rate", TyKind::Rate),
];

impl SegmentTy {
    /// Stands for an entity that is not known, because something wrong was reported. Indexes no entity.
    pub const UNKNOWN: EntityId = EntityId(u32::MAX);

    /// All rows of an entity, nothing added.
    pub fn of(entity: EntityId) -> Self {
        Self { entity, with: Arc::default() }
    }

    /// The poison type.
    pub fn error() -> Self {
        Self::of(Self::UNKNOWN)
    }

    /// True for the poison type.
    pub fn is_error(&self) -> bool {
        self.entity == Self::UNKNOWN
    }

    /// The same population with further columns.
    #[must_use]
    pub fn and(&self, columns: impl IntoIterator<Item = Column>) -> Self {
        Self { entity: self.entity, with: self.with.iter().cloned().chain(columns).collect() }
    }

    /// The type of an added column.
    pub fn column(&self, name: &str) -> Option<&Ty> {
        self.with.iter().find(|column| column.name == name).map(|column| &column.ty)
    }
}

impl Ty {
    /// As a person writes it: `text?`, `list of decimal`, `segment of customers`.
    pub fn show(&self, program: &Program) -> String {
        let shown = self.kind.show(program);
        if self.nullable && self.kind != TyKind::Null { format!("{shown}?") } else { shown }
    }
}

impl TyKind {
    /// As a person writes it.
    pub fn show(&self, program: &Program) -> String {
        let entity = |id: &EntityId| program.entities.get(id.0 as usize).map_or("?", |entity| entity.name.as_str());
        match self {
            TyKind::Error => "?".to_owned(),
            TyKind::Null => "null".to_owned(),
            TyKind::Enumeration(values) => {
                values.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>().join(" | ")
            }
            TyKind::List(element) => format!("list of {}", element.kind.show(program)),
            TyKind::Record(columns) => format!("rows with {}", show_columns(columns, program)),
            TyKind::Row(id) => entity(id).to_owned(),
            TyKind::Segment(segment) if segment.with.is_empty() => format!("segment of {}", entity(&segment.entity)),
            TyKind::Segment(segment) => {
                format!("segment of {} with {}", entity(&segment.entity), show_columns(&segment.with, program))
            }
            TyKind::Message(channel) => format!("message for {channel}"),
            TyKind::Delivery(segment) => format!("delivery of {}", entity(&segment.entity)),
            simple => NAMED.iter().find(|(_, kind)| kind == simple).map_or("?", |(name, _)| name).to_owned(),
        }
    }
}

fn show_columns(columns: &[Column], program: &Program) -> String {
    let shown: Vec<_> = columns.iter().map(|column| format!("{}: {}", column.name, column.ty.show(program))).collect();
    format!("{{ {} }}", shown.join(", "))
}
