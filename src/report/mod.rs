//! Layer 6: what happened, for people and for programs.

mod explain;
mod run;
mod table;
mod text;

pub use explain::{Explained, Explainer};
pub use run::{RunJson, RunReport, balance, dropped, exclusions, summary, waiting_until};
pub use table::{Align, Column, Table, terminal_width};
pub use text::{Bar, bars, bytes, count, elapsed, group_digits, moment, plural, share};
