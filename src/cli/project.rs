//! Opening the project that a command works in.

use std::path::Path;

use super::environment::shown_path;
use super::{Failure, Globals};
use crate::base::SourceMap;
use crate::project::{Location, Manifest, Project};

/// The project of `--project`, or the one around `start`, under the profile of `--profile`.
///
/// # Errors
/// A manifest that cannot be read or is wrong, a profile that does not exist.
pub fn open(globals: &Globals, start: &Path) -> Result<Project, Failure> {
    let location = match &globals.project {
        Some(folder) => Location::at(folder),
        None => Location::find(start),
    };
    let mut sources = SourceMap::new();
    let manifest = match &location.manifest {
        None => Manifest::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
            let source = sources.add(shown_path(path), text.as_str());
            match Manifest::parse(&text, source) {
                Ok(manifest) => manifest,
                Err(problems) => return Err(Failure::usage(problems, sources)),
            }
        }
    };
    Ok(Project::new(location, &manifest, &globals.profile)?)
}
