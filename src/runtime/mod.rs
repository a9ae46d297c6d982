//! Layer 5: what happens between a checked program and a delivered message.

pub mod channels;
pub mod clock;
pub mod machine;
mod observe;
pub mod sources;
pub mod store;

pub use observe::{Observer, Progress, Silent};
pub mod content;
