//! Folders that are still there after the power failed.
//!
//! A file is durable when it is synced, its name when the folder that holds it is synced after it got the name. The same
//! is true of folders, so a new folder is followed by a sync of the one it was made in.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Makes a folder and whatever is missing above it, durably. Costs one look when it is there already.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    // `a/b/c` of which only `a` is there: `c` and `b` are new, so `b` and `a` are to be synced.
    let missing: Vec<&Path> = folder.ancestors().take_while(|path| !is_there(path)).collect();
    fs::create_dir_all(folder)?;
    missing.iter().try_for_each(|new| sync_folder(parent(new)))
}

/// Makes the names in a folder as durable as what they name.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The folder of a file; the current one of a bare name.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn is_there(path: &Path) -> bool {
    path.as_os_str().is_empty() || path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_made_with_what_is_missing_above_them() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        make_folder(&deep).unwrap();
        make_folder(&deep).unwrap();
        assert!(deep.is_dir());
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(make_folder(&folder.path().join("file/x")).is_err(), "a file is no folder");
        assert_eq!((parent(Path::new("x")), parent(Path::new("x/y"))), (Path::new("."), Path::new("x")));
    }
}
