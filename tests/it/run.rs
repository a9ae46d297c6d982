//! Programs run by the real binary, as somebody would who has a folder of data and a line of Orch.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::parquet::arrow::ArrowWriter;

use crate::project::{MANIFEST, PEOPLE, Project, SCHEMA, Tally, balanced};

/// The program that everything began with.
const ONE_LINE: &str = "segment vip = people where spend > 500; wait 2d; send email to vip";

#[test]
fn one_line_on_data_of_ones_own() {
    let club = Project::club().with("vip.orch", ONE_LINE);
    let ran = club.done(&["run", "vip.orch", "--fast-forward"]);
    let run = club.run_name();
    assert!(run.starts_with("vip-"));
    let expected = [
        format!("run {run} started · orch show {run}"),
        "segment vip           6 people → 5".into(),
        "wait 2d               until".into(),
        "2 sent · 3 excluded · 0 failed".into(),
        "outbox: .orch/dev/outbox".into(),
        "1 no address · 1 invalid address · 1 no consent".into(),
        "finished · 5 = 2 sent + 3 excluded\n".into(),
    ];
    for text in expected {
        assert!(ran.stdout.contains(&text), "`{text}` is not in\n{}", ran.shown());
    }
    assert!(ran.stderr.contains("lints::placeholder_message"), "the placeholder is not passed over in silence");
    assert_eq!(club.recipients(), ["ann@shop.test", "zoe@shop.test"]);
    assert!(club.messages().iter().all(|text| text.contains("[placeholder] vip")));
}

#[test]
fn the_shop_balances() {
    let shop = Project::shop();
    let ran = shop.json(&["run", "vip.orch", "--fast-forward"], 0);
    let tally = balanced(&ran["sends"][0]);
    assert_eq!((ran["status"].as_str(), tally.due, tally.unknown), (Some("finished"), 0, 0));
    assert!(tally.sent > 500 && tally.excluded > 50, "{tally:?}");
    assert_eq!(shop.outbox().len() as u64, tally.sent, "a file for each message");
    let (segment, send) = (&ran["steps"][0], &ran["sends"][0]);
    assert_eq!((&segment["rows_in"], &segment["rows_out"]), (&5_000.into(), &send["targeted"]));
    // What `show` says later is what `run` said.
    assert_eq!(shop.json(&["show", ran["run"].as_str().unwrap()], 0), ran);
}

