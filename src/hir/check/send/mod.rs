//! Sends.

mod address;
mod options;

use super::super::problem::Lint;
use super::super::{ChannelId, LocalKind, MessageUse, Query, Send, StmtKind, Ty, TyKind};
use super::collect::default_message;
use super::flow::short_name;
use super::{Checker, Global, Scope};
use crate::base::Span;
use crate::diag::codes::flow as codes;
use crate::syntax::ast;

impl<'a> Checker<'a> {
    /// `send CHANNEL [MESSAGE] to POPULATION [{ options }] [as NAME]`
    pub(super) fn send(&mut self, written: &'a ast::Send, span: Span, scope: &mut Scope) -> Option<StmtKind> {
        let channel = self.channel_named(&written.channel);
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
        let message = self.message_of(written, channel, &to, scope, &inner);
        let place = address::Place { channel, to: &to, row, span: written.to.span };
        let profile = self.profile(written.options.as_ref(), &place);
        let address = self.address(written.options.as_ref(), &place, &profile, &inner);
        let parts = options::Parts { scope, inner: &inner };
        let mut options = self.send_options(written.options.as_ref(), &parts);
        if message.is_some() || written.message.is_none() {
            self.topic_of(message.as_ref(), &mut options, span);
        }
        self.consent_of_topic(&options, &to, &profile, span);
        let to_name = short_name(&written.to);
        let (address, profile) = (address?, profile?);
        Some(StmtKind::Send(Box::new(Send { channel, message, to, to_name, row, address, profile, options, delivery })))
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
        self.report(Lint::PlaceholderMessage { channel: name, span: written.channel.span });
        None
    }

    /// The topic in force: of the send, else of the message, else the project's.
    fn topic_of(&mut self, message: Option<&MessageUse>, options: &mut super::super::SendOptions, span: Span) {
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
        if options.topic.is_none() {
            self.report(Lint::NoTopic { span });
        }
    }
}
