use super::fix::mend;
use crate::base::{SourceId, Span};
use crate::cli::Exit;
use crate::cli::tests::{orch, orch_args};
use crate::diag::Fix;

fn fix(start: u32, end: u32, replacement: &str) -> Fix {
    Fix { span: Span::new(SourceId(0), start, end), replacement: replacement.to_owned() }
}

#[test]
fn fixes_that_touch_each_other_wait_for_the_next_round() {
    let fixes = [fix(8, 9, "Z"), fix(0, 3, "one"), fix(2, 4, "no"), fix(5, 5, "+"), fix(5, 5, "+")];
    let mended = mend("abc efg hi", fixes.iter().collect());
    assert_eq!((mended.0.as_str(), mended.1.len()), ("one e+fg Zi", 3));
    assert_eq!(mend("é", vec![&fix(1, 2, "no")]), ("é".to_owned(), vec![]), "never inside a character");
    assert_eq!(mend("ab", vec![&fix(1, 9, "no")]), ("ab".to_owned(), vec![]), "never past the end");
}

/// A project folder with these files.
fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

const SCHEMA: &str = "entity customers from \"c.csv\" {\n  id: int key\n  email: email?\n  tier: \"gold\" | \"silver\"\n  spend: decimal\n}\n";
const MANIFEST: &str = "[project]\nschema = [\"schema.orch\"]\n";

#[test]
fn a_project_without_mistakes() {
    let folder = project(&[
        ("orch.toml", MANIFEST),
        ("schema.orch", SCHEMA),
        ("a/vip.orch", "log \"{count(customers where spend > 500)}\"\n"),
        (".orch/old.orch", "this is not looked at"),
    ]);
    let path = folder.path().to_str().unwrap();
    let (exit, results, remarks) = orch_args(&["check", path]);
    assert_eq!((exit, results.as_str(), remarks.as_str()), (Exit::Done, "no problems in 2 files\n", ""));
    let script = folder.path().join("a/vip.orch");
    assert_eq!(orch_args(&["check", script.to_str().unwrap()]).0, Exit::Done, "the project is found from a script");
    assert_eq!(orch_args(&["check", "--project", path]).0, Exit::Done);
}

#[test]
fn problems_in_a_shared_file_are_reported_once() {
    let folder = project(&[
        ("orch.toml", MANIFEST),
        ("schema.orch", &SCHEMA.replace("decimal", "decimle")),
        ("a.orch", "log \"{count(customers)}\"\n"),
        ("b.orch", "log \"{count(orders)}\"\n"),
    ]);
    let path = folder.path().to_str().unwrap();
    let (exit, results, _) = orch_args(&["check", path]);
    assert_eq!(exit, Exit::Problems);
    assert!(results.ends_with("2 errors in 3 files\n"), "{results}");
    let (exit, json, _) = orch_args(&["check", path, "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((exit, json["problems"].as_array().unwrap().len()), (Exit::Problems, 2));
}

#[test]
fn wrong_paths_are_wrong_usage() {
    let (exit, results, remarks) = orch("check nowhere.orch");
    assert_eq!((exit, results.as_str()), (Exit::Usage, ""));
    assert!(remarks.contains("cannot read `nowhere.orch`: there is no such file"), "{remarks}");
    let folder = project(&[("README.md", "")]);
    let (exit, _, remarks) = orch_args(&["check", folder.path().to_str().unwrap()]);
    assert_eq!(exit, Exit::Usage);
    assert!(remarks.contains("there is no script in"), "{remarks}");
}

#[test]
fn fixes_are_written_and_guesses_are_left_to_the_reader() {
    let script = "log \"{count(customers where spend == 5)}\"\nlog \"{count(customers where spnd > 5)}\"\n\
                  log \"{count(customers where tier = \"Gold\")}\"\n";
    let folder = project(&[("orch.toml", MANIFEST), ("schema.orch", SCHEMA), ("a.orch", script)]);
    let path = folder.path().to_str().unwrap();
    let (exit, results, remarks) = orch_args(&["check", path, "--fix"]);
    assert_eq!(exit, Exit::Problems);
    let lines: Vec<&str> = remarks.lines().collect();
    assert!(
        lines[0].ends_with("a.orch:1: == -> =") && lines[1].ends_with("a.orch:3: \"Gold\" -> \"gold\""),
        "{remarks}"
    );
    assert_eq!(lines[2..], ["mended 2 problems"]);
    assert!(results.contains("`spnd`") && results.ends_with("1 error in 2 files\n"), "{results}");
    let mended = std::fs::read_to_string(folder.path().join("a.orch")).unwrap();
    assert_eq!(mended, script.replace("==", "=").replace("Gold", "gold"));
}

#[test]
fn warnings_fail_when_they_are_denied() {
    let folder = project(&[
        ("orch.toml", MANIFEST),
        ("schema.orch", SCHEMA),
        ("a.orch", "segment unused = customers where spend > 5\n"),
    ]);
    let path = folder.path().to_str().unwrap();
    assert_eq!(orch_args(&["check", path]).0, Exit::Done);
    assert_eq!(orch_args(&["check", path, "--deny", "warnings"]).0, Exit::Problems);
}
