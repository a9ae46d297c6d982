//! Any text is parsed, and every problem can be shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use orch::base::SourceMap;
use orch::diag::{RenderStyle, render_all};

fuzz_target!(|text: &str| {
    let mut sources = SourceMap::new();
    let source = sources.add("fuzz.orch", text);
    let parsed = orch::syntax::parse(source, text);
    let _ = render_all(&parsed.problems, &sources, RenderStyle::default(), 1);
});
