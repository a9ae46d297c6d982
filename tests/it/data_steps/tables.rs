//! Tables of SQLite: reading and changing them.

use rusqlite::Connection;

use super::{Project, rows, step};

const SCHEMA: &str = "entity people from crm.people {\n  id: int key\n  mail: email?\n  spend: decimal\n  vip: bool\n  seen: timestamp?\n  joined: date?\n}\n";

fn project(writable: bool) -> Project {
    let project = Project::new();
    let db = Connection::open(project.path("crm.db")).unwrap();
    db.execute_batch(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT UNIQUE, spend NUMERIC NOT NULL DEFAULT 0, vip INTEGER NOT NULL,
           seen INTEGER, joined TEXT, secret TEXT DEFAULT 'kept', CHECK (spend >= 0));
         INSERT INTO people (id, mail, spend, vip, seen, joined) VALUES
           (1, 'ann@x.test', 900.125, 1, 1767603600, '2026-01-05'), (2, 'bob@x.test', 20, 0, NULL, NULL), (3, NULL, 5.5, 0, NULL, '2026-02-01');",
    )
    .unwrap();
    project.write(
        "orch.toml",
        &format!(
            "[project]\ntimezone = \"Europe/Paris\"\n[source.crm]\nurl = \"sqlite:crm.db\"\nwritable = {writable}\n"
        ),
    );
    project
}

