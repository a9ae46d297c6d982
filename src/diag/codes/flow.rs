//! Codes about the shape of campaigns.

super::codes! { Flow:
    /// A file that declares campaigns and also has flow statements at top level.
    MIXED_FILE = "mixed_file",
}
