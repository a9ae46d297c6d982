use crate::hir::check::testing::{check, row_type};

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
        ("spend / visits", "decimal?"),
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
    assert!(checked.rendered().contains("a → b → a"), "{}", checked.rendered());
}

#[test]
fn a_definition_needs_its_row() {
    assert_eq!(check("segment s = stores where big").codes(), ["needs_row"]);
    assert_eq!(check("let x = active(3d)").codes(), ["needs_row"]);
}

#[test]
fn show() {
    println!("{}", check(&std::env::var("SCRIPT").unwrap_or_default()).rendered());
}
