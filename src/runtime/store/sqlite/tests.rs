use std::collections::BTreeMap;

use super::super::*;
use super::SqliteStore;
use crate::runtime::machine::{Event, State, Status};

fn at(seconds: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(seconds).unwrap()
}

fn commit(store: &SqliteStore, changes: Vec<Change>) -> Result<(), StoreError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(store.commit(changes))
}

fn run(name: &str) -> RunRecord {
    RunRecord {
        run: name.into(),
        campaign: "vip".into(),
        fingerprint: "f".into(),
        file: "vip.orch".into(),
        simulated: false,
        started: at(1),
        updated: at(1),
        seq: 0,
        state: State::default(),
    }
}

fn transition(run: &str, seq: u64) -> Change {
    let state = State { status: Status::Running, ..State::default() };
    let event = Event::Started { values: BTreeMap::new() };
    Change::Transition { run: run.into(), seq, at: at(2), event, state }
}

fn send(store: &SqliteStore, targeted: u64) -> i64 {
    let record = SendRecord {
        id: 0,
        run: "vip-1".into(),
        step: "3".into(),
        token: String::new(),
        channel: "email".into(),
        message: None,
        targeted,
        at: at(3),
    };
    commit(store, vec![Change::Send(record)]).unwrap();
    store.sends("vip-1").unwrap()[0].id
}

fn intent(row: u64, attempt: u32) -> Intent {
    Intent { row, attempt, key: [row as u8; 16], entity: row.to_string(), address: "a@x.test".into(), at: at(4) }
}

fn outcome(row: u64, attempt: u32, kind: OutcomeKind) -> OutcomeRow {
    OutcomeRow { row, attempt, kind, detail: String::new(), retry_at: None, at: at(5) }
}

#[test]
fn what_was_committed_is_there_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    {
        let store = SqliteStore::open(directory.path()).unwrap();
        let files = vec![("vip.orch".to_string(), "log \"x\"".to_string())];
        let bundle = Change::Bundle { fingerprint: "f".into(), files };
        commit(&store, vec![bundle, Change::Run(run("vip-1")), transition("vip-1", 1)]).unwrap();
    }
    let store = SqliteStore::open(directory.path()).unwrap();
    let found = store.run("vip-1").unwrap().unwrap();
    assert_eq!((found.seq, found.state.status, found.updated), (1, Status::Running, at(2)));
    assert_eq!(store.journal("vip-1").unwrap().len(), 1);
    assert_eq!(store.bundle("f").unwrap().unwrap()[0].1, "log \"x\"");
    assert_eq!(store.run("vip-2").unwrap(), None);
}

#[test]
fn a_transition_that_does_not_follow_is_refused_whole() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).unwrap();
    commit(&store, vec![Change::Run(run("vip-1")), transition("vip-1", 1)]).unwrap();
    let refused = commit(&store, vec![Change::Run(run("vip-2")), transition("vip-1", 1)]);
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    assert_eq!(store.run("vip-2").unwrap(), None, "nothing of the refused commit is kept");
    commit(&store, vec![transition("vip-1", 2)]).unwrap();
    assert!(matches!(commit(&store, vec![Change::Run(run("vip-1"))]), Err(StoreError::Conflict(_))));
}

#[test]
fn a_closed_store_is_free_though_a_process_that_starts_still_has_its_files() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).unwrap();
    // As a new process has, between its beginning and its program.
    let inherited = store._lock.as_ref().unwrap().0.try_clone().unwrap();
    drop(store);
    assert!(SqliteStore::open(directory.path()).is_ok());
    drop(inherited);
}

#[test]
fn one_process_writes_and_others_read() {
    let directory = tempfile::tempdir().unwrap();
    assert!(SqliteStore::open_read_only(directory.path()).unwrap().is_none());
    let store = SqliteStore::open(directory.path()).unwrap();
    commit(&store, vec![Change::Run(run("vip-1"))]).unwrap();
    let second = SqliteStore::open(directory.path()).err();
    assert!(matches!(second, Some(StoreError::InUse { holder: Some(_), .. })), "{second:?}");
    let reader = SqliteStore::open_read_only(directory.path()).unwrap().unwrap();
    assert_eq!(reader.runs().unwrap().len(), 1);
    assert!(commit(&reader, vec![transition("vip-1", 1)]).is_err());
}

