//! Layer 0: where text lives and how places in it are named.

pub mod civil;
mod line_index;
mod source;
mod span;
mod suggest;
mod system;

pub use line_index::{LineColumn, LineIndex};
pub use source::{SourceFile, SourceMap};
pub use span::{SourceId, Span};
pub use suggest::did_you_mean;
pub use system::plain_reason;
