use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Conductor, Happening, Host, Scope, Scripts};
use crate::analysis::Workspace;
use crate::base::civil;
use crate::hir::{CampaignId, Value};
use crate::plan::Plan;
use crate::runtime::channels::Record;
use crate::runtime::clock::{Clock, VirtualClock};
use crate::runtime::store::sqlite::SqliteStore;
use crate::runtime::store::{Agenda, Change, Hold, SignalRecord, Store};
use crate::runtime::{BoundChannel, Engine, EngineOptions, Folders, Inbox, Note, Observer, RunError, Silent};

/// Declarations that every script of a test sees.
const SCHEMA: &str = "entity people from \"people.csv\" { id: int key; email: email? }
entity lost from \"lost.csv\" { id: int key; email: email? }
message email hello { subject: \"Hi\"; text: \"Hello\" }
signal stock_in(sku: text, quantity: int = 1)
signal sold_out(sku: text)
";

/// A project whose clock jumps: a folder, scripts that can be edited, and all that was said.
struct World {
    folder: tempfile::TempDir,
    clock: VirtualClock,
    zone: TimeZone,
    scripts: Mutex<BTreeMap<String, String>>,
    /// Whether the scripts have changed since the conductor asked.
    changed: Mutex<bool>,
    said: Mutex<Vec<String>>,
    sent: Arc<Record>,
}

impl World {
    /// One script, at a civil time of a zone.
    fn new(script: &str, zone: &str, now: &str) -> Self {
        let zone = TimeZone::get(zone).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("people.csv"), "id,email\n1,ann@shop.test\n2,bob@shop.test\n").unwrap();
        let now = civil::instant(now.parse().unwrap(), &zone).unwrap();
        let world = Self {
            folder,
            clock: VirtualClock::new(now),
            zone,
            scripts: Mutex::default(),
            changed: Mutex::new(true),
            said: Mutex::default(),
            sent: Arc::default(),
        };
        world.edit("main.orch", script);
        world
    }

    fn edit(&self, file: &str, text: &str) {
        self.scripts.lock().unwrap().insert(file.into(), text.into());
        *self.changed.lock().unwrap() = true;
    }

    fn instant(&self, civil: &str) -> Timestamp {
        civil::instant(civil.parse().unwrap(), &self.zone).unwrap()
    }

    fn folders(&self) -> Folders {
        Folders { project: self.folder.path().into(), state: self.folder.path().join("state") }
    }

    fn store(&self) -> SqliteStore {
        SqliteStore::open(&self.folders().state).unwrap()
    }

    fn engine(&self) -> Engine {
        let options = EngineOptions { zone: self.zone.clone(), threads: 1, ..EngineOptions::new(self.folders()) };
        Engine::new(options).unwrap()
    }

    /// A daemon that begins now and is stopped at a civil time.
    fn serve(&self, until: &str) {
        *self.changed.lock().unwrap() = true;
        let (engine, store) = (self.engine(), self.store());
        let conductor = Conductor::new(&engine, &store, &self.clock, self, Scope::Project);
        conductor.conduct_until(self.instant(until)).unwrap();
    }

    /// Time passes while nobody serves.
    fn pass(&self, until: &str) {
        self.clock.advance_to(self.instant(until));
    }

    fn leave(&self, note: Note) {
        Inbox::new(&self.folders().state).leave(&note).unwrap();
    }

    /// A signal left by another process.
    fn signal(&self, id: &str, sku: &str) {
        let values =
            BTreeMap::from([("sku".to_owned(), Value::Text(sku.into())), ("quantity".to_owned(), Value::Int(2))]);
        self.leave(Note::Signal { id: id.into(), name: "stock_in".into(), values, at: self.clock.now() });
    }

    /// When runs began, by the clock on the wall, the earliest first.
    fn starts(&self) -> Vec<String> {
        let shown = |at| self.zone.to_datetime(at).strftime("%m-%d %H:%M").to_string();
        self.store().runs().unwrap().iter().rev().map(|run| shown(run.started)).collect()
    }

    /// The status of all runs, the earliest first, with the notes of their `log` statements.
    fn runs(&self) -> Vec<String> {
        let store = self.store();
        let run = |run: &crate::runtime::store::RunRecord| {
            let steps = store.steps(&run.run).unwrap();
            let logs = steps.into_iter().filter(|step| step.kind == "log").filter_map(|step| step.note);
            format!("{}: {}", run.status(), logs.collect::<Vec<_>>().join(" "))
        };
        store.runs().unwrap().iter().rev().map(run).collect()
    }

    /// What was said since the last time, without the names of runs.
    fn said(&self) -> Vec<String> {
        std::mem::take(&mut *self.said.lock().unwrap())
    }

    fn analyze(&self, file: &str) -> crate::analysis::Analysis {
        let files = self.scripts.lock().unwrap().clone();
        let files = files.into_iter().chain([("schema.orch".to_owned(), SCHEMA.to_owned())]);
        Workspace::from_files(files).schema(["schema.orch"]).analyze(file)
    }
}

