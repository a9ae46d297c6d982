//! What can be wrong with an expression or a population, and what is said about it.

use crate::base::{Span, did_you_mean};
use crate::diag::codes::{names, types as codes};
use crate::diag::{Code, Problem};
use crate::syntax::ast::Name;

/// What can be wrong with an expression or a population. Types come as text, since only the program can name its entities.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum TypeProblem {
    /// Nothing has this name; `known` are the names that could have been meant, `outer` the outer row that has it.
    UnknownName {
        name: Name,
        known: Vec<String>,
        outer: Option<String>,
    },
    /// `of` completes "has no field": "`customers`".
    UnknownField {
        field: Name,
        of: String,
        known: Vec<String>,
    },
    /// A value that an enumeration, the topics or the time zones do not have.
    UnknownValue {
        written: String,
        noun: String,
        values: Vec<String>,
        about: About,
        span: Span,
    },
    /// A value of another type than is needed.
    Mismatch {
        wanted: String,
        found: String,
        advice: Advice,
        span: Span,
    },
    /// Two values that cannot be compared; `wrong` is the one that is easier to change.
    Incomparable {
        other: Side,
        wrong: Side,
        advice: Advice,
    },
    /// An operator on operands it does not work on.
    BadOperand {
        operator: String,
        operands: Vec<Side>,
        advice: Advice,
    },
    /// A `many` relation used as a value.
    ManyAsValue {
        relation: String,
        entity: String,
        declared: Span,
        advice: Advice,
        span: Span,
    },
    /// A `one` relation, or a row, used as a value.
    RowAsValue {
        row: String,
        entity: String,
        example: Option<String>,
        span: Span,
    },
    /// A population used as a value.
    PopulationAsValue {
        population: String,
        advice: Advice,
        span: Span,
    },
    /// `noun` with its article: "a message".
    NotAValue {
        name: String,
        noun: String,
        advice: Advice,
        span: Span,
    },
    /// A value used as a population.
    NotAPopulation {
        found: String,
        advice: Advice,
        span: Span,
    },
    /// `x = null`
    ComparedWithNull {
        advice: Advice,
        span: Span,
    },
    /// `x = x`
    ComparedWithItself {
        advice: Advice,
        span: Span,
    },
    /// `tier > "silver"`
    NoOrder {
        ty: String,
        about: About,
        advice: Advice,
        span: Span,
    },
    /// Months where an exact length is needed.
    NoFixedLength {
        duration: String,
        span: Span,
    },
    NotAFunction {
        name: String,
        what: Option<String>,
        advice: Advice,
        span: Span,
    },
    /// `why` is the message.
    BadArguments {
        why: String,
        usage: String,
        span: Span,
    },
    BadAggregate {
        why: String,
        advice: Advice,
        span: Span,
    },
    NeedsRow {
        define: String,
        entity: String,
        help: String,
        declared: Span,
        span: Span,
    },
    Recursion {
        path: Vec<String>,
        span: Span,
    },
    DifferentEntities {
        operator: &'static str,
        left: Side,
        right: Side,
        advice: Advice,
    },
    NotConstant {
        span: Span,
    },
    BadAmount {
        why: String,
        span: Span,
    },
    NoGroup {
        span: Span,
    },
    DuplicateColumn {
        name: Name,
        of: String,
        declared: Option<Span>,
    },
    NewNeedsBy {
        entity: String,
        span: Span,
    },
    NotPrintable {
        found: String,
        advice: Advice,
        span: Span,
    },
    /// `.unmatched` of something that loses no rows, and the like.
    NoLostRows {
        why: String,
        advice: Advice,
        span: Span,
    },
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
        use TypeProblem::*;
        match problem {
            UnknownName { name, known, outer } => unknown_name(&name, &known, outer),
            UnknownField { field, of, known } => {
                let message = format!("{of} has no field `{}`", field.text);
                let problem = Problem::error(codes::UNKNOWN_FIELD, message, field.span);
                nearest(problem, &field, &known)
            }
            UnknownValue { written, noun, values, about, span } => unknown_value(&written, &noun, &values, about, span),
            Mismatch { wanted, found, advice, span } => {
                let message = format!("{} is needed here, not {}", a(&wanted), a(&found));
                advice.to(Problem::error(codes::MISMATCH, message, span).label(format!("this is {}", a(&found))))
            }
            Incomparable { other, wrong, advice } => {
                let message = format!("{} cannot be compared with {}", a(&other.ty), a(&wrong.ty));
                let problem = Problem::error(codes::INCOMPARABLE, message, wrong.span).label(wrong.ty);
                advice.to(problem.also(other.span, other.ty))
            }
            BadOperand { operator, operands, advice } => advice.to(bad_operand(&operator, operands)),
            NoOrder { ty, about, advice, span } => {
                let name = about.name.as_ref().map_or_else(|| a(&ty), |name| format!("`{name}`"));
                let problem = Problem::error(codes::NO_ORDER, format!("{name} has no order"), span).label(ty);
                advice.to(declared(problem, about.declared))
            }
            DifferentEntities { operator, left, right, advice } => {
                let message = format!("`{operator}` needs rows of one entity, not {} and {}", left.ty, right.ty);
                let problem = Problem::error(codes::DIFFERENT_ENTITIES, message, right.span).label(right.ty);
                advice.to(problem.also(left.span, left.ty))
            }
            other => plain(other),
        }
    }
}

