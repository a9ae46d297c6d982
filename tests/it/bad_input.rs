//! Whatever is wrong with what somebody brings, one look at the answer tells what, where and what to do. The answers
//! are snapshots, to be read as somebody would who has no idea of programs.

use std::fmt::Write as _;

use crate::project::{MANIFEST, PEOPLE, Project, SCHEMA};

const SCRIPT: &str = "segment vip = people where spend > 500; wait 2d; send email hello to vip";

fn club() -> Project {
    Project::club().with("vip.orch", SCRIPT)
}

/// What the commands say, each after its own line.
fn said(project: &Project, commands: &[(&[&str], i32)]) -> String {
    let mut all = String::new();
    for (arguments, code) in commands {
        let ended = project.orch(arguments).expect(*code);
        assert_eq!(ended.stdout.matches("panicked").count() + ended.stderr.matches("panicked").count(), 0);
        writeln!(all, "$ orch {}\n{}", arguments.join(" "), ended.shown()).unwrap();
    }
    all
}

/// No run was begun, no message written, no file left half-done.
fn untouched(project: &Project) {
    let left = project.files();
    let trace = |file: &String| file.contains("/runs/") || file.contains("/outbox/") || file.ends_with(".tmp");
    assert!(!left.iter().any(trace), "{left:?}");
    assert!(!left.iter().any(|file| file.ends_with("state.db")), "{left:?}");
}

#[test]
fn a_script_that_is_not_there() {
    let club = club();
    std::fs::create_dir(club.path("campaigns")).unwrap();
    insta::assert_snapshot!(said(
        &club,
        &[(&["run", "vpi.orch"], 2), (&["plan", "winter/vip.orch"], 2), (&["run", "campaigns"], 2),]
    ));
    untouched(&club);
}

#[test]
fn a_script_with_several_mistakes() {
    let text = "segment vip = poeple where spend > 500\n\
                segment rich = people where spnd > \"x\"\n\
                send emial hello to rich\n\
                send email helo to rich\n";
    let club = club().with("vip.orch", text);
    insta::assert_snapshot!(said(&club, &[(&["run", "vip.orch"], 1)]));
    let problems = club.json(&["run", "vip.orch"], 1);
    assert_eq!(problems["problems"].as_array().unwrap().len(), 4, "all of them at once");
    untouched(&club);
}

#[test]
fn nothing_to_run_or_too_much_to_choose_from() {
    let club = club().with("two.orch", "campaign spring { log \"a\" }\ncampaign summer { log \"b\" }\n");
    insta::assert_snapshot!(said(
        &club,
        &[(&["run", "schema.orch"], 2), (&["run", "two.orch"], 2), (&["run", "two.orch", "--campaign", "sumer"], 2),]
    ));
    untouched(&club);
}

#[test]
fn data_that_is_not_there() {
    let club = club();
    std::fs::rename(club.path("people.csv"), club.path("poeple.csv")).unwrap();
    let near = said(&club, &[(&["run", "vip.orch"], 1)]);
    std::fs::remove_file(club.path("poeple.csv")).unwrap();
    let none = said(&club, &[(&["plan", "vip.orch"], 1)]);
    insta::assert_snapshot!(near + &none);
    untouched(&club);
}

#[test]
fn columns_that_are_not_there() {
    let renamed = club().with("people.csv", &PEOPLE.replacen("spend", "spent", 1));
    let separated = club().with("people.csv", &PEOPLE.replace(',', ";"));
    let empty = club().with("people.csv", "");
    let command: (&[&str], i32) = (&["run", "vip.orch"], 1);
    insta::assert_snapshot!([&renamed, &separated, &empty].map(|project| said(project, &[command])).concat());
    for project in [renamed, separated, empty] {
        untouched(&project);
    }
}

#[test]
fn a_cell_that_does_not_fit_on_line_4312() {
    let mut text = String::from("id,email,name,spend,joined,opt_in\n");
    for line in 2..=6_000 {
        let spend = if line == 4_312 { "twelve" } else { "12.00" };
        writeln!(text, "{line},p{line}@shop.test,P,{spend},2024-01-02,true").unwrap();
    }
    let club = club().with("people.csv", &text);
    let answer = said(&club, &[(&["run", "vip.orch"], 1)]);
    assert!(answer.contains("people.csv:4312: column spend"), "{answer}");
    insta::assert_snapshot!(answer);
    untouched(&club);
}

#[test]
fn two_rows_with_one_key() {
    let club = club().with("people.csv", &format!("{PEOPLE}1,ann2@shop.test,Ann II,999.00,2024-01-02,true\n"));
    insta::assert_snapshot!(said(&club, &[(&["plan", "vip.orch"], 3), (&["run", "vip.orch"], 3)]));
    assert!(!club.files().iter().any(|file| file.ends_with(".tmp")), "{:?}", club.files());
    assert_eq!(club.outbox().len(), 0);
    // The run is held, not lost.
    club.write("people.csv", PEOPLE);
    club.done(&["resume", "vip", "--fast-forward"]);
    assert_eq!(club.recipients(), ["ann@shop.test", "zoe@shop.test"]);
}

