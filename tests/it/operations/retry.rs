//! `orch retry`

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{club, prod, shown, twice};
use crate::mail_server::MailServer;
use crate::project::{Project, Tally, balanced};

/// A server that refuses two people until it is told otherwise.
pub fn moody() -> (MailServer, Arc<AtomicBool>) {
    let kind = Arc::new(AtomicBool::new(false));
    let mood = Arc::clone(&kind);
    let server = MailServer::start(move |to| {
        let refused = !mood.load(Ordering::SeqCst) && ["p2@shop.test", "p5@shop.test"].contains(&to);
        refused.then(|| "550 5.1.1 no such user".to_owned())
    });
    (server, kind)
}

#[test]
fn what_failed_is_sent_again_once_and_the_numbers_hold() {
    let (server, kind) = moody();
    let club = club(6, &server).with("all.orch", "send email hello to people\nlog \"done\"");
    prod(&club, &["run", "all.orch"]).expect(0);
    let before = Tally { targeted: 6, sent: 4, failed: 2, ..Tally::default() };
    assert_eq!(balanced(&shown(&club)["sends"][0]), before);

    // Nobody is there to say yes.
    let refused = prod(&club, &["retry", "all", "--failed"]).expect(2);
    assert!(
        refused.stderr.contains("run::not_confirmed") && refused.stderr.contains("2 messages"),
        "{}",
        refused.shown()
    );
    assert_eq!(balanced(&shown(&club)["sends"][0]), before);

    // Still refused: they fail once more.
    prod(&club, &["retry", "all", "--failed", "--yes"]).expect(0);
    assert_eq!(balanced(&shown(&club)["sends"][0]), before);

    kind.store(true, Ordering::SeqCst);
    let ran = prod(&club, &["retry", "all", "--failed", "--yes"]).expect(0);
    assert!(ran.stdout.contains("2 messages asked for again"), "{}", ran.shown());
    assert!(ran.stdout.contains("finished · 6 = 6 sent"), "{}", ran.shown());
    let after = shown(&club);
    assert_eq!(balanced(&after["sends"][0]), Tally { targeted: 6, sent: 6, ..Tally::default() });
    let steps = after["steps"].as_array().unwrap();
    assert_eq!(steps.iter().filter(|step| step["kind"] == "send").count(), 1, "one step, with its numbers of now");
    assert_eq!(steps[0]["rows_out"], 6);
    assert_eq!((server.accepted().len(), twice(&server)), (6, vec![]));

    let nothing = prod(&club, &["retry", "all", "--failed", "--yes"]).expect(0);
    assert!(nothing.stdout.contains("no message is failed"), "{}", nothing.shown());
    prod(&club, &["doctor"]).expect(0);
}

#[test]
fn each_turn_of_a_loop_is_asked_for_with_its_own_rows_and_names() {
    let (server, kind) = moody();
    let script = "for least in [3, 0] {\n  segment some = people where id > least and id <= least + 3\n  \
                  send email hello to some\n}";
    let club = club(6, &server).with("all.orch", script);
    prod(&club, &["run", "all.orch"]).expect(0);
    kind.store(true, Ordering::SeqCst);
    prod(&club, &["retry", "all", "--failed", "--yes"]).expect(0);
    let after = shown(&club);
    for send in after["sends"].as_array().unwrap() {
        assert_eq!(balanced(send), Tally { targeted: 3, sent: 3, ..Tally::default() });
    }
    assert_eq!((server.accepted().len(), twice(&server)), (6, vec![]));
    prod(&club, &["doctor"]).expect(0);
}

#[test]
fn a_retry_that_was_cut_off_goes_on() {
    let (server, _) = moody();
    let club = club(6, &server).with("all.orch", "send email hello to people");
    prod(&club, &["run", "all.orch"]).expect(0);
    // The server goes away: the run is held in the middle of the retry.
    let manifest = club.read("orch.toml");
    club.write("orch.toml", manifest.replace(&server.port.to_string(), "9"));
    prod(&club, &["retry", "all", "--failed", "--yes"]).expect(3);
    let held = shown(&club);
    assert_eq!(balanced(&held["sends"][0]), Tally { targeted: 6, sent: 4, due: 2, ..Tally::default() });
    club.write("orch.toml", manifest);
    let (other, kind) = moody();
    kind.store(true, Ordering::SeqCst);
    club.write("orch.toml", club.read("orch.toml").replace(&server.port.to_string(), &other.port.to_string()));
    prod(&club, &["resume", "all"]).expect(0);
    assert_eq!(balanced(&shown(&club)["sends"][0]), Tally { targeted: 6, sent: 6, ..Tally::default() });
    let mut accepted = other.accepted();
    accepted.sort();
    assert_eq!(accepted, ["p2@shop.test", "p5@shop.test"]);
    prod(&club, &["resume", "all"]).expect(2);
    prod(&club, &["doctor"]).expect(0);
}

#[test]
fn wrong_uses_say_what_to_write() {
    let club = Project::crowd(2).with("all.orch", "send email hello to people");
    club.orch(&["retry", "all", "--failed"]).expect(2);
    assert!(!club.path(".orch").exists(), "a wrong name makes no state");
    club.done(&["run", "all.orch"]);
    assert!(club.orch(&["retry", "all"]).expect(2).stderr.contains("--failed"));
    assert!(club.orch(&["retry", "nobody", "--failed"]).expect(2).stderr.contains("run::unknown_run"));
    assert!(club.done(&["retry", "all", "--unknown"]).stdout.contains("no message is unknown"));
}

#[test]
fn a_send_of_an_earlier_version_is_refused_with_what_to_do() {
    let (server, _) = moody();
    let club = club(6, &server).with("all.orch", "send email hello to people\nwait 2d\nlog \"old\"");
    prod(&club, &["run", "all.orch", "--detach"]).expect(4);
    club.write("all.orch", "send email hello to people\nwait 2d\nlog \"new\"");
    prod(&club, &["migrate", "all", "--to", "all.orch", "--yes"]).expect(0);
    let refused = prod(&club, &["retry", "all", "--failed", "--yes"]).expect(2);
    for words in ["run::not_retried", "an earlier version of the script", "`--send STEP`", "--person ID"] {
        assert!(refused.stderr.contains(words), "{words}: {}", refused.shown());
    }
    assert_eq!(balanced(&shown(&club)["sends"][0]).failed, 2, "nothing was changed");
}
