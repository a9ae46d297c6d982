//! Why a run, a rehearsal or a question could not go on.

use super::channels::ChannelError;
use super::machine::MachineError;
use super::store::{Hold, StoreError};
use crate::diag::{Problem, codes};
use crate::plan::PlanError;
use crate::plan::query::QueryError;

/// Everything that can end or hold a run from outside its text.
#[derive(Clone, PartialEq, Debug)]
pub enum RunError {
    /// A source could not be opened or read.
    Source(Box<Problem>),
    /// A population or value could not be computed.
    Query(QueryError),
    /// The state store refused.
    Store(StoreError),
    /// The journal does not fit the plan.
    Machine(MachineError),
    /// The campaign cannot be planned.
    Plan(PlanError),
    /// A channel cannot be used.
    Channel {
        /// Its name.
        channel: String,
        /// Why.
        error: ChannelError,
    },
    /// The manifest binds no such channel.
    UnboundChannel {
        /// Its name.
        channel: String,
    },
    /// A send without a message on a channel that reaches people.
    NoMessage {
        /// The channel.
        channel: String,
        /// The driver is not harmless.
        segment: String,
    },
    /// `--fast-forward` on a channel that reaches people.
    NotHarmless {
        /// The channel.
        channel: String,
    },
    /// Two rows of a population have the same key, or a row has none.
    BadKey {
        /// The statement.
        step: String,
        /// The entity whose rows they are.
        entity: String,
        /// The key as text; empty when it is null.
        key: String,
    },
    /// The numbers of a step do not add up: a defect of ours, so nothing goes on.
    Unbalanced {
        /// The statement.
        step: String,
        /// The equation.
        equation: String,
    },
    /// A template cannot be compiled.
    Template(String),
    /// A tripwire of the campaign.
    Required {
        /// The statement.
        step: String,
        /// What the campaign says about it.
        reason: Option<String>,
    },
    /// No such run.
    UnknownRun {
        /// As written.
        run: String,
    },
    /// The run has ended.
    Over {
        /// Its name.
        run: String,
        /// How.
        status: &'static str,
    },
    /// Nothing may start or go on.
    Held(Hold),
    /// An earlier run of the campaign is still going, and its `overlap` wants no second one.
    StillGoing {
        /// The campaign.
        campaign: String,
        /// The earlier run.
        run: String,
    },
    /// The run comes from a backup, and nobody has said what is to become of what it may have sent since.
    Restored {
        /// Its name.
        run: String,
        /// When the backup was made.
        backup: jiff::Timestamp,
    },
    /// A parameter is missing, unknown or has the wrong type.
    Parameter(String),
    /// The user pressed Ctrl-C while a question was computed.
    Interrupted,
    /// A file of the run's folder could not be written or read.
    File {
        /// Its path.
        path: String,
        /// What the system said.
        reason: String,
    },
}

