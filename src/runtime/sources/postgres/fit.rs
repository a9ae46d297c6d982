//! Which types of a database can be read as which declared ones, without losing anything, and how they are asked for.

use super::catalog::TableColumn;
use crate::hir::TyKind;
use crate::runtime::sources::bound::quoted;
use crate::runtime::sources::columns::{Column, Kind};
use crate::runtime::sources::error::Unfit;

/// How a value comes over the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wire {
    Bool,
    /// Eight bytes.
    Int,
    Float,
    Text,
    Date,
    Time,
    /// An instant.
    Instant,
    /// Date and time of the project's zone.
    Civil,
}

/// A column that can be read as declared.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// What to select.
    pub sql: String,
    pub wire: Wire,
    pub from: TableColumn,
}

/// Checks the type of one column.
pub(super) fn fit(column: &Column, found: &TableColumn) -> Result<Asked, Unfit> {
    let name = quoted(&found.name);
    let asked = |wire: Wire, cast: &str| Asked { sql: format!("{name}{cast}"), wire, from: found.clone() };
    let integer = matches!(found.ty.as_str(), "int2" | "int4" | "int8");
    let fits = match &column.kind {
        Kind::Bool => (found.ty == "bool").then(|| asked(Wire::Bool, "::bool")),
        Kind::Int => (integer || is_whole(found)).then(|| asked(Wire::Int, "::int8")),
        Kind::Float => {
            matches!(found.ty.as_str(), "float4" | "float8" | "int2" | "int4").then(|| asked(Wire::Float, "::float8"))
        }
        Kind::Decimal | Kind::Percent if found.ty == "money" => Some(asked(Wire::Text, "::numeric::text")),
        Kind::Decimal | Kind::Percent => (integer || found.ty == "numeric").then(|| asked(Wire::Text, "::text")),
        // Without the `/32` that the type's text ends in.
        Kind::Text if found.ty == "inet" => Some(Asked { sql: format!("abbrev({name})"), ..asked(Wire::Text, "") }),
        Kind::Text | Kind::OneOf { .. } => is_text(found).then(|| asked(Wire::Text, "::text")),
        Kind::Date => (found.ty == "date").then(|| asked(Wire::Date, "::date")),
        Kind::Time => (found.ty == "time").then(|| asked(Wire::Time, "::time")),
        Kind::Timestamp => match found.ty.as_str() {
            "timestamptz" => Some(asked(Wire::Instant, "::timestamptz")),
            "timestamp" => Some(asked(Wire::Civil, "::timestamp")),
            _ => None,
        },
        Kind::Json if found.category == 'A' || found.category == 'C' => {
            Some(Asked { sql: format!("to_json({name})::text"), wire: Wire::Text, from: found.clone() })
        }
        Kind::Json => {
            (matches!(found.ty.as_str(), "json" | "jsonb") || is_text(found)).then(|| asked(Wire::Text, "::text"))
        }
    };
    fits.ok_or_else(|| unfit(column, found))
}

fn unfit(column: &Column, found: &TableColumn) -> Unfit {
    let known = ty(found);
    let name = &column.name;
    let help = known.as_ref().map(|kind| match (&column.kind, kind) {
        (Kind::Decimal | Kind::Percent, TyKind::Float) => {
            format!("a float is not exact: store `{name}` as `numeric`, or declare `{name}: float`")
        }
        _ => format!("declare `{name}: {}`", word(kind)),
    });
    Unfit { name: name.clone(), declared: column.kind.words(), found: found.sql.clone(), help, span: column.span }
}

/// A `numeric` without decimals that fits into a whole number.
fn is_whole(found: &TableColumn) -> bool {
    found.digits.is_some_and(|(digits, decimals)| decimals == 0 && digits <= 18)
}

/// Texts, enumerations and what people read as text.
fn is_text(found: &TableColumn) -> bool {
    let other = ["uuid", "xml", "macaddr", "macaddr8", "ltree"];
    matches!(found.category, 'S' | 'E' | 'I' | 'V' | 'R') || other.contains(&found.ty.as_str())
}

/// What a type is in the language, if it is anything.
pub(super) fn ty(found: &TableColumn) -> Option<TyKind> {
    Some(match found.ty.as_str() {
        "bool" => TyKind::Bool,
        "int2" | "int4" | "int8" => TyKind::Int,
        "float4" | "float8" => TyKind::Float,
        "numeric" if is_whole(found) => TyKind::Int,
        "numeric" | "money" => TyKind::Decimal,
        "date" => TyKind::Date,
        "time" => TyKind::Time,
        "timestamp" | "timestamptz" => TyKind::Timestamp,
        "json" | "jsonb" => TyKind::Json,
        _ if found.category == 'E' => TyKind::Enumeration(found.labels.clone().into()),
        _ if found.category == 'A' || found.category == 'C' => TyKind::Json,
        _ if is_text(found) => TyKind::Text,
        _ => return None,
    })
}

fn word(kind: &TyKind) -> String {
    if let TyKind::Enumeration(values) = kind {
        return values.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>().join(" | ");
    }
    TyKind::names().find(|name| TyKind::named(name).as_ref() == Some(kind)).unwrap_or("text").to_owned()
}