#[test]
fn rows_are_known_by_their_latest_attempt_and_the_tally_balances() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).unwrap();
    commit(&store, vec![Change::Run(run("vip-1"))]).unwrap();
    let id = send(&store, 7);
    assert_eq!(send(&store, 7), id, "a step has one send");
    let excluded =
        Exclusion { row: 5, entity: "5".into(), reason: Reason::NoAddress, detail: String::new(), at: at(4) };
    commit(&store, vec![Change::Intents(id, (0..5).map(|row| intent(row, 1)).collect())]).unwrap();
    let ends = [OutcomeKind::Sent, OutcomeKind::Failed, OutcomeKind::Unknown, OutcomeKind::NotStarted];
    let ended = ends.iter().enumerate().map(|(row, kind)| outcome(row as u64, 1, *kind)).collect();
    commit(&store, vec![Change::Outcomes(id, ended), Change::Exclusions(id, vec![excluded])]).unwrap();
    commit(&store, vec![Change::Intents(id, vec![intent(3, 2)])]).unwrap();
    commit(&store, vec![Change::Outcomes(id, vec![outcome(3, 2, OutcomeKind::Sent)])]).unwrap();

    let tally = store.tally(id).unwrap();
    assert_eq!((tally.sent, tally.failed, tally.unknown, tally.due), (2, 1, 1, 2), "row 4 is in doubt, 6 untouched");
    assert_eq!(tally.excluded, BTreeMap::from([(Reason::NoAddress, 1)]));
    assert!(tally.balances());

    let mut rows = BTreeMap::new();
    store.rows(id, &mut |row| drop(rows.insert(row.row, row.state))).unwrap();
    assert_eq!(rows.len(), 6);
    assert!(matches!(&rows[&3], RowState::Ended(intent, end) if intent.attempt == 2 && end.kind == OutcomeKind::Sent));
    assert!(matches!(&rows[&4], RowState::Intended(_)));
    assert!(matches!(&rows[&5], RowState::Excluded(_)));
}

#[test]
fn an_intent_cannot_be_written_twice() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).unwrap();
    commit(&store, vec![Change::Run(run("vip-1"))]).unwrap();
    let id = send(&store, 1);
    commit(&store, vec![Change::Intents(id, vec![intent(0, 1)])]).unwrap();
    assert!(commit(&store, vec![Change::Intents(id, vec![intent(0, 1)])]).is_err());
    assert!(commit(&store, vec![transition("vip-1", 1)]).is_err(), "a writer that failed accepts nothing more");
}

#[test]
fn a_directory_that_cannot_be_used_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("state");
    std::fs::write(&file, "x").unwrap();
    assert!(matches!(SqliteStore::open(&file), Err(StoreError::Unreadable { .. })));
    let garbage = tempfile::tempdir().unwrap();
    std::fs::write(garbage.path().join("state.db"), vec![7u8; 8192]).unwrap();
    assert!(matches!(SqliteStore::open(garbage.path()), Err(StoreError::Unreadable { .. })));
}

fn subscription(person: &str, address: &str, subscribed: bool) -> Subscription {
    let addresses = vec![address.to_string()];
    Subscription { topic: "news".into(), person: person.into(), addresses, subscribed, at: at(9) }
}

#[test]
fn the_last_word_of_a_person_counts_for_all_their_addresses() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).unwrap();
    commit(&store, vec![Change::Subscriptions(Realm::Real, vec![subscription("c/1", "old@x.test", false)])]).unwrap();
    commit(
        &store,
        vec![Change::Subscriptions(
            Realm::Real,
            vec![subscription("c/2", "b@x.test", false), subscription("", "c@x.test", false)],
        )],
    )
    .unwrap();
    commit(
        &store,
        vec![Change::Subscriptions(
            Realm::Real,
            vec![subscription("c/1", "new@x.test", true), subscription("", "d@x.test", true)],
        )],
    )
    .unwrap();
    let mut unwanted = Vec::new();
    let mut note = |person: &str, address: &str, subscribed: bool| {
        if !subscribed {
            unwanted.push(format!("{person} {address}"));
        }
    };
    store.subscriptions(Realm::Real, "news", &mut note).unwrap();
    unwanted.sort();
    assert_eq!(unwanted, [" c@x.test", "c/2 ", "c/2 b@x.test"]);
}

