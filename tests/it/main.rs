//! All integration tests, in one binary because each binary links the whole engine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed, helpers included"
)]

#[cfg(feature = "engine")]
mod accounting;
#[cfg(feature = "engine")]
mod archive;
#[cfg(feature = "engine")]
mod audiences;
#[cfg(feature = "engine")]
mod bad_input;
mod broken;
mod cli;
mod corpus;
#[cfg(feature = "engine")]
mod crash;
#[cfg(feature = "engine")]
mod data_steps;
#[cfg(feature = "engine")]
mod differential;
mod documents;
#[cfg(feature = "engine")]
mod embed;
#[cfg(feature = "engine")]
mod faults;
#[cfg(feature = "engine")]
mod feedback;
#[cfg(feature = "engine")]
mod flow;
#[cfg(feature = "engine")]
mod frozen;
#[cfg(feature = "engine")]
mod kills;
#[cfg(feature = "engine")]
mod limits;
#[cfg(feature = "engine")]
mod mail_server;
#[cfg(feature = "engine")]
mod new;
#[cfg(feature = "engine")]
mod object_store;
#[cfg(feature = "engine")]
mod operations;
mod pages;
#[cfg(feature = "engine")]
mod policies;
#[cfg(feature = "engine")]
mod postgres;
mod program;
#[cfg(feature = "engine")]
mod project;
#[cfg(feature = "engine")]
mod prompt;
mod recovery;
mod robust;
#[cfg(feature = "engine")]
mod run;
#[cfg(feature = "engine")]
mod serve;
#[cfg(feature = "engine")]
mod sim;
#[cfg(feature = "engine")]
mod smtp;
#[cfg(feature = "engine")]
mod sources;
#[cfg(feature = "engine")]
mod start;
#[cfg(feature = "engine")]
mod stdlib;
#[cfg(feature = "engine")]
mod stop;
mod their_functions;
mod tidy;
#[cfg(feature = "engine")]
mod tpch;
#[cfg(feature = "engine")]
mod use_cases;
