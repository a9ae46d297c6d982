//! The standard library: its examples are true, its modules can be used, its procedures do what they say.

use std::collections::BTreeMap;
use std::sync::Arc;

use orch::analysis::{Analysis, Workspace};
use orch::diag::RenderStyle;
use orch::hir::{CampaignId, Value};
use orch::plan::Plan;
use orch::runtime::{Answer, Engine, EngineOptions, Folders, Notebook};

use crate::project::{Project, balanced};

/// Texts of the library and how a script uses them.
fn library() -> Vec<(&'static str, String)> {
    let prelude = orch::stdlib::PRELUDE.iter().map(|(_, text)| (*text, String::new()));
    let modules = orch::stdlib::modules().map(|name| {
        let (_, text) = orch::stdlib::module(name).unwrap();
        (text, format!("use {name}\n"))
    });
    prelude.chain(modules).collect()
}

fn analyze(script: &str) -> Analysis {
    let nothing: [(&str, &str); 0] = [];
    let analysis = Workspace::from_files(nothing).analyze_text("examples.orch", script);
    assert!(!analysis.problems.has_errors(), "{}", analysis.render(RenderStyle::default()));
    analysis
}

/// The values that a script binds.
fn values(engine: &Engine, script: &str) -> BTreeMap<String, Value> {
    let analysis = analyze(script);
    let plan = Plan::new(Arc::new(analysis.program.clone()), CampaignId(0), &analysis.sources).unwrap();
    let answers = Notebook::new(engine).unwrap().ask(&plan, "", 0).unwrap();
    let value = |answer| match answer {
        Answer::Value { name: Some(name), value } => (name, value),
        other => panic!("{other:?}"),
    };
    answers.into_iter().map(value).collect()
}

#[test]
fn every_example_is_true() {
    let folder = tempfile::tempdir().unwrap();
    let folders = Folders { project: folder.path().to_owned(), state: folder.path().join("state") };
    let engine = Engine::new(EngineOptions::new(folders)).unwrap();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (text, uses) in library() {
        let examples: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## example: ")).collect();
        let lines = examples.iter().enumerate().map(|(at, example)| format!("let x{at} = {example}\n"));
        let script: String = std::iter::once(uses).chain(lines).collect();
        let found = if examples.is_empty() { BTreeMap::new() } else { values(&engine, &script) };
        for (at, example) in examples.iter().enumerate() {
            let value = found.get(&format!("x{at}"));
            if value != Some(&Value::Bool(true)) {
                wrong.push(format!("{example} is {value:?}"));
            }
        }
        seen += examples.len();
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 150, "{seen} examples");
}

/// Every declaration says what it is; every function of a module shows an example.
#[test]
fn everything_is_documented() {
    let mut wrong = Vec::new();
    for name in orch::stdlib::modules() {
        let (file, text) = orch::stdlib::module(name).unwrap();
        let mut doc = String::new();
        for line in text.lines() {
            if let Some(said) = line.strip_prefix("## ") {
                doc += &format!("{said}\n");
            } else if line.starts_with("define ") {
                let procedure = text[text.find(line).unwrap()..].split("\n}\n").next().unwrap().contains(" {\n");
                let is_part = doc.contains("A part of");
                if doc.is_empty() || !(doc.contains("example: ") || is_part || procedure) {
                    wrong.push(format!("{file}: {line}"));
                }
                doc.clear();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_module_has_the_name_that_is_given_to_it() {
    for (uses, call) in [("use std.rfm as r", "r"), ("use std.rfm", "rfm")] {
        let analysis = analyze(&format!("{uses}\nlog \"{{{call}.frequency(3)}}\""));
        assert_eq!(analysis.program.campaigns.len(), 1);
    }
    let files = [("a.orch", "use std.rfm as first\ndefine often(n: int): bool = first.frequency(n) = 5")];
    let both = Workspace::from_files(files)
        .analyze_text("b.orch", "use \"a.orch\"\nuse std.rfm as second\nlog \"{often(3)} {second.frequency(3)}\"");
    assert!(!both.problems.has_errors(), "{}", both.render(RenderStyle::default()));
}

#[test]
fn the_better_message_goes_to_all_others() {
    let messages = "message email first of people { subject: \"first\"; text: \"a\"; topic: news }\n\
                    message email second of people { subject: \"second\"; text: \"b\"; topic: news }\n";
    let script = format!("use std.ab as ab\n{messages}do ab.email_test(people, first, second, 20%)\n");
    let club = Project::club().with("test.orch", &script);
    let ran = club.json(&["run", "test.orch", "--fast-forward"], 0);
    assert_eq!(ran["status"], "finished", "{ran}");
    let sends: Vec<_> = ran["sends"].as_array().unwrap().iter().map(balanced).collect();
    // Nobody clicked, so the first version is also the last.
    assert_eq!(sends.iter().map(|send| send.targeted).sum::<u64>(), 6, "{ran}");
    assert_eq!(sends.len(), 3, "{ran}");
}

#[test]
fn who_does_not_answer_gets_a_second_letter() {
    let messages = "message email letter of people { subject: \"letter\"; text: \"a\"; topic: news }\n\
                    message email reminder of people { subject: \"reminder\"; text: \"b\"; topic: news }\n";
    let script = format!("use std.winback\n{messages}do winback.two_letters(people, letter, reminder, 3d)\n");
    let club = Project::club().with("silent.orch", &script);
    let ran = club.json(&["run", "silent.orch", "--fast-forward"], 0);
    let sends: Vec<_> = ran["sends"].as_array().unwrap().iter().map(balanced).collect();
    assert_eq!((sends[0].sent, sends[1].targeted), (3, 3), "{ran}");
}