#[test]
fn a_store_of_an_older_format_gets_the_newer_tables() {
    let directory = tempfile::tempdir().unwrap();
    {
        let store = SqliteStore::open(directory.path()).unwrap();
        commit(&store, vec![Change::Run(run("vip-1"))]).unwrap();
    }
    let path = directory.path().join("state.db");
    let older = "DROP TABLE audiences; DROP TABLE subscriptions; DROP TABLE takes; PRAGMA user_version = 1;";
    rusqlite::Connection::open(&path).unwrap().execute_batch(older).unwrap();
    let reader = SqliteStore::open_read_only(directory.path()).unwrap().unwrap();
    assert_eq!(reader.audience(Realm::Real, "a").unwrap(), None, "reading only, it has none");
    assert_eq!(reader.takes(None).unwrap(), []);
    drop(reader);
    let store = SqliteStore::open(directory.path()).unwrap();
    let audience = AudienceRecord {
        name: "a".into(),
        entity: "customers".into(),
        file: "audiences/a.parquet".into(),
        rows: 2,
        run: "vip-1".into(),
        at: at(3),
        realm: Realm::Real,
    };
    commit(&store, vec![Change::Audience(audience.clone())]).unwrap();
    assert_eq!(store.audiences(Realm::Real).unwrap(), [audience]);
    assert_eq!(store.runs().unwrap().len(), 1);
    drop(store);
    rusqlite::Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 99;").unwrap();
    assert!(matches!(SqliteStore::open(directory.path()).err(), Some(StoreError::Newer { found: 99, .. })));
}

/// A take of a run that a memory did not hold before.
fn take(store: &SqliteStore, memory: &str, run: &str) -> Change {
    let seen = store.takes(Some(memory)).unwrap();
    let seen = Seen { takes: seen.len() as u64, last: seen.last().map_or(0, |take| take.id) };
    let take = TakeRecord {
        memory: memory.into(),
        entity: "orders".into(),
        run: Some(run.into()),
        rows: 3,
        at: at(1),
        ..TakeRecord::default()
    };
    Change::Take { take, seen }
}

#[test]
fn what_was_taken_is_kept_or_given_back_with_the_runs_end() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).unwrap();
    let end = |name: &str, status: Status| {
        let state = State { status, ..State::default() };
        let event = Event::Stopped { reason: None };
        Change::Transition { run: name.into(), seq: 1, at: at(2), event, state }
    };
    for name in ["a", "b", "c", "d"] {
        commit(&store, vec![Change::Run(run(name)), take(&store, "m", name)]).unwrap();
    }
    commit(&store, vec![Change::Used { run: "d".into() }]).unwrap();
    commit(&store, vec![end("a", Status::Finished)]).unwrap();
    commit(&store, vec![end("b", Status::Failed), end("c", Status::Paused), end("d", Status::Stopped)]).unwrap();
    let held: Vec<_> = store.takes(Some("m")).unwrap().into_iter().map(|take| (take.run.unwrap(), take.kept)).collect();
    assert_eq!(held, [("a".into(), true), ("c".into(), false), ("d".into(), true)]);
}

#[test]
fn a_memory_that_changed_meanwhile_refuses_a_take() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).unwrap();
    let (first, second) = (take(&store, "m", "a"), take(&store, "m", "b"));
    commit(&store, vec![first]).unwrap();
    assert_eq!(commit(&store, vec![second]), Err(StoreError::Overtaken("m".into())));
    let ids: Vec<i64> = store.takes(Some("m")).unwrap().iter().map(|take| take.id).collect();
    commit(&store, vec![Change::Forget { takes: ids }]).unwrap();
    assert_eq!(store.takes(None).unwrap(), []);
    commit(&store, vec![take(&store, "m", "b")]).unwrap();
    assert_eq!(store.takes(Some("other")).unwrap(), []);
}

#[test]
fn contacts_count_unless_they_reached_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).unwrap();
    let simulated = RunRecord { simulated: true, ..run("vip-2") };
    commit(&store, vec![Change::Run(run("vip-1")), Change::Run(simulated)]).unwrap();
    let real = send(&store, 9);
    let contact = |row| Contact { row, attempt: 1, person: [7; 16], at: at(row as i64) };
    let contacts = (1..=5).map(contact).collect();
    let outcomes = vec![
        outcome(2, 1, OutcomeKind::Sent),
        outcome(3, 1, OutcomeKind::Failed),
        outcome(4, 1, OutcomeKind::NotStarted),
        outcome(5, 1, OutcomeKind::Unknown),
    ];
    commit(&store, vec![Change::Contacts(real, contacts), Change::Outcomes(real, outcomes)]).unwrap();
    let rows = |person: u8, since: i64, run: &str| {
        let found = store.contacts(&[person; 16], at(since), run).unwrap();
        found.into_iter().map(|contact| (contact.row, contact.channel)).collect::<Vec<_>>()
    };
    let email = |row: u64| (row, "email".to_string());
    assert_eq!(rows(7, 0, "vip-9"), [email(1), email(2), email(5)]);
    assert_eq!(rows(7, 1, "vip-9"), [email(2), email(5)], "the window is open at its beginning");
    assert_eq!(rows(8, 0, "vip-9"), []);

    let of_simulated = SendRecord {
        id: 0,
        run: "vip-2".into(),
        step: "1".into(),
        token: String::new(),
        channel: "sms".into(),
        message: None,
        targeted: 1,
        at: at(3),
    };
    commit(&store, vec![Change::Send(of_simulated)]).unwrap();
    let id = store.sends("vip-2").unwrap()[0].id;
    commit(&store, vec![Change::Contacts(id, vec![Contact { row: 1, attempt: 1, person: [8; 16], at: at(9) }])])
        .unwrap();
    assert_eq!(rows(8, 0, "vip-1"), [], "simulated time reaches no cap of others");
    assert_eq!(rows(8, 0, "vip-2"), [(1, "sms".to_string())]);
}

