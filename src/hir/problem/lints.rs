//! What is correct but suspicious.

use super::ValueLint;
use crate::base::Span;
use crate::diag::Problem;
use crate::diag::codes::lints as codes;

/// A suspicious thing.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Lint {
    UnusedSegment { name: String, what: &'static str, span: Span },
    Unreachable { span: Span, after: Span, because: &'static str },
    UnreachableArm { name: String, span: Span, because: Span, what: &'static str, help: &'static str },
    RefusalGoesOn { what: &'static str, span: Span },
    RepeatedMessage { message: String, span: Span, first: Span, overlap: Option<String> },
    UnlimitedWait { span: Span },
    NoTopic { span: Span },
    PlaceholderMessage { channel: String, span: Span },
    DeleteAll { entity: String, span: Span },
    UnknowableFeedback { channel: String, kind: &'static str, span: Span },
    LongerThanPeriod { span: Span, schedule: Span },
    NullInTemplate { variable: String, path: String, line: u32, span: Span },
    Value(ValueLint),
}

impl From<Lint> for Problem {
    fn from(lint: Lint) -> Self {
        use Lint::*;
        match lint {
            UnusedSegment { name, what, span } => {
                Problem::warning(codes::UNUSED_SEGMENT, format!("{what} `{name}` is never used"), span)
                    .help(format!("remove it, or call it `_{name}` if that is on purpose"))
            }
            Unreachable { span, after, because } => Problem::warning(codes::UNREACHABLE, "this is never reached", span)
                .also(after, because)
                .help(if because.contains("ends") {
                    "remove it, or move it before the end"
                } else {
                    "remove it, or change the condition"
                }),
            UnreachableArm { name, span, because, what, help } => {
                Problem::warning(codes::UNREACHABLE_ARM, format!("no row can reach arm `{name}`"), span)
                    .also(because, what)
                    .help(help)
            }
            RefusalGoesOn { what, span } => {
                Problem::warning(codes::REFUSAL_GOES_ON, format!("after {what} the flow goes on below"), span)
                    .help("end the block with `stop` or `fail` if nothing more is to happen")
            }
            RepeatedMessage { message, span, first, overlap } => {
                let text = format!("`{message}` may reach the same people twice");
                let problem = Problem::warning(codes::REPEATED_MESSAGE, text, span).also(first, "sent here before");
                match overlap {
                    Some(overlap) => problem.help(format!("send it to `{overlap}`, or send another message")),
                    None => problem.help("leave out those who got it, with `except`, or send another message"),
                }
            }
            UnlimitedWait { span } => {
                Problem::warning(codes::UNLIMITED_WAIT, "this wait has no limit, so the run may wait for ever", span)
                    .help("add `within 7d else { ... }`")
            }
            NoTopic { span } => Problem::warning(
                codes::NO_TOPIC,
                "this send has no topic, so nobody can unsubscribe from it",
                span,
            )
            .help("add `topic: NAME` to the message, a `default_topic` to the project, or `policy: transactional`"),
            PlaceholderMessage { channel, span } => {
                let text = "no message is given, so a placeholder is sent, which only harmless drivers accept";
                Problem::warning(codes::PLACEHOLDER_MESSAGE, text, span).help(format!(
                    "declare `message {channel} default {{ ... }}`, or name a message: `send {channel} NAME to ...`"
                ))
            }
            DeleteAll { entity, span } => {
                Problem::warning(codes::DELETE_ALL, format!("this deletes every row of `{entity}`"), span)
                    .help("say which: `delete (... where ...)`")
            }
            UnknowableFeedback { channel, kind, span } => {
                let text = format!("channel `{channel}` cannot know who `{kind}`, so this is always empty");
                Problem::warning(codes::UNKNOWABLE_FEEDBACK, text, span)
            }
            LongerThanPeriod { span, schedule } => {
                let text = "a run waits longer than the time to its next start, so starts will be skipped";
                Problem::warning(codes::LONGER_THAN_PERIOD, text, span)
                    .also(schedule, "the schedule")
                    .help("write `overlap allow` or `overlap queue` in the header, or wait less")
            }
            NullInTemplate { variable, path, line, span } => {
                let text = format!("`{variable}` may be null in `{path}`");
                Problem::warning(codes::NULL_IN_TEMPLATE, text, span)
                    .label(format!("in line {line} of the file"))
                    .help("write `| default(\"...\")` behind it, or test it with `if`")
            }
            Value(lint) => lint.into(),
        }
    }
}
