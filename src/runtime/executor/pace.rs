//! Rate limits: at most so many messages per second, in exact slots of time.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::runtime::clock::Clock;

/// First and longest pause of a channel that says it is asked too much, unless it says how long.
const BACK_OFF: (SignedDuration, SignedDuration) = (SignedDuration::from_secs(1), SignedDuration::from_mins(5));

/// A limit that all sends of a channel share, clones included.
#[derive(Clone)]
pub struct Pace {
    /// Time that one message takes up; none without a limit.
    slot: Option<SignedDuration>,
    /// When the next message may leave, and how far ahead that was when it was decided: if it is further now, somebody
    /// has set the clock back, and nobody is to wait for the difference.
    next: Arc<Mutex<(Timestamp, SignedDuration)>>,
    held: Arc<std::sync::Mutex<Held>>,
}

/// A channel that asked for a pause.
#[derive(Clone, Copy, Default)]
struct Held {
    until: Timestamp,
    length: SignedDuration,
    /// Pauses in a row.
    times: u32,
}

impl Pace {
    /// At most `count` messages per `per`; `None` for no limit.
    pub fn new(rate: Option<(u64, SignedDuration)>) -> Self {
        let slot = rate.filter(|(count, _)| *count > 0).map(|(count, per)| {
            let nanos = per.as_nanos() / i128::from(count);
            SignedDuration::from_nanos_i128(nanos)
        });
        let (next, held) = (Mutex::new((Timestamp::MIN, SignedDuration::ZERO)), std::sync::Mutex::default());
        Self { slot, next: Arc::new(next), held: Arc::new(held) }
    }

    /// True when there is a limit.
    pub fn is_limited(&self) -> bool {
        self.slot.is_some()
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
    pub async fn next(&self, now: Timestamp) -> Timestamp {
        let mut next = self.next.lock().await;
        if next.0.duration_since(now) > next.1 {
            next.0 = now.checked_add(next.1).unwrap_or(Timestamp::MAX);
        }
        next.0
    }

    /// A message left at this instant, before we began to count.
    pub async fn after(&self, last: Timestamp) {
        let Some(slot) = self.slot else { return };
        let mut next = self.next.lock().await;
        let free = last.checked_add(slot).unwrap_or(Timestamp::MAX);
        if free > next.0 {
            *next = (free, slot);
        }
    }

    /// Waits until `messages` more may leave.
    pub async fn take(&self, messages: usize, clock: &dyn Clock) {
        let Some(slot) = self.slot else { return };
        let count = i32::try_from(messages).unwrap_or(i32::MAX);
        let mut next = self.next.lock().await;
        let now = clock.now();
        let wait = next.0.duration_since(now).clamp(SignedDuration::ZERO, next.1);
        if wait > SignedDuration::ZERO {
            clock.pause(wait).await;
        }
        let length = slot * count;
        *next = (now.checked_add(wait + length).unwrap_or(Timestamp::MAX), length);
    }

    /// The channel was asked too much: nothing leaves for as long as it says, else for twice as long as the last time.
    /// Gives the length.
    pub fn slow_down(&self, asked: Option<SignedDuration>, now: Timestamp) -> SignedDuration {
        let mut held = self.held();
        let doubled = BACK_OFF.0 * 2_i32.pow(held.times.min(16));
        let length = asked.unwrap_or(doubled.min(BACK_OFF.1));
        *held = Held { until: now.checked_add(length).unwrap_or(Timestamp::MAX), length, times: held.times + 1 };
        length
    }

    /// Messages were taken again.
    pub fn recover(&self) {
        self.held().times = 0;
    }

    /// Until when the channel is left alone, if it is.
    pub fn held_until(&self, now: Timestamp) -> Option<Timestamp> {
        let held = *self.held();
        let left = held.until.duration_since(now);
        (left > SignedDuration::ZERO && left <= held.length).then_some(held.until)
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
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

    #[tokio::test]
    async fn a_clock_that_is_set_back_is_not_waited_for() {
        let pace = Pace::new(Some((1, SignedDuration::from_secs(1))));
        pace.take(5, &VirtualClock::new(Timestamp::from_second(100_000).unwrap())).await;
        let early = Timestamp::from_second(1_000).unwrap();
        let clock = VirtualClock::new(early);
        pace.take(1, &clock).await;
        assert_eq!(clock.now().duration_since(early), SignedDuration::from_secs(5), "five seconds are due, not a day");
    }

    #[test]
    fn a_channel_that_is_asked_too_much_gets_longer_and_longer_pauses() {
        let pace = Pace::new(None);
        let at = |second| Timestamp::from_second(second).unwrap();
        let seconds = |length: SignedDuration| length.as_secs();
        assert_eq!(pace.held_until(at(0)), None);
        assert_eq!(seconds(pace.slow_down(None, at(0))), 1);
        assert_eq!((pace.held_until(at(0)), pace.held_until(at(1))), (Some(at(1)), None));
        assert_eq!((seconds(pace.slow_down(None, at(1))), seconds(pace.slow_down(None, at(3)))), (2, 4));
        assert_eq!(seconds(pace.slow_down(Some(SignedDuration::from_secs(90)), at(9))), 90, "as it asks");
        assert_eq!(pace.held_until(at(-500)), None, "the clock was set back");
        (0..20).for_each(|_| {
            pace.slow_down(None, at(9));
        });
        assert_eq!(seconds(pace.slow_down(None, at(9))), 300);
        pace.recover();
        assert_eq!(seconds(pace.slow_down(None, at(9))), 1);
    }
}