#[test]
fn without_a_manifest_and_from_parquet() {
    let rows = RecordBatch::try_from_iter([
        ("id", Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef),
        ("email", Arc::new(StringArray::from(vec![Some("a@shop.test"), None, Some("c@shop.test")])) as ArrayRef),
        ("score", Arc::new(Float64Array::from(vec![0.5, 0.9, 0.7])) as ArrayRef),
    ]);
    let rows = rows.unwrap();
    let project = Project::empty();
    let file = std::fs::File::create(project.path("fans.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, rows.schema(), None).unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
    project.write(
        "fans.orch",
        "entity fans from \"fans.parquet\" { id: int key; email: email?; score: float }\n\
         segment best = fans where score > 0.6\nsend email to best { policy: transactional }\n",
    );
    let ran = project.json(&["run", "fans.orch"], 0);
    let expected = Tally { targeted: 2, sent: 1, excluded: 1, ..Tally::default() };
    assert_eq!(balanced(&ran["sends"][0]), expected);
    assert_eq!(project.recipients(), ["c@shop.test"]);
}

#[test]
fn a_change_to_the_data_during_a_wait_reaches_what_is_read_after_it() {
    let club = Project::club().with("vip.orch", ONE_LINE);
    club.orch(&["run", "vip.orch", "--detach"]).expect(4);
    // Zoë withdraws her consent, Ann has another address, and Bob becomes rich, too late.
    let changed = PEOPLE.replace("ann@", "ann.new@").replace("612.00,2024-02-06,true", "612.00,2024-02-06,false");
    club.write("people.csv", changed.replace("20.00", "9000.00"));
    let resumed = club.json(&["resume", "vip", "--fast-forward"], 0);
    let expected = Tally { targeted: 5, sent: 1, excluded: 4, ..Tally::default() };
    assert_eq!(balanced(&resumed["sends"][0]), expected);
    assert_eq!(club.recipients(), ["ann.new@shop.test"]);
}

#[test]
fn an_edited_script_does_not_change_a_run_in_flight() {
    let club = Project::club().with("vip.orch", ONE_LINE);
    club.orch(&["run", "vip.orch", "--detach"]).expect(4);
    club.write("vip.orch", "segment vip = people where spend > 1; fail \"edited\"");
    club.write("schema.orch", "entity others from \"others.csv\" { id: int key }");
    let resumed = club.json(&["resume", "vip", "--fast-forward"], 0);
    assert_eq!(balanced(&resumed["sends"][0]).sent, 2);
    assert_eq!(resumed["status"], "finished");
}

#[test]
fn other_campaigns_of_one_line() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("send email hello to people", "finished · 6 = 3 sent + 3 excluded", &["ann", "bob", "zoe"]),
        ("send email hello to (people limit 1 by spend desc)", "finished · 1 = 1 sent", &["ann"]),
        (
            "segment rich = people where spend > 700; if count(rich) > 1 { send email hello to rich } else { stop \"few\" }",
            "finished · 2 = 1 sent + 1 excluded",
            &["ann"],
        ),
        (
            "send email hello to (people where name = \"Bob\") as first; wait 3d\n\
             send email hello to (people except first.sent)",
            "finished · 6 = 3 sent + 3 excluded",
            &["ann", "bob", "zoe"],
        ),
        (
            "parallel { branch \"a\" { wait 1d; send email hello to (people where spend > 900) }\n\
             branch \"b\" { send email hello to (people where spend < 100) } }",
            "finished · 2 = 2 sent",
            &["ann", "bob"],
        ),
        ("segment none = people where spend < 0; send email hello to none", "finished · 0 = 0 sent", &[]),
    ];
    for (text, end, names) in cases {
        let club = Project::club().with("it.orch", text);
        let ran = club.done(&["run", "it.orch", "--fast-forward"]);
        assert_eq!(ran.stdout.lines().last(), Some(*end), "{text}\n{}", ran.shown());
        let expected: Vec<String> = names.iter().map(|name| format!("{name}@shop.test")).collect();
        assert_eq!(club.recipients(), expected, "{text}");
        let shown = club.json(&["show", &club.run_name()], 0);
        let sent: u64 = shown["sends"].as_array().unwrap().iter().map(|send| balanced(send).sent).sum();
        assert_eq!(sent as usize, names.len(), "{text}");
    }
}

#[test]
fn a_person_is_followed_through_the_sends() {
    let club = Project::club().with("all.orch", "segment everyone = people\nsend email hello to everyone");
    club.orch(&["run", "all.orch", "--yes"]);
    let run = club.run_name();
    let said = |id: &str| club.done(&["show", &run, "--person", id]).stdout;
    assert!(said("3").contains("excluded: no address"), "{}", said("3"));
    assert!(said("4").contains("excluded: invalid address · "), "{}", said("4"));
    assert!(said("1").contains("to ann@shop.test"), "{}", said("1"));
    let json = club.json(&["show", &run, "--person", "3"], 0);
    assert_eq!(json["person"]["id"], "3");
    assert_eq!(json["person"]["sends"][0]["reason"], "no_address");
    let unknown = club.orch(&["show", &run, "--person", "4312"]).expect(1);
    assert!(unknown.stderr.contains("knows `4312`"), "{}", unknown.stderr);
}

