//! Commands that change the state while another process holds it.

use std::sync::atomic::Ordering;

use super::retry::moody;
use super::{club, prod, shown, twice};
use crate::project::{Project, Running, Tally, balanced, until};

fn serving(club: &Project, more: &[&str]) -> Running {
    let mut daemon = club.start(&[&["serve", "--listen", "127.0.0.1:0"], more].concat());
    daemon.says("serving on http://");
    daemon
}

#[test]
fn what_failed_is_sent_again_by_the_daemon() {
    let (server, kind) = moody();
    let club = club(6, &server)
        .with("all.orch", "send email hello to people\nlog \"done\"")
        .with("slow.orch", "send email hello to people\nwait 2d\nlog \"later\"");
    prod(&club, &["run", "all.orch"]).expect(0);
    let daemon = serving(&club, &["--profile", "prod"]);
    kind.store(true, Ordering::SeqCst);

    // Nobody is there to say yes.
    let refused = prod(&club, &["retry", "all", "--failed"]).expect(2);
    assert!(refused.stderr.contains("run::not_confirmed"), "{}", refused.shown());
    // A run that is over.
    let ran = prod(&club, &["retry", "all", "--failed", "--yes"]).expect(0);
    assert!(ran.stdout.contains("2 messages asked for again"), "{}", ran.shown());
    assert!(ran.stdout.ends_with("finished · 6 = 6 sent\n"), "{}", ran.shown());
    assert_eq!(balanced(&shown(&club)["sends"][0]), Tally { targeted: 6, sent: 6, ..Tally::default() });
    let nothing = prod(&club, &["retry", "all", "--failed", "--yes"]).expect(0);
    assert!(nothing.stdout.contains("no message is failed"), "{}", nothing.shown());

    // One that waits, and goes on waiting.
    kind.store(false, Ordering::SeqCst);
    prod(&club, &["run", "slow.orch", "--detach"]).expect(4);
    kind.store(true, Ordering::SeqCst);
    let ran = prod(&club, &["retry", "slow", "--failed", "--yes"]).expect(0);
    assert!(ran.stdout.contains("goes on with it") && ran.stdout.contains("6 = 6 sent"), "{}", ran.shown());
    let slow = shown(&club);
    assert_eq!((&slow["status"], balanced(&slow["sends"][0]).sent), (&"waiting".into(), 6));
    assert_eq!((server.accepted().len(), twice(&server).len()), (12, 6), "one message of each run");
    assert_eq!(prod(&club, &["doctor", "--format", "json"]).json()["findings"], serde_json::json!([]));
    daemon.kill();
}

#[test]
fn what_failed_is_sent_again_by_the_run_itself() {
    let (server, kind) = moody();
    let club = club(6, &server).with("slow.orch", "send email hello to people\nwait 2d\nlog \"later\"");
    let mut running = club.start(&["run", "slow.orch", "--profile", "prod"]);
    running.says("wait 2d");
    kind.store(true, Ordering::SeqCst);
    let ran = prod(&club, &["retry", "slow", "--failed", "--yes"]).expect(0);
    let id = running.id();
    assert!(ran.stdout.contains(&format!("process {id} goes on with it")), "{}", ran.shown());
    let slow = shown(&club);
    assert_eq!((&slow["status"], balanced(&slow["sends"][0]).sent), (&"waiting".into(), 6));
    assert_eq!((server.accepted().len(), twice(&server)), (6, vec![]));
    assert!(!running.has_ended(), "it waits as before");
    assert_eq!(prod(&club, &["doctor", "--format", "json"]).json()["findings"], serde_json::json!([]));
}

#[test]
fn a_retry_of_a_paused_run_does_not_take_the_pause_back() {
    let (server, _) = moody();
    let club = club(6, &server).with("slow.orch", "send email hello to people\nwait 2d\nlog \"later\"");
    let due = Tally { targeted: 6, sent: 4, due: 2, ..Tally::default() };
    prod(&club, &["run", "slow.orch", "--detach"]).expect(4);
    prod(&club, &["pause", "slow"]).expect(0);
    for with_daemon in [true, false] {
        let daemon = with_daemon.then(|| serving(&club, &["--profile", "prod"]));
        let asked = prod(&club, &["retry", "slow", "--failed", "--yes"]).expect(4);
        assert!(asked.stdout.contains("the run is paused · `orch resume"), "{}", asked.shown());
        let slow = shown(&club);
        assert_eq!(
            (&slow["status"], balanced(&slow["sends"][0])),
            (&"paused".into(), due),
            "nobody took the pause back"
        );
        daemon.map(Running::kill);
        // Refused once more, and paused again at the next wait.
        prod(&club, &["resume", "slow", "--detach"]).expect(4);
        assert_eq!(balanced(&shown(&club)["sends"][0]), Tally { failed: 2, due: 0, ..due });
        prod(&club, &["pause", "slow"]).expect(0);
    }
    prod(&club, &["doctor"]).expect(0);
}

