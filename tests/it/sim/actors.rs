//! Store, channel, clock and host of a simulated run: each does its work and fails when the world says so.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use orch::hir::FeedbackKind;
use orch::runtime::channels::{
    BoxFuture, Capabilities, Channel, ChannelError, Dispatch, Idempotency, Outcome, OutgoingMessage,
};
use orch::runtime::clock::Clock;
use orch::runtime::store::sqlite::SqliteStore;
use orch::runtime::store::{
    AudienceRecord, Change, EarlierContact, JournalRecord, Realm, Receipt, RowRecord, RunRecord, SendRecord,
    SignalRecord, StepRecord, Store, StoreError, TakeRecord, Tally, TaskAnswer, TaskRecord,
};
use orch::runtime::{Inbox, Note, Observer, Progress};

use super::world::{Site, World, lock};

/// A store whose process may die around each transaction, and whose disk may be full.
pub struct SimStore<'s> {
    pub inner: &'s SqliteStore,
    pub world: Arc<World>,
    /// Where people leave their answers as soon as they are asked.
    pub inbox: Inbox,
}

impl SimStore<'_> {
    fn read(&self) -> &SqliteStore {
        self.world.point(Site::Read);
        self.inner
    }

    /// People answer at once, as their question says.
    fn answer(&self, task: &TaskRecord) {
        let yes = match task.text.as_str() {
            "never" => return,
            "no" => false,
            _ => true,
        };
        let answer = TaskAnswer { yes, by: "ann".into(), note: None, at: task.at };
        let (run, step, token) = (task.run.clone(), task.step.clone(), task.token.clone());
        self.inbox.leave(&Note::Answer { run, step, token, answer }).unwrap();
    }
}

