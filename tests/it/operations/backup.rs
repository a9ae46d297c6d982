//! `orch backup`, `orch restore`

use super::{club, prod, shown, twice};
use crate::mail_server::MailServer;
use crate::project::{Project, Tally, balanced, until};

const WAITING: &str = "segment all = people\nsend email hello to (all limit 2)\ntask \"go\"\nsend email hello to all";

/// A run that has written to two people and waits for a task; its name.
fn waiting(club: &Project) -> String {
    prod(club, &["run", "all.orch", "--detach"]).expect(4);
    shown(club)["run"].as_str().unwrap().to_owned()
}

#[test]
fn a_restored_run_sends_nothing_again_unless_somebody_says_so() {
    for (answer, accepted) in [("skip", 2 + 6), ("resend", 2 + 6 + 6)] {
        let server = MailServer::start(|_| None);
        let club = club(6, &server).with("all.orch", WAITING);
        let run = waiting(&club);
        prod(&club, &["backup", "saved"]).expect(0);
        prod(&club, &["done", &run]).expect(0);
        prod(&club, &["resume", &run]).expect(0);
        assert_eq!(server.accepted().len(), 2 + 6);

        let asked = prod(&club, &["restore", "saved"]).expect(2);
        assert!(
            asked.stderr.contains("run::not_confirmed") && asked.stderr.contains("1 that went on"),
            "{}",
            asked.shown()
        );
        let restored = prod(&club, &["restore", "saved", "--yes"]).expect(0);
        assert!(restored.stdout.contains(&format!("{run} is held")), "{}", restored.shown());
        let held = shown(&club);
        assert_eq!(held["status"], "paused");
        assert!(held["reason"].as_str().unwrap().starts_with("restored from the backup"), "{held}");

        let refused = prod(&club, &["resume", &run]).expect(2);
        assert!(refused.stderr.contains("run::restored"), "{}", refused.shown());
        prod(&club, &["resume", "--all"]).expect(4);
        assert_eq!(server.accepted().len(), 2 + 6);

        prod(&club, &["resume", &run, "--sent-after-backup", answer, "--detach"]).expect(4);
        prod(&club, &["done", &run]).expect(0);
        prod(&club, &["resume", &run]).expect(0);
        assert_eq!(server.accepted().len(), accepted, "{answer}");
        let tally = balanced(&shown(&club)["sends"][1]);
        let expected = match answer {
            "skip" => Tally { targeted: 6, unknown: 6, ..Tally::default() },
            _ => Tally { targeted: 6, sent: 6, ..Tally::default() },
        };
        assert_eq!(tally, expected);
        prod(&club, &["doctor"]).expect(0);
    }
}

#[test]
fn an_outbox_knows_what_it_has() {
    let club = Project::crowd(6).with("all.orch", WAITING);
    club.orch(&["run", "all.orch", "--detach"]).expect(4);
    let run = club.run_name();
    club.done(&["backup", "saved"]);
    club.done(&["done", &run]);
    club.done(&["resume", &run]);
    let sent = club.outbox();
    assert_eq!(sent.len(), 2 + 6);
    // One that was not sent in the end, as far as anybody can see.
    let lost = sent.iter().find(|name| club.read(&format!(".orch/dev/outbox/new/{name}")).contains("p5@")).unwrap();
    std::fs::remove_file(club.path(&format!(".orch/dev/outbox/new/{lost}"))).unwrap();
    std::fs::remove_dir_all(club.path(".orch/dev/runs")).unwrap();

    club.done(&["restore", "saved", "--yes"]);
    club.orch(&["resume", &run, "--detach"]).expect(4);
    club.done(&["done", &run]);
    club.done(&["resume", &run]);
    let tally = balanced(&club.json(&["show", &run], 0)["sends"][1]);
    assert_eq!(tally, Tally { targeted: 6, sent: 6, ..Tally::default() });
    assert_eq!(club.outbox(), sent, "the lost one is there again, under its key");
    club.done(&["doctor"]);
}

