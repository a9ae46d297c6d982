//! Disks, files and databases that fail under a run: what is said, that the run is parked, and that it goes on after the
//! repair as if nothing had been.

use std::fs;
use std::process::Command;

use rusqlite::Connection;

use crate::project::{Ended, Project, balanced};

/// A wait between freezing and sending.
const SCRIPT: &str = "segment vip = people where spend > 500; wait 2d; send email hello to vip";
/// Who gets something.
const REACHED: [&str; 2] = ["ann@shop.test", "zoe@shop.test"];

/// A run that waits, and its name.
fn waiting() -> (Project, String) {
    let club = Project::club().with("vip.orch", SCRIPT);
    club.orch(&["run", "vip.orch", "--detach"]).expect(4);
    let run = club.run_name();
    (club, run)
}

/// The command ended with this code of an error, a help, and nothing sent.
#[track_caller]
fn says(club: &Project, ended: &Ended, code: &str, words: &str) {
    assert!(ended.stderr.contains(&format!("error[{code}]")), "{}", ended.shown());
    assert!(ended.stderr.contains(words), "no `{words}` in {}", ended.shown());
    assert!(ended.stderr.contains("  = help: "), "{}", ended.shown());
    assert!(!ended.stderr.contains("panicked"), "{}", ended.shown());
    assert!(club.done(&["explain", code]).stdout.starts_with(code));
}

/// The run goes on to its end, and everybody gets one message.
#[track_caller]
fn goes_on(club: &Project, run: &str) {
    club.done(&["resume", run, "--fast-forward"]);
    assert_eq!(club.recipients(), REACHED);
    assert!(club.json(&["doctor"], 0)["findings"].as_array().unwrap().is_empty());
}

fn database(club: &Project) -> Connection {
    Connection::open(club.path(".orch/dev/state.db")).unwrap()
}

#[test]
fn a_frozen_file_with_one_wrong_bit() {
    let (club, run) = waiting();
    let path = club.path(".orch/dev/runs").join(&run).join("1.parquet");
    let whole = fs::read(&path).unwrap();
    // Somewhere in the rows, where no reader would notice.
    let mut changed = whole.clone();
    changed[whole.len() / 5] ^= 4;
    fs::write(&path, &changed).unwrap();
    let refused = club.orch(&["resume", &run, "--fast-forward"]).expect(3);
    says(&club, &refused, "run::unreadable_rows", "it is damaged");
    assert_eq!(club.json(&["show", &run], 0)["status"], "paused");
    assert!(club.outbox().is_empty());
    fs::write(&path, whole).unwrap();
    goes_on(&club, &run);
}

#[test]
fn a_database_that_somebody_else_has_locked() {
    let (club, run) = waiting();
    let other = database(&club);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = club.orch(&["resume", &run, "--fast-forward"]);
    says(&club, &refused, "run::state_broken", "database is locked");
    assert!(refused.stderr.contains("another program"), "{}", refused.shown());
    assert!(club.outbox().is_empty());
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    goes_on(&club, &run);
}

#[test]
fn a_database_that_was_cut_short() {
    let (club, run) = waiting();
    let path = club.path(".orch/dev/state.db");
    let whole = fs::read(&path).unwrap();
    for length in [whole.len() / 2, 5_000, 50, 0] {
        fs::write(&path, &whole[..length]).unwrap();
        for command in [&["resume", &run][..], &["runs"], &["run", "vip.orch", "--detach"]] {
            let refused = club.orch(command).expect(2);
            says(&club, &refused, "run::state_unreadable", "state.db");
        }
    }
    for side in ["state.db-wal", "state.db-shm"] {
        let _ = fs::remove_file(club.path(".orch/dev").join(side));
    }
    fs::write(&path, whole).unwrap();
    goes_on(&club, &run);
}

