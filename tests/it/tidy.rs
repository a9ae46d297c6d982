//! Rules about the sources themselves that neither the compiler nor clippy knows: who may import whom, how long a file
//! may be, which documents belong together. A convention that nothing checks is soon broken.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The layer of each module of the crate. A module may import modules of lower layers.
const LAYERS: &[(&str, u8)] = &[
    ("base", 0),
    ("diag", 0),
    ("syntax", 1),
    ("fmt", 1),
    ("hir", 2),
    ("project", 3),
    ("stdlib", 3),
    ("analysis", 3),
    ("plan", 4),
    ("ide", 4),
    ("runtime", 5),
    ("report", 6),
    ("repl", 7),
    ("serve", 7),
    ("cli", 7),
    ("main", 8),
    ("lib", 8),
];

/// Imports within a layer: who, of whom.
const NEIGHBOURS: &[(&str, &str)] = &[
    ("diag", "base"),
    ("fmt", "syntax"),
    ("analysis", "stdlib"),
    ("analysis", "project"),
    ("cli", "repl"),
    ("cli", "serve"),
];

/// Where each dependency may be used. An empty list means everywhere.
const CRATES: &[(&str, &[&str])] = &[
    ("axum", &["serve"]),
    ("blake3", &[]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("comfy_table", &["report"]),
    ("csv", &["runtime"]),
    ("datafusion", &["plan/query", "plan/functions", "runtime", "report"]),
    ("encoding_rs", &["runtime"]),
    ("flate2", &["runtime"]),
    ("futures", &["plan/query", "runtime", "cli"]),
    ("getrandom", &["runtime"]),
    ("indicatif", &["cli"]),
    ("jiff", &[]),
    ("lalrpop_util", &["syntax"]),
    ("lettre", &["runtime"]),
    ("logos", &["syntax"]),
    ("miette", &["diag"]),
    ("mimalloc", &["main"]),
    ("minijinja", &["hir", "runtime"]),
    ("object_store", &["runtime"]),
    ("rusqlite", &["runtime"]),
    ("rust_decimal", &[]),
    ("rustls", &["runtime"]),
    ("rustyline", &["repl"]),
    ("serde", &[]),
    ("serde_json", &[]),
    ("strsim", &["base"]),
    ("tempfile", &["runtime"]),
    ("thiserror", &[]),
    ("tokio", &["runtime", "cli", "repl", "serve"]),
    ("tokio_postgres", &["runtime"]),
    ("tokio_postgres_rustls", &["runtime"]),
    ("toml", &["project"]),
    ("unicode_ident", &["syntax", "fmt", "hir"]),
    ("unicode_width", &[]),
    ("webpki_roots", &["runtime"]),
    ("zstd", &["runtime"]),
];

/// Most lines of a file of Rust.
const CEILING: usize = 600;

/// Files that may be longer, and why.
const LONG_FILES: &[(&str, &str)] = &[];

/// Codes whose page shows the message instead of an example, and why.
const UNSHOWN: &[(&str, &str)] = &[
    ("syntax::too_long", "the example would be a file of gigabytes"),
    ("syntax::not_formatted", "it comes from `orch fmt`, not from checking"),
    ("syntax::too_many", "the example would have a thousand mistakes"),
    ("syntax::not_formatted", "the formatter gives it, and only when it is itself at fault"),
];

/// Words that have no place in a committed file, and why. Split so that this file does not contain them.
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("to", "do!("), "finish it or leave it out"),
    (concat!("unimple", "mented!("), "finish it or leave it out"),
    (concat!("TO", "DO"), "finish it, or write down in docs/decisions.md why it is left out"),
    (concat!("FIX", "ME"), "fix it"),
    (concat!("db", "g!("), "left over from debugging"),
    (concat!("/ro", "ot/"), "a path of somebody's machine"),
    (concat!("/ho", "me/"), "a path of somebody's machine"),
    (concat!("/wo", "rk/"), "a path of somebody's machine"),
];

