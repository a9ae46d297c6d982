use super::*;
use crate::base::{SourceId, Span};
use crate::diag::codes;

/// A file with one problem at the first occurrence of `needle`.
fn at(text: &str, needle: &str) -> (SourceMap, Span) {
    let mut sources = SourceMap::new();
    let source = sources.add("spring.orch", text);
    let start = text.find(needle).unwrap() as u32;
    (sources, Span::new(source, start, start + needle.len() as u32))
}

fn drawn(problem: &Problem, sources: &SourceMap) -> String {
    render(problem, sources, RenderStyle::default())
}

#[test]
fn a_problem_says_where_what_and_what_to_do() {
    let text = "# spring\n\nsegment vip = customers where tier = \"glod\" and spend > 500\n";
    let (mut sources, span) = at(text, "\"glod\"");
    let (_, tier) = at(text, "tier");
    let schema = sources.add("schema.orch", "entity customers {\n  tier: \"gold\"\n}\n");
    let problem = Problem::error(codes::types::UNKNOWN_FIELD, "`glod` is not a tier", span)
        .label("tier is \"bronze\" | \"silver\" | \"gold\"")
        .also(tier, "compared with this")
        .also(Span::new(schema, 21, 25), "declared here")
        .help("did you mean \"gold\"?");
    insta::assert_snapshot!(drawn(&problem, &sources));
    let narrow = RenderStyle { color: true, width: 50 };
    insta::assert_snapshot!("coloured_and_narrow", render(&problem, &sources, narrow).replace('\u{1b}', "ESC"));
}

#[test]
fn labels_far_apart_are_two_pieces_and_long_ones_are_their_first_line() {
    let text = (1..=40).map(|n| format!("let line_{n} = {n}\n")).collect::<String>();
    let (sources, span) = at(&text, "line_30");
    let (_, first) = at(&text, "line_2");
    let (_, start) = at(&text, "let line_4");
    let problem = Problem::warning(codes::lints::UNUSED_SEGMENT, "nothing uses `line_30`", span)
        .also(first, "like this one")
        .also(Span { end: span.start, ..start }, "and all of these");
    insta::assert_snapshot!(drawn(&problem, &sources));
}

#[test]
fn several_lines_are_bracketed() {
    let (sources, span) = at("if a {\n  stop\n}\n", "{\n  stop\n}");
    let problem = Problem::error(codes::syntax::UNEXPECTED, "a block cannot stand here", span).label("this block");
    insta::assert_snapshot!(drawn(&problem, &sources));
}

#[test]
fn labels_at_the_end_stay_visible() {
    for text in ["segment vip =", "segment vip =\n\n\n", "segment vip =\r\n"] {
        let (sources, _) = at(text, "segment");
        for end in [text.len() as u32, text.len() as u32 + 20] {
            let problem = Problem::error(
                codes::syntax::UNEXPECTED,
                "expected a query",
                Span::new(SourceId(0), text.len() as u32, end),
            )
            .label("here");
            let drawn = drawn(&problem, &sources);
            assert!(drawn.contains("spring.orch:1:14"), "{drawn}");
            assert!(drawn.contains("╰── here"), "{drawn}");
        }
    }
    let mut empty = SourceMap::new();
    let source = empty.add("empty.orch", "");
    let problem = Problem::error(codes::syntax::UNEXPECTED, "nothing here", Span::new(source, 0, 0));
    assert!(drawn(&problem, &empty).contains("empty.orch:1:1"));
}

#[test]
fn what_acts_on_a_terminal_is_spelled_out() {
    let (sources, span) = at("let a = \u{202E}\"x\u{1b}[31m\"\t+ bad\u{0}\r\nlet b = 1", "bad");
    let problem = Problem::error(codes::names::UNKNOWN_NAME, "nothing is called `\u{1b}[2J\u{2066}bad`", span);
    let drawn = drawn(&problem, &sources);
    assert!(!drawn.contains(['\u{1b}', '\u{202E}', '\u{2066}', '\u{0}', '\r']), "{drawn}");
    insta::assert_snapshot!(drawn);
}

#[test]
fn a_very_long_line_is_cut_around_the_label() {
    let text = format!("let a = [{}, wrong, {}]\n", "é, ".repeat(300_000), "1, ".repeat(2_000_000));
    let (sources, span) = at(&text, "wrong");
    let problem = Problem::error(codes::names::UNKNOWN_NAME, format!("`{}` is wrong", "x".repeat(100_000)), span)
        .also(Span::new(SourceId(0), 0, text.len() as u32), "in this list");
    let drawn = drawn(&problem, &sources);
    assert!(drawn.len() < 4_000, "{} bytes", drawn.len());
    assert!(drawn.contains("wrong") && drawn.contains('…'), "{drawn}");
    assert!(drawn.contains("spring.orch:1:900012"), "{drawn}");
}

#[test]
fn fifty_are_drawn_the_rest_is_counted_and_errors_come_first() {
    let (sources, span) = at("let a = 1", "a");
    let mut problems = Problems::new();
    for n in 0..60 {
        problems.push(Problem::warning(codes::lints::UNUSED_SEGMENT, format!("warning {n}"), span));
    }
    for n in 0..45 {
        problems.push(Problem::error(codes::names::UNKNOWN_NAME, format!("error {n}"), span));
    }
    let drawn = render_all(&problems, &sources, RenderStyle::default(), 2);
    assert_eq!(drawn.matches("error[names::unknown_name]").count(), 45);
    assert_eq!(drawn.matches("warning[lints::unused_segment]").count(), 5);
    assert_eq!(drawn.matches("orch explain").count(), 2, "once for each code");
    assert!(drawn.ends_with("… 55 more problems\n\n45 errors, 60 warnings in 2 files\n"), "{drawn}");
}

#[test]
fn summaries_count() {
    let (_, span) = at("a", "a");
    let mut problems = Problems::new();
    assert_eq!(summary(&problems, 2), "no problems in 2 files");
    problems.push(Problem::error(codes::names::UNKNOWN_NAME, "x", span));
    assert_eq!(summary(&problems, 1), "1 error in 1 file");
}

proptest::proptest! {
    /// Whatever the text and wherever the labels, something is drawn and it is harmless.
    #[test]
    fn any_text_and_any_places(
        text in "([a-z\"\t\r\n\u{0}\u{1b}\u{202E}é😀漢 ]|\r\n|[ -~]{150}){0,40}",
        places in proptest::collection::vec((0u32..300, 0u32..300), 1..4),
        width in 0usize..150,
    ) {
        let mut sources = SourceMap::new();
        let source = sources.add("any.orch", text);
        let mut problem = Problem::error(codes::syntax::UNEXPECTED, "x", Span::new(source, 0, 0));
        problem.labels.clear();
        for (start, length) in places {
            let span = Span::new(source, start, start + length);
            problem.labels.push(Label { span, text: "here".to_owned() });
        }
        let drawn = render(&problem, &sources, RenderStyle { color: false, width });
        proptest::prop_assert!(drawn.contains("any.orch:"), "{drawn}");
        proptest::prop_assert!(!drawn.contains(['\u{1b}', '\u{0}', '\u{202E}', '\r']), "{drawn}");
    }
}
