//! Names that mean something only with another behind a dot: a signal that was waited for, a module of the library.

use super::names::MOST_SUGGESTIONS;
use super::problem::{Advice, TypeProblem};
use super::quoted_name;
use crate::hir::check::collect::bound_names;
use crate::hir::check::{Checker, Scope};
use crate::syntax::ast;

/// Fields that an advice names, so that it stays a sentence.
const MOST_NAMED: usize = 3;

impl Checker<'_> {
    /// What is wrong with `first.field`, where `first` alone means nothing but names such as `first.other` are known.
    pub(super) fn unknown_behind(&self, first: &ast::Name, field: &ast::Name, scope: &Scope) -> Option<TypeProblem> {
        let known = fields_behind(&first.text, scope);
        if !known.is_empty() {
            let of = format!("`{}`", first.text);
            return Some(TypeProblem::UnknownField { field: field.clone(), of, known, advice: Advice::None });
        }
        let known = self.names_in_module(&first.text);
        let module = first.text.clone();
        (!known.is_empty()).then(|| TypeProblem::UnknownInModule { module, name: field.clone(), known })
    }

    /// What to write instead of such a name alone.
    pub(super) fn advice_for_owner(&self, name: &ast::Name, scope: &Scope) -> Advice {
        if self.problems.len() > MOST_SUGGESTIONS {
            return Advice::None;
        }
        let (known, kind) = match fields_behind(&name.text, scope) {
            fields if fields.is_empty() => (self.names_in_module(&name.text), "what it has"),
            fields => (fields, "one of its fields"),
        };
        let qualified = known.iter().take(MOST_NAMED).map(|field| format!("`{}.{}`", name.text, quoted_name(field)));
        let qualified: Vec<String> = qualified.collect();
        match qualified.split_last() {
            None => Advice::None,
            Some((only, [])) => Advice::say(format!("name {kind}: {only}")),
            Some((last, rest)) => Advice::say(format!("name {kind}: {} or {last}", rest.join(", "))),
        }
    }

    /// What a name means that is bound at another place: by a signal, in a block that is over, further below.
    pub(super) fn bound_elsewhere(&self, name: &ast::Name, scope: &Scope) -> Option<Advice> {
        if self.problems.len() > MOST_SUGGESTIONS {
            return None;
        }
        let end = format!(".{}", name.text);
        let field = scope.locals.iter().rev().find(|(known, _)| known.ends_with(&end));
        if let Some((qualified, _)) = field.filter(|_| scope.rows.is_empty()) {
            return Some(Advice::write(qualified.clone(), name.span));
        }
        let is_it = |local: &&crate::hir::Local| local.name == name.text && local.span.source == name.span.source;
        if self.locals.iter().any(|local| is_it(&local)) {
            return Some(Advice::say("it was bound in a block, and ends with it: use it there, or bind it before"));
        }
        let is_theirs = |campaign: &&crate::hir::Campaign| {
            campaign.locals.iter().any(|local| local.name == name.text && local.span.source == name.span.source)
        };
        if let Some(campaign) = self.program.campaigns.iter().find(is_theirs) {
            return Some(Advice::say(format!(
                "it belongs to campaign `{}`: what campaigns share is a `define`, or a saved audience",
                campaign.name
            )));
        }
        let file = self.file(name.span.source)?;
        let mut campaigns = file.ast.stmts.iter().filter_map(|stmt| match &stmt.kind {
            ast::StmtKind::Campaign(campaign)
                if stmt.span.start <= name.span.start && name.span.end <= stmt.span.end =>
            {
                Some(&campaign.body.stmts)
            }
            _ => None,
        });
        let stmts = campaigns.next_back().unwrap_or(&file.ast.stmts);
        let later = stmts.iter().filter(|stmt| stmt.span.start > name.span.end);
        later
            .flat_map(|stmt| bound_names(&stmt.kind))
            .any(|bound| bound == name.text)
            .then(|| Advice::say("it is bound only further below: the flow goes from top to bottom, so move that up"))
    }

    /// What a module has, in the order of the alphabet.
    fn names_in_module(&self, module: &str) -> Vec<String> {
        let start = format!("{module}.");
        let names = self.globals.keys().filter_map(|name| name.strip_prefix(&start)).map(str::to_owned);
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        names
    }
}

/// The fields of a signal, or parameters of a campaign, that are bound under this name.
fn fields_behind(owner: &str, scope: &Scope) -> Vec<String> {
    let start = format!("{owner}.");
    scope.locals.iter().filter_map(|(name, _)| name.strip_prefix(&start)).map(str::to_owned).collect()
}
