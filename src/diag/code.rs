//! Stable names of problems.

/// The part of the program a code belongs to: the first half of its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Phase {
    /// Reading text: tokens, layout, grammar.
    Syntax,
    /// Finding what a name means.
    Names,
    /// What kinds of values fit where.
    Types,
    /// The shape of campaigns: waits, branches, sends.
    Flow,
    /// Correct but suspicious.
    Lints,
    /// `orch.toml`, files and sources, before and while running.
    Run,
}

impl Phase {
    /// The word in the code.
    pub const fn word(self) -> &'static str {
        match self {
            Phase::Syntax => "syntax",
            Phase::Names => "names",
            Phase::Types => "types",
            Phase::Flow => "flow",
            Phase::Lints => "lints",
            Phase::Run => "run",
        }
    }
}

/// A stable code such as `types::unknown_field`. Codes are never renamed or reused; each has a page in `docs/errors/`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Code {
    /// First half.
    pub phase: Phase,
    /// Second half.
    pub name: &'static str,
}

impl Code {
    /// For the registries in `diag::codes` only.
    pub const fn new(phase: Phase, name: &'static str) -> Self {
        Self { phase, name }
    }

    /// The full form used in JSON: `orch::types::unknown_field`.
    pub fn full(self) -> String {
        format!("orch::{self}")
    }

    /// Finds a code as a person writes it: `types::unknown_field`, `orch::types::unknown_field` or `unknown_field`.
    pub fn find(written: &str) -> Option<Code> {
        let short = written.trim().trim_start_matches("orch::");
        super::codes::all().find(|code| code.to_string() == short || code.name == short)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}::{}", self.phase.word(), self.name)
    }
}
