//! What can be wrong with an expression or a population, and what is said about it.

use crate::base::{Span, did_you_mean};
use crate::diag::codes::{names, types as codes};
use crate::diag::{Code, Problem};
use crate::syntax::ast::Name;

/// What can be wrong with an expression or a population. Types come as text, since only the program can name its entities.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub(crate) enum TypeProblem {
    /// Nothing has this name; `known` are the names that could have been meant, `outer` the outer row that has it.
    #[error("nothing is called `{}` here", .name.text)]
    UnknownName { name: Name, known: Vec<String>, outer: Option<String>, advice: Advice },
    /// `of` names whose field it should be: "`customers`", "a decimal".
    #[error("{of} has no field `{}`", .field.text)]
    UnknownField { field: Name, of: String, known: Vec<String>, advice: Advice },
    /// A module of the library, by the name it has here, and what it has.
    #[error("the module `{module}` has no `{}`", .name.text)]
    UnknownInModule { module: String, name: Name, known: Vec<String> },
    /// A value that an enumeration, the topics or the time zones do not have.
    #[error("`{written}` is not {}", a(.noun))]
    UnknownValue { written: String, noun: String, values: Vec<String>, about: About, span: Span },
    /// A value of another type than is needed.
    #[error("{} is needed here, not {}", a(.wanted), a(.found))]
    Mismatch { wanted: String, found: String, advice: Advice, span: Span },
    /// Two values that cannot be compared; `wrong` is the one that is easier to change.
    #[error("{} cannot be compared with {}", a(&.other.ty), a(&.wrong.ty))]
    Incomparable { other: Side, wrong: Side, advice: Advice },
    /// An operator on operands it does not work on, in the order written.
    #[error("`{operator}` does not work on {}", types(.before, .last))]
    BadOperand { operator: String, before: Vec<Side>, last: Side, advice: Advice },
    /// A `many` relation used as a value.
    #[error("`{relation}` is many {entity}, not one value")]
    ManyAsValue { relation: String, entity: String, declared: Span, advice: Advice, span: Span },
    /// A `one` relation, or a row, used as a value.
    #[error("`{row}` is a row of `{entity}`, not a value")]
    RowAsValue { row: String, entity: String, advice: Advice, span: Span },
    /// A population used as a value.
    #[error("{population} is a population, not a value")]
    PopulationAsValue { population: String, advice: Advice, span: Span },
    /// `noun` with its article: "a message".
    #[error("`{name}` is {noun}, not a value")]
    NotAValue { name: String, noun: String, advice: Advice, span: Span },
    /// A value used as a population.
    #[error("a population is needed here, not {}", a(.found))]
    NotAPopulation { found: String, advice: Advice, span: Span },
    /// `x = null`
    #[error("nothing is equal to null, not even null")]
    ComparedWithNull { advice: Advice, span: Span },
    /// `x = x`
    #[error("both sides are the same thing")]
    ComparedWithItself { advice: Advice, span: Span },
    /// `tier > "silver"`
    #[error("{} has no order", .about.name.as_ref().map_or_else(|| a(.ty), |name| format!("`{name}`")))]
    NoOrder { ty: String, about: About, advice: Advice, span: Span },
    /// Months where an exact length is needed.
    #[error("`{duration}` has no fixed length: months differ")]
    NoFixedLength { duration: String, span: Span },
    /// `x / 0`
    #[error("nothing can be divided by zero")]
    DivisionByZero { span: Span },
    /// Something called that is no function; `what` it is instead.
    #[error("{}", not_a_function(.name, .what.as_deref()))]
    NotAFunction { name: String, what: Option<String>, advice: Advice, span: Span },
    #[error("{why}")]
    BadArguments { why: String, usage: String, span: Span },
    #[error("{why}")]
    BadAggregate { why: String, advice: Advice, span: Span },
    #[error("`{define}` is about a row of `{entity}`, and there is none here")]
    NeedsRow { define: String, entity: String, help: String, declared: Span, span: Span },
    #[error("a definition cannot use itself: {}", .path.join(" → "))]
    Recursion { path: Vec<String>, span: Span },
    /// Definitions whose uses multiply or nest beyond measure.
    #[error("definitions make this too large")]
    ExpandsTooFar { span: Span },
    /// `country = "FR" or "DE"`
    #[error("a condition is needed behind `{word}`, not a value")]
    ValueInChain { word: &'static str, advice: Advice, span: Span },
    /// `a and b` of populations.
    #[error("`{word}` does not combine populations")]
    CombinedPopulations { word: &'static str, advice: Advice, span: Span },
    #[error("`{operator}` needs rows of one entity, not {} and {}", .left.ty, .right.ty)]
    DifferentEntities { operator: &'static str, left: Side, right: Side, advice: Advice },
    #[error("a constant is needed here")]
    NotConstant { span: Span },
    #[error("{why}")]
    BadAmount { why: String, span: Span },
    #[error("`group` exists only after `dedupe`")]
    NoGroup { span: Span },
    #[error("{of} has a `{}` already", .name.text)]
    DuplicateColumn { name: Name, of: String, declared: Option<Span> },
    #[error("`{entity}` has no key by which rows could be remembered")]
    NewNeedsBy { entity: String, span: Span },
    /// `new` elsewhere than in a segment of its own.
    #[error("`new` cannot stand {place}")]
    NewPlace { place: &'static str, help: &'static str, span: Span },
    #[error("{} cannot be put into a text", a(.found))]
    NotPrintable { found: String, advice: Advice, span: Span },
    /// `.unmatched` of something that loses no rows, and the like.
    #[error("{why}")]
    NoLostRows { why: String, advice: Advice, span: Span },
}

/// What a value belongs to, for a label: a field's name, its type and where it was declared.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct About {
    pub name: Option<String>,
    pub declared: Option<Span>,
}

/// An operand: what it is and where.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Side {
    pub ty: String,
    pub span: Span,
}

