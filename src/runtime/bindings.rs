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
    /// How to reach it, if it is an object store.
    pub objects: Result<ObjectAccess, Box<Problem>>,
}

/// How to reach an object store that speaks S3. What is not said is what the environment says.
#[derive(Clone, Debug, Default)]
pub struct ObjectAccess {
    /// Where it is, such as `https://minio.shop.test:9000`; the region's own without it.
    pub endpoint: Option<String>,
    pub region: Option<String>,
    pub access_key: Option<Secret>,
    pub secret_key: Option<Secret>,
    pub session_token: Option<Secret>,
    /// Whether requests are not signed, for buckets that everybody may read.
    pub anonymous: bool,
}
