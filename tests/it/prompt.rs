//! `orch repl` through a pipe, as scripts and other programs use it.

use std::io::Write as _;
use std::process::Stdio;

use crate::project::Project;

/// What the prompt answers to these lines: results, remarks, exit code.
fn asked(club: &Project, lines: &str, arguments: &[&str]) -> (String, String, Option<i32>) {
    let mut command = club.command(&[&["repl"], arguments].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

#[test]
fn bind_ask_err_and_bind_again() {
    let club = Project::club();
    let lines = "segment vip = people where spend > 500\n\
                 count(vip)\n\
                 vip where opt_in order by spend desc\n\
                 segment vip = people where spend > 850\n\
                 count(vip)\n\
                 let least = 100\n\
                 count(people where spend < least)\n";
    let (results, remarks, code) = asked(&club, lines, &[]);
    assert_eq!(code, Some(0), "{results}\n{remarks}");
    let lines: Vec<&str> = results.lines().collect();
    assert_eq!(lines[0], "vip: 5 of 6 people (83.3%)", "{results}");
    assert_eq!(lines[1], "5", "{results}");
    assert!(results.contains("900.50") && results.contains("4 rows"), "{results}");
    assert!(results.contains("vip: 1 of 6 people"), "{results}");
    assert!(results.contains("least = 100"), "{results}");
    assert_eq!(lines.last(), Some(&"1"), "{results}");
    assert!(!results.contains('\u{1b}') && !results.contains("orch>"), "no colours and no prompt in a pipe: {results}");
}

#[test]
fn an_error_is_shown_and_the_next_line_answered() {
    let club = Project::club();
    let (results, remarks, code) = asked(&club, "count(poeple)\npeople where spnd > 3\ncount(people)\n", &[]);
    let all = format!("{results}{remarks}");
    assert!(all.contains("did you mean `people`?") && all.contains("did you mean `spend`?"), "{all}");
    assert_eq!(results.lines().last(), Some("6"), "{all}");
    assert_eq!(code, Some(1), "a script must notice that a line was wrong");
}

#[test]
fn what_begins_as_no_statement_is_read_as_a_population_or_a_value() {
    let club = Project::club();
    for (text, said) in [
        ("people whre spend > 500", "did you mean `where`?"),
        ("sned email hello to people", "did you mean `send`?"),
        ("x = people where spend > 5", "write `segment x = ...`"),
        ("wait", "wait"),
    ] {
        let wrong = club.orch(&["run", "-e", text]).expect(1);
        assert!(wrong.stderr.contains(said), "{text}: {}", wrong.stderr);
        let (results, remarks, _) = asked(&club, &format!("{text}\n"), &[]);
        assert!(format!("{results}{remarks}").contains(said), "{text}: {results}{remarks}");
    }
}

#[test]
fn nothing_is_sent_and_nothing_recorded() {
    let club = Project::club();
    let (results, remarks, _) = asked(&club, "send email hello to people\ncount(people)\n", &[]);
    assert!(results.contains("nothing is sent from here"), "{results}{remarks}");
    assert_eq!(results.lines().last(), Some("6"));
    let left = club.files();
    assert!(left.iter().all(|file| !file.starts_with(".orch/") || file.contains("/imports/")), "{left:?}");
}

#[test]
fn what_was_added_is_shown_before_what_does_not_fit() {
    let club = Project::club();
    let query = "people with double = spend * 2 where spend > 600";
    let mut command = club.command(&["run", "-e", query]);
    let output = command.env("COLUMNS", "40").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let head: Vec<&str> = text.lines().next().unwrap().split('│').map(str::trim).collect();
    assert_eq!(head[..2], ["id", "double"], "{text}");
    assert!(text.contains("not shown: "), "{text}");
}