impl RunError {
    /// The problem as data.
    #[expect(clippy::too_many_lines, reason = "one arm per error and nothing else")]
    pub fn problem(&self) -> Problem {
        use codes::run;
        match self {
            RunError::Source(problem) => (**problem).clone(),
            RunError::Query(QueryError::Source(text)) => Problem::outside(run::UNREADABLE_ROWS, text.clone())
                .help("restore what is named here; `orch resume` goes on with the run, `orch stop` ends it"),
            RunError::Query(error) => error.clone().into(),
            RunError::Store(error) => store_problem(error),
            RunError::Machine(error) => Problem::outside(run::RECORD_MISMATCH, error.to_string())
                .help("run it with the version it was started with, or stop it with `orch stop`"),
            RunError::Plan(PlanError::NotExecutable { statement, span }) => {
                Problem::error(run::NOT_EXECUTABLE, format!("{statement} cannot be run yet"), *span)
                    .help("leave it out for now: `orch check` understands it, running it is not built yet")
            }
            RunError::Channel { channel, error } => {
                let problem = Problem::outside(run::CHANNEL_UNAVAILABLE, format!("channel `{channel}`: {error}"));
                match &error.help {
                    Some(help) => problem.help(help.clone()),
                    None => problem,
                }
            }
            RunError::UnboundChannel { channel } => {
                Problem::outside(run::UNBOUND_CHANNEL, format!("no driver is bound to the channel `{channel}`"))
                    .help(format!("add `[channel.{channel}]` with `driver = \"outbox\"` to orch.toml"))
            }
            RunError::NoMessage { channel, segment } => Problem::outside(
                run::NO_MESSAGE,
                format!("`send {channel} to {segment}` has no message to send"),
            )
            .help(format!(
                "declare `message {channel} default {{ ... }}` or name one: `send {channel} welcome to {segment}`"
            )),
            RunError::NotHarmless { channel } => Problem::outside(
                run::NOT_HARMLESS,
                format!("`--fast-forward` would reach people: channel `{channel}` has a driver that delivers"),
            )
            .help("fast-forward runs work with the drivers outbox, console and record; choose another --profile"),
            RunError::BadKey { step, entity, key } if key.is_empty() => {
                Problem::outside(run::BAD_KEY, format!("`{step}`: a row of `{entity}` has no key"))
                    .help("give every row a key in the source, or filter those without one")
            }
            RunError::BadKey { step, entity, key } => {
                Problem::outside(run::BAD_KEY, format!("`{step}`: two rows of `{entity}` have the key `{key}`"))
                    .help("make the key unique in the source, or add `dedupe by` to the population")
            }
            RunError::Unbalanced { step, equation } => {
                Problem::outside(run::UNBALANCED, format!("`{step}` does not balance: {equation}"))
                    .help("this is a defect of orch; the run is held, nothing more is sent")
            }
            RunError::Template(message) => Problem::outside(run::TEMPLATE, message.clone())
                .help("mend the template; the run goes on with `orch resume`"),
            RunError::Required { step, reason } => {
                let message = match reason {
                    // The statement would repeat the reason.
                    Some(reason) => format!("a requirement does not hold: {reason}"),
                    None => format!("`{step}` does not hold"),
                };
                Problem::outside(run::REQUIRED, message).help("`orch resume` tests the condition again")
            }
            RunError::UnknownRun { run: name } => {
                Problem::outside(run::UNKNOWN_RUN, format!("there is no run `{name}`")).help("`orch runs` lists them")
            }
            RunError::Over { run: name, status } => {
                Problem::outside(run::RUN_IS_OVER, format!("the run `{name}` is {status}; nothing is left to do"))
                    .help("`orch run` starts a new one")
            }
            RunError::Held(hold) => {
                let why = hold.reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
                Problem::outside(run::ALL_PAUSED, format!("everything is paused{why}"))
                    .help("`orch resume --all` lets runs start and go on again")
            }
            RunError::StillGoing { campaign, run: name } => {
                let message = format!("an earlier run of `{campaign}` is still going: `{name}`");
                Problem::outside(run::STILL_GOING, message).help(format!(
                    "`orch show {name}` says what it waits for; `--beside` starts another one all the same"
                ))
            }
            RunError::Restored { run: name, backup } => {
                let message =
                    format!("the run `{name}` was restored: what it sent since the backup of {backup} is not known");
                Problem::outside(run::RESTORED, message).help(format!(
                    "leave messages that may have left as unknown: `orch resume {name} --sent-after-backup skip`\n\
                     or send them again: `orch resume {name} --sent-after-backup resend`"
                ))
            }
            RunError::Parameter(message) => {
                Problem::outside(run::BAD_PARAMETER, message.clone()).help("give it as `--param name=value`")
            }
            RunError::Interrupted => {
                Problem::outside(run::INTERRUPTED, "interrupted").help("ask again, or ask for less")
            }
            RunError::File { path, reason } => Problem::outside(run::STATE_FILE, format!("`{path}`: {reason}"))
                .help("check the state directory's permissions and free space; the run goes on with `orch resume`"),
        }
    }
}

fn store_problem(error: &StoreError) -> Problem {
    use codes::run;
    let code = match error {
        StoreError::InUse { .. } => run::STATE_IN_USE,
        StoreError::Unreadable { .. } | StoreError::Damaged(_) => run::STATE_UNREADABLE,
        StoreError::Newer { .. } => run::STATE_NEWER,
        StoreError::Broken(_) | StoreError::Conflict(_) | StoreError::Overtaken(_) => run::STATE_BROKEN,
    };
    let help = match error {
        StoreError::InUse { .. } => "wait until it is done, or stop that process; its run goes on with `orch resume`",
        StoreError::Unreadable { reason, .. } if reason.contains("locked") => {
            "end what uses the database besides orch, such as a backup or another program, and try again"
        }
        StoreError::Unreadable { .. } => {
            "check that it is a folder that can be read and written; restore it from a backup if it is damaged"
        }
        StoreError::Newer { .. } => "install the version that wrote it, or a later one",
        StoreError::Damaged(_) => {
            "restore the state directory from a backup; without it nobody knows who got which message"
        }
        StoreError::Broken(reason) if reason.contains("locked") => {
            "end what uses the database besides orch, such as a backup or another program; `orch resume` goes on"
        }
        StoreError::Broken(_) => {
            "free disk space or mend the disk; nothing that was decided is lost, `orch resume` goes on"
        }
        StoreError::Overtaken(_) => "`orch resume` looks for new rows again",
        StoreError::Conflict(_) => "look at `orch runs` and try again",
    };
    Problem::outside(code, error.to_string()).help(help)
}

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.problem().message)
    }
}

impl std::error::Error for RunError {}

macro_rules! from {
    ($($source:ty => $variant:ident,)*) => {$(
        impl From<$source> for RunError {
            fn from(error: $source) -> Self {
                RunError::$variant(error)
            }
        }
    )*};
}

from! {
    QueryError => Query,
    StoreError => Store,
    MachineError => Machine,
    PlanError => Plan,
}

impl From<Problem> for RunError {
    fn from(problem: Problem) -> Self {
        RunError::Source(Box::new(problem))
    }
}
