//! Names at the top level of a program.

use std::collections::HashSet;

use super::super::problem::NameProblem;
use super::{Checker, Global, ParsedFile};
use crate::base::Span;
use crate::syntax::ast;

impl Global {
    /// What people call it.
    pub fn noun(self) -> &'static str {
        match self {
            Global::Entity(_) => "entity",
            Global::Topic(_) => "topic",
            Global::Channel(_) => "channel",
            Global::Message(_) => "message",
            Global::Policy(_) => "policy",
            Global::Signal(_) => "signal",
            Global::Define(_) => "function",
            Global::Campaign(_) => "campaign",
            Global::Poisoned => "declaration",
        }
    }

    /// True if it is one of `kinds`, nouns joined by " or ".
    fn is(self, kinds: &str) -> bool {
        self == Global::Poisoned || kinds.split(" or ").any(|kind| kind == self.noun() || kind == "name")
    }
}

impl Checker<'_> {
    /// What `name` means, without a word if it means nothing. Inside a module its own names come first.
    pub fn find_global(&self, name: &ast::Name) -> Option<(Global, Span)> {
        let own = self.file(name.span.source).and_then(|file| file.module.as_ref());
        own.and_then(|module| self.globals.get(&format!("{module}.{}", name.text)))
            .or_else(|| self.globals.get(&name.text))
            .copied()
    }

    /// What `name` means, if it is one of `kinds` (nouns such as `entity` or `entity or segment`). Otherwise the name
    /// is reported, with the nearest name of the right kind. A declaration that was wrong is returned as poisoned.
    pub fn lookup_global(&mut self, name: &ast::Name, kinds: &'static str) -> Option<Global> {
        match self.find_global(name) {
            Some((global, _)) if global.is(kinds) => Some(global),
            Some((global, declared)) => {
                self.report(NameProblem::WrongKind { name: name.clone(), kinds, found: global.noun(), declared });
                None
            }
            None if self.is_lost(&name.text) => None,
            None => {
                let known = self.names_of(kinds);
                self.report(NameProblem::Unknown { name: name.clone(), kinds, known });
                None
            }
        }
    }

    /// True for a name that a statement may have declared which could not be understood, or stands at a wrong place.
    pub(crate) fn is_lost(&self, name: &str) -> bool {
        self.lost_names.contains(name)
    }

    /// All names of the right kind that can be written.
    fn names_of(&self, kinds: &str) -> Vec<String> {
        let right = self.globals.iter().filter(|(name, (global, _))| global.is(kinds) && !name.contains(' '));
        let mut known: Vec<String> = right.map(|(name, _)| name.clone()).collect();
        if kinds == "policy" {
            known.push("transactional".to_owned());
        }
        known.sort_unstable();
        known
    }

    /// Declares a name at top level. The second declaration of a name is reported and forgotten.
    pub fn declare(&mut self, key: String, global: Global, span: Span) -> bool {
        let library = |span: Span| self.file(span.source).is_some_and(|file| file.library);
        if let Some((earlier, first)) = self.globals.get(&key).copied()
            // A function of the project may have the name of one of the library.
            && !(matches!(earlier, Global::Define(_)) && library(first) && !library(span))
        {
            self.report(NameProblem::Duplicate { name: key, what: earlier.known_as(), span, first });
            return false;
        }
        self.globals.insert(key, (global, span));
        true
    }
}

impl Global {
    /// The noun with its article.
    fn known_as(self) -> &'static str {
        match self {
            Global::Entity(_) => "an entity",
            Global::Topic(_) => "a topic",
            Global::Channel(_) => "a channel",
            Global::Message(_) => "a message",
            Global::Policy(_) => "a policy",
            Global::Signal(_) => "a signal",
            Global::Define(_) => "a function",
            Global::Campaign(_) => "a campaign",
            Global::Poisoned => "declared",
        }
    }
}

/// The names in what could not be parsed, and those of modules that were to be used and do not exist: both are reported.
pub(super) fn lost_names(files: &[ParsedFile]) -> HashSet<String> {
    let modules: HashSet<&str> = files.iter().filter_map(|file| file.module.as_deref()).collect();
    let used = |stmt: &ast::Stmt| match &stmt.kind {
        ast::StmtKind::Use(ast::Use { target: ast::UseTarget::Module(names), alias }) => {
            let used = alias.as_ref().or(names.last()).map(|used| used.text.as_str());
            used.filter(|used| !modules.contains(used)).map(str::to_owned)
        }
        _ => None,
    };
    let of_file = |file: &ParsedFile| {
        let unknown: Vec<String> = file.ast.stmts.iter().filter_map(used).collect();
        file.ast.gaps.names.iter().cloned().chain(unknown).collect::<Vec<String>>()
    };
    files.iter().flat_map(of_file).collect()
}
