//! Codes of problems outside the text: manifest, files, sources, stores.

super::codes! { Run:
    /// A key that the manifest does not know.
    UNKNOWN_MANIFEST_KEY = "unknown_manifest_key",
    /// A value of the manifest that its key cannot have.
    WRONG_MANIFEST_VALUE = "wrong_manifest_value",
    /// A manifest that is not TOML.
    MANIFEST_SYNTAX = "manifest_syntax",
    /// A profile that the manifest does not declare.
    UNKNOWN_PROFILE = "unknown_profile",
    /// A secret that is not where the manifest says.
    MISSING_SECRET = "missing_secret",
    /// A file that cannot be read or written.
    UNREADABLE_FILE = "unreadable_file",
    /// A code that no problem has.
    UNKNOWN_CODE = "unknown_code",
    /// A value on the command line that is not `NAME=VALUE`, or is given twice.
    WRONG_ARGUMENT = "wrong_argument",
}
