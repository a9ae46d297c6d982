//! `orch runs`

use serde::Serialize;

use super::{Context, Exit, Failure, host, project};
use crate::base::SourceMap;
use crate::report::{Column, Table, moment, waiting_until};
use crate::runtime::store::{RunRecord, Store};

/// List the runs of this project and profile, the latest first
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Only runs that have not ended
    #[arg(long)]
    pub open: bool,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
}

/// The machine-readable list; fields are only ever added.
#[derive(Serialize)]
struct RunsJson {
    runs: Vec<RunJson>,
}

#[derive(Serialize)]
struct RunJson {
    run: String,
    campaign: String,
    status: &'static str,
    started: jiff::Timestamp,
    waiting_for: Option<String>,
    version: String,
    simulated: bool,
}

impl From<&RunRecord> for RunJson {
    fn from(record: &RunRecord) -> Self {
        Self {
            run: record.run.clone(),
            campaign: record.campaign.clone(),
            status: record.status(),
            started: record.started,
            waiting_for: waiting_until(record).map(|until| until.to_string()),
            version: record.fingerprint.clone(),
            simulated: record.simulated,
        }
    }
}

/// Lists the runs.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let project = project::open(&context.globals, std::path::Path::new("."))?;
    let mut records = Vec::new();
    for project in std::iter::once(project.clone()).chain(host::projects_below(context, &project)?) {
        if let Some(store) = host::store_to_read(&project)? {
            records.extend(store.runs().map_err(|error| host::run_failure(&error.into(), SourceMap::new()))?);
        }
    }
    records.sort_by(|a, b| b.started.cmp(&a.started).then_with(|| a.run.cmp(&b.run)));
    let wanted: Vec<&RunRecord> =
        records.iter().filter(|record| !arguments.open || !record.state.status.is_over()).collect();
    let shown = &wanted[..wanted.len().min(arguments.limit)];
    if context.output.is_json() {
        context.output.json(&RunsJson { runs: shown.iter().map(|record| RunJson::from(*record)).collect() });
        return Ok(Exit::Done);
    }
    if wanted.is_empty() {
        context.output.line("no runs yet · `orch run FILE` starts one");
        return Ok(Exit::Done);
    }
    let zone = project.settings.project.timezone.rules();
    let row = |record: &&RunRecord| {
        let waiting = waiting_until(record).map(|until| format!("until {}", moment(until, &zone)));
        let version = record.fingerprint.chars().take(8).collect();
        [record.run.clone(), record.status().to_string(), moment(record.started, &zone), version]
            .into_iter()
            .map(Some)
            .chain([waiting.or_else(|| record.state.reason.clone())])
            .collect()
    };
    let columns = ["run", "status", "started", "version", "waiting for"].map(Column::left).into();
    let table = Table { columns, rows: shown.iter().map(row).collect(), total: wanted.len() as u64, elapsed: None };
    context.output.text(table.render(context.output.style().width));
    Ok(Exit::Done)
}
