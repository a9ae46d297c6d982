//! What the daemon says while it works: a line per start, end and pause.

use std::collections::BTreeMap;

use super::super::conduct::ProjectHost;
use super::super::{Context, host};
use super::ProjectScripts;
use crate::diag::safe_text;
use crate::plan::Plan;
use crate::project::Project;
use crate::report::{RunReport, count, moment};
use crate::runtime::clock::{Clock, WallClock};
use crate::runtime::store::Cause;
use crate::runtime::{BoundChannel, DriveEnd, Happening, Host, Observer, Progress, RunError, Scripts};

/// A project that is served.
pub struct ServeHost<'h> {
    inner: ProjectHost<'h>,
    project: &'h Project,
    context: &'h Context,
    scripts: &'h ProjectScripts<'h>,
    zone: jiff::tz::TimeZone,
}

impl<'h> ServeHost<'h> {
    /// Says what happens to the output of a command.
    pub fn new(project: &'h Project, context: &'h Context, scripts: &'h ProjectScripts<'h>) -> Self {
        let inner = ProjectHost::new(project, context, BTreeMap::new());
        Self { inner, project, context, scripts, zone: project.settings.project.timezone.rules() }
    }

    fn line(&self, text: &str) {
        if !self.context.output.is_json() {
            let now = self.zone.to_datetime(WallClock.now()).strftime("%H:%M:%S").to_string();
            self.context.output.line(safe_text(&format!("{now}  {text}")));
        }
    }

    /// How a run stands, for people; nothing if that cannot be read.
    fn standing(&self, run: &str) -> (String, String) {
        let store = host::store_to_read(self.project).ok().flatten();
        let report = store.and_then(|store| RunReport::read(&store, run).ok().flatten());
        let balance = report.as_ref().and_then(RunReport::balance).map_or(String::new(), |text| format!(" · {text}"));
        let reason =
            report.and_then(|report| report.record.state.reason).map_or(String::new(), |text| format!(": {text}"));
        (reason, balance)
    }

    fn cause(&self, cause: &Cause) -> String {
        match cause {
            Cause::Hand => "by hand".to_owned(),
            Cause::Schedule(at) => format!("due {}", moment(*at, &self.zone)),
            Cause::Signal(id) => format!("signal {id}"),
        }
    }
}

impl Host for ServeHost<'_> {
    fn plan(&self, file: &str, campaign: &str, files: Vec<(String, String)>) -> Result<Plan, RunError> {
        self.inner.plan(file, campaign, files)
    }

    fn channels(&self, plan: &Plan) -> Result<BTreeMap<String, BoundChannel>, RunError> {
        self.inner.channels(plan)
    }

    fn scripts(&self) -> Option<Scripts> {
        self.scripts.changed()
    }

    fn observer(&self, run: &str) -> Box<dyn Observer + '_> {
        Box::new(RunLines { host: self, run: run.to_owned() })
    }

    fn on(&self, happening: Happening<'_>) {
        let cause = |cause: &Cause| self.cause(cause);
        match happening {
            Happening::Started { run, cause: by, missed: 0 } => self.line(&format!("{run} started · {}", cause(by))),
            Happening::Started { run, cause: by, missed } => {
                let missed = count(missed);
                self.line(&format!(
                    "{run} started · {} · {missed} earlier starts were missed, this is for all",
                    cause(by)
                ));
            }
            Happening::Skipped { campaign, cause: by, run } => {
                self.line(&format!("{campaign} skipped · {} · {run} is still going", cause(by)));
            }
            Happening::Queued { campaign, cause: by } => {
                self.line(&format!("{campaign} waits its turn · {}", cause(by)))
            }
            Happening::NotStarted { campaign, cause: by, error } => {
                self.line(&format!("{campaign} not started · {} · {error}", cause(by)));
            }
            Happening::Driven { run, end: DriveEnd::Over(status) } => {
                let (reason, balance) = self.standing(run);
                self.line(&format!("{run} {}{reason}{balance}", status.word()));
            }
            Happening::Driven { run, end: DriveEnd::Paused } => {
                let (reason, balance) = self.standing(run);
                self.line(&format!("{run} paused{reason}{balance} · `orch resume {run}` goes on"));
            }
            Happening::Driven { run, end: DriveEnd::Waiting(at) } => {
                self.line(&format!("{run} waits until {}", moment(*at, &self.zone)));
            }
            Happening::Driven { run, end: DriveEnd::Blocked } => {
                self.line(&format!("{run} waits for a person or a signal"));
            }
            Happening::Driven { end: DriveEnd::Parked, .. } => {}
            Happening::Failed { run, error } => self.line(&format!("{run} cannot go on: {error} · `orch show {run}`")),
            Happening::Held(hold) => {
                let reason = hold.reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
                self.line(&format!("everything is paused{reason} · `orch resume --all` goes on"));
            }
            Happening::Released => self.line("everything goes on"),
            Happening::Scheduled { campaign, schedule, next } => {
                let next = next.map_or("it is over".to_owned(), |next| format!("next {}", moment(next, &self.zone)));
                self.line(&format!("{campaign} · {schedule} · {next}"));
            }
        }
    }
}

/// Warnings and the lines of `log` of one run.
struct RunLines<'h> {
    host: &'h ServeHost<'h>,
    run: String,
}

impl Observer for RunLines<'_> {
    fn on(&self, progress: Progress<'_>) {
        match progress {
            Progress::Log { text } => self.host.line(&format!("{} log {text}", self.run)),
            Progress::Warning { text } => self.host.line(&format!("{} warning: {text}", self.run)),
            _ => {}
        }
    }
}
