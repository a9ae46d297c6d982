//! The real binary, for what only a process has: pipes, exit codes, the environment.

use std::io::Read;
use std::process::{Command, Stdio};

fn orch(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_orch"));
    command.args(arguments).env_remove("NO_COLOR").stdin(Stdio::null());
    command
}

#[test]
fn exit_codes_and_streams() {
    let done = orch(&["explain", "run::unknown_run"]).output().unwrap();
    assert_eq!(done.status.code(), Some(0));
    assert!(done.stdout.starts_with(b"run::unknown_run\n") && done.stderr.is_empty());

    let unknown = orch(&["explain", "run::unknown_rum"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
    let remarks = String::from_utf8(unknown.stderr).unwrap();
    assert!(unknown.stdout.is_empty() && remarks.contains("did you mean `run::unknown_run`?"), "{remarks}");

    let usage = orch(&["explian"]).output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
    assert!(String::from_utf8(usage.stderr).unwrap().contains("explain"), "a near command is offered");

    let help = orch(&["--help"]).output().unwrap();
    assert_eq!((help.status.code(), help.stderr.len()), (Some(0), 0));
}

#[test]
fn a_closed_pipe_ends_nothing_loudly() {
    // The script is longer than a pipe holds, so writing goes on after the reader has left.
    let mut child = orch(&["completions", "zsh"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut remarks = String::new();
    child.stderr.take().unwrap().read_to_string(&mut remarks).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(remarks, "");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_failure() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let lost = orch(&["explain"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(lost.status.code(), Some(3));
    assert!(String::from_utf8(lost.stderr).unwrap().starts_with("cannot write the result: "));
}

#[test]
fn colours_only_when_they_are_wanted() {
    let colored = |command: &mut Command| command.output().unwrap().stdout.contains(&0x1b);
    assert!(!colored(&mut orch(&["explain", "unknown_run"])), "a pipe is no terminal");
    assert!(colored(&mut orch(&["explain", "unknown_run", "--color", "always"])));
    assert!(!colored(&mut orch(&["explain", "unknown_run", "--color", "never"])));
}
