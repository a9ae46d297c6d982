//! What `orch.toml` says about a channel.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// A `[channel.NAME]` table, `{ env = "..." }` values already replaced.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChannelConfig {
    /// Name of the driver: see [`super::DRIVERS`].
    pub driver: String,
    /// Where the other side is: `smtp://user:password@host:port`.
    pub url: Option<Secret>,
    /// The sender of e-mails: `Shop <news@shop.test>`.
    pub from: Option<String>,
    /// Where answers to e-mails go.
    pub reply_to: Option<String>,
    /// Where reports about undeliverable e-mails go; `{key}` stands for the send key: `bounces+{key}@shop.test`.
    pub return_path: Option<String>,
    /// A PEM file with certificates of authorities to trust beside the public ones.
    pub ca: Option<PathBuf>,
    /// How many connections at once.
    pub connections: Option<usize>,
    /// The most messages in a time.
    pub rate: Option<Rate>,
    /// What to do at recovery with messages that may or may not have arrived.
    pub unknown: UnknownPolicy,
    /// At most one message in doubt per connection, even after power loss; slower.
    pub strict: bool,
    /// The file or folder of the `outbox` and `file` drivers.
    pub path: Option<PathBuf>,
}

impl Default for ChannelConfig {
    fn default() -> Self {
        Self {
            driver: "outbox".to_owned(),
            url: None,
            from: None,
            reply_to: None,
            return_path: None,
            ca: None,
            connections: None,
            rate: None,
            unknown: UnknownPolicy::Hold,
            strict: false,
            path: None,
        }
    }
}

/// What to do with messages in doubt.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnknownPolicy {
    /// Leave them as `unknown`: some people may miss a message.
    #[default]
    Hold,
    /// Send them again: some people may get a message twice.
    Resend,
}

/// Text that is never printed: an address with a password in it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` to itself.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(...)")
    }
}

/// At most `count` in each `per`: `200/s`, `5_000/h`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Rate {
    pub count: u64,
    pub per: Duration,
}

impl TryFrom<String> for Rate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parse = || {
            let (count, unit) = text.split_once('/')?;
            let count = count.trim().replace('_', "").parse().ok().filter(|count| *count > 0)?;
            let seconds = match unit.trim() {
                "s" => 1,
                "m" | "min" => 60,
                "h" => 3_600,
                "d" => 86_400,
                _ => return None,
            };
            Some(Rate { count, per: Duration::from_secs(seconds) })
        };
        parse().ok_or_else(|| format!("`{text}` is not a rate; write `200/s`, `1_000/min` or `5_000/h`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_as_people_write_it() {
        let text = "driver = 'smtp'\nurl = 'smtp://ann:hunter2@mail.shop.test'\nrate = '5_000/h'\nunknown = 'resend'";
        let config: ChannelConfig = toml::from_str(text).unwrap();
        assert_eq!(config.rate, Some(Rate { count: 5_000, per: Duration::from_secs(3_600) }));
        assert_eq!(config.unknown, UnknownPolicy::Resend);
        assert!(!format!("{config:?}").contains("hunter2"));
        assert_eq!(toml::from_str::<ChannelConfig>("").unwrap(), ChannelConfig::default());
    }

    #[test]
    fn mistakes_are_named() {
        let error = |text: &str| toml::from_str::<ChannelConfig>(text).unwrap_err().message().to_owned();
        assert!(error("form = 'x'").starts_with("unknown field `form`"));
        assert!(error("rate = 'fast'").starts_with("`fast` is not a rate"));
        assert!(error("rate = '0/s'").starts_with("`0/s` is not a rate"));
        assert!(error("unknown = 'guess'").contains("`hold` or `resend`"));
    }
}
