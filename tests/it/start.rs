//! How somebody begins: data without declarations, `orch init`, `orch schema infer`.

use crate::project::{PEOPLE, Project};

const MANIFEST: &str = "[project]\nname = \"club\"\nschema = [\"schema.orch\"]\n";

/// Everything is known of the people by their data alone.
const BLOCKLESS: &str = "entity people from \"people.csv\"\ntopic news \"News\"\n\
    message email hello of people { subject: \"Hi {name ?? \"there\"}\"; text: \"Hello\"; topic: news }\n";

const SCRIPT: &str = "segment rich = people where spend > 500 and opt_in\nwait 2d\nsend email hello to rich\n";

fn blockless() -> Project {
    Project::empty().with("people.csv", PEOPLE).with("schema.orch", BLOCKLESS).with("orch.toml", MANIFEST)
}

#[test]
fn an_empty_folder_becomes_a_project_that_works() {
    let project = Project::empty();
    let wrote = project.done(&["init"]);
    assert_eq!(wrote.stdout, "wrote data/people.csv\nwrote orch.toml\nwrote schema.orch\nwrote hello.orch\n");
    let checked = project.done(&["check", "--deny", "warnings"]);
    assert_eq!(checked.stdout, "no problems in 2 files\n");
    let ran = project.json(&["run", "hello.orch"], 0);
    assert_eq!((&ran["status"], &ran["sends"][0]["sent"]), (&"finished".into(), &2.into()));
}

#[test]
fn nothing_is_overwritten() {
    let project = Project::empty().with("schema.orch", "# mine\n").with("data/people.csv", PEOPLE);
    let wrote = project.done(&["init"]);
    assert_eq!(wrote.stdout, "wrote orch.toml\nwrote hello.orch\n");
    assert!(wrote.stderr.contains("schema.orch exists and stays as it is"), "{}", wrote.stderr);
    assert_eq!(project.read("schema.orch"), "# mine\n");
    assert_eq!(project.read("data/people.csv"), PEOPLE);
}

#[test]
fn init_declares_the_data_that_is_there() {
    let project = Project::empty().with("export/people.csv", PEOPLE).with("export/notes.md", "no data");
    project.done(&["init", "--from", "export"]);
    let schema = project.read("schema.orch");
    assert!(schema.contains("entity people from \"export/people.csv\" {\n  id:     int key\n"), "{schema}");
    project.done(&["check", "--deny", "warnings"]);
    let printed = project.done(&["schema", "infer", "export"]);
    assert!(schema.starts_with(&printed.stdout), "{}", printed.stdout);
    let json = project.json(&["schema", "infer", "export/people.csv"], 0);
    assert_eq!(json["entities"][0], "people");
    let missing = project.orch(&["schema", "infer", "export/none.csv"]).expect(2);
    assert!(missing.stderr.contains("run::source_missing"), "{}", missing.stderr);
}

#[test]
fn entities_without_a_block_are_checked_planned_and_run() {
    let project = blockless().with("rich.orch", SCRIPT);
    assert_eq!(project.done(&["check"]).stdout, "no problems in 2 files\n");
    let planned = project.done(&["plan", "rich.orch", "--simulate"]);
    assert!(planned.stdout.contains("6 people → 4"), "{}", planned.stdout);
    let ran = project.json(&["run", "rich.orch", "--fast-forward"], 0);
    assert_eq!((&ran["status"], &ran["sends"][0]["sent"]), (&"finished".into(), &2.into()));
    project.write("wrong.orch", "segment x = people where spent > 500\n");
    let wrong = project.orch(&["check", "wrong.orch"]).expect(1);
    assert!(wrong.stdout.contains("did you mean `spend`?"), "{}", wrong.stdout);
    project.write("people.csv", "");
    let empty = project.orch(&["check", "rich.orch"]).expect(1);
    assert!(empty.stdout.contains("names::unknown_schema") && empty.stdout.contains("is empty"), "{}", empty.stdout);
}

#[test]
fn a_run_keeps_the_columns_it_began_with() {
    let project = blockless().with("rich.orch", SCRIPT);
    project.orch(&["run", "rich.orch", "--detach"]).expect(4);
    let run = project.run_name();
    // A new column, and texts where numbers were: the run knows neither.
    let changed =
        PEOPLE.replace(",opt_in\n", ",opt_in,more\n").replace(",true\n", ",true,1\n").replace(",false\n", ",false,\n");
    project.write("people.csv", &changed);
    let resumed = project.json(&["resume", &run, "--fast-forward"], 0);
    assert_eq!((&resumed["status"], &resumed["sends"][0]["sent"]), (&"finished".into(), &2.into()));
}

#[test]
fn a_column_that_a_run_began_with_must_stay() {
    let project = blockless().with("rich.orch", SCRIPT);
    project.orch(&["run", "rich.orch", "--detach"]).expect(4);
    let run = project.run_name();
    project.write("people.csv", PEOPLE.replace("email", "mail"));
    let resumed = project.orch(&["resume", &run, "--fast-forward"]).expect(3);
    assert!(resumed.stderr.contains("has no column `email`"), "{}", resumed.stderr);
    project.write("people.csv", PEOPLE);
    project.orch(&["resume", &run, "--fast-forward"]).expect(0);
}
