//! Rows as declared, and what the server is asked for.

use std::time::Instant;

use super::Shop;

#[test]
fn values_are_read_exactly() {
    let Some(shop) = Shop::empty("exactly") else { return };
    shop.sql(
        "CREATE EXTENSION citext;
         CREATE DOMAIN short AS varchar(9);
         CREATE TYPE mood AS ENUM ('fine', 'sad');
         CREATE TABLE all_types (
           id bigint PRIMARY KEY, small smallint, whole numeric(9,0), money numeric(12,3), free numeric, cost money,
           single real, double double precision, flag boolean, day date, clock time, at timestamptz, local timestamp,
           txt text, code char(5), mail citext, nick short, feeling mood, uid uuid, tags text[], meta jsonb, ip inet);
         INSERT INTO all_types VALUES
           (9223372036854775807, -5, 42, 0.125, 9999999999999999.000000000001, 12.50,
            0.5, 0.1, true, '0400-02-29', '23:59:59.123456', '2026-03-29 01:30:00.000001+00', '2026-03-29 03:30',
            'it''s \"quoted\"', 'FR', 'Ann@Shop.Test', 'nick', 'sad', '00000000-0000-0000-0000-00000000002a',
            '{a,b}', '{\"a\": 1}', '10.0.0.1');
         INSERT INTO all_types (id) VALUES (2);",
    );
    shop.project.write(
        "schema.orch",
        "entity t from crm.all_types {
           id: int key; small: int?; whole: int?; money: decimal?; free: decimal?; cost: decimal?; single: float?
           double: float?; flag: bool?; day: date?; clock: time?; at: timestamp?; local: timestamp?; txt: text?; code: text?
           mail: email?; nick: text?; feeling: \"fine\" | \"sad\"?; uid: text?; tags: json?; meta: json?; ip: text?
         }",
    );
    let rows = shop.rows("t order by id desc");
    let full = &rows[0];
    for (field, value) in [
        ("id", "9223372036854775807"),
        ("small", "-5"),
        ("whole", "42"),
        ("money", "0.125"),
        ("free", "9999999999999999.000000000001"),
        ("cost", "12.50"),
        ("single", "0.5"),
        ("double", "0.1"),
        ("flag", "true"),
    ] {
        assert_eq!(full[field].to_string().trim_matches('"'), value, "{field}");
    }
    let text = |field: &str| full[field].as_str().unwrap().to_owned();
    assert_eq!(text("day"), "0400-02-29");
    assert_eq!(text("clock"), "23:59:59.123456");
    assert_eq!((text("code"), text("mail"), text("feeling")), ("FR".into(), "Ann@Shop.Test".into(), "sad".into()));
    assert_eq!((text("uid"), text("ip")), ("00000000-0000-0000-0000-00000000002a".into(), "10.0.0.1".into()));
    assert_eq!(text("txt"), "it's \"quoted\"");
    assert_eq!(text("at"), "2026-03-29T03:30:00.000001+02:00");
    assert_eq!(text("local"), "2026-03-29T03:30:00+02:00", "a time without zone is one of the project's");
    assert!(full["tags"].to_string().contains('b') && full["meta"].to_string().contains('1'), "{full}");
    let empty = rows[1].as_object().unwrap();
    assert!(empty.iter().all(|(name, value)| name == "id" || value.is_null()), "{empty:?}");
}

