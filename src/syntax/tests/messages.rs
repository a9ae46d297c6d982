//! What is said about mistakes.

use super::problems_of;

/// Every line of the script is a mistake; all are reported, in order, once.
#[test]
fn usual_slips() {
    insta::assert_snapshot!(told(include_str!("slips.orch")));
}

/// The lines of a script, each with what is said about it.
fn told(text: &str) -> String {
    let problems = problems_of(text);
    let mut out = String::new();
    for (number, line) in text.lines().enumerate() {
        out.push_str(line);
        out.push('\n');
        let place = format!("t.orch:{}:", number + 1);
        for problem in problems.lines().filter_map(|problem| problem.strip_prefix(&place)) {
            out.push_str(&format!("    ^{problem}\n"));
        }
    }
    out
}

#[test]
fn ten_mistakes_give_ten_errors() {
    let mistakes = [
        "sned email to vip",
        "segment a = customers where",
        "segment b customers",
        "let c = 3m + 1",
        "wait until",
        "send email vip",
        "log \"open",
        "let d = (1 + 2",
        "let e = a == b",
        "split a { x: 10% }",
    ];
    let problems = problems_of(&mistakes.join("\n"));
    let lines: Vec<String> = problems.lines().filter_map(|line| line.split(':').nth(1)).map(str::to_owned).collect();
    let wanted: Vec<String> = (1..=10).map(|line: usize| line.to_string()).collect();
    assert_eq!(lines, wanted, "{problems}");

    let inside = format!("campaign c evry day {{\n{}\n}}", mistakes.join("\n"));
    let problems = problems_of(&inside);
    let lines: Vec<String> = problems.lines().filter_map(|line| line.split(':').nth(1)).map(str::to_owned).collect();
    let wanted: Vec<String> = (1..=11).map(|line: usize| line.to_string()).collect();
    assert_eq!(lines, wanted, "{problems}");
}
