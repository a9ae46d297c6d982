//! Campaigns that a signal starts, made known before it is sent while no `orch serve` runs: so the next one starts them.

use super::{Context, Failure, host, workspace};
use crate::base::SourceMap;
use crate::plan::{Plan, StepKind};
use crate::project::Project;
use crate::runtime::clock::{Clock, WallClock};
use crate::runtime::store::sqlite::SqliteStore;
use crate::runtime::store::{Agenda, AgendaChange, Change, Store, StoreError};
use crate::runtime::{Engine, RunError, new_campaign};

/// Makes known which campaigns these signals start. Scripts that are broken are left to `orch serve` to complain about.
///
/// # Errors
/// The state refuses.
pub fn register(
    project: &Project,
    store: &SqliteStore,
    engine: &Engine,
    signals: &[&str],
    context: &Context,
) -> Result<(), Failure> {
    if signals.is_empty() {
        return Ok(());
    }
    let failed = |error: StoreError| host::run_failure(&RunError::from(error), SourceMap::new());
    let known = store.campaigns().map_err(failed)?;
    let since = store.last_arrival().map_err(failed)?;
    let zone = project.settings.project.timezone.rules();
    let mut changes = Vec::new();
    for path in workspace::own_scripts(project, &context.globals) {
        let file = workspace::inner_path(project, &path);
        let analysis = workspace::analyze(project, &path);
        if analysis.problems.has_errors() {
            continue;
        }
        for plan in host::starting_plans(&analysis).unwrap_or_default() {
            let record = new_campaign(&file, &plan, WallClock.now(), &zone, since);
            let is_known = known.iter().any(|known| known.file == file && known.campaign == record.campaign);
            if is_known || !record.signal.as_ref().is_some_and(|signal| signals.contains(&signal.as_str())) {
                continue;
            }
            changes.push(Change::Bundle { fingerprint: plan.fingerprint.clone(), files: plan.files.clone() });
            changes.push(Change::Agenda(AgendaChange::Campaign(record)));
        }
    }
    if changes.is_empty() {
        return Ok(());
    }
    engine.block_on(store.commit(changes)).map_err(failed)
}

/// The signals that a campaign sends.
pub fn emitted(plan: &Plan) -> Vec<&str> {
    let emits = plan.steps().into_iter().filter_map(|step| match &step.kind {
        StepKind::Emit { signal, .. } => Some(plan.program[*signal].name.as_str()),
        _ => None,
    });
    emits.collect()
}
