//! What a run waits for, in words.

use super::host;
use crate::plan::{HumanKind, StepKind};
use crate::project::Project;
use crate::runtime::machine::{Phase, Token};
use crate::runtime::store::{RunRecord, Store, StoreError, TaskRecord};

/// `asks manager: orch approve RUN`, `signal stock_in`: everything but times that a run waits for; `None` if there is
/// nothing else.
///
/// # Errors
/// When the store cannot be read.
pub fn waiting_for(project: &Project, store: &dyn Store, record: &RunRecord) -> Result<Option<String>, StoreError> {
    if record.status() != "waiting" {
        return Ok(None);
    }
    let tasks: Vec<TaskRecord> = store.open_tasks()?.into_iter().filter(|task| task.run == record.run).collect();
    let mut parts: Vec<String> = tasks.iter().map(|task| asks(task, tasks.len() > 1)).collect();
    let asked = |branch: &str| tasks.iter().any(|task| task.token == branch);
    let waits = |token: &Token| matches!(token.phase, Phase::Waiting { .. } | Phase::Blocked);
    let others: Vec<&Token> =
        record.state.tokens.iter().filter(|(branch, token)| waits(token) && !asked(branch)).map(|(_, it)| it).collect();
    if !others.is_empty() {
        parts.extend(signals(project, store, record, &others));
    }
    Ok((!parts.is_empty()).then(|| parts.join(", ")))
}

fn asks(task: &TaskRecord, several: bool) -> String {
    let who = task.role.as_ref().map_or(String::new(), |role| format!(" {role}"));
    let word = if task.kind == HumanKind::Approve { "approve" } else { "done" };
    let name = if several { super::tasks::name_of(task) } else { task.run.clone() };
    format!("asks{who}: `orch {word} {name}`")
}

/// The signals that branches wait for. A run whose source cannot be read any more says so when it is resumed.
fn signals(project: &Project, store: &dyn Store, record: &RunRecord, tokens: &[&Token]) -> Vec<String> {
    let Ok(script) = host::pinned(project, store, record) else { return Vec::new() };
    let signal = |token: &&Token| match &script.plan.block(token.block).steps.get(token.at as usize)?.kind {
        StepKind::WaitSignal { signal, .. } => Some(format!("signal {}", script.plan.program[*signal].name)),
        _ => None,
    };
    let mut found: Vec<String> = tokens.iter().filter_map(signal).collect();
    found.dedup();
    found
}
