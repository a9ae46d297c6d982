//! Problems of names and declarations.

use super::{article, listed};
use crate::base::{Span, did_you_mean};
use crate::diag::codes::names as codes;
use crate::diag::{Code, Problem};
use crate::syntax::ast::Name;

/// What can be wrong with a name or a declaration.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum NameProblem {
    /// Nothing of the kind has this name; these are the names there are.
    Unknown {
        name: Name,
        kinds: &'static str,
        known: Vec<String>,
    },
    /// The name stands for a `found`.
    WrongKind {
        name: Name,
        kinds: &'static str,
        found: &'static str,
        declared: Span,
    },
    /// Declared twice in the same place.
    Duplicate {
        name: String,
        what: &'static str,
        span: Span,
        first: Span,
    },
    UnknownType {
        name: Name,
        nearest: Option<String>,
    },
    MisplacedType {
        what: String,
        place: &'static str,
        span: Span,
    },
    UnknownOption {
        name: Name,
        of: String,
        known: Vec<&'static str>,
    },
    RepeatedOption {
        name: String,
        span: Span,
        first: Span,
    },
    /// `expected` completes "must be".
    WrongOption {
        name: String,
        expected: String,
        span: Span,
    },
    UnreadableFile {
        path: String,
        reason: String,
        span: Span,
    },
    UseCycle {
        path: Vec<String>,
        span: Span,
    },
    UnknownSchema {
        entity: Name,
        reason: Option<String>,
    },
    /// A declaration that cannot be what it says it is.
    Declaration {
        code: Code,
        why: String,
        help: String,
        span: Span,
    },
    MissingField {
        message: Name,
        channel: String,
        fields: Vec<String>,
    },
    UnknownChannelField {
        name: Name,
        channel: String,
        known: Vec<String>,
    },
}

impl From<NameProblem> for Problem {
    fn from(problem: NameProblem) -> Self {
        use NameProblem::*;
        match problem {
            Unknown { name, kinds, known } => unknown(&name, kinds, &known),
            WrongKind { name, kinds, found, declared } => {
                let message = format!("`{}` is {}, not {}", name.text, article(found), article(kinds));
                Problem::error(codes::WRONG_KIND, message, name.span)
                    .label(format!("{} is needed here", article(kinds)))
                    .also(declared, "declared here")
            }
            Duplicate { name, what, span, first } => duplicate(&name, what, span, first),
            UnknownType { name, nearest } => unknown_type(&name, nearest),
            MisplacedType { what, place, span } => {
                let problem =
                    Problem::error(codes::MISPLACED_TYPE, format!("{what} cannot be the type of {place}"), span);
                match place {
                    "a field" => {
                        problem.help("a relation says by which field it is known: `orders: many orders by customer_id`")
                    }
                    _ => problem,
                }
            }
            UnknownOption { name, of, known } => unknown_option(&name, &of, &known),
            RepeatedOption { name, span, first } => {
                Problem::error(codes::REPEATED_OPTION, format!("`{name}` is given twice"), span)
                    .also(first, "given here first")
                    .help("remove one of them")
            }
            WrongOption { name, expected, span } => {
                Problem::error(codes::WRONG_OPTION, format!("`{name}` must be {expected}"), span)
            }
            UnreadableFile { path, reason, span } => {
                let problem =
                    Problem::error(codes::UNREADABLE_FILE, format!("`{path}` cannot be read"), span).label(reason);
                match path.contains('.') {
                    true => {
                        problem.help("paths are relative to the script, or begin with `/` for the project's folder")
                    }
                    false => problem.help(format!("files have an ending: `\"{path}.orch\"`")),
                }
            }
            UseCycle { path, span } => Problem::error(
                codes::USE_CYCLE,
                format!("files use one another in a circle: {}", path.join(" → ")),
                span,
            )
            .help("move what they share into a file that uses neither"),
            UnknownSchema { entity, reason } => unknown_schema(&entity, reason),
            Declaration { code, why, help, span } => Problem::error(code, why, span).help(help),
            MissingField { message, channel, fields } => missing_field(&message, &channel, &fields),
            UnknownChannelField { name, channel, known } => unknown_channel_field(&name, &channel, &known),
        }
    }
}

/// More names than this are no help.
const FEW: usize = 8;

