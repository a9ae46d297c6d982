//! Codes of problems outside the text: manifest, files, sources, stores.

super::codes! { Run:
    /// A key that the manifest does not know.
    UNKNOWN_MANIFEST_KEY = "unknown_manifest_key",
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
}
