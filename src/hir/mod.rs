//! Layer 2: what a program means.
//!
//! Names are ids, every expression has a type, sugar is gone. This tree holds no source text and knows nothing of the
//! query engine. It is made by name resolution and type checking, which never fail: they return a [`Program`] and the
//! problems they found, and a wrong piece becomes a poisoned node ([`TyKind::Error`], [`ExprKind::Error`]) so that it
//! is reported once.

pub(crate) mod check;
mod environment;
mod expr;
mod lints;
pub(crate) mod problem;
mod program;
mod query;
pub mod schedule;
mod schema;
mod template;
mod ty;
mod value;
pub mod visit;
mod walk;

pub use check::check_program;
#[cfg(feature = "engine")]
pub(crate) use check::quoted_name;
pub(crate) use environment::resolve_path;
pub use environment::{Environment, ParsedFile};
pub use expr::*;
pub use program::*;
pub use query::*;
pub use schema::*;
pub use ty::*;
pub use walk::{ColumnMap, map_columns, visit_expr, visit_query};
