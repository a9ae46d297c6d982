//! The program around a conductor: a project's sources as runs are pinned to them, and its channels.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::{Context, Failure, host};
use crate::plan::Plan;
use crate::project::Project;
use crate::runtime::{BoundChannel, Happening, Host, Observer, RunError, Scripts, Silent};

/// A project, as the runs see it that a command drives beside its own.
pub struct ProjectHost<'h> {
    project: &'h Project,
    context: &'h Context,
    /// Opened when they are first needed, then shared by all runs, so that limits hold over all of them.
    channels: Mutex<BTreeMap<String, BoundChannel>>,
}

impl<'h> ProjectHost<'h> {
    /// `opened` are channels that somebody uses already.
    pub fn new(project: &'h Project, context: &'h Context, opened: BTreeMap<String, BoundChannel>) -> Self {
        Self { project, context, channels: Mutex::new(opened) }
    }
}

impl Host for ProjectHost<'_> {
    fn plan(&self, file: &str, campaign: &str, files: Vec<(String, String)>) -> Result<Plan, RunError> {
        let planned = host::plan_of(self.project, files, file, campaign);
        planned.map(|(plan, _)| plan).map_err(|failure| error_of(&failure))
    }

    fn channels(&self, plan: &Plan) -> Result<BTreeMap<String, BoundChannel>, RunError> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        let mut needed = BTreeMap::new();
        for name in host::channels_for(self.project, plan) {
            let bound = match channels.get(&name) {
                Some(bound) => bound.clone(),
                None => host::open_channel(self.project, &name, self.context).map_err(|failure| error_of(&failure))?,
            };
            channels.insert(name.clone(), bound.clone());
            needed.insert(name, bound);
        }
        Ok(needed)
    }

    fn scripts(&self) -> Option<Scripts> {
        None
    }

    fn observer(&self, _run: &str) -> Box<dyn Observer + '_> {
        Box::new(Silent)
    }

    fn on(&self, _happening: Happening<'_>) {}
}

/// The first problem of a failure, without the places in texts that a run's record cannot show.
fn error_of(failure: &Failure) -> RunError {
    use crate::diag::{Problem, codes};
    let first = failure.problems.iter().next();
    let problem = first.map_or_else(
        || Problem::outside(codes::run::RECORD_MISMATCH, "the source cannot be read"),
        |problem| {
            let plain = Problem::outside(problem.code, problem.message.clone());
            match &problem.help {
                Some(help) => plain.help(help.clone()),
                None => plain,
            }
        },
    );
    RunError::from(problem)
}
