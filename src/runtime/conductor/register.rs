//! Campaigns that start by themselves, as the scripts declare them and as the store remembers them.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Conductor, Day, Happening};
use crate::plan::Plan;
use crate::runtime::error::RunError;
use crate::runtime::store::{AgendaChange, CampaignRecord, Change};

/// A campaign that starts by itself.
pub(super) struct Known {
    pub record: CampaignRecord,
    pub plan: Arc<Plan>,
}

/// The record of a campaign that nobody knew before. It starts by its schedule from `now` on, and by what arrives behind
/// the arrival `since`.
pub fn new_campaign(file: &str, plan: &Plan, now: Timestamp, zone: &TimeZone, since: i64) -> CampaignRecord {
    let campaign = plan.campaign();
    CampaignRecord {
        file: file.to_owned(),
        campaign: campaign.name.clone(),
        fingerprint: plan.fingerprint.clone(),
        schedule: campaign.schedule.as_ref().map(ToString::to_string),
        signal: campaign.trigger.map(|signal| plan.program[signal].name.clone()),
        since,
        considered: now,
        next: campaign.schedule.as_ref().and_then(|rule| rule.next_after(now, zone)),
        skipped: 0,
    }
}

impl Conductor<'_> {
    /// Looks whether the scripts have changed. New starts have the new source; where a script is broken, the last one
    /// that was not.
    pub(super) fn look_at_scripts(&self, day: &mut Day) -> Result<(), RunError> {
        let Some(scripts) = self.host.scripts() else { return Ok(()) };
        let stored = self.store.campaigns()?;
        let mut known = Vec::new();
        let mut changes = Vec::new();
        for (file, plan) in &scripts.declared {
            let name = &plan.campaign().name;
            let earlier = stored.iter().find(|record| record.file == *file && record.campaign == *name);
            let record = self.declared(file, plan, earlier)?;
            if earlier != Some(&record) {
                let files = plan.files.clone();
                changes.push(Change::Bundle { fingerprint: plan.fingerprint.clone(), files });
                changes.push(Change::Agenda(AgendaChange::Campaign(record.clone())));
            }
            let renewed = |earlier: &CampaignRecord| earlier.schedule != record.schedule;
            if let (true, Some(schedule)) = (earlier.is_none_or(renewed), &record.schedule) {
                self.host.on(Happening::Scheduled { campaign: name, schedule, next: record.next });
            }
            self.keep(plan);
            known.push(Known { record, plan: Arc::clone(plan) });
        }
        for record in stored {
            let is_declared =
                known.iter().any(|known| known.record.file == record.file && known.record.campaign == record.campaign);
            if is_declared {
                continue;
            }
            if scripts.broken.contains(&record.file) {
                match self.plan(&record.file, &record.campaign, &record.fingerprint) {
                    Ok(plan) => known.push(Known { record, plan }),
                    Err(error @ RunError::Store(_)) => return Err(error),
                    // Nothing starts before the script is mended; the host says that it is broken.
                    Err(_) => {}
                }
            } else {
                let CampaignRecord { file, campaign, .. } = record;
                changes.push(Change::Agenda(AgendaChange::Forgotten { file, campaign }));
            }
        }
        if !changes.is_empty() {
            self.engine.block_on(self.store.commit(changes))?;
        }
        day.known = known;
        Ok(())
    }

    /// The record of a campaign as it is declared now.
    fn declared(&self, file: &str, plan: &Plan, earlier: Option<&CampaignRecord>) -> Result<CampaignRecord, RunError> {
        let now = self.clock.now();
        let mut record = new_campaign(file, plan, now, self.zone(), self.store.last_arrival()?);
        if let Some(earlier) = earlier {
            record.skipped = earlier.skipped;
        }
        if let Some(earlier) = earlier.filter(|earlier| earlier.signal == record.signal) {
            record.since = earlier.since;
        }
        match earlier {
            Some(earlier) if earlier.schedule == record.schedule => {
                record.considered = earlier.considered;
                let schedule = plan.campaign().schedule.as_ref();
                record.next = schedule.and_then(|rule| rule.next_after(earlier.considered, self.zone()));
            }
            // A start that the earlier schedule asked for and that nobody decided is still to be made.
            Some(earlier) if earlier.next.is_some_and(|next| next <= now) && record.schedule.is_some() => {
                record.considered = earlier.considered;
                record.next = earlier.next;
            }
            _ => {}
        }
        Ok(record)
    }
}
