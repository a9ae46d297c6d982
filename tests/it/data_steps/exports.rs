//! `export`

use super::{Project, rows, step};

#[test]
fn rows_become_a_csv_file_in_their_order() {
    let project = Project::new();
    let report = project.run(
        "segment good = customers where spend > 50 with last = first(placed_at of orders order by placed_at desc) order by spend desc\n\
         export good to \"out/good-{today()}.csv\" { columns: [id, name, phone, spend, last, opt_in] }\n\
         export (customers where id = 2) to \"out/two.csv\"",
    );
    assert_eq!(rows(&report, "export"), (3, 3, "{}".into()));
    let name = step(&report, "export")["note"].as_str().unwrap().to_owned();
    assert!(name.starts_with("out/good-20") && name.ends_with(".csv"), "{name}");
    assert_eq!(
        project.read(&name),
        "id,name,phone,spend,last,opt_in\n\
         1,Ann,+33 6 12,900.50,2026-02-05T10:30:15+01:00,true\n\
         3,'=1+1,,550.00,2026-03-05T10:00:00+01:00,false\n\
         2,\"Bob, Jr\",,100.00,,true\n"
    );
    assert_eq!(
        project.read("out/two.csv"),
        "id,email,name,phone,spend,joined,opt_in\n2,bob@shop.test,\"Bob, Jr\",,100.00,2024-02-05,true\n"
    );
    assert_eq!(std::fs::read_dir(project.path("out")).unwrap().count(), 2, "no temporary file is left");
}

#[test]
fn options_choose_the_form() {
    let project = Project::new();
    project.run(
        "segment two = customers where id in (2, 3)\n\
         export two to \"out/a.csv\" { columns: [name, spend], decimal_comma: true, guard: false, encoding: \"utf-8-bom\" }\n\
         export two to \"out/b.tsv\" { columns: [name], header: false }\n\
         export two to \"out/c.ndjson\" { columns: [id, email, spend, joined] }\n\
         export (customers where spend > 500 with sums = list(amount, id of orders order by placed_at)) to \"out/d.ndjson\" { columns: [sums] }\n\
         export two to \"out/e.parquet\"\n\
         export two to \"out/f.arrow\"\n\
         export two to \"out/g\" { format: ndjson, columns: [id] }",
    );
    assert_eq!(project.read("out/a.csv"), "\u{feff}name;spend\nBob, Jr;100,00\n=1+1;550,00\n");
    assert_eq!(project.read("out/b.tsv"), "\"Bob, Jr\"\n'=1+1\n".replace('"', ""));
    assert_eq!(
        project.read("out/c.ndjson"),
        "{\"id\":2,\"email\":\"bob@shop.test\",\"spend\":100.00,\"joined\":\"2024-02-05\"}\n\
         {\"id\":3,\"email\":null,\"spend\":550.00,\"joined\":\"2024-03-05\"}\n"
    );
    assert_eq!(
        project.read("out/d.ndjson"),
        "{\"sums\":[{\"amount\":400.50,\"id\":10},{\"amount\":500.00,\"id\":11}]}\n{\"sums\":[{\"amount\":550.00,\"id\":12}]}\n"
    );
    assert_eq!(project.read("out/g"), "{\"id\":2}\n{\"id\":3}\n");
    // What was written is a source again.
    let again = "entity e from \"out/e.parquet\" { id: int key, spend: decimal }\n\
                 entity f from \"out/f.arrow\" { id: int key, name: text? }\n\
                 log \"{count(e where spend = 550)} {count(f where name is null)}\"";
    let report = project.run(again);
    assert_eq!(step(&report, "log")["note"], "1 0");
}

#[test]
fn rows_can_be_added_to_a_file() {
    let project = Project::new();
    let add = |id: u32| {
        let script =
            format!("export (customers where id = {id}) to \"log.csv\" {{ columns: [id, name], append: true }}");
        project.run(&script)
    };
    add(1);
    add(4);
    let none = add(77);
    assert_eq!(project.read("log.csv"), "id,name\n1,Ann\n4,Dan\n");
    assert_eq!(rows(&none, "export").1, 0);
    let other = project.try_run("export customers to \"log.csv\" { columns: [id, email], append: true }");
    assert_eq!(other.code, Some(3));
    assert!(other.err.contains("run::bad_export") && other.err.contains("`id,name`"), "{}", other.err);
}

#[test]
fn an_empty_population_writes_skips_or_fails() {
    let project = Project::new();
    let export =
        |word: &str| format!("export (customers where id = 0) to \"{word}.csv\" {{ columns: [id], if_empty: {word} }}");
    project.run(&export("write"));
    assert_eq!(project.read("write.csv"), "id\n");
    let skipped = project.run(&export("skip"));
    assert!(!project.path("skip.csv").exists());
    assert_eq!(rows(&skipped, "export"), (4, 0, "{\"where\":4}".into()));
    let failed = project.try_run(&export("fail"));
    assert_eq!(failed.code, Some(3));
    assert!(failed.err.contains("run::no_rows"), "{}", failed.err);
}

