//! Rules about when and how often people are written to: policies, and the options of a send.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Unit};
use serde_json::Value;

use crate::project::Project;

const SEND: &str = "send email hello to people";

fn club(script: &str) -> Project {
    Project::club().with("main.orch", script)
}

/// The JSON of the first send of a run that ends well.
fn first_send(project: &Project, arguments: &[&str]) -> Value {
    project.json(arguments, 0)["sends"][0].clone()
}

/// When the messages in the outbox went out, in order.
fn dates(project: &Project) -> Vec<Timestamp> {
    let date = |text: &String| {
        let line = text.lines().find_map(|line| line.strip_prefix("Date: ")).expect("a message has a date");
        jiff::fmt::rfc2822::parse(line.trim()).unwrap().timestamp()
    };
    let mut all: Vec<Timestamp> = project.messages().iter().map(date).collect();
    all.sort();
    all
}

/// A span of the day in UTC that begins so many hours from now and is over after so many more.
fn span(begins: i64, lasts: i64) -> (Time, String) {
    let time = |hours: i64| {
        let at = Timestamp::now().checked_add(SignedDuration::from_hours(hours)).unwrap();
        TimeZone::UTC.to_datetime(at.round(Unit::Minute).unwrap()).time()
    };
    let (from, to) = (time(begins), time(begins + lasts));
    (from, format!("{} to {} in \"UTC\"", from.strftime("%H:%M"), to.strftime("%H:%M")))
}

#[test]
fn messages_wait_for_their_window() {
    let (from, window) = span(2, 1);
    let scripts =
        [format!("{SEND} {{ window: {window} }}\n"), format!("policy marketing {{ window email {window} }}\n{SEND}\n")];
    for script in scripts {
        let project = club(&script);
        let waiting = project.json(&["run", "main.orch", "--detach"], 4);
        assert_eq!((&waiting["status"], &waiting["sends"][0]["due"]), (&"waiting".into(), &3.into()), "{script}");
        assert!(project.outbox().is_empty());
        // Nothing of it is forgotten, and each goes out once.
        project.orch(&["resume", &project.run_name(), "--fast-forward"]).expect(0);
        assert_eq!(project.recipients(), ["ann@shop.test", "bob@shop.test", "zoe@shop.test"], "{script}");
        for date in dates(&project) {
            assert_eq!(TimeZone::UTC.to_datetime(date).time(), from, "{script}");
        }
    }
}

#[test]
fn quiet_hours_hold_or_drop() {
    let (_, quiet) = span(-1, 4);
    let held = club(&format!("policy marketing {{ quiet any {quiet} }}\n{SEND}\n"));
    assert_eq!(held.json(&["run", "main.orch", "--detach"], 4)["sends"][0]["due"], 3);
    let dropped = club(&format!("policy marketing {{ quiet email {quiet} drop }}\n{SEND}\n"));
    let send = first_send(&dropped, &["run", "main.orch"]);
    assert_eq!((&send["sent"], &send["excluded"]["quiet_hours"]), (&0.into(), &3.into()));
    let other = club(&format!("policy marketing {{ quiet sms {quiet} }}\n{SEND}\n"));
    assert_eq!(first_send(&other, &["run", "main.orch"])["sent"], 3);
    let transactional =
        club(&format!("policy marketing {{ quiet any {quiet} }}\n{SEND} {{ policy: transactional }}\n"));
    assert_eq!(first_send(&transactional, &["run", "main.orch"])["sent"], 3);
}

#[test]
fn a_policy_has_the_rules_of_the_one_it_extends() {
    let base = "policy mild { holdout 100% }\npolicy wild extends mild { cap email 9 per 1d }\n";
    let named = club(&format!("{base}{SEND} {{ policy: wild }}\n"));
    assert_eq!(first_send(&named, &["run", "main.orch"])["excluded"]["holdout"], 3);
    let unnamed = club(&format!("{base}{SEND}\n"));
    assert_eq!(first_send(&unnamed, &["run", "main.orch"])["sent"], 3, "only `marketing` needs no naming");
}

#[test]
fn the_same_people_are_held_out_for_a_seed() {
    let held_out = |seed: &str| {
        let script = format!("policy marketing {{ holdout 40% seed \"{seed}\" }}\n{SEND}\n");
        let project = Project::crowd(500).with("main.orch", &script);
        let send = first_send(&project, &["run", "main.orch"]);
        let out = send["excluded"]["holdout"].as_u64().unwrap();
        assert!((150..250).contains(&out), "{out} of 500");
        assert_eq!(send["sent"].as_u64().unwrap() + out, 500);
        project.recipients()
    };
    let (one, again, other) = (held_out("2026"), held_out("2026"), held_out("2027"));
    assert_eq!(one, again);
    assert_ne!(one, other);
}

