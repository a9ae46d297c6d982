//! `orch migrate`

use super::{club, prod, shown, twice};
use crate::mail_server::MailServer;
use crate::project::{Project, Tally, balanced};

/// A run of this script that waits; its name.
fn waiting(script: &str) -> (Project, String) {
    let club = Project::club().with("vip.orch", script);
    club.orch(&["run", "vip.orch", "--detach"]).expect(4);
    let run = club.run_name();
    (club, run)
}

/// Why the run cannot be moved to another script.
fn refused(club: &Project, run: &str, script: &str) -> String {
    club.write("vip.orch", script);
    let before = club.json(&["show", run], 0);
    let found = club.json(&["migrate", run, "--to", "vip.orch", "--yes"], 1);
    assert_eq!(found["migrated"], false);
    assert_eq!(club.json(&["show", run], 0), before);
    let shown = club.orch(&["migrate", run, "--to", "vip.orch"]).expect(1);
    assert!(
        shown.stderr.contains("run::not_migrated") && shown.stdout.contains("nothing was changed"),
        "{}",
        shown.shown()
    );
    found["refused"].as_array().unwrap().iter().map(|why| why.as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_run_with_parameters_is_replayed() {
    let club = Project::club().with("vip.orch", "param least: int = 3\nlog \"{least}\"");
    club.done(&["run", "vip.orch", "--param", "least=4"]);
    club.done(&["doctor"]);
}

const OLD: &str = "segment vip = people where spend > 500\nlet limit = 600\nwait 2d\nsend email hello to vip";

#[test]
fn a_waiting_run_goes_on_in_the_new_version() {
    let (club, run) = waiting(OLD);
    let new = "segment vip = people where spend > 500\nlet limit = 600\nwait 3d\nlog \"limit {limit}\"\n\
               send email hello to (vip where name != \"Ann\")";
    club.write("vip.orch", new);
    let dry = club.done(&["migrate", &run, "--to", "vip.orch"]);
    insta::assert_snapshot!(masked(&club.redact(&dry.stdout)));
    assert_eq!(club.json(&["show", &run], 0)["steps"].as_array().unwrap().len(), 3);

    let done = club.json(&["migrate", &run, "--to", "vip.orch", "--yes"], 0);
    assert_eq!(done["migrated"], true);
    let changes: Vec<&str> = done["steps"].as_array().unwrap().iter().map(|s| s["change"].as_str().unwrap()).collect();
    assert_eq!(changes, ["unchanged", "unchanged", "changed", "added", "changed"]);
    club.done(&["doctor"]);
    let ended = club.json(&["resume", &run, "--fast-forward"], 0);
    let steps = ended["steps"].as_array().unwrap();
    assert_eq!(steps.iter().find(|step| step["kind"] == "log").unwrap()["note"], "limit 600");
    assert_eq!(balanced(&ended["sends"][0]), Tally { targeted: 4, sent: 1, excluded: 3, ..Tally::default() });
    club.done(&["doctor"]);
    assert!(club.orch(&["migrate", &run, "--to", "vip.orch"]).expect(2).stderr.contains("run::run_is_over"));
}

/// Without fingerprints.
fn masked(text: &str) -> String {
    let is_print = |word: &str| word.len() == 8 && word.chars().all(|sign| sign.is_ascii_hexdigit());
    let line =
        |line: &str| line.split(' ').map(|w| if is_print(w) { "[version]" } else { w }).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_cannot_be_mapped_is_refused() {
    let (club, run) = waiting(OLD);
    let cases = [
        (
            "segment vip = people where spend > 500\nlet limit = 600\nsend email hello to vip",
            "which the new version does not have",
        ),
        (
            "segment vip = people where spend > 500\nlet limit = \"six\"\nwait 2d\nsend email hello to vip",
            "`limit` holds int, and would be text",
        ),
        (
            "segment vip = people where spend > 500\nlet limit = 600\nlet more = 1\nwait 2d\nlog \"{more}\"",
            "uses `more`, which nothing has bound",
        ),
        (
            "param least: int\nsegment vip = people where spend > 500\nwait 2d\nlog \"{least}\"",
            "is new and has no default",
        ),
        (
            "segment vip = people where spend > 500 with more = 1\nwait 2d\nsend email hello to vip",
            "`vip` holds segment of people",
        ),
        (
            "segment vip = people where spend > 500\nlet limit = 600\nwait 2d\nsend email hello to (vip where spend > limit)",
            "were kept without `spend`, which is read now",
        ),
    ];
    for (script, why) in cases {
        let found = refused(&club, &run, script);
        assert!(found.contains(why), "{script}: {found}");
    }
    let other = club.orch(&["migrate", &run, "--to", "nowhere.orch"]).expect(2);
    assert!(other.stderr.contains("run::unreadable_file"), "{}", other.shown());
    club.write("vip.orch", OLD);
    assert!(club.done(&["migrate", &run, "--to", "vip.orch", "--yes"]).stdout.contains("runs this version already"));
}

#[test]
fn a_send_that_has_begun_stays_as_it_is() {
    let server = MailServer::start(|to| (to == "p3@shop.test").then(|| "450 4.2.0 come back".to_owned()));
    let club = club(5, &server).with("all.orch", "send email hello to people");
    prod(&club, &["run", "all.orch", "--detach"]).expect(4);
    let run = shown(&club)["run"].as_str().unwrap().to_owned();
    club.write(
        "all.orch",
        "message email other of people { subject: \"x\"; text: \"x\"; topic: news }\nsend email other to people",
    );
    let refused = prod(&club, &["migrate", &run, "--to", "all.orch"]).expect(1);
    assert!(refused.stderr.contains("has begun (5 people)"), "{}", refused.shown());

    // Around it anything may change, even where it stands.
    club.write("all.orch", "log \"first\"\nsend email hello to people\nlog \"last\"");
    prod(&club, &["migrate", &run, "--to", "all.orch", "--yes"]).expect(0);
    let asked = server.asked().len();
    prod(&club, &["resume", &run, "--detach"]).expect(4);
    let sends = &shown(&club)["sends"];
    assert_eq!(sends.as_array().unwrap().len(), 1, "it is the same send: {sends}");
    assert_eq!(balanced(&sends[0]), Tally { targeted: 5, sent: 4, due: 1, ..Tally::default() });
    assert_eq!((server.asked().len(), twice(&server)), (asked, vec![]), "its minute is not over");
    prod(&club, &["stop", &run]).expect(0);
    assert_eq!(balanced(&shown(&club)["sends"][0]), Tally { targeted: 5, sent: 4, excluded: 1, ..Tally::default() });
    prod(&club, &["doctor"]).expect(0);
}

#[test]
fn a_later_send_is_not_taken_for_one_that_had_its_number() {
    let (club, run) = waiting("segment all = people\nlog \"x\"\nsend email hello to all\ntask \"go\"");
    let before = club.outbox().len();
    club.write(
        "vip.orch",
        "segment all = people\ntask \"go\"\nsend email hello to all\nwait 2d\nsend email hello to all",
    );
    club.done(&["migrate", &run, "--to", "vip.orch", "--yes"]);
    club.done(&["done", &run]);
    let ended = club.json(&["resume", &run, "--fast-forward"], 0);
    assert_eq!(ended["sends"].as_array().unwrap().len(), 3);
    assert_eq!(club.outbox().len(), 3 * before);
    club.done(&["doctor"]);
    // A send of the earlier version cannot be performed again by the later one.
    let retry = club.done(&["retry", &run, "--failed"]);
    assert!(retry.stdout.contains("no message is failed"));
}

#[test]
fn branches_and_loops_go_to_their_places() {
    let body = |log: &str| {
        format!(
            "for n in [1, 2] {{\n  parallel {{\n    branch \"a\" {{ task \"go {{n}}\"; log \"{log} a{{n}}\" }}\n    \
             branch \"b\" {{ wait 1d; log \"{log} b{{n}}\" }}\n  }}\n}}\nlog \"end\""
        )
    };
    let (club, run) = waiting(&body("old"));
    club.write("vip.orch", format!("let first = 1\n{}", body("new")));
    club.done(&["migrate", &run, "--to", "vip.orch", "--yes"]);
    club.done(&["doctor"]);
    for _ in 0..2 {
        let task = club.json(&["tasks"], 0)["tasks"][0]["task"].as_str().unwrap().to_owned();
        club.done(&["done", &task]);
        club.orch(&["resume", &run, "--fast-forward"]);
    }
    let shown = club.json(&["show", &run], 0);
    let logs: Vec<&str> = shown["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|s| s["kind"] == "log")
        .map(|s| s["note"].as_str().unwrap())
        .collect();
    assert_eq!(shown["status"], "finished", "{shown:#}");
    assert_eq!(logs.len(), 5, "{logs:?}");
    assert!(logs[..4].iter().all(|log| log.starts_with("new ")), "{logs:?}");
    club.done(&["doctor"]);
}
