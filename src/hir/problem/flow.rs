//! Problems of flow statements.

use super::listed;
use crate::base::Span;
use crate::diag::codes::flow as codes;
use crate::diag::{Code, Problem};
use crate::syntax::ast::Name;

/// What can be wrong with a campaign's flow.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum FlowProblem {
    /// `file` is the name of the campaign that the flow statements would form.
    MixedFile {
        statement: Span,
        campaign: Span,
    },
    /// `what` completes "... cannot stand".
    Misplaced {
        what: &'static str,
        place: &'static str,
        help: &'static str,
        span: Span,
    },
    /// `ways` are `one` relations to entities that have an address.
    NoAddress {
        channel: String,
        kind: String,
        entity: String,
        ways: Vec<String>,
        span: Span,
    },
    SeveralAddresses {
        channel: String,
        candidates: Vec<String>,
        span: Span,
    },
    WrongChannel {
        message: String,
        of: String,
        sent_on: Name,
        span: Span,
    },
    WrongEntity {
        message: String,
        of: String,
        sent_to: String,
        /// The relation of these rows that leads to the right ones.
        through: Option<String>,
        span: Span,
        declared: Span,
    },
    UnlimitedWait {
        span: Span,
    },
    MissingElse {
        span: Span,
    },
    SharesOver100 {
        total: rust_decimal::Decimal,
        span: Span,
    },
    MissingValue {
        entity: String,
        fields: Vec<String>,
        span: Span,
    },
    Recursion {
        path: Vec<String>,
        span: Span,
    },
    /// Anything else: what is wrong and what to write.
    Statement {
        code: Code,
        why: String,
        help: String,
        span: Span,
    },
}

impl From<FlowProblem> for Problem {
    fn from(problem: FlowProblem) -> Self {
        use FlowProblem::*;
        match problem {
            MixedFile { statement, campaign } => {
                let message = "a file declares campaigns or is one, not both";
                Problem::error(codes::MIXED_FILE, message, statement)
                    .label("this makes the file itself a campaign")
                    .also(campaign, "a campaign is declared here")
                    .help("move the statements into a `campaign NAME { ... }`, or into a file of their own")
            }
            Misplaced { what, place, help, span } => {
                Problem::error(codes::MISPLACED_STATEMENT, format!("{what} cannot stand {place}"), span).help(help)
            }
            NoAddress { channel, kind, entity, ways, span } => no_address(&channel, &kind, &entity, &ways, span),
            SeveralAddresses { channel, candidates, span } => {
                let message = format!("several fields hold an address for channel `{channel}`");
                let first = candidates.first().map_or("email", String::as_str);
                Problem::error(codes::SEVERAL_ADDRESSES, message, span)
                    .label(listed(candidates.iter().map(String::as_str)))
                    .help(format!("say which one: `{{ address: {first} }}`"))
            }
            WrongChannel { message, of, sent_on, span } => {
                let text = format!("message `{message}` is for channel `{of}`");
                Problem::error(codes::WRONG_CHANNEL, text, span)
                    .also(sent_on.span, format!("sent on `{}`", sent_on.text))
                    .help(format!("write `send {of} {message}`, or send a message of channel `{}`", sent_on.text))
            }
            WrongEntity { message, of, sent_to, through, span, declared } => {
                let text = format!("message `{message}` is for `{of}`, these rows are `{sent_to}`");
                Problem::error(codes::WRONG_ENTITY, text, span)
                    .also(declared, format!("declared `of {of}`"))
                    .help(match through {
                        Some(relation) => format!(
                            "send to `{sent_to}.{relation}`, or declare the message without `of {of}` to check it at each send"
                        ),
                        None => format!("declare the message without `of {of}` to check it at each send"),
                    })
            }
            UnlimitedWait { span } => Problem::error(codes::UNLIMITED_WAIT, "this wait may never end", span)
                .help("limit it: `within 3d`; when that time is over the flow goes on, or takes `else { ... }`"),
            MissingElse { span } => {
                Problem::error(codes::MISSING_ELSE, "nothing says what happens when the time is over", span)
                    .help("add `else { ... }`, for example `else { stop \"no answer\" }`")
            }
            SharesOver100 { total, span } => {
                let percent = (total * rust_decimal::Decimal::ONE_HUNDRED).normalize();
                Problem::error(codes::SHARES_OVER_100, format!("the shares of this split add up to {percent}%"), span)
                    .help("shares divide what the conditional arms left; together they are at most 100%")
            }
            MissingValue { entity, fields, span } => {
                let names = listed(fields.iter().map(String::as_str));
                let first = fields.first().map_or("", String::as_str);
                let message = format!("a new row of `{entity}` needs {names}");
                Problem::error(codes::MISSING_VALUE, message, span).help(format!("add `{first} = ...` after `set`"))
            }
            Recursion { path, span } => {
                let message = format!("a procedure cannot call itself: {}", path.join(" → "));
                Problem::error(codes::RECURSION, message, span)
                    .help("use `repeat N times { ... }` to do something again")
            }
            Statement { code, why, help, span } => Problem::error(code, why, span).help(help),
        }
    }
}

fn no_address(channel: &str, kind: &str, entity: &str, ways: &[String], span: Span) -> Problem {
    if kind == "text" {
        let message = format!("channel `{channel}` cannot know which text of `{entity}` is the address");
        let help = match channel {
            "mail" => {
                "say which: `{ address: ... }`; `mail` are letters, messages to mail boxes go by `email`".to_owned()
            }
            _ => "say which: `{ address: ... }`".to_owned(),
        };
        return Problem::error(codes::NO_ADDRESS, message, span).help(help);
    }
    let message = format!("`{entity}` has no field of type `{kind}` to reach people by `{channel}`");
    let problem = Problem::error(codes::NO_ADDRESS, message, span);
    match ways {
        [] => {
            problem.help(format!("say where the address is: `{{ address: ... }}`, or give a field the type `{kind}`"))
        }
        [way] => problem.help(format!("write `{{ profile: {way} }}` to reach them through `{way}`")),
        ways => problem.help(format!(
            "say through whom: `{{ profile: ... }}` with one of {}",
            listed(ways.iter().map(String::as_str))
        )),
    }
}
