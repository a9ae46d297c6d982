//! Sends.

mod address;
mod options;

use super::super::problem::Lint;
use super::super::{ChannelId, LocalKind, MessageUse, Query, Send, StmtKind, Ty, TyKind};
use super::collect::default_message;
use super::flow::short_name;
use super::{Checker, Global, Scope};
use crate::base::Span;
use crate::diag::codes::{flow as codes, names};
use crate::diag::{Problem, Severity};
use crate::syntax::ast;

impl<'a> Checker<'a> {
    /// `send CHANNEL [MESSAGE] to POPULATION [{ options }] [as NAME]`
    pub(super) fn send(&mut self, written: &'a ast::Send, span: Span, scope: &mut Scope) -> Option<StmtKind> {
        let channel = self.channel_of_send(written);
        let to = self.query(&written.to, scope);
        let delivery = written.alias.as_ref().map(|alias| {
            let ty = Ty::of(TyKind::Delivery(to.ty.clone()));
            self.bind_local(alias, LocalKind::Delivery, ty, scope)
        });
        let channel = channel?;
        if to.ty.is_error() {
            return None;
        }
        let (row, inner) = self.row_scope(&to, &written.to, scope);
        if inner.rows.last().is_some_and(|row| !row.has_fields) {
            let help = "`export` them, and mend them where they come from";
            self.wrong(codes::NO_ADDRESS, "lines that could not be read have no address", help, written.to.span);
            return None;
        }
        let before = self.problems.count(Severity::Error);
        let message = self.message_of(written, channel, &to, scope, &inner);
        if message.is_none() && self.problems.count(Severity::Error) > before {
            // With another message the channel may be another, and what it needs.
            return None;
        }
        let place = address::Place { channel, to: &to, row, span: written.to.span };
        let profile = self.profile(written.options.as_ref(), &place);
        let parts = options::Parts { scope, inner: &inner };
        let unknown = self.problems.count(Severity::Error);
        let mut options = self.send_options(written.options.as_ref(), &parts);
        if profile.is_none() || (written.options.is_some() && self.problems.count(Severity::Error) > unknown) {
            // With a wrong option nobody knows who is written to.
            return None;
        }
        let address = self.address(written.options.as_ref(), &place, &profile, &inner);
        let (address, profile) = (address?, profile?);
        let is_wrong = self.problems.count(Severity::Error) > before;
        if message.is_none() && written.message.is_none() && !is_wrong {
            let channel = written.channel.text.clone();
            self.report(Lint::PlaceholderMessage { channel, span: written.channel.span });
        }
        // A message that a procedure is given is known where it is called.
        let is_unknown = message.is_none() && written.message.is_some();
        self.topic_of(message.as_ref(), &mut options, span, is_wrong || is_unknown);
        self.consent_of_topic(&options, &to, &profile, span);
        let to_name = short_name(&written.to);
        Some(StmtKind::Send(Box::new(Send { channel, message, to, to_name, row, address, profile, options, delivery })))
    }

    /// The channel; a message in its place is told where it belongs.
    fn channel_of_send(&mut self, written: &ast::Send) -> Option<ChannelId> {
        let name = &written.channel;
        let message = match self.find_global(name) {
            Some((Global::Message(id), _)) => id,
            _ => return self.channel_named(name),
        };
        // What follows was not understood either, and is the same mistake.
        if matches!(written.to.kind, ast::ExprKind::Error) {
            return None;
        }
        if self.find_global(name).is_some_and(|(global, _)| matches!(global, Global::Channel(_))) {
            return self.channel_named(name);
        }
        let right = self.program.channels.get(self.program[message].channel.0 as usize);
        let right = right.map_or("email", |channel| channel.name.as_str());
        let replacement = format!("{right} {}", name.text);
        let help = format!("write `send {replacement} to ...`: the channel, then the message");
        // `send welcome email to vip`
        let span = match &written.message {
            Some(ast::Expr { kind: ast::ExprKind::Name(second), span })
                if matches!(self.find_global(second), Some((Global::Channel(_), _))) =>
            {
                name.span.to(*span)
            }
            _ => name.span,
        };
        let why = format!("`{}` is a message, and the channel comes first", name.text);
        let problem = Problem::error(names::WRONG_KIND, why, name.span).help(help).fix(span, replacement);
        self.report(problem);
        None
    }

    /// The message that is named, else the channel's default message, else none.
    fn message_of(
        &mut self,
        written: &'a ast::Send,
        channel: ChannelId,
        to: &Query,
        scope: &Scope,
        inner: &Scope,
    ) -> Option<MessageUse> {
        if let Some(message) = &written.message {
            return self.message_use(message, (&written.channel, channel), (to, written.to.span), scope, inner);
        }
        let name = written.channel.text.clone();
        if let Some((Global::Message(_), _)) = self.globals.get(&default_message(&name)).copied() {
            let text = default_message(&name);
            let default = ast::Name { text, span: written.channel.span };
            let default = ast::Expr { kind: ast::ExprKind::Name(default), span: written.channel.span };
            return self.message_use(&default, (&written.channel, channel), (to, written.to.span), scope, inner);
        }
        None
    }

    /// The topic in force: of the send, else of the message, else the project's.
    fn topic_of(
        &mut self,
        message: Option<&MessageUse>,
        options: &mut super::super::SendOptions,
        span: Span,
        is_wrong: bool,
    ) {
        if options.transactional {
            return;
        }
        let of_message = message.and_then(|used| self.program[used.message].topic);
        let default = self.environment.default_topic.as_ref().and_then(|topic| self.globals.get(topic));
        let of_project = match default {
            Some((Global::Topic(topic), _)) => Some(*topic),
            _ => None,
        };
        options.topic = options.topic.or(of_message).or(of_project);
        if options.topic.is_none() && !is_wrong {
            self.report(Lint::NoTopic { span });
        }
    }
}
