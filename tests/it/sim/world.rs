//! Everything around a run that may fail, and the truth about what reached people.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use orch::runtime::channels::SendKey;
use orch::runtime::machine::State;

use super::chance::Chance;

/// Where the process may die.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Site {
    /// Before a transaction: it is lost.
    Commit,
    /// After a transaction, before anybody hears that it is durable.
    Committed,
    /// While the store is read.
    Read,
    /// While the clock is read.
    Clock,
    /// In a wait.
    Sleep,
    /// When the host hears of progress.
    Hear,
    /// Before a message is handed over.
    Before,
    /// After it was marked, before the other side has it.
    Air,
    /// After the other side has it, before it has answered.
    Accepted,
    /// After the answer, before it is recorded.
    Reported,
}

impl Site {
    pub const ALL: [Site; 10] = [
        Site::Commit,
        Site::Committed,
        Site::Read,
        Site::Clock,
        Site::Sleep,
        Site::Hear,
        Site::Before,
        Site::Air,
        Site::Accepted,
        Site::Reported,
    ];
}

/// More sites than any process passes.
const MOST_SITES: u64 = 1_000_000;

/// What a dying process unwinds with.
pub struct Crash;

/// How a channel misbehaves, each in a thousand messages.
#[derive(Clone, Copy, Debug, Default)]
pub struct Noise {
    pub deferred: u64,
    pub not_started: u64,
    pub answer_lost: u64,
    pub silent: u64,
}

/// The world of one case.
pub struct World {
    dead: AtomicBool,
    /// Sites passed by this process.
    passed: AtomicU64,
    /// Where to die, after how many times there.
    armed: Mutex<Option<(Site, u64)>>,
    /// Transactions until the disk is full.
    broken_in: Mutex<Option<u64>>,
    pub chance: Mutex<Chance>,
    pub noise: Mutex<Noise>,
    /// The channel takes nothing.
    pub down: AtomicBool,
    /// The channel says so when it is asked.
    pub unreachable: AtomicBool,
    /// Keys that the other side has, how often it took them, and the address.
    pub arrived: Mutex<HashMap<SendKey, (u32, String)>>,
    /// How many messages may rightly be unknown.
    pub doubts: AtomicU64,
    /// States in the order of their transitions.
    pub states: Mutex<BTreeMap<u64, State>>,
    /// Something that must not happen did.
    pub wrong: Mutex<Option<String>>,
    /// How often each fault happened.
    pub fired: Mutex<BTreeMap<String, u64>>,
    /// What to do when the host hears for the n-th time.
    pub at_hear: Mutex<Option<(u64, Interruption)>>,
}

/// Called from inside a run.
pub type Interruption = Box<dyn FnOnce() + Send>;

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self {
            dead: AtomicBool::new(false),
            passed: AtomicU64::new(0),
            armed: Mutex::new(None),
            broken_in: Mutex::new(None),
            chance: Mutex::new(Chance::new(seed, "world")),
            noise: Mutex::default(),
            down: AtomicBool::new(false),
            unreachable: AtomicBool::new(false),
            arrived: Mutex::default(),
            doubts: AtomicU64::new(0),
            states: Mutex::default(),
            wrong: Mutex::default(),
            fired: Mutex::default(),
            at_hear: Mutex::new(None),
        }
    }

    /// Dies at the `times`-th visit of a site.
    pub fn arm(&self, site: Site, times: u64) {
        *lock(&self.armed) = Some((site, times));
    }

    /// The disk is full after so many transactions.
    pub fn fill_disk_after(&self, transactions: u64) {
        *lock(&self.broken_in) = Some(transactions);
    }

    /// A new process: nothing is planned any more.
    pub fn calm(&self) {
        self.dead.store(false, Ordering::SeqCst);
        self.passed.store(0, Ordering::SeqCst);
        *lock(&self.armed) = None;
        *lock(&self.broken_in) = None;
        *lock(&self.at_hear) = None;
        *lock(&self.noise) = Noise::default();
        self.down.store(false, Ordering::SeqCst);
        self.unreachable.store(false, Ordering::SeqCst);
    }

    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// Passes a site, or dies there. A dead process does nothing any more.
    pub fn point(&self, site: Site) {
        if self.passed.fetch_add(1, Ordering::SeqCst) == MOST_SITES {
            self.accuse(format!("it goes on for ever, at last at {site:?}"));
            self.dead.store(true, Ordering::SeqCst);
        }
        if !self.is_dead() && self.is_due(site) {
            self.dead.store(true, Ordering::SeqCst);
            self.fire(format!("crash at {site:?}"));
        }
        if self.is_dead() {
            // Not `panic!`: nobody is to be told.
            std::panic::resume_unwind(Box::new(Crash));
        }
    }

    fn is_due(&self, site: Site) -> bool {
        let mut armed = lock(&self.armed);
        match armed.as_mut() {
            Some((at, times)) if *at == site => {
                *times = times.saturating_sub(1);
                *times == 0
            }
            _ => false,
        }
    }

    /// True when the disk takes no transaction any more.
    pub fn is_disk_full(&self) -> bool {
        let mut left = lock(&self.broken_in);
        match left.as_mut() {
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                if *left == 0 {
                    self.fire("disk full".to_owned());
                }
                *left == 0
            }
            None => false,
        }
    }

    pub fn fire(&self, what: String) {
        *lock(&self.fired).entry(what).or_default() += 1;
    }

    pub fn accuse(&self, what: String) {
        lock(&self.wrong).get_or_insert(what);
    }

    /// True with so many chances in a thousand.
    pub fn happens(&self, in_thousand: u64) -> bool {
        in_thousand > 0 && lock(&self.chance).below(1000) < in_thousand
    }

    /// The host hears something.
    pub fn hear(&self) {
        let due = {
            let mut planned = lock(&self.at_hear);
            match planned.as_mut() {
                Some((left, _)) if *left > 1 => {
                    *left -= 1;
                    None
                }
                _ => planned.take(),
            }
        };
        if let Some((_, interruption)) = due {
            interruption();
        }
        self.point(Site::Hear);
    }
}
