//! `update`, `upsert`, `insert`, `delete` on files.

use super::{CUSTOMERS, Project, rows, step};

#[test]
fn an_update_changes_cells_and_nothing_else() {
    let project = Project::new();
    let text = "\u{feff}note;id;spend;opt_in;seen;ratio\r\n\"keep; this\";1;10,00x;yes;2026-01-05 09:00:00;5%\r\n\r\n\"old\";2;20.00;no;;\r\n;3;30.00;no;2026-01-06 10:00:00;1%";
    let text = text.replace("10,00x", "10.00");
    project.write("data/people.csv", &text);
    let report = project.run(
        "entity people from \"data/people.csv\" (delimiter: \";\") { id: int key; spend: decimal; opt_in: bool; seen: timestamp?; ratio: percent? }\n\
         update (people where id in (2, 3)) set spend = spend * 2, opt_in = true, seen = 2026-03-05T12:30, ratio = 7.5%",
    );
    assert_eq!(rows(&report, "update"), (3, 2, "{\"where\":1}".into()));
    let expected = text
        .replace("\"old\";2;20.00;no;;", "old;2;40.00;yes;2026-03-05 12:30:00;7.5%")
        .replace(";3;30.00;no;2026-01-06 10:00:00;1%", ";3;60.00;yes;2026-03-05 12:30:00;7.5%");
    assert_eq!(project.read("data/people.csv"), expected);
    assert_eq!(std::fs::read_dir(project.path("data")).unwrap().count(), 3, "no temporary file is left");
}

#[test]
fn later_steps_see_what_was_written() {
    let project = Project::new();
    let report =
        project.run("update (customers where id = 1) set spend = 1\nlog \"{count(customers where spend > 500)}\"");
    assert_eq!(step(&report, "log")["note"], "1");
    assert_eq!(project.read("data/customers.csv"), CUSTOMERS.replace("900.50", "1"));
}

#[test]
fn an_insert_adds_rows_and_rejects_keys_that_exist() {
    let project = Project::new();
    project.write("in/leads.csv", "nr,mail\n7,x@x.test\n2,taken@x.test\n7,again@x.test\n");
    let report = project.run(
        "entity leads from \"in/leads.csv\" { nr: int; mail: email }\n\
         insert leads into customers set id = nr, email = mail, spend = 0, joined = 2026-01-01, opt_in = false\n\
         insert (leads where nr = 2) into customers set email = mail, spend = 1.5, joined = 2026-01-02, opt_in = true",
    );
    assert_eq!(rows(&report, "insert"), (3, 1, "{\"key_exists\":2}".into()));
    assert_eq!(
        project.read("data/customers.csv"),
        format!("{CUSTOMERS}7,x@x.test,,,0,2026-01-01,false\n8,taken@x.test,,,1.5,2026-01-02,true\n")
    );
    let note = step(&report, "insert")["note"].as_str().unwrap().to_owned();
    let path = note.split(" in ").last().unwrap();
    assert_eq!(project.read(path).lines().count(), 3, "{note}");
}

#[test]
fn a_delete_takes_rows_away() {
    let project = Project::new();
    let report = project.run("delete customers where spend < 200");
    assert_eq!(rows(&report, "delete"), (4, 2, "{\"where\":2}".into()));
    let expected: Vec<&str> = CUSTOMERS.lines().filter(|line| !line.contains("Bob") && !line.contains("Dan")).collect();
    assert_eq!(project.read("data/customers.csv"), expected.join("\n") + "\n");
}

#[test]
fn an_upsert_changes_what_matches_and_adds_the_rest() {
    let project = Project::new();
    project.write(
        "in/leads.csv",
        "mail,name,age\nann@shop.test,Anne,1\nnew@x.test,New,2\nnew@x.test,Again,3\nbob@shop.test,Bo,4\n",
    );
    let report = project.run(
        "entity leads from \"in/leads.csv\" { mail: email; name: text; age: int }\n\
         upsert (leads where age < 4) into customers on customers.email = leads.mail\n\
           set name = leads.name, spend = 0, joined = 2026-01-01, opt_in = true",
    );
    assert_eq!(rows(&report, "upsert"), (4, 2, "{\"repeated\":1,\"where\":1}".into()));
    let expected = CUSTOMERS.replace(
        "1,ann@shop.test,Ann,+33 6 12,900.50,2024-01-05,true",
        "1,ann@shop.test,Anne,+33 6 12,0,2026-01-01,true",
    );
    assert_eq!(project.read("data/customers.csv"), expected + "5,new@x.test,New,,0,2026-01-01,true\n");
}

#[test]
fn a_row_that_changes_twice_gets_the_first_value() {
    let project = Project::new();
    let report = project.run(
        "segment pairs = orders match customers on customers.id = orders.customer_id with a = orders.amount order by a\n\
         update pairs set spend = a",
    );
    assert_eq!(rows(&report, "update"), (3, 2, "{\"repeated\":1}".into()));
    assert!(project.read("data/customers.csv").contains("1,ann@shop.test,Ann,+33 6 12,400.50,"));
}