/// What to write instead.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) enum Advice {
    #[default]
    None,
    /// In words.
    Say(String),
    /// The exact replacement of a piece of source, shown as "write `...`" with an optional rest of the sentence.
    Write { replacement: String, at: Span, why: &'static str },
}

impl Advice {
    /// "write `replacement`".
    pub fn write(replacement: impl Into<String>, at: Span) -> Self {
        Self::Write { replacement: replacement.into(), at, why: "" }
    }

    /// "write `replacement` WHY".
    pub fn write_to(replacement: impl Into<String>, at: Span, why: &'static str) -> Self {
        Self::Write { replacement: replacement.into(), at, why }
    }

    /// A sentence.
    pub fn say(text: impl Into<String>) -> Self {
        Self::Say(text.into())
    }

    /// Adds it to a problem.
    pub fn to(self, problem: Problem) -> Problem {
        match self {
            Advice::None => problem,
            Advice::Say(text) => problem.help(text),
            Advice::Write { replacement, at, why } => {
                let space = if why.is_empty() { "" } else { " " };
                problem.help(format!("write `{replacement}`{space}{why}")).fix(at, replacement)
            }
        }
    }
}

impl From<TypeProblem> for Problem {
    fn from(problem: TypeProblem) -> Self {
        let plain = Problem::error(problem.code(), problem.to_string(), problem.span());
        problem.explain(plain)
    }
}

impl TypeProblem {
    fn code(&self) -> Code {
        use TypeProblem::*;
        match self {
            UnknownName { .. } | UnknownInModule { .. } => names::UNKNOWN_NAME,
            UnknownField { .. } => codes::UNKNOWN_FIELD,
            UnknownValue { .. } => codes::UNKNOWN_VALUE,
            Mismatch { .. } | ValueInChain { .. } => codes::MISMATCH,
            CombinedPopulations { .. } => codes::NOT_A_POPULATION,
            Incomparable { .. } => codes::INCOMPARABLE,
            BadOperand { .. } => codes::BAD_OPERAND,
            ManyAsValue { .. } => codes::MANY_AS_VALUE,
            RowAsValue { .. } => codes::ROW_AS_VALUE,
            PopulationAsValue { .. } => codes::POPULATION_AS_VALUE,
            NotAValue { .. } => codes::NOT_A_VALUE,
            NotAPopulation { .. } => codes::NOT_A_POPULATION,
            ComparedWithNull { .. } => codes::COMPARED_WITH_NULL,
            ComparedWithItself { .. } => codes::COMPARED_WITH_ITSELF,
            NoOrder { .. } => codes::NO_ORDER,
            NoFixedLength { .. } => codes::NO_FIXED_LENGTH,
            DivisionByZero { .. } => codes::DIVISION_BY_ZERO,
            NotAFunction { .. } => codes::NOT_A_FUNCTION,
            BadArguments { .. } => codes::BAD_ARGUMENTS,
            BadAggregate { .. } => codes::BAD_AGGREGATE,
            NeedsRow { .. } => codes::NEEDS_ROW,
            Recursion { .. } => codes::RECURSIVE_DEFINITION,
            ExpandsTooFar { .. } => codes::EXPANDS_TOO_FAR,
            DifferentEntities { .. } => codes::DIFFERENT_ENTITIES,
            NotConstant { .. } => codes::NOT_CONSTANT,
            BadAmount { .. } => codes::BAD_AMOUNT,
            NoGroup { .. } => codes::NO_GROUP,
            DuplicateColumn { .. } => codes::DUPLICATE_COLUMN,
            NewNeedsBy { .. } => codes::NEW_NEEDS_BY,
            NewPlace { .. } => codes::NEW_PLACE,
            NotPrintable { .. } => codes::NOT_PRINTABLE,
            NoLostRows { .. } => codes::NO_LOST_ROWS,
        }
    }

