//! `orch plan FILE`

use std::path::PathBuf;

use super::host::{self, Script, Source};
use super::{Context, Exit, Failure};
use crate::report::{Explained, Explainer, RunReport, count, elapsed, moment};
use crate::runtime::channels::{Content, OutgoingMessage};
use crate::runtime::clock::Stopwatch;
use crate::runtime::store::Store as _;
use crate::runtime::{Observer, Silent};

/// Rehearse a script on real data: who would get what, who would not; nothing is sent
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  orch plan vip.orch --simulate\n  orch plan vip.orch --explain")]
pub struct Arguments {
    /// The script
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The campaign, if the script declares several
    #[arg(long, value_name = "NAME")]
    pub campaign: Option<String>,
    /// A parameter of the campaign; may be repeated
    #[arg(long = "param", short = 'p', value_name = "NAME=VALUE")]
    pub params: Vec<String>,
    /// Go through the waits on a virtual clock; without it everything happens now and waits are passed over
    #[arg(long)]
    pub simulate: bool,
    /// Show how each population was computed: the engine's plan, rows, bytes read, time and what went through the disk
    #[arg(long)]
    pub explain: bool,
}

/// Longest part of a sample message that is shown, in lines.
const SAMPLE_LINES: usize = 12;

/// Goes through the script without effects and shows what would happen.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let script = Script::open(context, &Source::File(&arguments.file), arguments.campaign.as_deref())?;
    let params = host::parameters(&script.plan, &arguments.params)?;
    let engine = host::engine(&script.project, &[], context)?;
    let stopwatch = Stopwatch::start();
    let explainer = Explainer::new(&script.sources);
    let observer: &dyn Observer = if arguments.explain { &explainer } else { &Silent };
    let rehearsal =
        engine.rehearse(&script.plan, &params, arguments.simulate, observer).map_err(|error| script.failure(&error))?;
    let took = stopwatch.elapsed();
    let report = RunReport::of_rehearsal(&rehearsal);
    let empty_memories = empty_memories(&script)?;
    let stale = engine.stale(&script.plan).map_err(|error| script.failure(&error))?;
    if context.output.is_json() {
        let populations = arguments.explain.then(|| explainer.found());
        let stale = messages(&stale);
        context.output.json(&PlanJson { run: report.json(), empty_memories, populations, stale });
        return Ok(Exit::Done);
    }
    let output = &context.output;
    for problem in &stale {
        let warning = crate::diag::Problem { severity: crate::diag::Severity::Warning, ..problem.clone() };
        let help = "a run would be held before it reads it; `orch resume` looks again";
        let text = crate::diag::render(&warning.help(help), &script.sources, output.remark_style());
        output.remark(text.trim_end());
    }
    let zone = &engine.options().zone;
    let zone_name = script.project.settings.project.timezone.name();
    let started = moment(rehearsal.record.started, zone);
    output.line(format!("{} · profile {} · {started} {zone_name}", script.path, script.project.profile));
    output.line("");
    for line in report.lines(zone, "messages") {
        output.line(line);
    }
    output.line("");
    if let Some(reason) = &rehearsal.record.state.reason {
        output.line(format!("{}: {reason}", rehearsal.record.state.status.word()));
    }
    for memory in &empty_memories {
        output.line(format!("`{memory}` remembers nothing yet, so the first run takes every row"));
        output.line(format!("  `orch state {memory} --baseline all` lets it begin with what comes from now on"));
        output.line("");
    }
    for population in explainer.found() {
        population.lines().into_iter().for_each(|line| output.line(line));
        output.line("");
    }
    if let Some(message) = rehearsal.messages.first() {
        show_sample(message, context);
    }
    let total = report.total();
    let balance = if report.sends.is_empty() {
        String::new()
    } else {
        format!(
            "Balance  {} = {} + {}      ",
            count(total.targeted),
            count(total.sent),
            count(total.targeted - total.sent)
        )
    };
    output.line(format!("{balance}{} · nothing was sent", elapsed(took)));
    Ok(Exit::Done)
}

/// The machine-readable rehearsal; fields are only ever added.
#[derive(serde::Serialize)]
struct PlanJson<'r> {
    #[serde(flatten)]
    run: crate::report::RunJson<'r>,
    /// Memories of `new` that hold nothing, so that a first run takes every row.
    empty_memories: Vec<String>,
    /// With `--explain`: how each population was computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    populations: Option<Vec<Explained>>,
    /// Sources that are older than they may be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stale: Vec<String>,
}

fn messages(problems: &[crate::diag::Problem]) -> Vec<String> {
    problems.iter().map(|problem| problem.message.clone()).collect()
}

/// The memories of a script that no run and no baseline has put anything into.
fn empty_memories(script: &Script) -> Result<Vec<String>, Failure> {
    let store = host::store_to_read(&script.project)?;
    let mut empty = Vec::new();
    for new in script.plan.news() {
        let takes = match &store {
            Some(store) => store.takes(Some(&new.memory)).map_err(|error| script.failure(&error.into()))?,
            None => Vec::new(),
        };
        if !takes.iter().any(|take| !take.simulated) && !empty.contains(&new.memory) {
            empty.push(new.memory);
        }
    }
    Ok(empty)
}

/// The first message as it would be read.
fn show_sample(message: &OutgoingMessage, context: &Context) {
    let output = &context.output;
    let (title, body) = match &message.content {
        Content::Email(email) => {
            let text = email.text.clone().or_else(|| email.html.clone()).unwrap_or_default();
            (format!("Subject: {}", email.subject), text)
        }
        Content::Fields(fields) => {
            let lines: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            (String::new(), lines.join("\n"))
        }
    };
    output.line(format!("First message · to {} · key {}", message.address, message.entity));
    if !title.is_empty() {
        output.line(format!("  │ {}", crate::diag::safe_text(&title)));
    }
    for line in body.lines().take(SAMPLE_LINES) {
        output.line(format!("  │ {}", crate::diag::safe_text(line)).trim_end());
    }
    if body.lines().count() > SAMPLE_LINES {
        output.line("  │ …");
    }
    output.line("");
}
