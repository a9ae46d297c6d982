//! Whatever a file holds, checking and formatting end, with a result or with problems that can be shown.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use orch::analysis::Workspace;
use orch::base::{SourceId, SourceMap};
use orch::diag::{RenderStyle, render_all};

/// Files that have broken other programs, and the exit codes that are right for them.
fn hard_files() -> Vec<(&'static str, Vec<u8>, &'static [i32])> {
    let many = |piece: &str| piece.repeat(100_000);
    let text = |text: String| text.into_bytes();
    vec![
        ("brackets", text(format!("let x = {}", many("("))), &[1]),
        ("closed brackets", text(format!("let x = {}1{}", many("("), many(")"))), &[1]),
        ("lists", text(format!("let x = {}", many("["))), &[1]),
        ("braces", text(many("if true { ")), &[1]),
        ("signs", text(format!("let x = {}1", many("- "))), &[1]),
        ("sum", text(format!("let x = 1{}", many(" + 1"))), &[1]),
        ("path", text(format!("let x = a{}", many(".a"))), &[1]),
        ("conditions", text(format!("let x = {}1", many("if true then 1 else "))), &[1]),
        ("unions", text(format!("segment x = a{}", many(" union a"))), &[1]),
        ("holes", text(format!("log {}", many("\"{"))), &[1]),
        ("a long line", text(format!("log \"{}\"", "a".repeat(10_000_000))), &[0]),
        ("a long word", text("a".repeat(10_000_000)), &[1]),
        ("a long number", text(format!("let x = {}", "9".repeat(1_000_000))), &[1]),
        ("a long comment", text("#".repeat(10_000_000)), &[0]),
        ("doc comments", text("## a\n".repeat(200_000)), &[0, 1]),
        ("mistakes", text("let =\n".repeat(20_000)), &[1]),
        ("not UTF-8", b"log \"\xff\xfe\"".to_vec(), &[1, 2]),
        ("half a surrogate", b"log \"\xed\xa0\x80\"".to_vec(), &[1, 2]),
        ("UTF-16", b"\xff\xfel\0o\0g\0".to_vec(), &[1, 2]),
        ("NUL", b"log \"a\0b\"\0\n\0".to_vec(), &[1]),
        ("a mark of byte order", text("\u{feff}log \"a\"\n".to_owned()), &[0]),
        ("lines of Windows", text("log \"a\"\r\nlog \"\"\"\r\n  a\r\n  \"\"\"\r\n".to_owned()), &[0]),
        ("lines of old", text("log \"a\"\rlog \"b\"\r".to_owned()), &[0, 1]),
        ("marks of direction", text("log \"a\u{202e}b\"\nlet \u{202e}x = 2".to_owned()), &[1]),
        ("names from right to left", text("let \u{5d0}\u{5d1} = 1\nlog \"{\u{5d0}\u{5d1}}\"".to_owned()), &[0]),
        ("nothing", Vec::new(), &[0]),
        ("a long list", text(format!("let x = [{}]\nlog \"{{size(x)}}\"", many("1, "))), &[0]),
        ("a long query", text(format!("segment x = a{}", many(" where b"))), &[1]),
        ("parentheses in lists", text(format!("let x = {}", many("[("))), &[1]),
        ("blocks in blocks", text(many("parallel { branch \"a\" { ")), &[1]),
        ("backquotes", text(many("`")), &[1]),
        ("quotes", text(many("\"\"\"")), &[0, 1]),
        ("escapes", text(format!("log \"{}\"", many("\\u{1F600}"))), &[0]),
        ("spaces of all kinds", text("log\u{a0}\"a\"\u{2028}log\u{3000}\"b\"\u{b}".to_owned()), &[0, 1]),
        ("a comment of letters", text(format!("# {}", many("é"))), &[0]),
        ("a name of letters", text(format!("let `{}` = 1\nlet “{}” = 1", many("é"), many("ж"))), &[1]),
        ("letters with many marks", text(format!("log \"a{}\"", many("\u{301}"))), &[0]),
    ]
}

