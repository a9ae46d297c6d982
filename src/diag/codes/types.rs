//! Codes of type checking.

super::codes! { Types:
    /// A field that the entity does not have.
    UNKNOWN_FIELD = "unknown_field",
    /// A value outside an enumeration, a topic or a time zone that does not exist.
    UNKNOWN_VALUE = "unknown_value",
    /// A value of another type than is needed.
    MISMATCH = "mismatch",
    /// Two values that cannot be compared.
    INCOMPARABLE = "incomparable",
    /// An operator on values it does not work on.
    BAD_OPERAND = "bad_operand",
    /// A `many` relation where one value is needed.
    MANY_AS_VALUE = "many_as_value",
    /// A row where one of its fields is needed.
    ROW_AS_VALUE = "row_as_value",
    /// A population where one value is needed.
    POPULATION_AS_VALUE = "population_as_value",
    /// A name that is no value: a message, a channel, a function without arguments.
    NOT_A_VALUE = "not_a_value",
    /// A value where a population is needed.
    NOT_A_POPULATION = "not_a_population",
    /// A comparison with `null`.
    COMPARED_WITH_NULL = "compared_with_null",
    /// A comparison of a thing with itself.
    COMPARED_WITH_ITSELF = "compared_with_itself",
    /// Values without an order.
    NO_ORDER = "no_order",
    /// Months where an exact length of time is needed.
    NO_FIXED_LENGTH = "no_fixed_length",
    /// A division by a literal zero.
    DIVISION_BY_ZERO = "division_by_zero",
    /// Something called that is no function.
    NOT_A_FUNCTION = "not_a_function",
    /// Arguments that are missing, too many, or named wrongly.
    BAD_ARGUMENTS = "bad_arguments",
    /// An aggregate over something that is no rows, or of nothing.
    BAD_AGGREGATE = "bad_aggregate",
    /// A definition for rows of an entity, used where there is no such row.
    NEEDS_ROW = "needs_row",
    /// A definition that uses itself.
    RECURSIVE_DEFINITION = "recursive_definition",
    /// Definitions whose uses multiply or nest beyond measure.
    EXPANDS_TOO_FAR = "expands_too_far",
    /// Set operators between populations of different entities.
    DIFFERENT_ENTITIES = "different_entities",
    /// Something computed where a constant is needed.
    NOT_CONSTANT = "not_constant",
    /// `limit`, `sample` or `keep` with something that is no amount.
    BAD_AMOUNT = "bad_amount",
    /// `group` without a `dedupe` before it.
    NO_GROUP = "no_group",
    /// An added column with the name of one that is there already.
    DUPLICATE_COLUMN = "duplicate_column",
    /// `new` on rows that have no key, without `by`.
    NEW_NEEDS_BY = "new_needs_by",
    /// `new` elsewhere than in the population of a segment.
    NEW_PLACE = "new_place",
    /// Something in a string that cannot be put into text.
    NOT_PRINTABLE = "not_printable",
    /// `.unmatched`, `.rejected` or feedback of something that has none.
    NO_LOST_ROWS = "no_lost_rows",
}
