use crate::hir::check::testing::check;

use super::SHALLOW;

/// Runs with the stack that a thread has by default.
fn on_a_thread(script: String) -> Vec<String> {
    std::thread::spawn(move || check(&script).codes()).join().unwrap()
}

/// Scripts that nest `levels` deep, each in another way.
fn nested(levels: usize) -> Vec<String> {
    let around = |before: &str, inner: &str, after: &str| before.repeat(levels) + inner + &after.repeat(levels);
    let where_ = |condition: String| format!("segment s = customers where {condition}\nlog \"{{count(s)}}\"");
    let mut procedures = "define p0(n: int) { log \"{n}\" }\n".to_owned();
    for level in 1..levels {
        procedures += &format!("define p{level}(n: int) {{ do p{}(n + 1) }}\n", level - 1);
    }
    vec![
        where_(around("(", "opt_in", ")")),
        where_(around("", "opt_in", " or opt_in")),
        where_(around("not ", "opt_in", "")),
        where_(around("coalesce(", "opt_in", ", opt_in)")),
        where_(around("(if opt_in then ", "opt_in", " else opt_in)")),
        where_(around("exists(orders where customer.", "opt_in", ")")),
        where_(format!(
            "{}opt_in{}",
            "exists(orders where exists(customers where ".repeat(levels / 2),
            "))".repeat(levels / 2)
        )),
        where_(around("spend in (1, sum(amount of orders where ", "true", "))")),
        format!("segment s = {}\nlog \"{{count(s)}}\"", around("(", "customers", " where opt_in)")),
        format!("segment s = {}\nlog \"{{count(s)}}\"", around("(customers union ", "customers", ")")),
        around("if count(customers) > 0 { ", "log \"a\"", " }"),
        around("for x in [1] { ", "log \"a\"", " }"),
        around("repeat 2 times { parallel { branch \"a\" { ", "log \"a\"", " } } }"),
        format!("let x = {}", around("[", "1", "]")),
        format!("log {}", around("\"a{count(customers where first_name = ", "\"b\"", ")}\"")),
        format!("{procedures}do p{}(1)", levels - 1),
    ]
}

/// What is checked on the caller's stack needs little of it.
#[test]
fn shallow_programs_need_little_room() {
    for script in nested(SHALLOW as usize - 8) {
        let shown = script.clone();
        let thread = std::thread::Builder::new().stack_size(1 << 20);
        let codes = thread.spawn(move || check(&script).codes()).unwrap().join().unwrap();
        assert!(codes.iter().all(|code| code != "expands_too_far"), "{codes:?} {shown}");
    }
}

#[test]
fn deep_programs_have_the_room_they_need() {
    for script in nested(150) {
        let shown = script.clone();
        let codes = on_a_thread(script);
        assert!(codes.iter().all(|code| code != "expands_too_far"), "{codes:?} {shown}");
    }
}
