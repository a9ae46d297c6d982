//! The corpus: a case is one file. Files in `accept/` have exactly the warnings that they list as `#~ warning[code]`, on
//! their line or on the line below; the problems of files in `reject/` are kept as snapshots. `club/` and `club_mistakes/`
//! are the same for another project, as people write it who have read the book once.

use std::fs;
use std::path::{Path, PathBuf};

use orch::analysis::{Analysis, Loader, Workspace};
use orch::diag::RenderStyle;

/// Files below a folder.
pub struct Folder(pub PathBuf);

impl Loader for Folder {
    fn read(&self, path: &str) -> Result<String, String> {
        fs::read_to_string(self.0.join(path)).map_err(|_| "no such file".to_owned())
    }
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn cases(folder: &str) -> Vec<String> {
    let files = fs::read_dir(corpus().join(folder)).expect("the folder is there");
    let paths = files.map(|file| file.expect("it can be listed").path());
    let mut names: Vec<String> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "orch"))
        .map(|path| format!("{folder}/{}", path.file_name().expect("files have names").to_string_lossy()))
        .collect();
    names.retain(|name| !name.ends_with("/schema.orch"));
    names.sort();
    names
}

fn analyze(case: &str) -> Analysis {
    let schema = if case.starts_with("club") { "club/schema.orch" } else { "schema.orch" };
    Workspace::new(Folder(corpus())).schema([schema]).analyze(case)
}

/// `line: code` of each `#~ warning[code]`.
fn expected(text: &str) -> Vec<String> {
    let mut expected = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let mut marks = line.split("#~ warning[");
        let alone = marks.next().is_some_and(|before| before.trim().is_empty());
        let line = if alone { at + 2 } else { at + 1 };
        for mark in marks {
            let code = mark.split(']').next().expect("the bracket closes");
            expected.push(format!("{line}: {code}"));
        }
    }
    expected
}

fn found(analysis: &Analysis) -> Vec<String> {
    let place = |problem: &orch::diag::Problem| match problem.span() {
        Some(span) => {
            let file = analysis.sources.file(span.source);
            file.lines.line_column(&file.text, span.start).line
        }
        None => 0,
    };
    analysis.problems.iter().map(|problem| format!("{}: {}", place(problem), problem.code)).collect()
}

#[test]
fn accepted_cases_have_only_the_warnings_they_list() {
    let mut wrong = String::new();
    for case in cases("accept").into_iter().chain(cases("club")) {
        let analysis = analyze(&case);
        let text = fs::read_to_string(corpus().join(&case)).expect("it can be read");
        if analysis.problems.has_errors() || found(&analysis) != expected(&text) {
            wrong.push_str(&format!(
                "{case}: expected {:?}\n{}\n",
                expected(&text),
                analysis.render(RenderStyle::default())
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn rejected_cases_say_what_is_wrong() {
    for case in cases("reject").into_iter().chain(cases("club_mistakes")) {
        let analysis = analyze(&case);
        let text = fs::read_to_string(corpus().join(&case)).expect("it can be read");
        let shown = format!("{}\n{}", text.trim_end(), analysis.render(RenderStyle::default()));
        assert!(!analysis.problems.is_empty(), "{case} has no problems");
        let name = case
            .trim_start_matches("reject/")
            .trim_start_matches("club_mistakes/")
            .trim_end_matches(".orch")
            .to_owned();
        insta::with_settings!({
            snapshot_path => "../corpus/snapshots",
            prepend_module_to_snapshot => false,
            omit_expression => true,
            description => "",
        }, {
            insta::assert_snapshot!(name, shown);
        });
    }
}

/// Codes of `check` that no short script shows, with the reason.
const NOT_SHOWN: &[&str] = &[
    "syntax::not_formatted", // of `fmt`
    "syntax::too_long",      // of files of more than four gigabytes
    "syntax::too_many",      // of a hundred mistakes
];

#[test]
fn every_code_of_the_checker_has_a_case() {
    let mut shown = String::new();
    for folder in ["accept", "snapshots"] {
        for file in fs::read_dir(corpus().join(folder)).expect("the folder is there").flatten() {
            shown += &fs::read_to_string(file.path()).unwrap_or_default();
        }
    }
    let codes = orch::diag::codes::all().map(|code| code.to_string()).filter(|code| !code.starts_with("run::"));
    let missing: Vec<String> =
        codes.filter(|code| !NOT_SHOWN.contains(&code.as_str()) && !shown.contains(&format!("[{code}]"))).collect();
    assert!(missing.is_empty(), "no case of the corpus shows {missing:?}");
}

/// What the corpus was asked to be.
#[test]
fn there_are_many_cases() {
    let (accepted, rejected) = (cases("accept").len(), cases("reject").len());
    assert!(accepted >= 120 && rejected >= 200, "{accepted} accepted, {rejected} rejected");
    let (accepted, rejected) = (cases("club").len(), cases("club_mistakes").len());
    assert!(accepted >= 60 && rejected >= 80, "{accepted} accepted, {rejected} rejected of the club");
}

#[test]
fn the_scripts_of_the_shop_have_no_errors() {
    let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/shop");
    for script in ["vip.orch", "winback.orch", "city_event.orch", "news.orch"] {
        let workspace = Workspace::new(Folder(shop.clone())).schema(["schema.orch"]).default_topic("news");
        let analysis = workspace.analyze(script);
        assert!(!analysis.problems.has_errors(), "{}", analysis.render(RenderStyle::default()));
        assert_eq!(analysis.program.campaigns.len(), 1);
        assert_eq!(analysis.program.campaigns[0].name, script.trim_end_matches(".orch"));
        assert!(!analysis.program.campaigns[0].body.is_empty());
    }
}
