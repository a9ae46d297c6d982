//! Lost rows as populations: `P.unmatched`, `E.rejected`.

use super::super::expr::problem::{Advice, TypeProblem};
use super::super::expr::{Meaning, Resolved};
use crate::base::Span;
use crate::hir::check::Checker;
use crate::hir::{Column, LocalId, Query, QueryKind, SegmentTy, Ty, TyKind};
use crate::syntax::ast::Name;

/// Whether a name after a dot stands for rows that were lost.
pub(crate) fn is_lost(name: &str) -> bool {
    matches!(name, "unmatched" | "rejected")
}

impl Checker<'_> {
    /// To be called when a population gets a name, so that `NAME.unmatched` is known.
    pub fn bound_segment(&mut self, local: LocalId, query: &Query) {
        if let Some(ty) = unmatched(query) {
            self.unmatched.insert(local, ty.clone());
        }
    }

    /// What `unmatched` and `rejected` are after a population; `None` for other names.
    pub(crate) fn lost_rows(&self, query: &Query, field: &Name, span: Span) -> Option<Resolved> {
        let found = match (field.text.as_str(), &query.kind) {
            ("rejected", QueryKind::Entity(id)) => {
                let ty = SegmentTy { entity: *id, with: rejected_columns().into() };
                Ok(Query { kind: QueryKind::Rejected(*id), ty, span })
            }
            ("rejected", _) => {
                let entity = self.entity_name(query.ty.entity);
                let why = "only a file has rejected lines".to_owned();
                let advice = Advice::write(format!("{entity}.rejected"), span);
                Err(TypeProblem::NoLostRows { why, advice, span: field.span })
            }
            ("unmatched", QueryKind::Local(local)) => match self.unmatched.get(local) {
                Some(ty) => Ok(Query { kind: QueryKind::Unmatched(*local), ty: ty.clone(), span }),
                None => {
                    let name = &self.locals[local.0 as usize].name;
                    let why = format!("`{name}` has no unmatched rows: it has no `match` and changes no dimension");
                    Err(TypeProblem::NoLostRows { why, advice: Advice::None, span: field.span })
                }
            },
            ("unmatched", _) => {
                let why = "only a named segment has unmatched rows".to_owned();
                let advice = Advice::say("give it a name before: `segment NAME = ...`");
                Err(TypeProblem::NoLostRows { why, advice, span: field.span })
            }
            _ => return None,
        };
        Some(found.map(Meaning::Population).map_err(Box::new))
    }
}

/// Columns of a rejected line.
fn rejected_columns() -> Vec<Column> {
    let column = |name: &str, ty: Ty| Column { name: name.to_owned(), ty };
    vec![
        column("line", Ty::of(TyKind::Int)),
        column("column", Ty::of(TyKind::Text).or_null()),
        column("value", Ty::of(TyKind::Text).or_null()),
        column("reason", Ty::of(TyKind::Text)),
    ]
}

/// The type of the rows that the last `match` or change of dimension of a population loses.
fn unmatched(query: &Query) -> Option<&SegmentTy> {
    match &query.kind {
        QueryKind::Match { input, .. } | QueryKind::Navigate { input, .. } => Some(&input.ty),
        _ => unmatched(query.input()?),
    }
}
