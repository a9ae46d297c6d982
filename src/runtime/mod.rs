//! Layer 5: what happens between a checked program and a delivered message.

pub mod channels;
pub mod content;
