//! Layer 3: the project a script belongs to: its folder and what `orch.toml` says.
//!
//! Values only. Nothing here reads a file, except that [`Location::find`] looks which folder holds a manifest; secrets
//! are places until somebody asks for them.

mod find;
mod manifest;
mod overlay;
mod problems;
mod secret;
mod settings;
#[cfg(test)]
mod tests;
mod units;

use std::path::PathBuf;

pub use find::{Location, MANIFEST_NAME};
pub use manifest::Manifest;
pub use secret::{Secret, SecretText};
pub use settings::*;
pub use units::{Age, Bytes, Pace};

use crate::diag::Problem;

/// The profile that is used when none is asked for.
pub const DEFAULT_PROFILE: &str = "dev";

/// A project under one profile.
#[derive(Clone, Debug)]
pub struct Project {
    /// The folder of the manifest, or of the script when there is none. Paths in the manifest are relative to it.
    pub base: PathBuf,
    /// The manifest, if there is one.
    pub manifest: Option<PathBuf>,
    /// The profile's name.
    pub profile: String,
    /// What the manifest says under this profile.
    pub settings: Settings,
}

impl Project {
    /// The project at a place, under the profile with this name.
    ///
    /// # Errors
    /// `run::unknown_profile` when the manifest declares no such profile; `dev` always exists.
    pub fn new(location: Location, manifest: &Manifest, profile: &str) -> Result<Self, Problem> {
        let settings = manifest.settings(profile)?.clone();
        Ok(Self { base: location.base, manifest: location.manifest, profile: profile.to_owned(), settings })
    }

    /// Where the state of this profile lives: `.orch/PROFILE` in the base folder.
    pub fn state_dir(&self) -> PathBuf {
        self.base.join(".orch").join(&self.profile)
    }

    /// The files whose declarations every script of the project sees.
    pub fn schema_files(&self) -> impl Iterator<Item = PathBuf> {
        self.settings.project.schema.iter().map(|file| self.base.join(file))
    }
}
