//! The process is killed at random instants of a whole campaign, again and again, until the campaign is over.
//!
//! A short form runs with every `cargo test`. The long form is 500 kills; it takes the binary that `ORCH_BIN` names, such
//! as a release build:
//!
//! ```text
//! ORCH_BIN=target/release/orch cargo test --test it kills:: -- --ignored --nocapture
//! ORCH_KILLS=50 ORCH_KILL_SEED=7 ...
//! ```

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::project::{Project, balanced, names};

/// People of a campaign: few enough that a process gets through it in a second or two, enough for several batches.
const PEOPLE: usize = 5_000;

/// Waits of two kinds, branches, loops, sends in all of them, an export that grows and a table that counts.
const CAMPAIGN: &str = "\
segment all = people where spend >= 0
send email hello to (all where spend < 500) as first
parallel {
  branch \"a\" { wait 1d; send email hello to (people where spend >= 900) }
  branch \"b\" { wait 2h; split all into { x: 50%; y: otherwise }; send email hello to x; wait 3d; send email hello to (y limit 400) }
}
for least in [700, 800] {
  send email hello to (people where spend >= least limit 600)
  update (people where id <= 50) set spend = spend + 1
}
repeat 2 times every 2d {
  wait until count(people where spend < 0) > 0 within 5h else { log \"nobody\" }
  send email hello to (first.sent limit 500)
  export (people where id <= 10) to \"out/log.csv\" { columns: [id], append: true }
}
if count(first.sent) > 100 { send email hello to (people except all) } else { fail \"nobody was reached\" }
log \"the end\"
";

/// Messages of the campaign: by construction of [`Project::crowd`], whose `spend` is the number modulo 1000.
fn messages() -> usize {
    let with = |wanted: &dyn Fn(usize) -> bool| (1..=PEOPLE).filter(|n| wanted(n % 1_000)).count();
    with(&|spend| spend < 500) + with(&|spend| spend >= 900) + PEOPLE / 2 + 400 + 2 * 600 + 2 * 500
}

/// Where a process was when it was killed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Place {
    Start,
    Import,
    Freeze,
    Send,
    Wait,
    Between,
    Over,
}

struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Says from what is left in the folder where the process was.
fn place(project: &Project, run: Option<&str>, before: &BTreeMap<String, u64>) -> (Place, BTreeMap<String, u64>) {
    let unfinished = |folder: &str| names(&project.path(folder)).iter().any(|name| name.contains(".tmp"));
    let Some(run) = run else {
        let imports = names(&project.path(".orch/dev/imports"));
        return (if imports.is_empty() { Place::Start } else { Place::Import }, before.clone());
    };
    let shown = project.json(&["show", run], 0);
    let sends = shown["sends"].as_array().unwrap();
    let due: BTreeMap<String, u64> = sends
        .iter()
        .map(|send| (format!("{}{}", send["path"], send["branch"]), balanced(send).due))
        .filter(|(_, due)| *due > 0)
        .collect();
    let place = if unfinished(&format!(".orch/dev/runs/{run}")) {
        Place::Freeze
    } else if !due.is_empty() {
        Place::Send
    } else if shown["status"] == "waiting" {
        Place::Wait
    } else if shown["status"] == "finished" {
        Place::Over
    } else {
        Place::Between
    };
    (place, due)
}

/// How long a command takes that does nothing.
fn unit(club: &Project) -> Duration {
    let begin = Instant::now();
    club.done(&["runs"]);
    begin.elapsed()
}

/// Kills of one campaign: it has several sends, and all of them are to be met.
const KILLS_OF_ONE: usize = 25;

/// One campaign, killed at random instants until it is over or `kills` are used up. Counts where.
fn campaign(seed: u64, kills: usize, counts: &mut BTreeMap<Place, usize>) -> usize {
    let club = Project::crowd(PEOPLE).with("all.orch", CAMPAIGN);
    let mut chance = Chance(seed);
    let (mut used, mut run, mut due) = (0, None::<String>, BTreeMap::new());
    while used < kills.min(KILLS_OF_ONE) {
        let mut arguments: Vec<&str> = match &run {
            Some(run) => vec!["resume", run],
            None => vec!["run", "all.orch"],
        };
        // At first by the clock on the wall, so that some die in the middle of a real wait.
        if used >= 3 {
            arguments.push("--fast-forward");
        }
        let mut running = club.start(&arguments);
        // In units of what the machine needs at this moment to start a process and look at a state. Most instants are
        // early, so that a campaign survives many; some are late, so that it gets on.
        let most = [2, 8, 30, 80][chance.below(4) as usize];
        let instant = unit(&club).mul_f64(chance.below(most * 1_000) as f64 / 1_000.0);
        let begin = Instant::now();
        while begin.elapsed() < instant && !running.has_ended() {
            std::thread::sleep(Duration::from_micros(200));
        }
        let hit = running.kill();
        if run.is_none() {
            let runs = club.json(&["runs"], 0);
            run = runs["runs"].as_array().unwrap().first().map(|run| run["run"].as_str().unwrap().to_owned());
        }
        let (place, now) = place(&club, run.as_deref(), &due);
        due = now;
        if hit {
            used += 1;
            *counts.entry(place).or_default() += 1;
        }
        if place == Place::Over {
            break;
        }
        nothing_is_lost_or_repeated(&club, run.as_deref(), false);
    }
    match &run {
        Some(run) if club.json(&["show", run], 0)["status"] != "finished" => {
            club.done(&["resume", run, "--fast-forward"]);
        }
        Some(_) => {}
        None => drop(club.done(&["run", "all.orch", "--fast-forward"])),
    }
    let run = run.unwrap_or_else(|| club.run_name());
    nothing_is_lost_or_repeated(&club, Some(&run), true);
    used
}

/// The outbox holds what the ledger says, each message once; in the end, everything.
fn nothing_is_lost_or_repeated(club: &Project, run: Option<&str>, over: bool) {
    let Some(run) = run else { return };
    let shown = club.json(&["show", run], 0);
    let sent: u64 = shown["sends"].as_array().unwrap().iter().map(|send| balanced(send).sent).sum();
    // A name of a file is the key of one decision, so nothing can be there twice under one; by person it is counted below.
    let files = club.outbox().len();
    assert!(sent as usize <= files, "{sent} are called sent, {files} are there");
    if !over {
        return;
    }
    assert_eq!(shown["status"], "finished", "{shown}");
    assert_eq!((sent as usize, files), (messages(), messages()), "{shown}");
    let mut by_person: BTreeMap<String, usize> = BTreeMap::new();
    club.recipients().into_iter().for_each(|person| *by_person.entry(person).or_default() += 1);
    let many = by_person.iter().find(|(_, count)| **count > 9);
    assert_eq!(many, None, "nobody is in more populations than the campaign has sends");
    let log = club.read(".orch/dev/simulated/out/log.csv");
    assert_eq!(log.lines().count(), 1 + 2 * 10, "the export grew twice: {log}");
    let people = club.read("people.csv");
    let spend = |line: &str| line.split(',').nth(3).unwrap().to_owned();
    assert_eq!(people.lines().nth(7).map(spend).as_deref(), Some("9.00"), "7 and twice 1 more");
    assert_eq!(club.json(&["doctor"], 0)["findings"], Value::Array(Vec::new()));
    let left: Vec<String> =
        club.files().into_iter().filter(|file| file.contains(".tmp") && file.contains("/runs/")).collect();
    assert!(left.len() <= 2, "what a killed process left is used again under the same name: {left:?}");
}

fn kill(kills: usize, first_seed: u64) -> BTreeMap<Place, usize> {
    let (mut counts, mut used, mut seed) = (BTreeMap::new(), 0, first_seed);
    let begin = Instant::now();
    while used < kills {
        used += campaign(seed, kills - used, &mut counts);
        seed += 1;
        eprintln!("{used} kills in {} campaigns, {:?}: {counts:?}", seed - first_seed, begin.elapsed());
    }
    counts
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

#[test]
fn a_campaign_killed_a_dozen_times_loses_and_repeats_nothing() {
    let counts = kill(12, 3);
    assert_eq!(counts.values().sum::<usize>(), 12, "{counts:?}");
}

#[test]
#[ignore = "takes a quarter of an hour: `cargo test --test it kills:: -- --ignored --nocapture`"]
fn campaigns_killed_500_times_lose_and_repeat_nothing() {
    let kills = setting("ORCH_KILLS").unwrap_or(500) as usize;
    let counts = kill(kills, setting("ORCH_KILL_SEED").unwrap_or(1));
    let at = |place| counts.get(&place).copied().unwrap_or(0);
    assert!(counts.values().sum::<usize>() >= kills, "{counts:?}");
    if kills >= 500 {
        assert!(at(Place::Send) >= 50 && at(Place::Freeze) >= 5, "the faults hit little: {counts:?}");
        assert!(at(Place::Between) + at(Place::Wait) >= 20, "the faults hit little: {counts:?}");
    }
}
