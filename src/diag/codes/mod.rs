//! The registry of codes, one list per phase. Add a code here and a page `docs/errors/PHASE/NAME.md`; a test checks both.

pub mod flow;
pub mod lints;
pub mod names;
pub mod run;
pub mod syntax;
pub mod types;

use super::Code;

/// Declares the codes of a phase: constants and the list `ALL`.
macro_rules! codes {
    ($phase:ident: $($(#[$doc:meta])* $constant:ident = $name:literal,)*) => {
        $($(#[$doc])* pub const $constant: $crate::diag::Code =
            $crate::diag::Code::new($crate::diag::Phase::$phase, $name);)*
        /// Every code of this phase.
        pub const ALL: &[$crate::diag::Code] = &[$($constant),*];
    };
}
pub(crate) use codes;

/// Every code of the program.
pub fn all() -> impl Iterator<Item = Code> {
    [syntax::ALL, names::ALL, types::ALL, flow::ALL, lints::ALL, run::ALL].into_iter().flatten().copied()
}
