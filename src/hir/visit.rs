//! Walking over the parts of statements, populations and expressions.

use super::{Amount, ArmKind, Content, Expr, ExprKind, OrderKey, Query, QueryKind, Send, SendAt, Stmt, StmtKind};
use super::{TemplatePart, Until};

/// Something that looks at every node. Each method goes on with the parts of the node unless it is overridden.
pub trait Visitor {
    /// A statement.
    fn stmt(&mut self, stmt: &Stmt) {
        walk_stmt(self, stmt);
    }
    /// A population.
    fn query(&mut self, query: &Query) {
        walk_query(self, query);
    }
    /// A value.
    fn expr(&mut self, expr: &Expr) {
        walk_expr(self, expr);
    }
}

/// The parts of a statement, blocks included.
pub fn walk_stmt<V: Visitor + ?Sized>(visitor: &mut V, stmt: &Stmt) {
    use StmtKind::*;
    if let Some(query) = population(&stmt.kind) {
        visitor.query(query);
    }
    match &stmt.kind {
        Let { value: one, .. }
        | Wait { duration: one }
        | Alert { text: one, .. }
        | Log { text: one }
        | Save { audience: one, .. }
        | Export { to: one, .. }
        | Subscribe { topic: one, .. } => visitor.expr(one),
        Split { arms, .. } => arms.iter().for_each(|arm| walk_arm(visitor, &arm.kind)),
        Send(send) => walk_send(visitor, send),
        WaitUntil { until, within, .. } => {
            match until {
                Until::Moment(expr) | Until::Condition(expr) => visitor.expr(expr),
                Until::Weekday { at, .. } => at.iter().for_each(|at| visitor.expr(at)),
            }
            within.iter().for_each(|within| visitor.expr(within));
        }
        WaitSignal { filter, within, .. } => filter.iter().chain(within).for_each(|expr| visitor.expr(expr)),
        If { arms, .. } => arms.iter().for_each(|(condition, _)| visitor.expr(condition)),
        Repeat { times, every, until, .. } => {
            visitor.expr(times);
            every.iter().chain(until).for_each(|expr| visitor.expr(expr));
        }
        For { list, .. } => visitor.expr(list),
        Approve { text, role, within, .. } | Task { text, role, within, .. } => {
            visitor.expr(text);
            role.iter().chain(within).for_each(|expr| visitor.expr(expr));
        }
        Emit { args, .. } => args.iter().for_each(|arg| visitor.expr(arg)),
        Require { condition, reason } => {
            visitor.expr(condition);
            reason.iter().for_each(|reason| visitor.expr(reason));
        }
        Stop { reason } | Fail { reason } => reason.iter().for_each(|reason| visitor.expr(reason)),
        Update { set, .. } | Insert { set, .. } => set.iter().for_each(|(_, value)| visitor.expr(value)),
        Upsert { on, set, .. } => {
            visitor.expr(on);
            set.iter().for_each(|(_, value)| visitor.expr(value));
        }
        Segment { .. } | Parallel { .. } | Delete { .. } => {}
    }
    for block in blocks(&stmt.kind) {
        block.iter().for_each(|inner| visitor.stmt(inner));
    }
}

/// The population that a statement is about.
pub fn population(kind: &StmtKind) -> Option<&Query> {
    use StmtKind::*;
    match kind {
        Segment { query, .. }
        | Split { input: query, .. }
        | Save { query, .. }
        | Export { query, .. }
        | Update { query, .. }
        | Upsert { query, .. }
        | Insert { query, .. }
        | Delete { query }
        | Subscribe { query, .. } => Some(query),
        Send(send) => Some(&send.to),
        _ => None,
    }
}

/// The blocks inside a statement, in the order written.
pub fn blocks(kind: &StmtKind) -> Vec<&[Stmt]> {
    use StmtKind::*;
    match kind {
        WaitUntil { otherwise, .. }
        | WaitSignal { otherwise, .. }
        | Approve { otherwise, .. }
        | Task { otherwise, .. } => otherwise.iter().map(Vec::as_slice).collect(),
        If { arms, otherwise } => arms.iter().map(|(_, body)| body).chain(otherwise).map(Vec::as_slice).collect(),
        Parallel { branches } => branches.iter().map(|(_, body)| body.as_slice()).collect(),
        Repeat { body, .. } | For { body, .. } => vec![body],
        _ => Vec::new(),
    }
}

/// The values in an arm of a split.
pub fn walk_arm<V: Visitor + ?Sized>(visitor: &mut V, arm: &ArmKind) {
    match arm {
        ArmKind::Rows { predicate, amount, by } => {
            predicate.iter().for_each(|predicate| visitor.expr(predicate));
            amount.iter().for_each(|amount| walk_amount(visitor, amount));
            walk_keys(visitor, by);
        }
        ArmKind::Share(share) => visitor.expr(share),
        ArmKind::Sample(amount) => walk_amount(visitor, amount),
        ArmKind::Otherwise => {}
    }
}

