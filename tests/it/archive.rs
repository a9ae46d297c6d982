//! Files that move away once a run that has read them has finished.

use crate::project::Project;

const SCRIPT: &str = "\
signal go()
entity leads from \"in/leads-*.csv\" (archive: \"done/\", on_error: reject) { id: int key }
log \"{count(leads)}\"
wait for signal go within 9d else { fail \"no word\" }
log \"{count(leads)}\"
";

/// The same without its wait.
fn quick() -> String {
    SCRIPT.lines().filter(|line| !line.contains("go")).map(|line| format!("{line}\n")).collect()
}

/// Lets a run go on that waits, to its end.
fn go_on(project: &Project, run: &str) -> String {
    project.done(&["signal", "go"]);
    notes(project, &["resume", run])
}

fn inbox() -> Project {
    let project = Project::empty().with("script.orch", SCRIPT);
    project.with("in/leads-1.csv", "id\n1\n2\n").with("in/leads-2.csv", "id\n3\nx\n").with("in/other.csv", "id\n9\n")
}

/// The files of the project's data, with what they say.
fn files(project: &Project) -> Vec<String> {
    let data = |name: &String| name.starts_with("in/") || name.starts_with("done/");
    project
        .files()
        .into_iter()
        .filter(data)
        .map(|name| format!("{name} {}", project.read(&name).replace('\n', "|")))
        .collect()
}

fn notes(project: &Project, arguments: &[&str]) -> String {
    let report = project.json(arguments, 0);
    let notes = report["steps"].as_array().unwrap().iter().filter(|step| step["kind"] == "log");
    notes.map(|step| step["note"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
}

#[test]
fn files_move_when_the_run_has_finished_and_not_before() {
    let project = inbox();
    project.done(&["plan", "script.orch", "--simulate"]);
    project.orch(&["run", "script.orch", "--detach"]).expect(4);
    assert_eq!(files(&project).len(), 3, "neither a rehearsal nor a run that waits moves anything");
    // What comes while the run waits is read by its next statement, and moves with the rest.
    project.write("in/leads-3.csv", "id\n4\n");
    let run = project.run_name();
    assert_eq!(go_on(&project, &run), "3 4");
    assert_eq!(
        files(&project),
        ["done/leads-1.csv id|1|2|", "done/leads-2.csv id|3|x|", "done/leads-3.csv id|4|", "in/other.csv id|9|"]
    );
    // An empty inbox is no mistake; a file of a known name is kept beside the other.
    project.write("quick.orch", quick());
    assert_eq!(notes(&project, &["run", "quick.orch"]), "0 0");
    project.write("in/leads-1.csv", "id\n7\n");
    assert_eq!(notes(&project, &["run", "quick.orch"]), "1 1");
    assert_eq!(project.read("done/leads-1-2.csv"), "id\n7\n");
}

#[test]
fn what_nobody_has_read_stays() {
    let project = inbox();
    project.orch(&["run", "script.orch", "--detach"]).expect(4);
    let run = project.run_name();
    project.done(&["stop", &run]);
    project.done(&["run", "-e", "1"]);
    assert_eq!(files(&project).len(), 3, "a run that was stopped moves nothing");

    // Changed by somebody after the last statement has read it: a list as it was before the change.
    project.write("script.orch", quick());
    project.write("in/leads-1.csv", "id\n1\n2\n5\n");
    project.done(&["run", "script.orch"]);
    assert!(files(&project).iter().all(|file| !file.starts_with("in/leads")));
}

#[test]
fn a_crash_between_the_end_and_the_move_loses_nothing() {
    let project = inbox();
    project.orch(&["run", "script.orch", "--detach"]).expect(4);
    let run = project.run_name();
    let list = format!(".orch/dev/runs/{run}/archive.json");
    let read = project.read(&list);
    go_on(&project, &run);
    assert!(!project.path(&list).exists());
    // As if the process had ended before it moved the second file; the first has another content by now.
    std::fs::rename(project.path("done/leads-2.csv"), project.path("in/leads-2.csv")).unwrap();
    project.write("in/leads-1.csv", "id\n8\n");
    project.write(&list, read);
    project.write("quick.orch", quick());
    assert_eq!(notes(&project, &["run", "quick.orch"]), "1 1", "only what is new is read");
    assert_eq!(project.read("done/leads-2.csv"), "id\n3\nx\n");
    assert_eq!(project.read("done/leads-1-2.csv"), "id\n8\n");
}

#[test]
fn the_last_of_several_runs_moves_a_file() {
    let project = inbox();
    project.orch(&["run", "script.orch", "--detach"]).expect(4);
    let first = project.run_name();
    project.write("quick.orch", quick());
    project.done(&["run", "quick.orch"]);
    assert!(project.path("in/leads-1.csv").exists(), "the first run still reads it");
    assert_eq!(go_on(&project, &first), "3 3");
    assert!(!project.path("in/leads-1.csv").exists());
}

#[test]
fn folders_that_are_columns_keep_their_names_and_places_are_checked() {
    let project = Project::empty().with("in/day=2026-01-05/a.csv", "id\n1\n");
    let script = |archive: &str| {
        format!("entity a from \"in\" (archive: \"{archive}\") {{ id: int key; day: date }}\nlog \"{{count(a)}}\"")
    };
    for archive in ["../done", "/tmp/done", "in/done", "in", ""] {
        project.write("script.orch", script(archive));
        let said = project.orch(&["run", "script.orch"]).expect(1);
        assert!(said.stderr.contains("option `archive`: "), "{archive}: {}", said.shown());
    }
    project.write("script.orch", script("done"));
    project.done(&["run", "script.orch"]);
    assert_eq!(project.read("done/day=2026-01-05/a.csv"), "id\n1\n");
}

#[test]
fn a_simulated_run_moves_nothing() {
    let project = inbox();
    project.write("quick.orch", quick());
    assert_eq!(notes(&project, &["run", "quick.orch", "--fast-forward"]), "3 3");
    // One that began for real and is simulated from its middle on has not really finished either.
    project.orch(&["run", "script.orch", "--detach"]).expect(4);
    let run = project.run_name();
    project.done(&["signal", "go"]);
    project.done(&["resume", &run, "--fast-forward"]);
    assert_eq!(files(&project).len(), 3);
    assert!(!project.path(&format!(".orch/dev/runs/{run}/archive.json")).exists());
    // Nor does a simulated run that has not ended keep a real one from moving them.
    let waits = SCRIPT.replace("wait for signal go within 9d", "approve \"go on?\" by \"boss\" within 9d");
    project.write("asks.orch", waits);
    project.orch(&["run", "asks.orch", "--fast-forward"]);
    project.done(&["run", "quick.orch"]);
    assert!(files(&project).iter().all(|file| !file.starts_with("in/leads")), "{:?}", files(&project));
}
