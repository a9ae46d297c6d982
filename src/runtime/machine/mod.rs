//! The durable machine: a pure function from (plan, state, event) to the next state.
//!
//! No clock, no randomness, no I/O. Where a run stands is a set of tokens, one per branch; each token points at a step
//! of a block. What has to be done next follows from the state alone ([`effects`]), so recovery after a crash is:
//! load the state, perform its effects. Replaying a journal through [`apply`] gives the stored state again.

mod event;
mod keyed;
mod operations;
mod state;

#[cfg(test)]
mod tests;

pub use event::{Event, Outcome, Version};
pub use operations::{replay, retry_name};
pub use state::{Again, Bound, Delivery, Doubt, Phase, Snapshot, State, Status, Token};

use crate::hir::Until;
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

/// What the state asks for, in token order. Nothing when the run is held; when it is over, only sends that were asked
/// for again.
pub fn effects(state: &State) -> Vec<Effect> {
    let running = state.status == Status::Running;
    let of_token = |(name, token): (&String, &Token)| match token.phase {
        _ if state.restored.is_some() => None,
        _ if !(running || state.status.is_over() && token.again.is_some()) => None,
        Phase::Ready => Some(Effect::Perform { token: name.clone() }),
        Phase::Waiting { until } => Some(Effect::WakeAt { token: name.clone(), at: until }),
        Phase::Inside | Phase::Blocked => None,
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
        Event::Retried { token, step, send, .. } => operations::retried(plan, state, token, step, *send),
        Event::Migrated { tokens, locals, .. } => operations::migrated(state, tokens, locals),
        _ => tell(state, event),
    }
}

