//! Filters, paths, memberships, set algebra, limits.

use super::build::*;
use super::build::{count, filtered};
use super::*;
use crate::hir::{AggregateFn, Amount, BinaryOp::*, ExprKind, OrderKey, QueryKind, SetOp, TyKind::*};

fn n(value: i64) -> Value {
    Value::Int(value)
}

fn s(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn d(value: &str) -> Value {
    Value::Decimal(value.parse().unwrap())
}

const NULL: Value = Value::Null;

/// Five customers, six orders, two stores.
fn world() -> World {
    let mut world = shop();
    let date = |text: &str| Value::Date(text.parse().unwrap());
    world.fill(
        CUSTOMERS,
        vec![
            vec![n(1), s("a@x.test"), s("Lyon"), d("10.00"), n(1), date("2026-01-01")],
            vec![n(2), s("b@x.test"), s("Paris"), d("500.50"), n(2), date("2026-02-01")],
            vec![n(3), NULL, NULL, NULL, NULL, NULL],
            vec![n(4), s("a@x.test"), s("Lyon"), d("900.00"), n(9), date("2026-03-01")],
            vec![n(5), s("e@x.test"), s("Nice"), d("0.00"), n(2), date("2026-04-01")],
        ],
    );
    let at = |text: &str| Value::Timestamp(text.parse().unwrap());
    world.fill(
        ORDERS,
        vec![
            vec![n(10), n(1), d("5.00"), n(1), at("2026-11-01T10:00:00Z")],
            vec![n(11), n(1), d("7.50"), n(2), at("2026-11-20T10:00:00Z")],
            vec![n(12), n(2), d("500.50"), n(0), at("2026-10-01T10:00:00Z")],
            vec![n(13), n(4), d("600.00"), n(3), at("2026-09-01T10:00:00Z")],
            vec![n(14), n(4), d("300.00"), NULL, at("2026-11-23T10:00:00Z")],
            vec![n(15), NULL, d("1.00"), n(1), NULL],
        ],
    );
    world.fill(STORES, vec![vec![n(1), s("Lyon")], vec![n(2), s("Paris")]]);
    world
}

#[test]
fn a_filter_keeps_rows_for_which_it_is_true_and_null_is_not() {
    let world = world();
    let rich = filtered(all(CUSTOMERS), |row| cmp(Greater, col(row, 3, Decimal), decimal("10")));
    assert_eq!(world.keys(&rich), [2, 4]);
    let others = filtered(all(CUSTOMERS), |row| not(cmp(Greater, col(row, 3, Decimal), decimal("10"))));
    assert_eq!(world.keys(&others), [1, 5]);
    let either = filtered(all(CUSTOMERS), |row| {
        let rich = cmp(Greater, col(row, 3, Decimal), decimal("10"));
        let unknown = e(ExprKind::IsNull { negated: false, value: Box::new(col(row, 2, Text)) }, Ty::of(Bool));
        cmp(Or, rich, unknown)
    });
    assert_eq!(world.keys(&either), [2, 3, 4]);
}

#[test]
fn a_path_over_a_one_relation_is_null_for_orphans() {
    let world = world();
    let lyon = filtered(all(CUSTOMERS), |row| cmp(Equal, path(row, &[1], 1, Text), text("Lyon")));
    assert_eq!(world.keys(&lyon), [1]);
    let orphans = filtered(all(CUSTOMERS), |row| {
        e(ExprKind::IsNull { negated: false, value: Box::new(path(row, &[1], 1, Text)) }, Ty::of(Bool))
    });
    assert_eq!(world.keys(&orphans), [3, 4]);
    // Two steps: the order's customer's store.
    let far = filtered(all(ORDERS), |row| cmp(Equal, path(row, &[0, 1], 1, Text), text("Lyon")));
    assert_eq!(world.keys(&far), [10, 11]);
}

#[test]
fn exists_works_as_a_conjunct_and_anywhere_else() {
    let world = world();
    let big = |row| filtered(related(row, &[0], ORDERS), |order| cmp(Greater, col(order, 2, Decimal), decimal("6")));
    let buyers = filtered(all(CUSTOMERS), |row| exists(big(row)));
    assert_eq!(world.keys(&buyers), [1, 2, 4]);
    let others = filtered(all(CUSTOMERS), |row| not(exists(big(row))));
    assert_eq!(world.keys(&others), [3, 5]);
    let marked = filtered(all(CUSTOMERS), |row| cmp(Or, exists(big(row)), cmp(Equal, col(row, 2, Text), text("Nice"))));
    assert_eq!(world.keys(&marked), [1, 2, 4, 5]);
}

#[test]
fn a_nested_query_may_look_at_outer_rows_in_any_way() {
    let world = world();
    // Orders that are as large as all their customer ever spent.
    let all_at_once = filtered(all(CUSTOMERS), |row| {
        exists(filtered(related(row, &[0], ORDERS), |order| cmp(Equal, col(order, 2, Decimal), col(row, 3, Decimal))))
    });
    assert_eq!(world.keys(&all_at_once), [2]);
    // Another customer with the same address.
    let twins = filtered(all(CUSTOMERS), |row| {
        exists(filtered(all(CUSTOMERS), |other| {
            let same = cmp(Equal, col(other, 1, Email), col(row, 1, Email));
            cmp(And, same, cmp(NotEqual, col(other, 0, Int), col(row, 0, Int)))
        }))
    });
    assert_eq!(world.keys(&twins), [1, 4]);
    // Nobody in the same city spent more than I did: two levels, the inner one looks at both rows.
    let best = filtered(all(STORES), |store| {
        exists(filtered(related(store, &[0], CUSTOMERS), |customer| {
            not(exists(filtered(all(CUSTOMERS), |other| {
                let same = cmp(Equal, col(other, 4, Int), col(store, 0, Int));
                cmp(And, same, cmp(Greater, col(other, 3, Decimal), col(customer, 3, Decimal)))
            })))
        }))
    });
    assert_eq!(world.keys(&best), [1, 2]);
}

#[test]
fn counts_and_sums_over_relations_are_zero_of_nothing() {
    let world = world();
    let row = fresh();
    let sum =
        aggregate(AggregateFn::Sum, |order| Some(col(order, 2, Decimal)), related(row, &[0], ORDERS), Ty::of(Decimal));
    let rows = world.values(&all(CUSTOMERS), row, vec![("n", count(related(row, &[0], ORDERS))), ("sum", sum)]);
    assert_eq!(
        rows,
        [
            vec![n(1), n(2), d("12.50")],
            vec![n(2), n(1), d("500.50")],
            vec![n(3), n(0), d("0")],
            vec![n(4), n(2), d("900.00")],
            vec![n(5), n(0), d("0")],
        ]
    );
}

#[test]
fn membership_in_a_population() {
    let world = world();
    let members = |negated| {
        filtered(all(CUSTOMERS), |row| {
            let order = fresh();
            let kind = ExprKind::InQuery {
                negated,
                value: Box::new(col(row, 0, Int)),
                query: Box::new(filtered(all(ORDERS), |order| cmp(Greater, col(order, 2, Decimal), decimal("5")))),
                row: order,
                column: Box::new(col(order, 1, Int)),
            };
            e(kind, Ty::of(Bool))
        })
    };
    assert_eq!(world.keys(&members(false)), [1, 2, 4]);
    assert_eq!(world.keys(&members(true)), [3, 5]);
}

#[test]
fn set_algebra_goes_by_key() {
    let world = world();
    let low = || filtered(all(CUSTOMERS), |row| cmp(LessEqual, col(row, 0, Int), int(3)));
    let high = || filtered(all(CUSTOMERS), |row| cmp(GreaterEqual, col(row, 0, Int), int(3)));
    assert_eq!(world.keys(&set(SetOp::Union, low(), high())), [1, 2, 3, 4, 5]);
    assert_eq!(world.keys(&set(SetOp::Intersect, low(), high())), [3]);
    assert_eq!(world.keys(&set(SetOp::Except, low(), high())), [1, 2]);
}

#[test]
fn a_limit_follows_its_order_with_ties_by_key_and_nulls_last() {
    let world = world();
    let limited = |amount, descending| {
        let row = fresh();
        let by = vec![OrderKey { value: col(row, 2, Text), descending }];
        query(CUSTOMERS, QueryKind::Limit { input: Box::new(all(CUSTOMERS)), row, amount, by })
    };
    assert_eq!(world.keys(&limited(Amount::Rows(int(2)), false)), [1, 4]);
    assert_eq!(world.keys(&limited(Amount::Rows(int(9)), true)), [2, 5, 1, 4, 3]);
    let share = |share| Amount::Share(lit(d(share), Percent));
    assert_eq!(world.keys(&limited(share("0.5"), false)), [1, 4, 5]);
    assert_eq!(world.keys(&limited(share("0.49"), false)), [1, 4]);
    assert_eq!(world.keys(&limited(share("0.6"), false)), [1, 4, 5]);
    let row = fresh();
    let plain = QueryKind::Limit { input: Box::new(all(CUSTOMERS)), row, amount: Amount::Rows(int(1)), by: vec![] };
    assert_eq!(world.keys(&query(CUSTOMERS, plain)), [1]);
}

#[test]
fn a_frozen_population_has_the_columns_it_kept() {
    let mut world = world();
    let kept = [("id".to_owned(), Ty::of(Int)), ("note".to_owned(), Ty::of(Text))];
    let frozen = table(&world.program, &kept, &[vec![n(1), s("x")], vec![n(3), s("y")]]);
    world.memory.tables.insert(Rows::Frozen(LocalId(0)), frozen);
    let local = || {
        let mut query = query(CUSTOMERS, QueryKind::Local(LocalId(0)));
        query.ty.with = [crate::hir::Column { name: "note".to_owned(), ty: Ty::of(Text) }].into();
        query
    };
    let noted = filtered(local(), |row| cmp(Equal, added(row, "note", Text), text("y")));
    assert_eq!(world.rows(&noted), [[n(3), s("y")]]);
    assert_eq!(world.keys(&set(SetOp::Except, all(CUSTOMERS), local())), [2, 4, 5]);
    // Relations of a frozen row are read live.
    assert_eq!(world.keys(&filtered(local(), |row| exists(related(row, &[0], ORDERS)))), [1]);
    let lost = filtered(local(), |row| cmp(Equal, col(row, 2, Text), text("Lyon")));
    let error = world.try_rows(&lost, &Columns::All).unwrap_err();
    assert!(matches!(error, QueryError::NotKept { column, .. } if column == "city"));
}

#[test]
fn a_scalar_counts_populations() {
    let mut world = world();
    let both = binary(Add, count(all(CUSTOMERS)), count(all(ORDERS)), Int);
    assert_eq!(world.scalar(&both).unwrap(), n(11));
    world.locals.insert(LocalId(3), n(4));
    let local = e(ExprKind::Local(LocalId(3)), Ty::of(Int));
    assert_eq!(world.scalar(&binary(Divide, local, int(3), Decimal)).unwrap(), d("1.333333"));
}
