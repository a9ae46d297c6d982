//! Codes of lexing and parsing.

super::codes! { Syntax:
    /// Something else was expected here.
    UNEXPECTED = "unexpected",
    /// A character that means nothing.
    UNKNOWN_CHARACTER = "unknown_character",
}
