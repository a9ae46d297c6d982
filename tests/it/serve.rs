//! `orch serve` as a process: its endpoint, what other commands ask of it, how it stops and what it never does twice.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::project::{Ended, Project, Running, until};

const SIGNAL: &str = "signal stock_in(sku: text, quantity: int = 1)\n";

/// A club with a signal and these scripts.
fn club(scripts: &[(&str, &str)]) -> Project {
    let club = Project::club();
    club.write("schema.orch", club.read("schema.orch") + SIGNAL);
    scripts.iter().fold(club, |club, (name, text)| club.with(name, text))
}

/// A daemon at work.
struct Daemon<'p> {
    project: &'p Project,
    running: Running,
    address: String,
    token: String,
}

/// An answer: its code and its document.
type Answer = (u16, Value);

impl<'p> Daemon<'p> {
    fn start(project: &'p Project) -> Self {
        let mut running = project.start(&["serve", "--listen", "127.0.0.1:0"]);
        let line = running.says("serving on http://");
        let address = line.split("http://").nth(1).unwrap().split(' ').next().unwrap().to_owned();
        let token = project.read(".orch/dev/serve.token").trim().to_owned();
        Self { project, running, address, token }
    }

    /// The answer to a request as it is written.
    fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // A server that refuses may close before it has read everything.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let code = answer.split(' ').nth(1).unwrap_or_else(|| panic!("{answer}")).parse().unwrap();
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (code, serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}")))
    }

    fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}");
        self.raw(format!("{head}Content-Length: {length}\r\n\r\n{body}").as_bytes())
    }

    fn post(&self, path: &str, body: &str) -> Answer {
        self.request("POST", path, &format!("Authorization: Bearer {}\r\n", self.token), body)
    }

    fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &format!("Authorization: Bearer {}\r\n", self.token), "")
    }

    /// Waits until there are runs with these statuses, the latest first.
    fn until_runs(&self, statuses: &[&str]) -> Vec<Value> {
        until(&format!("runs are {statuses:?}"), || {
            let runs = self.project.json(&["runs"], 0)["runs"].as_array().unwrap().clone();
            let found: Vec<&str> = runs.iter().map(|run| run["status"].as_str().unwrap()).collect();
            (found == statuses).then(|| runs.clone())
        })
    }

    fn stop(self, signal: &str) -> Ended {
        self.running.signal(signal);
        self.running.end(self.project).expect(0)
    }
}

/// What the `log` statements of a run said.
fn logs(project: &Project, run: &Value) -> Vec<String> {
    let run = project.json(&["show", run["run"].as_str().unwrap()], 0);
    let said = |step: &Value| (step["kind"] == "log").then(|| step["note"].as_str().unwrap().to_owned());
    run["steps"].as_array().unwrap().iter().filter_map(said).collect()
}

#[test]
fn a_signal_over_http_starts_a_campaign_and_releases_a_run() {
    let club = club(&[
        ("restock.orch", "campaign restocked on signal stock_in overlap allow { log \"{sku} {quantity}\" }"),
        (
            "wait.orch",
            "wait for signal stock_in as s within 7d else { stop \"no\" } where s.sku = \"B\"\nlog \"got {s.sku}\"",
        ),
    ]);
    club.write(
        "wait.orch",
        "wait for signal stock_in as s where s.sku = \"B\" within 7d else { stop \"no\" }\nlog \"got {s.sku}\"",
    );
    let daemon = Daemon::start(&club);
    assert_eq!(
        daemon.post("/signals/stock_in?id=one", "{\"sku\": \"A\", \"quantity\": 7}"),
        (202, json!({ "signal": "one", "new": true }))
    );
    let runs = daemon.until_runs(&["finished"]);
    assert_eq!(logs(&club, &runs[0]), ["A 7"]);
    // The same one again changes nothing, whichever way it comes.
    assert_eq!(
        daemon.post("/signals/stock_in?id=one", "{\"sku\": \"A\", \"quantity\": 7}"),
        (200, json!({ "signal": "one", "new": false }))
    );
    club.done(&["signal", "stock_in", "sku=A", "quantity=7", "--id", "one"]);

    club.orch(&["run", "wait.orch", "--detach"]).expect(4);
    let headers = format!("authorization: bearer {}\r\nIdempotency-Key: two\r\n", daemon.token);
    let answer = daemon.request("POST", "/signals/stock_in", &headers, "{\"sku\": \"B\"}");
    assert_eq!(answer, (202, json!({ "signal": "two", "new": true })));
    let runs = daemon.until_runs(&["finished", "finished", "finished"]);
    let mut said: Vec<String> = runs.iter().flat_map(|run| logs(&club, run)).collect();
    said.sort();
    assert_eq!(said, ["A 7", "B 1", "got B"]);

    let (code, listed) = daemon.get("/runs?limit=2");
    assert_eq!((code, listed["runs"].as_array().unwrap().len()), (200, 2));
    assert_eq!(daemon.get("/runs?open=true").1["runs"], json!([]));
    let ended = daemon.stop("TERM");
    assert!(ended.stdout.contains("stopped · 0 runs open"), "{}", ended.shown());
    assert_eq!(club.json(&["doctor"], 0)["findings"], json!([]));
}

