//! What queries of the language mean, one fact per test.

use super::Value;
use super::script::{expect, run, run_with};
use super::{Known, Rows, table};
use crate::hir::{StmtKind, Ty, TyKind};
use crate::plan::query::QueryError;

fn d(text: &str) -> Value {
    Value::Decimal(text.parse().unwrap())
}

#[test]
fn comparisons_are_three_valued() {
    expect("customers where spend > 10", &[2, 4]);
    expect("customers where not (spend > 10)", &[1, 5]);
    expect("customers where spend > 10 or city is null", &[2, 3, 4]);
    expect("customers where spend between 0 and 10", &[1, 5]);
    expect("customers where spend not between 0 and 10", &[2, 4]);
    expect("customers where tier in (\"gold\", \"silver\")", &[1, 3, 4]);
    expect("customers where email like \"%@x.test\"", &[1, 2]);
    expect("customers where email is empty", &[3, 5]);
    expect("customers where vip", &[1, 4]);
    expect("customers where not vip", &[2]);
    expect("customers where (visits ?? 0) = 0", &[2, 3]);
}

#[test]
fn dates_follow_the_campaigns_zone() {
    // 24 November 2026, 11:00 in Paris.
    expect("customers where joined > ago(7d)", &[4]);
    expect("customers where joined = today() - 1y", &[2]);
    expect("customers where seen > ago(2h)", &[4]);
    expect("customers where seen >= 2026-11-24T10:59", &[4]);
    // A day is the same time of day, though this one had 23 hours.
    expect("customers where seen + 1d = 2026-03-29T10:00", &[5]);
    expect("customers where seen + 24h = 2026-03-29T11:00", &[5]);
    expect("customers where is_anniversary(joined, 2026-02-28)", &[1]);
    expect("customers where hour(seen) = 2", &[2]);
}

#[test]
fn relations_reach_rows_both_ways() {
    expect("customers where store.name = \"Paris\"", &[2, 5]);
    expect("customers where exists(orders where placed_at > ago(7d))", &[1, 4]);
    expect("customers where not exists(orders)", &[3, 5]);
    expect("customers where count(orders where sku = \"tea\") >= 1", &[1, 2, 4]);
    expect("(orders where sku = \"cup\").customer", &[1]);
    expect("(stores where name = \"Paris\").customers", &[2, 5]);
    expect("stores where exists(customers.orders)", &[1, 2]);
}

#[test]
fn keys_may_have_several_columns() {
    expect("boxes where shelf.label = \"c\"", &[2, 3]);
    let outcome = run("segment s = shelves with n = count(boxes), w = sum(weight of boxes)");
    assert_eq!(outcome.column("s", 3), ["0", "1", "2"]);
    assert_eq!(outcome.column("s", 4), ["0.00", "1.50", "5.50"]);
    assert_eq!(run("segment s = (boxes where weight > 2).shelf").column("s", 2), ["c"]);
}

#[test]
fn an_entity_may_be_related_to_itself() {
    expect("people where exists(team)", &[1, 2]);
    expect("people where exists(team where exists(team))", &[1]);
    expect("people where boss.boss.`First Name` = \"Ann\"", &[4]);
    expect("people where count(team) = 2", &[1]);
    expect("people where `order.by` = \"x\"", &[1, 3]);
}