#[test]
fn caps_count_messages_of_all_real_runs() {
    let policy = "policy marketing { cap email 1 per 7d }\n";
    let project = club(&format!("{policy}{SEND} as first\n{SEND} {{ policy: transactional }} as second\n"));
    // What happens on a virtual clock reaches no cap.
    assert_eq!(first_send(&project, &["run", "main.orch", "--fast-forward"])["sent"], 3);
    let run = project.json(&["run", "main.orch"], 0);
    assert_eq!(run["sends"][0]["sent"], 3);
    assert_eq!(run["sends"][1]["sent"], 3, "a transactional message is never capped");
    let run = project.json(&["run", "main.orch"], 0);
    assert_eq!(run["sends"][0]["excluded"]["capped"], 3);
    // A rehearsal knows what was sent.
    assert_eq!(first_send(&project, &["plan", "main.orch"])["excluded"]["capped"], 3);
    assert_eq!(project.recipients().len(), 15);
}

#[test]
fn transactional_messages_do_not_count() {
    let project = club(&format!(
        "policy marketing {{ cap any 1 per 7d }}\n{SEND} {{ policy: transactional }} as first\n{SEND} as second\n"
    ));
    let run = project.json(&["run", "main.orch"], 0);
    assert_eq!((&run["sends"][0]["sent"], &run["sends"][1]["sent"]), (&3.into(), &3.into()));
}

#[test]
fn a_cap_is_a_rolling_window() {
    let script = format!(
        "policy marketing {{ cap email 2 per 7d }}\n{SEND} as a\nwait 3d\n{SEND} as b\nwait 3d\n{SEND} as c\nwait 2d\n{SEND} as d\n"
    );
    let run = club(&script).json(&["run", "main.orch", "--fast-forward"], 0);
    let sent: Vec<&Value> = (0..4).map(|at| &run["sends"][at]["sent"]).collect();
    assert_eq!(sent, [3, 3, 0, 3], "the first is older than a week when the fourth goes out");
}

#[test]
fn branches_cannot_pass_a_cap_together() {
    let branch = |name: &str| format!("branch \"{name}\" {{ {SEND} as {name} }}");
    let script = format!("policy marketing {{ cap any 1 per 1d }}\nparallel {{ {}\n{} }}\n", branch("a"), branch("b"));
    let run = club(&script).json(&["run", "main.orch"], 0);
    assert_eq!(run["sends"][0]["sent"], 3);
    assert_eq!(run["sends"][1]["excluded"]["capped"], 3);
}

