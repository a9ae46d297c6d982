//! Runs on a virtual clock leave nothing that a real run would take for real.

use crate::project::Project;

#[test]
fn a_simulated_run_writes_apart() {
    let club = Project::club()
        .with("out/vip.csv", "real\n")
        .with("old.orch", "save (people where id = 1) as audience \"vip\"\nunsubscribe (people where id = 1) from news")
        .with(
            "vip.orch",
            "segment vip = people where spend > 500\nexport vip to \"out/vip.csv\" { columns: [id] }\n\
             save vip as audience \"vip\"\nunsubscribe (people where id = 2) from news\nwait 2d\n\
             log \"{count(audience \"vip\" of people)}\"\nsend email hello to people",
        )
        .with("now.orch", "log \"{count(audience \"vip\" of people)}\"\nsend email hello to people");
    club.done(&["run", "old.orch"]);
    let ran = club.json(&["run", "vip.orch", "--fast-forward"], 0);
    let step = |report: &serde_json::Value, kind: &str| {
        report["steps"].as_array().unwrap().iter().find(|step| step["kind"] == kind).unwrap()["note"].clone()
    };
    let place = step(&ran, "export");
    assert_eq!(place, ".orch/dev/simulated/out/vip.csv");
    assert_eq!(club.read(place.as_str().unwrap()), "id\n1\n3\n4\n5\n6\n");
    assert_eq!(club.read("out/vip.csv"), "real\n");
    assert_eq!(step(&ran, "log"), "5", "it sees its own audience");
    // Its own wishes, and what is real beneath them.
    assert_eq!(ran["sends"][0]["excluded"]["unsubscribed"], 2);

    let real = club.json(&["run", "now.orch"], 0);
    assert_eq!(step(&real, "log"), "1");
    assert_eq!(real["sends"][0]["excluded"]["unsubscribed"], 1);
}

#[test]
fn what_a_run_took_before_it_was_fast_forwarded_stays_taken() {
    let club = Project::club()
        .with("new.orch", "segment fresh = people new \"m\"\nsend email hello to fresh\nwait 2d\nlog \"x\"")
        .with("again.orch", "segment fresh = people new \"m\"\nsend email hello to fresh");
    club.orch(&["run", "new.orch", "--detach"]).expect(4);
    let sent = club.outbox().len();
    let forward = club.done(&["resume", "new", "--fast-forward"]);
    assert!(forward.stderr.contains("from here on"), "{}", forward.shown());
    let again = club.json(&["run", "again.orch"], 0);
    assert_eq!(again["sends"][0]["targeted"], 0, "nobody gets it twice");
    assert_eq!(club.outbox().len(), sent);
}
