//! `fresh`: sources that are older than they may be.

use std::time::{Duration, SystemTime};

use crate::project::Project;

fn age(club: &Project, path: &str, hours: u64) {
    let file = std::fs::File::options().write(true).open(club.path(path)).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(hours * 3_600)).unwrap();
}

fn club(options: &str) -> Project {
    let club = Project::club().with("all.orch", "segment all = people\nsend email hello to all");
    let schema = club.read("schema.orch").replace("\"people.csv\" {", &format!("\"people.csv\" ({options}) {{"));
    club.with("schema.orch", &schema)
}

#[test]
fn an_old_file_holds_the_run_before_it_sends() {
    let club = club("fresh: 6h");
    age(&club, "people.csv", 7);
    let planned = club.done(&["plan", "all.orch"]);
    assert!(planned.stderr.contains("warning[run::source_stale]: `people` is older than 6h"), "{}", planned.shown());
    assert_eq!(club.json(&["plan", "all.orch"], 0)["stale"].as_array().unwrap().len(), 1);

    let ran = club.orch(&["run", "all.orch"]).expect(3);
    assert!(
        ran.stderr.contains("error[run::source_stale]") && ran.stderr.contains("`people.csv` is of"),
        "{}",
        ran.shown()
    );
    assert_eq!((club.outbox().len(), club.json(&["runs"], 0)["runs"][0]["status"].clone()), (0, "paused".into()));
    club.orch(&["resume", "all"]).expect(3);

    age(&club, "people.csv", 5);
    club.done(&["resume", "all"]);
    assert_eq!(club.outbox().len(), 3);
    assert!(!club.done(&["plan", "all.orch"]).stderr.contains("stale"));
}

#[test]
fn the_newest_value_is_the_age() {
    let club = club("fresh: 30d, fresh_by: joined");
    let ran = club.orch(&["run", "all.orch"]).expect(3);
    assert!(ran.stderr.contains("its newest `joined` is of 2024-02-07"), "{}", ran.shown());
    let today = jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date();
    club.write("people.csv", club.read("people.csv").replace("2024-02-06", &today.to_string()));
    club.done(&["resume", "all"]);
    assert_eq!(club.outbox().len(), 3);
}

#[test]
fn a_source_that_ages_while_the_run_waits_holds_the_send() {
    let club = club("fresh: 6h");
    club.write("all.orch", "segment all = people\ntask \"go\"\nsend email hello to all");
    club.orch(&["run", "all.orch", "--detach"]).expect(4);
    age(&club, "people.csv", 7);
    club.done(&["done", &club.run_name()]);
    let held = club.orch(&["resume", "all"]).expect(3);
    assert!(held.stderr.contains("run::source_stale"), "{}", held.shown());
    assert_eq!(club.outbox().len(), 0);
}

#[test]
fn what_cannot_be_is_said_by_check() {
    let table = [
        ("fresh: 0s", "a length of time"),
        ("fresh_by: joined", "nothing says how old"),
        ("fresh: 6h, fresh_by: name", "says no time"),
        ("fresh: 6h, fresh_by: when", "has no field `when`"),
        ("fresh: 6", "duration"),
    ];
    for (options, why) in table {
        let said = club(options).orch(&["check"]).expect(1);
        assert!(said.stdout.contains(why), "{options}: {}", said.shown());
    }
}