#[test]
fn the_server_gets_columns_conditions_and_their_values() {
    let Some(shop) = Shop::open("pushed") else { return };
    // A text that would be something else inside of a statement, and one whose order is not that of the server's language.
    shop.sql(
        "INSERT INTO contacts (id, name, spend) VALUES (4, 'x'' OR ''a''=''a', 1), (5, 'ähnlich', 1), (6, 'zoo', 1)",
    );
    let ids = |query: &str| -> Vec<i64> {
        shop.rows(&format!("{query} order by id")).iter().map(|row| row["id"].as_i64().unwrap()).collect()
    };
    assert_eq!(ids("contacts where name = \"x' OR 'a'='a\""), [4]);
    assert_eq!(ids("contacts where name > \"zoo\""), [5], "bytes decide, not the server's language");
    assert_eq!(ids("contacts where spend >= 20 and tier in (\"gold\", \"silver\")"), [1, 2]);
    assert_eq!(ids("contacts where seen < 2026-01-06"), [1]);
    assert_eq!(ids("contacts where not vip and email is null and joined is null"), [3, 4, 5, 6]);
    assert_eq!(ids("contacts where exists(orders where amount > 100)"), [1]);
    let asked = |words: &str| shop.statements("FROM \"contacts\"").iter().filter(|line| line.contains(words)).count();
    assert!(asked("WHERE (\"name\" = $1::text)") > 0);
    assert!(asked("\"name\"::text COLLATE \"C\" > $1::text") > 0);
    assert!(asked("(\"spend\" >= $1::text::numeric) AND ((\"tier\"::text COLLATE \"C\" = $2::text) OR") > 0);
    assert!(asked("(\"seen\" < $1::text::timestamptz)") > 0);
    assert!(asked("(NOT \"vip\"::bool) AND (\"email\" IS NULL) AND (\"joined\" IS NULL)") > 0);
    assert_eq!(asked("OR 'a'='a' "), 0, "values never stand in the statement");
    assert!(shop.rows("count(contacts)")[0] == 6);
    assert!(asked("SELECT  FROM \"contacts\"") > 0, "to count takes no columns");
}

#[test]
fn limits_are_left_to_the_server() {
    let Some(shop) = Shop::open("limited") else { return };
    let last = |query: &str| {
        let rows = shop.rows(query);
        let ids: Vec<i64> = rows.iter().map(|row| row["id"].as_i64().unwrap()).collect();
        (ids, shop.statements("FROM \"contacts\" AS t").pop().unwrap())
    };
    let (ids, asked) = last("contacts where not vip limit 1");
    assert_eq!(ids, [2], "without an order the key decides");
    assert!(asked.ends_with("WHERE (NOT \"vip\"::bool) ORDER BY t.\"id\" ASC NULLS LAST LIMIT 1"), "{asked}");
    let (ids, asked) = last("contacts order by id desc limit 2");
    assert_eq!(ids, [3, 2]);
    assert!(asked.ends_with("ORDER BY t.\"id\" DESC NULLS LAST LIMIT 2"), "{asked}");
    // What is decided here must not be cut off there.
    let (ids, asked) = last("contacts where length(name ?? \"\") = 3 order by id desc limit 1");
    assert_eq!(ids, [2]);
    assert!(!asked.contains("LIMIT"), "{asked}");
}

#[test]
fn structure_that_has_changed_is_said_before_anything_happens() {
    let Some(shop) = Shop::open("drifted") else { return };
    shop.project.write("script.orch", "export orders to \"orders.csv\"\nexport contacts to \"contacts.csv\"");
    shop.sql("ALTER TABLE contacts RENAME COLUMN name TO nome; ALTER TABLE contacts ALTER spend TYPE float8");
    let said = shop.orch(&["run", "script.orch"]).expect(1);
    insta::assert_snapshot!(said.shown());
    assert!(!shop.project.path("orders.csv").exists());
    shop.sql("DROP TABLE contacts CASCADE");
    let said = shop.orch(&["run", "script.orch"]).expect(1);
    assert!(said.stderr.contains("there is no `crm.contacts`"), "{}", said.shown());
}

#[test]
fn a_value_that_does_not_fit_names_row_and_column() {
    let Some(shop) = Shop::empty("unfit") else { return };
    shop.sql("CREATE TABLE t (id int PRIMARY KEY, n numeric, d date, f float8, e text, x text)");
    shop.project.write(
        "schema.orch",
        "entity t from crm.t { id: int key; n: decimal?; d: date?; f: float?; e: \"a\" | \"b\"?; x: text }",
    );
    let mut said = String::new();
    for values in [
        "(1, 'NaN', NULL, NULL, NULL, '')",
        "(2, 1e40, NULL, NULL, NULL, '')",
        "(3, 0.1234567890123456789, NULL, NULL, NULL, '')",
        "(4, 1, 'infinity', NULL, NULL, '')",
        "(5, 1, '12000-01-01', NULL, NULL, '')",
        "(6, 1, NULL, '-infinity', NULL, '')",
        "(7, 1, NULL, NULL, 'c', '')",
        "(8, 1, NULL, NULL, 'a', NULL)",
    ] {
        shop.sql(&format!("DELETE FROM t; INSERT INTO t VALUES {values}"));
        let ended = shop.orch(&["run", "-e", "t"]).expect(3);
        said += ended.stderr.lines().next().unwrap();
        said.push('\n');
    }
    insta::assert_snapshot!(said);
}

