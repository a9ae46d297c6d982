//! What was once refused or not followed.

use crate::project::Project;

fn club(script: &str) -> Project {
    Project::club().with("main.orch", script)
}

#[test]
fn a_campaign_that_starts_by_itself_can_be_started_by_hand() {
    let quiet = |project: &Project, arguments: &[&str]| {
        let ran = project.done(arguments);
        assert!(!ran.stderr.contains("warning"), "{}", ran.shown());
        ran
    };
    let project = club("campaign digest every monday at 09:00 on error stop { log \"a\" }\n");
    assert!(quiet(&project, &["run", "main.orch"]).stdout.contains("finished"));
    // Then somebody has to say what the signal would have said.
    let project = club("signal stock_in(sku: text)\ncampaign digest on signal stock_in { log \"{sku}\" }\n");
    let refused = project.orch(&["run", "main.orch"]).expect(2);
    assert!(refused.stderr.contains("the parameter `sku` has no value"), "{}", refused.shown());
    quiet(&project, &["run", "main.orch", "--param", "sku=A"]);
    let run = project.json(&["show", &project.run_name()], 0);
    assert_eq!(run["steps"][0]["note"], "A");
}

/// The engine evaluates such a condition while it reads its copy of the data.
#[test]
fn a_division_by_zero_in_a_condition_is_said_in_our_words() {
    let project = club("segment odd = people where 100 / (id - 2) > 0\nlog \"{count(odd)}\"\n");
    let ended = project.orch(&["plan", "main.orch"]).expect(3);
    assert!(ended.stderr.contains("error[run::bad_value]: 100 cannot be divided by zero"), "{}", ended.shown());
    assert!(!ended.stderr.contains("RowError"), "{}", ended.shown());
}

#[test]
fn hundreds_of_operands_are_planned_and_run() {
    let sum = vec!["id"; 490].join(" + ");
    let project =
        club(&format!("segment some = people where {sum} > 490\nlog \"{{count(some)}} {{sum({sum} of people)}}\"\n"));
    let report = project.json(&["run", "main.orch"], 0);
    let all: i64 = project.cells("people.csv").1.iter().map(|row| row[0].parse::<i64>().unwrap()).sum();
    let some = project.cells("people.csv").1.len() - 1;
    assert_eq!(report["steps"][1]["note"], format!("{some} {}", all * 490));
}

#[test]
fn numbers_of_many_digits_are_shown_with_all_of_them() {
    let project = club(
        "segment some = people with wide = spend * 1_000_000_000_000_000 * 1_000_000_000_000_000 limit 1\n\
        let total = sum(wide of some)\nlog \"{total}\"\nexport some to \"out/some.csv\" { columns: [id, wide] }\n",
    );
    let (header, rows) = project.cells("people.csv");
    let spend = &rows[0][header.iter().position(|name| name == "spend").unwrap()];
    let (whole, cents) = spend.split_once('.').unwrap();
    let wanted = format!("{whole}{cents}{}", "0".repeat(28));
    let report = project.json(&["run", "main.orch"], 0);
    assert_eq!(report["steps"][2]["note"], wanted.as_str());
    assert_eq!(project.cells("out/some.csv").1[0][1], wanted);
    let shown = project.done(&[
        "run",
        "-e",
        "sum(spend * 1_000_000_000_000_000 * 1_000_000_000_000_000 of people where id = 1)",
    ]);
    assert_eq!(shown.stdout.trim().replace(',', ""), wanted);
}

#[test]
fn json_has_the_seconds_of_an_instant() {
    let schema = "entity visits from \"at.csv\" { id: int key; at: timestamp }\n";
    let project = Project::empty()
        .with("at.csv", "id,at\n1,2026-11-24T10:00:59.25Z\n")
        .with("schema.orch", schema)
        .with("orch.toml", "[project]\nname = \"visits\"\nschema = [\"schema.orch\"]\n");
    let shown = project.done(&["run", "-e", "visits", "--format", "json"]).stdout;
    let row: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let at: jiff::Timestamp = row["at"].as_str().unwrap().parse().unwrap();
    assert_eq!(at.to_string(), "2026-11-24T10:00:59.25Z");
    assert!(project.done(&["run", "-e", "visits"]).stdout.contains("10:00\n"), "tables stay short");
}