#[test]
fn rows_that_came_late_are_counted() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).unwrap();
    commit(&store, vec![Change::Run(run("vip-1"))]).unwrap();
    let send = send(&store, 3);
    commit(&store, vec![Change::Late(send, vec![1, 2])]).unwrap();
    commit(&store, vec![Change::Late(send, vec![2])]).unwrap();
    assert_eq!(store.tally(send).unwrap().late, 2);
}

#[test]
fn rows_that_were_asked_for_again_are_found_below_the_progress_of_a_send() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).unwrap();
    let intent = |row: u64| Intent {
        row,
        attempt: 1,
        key: [row as u8; 16],
        entity: row.to_string(),
        address: "a@x.test".into(),
        at: at(1),
    };
    let outcome =
        |row: u64, kind| OutcomeRow { row, attempt: 1, kind, detail: String::new(), retry_at: None, at: at(2) };
    let send = SendRecord {
        id: 0,
        run: "r".into(),
        step: "1".into(),
        token: String::new(),
        channel: "email".into(),
        message: None,
        targeted: 200,
        at: at(0),
    };
    commit(&store, vec![Change::Run(run("r")), Change::Send(send)]).unwrap();
    let failed = |row: u64| if row == 3 || row == 5 { OutcomeKind::Failed } else { OutcomeKind::Sent };
    let outcomes = (0..199).map(|row| outcome(row, failed(row))).collect();
    let changes = vec![Change::Intents(1, (0..200).map(intent).collect()), Change::Outcomes(1, outcomes)];
    commit(&store, changes).unwrap();
    commit(&store, vec![Change::Progress(1, 199), Change::Progress(1, 7)]).unwrap();
    let unsettled = || {
        let mut rows = Vec::new();
        let below = store.unsettled(1, &mut |row| rows.push((row.row, row.first, row.state))).unwrap();
        (below, rows)
    };
    let (below, rows) = unsettled();
    assert_eq!(below, 199 - 64, "progress never goes back; the last rows are mentioned");
    assert_eq!(rows.len(), 65);
    assert!(matches!(rows.last(), Some((199, _, RowState::Intended(_)))));

    commit(&store, vec![Change::Reopen { send: 1, kind: OutcomeKind::Failed, at: at(9) }]).unwrap();
    let (_, rows) = unsettled();
    assert_eq!(rows.iter().take(2).map(|(row, first, _)| (*row, *first)).collect::<Vec<_>>(), [(3, at(9)), (5, at(9))]);
    let tally = store.tally(1).unwrap();
    assert_eq!((tally.sent, tally.failed, tally.due), (197, 0, 3));
}

#[test]
fn a_signal_that_came_after_a_run_began_is_heard_although_the_clock_was_set_back() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).unwrap();
    let signal = |id: &str, seconds: i64| {
        let (id, name) = (id.to_owned(), "go".to_owned());
        Change::Signal(SignalRecord { id, name, values: BTreeMap::new(), at: at(seconds), simulated: false })
    };
    commit(&store, vec![signal("before", 900)]).unwrap();
    commit(&store, vec![Change::Run(RunRecord { started: at(1_000), ..run("vip-1") })]).unwrap();
    commit(&store, vec![signal("back", 800), signal("as ever", 1_200)]).unwrap();
    let heard = |run: &str, since: i64| -> Vec<String> {
        store.signals(run, "go", at(since)).unwrap().into_iter().map(|signal| signal.id).collect()
    };
    assert_eq!(heard("vip-1", 1_000), ["back", "as ever"]);
    commit(&store, vec![Change::SignalTaken { run: "vip-1".into(), signal: "back".into() }]).unwrap();
    assert_eq!(heard("vip-1", 1_000), ["as ever"]);
    commit(&store, vec![Change::Run(RunRecord { started: at(850), ..run("vip-2") })]).unwrap();
    assert_eq!(heard("vip-2", 850), ["before", "as ever"], "by their time");
}
