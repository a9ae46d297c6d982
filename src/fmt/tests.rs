mod generated;
mod programs;

use std::path::Path;

use proptest::prelude::*;

use super::doc::WIDTH;
use super::format;
use crate::base::SourceId;
use crate::syntax;

fn formatted(text: &str) -> String {
    format(SourceId(0), text).unwrap_or_else(|problems| {
        let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        panic!("{text}\n{messages:?}")
    })
}

/// Every script of the repository that can be parsed.
fn corpus() -> &'static [String] {
    static SCRIPTS: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();
    SCRIPTS.get_or_init(read_corpus)
}

fn read_corpus() -> Vec<String> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()];
    let mut scripts = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if entry.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    folders.push(entry);
                }
            } else if name.ends_with(".orch") {
                let text = std::fs::read_to_string(entry).unwrap();
                if !syntax::parse(SourceId(0), &text).problems.has_errors() {
                    scripts.push(text);
                }
            }
        }
    }
    scripts.sort();
    scripts
}

#[test]
fn the_style() {
    insta::assert_snapshot!(formatted(include_str!("tests/untidy.orch")));
}

#[test]
fn control_signs_of_a_script_are_its_own() {
    for text in ["log `a\u{1}b`\n", "log `a\u{1}b`  # c\u{1}d\nlet x = 1     # e\n", "let x = 1 # a\u{1}b\n"] {
        let once = formatted(text);
        assert_eq!(once.matches('\u{1}').count(), text.matches('\u{1}').count(), "{once:?}");
        assert_eq!(formatted(&once), once);
    }
}

#[test]
fn every_script_has_a_form_that_stays() {
    let corpus = corpus();
    assert!(corpus.len() > 5);
    for text in corpus {
        let once = formatted(text);
        assert_eq!(formatted(&once), once);
        assert!(once.is_empty() || (once.ends_with('\n') && !once.ends_with("\n\n")));
        for line in once.lines() {
            let code = line.split('#').next().unwrap_or("");
            assert!(code.chars().count() <= WIDTH || code.contains('"'), "{line}");
            assert!(!line.ends_with(' ') || once.contains("\"\"\""), "{line:?}");
        }
    }
}

#[test]
fn what_cannot_be_parsed_is_refused() {
    let problems = format(SourceId(0), "segment a = = b").unwrap_err();
    assert!(problems.has_errors());
}

