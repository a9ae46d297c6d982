//! Layer 0: problems as data, and how they look.
//!
//! Every phase has an enum of what can go wrong in it; each value knows how to become a [`Problem`]. Problems are
//! collected, never thrown: a phase returns its value and a list of them.

mod code;
pub mod codes;
mod json;
mod pages;
mod problem;
mod render;

pub use code::{Code, Phase};
pub use json::{ProblemsJson, problems_json};
pub use pages::{page, page_names};
pub use problem::{Fix, Label, Problem, Problems, Severity};
pub use render::{RenderStyle, render, render_all, safe_text, summary};
