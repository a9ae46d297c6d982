//! `save`, `audience`, and lost rows as populations.

use super::{Project, rows, step};

#[test]
fn an_audience_is_kept_for_later_campaigns() {
    let project = Project::new();
    let saved = project.run("segment good = customers where spend > 500\nsave good as audience \"good\"");
    assert_eq!(rows(&saved, "save"), (2, 2, "{}".into()));
    let read = "segment again = audience \"good\" of customers where opt_in\n\
                log \"{count(audience \"good\" of customers)} {count(again)}\"";
    let read = read
        .replace("\"{count(audience \"good\"", "\"\"\"{count(audience \"good\"")
        .replace("{count(again)}\"", "{count(again)}\"\"\"");
    let report = project.run(&read);
    assert_eq!(step(&report, "log")["note"], "2 1");
    assert_eq!(rows(&report, "segment"), (2, 1, "{\"where\":1}".into()));
    let rehearsed = project.plan(&read);
    assert_eq!(step(&rehearsed, "log")["note"], "2 1", "a rehearsal sees what real runs saved");
    let asked = project.orch(&["run", "-e", "count(audience \"good\" of customers)"]);
    assert!(asked.out.contains('2'), "{}{}", asked.out, asked.err);
}

#[test]
fn members_are_kept_and_what_is_known_of_them_is_read_anew() {
    let project = Project::new();
    project.run("save (customers where id < 3) as audience \"two\"");
    project.write(
        "data/customers.csv",
        "id,email,name,phone,spend,joined,opt_in\n2,new@shop.test,Bob,,7,2024-02-05,true\n",
    );
    let report =
        project.run("segment two = audience \"two\" of customers\nexport two to \"two.csv\" { columns: [id, email] }");
    assert_eq!(project.read("two.csv"), "id,email\n2,new@shop.test\n");
    assert_eq!(rows(&report, "segment"), (2, 1, "{\"vanished\":1}".into()));
}

#[test]
fn saving_again_replaces() {
    let project = Project::new();
    let (first, second) = project.run_twice("save (customers where id < 3) as audience \"{\"a\"}\"");
    assert_eq!(rows(&first, "save"), rows(&second, "save"));
    project.run("save (customers where id = 4) as audience \"a\"");
    let report = project.run("segment a = audience \"a\" of customers\nlog \"{min(id of a)} {count(a)}\"");
    assert_eq!(step(&report, "log")["note"], "4 1");
    assert_eq!(std::fs::read_dir(project.path(".orch/dev/audiences")).unwrap().count(), 1);
    let rehearsed = project.plan("save customers as audience \"a\"\nsegment a = audience \"a\" of customers");
    assert_eq!(rows(&rehearsed, "segment").1, 4, "a rehearsal sees its own");
    let report = project.run("log \"{count(orders)}\"\nsegment a = audience \"a\" of customers");
    assert_eq!(rows(&report, "segment").1, 1, "and changes nothing");
}

#[test]
fn an_audience_of_pairs_has_each_row_once() {
    let project = Project::new();
    let report = project.run(
        "save (orders match customers on customers.id = orders.customer_id) as audience \"buyers\"\n\
         segment buyers = audience \"buyers\" of customers",
    );
    assert_eq!(rows(&report, "save").1, 2);
    assert!(rows(&report, "save").2.contains("\"merged\":1"));
    assert_eq!(rows(&report, "segment"), (2, 2, "{}".into()));
}

#[test]
fn wrong_audiences_say_what_there_is() {
    let project = Project::new();
    project.run("save customers as audience \"good\"");
    let unknown = project.try_run("segment x = audience \"god\" of customers");
    assert_eq!(unknown.code, Some(3));
    assert!(
        unknown.err.contains("run::unknown_audience") && unknown.err.contains("did you mean `good`?"),
        "{}",
        unknown.err
    );
    let other = project.try_run("log \"{count(audience 'good' of orders)}\"");
    assert!(other.err.contains("run::other_audience") && other.err.contains("rows of `customers`"), "{}", other.err);
}

#[test]
fn unmatched_rows_are_a_population() {
    let project = Project::new();
    let report = project.run(
        "segment buyers = orders.customer where spend > 600\n\
         segment pairs = orders match customers on customers.id = orders.customer_id and customers.spend > 600\n\
         export buyers.unmatched to \"a.csv\" { columns: [id] }\n\
         export pairs.unmatched to \"b.csv\" { columns: [id] }",
    );
    assert_eq!(project.read("a.csv"), "id\n13\n", "the order of nobody");
    assert_eq!(project.read("b.csv"), "id\n12\n13\n");
    assert_eq!(rows(&report, "export").1, 1);
}

#[test]
fn rejected_lines_and_rows_without_a_key_can_be_written() {
    let project = Project::new();
    project.write("in/leads.csv", "email,age\na@x.test,old\nb@x.test,7\nb@x.test,8\n");
    project.run(
        "entity leads from \"in/leads.csv\" (on_error: reject) { email: email; age: int }\n\
         export leads to \"ok.csv\"\n\
         export leads.rejected to \"bad.csv\" { columns: [line, value] }",
    );
    assert_eq!(project.read("ok.csv"), "email,age,line\nb@x.test,7,3\nb@x.test,8,4\n");
    assert_eq!(project.read("bad.csv"), "line,value\n2,old\n");
}
