//! Codes of lints: correct but suspicious.

super::codes! { Lints:
    /// A segment that nothing uses.
    UNUSED_SEGMENT = "unused_segment",
}
