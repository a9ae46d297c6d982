//! Values that cannot be computed: the error names the row, rows that do not get to an expression do not fail, and deep
//! or long questions are answered.

use super::Value;
use super::script::{expect, run};
use crate::plan::query::{QueryError, RowError};

const HUGE: &str = "9_000_000_000_000_000_000";

fn failure(query: &str) -> RowError {
    let outcome = run(&format!("segment s = {query}"));
    match outcome.error("s") {
        QueryError::Value(error) => error.clone(),
        other => panic!("{query}: {other:?}"),
    }
}

#[test]
fn every_operator_and_function_that_fails_names_its_row() {
    let big = "(spend * 1_000_000_000_000_000_000 * 1_000_000_000 * 1_000_000_000)";
    for value in [
        format!("visits + {HUGE} + {HUGE}"),
        format!("visits - {HUGE} - {HUGE}"),
        format!("visits * {HUGE} * 2"),
        "10 / visits".to_owned(),
        "spend / visits".to_owned(),
        format!("-(visits - {HUGE} - 223_372_036_854_775_808 - visits)"),
        format!("abs(0 - {HUGE} - 223_372_036_854_775_808 + visits - visits)"),
        format!("{big} * {big}"),
        format!("share({big}, 0.000001)"),
        "power(10, 300 + visits) * power(10, 300)".to_owned(),
        "power(1_000, 300 + visits)".to_owned(),
        "exp(1_000 + visits)".to_owned(),
        "months(visits * 3_000_000_000)".to_owned(),
        "joined + years(visits * 9_000)".to_owned(),
        "seen + years(visits * 9_000)".to_owned(),
        "truncate_time(seen, days(visits))".to_owned(),
        "format_date(seen, \"%~\")".to_owned(),
        "date(seen, city)".to_owned(),
        "sum(amount * 1_000_000_000_000_000_000 * 10_000_000_000_000_000 of orders)".to_owned(),
        format!("sum({HUGE} + id - id of orders)"),
        format!("count(orders where id + {HUGE} + {HUGE} > 0)"),
    ] {
        let error = failure(&format!("customers with x = {value}"));
        assert!(error.row.is_some() && error.span.is_some(), "{value}: {error:?}");
        if !value.contains("of orders") && !value.contains("(orders") {
            let error = failure(&format!("customers where ({value}) is not null"));
            assert!(error.row.is_some(), "where {value}: {error:?}");
        }
    }
}

#[test]
fn a_key_of_several_columns_is_named_as_a_whole() {
    assert_eq!(failure("shelves where 1 / (store - 2) > 0").row.as_deref(), Some("2, 1"));
    assert!(failure("shelves with x = sum(weight / (shelves.store - 2) of boxes)").row.is_some());
    assert_eq!(failure("shelves limit 1 by 1 / (number - 2)").row.as_deref(), Some("1, 2"));
    assert_eq!(failure("shelves dedupe by 1 / (number - 2)").row.as_deref(), Some("1, 2"));
    assert_eq!(failure("shelves order by 1 / (number - 2)").row.as_deref(), Some("1, 2"));
}

#[test]
fn rows_that_do_not_get_there_do_not_fail() {
    // Customer 2 has no visits, and only 1, 2 and 4 have orders.
    for (query, keys) in [
        ("customers where exists(orders where sku = \"pot\") and 10 / visits > 0", &[4][..]),
        ("customers where exists(orders where sku = \"pot\") where 10 / visits > 0", &[4]),
        ("customers where id in (orders where sku = \"pot\").customer_id where 10 / visits > 0", &[4]),
        ("(customers except (customers where id = 2)) where 10 / visits > 0", &[1, 4, 5]),
        ("(customers intersect (customers where id != 2)) where 10 / visits > 0", &[1, 4, 5]),
        ("customers limit 1 where 10 / visits > 0", &[1]),
        ("customers dedupe by tier prefer visits desc where 10 / visits > 0", &[1, 4, 5]),
        ("customers dedupe by tier keep 1 prefer visits desc where 10 / visits > 0 where 20 / visits > 0", &[1, 4, 5]),
        ("customers where visits != 0 and exists(orders where amount / customers.visits > 0)", &[1, 4]),
        ("customers where visits is null or visits = 0 or 10 / visits > 0", &[1, 2, 3, 4, 5]),
        ("customers where (if visits = 0 then 1 else if 10 / visits > 100 then 2 else 3) = 3", &[1, 3, 4, 5]),
        ("customers where (null_if(visits, 0) ?? 1) > 0 and 10 / null_if(visits, 0) > 0", &[1, 4, 5]),
        ("customers where (visits ?? 1) > 0 and (spend / visits > 3 or 100 / visits > 30)", &[1, 4, 5]),
    ] {
        if query.contains("or 100 / visits") {
            let outcome = run(&format!("segment s = {query}"));
            assert_eq!(outcome.keys("s"), [1, 4, 5], "{query}");
            continue;
        }
        expect(query, keys);
    }
    // Orders of nobody, and orders of customers who are left out before.
    expect("customers where exists(orders where 1 / (id - 15) != 0)", &[1, 2, 4]);
    expect("customers where city != \"Paris\" and exists(orders where 1 / (id - 12) != 0)", &[1, 4]);
}

