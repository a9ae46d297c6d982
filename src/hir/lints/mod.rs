//! What is correct but suspicious in a checked program.

mod feedback;
mod frozen;
mod reach;
mod repeated;
mod schedule;
mod unused;

use super::Program;
use super::problem::Lint;
use crate::diag::Problems;

/// All lints of the flow. Those of expressions are found where expressions are checked.
pub(super) fn lint(program: &Program, problems: &mut Problems) {
    let mut found: Vec<Lint> = Vec::new();
    for campaign in &program.campaigns {
        unused::segments(campaign, &mut found);
        reach::statements(&campaign.body, &mut found);
        repeated::messages(program, campaign, &mut found);
        feedback::unknowable(program, campaign, &mut found);
        frozen::conditions(program, campaign, &mut found);
        schedule::replaced_exports(campaign, &mut found);
        schedule::longer_than_period(campaign, &mut found);
    }
    found.into_iter().for_each(|lint| problems.push(lint));
}