impl Host for World {
    fn plan(&self, file: &str, campaign: &str, files: Vec<(String, String)>) -> Result<Plan, RunError> {
        let analysis = Workspace::from_files(files).schema(["schema.orch"]).analyze(file);
        let at = analysis.program.campaigns.iter().position(|known| known.name == campaign).unwrap();
        Ok(Plan::new(Arc::new(analysis.program), CampaignId(at as u32), &analysis.sources)?)
    }

    fn channels(&self, _plan: &Plan) -> Result<BTreeMap<String, BoundChannel>, RunError> {
        let channel: Arc<Record> = Arc::clone(&self.sent);
        Ok(BTreeMap::from([("email".to_owned(), BoundChannel::new(channel))]))
    }

    fn scripts(&self) -> Option<Scripts> {
        if !std::mem::take(&mut *self.changed.lock().unwrap()) {
            return None;
        }
        let mut scripts = Scripts::default();
        let files: Vec<String> = self.scripts.lock().unwrap().keys().cloned().collect();
        for file in files {
            let analysis = self.analyze(&file);
            if analysis.problems.has_errors() {
                self.said.lock().unwrap().push(format!("{file} is broken"));
                scripts.broken.push(file);
                continue;
            }
            let program = Arc::new(analysis.program);
            for at in 0..program.campaigns.len() {
                let plan = Plan::new(Arc::clone(&program), CampaignId(at as u32), &analysis.sources).unwrap();
                if plan.campaign().schedule.is_some() || plan.campaign().trigger.is_some() {
                    scripts.declared.push((file.clone(), Arc::new(plan)));
                }
            }
        }
        Some(scripts)
    }

    fn observer(&self, _run: &str) -> Box<dyn Observer + '_> {
        Box::new(Silent)
    }

    fn on(&self, happening: Happening<'_>) {
        let line = match happening {
            Happening::Started { missed: 0, .. } => "started".to_owned(),
            Happening::Started { missed, .. } => format!("started, {missed} missed"),
            Happening::Skipped { campaign, .. } => format!("{campaign} skipped"),
            Happening::Queued { campaign, .. } => format!("{campaign} queued"),
            Happening::NotStarted { campaign, error, .. } => format!("{campaign} not started: {error}"),
            Happening::Failed { error, .. } => format!("failed: {error}"),
            Happening::Held(_) => "held".to_owned(),
            Happening::Released => "released".to_owned(),
            Happening::Driven { .. } | Happening::Scheduled { .. } => return,
        };
        let at = self.zone.to_datetime(self.clock.now()).strftime("%d %H:%M").to_string();
        self.said.lock().unwrap().push(format!("{at} {line}"));
    }
}

fn daily(rules: &str, body: &str) -> String {
    format!("campaign a every day at 09:00 {rules} {{ {body} }}")
}

