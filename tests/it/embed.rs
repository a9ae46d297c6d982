//! Orch inside another program, by its public interface alone. To be read as documentation: the first test goes
//! through everything a host does, the others are what hosts ask next.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use jiff::tz::TimeZone;
use orch::analysis::Workspace;
use orch::hir::{CampaignId, Value};
use orch::plan::Plan;
use orch::report::RunReport;
use orch::runtime::channels::{
    BoxFuture, Capabilities, Channel, ChannelError, Dispatch, Idempotency, Outcome, OutgoingMessage,
};
use orch::runtime::machine::Status;
use orch::runtime::store::sqlite::SqliteStore;
use orch::runtime::store::{RowState, Store};
use orch::runtime::{
    BoundChannel, Cancel, Drive, DriveEnd, Engine, EngineOptions, Folders, Observer, Pacing, Progress, RunError,
    Silent, Until,
};

use crate::project::{PEOPLE, SCHEMA};

/// A channel of the host's own: pushes notes to an application. Reaches nobody in a test, so waits may be jumped over.
#[derive(Default)]
struct App {
    notes: Mutex<Vec<(String, String)>>,
    /// Addresses that the application does not know.
    strangers: Vec<&'static str>,
}

impl Channel for App {
    fn capabilities(&self) -> Capabilities {
        Capabilities { idempotency: Idempotency::Always, batch: 10, harmless: true, ..Capabilities::default() }
    }

    fn check(&self) -> BoxFuture<'_, Result<(), ChannelError>> {
        Box::pin(async { Ok(()) })
    }

    fn send_batch(&self, batch: Vec<OutgoingMessage>, dispatch: Dispatch) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            for message in batch {
                dispatch.dispatching(0, message.key);
                let outcome = if self.strangers.contains(&message.address.as_str()) {
                    Outcome::Failed { code: "404".into(), reason: "no such user".into() }
                } else {
                    let note = (message.address.clone(), message.content.title().to_owned());
                    self.notes.lock().unwrap().push(note);
                    Outcome::Sent { id: None }
                };
                dispatch.report(message.key, outcome);
            }
        })
    }
}

/// Hears what happens, as a host does that shows progress.
#[derive(Default)]
struct Diary(Mutex<Vec<String>>);

impl Observer for Diary {
    fn on(&self, progress: Progress<'_>) {
        let line = match progress {
            Progress::Finished { title, .. } => title.to_owned(),
            Progress::Waiting { title, .. } => format!("... {title}"),
            _ => return,
        };
        self.0.lock().unwrap().push(line);
    }
}

/// Checks and plans a script that is a text of the host's.
fn plan(script: &str) -> Plan {
    let analysis = Workspace::from_files([("schema.orch", SCHEMA), ("offer.orch", script)])
        .schema(["schema.orch"])
        .default_topic("news")
        .timezone("Europe/Paris")
        .analyze("offer.orch");
    // Problems are values: a host shows them in its own way, or as text.
    assert!(!analysis.problems.has_errors(), "{}", analysis.render(orch::diag::RenderStyle::default()));
    Plan::new(Arc::new(analysis.program), CampaignId(0), &analysis.sources).unwrap()
}

/// An engine whose data and state are in `folder`.
fn engine(folder: &Path, app: &Arc<App>) -> Engine {
    let app = BoundChannel::new(Arc::clone(app) as Arc<dyn Channel>);
    let zone = TimeZone::get("Europe/Paris").unwrap();
    Engine::new(EngineOptions { zone, ..EngineOptions::new(folders(folder)) }.channel("email", app)).unwrap()
}

fn folders(folder: &Path) -> Folders {
    Folders { project: folder.into(), state: folder.join("state") }
}

/// A folder with the people of the club.
fn data() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("people.csv"), PEOPLE).unwrap();
    folder
}

fn drive<'d>(observer: &'d dyn Observer, cancel: &'d Cancel) -> Drive<'d> {
    Drive { pacing: Pacing::FastForward, ..Drive::to_end(observer, cancel) }
}

