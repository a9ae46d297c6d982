//! From settings to what the engine works with, secrets looked up: channels, alerts, sources.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::environment::secret;
use crate::diag::Problem;
use crate::project::{OnUnknown, Project};
use crate::runtime::channels::{ChannelConfig, Rate, Secret, UnknownPolicy};
use crate::runtime::{AlertTarget, ObjectAccess, SourceBinding};

/// The configuration of the channel with this name; the default one if the manifest does not mention it.
///
/// # Errors
/// `run::missing_secret`.
pub fn channel_config(name: &str, project: &Project) -> Result<ChannelConfig, Problem> {
    let settings = project.settings.channel(name);
    let url = settings.url.as_ref().map(|url| secret(url, project)).transpose()?;
    Ok(ChannelConfig {
        driver: settings.driver.name().to_owned(),
        url: url.map(|url| Secret::new(url.expose())),
        from: settings.from,
        reply_to: settings.reply_to,
        return_path: settings.return_path,
        ca: settings.ca.map(PathBuf::from),
        connections: settings.connections.map(|connections| connections as usize),
        rate: settings.rate.map(|pace| Rate { count: pace.count, per: pace.per }),
        unknown: match settings.unknown {
            OnUnknown::Hold => UnknownPolicy::Hold,
            OnUnknown::Resend => UnknownPolicy::Resend,
        },
        strict: settings.strict,
        path: settings.path.map(PathBuf::from),
    })
}

/// Whom alerts tell.
pub fn alerts(project: &Project) -> BTreeMap<String, AlertTarget> {
    let target =
        |alert: &crate::project::AlertSettings| AlertTarget { channel: alert.channel.clone(), to: alert.to.clone() };
    project.settings.alert.iter().map(|(name, alert)| (name.clone(), target(alert))).collect()
}

/// How to reach an object store, secrets looked up.
fn object_access(source: &crate::project::SourceSettings, project: &Project) -> Result<ObjectAccess, Problem> {
    let look = |place: &Option<crate::project::Secret>| {
        place.as_ref().map(|place| secret(place, project).map(|found| Secret::new(found.expose()))).transpose()
    };
    Ok(ObjectAccess {
        endpoint: source.endpoint.clone(),
        region: source.region.clone(),
        access_key: look(&source.access_key)?,
        secret_key: look(&source.secret_key)?,
        session_token: look(&source.session_token)?,
        anonymous: source.anonymous,
    })
}

/// What `from NAME.table` means. A secret that is missing is a problem only for those who use the source.
pub fn sources(project: &Project) -> BTreeMap<String, SourceBinding> {
    let binding = |source: &crate::project::SourceSettings| SourceBinding {
        url: secret(&source.url, project).map(|url| Secret::new(url.expose())).map_err(Box::new),
        writable: source.writable,
        objects: object_access(source, project).map_err(Box::new),
    };
    project.settings.source.iter().map(|(name, source)| (name.clone(), binding(source))).collect()
}