#[test]
fn readings_of_one_query_see_one_instant() {
    let Some(shop) = Shop::empty("instant") else { return };
    shop.sql(
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);
         INSERT INTO a SELECT generate_series(1, 2000); INSERT INTO b SELECT generate_series(1, 2000)",
    );
    shop.project.write(
        "schema.orch",
        "entity a from crm.a { id: int key; b: one b by id }\nentity b from crm.b { id: int key }",
    );
    shop.rows("count(a where b is null)");
    let shared = shop.statements("SET TRANSACTION SNAPSHOT");
    let names: Vec<&str> = shared.iter().filter_map(|line| line.split('\'').nth(1)).collect();
    assert!(names.len() >= 2, "{shared:?}");
    assert!(names.windows(2).any(|pair| pair[0] == pair[1]), "both tables are read in one snapshot: {names:?}");
}

#[test]
fn views_schemas_and_odd_names_are_tables_too() {
    let Some(shop) = Shop::open("named") else { return };
    shop.sql(
        "CREATE VIEW rich AS SELECT id, email FROM contacts WHERE spend > 100;
         CREATE SCHEMA sales; CREATE TABLE sales.leads (id int PRIMARY KEY, \"Full \"\"Name\" text);
         INSERT INTO sales.leads VALUES (1, 'Ann');",
    );
    shop.project.write(
        "schema.orch",
        "entity rich from crm.rich { id: int key; email: email? }\n\
         entity leads from crm.sales.leads { id: int key; `Full \"Name`: text? }",
    );
    assert_eq!(shop.rows("rich")[0]["email"], "ann@shop.test");
    assert_eq!(shop.rows("leads")[0]["Full \"Name"], "Ann");
}

#[test]
fn an_entity_without_a_block_has_the_columns_of_the_table() {
    let Some(shop) = Shop::open("blockless") else { return };
    shop.project.write("schema.orch", "entity contacts from crm.contacts\n");
    let row = &shop.rows("contacts where spend > 100 and email is not null")[0];
    assert_eq!((row["id"].as_i64(), row["tier"].as_str()), (Some(1), Some("gold")));
    let gone = shop.orch_at("postgres://orch:secret@127.0.0.1:1/x", &["check"]);
    assert!(gone.stdout.contains("connection refused"), "{}", gone.shown());
    shop.project.write("schema.orch", super::SCHEMA);
    shop.orch_at("postgres://orch:secret@127.0.0.1:1/x", &["check"]).expect(0);
}

#[test]
fn a_million_rows_are_read_in_little_memory() {
    let Some(shop) = Shop::empty("large") else { return };
    shop.sql(
        "CREATE TABLE t (id int PRIMARY KEY, note text NOT NULL);
         INSERT INTO t SELECT n, repeat(md5(n::text), 16) FROM generate_series(1, 400000) n",
    );
    shop.project.write("schema.orch", "entity t from crm.t { id: int key; note: text }");
    let mut command = shop.project.command(&["run", "-e", "max(length(note) of t)"]);
    let begin = Instant::now();
    let child = command.env("CRM_URL", shop.url()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let peak = peak_memory(child);
    // 200 MB of text.
    assert!(peak < 180 << 20, "{} MiB", peak >> 20);
    assert!(begin.elapsed().as_secs() < 60);
}

/// The most memory that a process had, in bytes, as long as it could be seen.
fn peak_memory(mut child: std::process::Child) -> u64 {
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap_or(0);
        peak = peak.max(kib * 1024);
        std::thread::yield_now();
    }
    assert!(child.wait().unwrap().success());
    peak
}
