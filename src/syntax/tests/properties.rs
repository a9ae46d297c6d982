//! Whatever the text: no panic, spans inside it and on characters, a tree, and never long.

use proptest::prelude::*;

use super::SHOP;
use crate::base::SourceId;
use crate::syntax::{is_incomplete, parse, parse_expression};

/// Every place that a tree or its problems name lies in the text and on the edge of a character.
fn check(text: &str) {
    let parsed = parse(SourceId(0), text);
    let (expr, more) = parse_expression(SourceId(0), text);
    is_incomplete(text);
    let inside = |start: usize, end: usize| {
        assert!(start <= end, "{start}..{end} in {text:?}");
        assert!(text.get(start..end).is_some(), "{start}..{end} in {text:?}");
    };
    for problem in parsed.problems.iter().chain(more.iter()) {
        assert!(problem.help.is_some() || problem.code.name == "unexpected", "{problem:?}");
        problem.labels.iter().for_each(|label| inside(label.span.start as usize, label.span.end as usize));
        problem.fix.iter().for_each(|fix| inside(fix.span.start as usize, fix.span.end as usize));
    }
    for comment in &parsed.trivia.comments {
        inside(comment.start as usize, comment.end as usize);
    }
    for debug in [format!("{:?}", parsed.file), format!("{expr:?}")] {
        for span in debug.split("Span { source: SourceId(0), start: ").skip(1) {
            let mut numbers = span.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok());
            inside(numbers.next().unwrap(), numbers.next().unwrap());
        }
    }
}

/// Pieces of scripts, to be put together at random.
const PIECES: &[&str] = &[
    "segment",
    "x",
    "=",
    "customers",
    "where",
    "and",
    "not",
    "in",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ";",
    "\n",
    ":",
    "send",
    "email",
    "to",
    "as",
    "wait",
    "2d",
    "until",
    "for",
    "signal",
    "else",
    "if",
    "then",
    "10%",
    "\"",
    "\"\"\"",
    "'",
    "{{",
    "\"a {b} c\"",
    "`q r`",
    "#",
    "##",
    "\r\n",
    "entity",
    "id",
    "int",
    "key",
    "campaign",
    "every",
    "day",
    "on",
    "at",
    "09:00",
    "2026-11-30",
    "test",
    "given",
    "policy",
    "cap",
    "per",
    "split",
    "into",
    "where",
    "union",
    "except",
    "by",
    "order",
    "limit",
    "-",
    "+",
    "*",
    ".",
    "??",
    "?",
    "|",
    "==",
    "&&",
    "!",
    "3m",
    "\\",
    "é",
    "😀",
    "\u{202E}",
    "\0",
    "define",
    "match",
    "with",
    "list",
    "of",
    "message",
    "repeat",
    "times",
    "parallel",
    "branch",
    "$",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        check(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_pieces(pieces in proptest::collection::vec((0..PIECES.len(), any::<bool>()), 0..60)) {
        let text: String = pieces.iter().map(|(piece, space)| format!("{}{}", PIECES[*piece], if *space { " " } else { "" })).collect();
        check(&text);
    }

    #[test]
    fn a_script_with_a_wound(script in 0..5_usize, at in 0.0..1.0_f64, length in 0..30_usize, piece in 0..PIECES.len()) {
        let text = SHOP[script].1;
        let edge = |at: usize| (at..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        let start = edge((text.len() as f64 * at) as usize);
        let end = edge((start + length).min(text.len()));
        check(&format!("{}{}{}", &text[..start], PIECES[piece], &text[end..]));
    }
}

#[test]
fn nesting_bombs_are_refused() {
    let bombs = [
        "(".repeat(100_000),
        "{".repeat(100_000),
        format!("segment x = {}", "(".repeat(100_000)),
        format!("segment x = {}a{}", "(".repeat(100_000), ")".repeat(100_000)),
        format!("segment x = {}", "[".repeat(100_000)),
        format!("let x = {}a", "not ".repeat(100_000)),
        format!("let x = {}a", "- ".repeat(100_000)),
        format!("let x = a{}", " + a".repeat(100_000)),
        format!("let x = a{}", " or a".repeat(100_000)),
        format!("let x = a{}", ".b".repeat(100_000)),
        format!("let x = a{}", "()".repeat(100_000)),
        format!("let x = a{}", " where a".repeat(100_000)),
        format!("let x = a{}", " union a".repeat(100_000)),
        format!("let x = {}a", "if a then b else ".repeat(100_000)),
        format!("let x: {}int = 1", "list of ".repeat(100_000)),
        format!("log {}", "\"{".repeat(100_000)),
        format!("log {}", "\"\"\"{".repeat(50_000)),
        "if a { ".repeat(100_000),
        format!("{}{}", "if a { ".repeat(100_000), "}".repeat(100_000)),
    ];
    for bomb in bombs {
        let problems = parse(SourceId(0), &bomb).problems;
        assert!(problems.iter().any(|problem| problem.code.name == "too_deep"), "{}", &bomb[..30]);
        let (_, problems) = parse_expression(SourceId(0), &bomb);
        assert!(problems.has_errors(), "{}", &bomb[..30]);
    }
}

#[test]
fn rubbish_has_few_problems() {
    let lines = [
        "\"{\n".repeat(50_000),
        ")".repeat(100_000),
        "( ] ".repeat(50_000),
        "; { ".repeat(50_000),
        "a\n".repeat(50_000),
        "$a ".repeat(100_000),
        format!("log \"{}\"", "x".repeat(10_000_000)),
        format!("let x = [{}]", "1, ".repeat(200_000)),
        format!("campaign a {{ {} }}", "segment b =\n".repeat(2_000)),
    ];
    for text in lines {
        let problems = parse(SourceId(0), &text).problems;
        assert!(problems.iter().len() <= 300, "{}: {}", &text[..10], problems.iter().len());
    }
}

#[test]
fn chains_and_brackets_below_the_limit_are_fine() {
    let fine = [
        format!("let x = a{}", " or a".repeat(490)),
        format!("let x = {}a{}", "(".repeat(490), ")".repeat(490)),
        format!("let x = [{}]", "a + b, ".repeat(2_000)),
        format!("let x = f({}1)", "a = b and c, ".repeat(2_000)),
    ];
    for text in fine {
        assert_eq!(super::problems_of(&text), "", "{}", &text[..20]);
        assert!(format!("{:?}", parse(SourceId(0), &text).file).len() > 100);
    }
}

/// `cargo test --release --lib ten_thousand_lines -- --ignored --nocapture`
#[test]
#[ignore = "a measurement, worth something only in release builds"]
fn ten_thousand_lines() {
    let mut text = String::new();
    for number in 0..2_000 {
        text.push_str(&format!(
            "segment s{number} = customers\n  where tier in (\"silver\", \"gold\") and spend > {number}\n    and not \
             exists(orders where placed_at > ago(90d))\n  limit 10_000 by spend desc\nlog \"{{count(s{number})}} rows\"\n"
        ));
    }
    let start = std::time::Instant::now();
    let parsed = parse(SourceId(0), &text);
    println!("{} lines in {:?}", text.lines().count(), start.elapsed());
    assert!(parsed.problems.is_empty());
}
