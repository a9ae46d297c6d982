//! What a run waits for, in words.

use crate::plan::HumanKind;
use crate::runtime::machine::{Phase, Token};
use crate::runtime::store::{Agenda, RunRecord, StoreError, TaskRecord, signal_of_word};

/// `asks manager: orch approve RUN`, `signal stock_in`: everything but times that a run waits for; `None` if there is
/// nothing else. `open` is what people are asked.
///
/// # Errors
/// When the store cannot be read.
pub fn waiting_for(store: &dyn Agenda, record: &RunRecord, open: &[TaskRecord]) -> Result<Option<String>, StoreError> {
    if record.status() != "waiting" {
        return Ok(None);
    }
    let tasks: Vec<&TaskRecord> = open.iter().filter(|task| task.run == record.run).collect();
    let mut parts: Vec<String> = tasks.iter().map(|task| asks(task, tasks.len() > 1)).collect();
    let asked = |branch: &str| tasks.iter().any(|task| task.token == branch);
    let waits = |token: &Token| matches!(token.phase, Phase::Waiting { .. } | Phase::Blocked);
    if record.state.tokens.iter().any(|(branch, token)| waits(token) && !asked(branch)) {
        let words = store.words(&record.run)?;
        parts.extend(words.iter().filter_map(|word| signal_of_word(word)).map(|name| format!("signal {name}")));
    }
    Ok((!parts.is_empty()).then(|| parts.join(", ")))
}

fn asks(task: &TaskRecord, several: bool) -> String {
    let who = task.role.as_ref().map_or(String::new(), |role| format!(" {role}"));
    let word = if task.kind == HumanKind::Approve { "approve" } else { "done" };
    let name = if several { super::tasks::name_of(task) } else { task.run.clone() };
    format!("asks{who}: `orch {word} {name}`")
}
