//! Which project a script belongs to.

use std::path::{Path, PathBuf};

/// The file that makes a folder a project.
pub const MANIFEST_NAME: &str = "orch.toml";

/// Where a project is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Location {
    /// The folder of the manifest, or of the script when there is none.
    pub base: PathBuf,
    /// The manifest, if there is one.
    pub manifest: Option<PathBuf>,
}

impl Location {
    /// The project around a file or folder: the nearest folder at or above it that holds `orch.toml`, otherwise the
    /// folder itself.
    pub fn find(start: &Path) -> Self {
        let folder = if start.is_dir() { start } else { parent(start) };
        // A relative path has no parents to look at, so the search is made on the absolute one.
        let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        absolute
            .ancestors()
            .map(Self::at)
            .find(|found| found.manifest.is_some())
            .unwrap_or(Self { base: absolute, manifest: None })
    }

    /// This folder, whether or not it holds a manifest.
    pub fn at(folder: &Path) -> Self {
        let base = absolute(folder);
        let manifest = base.join(MANIFEST_NAME);
        Self { base, manifest: manifest.is_file().then_some(manifest) }
    }
}

/// The whole path, without `.` in it.
fn absolute(folder: &Path) -> PathBuf {
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}

fn parent(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => file,
    }
}