#[test]
fn schedules_follow_the_clock_on_the_wall_in_every_zone_and_both_directions() {
    // Zone, header, begin, end, starts.
    let table: &[(&str, &str, &str, &str, &[&str])] = &[
        ("Europe/Paris", "every day at 02:30", "2026-03-28T12:00", "2026-03-30T12:00", &["03-29 03:00", "03-30 02:30"]),
        ("Europe/Paris", "every day at 02:30", "2026-10-24T12:00", "2026-10-26T12:00", &["10-25 02:30", "10-26 02:30"]),
        (
            "America/New_York",
            "every day at 02:30",
            "2026-03-07T12:00",
            "2026-03-09T12:00",
            &["03-08 03:00", "03-09 02:30"],
        ),
        (
            "America/New_York",
            "every day at 01:30",
            "2026-10-31T12:00",
            "2026-11-02T12:00",
            &["11-01 01:30", "11-02 01:30"],
        ),
        (
            "Australia/Lord_Howe",
            "every day at 02:15",
            "2026-10-03T12:00",
            "2026-10-05T12:00",
            &["10-04 02:30", "10-05 02:15"],
        ),
        (
            "Australia/Lord_Howe",
            "every day at 01:45",
            "2026-04-04T12:00",
            "2026-04-06T12:00",
            &["04-05 01:45", "04-06 01:45"],
        ),
        (
            "Africa/Casablanca",
            "every day at 02:30",
            "2026-03-21T12:00",
            "2026-03-23T12:00",
            &["03-22 03:00", "03-23 02:30"],
        ),
        (
            "Africa/Casablanca",
            "every day at 02:30",
            "2026-02-14T12:00",
            "2026-02-16T12:00",
            &["02-15 02:30", "02-16 02:30"],
        ),
        (
            "Europe/Paris",
            "every month on day 29 at 09:00",
            "2028-02-01T00:00",
            "2028-03-30T00:00",
            &["02-29 09:00", "03-29 09:00"],
        ),
        ("Europe/Paris", "every day at 09:00", "2028-02-28T12:00", "2028-03-01T12:00", &["02-29 09:00", "03-01 09:00"]),
    ];
    for (zone, header, begin, end, expected) in table {
        let world = World::new(&format!("campaign a {header} {{ log \"x\" }}"), zone, begin);
        world.serve(end);
        assert_eq!(world.starts(), *expected, "{zone}: {header}");
    }
}

