//! Feedback that a channel cannot know.

use std::collections::HashMap;

use super::super::problem::Lint;
use super::super::visit::{Visitor, walk_query, walk_stmt};
use super::super::{Campaign, FeedbackKind, LocalId, Program, Query, QueryKind, Stmt, StmtKind};

struct Unknowable<'p> {
    program: &'p Program,
    /// The channel of each send, by the name it has.
    channels: HashMap<LocalId, String>,
    found: Vec<Lint>,
}

impl Visitor for Unknowable<'_> {
    fn stmt(&mut self, stmt: &Stmt) {
        if let StmtKind::Send(send) = &stmt.kind
            && let Some(delivery) = send.delivery
        {
            self.channels.insert(delivery, self.program[send.channel].name.clone());
        }
        walk_stmt(self, stmt);
    }

    fn query(&mut self, query: &Query) {
        if let QueryKind::Feedback { delivery, kind } = &query.kind
            && let Some(channel) = self.channels.get(delivery)
            && !knows(channel, *kind)
        {
            let channel = channel.clone();
            self.found.push(Lint::UnknowableFeedback { channel, kind: kind.word(), span: query.span });
        }
        walk_query(self, query);
    }
}

/// What the built-in channels can learn of a message. Channels of the project are given the benefit of the doubt.
fn knows(channel: &str, kind: FeedbackKind) -> bool {
    use FeedbackKind::*;
    match channel {
        "sms" => !matches!(kind, Opened),
        "mail" => !matches!(kind, Opened | Clicked | Unsubscribed),
        _ => true,
    }
}

/// Feedback sets that are always empty.
pub(super) fn unknowable(program: &Program, campaign: &Campaign, found: &mut Vec<Lint>) {
    let mut lint = Unknowable { program, channels: HashMap::new(), found: Vec::new() };
    campaign.body.iter().for_each(|stmt| lint.stmt(stmt));
    found.append(&mut lint.found);
}
