//! Campaigns that start by themselves, as `orch serve` knows them.

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::cli::environment::shown_path;
use crate::project::Project;
use crate::report::{Column, Table, count, moment};
use crate::runtime::store::{Agenda, StoreError};

/// One campaign; fields are only ever added.
#[derive(Serialize)]
pub struct ScheduledJson {
    campaign: String,
    file: String,
    schedule: Option<String>,
    signal: Option<String>,
    next: Option<jiff::Timestamp>,
    /// Starts that were left out, because an earlier run was still going.
    skipped: u64,
    /// Starts that wait until an earlier run has ended.
    queued: u64,
    project: String,
}

/// The campaigns of a project.
///
/// # Errors
/// The state cannot be read.
pub fn read(project: &Project, store: &dyn Agenda) -> Result<Vec<ScheduledJson>, StoreError> {
    let queued = store.queued()?;
    let folder = Some(shown_path(&project.base)).filter(|path| !path.is_empty()).unwrap_or_else(|| ".".to_owned());
    let campaigns = store.campaigns()?.into_iter().map(|record| {
        let waits = queued.iter().filter(|start| start.file == record.file && start.campaign == record.campaign);
        ScheduledJson {
            queued: waits.count() as u64,
            campaign: record.campaign,
            file: record.file,
            schedule: record.schedule,
            signal: record.signal,
            next: record.next,
            skipped: record.skipped,
            project: folder.clone(),
        }
    });
    Ok(campaigns.collect())
}

/// The same for people.
pub fn table(campaigns: &[ScheduledJson], zone: &TimeZone) -> Table {
    let columns = vec![
        Column::left("starts by itself"),
        Column::left("next"),
        Column::left("when"),
        Column::right("skipped"),
        Column::right("queued"),
    ];
    let row = |campaign: &ScheduledJson| {
        let signal = campaign.signal.as_ref().map(|signal| format!("on signal {signal}"));
        let when: Vec<String> = campaign.schedule.clone().into_iter().chain(signal).collect();
        vec![
            Some(campaign.campaign.clone()),
            campaign.next.map(|next| moment(next, zone)),
            Some(when.join(", ")),
            Some(count(campaign.skipped)),
            Some(count(campaign.queued)),
        ]
    };
    let rows = campaigns.iter().map(row).collect();
    Table { columns, rows, total: campaigns.len() as u64, elapsed: None }
}
