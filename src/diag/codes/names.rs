//! Codes of name resolution and declarations.

super::codes! { Names:
    /// A name that nothing declares.
    UNKNOWN_NAME = "unknown_name",
    /// A name that stands for another kind of thing than is needed here.
    WRONG_KIND = "wrong_kind",
    /// Two declarations with one name.
    DUPLICATE_NAME = "duplicate_name",
    /// A type that does not exist.
    UNKNOWN_TYPE = "unknown_type",
    /// A type that cannot stand here.
    MISPLACED_TYPE = "misplaced_type",
    /// An option that does not exist.
    UNKNOWN_OPTION = "unknown_option",
    /// An option, or a part of a header, written twice.
    REPEATED_OPTION = "repeated_option",
    /// An option with a value it cannot have.
    WRONG_OPTION = "wrong_option",
    /// A file that `use` or `file` names and that cannot be read.
    UNREADABLE_FILE = "unreadable_file",
    /// Files that use one another in a circle.
    USE_CYCLE = "use_cycle",
    /// An entity without a block whose columns are not known.
    UNKNOWN_SCHEMA = "unknown_schema",
    /// A relation between columns that do not fit.
    BAD_RELATION = "bad_relation",
    /// A key that cannot be one.
    BAD_KEY = "bad_key",
    /// A channel whose declaration lacks something.
    BAD_CHANNEL = "bad_channel",
    /// A message without a field that its channel needs.
    MISSING_FIELD = "missing_field",
    /// A field that the message's channel does not have.
    UNKNOWN_CHANNEL_FIELD = "unknown_channel_field",
    /// A template file that MiniJinja cannot read.
    BAD_TEMPLATE = "bad_template",
    /// A topic whose consent field the addressed rows do not have.
    MISSING_CONSENT = "missing_consent",
    /// A time zone that does not exist.
    UNKNOWN_ZONE = "unknown_zone",
    /// A policy that extends itself, or a rule that contradicts itself.
    BAD_POLICY = "bad_policy",
}
