//! Connections.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio_postgres::{CancelToken, Client};

use super::address::Address;
use crate::runtime::sources::error::SourceError;
use crate::runtime::sources::thread::handle;

/// Why a server gave no answer.
#[derive(Debug)]
pub(crate) enum Failed {
    Server(tokio_postgres::Error),
    /// The thread of the connections has ended.
    Thread,
}

impl From<tokio_postgres::Error> for Failed {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Server(error)
    }
}

/// The servers of a project's sources, by the source's name.
#[derive(Default)]
pub(crate) struct Servers(Mutex<BTreeMap<String, Arc<Server>>>);

impl Servers {
    /// The server of a source.
    pub fn get(
        &self,
        source: &str,
        address: impl FnOnce() -> Result<Address, SourceError>,
    ) -> Result<Arc<Server>, SourceError> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = known.get(source) {
            return Ok(Arc::clone(server));
        }
        let server = Arc::new(Server { address: address()?, snapshot: tokio::sync::Mutex::default() });
        known.insert(source.to_owned(), Arc::clone(&server));
        Ok(server)
    }
}

/// A server.
pub(crate) struct Server {
    address: Address,
    snapshot: tokio::sync::Mutex<Weak<Snapshot>>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Server(...)")
    }
}

/// The state of a database at one instant, which several connections see. It lasts as long as somebody holds it: the
/// readings of one query share it, and no transaction stays open behind them.
#[derive(Debug)]
pub(crate) struct Snapshot {
    id: String,
    _link: Link,
}

/// A connection. When it is dropped while the server works for it, that work is cancelled.
pub(crate) struct Link {
    pub client: Client,
    cancel: CancelToken,
    address: Address,
    task: tokio::task::AbortHandle,
    busy: bool,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Link(...)")
    }
}

/// Makes texts mean the same whatever the server's defaults are. A server that can is asked to look now and then whether
/// we are still there.
const SETTINGS: &str = "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'iso_8601'; \
    SET bytea_output = 'hex'; SET client_encoding = 'UTF8'";
const LOOK: &str =
    "SELECT set_config(name, '5s', false) FROM pg_settings WHERE name = 'client_connection_check_interval'";

impl Server {
    /// A new connection.
    pub async fn connect(&self) -> Result<Link, Failed> {
        let address = self.address.clone();
        let connected = async move {
            let (client, connection) = address.config.connect(address.tls.clone()).await?;
            let task = tokio::spawn(async move {
                // What goes wrong with the connection reaches whoever waits for an answer.
                let _ = connection.await;
            });
            let cancel = client.cancel_token();
            Ok(Link { client, cancel, address, task: task.abort_handle(), busy: false })
        };
        let link = on_thread(connected).await?;
        link.client.batch_execute(SETTINGS).await?;
        // Some systems cannot do it; a server that works on for nothing is all that is lost.
        let _ = link.client.batch_execute(LOOK).await;
        Ok(link)
    }

    /// The state that readings share now.
    pub async fn snapshot(&self) -> Result<Arc<Snapshot>, Failed> {
        let mut current = self.snapshot.lock().await;
        if let Some(snapshot) = current.upgrade() {
            return Ok(snapshot);
        }
        let link = self.connect().await?;
        link.client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let row = link.client.query_one("SELECT pg_export_snapshot()", &[]).await?;
        let snapshot = Arc::new(Snapshot { id: row.try_get(0)?, _link: link });
        *current = Arc::downgrade(&snapshot);
        Ok(snapshot)
    }

    /// A connection that sees a snapshot and can change nothing.
    pub async fn connect_to(&self, snapshot: &Snapshot) -> Result<Link, Failed> {
        let link = self.connect().await?;
        // The name is the server's own, and is made of signs that mean nothing in a text.
        let id: String = snapshot.id.chars().filter(|sign| sign.is_ascii_hexdigit() || *sign == '-').collect();
        let begin = format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '{id}'");
        link.client.batch_execute(&begin).await?;
        Ok(link)
    }
}

impl Link {
    /// Says whether the server works for this connection, so that it must be stopped when nobody waits any more.
    pub fn busy(&mut self, busy: bool) {
        self.busy = busy;
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if !self.busy {
            return;
        }
        let (cancel, tls, task) = (self.cancel.clone(), self.address.tls.clone(), self.task.clone());
        if let Ok(handle) = handle() {
            handle.spawn(async move {
                // Without a connection to ask on, the closed one has to do.
                let _ = cancel.cancel_query(tls).await;
                task.abort();
            });
        }
    }
}

/// Runs a future on the servers' thread, where sockets are looked after.
async fn on_thread<T: Send + 'static>(
    future: impl Future<Output = Result<T, Failed>> + Send + 'static,
) -> Result<T, Failed> {
    let handle = handle().map_err(|_| Failed::Thread)?;
    match handle.spawn(future).await {
        Ok(result) => result,
        Err(_) => Err(Failed::Thread),
    }
}

impl Failed {
    /// The server's own code, such as `23505`.
    pub fn code(&self) -> &str {
        match self {
            Self::Server(error) => error.code().map_or("", |code| code.code()),
            Self::Thread => "",
        }
    }

    /// The rule of a table that was broken.
    pub fn constraint(&self) -> Option<String> {
        match self {
            Self::Server(error) => Some(error.as_db_error()?.constraint()?.to_owned()),
            Self::Thread => None,
        }
    }

    /// What went wrong, in the server's words. They say nothing of a password.
    pub fn words(&self) -> String {
        let Self::Server(error) = self else { return "the connection has ended".to_owned() };
        if let Some(said) = error.as_db_error() {
            let detail = said.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
            return format!("{}{}", lowered(said.message()), detail.trim_end_matches('.'));
        }
        let mut words = lowered(&error.to_string());
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            let said = inner.to_string();
            // The operating system's number says no more than its words.
            let plain = lowered(said.split(" (os error").next().unwrap_or_default());
            if !words.contains(&plain) {
                words = format!("{words}: {plain}");
            }
            cause = inner.source();
        }
        words
    }
}

fn lowered(text: &str) -> String {
    let mut signs = text.trim_end_matches('.').chars();
    match signs.next() {
        Some(first) => first.to_lowercase().chain(signs).collect(),
        None => String::new(),
    }
}
