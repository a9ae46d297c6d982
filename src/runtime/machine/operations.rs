//! Events that come from operating runs: asking for messages again, coming back from a backup, moving to another
//! version of the script.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::state::{Again, Bound, Doubt, Phase, State, Status, Token};
use super::{Event, MachineError, Outcome, apply, set_status, step_of, token_mut};
use crate::plan::{BlockId, Plan, StepKind};

/// The branch of a send that is performed once more. No other branch has a name like it.
pub fn retry_name(send: i64) -> String {
    format!("~{send}")
}

/// The state that a journal leads to before its first event of which `stop` is true.
///
/// # Errors
/// An event that does not fit.
pub fn replay<'e>(
    plan: &Plan,
    events: impl IntoIterator<Item = &'e Event>,
    stop: impl Fn(&Event) -> bool,
) -> Result<State, MachineError> {
    let mut state = State::default();
    for event in events {
        if stop(event) {
            break;
        }
        apply(plan, &mut state, event)?;
    }
    Ok(state)
}

/// Rows of a send are due again. A branch that still stands at the send goes on with it; otherwise one of its own does.
pub(super) fn retried(plan: &Plan, state: &mut State, name: &str, path: &str, send: i64) -> Result<(), MachineError> {
    if let Some(token) = state.tokens.get(name)
        && state.path_of(token, step_of(plan, token)?) == path
    {
        let token = token_mut(state, name)?;
        if matches!(token.phase, Phase::Waiting { .. }) {
            token.phase = Phase::Ready;
        }
        return Ok(());
    }
    let mut found = None;
    for (block, steps) in plan.blocks.iter().enumerate() {
        for (at, step) in steps.steps.iter().enumerate() {
            let token = Token { at: at as u32, ..Token::at_start(BlockId(block as u32)) };
            if state.path_of(&token, step) == path && matches!(step.kind, StepKind::Send(_)) {
                found = Some(token);
            }
        }
    }
    let token = found.ok_or_else(|| MachineError(format!("there is no send {path}")))?;
    let again = Some(Again { token: name.to_string(), send });
    state.tokens.insert(retry_name(send), Token { began: Some(path.to_string()), again, ..token });
    Ok(())
}

/// What came of performing a send once more.
pub(super) fn repeated(state: &mut State, name: &str, outcome: &Outcome) -> Result<(), MachineError> {
    match outcome {
        Outcome::Sent(_) => {
            state.tokens.remove(name);
        }
        Outcome::Until(until) => token_mut(state, name)?.phase = Phase::Waiting { until: *until },
        other => return Err(MachineError(format!("a repeated send cannot end as {other:?}"))),
    }
    Ok(())
}

/// The run is held until somebody says what is to become of what it may have sent since the backup.
pub(super) fn restored(state: &mut State, backup: Timestamp) -> Result<(), MachineError> {
    // Of a run that is over only sends that were asked for again are left, which are held as well.
    if !state.status.is_over() {
        set_status(state, Status::Paused, Some(&format!("restored from the backup of {backup}")))?;
    }
    state.restored = Some(state.restored.map_or(backup, |earlier| earlier.min(backup)));
    state.doubt = None;
    Ok(())
}

/// The answer; what waits longer than `until` was not sent before.
pub(super) fn judged(state: &mut State, resend: bool, certain: bool, until: Timestamp) -> Result<(), MachineError> {
    let Some(backup) = state.restored.take() else {
        return Err(MachineError("it was not restored from a backup".into()));
    };
    if !state.status.is_over() {
        set_status(state, Status::Running, None)?;
    }
    state.doubt = Some(Doubt { backup, until, resend, certain });
    Ok(())
}

/// A wait for a time after the doubt began ends it: what follows was not performed before. Branches beside it, which may
/// not have waited, keep it.
pub(super) fn outwaited(state: &mut State, name: &str, token: &Token) {
    if let (Phase::Waiting { until }, Some(doubt)) = (token.phase, state.doubt)
        && until > doubt.until
        && state.tokens.keys().all(|other| name.starts_with(other.as_str()))
    {
        state.doubt = None;
    }
}

/// The same run in another version of its script.
pub(super) fn migrated(
    state: &mut State,
    tokens: &BTreeMap<String, Token>,
    locals: &BTreeMap<u32, Bound>,
) -> Result<(), MachineError> {
    if state.status.is_over() {
        return Err(MachineError(format!("it is {} already", state.status.word())));
    }
    state.tokens.clone_from(tokens);
    state.locals.clone_from(locals);
    state.version += 1;
    Ok(())
}