#[test]
fn waits_follow_the_calendar_while_clocks_change() {
    // Two days before nine o'clock on the day after the change, in each zone and direction.
    for (zone, begin, next) in [
        ("Europe/Paris", "2026-03-28T09:00", "2026-03-30T09:00"),
        ("Europe/Paris", "2026-10-24T09:00", "2026-10-26T09:00"),
        ("Australia/Lord_Howe", "2026-10-03T09:00", "2026-10-05T09:00"),
        ("Australia/Lord_Howe", "2026-04-04T09:00", "2026-04-06T09:00"),
    ] {
        let script = "campaign a every month on day 1 at 00:00 { log \"x\" }
campaign b every day at 09:00 { wait 2d; log \"{now()}\" }";
        let world = World::new(script, zone, &begin.replace("09:00", "08:59"));
        world.serve(&next.replace("09:00", "09:01"));
        let expected = format!("finished: {}", next.replace('T', " "));
        assert_eq!(world.runs()[0], expected, "{zone} {begin}");
    }
}

#[test]
fn a_start_while_an_earlier_run_is_going_is_skipped_queued_or_allowed() {
    let rest = "wait 30h; log \"{now()}\"";
    let table: &[(&str, &[&str])] = &[
        ("", &["01 09:00 started", "02 09:00 a skipped", "03 09:00 started", "04 09:00 a skipped"]),
        ("overlap skip", &["01 09:00 started", "02 09:00 a skipped", "03 09:00 started", "04 09:00 a skipped"]),
        (
            "overlap queue",
            &[
                "01 09:00 started",
                "02 09:00 a queued",
                "02 15:00 started",
                "03 09:00 a queued",
                "03 21:00 started",
                "04 09:00 a queued",
            ],
        ),
        ("overlap allow", &["01 09:00 started", "02 09:00 started", "03 09:00 started", "04 09:00 started"]),
    ];
    for (rule, expected) in table {
        let world = World::new(&daily(rule, rest), "UTC", "2026-12-01T08:00");
        world.serve("2026-12-04T12:00");
        assert_eq!(world.said(), *expected, "overlap {rule}");
    }
}

#[test]
fn missed_starts_are_one_and_follow_overlap() {
    for (rule, rest, expected) in [
        ("", "log \"x\"", vec!["06 10:00 started, 4 missed"]),
        ("overlap queue", "log \"x\"", vec!["06 10:00 started, 4 missed"]),
        ("overlap allow", "wait 30d", vec!["06 10:00 started, 4 missed"]),
        ("overlap skip", "wait 30d", vec!["06 10:00 a skipped"]),
        ("overlap queue", "wait 30d", vec!["06 10:00 a queued"]),
    ] {
        let world = World::new(&daily(rule, rest), "UTC", "2026-12-01T08:00");
        world.serve("2026-12-01T12:00");
        assert_eq!(world.said(), ["01 09:00 started"]);
        world.pass("2026-12-06T10:00");
        world.serve("2026-12-06T10:00");
        assert_eq!(world.said(), expected, "{rule} {rest}");
        world.serve("2026-12-06T12:00");
        assert!(world.said().is_empty(), "nothing is decided twice");
    }
}

#[test]
fn stopped_and_started_at_any_moment_each_start_is_made_once() {
    let world = World::new(&daily("overlap allow", "wait 2d; log \"x\""), "UTC", "2026-12-01T08:00");
    for hour in 8..=20 {
        world.serve(&format!("2026-12-01T{hour:02}:00"));
        world.serve(&format!("2026-12-01T{hour:02}:00"));
    }
    world.serve("2026-12-03T09:00");
    world.serve("2026-12-03T09:00");
    assert_eq!(world.starts(), ["12-01 09:00", "12-02 09:00", "12-03 09:00"]);
    assert_eq!(world.runs(), ["finished: x", "waiting: ", "waiting: "]);
}

#[test]
fn a_signal_starts_a_campaign_once_with_its_values() {
    let script = "campaign restocked on signal stock_in overlap allow { log \"{sku} {restocked.quantity}\" }";
    let world = World::new(script, "UTC", "2026-12-01T08:00");
    world.signal("early", "E");
    world.serve("2026-12-01T08:00");
    world.serve("2026-12-01T09:00");
    // The first arrived in the round in which the campaign became known.
    let known = world.runs().len();
    world.signal("s1", "A");
    world.signal("s1", "A");
    world.serve("2026-12-01T10:00");
    world.signal("s1", "A");
    world.pass("2026-12-02T10:00");
    world.signal("s2", "B");
    world.serve("2026-12-02T11:00");
    assert_eq!(world.runs()[known..], ["finished: A 2", "finished: B 2"]);
}

#[test]
fn what_arrived_before_a_campaign_was_known_starts_nothing() {
    let world = World::new("campaign other every day at 09:00 { log \"x\" }", "UTC", "2026-12-01T08:00");
    world.signal("old", "A");
    world.serve("2026-12-01T08:30");
    world.edit("new.orch", "campaign restocked on signal stock_in { log sku }");
    world.serve("2026-12-01T08:40");
    assert!(world.runs().is_empty());
    world.signal("new", "B");
    world.serve("2026-12-01T08:50");
    assert_eq!(world.runs(), ["finished: B"]);
}

#[test]
fn runs_of_the_same_value_queue_or_are_skipped() {
    let body = "{ wait 1h; log \"{sku}\" }";
    for (rule, said) in [
        ("queue by sku", vec!["01 08:00 started", "01 08:00 restocked queued", "01 08:00 started", "01 09:00 started"]),
        ("allow by sku", vec!["01 08:00 started", "01 08:00 restocked skipped", "01 08:00 started"]),
        (
            "queue",
            vec![
                "01 08:00 started",
                "01 08:00 restocked queued",
                "01 08:00 restocked queued",
                "01 09:00 started",
                "01 10:00 started",
            ],
        ),
    ] {
        let world = World::new(
            &format!("campaign restocked on signal stock_in overlap {rule} {body}"),
            "UTC",
            "2026-12-01T08:00",
        );
        world.serve("2026-12-01T08:00");
        for (id, sku) in [("1", "A"), ("2", "A"), ("3", "B")] {
            world.signal(id, sku);
        }
        world.serve("2026-12-01T12:00");
        assert_eq!(world.said(), said, "{rule}");
    }
}

#[test]
fn campaigns_start_and_release_one_another() {
    let script = "campaign first every day at 09:00 { emit stock_in(sku: \"A\", quantity: 7); wait for signal sold_out as s within 2d else { fail \"no\" }; log \"sold {s.sku}\" }
campaign second on signal stock_in { wait 3h; emit sold_out(sku: sku); log \"emitted\" }";
    let world = World::new(script, "UTC", "2026-12-01T08:00");
    world.serve("2026-12-01T13:00");
    let mut runs = world.runs();
    runs.sort();
    assert_eq!(runs, ["finished: emitted", "finished: sold A"]);
    world.serve("2026-12-01T23:00");
    assert_eq!(world.runs().len(), 2, "a signal that was emitted starts a campaign once");
}

#[test]
fn an_error_pauses_ends_or_is_passed_over() {
    let body = "log \"a\"; segment s = lost; log \"b\"; send email hello to s; log \"c\"";
    for (rule, first) in [
        ("", "paused: a"),
        ("on error pause", "paused: a"),
        ("on error stop", "failed: a"),
        ("on error continue", "finished: a b c"),
    ] {
        let world = World::new(&daily(rule, body), "UTC", "2026-12-01T08:00");
        world.serve("2026-12-01T12:00");
        assert_eq!(world.runs(), [first], "{rule}");
    }
    // A paused run is still going; one that failed is not.
    for (rule, second) in [("on error pause", vec!["02 09:00 a skipped"]), ("on error stop", vec!["02 09:00 started"])]
    {
        let world = World::new(&daily(rule, body), "UTC", "2026-12-01T08:00");
        world.serve("2026-12-01T12:00");
        world.said();
        world.serve("2026-12-02T09:00");
        let mut said = world.said();
        said.retain(|line| !line.contains("failed:"));
        assert_eq!(said, second, "{rule}");
    }
}

#[test]
fn a_tripwire_and_a_refusal_hold_whatever_is_said_of_errors() {
    let world =
        World::new(&daily("on error continue", "require 1 = 2 else \"no\"; log \"x\""), "UTC", "2026-12-01T08:00");
    world.serve("2026-12-01T12:00");
    assert_eq!(world.runs(), ["paused: "]);
}

#[test]
fn new_starts_have_the_new_script_and_runs_keep_theirs() {
    let world = World::new(&daily("overlap allow", "wait 1d; log \"old\""), "UTC", "2026-12-01T08:00");
    world.serve("2026-12-01T12:00");
    world.edit("main.orch", &daily("overlap allow", "log \"new\""));
    world.serve("2026-12-02T12:00");
    assert_eq!(world.runs(), ["finished: old", "finished: new"]);
    // A script that cannot be understood changes nothing, not even for a daemon that begins anew.
    world.edit("main.orch", "campaign a every day at 25:00 {");
    world.serve("2026-12-03T12:00");
    assert_eq!(world.runs().len(), 3);
    assert_eq!(world.runs()[2], "finished: new");
    assert!(world.said().contains(&"main.orch is broken".to_owned()));
    // Without the campaign nothing starts.
    world.edit("main.orch", "log \"by hand\"");
    world.serve("2026-12-04T12:00");
    assert_eq!(world.runs().len(), 3);
    assert!(world.store().campaigns().unwrap().is_empty());
}

#[test]
fn an_edited_schedule_counts_from_the_edit_and_keeps_what_was_due() {
    let world = World::new(&daily("", "log \"x\""), "UTC", "2026-12-01T09:30");
    world.serve("2026-12-01T10:00");
    // Eight o'clock is over for today: no start is invented.
    world.edit("main.orch", "campaign a every day at 08:00 { log \"x\" }");
    world.serve("2026-12-02T12:00");
    assert_eq!(world.starts(), ["12-02 08:00"]);
    // What was due while nobody served is made up for, by the new script.
    world.pass("2026-12-03T12:00");
    world.edit("main.orch", "campaign a every day at 23:00 { log \"late\" }");
    world.serve("2026-12-03T12:30");
    assert_eq!(world.starts(), ["12-02 08:00", "12-03 12:00"]);
    assert_eq!(world.runs()[1], "finished: late");
}

#[test]
fn nothing_starts_or_goes_on_while_everything_is_paused() {
    let world = World::new(&daily("", "wait 1h; log \"x\""), "UTC", "2026-12-01T08:00");
    world.serve("2026-12-01T09:30");
    world.leave(Note::PauseAll(Hold { reason: None, at: world.clock.now() }));
    world.serve("2026-12-03T12:00");
    world.serve("2026-12-04T12:00");
    assert_eq!(world.runs(), ["waiting: "], "neither went on nor started, also after a restart");
    world.leave(Note::ResumeAll);
    world.serve("2026-12-04T14:00");
    assert_eq!(world.runs(), ["finished: x"], "the run went on");
    let said = world.said();
    assert!(said.contains(&"01 09:30 held".to_owned()) && said.contains(&"04 12:00 released".to_owned()), "{said:?}");
    assert!(said.contains(&"04 12:00 a skipped".to_owned()), "the three starts in between are one: {said:?}");
}

#[test]
fn notes_reach_runs_that_nobody_drives() {
    let world = World::new(&daily("overlap allow", "wait 1d; log \"x\""), "UTC", "2026-12-01T08:00");
    world.serve("2026-12-01T09:30");
    let run = world.store().runs().unwrap()[0].run.clone();
    world.leave(Note::Pause { run: run.clone(), reason: "by hand".into() });
    world.serve("2026-12-02T12:00");
    assert_eq!(world.runs()[0], "paused: ");
    world.leave(Note::Resume { run: run.clone() });
    world.serve("2026-12-02T12:01");
    assert_eq!(world.runs()[0], "finished: x", "its wait is over");
    let second = world.store().runs().unwrap()[0].run.clone();
    world.leave(Note::Stop { run: second, reason: None });
    world.serve("2026-12-02T12:02");
    assert_eq!(world.runs()[1], "stopped: ");
    assert!(!Path::new(&world.folders().state).join("inbox").read_dir().unwrap().any(|_| true), "the inbox is empty");
}

#[test]
fn a_send_ends_before_the_run_does() {
    let world =
        World::new(&daily("", "send email hello to people { policy: transactional }"), "UTC", "2026-12-01T08:00");
    world.serve("2026-12-03T12:00");
    assert_eq!(world.sent.messages().len(), 6, "two people, three days");
}

#[test]
fn a_run_on_a_clock_of_its_own_starts_no_campaign() {
    let world = World::new("campaign restocked on signal stock_in { log sku }", "UTC", "2026-12-01T08:00");
    world.serve("2026-12-01T08:00");
    let store = world.store();
    let record = SignalRecord {
        id: "sim-AAAA:1".into(),
        name: "stock_in".into(),
        values: BTreeMap::from([("sku".to_owned(), Value::Text("A".into()))]),
        at: world.clock.now(),
        simulated: true,
    };
    world.engine().block_on(store.commit(vec![Change::Signal(record)])).unwrap();
    drop(store);
    world.serve("2026-12-01T09:00");
    assert!(world.runs().is_empty());
}