#[test]
fn requests_that_are_wrong_are_answered_and_change_nothing() {
    let club = club(&[("restock.orch", "campaign restocked on signal stock_in { log sku }")]);
    let daemon = Daemon::start(&club);
    let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
    let own = bearer(&daemon.token);
    let code = |answer: &Answer| answer.1["problems"][0]["code"].as_str().unwrap().to_owned();
    let path = "/signals/stock_in";
    let good = "{\"sku\": \"A\"}";
    let almost = format!("{}x", daemon.token);
    let basic = format!("Authorization: Basic {}\r\n", daemon.token);
    for headers in ["", &bearer(""), &bearer("guess"), &bearer(&almost), &basic, "Authorization: Bearer\r\n"] {
        for (method, path) in [("POST", path), ("GET", "/runs"), ("POST", "/signals/none")] {
            let answer = daemon.request(method, path, headers, good);
            assert_eq!((answer.0, code(&answer).as_str()), (401, "orch::run::bad_token"), "{headers} {path}");
        }
    }
    let long = format!("{{\"sku\": \"{}\"}}", "x".repeat(70_000));
    for (method, path, body, status, problem) in [
        ("POST", path, "{", 400, "bad_request"),
        ("POST", path, "[1]", 400, "bad_request"),
        ("POST", path, "\"A\"", 400, "bad_request"),
        ("POST", path, "\u{0}", 400, "bad_request"),
        ("POST", path, &long, 413, "bad_request"),
        ("POST", path, "", 422, "bad_parameter"),
        ("POST", path, "{\"sku\": 7}", 422, "bad_parameter"),
        ("POST", path, "{\"sku\": null}", 422, "bad_parameter"),
        ("POST", path, "{\"sku\": \"A\", \"quantity\": 1.5}", 422, "bad_parameter"),
        ("POST", path, "{\"sku\": \"A\", \"colour\": \"red\"}", 422, "bad_parameter"),
        ("POST", "/signals/stock_out", good, 404, "unknown_name"),
        ("POST", "/signals/", good, 404, "bad_request"),
        ("POST", "/signals/stock_in?id=", good, 400, "bad_request"),
        ("GET", path, "", 405, "bad_request"),
        ("GET", "/nothing", "", 404, "bad_request"),
        ("GET", "/runs?limit=many", "", 400, "bad_request"),
    ] {
        let answer = daemon.request(method, path, &own, body);
        assert_eq!((answer.0, code(&answer)), (status, format!("orch::run::{problem}")), "{method} {path} {body}");
        assert!(answer.1["problems"][0]["help"].is_string(), "{answer:?}");
    }
    assert_eq!(daemon.post("/signals/stock_in?id=x", good).0, 202);
    assert_eq!(daemon.post("/signals/stock_in?id=x", "{\"sku\": \"B\"}").0, 409);
    assert_eq!(daemon.request("GET", "/health", "", ""), (200, json!({ "status": "ok" })));
    daemon.until_runs(&["finished"]);
    daemon.stop("INT");
}

#[test]
#[cfg(unix)]
fn the_token_is_made_once_and_only_for_its_owner() {
    use std::os::unix::fs::PermissionsExt;
    let club = club(&[]);
    let daemon = Daemon::start(&club);
    let path = club.path(".orch/dev/serve.token");
    let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    let first = daemon.token.clone();
    assert!(first.len() >= 32, "nobody guesses it");
    daemon.stop("TERM");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let daemon = Daemon::start(&club);
    assert_eq!((daemon.token.clone(), mode()), (first, 0o600));
    daemon.stop("TERM");

    // One from the manifest, which must be something.
    club.write("orch.toml", club.read("orch.toml") + "[serve]\ntoken = { file = \"token.txt\" }\n");
    club.write("token.txt", "\n");
    let refused = club.orch(&["serve", "--listen", "127.0.0.1:0"]).expect(2);
    assert!(refused.stderr.contains("the token of `[serve]` is empty"), "{}", refused.shown());
    club.write("token.txt", "mine\n");
    let mut running = club.start(&["serve", "--listen", "127.0.0.1:0"]);
    let line = running.says("serving on http://");
    assert!(line.contains("token of orch.toml") && !line.contains("mine"), "{line}");
    let address = line.split("http://").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let daemon = Daemon { project: &club, running, address, token: "mine".into() };
    assert_eq!(daemon.get("/runs").0, 200);
    daemon.stop("TERM");
}