#[test]
fn a_state_of_a_newer_version_and_one_of_an_older() {
    let (club, run) = waiting();
    let format: i64 = database(&club).query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    database(&club).execute_batch("PRAGMA user_version = 999").unwrap();
    for command in [&["resume", &run][..], &["runs"], &["run", "vip.orch"]] {
        let refused = club.orch(command).expect(2);
        says(&club, &refused, "run::state_newer", "format 999");
    }
    // As the first versions wrote it, without the tables that came later.
    let old = "DROP TABLE takes; DROP TABLE audiences; DROP TABLE subscriptions; PRAGMA user_version = 1";
    database(&club).execute_batch(old).unwrap();
    assert_eq!(club.json(&["runs"], 0)["runs"][0]["run"], run.as_str(), "it can be looked at as it is");
    goes_on(&club, &run);
    let now: i64 = database(&club).query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(now, format, "it was taken to the newest format");
}

#[test]
fn a_version_that_reads_the_source_of_a_run_differently() {
    let (club, run) = waiting();
    // The pinned text means other steps now, as it may for another version.
    let replace = |from: &str, to: &str| {
        let sql = "UPDATE bundles SET files = replace(files, ?1, ?2)";
        assert_eq!(database(&club).execute(sql, [from, to]).unwrap(), 1);
    };
    replace("wait 2d; ", "wait 2d; log \\\"x\\\"; ");
    let refused = club.orch(&["resume", &run, "--fast-forward"]).expect(3);
    says(&club, &refused, "run::record_mismatch", "this version");
    assert_eq!(club.json(&["show", &run], 0)["status"], "waiting");
    assert!(club.outbox().is_empty());
    replace("wait 2d; log \\\"x\\\"; ", "wait 2d; ");
    goes_on(&club, &run);
}

#[test]
fn an_outbox_that_vanished_or_cannot_be_one() {
    let (club, run) = waiting();
    let outbox = club.path(".orch/dev/outbox");
    let _ = fs::remove_dir_all(&outbox);
    fs::write(&outbox, "a file").unwrap();
    let refused = club.orch(&["resume", &run, "--fast-forward"]).expect(3);
    says(&club, &refused, "run::channel_unavailable", "cannot write to the outbox");
    assert_eq!(club.json(&["show", &run], 0)["status"], "paused");
    fs::remove_file(&outbox).unwrap();
    goes_on(&club, &run);
}

#[test]
fn a_source_that_is_gone_or_changed_between_freezing_and_sending() {
    let (club, run) = waiting();
    let people = club.read("people.csv");
    fs::remove_file(club.path("people.csv")).unwrap();
    let refused = club.orch(&["resume", &run, "--fast-forward"]).expect(3);
    says(&club, &refused, "run::source_missing", "people.csv");
    club.write("people.csv", people.replace("900.50", "much"));
    let refused = club.orch(&["resume", &run, "--fast-forward"]).expect(3);
    says(&club, &refused, "run::bad_cell", "much");
    // Ann has another address, Zoe has left, Bob would belong to them now: who they are stays, where to is read anew.
    let changed = people.replace("ann@", "anna@").replace("6,zoe@", "7,zoe@").replace("20.00", "990.00");
    club.write("people.csv", changed);
    club.done(&["resume", &run, "--fast-forward"]);
    assert_eq!(club.recipients(), ["anna@shop.test"]);
    let tally = balanced(&club.json(&["show", &run], 0)["sends"][0]);
    assert_eq!((tally.targeted, tally.sent, tally.excluded, tally.due), (5, 1, 4, 0));
}

