//! Rate limits: at most so many messages per second, in exact slots of time.

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::runtime::clock::Clock;

/// A limit that all sends of a channel share.
pub struct Pace {
    /// Time that one message takes up; none without a limit.
    slot: Option<SignedDuration>,
    /// When the next message may leave.
    next: Mutex<Timestamp>,
}

impl Pace {
    /// At most `count` messages per `per`; `None` for no limit.
    pub fn new(rate: Option<(u64, SignedDuration)>) -> Self {
        let slot = rate.filter(|(count, _)| *count > 0).map(|(count, per)| {
            let nanos = per.as_nanos() / i128::from(count);
            SignedDuration::from_nanos_i128(nanos)
        });
        Self { slot, next: Mutex::new(Timestamp::MIN) }
    }

    /// How many messages may leave in a second, at least 1; without a limit, any number.
    pub fn per_second(&self) -> usize {
        const SECOND: i128 = 1_000_000_000;
        match self.slot {
            Some(slot) if slot.as_nanos() > 0 => usize::try_from(SECOND / slot.as_nanos()).unwrap_or(usize::MAX).max(1),
            _ => usize::MAX,
        }
    }

    /// When the next message may leave; in the past when one may leave now.
    pub async fn next(&self) -> Timestamp {
        *self.next.lock().await
    }

    /// A message left at this instant, before we began to count.
    pub async fn after(&self, last: Timestamp) {
        let Some(slot) = self.slot else { return };
        let mut next = self.next.lock().await;
        *next = last.checked_add(slot).unwrap_or(Timestamp::MAX).max(*next);
    }

    /// Waits until `messages` more may leave.
    pub async fn take(&self, messages: usize, clock: &dyn Clock) {
        let Some(slot) = self.slot else { return };
        let count = i32::try_from(messages).unwrap_or(i32::MAX);
        let mut next = self.next.lock().await;
        let start = clock.now().max(*next);
        clock.sleep_until(start).await;
        *next = start.checked_add(slot * count).unwrap_or(Timestamp::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::clock::VirtualClock;

    #[tokio::test]
    async fn messages_leave_in_their_slots() {
        let start = Timestamp::from_second(1000).unwrap();
        let clock = VirtualClock::new(start);
        let pace = Pace::new(Some((200, SignedDuration::from_secs(1))));
        for _ in 0..5 {
            pace.take(100, &clock).await;
        }
        assert_eq!(clock.now().duration_since(start), SignedDuration::from_secs(2), "the fifth hundred waits 2 s");
        let free = Pace::new(None);
        free.take(1_000_000, &clock).await;
        assert_eq!(clock.now().duration_since(start), SignedDuration::from_secs(2));
    }
}