impl Store for SimStore<'_> {
    fn commit(&self, changes: Vec<Change>) -> Receipt {
        let (sender, receipt) = Receipt::new();
        self.world.point(Site::Commit);
        if self.world.is_disk_full() {
            let _ = sender.send(Err(StoreError::Broken("no space left on device".into())));
            return receipt;
        }
        let result = finish(self.inner.commit(changes.clone()));
        if result.is_ok() {
            for change in &changes {
                match change {
                    Change::Task(task) => self.answer(task),
                    Change::Transition { seq, state, .. } => {
                        lock(&self.world.states).insert(*seq, state.clone());
                    }
                    _ => {}
                }
            }
        }
        self.world.point(Site::Committed);
        let _ = sender.send(result);
        receipt
    }

    fn run(&self, run: &str) -> Result<Option<RunRecord>, StoreError> {
        self.read().run(run)
    }
    fn runs(&self) -> Result<Vec<RunRecord>, StoreError> {
        self.read().runs()
    }
    fn bundle(&self, fingerprint: &str) -> Result<Option<Vec<(String, String)>>, StoreError> {
        self.read().bundle(fingerprint)
    }
    fn journal(&self, run: &str) -> Result<Vec<JournalRecord>, StoreError> {
        self.read().journal(run)
    }
    fn steps(&self, run: &str) -> Result<Vec<StepRecord>, StoreError> {
        self.read().steps(run)
    }
    fn sends(&self, run: &str) -> Result<Vec<SendRecord>, StoreError> {
        self.read().sends(run)
    }
    fn rows(&self, send: i64, each: &mut dyn FnMut(RowRecord)) -> Result<(), StoreError> {
        self.read().rows(send, each)
    }
    fn signals(&self, run: &str, name: &str, since: Timestamp) -> Result<Vec<SignalRecord>, StoreError> {
        self.read().signals(run, name, since)
    }
    fn task(&self, run: &str, step: &str, token: &str) -> Result<Option<TaskRecord>, StoreError> {
        self.read().task(run, step, token)
    }
    fn open_tasks(&self) -> Result<Vec<TaskRecord>, StoreError> {
        self.read().open_tasks()
    }
    fn tally(&self, send: i64) -> Result<Tally, StoreError> {
        self.read().tally(send)
    }
    fn audience(&self, realm: Realm, name: &str) -> Result<Option<AudienceRecord>, StoreError> {
        self.read().audience(realm, name)
    }
    fn audiences(&self, realm: Realm) -> Result<Vec<AudienceRecord>, StoreError> {
        self.read().audiences(realm)
    }
    fn takes(&self, memory: Option<&str>) -> Result<Vec<TakeRecord>, StoreError> {
        self.read().takes(memory)
    }
    fn last_intent(&self, send: i64) -> Result<Option<Timestamp>, StoreError> {
        self.read().last_intent(send)
    }
    fn contacts(&self, person: &[u8; 16], since: Timestamp, run: &str) -> Result<Vec<EarlierContact>, StoreError> {
        self.read().contacts(person, since, run)
    }
    fn feedback(&self, send: i64, kind: FeedbackKind) -> Result<Vec<u64>, StoreError> {
        self.read().feedback(send, kind)
    }
    fn unsettled(&self, send: i64, each: &mut dyn FnMut(RowRecord)) -> Result<u64, StoreError> {
        self.read().unsettled(send, each)
    }
    fn subscriptions(
        &self,
        realm: Realm,
        topic: &str,
        each: &mut dyn FnMut(&str, &str, bool),
    ) -> Result<(), StoreError> {
        self.read().subscriptions(realm, topic, each)
    }
}

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for a receipt on this thread.
pub fn finish(receipt: Receipt) -> Result<(), StoreError> {
    // Inside a task of the runtime it would be told to let others go first, for ever.
    let mut receipt = std::pin::pin!(tokio::task::unconstrained(receipt));
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match receipt.as_mut().poll(&mut context) {
            Poll::Ready(result) => return result,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// A channel with a memory of what really arrived.
pub struct SimChannel {
    pub world: Arc<World>,
    pub idempotency: Idempotency,
    pub batch: usize,
    pub seed: u64,
}

/// Addresses that are refused for good.
pub fn refused(seed: u64, address: &str) -> bool {
    blake3::hash(format!("{seed} {address}").as_bytes()).as_bytes()[0] < 30
}

impl SimChannel {
    /// One message; `None` when the other side is never heard of again.
    fn one(&self, message: &OutgoingMessage, dispatch: &Dispatch) -> Option<Outcome> {
        let world = &self.world;
        world.point(Site::Before);
        let noise = *lock(&world.noise);
        if world.down.load(Ordering::SeqCst) || world.happens(noise.not_started) {
            world.fire("not started".into());
            return Some(Outcome::NotStarted { reason: "nobody answers".into() });
        }
        dispatch.dispatching(0, message.key);
        world.point(Site::Air);
        if world.happens(noise.deferred) {
            world.fire("deferred".into());
            let after = lock(&world.chance).below(400);
            let retry_after = (after > 100).then(|| Duration::from_secs(after));
            let throttled = world.happens(500);
            return Some(Outcome::Deferred { reason: "later".into(), retry_after, throttled });
        }
        if refused(self.seed, &message.address) {
            return Some(Outcome::Failed { code: "550".into(), reason: "no such person".into() });
        }
        let lost = world.happens(noise.answer_lost);
        if lost && world.happens(500) {
            world.doubts.fetch_add(1, Ordering::SeqCst);
            world.fire("answer lost, not accepted".into());
            return Some(Outcome::Unknown { reason: "it hung up".into() });
        }
        self.accept(message);
        world.point(Site::Accepted);
        if lost {
            world.doubts.fetch_add(1, Ordering::SeqCst);
            world.fire("answer lost, accepted".into());
            return Some(Outcome::Unknown { reason: "it hung up".into() });
        }
        if world.happens(noise.silent) {
            world.doubts.fetch_add(1, Ordering::SeqCst);
            world.fire("no outcome".into());
            return None;
        }
        Some(Outcome::Sent { id: None })
    }

    fn accept(&self, message: &OutgoingMessage) {
        let mut arrived = lock(&self.world.arrived);
        let (times, address) = arrived.entry(message.key).or_insert_with(|| (0, message.address.clone()));
        // Under the same key it replaces what is there, if the other side recognises keys.
        *times = if self.idempotency == Idempotency::None { *times + 1 } else { 1 };
        if *address != message.address {
            self.world.accuse(format!("one key, two addresses: {address} and {}", message.address));
        }
    }
}

impl Channel for SimChannel {
    fn capabilities(&self) -> Capabilities {
        Capabilities { idempotency: self.idempotency, batch: self.batch, harmless: true, ..Capabilities::default() }
    }

    fn check(&self) -> BoxFuture<'_, Result<(), ChannelError>> {
        let unreachable = self.world.unreachable.load(Ordering::SeqCst);
        if unreachable {
            self.world.fire("channel unreachable".into());
        }
        let result = if unreachable { Err(ChannelError::new("nobody answers", "call them")) } else { Ok(()) };
        Box::pin(std::future::ready(result))
    }

    fn send_batch(&self, batch: Vec<OutgoingMessage>, dispatch: Dispatch) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            for message in batch {
                if let Some(outcome) = self.one(&message, &dispatch) {
                    dispatch.report(message.key, outcome);
                    self.world.point(Site::Reported);
                }
                tokio::task::yield_now().await;
            }
        })
    }
}

