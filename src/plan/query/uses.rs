//! What queries and expressions use: outer rows, and tables.

use super::Rows;
use crate::hir::{Amount, Expr, ExprKind, Query, QueryKind, RelationId, RowId, TemplatePart};

/// One use that was found.
pub(super) enum Use<'q> {
    /// Of a row: its columns, its related rows or its group.
    Row(RowId),
    /// Of a table.
    Rows(&'q QueryKind, &'q Query),
}

/// Calls `found` for every use in a query, nested queries included.
pub(super) fn in_query<'q>(query: &'q Query, found: &mut dyn FnMut(Use<'q>)) {
    match &query.kind {
        QueryKind::Related { row, .. } | QueryKind::Group { row } => found(Use::Row(*row)),
        _ => {}
    }
    found(Use::Rows(&query.kind, query));
    for expr in clause_exprs(&query.kind) {
        in_expr(expr, found);
    }
    for input in inputs(&query.kind) {
        in_query(input, found);
    }
}

/// Calls `found` for every use in an expression, nested queries included.
pub(super) fn in_expr<'q>(expr: &'q Expr, found: &mut dyn FnMut(Use<'q>)) {
    match &expr.kind {
        ExprKind::Column { row, .. } => found(Use::Row(*row)),
        ExprKind::Exists(query) => in_query(query, found),
        ExprKind::InQuery { query, .. } => in_query(query, found),
        ExprKind::Aggregate(aggregate) => in_query(&aggregate.query, found),
        _ => {}
    }
    for part in parts(expr) {
        in_expr(part, found);
    }
}

/// The direct operands of an expression; of nested queries only what stands outside them.
pub(super) fn parts(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::Error
        | ExprKind::Literal(_)
        | ExprKind::LocalTimestamp(_)
        | ExprKind::Column { .. }
        | ExprKind::Local(_)
        | ExprKind::Exists(_)
        | ExprKind::Now => Vec::new(),
        ExprKind::Template(parts) => parts
            .iter()
            .filter_map(|part| match part {
                TemplatePart::Text(_) => None,
                TemplatePart::Hole(expr) => Some(expr),
            })
            .collect(),
        ExprKind::List(items) | ExprKind::Call { args: items, .. } => items.iter().collect(),
        ExprKind::Not(value) | ExprKind::Neg(value) | ExprKind::Ago(value) => vec![value],
        ExprKind::IsNull { value, .. } | ExprKind::IsEmpty { value, .. } => vec![value],
        ExprKind::Binary { left, right, .. } => vec![left, right],
        ExprKind::In { value, items, .. } => std::iter::once(&**value).chain(items).collect(),
        ExprKind::InQuery { value, column, .. } => vec![value, column],
        ExprKind::Between { value, low, high, .. } => vec![value, low, high],
        ExprKind::If { condition, then, otherwise } => vec![condition, then, otherwise],
        ExprKind::Aggregate(aggregate) => {
            aggregate.values.iter().map(|(_, value)| value).chain(&aggregate.args).collect()
        }
        ExprKind::Rate { amount, per } => vec![amount, per],
    }
}

/// The expressions of a query's outermost clause.
pub(super) fn clause_exprs(kind: &QueryKind) -> Vec<&Expr> {
    match kind {
        QueryKind::Where { predicate, .. } => vec![predicate],
        QueryKind::With { columns, .. } => columns.iter().map(|(_, value)| value).collect(),
        QueryKind::Dedupe { by, prefer, .. } => by.iter().chain(prefer.iter().map(|key| &key.value)).collect(),
        QueryKind::OrderBy { keys, .. } => keys.iter().map(|key| &key.value).collect(),
        QueryKind::Limit { amount, by, .. } => {
            std::iter::once(amount_expr(amount)).chain(by.iter().map(|key| &key.value)).collect()
        }
        QueryKind::Sample { amount, .. } => vec![amount_expr(amount)],
        QueryKind::Match { on, .. } => vec![on],
        QueryKind::New { by, .. } => by.iter().collect(),
        _ => Vec::new(),
    }
}

