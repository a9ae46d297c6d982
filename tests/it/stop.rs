//! Somebody notices a mistake while messages leave: stopping and pausing a send that another process performs, or that
//! was cut off.

use crate::project::{Project, Running, balanced, until};

/// A run in the middle of its send, and its name.
fn sending() -> (Project, Running, String) {
    let club = Project::crowd(40_000).with("all.orch", "send email hello to people");
    let mut running = club.start(&["run", "all.orch"]);
    running.says("started");
    let run = club.run_name();
    until("messages appear", || (club.outbox().len() > 100).then_some(()));
    (club, running, run)
}

#[test]
fn stopping_a_send_stops_it() {
    let (club, running, run) = sending();
    club.done(&["stop", &run, "--reason", "wrong price"]);
    running.end(&club);
    let shown = club.json(&["show", &run], 0);
    assert_eq!(shown["status"], "stopped");
    let tally = balanced(&shown["sends"][0]);
    assert!(tally.sent < 40_000 && tally.due == 0, "{tally:?}");
    assert_eq!(shown["sends"][0]["excluded"]["cancelled"], 40_000 - tally.sent);
}

#[test]
fn pausing_a_send_holds_it_and_drops_nobody() {
    let (club, running, run) = sending();
    club.done(&["pause", &run]);
    running.end(&club);
    let shown = club.json(&["show", &run], 0);
    assert_eq!(shown["status"], "paused");
    assert!(balanced(&shown["sends"][0]).due > 0);
    let done = club.json(&["resume", &run], 0);
    assert_eq!(balanced(&done["sends"][0]).sent, 40_000);
}

#[test]
fn stopping_a_send_that_was_killed_settles_everybody() {
    let (club, running, run) = sending();
    assert!(running.kill());
    club.done(&["stop", &run]);
    let tally = balanced(&club.json(&["show", &run], 0)["sends"][0]);
    let files = club.outbox().len() as u64;
    assert_eq!(tally.due, 0, "{tally:?}");
    assert!(tally.sent <= files && files <= tally.sent + tally.unknown, "{files} files, {tally:?}");
}
