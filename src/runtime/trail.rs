//! Following one person through a run.

use super::clock::VirtualClock;
use super::engine::Engine;
use super::error::RunError;
use super::executor::{Cancel, Executor, Stop, Surroundings};
use super::inbox::Inbox;
use super::store::Store;
use crate::plan::Plan;

impl Engine {
    /// What each step of a run made of the row with this key, in the order of the steps.
    ///
    /// # Errors
    /// The run is unknown, or its journal cannot be read.
    pub fn trail(&self, store: &dyn Store, plan: &Plan, run: &str, key: &str) -> Result<Vec<Stop>, RunError> {
        let record = store.run(run)?.ok_or_else(|| RunError::UnknownRun { run: run.to_string() })?;
        let (sources, cancel) = (self.open_sources(plan), Cancel::default());
        let inbox = Inbox::new(&self.options().folders.state);
        let clock = VirtualClock::new(record.started);
        let around = Surroundings { effects: false, ..self.surroundings(store, &clock, &sources, &cancel, &inbox) };
        let mut executor = Executor::new(around, plan, record);
        self.block_on(executor.trail(key, &|at| clock.advance_to(at)))
    }
}