#[test]
fn memories_change_while_a_daemon_is_there() {
    let club = Project::club().with("new.orch", "segment fresh = people new\nsend email hello to fresh");
    club.done(&["run", "new.orch"]);
    let daemon = serving(&club, &[]);
    let targeted = || club.json(&["run", "new.orch"], 0)["sends"][0]["targeted"].clone();
    assert_eq!(targeted(), 0);
    let told = club.done(&["state", "new.fresh", "--rewind", "all"]);
    assert!(told.stdout.contains("6 rows of them are new again"), "{}", told.shown());
    let told = club.done(&["state", "new.fresh", "--baseline", "all"]);
    assert!(told.stdout.contains("6 rows left out"), "{}", told.shown());
    assert_eq!(targeted(), 0);
    club.done(&["state", "new.fresh", "--rewind", "all"]);
    assert_eq!(targeted(), 6);
    daemon.kill();
    club.done(&["gc", "--yes"]);
    assert_eq!(targeted(), 0, "what is remembered is still there");
}

#[test]
fn a_waiting_run_is_moved_while_a_daemon_is_there() {
    let club =
        Project::club().with("slow.orch", "wait 2d\nlog \"old\"").with("busy.orch", "approve \"go?\"\nlog \"old\"");
    let daemon = serving(&club, &[]);
    club.orch(&["run", "slow.orch", "--detach"]).expect(4);
    club.write("slow.orch", "wait 2d\nlog \"new\"");
    let moved = club.json(&["migrate", "slow", "--to", "slow.orch", "--yes"], 0);
    assert_eq!(moved["migrated"], true, "{moved}");
    // The daemon goes on with the new version.
    club.done(&["pause", "slow"]);
    until("it is held", || (club.json(&["show", "slow"], 0)["status"] == "paused").then_some(()));
    daemon.kill();
    let ended = club.done(&["resume", "slow", "--fast-forward"]);
    assert!(ended.stdout.contains("new"), "{}", ended.shown());

    // A process that stands at the run itself cannot exchange its plan.
    let mut asking = club.start(&["run", "busy.orch"]);
    asking.says("waiting");
    club.write("busy.orch", "approve \"go?\"\nlog \"new\"");
    let refused = club.orch(&["migrate", "busy", "--to", "busy.orch", "--yes"]).expect(2);
    assert!(
        refused.stderr.contains("run::not_migrated") && refused.stderr.contains("orch pause"),
        "{}",
        refused.shown()
    );
    club.done(&["pause", "busy"]);
    asking.end(&club).expect(4);
    club.done(&["migrate", "busy", "--to", "busy.orch", "--yes"]);
    assert_eq!(club.json(&["doctor"], 0)["findings"], serde_json::json!([]));
}

#[test]
fn collecting_beside_a_daemon_says_what_to_do() {
    let club = Project::club().with("log.orch", "log \"a\"");
    club.done(&["run", "log.orch"]);
    let daemon = serving(&club, &[]);
    club.done(&["gc", "--older-than", "0s"]);
    let refused = club.orch(&["gc", "--older-than", "0s", "--yes"]).expect(2);
    let id = daemon.id();
    assert!(refused.stderr.contains(&format!("process {id} is driving runs")), "{}", refused.shown());
    assert!(refused.stderr.contains(&format!("`kill -INT {id}`")), "{}", refused.shown());
    daemon.signal("INT");
    daemon.end(&club).expect(0);
    club.done(&["gc", "--older-than", "0s", "--yes"]);
}

#[test]
fn a_restored_run_goes_on_under_a_daemon_once_somebody_has_said_how() {
    let server = crate::mail_server::MailServer::start(|_| None);
    let club = club(6, &server).with("all.orch", "task \"go\"\nsend email hello to people");
    prod(&club, &["run", "all.orch", "--detach"]).expect(4);
    let run = shown(&club)["run"].as_str().unwrap().to_owned();
    prod(&club, &["done", &run]).expect(0);
    prod(&club, &["backup", "saved"]).expect(0);
    prod(&club, &["resume", &run]).expect(0);
    prod(&club, &["restore", "saved", "--yes"]).expect(0);
    let daemon = serving(&club, &["--profile", "prod"]);
    let refused = prod(&club, &["resume", &run]).expect(2);
    assert!(refused.stderr.contains("run::restored"), "{}", refused.shown());
    let skipped = prod(&club, &["resume", &run, "--sent-after-backup", "skip"]).expect(0);
    assert!(skipped.stdout.ends_with("finished · 6 = 0 sent + 6 unknown\n"), "{}", skipped.shown());
    assert_eq!(server.accepted().len(), 6, "nobody got a second one");
    daemon.kill();
    prod(&club, &["doctor"]).expect(0);
}
