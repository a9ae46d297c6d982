//! What is checked but not built yet. A part of a program that a run would ignore without a word is refused before
//! the run exists; where ignoring it changes nothing that is sent, a note says so.

use super::{Plan, PlanError};
use crate::base::Span;
use crate::diag::Problem;
use crate::diag::codes::run;
use crate::hir::visit::{Visitor, walk_query};
use crate::hir::{Campaign, FeedbackKind, LocalId, Policy, PolicyRule, Program, Query, QueryKind, Send};

/// The policy of sends that name none.
const DEFAULT_POLICY: &str = "marketing";

/// Options of a send that runs do not follow.
const OPTIONS: &[&str] = &["at", "late", "window", "rate", "require", "unique_address"];

/// Fields of an e-mail that are put into it.
const EMAIL_FIELDS: &[&str] = &["subject", "text", "html", "from", "reply_to"];

/// Refuses a send of which something would be ignored.
pub(super) fn send(program: &Program, send: &Send, span: Span) -> Result<(), PlanError> {
    let options = &send.options;
    for (name, place) in &options.written {
        let harmless = match name.as_str() {
            "unique_address" => !options.unique_address,
            // `late: send` alone says what happens anyway.
            "late" => !options.late_skip && options.at.is_none(),
            name => !OPTIONS.contains(&name),
        };
        if !harmless {
            return Err(PlanError::not_executable(format!("the option `{name}` of a send"), *place));
        }
    }
    fields(program, send, span)?;
    policy(program, send, span)
}

/// Fields of the message that would be left out of it.
fn fields(program: &Program, send: &Send, span: Span) -> Result<(), PlanError> {
    let Some(message) = &send.message else { return Ok(()) };
    if program[send.channel].name != "email" {
        return Ok(());
    }
    let declared = &program[message.message];
    match message.fields.iter().find(|(name, _)| !EMAIL_FIELDS.contains(&name.as_str())) {
        Some((name, _)) => {
            let place = declared.places.iter().find(|(known, _)| known == name).map_or(declared.span, |(_, at)| *at);
            let statement = format!("`{name}` in the e-mail message `{}`", declared.name);
            Err(PlanError::NotExecutable { statement, span: place, used: Some(span) })
        }
        None => Ok(()),
    }
}

/// Rules of the policy in force, or of one that it extends, that concern the send's channel.
fn policy(program: &Program, send: &Send, span: Span) -> Result<(), PlanError> {
    if send.options.transactional {
        return Ok(());
    }
    let default = || program.policies.iter().find(|policy| policy.name == DEFAULT_POLICY);
    let named = send.options.policy.map(|policy| &program[policy]);
    let next = |policy: &&Policy| policy.extends.map(|base| &program[base]);
    // A policy that extends itself is an error of the program, and errors are not planned.
    for policy in std::iter::successors(named.or_else(default), next) {
        for (rule, place) in policy.rules.iter().zip(&policy.places) {
            let (word, channel) = match rule {
                PolicyRule::Cap { channel, .. } => ("cap", *channel),
                PolicyRule::Quiet { channel, .. } => ("quiet", *channel),
                PolicyRule::Window { channel, .. } => ("window", *channel),
                PolicyRule::Holdout { .. } => ("holdout", None),
            };
            if channel.is_none_or(|channel| channel == send.channel) {
                let statement = format!("`{word}` in a policy");
                return Err(PlanError::NotExecutable { statement, span: *place, used: Some(span) });
            }
        }
    }
    Ok(())
}

impl Plan {
    /// What a run of this plan does not follow, although it goes on: warnings.
    pub fn notes(&self) -> Vec<Problem> {
        let mut notes = Vec::new();
        let mut feedback = Feedback { campaign: self.campaign(), seen: Vec::new(), notes: &mut notes };
        self.campaign().body.iter().for_each(|stmt| feedback.stmt(stmt));
        notes
    }
}

/// Looks for feedback that no driver reports.
struct Feedback<'c> {
    campaign: &'c Campaign,
    /// Said already.
    seen: Vec<(LocalId, FeedbackKind)>,
    notes: &'c mut Vec<Problem>,
}

impl Visitor for Feedback<'_> {
    fn query(&mut self, query: &Query) {
        use FeedbackKind::{Bounced, Clicked, Opened, Unsubscribed};
        if let QueryKind::Feedback { delivery, kind: kind @ (Opened | Clicked | Bounced | Unsubscribed) } = &query.kind
            && !self.seen.contains(&(*delivery, *kind))
        {
            self.seen.push((*delivery, *kind));
            let set = format!("{}.{}", self.campaign[*delivery].name, kind.word());
            let text = format!("`{set}` is always empty: no channel reports it yet");
            let help = "`sent`, `failed`, `unknown` and `excluded` are known";
            self.notes.push(Problem::warning(run::NO_FEEDBACK, text, query.span).help(help));
        }
        walk_query(self, query);
    }
}
