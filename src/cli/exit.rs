//! What the process says at its end.

use std::process::ExitCode;

/// The exit codes of every command. They are part of the interface and never change their meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// 0: what was asked for is done.
    Done,
    /// 1: the program has errors, a test failed, or a check found something.
    Problems,
    /// 2: wrong usage or configuration.
    Usage,
    /// 3: the run failed or was stopped by `fail`, or paused by `require`.
    Failed,
    /// 4: the run is waiting or paused: detached, or waiting for a person.
    Waiting,
}

impl Exit {
    /// The number.
    pub const fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Problems => 1,
            Self::Usage => 2,
            Self::Failed => 3,
            Self::Waiting => 4,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}
