//! The pages of `docs/errors/syntax`: their wrong examples have their problem, their right ones have none.

use super::{parse, problems_of};
use crate::base::SourceId;
use crate::diag::codes::syntax;

/// The code blocks of a page that are marked so.
fn blocks<'p>(page: &'p str, mark: &str) -> Vec<&'p str> {
    page.split(&format!("```{mark}\n")).skip(1).filter_map(|rest| rest.split("\n```").next()).collect()
}

#[test]
fn every_code_has_a_page_with_true_examples() {
    for code in syntax::ALL {
        let path = format!("{}/docs/errors/syntax/{}.md", env!("CARGO_MANIFEST_DIR"), code.name);
        let page = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(page.starts_with(&format!("# {code}\n\n")), "{path}");
        for wrong in blocks(&page, "orch-wrong") {
            let problems = parse(SourceId(0), wrong).problems;
            assert!(!problems.is_empty(), "{path}");
            problems.iter().for_each(|problem| assert_eq!(problem.code, *code, "{path}"));
        }
        let right = blocks(&page, "orch");
        assert!(!right.is_empty(), "{path}");
        for text in right {
            assert_eq!(problems_of(text), "", "{path}");
        }
    }
}