#[test]
fn hard_files_end_with_a_result_or_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for (name, bytes, expected) in hard_files() {
        let path = folder.path().join("hard.orch");
        fs::write(&path, &bytes).unwrap();
        let mut check = Command::new(env!("CARGO_BIN_EXE_orch"));
        let started = Instant::now();
        let output = check.arg("check").arg(&path).stdin(Stdio::null()).output().unwrap();
        let remarks = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.code().is_some_and(|code| expected.contains(&code)) || remarks.contains("panicked") {
            wrong.push(format!("{name}: {:?} {remarks:.300}", output.status));
        }
        if started.elapsed() > Duration::from_secs(30) {
            wrong.push(format!("{name}: took {:?}", started.elapsed()));
        }
        // Long texts are measured letter by letter, which takes its time without optimisation.
        if bytes.len() < 2_000_000 {
            let mut format = Command::new(env!("CARGO_BIN_EXE_orch"));
            let formatted = format.args(["fmt", "--check"]).arg(&path).output().unwrap();
            let remarks = String::from_utf8_lossy(&formatted.stderr).into_owned();
            if formatted.status.code().is_none_or(|code| code > 2) || remarks.contains("panicked") {
                wrong.push(format!("{name}: fmt {:?} {remarks:.300}", formatted.status));
            }
        }
        if output.stdout.len() > 1_000_000 {
            wrong.push(format!("{name}: said {} bytes", output.stdout.len()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Random numbers that are the same every time (xorshift).
struct Lots(u64);

impl Lots {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most.max(1) as u64) as usize
    }
}

/// Everything that is written in the language here.
fn texts() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = ["tests/corpus", "examples", "stdlib"].iter().map(|name| root.join(name)).collect();
    while let Some(path) = open.pop() {
        if let Ok(children) = fs::read_dir(&path) {
            open.extend(children.flatten().map(|child| child.path()));
        } else if path.extension().is_some_and(|extension| extension == "orch") {
            found.push(path);
        }
    }
    found.sort();
    assert!(found.len() > 100);
    found.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// Pieces that are likely to matter.
const PIECES: &[&str] = &[
    "\"",
    "\"\"\"",
    "'",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "`",
    "#",
    "##",
    "\\",
    ";",
    "\n",
    "\r\n",
    ",",
    ":",
    ".",
    "?",
    "??",
    "-",
    "%",
    "=",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "é",
    "🎈",
    " where ",
    " with ",
    " if ",
    " else ",
    " then ",
    " in ",
    " union ",
    " limit ",
    " by ",
    " of ",
    "segment ",
    "define ",
    "send email ",
    "wait ",
    "null",
    "2d",
    "10%",
    "2026-02-30",
    "09:00",
    "99999999999999999999",
    "1e999",
    "{{",
    "}}",
    "\\u{",
    "use std.",
    " as ",
    "group",
    "any",
    "exists(",
    "count(",
    "not ",
];

/// A text with a few changes: pieces put in, cut out, doubled, moved, or taken from another text.
fn changed(texts: &[String], lots: &mut Lots) -> String {
    let mut text: Vec<char> = texts[lots.below(texts.len())].chars().collect();
    for _ in 0..=lots.below(4) {
        let at = lots.below(text.len() + 1);
        let end = (at + 1 + lots.below(30)).min(text.len());
        match lots.below(5) {
            0 => drop(text.splice(at..at, PIECES[lots.below(PIECES.len())].chars())),
            1 => drop(text.drain(at.min(end)..end)),
            2 => {
                let piece = text[at.min(end)..end].to_vec();
                text.splice(at..at, piece);
            }
            3 => {
                let piece: Vec<char> = text.drain(at.min(end)..end).collect();
                let to = lots.below(text.len() + 1);
                text.splice(to..to, piece);
            }
            _ => {
                let other: Vec<char> = texts[lots.below(texts.len())].chars().collect();
                let from = lots.below(other.len());
                text.splice(at..at, other[from..(from + 60).min(other.len())].to_vec());
            }
        }
    }
    text.into_iter().collect()
}

/// Asks everything of a text that there is to ask; panics where an answer is wrong.
fn ask(text: &str, schema: &str) {
    let mut sources = SourceMap::new();
    let source = sources.add("a.orch", text);
    assert!(orch::syntax::token_places(text).iter().all(|place| text.get(place.clone()).is_some()));
    let parsed = orch::syntax::parse(source, text);
    assert!(render_all(&parsed.problems, &sources, RenderStyle::default(), 1).len() < 10_000_000);
    if let Ok(formatted) = orch::fmt::format(source, text) {
        assert_eq!(orch::fmt::format(SourceId(0), &formatted).ok(), Some(formatted.clone()), "formatted again");
    }
    let analysis = Workspace::from_files([("schema.orch", schema)]).schema(["schema.orch"]).analyze_text("a", text);
    let _ = analysis.render(RenderStyle::default());
}

/// The first of `rounds` texts, or of those of `length`, to which an answer is wrong.
fn search(mut lots: Lots, rounds: usize, length: Duration) -> Option<String> {
    let texts = texts();
    let schema = texts.iter().find(|text| text.contains("entity customers")).unwrap();
    let started = Instant::now();
    for _ in 0..rounds {
        let text = changed(&texts, &mut lots);
        let began = Instant::now();
        let answered = std::panic::catch_unwind(|| ask(&text, schema));
        if answered.is_err() || began.elapsed() > Duration::from_secs(5) {
            return Some(text);
        }
        if started.elapsed() > length {
            break;
        }
    }
    None
}

#[test]
fn changed_texts_are_answered() {
    let found = search(Lots(0x9e37_79b9_7f4a_7c15), 500, Duration::from_secs(20));
    assert_eq!(found, None);
}

/// `ORCH_ROBUST_SECONDS` says how long, `ORCH_ROBUST_SEED` with which numbers.
#[test]
#[ignore = "as long as one likes: `ORCH_ROBUST_SECONDS=300 cargo test --test it robust:: -- --ignored`"]
fn many_changed_texts_are_answered() {
    let number = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let seed = number("ORCH_ROBUST_SEED", 1).max(1);
    let found = search(Lots(seed), usize::MAX, Duration::from_secs(number("ORCH_ROBUST_SECONDS", 60)));
    assert_eq!(found, None);
}
