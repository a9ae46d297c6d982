//! Layer 6: what happened, for people and for programs.

mod table;
mod text;

pub use table::{Align, Column, Table, terminal_width};
pub use text::{Bar, bars, count, elapsed, group_digits, plural, share};
