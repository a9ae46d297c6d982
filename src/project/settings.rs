//! What a manifest can say. Everything has a default that works.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::problems::HELP;
use super::{Age, Bytes, Pace, Secret};

/// All settings of one profile.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct Settings {
    /// `[project]`
    pub project: ProjectSettings,
    /// `[store]`
    pub store: StoreSettings,
    /// `[engine]`
    pub engine: EngineSettings,
    /// `[source.NAME]`: what `from NAME.table` means.
    pub source: BTreeMap<String, SourceSettings>,
    /// `[channel.NAME]`: how messages of a channel leave.
    pub channel: BTreeMap<String, ChannelSettings>,
    /// `[alert.NAME]`: whom `alert "..." to NAME` tells.
    pub alert: BTreeMap<String, AlertSettings>,
    /// `[web]`
    pub web: WebSettings,
    /// `[serve]`
    pub serve: ServeSettings,
    /// `[retention]`
    pub retention: RetentionSettings,
    /// `[roles]`: who may answer for a role.
    pub roles: BTreeMap<String, Vec<String>>,
    /// Patterns such as `*@shop.test`; everybody else is excluded as `not_allowed`. Without it everybody is allowed.
    pub allow_recipients: Option<Vec<String>>,
}

/// `[project]`
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct ProjectSettings {
    /// Shown in reports and part of `List-ID`.
    pub name: Option<String>,
    /// Zone of civil times in scripts; UTC by default, so that a script means the same on every machine.
    pub timezone: Zone,
    /// Files whose declarations every script sees, relative to the manifest.
    pub schema: Vec<String>,
    /// The topic of messages that name none.
    pub default_topic: Option<String>,
    /// Ask before a first send to more people than this.
    pub confirm_above: Option<u64>,
}

/// `[store]`
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct StoreSettings {
    /// `sqlite:FILE` or `postgres://...`; by default a file in the state directory.
    pub url: Option<Secret>,
}

/// `[engine]`
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct EngineSettings {
    /// Beyond it operators spill to disk; by default half of the machine's memory.
    pub memory_limit: Option<Bytes>,
}

/// `[source.NAME]`
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct SourceSettings {
    /// `sqlite:FILE`, `postgres://...`, `s3://BUCKET/FOLDER` or a folder of files.
    pub url: Secret,
    /// Whether scripts may change it.
    #[serde(default)]
    pub writable: bool,
    /// Where an object store is, unless it is Amazon's: `https://minio.shop.test:9000`.
    pub endpoint: Option<String>,
    /// The region of the bucket.
    pub region: Option<String>,
    /// Who reads from the object store.
    pub access_key: Option<Secret>,
    /// What that access key is proved with.
    pub secret_key: Option<Secret>,
    /// A token that belongs to a temporary key.
    pub session_token: Option<Secret>,
    /// Whether the bucket is read without any key.
    #[serde(default)]
    pub anonymous: bool,
}

/// `[channel.NAME]`
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct ChannelSettings {
    /// What delivers.
    pub driver: Driver,
    /// Address of the service: `smtp://user:password@host:port`.
    pub url: Option<Secret>,
    /// Sender, as `Shop <news@shop.test>`.
    pub from: Option<String>,
    /// Where answers go.
    pub reply_to: Option<String>,
    /// Where reports about undeliverable mail go; `{key}` stands for the key of the message.
    pub return_path: Option<String>,
    /// A PEM file, relative to the project, with certificates of authorities to trust beside the public ones.
    pub ca: Option<String>,
    /// Folder of the outbox or file of the file driver, relative to the project.
    pub path: Option<String>,
    /// Connections at the same time.
    pub connections: Option<u32>,
    /// Most messages in a time, over all runs.
    pub rate: Option<Pace>,
    /// What happens to messages of which nobody knows whether they arrived.
    pub unknown: OnUnknown,
    /// At most one message in doubt per connection even after power loss.
    pub strict: bool,
}

/// What delivers the messages of a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Driver {
    /// One file per message, in a Maildir.
    #[default]
    Outbox,
    /// A mail server.
    Smtp,
    /// A row per message in a CSV or NDJSON file.
    File,
    /// The terminal.
    Console,
    /// Memory, for tests.
    Record,
}

/// What happens to a message that may or may not have been handed over.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnUnknown {
    /// It is listed and stays as it is.
    #[default]
    Hold,
    /// It is sent again.
    Resend,
}

/// `[alert.NAME]`
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct AlertSettings {
    /// The channel that carries it.
    pub channel: String,
    /// Addresses.
    pub to: Vec<String>,
}

/// `[web]`
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct WebSettings {
    /// What unsubscribe and tracking links begin with; marketing mail over SMTP needs it.
    pub public_url: Option<String>,
}

/// `[serve]`
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct ServeSettings {
    /// Where `orch serve` takes requests, such as `127.0.0.1:7474`.
    pub listen: Option<String>,
    /// What requests must know; by default a file in the state directory that `orch serve` makes.
    pub token: Option<Secret>,
}

/// `[retention]`: how long `orch gc` keeps what runs that are over leave behind.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct RetentionSettings {
    /// Frozen populations and journals; 90 days by default.
    pub runs: Age,
    /// What became of each person, which caps count; 400 days by default.
    pub ledger: Age,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        Self { runs: Age::days(90), ledger: Age::days(400) }
    }
}

/// The name of a time zone that exists.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Zone(String);

impl Zone {
    /// The name, such as `Europe/Paris`.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The rules of the zone.
    pub fn rules(&self) -> jiff::tz::TimeZone {
        jiff::tz::TimeZone::get(&self.0).unwrap_or(jiff::tz::TimeZone::UTC)
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self("UTC".to_owned())
    }
}

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        match jiff::tz::TimeZone::get(&name) {
            Ok(_) => Ok(Self(name)),
            Err(_) => Err(format!("`{name}` is not a time zone{HELP}write a name such as `Europe/Paris` or `UTC`")),
        }
    }
}

impl Settings {
    /// The settings of a channel, the defaults if the manifest does not mention it.
    pub fn channel(&self, name: &str) -> ChannelSettings {
        self.channel.get(name).cloned().unwrap_or_default()
    }
}

impl Driver {
    /// The name, as manifests write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Outbox => "outbox",
            Self::Smtp => "smtp",
            Self::File => "file",
            Self::Console => "console",
            Self::Record => "record",
        }
    }

    /// True for drivers that reach nobody outside: they may run on a clock that jumps.
    pub fn is_harmless(self) -> bool {
        matches!(self, Self::Outbox | Self::Console | Self::Record)
    }
}
