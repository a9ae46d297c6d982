//! Messages of a restored run that may have left once already, after the backup was made.

use std::collections::HashSet;

use super::Sender;
use super::decide::{Decided, Decision};
use crate::runtime::channels::{Outcome, SendKey};
use crate::runtime::machine::Doubt;

/// What is known about the messages of a chunk.
pub(super) enum Judged {
    /// Nothing stands in the way of sending them.
    Free,
    /// The driver has these already; the others are to be sent.
    Delivered(HashSet<SendKey>),
    /// The driver has these already, of the others nobody knows, and somebody said that they are not to be sent again.
    Unknown(HashSet<SendKey>, Doubt),
}

impl Sender<'_> {
    /// Asks the driver, which may know its own messages; otherwise what was said when the run was resumed counts.
    pub(super) async fn judged(&self, chunk: &[Decided]) -> Judged {
        let Some(doubt) = self.doubt else { return Judged::Free };
        let key = |decided: &Decided| match &decided.decision {
            Decision::Message(to_send) => Some(to_send.message.key),
            Decision::Held(_) | Decision::Excluded { .. } => None,
        };
        let known = self.channel.delivered(chunk.iter().filter_map(key).collect()).await;
        let is_certain = doubt.resend || (doubt.certain && known.is_some());
        let known = known.unwrap_or_default();
        if is_certain { Judged::Delivered(known) } else { Judged::Unknown(known, doubt) }
    }
}

impl Judged {
    /// What became of a message, if it is not to be sent.
    pub fn outcome(&self, key: SendKey) -> Option<Outcome> {
        match self {
            Judged::Free => None,
            Judged::Delivered(known) | Judged::Unknown(known, _) if known.contains(&key) => {
                Some(Outcome::Sent { id: None })
            }
            Judged::Delivered(_) => None,
            Judged::Unknown(_, doubt) => {
                let reason = format!("it may have been sent after the backup of {}", doubt.backup);
                Some(Outcome::Unknown { reason })
            }
        }
    }
}