    /// The smallest wrong piece.
    fn span(&self) -> Span {
        use TypeProblem::*;
        match self {
            UnknownName { name, .. }
            | UnknownField { field: name, .. }
            | UnknownInModule { name, .. }
            | DuplicateColumn { name, .. } => name.span,
            Incomparable { wrong: side, .. }
            | BadOperand { last: side, .. }
            | DifferentEntities { right: side, .. } => side.span,
            UnknownValue { span, .. }
            | Mismatch { span, .. }
            | ValueInChain { span, .. }
            | CombinedPopulations { span, .. }
            | ManyAsValue { span, .. }
            | RowAsValue { span, .. }
            | PopulationAsValue { span, .. }
            | NotAValue { span, .. }
            | NotAPopulation { span, .. }
            | ComparedWithNull { span, .. }
            | ComparedWithItself { span, .. }
            | NoOrder { span, .. }
            | NoFixedLength { span, .. }
            | DivisionByZero { span }
            | NotAFunction { span, .. }
            | BadArguments { span, .. }
            | BadAggregate { span, .. }
            | NeedsRow { span, .. }
            | Recursion { span, .. }
            | ExpandsTooFar { span }
            | NotConstant { span }
            | BadAmount { span, .. }
            | NoGroup { span }
            | NewNeedsBy { span, .. }
            | NewPlace { span, .. }
            | NotPrintable { span, .. }
            | NoLostRows { span, .. } => *span,
        }
    }

    /// Adds labels and help.
    fn explain(self, problem: Problem) -> Problem {
        use TypeProblem::*;
        match self {
            UnknownName { advice, .. } | UnknownField { advice, .. } if advice != Advice::None => advice.to(problem),
            UnknownName { name, known, outer, .. } => unknown_name(problem, &name, &known, outer),
            UnknownField { field, known, .. } | UnknownInModule { name: field, known, .. } => {
                nearest(problem, &field, &known)
            }
            UnknownValue { written, values, about, span, .. } => unknown_value(problem, &written, &values, about, span),
            Mismatch { found, advice, .. } => advice.to(problem.label(format!("this is {}", a(&found)))),
            Incomparable { other, wrong, advice } => advice.to(problem.label(wrong.ty).also(other.span, other.ty)),
            BadOperand { before, last, advice, .. } => {
                let others = before.into_iter().rev();
                advice.to(others.fold(problem.label(last.ty), |problem, side| problem.also(side.span, side.ty)))
            }
            ManyAsValue { entity, declared: place, advice, .. } => {
                advice.to(declared(problem.label(format!("many {entity}")), Some(place)))
            }
            NoOrder { ty, about, advice, .. } => advice.to(declared(problem.label(ty), about.declared)),
            DifferentEntities { left, right, advice, .. } => {
                advice.to(problem.label(right.ty).also(left.span, left.ty))
            }
            BadArguments { usage, .. } => problem.help(format!("it is used as `{usage}`")),
            NeedsRow { help, declared: place, .. } => declared(problem, Some(place)).help(help),
            DuplicateColumn { declared: place, .. } => {
                declared(problem, place).help("give the added column another name")
            }
            NoFixedLength { .. } => {
                problem.help("compare with a moment instead, as in `joined < ago(6mo)`, or count in days")
            }
            ExpandsTooFar { .. } => problem.help(
                "a definition is put in wherever it is used: bind the value once with `let` or `with`, and use that",
            ),
            NotConstant { .. } => problem.label("this is known only when the campaign runs"),
            NoGroup { .. } => problem.help("write `... dedupe by FIELD with n = count(group)`"),
            NewNeedsBy { .. } => problem.help("write `new by FIELD` with a date, a timestamp or a number that grows"),
            NewPlace { help, .. } => problem.help(help),
            Recursion { .. } | BadAmount { .. } | DivisionByZero { .. } => problem,
            RowAsValue { advice, .. }
            | ValueInChain { advice, .. }
            | CombinedPopulations { advice, .. }
            | PopulationAsValue { advice, .. }
            | NotAValue { advice, .. }
            | NotAPopulation { advice, .. }
            | ComparedWithNull { advice, .. }
            | ComparedWithItself { advice, .. }
            | NotAFunction { advice, .. }
            | BadAggregate { advice, .. }
            | NotPrintable { advice, .. }
            | NoLostRows { advice, .. } => advice.to(problem),
        }
    }
}