/// Applies an event that comes from a person or from an error: it needs no plan.
///
/// # Errors
/// [`MachineError`] when the run is over, or when the event is about a step.
pub fn tell(state: &mut State, event: &Event) -> Result<(), MachineError> {
    match event {
        Event::Paused { reason } => set_status(state, Status::Paused, Some(reason)),
        Event::Resumed => resumed(state),
        Event::Stopped { reason } => end(state, Status::Stopped, reason.as_deref()),
        Event::Failed { reason } => end(state, Status::Failed, Some(reason)),
        Event::Restored { backup } => operations::restored(state, *backup),
        Event::BackupJudged { resend, certain, until } => operations::judged(state, *resend, *certain, *until),
        Event::Started { .. }
        | Event::Done { .. }
        | Event::Woken { .. }
        | Event::Retried { .. }
        | Event::Migrated { .. } => Err(MachineError("that event is about a step".into())),
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
    state.tokens.insert(name.clone(), Token::at_start(block));
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
    if others { Ok(()) } else { children_ended(plan, state, parent) }
}

/// The blocks inside a step have ended: a loop looks whether there is another turn, everything else goes on.
fn children_ended(plan: &Plan, state: &mut State, name: &str) -> Result<(), MachineError> {
    let kind = &step_of(plan, token(state, name)?)?.kind;
    if !matches!(kind, StepKind::Repeat { .. } | StepKind::For { .. }) {
        return advance(plan, state, name);
    }
    let token = token_mut(state, name)?;
    token.turn += 1;
    token.phase = match token.next_turn.take() {
        Some(until) => Phase::Waiting { until },
        None => Phase::Ready,
    };
    Ok(())
}

fn advance(plan: &Plan, state: &mut State, name: &str) -> Result<(), MachineError> {
    let token = token_mut(state, name)?;
    *token = Token { at: token.at + 1, ..Token::at_start(token.block) };
    settle(plan, state, name)
}

fn done(plan: &Plan, state: &mut State, name: &str, outcome: &Outcome) -> Result<(), MachineError> {
    let token = token(state, name)?.clone();
    if token.phase != Phase::Ready {
        return Err(MachineError(format!("a step of branch `{name}` was done twice")));
    }
    if token.again.is_some() {
        return operations::repeated(state, name, outcome);
    }
    let kind = &step_of(plan, &token)?.kind;
    use Outcome as O;
    use StepKind as S;
    match (kind, outcome) {
        (S::Segment { local, .. }, O::Frozen(snapshot)) => {
            bind(plan, state, name, [(local.0, Bound::Snapshot(snapshot.clone()))])
        }
        (S::Split { .. }, O::Split(arms)) => {
            let arms = arms.iter().map(|(local, snapshot)| (*local, Bound::Snapshot(snapshot.clone())));
            bind(plan, state, name, arms)
        }
        (S::Let { local, .. }, O::Value(value)) => bind(plan, state, name, [(local.0, Bound::Value(value.clone()))]),
        (S::Send(send), O::Sent(delivery)) => {
            let delivery = send.delivery.map(|local| (local.0, Bound::Delivery(delivery.clone())));
            bind(plan, state, name, delivery)
        }
        (S::WaitSignal { .. }, O::Signalled { values, .. }) => {
            bind(plan, state, name, values.iter().map(|(local, value)| (*local, Bound::Value(value.clone()))))
        }
        (S::Parallel { branches }, O::Noted) => inside(plan, state, name, branches),
        (kind, O::Noted) if may_be_noted(kind) => advance(plan, state, name),
        // A send whose last rows are deferred waits to be performed again.
        (S::Wait { .. } | S::WaitUntil { .. } | S::Send(_), O::Until(until)) => {
            token_mut(state, name)?.phase = Phase::Waiting { until: *until };
            Ok(())
        }
        (S::WaitUntil { .. } | S::WaitSignal { .. } | S::Human { .. } | S::Send(_), O::Again { at, deadline }) => {
            let token = token_mut(state, name)?;
            token.deadline = *deadline;
            token.phase = at.map_or(Phase::Blocked, |until| Phase::Waiting { until });
            Ok(())
        }
        // Who asks a person and says nothing about a no does not want to go on after one.
        (S::Human { otherwise: None, .. } | S::Send(_), O::GivenUp) => {
            end(state, Status::Stopped, Some("it was not answered with yes"))
        }
        (S::WaitUntil { otherwise, .. } | S::WaitSignal { otherwise, .. } | S::Human { otherwise, .. }, O::GivenUp) => {
            enter_or_advance(plan, state, name, *otherwise)
        }
        (S::If { arms, otherwise }, O::Chosen(arm)) => {
            let missing = |arm: &usize| MachineError(format!("there is no arm {arm}"));
            let block = match arm {
                Some(arm) => Some(arms.get(*arm).ok_or_else(|| missing(arm))?.1),
                None => *otherwise,
            };
            enter_or_advance(plan, state, name, block)
        }
        (S::Repeat { body, .. } | S::For { body, .. }, O::Turn { bind, next, over }) => {
            state.locals.extend(bind.iter().map(|(local, value)| (*local, Bound::Value(value.clone()))));
            let token = token_mut(state, name)?;
            token.next_turn = *next;
            if over.is_some() {
                token.over.clone_from(over);
            }
            turn(plan, state, name, *body)
        }
        (kind, O::Abandoned { .. }) if !matches!(kind, S::Stop { .. } | S::Fail { .. } | S::Require { .. }) => {
            advance(plan, state, name)
        }
        (S::Repeat { .. } | S::For { .. }, O::Over) => advance(plan, state, name),
        (S::Stop { .. }, O::Ended { reason }) => end(state, Status::Stopped, reason.as_deref()),
        (S::Fail { .. }, O::Ended { reason }) => end(state, Status::Failed, reason.as_deref()),
        (kind, outcome) => Err(MachineError(format!("a `{}` cannot end as {outcome:?}", kind.word()))),
    }
}

/// Steps that leave nothing behind that the machine has to know.
fn may_be_noted(kind: &StepKind) -> bool {
    !matches!(
        kind,
        StepKind::Segment { .. }
            | StepKind::Split { .. }
            | StepKind::Let { .. }
            | StepKind::Send(_)
            | StepKind::Wait { .. }
            | StepKind::WaitSignal { .. }
            | StepKind::If { .. }
            | StepKind::Repeat { .. }
            | StepKind::For { .. }
            | StepKind::Stop { .. }
            | StepKind::Fail { .. }
    )
}

/// Binds names and goes on.
fn bind(
    plan: &Plan,
    state: &mut State,
    name: &str,
    names: impl IntoIterator<Item = (u32, Bound)>,
) -> Result<(), MachineError> {
    state.locals.extend(names);
    advance(plan, state, name)
}

fn enter_or_advance(plan: &Plan, state: &mut State, name: &str, block: Option<BlockId>) -> Result<(), MachineError> {
    match block {
        Some(block) => inside(plan, state, name, &[block]),
        None => advance(plan, state, name),
    }
}

/// Starts a turn of a loop under a name of its own, so that its steps are told apart from those of other turns.
fn turn(plan: &Plan, state: &mut State, name: &str, body: BlockId) -> Result<(), MachineError> {
    let token = token_mut(state, name)?;
    token.phase = Phase::Inside;
    let child = format!("{name}/{}", token.turn);
    enter(plan, state, child, body)
}

/// Starts one child token per block; the token itself waits for all of them.
fn inside(plan: &Plan, state: &mut State, name: &str, blocks: &[BlockId]) -> Result<(), MachineError> {
    token_mut(state, name)?.phase = Phase::Inside;
    let child = |at: usize| format!("{name}/{at}");
    for (at, block) in blocks.iter().enumerate() {
        state.tokens.insert(child(at), Token::at_start(*block));
    }
    if blocks.is_empty() {
        return advance(plan, state, name);
    }
    (0..blocks.len()).try_for_each(|at| settle(plan, state, &child(at)))
}

fn woken(plan: &Plan, state: &mut State, name: &str) -> Result<(), MachineError> {
    let token = token(state, name)?.clone();
    let is_over = match &step_of(plan, &token)?.kind {
        StepKind::Wait { .. } => true,
        StepKind::WaitUntil { until, .. } => !matches!(until, Until::Condition(_)),
        _ => false,
    };
    if is_over || matches!(step_of(plan, &token)?.kind, StepKind::Repeat { .. } | StepKind::For { .. }) {
        operations::outwaited(state, name, &token);
    }
    match token.phase {
        Phase::Waiting { .. } if is_over => advance(plan, state, name),
        // Everything else is looked at again.
        Phase::Waiting { .. } | Phase::Blocked => {
            token_mut(state, name)?.phase = Phase::Ready;
            Ok(())
        }
        Phase::Ready | Phase::Inside => Err(MachineError(format!("branch `{name}` was woken but does not wait"))),
    }
}

/// True for steps that look again when something arrives from outside.
pub fn listens(kind: &StepKind) -> bool {
    matches!(
        kind,
        StepKind::WaitUntil { until: Until::Condition(_), .. }
            | StepKind::WaitSignal { .. }
            | StepKind::Human { .. }
            | StepKind::Send(_)
    )
}

fn resumed(state: &mut State) -> Result<(), MachineError> {
    match state.status {
        Status::Paused if state.restored.is_some() => {
            Err(MachineError("it was restored, and what it sent since the backup is not known".into()))
        }
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
