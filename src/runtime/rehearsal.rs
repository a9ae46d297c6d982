//! What a rehearsal found.

use std::sync::{Arc, Mutex, PoisonError};

use super::channels::{
    BoxFuture, Capabilities, Channel, ChannelError, Dispatch, Idempotency, Outcome, OutgoingMessage,
};
use super::error::RunError;
use super::executor::{BoundChannel, DriveEnd, Pace};
use super::store::{RunRecord, SendRecord, StepRecord, Store, Tally};

/// How many rendered messages a rehearsal keeps.
const KEPT: usize = 3;

/// A campaign gone through without effects.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// The run as it would be recorded.
    pub record: RunRecord,
    /// How it ended.
    pub end: DriveEnd,
    /// Steps in the order they finished.
    pub steps: Vec<StepRecord>,
    /// Sends with their accounting.
    pub sends: Vec<(SendRecord, Tally)>,
    /// The first messages, rendered.
    pub messages: Vec<OutgoingMessage>,
}

impl Rehearsal {
    pub(super) fn collect(
        store: &dyn Store,
        run: &str,
        end: DriveEnd,
        kept: &Mutex<Vec<OutgoingMessage>>,
    ) -> Result<Self, RunError> {
        let record = store.run(run)?.ok_or_else(|| RunError::UnknownRun { run: run.to_string() })?;
        let sends = store.sends(run)?.into_iter().map(|send| {
            let tally = store.tally(send.id)?;
            Ok((send, tally))
        });
        Ok(Self {
            record,
            end,
            steps: store.steps(run)?,
            sends: sends.collect::<Result<_, super::store::StoreError>>()?,
            messages: kept.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        })
    }
}

/// Accepts every message, keeps the first few and delivers none.
pub(super) struct RehearsalChannel {
    kept: Arc<Mutex<Vec<OutgoingMessage>>>,
}

impl RehearsalChannel {
    /// Where the channels of one rehearsal keep messages.
    pub fn shared() -> Arc<Mutex<Vec<OutgoingMessage>>> {
        Arc::default()
    }

    /// The channel, without limits.
    pub fn bound(kept: &Arc<Mutex<Vec<OutgoingMessage>>>) -> BoundChannel {
        BoundChannel { driver: Arc::new(Self { kept: kept.clone() }), pace: Pace::new(None), resend_unknown: false }
    }
}

impl Channel for RehearsalChannel {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            idempotency: Idempotency::Always,
            batch: 1000,
            harmless: true,
            knows_opens: false,
            concurrency: 1,
        }
    }

    fn check(&self) -> BoxFuture<'_, Result<(), ChannelError>> {
        Box::pin(async { Ok(()) })
    }

    fn send_batch(&self, batch: Vec<OutgoingMessage>, dispatch: Dispatch) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            for message in batch {
                let key = message.key;
                let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
                if kept.len() < KEPT {
                    kept.push(message);
                }
                drop(kept);
                dispatch.report(key, Outcome::Sent { id: None });
            }
        })
    }
}
