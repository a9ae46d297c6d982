//! What can be parsed can be formatted, unless a comment is in the way; what the formatter gives can be parsed and does
//! not change when it is formatted again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use orch::base::SourceId;

fuzz_target!(|text: &str| {
    match orch::fmt::format(SourceId(0), text) {
        Ok(formatted) => assert_eq!(orch::fmt::format(SourceId(0), &formatted).ok(), Some(formatted)),
        Err(problems) => {
            let refused = problems.iter().any(|problem| problem.code.name == "not_formatted");
            assert!(!refused || text.contains('#'), "refused");
        }
    }
});
