//! The audiences of `examples/tpch` against the same questions in SQL, asked by another engine over the same rows.
//!
//! SQLite has no exact decimals, so amounts are whole numbers of cents there, and a product of two amounts has their
//! digits: nothing is rounded on either side.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::path::Path;
use std::sync::LazyLock;

use rusqlite::Connection;
use tpchgen::csv::{CustomerCsv, LineItemCsv, NationCsv, OrderCsv, PartCsv, PartSuppCsv, RegionCsv, SupplierCsv};
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator, PartSuppGenerator,
    RegionGenerator, SupplierGenerator,
};

use crate::project::Project;

/// 750 customers, 7,500 orders, 30,000 lines.
const SCALE: f64 = 0.005;

const TABLES: [&str; 8] = ["region", "nation", "customer", "orders", "lineitem", "part", "supplier", "partsupp"];

/// Columns with two digits behind the point.
const AMOUNTS: [&str; 8] = [
    "c_acctbal",
    "o_totalprice",
    "l_extendedprice",
    "l_discount",
    "l_tax",
    "p_retailprice",
    "s_acctbal",
    "ps_supplycost",
];

/// Columns whose values are whole numbers.
const NUMBERS: [&str; 6] = ["l_linenumber", "l_quantity", "o_shippriority", "p_size", "ps_availqty", "s_suppkey"];

fn write(project: &Project, table: &str, header: &str, rows: impl Iterator<Item = impl Display>) {
    let mut text = format!("{header}\n");
    rows.for_each(|row| writeln!(text, "{row}").unwrap());
    project.write(&format!("data/{table}.csv"), text);
}

/// The example with its data.
fn project() -> Project {
    let project = Project::empty();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/tpch");
    for file in ["orch.toml", "schema.orch", "audiences.orch"] {
        project.write(file, std::fs::read(example.join(file)).unwrap());
    }
    let p = &project;
    write(p, "region", RegionCsv::header(), RegionGenerator::new(SCALE, 1, 1).iter().map(RegionCsv::new));
    write(p, "nation", NationCsv::header(), NationGenerator::new(SCALE, 1, 1).iter().map(NationCsv::new));
    write(p, "customer", CustomerCsv::header(), CustomerGenerator::new(SCALE, 1, 1).iter().map(CustomerCsv::new));
    write(p, "orders", OrderCsv::header(), OrderGenerator::new(SCALE, 1, 1).iter().map(OrderCsv::new));
    write(p, "lineitem", LineItemCsv::header(), LineItemGenerator::new(SCALE, 1, 1).iter().map(LineItemCsv::new));
    write(p, "part", PartCsv::header(), PartGenerator::new(SCALE, 1, 1).iter().map(PartCsv::new));
    write(p, "supplier", SupplierCsv::header(), SupplierGenerator::new(SCALE, 1, 1).iter().map(SupplierCsv::new));
    write(p, "partsupp", PartSuppCsv::header(), PartSuppGenerator::new(SCALE, 1, 1).iter().map(PartSuppCsv::new));
    project
}

/// Rows of cells.
type Cells = Vec<Vec<String>>;

/// The same rows in SQLite.
fn database(project: &Project) -> Connection {
    let mut db = Connection::open_in_memory().unwrap();
    db.execute_batch("PRAGMA case_sensitive_like = ON").unwrap();
    for table in TABLES {
        let (header, rows) = project.cells(&format!("data/{table}.csv"));
        let whole = |name: &str| name.ends_with("key") || NUMBERS.contains(&name) || AMOUNTS.contains(&name);
        let columns: Vec<String> =
            header.iter().map(|name| format!("{name} {}", if whole(name) { "INTEGER" } else { "TEXT" })).collect();
        db.execute_batch(&format!("CREATE TABLE {table} ({})", columns.join(", "))).unwrap();
        let transaction = db.transaction().unwrap();
        let holes = vec!["?"; header.len()].join(", ");
        let mut insert = transaction.prepare(&format!("INSERT INTO {table} VALUES ({holes})")).unwrap();
        for row in rows {
            let cell = |(name, text): (&String, String)| match AMOUNTS.contains(&name.as_str()) {
                true => cents(&text).to_string(),
                false => text,
            };
            insert.execute(rusqlite::params_from_iter(header.iter().zip(row).map(cell))).unwrap();
        }
        drop(insert);
        transaction.commit().unwrap();
    }
    db.execute_batch(
        "CREATE INDEX lines ON lineitem (l_orderkey); CREATE INDEX of ON orders (o_custkey);
         CREATE INDEX key ON orders (o_orderkey); CREATE INDEX offer ON lineitem (l_partkey, l_suppkey);",
    )
    .unwrap();
    db
}