fn unknown(name: &Name, kinds: &'static str, known: &[String]) -> Problem {
    let problem = Problem::error(codes::UNKNOWN_NAME, format!("no {kinds} is called `{}`", name.text), name.span);
    let names = || known.iter().map(String::as_str);
    if kinds == "module" && name.text.ends_with(".orch") {
        let right = format!("\"{}\"", name.text);
        return problem.help(format!("a file stands in quotes: `use {right}`")).fix(name.span, right);
    }
    match did_you_mean(&name.text, names()) {
        Some(nearest) => problem.help(format!("did you mean `{nearest}`?")).fix(name.span, nearest),
        None if known.is_empty() => problem.help(format!("there is no {kinds} at all")),
        None if known.len() <= FEW => problem.help(format!("there {} {}", be(known.len()), listed(names()))),
        None => problem,
    }
}

fn be(number: usize) -> &'static str {
    if number == 1 { "is" } else { "are" }
}

fn duplicate(name: &str, what: &str, span: Span, first: Span) -> Problem {
    Problem::error(codes::DUPLICATE_NAME, format!("`{name}` is {what} already"), span)
        .also(first, "declared here first")
        .help("give one of them another name")
}

fn unknown_type(name: &Name, nearest: Option<String>) -> Problem {
    let problem = Problem::error(codes::UNKNOWN_TYPE, format!("there is no type `{}`", name.text), name.span);
    match nearest {
        Some(nearest) => problem.help(format!("write `{nearest}`")).fix(name.span, nearest),
        None => problem.help(
            "types are bool, int, decimal, float, text, date, time, timestamp, duration, email, phone and others",
        ),
    }
}

fn unknown_option(name: &Name, of: &str, known: &[&'static str]) -> Problem {
    let problem = Problem::error(codes::UNKNOWN_OPTION, format!("{of} has no option `{}`", name.text), name.span);
    if of == "a send"
        && ["subject", "text", "html", "body", "title", "preheader", "content"].contains(&name.text.as_str())
    {
        let help = "a message holds that: declare `message email NAME { ... }`, and write `send email NAME to ...`";
        return problem.help(help);
    }
    const OTHERS: [(&str, &str); 7] = [
        ("separator", "delimiter"),
        ("sep", "delimiter"),
        ("charset", "encoding"),
        ("quotechar", "quote"),
        ("headers", "header"),
        ("errors", "on_error"),
        ("time", "at"),
    ];
    let other = OTHERS.iter().find(|(theirs, ours)| *theirs == name.text && known.contains(ours));
    match other.map(|(_, ours)| *ours).or_else(|| did_you_mean(&name.text, known.iter().copied())) {
        Some(nearest) => problem.help(format!("did you mean `{nearest}`?")).fix(name.span, nearest),
        None => problem.help(format!("known are {}", listed(known.iter().copied()))),
    }
}

fn unknown_schema(entity: &Name, reason: Option<String>) -> Problem {
    let message = format!("the columns of `{}` are not known", entity.text);
    let problem = Problem::error(codes::UNKNOWN_SCHEMA, message, entity.span);
    let problem = match reason {
        Some(reason) => problem.label(reason),
        None => problem.label("has neither a block nor a source that tells them"),
    };
    problem.help(format!("declare them: `entity {} from ... {{ id: int key }}`", entity.text))
}

fn missing_field(message: &Name, channel: &str, fields: &[String]) -> Problem {
    let names = fields.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(" or ");
    let text = format!("message `{}` has no {names}, which channel `{channel}` needs", message.text);
    let first = fields.first().map_or("text", String::as_str);
    Problem::error(codes::MISSING_FIELD, text, message.span).help(format!("add a line `{first}: \"...\"`"))
}

fn unknown_channel_field(name: &Name, channel: &str, known: &[String]) -> Problem {
    let message = format!("messages of channel `{channel}` have no field `{}`", name.text);
    let problem = Problem::error(codes::UNKNOWN_CHANNEL_FIELD, message, name.span);
    let other = match name.text.to_lowercase().as_str() {
        "body" | "content" | "message" | "plain" => ["text", "body"],
        "title" | "object" | "betreff" | "headline" => ["subject", "title"],
        "text" => ["body", "text"],
        _ => ["", ""],
    };
    let other = other.into_iter().find(|other| known.iter().any(|field| field == other));
    if let Some(other) = other {
        return problem.help(format!("that is called `{other}` there")).fix(name.span, other);
    }
    match did_you_mean(&name.text, known.iter().map(String::as_str)) {
        Some(nearest) => problem.help(format!("did you mean `{nearest}`?")).fix(name.span, nearest),
        None => problem.help(format!("its fields are {}", listed(known.iter().map(String::as_str)))),
    }
}
