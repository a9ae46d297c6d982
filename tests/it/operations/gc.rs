//! `orch gc`

use crate::project::{Project, balanced};

/// A club with two runs that are over, one that waits, and files without an owner.
fn used() -> (Project, String) {
    let club = Project::club()
        .with(
            "vip.orch",
            "segment vip = people where spend > 500\nsave vip as audience \"vip\"\nsend email hello to vip",
        )
        .with("new.orch", "segment fresh = people new\nsend email hello to fresh")
        .with("wait.orch", "segment all = people\nwait 2d\nsend email hello to all");
    club.done(&["run", "vip.orch"]);
    club.done(&["run", "new.orch"]);
    club.orch(&["run", "wait.orch", "--detach"]).expect(4);
    club.write(".orch/dev/runs/gone-AAAA/1.parquet", "x");
    club.write(".orch/dev/memories/nobody.parquet", "x");
    let wait = club.json(&["runs", "--open"], 0)["runs"][0]["run"].as_str().unwrap().to_owned();
    (club, wait)
}

#[test]
fn what_would_go_is_shown_and_stays() {
    let (club, _) = used();
    let nothing_old = club.json(&["gc"], 0);
    assert_eq!((nothing_old["runs"].as_array().unwrap().len(), &nothing_old["removed"]), (0, &false.into()));
    let before = club.files();
    let dry = club.done(&["gc", "--older-than", "0s"]);
    assert!(dry.stdout.contains("2 runs") && dry.stdout.contains("`orch gc --yes` does it"), "{}", dry.shown());
    let after: Vec<_> = club.files().into_iter().filter(|file| !file.contains("state.db")).collect();
    assert!(after.iter().all(|file| before.contains(file)) && club.path(".orch/dev/runs/gone-AAAA/1.parquet").exists());
    let wrong = club.orch(&["gc", "--older-than", "soon"]).expect(2);
    assert!(wrong.stderr.contains("run::wrong_argument"), "{}", wrong.shown());
}

#[test]
fn details_go_and_what_later_runs_need_stays() {
    let (club, waiting) = used();
    let counts = |run: &serde_json::Value| run["sends"].as_array().unwrap().iter().map(balanced).collect::<Vec<_>>();
    let vip = club.json(&["show", "vip"], 0);
    let manifest = club.read("orch.toml") + "[retention]\nruns = \"0s\"\nledger = \"0s\"\n";
    club.write("orch.toml", manifest);
    let done = club.json(&["gc", "--yes"], 0);
    assert_eq!((done["runs"].as_array().unwrap().len(), &done["removed"]), (2, &true.into()));
    assert!(done["bytes"].as_u64().unwrap() > 1_000, "{done}");
    assert!(done["orphans"].as_array().unwrap().iter().any(|file| file["file"] == "memories/nobody.parquet"), "{done}");
    let left = club.files();
    for gone in ["runs/vip-", "runs/new-", "runs/gone-", "memories/nobody"] {
        assert!(!left.iter().any(|file| file.contains(gone)), "{gone} is still there: {left:?}");
    }
    // Numbers, takes, audiences, and runs that are not over.
    assert_eq!(counts(&club.json(&["show", "vip"], 0)), counts(&vip));
    assert!(club.done(&["doctor"]).stdout.contains("0 findings"));
    let again = club.json(&["run", "new.orch"], 0);
    assert_eq!(again["sends"][0]["targeted"], 0, "what was taken stays taken");
    club.write("read.orch", "log \"{count(audience \"vip\" of people)}\"");
    let read = club.json(&["run", "read.orch"], 0);
    assert_eq!(read["steps"][0]["note"], "5");
    club.done(&["resume", &waiting, "--fast-forward"]);
    let retry = club.done(&["retry", "vip", "--failed"]);
    assert!(retry.stdout.contains("no message is failed"), "{}", retry.shown());
    club.json(&["gc", "--yes"], 0);
    assert_eq!(club.json(&["gc"], 0)["runs"].as_array().unwrap().len(), 0, "there is nothing left to remove");
}

#[test]
fn the_ledger_is_kept_longer_than_the_rest() {
    let (club, _) = used();
    club.write("orch.toml", club.read("orch.toml") + "[retention]\nruns = \"0s\"\n");
    let ledgers = |done: serde_json::Value| -> Vec<bool> {
        done["runs"].as_array().unwrap().iter().map(|run| !run["ledger"].is_null()).collect()
    };
    assert_eq!(ledgers(club.json(&["gc", "--yes"], 0)), [false, false]);
    let person = club.json(&["show", "vip", "--person", "1"], 0);
    assert_eq!(person["person"]["sends"][0]["state"], "sent", "{person}");
    assert_eq!(ledgers(club.json(&["gc", "--older-than", "0s", "--yes"], 0)), [true, true]);
    let gone = club.done(&["show", "vip", "--person", "1"]).stdout;
    assert!(gone.contains("removed by `orch gc`"), "{gone}");
    // What a cap counts stays.
    club.write("schema.orch", club.read("schema.orch") + "policy marketing { cap email 1 per 30d }\n");
    let capped = club.json(&["run", "vip.orch"], 0);
    assert_eq!(
        (capped["sends"][0]["sent"].clone(), capped["sends"][0]["excluded"]["capped"].clone()),
        (0.into(), 2.into())
    );
}

#[test]
fn a_state_that_somebody_holds_is_left_alone() {
    let (club, _) = used();
    let mut running = club.start(&["run", "wait.orch"]);
    running.says("wait 2d");
    club.done(&["gc", "--older-than", "0s"]);
    let refused = club.orch(&["gc", "--older-than", "0s", "--yes"]).expect(2);
    assert!(refused.stderr.contains("run::state_in_use"), "{}", refused.shown());
}
