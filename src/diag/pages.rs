//! The pages of `docs/errors`, one per code, embedded so that `orch explain` needs no files.

use super::Code;

/// Code and text of each page, sorted by code. Written by the build script.
const PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/error_pages.rs"));

/// The page of a code, as Markdown.
pub fn page(code: Code) -> Option<&'static str> {
    let code = code.to_string();
    PAGES.binary_search_by_key(&code.as_str(), |(name, _)| name).ok().map(|at| PAGES[at].1)
}

/// The codes that have a page, as `phase::name`.
pub fn page_names() -> impl Iterator<Item = &'static str> {
    PAGES.iter().map(|(name, _)| *name)
}
