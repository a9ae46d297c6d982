//! All integration tests, in one binary because each binary links the whole engine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed, helpers included"
)]

mod cli;
mod corpus;
mod data_steps;
mod documents;
mod pages;
mod tidy;