#[test]
fn an_outbox_that_was_emptied_cannot_tell() {
    let club = Project::crowd(6).with("all.orch", WAITING);
    club.orch(&["run", "all.orch", "--detach"]).expect(4);
    let run = club.run_name();
    club.done(&["backup", "saved"]);
    // The machine is lost, and with it everything but the backup.
    std::fs::remove_dir_all(club.path(".orch")).unwrap();
    club.done(&["restore", "saved"]);
    let refused = club.orch(&["resume", &run]).expect(2);
    assert!(refused.stderr.contains("--sent-after-backup skip"), "{}", refused.shown());
    club.orch(&["resume", &run, "--sent-after-backup", "skip", "--detach"]).expect(4);
    club.done(&["done", &run]);
    club.done(&["resume", &run]);
    assert_eq!(club.outbox().len(), 0);
    assert_eq!(balanced(&club.json(&["show", &run], 0)["sends"][1]).unknown, 6);
    // What turns out not to have been sent is asked for.
    club.done(&["retry", &run, "--unknown", "--yes"]);
    assert_eq!(club.outbox().len(), 6);
    club.done(&["doctor"]);
}

#[test]
fn a_wait_that_ends_after_the_restore_leaves_no_doubt() {
    let club = Project::crowd(3).with("all.orch", "wait 2d\nsend email hello to people");
    club.orch(&["run", "all.orch", "--detach"]).expect(4);
    let run = club.run_name();
    club.done(&["backup", "saved"]);
    std::fs::remove_dir_all(club.path(".orch")).unwrap();
    club.done(&["restore", "saved"]);
    club.orch(&["resume", &run, "--sent-after-backup", "skip", "--detach"]).expect(4);
    club.done(&["resume", &run, "--fast-forward"]);
    assert_eq!(club.outbox().len(), 3, "the wait had two days to go, so nothing can have been sent");
}

#[test]
fn a_backup_is_taken_while_a_send_goes_on() {
    let server = MailServer::start(|_| None);
    let club = club(3_000, &server).with("all.orch", "segment all = people\nsend email hello to all");
    let mut running = club.start(&["run", "all.orch", "--profile", "prod"]);
    running.says("started");
    until("messages arrive", || (server.accepted().len() > 50).then_some(()));
    prod(&club, &["backup", "saved"]).expect(0);
    assert!(running.kill());
    std::fs::remove_dir_all(club.path(".orch")).unwrap();
    prod(&club, &["restore", "saved"]).expect(0);
    let run = shown(&club)["run"].as_str().unwrap().to_owned();
    prod(&club, &["resume", &run, "--sent-after-backup", "skip"]).expect(0);
    let tally = balanced(&shown(&club)["sends"][0]);
    assert_eq!((tally.due, tally.sent + tally.unknown), (0, 3_000), "{tally:?}");
    assert_eq!(twice(&server), Vec::<String>::new());
}

#[test]
fn a_damaged_backup_and_wrong_places_are_refused() {
    let club = Project::crowd(3).with("all.orch", "send email hello to people");
    let none = club.orch(&["backup", "saved"]).expect(2);
    assert!(none.stderr.contains("there is no state"), "{}", none.shown());
    club.done(&["run", "all.orch"]);
    club.done(&["backup", "saved"]);
    assert!(club.orch(&["backup", "saved"]).expect(2).stderr.contains("holds something already"));
    assert!(club.orch(&["restore", "nowhere"]).expect(2).stderr.contains("is no backup"));
    let file = club.files().into_iter().find(|file| file.starts_with("saved/runs/")).unwrap();
    let text = std::fs::read(club.path(&file)).unwrap();
    club.write(&file, &text[1..]);
    let damaged = club.orch(&["restore", "saved", "--yes"]).expect(2);
    assert!(damaged.stderr.contains("is not as it was written"), "{}", damaged.shown());
    std::fs::remove_file(club.path(&file)).unwrap();
    assert!(club.orch(&["restore", "saved", "--yes"]).expect(2).stderr.contains("is missing"));
    club.done(&["doctor"]);
}