#[test]
fn exports_stay_inside_the_project_and_off_its_works() {
    let project = Project::new();
    let outside = tempfile::tempdir().unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(outside.path(), project.path("link")).unwrap();
    let table = [
        ("../x.csv", "outside the project"),
        ("/tmp/x.csv", "outside the project"),
        ("link/x.csv", "outside the project"),
        ("s3://bucket/x.csv", "only files"),
        (".orch/x.csv", "belongs to the project"),
        ("orch.toml", "belongs to the project"),
        ("data", "is a folder"),
        ("data/customers.csv", "this campaign reads `customers` from it"),
    ];
    for (path, why) in table {
        // A path that is written out is known to be wrong before anything runs.
        let said = project.try_run(&format!("let path = \"{path}\"\nexport customers to path {{ format: csv }}"));
        assert_eq!(said.code, Some(3), "{path}: {}", said.err);
        assert!(said.err.contains("run::export_place") && said.err.contains(why), "{path}: {}", said.err);
    }
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    for path in ["../x.csv", "/tmp/x.csv", "s3://bucket/x.csv", "x.xlsx"] {
        let said = project.try_run(&format!("export customers to \"{path}\""));
        assert_eq!(said.code, Some(1), "{path}: {}", said.err);
        assert!(said.out.contains("flow::bad_write"), "{path}: {}", said.out);
    }
    let kind = project.try_run("let path = \"x.xlsx\"\nexport customers to path");
    assert!(kind.err.contains("run::bad_export"), "{}", kind.err);
    let signs = project.try_run("export (customers with x = \"š→\") to \"x.csv\" { encoding: \"latin-1\" }");
    assert!(signs.err.contains("run::bad_export"), "{}", signs.err);
}

#[test]
fn an_export_performed_again_after_a_crash_changes_nothing() {
    let project = Project::new();
    project.write("log.csv", "id\n7\n");
    let (first, second) =
        project.run_twice("export (customers where id < 3) to \"log.csv\" { columns: [id], append: true }");
    assert_eq!(project.read("log.csv"), "id\n7\n1\n2\n");
    assert_eq!(rows(&first, "export"), rows(&second, "export"));
    assert_eq!(step(&first, "export")["note"], step(&second, "export")["note"]);
}

#[test]
fn a_rehearsal_counts_and_writes_nothing() {
    let project = Project::new();
    let report = project.plan("export (customers where spend > 500) to \"out/x.csv\"");
    assert_eq!(rows(&report, "export"), (4, 2, "{\"where\":2}".into()));
    assert!(!project.path("out").exists());
}

#[test]
fn columns_of_fixed_widths() {
    let project = Project::new();
    project.run(
        "segment two = customers where id in (1, 3)\n\
         export two to \"out/bank.txt\" { columns: [id, name, spend], widths: [6, 4, 9], pad: [\"0\", \" \", \"0\"] }\n\
         export two to \"out/left.dat\" { columns: [spend, name], widths: [8, 6], align: [left, right], header: true }\n\
         export (two where id = 1) to \"out/cut\" { format: fixed, columns: [email], widths: [5], too_long: cut, encoding: \"latin-1\" }",
    );
    assert_eq!(project.read("out/bank.txt"), "000001Ann 000900.50\n000003=1+1000550.00\n");
    assert_eq!(project.read("out/left.dat"), "spend   name  \n900.50     Ann\n550.00    =1+1\n");
    assert_eq!(project.read("out/cut"), "ann@s\n");
    // What was written is a source again.
    let again = "entity e from \"out/bank.txt\" (widths: [6, 4, 9]) { id: int key, name: text, spend: decimal }\n\
                 log \"{sum(spend of e)}\"";
    assert_eq!(step(&project.run(again), "log")["note"], "1450.50");
    let table = [
        ("columns: [name], widths: [2]", "`Ann` of the column `name` is 3 characters long"),
        ("columns: [id, name], widths: [2]", "the rows have 2 columns, but there are 1 widths"),
        ("columns: [id], widths: [2], pad: [\"ab\"]", "padded with one sign"),
        ("columns: [id], widths: [2], align: [middle]", "`middle` is no alignment"),
        ("columns: [id], format: fixed", "needs widths"),
        ("columns: [id], widths: [2], format: parquet", "only text files have widths"),
    ];
    for (options, why) in table {
        let said = project.try_run(&format!("export customers to \"x.txt\" {{ {options} }}"));
        assert_eq!(said.code, Some(3), "{options}: {}", said.err);
        assert!(said.err.contains("run::bad_export") && said.err.contains(why), "{options}: {}", said.err);
    }
}

#[test]
fn rows_in_another_order() {
    let project = Project::new();
    project.run(
        "segment all = customers\n\
         export all to \"out/a.csv\" { columns: [id], order: [-spend] }\n\
         export all to \"out/b.csv\" {\n  columns: [id]\n  order: [opt_in, -id]\n}\n\
         export all to \"out/c.ndjson\" { columns: [id], order: spend }",
    );
    assert_eq!(project.read("out/a.csv"), "id\n1\n3\n2\n4\n");
    assert_eq!(project.read("out/b.csv"), "id\n3\n4\n2\n1\n");
    assert_eq!(project.read("out/c.ndjson"), "{\"id\":4}\n{\"id\":2}\n{\"id\":3}\n{\"id\":1}\n");
    let said = project.try_run("export customers to \"x.csv\" { order: [spent] }");
    assert!(said.code == Some(1) && said.out.contains("spent"), "{}", said.out);
}
