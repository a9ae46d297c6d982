//! `alert`

use std::fs;
use std::path::PathBuf;

use super::{Project, rows, step};

const BOUND: &str = "[project]\ntimezone = \"Europe/Paris\"\nschema = [\"schema.orch\"]\n\
                     [alert.ops]\nchannel = \"email\"\nto = [\"ops@shop.test\", \"boss@shop.test\"]\n";

fn messages(project: &Project) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![project.path(".orch/dev/outbox")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(fs::read_to_string(path).unwrap()) }
        }
    }
    found.sort();
    found
}

#[test]
fn an_alert_reaches_everybody_who_is_to_be_told() {
    let project = Project::new();
    project.write("orch.toml", BOUND);
    let report = project.run("alert \"{count(customers)} customers\" to ops");
    assert_eq!(rows(&report, "alert"), (2, 2, "{}".into()));
    assert_eq!(step(&report, "alert")["note"], "4 customers");
    assert_eq!(report["sends"].as_array().unwrap().len(), 0, "it is no message to people of the data");
    let sent = messages(&project);
    assert_eq!(sent.len(), 2);
    assert!(sent.iter().all(|text| text.contains("Subject: [script] 4 customers")), "{sent:?}");
    assert!(
        sent.iter().any(|text| text.contains("To: ops@shop.test") || text.contains("To: <ops@shop.test>")),
        "{sent:?}"
    );
}

#[test]
fn an_alert_performed_again_is_sent_once() {
    let project = Project::new();
    project.write("orch.toml", BOUND);
    let (first, second) = project.run_twice("alert \"look\" to ops");
    assert_eq!(rows(&first, "alert"), rows(&second, "alert"));
    assert_eq!(messages(&project).len(), 2);
}

#[test]
fn without_an_address_it_is_shown_and_the_run_goes_on() {
    let project = Project::new();
    let report = project.run("alert \"look\" to ops\nlog \"on\"");
    let note = step(&report, "alert")["note"].as_str().unwrap().to_owned();
    assert!(note.contains("look") && note.contains("[alert.ops]"), "{note}");
    assert_eq!(step(&report, "log")["note"], "on");
}

#[test]
fn a_rehearsal_tells_nobody() {
    let project = Project::new();
    project.write("orch.toml", BOUND);
    let report = project.plan("alert \"look\" to ops");
    assert_eq!(rows(&report, "alert"), (2, 2, "{}".into()));
    assert!(step(&report, "alert")["note"].as_str().unwrap().contains("would be sent by email to ops@shop.test"));
    assert!(messages(&project).is_empty());
}
