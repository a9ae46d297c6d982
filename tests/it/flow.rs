//! Every flow statement that waits, loops, divides or asks, run by the real binary on a clock that jumps.

use serde_json::Value;

use crate::project::{Project, balanced, until};

/// Runs a script to its end and gives what its `log` statements said, in order.
fn logs(project: &Project, script: &str) -> Vec<String> {
    project.write("flow.orch", script);
    let run = project.json(&["run", "flow.orch", "--fast-forward"], 0);
    assert_eq!(run["status"], "finished", "{run}");
    // Whatever a run went through, its journal leads to where it stands.
    project.done(&["doctor"]);
    let steps = run["steps"].as_array().unwrap().clone();
    let said = |step: &Value| (step["kind"] == "log").then(|| step["note"].as_str().unwrap().to_string());
    steps.iter().filter_map(said).collect()
}

/// The only step of a kind.
fn step<'r>(run: &'r Value, kind: &str) -> &'r Value {
    run["steps"].as_array().unwrap().iter().find(|step| step["kind"] == kind).unwrap()
}

#[test]
fn a_split_divides_what_conditions_leave() {
    let crowd = Project::crowd(101);
    crowd.write(
        "split.orch",
        "split people into {
           rich: where spend >= 90 limit 5 by spend desc
           a: 50%
           b: 50%
         } seed \"x\"
         log \"{count(rich)} {count(a)} {count(b)}\"
         log \"{count(rich intersect a)} {count(a intersect b)}\"
         log \"{min(spend of rich)}\"",
    );
    let run = crowd.json(&["run", "split.orch", "--fast-forward"], 0);
    let notes: Vec<&str> = run["steps"].as_array().unwrap().iter().filter_map(|step| step["note"].as_str()).collect();
    assert_eq!(notes[1..], ["5 48 48", "0 0", "97.00"], "{run}");
    let split = step(&run, "split");
    assert_eq!((&split["rows_in"], &split["rows_out"]), (&101.into(), &101.into()));
    // The same seed divides the same way, on any machine: these are the first keys of arm a.
    let first = crowd.json(&["plan", "split.orch"], 0);
    assert_eq!(step(&first, "split")["note"], split["note"]);
}

#[test]
fn a_remainder_is_reported_and_overlapping_arms_share_rows() {
    let club = Project::club();
    let said = logs(
        &club,
        "split people into { one: limit 1 by spend desc; two: 40% }
         split people overlapping into { rich: where spend > 500; gone: where opt_in = false; rest: otherwise }
         log \"{count(one)} {count(two)}\"
         log \"{count(rich)} {count(gone)} {count(rest)}\"",
    );
    assert_eq!(said, ["1 2", "5 1 1"]);
    let run = club.json(&["runs"], 0)["runs"][0]["run"].as_str().unwrap().to_string();
    let run = club.json(&["show", &run], 0);
    assert_eq!(step(&run, "split")["dropped"], serde_json::json!({ "remainder": 3 }));
}

#[test]
fn loops_bind_anew_and_branches_join() {
    let club = Project::club();
    let said = logs(
        &club,
        "for least in [500, 800] {
           segment rich = people where spend > least
           log \"{least}: {count(rich)}\"
         }
         repeat 5 times every 7d until 1 = 2 { log \"turn {today()}\" }
         parallel {
           branch \"slow\" { wait 2d; log \"slow\" }
           branch \"fast\" { wait 1d; log \"fast\" }
         }
         log \"joined\"",
    );
    assert_eq!(said[..2], ["500: 5", "800: 1"]);
    let days: Vec<jiff::civil::Date> =
        said[2..7].iter().map(|line| line.strip_prefix("turn ").unwrap().parse().unwrap()).collect();
    for pair in days.windows(2) {
        assert_eq!((pair[1] - pair[0]).get_days(), 7, "{days:?}");
    }
    assert_eq!(said[7..], ["fast", "slow", "joined"]);
}

#[test]
fn a_row_is_sent_to_once_per_turn() {
    let club = Project::club();
    club.write("turns.orch", "segment rich = people where spend > 600\nrepeat 3 times { send email hello to rich }");
    let run = club.json(&["run", "turns.orch", "--fast-forward"], 0);
    let sends = run["sends"].as_array().unwrap();
    assert_eq!(sends.len(), 3);
    assert!(sends.iter().all(|send| balanced(send).sent == 2), "{run}");
    assert_eq!(club.outbox().len(), 6, "each turn has keys of its own");
}

