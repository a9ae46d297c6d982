//! Drivers from which nothing reaches a person: `console` shows messages, `record` keeps them in memory.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    BoxFuture, Capabilities, Channel, ChannelError, Content, Dispatch, Idempotency, Outcome, OutgoingMessage, SendKey,
};

const HARMLESS: Capabilities = Capabilities {
    // Showing or keeping a message twice harms nobody, and `record` keeps one per key.
    idempotency: Idempotency::Always,
    batch: 1_000,
    harmless: true,
    knows_opens: false,
    concurrency: 1,
};

/// Shows each message as text.
pub struct Console {
    print: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Console {
    /// `print` gets the text of one message at a time, line ends included.
    pub fn new(print: Arc<dyn Fn(&str) + Send + Sync>) -> Self {
        Self { print }
    }
}

impl Channel for Console {
    fn capabilities(&self) -> Capabilities {
        HARMLESS
    }

    fn check(&self) -> BoxFuture<'_, Result<(), ChannelError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn send_batch(&self, batch: Vec<OutgoingMessage>, dispatch: Dispatch) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            for message in batch {
                (self.print)(&shown(&message));
                dispatch.report(message.key, Outcome::Sent { id: None });
            }
        })
    }
}

/// A message as a few lines: address, then each field. Control characters, which could move the cursor, are dropped.
fn shown(message: &OutgoingMessage) -> String {
    let mut text = format!("to {}\n", printable(&message.address));
    let mut field = |name: &str, value: &str| {
        let value = printable(value);
        let value = value.trim_end();
        if value.contains('\n') {
            text.push_str(&format!("  {name}:\n    {}\n", value.replace('\n', "\n    ")));
        } else {
            text.push_str(&format!("  {name}: {value}\n"));
        }
    };
    match &message.content {
        Content::Email(email) => {
            field("subject", &email.subject);
            for (name, value) in [("text", &email.text), ("html", &email.html)] {
                value.iter().for_each(|value| field(name, value));
            }
        }
        Content::Fields(fields) => fields.iter().for_each(|(name, value)| field(name, value)),
    }
    text
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// Keeps messages, for tests and hosts. Clones share what they keep.
#[derive(Clone, Default)]
pub struct Record {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    messages: Vec<OutgoingMessage>,
    keys: HashSet<SendKey>,
}

impl Record {
    /// What was sent so far, one per key, in order of first arrival.
    pub fn messages(&self) -> Vec<OutgoingMessage> {
        self.kept().messages.clone()
    }

    /// Forgets everything and gives it.
    pub fn take(&self) -> Vec<OutgoingMessage> {
        std::mem::take(&mut *self.kept()).messages
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Channel for Record {
    fn capabilities(&self) -> Capabilities {
        HARMLESS
    }

    fn check(&self) -> BoxFuture<'_, Result<(), ChannelError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn send_batch(&self, batch: Vec<OutgoingMessage>, dispatch: Dispatch) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let mut kept = self.kept();
            for message in batch {
                let key = message.key;
                if kept.keys.insert(key) {
                    kept.messages.push(message);
                }
                dispatch.report(key, Outcome::Sent { id: None });
            }
        })
    }
}
