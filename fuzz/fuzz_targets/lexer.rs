//! Any text is cut into tokens that lie in it, in order.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut last = 0;
    for place in orch::syntax::token_places(text) {
        assert!(last <= place.start && text.get(place.clone()).is_some());
        last = place.start;
    }
});