/// A clock on a wall that somebody plays with: sleeping takes no time, and now and then the hands are moved.
pub struct SimClock {
    pub world: Arc<World>,
    now: Mutex<Timestamp>,
    /// Sleeps in a row, to get over long waits in few steps.
    sleeps: AtomicU64,
    /// How often the hands are still moved back.
    pub goes_back: AtomicU64,
}

impl SimClock {
    pub fn new(world: Arc<World>, now: Timestamp) -> Self {
        Self { world, now: Mutex::new(now), sleeps: AtomicU64::new(0), goes_back: AtomicU64::new(0) }
    }

    /// Moves the hands.
    pub fn turn(&self, by: SignedDuration) {
        let mut now = lock(&self.now);
        *now = now.checked_add(by).unwrap_or(*now);
    }

    /// Lets time pass until an instant, if it is to come.
    pub fn pass_until(&self, at: Timestamp) {
        let mut now = lock(&self.now);
        *now = at.max(*now);
    }

    pub fn awake(&self) {
        self.sleeps.store(0, Ordering::SeqCst);
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.world.point(Site::Clock);
        *lock(&self.now)
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            self.world.point(Site::Sleep);
            let sleeps = self.sleeps.fetch_add(1, Ordering::SeqCst);
            if sleeps > 100_000 {
                self.world.accuse("it sleeps for ever".into());
                std::panic::resume_unwind(Box::new(super::world::Crash));
            }
            self.pass_until(at);
            // The longer nothing else happens, the longer the computer is suspended.
            self.turn(SignedDuration::from_millis(100 << (sleeps % 24)));
            if self.goes_back.load(Ordering::SeqCst) > 0 && self.world.happens(30) {
                self.goes_back.fetch_sub(1, Ordering::SeqCst);
                self.world.fire("clock set back".into());
                let hours = lock(&self.world.chance).between(1, 5);
                self.turn(-SignedDuration::from_hours(hours));
            }
        })
    }
}

/// A host that hears of everything.
pub struct SimHost {
    pub world: Arc<World>,
    pub clock: Arc<SimClock>,
}

impl Observer for SimHost {
    fn on(&self, progress: Progress<'_>) {
        if matches!(progress, Progress::Started { .. } | Progress::Finished { .. }) {
            self.clock.awake();
        }
        self.world.hear();
    }
}
