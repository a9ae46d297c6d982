//! Name resolution and type checking: `ast` to [`Program`].
//!
//! One [`Checker`] walks all files of a program. Declarations are collected first (their names, then their contents),
//! so that order does not matter; then messages, definitions and campaigns are checked. Files of this folder: one per
//! construct.

mod arguments;
mod campaign;
mod channel;
mod collect;
mod depth;
mod entity;
mod expectation;
mod expr;
mod flow;
mod functions;
mod lints_expr;
mod lints_null;
mod lints_text;
mod message;
mod names;
mod new_place;
mod options;
mod policy;
mod procedure;
mod query;
mod relation;
mod schedule;
mod scope;
mod send;
mod source;
mod template_file;
mod test_block;
#[cfg(test)]
pub(crate) mod testing;
mod types;

use std::collections::{HashMap, HashSet};

#[cfg(feature = "engine")]
pub(crate) use expr::quoted_name;
pub(crate) use flow::ends;
pub(crate) use schedule::{approximate_period, approximate_seconds};
pub(crate) use scope::{Bound, RowScope, Scope};

use super::lints::lint;
use super::problem::FlowProblem;
use super::{
    ChannelId, EntityId, Environment, Local, LocalId, MessageId, ParsedFile, PolicyId, Program, RowId, SignalId,
    TopicId,
};
use crate::base::{SourceId, Span};
use crate::diag::{Code, Problem, Problems};
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
    /// Names at top level and where they were declared. Those of a module are called `module.name`, a default
    /// message `CHANNEL default`.
    pub globals: HashMap<String, (Global, Span)>,
    /// Definitions are expanded where they are used, so they stay trees.
    pub defines: Vec<&'a ast::Define>,
    /// Names bound in the campaign that is being checked.
    pub locals: Vec<Local>,
    /// Calls that are being expanded, outermost first: for cycles and for "in this call" labels.
    pub calls: Vec<(String, Span)>,
    /// Columns that are not null in any row of a named population.
    not_null: HashMap<LocalId, Vec<lints_null::Column>>,
    /// A field that was to be set does not exist: it is another one by another name.
    misnamed_field: bool,
    /// What the lost rows of named populations are.
    pub unmatched: HashMap<LocalId, super::SegmentTy>,
    /// What the condition being checked tests for null, as written: no trap in its other parts.
    null_tested: Vec<String>,
    /// Names of fields that hide a local on purpose.
    unshadowed: Vec<Span>,
    /// What surrounds the program.
    pub environment: &'a Environment,
    /// The files, for the names in paths.
    pub files: &'a [ParsedFile],
    /// Messages are checked again at each send, so they stay trees; in the order of [`Program::messages`].
    pub messages: Vec<&'a ast::Message>,
    /// Names whose mistake was reported already: of declarations that could not be understood or stand where they mean
    /// nothing, of modules that do not exist.
    lost_names: HashSet<String>,
    /// Definitions and procedures that use themselves, reported already.
    recursive: HashSet<String>,
    /// The procedure that is being checked by itself.
    procedure: Option<String>,
    /// How many procedures were put in.
    procedures_put_in: usize,
    /// How deep the block, expression or population being checked is, definitions and procedures put in.
    depth: u32,
    /// Something was so deep that it needed a stack of its own.
    went_deep: bool,
    /// How many definitions were put in.
    expansions: u32,
    /// That they are too many was reported.
    too_far: bool,
    next_row: u32,
}

/// Checks a program: all its files at once. The files of the standard library come first, the entry last.
pub fn check_program(files: &[ParsedFile], environment: &Environment) -> (Program, Problems) {
    let mut checker = Checker::new(files, environment);
    let found = checker.collect();
    checker.check_entities(&found);
    checker.check_topics(&found);
    checker.check_default_topic();
    checker.check_channels(&found);
    checker.check_defines();
    checker.check_entity_rules(&found);
    checker.check_policies(&found);
    checker.check_signals(&found);
    checker.check_messages();
    checker.check_procedures();
    checker.check_campaigns(&found);
    checker.check_tests(&found);
    checker.check_places_of_new();
    if !checker.problems.has_errors() {
        let mut lints = || lint(&checker.program, &mut checker.problems);
        if checker.went_deep {
            depth::with_room(lints);
        } else {
            lints();
        }
    }
    checker.problems.finish();
    (checker.program, checker.problems)
}

/// True if both say the same of the same place.
fn same_mistake(known: &Problem, problem: &Problem) -> bool {
    known.code == problem.code && known.span() == problem.span() && known.message == problem.message
}

impl<'a> Checker<'a> {
    /// A checker that knows nothing yet.
    pub fn new(files: &'a [ParsedFile], environment: &'a Environment) -> Self {
        Self {
            program: Program::default(),
            problems: Problems::new(),
            globals: HashMap::new(),
            defines: Vec::new(),
            locals: Vec::new(),
            calls: Vec::new(),
            not_null: HashMap::new(),
            misnamed_field: false,
            unmatched: HashMap::new(),
            null_tested: Vec::new(),
            unshadowed: Vec::new(),
            environment,
            files,
            messages: Vec::new(),
            lost_names: names::lost_names(files),
            recursive: HashSet::new(),
            procedure: None,
            procedures_put_in: 0,
            depth: 0,
            went_deep: false,
            expansions: 0,
            too_far: false,
            next_row: RowId::DECLARED.0 + 1,
        }
    }

    /// Reports a problem; inside an expansion the call is named as well, unless it was found without the call.
    pub fn report(&mut self, problem: impl Into<Problem>) {
        let mut problem = problem.into();
        if !self.calls.is_empty() && self.problems.iter().any(|known| same_mistake(known, &problem)) {
            return;
        }
        // A definition that is used twice is wrong once.
        if !self.calls.is_empty() && self.problems.iter().any(|known| known.same_as(&problem)) {
            return;
        }
        for (name, span) in self.calls.iter().rev() {
            problem = problem.also(*span, format!("in this use of `{name}`"));
        }
        self.problems.push(problem);
    }

    /// Reports something wrong with a statement: what, and what to write instead.
    pub fn wrong(&mut self, code: Code, why: impl Into<String>, help: impl Into<String>, span: Span) {
        self.report(FlowProblem::Statement { code, why: why.into(), help: help.into(), span });
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

    /// The file with this text.
    pub fn file(&self, source: SourceId) -> Option<&'a ParsedFile> {
        self.files.iter().find(|file| file.source == source)
    }
}
