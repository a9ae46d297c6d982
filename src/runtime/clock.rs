//! The one clock. Nothing else in the library asks what time it is.

use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};

/// Time as a run sees it.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// Ready once `at` has come. Dropping the future gives up waiting.
    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// Ready after this long, whatever happens to the clock meanwhile: somebody may set it back. At most a day.
    fn pause(&self, length: SignedDuration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.sleep_until(self.now().checked_add(length).unwrap_or(Timestamp::MAX))
    }

    /// True when waits cost no real time.
    fn is_virtual(&self) -> bool {
        false
    }

    /// True when time never passes: a wait with a limit is over at once.
    fn stands(&self) -> bool {
        false
    }
}

/// The computer's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock;

impl Clock for WallClock {
    #[expect(clippy::disallowed_methods, reason = "this is the module that owns the clock")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        // Whole microseconds, as the store keeps them: an instant read back is the instant written.
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    fn pause(&self, length: SignedDuration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);
        Box::pin(tokio::time::sleep(std::time::Duration::try_from(length).unwrap_or_default().min(DAY)))
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            // The computer may be suspended or its clock set while we sleep, so the clock is read again now and then.
            const LONGEST: std::time::Duration = std::time::Duration::from_millis(500);
            while let Ok(left) = std::time::Duration::try_from(at.duration_since(self.now())) {
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(LONGEST)).await;
            }
        })
    }
}

/// A clock that jumps: sleeping until an instant makes it that instant. For rehearsals, tests and fast-forward runs.
#[derive(Debug)]
pub struct VirtualClock {
    now: Mutex<Timestamp>,
}

impl VirtualClock {
    /// A clock that stands at `now`.
    pub fn new(now: Timestamp) -> Self {
        Self { now: Mutex::new(now) }
    }

    /// Moves the clock to `at`, never backwards.
    pub fn advance_to(&self, at: Timestamp) {
        let mut now = self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *now = at.max(*now);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move { self.advance_to(at) })
    }

    fn is_virtual(&self) -> bool {
        true
    }
}

/// A clock that stands still: waits are over at once and cost nothing. For rehearsals that ask "what if it were now".
#[derive(Clone, Copy, Debug)]
pub struct StandingClock {
    now: Timestamp,
}

impl StandingClock {
    /// A clock that always says `now`.
    pub fn new(now: Timestamp) -> Self {
        Self { now }
    }
}

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn sleep_until(&self, _at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {})
    }

    fn stands(&self) -> bool {
        true
    }

    fn is_virtual(&self) -> bool {
        true
    }
}

/// Measures real time, for people only.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Begins to measure.
    #[expect(clippy::disallowed_methods, reason = "this is the module that owns the clock")]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// The time since.
    pub fn elapsed(self) -> std::time::Duration {
        self.0.elapsed()
    }
}
