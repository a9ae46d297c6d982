//! The interface between the runtime and a driver.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::{OutgoingMessage, SendKey};

/// A boxed future, so that drivers are trait objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One way for messages to leave. Several batches may be in flight at once; a driver that shares connections among
/// them keeps to its own limit.
pub trait Channel: Send + Sync {
    /// What the driver can do. Constant for the life of the value.
    fn capabilities(&self) -> Capabilities;

    /// Tries to reach the other side without sending anything, before a run starts.
    fn check(&self) -> BoxFuture<'_, Result<(), ChannelError>>;

    /// Sends a batch and reports exactly one outcome per message, each as soon as it is known and in any order. A
    /// message that has none when the future is done counts as [`Outcome::Unknown`].
    ///
    /// A driver whose [`Idempotency`] is not `Always` calls [`Dispatch::dispatching`] before the first moment at
    /// which the other side might accept the message. Dropping the future stops sending; messages then without an
    /// outcome are in doubt when they were marked and not started otherwise.
    fn send_batch(&self, batch: Vec<OutgoingMessage>, dispatch: Dispatch) -> BoxFuture<'_, ()>;

    /// Which of these messages the other side has already; `None` when the driver cannot tell. Asked for messages of a
    /// run that was restored from a backup, which may have left before.
    fn delivered(&self, _keys: Vec<SendKey>) -> BoxFuture<'_, Option<HashSet<SendKey>>> {
        Box::pin(std::future::ready(None))
    }

    /// Ends kept connections politely, when nothing more is to be sent for now. Sending again is allowed.
    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// What a driver can do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capabilities {
    /// Whether sending the same key again is safe.
    pub idempotency: Idempotency,
    /// The batch size that suits the driver, in messages.
    pub batch: usize,
    /// True when no person receives anything: `--fast-forward` and messages without content are allowed.
    pub harmless: bool,
    /// True when the driver learns of opens and clicks by itself.
    pub knows_opens: bool,
    /// How many messages may be between mark and outcome at once; markers use connection numbers below it.
    pub concurrency: usize,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self { idempotency: Idempotency::None, batch: 1, harmless: false, knows_opens: false, concurrency: 1 }
    }
}

/// What happens when a message is handed over twice under one key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Idempotency {
    /// The person gets it twice.
    None,
    /// The other side recognises the key for this long.
    Key { lifetime: Duration },
    /// The second replaces the first, however late.
    Always,
}

/// What became of one message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Accepted; `id` is the other side's name for it.
    Sent { id: Option<String> },
    /// Refused for now: the same message is to be sent again, not before `retry_after` where that is known.
    /// `throttled` when the channel as a whole should slow down.
    Deferred { reason: String, retry_after: Option<Duration>, throttled: bool },
    /// Refused for good. `code` is the protocol's: `550 5.1.1`, `400`.
    Failed { code: String, reason: String },
    /// Handed over, but the answer was lost: nobody can know.
    Unknown { reason: String },
    /// Nothing that could be accepted has left: may be sent again at any time.
    NotStarted { reason: String },
}

impl Outcome {
    /// True when the message will not be tried again by itself.
    pub fn is_final(&self) -> bool {
        matches!(self, Outcome::Sent { .. } | Outcome::Failed { .. } | Outcome::Unknown { .. })
    }
}

/// Remembers, cheaply and unsynced, which messages are in the air, so that after a killed process only those are in
/// doubt. A key stays marked until its outcome is durable: a later mark on the same connection must not erase it.
pub trait DispatchMarker: Send + Sync {
    /// Called right before the bytes leave that could make the other side accept `key`. `connection` is below
    /// [`Capabilities::concurrency`].
    fn dispatching(&self, connection: usize, key: SendKey);

    /// Called as soon as the outcome of `key` is known, which is before it is durable.
    fn reported(&self, _key: SendKey, _outcome: &Outcome) {}
}

/// Marks nothing, for drivers that honour keys and for tests.
pub struct NoMarker;

impl DispatchMarker for NoMarker {
    fn dispatching(&self, _connection: usize, _key: SendKey) {}
}

/// One outcome and the message it belongs to.
pub type Reported = (SendKey, Outcome);

/// Where a driver marks and reports. Cheap to clone, one for each connection.
#[derive(Clone)]
pub struct Dispatch {
    marker: Arc<dyn DispatchMarker>,
    outcomes: mpsc::UnboundedSender<Reported>,
}

impl Dispatch {
    /// Outcomes arrive at the other end of `outcomes`, at most one batch of them at a time.
    pub fn new(marker: Arc<dyn DispatchMarker>, outcomes: mpsc::UnboundedSender<Reported>) -> Self {
        Self { marker, outcomes }
    }

    /// See [`DispatchMarker::dispatching`].
    pub fn dispatching(&self, connection: usize, key: SendKey) {
        self.marker.dispatching(connection, key);
    }

    /// Hands over one outcome. When the receiver is gone the run is being torn down and recovery will judge.
    pub fn report(&self, key: SendKey, outcome: Outcome) {
        self.marker.reported(key, &outcome);
        let _ = self.outcomes.send((key, outcome));
    }
}

/// Why a channel cannot be used now. Never holds a secret.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct ChannelError {
    /// Lower case, without a final stop: "`mail.shop.test:587` refused the connection".
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl ChannelError {
    /// An error with a hint.
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: Some(help.into()) }
    }
}
