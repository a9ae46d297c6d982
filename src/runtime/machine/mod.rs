//! The durable machine: a pure function from (plan, state, event) to the next state.
//!
//! No clock, no randomness, no I/O. Where a run stands is a set of tokens, one per branch; each token points at a step
//! of a block. What has to be done next follows from the state alone ([`effects`]), so recovery after a crash is:
//! load the state, perform its effects. Replaying a journal through [`apply`] gives the stored state again.

mod event;
mod state;

#[cfg(test)]
mod tests;

pub use event::{Event, Outcome};
pub use state::{Bound, Delivery, Phase, Snapshot, State, Status, Token};

use crate::plan::{BlockId, Plan, Step, StepKind};

/// Something to do for a token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Perform the step the token stands at, then report [`Event::Done`].
    Perform {
        /// Whose step.
        token: String,
    },
    /// Report [`Event::Woken`] at this instant.
    WakeAt {
        /// Whose wait.
        token: String,
        /// When.
        at: jiff::Timestamp,
    },
}

/// An event that does not fit the state. It means that the journal, the plan or the caller is wrong, so the run must
/// not go on.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the run's record does not fit its plan: {0}")]
pub struct MachineError(pub String);

/// What the state asks for, in token order. Nothing when the run is not running.
pub fn effects(state: &State) -> Vec<Effect> {
    if state.status != Status::Running {
        return Vec::new();
    }
    let of_token = |(name, token): (&String, &Token)| match token.phase {
        Phase::Ready => Some(Effect::Perform { token: name.clone() }),
        Phase::Waiting { until } => Some(Effect::WakeAt { token: name.clone(), at: until }),
        Phase::Inside => None,
    };
    state.tokens.iter().filter_map(of_token).collect()
}

/// The step a token stands at.
pub fn step_of<'p>(plan: &'p Plan, token: &Token) -> Result<&'p Step, MachineError> {
    let block = plan.blocks.get(token.block.0 as usize);
    block
        .and_then(|block| block.steps.get(token.at as usize))
        .ok_or_else(|| MachineError(format!("block {} has no step {}", token.block.0, token.at)))
}

/// Applies one event.
///
/// # Errors
/// [`MachineError`] when the event does not fit; the state must then be considered lost.
pub fn apply(plan: &Plan, state: &mut State, event: &Event) -> Result<(), MachineError> {
    match event {
        Event::Started { values } => start(plan, state, values),
        Event::Done { token, outcome } => done(plan, state, token, outcome),
        Event::Woken { token } => woken(plan, state, token),
        Event::Paused { reason } => set_status(state, Status::Paused, Some(reason)),
        Event::Resumed => resumed(state),
        Event::Stopped { reason } => end(state, Status::Stopped, reason.as_deref()),
        Event::Failed { reason } => end(state, Status::Failed, Some(reason)),
    }
}

fn start(
    plan: &Plan,
    state: &mut State,
    values: &std::collections::BTreeMap<u32, crate::hir::Value>,
) -> Result<(), MachineError> {
    if state.status != Status::New {
        return Err(MachineError("it was started twice".into()));
    }
    state.status = Status::Running;
    state.locals.extend(values.iter().map(|(local, value)| (*local, Bound::Value(value.clone()))));
    enter(plan, state, String::new(), BlockId(0))
}

/// Puts a new token at the first step of a block. An empty block ends at once.
fn enter(plan: &Plan, state: &mut State, name: String, block: BlockId) -> Result<(), MachineError> {
    state.tokens.insert(name.clone(), Token { block, at: 0, phase: Phase::Ready });
    settle(plan, state, &name)
}

/// After a token moved: if it stands behind its block's last step, its block has ended.
fn settle(plan: &Plan, state: &mut State, name: &str) -> Result<(), MachineError> {
    let token = token(state, name)?;
    if (token.at as usize) < plan.block(token.block).steps.len() {
        return Ok(());
    }
    state.tokens.remove(name);
    let Some(parent) = parent_of(name) else {
        state.status = Status::Finished;
        return Ok(());
    };
    let siblings = format!("{parent}/");
    let others = state.tokens.keys().any(|other| other.starts_with(&siblings));
    if others { Ok(()) } else { advance(plan, state, parent) }
}

fn advance(plan: &Plan, state: &mut State, name: &str) -> Result<(), MachineError> {
    let token = token_mut(state, name)?;
    token.at += 1;
    token.phase = Phase::Ready;
    settle(plan, state, name)
}