#[test]
fn modules_import_downwards_only() {
    let mut wrong = Vec::new();
    for file in product_sources() {
        let home = module_of(&file.path);
        let Some(layer) = layer_of(&home) else {
            wrong.push(format!("{}: module `{home}` has no layer; add it to LAYERS in tests/it/tidy.rs", file.path));
            continue;
        };
        for target in crate_imports(&file.code) {
            let Some(below) = layer_of(&target) else { continue };
            let neighbour = NEIGHBOURS.contains(&(home.as_str(), target.as_str()));
            if target != home && below >= layer && !neighbour {
                wrong.push(format!("{}: `{home}` (layer {layer}) imports `{target}` (layer {below})", file.path));
            }
        }
    }
    report("only lower layers may be imported; see docs/architecture.md", wrong);
}

#[test]
fn dependencies_stay_where_they_belong() {
    let mut wrong = Vec::new();
    for file in product_sources() {
        for (name, homes) in CRATES.iter().filter(|(_, homes)| !homes.is_empty()) {
            let inside =
                |home: &&str| file.path.starts_with(&format!("src/{home}/")) || file.path == format!("src/{home}.rs");
            if uses_crate(&file.code, name) && !homes.iter().any(inside) {
                wrong.push(format!("{}: uses `{name}`, which belongs in {}", file.path, homes.join(", ")));
            }
        }
    }
    for name in dependencies() {
        if !CRATES.iter().any(|(known, _)| *known == name) {
            wrong.push(format!("Cargo.toml: say in CRATES in tests/it/tidy.rs where `{name}` may be used"));
        }
    }
    report("each dependency is confined to a few folders", wrong);
}

#[test]
fn files_stay_short() {
    let mut wrong = Vec::new();
    let mut lengths = Vec::new();
    for path in files(&["src", "tests", "examples", "grammar", "build.rs"], &["rs", "lalrpop"]) {
        let lines = read(&path).lines().count();
        let excused = LONG_FILES.iter().any(|(name, _)| *name == path);
        if lines > CEILING && !excused {
            wrong.push(format!("{path}: {lines} lines; split it by topic, at most {CEILING} are allowed"));
        }
        if excused && lines <= CEILING {
            wrong.push(format!("{path}: {lines} lines are fine; take it out of LONG_FILES"));
        }
        lengths.push(lines);
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    if median >= 200 {
        wrong.push(format!("half of the files have {median} lines or more; fewer than 200 are wanted"));
    }
    report("files stay short", wrong);
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let codes: BTreeSet<String> = orch::diag::codes::all().map(|code| code.to_string()).collect();
    let pages: BTreeSet<String> = orch::diag::page_names().map(str::to_owned).collect();
    let file = |code: &str| format!("docs/errors/{}.md", code.replace("::", "/"));
    let mut wrong = Vec::new();
    wrong.extend(codes.difference(&pages).map(|code| format!("{code}: write {}", file(code))));
    wrong.extend(pages.difference(&codes).map(|code| format!("{}: no problem has this code", file(code))));
    if codes.len() != orch::diag::codes::all().count() {
        wrong.push("a code is registered twice".to_owned());
    }
    for code in pages.intersection(&codes) {
        let title = format!("# {code}");
        let page = read(&file(code));
        if page.lines().next() != Some(&title) {
            wrong.push(format!("{}: the first line is not `{title}`", file(code)));
        }
        let shows_message = code.starts_with("run::") || UNSHOWN.iter().any(|(unshown, _)| unshown == code);
        let wanted: &[&str] = if shows_message { &["```"] } else { &["```orch-wrong\n", "```orch\n"] };
        for fence in wanted.iter().filter(|fence| !page.contains(**fence)) {
            wrong.push(format!("{}: no example in a block {}", file(code), fence.trim()));
        }
        if page.lines().count() < 5 {
            wrong.push(format!("{}: too short to help anybody", file(code)));
        }
    }
    report("codes and pages in docs/errors belong together", wrong);
}

#[test]
fn nothing_forbidden_is_committed() {
    let roots = [
        "src",
        "tests",
        "docs",
        "examples",
        "stdlib",
        "grammar",
        ".ci",
        "build.rs",
        "README.md",
        "CHANGELOG.md",
        "Cargo.toml",
        "clippy.toml",
    ];
    let kinds = ["rs", "md", "orch", "toml", "lalrpop", "run", "snap", "html", "txt", "json"];
    let mut wrong = Vec::new();
    for path in files(&roots, &kinds) {
        for (number, line) in read(&path).lines().enumerate() {
            for (word, why) in FORBIDDEN.iter().filter(|(word, _)| line.contains(word)) {
                wrong.push(format!("{path}:{}: `{word}`: {why}", number + 1));
            }
        }
    }
    report("some words have no place in a committed file", wrong);
}

#[test]
fn examples_are_listed() {
    let readme = read("README.md");
    let mut wrong = Vec::new();
    for script in files(&["examples"], &["orch"]) {
        let folder = script.split('/').take(2).collect::<Vec<_>>().join("/");
        if !readme.contains(&folder) {
            wrong.push(format!("README.md does not mention {folder}"));
        }
        let own = format!("{folder}/README.md");
        let name = script.strip_prefix(&format!("{folder}/")).unwrap();
        if !root().join(&own).is_file() || !read(&own).contains(name) {
            wrong.push(format!("{own} does not mention {name}"));
        }
    }
    wrong.dedup();
    report("every example is found by a reader", wrong);
}

/// A file of the product without its comments and unit tests, which may import what they like.
struct Source {
    path: String,
    code: String,
}

fn product_sources() -> Vec<Source> {
    let paths = files(&["src"], &["rs"]).into_iter();
    let product = paths
        .filter(|path| !path.ends_with("/tests.rs") && !path.ends_with("/testing.rs") && !path.contains("/tests/"));
    let sources: Vec<Source> = product.map(|path| Source { code: code_of(&read(&path)), path }).collect();
    assert!(sources.len() > 20, "the sources were not found");
    sources
}

fn code_of(text: &str) -> String {
    let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = product.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| line.split(" // ").next().unwrap_or_default().to_owned() + "\n").collect()
}

