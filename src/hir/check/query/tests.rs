use crate::hir::check::testing::{check, query_type};

fn table(rows: &[(&str, &str)]) {
    let wrong: Vec<String> = rows
        .iter()
        .map(|(expr, expected)| (expr, expected, query_type(expr)))
        .filter(|(_, expected, found)| *expected != found)
        .map(|(expr, expected, found)| format!("{expr}\n  expected {expected}\n  found    {found}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn populations() {
    let customers = "segment of customers";
    let orders = "segment of orders";
    table(&[
        ("customers", customers),
        ("vip", customers),
        ("vip.orders", orders),
        ("vip.orders.customer", customers),
        ("(vip union customers).orders", orders),
        ("customers.orders where amount > 3", orders),
        ("audience \"old\" of customers", customers),
        ("audience \"old\" of custmers", "unknown_name"),
        ("sent_mail.opened", customers),
        ("sent_mail.opned", "unknown_field"),
        ("sent_mail", "not_a_population"),
        ("sent_mail.excluded where reason = \"capped\"", "segment of customers with { reason: text }"),
        ("sent_mail.clicked.orders", orders),
        (
            "leads.rejected where line > 3",
            "segment of leads with { line: int, column: text?, value: text?, reason: text }",
        ),
        ("leads.rejected where source = \"x\"", "unknown_name"),
        ("vip.unmatched", "no_lost_rows"),
        ("fans(500)", customers),
        ("fans(500) where opt_in", customers),
        ("fans(\"x\")", "mismatch"),
        ("fans(500).orders", orders),
        ("3", "not_a_population"),
        ("hello", "not_a_population"),
        ("vip.spend", "not_a_population"),
        ("vips", "unknown_name"),
    ]);
}

#[test]
fn clauses() {
    let customers = "segment of customers";
    table(&[
        ("customers where spend > 5 where opt_in", customers),
        ("customers where spend", "mismatch"),
        ("customers with n = count(orders), x = lower(name)", "segment of customers with { n: int, x: text }"),
        ("customers with n = count(orders) where n > 3", "segment of customers with { n: int }"),
        ("customers with spend = 3", "duplicate_column"),
        ("customers where email is not null dedupe by lower(email) prefer spend desc", customers),
        ("customers dedupe by orders", "many_as_value"),
        ("customers where email like \"%@%\" dedupe by email keep 2", customers),
        ("customers dedupe by email keep 2", "null_key"),
        ("customers where email is null or spend > 1 dedupe by email", "null_key"),
        ("customers dedupe by spend keep 0", "bad_amount"),
        // A key of an outer row is not one of the rows that are collapsed.
        ("customers where exists(orders dedupe by customers.store_id, sku)", customers),
        (
            "orders where customer.country is not null dedupe by customer.country with n = count(group)",
            "segment of orders with { n: int }",
        ),
        (
            "orders dedupe by customer_id with items = list(sku of group order by placed_at)",
            "segment of orders with { items: list of text }",
        ),
        ("orders with n = count(group)", "no_group"),
        ("customers order by spend desc, name", customers),
        ("customers order by tags", "no_order"),
        ("customers limit 10_000 by spend desc", customers),
        ("customers limit 10%", customers),
        ("customers new", customers),
        ("customers limit 110%", "bad_amount"),
        ("customers limit \"x\"", "bad_amount"),
        ("customers limit spend", "unknown_name"),
        ("customers sample 10% seed \"s\"", customers),
        ("customers sample 1000", customers),
        ("customers new", customers),
        ("customers new \"mem\" by joined", customers),
        ("customers new by tier", "mismatch"),
        ("leads new", "new_needs_by"),
        (
            "leads match customers on email = leads.email",
            "segment of customers with { leads.email: email, leads.source: text }",
        ),
        (
            "leads match customers on email = leads.email where leads.source = \"x\" and tier = \"gold\"",
            "segment of customers with { leads.email: email, leads.source: text }",
        ),
        ("leads match customers on email = email", "compared_with_itself"),
        ("leads match customers on email = leads.emial", "unknown_field"),
        ("customers match customers on customers.store_id = customers.id", "duplicate_name"),
        ("(customers where spend > 1) match customers on store_id = id", "duplicate_name"),
        (
            "(leads match customers on email = leads.email) match leads on leads.email = customers.email",
            "duplicate_name",
        ),
        ("leads match customers on email = leads.email where leads.sauce = \"x\"", "unknown_field"),
    ]);
}

#[test]
fn sets() {
    let customers = "segment of customers";
    table(&[
        ("vip union customers", customers),
        ("vip except sent_mail.opened", customers),
        ("vip except orders", "different_entities"),
        ("vip except orders.customer", customers),
        ("(vip except vip) where opt_in", customers),
        ("vip except (vip where opt_in)", customers),
        ("vip union vip on email", customers),
        ("vip union vip on emial", "unknown_field"),
        ("(vip with n = 1) union vip", "segment of customers with { n: int? }"),
        ("(vip with n = 1) union (vip with n = 2.5)", "segment of customers with { n: decimal }"),
        ("(vip with n = 1) union (vip with n = \"x\")", "incomparable"),
        ("(vip with n = 1) except vip", "segment of customers with { n: int }"),
    ]);
}

#[test]
fn unmatched_rows_have_the_type_of_the_source() {
    let checked = check(
        "segment known = leads match customers on email = leads.email\n\
         segment strangers = known.unmatched where source = \"fair\"",
    );
    assert_eq!(checked.codes(), Vec::<String>::new());
    let ty = checked.local("strangers").map(|ty| ty.show(&checked.program));
    assert_eq!(ty.as_deref(), Some("segment of leads"));
}

#[test]
fn outer_rows_are_reached_by_their_segment() {
    let checked = check(
        "segment vip = customers where spend > 500\n\
         segment pairs = vip where exists(orders where amount > vip.spend and customer_id = customers.id)",
    );
    assert_eq!(checked.codes(), Vec::<String>::new());
}

#[test]
fn new_stands_in_segments_only() {
    let codes = |script: &str| check(script).codes();
    assert_eq!(codes("segment s = orders new by placed_at where amount > 3\nlog \"{count(s)}\""), Vec::<String>::new());
    assert_eq!(codes("segment s = (orders new union orders)\nlog \"{count(s)}\""), Vec::<String>::new());
    assert_eq!(codes("log \"{count(orders new)}\""), ["new_place"]);
    assert_eq!(codes("segment s = customers where exists(orders new)\nlog \"{count(s)}\""), ["new_place"]);
    assert_eq!(codes("segment s = orders except (orders new)\nlog \"{count(s)}\""), ["new_place"]);
    assert_eq!(codes("segment s = orders match customers on id = orders.id new\nlog \"{count(s)}\""), ["new_place"]);
}