/// A small file system in memory, mounted as a folder of the project; `None`, visibly, where that is not allowed,
/// which is a failure where `ORCH_REQUIRE_SERVERS` is set.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(project: &Project, size: &str) -> Option<Self> {
        Self::mount_at(project, ".orch", size)
    }

    fn mount_at(project: &Project, folder: &str, size: &str) -> Option<Self> {
        let folder = project.path(folder);
        fs::create_dir_all(&folder).unwrap();
        let size = format!("size={size}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&folder).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        let why = "file systems cannot be mounted here";
        assert!(std::env::var_os("ORCH_REQUIRE_SERVERS").is_none(), "{why}");
        eprintln!("skipped: {why}");
        None
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let done = Command::new("mount").args(["-o", &options]).arg(&self.0).status().unwrap();
        assert!(done.success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

#[test]
fn a_disk_that_is_full() {
    let club = Project::crowd(3_000).with("all.orch", "segment all = people\nsend email hello to all");
    // Enough for the import and for a part of the messages.
    for size in ["1m", "3m", "6m"] {
        let Some(disk) = SmallDisk::mount(&club, size) else { return };
        let refused = club.orch(&["run", "all.orch"]);
        assert!(matches!(refused.code, Some(1..=3)), "{size}: {}", refused.shown());
        let text = refused.stderr.to_lowercase();
        assert!(text.contains("no space left") || text.contains("disk is full"), "{size}: {}", refused.shown());
        assert!(text.contains("help: ") && !text.contains("panicked"), "{size}: {}", refused.shown());
        disk.remount("size=200m");
        let runs = club.json(&["runs"], 0);
        match runs["runs"].as_array().unwrap().first() {
            Some(run) => drop(club.done(&["resume", run["run"].as_str().unwrap()])),
            None => drop(club.done(&["run", "all.orch"])),
        }
        let mut expected: Vec<String> = (1..=3_000).map(|n| format!("p{n}@shop.test")).collect();
        expected.sort();
        assert!(club.recipients() == expected, "{size}: everybody once");
        assert!(club.json(&["doctor"], 0)["findings"].as_array().unwrap().is_empty());
    }
}

#[test]
fn a_full_disk_under_the_file_of_a_channel() {
    let channel = "[channel.email]\ndriver = \"file\"\npath = \"out/letters.csv\"\n";
    let club = Project::crowd(3_000)
        .with("all.orch", "segment all = people\nsend email hello to all")
        .with("orch.toml", &format!("{}{channel}", crate::project::MANIFEST));
    let Some(disk) = SmallDisk::mount_at(&club, "out", "128k") else { return };
    // The rows of a run: whole ones, as a partner reads them.
    let rows = |run: &str| -> Vec<String> {
        let is_of = |row: &Vec<String>| row.len() > 3 && row[row.len() - 2] == run;
        let mut rows: Vec<String> =
            club.cells("out/letters.csv").1.into_iter().filter(is_of).map(|row| row[0].clone()).collect();
        rows.sort();
        rows
    };
    let held = || {
        let refused = club.orch(&["run", "all.orch"]).expect(3);
        says(&club, &refused, "run::channel_unavailable", "No space left on device");
        club.run_name()
    };
    // Stopped while the disk is full: whoever is not counted as sent is not in the file.
    let run = held();
    club.done(&["stop", &run]);
    let tally = balanced(&club.json(&["show", &run], 0)["sends"][0]);
    assert_eq!((tally.sent as usize, tally.unknown, tally.due), (rows(&run).len(), 0, 0), "{tally:?}");
    assert!(tally.excluded > 0, "{tally:?}");
    // Gone on with when there is room: everybody once.
    let run = held();
    disk.remount("size=50m");
    club.done(&["resume", &run]);
    let mut expected: Vec<String> = (1..=3_000).map(|n| format!("p{n}@shop.test")).collect();
    expected.sort();
    assert!(rows(&run) == expected, "everybody once");
    assert!(club.json(&["doctor"], 0)["findings"].as_array().unwrap().is_empty());
}

#[test]
fn a_state_that_can_only_be_read() {
    let club = Project::club().with("vip.orch", SCRIPT);
    let Some(disk) = SmallDisk::mount(&club, "50m") else { return };
    club.orch(&["run", "vip.orch", "--detach"]).expect(4);
    let run = club.run_name();
    disk.remount("ro");
    for command in [&["resume", &run, "--fast-forward"][..], &["run", "vip.orch", "--detach"], &["pause", &run]] {
        let refused = club.orch(command);
        assert!(matches!(refused.code, Some(1..=3)), "{}", refused.shown());
        let text = refused.stderr.to_lowercase();
        assert!(text.contains("read-only") && text.contains("help: "), "{}", refused.shown());
    }
    assert_eq!(club.json(&["show", &run], 0)["status"], "waiting", "looking is possible");
    disk.remount("rw");
    goes_on(&club, &run);
}
