//! What the tests of all drivers share.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Channel, Content, Dispatch, Email, ListTopic, NoMarker, OutgoingMessage, Reported, SendContext, SendKey};

/// The key of row `n`.
pub fn key(n: usize) -> SendKey {
    SendKey::derive("vip-7K2M", "3", 0, &n.to_string())
}

/// An e-mail to row `n`.
pub fn email(n: usize, subject: &str) -> OutgoingMessage {
    let text = format!("Hello {n},\n.\nbye\n");
    let content = Content::Email(Email { subject: subject.to_owned(), text: Some(text), ..Email::default() });
    message(n, format!("user{n}@shop.test"), content)
}

/// A text message to row `n`.
pub fn sms(n: usize, body: &str) -> OutgoingMessage {
    message(n, format!("+336{n:08}"), Content::Fields(vec![("body".to_owned(), body.to_owned())]))
}

fn message(n: usize, address: String, content: Content) -> OutgoingMessage {
    let context = SendContext {
        run: "vip-7K2M".to_owned(),
        campaign: "vip".to_owned(),
        step: "3".to_owned(),
        message: Some("welcome".to_owned()),
        topic: Some(ListTopic { name: "news".to_owned(), title: None }),
    };
    let date = jiff::Timestamp::UNIX_EPOCH;
    OutgoingMessage { key: key(n), address, content, date, entity: n.to_string(), context: Arc::new(context) }
}

/// Sends a batch and gives what was reported, in order.
pub async fn outcomes(channel: &dyn Channel, batch: Vec<OutgoingMessage>) -> Vec<Reported> {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    channel.send_batch(batch, Dispatch::new(Arc::new(NoMarker), sender)).await;
    let mut reported = Vec::new();
    while let Some(outcome) = receiver.recv().await {
        reported.push(outcome);
    }
    reported
}
