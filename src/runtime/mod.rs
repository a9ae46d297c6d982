//! Layer 5: what happens between a checked program and a delivered message.

mod audiences;
mod baseline;
mod bindings;
pub mod channels;
pub mod clock;
pub mod content;
mod durable;
mod engine;
mod error;
mod executor;
mod feedback;
mod inbox;
pub mod machine;
mod memories;
mod names;
mod notebook;
mod observe;
mod rehearsal;
mod seal;
pub mod sources;
pub mod store;
mod tables;

pub use audiences::Remembered;
pub use baseline::{Baseline, Keys, keys_of, read_cells, write_cells};
pub use bindings::{AlertTarget, SourceBinding};
pub use engine::{Drive, Engine, EngineOptions, Pacing};
pub use error::RunError;
pub use executor::{BoundChannel, Cancel, DriveEnd, Pace, Until};
pub use feedback::{FeedbackFormat, REPORTED, read_feedback};
pub use inbox::{Inbox, Note};
pub use names::signal_name;
pub use notebook::{Answer, Notebook, Rows};
pub use observe::{Observer, Progress, Silent};
pub use rehearsal::Rehearsal;
pub use tables::{Folders, RunTables, Sources};
