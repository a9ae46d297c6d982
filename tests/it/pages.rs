//! The examples on the pages of problems: the wrong one gives the problem, the right one gives neither it nor an error.

use orch::analysis::{Analysis, Workspace};
use orch::diag::{Code, Phase, Problem, RenderStyle, codes, page};

/// Files that examples name.
const FILES: &[(&str, &str)] = &[
    ("segments.orch", "entity people from crm.people { id: int key }"),
    ("hello.html", "Hi {{ first_name }}"),
    ("broken.html", "{% if first_name %}Hi"),
];

/// The text between the fences of the first block of this kind.
fn block<'p>(page: &'p str, kind: &str) -> Option<&'p str> {
    let (_, after) = page.split_once(&format!("\n```{kind}\n"))?;
    after.split_once("\n```").map(|(block, _)| block)
}

fn analyze(text: &str) -> Analysis {
    let files = FILES.iter().copied().chain([("example.orch", text)]);
    Workspace::from_files(files).analyze("example.orch")
}

fn wrong(code: Code) -> Option<String> {
    let page = page(code)?;
    let shown = |analysis: &Analysis| analysis.render(RenderStyle::default());
    if let Some(example) = block(page, "orch-wrong") {
        let analysis = analyze(example);
        if !analysis.problems.iter().any(|problem| problem.code == code) {
            return Some(format!("{code}: the wrong example does not give it\n{}", shown(&analysis)));
        }
    }
    let analysis = analyze(block(page, "orch")?);
    let again = analysis.problems.iter().any(|problem| problem.code == code);
    // Pages about syntax show lines out of their context, so that names in them mean nothing.
    let counts = |problem: &Problem| code.phase != Phase::Syntax || problem.code.phase == Phase::Syntax;
    (again || analysis.errors().any(counts)).then(|| format!("{code}: the right example\n{}", shown(&analysis)))
}

#[test]
fn examples_on_the_pages_do_what_they_say() {
    let wrong: Vec<String> = codes::all().filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
