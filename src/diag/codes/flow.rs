//! Codes about the shape of campaigns.

super::codes! { Flow:
    /// A file that declares campaigns and also has flow statements at top level.
    MIXED_FILE = "mixed_file",
    /// A statement where it cannot stand.
    MISPLACED_STATEMENT = "misplaced_statement",
    /// A send to rows that have no field with an address for the channel.
    NO_ADDRESS = "no_address",
    /// A send to rows that have several fields with an address for the channel.
    SEVERAL_ADDRESSES = "several_addresses",
    /// A profile that is not reached through `one` relations.
    BAD_PROFILE = "bad_profile",
    /// A message sent on a channel it was not written for.
    WRONG_CHANNEL = "wrong_channel",
    /// A message sent to rows it was not written for.
    WRONG_ENTITY = "wrong_entity",
    /// A wait for something that may never happen.
    UNLIMITED_WAIT = "unlimited_wait",
    /// A limit of time without saying what happens then.
    MISSING_ELSE = "missing_else",
    /// A wait that cannot be one.
    BAD_WAIT = "bad_wait",
    /// Arms of a split that contradict one another.
    BAD_SPLIT = "bad_split",
    /// Shares of a split over 100%.
    SHARES_OVER_100 = "shares_over_100",
    /// A schedule that never starts, or a header that contradicts itself.
    BAD_SCHEDULE = "bad_schedule",
    /// An argument too many, too few or of another name.
    BAD_ARGUMENTS = "bad_arguments",
    /// A procedure that calls itself.
    RECURSION = "recursion",
    /// Procedures that call one another too deeply or too often.
    TOO_MANY_CALLS = "too_many_calls",
    /// A write that cannot be done.
    BAD_WRITE = "bad_write",
    /// A field that a new row needs and that is not set.
    MISSING_VALUE = "missing_value",
    /// A loop without a bound, or over something that is no list.
    BAD_LOOP = "bad_loop",
    /// A line of a test that cannot be one.
    BAD_TEST = "bad_test",
}
