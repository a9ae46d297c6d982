//! What can be wrong with the names and the flow of a program, and what is said about it.

mod flow;
mod lints;
mod names;
mod value_lints;

pub(crate) use flow::FlowProblem;
pub(crate) use lints::Lint;
pub(crate) use names::NameProblem;
pub(crate) use value_lints::ValueLint;

/// `a, b and c`, each in backquotes.
pub(crate) fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
    }
}

/// `an entity`, `a topic`.
pub(crate) fn article(noun: &str) -> String {
    let vowel = noun.starts_with(['a', 'e', 'i', 'o']) || noun.starts_with("un");
    format!("{} {noun}", if vowel { "an" } else { "a" })
}

/// `a`, `b` or `c`.
pub(crate) fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} or {last}", before.join(", ")),
    }
}
