//! Codes of problems outside the text: manifest, files, sources, stores.

super::codes! { Run:
    /// A key that the manifest does not know.
    UNKNOWN_MANIFEST_KEY = "unknown_manifest_key",
}
