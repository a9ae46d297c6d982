//! The process is killed, as by `kill -9`, at instants that hurt. Afterwards every person addressed has exactly one
//! message and the ledger says so.

use std::collections::BTreeSet;

use orch::runtime::store::sqlite::SqliteStore;
use orch::runtime::store::{OutcomeKind, RowState, Store};

use crate::project::{Project, Running, balanced, names, until};

/// Instants by a seed, so that a failure can be repeated.
struct Chance(u64);

impl Chance {
    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// The file names of the messages that the ledger calls sent.
fn sent_names(project: &Project, run: &str) -> BTreeSet<String> {
    let store = SqliteStore::open_read_only(&project.path(".orch/dev")).unwrap().expect("there is a state");
    let mut found = BTreeSet::new();
    let mut twice = 0;
    for send in store.sends(run).unwrap() {
        store
            .rows(send.id, &mut |row| match row.state {
                RowState::Ended(intent, outcome) if outcome.kind == OutcomeKind::Sent => {
                    let hex: String = intent.key.iter().map(|byte| format!("{byte:02x}")).collect();
                    twice += usize::from(!found.insert(format!("{hex}.eml")));
                }
                _ => {}
            })
            .unwrap();
    }
    assert_eq!(twice, 0, "a key belongs to one row of one send");
    found
}

/// Everything holds once a run is over: the equation, one file for each message sent, and nothing more to do.
fn settled(project: &Project, run: &str, sent: usize) {
    let shown = project.json(&["show", run], 0);
    assert_eq!(shown["status"], "finished");
    let tallies: Vec<_> = shown["sends"].as_array().unwrap().iter().map(balanced).collect();
    assert!(tallies.iter().all(|tally| tally.due == 0 && tally.unknown == 0 && tally.failed == 0), "{tallies:?}");
    assert_eq!(tallies.iter().map(|tally| tally.sent).sum::<u64>() as usize, sent);
    let outbox = project.outbox();
    assert_eq!(outbox.len(), sent);
    assert!(outbox == sent_names(project, run), "the files of the outbox are not those of the ledger");

    let over = project.orch(&["resume", run, "--fast-forward"]).expect(2);
    assert!(over.stderr.contains("is finished; nothing is left to do"), "{}", over.shown());
    assert_eq!(project.json(&["show", run], 0), shown, "a second resume changes nothing");
    assert_eq!(project.outbox(), outbox);
}

/// Kills the process once the outbox holds `count` files. True when it was in the middle of a send of `all`.
fn kill_at(project: &Project, mut running: Running, count: usize, all: usize) -> bool {
    let folder = project.path(".orch/dev/outbox/new");
    until("messages appear in the outbox", || {
        let found = std::fs::read_dir(&folder).map_or(0, |entries| entries.count());
        (found >= count || running.has_ended()).then_some(())
    });
    running.kill() && project.outbox().len() < all
}

/// Runs a send of `all` messages that is killed `kills` times; returns how many kills hit the middle of it.
fn killed_in_a_send(all: usize, kills: usize, seed: u64) -> usize {
    let club = Project::crowd(all).with("all.orch", "send email hello to people");
    let mut chance = Chance(seed);
    let mut running = club.start(&["run", "all.orch"]);
    running.says("started");
    let run = club.run_name();
    let mut hits = 0;
    for kill in 0..kills {
        // Somewhere in the part that this process is to send.
        let (from, part) = (club.outbox().len(), all / kills);
        let count = (from + 1 + chance.below(part)).min(all);
        let hit = kill_at(&club, running, count, all);
        hits += usize::from(hit);
        let shown = club.json(&["show", &run], 0);
        for send in shown["sends"].as_array().unwrap() {
            let tally = balanced(send);
            assert!(tally.sent as usize <= club.outbox().len(), "nothing is called sent that is not there");
            assert!(!hit || tally.due > 0, "kill {kill} of seed {seed}: the rest is still due");
        }
        if !hit {
            break;
        }
        running = club.start(&["resume", &run]);
        if kill + 1 == kills {
            let done = running.end(&club).expect(0);
            assert!(done.stdout.contains("finished"), "{}", done.shown());
            settled(&club, &run, all);
            for name in club.outbox().iter().step_by(97) {
                let text = club.read(&format!(".orch/dev/outbox/new/{name}"));
                assert!(text.contains("Hello Person"), "half a message: {text}");
            }
            return hits;
        }
    }
    hits
}

#[test]
fn a_run_killed_while_it_waits_goes_on_after_the_wait() {
    let club =
        Project::crowd(50).with("vip.orch", "segment vip = people where spend > 9; wait 2d; send email hello to vip");
    let mut running = club.start(&["run", "vip.orch"]);
    running.says("wait 2d");
    let run = club.run_name();
    assert!(running.kill(), "it waits for two days");
    assert_eq!(club.json(&["runs"], 0)["runs"][0]["status"], "waiting");
    club.done(&["resume", &run, "--fast-forward"]);
    settled(&club, &run, 41);
    let expected: BTreeSet<String> = (10..=50).map(|n| format!("p{n}@shop.test")).collect();
    assert_eq!(club.recipients().into_iter().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn a_send_killed_again_and_again_sends_each_message_once() {
    let hits = killed_in_a_send(12_000, 2, 7);
    assert_eq!(hits, 2, "every kill is to hit the middle of the send");
}

#[test]
#[ignore = "takes minutes: `cargo test --test it crash:: -- --ignored`"]
fn many_sends_killed_at_many_instants() {
    let hits: usize = (0..20).map(|seed| killed_in_a_send(20_000, 6, seed)).sum();
    assert!(hits > 100, "only {hits} of 120 kills hit the middle");
}

#[test]
fn killed_while_data_is_imported_and_while_a_population_is_frozen() {
    // On a busy machine a kill may come too late to hurt.
    assert!((0..20).any(|_| killed_early()), "no kill came in time");
}

/// False when a kill came too late.
fn killed_early() -> bool {
    let script = "segment all = people where spend >= 0\nsend email hello to (all limit 50)";
    let club = Project::crowd(40_000).with("all.orch", script);
    let imports = club.path(".orch/dev/imports");
    let whole = |names: &BTreeSet<String>| names.iter().any(|name| name.ends_with(".parquet"));

    let running = club.start(&["run", "all.orch"]);
    let found = until("an import begins", || Some(names(&imports)).filter(|names| !names.is_empty()));
    if !running.kill() || whole(&found) {
        return false;
    }
    assert_eq!(club.json(&["runs"], 0)["runs"].as_array().unwrap().len(), 0, "the run had not begun");

    // Nothing is asked of another process meanwhile: freezing takes less time than that.
    let running = club.start(&["run", "all.orch"]);
    let runs = club.path(".orch/dev/runs");
    let (run, found) = until("a population is being frozen", || {
        let run = names(&runs).pop_first()?;
        let found = names(&runs.join(&run));
        (!found.is_empty()).then_some((run, found))
    });
    if !running.kill() || whole(&found) {
        return false;
    }
    let steps = club.json(&["show", &run], 0)["steps"].as_array().unwrap().len();
    if whole(&names(&runs.join(&run))) {
        return false;
    }
    assert_eq!(steps, 0);

    club.done(&["resume", &run]);
    settled(&club, &run, 50);
    let left = club.files();
    assert!(!left.iter().any(|file| file.ends_with("1.tmp")), "{left:?}");
    true
}

#[test]
fn asked_to_end_a_run_is_parked() {
    let club = Project::crowd(10_000)
        .with("all.orch", "send email hello to people; wait 1d; send email hello to (people limit 9)");
    let mut running = club.start(&["run", "all.orch"]);
    running.says("started");
    let run = club.run_name();
    until("messages appear", || (club.outbox().len() > 100).then_some(()));
    running.signal("TERM");
    let parked = running.end(&club).expect(4);
    assert!(parked.stdout.contains(&format!("`orch resume {run}` goes on")), "{}", parked.shown());
    let shown = club.json(&["show", &run], 0);
    let tally = balanced(&shown["sends"][0]);
    assert_eq!(tally.sent as usize, club.outbox().len(), "what was in the air was awaited");
    assert!(tally.due > 0, "{tally:?}");

    let mut running = club.start(&["resume", &run]);
    running.says("wait 1d");
    running.signal("INT");
    let parked = running.end(&club).expect(4);
    assert!(parked.stdout.starts_with("parked"), "{}", parked.shown());
    club.done(&["resume", &run, "--fast-forward"]);
    settled(&club, &run, 10_009);
}