fn table(project: &Project) -> Vec<String> {
    let db = Connection::open(project.path("crm.db")).unwrap();
    let sql = "SELECT id || '|' || coalesce(mail, '-') || '|' || spend || '|' || vip || '|' || coalesce(seen, '-') || '|' || coalesce(joined, '-') || '|' || coalesce(secret, '-') FROM people ORDER BY id";
    let mut statement = db.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_table_is_a_source() {
    let project = project(false);
    let report = project.run(&format!(
        "{SCHEMA}export people to \"all.csv\"\n\
         segment good = people where spend > 10 and vip\n\
         log \"{{count(good)}} {{count(people where id >= 2)}} {{count(people where mail = 'bob@x.test')}} {{sum(spend of people)}}\"\n\
         export (people limit 1) to \"one.csv\" {{ columns: [id] }}"
    ));
    assert_eq!(
        project.read("all.csv"),
        "id,mail,spend,vip,seen,joined\n1,ann@x.test,900.125,true,2026-01-05T10:00:00+01:00,2026-01-05\n\
         2,bob@x.test,20.000,false,,\n3,,5.500,false,,2026-02-01\n"
    );
    assert_eq!(step(&report, "log")["note"], "1 2 1 925.625");
    assert_eq!(project.read("one.csv"), "id\n1\n");
}

#[test]
fn rows_of_a_table_are_changed_in_one_transaction() {
    let project = project(true);
    let report = project.run(
        &format!(
            "{SCHEMA}update (people where id < 3) set spend = spend - 20, vip = true, seen = 2026-03-01T00:00Z\n\
         update (people where id = 3) set spend = -1\n\
         delete people where id = 2\n\
         entity leads from \"leads.csv\" {{ mail: email; age: int }}\n\
         log \"{{count(people where vip)}}\""
        )
        .replace("entity leads from \"leads.csv\" { mail: email; age: int }\n", ""),
    );
    assert_eq!(rows(&report, "update"), (3, 2, "{\"where\":1}".into()));
    let second = &report["steps"][1];
    assert_eq!(second["dropped"].to_string(), "{\"constraint\":1,\"where\":2}");
    assert_eq!(rows(&report, "delete").1, 1);
    assert_eq!(step(&report, "log")["note"], "1");
    assert_eq!(table(&project), ["1|ann@x.test|880.125|1|1772323200|2026-01-05|kept", "3|-|5.5|0|-|2026-02-01|kept"]);
}

#[test]
fn new_rows_get_keys_and_rules_reject_rows() {
    let project = project(true);
    project.write("leads.csv", "mail,nr\nnew@x.test,1\nann@x.test,2\n");
    let leads = format!("{SCHEMA}entity leads from \"leads.csv\" {{ mail: email; nr: int }}\n");
    let report = project.run(&format!(
        "{leads}insert leads into people set mail = mail, spend = 1.25, vip = false, joined = 2026-05-01"
    ));
    assert_eq!(rows(&report, "insert"), (2, 1, "{\"constraint\":1}".into()));
    let report = project.run(&format!("{leads}insert leads into people set id = nr, spend = 2, vip = true"));
    assert_eq!(rows(&report, "insert"), (2, 0, "{\"key_exists\":2}".into()));
    let report = project.run(&format!(
        "{leads}upsert leads into people on people.mail = leads.mail set spend = 7, vip = true\n\
         upsert (leads with m = \"z@x.test\" where nr = 1) into people on people.mail = leads.m set spend = 8, vip = false"
    ));
    assert_eq!(rows(&report, "upsert"), (2, 2, "{}".into()));
    assert_eq!(
        table(&project),
        [
            "1|ann@x.test|7|1|1767603600|2026-01-05|kept",
            "2|bob@x.test|20|0|-|-|kept",
            "3|-|5.5|0|-|2026-02-01|kept",
            "4|new@x.test|7|1|-|2026-05-01|kept",
            "5|z@x.test|8|0|-|-|kept",
        ]
    );
}

#[test]
fn a_change_performed_again_after_a_crash_is_made_once() {
    let project = project(true);
    project.write("schema.orch", SCHEMA);
    let manifest = project.read("orch.toml").replace("[source.crm]", "schema = [\"schema.orch\"]\n[source.crm]");
    project.write("orch.toml", &manifest);
    let (first, second) = project.run_twice("update people set spend = spend + 1");
    assert_eq!(step(&first, "update"), step(&second, "update"));
    assert_eq!(table(&project)[1], "2|bob@x.test|21|0|-|-|kept");
}

#[test]
fn what_is_wrong_with_a_bound_source_is_said() {
    let readable = project(false);
    let refused = readable.try_run(&format!("{SCHEMA}export people to \"all.csv\"\ndelete people where id = 1"));
    let text = refused.out + &refused.err;
    assert!(text.contains("run::read_only") && text.contains("writable = true"), "{text}");
    assert!(!readable.path("all.csv").exists(), "it is said before anything happens");
    assert_eq!(table(&readable).len(), 3);
    let table = [
        ("entity p from crm.peple { id: int key }", "run::source_missing", "did you mean `crm.people`?"),
        ("entity p from crm.people { id: int key; mial: text }", "run::source_columns", "did you mean `mail`?"),
        ("entity p from erp.people { id: int key }", "run::source_option", "[source.erp]"),
        ("entity p from crm.people { id: int key; mail: email }", "run::bad_cell", "is null"),
        ("entity p from crm.people { id: int key; joined: int? }", "run::bad_cell", "is not an int"),
    ];
    for (declared, code, words) in table {
        let said = readable.try_run(&format!("{declared}\nexport p to \"p.csv\""));
        let text = said.out + &said.err;
        assert!(text.contains(code) && text.contains(words), "{declared}: {text}");
    }
}

#[test]
fn a_rehearsal_leaves_the_table_alone() {
    let project = project(true);
    let before = table(&project);
    let report = project.plan(&format!("{SCHEMA}update people set spend = 0\ndelete people where vip"));
    assert_eq!((rows(&report, "update").1, rows(&report, "delete").1), (3, 1));
    assert_eq!(table(&project), before);
    let db = Connection::open(project.path("crm.db")).unwrap();
    let tables: i64 =
        db.query_row("SELECT count(*) FROM sqlite_master WHERE name LIKE '_orch%'", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 0);
}

#[test]
fn tables_are_declared_from_what_they_are_and_hold() {
    let project = project(true);
    let db = Connection::open(project.path("crm.db")).unwrap();
    db.execute_batch(
        "CREATE TABLE visits (nr INTEGER PRIMARY KEY, person INTEGER NOT NULL REFERENCES people, page TEXT, secs REAL, day DATE);
         INSERT INTO visits VALUES (1, 1, '/a', 0.5, '2026-01-01'), (2, 2, '/b', 1.25, NULL)",
    )
    .unwrap();
    let said = project.orch(&["schema", "infer", "crm"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    insta::assert_snapshot!(said.out);
    let said = project.orch(&["schema", "infer", "sqlite:crm.db"]);
    assert_eq!(said.out.lines().count(), 21, "the source is known by its address: {}", said.out);
    let report = project.run(
        "entity people from crm.people\nentity visits from crm.visits\n\
         log \"{count(people where vip = 1)} {sum(secs of visits)} {count(visits where day >= 2026-01-01)} {count(people where joined is null)}\"",
    );
    assert_eq!(step(&report, "log")["note"], "1 1.75 1 1");
}
