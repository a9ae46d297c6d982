//! Tests of the whole way from text to tree.

mod compact;
mod messages;
mod pages;
mod properties;
mod recovery;
mod trees;

use super::parse;
use crate::base::{SourceId, SourceMap};

/// The example scripts.
const SHOP: &[(&str, &str)] = &[
    ("schema", include_str!("../../examples/shop/schema.orch")),
    ("city_event", include_str!("../../examples/shop/city_event.orch")),
    ("news", include_str!("../../examples/shop/news.orch")),
    ("vip", include_str!("../../examples/shop/vip.orch")),
    ("winback", include_str!("../../examples/shop/winback.orch")),
];

/// The problems of a text, one a line.
fn problems_of(text: &str) -> String {
    let mut map = SourceMap::new();
    let source = map.add("t.orch", text);
    let line = |problem: &crate::diag::Problem| {
        let place = problem.span().map_or(String::new(), |span| map.place(span));
        let help = problem.help.clone().unwrap_or_default();
        format!("{place} {}: {} ({help})\n", problem.code, problem.message)
    };
    parse(source, text).problems.iter().map(line).collect()
}

#[test]
fn the_example_scripts_have_no_problems() {
    for (name, text) in SHOP {
        assert_eq!(problems_of(text), "", "{name}");
        assert!(!parse(SourceId(0), text).file.stmts.is_empty(), "{name}");
    }
}
