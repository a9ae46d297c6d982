//! The `smtp` driver: persistent connections to one server, each carrying one message at a time.
//!
//! What is known when something goes wrong decides the outcome: before the final dot nothing was accepted
//! (`not_started`), after it only the server knows (`unknown`), and an answer means what it says (4yz deferred, 5yz
//! failed). A message whose connection broke before the dot is tried once more on a new one, since servers close
//! idle connections as they like.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::{BoxFuture, Capabilities, Channel, ChannelError, Dispatch, Outcome, OutgoingMessage};
use crate::runtime::content::{Composer, Mailbox, address};

mod connection;
mod reply;
mod server;
mod stream;

use connection::{Connection, Envelope};

pub use connection::Timeouts;
pub use server::{Login, Server, Tls};

/// Messages per batch. Larger batches keep the connections busy, smaller ones bound what is in doubt after power
/// loss.
const BATCH: usize = 500;
/// How often one message is put on a connection within a batch.
const TRIES: u8 = 2;
/// How often in a row a connection may break or be refused before it ends for this batch.
const FAILURES: u32 = 4;

/// What an SMTP channel is made of.
#[derive(Clone, Debug)]
pub struct SmtpOptions {
    pub server: Server,
    /// The sender people see.
    pub from: Mailbox,
    pub reply_to: Option<Mailbox>,
    /// The sender that undeliverable messages return to, `{key}` replaced by the send key; `from` when there is none.
    pub return_path: Option<String>,
    /// Certificates, in PEM form, of authorities to trust beside the public ones.
    pub ca: Option<Vec<u8>>,
    /// How many connections at once.
    pub connections: usize,
    /// Batches no larger than the number of connections.
    pub strict: bool,
    pub timeouts: Timeouts,
}

/// An SMTP server as a channel.
pub struct Smtp {
    shared: Arc<Shared>,
}

struct Shared {
    options: SmtpOptions,
    composer: Composer,
    permits: Arc<Semaphore>,
    /// One for each permit that is not taken.
    slots: Mutex<Vec<Slot>>,
}

/// The place of one connection.
struct Slot {
    number: usize,
    connection: Option<Connection>,
}

/// A message on its way, and how often it was tried.
struct Job {
    message: OutgoingMessage,
    tries: u8,
}

/// What the tasks of a batch share.
struct Batch {
    queue: Mutex<VecDeque<Job>>,
    dispatch: Dispatch,
    /// Why a task gave up.
    trouble: Mutex<Option<ChannelError>>,
}

impl Smtp {
    /// Nothing is connected yet.
    pub fn new(options: SmtpOptions) -> Self {
        let composer = Composer::new(&options.from, options.reply_to.as_ref());
        let connections = options.connections.max(1);
        // The last slot is taken first, so low numbers come last.
        let slots = (0..connections).rev().map(|number| Slot { number, connection: None }).collect();
        let permits = Arc::new(Semaphore::new(connections));
        Self { shared: Arc::new(Shared { options, composer, permits, slots: Mutex::new(slots) }) }
    }
}

impl Channel for Smtp {
    fn capabilities(&self) -> Capabilities {
        let concurrency = self.shared.options.connections.max(1);
        let batch = if self.shared.options.strict { concurrency } else { BATCH.max(concurrency) };
        Capabilities { batch, concurrency, ..Capabilities::default() }
    }

