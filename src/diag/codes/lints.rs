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
    /// Statements that are never reached.
    UNREACHABLE = "unreachable",
    /// An arm of a split that no row can reach.
    UNREACHABLE_ARM = "unreachable_arm",
    /// A refused approval after which the flow goes on.
    REFUSAL_GOES_ON = "refusal_goes_on",
    /// One message sent twice to populations that may overlap.
    REPEATED_MESSAGE = "repeated_message",
    /// A wait for a person or a signal without a limit.
    UNLIMITED_WAIT = "unlimited_wait",
    /// A send without a topic.
    NO_TOPIC = "no_topic",
    /// A send without a message.
    PLACEHOLDER_MESSAGE = "placeholder_message",
    /// A `delete` of a whole entity.
    DELETE_ALL = "delete_all",
    /// Feedback that the channel cannot know.
    UNKNOWABLE_FEEDBACK = "unknowable_feedback",
    /// A run that lasts longer than the time to its next start.
    LONGER_THAN_PERIOD = "longer_than_period",
    /// An expression in a template file that may be null.
    NULL_IN_TEMPLATE = "null_in_template",
    /// `{{` in a string next to a field's name: a habit from other template languages.
    DOUBLE_BRACES = "double_braces",
    /// `and` beside `or` without parentheses.
    MIXED_AND_OR = "mixed_and_or",
    /// A key of `dedupe` that may be null.
    NULL_KEY = "null_key",
    /// A condition on a column that was frozen before a wait.
    FROZEN_FILTER = "frozen_filter",
    /// A file that several runs of one day replace.
    REPLACED_EXPORT = "replaced_export",
    /// `now()` where it can never be right.
    NOW_MISUSED = "now_misused",
}
