//! Layer 4: what will be done.
//!
//! A [`Plan`] is a campaign as a tree of steps with stable paths. It holds typed populations, no source text and no
//! handle of any kind; [`query`] turns a population into a plan of the query engine when its rows are wanted.

pub mod compare;
mod data;
#[cfg(feature = "engine")]
pub mod functions;
#[cfg(feature = "engine")]
mod kept;
mod memory;
#[cfg(feature = "engine")]
pub mod query;
mod steps;
mod uses;

pub use data::{DataStep, unmatched};
#[cfg(feature = "engine")]
pub use kept::Kept;
pub use memory::{NewRows, by_name};
pub use steps::{Block, BlockId, HumanKind, Plan, PlanError, Step, StepKind};
