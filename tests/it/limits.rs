//! What is checked but not built yet is refused before a run exists, or a note says that a run does not follow it.

use crate::project::{Ended, Project};

const SEND: &str = "send email hello to people";

/// Neither a rehearsal nor a run begins; both say this about that place.
#[track_caller]
fn refused(project: &Project, message: &str, place: &str) {
    for command in ["plan", "run"] {
        let ended = project.orch(&[command, "main.orch"]).expect(1);
        assert!(ended.stderr.contains(&format!("error[run::not_executable]: {message}")), "{}", ended.shown());
        assert!(ended.stderr.contains(&format!("─[{place}]")), "{}", ended.shown());
    }
    assert!(!project.path(".orch").join("dev").join("outbox").exists());
    assert_eq!(project.done(&["runs"]).stdout, "no runs yet · `orch run FILE` starts one\n");
}

/// The run goes on, and this is said.
#[track_caller]
fn noted(project: &Project, message: &str) -> Ended {
    let planned = project.done(&["plan", "main.orch"]);
    assert!(planned.stderr.contains(&format!("warning[{message}")), "{}", planned.shown());
    let ran = project.done(&["run", "main.orch", "--fast-forward"]);
    assert!(ran.stderr.contains(&format!("warning[{message}")), "{}", ran.shown());
    ran
}

fn club(script: &str) -> Project {
    Project::club().with("main.orch", script)
}

#[test]
fn a_schedule_that_is_not_followed_is_noted() {
    let project = club("campaign digest every monday at 09:00 { log \"a\" }\n");
    let ran = noted(
        &project,
        "run::schedule_not_followed]: the schedule of `digest` is not followed yet: this run starts now",
    );
    assert!(ran.stdout.contains("finished"), "{}", ran.shown());
    let project = club("campaign digest cron \"0 9 * * 1-5\" { log \"a\" }\n");
    noted(&project, "run::schedule_not_followed]: the schedule of `digest` is not followed yet: this run starts now");
}

#[test]
fn a_signal_that_starts_nothing_is_noted() {
    let script = "signal stock_in(sku: text)\ncampaign digest on signal stock_in overlap queue by sku { log \"a\" }\n";
    let project = club(script);
    let started = "`digest` is not started by the signal `stock_in` yet: this run starts now";
    noted(&project, &format!("run::schedule_not_followed]: {started}"));
    noted(&project, "run::schedule_not_followed]: `overlap` of `digest` is not followed yet");
    let reads = club("signal stock_in(sku: text)\ncampaign digest on signal stock_in { log \"{sku}\" }\n");
    refused(&reads, "`sku` of the signal that starts a campaign cannot be run yet", "main.orch:2:44");
}

#[test]
fn what_the_header_says_of_errors_is_noted() {
    for mode in ["stop", "continue"] {
        let project = club(&format!("campaign digest on error {mode} {{ log \"a\" }}\n"));
        noted(
            &project,
            "run::on_error_not_followed]: `on error` of `digest` is not followed yet: an error pauses the run",
        );
    }
    let project = club("campaign digest overlap allow on error pause { log \"a\" }\n");
    let ran = project.done(&["run", "main.orch"]);
    assert!(!ran.stderr.contains("warning"), "{}", ran.shown());
}

/// The engine evaluates such a condition while it reads its copy of the data.
#[test]
fn a_division_by_zero_in_a_condition_is_said_in_our_words() {
    let project = club("segment odd = people where 100 / (id - 2) > 0\nlog \"{count(odd)}\"\n");
    let ended = project.orch(&["plan", "main.orch"]).expect(3);
    assert!(ended.stderr.contains("error[run::bad_value]: 100 cannot be divided by zero"), "{}", ended.shown());
    assert!(!ended.stderr.contains("RowError"), "{}", ended.shown());
}