#[test]
fn aggregates_of_nothing() {
    let outcome = run("segment s = customers where id in (3, 4)
           with n = count(orders), total = sum(amount of orders), mean = avg(amount of orders),
                least = min(amount of orders), newest = first(sku of orders order by placed_at desc),
                all = list(sku of orders), text = string_agg(sku, \"+\" of orders)");
    let added: Vec<String> = (10..17).map(|at| outcome.column("s", at).join(" / ")).collect();
    assert_eq!(
        added,
        [
            "0 / 3",
            "0.00 / 900.00",
            "- / 450.00000000",
            "- / 300.00",
            // Two orders of the same instant: the lower key comes first.
            "- / tea",
            " / pot, tea, ",
            "- / pot+tea",
        ]
    );
}

#[test]
fn numbers_are_exact() {
    let outcome = run("let third = 10 / 3\nlet cents = 0.1 + 0.2\nlet half = 1 / 8_000_000\nlet none = 1 / (3 - 3)\n\
         let total = sum(amount of orders)\nlet mean = avg(visits of customers)\nlet mid = median(spend of customers)\n\
         let share = 3% * 200\nlet big = 9_223_372_036_854_775_807 + count(orders)");
    assert_eq!(*outcome.value("third"), d("3.333333"));
    assert_eq!(*outcome.value("cents"), d("0.3"));
    // Half to even: 0.000000125 is cut to six digits.
    assert_eq!(*outcome.value("half"), d("0.000000"));
    let QueryError::Value(error) = outcome.error("none") else { panic!("{:?}", outcome.error("none")) };
    assert_eq!(error.what, "1 cannot be divided by zero");
    assert_eq!(*outcome.value("total"), d("1414.00"));
    assert_eq!(*outcome.value("mean"), d("3.25"));
    assert_eq!(*outcome.value("mid"), d("255.25"));
    assert_eq!(*outcome.value("share"), d("6"));
    let QueryError::Value(error) = outcome.error("big") else { panic!("{:?}", outcome.error("big")) };
    assert_eq!(error.what, "9223372036854775807 + 7 does not fit into an int");
    assert!(error.span.is_some());
}

#[test]
fn an_error_names_its_row_and_guards_hold() {
    let outcome = run("segment s = customers where visits * 9_000_000_000_000_000_000 > 0");
    let QueryError::Value(error) = outcome.error("s") else { panic!("{:?}", outcome.error("s")) };
    assert!(matches!(error.row.as_deref(), Some("1" | "4" | "5")), "{error:?}");
    expect("customers where visits < 1 and visits * 9_000_000_000_000_000_000 = 0", &[2]);
    expect("customers where visits < 1 where visits * 9_000_000_000_000_000_000 = 0", &[2]);
    expect("customers where visits > 1 or visits * 9_000_000_000_000_000_000 = 0", &[1, 2, 4, 5]);
    expect("customers where (if visits > 1 then 0 else visits * 9_000_000_000_000_000_000) = 0", &[1, 2, 4, 5]);
}

#[test]
fn dividing_by_zero_names_its_row_and_guards_hold() {
    for script in [
        "segment s = customers where spend / visits > 0",
        "segment s = customers where (10 * visits) / visits > 0",
        "segment s = customers with each = spend / visits",
        "segment s = orders where amount / customer.visits > 0",
    ] {
        let outcome = run(script);
        let QueryError::Value(error) = outcome.error("s") else { panic!("{:?}", outcome.error("s")) };
        assert!(error.what.ends_with("cannot be divided by zero") && error.row.is_some(), "{script}: {error:?}");
    }
    let outcome = run("let none = count(stores) - count(stores)
         let guarded = if none = 0 then null else 10 / none
         let other = if none != 0 then 10 / none else 0
         segment a = customers with share = if visits = 0 then null else 100 / visits
         segment b = customers where visits != 0 where 100 / visits > 0
         segment c = customers where visits != 0 and 100 / visits > 0
         segment d = customers where visits = 0 or 100 / visits > 0
         segment e = customers where (if none = 0 then true else visits / none > 1)
         segment f = (customers where visits != 0) with share = 100 / visits
         segment g = customers where visits != 0 with share = 100 / visits where share > 30
         segment h = customers where exists(orders where customer.visits != 0 and amount / customer.visits > 0)
         segment i = customers with n = count(orders), total = sum(amount of orders)
           with mean = if n = 0 then null else total / n");
    assert_eq!((outcome.value("guarded"), outcome.value("other")), (&Value::Null, &d("0")));
    let visited = outcome.keys("b");
    assert!(!visited.is_empty() && visited.len() < outcome.keys("a").len());
    for name in ["c", "f"] {
        assert_eq!(outcome.keys(name), visited, "{name}");
    }
    assert_eq!(outcome.keys("e").len(), outcome.keys("a").len());
    assert!(!outcome.keys("d").is_empty() && !outcome.keys("g").is_empty() && !outcome.keys("h").is_empty());
    assert_eq!(outcome.keys("i").len(), outcome.keys("a").len());
}

#[test]
fn dedupe_keeps_the_preferred_and_nulls_are_distinct() {
    expect("customers dedupe by lower(email)", &[1, 2, 3, 5]);
    expect("customers dedupe by lower(email) prefer spend desc", &[2, 3, 4, 5]);
    expect("customers dedupe by city, tier keep 2", &[1, 2, 3, 4, 5]);
    expect("orders dedupe by sku keep 2 prefer amount", &[10, 11, 13, 14, 15, 16]);
}

#[test]
fn a_group_is_what_dedupe_collapsed() {
    let outcome = run("segment s = orders dedupe by sku prefer amount desc
           with n = count(group), all = list(id of group order by amount), rest = count(group where amount < 10)");
    assert_eq!(outcome.keys("s"), [11, 12, 13, 16]);
    assert_eq!(outcome.column("s", 5), ["2", "3", "1", "1"]);
    assert_eq!(outcome.column("s", 6), ["15, 11", "10, 14, 12", "13", "16"]);
    assert_eq!(outcome.column("s", 7), ["2", "1", "0", "0"]);
}

#[test]
fn limits_and_orders() {
    expect("customers limit 2", &[1, 2]);
    expect("customers limit 2 by spend desc", &[4, 2]);
    expect("customers order by city desc", &[2, 5, 1, 4, 3]);
    // Enumerations in the order declared.
    expect("customers order by tier", &[2, 5, 3, 4, 1]);
    expect("customers limit 40%", &[1, 2]);
    // Half up: 1.45 rows, 1.5 rows.
    expect("customers limit 29%", &[1]);
    expect("customers limit 30%", &[1, 2]);
    expect("customers limit 9%", &[]);
    expect("customers limit 100%", &[1, 2, 3, 4, 5]);
    expect("customers limit 0", &[]);
    let outcome = run("let n = 3\nsegment s = customers limit n\nsegment t = customers limit count(stores)");
    assert_eq!(outcome.keys("s"), [1, 2, 3]);
    assert_eq!(outcome.keys("t"), [1, 2]);
}

#[test]
fn a_limit_in_a_nested_query_counts_for_each_row() {
    let outcome = run("segment s = customers where id in (1, 4)
           with top = list(sku of orders order by amount desc limit 1), n = count(orders limit 2)");
    assert_eq!(outcome.column("s", 10), ["cup", "pot"]);
    assert_eq!(outcome.column("s", 11), ["2", "2"]);
}

#[test]
fn samples_are_the_same_everywhere() {
    let outcome = run("segment a = orders sample 50% seed \"x\"\nsegment b = orders sample 50% seed \"y\"\n\
         segment c = orders sample 3 seed \"x\"\nsegment all = orders sample 100%\nsegment none = orders sample 0%");
    assert_eq!(outcome.keys("a"), [10, 11, 13, 14, 16]);
    assert_eq!(outcome.keys("b"), [10, 12]);
    assert_eq!(outcome.keys("c"), [11, 13, 14]);
    assert_eq!(outcome.keys("all").len(), 7);
    assert!(outcome.rows("none").is_empty());
}

#[test]
fn set_operators_keep_the_left_sides_values() {
    let outcome = run("segment a = customers where id <= 3 with note = \"a\"
         segment b = customers where id >= 3 with note = \"b\", more = 1
         segment u = a union b
         segment i = a intersect b
         segment e = b except a
         segment mail = customers except (customers where id = 1) on email");
    assert_eq!(outcome.keys("u"), [1, 2, 3, 4, 5]);
    assert_eq!(outcome.column("u", 10), ["a", "a", "a", "b", "b"]);
    assert_eq!(outcome.column("u", 11), ["-", "-", "-", "1", "1"]);
    assert_eq!(outcome.column("i", 10), ["a"]);
    assert_eq!(outcome.keys("e"), [4, 5]);
    // Null addresses match nothing.
    assert_eq!(outcome.keys("mail"), [2, 3, 4, 5]);
}

#[test]
fn a_match_makes_pairs_whose_source_stays_reachable() {
    let outcome = run("segment big = orders where amount > 5
         segment s = big match customers on customers.id = big.customer_id where big.amount > 100
         segment t = s where city = \"Lyon\"");
    assert_eq!(outcome.keys("s"), [2, 4, 4]);
    assert_eq!(outcome.keys("t"), [4, 4]);
}

#[test]
fn membership_looks_at_keys_or_columns() {
    let outcome = run("segment rich = customers where spend > 100
         segment a = orders where customer_id in rich.id
         segment b = orders where customer_id not in rich.id
         segment c = customers where id in rich.id or city = \"Nice\"");
    assert_eq!(outcome.keys("a"), [12, 13, 14, 16]);
    // The order without a customer is on neither side.
    assert_eq!(outcome.keys("b"), [10, 11]);
    assert_eq!(outcome.keys("c"), [2, 4, 5]);
}

#[test]
fn outer_rows_are_visible_inside() {
    expect("customers where exists(orders where amount = customers.spend)", &[2]);
    let outcome = run("segment s = customers with before = count(orders where placed_at < customers.seen)");
    assert_eq!(outcome.last("s"), ["1", "1", "0", "3", "0"]);
    let outcome = run("segment s = customers with over = sum(amount - customers.spend of orders)");
    assert_eq!(outcome.last("s"), ["-7.50", "0.00", "0.00", "-900.00", "0.00"]);
}

#[test]
fn templates_show_values_as_people_write_them() {
    let outcome = run("segment s = customers where id in (1, 3)
           with t = \"{city ?? \"nowhere\"}: {spend}, {seen}, {joined}, {vip}\"");
    assert_eq!(outcome.last("s"), ["Lyon: 10.00, 2026-11-20 11:00, 2024-02-29, true", "nowhere: , , , "]);
}

#[test]
fn every_example_of_the_prelude_is_true() {
    let text = crate::stdlib::PRELUDE[0].1;
    let examples: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## example: ")).collect();
    assert!(examples.len() > 90);
    let script: String = examples.iter().enumerate().map(|(at, example)| format!("let x{at} = {example}\n")).collect();
    let outcome = run(&script);
    let wrong = |(at, example): (usize, &&str)| {
        let value = outcome.value_or_error(&format!("x{at}"));
        (value != Ok(Value::Bool(true))).then(|| format!("{example} is {value:?}"))
    };
    let wrong: Vec<String> = examples.iter().enumerate().filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn new_leaves_out_what_was_taken() {
    let at = |text: &str| Value::Timestamp(text.parse().unwrap());
    let script = "segment s = orders where amount > 5 new";
    assert_eq!(run(script).keys("s"), [11, 12, 13, 14]);
    let outcome = run_with(script, |world| {
        let key = [("id".to_owned(), Ty::of(TyKind::Int))];
        let keys = table(&world.program, &key, &[vec![Value::Int(12)], vec![Value::Int(14)], vec![Value::Int(99)]]);
        world.memory.taken = Some(Known::Keys(keys));
    });
    assert_eq!(outcome.keys("s"), [11, 13]);
    let outcome = run_with("segment s = orders new by placed_at", |world| {
        world.memory.taken = Some(Known::Ranges(vec![(None, at("2026-11-20T10:00:00Z"))]));
    });
    assert_eq!(outcome.keys("s"), [14, 16]);
    // What a run gave back is new again.
    let outcome = run_with("segment s = orders new by placed_at", |world| {
        let gap = (Some(at("2026-10-01T10:00:00Z")), at("2026-11-01T10:00:00Z"));
        world.memory.taken = Some(Known::Ranges(vec![(None, at("2026-09-15T00:00:00Z")), gap]));
    });
    assert_eq!(outcome.keys("s"), [11, 12, 14, 16]);
}

#[test]
fn rejected_lines_are_rows_without_fields() {
    let script = "segment s = orders.rejected where line > 2";
    let outcome = run_with(script, |world| {
        let types =
            [("line", TyKind::Int), ("column", TyKind::Text), ("value", TyKind::Text), ("reason", TyKind::Text)];
        let fields = types.map(|(name, kind)| (name.to_owned(), Ty::of(kind)));
        let line = |at| vec![Value::Int(at), Value::Text("amount".into()), Value::Text("x".into()), Value::Null];
        let rows = table(&world.program, &fields, &[line(2), line(3)]);
        let orders = world.program.entities.iter().position(|entity| entity.name == "orders").unwrap();
        world.memory.tables.insert(Rows::Rejected(crate::hir::EntityId(orders as u32)), rows);
    });
    assert_eq!(outcome.keys("s"), [3]);
}

#[test]
fn rows_lost_on_the_way_are_a_population() {
    let outcome = run("segment buyers = (orders where amount < 1_000).customer where city = \"Lyon\"
         segment pairs = stores match customers on customers.city = stores.name and spend < 100
         segment plain = customers");
    let campaign = outcome.world.program.campaigns[0].clone();
    let lost = |at: usize| match &campaign.body[at].kind {
        StmtKind::Segment { query, .. } => crate::plan::unmatched(query).map(|lost| outcome.world.keys(&lost)),
        other => panic!("{other:?}"),
    };
    assert_eq!(lost(0), Some(vec![15]));
    assert_eq!(lost(1), Some(vec![2]));
    assert_eq!(lost(2), None);
}

#[test]
fn natives_pass_nulls_on_and_know_the_zone() {
    let outcome = run(
        "segment s = customers where id in (3, 4)
           with a = upper(city), b = days_since(joined), c = format_date(seen, \"%H:%M\"), d = date(seen, \"Asia/Tokyo\"),
                e = start_of_month(seen), f = truncate_time(seen, 1h), g = coalesce(spend, visits), h = greatest(spend, 1),
                i = join_words(city, tier), j = start_of_week(joined)",
    );
    let rows: Vec<String> = (10..20).map(|at| outcome.column("s", at).join(" / ")).collect();
    assert_eq!(
        rows,
        [
            "- / LYON",
            "- / 4",
            "- / 10:59",
            "- / 2026-11-24",
            "- / 2026-11-01 00:00",
            "- / 2026-11-24 10:00",
            "- / 900.00",
            "1.00 / 900.00",
            "silver / Lyon silver",
            "- / 2026-11-16",
        ]
    );
}
