//! Changing tables: one transaction, once, and only what the database allows.

use super::{Shop, counts};

const ROWS: &str = "SELECT id, email, spend, vip, tier, seen, joined FROM contacts ORDER BY id";

#[test]
fn rows_are_changed_in_one_transaction() {
    let Some(shop) = Shop::open("changed") else { return };
    let report = shop.run(
        "update (contacts where id < 3) set spend = spend + 0.5, vip = true, seen = 2026-03-01T00:00Z, tier = \"gold\"\n\
         update (contacts where id = 3) set spend = -1\n\
         delete contacts where id = 2\n\
         log \"{count(contacts where vip)}\"",
    );
    let steps = &report["steps"];
    assert_eq!(counts(&steps[0]), (3, 2, "{\"where\":1}".into()));
    assert_eq!(counts(&steps[1]), (3, 0, "{\"constraint\":1,\"where\":2}".into()));
    assert_eq!(counts(&steps[2]).1, 1);
    assert_eq!(steps[3]["note"], "1");
    assert_eq!(shop.sql(ROWS), "1|ann@shop.test|900.60|t|gold|2026-03-01 00:00:00+00|2026-01-05\n3||5.50|f|bronze||");
    let note = steps[1]["note"].as_str().unwrap();
    let file = note.split(' ').next_back().unwrap();
    let rejects = shop.project.read(file);
    assert!(rejects.starts_with("key,reason,detail\n3,constraint,"), "{rejects}");
    assert!(rejects.contains("contacts_spend_check"), "{rejects}");
}

#[test]
fn new_rows_are_inserted_or_rejected_one_by_one() {
    let Some(shop) = Shop::open("inserted") else { return };
    shop.project
        .write("leads.csv", "nr,mail,note\n10,new@x.test,a\n1,old@x.test,b\n11,ann@shop.test,c\n12,z@x.test,d\n");
    let leads = "entity leads from \"leads.csv\" { nr: int key; mail: email; note: text }\n";
    let report = shop.run(&format!(
        "{leads}insert leads into contacts set id = nr, email = mail, name = note, spend = 1.25, joined = 2026-05-01, vip = false, tier = \"gold\""
    ));
    assert_eq!(counts(&report["steps"][0]), (4, 2, "{\"constraint\":1,\"key_exists\":1}".into()));
    let report = shop.run(&format!(
        "{leads}upsert leads into contacts on contacts.email = leads.mail set id = nr + 100, spend = 7, vip = true, tier = \"silver\""
    ));
    assert_eq!(counts(&report["steps"][0]), (4, 4, "{}".into()));
    assert_eq!(
        shop.sql("SELECT id, email, spend FROM contacts WHERE vip ORDER BY id"),
        "1|ann@shop.test|7.00\n10|new@x.test|7.00\n12|z@x.test|7.00\n101|old@x.test|7.00"
    );
    // A key that the database gives.
    let report = shop.run("insert contacts into orders set contact_id = contacts.id, amount = contacts.spend");
    assert_eq!(counts(&report["steps"][0]).1, 6);
    assert_eq!(shop.sql("SELECT count(*), min(id), max(id) FROM orders"), "9|1|9");
}

#[test]
fn a_number_is_not_rounded_without_a_word() {
    let Some(shop) = Shop::open("rounded") else { return };
    let report = shop.run("update (contacts where id = 1) set spend = 1.005");
    assert_eq!(counts(&report["steps"][0]).2, "{\"constraint\":1,\"where\":2}");
    assert_eq!(shop.sql("SELECT spend FROM contacts WHERE id = 1"), "900.10");
}

#[test]
fn many_rows_are_written_at_once() {
    let Some(shop) = Shop::empty("many") else { return };
    shop.sql(
        "CREATE TABLE contacts (id int PRIMARY KEY, email text, name text, tier text NOT NULL DEFAULT 'gold', spend numeric(12,2) NOT NULL,
           joined date, seen timestamptz, vip boolean NOT NULL DEFAULT false, CHECK (id <> 7777 OR NOT vip));
         INSERT INTO contacts (id, spend) SELECT n, n FROM generate_series(1, 20000) n;
         CREATE TABLE orders (id int PRIMARY KEY, contact_id int, amount numeric)",
    );
    let report = shop.run("update contacts set vip = true, spend = spend + 1");
    assert_eq!(counts(&report["steps"][0]), (20000, 19999, "{\"constraint\":1}".into()));
    assert_eq!(shop.sql("SELECT count(*), sum(spend) FROM contacts WHERE vip"), "19999|200022222.00");
    assert!(shop.statements("UPDATE \"contacts\"").len() < 2500, "rows go in batches");
}

#[test]
fn a_change_performed_again_after_a_crash_is_made_once() {
    let Some(shop) = Shop::open("again") else { return };
    shop.project.write("script.orch", "wait 2d\nupdate (contacts where id = 2) set spend = spend + 1");
    let parked = shop.orch(&["run", "script.orch", "--detach", "--format", "json"]).expect(4).json();
    let run = parked["run"].as_str().unwrap();
    let state = shop.project.path(".orch/dev");
    let kept = shop.project.path("kept");
    copy(&state, &kept);
    let resume = || shop.orch(&["resume", run, "--fast-forward", "--format", "json"]).expect(0).json();
    let first = resume();
    // A crash that loses the journal, and nothing else.
    copy(&kept, &state);
    let second = resume();
    assert_eq!(first["steps"][1]["rows_out"], second["steps"][1]["rows_out"]);
    assert_eq!(shop.sql("SELECT spend FROM contacts WHERE id = 2"), "21.00");
    assert_eq!(shop.sql("SELECT count(*) FROM _orch_writes"), "1");
}

/// Copies what a state's database consists of.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
        let _ = std::fs::remove_file(to.join(name));
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

#[test]
fn a_rehearsal_and_a_source_that_is_not_writable_change_nothing() {
    let Some(shop) = Shop::open("untouched") else { return };
    let before = shop.sql(ROWS);
    shop.project.write("script.orch", "update contacts set spend = 0\ndelete contacts where vip");
    let report = shop.orch(&["plan", "script.orch", "--simulate", "--format", "json"]).expect(0).json();
    assert_eq!((counts(&report["steps"][0]).1, counts(&report["steps"][1]).1), (3, 1));
    let manifest = shop.project.read("orch.toml").replace("writable = true", "writable = false");
    shop.project.write("orch.toml", &manifest);
    let refused = shop.orch(&["run", "script.orch"]).expect(1);
    assert!(refused.stderr.contains("run::read_only"), "{}", refused.shown());
    assert_eq!(shop.sql(ROWS), before);
    assert_eq!(shop.sql("SELECT count(*) FROM pg_tables WHERE tablename = '_orch_writes'"), "0");
}

#[test]
fn a_change_that_the_database_refuses_as_a_whole_leaves_nothing() {
    let Some(shop) = Shop::open("refused") else { return };
    let before = shop.sql(ROWS);
    shop.sql("CREATE ROLE reader LOGIN PASSWORD 'secret'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader");
    let url = shop.url().replace("orch:secret", "reader:secret");
    shop.project.write("script.orch", "update contacts set spend = 0");
    let said = shop.orch_at(&url, &["run", "script.orch", "--fast-forward"]).expect(3);
    assert!(said.stderr.contains("permission denied for table contacts"), "{}", said.shown());
    assert_eq!(shop.sql(ROWS), before);
}
