mod any;

use crate::hir::check::testing::{Checked, check, row_type};
use crate::hir::{BinaryOp, ColumnRef, Expr, ExprKind, Query, QueryKind, StmtKind, TyKind};

fn table(rows: &[(&str, &str)]) {
    let wrong: Vec<String> = rows
        .iter()
        .map(|(expr, expected)| (expr, expected, row_type(expr)))
        .filter(|(_, expected, found)| *expected != found)
        .map(|(expr, expected, found)| format!("{expr}\n  expected {expected}\n  found    {found}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn comparisons_and_logic() {
    table(&[
        ("spend > 500", "bool"),
        ("spend > 500 and tier = \"gold\"", "bool"),
        ("spend > visits or score < 3", "bool"),
        ("share > 10%", "bool"),
        ("country = \"FR\"", "bool?"),
        ("store.city = \"Lyon\"", "bool?"),
        ("tier = \"glod\"", "unknown_value"),
        ("\"glod\" = tier", "unknown_value"),
        ("tier > \"silver\"", "no_order"),
        ("opt_in < true", "no_order"),
        ("visits = \"42\"", "incomparable"),
        ("joined = \"2026-01-05\"", "incomparable"),
        ("name = joined", "incomparable"),
        ("joined > 2026-01-01", "bool"),
        ("seen > 2026-01-01", "bool?"),
        ("seen > joined", "bool?"),
        ("joined > ago(90d)", "bool"),
        ("seen > ago(90d)", "bool?"),
        ("today() - joined > 90d", "bool"),
        ("today() - joined > 6mo", "no_fixed_length"),
        ("name like \"A%\"", "bool"),
        ("visits like \"A%\"", "bad_operand"),
        ("not opt_in", "bool"),
        ("not name", "mismatch"),
        ("visits", "int"),
        ("country = null", "compared_with_null"),
        ("name = name", "compared_with_itself"),
        ("wakes > 09:00", "bool"),
        ("topic = \"news\"", "bool"),
        ("topic = news", "bool"),
        ("topic = \"newz\"", "unknown_value"),
        ("zone = \"Europe/Pari\"", "unknown_value"),
        ("weekday(joined) = monday", "bool"),
        ("weekday(joined) = mondya", "unknown_value"),
        ("weekday(joined) in (saturday, sunday)", "bool"),
        ("nme = \"x\"", "unknown_name"),
        ("store.ctiy = \"x\"", "unknown_field"),
        ("name.x = 1", "unknown_field"),
    ]);
}

#[test]
fn arithmetic() {
    table(&[
        ("visits + 1", "int"),
        ("visits / 2", "decimal"),
        ("spend / visits", "decimal"),
        ("spend / 0", "division_by_zero"),
        ("if visits = 0 then null else spend / visits", "decimal?"),
        ("spend * 10%", "decimal"),
        ("share + 5%", "percent"),
        ("spend * score", "float"),
        ("-visits", "int"),
        ("-name", "bad_operand"),
        ("joined + 30d", "date"),
        ("seen - 24h", "timestamp?"),
        ("joined + 1", "bad_operand"),
        ("joined + 2h", "bad_operand"),
        ("today() - joined", "duration"),
        ("now() - seen", "duration?"),
        ("name + \"x\"", "bad_operand"),
        ("\"{name} {visits}\"", "text"),
        ("1d * 2 + 3h", "duration"),
        ("200 per second", "rate"),
        ("country ?? \"FR\"", "text"),
        ("country ?? null", "text?"),
        ("visits ?? 0", "never_null"),
        ("country ?? 3", "mismatch"),
        ("null_if(tier, \"gold\") ?? \"none\"", "text"),
        ("null_if(tier, \"gold\") ?? \"bronze\"", "\"bronze\" | \"silver\" | \"gold\""),
        ("if opt_in then tier else \"none\"", "text"),
        ("concat(tier, \" card\")", "text"),
        ("coalesce(null, tier, \"none\")", "text"),
        ("if opt_in then 1 else 2.5", "decimal"),
        ("if opt_in then \"a\" else null", "text?"),
        ("if opt_in then 1 else \"b\"", "mismatch"),
        ("if visits then 1 else 2", "mismatch"),
    ]);
}

#[test]
fn membership() {
    table(&[
        ("tier in (\"silver\", \"gold\")", "bool"),
        ("tier in (\"silver\", \"golden\")", "unknown_value"),
        ("tier in (\"silver\")", "bool"),
        ("country in countries", "bool?"),
        ("visits in countries", "incomparable"),
        ("country not in (\"FR\", \"DE\")", "null_comparison"),
        ("visits in (1, 2.5)", "bool"),
        ("visits in (1, null)", "compared_with_null"),
        ("seen in (2026-01-01, 2026-01-02)", "bool?"),
        ("id in orders.customer_id", "bool"),
        ("id in customers", "bool"),
        ("name in orders.customer_id", "incomparable"),
        ("email in leads.email", "bool?"),
        ("\"a\" in tags", "bool"),
        ("visits between 1 and 5", "bool"),
        ("visits between 1 and \"x\"", "incomparable"),
        ("tier between \"bronze\" and \"gold\"", "no_order"),
        ("seen between 2026-01-01 and 2026-02-01", "bool?"),
        ("joined between ago(30d) and today()", "bool"),
        ("joined between ago(30d) and now()", "bool"),
        ("seen between ago(30d) and today()", "bool?"),
        ("joined in (now(), today())", "bool"),
        ("country is null", "bool"),
        ("name is null", "never_null"),
        ("name is empty", "bool"),
        ("tags is not empty", "bool"),
        ("visits is empty", "bad_operand"),
        ("store is null", "bool"),
        ("orders is empty", "bool"),
        ("orders is null", "population_as_value"),
        ("country != \"FR\"", "null_comparison"),
        ("country != \"FR\" or country is null", "bool?"),
        ("country is not null and country != \"FR\"", "bool?"),
        ("city != \"Lyon\"", "bool"),
        ("city = null or city = \"x\"", "compared_with_null"),
    ]);
}

#[test]
fn aggregates() {
    table(&[
        ("exists(orders)", "bool"),
        ("exists(orders where amount > 5)", "bool"),
        ("exists(orders where amuont > 5)", "unknown_name"),
        ("exists(store)", "bool"),
        ("exists(store where city = \"Lyon\")", "bool"),
        ("count(orders)", "int"),
        ("count(orders where customers.country = \"FR\" and sku = \"x\")", "int"),
        ("count(orders where country = \"FR\")", "unknown_name"),
        ("count(sku of orders)", "int"),
        ("count_distinct(sku of orders)", "int"),
        ("sum(amount of orders)", "decimal"),
        ("sum(quantity of orders)", "int"),
        ("sum(sku of orders)", "bad_aggregate"),
        ("avg(quantity of orders)", "decimal?"),
        ("min(placed_at of orders)", "timestamp?"),
        ("max(status of orders)", "bad_aggregate"),
        ("first(sku of orders order by placed_at desc)", "text?"),
        ("list(sku of orders order by placed_at limit 3)", "list of text"),
        ("list(sku, amount of orders)", "list of rows with { sku: text, amount: decimal }"),
        ("string_agg(sku, \"; \" of orders)", "text?"),
        ("string_agg(sku of orders)", "text?"),
        ("median(amount of orders)", "decimal?"),
        ("percentile(amount, 90% of orders)", "decimal?"),
        ("stddev(amount of orders)", "float?"),
        ("sum(spend)", "bad_aggregate"),
        ("sum(orders.amount)", "bad_aggregate"),
        ("first(orders)", "bad_aggregate"),
        ("min(visits, 3)", "bad_aggregate"),
        ("count(visits)", "bad_aggregate"),
        ("orders > 3", "many_as_value"),
        ("orders", "many_as_value"),
        ("orders and opt_in", "many_as_value"),
        ("orders.amount > 3", "population_as_value"),
        ("store", "row_as_value"),
        ("store.city", "text?"),
        ("count(stores)", "ignores_row"),
        ("count(stores where city = customers.city)", "int"),
        ("count(store.customers)", "int"),
        ("customers", "population_as_value"),
        ("customers.spend", "decimal"),
        ("hello", "not_a_value"),
        ("lower", "not_a_value"),
    ]);
}

#[test]
fn calls() {
    table(&[
        ("lower(email)", "text?"),
        ("lower(visits)", "mismatch"),
        ("left(name, 3)", "text"),
        ("left(s: name, n: 3)", "text"),
        ("left(name)", "bad_arguments"),
        ("left(name, 3, 4)", "bad_arguments"),
        ("left(s: name, m: 3)", "bad_arguments"),
        ("pad_start(name, 3)", "text"),
        ("round(spend, 2)", "decimal"),
        ("round(visits)", "int"),
        ("abs(name)", "mismatch"),
        ("to_int(name)", "int?"),
        ("coalesce(country, city)", "text"),
        ("coalesce(country, 3)", "incomparable"),
        ("greatest(1, 2.5)", "decimal"),
        ("null_if(tier, \"gold\")", "\"bronze\" | \"silver\" | \"gold\"?"),
        ("concat(name, 1, country)", "text"),
        ("all_present(country, email)", "bool"),
        ("element(tags, 1)", "text?"),
        ("size(tags)", "int"),
        ("join(tags)", "text"),
        ("date(seen)", "date?"),
        ("year(joined)", "int"),
        ("year(name)", "mismatch"),
        ("start_of_month(seen)", "timestamp?"),
        ("days_since(joined)", "int"),
        ("is_anniversary(birthday)", "bool?"),
        ("now()", "timestamp"),
        ("today()", "date"),
        ("ago(3d)", "timestamp"),
        ("ago(3)", "mismatch"),
        ("today(1)", "bad_arguments"),
        ("lwoer(name)", "not_a_function"),
        ("tier(\"gold\")", "not_a_function"),
        ("datediff(joined, joined)", "not_a_function"),
        ("active(90d)", "bool"),
        ("active(window: 90d)", "bool"),
        ("active(90)", "mismatch"),
        ("active()", "bad_arguments"),
        ("big", "bool"),
        ("big and active(1d)", "bool"),
        ("exists(orders where customer.big)", "bool"),
        ("count(orders where customer.active(3d))", "int"),
    ]);
}

#[test]
fn definitions_that_use_themselves_are_reported_with_the_cycle() {
    let checked =
        check("define a of customers = b\ndefine b of customers = a and opt_in\nsegment s = customers where a");
    assert_eq!(checked.codes(), ["recursive_definition"]);
    assert!(checked.rendered().contains("b → a → b"), "{}", checked.rendered());
}

#[test]
fn a_definition_needs_its_row() {
    assert_eq!(check("segment s = stores where big").codes(), ["needs_row"]);
    assert_eq!(check("let x = active(3d)").codes(), ["needs_row"]);
}

/// Runs with the stack that a thread has by default.
fn on_a_thread(script: String) -> Vec<String> {
    std::thread::spawn(move || check(&script).codes()).join().unwrap()
}

#[test]
fn deep_nesting_is_checked_within_the_stack() {
    let deep = format!("segment s = customers where {}opt_in{}", "(".repeat(480), ")".repeat(480));
    assert_eq!(on_a_thread(deep), Vec::<String>::new());
    let long = format!("segment s = customers where opt_in{}", " or opt_in".repeat(480));
    assert_eq!(on_a_thread(long), Vec::<String>::new());
    let nested = format!(
        "segment s = customers where {}opt_in{}",
        "exists(orders where customer.id > 0 and ".repeat(100),
        ")".repeat(100)
    );
    assert!(!on_a_thread(nested).is_empty());
}

#[test]
fn definitions_that_multiply_are_stopped() {
    let mut script = "define d0 of customers = opt_in\n".to_owned();
    for level in 1..40 {
        script += &format!("define d{level} of customers = d{0} and d{0}\n", level - 1);
    }
    script += "segment s = customers where d39";
    assert_eq!(on_a_thread(script), ["expands_too_far"]);
}

/// The population of the last segment.
fn last_query(checked: &Checked) -> &Query {
    let body = &checked.program.campaigns[0].body;
    let mut queries = body.iter().filter_map(|stmt| match &stmt.kind {
        StmtKind::Segment { query, .. } => Some(query),
        _ => None,
    });
    queries.next_back().unwrap()
}

/// The condition on customers or orders, and the row it looks at.
fn predicate(script: &str) -> (Expr, crate::hir::RowId) {
    let checked = check(script);
    assert_eq!(checked.codes(), Vec::<String>::new(), "{}", checked.rendered());
    match &last_query(&checked).kind {
        QueryKind::Where { predicate, row, .. } => (predicate.clone(), *row),
        other => panic!("{other:?}"),
    }
}

/// `>= start and < end`, as operators and civil moments.
fn bounds(expr: &Expr) -> Vec<(BinaryOp, String)> {
    match &expr.kind {
        ExprKind::Binary { op: BinaryOp::And | BinaryOp::Or, left, right } => [bounds(left), bounds(right)].concat(),
        ExprKind::Binary { op, right, .. } => match &right.kind {
            ExprKind::LocalTimestamp(moment) => vec![(*op, moment.to_string())],
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_instant_and_a_date_are_compared_by_the_day() {
    use BinaryOp::{GreaterEqual, Less};
    let (first, next) = ("2026-11-20T00:00:00", "2026-11-21T00:00:00");
    let table: &[(&str, &[(BinaryOp, &str)])] = &[
        ("placed_at <= 2026-11-20", &[(Less, next)]),
        ("placed_at < 2026-11-20", &[(Less, first)]),
        ("placed_at > 2026-11-20", &[(GreaterEqual, next)]),
        ("2026-11-20 <= placed_at", &[(GreaterEqual, first)]),
        ("placed_at = 2026-11-20", &[(GreaterEqual, first), (Less, next)]),
        ("placed_at != 2026-11-20", &[(Less, first), (GreaterEqual, next)]),
        ("placed_at between 2026-11-20 and 2026-11-20", &[(GreaterEqual, first), (Less, next)]),
    ];
    for (condition, expected) in table {
        let (found, _) = predicate(&format!("segment s = orders where {condition}"));
        let found = bounds(&found);
        let found: Vec<(BinaryOp, &str)> = found.iter().map(|(op, moment)| (*op, moment.as_str())).collect();
        assert_eq!(found, *expected, "{condition}");
    }
}

#[test]
fn ago_is_what_it_is_compared_with() {
    for (condition, expected) in [("joined > ago(3d)", TyKind::Date), ("ago(3d) < seen", TyKind::Timestamp)] {
        let (found, _) = predicate(&format!("segment s = customers where {condition}"));
        let ExprKind::Binary { left, right, .. } = found.kind else { panic!("{condition}") };
        let ago = if matches!(left.kind, ExprKind::Ago(_)) { left } else { right };
        assert_eq!(ago.ty.kind, expected, "{condition}");
    }
}

#[test]
fn a_definition_looks_at_the_row_it_is_used_on() {
    let (found, row) = predicate("segment s = orders where customer.big");
    let ExprKind::Binary { left, .. } = found.kind else { panic!() };
    let ExprKind::Column { row: looked_at, path, column } = left.kind else { panic!() };
    assert_eq!((looked_at, path.len()), (row, 1));
    assert!(matches!(column, ColumnRef::Field(_)));
    assert!(left.ty.nullable, "the customer may be missing");
}

#[test]
fn relations_of_a_row_and_of_a_population_differ() {
    let (found, row) = predicate("segment s = customers where orders is not empty");
    let ExprKind::Exists(query) = found.kind else { panic!() };
    assert!(matches!(&query.kind, QueryKind::Related { row: of, path } if *of == row && path.len() == 1));
    let checked = check("segment s = customers.orders");
    assert!(matches!(&last_query(&checked).kind, QueryKind::Navigate { .. }));
}

#[test]
fn membership_in_a_population_is_by_key() {
    let (found, _) = predicate("segment vip = customers where opt_in\nsegment s = orders where customer_id in vip");
    let ExprKind::InQuery { row, column, .. } = found.kind else { panic!() };
    assert!(matches!(column.kind, ExprKind::Column { row: of, column: ColumnRef::Field(_), .. } if of == row));
}

#[test]
fn constants_are_folded() {
    let checked =
        check("campaign c(pause: duration = 1d + 2h, least: decimal = 3, half: decimal = 1 / 2) { log \"x\" }");
    assert_eq!(checked.codes(), Vec::<String>::new(), "{}", checked.rendered());
    let defaults: Vec<String> =
        checked.program.campaigns[0].params.iter().map(|param| format!("{:?}", param.default)).collect();
    assert!(defaults[0].contains("days: 1, seconds: 7200"), "{defaults:?}");
    assert_eq!(defaults[1..], ["Some(Decimal(3))", "Some(Decimal(0.5))"]);
    assert_eq!(check("campaign c(day: date = today()) { log \"x\" }").codes(), ["not_constant"]);
}

#[test]
fn mistakes_in_a_definition_are_reported_once() {
    let checked = check(
        "define recent(window: duration) of customers = joined > today() - windw\n\
         segment a = customers where recent(1d)\nsegment b = customers where recent(2d)",
    );
    assert_eq!(checked.codes(), ["unknown_name"]);
}
