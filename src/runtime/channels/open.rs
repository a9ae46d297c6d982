//! From the manifest to a driver.

use std::path::PathBuf;
use std::sync::Arc;

use super::config::ChannelConfig;
use super::problem::ChannelProblem;
use super::smtp::{Server, Smtp, SmtpOptions, Timeouts};
use super::{Channel, Console, Outbox, Record, Table};
use crate::diag::Problem;
use crate::runtime::content::{Composer, Mailbox, address};

/// The drivers that come with Orch.
pub const DRIVERS: &[&str] = &["outbox", "smtp", "file", "console", "record"];

/// The sender of an outbox that was given none: nothing leaves it.
const LOCAL_SENDER: &str = "orch@localhost";

/// SMTP connections at once, unless the manifest says otherwise.
const CONNECTIONS: usize = 8;
const MOST_CONNECTIONS: usize = 500;

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
        "smtp" => table.smtp(places),
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
        let from = self.mailbox("from", self.config.from.as_deref().unwrap_or(LOCAL_SENDER))?;
        let composer = Composer::new(&from, self.reply_to()?.as_ref());
        Ok(Arc::new(Outbox::new(root, composer, self.config.strict)))
    }

    fn smtp(&self, places: &Places) -> Result<Arc<dyn Channel>, ChannelProblem> {
        const URL: &str = "url = \"smtp://localhost:25\"";
        const FROM: &str = "from = \"Shop <news@shop.test>\"";
        let url = self.config.url.as_ref().ok_or_else(|| self.missing("smtp", "url", URL))?;
        let server = Server::parse(url).map_err(|why| self.invalid("url", why.to_owned(), URL))?;
        let from = self.config.from.as_deref().ok_or_else(|| self.missing("smtp", "from", FROM))?;
        let options = SmtpOptions {
            server,
            from: self.mailbox("from", from)?,
            reply_to: self.reply_to()?,
            return_path: self.return_path()?,
            ca: self.ca(places)?,
            connections: self.connections()?,
            strict: self.config.strict,
            timeouts: Timeouts::default(),
        };
        Ok(Arc::new(Smtp::new(options)))
    }

    fn return_path(&self) -> Result<Option<String>, ChannelProblem> {
        let check = |path: &String| {
            // As long as a key, so that the whole is checked as it will be sent.
            let address = address::email(&path.replace("{key}", &"0".repeat(32)));
            let invalid =
                |why| self.invalid("return_path", format!("is `{path}`, which {why}"), "bounce+{key}@shop.test");
            address.map(|_| path.trim().to_owned()).map_err(invalid)
        };
        self.config.return_path.as_ref().map(check).transpose()
    }

    fn ca(&self, places: &Places) -> Result<Option<Vec<u8>>, ChannelProblem> {
        let read = |path: &PathBuf| {
            let why = |error| format!("is `{}`, which cannot be read: {error}", path.display());
            std::fs::read(places.project.join(path)).map_err(|e| self.invalid("ca", why(e), "ca = \"ca.pem\""))
        };
        self.config.ca.as_ref().map(read).transpose()
    }

    fn connections(&self) -> Result<usize, ChannelProblem> {
        match self.config.connections.unwrap_or(CONNECTIONS) {
            0 => Err(self.invalid("connections", "is 0, so nothing could be sent".to_owned(), "connections = 8")),
            many if many > MOST_CONNECTIONS => {
                let why = format!("is {many}, more than the {MOST_CONNECTIONS} that servers put up with");
                Err(self.invalid("connections", why, "connections = 8"))
            }
            some => Ok(some),
        }
    }

    fn file(&self, places: &Places) -> Result<Arc<dyn Channel>, ChannelProblem> {
        const EXAMPLE: &str = "path = \"out/letters.csv\"";
        let path = self.config.path.as_ref().ok_or_else(|| self.missing("file", "path", EXAMPLE))?;
        let table = Table::new(places.project.join(path));
        let why = || format!("is `{}`, which ends in neither `.csv` nor `.ndjson`", path.display());
        Ok(Arc::new(table.ok_or_else(|| self.invalid("path", why(), EXAMPLE))?))
    }

    fn mailbox(&self, key: &'static str, text: &str) -> Result<Mailbox, ChannelProblem> {
        let invalid = |why| self.invalid(key, format!("is `{text}`, which {why}"), "Shop <news@shop.test>");
        Mailbox::parse(text).map_err(invalid)
    }

    fn reply_to(&self) -> Result<Option<Mailbox>, ChannelProblem> {
        self.config.reply_to.as_deref().map(|text| self.mailbox("reply_to", text)).transpose()
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
