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
    /// A name that nothing declares, asked for by `orch doc`.
    UNKNOWN_NAME = "unknown_name",
    /// A value on the command line that is not `NAME=VALUE`, or is given twice.
    WRONG_ARGUMENT = "wrong_argument",
    /// A key is missing or stands twice in a population.
    BAD_KEY = "bad_key",
    /// A campaign's parameter.
    BAD_PARAMETER = "bad_parameter",
    /// A send without content.
    NO_MESSAGE = "no_message",
    /// A statement that is checked but cannot be run yet.
    NOT_EXECUTABLE = "not_executable",
    /// A file of feedback that says something else than what happened to which message.
    BAD_FEEDBACK = "bad_feedback",
    /// A fast-forward run on a channel that delivers.
    NOT_HARMLESS = "not_harmless",
    /// A folder that is no backup, or one that is damaged.
    BAD_BACKUP = "bad_backup",
    /// A run that comes from a backup and has to be judged first.
    RESTORED = "restored",
    /// A memory of `new` in a restored state, of which nobody has said what it holds.
    MEMORY_IN_DOUBT = "memory_in_doubt",
    /// A run that cannot go on in another version of its script.
    NOT_MIGRATED = "not_migrated",
    /// A source that is older than it says it may be.
    SOURCE_STALE = "source_stale",
    /// A question that nobody is there to answer.
    NOT_CONFIRMED = "not_confirmed",
    /// Messages that cannot be asked for again.
    NOT_RETRIED = "not_retried",
    /// A journal that does not fit its plan.
    RECORD_MISMATCH = "record_mismatch",
    /// A start or a resumption while everything is paused.
    ALL_PAUSED = "all_paused",
    /// A start that `overlap` does not want, because an earlier run is still going.
    STILL_GOING = "still_going",
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
    /// A file of a source does not exist.
    SOURCE_MISSING = "source_missing",
    /// A file of a source cannot be read.
    SOURCE_UNREADABLE = "source_unreadable",
    /// A file without the line that names its columns.
    SOURCE_EMPTY = "source_empty",
    /// A file whose columns are not those declared.
    SOURCE_COLUMNS = "source_columns",
    /// A file that somebody wrote to while it was read.
    SOURCE_CHANGED = "source_changed",
    /// A source that cannot be read yet.
    SOURCE_UNSUPPORTED = "source_unsupported",
    /// An option of a source that does not exist or has a wrong value.
    SOURCE_OPTION = "source_option",
    /// A cell that is not of the declared type.
    BAD_CELL = "bad_cell",
    /// A line with too few or too many cells.
    BAD_ROW = "bad_row",
    /// More bad lines than `max_errors`.
    TOO_MANY_BAD_ROWS = "too_many_bad_rows",
    /// A quoted cell that does not end.
    OPEN_QUOTE = "open_quote",
    /// The folder for imported data cannot be written.
    CACHE_UNUSABLE = "cache_unusable",
    /// A channel names a driver that there is not.
    UNKNOWN_DRIVER = "unknown_driver",
    /// A channel's table lacks a key or has a wrong value.
    INVALID_CHANNEL = "invalid_channel",
    /// The other side of a channel cannot be reached, or its folder not written.
    CHANNEL_UNAVAILABLE = "channel_unavailable",
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
    /// A `require` that does not hold.
    REQUIRED = "required",
    /// A template that cannot be rendered.
    TEMPLATE = "template",
    /// A script without anything to run, or with several campaigns.
    NO_CAMPAIGN = "no_campaign",
    /// A path that a statement may not write to.
    EXPORT_PLACE = "export_place",
    /// A file that cannot be made as an export wants it.
    BAD_EXPORT = "bad_export",
    /// An export that must not be empty.
    NO_ROWS = "no_rows",
    /// A file that cannot be written.
    WRITE_FAILED = "write_failed",
    /// Somebody answered for a role that is not theirs.
    NOT_ALLOWED = "not_allowed",
    /// A task that nobody asked.
    UNKNOWN_TASK = "unknown_task",
    /// An audience that was never saved.
    UNKNOWN_AUDIENCE = "unknown_audience",
    /// An audience of another entity.
    OTHER_AUDIENCE = "other_audience",
    /// A memory of `new` that holds other rows.
    OTHER_MEMORY = "other_memory",
    /// A memory that there is not.
    UNKNOWN_MEMORY = "unknown_memory",
    /// A baseline that a memory cannot have.
    BAD_BASELINE = "bad_baseline",
    /// A request without the token, or with another one.
    BAD_TOKEN = "bad_token",
    /// A request that cannot be understood.
    BAD_REQUEST = "bad_request",
    /// An address at which `orch serve` cannot listen.
    CANNOT_LISTEN = "cannot_listen",
    /// A source that cannot be changed.
    READ_ONLY = "read_only",
    /// A question that was interrupted while it was computed.
    INTERRUPTED = "interrupted",
}