#[test]
fn sums_never_wrap_around() {
    let most = "99_999_999_999_999_999_999_999_999.00";
    let outcome = run(&format!(
        "let fits = sum({most} + amount - amount of orders where id <= 11)
         segment s = customers with x = sum({most} * 1_000_000_000_0 + amount - amount of orders)"
    ));
    assert_eq!(*outcome.value("fits"), Value::Decimal("199999999999999999999999998.00".parse().unwrap()));
    let QueryError::Value(error) = outcome.error("s") else { panic!("{:?}", outcome.error("s")) };
    assert!(error.what.contains("does not fit"), "{error:?}");
}

#[test]
fn long_and_deep_questions_are_answered() {
    let many = |count: usize, one: &dyn Fn(usize) -> String, between: &str| {
        (0..count).map(one).collect::<Vec<_>>().join(between)
    };
    expect(&format!("customers where {}", many(480, &|at| format!("id = {at}"), " or ")), &[1, 2, 3, 4, 5]);
    expect(&format!("customers where {}id = 1{}", "(".repeat(450), ")".repeat(450)), &[1]);
    expect(&format!("customers where id in ({})", many(10_000, &|at| at.to_string(), ", ")), &[1, 2, 3, 4, 5]);
    expect(&many(50, &|at| format!("(customers where id = {at})"), " union "), &[1, 2, 3, 4, 5]);
    expect(&format!("customers with {}", many(200, &|at| format!("c{at} = id + {at}"), ", ")), &[1, 2, 3, 4, 5]);
    let conditional = many(200, &|at| format!("if id = {at} then {at} else "), "(");
    expect(&format!("customers where ({conditional}0{}) = 3", ")".repeat(199)), &[3]);
    // Each looks at the outer row: none doubles the plan.
    let nested = many(12, &|at| format!("exists(orders where amount > customers.spend - 1_000 - {at})"), " and ");
    expect(&format!("customers where {nested}"), &[1, 2, 4]);
    expect(&format!("customers where {}", many(40, &|at| format!("spend / id > -{at} - 1"), " and ")), &[1, 2, 4, 5]);
    // Nor does the time that planning takes grow with the cube of the operands.
    expect(&format!("customers where {} > 1_000", many(480, &|_| "id".to_owned(), " + ")), &[3, 4, 5]);
    expect(&format!("customers where {} = 3", many(480, &|_| "visits".to_owned(), " ?? ")), &[1, 5]);
    expect(&format!("customers where {}id - 3{} = 2", "abs(".repeat(400), ")".repeat(400)), &[1, 5]);
    let unknown = many(200, &|_| "city".to_owned(), " ?? (");
    expect(&format!("customers where ({unknown} ?? \"none\"{}) = \"none\"", ")".repeat(199)), &[3]);
    let defines: String = (1..100).map(|at| format!("define d{at} of customers = d{} + 1\n", at - 1)).collect();
    let outcome = run(&format!("define d0 of customers = id\n{defines}segment s = customers where d99 > 102"));
    assert_eq!(outcome.keys("s"), [4, 5]);
}

#[test]
fn a_union_holds_a_row_once_whatever_it_compares() {
    expect("customers union customers on email", &[1, 2, 3, 4, 5]);
    expect("(customers where id < 4) union (customers where id > 2) on (city, email)", &[1, 2, 3, 4, 5]);
}
