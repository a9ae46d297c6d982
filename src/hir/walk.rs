//! Rewriting trees: one traversal that everything which renames rows or looks for columns goes through.

use super::{
    Aggregate, Amount, ColumnRef, Expr, ExprKind, OrderKey, Query, QueryKind, RelationId, RowId, TemplatePart,
};

/// What a rewrite does with a column reference: a replacement, or `None` to leave it.
pub type ColumnMap<'f> = dyn FnMut(RowId, &[RelationId], &ColumnRef) -> Option<ExprKind> + 'f;

/// What a traversal does on its way.
struct Hooks<'h, 'f> {
    column: &'h mut ColumnMap<'f>,
    /// Sees every query before its parts.
    query: &'h mut dyn FnMut(&Query),
}

/// The expression with every column reference, at any depth, replaced where `map` says so.
pub fn map_columns(expr: &Expr, map: &mut ColumnMap<'_>) -> Expr {
    let mut copy = expr.clone();
    rewrite(&mut copy, &mut Hooks { column: map, query: &mut |_| {} });
    copy
}

/// Calls `column` for every column reference and `query` for every population of an expression, at any depth.
pub fn visit_expr(
    expr: &Expr,
    column: &mut dyn FnMut(RowId, &[RelationId], &ColumnRef),
    query: &mut dyn FnMut(&Query),
) {
    let column = &mut |row, path: &[RelationId], at: &ColumnRef| {
        column(row, path, at);
        None
    };
    rewrite(&mut expr.clone(), &mut Hooks { column, query });
}

/// The same for a population, itself included.
pub fn visit_query(
    query: &Query,
    column: &mut dyn FnMut(RowId, &[RelationId], &ColumnRef),
    each: &mut dyn FnMut(&Query),
) {
    let column = &mut |row, path: &[RelationId], at: &ColumnRef| {
        column(row, path, at);
        None
    };
    rewrite_query(&mut query.clone(), &mut Hooks { column, query: each });
}

fn rewrite(expr: &mut Expr, map: &mut Hooks<'_, '_>) {
    use ExprKind::*;
    match &mut expr.kind {
        Column { row, path, column } => {
            if let Some(kind) = (map.column)(*row, path, column) {
                expr.kind = kind;
            }
        }
        Error | Literal(_) | LocalTimestamp(_) | Local(_) | Now => {}
        Template(parts) => {
            for part in parts {
                if let TemplatePart::Hole(hole) = part {
                    rewrite(hole, map);
                }
            }
        }
        List(items) | Call { args: items, .. } => items.iter_mut().for_each(|item| rewrite(item, map)),
        Not(inner) | Neg(inner) | Ago(inner) | IsNull { value: inner, .. } | IsEmpty { value: inner, .. } => {
            rewrite(inner, map);
        }
        Binary { left, right, .. } | Rate { amount: left, per: right } => {
            rewrite(left, map);
            rewrite(right, map);
        }
        In { value, items, .. } => {
            rewrite(value, map);
            items.iter_mut().for_each(|item| rewrite(item, map));
        }
        InQuery { value, query, column, .. } => {
            rewrite(value, map);
            rewrite_query(query, map);
            rewrite(column, map);
        }
        Between { value: a, low: b, high: c, .. } | If { condition: a, then: b, otherwise: c } => {
            [a, b, c].into_iter().for_each(|part| rewrite(part, map));
        }
        Exists(query) => rewrite_query(query, map),
        Aggregate(aggregate) => rewrite_aggregate(aggregate, map),
    }
}

fn rewrite_aggregate(aggregate: &mut Aggregate, map: &mut Hooks<'_, '_>) {
    aggregate.values.iter_mut().for_each(|(_, value)| rewrite(value, map));
    aggregate.args.iter_mut().for_each(|arg| rewrite(arg, map));
    rewrite_query(&mut aggregate.query, map);
}

fn rewrite_query(query: &mut Query, map: &mut Hooks<'_, '_>) {
    use QueryKind::*;
    (map.query)(query);
    match &mut query.kind {
        Related { row, path } => {
            // A correlated query starts at a row, so a renamed row renames its start as well.
            let probe = ColumnRef::Added(String::new());
            if let Some(ExprKind::Column { row: new_row, path: new_path, .. }) = (map.column)(*row, path, &probe) {
                (*row, *path) = (new_row, new_path);
            }
        }
        Error | Entity(_) | Local(_) | Audience(_) | Feedback { .. } | Unmatched(_) | Rejected(_) | Group { .. } => {}
        Navigate { input, .. } => rewrite_query(input, map),
        Where { input, predicate, .. } => {
            rewrite_query(input, map);
            rewrite(predicate, map);
        }
        With { input, columns, .. } => {
            rewrite_query(input, map);
            columns.iter_mut().for_each(|(_, value)| rewrite(value, map));
        }
        Dedupe { input, by, prefer, .. } => {
            rewrite_query(input, map);
            by.iter_mut().for_each(|key| rewrite(key, map));
            rewrite_keys(prefer, map);
        }
        OrderBy { input, keys, .. } => {
            rewrite_query(input, map);
            rewrite_keys(keys, map);
        }
        Limit { input, amount, by, .. } => {
            rewrite_query(input, map);
            rewrite_amount(amount, map);
            rewrite_keys(by, map);
        }
        Sample { input, amount, .. } => {
            rewrite_query(input, map);
            rewrite_amount(amount, map);
        }
        Match { input, on, .. } => {
            rewrite_query(input, map);
            rewrite(on, map);
        }
        New { input, by, .. } => {
            rewrite_query(input, map);
            by.iter_mut().for_each(|by| rewrite(by, map));
        }
        SetOp { left, right, .. } => {
            rewrite_query(left, map);
            rewrite_query(right, map);
        }
    }
}

fn rewrite_keys(keys: &mut [OrderKey], map: &mut Hooks<'_, '_>) {
    keys.iter_mut().for_each(|key| rewrite(&mut key.value, map));
}

fn rewrite_amount(amount: &mut Amount, map: &mut Hooks<'_, '_>) {
    match amount {
        Amount::Rows(value) | Amount::Share(value) => rewrite(value, map),
    }
}