#[test]
fn rows_without_a_key_are_known_by_what_they_say() {
    let project = Project::new();
    project.write("in/leads.csv", "mail,country\na@x.test,DE\nb@x.test,\nc@x.test,\n");
    let schema = "entity leads from \"in/leads.csv\" { mail: email; country: text? }\n";
    let report = project.run(&format!("{schema}update (leads where country is null) set country = \"FR\""));
    assert_eq!(rows(&report, "update"), (3, 2, "{\"where\":1}".into()));
    assert_eq!(project.read("in/leads.csv"), "mail,country\na@x.test,DE\nb@x.test,FR\nc@x.test,FR\n");
    // The lines were moved between the look and the change.
    project.write("script.orch", &format!("{schema}segment s = leads where country = \"FR\"\nwait 2d\ndelete s"));
    let parked = project.orch(&["run", "script.orch", "--detach", "--format", "json"]);
    let run: serde_json::Value = serde_json::from_str(&parked.out).unwrap();
    project.write("in/leads.csv", "mail,country\nc@x.test,FR\nb@x.test,FR\na@x.test,DE\n");
    let said = project.orch(&["resume", run["run"].as_str().unwrap(), "--fast-forward", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(rows(&report, "delete"), (2, 1, "{\"vanished\":1}".into()));
    assert_eq!(project.read("in/leads.csv"), "mail,country\nc@x.test,FR\na@x.test,DE\n");
}

#[test]
fn parquet_files_are_changed_too() {
    let project = Project::new();
    project.run("export (customers with extra = \"x{id}\") to \"data/c.parquet\"");
    let schema =
        "entity c from \"data/c.parquet\" { id: int key; email: email?; spend: decimal; joined: date; opt_in: bool }\n";
    let refused = project.try_run(
        "entity c from \"data/c.parquet\" { id: int key; spend: decimal }\ninsert orders into c set spend = amount",
    );
    assert!(
        refused.err.contains("run::write_failed") && refused.err.contains("`joined` is not declared"),
        "{}",
        refused.err
    );
    let report = project.run(&format!(
        "{schema}update (c where id = 1) set spend = 7.25\n\
         delete c where id = 4\n\
         insert (orders where id = 10) into c set spend = amount, joined = 2026-01-01, opt_in = false\n\
         export c to \"all.csv\" {{ columns: [id, email, spend, opt_in] }}"
    ));
    assert_eq!((rows(&report, "update").1, rows(&report, "delete").1, rows(&report, "insert").1), (1, 1, 1));
    assert_eq!(
        project.read("all.csv"),
        "id,email,spend,opt_in\n1,ann@shop.test,7.25,true\n2,bob@shop.test,100.00,true\n3,,550.00,false\n4,,400.50,false\n"
    );
    let whole = "entity w from \"data/c.parquet\" { id: int key; name: text?; extra: text? }\nexport w to \"w.csv\" { guard: false }";
    project.run(whole);
    assert_eq!(project.read("w.csv"), "id,name,extra\n1,Ann,x1\n2,\"Bob, Jr\",x2\n3,=1+1,x3\n4,,\n");
}

#[test]
fn what_was_written_before_a_crash_is_not_written_again() {
    for change in [
        "update (customers where spend > 500) set spend = spend + 1",
        "insert (customers where id = 1) into customers set email = email, spend = 3, joined = joined, opt_in = true",
        "delete customers where id = min(id of customers)",
        "upsert orders into customers on customers.id = orders.customer_id set spend = amount, joined = 2026-01-01, opt_in = true",
    ] {
        let project = Project::new();
        let once = Project::new();
        once.run(change);
        let (first, second) = project.run_twice(change);
        assert_eq!(project.read("data/customers.csv"), once.read("data/customers.csv"), "{change}");
        assert_ne!(project.read("data/customers.csv"), CUSTOMERS, "{change}");
        assert_eq!(step(&first, change.split(' ').next().unwrap()), step(&second, change.split(' ').next().unwrap()));
    }
}

#[test]
fn a_rehearsal_of_a_change_changes_nothing() {
    let project = Project::new();
    let report = project.plan("update (customers where spend > 500) set spend = 0\ndelete customers where id = 4");
    assert_eq!(rows(&report, "update"), (4, 2, "{\"where\":2}".into()));
    assert_eq!(rows(&report, "delete"), (4, 1, "{\"where\":3}".into()));
    assert_eq!(project.read("data/customers.csv"), CUSTOMERS);
}

#[test]
fn a_crash_before_the_new_file_had_its_name_is_made_good() {
    let project = Project::new();
    let change = "update (customers where spend > 500) set spend = spend + 1";
    let target = project.path("data/customers.csv");
    let interrupted = || {
        let runs = project.path(".orch/dev/runs");
        let run = std::fs::read_dir(runs).unwrap().next().unwrap().unwrap().path();
        let done = std::fs::read_dir(run).unwrap().map(|entry| entry.unwrap().path());
        let done = done.filter(|path| path.extension().is_some_and(|end| end == "done")).collect::<Vec<_>>();
        let decision: serde_json::Value = serde_json::from_slice(&std::fs::read(&done[0]).unwrap()).unwrap();
        std::fs::rename(&target, decision["temporary"].as_str().unwrap()).unwrap();
        std::fs::write(&target, CUSTOMERS).unwrap();
    };
    let (first, second) = project.run_twice_with(change, &interrupted);
    assert_eq!(project.read("data/customers.csv"), CUSTOMERS.replace("900.50", "901.50").replace("550.00", "551.00"));
    assert_eq!(step(&first, "update"), step(&second, "update"));
}
