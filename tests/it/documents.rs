//! What the documents show is true: programs have no errors, settings can be set, examples pass.

use std::fs;
use std::path::{Path, PathBuf};

use orch::analysis::{Analysis, Workspace};
use orch::base::SourceId;
use orch::diag::{RenderStyle, render_all};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A fenced piece of code.
struct Block {
    kind: String,
    text: String,
}

fn blocks(markdown: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for line in markdown.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(kind), None) => {
                open = Some(Block { kind: kind.trim().to_owned(), text: String::new() });
            }
            (None, Some(block)) => block.text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed:\n{markdown}");
    found
}

fn analyze(text: &str) -> Analysis {
    Workspace::from_files([("example.orch", text)]).analyze("example.orch")
}

fn drawn(analysis: &Analysis) -> String {
    render_all(&analysis.problems, &analysis.sources, RenderStyle::default(), 1)
}

/// Blocks of one document build on each other, as a reader takes them.
#[test]
fn the_book_is_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut documents: Vec<PathBuf> = vec![root.join("README.md")];
    documents.extend(fs::read_dir(root.join("docs/book")).unwrap().map(|entry| entry.unwrap().path()));
    for path in documents {
        let text = fs::read_to_string(&path).unwrap();
        let blocks = blocks(&text).into_iter().filter(|block| block.kind == "orch");
        let program: String = blocks.map(|block| block.text).collect();
        // The README shows its one line before anything is declared.
        let schema = fs::read_to_string(root.join("examples/shop/schema.orch")).unwrap();
        let declares = program.contains("entity customers");
        let program = if declares || program.is_empty() { program } else { schema + &program };
        let analysis = analyze(&program);
        assert!(!analysis.problems.has_errors(), "{}\n{}", path.display(), drawn(&analysis));
    }
}

#[test]
fn settings_in_the_book_can_be_set() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut pages = vec![root.join("book/projects.md")];
    pages.extend(fs::read_dir(root.join("errors/run")).unwrap().map(|entry| entry.unwrap().path()));
    for path in pages {
        for block in blocks(&fs::read_to_string(&path).unwrap()).iter().filter(|block| block.kind == "toml") {
            let mut sources = orch::base::SourceMap::new();
            let source = sources.add("orch.toml", block.text.as_str());
            if let Err(problems) = orch::project::Manifest::parse(&block.text, source) {
                panic!("{}\n{}", path.display(), render_all(&problems, &sources, RenderStyle::default(), 1));
            }
        }
    }
}

#[test]
fn every_example_is_free_of_errors() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for folder in fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        let check = std::process::Command::new(env!("CARGO_BIN_EXE_orch")).arg("check").arg(&folder).output().unwrap();
        let shown = String::from_utf8_lossy(&check.stdout).into_owned();
        assert_eq!(check.status.code(), Some(0), "{}\n{shown}", folder.display());
    }
}

/// The page that teaches the language is a script with its data; it runs, and says what the page says.
#[cfg(feature = "engine")]
#[test]
fn the_language_page_runs() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/book/language.md");
    let mut project = crate::project::Project::empty();
    let (mut script, mut said) = (String::new(), Vec::new());
    for block in blocks(&fs::read_to_string(page).unwrap()) {
        match block.kind.split_once(' ') {
            Some(("csv", name)) => project = project.with(name, &block.text),
            _ if block.kind == "orch" => script += &block.text,
            _ if block.kind == "text" => said.push(block.text),
            _ => {}
        }
    }
    let project = project.with("language.orch", &script);
    let ran = project.done(&["run", "language.orch", "--fast-forward"]);
    for text in said {
        assert!(ran.stdout.contains(text.trim()), "`{text}` is not in\n{}", ran.shown());
    }
    assert!(ran.stdout.contains("1 of 5 have no first name"), "{}", ran.shown());
}

/// What people copy from is in the style that `orch fmt` gives it.
#[test]
fn examples_and_the_library_are_formatted() {
    let mut folders = vec![root().join("examples"), root().join("stdlib")];
    let (mut seen, mut wrong) = (0, Vec::new());
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "orch") {
                let text = fs::read_to_string(&path).unwrap();
                seen += 1;
                if orch::fmt::format(SourceId(0), &text).unwrap() != text {
                    wrong.push(path);
                }
            }
        }
    }
    assert!(seen > 15, "{seen}");
    assert!(wrong.is_empty(), "run `orch fmt` on {wrong:?}");
}
