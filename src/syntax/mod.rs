//! Layer 1: text to tree.

pub mod ast;
