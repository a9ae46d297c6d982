//! `orch doctor`

use serde::Serialize;

use super::{Context, Exit, Failure, host, project};
use crate::base::SourceMap;
use crate::report::plural;
use crate::runtime::machine::{self, State};
use crate::runtime::store::{RunRecord, Store};

/// Check the state: replay every journal, add up every send
#[derive(clap::Args, Debug)]
#[command(after_help = "Example: orch doctor --profile prod")]
pub struct Arguments {}

/// The machine-readable finding; fields are only ever added.
#[derive(Serialize)]
struct DoctorJson {
    runs: usize,
    sends: usize,
    findings: Vec<Finding>,
}

/// Something that is not as it should be.
#[derive(Serialize)]
struct Finding {
    run: String,
    what: String,
}

/// Looks at everything and changes nothing.
pub fn run(_arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let project = project::open(&context.globals, std::path::Path::new("."))?;
    let failed = |error: crate::runtime::store::StoreError| host::run_failure(&error.into(), SourceMap::new());
    let mut report = DoctorJson { runs: 0, sends: 0, findings: Vec::new() };
    let Some(store) = host::store_to_read(&project)? else {
        context.output.line("there is no state yet");
        return Ok(Exit::Done);
    };
    for record in store.runs().map_err(failed)? {
        report.runs += 1;
        let mut found = |what: String| report.findings.push(Finding { run: record.run.clone(), what });
        match host::pinned(&project, &store, &record) {
            Ok(script) => {
                if let Err(what) = replay(&store, &script.plan, &record) {
                    found(what);
                }
            }
            Err(failure) => {
                let why = failure.problems.iter().next().map_or(String::new(), |problem| problem.message.clone());
                found(format!("its source cannot be planned: {why}"));
            }
        }
        for send in store.sends(&record.run).map_err(failed)? {
            report.sends += 1;
            match store.tally(send.id) {
                Ok(tally) if tally.balances() && (tally.due == 0 || !record.state.status.is_over()) => {}
                Ok(tally) => found(format!("the send of step {} has {} rows due", send.step, tally.due)),
                Err(error) => found(error.to_string()),
            }
        }
    }
    let exit = if report.findings.is_empty() { Exit::Done } else { Exit::Problems };
    if context.output.is_json() {
        context.output.json(&report);
        return Ok(exit);
    }
    for finding in &report.findings {
        context.output.line(format!("{}: {}", finding.run, finding.what));
    }
    let (runs, sends) = (plural(report.runs as u64, "run"), plural(report.sends as u64, "send"));
    context.output.line(format!("{runs} and {sends} looked at · {}", plural(report.findings.len() as u64, "finding")));
    Ok(exit)
}

/// Plays a run's journal from the beginning; every event must fit, and the end must be what is stored.
fn replay(store: &dyn Store, plan: &crate::plan::Plan, record: &RunRecord) -> Result<(), String> {
    let journal = store.journal(&record.run).map_err(|error| error.to_string())?;
    let mut state = State::default();
    for (at, entry) in journal.iter().enumerate() {
        if entry.seq != at as u64 + 1 {
            return Err(format!("event {} is missing from its journal", at + 1));
        }
        machine::apply(plan, &mut state, &entry.event).map_err(|error| format!("event {}: {error}", entry.seq))?;
    }
    if record.seq != journal.len() as u64 {
        return Err(format!("it is at event {}, its journal ends at {}", record.seq, journal.len()));
    }
    if state != record.state {
        return Err("its journal leads to another position than the one stored".to_string());
    }
    Ok(())
}
