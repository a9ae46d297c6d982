//! What a conductor needs of the program around it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::plan::Plan;
use crate::runtime::error::RunError;
use crate::runtime::executor::{BoundChannel, DriveEnd};
use crate::runtime::observe::Observer;
use crate::runtime::store::{Cause, Hold};

/// The program around a conductor: it knows scripts and channels, and it hears what happens.
pub trait Host: Sync {
    /// The plan of a campaign, made again from the source that a run is pinned to.
    ///
    /// # Errors
    /// The source is read differently by this version.
    fn plan(&self, file: &str, campaign: &str, files: Vec<(String, String)>) -> Result<Plan, RunError>;

    /// The channels that a plan needs. The same channel each time, so that its limits hold over all runs.
    ///
    /// # Errors
    /// A channel that is not configured well, a missing secret.
    fn channels(&self, plan: &Plan) -> Result<BTreeMap<String, BoundChannel>, RunError>;

    /// Campaigns that start by themselves, as the project's scripts declare them now; `None` if nothing has changed
    /// since they were asked for last.
    fn scripts(&self) -> Option<Scripts>;

    /// Who hears of the progress of a run.
    fn observer(&self, run: &str) -> Box<dyn Observer + '_>;

    /// Something happened.
    fn on(&self, happening: Happening<'_>);
}

/// The scripts of a project.
#[derive(Clone, Debug, Default)]
pub struct Scripts {
    /// Campaigns with a schedule or a trigger, each with the file that declares it, relative to the project.
    pub declared: Vec<(String, Arc<Plan>)>,
    /// Files that cannot be understood at the moment: what was known of their campaigns stays.
    pub broken: Vec<String>,
}

/// Something worth telling.
#[derive(Debug)]
pub enum Happening<'h> {
    /// A run began.
    Started {
        /// Its name.
        run: &'h str,
        /// What started it.
        cause: &'h Cause,
        /// Starts of the schedule that passed while nobody looked; this run stands for all of them.
        missed: u64,
    },
    /// A start was left out.
    Skipped {
        /// The campaign.
        campaign: &'h str,
        /// What asked for it.
        cause: &'h Cause,
        /// The run that is still going.
        run: &'h str,
    },
    /// A start waits for its turn.
    Queued {
        /// The campaign.
        campaign: &'h str,
        /// What asked for it.
        cause: &'h Cause,
    },
    /// A start cannot be made; it is not tried again.
    NotStarted {
        /// The campaign.
        campaign: &'h str,
        /// What asked for it.
        cause: &'h Cause,
        /// Why.
        error: &'h RunError,
    },
    /// A run was driven as far as it goes for now.
    Driven {
        /// Its name.
        run: &'h str,
        /// How that ended.
        end: &'h DriveEnd,
    },
    /// A run cannot go on.
    Failed {
        /// Its name.
        run: &'h str,
        /// Why.
        error: &'h RunError,
    },
    /// Nothing starts or goes on any more.
    Held(&'h Hold),
    /// Everything goes on.
    Released,
    /// The next start of a campaign, after it was declared or changed.
    Scheduled {
        /// The campaign.
        campaign: &'h str,
        /// Its schedule.
        schedule: &'h str,
        /// When; none when it is over.
        next: Option<Timestamp>,
    },
}