/// `12.5` as 1250.
fn cents(text: &str) -> i64 {
    let amount: rust_decimal::Decimal = text.parse().unwrap();
    (amount * rust_decimal::Decimal::ONE_HUNDRED).normalize().to_string().parse().unwrap()
}

const REVENUE: &str = "l_extendedprice * (100 - l_discount)";
const CODES: &str = "('13', '31', '23', '29', '30', '18', '17')";

/// The questions in SQL. A second column is an amount with four digits behind the point.
fn questions() -> Vec<(&'static str, String)> {
    vec![
        ("q3_customers", "SELECT DISTINCT c_custkey FROM customer JOIN orders ON c_custkey = o_custkey
            JOIN lineitem ON l_orderkey = o_orderkey WHERE c_mktsegment = 'BUILDING' AND o_orderdate < '1995-03-15'
            AND l_shipdate > '1995-03-15'".into()),
        ("q3_orders", format!("SELECT o_orderkey, sum({REVENUE}) AS open FROM customer
            JOIN orders ON c_custkey = o_custkey JOIN lineitem ON l_orderkey = o_orderkey
            WHERE c_mktsegment = 'BUILDING' AND o_orderdate < '1995-03-15' AND l_shipdate > '1995-03-15'
            GROUP BY o_orderkey ORDER BY open DESC, o_orderdate LIMIT 10")),
        ("q4_orders", "SELECT o_orderkey FROM orders WHERE o_orderdate >= '1993-07-01' AND o_orderdate < '1993-10-01'
            AND EXISTS (SELECT 1 FROM lineitem WHERE l_orderkey = o_orderkey AND l_commitdate < l_receiptdate)".into()),
        ("q4_customers", "SELECT DISTINCT o_custkey FROM orders WHERE o_orderdate >= '1993-07-01'
            AND o_orderdate < '1993-10-01'
            AND EXISTS (SELECT 1 FROM lineitem WHERE l_orderkey = o_orderkey AND l_commitdate < l_receiptdate)".into()),
        ("q10_customers", format!("SELECT c_custkey, sum({REVENUE}) AS lost FROM customer
            JOIN orders ON c_custkey = o_custkey JOIN lineitem ON l_orderkey = o_orderkey
            WHERE o_orderdate >= '1993-10-01' AND o_orderdate < '1994-01-01' AND l_returnflag = 'R'
            GROUP BY c_custkey ORDER BY lost DESC LIMIT 20")),
        ("q13_customers", "SELECT c_custkey FROM customer LEFT JOIN orders ON c_custkey = o_custkey
            AND o_comment NOT LIKE '%special%requests%' GROUP BY c_custkey HAVING count(o_orderkey) = 0".into()),
        ("q18_customers", "SELECT DISTINCT o_custkey FROM orders WHERE o_orderkey IN
            (SELECT l_orderkey FROM lineitem GROUP BY l_orderkey HAVING sum(l_quantity) > 250)".into()),
        ("q22_customers", format!("SELECT c_custkey FROM customer WHERE substr(c_phone, 1, 2) IN {CODES}
            AND c_acctbal > (SELECT avg(c_acctbal) FROM customer WHERE c_acctbal > 0 AND substr(c_phone, 1, 2) IN {CODES})
            AND NOT EXISTS (SELECT 1 FROM orders WHERE o_custkey = c_custkey)")),
        ("q5_customers", "SELECT DISTINCT c_custkey FROM customer JOIN orders ON o_custkey = c_custkey
            JOIN lineitem ON l_orderkey = o_orderkey JOIN supplier ON s_suppkey = l_suppkey
            WHERE s_nationkey = c_nationkey AND o_orderdate BETWEEN '1994-01-01' AND '1994-12-31'".into()),
        ("q2_offers", "WITH european AS (SELECT partsupp.* FROM partsupp JOIN supplier ON s_suppkey = ps_suppkey
              JOIN nation ON n_nationkey = s_nationkey JOIN region ON r_regionkey = n_regionkey WHERE r_name = 'EUROPE')
            SELECT ps_partkey, ps_suppkey FROM european e JOIN part ON p_partkey = ps_partkey
            WHERE p_size <= 15 AND p_type LIKE '%BRASS'
            AND ps_supplycost = (SELECT min(ps_supplycost) FROM european i WHERE i.ps_partkey = e.ps_partkey)".into()),
        ("q16_suppliers", "SELECT DISTINCT ps_suppkey FROM partsupp JOIN part ON p_partkey = ps_partkey
            WHERE p_size > 40 AND p_brand LIKE 'Brand#3%' AND ps_suppkey NOT IN
            (SELECT s_suppkey FROM supplier WHERE s_comment LIKE '%Customer%Complaints%')".into()),
        ("q20_suppliers", "SELECT DISTINCT ps_suppkey FROM partsupp
            WHERE EXISTS (SELECT 1 FROM lineitem WHERE l_partkey = ps_partkey AND l_suppkey = ps_suppkey)
            AND ps_availqty > 50 * coalesce((SELECT sum(l_quantity) FROM lineitem WHERE l_partkey = ps_partkey
            AND l_suppkey = ps_suppkey AND l_shipdate BETWEEN '1994-01-01' AND '1994-12-31'), 0)".into()),
        ("q21_suppliers", "SELECT DISTINCT l_suppkey FROM lineitem l1 JOIN orders ON o_orderkey = l1.l_orderkey
            WHERE l1.l_receiptdate > l1.l_commitdate AND o_orderstatus = 'F'
            AND EXISTS (SELECT 1 FROM lineitem l2 WHERE l2.l_orderkey = l1.l_orderkey AND l2.l_suppkey <> l1.l_suppkey)
            AND NOT EXISTS (SELECT 1 FROM lineitem l3 WHERE l3.l_orderkey = l1.l_orderkey
              AND l3.l_suppkey <> l1.l_suppkey AND l3.l_receiptdate > l3.l_commitdate)".into()),
        ("all_final", "SELECT o_custkey FROM orders GROUP BY o_custkey HAVING min(o_orderstatus = 'F') = 1".into()),
        ("silent", "SELECT o_custkey FROM orders GROUP BY o_custkey HAVING max(o_orderdate) < '1997-01-01'".into()),
        ("indebted", "SELECT c_custkey FROM customer JOIN nation ON n_nationkey = c_nationkey
            JOIN region ON r_regionkey = n_regionkey WHERE r_name = 'EUROPE' AND c_acctbal < 0".into()),
        ("groups", "SELECT c_custkey FROM customer WHERE c_mktsegment IN ('BUILDING', 'AUTOMOBILE')
            EXCEPT SELECT o_custkey FROM orders WHERE o_orderdate >= '1998-01-01'".into()),
        ("richest", "SELECT c_custkey FROM (SELECT c_custkey, row_number() OVER
            (PARTITION BY c_nationkey ORDER BY c_acctbal DESC, c_custkey) AS place FROM customer) WHERE place = 1".into()),
        ("tenth", "SELECT c_custkey FROM customer ORDER BY c_acctbal DESC, c_custkey
            LIMIT (SELECT (count(*) + 5) / 10 FROM customer)".into()),
        ("returners", "SELECT o_custkey FROM orders JOIN lineitem ON l_orderkey = o_orderkey
            WHERE l_returnflag IN ('R', 'A') GROUP BY o_custkey HAVING sum(l_returnflag = 'R') * 10 > count(*) * 6".into()),
        ("popular", "SELECT l_partkey FROM lineitem JOIN orders ON o_orderkey = l_orderkey
            GROUP BY l_partkey HAVING count(DISTINCT o_custkey) >= 30".into()),
    ]
}

/// The answers of SQLite, sorted; amounts with four digits behind the point become text as the product writes it.
fn answer(db: &Connection, sql: &str) -> Cells {
    let mut statement = db.prepare(sql).unwrap();
    let amount = statement.column_names().position(|name| ["open", "lost"].contains(&name));
    let columns = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    let mut answer = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let cell = |at: usize| {
            let value: i64 = row.get(at).unwrap();
            match amount == Some(at) {
                true => rust_decimal::Decimal::new(value, 4).normalize().to_string(),
                false => value.to_string(),
            }
        };
        answer.push((0..columns).map(cell).collect());
    }
    answer.sort();
    answer
}

/// Whose median order is above a limit, counted by hand: SQLite has no median.
fn large_orders(project: &Project) -> Cells {
    let (header, rows) = project.cells("data/orders.csv");
    let at = |name: &str| header.iter().position(|column| column == name).unwrap();
    let mut totals: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for row in rows {
        totals.entry(row[at("o_custkey")].clone()).or_default().push(cents(&row[at("o_totalprice")]));
    }
    let large = |mut totals: Vec<i64>| {
        totals.sort_unstable();
        let (low, high) = (totals[(totals.len() - 1) / 2], totals[totals.len() / 2]);
        low + high > 2 * 180_000 * 100
    };
    let mut keys: Cells = totals.into_iter().filter_map(|(key, totals)| large(totals).then(|| vec![key])).collect();
    keys.sort();
    keys
}

/// What the script exported, sorted; amounts without the zeros at their end.
fn exported(project: &Project, name: &str) -> Cells {
    let (_, mut rows) = project.cells(&format!("out/{name}.csv"));
    for cell in rows.iter_mut().flatten() {
        let number: rust_decimal::Decimal = cell.parse().unwrap();
        *cell = number.normalize().to_string();
    }
    rows.sort();
    rows
}

/// The script is run once for all tests.
static RUN: LazyLock<Project> = LazyLock::new(|| {
    let project = project();
    project.done(&["run", "audiences.orch"]);
    project
});

#[test]
fn audiences_are_those_that_sql_finds() {
    let db = database(&RUN);
    let mut wrong = Vec::new();
    for (name, sql) in questions() {
        let (expected, found) = (answer(&db, &sql), exported(&RUN, name));
        assert!(!expected.is_empty(), "{name} asks for nobody");
        if found != expected {
            wrong.push(format!(
                "{name}: {} rows, not {}\n  {found:.300?}\n  {expected:.300?}",
                found.len(),
                expected.len()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_median_is_that_of_counting_by_hand() {
    let expected = large_orders(&RUN);
    assert!(expected.len() > 5);
    assert_eq!(exported(&RUN, "large_orders"), expected);
}

#[test]
fn every_audience_is_asked_for_in_both_languages() {
    let script = RUN.read("audiences.orch");
    let exports = script.lines().filter_map(|line| line.strip_prefix("export ")?.split(' ').next());
    let mut named: Vec<&str> = exports.collect();
    let asked = questions();
    let mut known: Vec<&str> = asked.iter().map(|(name, _)| *name).chain(["large_orders"]).collect();
    named.sort_unstable();
    known.sort_unstable();
    assert_eq!(named, known);
    assert!(named.len() >= 20);
}

#[test]
fn every_step_of_the_run_balances() {
    let run = RUN.json(&["show", &RUN.run_name()], 0);
    let steps = run["steps"].as_array().unwrap();
    let number = |value: &serde_json::Value| value.as_u64().unwrap_or_default();
    for step in steps.iter().filter(|step| !step["rows_in"].is_null()) {
        let dropped: u64 = step["dropped"].as_object().unwrap().values().map(number).sum();
        assert_eq!(number(&step["rows_in"]), number(&step["rows_out"]) + dropped, "{step}");
    }
}