#[test]
fn what_was_to_start_before_the_restore_is_listed_and_not_started() {
    let club = Project::club()
        .with("digest.orch", "campaign digest every monday at 09:00 { log \"a\" }")
        .with("greet.orch", "campaign greet on signal joined { log \"b\" }")
        .with("schema.orch", &(crate::project::SCHEMA.to_owned() + "signal joined(id: int)\n"));
    club.done(&["serve", "--once"]);
    // A start of last week is due, and a signal has arrived, when the backup is made.
    let state = rusqlite::Connection::open(club.path(".orch/dev/state.db")).unwrap();
    let week = 7 * 24 * 3_600 * 1_000_000_i64;
    state.execute("UPDATE campaigns SET considered = considered - ?1, next = next - ?1", [week]).unwrap();
    drop(state);
    club.done(&["signal", "joined", "id=1"]);
    club.done(&["backup", "saved"]);
    let started = |club: &Project| club.json(&["runs"], 0)["runs"].as_array().unwrap().len();
    club.done(&["serve", "--once"]);
    assert_eq!(started(&club), 2, "both are due without a restore");

    let restored = club.done(&["restore", "saved", "--yes"]);
    for line in [
        "digest did not start at Mon ",
        "`orch run digest.orch --campaign digest` starts it",
        "greet did not start by the signal",
    ] {
        assert!(restored.stdout.contains(line), "{line}: {}", restored.shown());
    }
    club.done(&["serve", "--once"]);
    assert_eq!(started(&club), 0);
    assert!(club.done(&["runs"]).stdout.contains("2 things are in doubt since a restore"));
    let doctor = club.json(&["doctor"], 0);
    assert_eq!(doctor["doubt"]["starts"].as_array().unwrap().len(), 2, "{doctor}");
    let next = club.json(&["runs"], 0)["scheduled"][0]["next"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(next > jiff::Timestamp::now(), "the schedule goes on");
    club.done(&["run", "digest.orch"]);
    assert_eq!(club.json(&["doctor"], 0)["doubt"]["starts"].as_array().unwrap().len(), 1, "somebody asked for it");
    // What arrives now starts as ever.
    club.done(&["signal", "joined", "id=2"]);
    club.done(&["serve", "--once"]);
    assert_eq!(started(&club), 2);
    assert!(club.json(&["doctor"], 0)["doubt"].is_null());
}

#[test]
fn rows_that_were_taken_after_the_backup_are_not_taken_again_without_a_word() {
    let fresh = "segment fresh = people new\nsend email hello to fresh";
    for (answer, targeted) in [(&["--baseline", "all"][..], 0), (&["--as-restored"], 1)] {
        let club = Project::club().with("daily.orch", fresh).with("other.orch", fresh);
        club.done(&["run", "daily.orch"]);
        club.done(&["backup", "saved"]);
        club.write("people.csv", club.read("people.csv") + "7,new@shop.test,New,1.00,2024-02-06,true\n");
        club.done(&["run", "daily.orch"]);
        let restored = club.done(&["restore", "saved", "--yes"]);
        assert!(restored.stdout.contains("`new` in daily.fresh is held"), "{}", restored.shown());
        let held = club.orch(&["run", "daily.orch"]).expect(3);
        assert!(
            held.stderr.contains("run::memory_in_doubt") && held.stderr.contains("--as-restored"),
            "{}",
            held.shown()
        );
        // A memory that the backup does not know may have been there as well.
        club.orch(&["run", "other.orch"]).expect(3);
        club.done(&["run", "other.orch", "--fast-forward"]);
        club.done(&[&["state", "daily.fresh"], answer].concat());
        let held = club.json(&["runs", "--open"], 0)["runs"].as_array().unwrap().clone();
        let of = |campaign: &str| {
            let run = held.iter().find(|run| run["campaign"] == campaign).unwrap();
            run["run"].as_str().unwrap().to_owned()
        };
        let run = club.json(&["resume", &of("daily")], 0);
        assert_eq!(run["sends"][0]["targeted"], targeted, "{answer:?}");
        club.done(&["run", "daily.orch"]);
        assert!(club.json(&["doctor"], 0)["doubt"].is_null());
        club.done(&["state", "other.fresh", "--as-restored"]);
        club.done(&["resume", &of("other")]);
        let wrong = club.orch(&["state", "nobody.fresh", "--as-restored"]).expect(2);
        assert!(wrong.stderr.contains("run::unknown_memory"), "{}", wrong.shown());
    }
}