/// `src/hir/check/mod.rs` is in `hir`, `src/analysis.rs` is `analysis`.
fn module_of(path: &str) -> String {
    let inner = path.strip_prefix("src/").unwrap_or(path);
    inner.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned()
}

fn layer_of(module: &str) -> Option<u8> {
    LAYERS.iter().find(|(name, _)| *name == module).map(|(_, layer)| *layer)
}

/// The modules after `crate::`, alone or in a list in braces.
fn crate_imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(list) => found.extend(heads(list)),
            None => found.extend(word(rest)),
        }
    }
    found
}

/// The first words of the items of a list that ends in `}`: `base::{A, B}, diag::C}` gives `base` and `diag`.
fn heads(list: &str) -> Vec<String> {
    let mut depth = 0;
    let mut start = true;
    let mut found = Vec::new();
    for (at, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => start = true,
            _ if start && !character.is_whitespace() => {
                found.extend(word(&list[at..]));
                start = false;
            }
            _ => {}
        }
    }
    found
}

fn word(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

/// True if a path begins with the crate's name.
fn uses_crate(code: &str, name: &str) -> bool {
    let path = format!("{name}::");
    code.match_indices(&path).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

/// The names in `[dependencies]`, as paths spell them.
fn dependencies() -> Vec<String> {
    let manifest = read("Cargo.toml");
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let names = section.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
    names.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.replace('-', "_")).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Files with these endings at or below the roots, relative to the package, sorted. Roots that do not exist are empty.
fn files(roots: &[&str], kinds: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = roots.iter().map(|name| root().join(name)).collect();
    while let Some(path) = open.pop() {
        if let Ok(children) = fs::read_dir(&path) {
            open.extend(children.flatten().map(|child| child.path()));
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_file() && kinds.contains(&name.rsplit('.').next().unwrap_or_default()) {
            let inner = path.strip_prefix(root()).unwrap();
            found.push(inner.to_string_lossy().replace('\\', "/"));
        }
    }
    found.sort();
    found
}

fn report(rule: &str, wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{rule}:\n  {}\n", wrong.join("\n  "));
}

#[test]
fn the_rules_see_what_they_should() {
    let code =
        code_of("use crate::{\n    base::{A, B},\n    diag::C,\n};\n// crate::cli::x\nlet x = crate::plan::y();\n");
    assert_eq!(crate_imports(&code).into_iter().collect::<Vec<_>>(), ["base", "diag", "plan"]);
    assert!(uses_crate("use clap::Args;", "clap"));
    assert!(!uses_crate("use super::clap::Args;", "clap"));
    assert!(!uses_crate("use my_clap::Args;", "clap"));
    assert_eq!(module_of("src/hir/check/mod.rs"), "hir");
    assert_eq!(module_of("src/analysis.rs"), "analysis");
    assert!(dependencies().contains(&"clap_complete".to_owned()));
}
