//! One mistake, one error: measured on mutations of single tokens in correct scripts, checked as a whole.

use std::fs;
use std::path::{Path, PathBuf};

use orch::analysis::{Analysis, Loader, Workspace};
use orch::diag::{RenderStyle, Severity};
use orch::syntax::token_places;

use crate::corpus::Folder;

/// Mutations that are looked at, spread over all; every one with `ORCH_ALL_MUTATIONS` set.
const LOOKED_AT: usize = 600;

/// The least share, in percent, of mutations with an error that give exactly one, on their line.
const WANTED: usize = 95;

/// A script that is kept in memory, in a folder.
struct Edited {
    folder: Folder,
    path: String,
    text: String,
}

impl Loader for Edited {
    fn read(&self, path: &str) -> Result<String, String> {
        if path == self.path { Ok(self.text.clone()) } else { self.folder.read(path) }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn analyze(folder: &Path, path: &str, text: &str) -> Analysis {
    let edited = Edited { folder: Folder(folder.to_owned()), path: path.to_owned(), text: text.to_owned() };
    Workspace::new(edited).schema(["schema.orch"]).default_topic("news").analyze(path)
}

/// Correct scripts with their folder.
fn scripts() -> Vec<(PathBuf, String, String)> {
    let mut found = Vec::new();
    for (folder, inside) in [("tests/corpus", "accept"), ("examples/shop", "")] {
        let folder = root().join(folder);
        let files = fs::read_dir(folder.join(inside)).expect("the folder is there");
        for file in files.map(|file| file.expect("it can be listed").path()) {
            let name = file.file_name().expect("files have names").to_string_lossy().into_owned();
            if name.ends_with(".orch") && name != "schema.orch" {
                let path = if inside.is_empty() { name } else { format!("{inside}/{name}") };
                let text = fs::read_to_string(&file).expect("it can be read");
                found.push((folder.clone(), path, text));
            }
        }
    }
    found.sort();
    found
}

/// The mutated token and what stands there instead.
fn mutations(text: &str) -> Vec<(std::ops::Range<usize>, String)> {
    let mut all = Vec::new();
    for place in token_places(text).into_iter().filter(|place| !place.is_empty()) {
        let word = &text[place.clone()];
        if ["(", ")", "[", "]", "{", "}"].contains(&word) {
            continue;
        }
        all.push((place.clone(), String::new()));
        all.push((place.clone(), format!("{word} {word}")));
        if word.len() > 3 && word.bytes().all(|byte| byte.is_ascii_lowercase()) && word[1..2] != word[2..3] {
            all.push((place.clone(), format!("{}{}{}{}", &word[..1], &word[2..3], &word[1..2], &word[3..])));
        }
    }
    all
}

#[test]
fn a_mutated_token_gives_one_error_on_its_line() {
    let everything = std::env::var_os("ORCH_ALL_MUTATIONS").is_some();
    let scripts = scripts();
    let all: Vec<_> = scripts
        .iter()
        .filter(|(folder, path, text)| !analyze(folder, path, text).problems.has_errors())
        .flat_map(|script| mutations(&script.2).into_iter().map(move |mutation| (script, mutation)))
        .collect();
    let step = if everything { 1 } else { (all.len() / LOOKED_AT).max(1) };
    let (mut wrong, mut good) = (0, 0);
    for ((folder, path, text), (place, put)) in all.into_iter().step_by(step) {
        let mutated = format!("{}{put}{}", &text[..place.start], &text[place.end..]);
        let analysis = analyze(folder, path, &mutated);
        let errors: Vec<_> = analysis.problems.iter().filter(|problem| problem.severity == Severity::Error).collect();
        if errors.is_empty() {
            continue;
        }
        wrong += 1;
        let line_of = |at: usize| mutated[..at.min(mutated.len())].matches('\n').count();
        let behind = token_places(&mutated).into_iter().find(|token| token.start >= place.start + put.len());
        let lines = [line_of(place.start), behind.map_or(usize::MAX, |token| line_of(token.start))];
        let places: Vec<usize> =
            errors.iter().filter_map(|problem| problem.span()).map(|span| line_of(span.start as usize)).collect();
        if places.len() == 1 && lines.contains(&places[0]) {
            good += 1;
        } else if everything {
            let line = mutated.lines().nth(lines[0]).unwrap_or_default();
            eprintln!("--- `{}` -> `{put}` in {path}:{}: {line}", &text[place], lines[0] + 1);
            eprintln!("{}", analysis.render(RenderStyle::default()));
        }
    }
    eprintln!("{good} of {wrong}");
    assert!(wrong > 200, "{wrong}");
    assert!(good * 100 >= wrong * WANTED, "{good} of {wrong} mutations gave one error on their line");
}

/// Mistakes of form and of meaning in ten statements: each gives one error, on its line, and no other.
#[test]
fn ten_mistakes_in_ten_statements_give_ten_errors() {
    let mistakes = [
        "segment vip = customers where tier = gold",
        "segment near = customers where city = \"Lyon\"",
        "segment fresh = customers were joined > 2026-01-01",
        "segment rich = customers where spend > \"a lot\"",
        "wait 2 days",
        "send email welcme to customers",
        "segment one customers where spend > 1",
        "export customers to \"/tmp/out.csv\"",
        "split customers into { a: 60%; b: 50% }",
        "sned email welcome to customers",
    ];
    for (before, after) in [("", ""), ("campaign ten {\n", "\n}\n")] {
        let text = format!("{before}{}{after}", mistakes.join("\n"));
        let analysis = analyze(&root().join("tests/corpus"), "accept/ten.orch", &text);
        let mut lines = Vec::new();
        for problem in analysis.errors() {
            let span = problem.span().expect("errors of a script have a place");
            let file = analysis.sources.file(span.source);
            lines.push(file.lines.line_column(&file.text, span.start).line as usize - before.lines().count());
        }
        let wanted: Vec<usize> = (1..=10).collect();
        assert_eq!(lines, wanted, "{}", analysis.render(RenderStyle::default()));
    }
}

/// What a problem offers as an edit makes that problem go away, and no new ones.
#[test]
fn fixes_mend() {
    let folder = root().join("tests/corpus");
    let mut wrong = String::new();
    let (mut fixes, files) = (0, fs::read_dir(folder.join("reject")).expect("the folder is there"));
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("it can be listed").path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.is_file()) {
        let name = file.file_name().expect("files have names").to_string_lossy();
        let path = format!("reject/{name}");
        let text = fs::read_to_string(file).expect("it can be read");
        let before = analyze(&folder, &path, &text);
        for problem in &before.problems {
            let Some(fix) = problem.fix.as_ref().filter(|fix| Some(fix.span.source) == before.entry) else { continue };
            let (start, end) = (fix.span.start as usize, fix.span.end as usize);
            let mended = format!("{}{}{}", &text[..start], fix.replacement, &text[end..]);
            let after = analyze(&folder, &path, &mended);
            let is_there = |analysis: &Analysis| {
                analysis
                    .problems
                    .iter()
                    .filter(|other| (other.code, &other.message) == (problem.code, &problem.message))
                    .count()
            };
            fixes += 1;
            if is_there(&after) >= is_there(&before) {
                let shown = after.render(RenderStyle::default());
                wrong.push_str(&format!("{path}: {}\n{mended}{shown}\n", problem.message));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(fixes > 100, "{fixes}");
}