#[test]
fn a_manifest_with_mistakes() {
    let key = club().with("orch.toml", &MANIFEST.replace("schema =", "shcema ="));
    let values = "timezone = \"Europe/Pari\"\n[engine]\nmemory_limit = \"lots\"\n\
                  [channel.email]\nrate = \"fast\"\ndriver = \"smpt\"\nconnections = \"many\"\n";
    let values = club().with("orch.toml", &format!("{MANIFEST}{values}"));
    let text = club().with("orch.toml", "[project\nname = \"club\"\n");
    let command: (&[&str], i32) = (&["run", "vip.orch"], 2);
    insta::assert_snapshot!([&key, &values, &text].map(|project| said(project, &[command])).concat());
    for project in [key, values, text] {
        untouched(&project);
    }
}

#[test]
fn a_profile_that_is_not_there() {
    let club = club().with("orch.toml", &format!("{MANIFEST}[profile.prod.channel.email]\ndriver = \"console\"\n"));
    insta::assert_snapshot!(said(
        &club,
        &[(&["run", "vip.orch", "--profile", "prd"], 2), (&["runs", "--profile", "staging"], 2),]
    ));
    untouched(&club);
}

#[test]
fn a_channel_that_lacks_what_it_needs() {
    let prod = "[profile.prod.channel.email]\ndriver = \"smtp\"\nurl = \"mail.shop.test\"\n";
    let from = club().with("orch.toml", &format!("{MANIFEST}{}", prod.replace("mail.shop", "smtp://mail.shop")));
    let url = club().with("orch.toml", &format!("{MANIFEST}{prod}from = \"Club <news@club.test>\"\n"));
    let command: (&[&str], i32) = (&["run", "vip.orch", "--profile", "prod"], 2);
    insta::assert_snapshot!([&from, &url].map(|project| said(project, &[command])).concat());
    for project in [from, url] {
        untouched(&project);
    }
}

#[test]
fn parameters_that_nobody_asked_for() {
    let club =
        club().with("least.orch", "param least: int\nsegment vip = people where spend > least; log \"{count(vip)}\"");
    insta::assert_snapshot!(said(
        &club,
        &[
            (&["run", "vip.orch", "-p", "least=5"], 2),
            (&["run", "least.orch"], 2),
            (&["run", "least.orch", "-p", "least=much"], 2),
            (&["run", "least.orch", "-p", "least"], 2),
        ]
    ));
    assert_eq!(club.json(&["runs"], 0)["runs"].as_array().unwrap().len(), 0);
}

#[test]
fn a_run_that_is_not_there() {
    let club = club();
    let nothing = said(&club, &[(&["resume", "vip"], 2), (&["show", "vip-7K2M"], 2), (&["stop", "vip"], 2)]);
    untouched(&club);
    club.orch(&["run", "vip.orch", "--detach"]).expect(4);
    club.orch(&["run", "vip.orch", "--detach"]).expect(4);
    let several = club.orch(&["resume", "vip"]).expect(2);
    assert!(several.stderr.contains("`vip` is the beginning of 2 runs"), "{}", several.shown());
    insta::assert_snapshot!(nothing);
}

#[test]
fn a_state_that_cannot_be_used() {
    let file = club().with(".orch", "this is a file");
    let file = said(&file, &[(&["run", "vip.orch"], 2), (&["runs"], 2)]);
    let text = club().with(".orch/dev/state.db", "this is no database, whatever its name says");
    let text = said(&text, &[(&["run", "vip.orch"], 2), (&["resume", "vip"], 2)]);
    insta::assert_snapshot!(file + &text);
}

#[test]
fn a_database_with_garbage_in_it() {
    let club = club();
    club.done(&["run", "vip.orch", "--fast-forward"]);
    let path = club.path(".orch/dev/state.db");
    let run = club.run_name();
    // The header stays: the file is still called a database.
    let log = std::fs::metadata(club.path(".orch/dev/state.db-wal")).map_or(0, |data| data.len());
    assert_eq!(log, 0, "once a process has ended well, everything is in the database itself");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.truncate(4_096);
    bytes.resize(80_000, b'Z');
    std::fs::write(&path, bytes).unwrap();
    for arguments in [vec!["runs"], vec!["show", &run], vec!["resume", &run], vec!["run", "vip.orch", "--detach"]] {
        let ended = club.orch(&arguments).expect(2);
        assert!(ended.stderr.contains("run::state_unreadable") && ended.stdout.is_empty(), "{}", ended.shown());
        assert!(ended.stderr.contains("from a backup"), "{}", ended.shown());
    }
    assert_eq!(club.outbox().len(), 2, "nothing was sent again");
}

