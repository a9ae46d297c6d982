//! `orch runs`

mod scheduled;

use serde::Serialize;

use super::doubt::DoubtJson;
use super::environment::shown_path;
use super::waiting::waiting_for;
use super::{Context, Exit, Failure, host, project};
use crate::base::SourceMap;
use crate::project::Project;
use crate::report::{Column, Table, count, moment, waiting_until};
use crate::runtime::machine::Status;
use crate::runtime::store::{Agenda, Hold, RunRecord, Store, StoreError};
use scheduled::ScheduledJson;

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
    /// Campaigns that `orch serve` starts by themselves.
    scheduled: Vec<ScheduledJson>,
    /// Why nothing starts or goes on.
    paused: Option<Hold>,
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

/// The runs of one project as a document, the latest first.
///
/// # Errors
/// The state cannot be read.
pub fn document(
    project: &Project,
    store: &dyn Agenda,
    open: bool,
    limit: usize,
) -> Result<serde_json::Value, StoreError> {
    let mut records = store.runs()?;
    records.retain(|record| !open || !record.state.status.is_over());
    let tasks = store.open_tasks()?;
    let mut runs = Vec::new();
    for record in records.into_iter().take(limit) {
        let waiting_for = waiting_for(store, &record, &tasks)?;
        runs.push(Found { project: project.clone(), record, waiting_for }.json());
    }
    let document = RunsJson { runs, scheduled: scheduled::read(project, store)?, paused: store.held()? };
    serde_json::to_value(document).map_err(|error| StoreError::Damaged(error.to_string()))
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
    let (mut records, mut tasks, mut scheduled, mut paused) = (Vec::new(), Vec::new(), Vec::new(), None);
    let mut doubts = 0;
    for (at, (project, store)) in stores.iter().enumerate() {
        records.extend(store.runs().map_err(failed)?.into_iter().map(|record| (at, record)));
        tasks.extend(store.open_tasks().map_err(failed)?);
        scheduled.extend(scheduled::read(project, store).map_err(failed)?);
        paused = paused.or(store.held().map_err(failed)?);
        doubts += DoubtJson::read(store).map_err(failed)?.map_or(0, |doubt| doubt.count());
    }
    records.retain(|(_, record)| !arguments.open || !record.state.status.is_over());
    records.sort_by(|(_, a), (_, b)| b.started.cmp(&a.started).then_with(|| a.run.cmp(&b.run)));
    let total = records.len() as u64;
    let mut shown = Vec::new();
    for (at, record) in records.into_iter().take(arguments.limit) {
        let (project, store) = &stores[at];
        let waiting_for = waiting_for(store, &record, &tasks).map_err(failed)?;
        shown.push(Found { project: project.clone(), record, waiting_for });
    }
    if context.output.is_json() {
        context.output.json(&RunsJson { runs: shown.iter().map(Found::json).collect(), scheduled, paused });
        return Ok(Exit::Done);
    }
    if total == 0 {
        context.output.line("no runs yet · `orch run FILE` starts one");
    } else {
        context.output.text(table(&shown, stores.len() > 1, total).render(context.output.style().width));
    }
    if !scheduled.is_empty() {
        context.output.line("");
        let zone = here.settings.project.timezone.rules();
        context.output.text(scheduled::table(&scheduled, &zone).render(context.output.style().width));
    }
    if doubts > 0 {
        let them = if doubts == 1 { "1 thing is".to_owned() } else { format!("{} things are", count(doubts)) };
        context.output.line(format!("{them} in doubt since a restore · `orch doctor` lists what"));
    }
    if let Some(hold) = paused {
        let why = hold.reason.map_or(String::new(), |reason| format!(": {reason}"));
        context.output.line(format!("everything is paused{why} · `orch resume --all` goes on"));
    }
    Ok(Exit::Done)
}

fn table(shown: &[Found], folders: bool, total: u64) -> Table {
    let mut columns: Vec<Column> = ["run", "status", "started", "version", "waiting for"].map(Column::left).into();
    if folders {
        columns.insert(1, Column::left("project"));
    }
    Table { columns, rows: shown.iter().map(|found| found.row(folders)).collect(), total, elapsed: None }
}
