//! `orch runs`

use serde::Serialize;

use super::environment::shown_path;
use super::waiting::waiting_for;
use super::{Context, Exit, Failure, host, project};
use crate::base::SourceMap;
use crate::project::Project;
use crate::report::{Column, Table, moment, waiting_until};
use crate::runtime::machine::Status;
use crate::runtime::store::{RunRecord, Store, StoreError};

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
    /// In words, or the instant if there is nothing but a time.
    waiting_for: Option<String>,
    waiting_until: Option<jiff::Timestamp>,
    version: String,
    simulated: bool,
    project: String,
}

/// A run and where it was found.
struct Found {
    project: Project,
    record: RunRecord,
    waiting_for: Option<String>,
}

impl Found {
    fn json(&self) -> RunJson {
        let record = &self.record;
        let until = waiting_until(record);
        RunJson {
            run: record.run.clone(),
            campaign: record.campaign.clone(),
            status: record.status(),
            started: record.started,
            waiting_for: self.waiting_for.clone().or_else(|| until.map(|until| until.to_string())),
            waiting_until: until,
            version: record.fingerprint.clone(),
            simulated: record.simulated,
            project: self.folder(),
        }
    }

    /// Its project's folder, as seen from the current one.
    fn folder(&self) -> String {
        Some(shown_path(&self.project.base)).filter(|path| !path.is_empty()).unwrap_or_else(|| ".".to_owned())
    }

    /// Cells of the table; times are in the zone of the run's own project.
    fn row(&self, folders: bool) -> Vec<Option<String>> {
        let record = &self.record;
        let zone = self.project.settings.project.timezone.rules();
        let until = || waiting_until(record).map(|until| format!("until {}", moment(until, &zone)));
        let held = record.state.reason.clone().filter(|_| record.state.status == Status::Paused);
        let waiting = held.or_else(|| self.waiting_for.clone()).or_else(until).or_else(|| record.state.reason.clone());
        let version = record.fingerprint.chars().take(8).collect();
        let mut row = vec![
            Some(record.run.clone()),
            Some(record.status().to_string()),
            Some(moment(record.started, &zone)),
            Some(version),
            waiting,
        ];
        if folders {
            row.insert(1, Some(self.folder()));
        }
        row
    }
}

/// Lists the runs.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let failed = |error: StoreError| host::run_failure(&error.into(), SourceMap::new());
    let here = project::open(&context.globals, std::path::Path::new("."))?;
    let mut stores = Vec::new();
    for project in std::iter::once(here.clone()).chain(host::projects_below(context, &here)?) {
        if let Some(store) = host::store_to_read(&project)? {
            stores.push((project, store));
        }
    }
    let mut records = Vec::new();
    for (at, (_, store)) in stores.iter().enumerate() {
        records.extend(store.runs().map_err(failed)?.into_iter().map(|record| (at, record)));
    }
    records.retain(|(_, record)| !arguments.open || !record.state.status.is_over());
    records.sort_by(|(_, a), (_, b)| b.started.cmp(&a.started).then_with(|| a.run.cmp(&b.run)));
    let total = records.len() as u64;
    let mut shown = Vec::new();
    for (at, record) in records.into_iter().take(arguments.limit) {
        let (project, store) = &stores[at];
        let waiting_for = waiting_for(project, store, &record).map_err(failed)?;
        shown.push(Found { project: project.clone(), record, waiting_for });
    }
    if context.output.is_json() {
        context.output.json(&RunsJson { runs: shown.iter().map(Found::json).collect() });
        return Ok(Exit::Done);
    }
    if total == 0 {
        context.output.line("no runs yet · `orch run FILE` starts one");
        return Ok(Exit::Done);
    }
    let folders = stores.len() > 1;
    let mut columns: Vec<Column> = ["run", "status", "started", "version", "waiting for"].map(Column::left).into();
    if folders {
        columns.insert(1, Column::left("project"));
    }
    let table = Table { columns, rows: shown.iter().map(|found| found.row(folders)).collect(), total, elapsed: None };
    context.output.text(table.render(context.output.style().width));
    Ok(Exit::Done)
}
