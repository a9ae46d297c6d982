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

#[test]
fn signals_of_simulated_runs_and_of_real_ones_keep_apart() {
    let hear = "wait for signal go as s\nlog \"heard {s.n}\"";
    let club = Project::club().with("hear.orch", hear).with("tell.orch", "emit go(7)").with(
        "both.orch",
        "parallel {\n  branch \"tell\" { emit go(3) }\n  branch \"hear\" {\n    wait for signal go as s within 1d else { stop \"deaf\" }\n    log \"heard {s.n}\"\n  }\n}",
    );
    club.write("schema.orch", club.read("schema.orch") + "signal go(n: int)\n");
    let status = |run: &str| club.json(&["show", run], 0)["status"].as_str().unwrap().to_owned();

    // A real run does not hear what a simulated one emits.
    club.orch(&["run", "hear.orch", "--detach"]).expect(4);
    let real = club.run_name();
    club.done(&["run", "tell.orch", "--fast-forward"]);
    club.orch(&["resume", &real, "--detach"]).expect(4);
    assert_eq!(status(&real), "waiting");
    // A simulated one does.
    club.orch(&["run", "hear.orch", "--fast-forward"]).expect(4);
    let runs = club.json(&["runs", "--open"], 0);
    let simulated = runs["runs"].as_array().unwrap().iter().find(|run| run["simulated"] == true).unwrap();
    let simulated = simulated["run"].as_str().unwrap().to_owned();
    club.done(&["run", "tell.orch", "--fast-forward"]);
    club.done(&["resume", &simulated]);
    // A run hears itself, whatever its clock.
    for more in [&[][..], &["--fast-forward"]] {
        let both = club.json(&[&["run", "both.orch"], more].concat(), 0);
        assert_eq!(both["status"], "finished", "{both}");
    }

    // The other way round: what real runs emit is not for it, what people tell it is.
    club.orch(&["run", "hear.orch", "--fast-forward"]).expect(4);
    let runs = club.json(&["runs", "--open"], 0);
    let simulated = runs["runs"].as_array().unwrap().iter().find(|run| run["simulated"] == true).unwrap();
    let simulated = simulated["run"].as_str().unwrap().to_owned();
    club.done(&["run", "tell.orch"]);
    club.orch(&["resume", &simulated]).expect(4);
    club.done(&["resume", &real]);
    club.done(&["signal", "go", "n=9"]);
    club.done(&["resume", &simulated]);
    let shown = club.json(&["show", &simulated], 0);
    assert!(shown["steps"].as_array().unwrap().iter().any(|step| step["note"] == "heard 9"), "{shown}");
}