#[test]
fn a_host_checks_plans_runs_and_reports() {
    // 1. A text becomes a plan: what will be done, without having looked at any data.
    let plan = plan("segment vip = people where spend > 500\nwait 2d\nsend email hello to vip as offer\n");
    assert_eq!(plan.campaign().name, "offer");

    // 2. An engine knows where data and state are, and the host's channels.
    let folder = data();
    let app = Arc::new(App { strangers: vec!["zoe@shop.test"], ..App::default() });
    let engine = engine(folder.path(), &app);

    // 3. Rehearsing has no effect at all.
    let rehearsal = engine.rehearse(&plan, &BTreeMap::new(), true, &Silent).unwrap();
    assert_eq!(rehearsal.sends[0].1.sent, 2);
    assert_eq!(app.notes.lock().unwrap().len(), 0);

    // 4. A run is recorded in a store, then driven.
    let store = SqliteStore::open(&engine.options().folders.state).unwrap();
    let run = engine.start(&store, &plan, "offer.orch", &BTreeMap::new(), Pacing::FastForward).unwrap();
    let (diary, cancel) = (Diary::default(), Cancel::default());
    let end = engine.drive(&store, &plan, &run, &drive(&diary, &cancel)).unwrap();
    assert_eq!(end, DriveEnd::Over(Status::Finished));
    assert_eq!(app.notes.lock().unwrap().as_slice(), [("ann@shop.test".to_owned(), "Hi Ann".to_owned())]);
    let heard = diary.0.into_inner().unwrap();
    assert_eq!(heard, ["segment vip", "wait 2d", "... wait 2d", "send email hello to vip as offer"]);

    // 5. The report is data; the ledger knows about everybody.
    let report = RunReport::read(&store, &run).unwrap().unwrap();
    let total = report.total();
    assert_eq!((total.targeted, total.sent, total.failed, total.excluded_total()), (5, 1, 1, 3));
    assert!(total.balances());
    assert_eq!(report.balance().unwrap(), "5 = 1 sent + 3 excluded + 1 failed");
    let mut fates = BTreeMap::new();
    let (send, _) = &report.sends[0];
    store
        .rows(send.id, &mut |row| {
            let fate = match row.state {
                RowState::Excluded(exclusion) => exclusion.reason.word().to_owned(),
                RowState::Ended(_, outcome) => outcome.detail,
                RowState::Intended(_) => "on its way".to_owned(),
            };
            fates.insert(row.entity, fate);
        })
        .unwrap();
    assert_eq!((fates["5"].as_str(), fates["6"].as_str()), ("no_consent", "404 no such user"));
}

#[test]
fn a_host_stops_a_run_and_goes_on_in_another_process() {
    let plan = plan("send email hello to (people where id = 1); wait 30d; send email hello to (people where id = 2)");
    let folder = data();
    let app = Arc::new(App::default());
    let run = {
        let engine = engine(folder.path(), &app);
        let store = SqliteStore::open(&engine.options().folders.state).unwrap();
        let run = engine.start(&store, &plan, "offer.orch", &BTreeMap::new(), Pacing::Real).unwrap();
        // By the clock on the wall, as far as it goes now.
        let nobody = Cancel::default();
        let until = Drive { until: Until::FirstWait, ..Drive::to_end(&Silent, &nobody) };
        let end = engine.drive(&store, &plan, &run, &until).unwrap();
        assert!(matches!(end, DriveEnd::Waiting(_)), "{end:?}");

        // Whoever holds the `Cancel` can stop a run that another thread drives, also in the middle of a wait.
        let cancel = Cancel::default();
        cancel.cancel();
        let parked = engine.drive(&store, &plan, &run, &Drive::to_end(&Silent, &cancel));
        assert_eq!(parked.unwrap(), DriveEnd::Parked);
        run
    };
    assert_eq!(app.notes.lock().unwrap().len(), 1);

    let engine = engine(folder.path(), &app);
    let store = SqliteStore::open(&engine.options().folders.state).unwrap();
    let end = engine.drive(&store, &plan, &run, &drive(&Silent, &Cancel::default())).unwrap();
    assert_eq!(end, DriveEnd::Over(Status::Finished));
    assert_eq!(app.notes.lock().unwrap().len(), 2);
    let again = engine.drive(&store, &plan, &run, &drive(&Silent, &Cancel::default()));
    assert!(matches!(again, Err(RunError::Over { .. })), "{again:?}");
}

#[test]
fn parameters_are_values() {
    let plan = plan("param least: decimal\nsegment vip = people where spend > least\nsend email hello to vip");
    let folder = data();
    let app = Arc::new(App::default());
    let engine = engine(folder.path(), &app);
    let params = BTreeMap::from([("least".to_owned(), Value::Decimal("650.50".parse().unwrap()))]);
    let rehearsal = engine.rehearse(&plan, &params, true, &Silent).unwrap();
    assert_eq!(rehearsal.sends[0].0.targeted, 3);
    let missing = engine.rehearse(&plan, &BTreeMap::new(), true, &Silent);
    assert!(matches!(missing, Err(RunError::Parameter(_))), "{missing:?}");
}

#[test]
fn errors_are_problems_with_codes() {
    // In a text ...
    let analysis = Workspace::from_files([("a.orch", "send email hello to nobody")]).analyze("a.orch");
    let codes: Vec<String> = analysis.errors().map(|problem| problem.code.to_string()).collect();
    assert!(codes.contains(&"names::unknown_name".to_owned()), "{codes:?}");

    // ... and at work: no data, no channel.
    let plan = plan("send email hello to people");
    let empty = tempfile::tempdir().unwrap();
    let app = Arc::new(App::default());
    let missing = engine(empty.path(), &app).rehearse(&plan, &BTreeMap::new(), true, &Silent).unwrap_err();
    assert_eq!(missing.problem().code.to_string(), "run::source_missing");

    let folder = data();
    let engine = Engine::new(EngineOptions::new(folders(folder.path()))).unwrap();
    let store = SqliteStore::open(&engine.options().folders.state).unwrap();
    let run = engine.start(&store, &plan, "offer.orch", &BTreeMap::new(), Pacing::Real).unwrap();
    let unbound = engine.drive(&store, &plan, &run, &drive(&Silent, &Cancel::default())).unwrap_err();
    assert_eq!(unbound.problem().code.to_string(), "run::unbound_channel");
    assert_eq!(RunReport::read(&store, &run).unwrap().unwrap().record.state.status, Status::Paused);
}
