//! Codes of problems outside the text: manifest, files, sources, stores.

super::codes! { Run:
    /// A key that the manifest does not know.
    UNKNOWN_MANIFEST_KEY = "unknown_manifest_key",
    /// A value of the manifest that its key cannot have.
    WRONG_MANIFEST_VALUE = "wrong_manifest_value",
    /// A manifest that is not TOML.
    MANIFEST_SYNTAX = "manifest_syntax",
    /// A profile that the manifest does not declare.
    UNKNOWN_PROFILE = "unknown_profile",
    /// A secret that is not where the manifest says.
    MISSING_SECRET = "missing_secret",
    /// A file that cannot be read or written.
    UNREADABLE_FILE = "unreadable_file",
    /// A code that no problem has.
    UNKNOWN_CODE = "unknown_code",
    /// A value on the command line that is not `NAME=VALUE`, or is given twice.
    WRONG_ARGUMENT = "wrong_argument",
    /// A key is missing or stands twice in a population.
    BAD_KEY = "bad_key",
    /// A campaign's parameter.
    BAD_PARAMETER = "bad_parameter",
    /// A channel that cannot be reached.
    CHANNEL_UNAVAILABLE = "channel_unavailable",
    /// A send without content.
    NO_MESSAGE = "no_message",
    /// A statement that is checked but cannot be run yet.
    NOT_EXECUTABLE = "not_executable",
    /// A fast-forward run on a channel that delivers.
    NOT_HARMLESS = "not_harmless",
    /// A journal that does not fit its plan.
    RECORD_MISMATCH = "record_mismatch",
    /// A run that has ended.
    RUN_IS_OVER = "run_is_over",
    /// A store that refused a write.
    STATE_BROKEN = "state_broken",
    /// A file in the state directory.
    STATE_FILE = "state_file",
    /// Another process holds the state directory.
    STATE_IN_USE = "state_in_use",
    /// A state that a newer version wrote.
    STATE_NEWER = "state_newer",
    /// A state directory that cannot be opened.
    STATE_UNREADABLE = "state_unreadable",
    /// Numbers that do not add up.
    UNBALANCED = "unbalanced",
    /// A channel without a driver.
    UNBOUND_CHANNEL = "unbound_channel",
    /// No such run.
    UNKNOWN_RUN = "unknown_run",
}
