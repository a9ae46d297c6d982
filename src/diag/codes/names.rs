//! Codes of name resolution.

super::codes! { Names:
    /// A name that nothing declares.
    UNKNOWN_NAME = "unknown_name",
}
