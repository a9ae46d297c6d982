//! What can be wrong with a channel before anything is sent.

use super::ChannelError;
use crate::base::did_you_mean;
use crate::diag::{Problem, codes::run};

/// Everything that keeps a channel from being opened. Holds no secrets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ChannelProblem {
    /// The manifest names a driver that there is not.
    UnknownDriver { channel: String, driver: String },
    /// A key is missing.
    Missing { channel: String, driver: &'static str, key: &'static str, example: &'static str },
    /// A key's value is wrong. `why` goes on after the key: "`from` has no `@`".
    Invalid { channel: String, key: &'static str, why: String, example: &'static str },
    /// The driver cannot work at present.
    Unavailable { channel: String, error: ChannelError },
}

impl From<ChannelProblem> for Problem {
    fn from(problem: ChannelProblem) -> Self {
        match problem {
            ChannelProblem::UnknownDriver { channel, driver } => {
                let help = match did_you_mean(&driver, super::DRIVERS.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("drivers are `{}`", super::DRIVERS.join("`, `")),
                };
                Problem::outside(run::UNKNOWN_DRIVER, format!("channel `{channel}`: there is no driver `{driver}`"))
                    .help(help)
            }
            ChannelProblem::Missing { channel, driver, key, example } => Problem::outside(
                run::INVALID_CHANNEL,
                format!("channel `{channel}`: the driver `{driver}` needs `{key}`"),
            )
            .help(format!("write `{example}` under `[channel.{channel}]` in `orch.toml`")),
            ChannelProblem::Invalid { channel, key, why, example } => {
                Problem::outside(run::INVALID_CHANNEL, format!("channel `{channel}`: `{key}` {why}"))
                    .help(format!("write it like `{example}`"))
            }
            ChannelProblem::Unavailable { channel, error } => {
                let problem =
                    Problem::outside(run::CHANNEL_UNAVAILABLE, format!("channel `{channel}`: {}", error.message));
                match error.help {
                    Some(help) => problem.help(help),
                    None => problem,
                }
            }
        }
    }
}