#[test]
fn detached_runs_are_listed_and_shown_and_go_on() {
    let club = Project::club().with("vip.orch", ONE_LINE);
    assert_eq!(club.done(&["runs"]).stdout, "no runs yet · `orch run FILE` starts one\n");
    let ran = club.orch(&["run", "vip.orch", "--detach"]).expect(4);
    let run = club.run_name();
    assert!(ran.stdout.contains(&format!("`orch resume {run}` goes on")), "{}", ran.shown());
    assert_eq!(club.outbox().len(), 0, "nobody is written to before the wait is over");

    let listed = club.json(&["runs", "--open"], 0);
    assert_eq!(listed["runs"][0]["status"], "waiting");
    assert!(listed["runs"][0]["waiting_for"].is_string());
    assert!(club.done(&["runs"]).stdout.contains("waiting"));

    // Resuming without a jump waits again, for the same instant.
    let again = club.json(&["resume", &run, "--detach"], 4);
    assert_eq!(again["waiting_until"], listed["runs"][0]["waiting_for"]);
    let done = club.json(&["resume", &run.to_lowercase(), "--fast-forward"], 0);
    assert_eq!(balanced(&done["sends"][0]).sent, 2);
    assert_eq!(club.json(&["runs", "--open"], 0)["runs"].as_array().unwrap().len(), 0);

    let over = club.orch(&["resume", &run, "--fast-forward"]).expect(2);
    assert!(over.stderr.contains("is finished; nothing is left to do"), "{}", over.shown());
}

#[test]
fn a_person_is_followed_through_a_run() {
    let club = Project::club().with("vip.orch", ONE_LINE);
    club.done(&["run", "vip.orch", "--fast-forward"]);
    let run = club.run_name();
    let said = |person: &str| {
        let shown = club.done(&["show", &run, "--person", person]).stdout;
        shown.lines().last().unwrap().trim().to_owned()
    };
    assert!(said("1").contains("sent") && said("1").ends_with("ann@shop.test"), "{}", said("1"));
    assert!(said("2").ends_with("not in"), "{}", said("2"));
    assert!(said("3").contains("excluded: no address"), "{}", said("3"));
    assert!(said("5").contains("excluded: no consent"), "{}", said("5"));
}

#[test]
fn a_rehearsal_leaves_no_trace() {
    let club = Project::club().with("vip.orch", ONE_LINE);
    let before = club.files();
    for arguments in [vec!["plan", "vip.orch"], vec!["plan", "vip.orch", "--simulate"]] {
        let planned = club.done(&arguments);
        assert!(planned.stdout.contains("5 targeted → 2 messages"), "{}", planned.shown());
        assert!(planned.stdout.contains("First message · to ann@shop.test"), "{}", planned.shown());
        assert!(planned.stdout.trim_end().ends_with("nothing was sent"), "{}", planned.shown());
        let document = club.json(&arguments, 0);
        assert_eq!(balanced(&document["sends"][0]).sent, 2);
    }
    let left: Vec<String> = club.files().difference(&before).cloned().collect();
    assert!(left.iter().all(|file| file.starts_with(".orch/dev/imports/")), "{left:?}");
    assert_eq!(club.json(&["runs"], 0)["runs"].as_array().unwrap().len(), 0);
}

