//! How types relate: what widens to what, what can be compared, what has an order.
//!
//! Numbers widen `int` → `decimal` → `float`; a `percent` is a decimal among other numbers. Every kind of text widens
//! to `text`. Nothing else is converted silently.

use std::sync::Arc;

use crate::hir::{Column, SegmentTy, Ty, TyKind};

/// Where a value of type `found` may stand if `wanted` is needed, nulls aside.
pub(crate) fn fits(found: &TyKind, wanted: &TyKind) -> bool {
    use TyKind::*;
    match (found, wanted) {
        (Error | Null, _) | (_, Error) => true,
        (Int, Decimal | Float) | (Decimal | Percent, Float) | (Percent, Decimal) => true,
        (Enumeration(values), Enumeration(known)) => values.iter().all(|value| known.contains(value)),
        (found, Text) if found.is_text() => true,
        (List(found), List(wanted)) => fits(&found.kind, &wanted.kind),
        (Segment(found), Segment(wanted)) | (Delivery(found), Delivery(wanted)) => fits_segment(found, wanted),
        (Record(found), Record(wanted)) => has_columns(found, wanted),
        (found, wanted) => found == wanted,
    }
}

/// A population with more columns than needed will do.
fn fits_segment(found: &SegmentTy, wanted: &SegmentTy) -> bool {
    found.is_error() || wanted.is_error() || found.entity == wanted.entity && has_columns(&found.with, &wanted.with)
}

fn has_columns(found: &[Column], wanted: &[Column]) -> bool {
    wanted.iter().all(|wanted| {
        let same = found.iter().find(|column| column.name == wanted.name);
        same.is_some_and(|column| fits(&column.ty.kind, &wanted.ty.kind))
    })
}

/// The type that both widen to; `None` if there is none.
pub(crate) fn unify(left: &Ty, right: &Ty) -> Option<Ty> {
    let nullable = left.nullable || right.nullable;
    if right.kind == TyKind::Null {
        return Some(left.clone().or_null());
    }
    if left.kind == TyKind::Null {
        return Some(right.clone().or_null());
    }
    unify_kinds(&left.kind, &right.kind).map(|kind| Ty { kind, nullable })
}

fn unify_kinds(left: &TyKind, right: &TyKind) -> Option<TyKind> {
    use TyKind::*;
    match (left, right) {
        (Error, other) | (other, Error) => Some(other.clone()),
        (left, right) if left == right => Some(left.clone()),
        (left, right) if left.is_number() && right.is_number() => Some(widest(left, right)),
        (Enumeration(left), Enumeration(right)) => {
            let more = right.iter().filter(|value| !left.contains(value));
            Some(Enumeration(left.iter().chain(more).cloned().collect::<Vec<_>>().into()))
        }
        (left, right) if left.is_text() && right.is_text() => Some(Text),
        (List(left), List(right)) => unify(left, right).map(|element| List(Box::new(element))),
        _ => None,
    }
}

/// The number type that holds both.
pub(crate) fn widest(left: &TyKind, right: &TyKind) -> TyKind {
    match (left, right) {
        (TyKind::Float, _) | (_, TyKind::Float) => TyKind::Float,
        (left, right) if left == right => left.clone(),
        _ => TyKind::Decimal,
    }
}

/// Whether `=` has a meaning. Dates and timestamps are compared by the day.
pub(crate) fn comparable(left: &TyKind, right: &TyKind) -> bool {
    use TyKind::*;
    match (left, right) {
        (Error | Null, _) | (_, Error | Null) => true,
        (Date, Timestamp) | (Timestamp, Date) => true,
        (Enumeration(left), Enumeration(right)) => left.iter().any(|value| right.contains(value)),
        (Json | List(_) | Record(_) | Row(_) | Segment(_) | Message(_) | Delivery(_) | Rate, _) => false,
        (left, right) => left == right || left.is_number() && right.is_number() || left.is_text() && right.is_text(),
    }
}

/// Whether `<` has a meaning.
pub(crate) fn has_order(kind: &TyKind) -> bool {
    use TyKind::*;
    match kind {
        Error | Null | Date | Time | Timestamp | Duration | Weekday => true,
        Enumeration(_) | Topic => false,
        kind => kind.is_number() || kind.is_text(),
    }
}

/// Whether rows can be put in order by it: more than `<` allows, since any stable order will do.
pub(crate) fn is_sortable(kind: &TyKind) -> bool {
    has_order(kind) || matches!(kind, TyKind::Bool | TyKind::Enumeration(_) | TyKind::Topic)
}

/// Whether it can be written into a text.
pub(crate) fn is_printable(kind: &TyKind) -> bool {
    use TyKind::*;
    match kind {
        Record(_) | Row(_) | Segment(_) | Message(_) | Delivery(_) => false,
        List(element) => is_printable(&element.kind),
        _ => true,
    }
}

/// The values of an enumeration.
pub(crate) fn values(kind: &TyKind) -> Option<&Arc<[String]>> {
    match kind {
        TyKind::Enumeration(values) => Some(values),
        _ => None,
    }
}

/// True if nothing is known of the type.
pub(crate) fn is_unknown(ty: &Ty) -> bool {
    matches!(ty.kind, TyKind::Error | TyKind::Null)
}