#[test]
fn other_commands_work_while_a_daemon_holds_the_state() {
    let club = club(&[
        ("log.orch", "log \"a\""),
        ("slow.orch", "log \"before\"\nwait 2d\nlog \"after\""),
        ("ask.orch", "approve \"go?\" by \"boss\" within 1d else { stop \"no\" }\nlog \"approved\""),
        ("all.orch", "send email hello to people"),
    ]);
    let daemon = Daemon::start(&club);
    // A run to its end, one that is left at its wait, one that a person answers.
    let ran = club.done(&["run", "log.orch"]);
    assert!(ran.stdout.contains("log") && ran.stdout.ends_with("finished\n"), "{}", ran.shown());
    let sent = club.done(&["run", "all.orch"]);
    assert!(sent.stdout.contains("3 sent · 3 excluded · 0 failed"), "{}", sent.shown());
    assert!(sent.stdout.ends_with("finished · 6 = 3 sent + 3 excluded\n"), "{}", sent.shown());
    assert_eq!(club.json(&["run", "all.orch"], 0)["sends"][0]["sent"], 3);
    let left = club.orch(&["run", "slow.orch", "--detach"]).expect(4);
    assert!(left.stdout.contains("waiting until"), "{}", left.shown());
    let slow = club.run_name();
    let mut asking = club.start(&["run", "ask.orch"]);
    asking.says("approve");
    let ask = club.run_name();
    club.done(&["approve", &ask, "--by", "ann"]);
    let approved = asking.end(&club).expect(0);
    assert!(approved.stdout.ends_with("finished\n"), "{}", approved.shown());
    // On a clock of its own.
    let jumped = club.done(&["run", "slow.orch", "--fast-forward"]);
    assert!(jumped.stdout.ends_with("finished\n"), "{}", jumped.shown());

    let status = |run: &str| club.json(&["show", run], 0)["status"].clone();
    club.done(&["pause", &slow, "--reason", "wrong price"]);
    until("it is held", || (status(&slow) == "paused").then_some(()));
    let resumed = club.orch(&["resume", &slow, "--detach"]).expect(4);
    assert!(resumed.stdout.contains("waiting until"), "{}", resumed.shown());
    club.done(&["stop", &slow]);
    until("it is stopped", || (status(&slow) == "stopped").then_some(()));

    // Watching ends, the run goes on.
    let mut watching = club.start(&["run", "slow.orch"]);
    watching.says("wait 2d");
    watching.signal("INT");
    let ended = watching.end(&club).expect(4);
    assert!(ended.stdout.contains("it goes on in process"), "{}", ended.shown());
    assert_eq!(club.json(&["doctor"], 0)["findings"], json!([]));
    daemon.stop("TERM");
}

#[test]
fn everything_can_be_paused_and_goes_on() {
    let club = club(&[
        ("restock.orch", "campaign restocked on signal stock_in overlap allow { log sku }"),
        ("ask.orch", "approve \"go?\"\nlog \"approved\""),
    ]);
    let daemon = Daemon::start(&club);
    club.orch(&["run", "ask.orch", "--detach"]).expect(4);
    let ask = club.run_name();
    let paused = club.done(&["pause", "--all", "--reason", "stocktaking"]);
    assert!(paused.stdout.contains("nothing starts or goes on"), "{}", paused.shown());
    assert_eq!(daemon.get("/health").1, json!({ "status": "paused" }));
    // What arrives is kept.
    assert_eq!(daemon.post("/signals/stock_in", "{\"sku\": \"A\"}").0, 202);
    club.done(&["approve", &ask, "--by", "ann"]);
    for arguments in [&["run", "ask.orch"][..], &["resume", &ask]] {
        let refused = club.orch(arguments).expect(2);
        assert!(refused.stderr.contains("run::all_paused]: everything is paused: stocktaking"), "{}", refused.shown());
    }
    daemon.stop("TERM");
    // It lasts.
    let daemon = Daemon::start(&club);
    let shown = club.done(&["runs"]).stdout;
    assert!(shown.contains("everything is paused: stocktaking"), "{shown}");
    assert_eq!(club.json(&["runs"], 0)["paused"]["reason"], "stocktaking");
    daemon.until_runs(&["waiting"]);
    club.done(&["resume", "--all"]);
    daemon.until_runs(&["finished", "finished"]);
    assert_eq!(club.json(&["runs"], 0)["paused"], Value::Null);
    daemon.stop("TERM");
    // Without a daemon, too.
    club.done(&["pause", "--all"]);
    club.orch(&["run", "ask.orch"]).expect(2);
    club.done(&["resume", "--all"]);
    club.orch(&["run", "ask.orch", "--detach"]).expect(4);
}