fn amount_expr(amount: &Amount) -> &Expr {
    match amount {
        Amount::Rows(expr) | Amount::Share(expr) => expr,
    }
}

/// The queries that a query applies to.
pub(super) fn inputs(kind: &QueryKind) -> Vec<&Query> {
    match kind {
        QueryKind::Navigate { input, .. }
        | QueryKind::Where { input, .. }
        | QueryKind::With { input, .. }
        | QueryKind::Dedupe { input, .. }
        | QueryKind::OrderBy { input, .. }
        | QueryKind::Limit { input, .. }
        | QueryKind::Sample { input, .. }
        | QueryKind::Match { input, .. }
        | QueryKind::New { input, .. } => vec![input],
        QueryKind::SetOp { left, right, .. } => vec![left, right],
        _ => Vec::new(),
    }
}

/// What ties a nested query to the outer row, when nothing else in it looks at outer rows.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Root<'q> {
    Related(RowId, &'q [RelationId]),
    Group(RowId),
}

/// True when the query looks at a row for which `outer` holds.
pub(super) fn uses_outer(query: &Query, outer: &dyn Fn(RowId) -> bool) -> bool {
    let mut used = false;
    in_query(query, &mut |found| used |= matches!(found, Use::Row(row) if outer(row)));
    used
}

/// The only tie of the query to outer rows, if it is that simple. Such a query can be computed for all outer rows at once.
pub(super) fn only_root<'q>(query: &'q Query, outer: &dyn Fn(RowId) -> bool) -> Option<Root<'q>> {
    match &query.kind {
        QueryKind::Related { row, path } if outer(*row) => return Some(Root::Related(*row, path)),
        QueryKind::Group { row } if outer(*row) => return Some(Root::Group(*row)),
        _ => {}
    }
    let mut used = false;
    for expr in clause_exprs(&query.kind) {
        in_expr(expr, &mut |found| used |= matches!(found, Use::Row(row) if outer(row)));
    }
    if used {
        return None;
    }
    match &query.kind {
        QueryKind::SetOp { op, left, right, .. } => {
            let root = only_root(left, outer)?;
            let same = only_root(right, outer) == Some(root);
            let free = *op != crate::hir::SetOp::Union && !uses_outer(right, outer);
            (same || free).then_some(root)
        }
        kind => only_root(inputs(kind).first()?, outer),
    }
}

/// Every table a query reads, each once.
pub fn sources(program: &crate::hir::Program, query: &Query) -> Vec<Rows> {
    let mut tables = Vec::new();
    in_query(query, &mut |found| collect(program, &found, &mut tables));
    tables
}

/// Every table an expression's nested queries read, each once. Tables reached by paths alone are not listed.
pub fn sources_of_expr(program: &crate::hir::Program, expr: &Expr) -> Vec<Rows> {
    let mut tables = Vec::new();
    in_expr(expr, &mut |found| collect(program, &found, &mut tables));
    tables
}

fn collect(program: &crate::hir::Program, found: &Use<'_>, tables: &mut Vec<Rows>) {
    let Use::Rows(kind, query) = found else { return };
    let rows = match kind {
        QueryKind::Entity(entity) => Rows::Entity(*entity),
        QueryKind::Local(local) => Rows::Frozen(*local),
        QueryKind::Audience(name) => Rows::Audience(name.clone(), query.ty.entity),
        QueryKind::Feedback { delivery, kind } => Rows::Feedback(*delivery, *kind),
        QueryKind::Unmatched(local) => Rows::Unmatched(*local),
        QueryKind::Rejected(entity) => Rows::Rejected(*entity),
        QueryKind::Match { target, .. } => Rows::Entity(*target),
        QueryKind::Related { .. } | QueryKind::Navigate { .. } if query.ty.entity.0 < program.entities.len() as u32 => {
            Rows::Entity(query.ty.entity)
        }
        _ => return,
    };
    if !tables.contains(&rows) {
        tables.push(rows);
    }
}
