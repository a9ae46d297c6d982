//! Layer 5: running programs.

pub mod clock;
pub mod machine;
pub mod store;
