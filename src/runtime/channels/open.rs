//! From the manifest to a driver.

use std::path::PathBuf;
use std::sync::Arc;

use super::config::ChannelConfig;
use super::problem::ChannelProblem;
use super::{Channel, Console, Outbox, Record, Table};
use crate::diag::Problem;
use crate::runtime::content::{Composer, Mailbox};

/// The drivers that come with Orch.
pub const DRIVERS: &[&str] = &["outbox", "smtp", "file", "console", "record"];

/// The sender of an outbox that was given none: nothing leaves it.
const LOCAL_SENDER: &str = "orch@localhost";

/// What a driver may need from where it runs.
#[derive(Clone)]
pub struct Places {
    /// The folder of `orch.toml`: relative paths start here.
    pub project: PathBuf,
    /// The folder of the profile's state: `.orch/dev`. The outbox is in it unless `path` says otherwise.
    pub state: PathBuf,
    /// Takes the text of the `console` driver, line ends included.
    pub console: Arc<dyn Fn(&str) + Send + Sync>,
}

/// Opens the channel `name`. Nothing is connected or written yet: [`Channel::check`] tries that.
pub fn open(name: &str, config: &ChannelConfig, places: &Places) -> Result<Arc<dyn Channel>, Problem> {
    let table = Declared { name, config };
    let channel = match config.driver.as_str() {
        "outbox" => table.outbox(places),
        "file" => table.file(places),
        "console" => Ok(Arc::new(Console::new(Arc::clone(&places.console))) as Arc<dyn Channel>),
        "record" => Ok(Arc::new(Record::default()) as Arc<dyn Channel>),
        other => Err(ChannelProblem::UnknownDriver { channel: name.to_owned(), driver: other.to_owned() }),
    };
    channel.map_err(Problem::from)
}

/// One channel's table.
struct Declared<'c> {
    name: &'c str,
    config: &'c ChannelConfig,
}

impl Declared<'_> {
    fn outbox(&self, places: &Places) -> Result<Arc<dyn Channel>, ChannelProblem> {
        let root = match &self.config.path {
            Some(path) => places.project.join(path),
            None => places.state.join("outbox"),
        };
        let from = self.mailbox("from", Some(self.config.from.as_deref().unwrap_or(LOCAL_SENDER)))?;
        let composer = self.composer(from.as_ref())?;
        Ok(Arc::new(Outbox::new(root, composer, self.config.strict)))
    }

    fn file(&self, places: &Places) -> Result<Arc<dyn Channel>, ChannelProblem> {
        const EXAMPLE: &str = "path = \"out/letters.csv\"";
        let path = self.config.path.as_ref().ok_or_else(|| self.missing("file", "path", EXAMPLE))?;
        let table = Table::new(places.project.join(path));
        let why = || format!("is `{}`, which ends in neither `.csv` nor `.ndjson`", path.display());
        Ok(Arc::new(table.ok_or_else(|| self.invalid("path", why(), EXAMPLE))?))
    }

    fn composer(&self, from: Option<&Mailbox>) -> Result<Composer, ChannelProblem> {
        let from = from.ok_or_else(|| self.missing("smtp", "from", "from = \"Shop <news@shop.test>\""))?;
        let reply_to = self.mailbox("reply_to", self.config.reply_to.as_deref())?;
        Ok(Composer::new(from, reply_to.as_ref()))
    }

    fn mailbox(&self, key: &'static str, text: Option<&str>) -> Result<Option<Mailbox>, ChannelProblem> {
        let parse = |text| {
            let invalid = |error| self.invalid(key, format!("is `{text}`, which {error}"), "Shop <news@shop.test>");
            Mailbox::parse(text).map_err(invalid)
        };
        text.map(parse).transpose()
    }

    fn missing(&self, driver: &'static str, key: &'static str, example: &'static str) -> ChannelProblem {
        ChannelProblem::Missing { channel: self.name.to_owned(), driver, key, example }
    }

    fn invalid(&self, key: &'static str, why: String, example: &'static str) -> ChannelProblem {
        ChannelProblem::Invalid { channel: self.name.to_owned(), key, why, example }
    }
}

#[cfg(test)]
mod tests;
