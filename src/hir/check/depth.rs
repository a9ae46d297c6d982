//! How deep a program may nest, and the stack for it.

use super::Checker;
use super::expr::problem::TypeProblem;
use crate::base::Span;

#[cfg(test)]
mod tests;

/// Levels of blocks, expressions and populations, definitions put in. The parser allows 500 brackets, so that only
/// definitions get beyond it. What recurses through the tree later relies on it.
const DEEPEST: u32 = 2_000;

/// Levels that any caller's stack has room for. What is deeper is checked on a stack of its own; not everything is,
/// because memory that a thread allocates comes from the system page by page, which made checking a third slower.
const SHALLOW: u32 = 64;

/// Bytes of stack for what is deep; only what is used is ever backed by memory.
const STACK: usize = 256 << 20;

impl Checker<'_> {
    /// Checks something one level further down; `None`, and reported, where that is too far.
    pub(crate) fn deeper<T: Send>(&mut self, span: Span, check: impl FnOnce(&mut Self) -> T + Send) -> Option<T> {
        if self.depth >= DEEPEST {
            self.expands_too_far(span);
            return None;
        }
        self.depth += 1;
        let found = if self.depth == SHALLOW {
            self.went_deep = true;
            with_room(|| check(self))
        } else {
            Some(check(self))
        };
        self.depth -= 1;
        found
    }

    /// Reports, once, definitions that make an expression out of proportion.
    pub(crate) fn expands_too_far(&mut self, span: Span) {
        if !self.too_far {
            self.too_far = true;
            let span = self.calls.first().map_or(span, |(_, call)| *call);
            self.report(TypeProblem::ExpandsTooFar { span });
        }
    }
}

/// Does something on a stack that has room for the deepest tree, or on this one if there can be no other.
pub(super) fn with_room<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    let mut work = Some(work);
    let ended = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("check".to_owned()).stack_size(STACK);
        let thread = thread.spawn_scoped(scope, || work.take().map(|work| work()));
        thread.map(std::thread::ScopedJoinHandle::join)
    });
    match ended {
        Ok(Ok(done)) => done,
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        Err(_) => work.take().map(|work| work()),
    }
}