#[test]
fn a_cap_counts_the_profile_and_not_the_row() {
    let schema = format!(
        "{}\n{}",
        crate::project::SCHEMA,
        "entity orders from \"orders.csv\" { id: int key; person_id: int; who: one people by person_id }\n"
    );
    let project = club(
        "policy marketing { cap email 2 per 1d }
message email receipt of orders { subject: \"order {id}\"; text: \"x\"; topic: news }
send email receipt to orders { profile: who }
",
    );
    let project = project.with("schema.orch", &schema).with("orders.csv", "id,person_id\n1,1\n2,1\n3,1\n4,2\n5,1\n");
    let send = first_send(&project, &["run", "main.orch"]);
    assert_eq!((&send["sent"], &send["excluded"]["capped"]), (&3.into(), &2.into()));
    assert_eq!(project.recipients(), ["ann@shop.test", "ann@shop.test", "bob@shop.test"]);
}

#[test]
fn one_message_for_each_address() {
    let people = "id,email,name,spend,joined,opt_in\n1,ann@shop.test,Ann,1,2024-01-02,true\n2,Ann@Shop.test,Anne,1,2024-01-02,true\n3,bob@shop.test,Bob,1,2024-01-02,true\n";
    let project = club(&format!("{SEND} {{ unique_address: true }}\n")).with("people.csv", people);
    let send = first_send(&project, &["run", "main.orch"]);
    assert_eq!((&send["sent"], &send["excluded"]["duplicate_address"]), (&2.into(), &1.into()));
    assert_eq!(project.recipients(), ["ann@shop.test", "bob@shop.test"], "the first row keeps it");
}

const ZONED: &str =
    "entity people from \"people.csv\" { id: int key; email: email; zone: timezone?; starts: timestamp? }
topic news \"News\"
message email hello of people { subject: \"Hi {id}\"; text: \"x\"; topic: news }
";

fn zoned(script: &str, rows: &str) -> Project {
    club(script).with("schema.orch", ZONED).with("people.csv", &format!("id,email,zone,starts\n{rows}"))
}

#[test]
fn everybody_gets_it_at_nine_by_their_own_clock() {
    let rows = "1,a@shop.test,Asia/Tokyo,\n2,b@shop.test,America/New_York,\n3,c@shop.test,,\n";
    let project = zoned(&format!("{SEND} {{ at: 09:00 local }}\n"), rows);
    let send = first_send(&project, &["run", "main.orch", "--fast-forward"]);
    assert_eq!((&send["sent"], &send["late"]), (&3.into(), &0.into()));
    let mut hours: Vec<i8> = dates(&project)
        .into_iter()
        .map(|date| {
            assert_eq!(date.as_second() % 3600, 0);
            TimeZone::UTC.to_datetime(date).hour()
        })
        .collect();
    hours.sort();
    let new_york = TimeZone::get("America/New_York").unwrap();
    let summer = new_york.to_offset(dates(&project)[0]).seconds() == -4 * 3600;
    assert_eq!(hours, [0, 9, if summer { 13 } else { 14 }], "Tokyo, the campaign's UTC, New York");
}

#[test]
fn a_moment_of_the_row() {
    let soon = Timestamp::now().checked_add(SignedDuration::from_hours(30)).unwrap().round(Unit::Minute).unwrap();
    let rows = format!("1,a@shop.test,,{soon}\n2,b@shop.test,,2020-01-01T00:00:00Z\n3,c@shop.test,,\n");
    let project = zoned(&format!("{SEND} {{ at: starts - 24h }}\n"), &rows);
    let send = first_send(&project, &["run", "main.orch", "--fast-forward"]);
    assert_eq!((&send["sent"], &send["late"], &send["excluded"]["no_moment"]), (&2.into(), &1.into(), &1.into()));
    assert_eq!(dates(&project)[1], soon.checked_sub(SignedDuration::from_hours(24)).unwrap());
    let project = zoned(&format!("{SEND} {{ at: starts - 24h, late: skip }}\n"), &rows);
    let send = first_send(&project, &["run", "main.orch", "--fast-forward"]);
    assert_eq!((&send["sent"], &send["excluded"]["late"]), (&1.into(), &1.into()));
}

#[test]
fn a_send_has_a_rate_of_its_own() {
    let apart = |rate: &str| {
        let project = Project::crowd(5).with("main.orch", &format!("{SEND} {{ rate: {rate} }}\n"));
        assert_eq!(first_send(&project, &["run", "main.orch", "--fast-forward"])["sent"], 5);
        let dates = dates(&project);
        dates[4].duration_since(dates[0]).as_secs()
    };
    assert_eq!(apart("30 per 1min"), 8, "one every two seconds");
    let spread = apart("2 per 1h");
    assert!((7200..7500).contains(&spread), "one every half hour took {spread} s");
}

#[test]
fn a_send_that_is_taken_up_early_keeps_its_rate() {
    let project = Project::crowd(3).with("main.orch", &format!("{SEND} {{ rate: 1 per 2h }}\n"));
    assert_eq!(project.json(&["run", "main.orch", "--detach"], 4)["sends"][0]["sent"], 1);
    let run = project.run_name();
    project.done(&["pause", &run]);
    assert_eq!(project.json(&["resume", &run, "--detach"], 4)["sends"][0]["sent"], 1, "its two hours are not over");
    assert_eq!(project.outbox().len(), 1);
}

#[test]
fn a_send_stops_when_what_it_requires_does_not_hold() {
    let script = format!("{SEND} {{ require: count(d.sent) < 2500 }} as d\n");
    let project = Project::crowd(6000).with("main.orch", &script);
    let ended = project.orch(&["run", "main.orch", "--yes"]).expect(3);
    assert!(ended.stderr.contains("run::required"), "{}", ended.shown());
    let run = project.json(&["show", &project.run_name()], 0);
    let (sent, due) = (run["sends"][0]["sent"].as_u64().unwrap(), run["sends"][0]["due"].as_u64().unwrap());
    assert_eq!(run["status"], "paused");
    assert!((2500..6000).contains(&sent), "{sent} went out before it was noticed");
    assert_eq!(sent + due, 6000);
    // To resume looks again, before anything is sent.
    project.orch(&["resume", &project.run_name()]).expect(3);
    assert_eq!(project.outbox().len() as u64, sent);
    let fine = club(&format!("{SEND} {{ require: count(d.failed) <= 1% * count(d.sent) }} as d\n"));
    assert_eq!(first_send(&fine, &["run", "main.orch"])["sent"], 3);
    let at_its_end = club(&format!("{SEND} {{ require: count(d.sent) > 3 }} as d\n"));
    at_its_end.orch(&["run", "main.orch"]).expect(3);
    assert_eq!(at_its_end.outbox().len(), 3);
}

#[test]
fn a_preheader_is_hidden_text_at_the_beginning() {
    let message = "message email note of people { subject: \"a\"; preheader: \"{name} <3\"; html: \"<html><body><p>b</p></body></html>\"; topic: news }\n";
    let project = club(&format!("{message}send email note to people\n"));
    project.done(&["run", "main.orch"]);
    let ann = project.messages().into_iter().find(|text| text.contains("To: ann@")).unwrap().replace("=\r\n", "");
    assert!(ann.contains("mso-hide:all") && ann.contains(">Ann &lt;3</div><p>b</p>"), "{ann}");
}
