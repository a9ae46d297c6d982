//! `orch doctor`

use serde::Serialize;

use super::doubt::DoubtJson;
use super::{Context, Exit, Failure, host, project};
use crate::base::SourceMap;
use crate::project::Project;
use crate::report::plural;
use crate::runtime::machine::{self, Event, State, Version};
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
    /// What a restored state does not know; no fault of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    doubt: Option<DoubtJson>,
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
    let mut report = DoctorJson { runs: 0, sends: 0, findings: Vec::new(), doubt: None };
    let Some(store) = host::store_to_read(&project)? else {
        context.output.line("there is no state yet");
        return Ok(Exit::Done);
    };
    let (collected, _) = store.collected().map_err(failed)?;
    for record in store.runs().map_err(failed)? {
        report.runs += 1;
        let mut found = |what: String| report.findings.push(Finding { run: record.run.clone(), what });
        // `orch gc` removed the journal of what is over.
        if !collected.contains(&record.run)
            && let Err(what) = replay(&project, &store, &record)
        {
            found(what);
        }
        for send in store.sends(&record.run).map_err(failed)? {
            report.sends += 1;
            match store.tally(send.id) {
                Ok(tally) if tally.balances() && (tally.due == 0 || !record.is_done()) => {}
                Ok(tally) => found(format!("the send of step {} has {} rows due", send.step, tally.due)),
                Err(error) => found(error.to_string()),
            }
        }
    }
    report.doubt = DoubtJson::read(&store).map_err(failed)?;
    let exit = if report.findings.is_empty() { Exit::Done } else { Exit::Problems };
    if context.output.is_json() {
        context.output.json(&report);
        return Ok(exit);
    }
    for finding in &report.findings {
        context.output.line(format!("{}: {}", finding.run, finding.what));
    }
    if let Some(doubt) = &report.doubt {
        let zone = project.settings.project.timezone.rules();
        doubt.lines(&zone).into_iter().for_each(|line| context.output.line(line));
    }
    let (runs, sends) = (plural(report.runs as u64, "run"), plural(report.sends as u64, "send"));
    context.output.line(format!("{runs} and {sends} looked at · {}", plural(report.findings.len() as u64, "finding")));
    Ok(exit)
}

/// Plays a run's journal from the beginning; every event must fit, and the end must be what is stored. A run that was
/// moved to another version of its script is played with the version of each time.
fn replay(project: &Project, store: &dyn Store, record: &RunRecord) -> Result<(), String> {
    let journal = store.journal(&record.run).map_err(|error| error.to_string())?;
    let mut state = State::default();
    let planned = |version: &Version| {
        host::version(project, store, version).map(|script| script.plan).map_err(|failure| {
            let why = failure.problems.iter().next().map_or(String::new(), |problem| problem.message.clone());
            format!("its source cannot be planned: {why}")
        })
    };
    let first = journal.iter().find_map(|entry| match &entry.event {
        Event::Migrated { from, .. } => Some(from.clone()),
        _ => None,
    });
    let mut plan = planned(&first.unwrap_or_else(|| record.version()))?;
    for (at, entry) in journal.iter().enumerate() {
        if entry.seq != at as u64 + 1 {
            return Err(format!("event {} is missing from its journal", at + 1));
        }
        machine::apply(&plan, &mut state, &entry.event).map_err(|error| format!("event {}: {error}", entry.seq))?;
        if let Event::Migrated { to, .. } = &entry.event {
            plan = planned(to)?;
        }
    }
    if record.seq != journal.len() as u64 {
        return Err(format!("it is at event {}, its journal ends at {}", record.seq, journal.len()));
    }
    if state != record.state {
        return Err("its journal leads to another position than the one stored".to_string());
    }
    Ok(())
}