#[test]
fn the_arm_whose_condition_holds_is_taken() {
    let club = Project::club();
    let said = logs(
        &club,
        "let n = count(people where spend > 500)
         if n > 100 { log \"many\" } else if n > 4 { log \"some\" } else { log \"few\" }
         if n > 100 { log \"many\" }
         log \"after\"",
    );
    assert_eq!(said, ["some", "after"]);
}

#[test]
fn moments_and_conditions_are_waited_for() {
    let club = Project::club();
    let said = logs(
        &club,
        "wait until monday at 09:00
         log \"{now()}\"
         wait until 2020-01-01T00:00
         log \"{now()}\"
         wait until count(people) > 100 within 3d else { log \"never\" }
         log \"{now()}\"
         wait until count(people) > 1 within 3d else { log \"never\" }
         log \"{now()}\"",
    );
    let at = |text: &str| -> jiff::civil::DateTime { text.replace(' ', "T").parse().unwrap() };
    assert_eq!((at(&said[0]).weekday(), at(&said[0]).hour()), (jiff::civil::Weekday::Monday, 9));
    assert_eq!(said[1], said[0], "a past moment does not wait");
    assert_eq!(said[2], "never");
    assert_eq!((at(&said[3]) - at(&said[0])).get_days(), 3);
    assert_eq!(said[4], said[3], "what holds is not waited for");
}

#[test]
fn a_person_decides_from_another_process() {
    let club = Project::club();
    club.write(
        "ask.orch",
        "approve \"send to {count(people)}?\" by \"manager\" within 1d else { stop \"refused\" }
         task \"print\" for \"printer\" within 1d else { fail \"not printed\" }
         log \"both\"",
    );
    let mut running = club.start(&["run", "ask.orch"]);
    let open = |kind: &str| {
        let tasks = club.json(&["tasks"], 0)["tasks"].clone();
        let task = tasks.as_array().unwrap().iter().find(|task| task["kind"] == kind).cloned();
        task.map(|task| task["run"].as_str().unwrap().to_string())
    };
    let run = until("the decision is asked", || open("approve"));
    club.orch(&["done", &run]).expect(2);
    club.done(&["approve", &run, "--by", "ann"]);
    until("the task is asked", || open("task"));
    club.done(&["done", &run, "--by", "bob"]);
    until("the run goes on to its end", || running.has_ended().then_some(()));
    let shown = club.json(&["show", &run], 0);
    assert_eq!((&shown["status"], &step(&shown, "log")["note"]), (&"finished".into(), &"both".into()));
    assert_eq!(step(&shown, "approve")["note"], "approved by ann");
    assert!(club.json(&["tasks"], 0)["tasks"].as_array().unwrap().is_empty());
}

#[test]
fn a_refusal_takes_the_else_and_answers_wait_for_a_driver() {
    let club = Project::club().with("ask.orch", "approve \"send?\" by \"boss\" within 1d else { stop \"refused\" }");
    club.orch(&["run", "ask.orch", "--detach"]).expect(4);
    let run = club.run_name();
    club.done(&["reject", &run, "--by", "ann"]);
    assert_eq!(club.json(&["show", &run], 0)["status"], "waiting", "nobody drives it yet");
    club.done(&["resume", &run]);
    let shown = club.json(&["show", &run], 0);
    assert_eq!((&shown["status"], &shown["reason"]), (&"stopped".into(), &"refused".into()));
}

#[test]
fn a_signal_is_taken_once_and_may_come_before_it_is_waited_for() {
    let script = "wait for signal stock_in as s where s.sku = \"A\" within 7d else { stop \"nothing came\" }
        log \"{s.quantity}\"
        wait for signal stock_in as t within 7d else { stop \"one came\" }
        log \"second\"";
    let club = Project::club();
    let schema = format!("{}signal stock_in(sku: text, quantity: int)\n", club.read("schema.orch"));
    club.write("schema.orch", schema);
    club.write("ask.orch", script);
    club.orch(&["run", "ask.orch", "--detach"]).expect(4);
    let run = club.run_name();
    let wrong: [(&[&str], &str); 4] = [
        (&["sku=A", "quantity=many"], "`many` is not a value of the field `quantity`"),
        (&["sku=A", "quantty=1"], "did you mean `quantity`?"),
        (&["sku=A"], "add `quantity=VALUE`"),
        (&["sku=A", "quantity=1", "color=red"], "the signal has sku, quantity"),
    ];
    for (values, said) in wrong {
        let refused = club.orch(&[&["signal", "stock_in"], values].concat()).expect(2);
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
    }
    let unknown = club.orch(&["signal", "stok_in", "sku=A", "quantity=1"]).expect(2);
    assert!(unknown.stderr.contains("did you mean `stock_in`?"), "{}", unknown.stderr);
    club.done(&["signal", "stock_in", "sku=B", "quantity=1"]);
    club.done(&["signal", "stock_in", "sku=A", "quantity=40", "--id", "delivery-7"]);
    club.done(&["signal", "stock_in", "sku=A", "quantity=40", "--id", "delivery-7"]);
    club.orch(&["resume", &run, "--detach"]);
    let shown = club.json(&["show", &run], 0);
    assert_eq!(step(&shown, "log")["note"], "40", "{shown}");
    // The signal about B is still there for the second wait; the one that was left twice is not.
    assert_eq!(shown["status"], "finished", "{shown}");
}

#[test]
fn a_signal_may_be_declared_in_a_script() {
    let script = "signal stock_in(sku: text, quantity: int = 1)
        wait for signal stock_in as s within 7d else { stop \"nothing\" }
        log \"{s.sku} {s.quantity}\"";
    let club = Project::club().with("flows/ask.orch", script);
    club.orch(&["run", "flows/ask.orch", "--detach"]).expect(4);
    let run = club.run_name();
    club.orch(&["signal", "stock_out", "sku=A"]).expect(2);
    club.done(&["signal", "stock_in", "sku=A"]);
    club.done(&["resume", &run]);
    assert_eq!(step(&club.json(&["show", &run], 0), "log")["note"], "A 1");
}

#[test]
fn what_a_run_waits_for_is_said() {
    let club = Project::club();
    club.write("schema.orch", format!("{}signal stock_in(sku: text)\n", club.read("schema.orch")));
    club.write("ask.orch", "approve \"send?\" by \"manager\" within 1d else { stop \"no\" }\nlog \"x\"");
    club.write("hear.orch", "wait for signal stock_in as s within 7d else { stop \"no\" }\nlog \"{s.sku}\"");
    for (script, said) in [("ask.orch", "asks manager: `orch approve "), ("hear.orch", "signal stock_in")] {
        club.orch(&["run", script, "--detach"]).expect(4);
        let run = club.run_name();
        assert!(club.done(&["runs"]).stdout.contains(said), "{}", club.done(&["runs"]).stdout);
        let shown = club.done(&["show", &run]).stdout;
        assert!(shown.contains(&format!("waiting for: {said}")), "{shown}");
        assert!(club.json(&["show", &run], 0)["waiting_for"].as_str().unwrap().starts_with(said));
    }
}

#[test]
fn resuming_all_leaves_what_a_person_paused_and_survives_what_cannot_go_on() {
    let club = Project::club()
        .with("slow.orch", "wait 2d\nlog \"after\"")
        .with("mail.orch", "approve \"go?\"\nsend email hello to people")
        .with("last.orch", "approve \"go?\" by \"boss\" within 1d else { stop \"no\" }\nlog \"done\"");
    let begin = |script: &str| {
        club.orch(&["run", script, "--detach"]).expect(4);
        club.run_name()
    };
    let (paused, broken, last) = (begin("slow.orch"), begin("mail.orch"), begin("last.orch"));
    club.done(&["pause", &paused]);
    club.done(&["approve", &last, "--by", "ann"]);
    club.done(&["approve", &broken, "--by", "ann"]);
    // A sender is missing.
    let smtp = "[channel.email]\ndriver = \"smtp\"\nurl = \"smtp://mail.shop.test\"\n";
    club.write("orch.toml", club.read("orch.toml") + smtp);
    let all = club.orch(&["resume", "--all"]);
    assert!(all.stderr.contains(&format!("run {paused} stays paused: by hand")), "{}", all.shown());
    assert!(all.stderr.contains(&format!("run {broken} does not go on")), "{}", all.shown());
    let status = |run: &str| club.json(&["show", run], 0)["status"].clone();
    assert_eq!((status(&paused), status(&last)), ("paused".into(), "finished".into()), "{}", all.shown());
}

#[test]
fn a_run_that_is_driven_hears_pause_and_stop() {
    let club = Project::club().with("slow.orch", "wait 2d\nlog \"after\"");
    let mut running = club.start(&["run", "slow.orch"]);
    let run = until("the run has begun", || {
        let runs = club.json(&["runs"], 0);
        runs["runs"].as_array().unwrap().first().map(|run| run["run"].as_str().unwrap().to_string())
    });
    club.done(&["pause", &run, "--reason", "wrong price"]);
    until("it is held", || running.has_ended().then_some(()));
    let shown = club.json(&["show", &run], 0);
    assert_eq!((&shown["status"], &shown["reason"]), (&"paused".into(), &"by hand: wrong price".into()));
    club.orch(&["resume", &run, "--detach"]).expect(4);
    club.done(&["stop", &run, "--reason", "sold out"]);
    assert_eq!(club.json(&["show", &run], 0)["status"], "stopped");
    club.orch(&["resume", &run]).expect(2);
    assert_eq!(club.json(&["doctor"], 0)["findings"], serde_json::json!([]));
}

#[test]
fn many_people_are_written_to_only_after_somebody_said_so() {
    let club = Project::club().with("all.orch", "segment all = people\nsend email hello to all");
    club.write("orch.toml", club.read("orch.toml") + "confirm_above = 3\n");
    club.orch(&["run", "all.orch", "--detach"]).expect(4);
    assert!(club.outbox().is_empty(), "nothing leaves before the answer");
    let run = club.run_name();
    assert_eq!(club.json(&["tasks"], 0)["tasks"][0]["text"], "send email hello to all: 6 people");
    club.done(&["approve", &run, "--by", "ann"]);
    club.done(&["resume", &run]);
    assert_eq!(club.outbox().len(), 3);

    club.orch(&["run", "all.orch", "--detach"]).expect(4);
    let second = club.json(&["runs", "--open"], 0)["runs"][0]["run"].as_str().unwrap().to_string();
    club.done(&["reject", &second, "--by", "ann"]);
    club.done(&["resume", &second]);
    assert_eq!(club.json(&["show", &second], 0)["status"], "stopped");
    assert_eq!(club.outbox().len(), 3);

    club.done(&["run", "all.orch", "--yes"]);
    assert_eq!(club.outbox().len(), 6, "who says yes beforehand is not asked");
}

#[test]
fn a_rehearsal_passes_over_every_wait() {
    let club = Project::club();
    club.write("schema.orch", club.read("schema.orch") + "signal go(n: int)\n");
    club.write(
        "waits.orch",
        "wait for signal go as s within 1d else { log \"nothing came\" }
         wait until count(people) > 100 within 3d else { log \"never\" }
         approve \"all?\" within 1d else { log \"nobody\" }
         repeat 2 times every 7d { log \"turn\" }
         log \"end\"",
    );
    for arguments in [&["plan", "waits.orch"][..], &["plan", "waits.orch", "--simulate"]] {
        let plan = club.json(arguments, 0);
        let said: Vec<&str> = plan["steps"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|step| step["kind"] == "log")
            .filter_map(|step| step["note"].as_str())
            .collect();
        assert_eq!(said, ["nothing came", "never", "turn", "turn", "end"], "{arguments:?}");
    }
}

#[test]
fn a_waiting_run_sends_the_template_it_was_started_with() {
    let club = Project::club();
    let message =
        "message email filed of people { subject: \"Hi\"; html: file \"mail/hi.html\"; text: file \"mail/hi.txt\" }\n";
    club.write("schema.orch", club.read("schema.orch") + message);
    club.write("mail/hi.html", "<p>Old {{ name }}</p>");
    club.write("mail/hi.txt", "Old {{ name }}");
    club.write("hi.orch", "segment one = people where id = 1\nwait 2d\nsend email filed to one");
    club.orch(&["run", "hi.orch", "--detach"]).expect(4);
    let run = club.run_name();
    club.write("mail/hi.html", "<p>New {{ name }}</p>");
    std::fs::remove_file(club.path("mail/hi.txt")).unwrap();
    club.done(&["resume", &run, "--fast-forward"]);
    let sent = club.messages().concat();
    assert!(sent.contains("Old Ann") && sent.contains("<p>Old Ann</p>") && !sent.contains("New Ann"), "{sent}");
    // The next one has what is there now.
    club.write("mail/hi.txt", "New {{ name }}");
    club.done(&["run", "hi.orch", "--fast-forward"]);
    assert!(club.messages().concat().contains("<p>New Ann</p>"));
    assert_ne!(club.json(&["runs"], 0)["runs"][0]["version"], club.json(&["runs"], 0)["runs"][1]["version"]);
}
