//! Layer 4: what will be done: the engine's plan of every population, and the functions it calls.

#[cfg(feature = "engine")]
pub mod functions;
#[cfg(feature = "engine")]
pub mod query;
