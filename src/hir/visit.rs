//! Walking through expressions and populations.

use super::{Amount, Expr, ExprKind, OrderKey, Query, QueryKind, RowId, TemplatePart};

/// What a node contains.
#[derive(Clone, Copy)]
pub enum Node<'n> {
    Expr(&'n Expr),
    Query(&'n Query),
}

impl Expr {
    /// Calls `see` for this expression and everything in it, from the outside in.
    pub fn walk<'n>(&'n self, see: &mut dyn FnMut(Node<'n>)) {
        see(Node::Expr(self));
        match &self.kind {
            ExprKind::Error
            | ExprKind::Literal(_)
            | ExprKind::LocalTimestamp(_)
            | ExprKind::Column { .. }
            | ExprKind::Local(_)
            | ExprKind::Now => {}
            ExprKind::Template(parts) => {
                for part in parts {
                    if let TemplatePart::Hole(hole) = part {
                        hole.walk(see);
                    }
                }
            }
            ExprKind::List(items) | ExprKind::Call { args: items, .. } => all(items, see),
            ExprKind::Not(operand) | ExprKind::Neg(operand) | ExprKind::Ago(operand) => operand.walk(see),
            ExprKind::Binary { left, right, .. } => [left, right].into_iter().for_each(|side| side.walk(see)),
            ExprKind::In { value, items, .. } => {
                value.walk(see);
                all(items, see);
            }
            ExprKind::InQuery { value, query, column, .. } => {
                value.walk(see);
                query.walk(see);
                column.walk(see);
            }
            ExprKind::Between { value, low, high, .. } => {
                [value, low, high].into_iter().for_each(|part| part.walk(see));
            }
            ExprKind::IsNull { value, .. } | ExprKind::IsEmpty { value, .. } => value.walk(see),
            ExprKind::If { condition, then, otherwise } => {
                [condition, then, otherwise].into_iter().for_each(|part| part.walk(see));
            }
            ExprKind::Exists(query) => query.walk(see),
            ExprKind::Aggregate(aggregate) => {
                aggregate.query.walk(see);
                aggregate.values.iter().for_each(|(_, value)| value.walk(see));
                all(&aggregate.args, see);
            }
            ExprKind::Rate { amount, per } => [amount, per].into_iter().for_each(|part| part.walk(see)),
        }
    }
}

impl Query {
    /// The population that this one is made from by a clause, the left one of a set operator.
    pub fn input(&self) -> Option<&Query> {
        match &self.kind {
            QueryKind::Where { input, .. }
            | QueryKind::With { input, .. }
            | QueryKind::Dedupe { input, .. }
            | QueryKind::OrderBy { input, .. }
            | QueryKind::Limit { input, .. }
            | QueryKind::Sample { input, .. }
            | QueryKind::Match { input, .. }
            | QueryKind::New { input, .. }
            | QueryKind::Navigate { input, .. }
            | QueryKind::SetOp { left: input, .. } => Some(input),
            _ => None,
        }
    }

    /// Calls `see` for this population and everything in it, from the outside in.
    pub fn walk<'n>(&'n self, see: &mut dyn FnMut(Node<'n>)) {
        see(Node::Query(self));
        if let Some(input) = self.input() {
            input.walk(see);
        }
        match &self.kind {
            QueryKind::Where { predicate, .. } => predicate.walk(see),
            QueryKind::With { columns, .. } => columns.iter().for_each(|(_, value)| value.walk(see)),
            QueryKind::Dedupe { by, prefer, .. } => {
                all(by, see);
                keys(prefer, see);
            }
            QueryKind::OrderBy { keys: order, .. } => keys(order, see),
            QueryKind::Limit { amount, by, .. } => {
                amount.value().walk(see);
                keys(by, see);
            }
            QueryKind::Sample { amount, .. } => amount.value().walk(see),
            QueryKind::Match { on, .. } => on.walk(see),
            QueryKind::New { by: Some(by), .. } => by.walk(see),
            QueryKind::SetOp { right, .. } => right.walk(see),
            _ => {}
        }
    }

    /// Whether anything in it depends on one of these rows.
    pub fn looks_at(&self, rows: &[RowId]) -> bool {
        let mut found = false;
        self.walk(&mut |node| {
            let row = match node {
                Node::Expr(Expr { kind: ExprKind::Column { row, .. }, .. }) => row,
                Node::Query(Query { kind: QueryKind::Related { row, .. } | QueryKind::Group { row }, .. }) => row,
                _ => return,
            };
            found |= rows.contains(row);
        });
        found
    }
}

impl Amount {
    /// The number of rows, or the share.
    pub fn value(&self) -> &Expr {
        match self {
            Amount::Rows(value) | Amount::Share(value) => value,
        }
    }
}

fn all<'n>(exprs: &'n [Expr], see: &mut dyn FnMut(Node<'n>)) {
    exprs.iter().for_each(|expr| expr.walk(see));
}

fn keys<'n>(keys: &'n [OrderKey], see: &mut dyn FnMut(Node<'n>)) {
    keys.iter().for_each(|key| key.value.walk(see));
}