/// Problems about something used as what it is not.
fn plain(problem: TypeProblem) -> Problem {
    use TypeProblem::*;
    match problem {
        ManyAsValue { relation, entity, declared: place, advice, span } => {
            let message = format!("`{relation}` is many {entity}, not one value");
            let problem = Problem::error(codes::MANY_AS_VALUE, message, span);
            advice.to(declared(problem.label(format!("many {entity}")), Some(place)))
        }
        RowAsValue { row, entity, example, span } => {
            let problem =
                Problem::error(codes::ROW_AS_VALUE, format!("`{row}` is a row of `{entity}`, not a value"), span);
            match example {
                Some(field) => problem.help(format!("name one of its fields, for example `{field}`")),
                None => problem.help("name one of its fields"),
            }
        }
        PopulationAsValue { population, advice, span } => {
            advice.to(error(codes::POPULATION_AS_VALUE, format!("{population} is a population, not a value"), span))
        }
        NotAValue { name, noun, advice, span } => {
            advice.to(error(codes::NOT_A_VALUE, format!("`{name}` is {noun}, not a value"), span))
        }
        NotAPopulation { found, advice, span } => {
            let problem =
                error(codes::NOT_A_POPULATION, format!("a population is needed here, not {}", a(&found)), span);
            advice.to(problem)
        }
        ComparedWithNull { advice, span } => {
            advice.to(error(codes::COMPARED_WITH_NULL, "nothing is equal to null, not even null".to_owned(), span))
        }
        ComparedWithItself { advice, span } => {
            let problem = error(codes::COMPARED_WITH_ITSELF, "both sides are the same thing".to_owned(), span);
            advice.to(problem)
        }
        NoFixedLength { duration, span } => {
            error(codes::NO_FIXED_LENGTH, format!("`{duration}` has no fixed length: months differ"), span)
                .help("compare with a moment instead, as in `joined < ago(6mo)`, or count in days")
        }
        NotAFunction { name, what, advice, span } => {
            let message = match what {
                Some(what) => format!("`{name}` is {what}, not a function"),
                None => format!("no function is called `{name}`"),
            };
            advice.to(error(codes::NOT_A_FUNCTION, message, span))
        }
        other => shaped(other),
    }
}

