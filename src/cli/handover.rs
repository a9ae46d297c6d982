//! Handing something to whoever holds the state, and waiting until it has been taken in.

use std::path::PathBuf;

use super::host::{self, Holding};
use super::{Context, Exit, Failure};
use crate::base::SourceMap;
use crate::diag::{Problem, codes};
use crate::project::Project;
use crate::runtime::store::sqlite::SqliteStore;
use crate::runtime::{Cancel, Engine, Inbox, Note};

/// How often is looked whether the notes are gone, and how many times at most: ten seconds.
const PAUSE: jiff::SignedDuration = jiff::SignedDuration::from_millis(50);
const LOOKS: usize = 200;

/// What became of notes.
pub enum Handed {
    /// Whoever holds the state has taken them in.
    Taken,
    /// Nobody holds the state any more: here it is. The notes were taken back.
    Free(SqliteStore),
    /// The holder is busy; it reads them as soon as it can.
    Later,
}

/// Leaves notes for whoever holds the state and waits until they have been taken in; not for long.
///
/// # Errors
/// The state cannot be written or opened.
pub fn hand_over(project: &Project, notes: &[Note], engine: &Engine) -> Result<Handed, Failure> {
    let inbox = Inbox::new(&host::folders(project).state);
    let mut left: Vec<PathBuf> = Vec::new();
    for note in notes {
        left.push(inbox.put(note).map_err(|error| host::run_failure(&error, SourceMap::new()))?);
    }
    for _ in 0..LOOKS {
        if left.iter().all(|note| !note.exists()) {
            return Ok(Handed::Taken);
        }
        if let Holding::Ours(store) = host::holding(project)? {
            for note in &left {
                // One that is gone was taken in, which is as good.
                let _ = std::fs::remove_file(note);
            }
            return Ok(Handed::Free(store));
        }
        engine.pause(PAUSE, &Cancel::default());
    }
    Ok(Handed::Later)
}

/// Says that nothing has happened yet.
pub fn remark_later(project: &Project, context: &Context) -> Exit {
    let who = host::holder(project).map_or("whoever holds the state".to_owned(), |id| format!("process {id}"));
    context.output.remark(format!("{who} is busy: it is done as soon as that process reads it"));
    Exit::Done
}

/// What somebody asked for was overtaken by what happened meanwhile.
pub fn overtaken(what: &str) -> Problem {
    Problem::outside(codes::run::STATE_IN_USE, format!("{what} changed in the meantime")).help("try again")
}