#[test]
fn a_daemon_killed_at_any_moment_starts_nothing_twice_and_loses_nothing() {
    let club = club(&[(
        "restock.orch",
        "campaign restocked on signal stock_in overlap allow { send email hello to people; log sku }",
    )]);
    let mut delivered = 0;
    for round in 0..6 {
        let daemon = Daemon::start(&club);
        for n in 0..4 {
            let body = format!("{{\"sku\": \"{round}-{n}\"}}");
            assert_eq!(daemon.post(&format!("/signals/stock_in?id={round}-{n}"), &body).0, 202);
            delivered += 1;
        }
        // Somewhere between the first start and the last message.
        until("a run has begun", || {
            let runs = club.json(&["runs", "--limit", "100"], 0)["runs"].as_array().unwrap().len();
            (runs > delivered - 4 + round % 4).then_some(())
        });
        daemon.running.kill();
    }
    let daemon = Daemon::start(&club);
    let runs = until("every run has finished", || {
        let runs = club.json(&["runs", "--limit", "100"], 0)["runs"].as_array().unwrap().clone();
        let finished = runs.iter().filter(|run| run["status"] == "finished").count();
        (finished == delivered).then_some(runs)
    });
    daemon.stop("TERM");
    let mut said: Vec<String> = runs.iter().flat_map(|run| logs(&club, run)).collect();
    said.sort();
    let mut expected: Vec<String> = (0..6).flat_map(|round| (0..4).map(move |n| format!("{round}-{n}"))).collect();
    expected.sort();
    assert_eq!(said, expected, "each signal started one run");
    assert_eq!(club.outbox().len(), 3 * delivered, "each run wrote to three people, once");
    assert_eq!(club.json(&["doctor"], 0)["findings"], json!([]));
}

