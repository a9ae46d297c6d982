//! `orch feedback FILE`

use std::fs::File;
use std::path::{Path, PathBuf};

use super::{Context, Exit, Failure, host, project};
use crate::diag::{Problem, codes};
use crate::runtime::clock::{Clock, WallClock};
use crate::runtime::{FeedbackFormat, Note, read_feedback};

/// Take in what recipients did: who opened, clicked, bounced or unsubscribed
#[derive(clap::Args, Debug)]
#[command(after_help = "\
A file has a line for each event: the `key` of the message (its X-Orch-Send or Message-ID), the `event`
(opened, clicked, bounced, unsubscribed) and, if it is known, the moment `at` which it happened.
Reading a file twice changes nothing.

Example: orch feedback events.csv")]
pub struct Arguments {
    /// Files in CSV with a header, or with one JSON object a line (.ndjson, .jsonl)
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
}

/// Leaves the events for the runs of the project.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let project = project::open(&context.globals, Path::new("."))?;
    let mut total = 0;
    for path in &arguments.files {
        let name = path.display().to_string();
        let unreadable = |error: &dyn std::fmt::Display| {
            Problem::outside(codes::run::UNREADABLE_FILE, format!("`{name}` cannot be read: {error}"))
        };
        let file = File::open(path).map_err(|error| unreadable(&error))?;
        let mut failure = None;
        let read = read_feedback(file, format(path), &name, WallClock.now(), &mut |events| {
            total += events.len();
            host::tell(&project, &Note::Feedback { events }, context).map_err(|error| {
                failure = Some(error);
                unreadable(&"its events could not be left")
            })
        });
        // Why they could not be left says more than that.
        if let Some(failure) = failure {
            return Err(failure);
        }
        read?;
    }
    if !context.output.is_json() {
        let noun = if total == 1 { "event" } else { "events" };
        context.output.line(format!("{total} {noun} left for the runs of this project"));
    }
    Ok(Exit::Done)
}

fn format(path: &Path) -> FeedbackFormat {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("ndjson" | "jsonl" | "json") => FeedbackFormat::Ndjson,
        _ => FeedbackFormat::Csv,
    }
}