fn done(plan: &Plan, state: &mut State, name: &str, outcome: &Outcome) -> Result<(), MachineError> {
    let token = token(state, name)?.clone();
    if token.phase != Phase::Ready {
        return Err(MachineError(format!("a step of branch `{name}` was done twice")));
    }
    let kind = &step_of(plan, &token)?.kind;
    match (kind, outcome) {
        (StepKind::Segment { local, .. }, Outcome::Frozen(snapshot)) => {
            state.locals.insert(local.0, Bound::Snapshot(snapshot.clone()));
            advance(plan, state, name)
        }
        (StepKind::Let { local, .. }, Outcome::Value(value)) => {
            state.locals.insert(local.0, Bound::Value(value.clone()));
            advance(plan, state, name)
        }
        (StepKind::Send(send), Outcome::Sent(delivery)) => {
            if let Some(local) = send.delivery {
                state.locals.insert(local.0, Bound::Delivery(delivery.clone()));
            }
            advance(plan, state, name)
        }
        (StepKind::Log { .. }, Outcome::Noted) | (StepKind::Require { .. }, Outcome::Noted) => {
            advance(plan, state, name)
        }
        (StepKind::Data(_), Outcome::Noted) => advance(plan, state, name),
        // A send whose last rows are deferred waits to be performed again.
        (StepKind::Wait { .. } | StepKind::Send(_), Outcome::Until(until)) => {
            token_mut(state, name)?.phase = Phase::Waiting { until: *until };
            Ok(())
        }
        (StepKind::If { arms, otherwise }, Outcome::Chosen(arm)) => {
            let block = match arm {
                Some(arm) => Some(arms.get(*arm).ok_or_else(|| MachineError(format!("there is no arm {arm}")))?.1),
                None => *otherwise,
            };
            match block {
                Some(block) => inside(plan, state, name, &[block]),
                None => advance(plan, state, name),
            }
        }
        (StepKind::Parallel { branches }, Outcome::Noted) => inside(plan, state, name, branches),
        (StepKind::Stop { .. }, Outcome::Ended { reason }) => end(state, Status::Stopped, reason.as_deref()),
        (StepKind::Fail { .. }, Outcome::Ended { reason }) => end(state, Status::Failed, reason.as_deref()),
        (kind, outcome) => Err(MachineError(format!("a `{}` cannot end as {outcome:?}", kind.word()))),
    }
}

/// Starts one child token per block; the token itself waits for all of them.
fn inside(plan: &Plan, state: &mut State, name: &str, blocks: &[BlockId]) -> Result<(), MachineError> {
    token_mut(state, name)?.phase = Phase::Inside;
    let child = |at: usize| format!("{name}/{at}");
    for (at, block) in blocks.iter().enumerate() {
        state.tokens.insert(child(at), Token { block: *block, at: 0, phase: Phase::Ready });
    }
    if blocks.is_empty() {
        return advance(plan, state, name);
    }
    (0..blocks.len()).try_for_each(|at| settle(plan, state, &child(at)))
}

fn woken(plan: &Plan, state: &mut State, name: &str) -> Result<(), MachineError> {
    let token = token(state, name)?.clone();
    match (token.phase, &step_of(plan, &token)?.kind) {
        (Phase::Waiting { .. }, StepKind::Send(_)) => {
            token_mut(state, name)?.phase = Phase::Ready;
            Ok(())
        }
        (Phase::Waiting { .. }, _) => advance(plan, state, name),
        _ => Err(MachineError(format!("branch `{name}` was woken but does not wait"))),
    }
}

fn resumed(state: &mut State) -> Result<(), MachineError> {
    match state.status {
        Status::Paused => set_status(state, Status::Running, None),
        other => Err(MachineError(format!("it is {} and cannot be resumed", other.word()))),
    }
}

fn set_status(state: &mut State, status: Status, reason: Option<&str>) -> Result<(), MachineError> {
    if state.status.is_over() {
        return Err(MachineError(format!("it is {} already", state.status.word())));
    }
    state.status = status;
    state.reason = reason.map(str::to_string);
    Ok(())
}

fn end(state: &mut State, status: Status, reason: Option<&str>) -> Result<(), MachineError> {
    set_status(state, status, reason)?;
    state.tokens.clear();
    Ok(())
}

/// `/0/1` is inside `/0`, which is inside the root, whose name is empty.
fn parent_of(name: &str) -> Option<&str> {
    name.rfind('/').map(|at| &name[..at])
}

fn token<'s>(state: &'s State, name: &str) -> Result<&'s Token, MachineError> {
    state.tokens.get(name).ok_or_else(|| MachineError(format!("there is no branch `{name}`")))
}

fn token_mut<'s>(state: &'s mut State, name: &str) -> Result<&'s mut Token, MachineError> {
    state.tokens.get_mut(name).ok_or_else(|| MachineError(format!("there is no branch `{name}`")))
}
