//! Values that must not be seen.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor, value::MapAccessDeserializer};

use crate::diag::{Problem, codes};

/// A value of a manifest that may be secret: the text itself, or the place where it is found when it is needed.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// Written in the manifest. Not shown either, since a URL may hold a password.
    Plain(String),
    /// `{ env = "SMTP_PASSWORD" }`
    Env(String),
    /// `{ file = "/run/secrets/smtp" }`, relative to the project.
    File(String),
}

/// A secret that has been looked up. It does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl Secret {
    /// Looks the value up. `env` gives a variable of the environment, `read` the text of a file or why there is none.
    /// The newline that editors put at the end of a file is not part of the secret.
    ///
    /// # Errors
    /// `run::missing_secret`, which names the place and never the value.
    pub fn resolve(
        &self,
        env: impl FnOnce(&str) -> Option<String>,
        read: impl FnOnce(&str) -> Result<String, String>,
    ) -> Result<SecretText, Problem> {
        let missing = |message| Problem::outside(codes::run::MISSING_SECRET, message);
        match self {
            Self::Plain(text) => Ok(SecretText(text.clone())),
            Self::Env(name) => env(name).map(SecretText).ok_or_else(|| {
                missing(format!("the environment has no variable `{name}`"))
                    .help(format!("orch.toml asks for it: set `{name}` before you start orch"))
            }),
            Self::File(path) => match read(path) {
                Ok(text) => Ok(SecretText(text.trim_end_matches(['\n', '\r']).to_owned())),
                Err(why) => Err(missing(format!("cannot read the secret in `{path}`: {why}"))),
            },
        }
    }
}

impl SecretText {
    /// The value, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(_) => write!(f, "Secret(...)"),
            Self::Env(name) => write!(f, "Secret(env {name})"),
            Self::File(path) => write!(f, "Secret(file {path})"),
        }
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretText(...)")
    }
}

/// The table form.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table with `env` or `file`")]
struct Place {
    env: Option<String>,
    file: Option<String>,
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecretVisitor)
    }
}

struct SecretVisitor;

impl<'de> Visitor<'de> for SecretVisitor {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, `{ env = \"NAME\" }` or `{ file = \"PATH\" }`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret::Plain(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Secret, A::Error> {
        match Place::deserialize(MapAccessDeserializer::new(map))? {
            Place { env: Some(name), file: None } => Ok(Secret::Env(name)),
            Place { env: None, file: Some(path) } => Ok(Secret::File(path)),
            _ => Err(A::Error::custom(format!(
                "a secret is in one place{}write `{{ env = \"NAME\" }}` or `{{ file = \"PATH\" }}`",
                super::problems::HELP
            ))),
        }
    }
}