fn not_a_function(name: &str, what: Option<&str>) -> String {
    match what {
        Some(what) => format!("`{name}` is {what}, not a function"),
        None => format!("no function is called `{name}`"),
    }
}

/// `a date and an int`
fn types(before: &[Side], last: &Side) -> String {
    before.iter().chain([last]).map(|side| a(&side.ty)).collect::<Vec<_>>().join(" and ")
}

fn declared(problem: Problem, place: Option<Span>) -> Problem {
    match place {
        Some(place) => problem.also(place, "declared here"),
        None => problem,
    }
}

fn nearest(problem: Problem, name: &Name, known: &[String]) -> Problem {
    match did_you_mean(&name.text, known.iter().map(String::as_str)) {
        Some(nearest) => problem.help(format!("did you mean `{nearest}`?")).fix(name.span, nearest),
        None if known.is_empty() || known.len() > 12 => problem,
        None => problem.help(format!("it has {}", known.join(", "))),
    }
}

fn unknown_name(problem: Problem, name: &Name, known: &[String], outer: Option<String>) -> Problem {
    if let Some(qualified) = outer {
        let problem = problem.fix(name.span, qualified.clone());
        return problem.help(format!("write `{qualified}` for the field of the outer row"));
    }
    const FEEDBACK: [&str; 6] = ["sent", "delivered", "opened", "clicked", "bounced", "excluded"];
    match did_you_mean(&name.text, known.iter().map(String::as_str)) {
        Some(nearest) => problem.help(format!("did you mean `{nearest}`?")).fix(name.span, nearest),
        None if FEEDBACK.contains(&name.text.as_str()) => problem
            .help(format!("it belongs to a send: name that with `send ... as NAME`, and write `NAME.{}`", name.text)),
        None => problem,
    }
}

fn unknown_value(problem: Problem, written: &str, values: &[String], about: About, span: Span) -> Problem {
    let listed = alternatives(values);
    let problem = match &about.name {
        _ if values.is_empty() || listed.len() > 70 => problem,
        Some(name) => problem.label(format!("{name} is {listed}")),
        None => problem.label(format!("must be {listed}")),
    };
    let problem = declared(problem, about.declared);
    match did_you_mean(written, values.iter().map(String::as_str)) {
        Some(nearest) => problem.help(format!("did you mean \"{nearest}\"?")).fix(span, format!("\"{nearest}\"")),
        None => problem,
    }
}

fn alternatives(values: &[String]) -> String {
    values.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>().join(" | ")
}

/// A noun or a type with its article: `an int`, `a date`, but `text` and `"a" | "b"` without one.
pub(crate) fn a(noun: &str) -> String {
    let bare = ["text", "json", "html", "null", "rows with", "many ", "several "];
    if bare.iter().any(|word| noun.starts_with(word)) || noun.starts_with('"') || noun.starts_with("a ") {
        return noun.to_owned();
    }
    let vowel = noun.starts_with(['a', 'e', 'i', 'o']);
    format!("{} {noun}", if vowel { "an" } else { "a" })
}

/// `an argument `name``
pub(crate) fn a_word(noun: &str, name: &str) -> String {
    format!("{} `{name}`", a(noun))
}
