//! Codes of lints: correct but suspicious.

super::codes! { Lints:
    /// A segment that nothing uses.
    UNUSED_SEGMENT = "unused_segment",
    /// Rows with a null are in neither side of a negative condition.
    NULL_COMPARISON = "null_comparison",
    /// A field that hides a parameter or a `let` of the same name.
    SHADOWED_NAME = "shadowed_name",
    /// A test for null, or a replacement of null, on something that is never null.
    NEVER_NULL = "never_null",
    /// An aggregate in a row's clause that does not depend on the row.
    IGNORES_ROW = "ignores_row",
    /// Something that may be null in a text.
    NULL_IN_TEXT = "null_in_text",
}
