//! What recipients did comes from outside, and conditions and populations know it.

use std::fmt::Write as _;

use crate::project::Project;

/// The keys of the messages in the outbox, by recipient.
fn key(project: &Project, to: &str) -> String {
    let text = project.messages().into_iter().find(|text| text.contains(&format!("To: {to}"))).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("X-Orch-Send: ")).unwrap();
    line.trim().to_owned()
}

fn events(lines: &[(String, &str)]) -> String {
    lines.iter().fold(String::from("key,event\n"), |mut text, (key, event)| {
        writeln!(text, "{key},{event}").unwrap();
        text
    })
}

const SCRIPT: &str = "\
send email hello to people as first
wait until count(first.clicked) >= 1 within 3d
segment silent = first.sent except first.opened
log \"{count(first.opened)} opened, {count(first.clicked)} clicked, {count(first.bounced)} bounced, {count(first.delivered)} delivered, {count(silent)} silent\"
";

#[test]
fn a_condition_on_clicks_is_met_by_a_report() {
    let project = Project::club().with("main.orch", SCRIPT);
    let waiting = project.json(&["run", "main.orch", "--detach"], 4);
    assert_eq!(waiting["status"], "waiting");
    let (ann, bob) = (key(&project, "ann@shop.test"), key(&project, "bob@shop.test"));
    project.write("events.csv", events(&[(ann.clone(), "opened"), (bob.clone(), "bounced")]));
    project.done(&["feedback", "events.csv"]);
    assert_eq!(project.json(&["resume", "--all"], 4)["runs"][0]["status"].as_str().unwrap_or("waiting"), "waiting");
    project.write("more.ndjson", format!("{{\"key\": \"<{ann}@shop.test>\", \"event\": \"clicked\"}}\n"));
    let said = project.done(&["feedback", "more.ndjson"]);
    assert_eq!(said.stdout, "1 event left for the runs of this project\n");
    // The same again changes nothing, and neither do messages that nobody knows.
    project.done(&["feedback", "more.ndjson", "events.csv"]);
    project.write("unknown.csv", events(&[("0".repeat(32), "clicked")]));
    project.done(&["feedback", "unknown.csv"]);
    let ended = project.done(&["resume", &project.run_name()]);
    let expected = "1 opened, 1 clicked, 1 bounced, 2 delivered, 2 silent";
    assert!(format!("{}{}", ended.stdout, ended.stderr).contains(expected), "{}", ended.shown());
}

#[test]
fn a_report_reaches_a_run_that_waits_in_the_foreground() {
    let project = Project::club().with("main.orch", SCRIPT);
    let mut running = project.start(&["run", "main.orch"]);
    crate::project::until("three messages are out", || (project.outbox().len() == 3).then_some(()));
    project.write("events.csv", events(&[(key(&project, "ann@shop.test"), "clicked")]));
    project.done(&["feedback", "events.csv"]);
    crate::project::until("the run has ended", || running.has_ended().then_some(()));
    let ended = running.end(&project).expect(0);
    assert!(format!("{}{}", ended.stdout, ended.stderr).contains("1 clicked"), "{}", ended.shown());
}

#[test]
fn a_line_that_is_no_report_is_named() {
    let project = Project::club().with("events.csv", "key,event\n12,opened\n");
    let ended = project.orch(&["feedback", "events.csv"]).expect(2);
    assert!(
        ended.stderr.contains("error[run::bad_feedback]: line 2 of `events.csv`: `12` is neither"),
        "{}",
        ended.shown()
    );
    let ended = project.orch(&["feedback", "missing.csv"]);
    assert!(ended.stderr.contains("run::unreadable_file"), "{}", ended.shown());
}
