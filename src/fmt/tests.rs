use super::format;
use crate::base::SourceId;

fn formatted(text: &str) -> String {
    format(SourceId(0), text).unwrap_or_else(|problems| {
        let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        panic!("{text}\n{messages:?}")
    })
}

#[test]
fn scratch() {
    let Ok(path) = std::env::var("ORCH_SCRATCH") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    println!("{}", super::format_once(SourceId(0), &text));
    formatted(&text);
}
