//! What the formatter gives can be parsed and does not change when it is formatted again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use orch::base::SourceId;

fuzz_target!(|text: &str| {
    let Ok(formatted) = orch::fmt::format(SourceId(0), text) else { return };
    assert_eq!(orch::fmt::format(SourceId(0), &formatted).ok(), Some(formatted));
});
