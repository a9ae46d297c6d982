//! Whatever is written: checking does not panic, and what is not reported is not wrong.

use proptest::prelude::*;

use crate::hir::check::testing::check_anything;
use crate::hir::visit::{Visitor, walk_expr, walk_query};
use crate::hir::{Expr, ExprKind, Program, Query, QueryKind, TyKind};

const VALUES: &[&str] = &[
    "id",
    "name",
    "tier",
    "spend",
    "share",
    "joined",
    "seen",
    "country",
    "tags",
    "extra",
    "wakes",
    "topic",
    "amount",
    "placed_at",
    "store",
    "store.city",
    "customers.spend",
    "customer.big",
    "orders",
    "big",
    "limit",
    "news",
    "1",
    "2.5",
    "3%",
    "\"gold\"",
    "\"{name} {country}\"",
    "2d",
    "6mo",
    "2026-11-20",
    "2026-11-20T09:00",
    "09:00",
    "true",
    "null",
    "monday",
    "now()",
    "today()",
    "ago(3d)",
    "active(3d)",
    "[1, 2]",
    "[\"FR\"]",
    "mail.opened",
    "vip.spend",
    "leads.email",
];

const POPULATIONS: &[&str] = &[
    "customers",
    "orders",
    "vip",
    "store",
    "group",
    "mail.opened",
    "mail.excluded",
    "leads.rejected",
    "fans(500)",
    "vip.orders",
    "orders.customer",
    "vip.unmatched",
    "audience \"old\" of customers",
    "stores",
];

const OPERATORS: &[&str] = &["=", "!=", "<", ">=", "and", "or", "+", "-", "*", "/", "??", "like", "not like"];

const CALLS: &[&str] = &[
    "lower",
    "length",
    "concat",
    "coalesce",
    "round",
    "date",
    "year",
    "to_text",
    "to_int",
    "greatest",
    "size",
    "join",
    "all_present",
    "days_since",
    "left",
    "null_if",
    "element",
    "start_of_month",
];

const AGGREGATES: &[&str] = &["count", "sum", "avg", "min", "max", "first", "list", "string_agg", "count_distinct"];

/// Values and populations as text.
fn value() -> BoxedStrategy<String> {
    let leaf = proptest::sample::select(VALUES).prop_map(str::to_owned);
    leaf.prop_recursive(2, 8, 3, |inner| {
        let inner = inner.boxed();
        let one = inner.clone();
        let two = (inner.clone(), inner.clone());
        let operator = proptest::sample::select(OPERATORS);
        prop_oneof![
            (two.clone(), operator).prop_map(|((a, b), operator)| format!("({a} {operator} {b})")),
            (proptest::sample::select(CALLS), one.clone()).prop_map(|(name, a)| format!("{name}({a})")),
            (proptest::sample::select(CALLS), two.clone()).prop_map(|(name, (a, b))| format!("{name}({a}, {b})")),
            two.clone().prop_map(|(a, b)| format!("({a} in ({b}, {b}))")),
            two.clone().prop_map(|(a, b)| format!("({a} not between {b} and {b})")),
            one.clone().prop_map(|a| format!("({a} is not null)")),
            one.clone().prop_map(|a| format!("({a} is empty)")),
            one.clone().prop_map(|a| format!("not {a}")),
            two.prop_map(|(a, b)| format!("(if {a} then {b} else {a})")),
            (one.clone(), population(one.clone())).prop_map(|(a, q)| format!("({a} not in ({q}))")),
            population(one.clone()).prop_map(|q| format!("exists({q})")),
            (proptest::sample::select(AGGREGATES), one.clone(), population(one))
                .prop_map(|(name, a, q)| format!("{name}({a} of {q})")),
        ]
    })
    .boxed()
}

fn population(value: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let leaf = proptest::sample::select(POPULATIONS).prop_map(str::to_owned);
    leaf.prop_recursive(2, 4, 2, move |inner| {
        let with_value = (inner.clone(), value.clone());
        prop_oneof![
            with_value.clone().prop_map(|(q, v)| format!("({q} where {v})")),
            with_value.clone().prop_map(|(q, v)| format!("({q} with x = {v})")),
            with_value.clone().prop_map(|(q, v)| format!("({q} dedupe by {v} with n = count(group))")),
            with_value.clone().prop_map(|(q, v)| format!("({q} order by {v} limit 3)")),
            with_value.clone().prop_map(|(q, v)| format!("({q} match customers on {v})")),
            with_value.prop_map(|(q, v)| format!("({q} new by {v})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} union {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} except {b})")),
            inner.clone().prop_map(|q| format!("{q}.orders")),
            inner.prop_map(|q| format!("{q}.customer")),
        ]
    })
    .boxed()
}

/// Looks for pieces that stand for something wrong.
#[derive(Default)]
struct Poison(Vec<String>);

impl Visitor for Poison {
    fn expr(&mut self, expr: &Expr) {
        if expr.kind == ExprKind::Error || expr.ty.kind == TyKind::Error {
            self.0.push(format!("{expr:?}"));
        }
        walk_expr(self, expr);
    }

    fn query(&mut self, query: &Query) {
        if query.kind == QueryKind::Error || query.ty.is_error() {
            self.0.push(format!("{query:?}"));
        }
        walk_query(self, query);
    }
}

fn poison(program: &Program) -> Vec<String> {
    let mut found = Poison::default();
    for stmt in program.campaigns.iter().flat_map(|campaign| &campaign.body) {
        found.stmt(stmt);
    }
    found.0
}

/// What is wrong in a program in which nothing was reported.
fn unreported(last: &str) -> Option<String> {
    let script = format!(
        "let limit = 5\nsegment vip = customers where opt_in\nsend email hello to vip as mail\nsegment s = {last}\n"
    );
    let (checked, parsing) = check_anything(&script);
    let drawn = checked.rendered();
    if parsing.has_errors() || checked.problems.has_errors() {
        return None;
    }
    let poison = poison(&checked.program);
    (!poison.is_empty()).then(|| format!("{script}\n{drawn}\n{poison:?}"))
}

proptest! {
    #[test]
    fn what_is_not_reported_is_not_wrong(value in value(), population in population(value())) {
        prop_assert_eq!(unreported(&format!("customers with it = {value}")), None);
        prop_assert_eq!(unreported(&population), None);
    }
}