#[test]
fn a_simulated_rehearsal_has_the_dates_of_its_waits() {
    let club = Project::club().with("twice.orch", "wait 2d; send email hello to people; wait 1w; log \"over\"");
    let document = club.json(&["plan", "twice.orch", "--simulate"], 0);
    let at = |step: usize| document["steps"][step]["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(at(1).duration_since(at(0)).as_hours(), 48);
    assert_eq!(at(3).duration_since(at(0)).as_hours(), 24 * 9);
}

#[test]
fn a_profile_has_its_own_state_and_its_own_recipients() {
    let manifest = format!(
        "{MANIFEST}\n[profile.staging]\nallow_recipients = [\"ann@*\"]\n\
         [profile.staging.channel.email]\npath = \"letters\"\n"
    );
    let club = Project::club().with("orch.toml", &manifest).with("all.orch", "send email hello to people");
    let ran = club.json(&["run", "all.orch", "--profile", "staging"], 0);
    assert_eq!(ran["sends"][0]["excluded"]["not_allowed"], 2);
    assert_eq!(balanced(&ran["sends"][0]).sent, 1);
    assert_eq!(crate::project::names(&club.path("letters/new")).len(), 1);
    assert!(club.path(".orch/staging/state.db").is_file() && !club.path(".orch/dev").exists());
    assert_eq!(club.json(&["runs"], 0)["runs"].as_array().unwrap().len(), 0, "dev knows nothing of it");
    let listed = club.json(&["runs", "--profile", "staging"], 0);
    assert_eq!(listed["runs"].as_array().unwrap().len(), 1);
}

#[test]
fn how_a_run_ends_is_its_exit_code() {
    let club = Project::club();
    let ends = |text: &str, code: i32, line: &str| {
        club.write("it.orch", text);
        let ended = club.orch(&["run", "it.orch"]).expect(code);
        assert!(ended.stdout.lines().last().unwrap().starts_with(line), "{}", ended.shown());
        let status = club.json(&["show", &club.run_name()], 0)["status"].as_str().unwrap().to_owned();
        assert!(line.starts_with(&status), "{status}, but it said {line}");
    };
    ends("stop \"sold out\"", 0, "stopped: sold out");
    ends("fail \"no stock\"", 3, "failed: no stock");
    ends("if count(people) > 3 { fail } else { stop }", 3, "failed");
    ends("require count(people) > 100 else \"too few people\"; send email hello to people", 3, "paused");
    assert_eq!(club.outbox().len(), 0, "the tripwire was there in time");

    // The tripwire is tested again; meanwhile there are enough.
    let run = club.run_name();
    let again = club.orch(&["resume", &run]).expect(3);
    assert!(again.stderr.contains("too few people"), "{}", again.shown());
    let many: String = (7..120).map(|n| format!("{n},p{n}@shop.test,P,1.00,2024-01-02,true\n")).collect();
    club.write("people.csv", format!("{PEOPLE}{many}"));
    let done = club.json(&["resume", &run], 0);
    assert_eq!(balanced(&done["sends"][0]).sent, 116);
}

#[test]
fn questions_are_answered_as_tables_values_and_rows() {
    let club = Project::club();
    let table = club.done(&["run", "-e", "people where spend > 650 order by spend desc"]).stdout;
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].trim_start().starts_with("id │ email"), "{table}");
    assert!(lines[2].contains("900.50") && lines[4].contains("700.00"), "{table}");
    assert!(lines[5].trim_start().starts_with("3 rows"), "{table}");

    let rows = club.done(&["run", "-e", "people where spend > 650 order by spend desc", "--format", "json"]).stdout;
    let rows: Vec<serde_json::Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.iter().map(|row| row["id"].as_i64().unwrap()).collect::<Vec<_>>(), [1, 4, 3]);
    assert_eq!((&rows[2]["email"], &rows[0]["joined"]), (&serde_json::Value::Null, &"2024-01-02".into()));

    assert_eq!(club.done(&["run", "-e", "count(people where opt_in)"]).stdout, "5\n");
    assert_eq!(club.done(&["run", "-e", "sum(spend of people)"]).stdout, "3,533.50\n");
    let wrong = club.orch(&["run", "-e", "people where spnd > 2"]).expect(1);
    assert!(wrong.stderr.contains("did you mean `spend`?") && wrong.stdout.is_empty(), "{}", wrong.shown());
    assert!(!club.path(".orch/dev/state.db").exists(), "a question is no run");

    let sent = club.done(&["run", "-e", "send email hello to people"]).stdout;
    assert!(sent.contains("finished · 6 = 3 sent + 3 excluded"), "{sent}");
}

#[test]
fn parameters_come_from_the_command_line() {
    let script = "param least: decimal = 500\nsegment vip = people where spend > least\nsend email hello to vip";
    let club = Project::club().with("vip.orch", script);
    let sent =
        |arguments: &[&str]| balanced(&club.json(&[&["run", "vip.orch"], arguments].concat(), 0)["sends"][0]).targeted;
    assert_eq!((sent(&[]), sent(&["-p", "least=650.5"])), (5, 3));
    let wrong = club.orch(&["run", "vip.orch", "-p", "least=much"]).expect(2);
    assert!(wrong.stderr.contains("`much` is not a value of the parameter `least`"), "{}", wrong.shown());
}

