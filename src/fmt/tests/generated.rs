//! What holds for the formatter on every program, on generated ones and on those of the repository.

use proptest::prelude::*;

use super::programs::program;
use super::{corpus, formatted};
use crate::base::SourceId;
use crate::syntax;

/// The tree without places.
fn tree(text: &str) -> String {
    let debug = format!("{:?}", syntax::parse(SourceId(0), text).file);
    let mut parts = debug.split("Span { source: SourceId(0), start: ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.split_once('}').unwrap().1);
    }
    out
}

fn check(text: &str) {
    let problems = syntax::parse(SourceId(0), text).problems;
    let places = problems.iter().map(|problem| {
        let span = problem.span().unwrap();
        format!(
            "{} at `{}`",
            problem.message,
            text[..span.end as usize].chars().rev().take(30).collect::<Vec<_>>().into_iter().rev().collect::<String>()
        )
    });
    let places: Vec<String> = places.collect();
    assert!(places.is_empty(), "{places:#?} in\n{text}");
    let once = formatted(text);
    assert_eq!(formatted(&once), once, "changes again\n{text}");
    assert_eq!(tree(&once), tree(text), "another tree\n{text}\n----\n{once}");
}

#[test]
fn scripts_of_the_repository_keep_their_trees() {
    corpus().iter().for_each(|text| check(&text.replace("\r\n", "\n")));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_programs_keep_their_trees_and_their_form(seed in any::<u64>(), comments in any::<bool>()) {
        let text = program(seed, comments).replace("\r\n", "\n");
        check(&text);
        let kept = |text: &str| text.matches("# why").count() + text.matches("# and how").count();
        prop_assert_eq!(kept(&formatted(&text)), kept(&text));
    }
}

/// The generator writes everything that there is to write: each form of the tree appears in some hundred programs.
#[test]
fn every_form_is_generated() {
    let trees: String = (0..4_000).map(|seed| tree(&program(seed, true))).collect();
    let source = [include_str!("../../syntax/ast/mod.rs"), include_str!("../../syntax/ast/expr.rs")].join("\n");
    let source =
        [source, include_str!("../../syntax/ast/decl.rs").into(), include_str!("../../syntax/ast/flow.rs").into()];
    let mut missing = Vec::new();
    for part in source.join("\n").split("pub enum ").skip(1) {
        let body = part.split("\n}").next().unwrap();
        for line in body.lines().skip(1).filter_map(|line| line.strip_prefix("    ")) {
            let variant: String = line.chars().take_while(|c| c.is_alphanumeric()).collect();
            let is_variant = line.starts_with(|c: char| c.is_uppercase());
            if is_variant && variant != "Error" && !trees.contains(&variant) {
                missing.push(variant);
            }
        }
    }
    assert!(missing.is_empty(), "never generated: {missing:?}");
}
