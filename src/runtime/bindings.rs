//! What the manifest binds names of a program to, besides channels.

use super::channels::Secret;
use crate::diag::Problem;

/// Whom `alert "..." to NAME` tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AlertTarget {
    /// The channel that carries it.
    pub channel: String,
    /// Addresses.
    pub to: Vec<String>,
}

/// What `from NAME.table` means.
#[derive(Clone, Debug)]
pub struct SourceBinding {
    /// Where it is, or why that is not known: a secret is looked up in vain only when the source is used.
    pub url: Result<Secret, Box<Problem>>,
    /// Whether programs may change it.
    pub writable: bool,
}