#[test]
fn checking_for_people_and_for_programs() {
    let club = Project::club().with("good.orch", "send email hello to people");
    assert_eq!(club.done(&["check"]).stdout.trim(), "no problems in 2 files");
    club.write("bad.orch", "segment vip = people where spend > \"much\"\nsend email hallo to vip\n");
    let human = club.orch(&["check"]).expect(1);
    assert!(human.stdout.contains("bad.orch:1:28") || human.stdout.contains("bad.orch:1:36"), "{}", human.shown());
    assert!(human.stdout.contains("did you mean `hello`?"), "{}", human.shown());
    let document = club.json(&["check", "bad.orch"], 1);
    let problems = document["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 2);
    for (problem, line) in problems.iter().zip([1, 2]) {
        assert_eq!(problem["severity"], "error");
        assert_eq!(problem["labels"][0]["file"], "bad.orch");
        assert_eq!(problem["labels"][0]["start"]["line"], line);
    }
    let code = problems[1]["code"].as_str().unwrap();
    let explained = club.done(&["explain", code]).stdout;
    assert!(explained.starts_with("names::unknown_name\n"), "{explained}");
    assert!(!club.path(".orch").exists(), "checking opens no data");
}

#[test]
fn plain_text_for_pipes_and_colours_where_asked() {
    let club = Project::club().with("vip.orch", ONE_LINE).with("bad.orch", "segment v = poeple");
    let escapes = |arguments: &[&str], no_color: bool| {
        let mut command = club.command(arguments);
        if no_color {
            command.env("NO_COLOR", "1");
        }
        let output = command.output().unwrap();
        (output.stdout.contains(&0x1b), output.stderr.contains(&0x1b))
    };
    assert_eq!(escapes(&["run", "vip.orch", "--fast-forward"], false), (false, false));
    assert_eq!(escapes(&["plan", "vip.orch", "--simulate"], true), (false, false));
    assert_eq!(escapes(&["check", "bad.orch", "--color", "always"], false), (true, false));
    assert_eq!(escapes(&["run", "bad.orch", "--color", "always"], false), (false, true));
    assert_eq!(escapes(&["run", "vip.orch", "--fast-forward", "--format", "json"], false), (false, false));
}

#[test]
fn results_and_remarks_do_not_mix() {
    let club = Project::club().with("vip.orch", ONE_LINE);
    let ran = club.done(&["run", "vip.orch", "--fast-forward"]);
    assert!(!ran.stdout.contains("warning") && ran.stderr.contains("warning"));
    let quiet = club.done(&["run", "vip.orch", "--fast-forward", "--format", "json"]);
    assert!(quiet.json().is_object() && quiet.stderr.is_empty(), "{}", quiet.shown());
    // A reader that leaves early does not hurt the run.
    let mut child = club.start(&["run", "vip.orch", "--fast-forward"]);
    child.close_output();
    assert_eq!(child.end(&club).expect(0).stdout, "");
    let runs = club.json(&["runs"], 0);
    assert!(runs["runs"].as_array().unwrap().iter().all(|run| run["status"] == "finished"), "{runs}");
}

#[test]
fn the_console_prints_and_sends_nothing() {
    let manifest = format!("{MANIFEST}\n[channel.email]\ndriver = \"console\"\n");
    let club = Project::club().with("orch.toml", &manifest).with("all.orch", "send email hello to people");
    let ran = club.done(&["run", "all.orch"]);
    assert!(ran.stdout.contains("ann@shop.test") && ran.stdout.contains("Hello Zoë O'Neil"), "{}", ran.shown());
    assert!(ran.stdout.contains("finished · 6 = 3 sent + 3 excluded"), "{}", ran.shown());
    assert_eq!(club.outbox().len(), 0);
}

#[test]
fn a_letter_is_what_the_message_says() {
    let club = Project::club().with("all.orch", "send email hello to (people where id = 6)");
    club.done(&["run", "all.orch"]);
    let messages = club.messages();
    let (head, body) = messages[0].split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.contains("To: zoe@shop.test"), "{head}");
    assert!(head.contains("Subject: =?utf-8?") || head.contains("Subject: =?UTF-8?"), "{head}");
    assert!(head.contains("Message-ID: <") && head.contains("List-ID: "), "{head}");
    assert!(body.contains("Zo=C3=AB") || body.contains("Zoë"), "{body}");
    assert!(messages[0].lines().all(|line| line.len() <= 998));
    assert!(SCHEMA.contains("Hello {name}"), "the text is written there");
}
