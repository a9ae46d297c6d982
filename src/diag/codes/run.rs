//! Codes of problems outside the text: manifest, files, sources, stores.

super::codes! { Run:
    /// A key that the manifest does not know.
    UNKNOWN_MANIFEST_KEY = "unknown_manifest_key",
    /// A row's value could not be computed.
    BAD_VALUE = "bad_value",
    /// A frozen population lacks a column.
    NOT_KEPT = "not_kept",
    /// An expression without a plan.
    CANNOT_PLAN = "cannot_plan",
    /// Rows that cannot be read.
    UNREADABLE_ROWS = "unreadable_rows",
    /// The memory limit was reached.
    OUT_OF_MEMORY = "out_of_memory",
    /// The query engine failed.
    ENGINE = "engine",
}
