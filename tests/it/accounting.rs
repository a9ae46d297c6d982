//! Rows in = rows out + rows dropped, with a reason for each.

use serde_json::{Value, json};

use crate::project::Project;

/// Rows in, rows out and what was dropped, of each segment by name.
fn accounts(project: &Project, arguments: &[&str]) -> Vec<(String, [Value; 3])> {
    let report = project.json(arguments, 0);
    let steps = report["steps"].as_array().unwrap().iter().filter(|step| step["kind"] == "segment");
    let account = |step: &Value| {
        let rows = |name: &str| step[name].as_u64().unwrap();
        let dropped: u64 = step["dropped"].as_object().unwrap().values().map(|rows| rows.as_u64().unwrap()).sum();
        assert_eq!(rows("rows_in"), rows("rows_out") + dropped, "{step}");
        [step["rows_in"].clone(), step["rows_out"].clone(), step["dropped"].clone()]
    };
    steps.map(|step| (step["name"].as_str().unwrap().to_owned(), account(step))).collect()
}

#[test]
fn a_union_says_what_each_side_gave_and_what_was_in_several() {
    // Ten rows: 1 to 4 are in Lyon, of them 1 and 2 have the same address.
    let mut people = String::from("id,email,city\n");
    for id in 1..=10 {
        let email = if id <= 2 { "same@a.test".to_owned() } else { format!("{id}@a.test") };
        people += &format!("{id},{email},{}\n", if id <= 4 { "Lyon" } else { "Nice" });
    }
    let script = "\
entity people from \"people.csv\" { id: int key; email: email; city: text }
segment lyon = people where city = \"Lyon\"
segment all = lyon union people
segment some = (people where id in (1, 3, 5)) union lyon
segment three = ((people where id < 3) union (people where id in (2, 3))) union (people where id = 3)
segment after = (lyon union (people where id in (3, 4, 9, 10))) where id != 9 where city != \"Paris\" limit 2
segment alike = (people where id = 1) union people on email
log \"{count(all)} {count(some)} {count(three)} {count(after)} {count(alike)}\"
";
    let project = Project::empty().with("people.csv", &people).with("a.orch", script);
    let found = accounts(&project, &["plan", "a.orch"]);
    let wanted = [
        ("lyon", [json!(10), json!(4), json!({ "where": 6 })]),
        ("all", [json!(14), json!(10), json!({ "duplicate": 4 })]),
        ("some", [json!(7), json!(5), json!({ "duplicate": 2 })]),
        ("three", [json!(5), json!(3), json!({ "duplicate": 2 })]),
        ("after", [json!(8), json!(2), json!({ "duplicate": 2, "where": 1, "limit": 3 })]),
        // The row itself and the one with its address.
        ("alike", [json!(11), json!(9), json!({ "duplicate": 2 })]),
    ];
    let wanted: Vec<_> = wanted.into_iter().map(|(name, account)| (name.to_owned(), account)).collect();
    assert_eq!(found, wanted);
    let said = project.done(&["plan", "a.orch"]).stdout;
    assert!(said.contains("8 people from 2 populations → 2\n"), "{said}");
    assert!(said.contains(" 2 in more than one · 3 by limit · 1 by where\n"), "{said}");
    assert!(said.contains("5 people from 3 populations → 3\n"), "{said}");
}
