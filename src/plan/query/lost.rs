//! Rows that a query loses where it changes what its rows are.

use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};

use super::lower::{Base, Lower};
use super::{Columns, QueryError, Scope};
use crate::hir::{Expr, ExprKind, Query, QueryKind, RowId, SegmentTy, Ty, TyKind};

/// A row id that no program uses.
const HERE: RowId = RowId(u32::MAX);

/// The rows that the last `match` or change of dimension of a query lost, in their defined order: orders without a
/// customer, leads that match nobody. `None` when the query has neither.
pub fn unmatched(scope: &Scope<'_>, query: &Query) -> Result<Option<LogicalPlan>, QueryError> {
    let mut query = query;
    loop {
        let (input, row, found) = match &query.kind {
            QueryKind::Navigate { input, relation } => {
                let kind = QueryKind::Related { row: HERE, path: vec![*relation] };
                (input, HERE, Query { kind, ty: query.ty.clone(), span: query.span })
            }
            QueryKind::Match { input, source, target, row, on } => {
                let ty = SegmentTy { entity: *target, with: Vec::new() };
                let all = Query { kind: QueryKind::Entity(*target), ty: ty.clone(), span: query.span };
                let kind = QueryKind::Where { input: Box::new(all), row: *row, predicate: on.clone() };
                (input, *source, Query { kind, ty, span: query.span })
            }
            _ => match query.input() {
                Some(input) => {
                    query = input;
                    continue;
                }
                None => return Ok(None),
            },
        };
        return lost(scope, input, row, found).map(Some);
    }
}

/// The rows of a query for which `found`, which looks at `row`, has no rows.
fn lost(scope: &Scope<'_>, input: &Query, row: RowId, found: Query) -> Result<LogicalPlan, QueryError> {
    let lower = Lower::new(scope);
    let truth = |kind| Expr { kind, ty: Ty::of(TyKind::Bool), span: input.span };
    let found = truth(ExprKind::Exists(Box::new(found)));
    let mut frame = lower.query(input, &Base::Free)?;
    frame.rows.insert(row, frame.row.clone());
    lower.filter(&mut frame, &truth(ExprKind::Not(Box::new(found))))?;
    let (order, output) = (frame.total_order(), frame.output(scope.program, &Columns::All));
    Ok(LogicalPlanBuilder::from(frame.plan).sort(order)?.project(output)?.build()?)
}