#[test]
fn two_runs_in_two_terminals_and_the_second_outlives_the_first() {
    let club = club(&[("ask.orch", "approve \"go?\"\nlog \"approved\"")]);
    let mut first = club.start(&["run", "ask.orch"]);
    first.says("waiting");
    let one = club.run_name();
    let mut second = club.start(&["run", "ask.orch"]);
    second.says("waiting");
    let two = club.json(&["runs"], 0)["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["run"].as_str().unwrap().to_owned())
        .find(|run| *run != one)
        .unwrap();
    let mut third = club.start(&["run", "ask.orch"]);
    third.says("waiting");
    club.done(&["approve", &one, "--by", "ann"]);
    first.end(&club).expect(0);
    // Whoever is left drives what is left.
    club.done(&["approve", &two, "--by", "ann"]);
    let ended = second.end(&club).expect(0);
    assert!(ended.stdout.ends_with("finished\n"), "{}", ended.shown());
    let last = club.json(&["runs", "--open"], 0)["runs"][0]["run"].as_str().unwrap().to_owned();
    club.done(&["approve", &last, "--by", "ann"]);
    third.end(&club).expect(0);
    assert_eq!(club.json(&["doctor"], 0)["findings"], json!([]));
}

#[test]
fn a_stopped_daemon_awaits_what_is_in_the_air() {
    let crowd = Project::crowd(20_000).with("all.orch", "send email hello to people");
    let daemon = Daemon::start(&crowd);
    let watching = crowd.start(&["run", "all.orch"]);
    until("messages appear", || (crowd.outbox().len() > 100).then_some(()));
    let run = crowd.run_name();
    // Nobody takes the run over while we look.
    watching.signal("INT");
    watching.end(&crowd).expect(4);
    let ended = daemon.stop("TERM");
    assert!(ended.stdout.contains("stopped · 1 run open"), "{}", ended.shown());
    let tally = crate::project::balanced(&crowd.json(&["show", &run], 0)["sends"][0]);
    assert_eq!(tally.sent as usize, crowd.outbox().len(), "what was in the air was awaited");
    assert!(tally.due > 0 && tally.unknown == 0, "{tally:?}");
    let daemon = Daemon::start(&crowd);
    daemon.until_runs(&["finished"]);
    daemon.stop("TERM");
    assert_eq!(crowd.outbox().len(), 20_000);
}

#[test]
fn overlap_holds_for_runs_that_are_started_by_hand() {
    let body = "{ approve \"go?\"; log sku }";
    let header = |rule: &str| format!("campaign restocked on signal stock_in {rule} {body}");
    let club = club(&[("restock.orch", &header("overlap queue by sku"))]);
    let start =
        |sku: &str, more: &[&str]| club.orch(&[&["run", "restock.orch", "--detach", "--param", sku], more].concat());
    start("sku=A", &[]).expect(4);
    let refused = start("sku=A", &[]).expect(2);
    assert!(
        refused.stderr.contains("run::still_going]: an earlier run of `restocked` is still going"),
        "{}",
        refused.shown()
    );
    start("sku=B", &[]).expect(4);
    start("sku=A", &["--beside"]).expect(4);
    assert_eq!(club.json(&["runs", "--open"], 0)["runs"].as_array().unwrap().len(), 3);
}

#[test]
fn what_starts_next_is_shown_without_starting_it() {
    let club = club(&[
        ("digest.orch", "campaign digest every monday at 09:00 { log \"a\" }"),
        ("restock.orch", "campaign restocked on signal stock_in { log sku }"),
    ]);
    let shown = club.done(&["serve", "--dry-run"]).stdout;
    assert!(
        shown.contains("digest · every monday at 09:00\n  Mon ") && shown.contains("restocked · on signal stock_in"),
        "{shown}"
    );
    let planned = club.json(&["serve", "--dry-run"], 0);
    assert_eq!(planned["scheduled"][0]["next"].as_array().unwrap().len(), 5);
    assert!(!club.path(".orch").exists(), "nothing was begun");
    club.done(&["serve", "--once"]);
    let listed = club.json(&["runs"], 0);
    assert_eq!(listed["scheduled"][0]["campaign"], "digest");
    assert_eq!(listed["scheduled"][0]["next"], planned["scheduled"][0]["next"][0]);
    assert_eq!(listed["scheduled"][1]["signal"], "stock_in");
    let shown = club.done(&["runs"]).stdout;
    assert!(shown.contains("digest") && shown.contains("every monday at 09:00") && shown.contains("Mon "), "{shown}");
}

#[test]
fn served_once_what_is_due_is_done_and_the_rest_is_left() {
    let club = club(&[(
        "restock.orch",
        "campaign restocked on signal stock_in overlap allow { log sku; wait 2d; log \"later\" }",
    )]);
    let told = club.done(&["signal", "stock_in", "sku=A"]);
    assert!(told.stderr.contains("`orch serve`"), "{}", told.shown());
    let ended = club.done(&["serve", "--once"]);
    assert!(ended.stdout.contains("started · signal"), "{}", ended.shown());
    let runs = club.json(&["runs"], 0);
    assert_eq!(runs["runs"][0]["status"], "waiting");
    assert_eq!(logs(&club, &runs["runs"][0]), ["A"]);
}

#[test]
fn a_campaign_in_a_file_that_others_use_is_one() {
    let club = club(&[
        ("lib.orch", "define rich = people where spend > 500\ncampaign digest every monday at 09:00 { log \"a\" }"),
        ("user.orch", "use \"lib.orch\"\ncampaign other every tuesday at 09:00 { log \"{count(rich)}\" }"),
    ]);
    let planned = club.json(&["serve", "--dry-run"], 0);
    let found: Vec<&str> =
        planned["scheduled"].as_array().unwrap().iter().map(|one| one["campaign"].as_str().unwrap()).collect();
    assert_eq!(found, ["digest", "other"]);
}

#[test]
fn addresses_that_cannot_be_listened_at() {
    let club = club(&[]);
    for address in ["localhost", "127.0.0.1", "8080", "192.0.2.1:80"] {
        let refused = club.orch(&["serve", "--listen", address]).expect(2);
        assert!(refused.stderr.contains("run::cannot_listen"), "{}", refused.shown());
    }
    let daemon = Daemon::start(&club);
    let other = crate::project::Project::club();
    let refused = other.orch(&["serve", "--listen", &daemon.address]).expect(2);
    assert!(refused.stderr.contains("run::cannot_listen"), "{}", refused.shown());
    daemon.stop("TERM");
}