#[test]
fn small_things() {
    for (text, wanted) in [
        ("", ""),
        ("\n\n# a\n\n\n\n# b\n\n", "# a\n\n# b\n"),
        ("stop;stop", "stop\nstop\n"),
        ("let a=-1-  -b*(c+d)", "let a = -1 - -b * (c + d)\n"),
        ("let a = f (x) . y ( )", "let a = f(x).y()\n"),
        ("let a = x in(1,2)", "let a = x in (1, 2)\n"),
        ("let a = [1,2,]", "let a = [1, 2]\n"),
        ("let a = not(b)", "let a = not (b)\n"),
        ("if a{}else if b{stop}else{}", "if a { } else if b { stop } else { }\n"),
        ("if a {\nstop }", "if a {\n  stop\n}\n"),
        ("if a { stop; log \"x\" }", "if a { stop; log \"x\" }\n"),
        ("message sms m{a:1,b:2}", "message sms m { a: 1, b: 2 }\n"),
        ("message sms m{\na:1,bcd:2}", "message sms m {\n  a:   1\n  bcd: 2\n}\n"),
        ("segment a = b\nwhere c limit 3", "segment a = b\n  where c\n  limit 3\n"),
        ("segment a = b where c\nand d", "segment a = b where c and d\n"),
        ("let a = [ # one\n1,2]", "let a = [  # one\n  1,\n  2\n]\n"),
        ("let a = [\n# one\n1,2 # two\n]", "let a = [\n  # one\n  1,\n  2  # two\n]\n"),
        ("campaign a {\n# one\n}", "campaign a {\n  # one\n}\n"),
        (
            "campaign a { # one\nstop # two\n# three\n} # four",
            "campaign a {  # one\n  stop  # two\n  # three\n}  # four\n",
        ),
        ("stop # one\nlog \"a\" # two", "stop     # one\nlog \"a\"  # two\n"),
        ("segment a = b # one\n  # two\n  where c", "segment a = b  # one\n  # two\n  where c\n"),
        ("if a {\nstop\n}\n# one\n# two", "if a {\n  stop\n}\n# one\n# two\n"),
        ("let a = 09:00 .b", "let a = 09:00 .b\n"),
        (
            "segment a = b\n# one\nwhere c and d\n# two\nlimit 3",
            "segment a = b\n  # one\n  where c and d\n  # two\n  limit 3\n",
        ),
        ("\u{FEFF}stop\r\n\r\nstop\r\n", "stop\n\nstop\n"),
        ("log \"\"\"\r\n  a\r\n  \"\"\"", "log \"\"\"\n  a\n  \"\"\"\n"),
    ] {
        assert_eq!(formatted(text), wanted, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Spaces do not matter, and neither do semicolons for new lines between statements.
    #[test]
    fn white_space_on_a_line_does_not_matter(which in any::<prop::sample::Index>(), seed in any::<u64>()) {
        let corpus = corpus();
        let text = which.get(corpus);
        let mut state = seed;
        let mut random = || { state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1); state >> 60 };
        let tokens = syntax::scan(SourceId(0), text).tokens;
        let in_strings: Vec<(u32, u32)> = strings(text);
        let mut out = String::new();
        let mut at = 0;
        for token in tokens.iter().filter(|token| token.start < token.end) {
            if in_strings.iter().any(|(start, end)| *start < token.start && token.start < *end) {
                continue;
            }
            let gap = &text[at..token.start as usize];
            out.push_str(gap);
            let same_line = !gap.contains('\n') && at > 0;
            if same_line && !gap.is_empty() {
                (0..random() / 4).for_each(|_| out.push(' '));
            }
            out.push_str(token.text(text));
            at = token.end as usize;
        }
        out.push_str(&text[at..]);
        prop_assert_eq!(formatted(&out), formatted(text));
    }

    /// Comments at the ends of lines and on lines of their own are kept.
    #[test]
    fn comments_are_kept(which in any::<prop::sample::Index>(), seed in any::<u64>()) {
        let corpus = corpus();
        let text = which.get(corpus);
        let mut state = seed;
        let mut random = || { state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1); state >> 60 };
        let strings = strings(text);
        let mut out = String::new();
        let mut at = 0;
        let mut added = 0;
        for line in text.split_inclusive('\n') {
            let end = at + line.trim_end().len();
            let free = strings.iter().all(|(start, stop)| end <= *start as usize || *stop as usize <= end);
            if free && random() < 4 && !line.contains('#') {
                added += 1;
                out.push_str(line.trim_end());
                out.push_str(if random() < 8 { " # added\n" } else { "\n# added\n" });
            } else {
                out.push_str(line);
            }
            at += line.len();
        }
        let result = formatted(&out);
        prop_assert_eq!(result.matches("# added").count(), added + text.matches("# added").count());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// A comment between any two tokens stays, and the script means what it meant.
    #[test]
    fn comments_between_tokens_are_kept(which in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(), own_line in any::<bool>()) {
        let corpus = corpus();
        let text = which.get(corpus);
        let strings = strings(text);
        let tokens = syntax::scan(SourceId(0), text).tokens;
        let ends: Vec<u32> = tokens.iter().map(|token| token.end).filter(|end| !strings.iter().any(|(start, stop)| start < end && end < stop)).collect();
        if ends.is_empty() { return Ok(()); }
        let at = *place.get(&ends) as usize;
        let comment = if own_line { "\n# added\n" } else { " # added\n" };
        let out = format!("{}{comment}{}", &text[..at], &text[at..]);
        if !syntax::parse(SourceId(0), &out).problems.has_errors() {
            prop_assert!(formatted(&out).contains("# added\n"), "{}", out);
        }
    }
}

/// The places of strings of several lines or with holes.
fn strings(text: &str) -> Vec<(u32, u32)> {
    use syntax::token::Kind;
    let mut places = Vec::new();
    let mut open = Vec::new();
    for token in syntax::scan(SourceId(0), text).tokens {
        match token.kind {
            Kind::Text => places.push((token.start, token.end)),
            Kind::TemplateOpen => open.push(token.start),
            Kind::TemplateClose => places.extend(open.pop().map(|start| (start, token.end))),
            _ => {}
        }
    }
    places
}