    fn check(&self) -> BoxFuture<'_, Result<(), ChannelError>> {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            let Some(mut lease) = shared.lease().await else { return Ok(()) };
            // A kept connection may have been closed by the server: only a new one proves anything.
            lease.slot.connection = Some(shared.open().await?);
            Ok(())
        })
    }

    fn send_batch(&self, batch: Vec<OutgoingMessage>, dispatch: Dispatch) -> BoxFuture<'_, ()> {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            let tasks = batch.len().min(shared.options.connections.max(1));
            let queue = batch.into_iter().map(|message| Job { message, tries: 0 }).collect();
            let batch = Arc::new(Batch { queue: Mutex::new(queue), dispatch, trouble: Mutex::default() });
            let Some(first) = shared.lease().await else { return };
            let mut running = JoinSet::new();
            running.spawn(work(Arc::clone(&batch), first));
            // Connections that another batch holds are not waited for.
            while let Some(lease) = (running.len() < tasks).then(|| shared.try_lease()).flatten() {
                running.spawn(work(Arc::clone(&batch), lease));
            }
            running.join_all().await;
            batch.give_back();
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        let kept = lock(&self.shared.slots).iter_mut().filter_map(|slot| slot.connection.take()).collect::<Vec<_>>();
        Box::pin(async move {
            futures::future::join_all(kept.into_iter().map(Connection::close)).await;
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The right to use one slot. Its connection goes back with it, unless it was taken and not put back.
struct Lease {
    shared: Arc<Shared>,
    slot: Slot,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let slot = Slot { number: self.slot.number, connection: self.slot.connection.take() };
        lock(&self.shared.slots).push(slot);
    }
}

impl Shared {
    /// Waits for a slot; `None` never happens while the channel lives.
    async fn lease(self: &Arc<Self>) -> Option<Lease> {
        self.leased(Arc::clone(&self.permits).acquire_owned().await.ok()?)
    }

    fn try_lease(self: &Arc<Self>) -> Option<Lease> {
        self.leased(Arc::clone(&self.permits).try_acquire_owned().ok()?)
    }

    fn leased(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Option<Lease> {
        let slot = lock(&self.slots).pop()?;
        Some(Lease { shared: Arc::clone(self), slot, _permit: permit })
    }

    async fn open(&self) -> Result<Connection, ChannelError> {
        Connection::open(&self.options).await
    }

    /// Connects, trying again for a while. `failures` is how many there were in a row.
    async fn open_patiently(&self, failures: &mut u32) -> Result<Connection, ChannelError> {
        loop {
            if let Some(waits) = failures.checked_sub(1) {
                tokio::time::sleep(self.options.timeouts.back_off * 5_u32.pow(waits.min(3))).await;
            }
            let error = match self.open().await {
                Ok(connection) => return Ok(connection),
                Err(error) => error,
            };
            *failures += 1;
            if *failures >= FAILURES {
                return Err(error);
            }
        }
    }
}

impl Batch {
    fn next(&self) -> Option<Job> {
        lock(&self.queue).pop_front()
    }

    /// All tasks have ended: what is left was never begun.
    fn give_back(&self) {
        let reason = match lock(&self.trouble).take() {
            Some(error) => error.message,
            None => "the connection was lost again and again".to_owned(),
        };
        for job in lock(&self.queue).drain(..) {
            self.dispatch.report(job.message.key, Outcome::NotStarted { reason: reason.clone() });
        }
    }
}

/// Sends messages of the batch over one connection until there are none or the server cannot be reached.
async fn work(batch: Arc<Batch>, mut lease: Lease) {
    let shared = Arc::clone(&lease.shared);
    let mut failures = 0;
    let mut text = String::new();
    while let Some(job) = batch.next() {
        let mut connection = match lease.slot.connection.take() {
            Some(connection) => connection,
            None => match shared.open_patiently(&mut failures).await {
                Ok(connection) => connection,
                Err(error) => {
                    lock(&batch.queue).push_front(job);
                    lock(&batch.trouble).get_or_insert(error);
                    return;
                }
            },
        };
        let sent = send(&shared, &mut connection, &job.message, &mut text, || {
            batch.dispatch.dispatching(lease.slot.number, job.message.key);
        })
        .await;
        if sent.usable {
            failures = 0;
            lease.slot.connection = Some(connection);
        } else {
            failures += 1;
        }
        match sent.outcome {
            Outcome::NotStarted { .. } if !sent.usable && job.tries + 1 < TRIES => {
                lock(&batch.queue).push_front(Job { tries: job.tries + 1, ..job });
            }
            outcome => batch.dispatch.report(job.message.key, outcome),
        }
        if failures >= FAILURES {
            return;
        }
    }
}

async fn send(
    shared: &Shared,
    connection: &mut Connection,
    message: &OutgoingMessage,
    text: &mut String,
    mark: impl FnMut(),
) -> connection::Sent {
    let invalid = |reason: String| connection::Sent {
        outcome: Outcome::Failed { code: "invalid".to_owned(), reason },
        usable: true,
    };
    let to = match address::email(&message.address) {
        Ok(to) => to,
        Err(error) => return invalid(format!("the recipient's address {error}")),
    };
    text.clear();
    if let Err(error) = shared.composer.compose(message, text) {
        return invalid(error.to_string());
    }
    let from = shared.options.return_path.as_ref().map(|path| path.replace("{key}", &message.key.to_string()));
    let from = from.as_deref().unwrap_or(shared.options.from.address.as_ref());
    connection.send(Envelope { from, to: to.as_ref() }, text, mark).await
}

#[cfg(test)]
mod tests;