#[test]
#[cfg(unix)]
fn a_folder_that_cannot_be_written() {
    use std::os::unix::fs::PermissionsExt;
    let club = club();
    let allow = |mode| std::fs::set_permissions(club.path("."), PermissionsExt::from_mode(mode)).unwrap();
    allow(0o555);
    let writable = std::fs::write(club.path("probe"), "").is_ok();
    if writable {
        eprintln!("skipped: this user may write everywhere");
    } else {
        let refused = club.orch(&["run", "vip.orch"]).expect(2);
        assert!(refused.stderr.contains("permission denied"), "{}", refused.shown());
    }
    allow(0o755);
}

#[test]
fn what_only_the_holder_of_the_state_may_do() {
    let club = club();
    let mut first = club.start(&["run", "vip.orch"]);
    first.says("wait 2d");
    for arguments in [&["serve", "--once"][..], &["resume", "vip", "--fast-forward"]] {
        let second = club.orch(arguments).expect(2);
        assert!(second.stderr.contains("run::state_in_use"), "{}", second.shown());
        assert!(second.stderr.contains(&format!("(process {})", first.id())), "{}", second.shown());
        assert!(second.stderr.contains("  = help: "), "{}", second.shown());
    }
    // Looking is allowed.
    let run = club.run_name();
    assert_eq!(club.json(&["show", &run], 0)["status"], "waiting");
    assert!(!first.has_ended(), "the first is not disturbed");
}

#[test]
fn a_frozen_population_that_is_damaged() {
    let club = club();
    club.orch(&["run", "vip.orch", "--detach"]).expect(4);
    let run = club.run_name();
    let path = club.path(".orch/dev/runs").join(&run).join("1.parquet");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..200]).unwrap();
    let cut = club.orch(&["resume", &run, "--fast-forward"]).expect(3);
    std::fs::remove_file(&path).unwrap();
    let gone = club.orch(&["resume", &run, "--fast-forward"]).expect(3);
    assert!(cut.stdout.contains("5 = 0 sent + 5 due") && gone.stdout.contains("5 = 0 sent + 5 due"), "{}", cut.shown());
    insta::assert_snapshot!(club.redact(&format!("{}\n{}", cut.stderr, gone.stderr)));
    assert_eq!(club.outbox().len(), 0);
    // Restored, the run goes on as if nothing had been.
    std::fs::write(&path, whole).unwrap();
    club.done(&["resume", &run, "--fast-forward"]);
    assert_eq!(club.recipients(), ["ann@shop.test", "zoe@shop.test"]);
}

#[test]
fn the_rows_of_a_send_are_never_computed_anew() {
    let club = Project::crowd(9_000).with("all.orch", "send email hello to (people where spend >= 0)");
    let mut running = club.start(&["run", "all.orch"]);
    running.says("started");
    crate::project::until("messages appear", || (club.outbox().len() > 100).then_some(()));
    assert!(running.kill());
    let path = club.path(".orch/dev/runs").join(club.run_name()).join("1.parquet");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, b"PAR1").unwrap();
    // The first thousand have gone: computed now, everybody else's number would be another.
    let people = club.read("people.csv");
    let changed = people.lines().enumerate().filter(|(n, _)| *n == 0 || *n > 1_000);
    let changed: String = changed.map(|(_, line)| format!("{line}\n")).collect();
    club.write("people.csv", changed);
    let refused = club.orch(&["resume", "all"]).expect(3);
    assert!(refused.stderr.contains("1.parquet") && refused.stderr.contains("it is damaged"), "{}", refused.shown());
    std::fs::write(&path, whole).unwrap();
    let done = club.json(&["resume", "all"], 0);
    let tally = crate::project::balanced(&done["sends"][0]);
    assert_eq!((tally.targeted, tally.due), (9_000, 0));
    // Who has vanished meanwhile and had a message on its way may have got it: that is said, not guessed.
    let files = club.outbox().len() as u64;
    assert!(tally.sent <= files && files <= tally.sent + tally.unknown, "{files} files, {tally:?}");
}

#[test]
fn everything_wrong_has_a_page() {
    // What a run can meet and a checker cannot: each code that this file has seen explains itself.
    let club = club().with("people.csv", "").with("schema.orch", SCHEMA);
    let ended = club.orch(&["run", "vip.orch"]).expect(1);
    let code = ended.stderr.split("error[").nth(1).and_then(|rest| rest.split(']').next()).unwrap();
    assert!(club.done(&["explain", code]).stdout.starts_with(&format!("{code}\n")));
}
