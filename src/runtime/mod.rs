//! Layer 5: everything that touches the world while a program runs.

pub mod sources;
