//! Layer 7: the local HTTP endpoint of `orch serve`.
//!
//! | route | does |
//! |---|---|
//! | `GET /health` | says whether the daemon works; needs no token |
//! | `GET /runs` | the runs, as `orch runs --format json` |
//! | `POST /signals/NAME` | delivers a signal; its fields are the JSON object of the body |
//!
//! It knows nothing of runs: a [`Daemon`] answers. Each answer is one JSON document, errors in the form in which commands
//! report problems.

mod http;
mod token;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::diag::Problem;
pub use token::{Token, read_or_make};

/// How long open connections may keep a stopping server.
const LAST_ANSWERS: Duration = Duration::from_secs(3);

/// What the routes ask of the program around them. Called from threads that may block.
pub trait Daemon: Send + Sync + 'static {
    /// Delivers a signal; the same one again, by its id, changes nothing.
    ///
    /// # Errors
    /// Why it is not delivered.
    fn signal(&self, name: &str, id: Option<&str>, fields: &Map<String, Value>) -> Result<Delivered, Refusal>;

    /// The document of `orch runs`.
    ///
    /// # Errors
    /// The state cannot be read.
    fn runs(&self, open: bool, limit: usize) -> Result<Value, Problem>;

    /// A word about how it is doing.
    fn health(&self) -> &'static str;
}

/// A signal that was taken in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivered {
    /// Its name in the store.
    pub id: String,
    /// False when it had been delivered before.
    pub new: bool,
}

/// Why a signal is not delivered.
#[derive(Debug)]
pub enum Refusal {
    /// No such signal.
    Unknown(Problem),
    /// Its fields are not those that are declared.
    Wrong(Problem),
    /// Another signal has this id.
    Conflict(Problem),
    /// The store refused it.
    Broken(Problem),
}

/// The endpoint, listening.
pub struct Server {
    address: SocketAddr,
    listener: TcpListener,
}

/// The endpoint, answering.
pub struct Serving {
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
    runtime: Handle,
}

impl Server {
    /// Listens at an address; nothing is answered yet.
    ///
    /// # Errors
    /// The address is in use, or not ours.
    pub fn listen(address: SocketAddr, runtime: &Handle) -> std::io::Result<Self> {
        let listener = runtime.block_on(TcpListener::bind(address))?;
        Ok(Self { address: listener.local_addr()?, listener })
    }

    /// Where it listens; with the port that it got if it asked for any.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Begins to answer.
    pub fn start(self, daemon: Arc<dyn Daemon>, token: Token, runtime: &Handle) -> Serving {
        let (stop, stopped) = oneshot::channel();
        let routes = http::routes(daemon, token);
        let task = runtime.spawn(async move {
            let server = axum::serve(self.listener, routes).with_graceful_shutdown(async {
                // Whoever dropped the sender wants it to stop, too.
                let _ = stopped.await;
            });
            // An error of one connection ends that connection; there are no others.
            let _ = server.await;
        });
        Serving { stop, task, runtime: runtime.clone() }
    }
}

impl Serving {
    /// Takes no more requests and gives the last answers.
    pub fn stop(self) {
        // It may have ended by itself.
        let _ = self.stop.send(());
        let _ = self.runtime.block_on(async { tokio::time::timeout(LAST_ANSWERS, self.task).await });
    }
}