fn walk_send<V: Visitor + ?Sized>(visitor: &mut V, send: &Send) {
    visitor.expr(&send.address);
    walk_message(visitor, send);
}

/// The values in a send's message and options.
pub fn walk_message<V: Visitor + ?Sized>(visitor: &mut V, send: &Send) {
    if let Some(message) = &send.message {
        message.args.iter().for_each(|arg| visitor.expr(arg));
        message.fields.iter().for_each(|(_, content)| walk_content(visitor, content));
    }
    match &send.options.at {
        Some(SendAt::LocalTime(at) | SendAt::Moment(at)) => visitor.expr(at),
        None => {}
    }
    send.options.require.iter().for_each(|require| visitor.expr(require));
}

/// The values in a message's field.
pub fn walk_content<V: Visitor + ?Sized>(visitor: &mut V, content: &Content) {
    match content {
        Content::Inline(parts) => walk_parts(visitor, parts),
        Content::File { variables, .. } => variables.iter().for_each(|(_, value)| visitor.expr(value)),
    }
}

fn walk_parts<V: Visitor + ?Sized>(visitor: &mut V, parts: &[TemplatePart]) {
    for part in parts {
        if let TemplatePart::Hole(value) = part {
            visitor.expr(value);
        }
    }
}

fn walk_amount<V: Visitor + ?Sized>(visitor: &mut V, amount: &Amount) {
    let (Amount::Rows(value) | Amount::Share(value)) = amount;
    visitor.expr(value);
}

fn walk_keys<V: Visitor + ?Sized>(visitor: &mut V, keys: &[OrderKey]) {
    keys.iter().for_each(|key| visitor.expr(&key.value));
}

/// The parts of a population.
pub fn walk_query<V: Visitor + ?Sized>(visitor: &mut V, query: &Query) {
    use QueryKind::*;
    match &query.kind {
        Error
        | Entity(_)
        | Local(_)
        | Related { .. }
        | Audience(_)
        | Feedback { .. }
        | Unmatched(_)
        | Rejected(_)
        | Group { .. } => {}
        Navigate { input, .. } => visitor.query(input),
        Where { input, predicate, .. } => {
            visitor.query(input);
            visitor.expr(predicate);
        }
        With { input, columns, .. } => {
            visitor.query(input);
            columns.iter().for_each(|(_, value)| visitor.expr(value));
        }
        Dedupe { input, by, prefer, .. } => {
            visitor.query(input);
            by.iter().for_each(|by| visitor.expr(by));
            walk_keys(visitor, prefer);
        }
        OrderBy { input, keys, .. } => {
            visitor.query(input);
            walk_keys(visitor, keys);
        }
        Limit { input, amount, by, .. } => {
            visitor.query(input);
            walk_amount(visitor, amount);
            walk_keys(visitor, by);
        }
        Sample { input, amount, .. } => {
            visitor.query(input);
            walk_amount(visitor, amount);
        }
        Match { input, on, .. } => {
            visitor.query(input);
            visitor.expr(on);
        }
        New { input, by, .. } => {
            visitor.query(input);
            by.iter().for_each(|by| visitor.expr(by));
        }
        SetOp { left, right, .. } => {
            visitor.query(left);
            visitor.query(right);
        }
    }
}

/// The parts of a value.
pub fn walk_expr<V: Visitor + ?Sized>(visitor: &mut V, expr: &Expr) {
    use ExprKind::*;
    match &expr.kind {
        Error | Literal(_) | LocalTimestamp(_) | Column { .. } | Local(_) | Now => {}
        Template(parts) => walk_parts(visitor, parts),
        List(items) | Call { args: items, .. } => items.iter().for_each(|item| visitor.expr(item)),
        Not(one) | Neg(one) | Ago(one) | IsNull { value: one, .. } | IsEmpty { value: one, .. } => visitor.expr(one),
        Binary { left, right, .. } => {
            visitor.expr(left);
            visitor.expr(right);
        }
        In { value, items, .. } => {
            visitor.expr(value);
            items.iter().for_each(|item| visitor.expr(item));
        }
        InQuery { value, query, column, .. } => {
            visitor.expr(value);
            visitor.query(query);
            visitor.expr(column);
        }
        Between { value, low, high, .. } => [value, low, high].into_iter().for_each(|part| visitor.expr(part)),
        If { condition, then, otherwise } => {
            [condition, then, otherwise].into_iter().for_each(|part| visitor.expr(part));
        }
        Exists(query) => visitor.query(query),
        Aggregate(aggregate) => {
            visitor.query(&aggregate.query);
            aggregate.values.iter().for_each(|(_, value)| visitor.expr(value));
            aggregate.args.iter().for_each(|arg| visitor.expr(arg));
        }
        Rate { amount, per } => {
            visitor.expr(amount);
            visitor.expr(per);
        }
    }
}
