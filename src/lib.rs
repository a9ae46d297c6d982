//! Orch: a small, typed language for campaigns.
//!
//! ```text
//! text ─lex─▶ tokens ─layout─▶ tokens ─parse─▶ ast ─resolve, check─▶ hir ─lower─▶ plan
//!                                                                                 │
//!             report ◀── ledger, journal ◀── executor ◀─effects── machine ◀───────┘
//! ```
//!
//! | layer | modules | may use |
//! |---|---|---|
//! | 0 | [`base`], [`diag`] | nothing of ours |
//! | 1 | [`syntax`], [`fmt`] | 0 |
//! | 2 | [`hir`] | 0, 1 |
//! | 3 | `stdlib`, `analysis`, [`project`] | 0-2 |
//! | 4 | `plan`, `ide` | 0-3 |
//! | 5 | `runtime` | 0-4 |
//! | 6 | `report` | 0-5 |
//! | 7 | `cli`, `repl`, `serve` | all |
//!
//! Up to `hir` every phase returns its value *and* a list of problems, never an error.

#![cfg_attr(
    test,
    allow(
        clippy::print_stdout,
        clippy::print_stderr,
        clippy::disallowed_methods,
        reason = "tests measure, skip visibly and look at the environment"
    )
)]

pub mod analysis;
pub mod base;
pub mod cli;
pub mod diag;
pub mod fmt;
pub mod hir;
pub mod plan;
pub mod project;
#[cfg(feature = "engine")]
pub mod repl;
#[cfg(feature = "engine")]
pub mod report;
#[cfg(feature = "engine")]
pub mod runtime;
#[cfg(feature = "engine")]
pub mod serve;
pub mod stdlib;
pub mod syntax;
