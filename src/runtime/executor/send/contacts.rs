//! How often people were written to: what caps count.
//!
//! A contact is recorded in the transaction of its intent, so what two sends decide about the same person at the same
//! time cannot pass a cap together: whoever decides under a cap holds the gate from the look at the store to the commit.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::policy::Cap;
use crate::runtime::audiences::Remembered;
use crate::runtime::store::StoreError;

/// The name of a person in the store: half of a hash.
pub(super) type PersonHash = [u8; 16];

/// What is known about contacts while a chunk of rows is decided.
pub(super) struct Contacts<'e> {
    /// Our own state, then the one that a rehearsal looks at.
    remembered: &'e [Remembered<'e>],
    run: &'e str,
    channel: &'e str,
    /// Contacts of this chunk, which the store does not know yet.
    fresh: HashMap<PersonHash, u64>,
}

impl<'e> Contacts<'e> {
    pub fn new(remembered: &'e [Remembered<'e>], run: &'e str, channel: &'e str) -> Self {
        Self { remembered, run, channel, fresh: HashMap::new() }
    }

    /// The cap that another message at `now` would pass.
    pub fn reached<'c>(
        &self,
        caps: &'c [Cap],
        person: &PersonHash,
        now: Timestamp,
    ) -> Result<Option<&'c Cap>, StoreError> {
        let Some(longest) = caps.iter().map(|cap| cap.per).max() else { return Ok(None) };
        let since = before(now, longest);
        let mut earlier: HashMap<(usize, i64, u64), (String, Timestamp)> = HashMap::new();
        for (state, one) in self.remembered.iter().enumerate() {
            for contact in one.store.contacts(person, since, self.run)? {
                // A message that is tried several times is one message.
                let of = earlier.entry((state, contact.send, contact.row)).or_insert((contact.channel, contact.at));
                of.1 = of.1.max(contact.at);
            }
        }
        let fresh = self.fresh.get(person).copied().unwrap_or_default();
        let reached = |cap: &&Cap| {
            let counts = |channel: &str| cap.channel.as_deref().is_none_or(|of| of == channel);
            let since = before(now, cap.per);
            let stored = earlier.values().filter(|(channel, at)| counts(channel) && *at > since).count() as u64;
            stored + if counts(self.channel) { fresh } else { 0 } >= cap.count
        };
        Ok(caps.iter().find(reached))
    }

    /// One more message to this person.
    pub fn add(&mut self, person: PersonHash) {
        *self.fresh.entry(person).or_default() += 1;
    }
}

fn before(at: Timestamp, length: SignedDuration) -> Timestamp {
    at.checked_sub(length).unwrap_or(Timestamp::MIN)
}
