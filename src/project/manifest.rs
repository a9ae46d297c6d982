//! `orch.toml` as a value: the settings of each profile.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problems::ManifestProblem;
use super::{DEFAULT_PROFILE, Settings, overlay};
use crate::base::{SourceId, Span, did_you_mean};
use crate::diag::{Problem, Problems, codes};

/// Wrong entries reported of one table before giving up on it.
const MOST_PROBLEMS: usize = 20;

/// A whole manifest. The default is what a project without one has.
#[derive(Clone, Debug, Default)]
pub struct Manifest {
    base: Settings,
    profiles: BTreeMap<String, Settings>,
}

impl Manifest {
    /// Reads the text of a manifest. `source` names the text in the source map that the problems are shown with.
    ///
    /// # Errors
    /// All problems of the file, in every profile: what is not TOML, unknown keys, wrong values.
    pub fn parse(text: &str, source: SourceId) -> Result<Self, Problems> {
        let mut reader = Reader { source, problems: Problems::new() };
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            reader.report(ManifestProblem::from_syntax(error.message()), error.span().unwrap_or_default());
        }
        // What stands where is not known then, so keys would be blamed for nothing.
        if !errors.is_empty() {
            return Err(reader.problems);
        }
        let mut root = root.into_inner();
        let profiles = reader.profiles(root.remove("profile"));
        let manifest = Self {
            base: reader.settings(root.clone()),
            profiles: profiles
                .into_iter()
                .map(|(name, table)| (name, reader.settings(overlay::overlay(&root, &table))))
                .collect(),
        };
        reader.problems.finish();
        if reader.problems.is_empty() { Ok(manifest) } else { Err(reader.problems) }
    }

    /// The settings of a profile. Without a section of its own `dev` has the settings outside all profiles.
    ///
    /// # Errors
    /// `run::unknown_profile`.
    pub fn settings(&self, profile: &str) -> Result<&Settings, Problem> {
        match self.profiles.get(profile) {
            Some(settings) => Ok(settings),
            None if profile == DEFAULT_PROFILE => Ok(&self.base),
            None => Err(self.unknown_profile(profile)),
        }
    }

    /// The names of all profiles, `dev` first.
    pub fn profiles(&self) -> impl Iterator<Item = &str> {
        let declared = self.profiles.keys().map(String::as_str).filter(|name| *name != DEFAULT_PROFILE);
        std::iter::once(DEFAULT_PROFILE).chain(declared)
    }

    fn unknown_profile(&self, profile: &str) -> Problem {
        let known = self.profiles().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let help = match did_you_mean(profile, self.profiles()) {
            Some(near) => format!("did you mean `{near}`? known are {known}"),
            None => format!("known are {known}; another one begins with `[profile.{profile}]` in orch.toml"),
        };
        Problem::outside(codes::run::UNKNOWN_PROFILE, format!("there is no profile `{profile}`")).help(help)
    }
}

/// Collects what is wrong with one manifest.
struct Reader {
    source: SourceId,
    problems: Problems,
}

impl Reader {
    fn report(&mut self, problem: ManifestProblem, range: std::ops::Range<usize>) {
        let span = Span::new(self.source, range.start as u32, range.end as u32);
        // What was taken out of a table may leave it wrong as a whole; that has been said already.
        let follows = |earlier: Span| earlier != span && span.start <= earlier.start && earlier.end <= span.end;
        if !self.problems.iter().filter_map(Problem::span).any(follows) {
            self.problems.push(problem.at(span));
        }
    }

    /// The tables below `[profile]`.
    fn profiles<'i>(&mut self, section: Option<Spanned<DeValue<'i>>>) -> Vec<(String, DeTable<'i>)> {
        let Some(section) = section else { return Vec::new() };
        let range = section.span();
        let DeValue::Table(table) = section.into_inner() else {
            self.report(ManifestProblem::NotATable { what: "profile".to_owned() }, range);
            return Vec::new();
        };
        let mut profiles = Vec::new();
        for (name, value) in table {
            let range = value.span();
            match value.into_inner() {
                DeValue::Table(table) => profiles.push((name.into_inner().into_owned(), table)),
                _ => self.report(ManifestProblem::NotATable { what: format!("profile.{}", name.get_ref()) }, range),
            }
        }
        profiles
    }

    /// The settings of a table. The reader of TOML stops at the first mistake, so each one is reported, taken out and
    /// the rest read again.
    fn settings(&mut self, mut table: DeTable<'_>) -> Settings {
        for _ in 0..MOST_PROBLEMS {
            let root = toml::de::Deserializer::from(Spanned::new(0..0, table.clone()));
            let error = match Settings::deserialize(root) {
                Ok(settings) => return settings,
                Err(error) => error,
            };
            let range = error.span().unwrap_or_default();
            self.report(ManifestProblem::from_serde(error.message()), range.clone());
            if !overlay::take_out(&mut table, &range) {
                break;
            }
        }
        Settings::default()
    }
}
