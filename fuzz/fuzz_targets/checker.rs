//! Any text is checked after a schema, and every problem can be shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use orch::analysis::Workspace;
use orch::diag::RenderStyle;

const SCHEMA: &str = include_str!("../../tests/corpus/schema.orch");

fuzz_target!(|text: &str| {
    let analysis = Workspace::from_files([("schema.orch", SCHEMA)]).schema(["schema.orch"]).analyze_text("fuzz", text);
    let _ = analysis.render(RenderStyle::default());
});
