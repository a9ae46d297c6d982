//! Generates the parser from `grammar/` and the table of pages from `docs/errors/`, and nothing else.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a build script that cannot go on ends the build, and speaks to cargo by printing"
)]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=grammar");
    println!("cargo::rerun-if-changed=docs/errors");
    let out = PathBuf::from(std::env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    lalrpop::Configuration::new().set_in_dir("grammar").set_out_dir(&out).process().expect("the grammar is valid");
    fs::write(out.join("error_pages.rs"), error_pages(Path::new("docs/errors"))).expect("OUT_DIR is writable");
}

/// `&[("phase::name", include_str!("...")), ...]`, sorted. The paths are found when the crate is compiled, not here, so
/// that a target directory shared by several clones never points into another one.
fn error_pages(root: &Path) -> String {
    let mut pages = Vec::new();
    for phase in children(root) {
        for page in children(&phase).filter(|page| page.extension().is_some_and(|ext| ext == "md")) {
            let name = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            pages.push((format!("{}::{}", name(&phase), name(&page)), page));
        }
    }
    pages.sort();
    let mut table = String::from("&[\n");
    for (code, path) in pages {
        let path = format!("/{}", path.display());
        writeln!(table, "    ({code:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))),")
            .expect("writing to a string works");
    }
    table + "]\n"
}

fn children(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}
