//! From rendered values to the bytes of a message: addresses, templates, RFC 5322.

pub mod address;
mod compose;
mod encode;
mod html;
mod template;

pub use compose::{ComposeError, Composer, Mailbox};
pub use html::{escape_html, plain_text};
pub use template::{FieldKind, FileTemplate, TemplateError};
