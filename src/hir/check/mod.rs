//! Name resolution and type checking: `ast` to [`Program`].
//!
//! One [`Checker`] walks all files of a program. Declarations are collected first (their names, then their contents),
//! so that order does not matter; then messages, definitions and campaigns are checked. Files of this folder: one per
//! construct.

mod expr;
mod functions;
mod lints_expr;
mod provisional;
mod query;
mod scope;

use std::collections::HashMap;

pub(crate) use scope::{Bound, RowScope, Scope};

use super::{ChannelId, EntityId, Local, LocalId, MessageId, PolicyId, Program, RowId, SignalId, TopicId};
use crate::base::Span;
use crate::diag::{Problem, Problems};
use crate::syntax::ast;

/// What a name at the top level of a program means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Global {
    Entity(EntityId),
    Topic(TopicId),
    Channel(ChannelId),
    Message(MessageId),
    Policy(PolicyId),
    Signal(SignalId),
    /// Index into [`Checker::defines`].
    Define(usize),
    Campaign(super::CampaignId),
    /// Declared, but so wrong that nothing is known of it. Uses are not reported again.
    Poisoned,
}

/// The state of checking one program.
pub(crate) struct Checker<'a> {
    /// What is known so far.
    pub program: Program,
    /// What was found wrong.
    pub problems: Problems,
    /// Names at top level and where they were declared.
    pub globals: HashMap<String, (Global, Span)>,
    /// Definitions are expanded where they are used, so they stay trees.
    pub defines: Vec<&'a ast::Define>,
    /// Names bound in the campaign that is being checked.
    pub locals: Vec<Local>,
    /// Calls that are being expanded, outermost first: for cycles and for "in this call" labels.
    pub calls: Vec<(String, Span)>,
    /// What the lost rows of named populations are.
    pub unmatched: HashMap<LocalId, super::SegmentTy>,
    /// What the condition being checked tests for null, as written: no trap in its other parts.
    null_tested: Vec<String>,
    /// Names of fields that hide a local on purpose.
    unshadowed: Vec<Span>,
    next_row: u32,
}

impl Checker<'_> {
    /// A checker that knows nothing yet.
    pub fn new() -> Self {
        Self {
            program: Program::default(),
            problems: Problems::new(),
            globals: HashMap::new(),
            defines: Vec::new(),
            locals: Vec::new(),
            calls: Vec::new(),
            unmatched: HashMap::new(),
            null_tested: Vec::new(),
            unshadowed: Vec::new(),
            next_row: RowId::DECLARED.0 + 1,
        }
    }

    /// Reports a problem; inside an expansion the call is named as well.
    pub fn report(&mut self, problem: impl Into<Problem>) {
        let mut problem = problem.into();
        // A definition that is used twice is wrong once.
        if !self.calls.is_empty() && self.problems.iter().any(|known| known.same_as(&problem)) {
            return;
        }
        for (name, span) in self.calls.iter().rev() {
            problem = problem.also(*span, format!("in this use of `{name}`"));
        }
        self.problems.push(problem);
    }

    /// A row id that nothing else uses.
    pub fn fresh_row(&mut self) -> RowId {
        self.next_row += 1;
        RowId(self.next_row - 1)
    }

    /// Binds a name in the campaign.
    pub fn add_local(&mut self, local: Local) -> LocalId {
        self.locals.push(local);
        LocalId(self.locals.len() as u32 - 1)
    }
}