/// Problems about the shape of calls, definitions and clauses.
fn shaped(problem: TypeProblem) -> Problem {
    use TypeProblem::*;
    match problem {
        BadArguments { why, usage, span } => {
            error(codes::BAD_ARGUMENTS, why, span).help(format!("it is used as `{usage}`"))
        }
        BadAggregate { why, advice, span } => advice.to(error(codes::BAD_AGGREGATE, why, span)),
        NeedsRow { define, entity, help, declared: place, span } => {
            let message = format!("`{define}` is about a row of `{entity}`, and there is none here");
            declared(error(codes::NEEDS_ROW, message, span), Some(place)).help(help)
        }
        Recursion { path, span } => {
            let message = format!("a definition cannot use itself: {}", path.join(" → "));
            error(codes::RECURSIVE_DEFINITION, message, span)
        }
        NotConstant { span } => error(codes::NOT_CONSTANT, "a constant is needed here".to_owned(), span)
            .label("this is known only when the campaign runs"),
        BadAmount { why, span } => error(codes::BAD_AMOUNT, why, span),
        NoGroup { span } => error(codes::NO_GROUP, "`group` exists only after `dedupe`".to_owned(), span)
            .help("write `... dedupe by FIELD with n = count(group)`"),
        DuplicateColumn { name, of, declared: place } => {
            let problem = error(codes::DUPLICATE_COLUMN, format!("{of} has a `{}` already", name.text), name.span);
            declared(problem, place).help("give the added column another name")
        }
        NewNeedsBy { entity, span } => {
            error(codes::NEW_NEEDS_BY, format!("`{entity}` has no key by which rows could be remembered"), span)
                .help("write `new by FIELD` with a date, a timestamp or a number that grows")
        }
        NotPrintable { found, advice, span } => {
            advice.to(error(codes::NOT_PRINTABLE, format!("{} cannot be put into a text", a(&found)), span))
        }
        NoLostRows { why, advice, span } => advice.to(error(codes::NO_LOST_ROWS, why, span)),
        // All others are handled before.
        other => error(codes::MISMATCH, "this does not fit here".to_owned(), place_of(&other)),
    }
}

/// A place for problems that never get here.
fn place_of(problem: &TypeProblem) -> Span {
    match problem {
        TypeProblem::UnknownName { name, .. } | TypeProblem::UnknownField { field: name, .. } => name.span,
        _ => Span::new(crate::base::SourceId(0), 0, 0),
    }
}

fn error(code: Code, message: String, span: Span) -> Problem {
    Problem::error(code, message, span)
}

fn declared(problem: Problem, place: Option<Span>) -> Problem {
    match place {
        Some(place) => problem.also(place, "declared here"),
        None => problem,
    }
}

/// The last operand is the primary one: it is the one that was added.
fn bad_operand(operator: &str, operands: Vec<Side>) -> Problem {
    let types: Vec<String> = operands.iter().map(|side| a(&side.ty)).collect();
    let message = format!("`{operator}` does not work on {}", types.join(" and "));
    let mut sides = operands.into_iter().rev();
    let Some(last) = sides.next() else { return Problem::outside(codes::BAD_OPERAND, message) };
    let problem = Problem::error(codes::BAD_OPERAND, message, last.span).label(last.ty);
    sides.fold(problem, |problem, side| problem.also(side.span, side.ty))
}

fn nearest(problem: Problem, name: &Name, known: &[String]) -> Problem {
    match did_you_mean(&name.text, known.iter().map(String::as_str)) {
        Some(nearest) => problem.help(format!("did you mean `{nearest}`?")).fix(name.span, nearest),
        None if known.is_empty() || known.len() > 12 => problem,
        None => problem.help(format!("it has {}", known.join(", "))),
    }
}

fn unknown_name(name: &Name, known: &[String], outer: Option<String>) -> Problem {
    let problem = Problem::error(names::UNKNOWN_NAME, format!("nothing is called `{}` here", name.text), name.span);
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

fn unknown_value(written: &str, noun: &str, values: &[String], about: About, span: Span) -> Problem {
    let message = format!("`{written}` is not {}", a(noun));
    let problem = Problem::error(codes::UNKNOWN_VALUE, message, span);
    let problem = match (&about.name, values.len()) {
        (Some(name), 1..=12) => problem.label(format!("{name} is {}", alternatives(values))),
        (None, 1..=12) => problem.label(format!("must be {}", alternatives(values))),
        _ => problem,
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
