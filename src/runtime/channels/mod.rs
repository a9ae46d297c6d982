//! Channels: the ways a message leaves, one driver each.
//!
//! A driver takes a batch of rendered messages and says, one by one, what became of them. It never decides who is
//! addressed, never retries on a later day and keeps no ledger: that is the runtime's part. Hosts bring their own
//! drivers by implementing [`Channel`]:
//!
//! ```
//! use orch::runtime::channels::{
//!     BoxFuture, Capabilities, Channel, ChannelError, Dispatch, Idempotency, Outcome, OutgoingMessage,
//! };
//!
//! /// Pins notes to a board that somebody reads now and then.
//! struct Board(std::sync::Mutex<Vec<String>>);
//!
//! impl Channel for Board {
//!     fn capabilities(&self) -> Capabilities {
//!         // Without a word about keys a message in doubt is never pinned twice.
//!         Capabilities { idempotency: Idempotency::None, batch: 100, ..Capabilities::default() }
//!     }
//!
//!     fn check(&self) -> BoxFuture<'_, Result<(), ChannelError>> {
//!         Box::pin(async { Ok(()) })
//!     }
//!
//!     fn send_batch(&self, batch: Vec<OutgoingMessage>, dispatch: Dispatch) -> BoxFuture<'_, ()> {
//!         Box::pin(async move {
//!             for message in batch {
//!                 // From here on a killed process cannot know whether the note is on the board.
//!                 dispatch.dispatching(0, message.key);
//!                 let outcome = match self.0.lock() {
//!                     Ok(mut notes) => {
//!                         notes.push(format!("{}: {}", message.address, message.content.title()));
//!                         Outcome::Sent { id: None }
//!                     }
//!                     Err(_) => Outcome::NotStarted { reason: "the board is locked".to_owned() },
//!                 };
//!                 dispatch.report(message.key, outcome);
//!             }
//!         })
//!     }
//! }
//! ```

pub mod config;
mod driver;
mod harmless;
mod message;
mod open;
mod outbox;
mod problem;
pub mod smtp;
mod table;
#[cfg(test)]
pub(crate) mod testing;

pub use config::{ChannelConfig, Rate, Secret, UnknownPolicy};
pub use driver::{
    BoxFuture, Capabilities, Channel, ChannelError, Dispatch, DispatchMarker, Idempotency, NoMarker, Outcome, Reported,
};
pub use harmless::{Console, Record};
pub use message::{Content, Email, ListTopic, OutgoingMessage, SendContext, SendKey};
pub use open::{DRIVERS, Places, open};
pub use outbox::Outbox;
pub use problem::ChannelProblem;
pub use table::Table;

/// Runs `work` where it may block. A panic in it is passed on.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down: this task will not be polled again.
            Err(_) => std::future::pending().await,
        },
    }
}
