//! Codes of lexing and parsing.

super::codes! { Syntax:
    /// Something else was expected here.
    UNEXPECTED = "unexpected",
    /// A statement begins with a word that begins none.
    UNKNOWN_STATEMENT = "unknown_statement",
    /// A character that means nothing.
    UNKNOWN_CHARACTER = "unknown_character",
    /// A character that cannot be seen, in a string or comment.
    HIDDEN_CHARACTER = "hidden_character",
    /// A string without its closing quote.
    UNTERMINATED_STRING = "unterminated_string",
    /// A string in the quotes of a word processor.
    CURLY_QUOTES = "curly_quotes",
    /// A comment as other languages write it.
    FOREIGN_COMMENT = "foreign_comment",
    /// A backquoted name that is empty or has no end.
    BAD_NAME = "bad_name",
    /// A backslash before something that is no escape.
    BAD_ESCAPE = "bad_escape",
    /// A closing brace in a string without an opening one.
    LONE_BRACE = "lone_brace",
    /// A number, duration, date or time that stands for nothing.
    BAD_LITERAL = "bad_literal",
    /// An operator of another language.
    WRONG_OPERATOR = "wrong_operator",
    /// An opening bracket without its closing one.
    UNCLOSED_BRACKET = "unclosed_bracket",
    /// A closing bracket without its opening one.
    UNOPENED_BRACKET = "unopened_bracket",
    /// Brackets or operators nested beyond the limit.
    TOO_DEEP = "too_deep",
    /// A text beyond four gigabytes.
    TOO_LONG = "too_long",
    /// So many problems that the rest is not shown.
    TOO_MANY = "too_many",
    /// A set operator after which two readings are possible.
    AMBIGUOUS_SET_OPERATOR = "ambiguous_set_operator",
    /// A part of a campaign's header that does not fit its neighbours.
    MISPLACED_HEADER_PART = "misplaced_header_part",
    /// The formatter would have changed what a script means.
    NOT_FORMATTED = "not_formatted",
}
