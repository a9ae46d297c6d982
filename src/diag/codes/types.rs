//! Codes of type checking.

super::codes! { Types:
    /// A field that the entity does not have.
    UNKNOWN_FIELD = "unknown_field",
}
