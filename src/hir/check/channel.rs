//! Channels and topics.

use super::super::problem::NameProblem;
use super::super::{Channel, ChannelId, TyKind};
use super::collect::Found;
use super::options::{OptionKind, OptionSpec};
use super::{Checker, Global};
use crate::diag::Problem;
use crate::diag::codes::names as codes;
use crate::syntax::ast;

const TOPIC_OPTIONS: &[OptionSpec] = &[OptionSpec { name: "consent", kind: OptionKind::Name }];

impl<'a> Checker<'a> {
    /// All channels.
    pub(super) fn check_channels(&mut self, found: &Found<'a>) {
        for (id, channel) in &found.channels {
            let fields = self.columns(&channel.fields);
            if !fields.iter().any(|field| field.name == "address") {
                self.report(NameProblem::Declaration {
                    code: codes::BAD_CHANNEL,
                    why: format!("channel `{}` has no address", channel.name.text),
                    help: "add what it is reached at, for example `address: phone`".into(),
                    span: channel.name.span,
                });
            }
            self.program.channels[id.0 as usize].fields = fields;
        }
    }

    /// All topics. That the profile has the consent field is checked at each send.
    pub(super) fn check_topics(&mut self, found: &Found<'a>) {
        for (id, topic) in &found.topics {
            let options = self.constant_options(topic.options.as_ref(), "a topic", TOPIC_OPTIONS);
            let consent = options.into_iter().find_map(|(name, value)| match value {
                super::super::Value::Text(field) if name == "consent" => Some(field),
                _ => None,
            });
            if let Some(field) = &consent {
                self.consent_field(field, topic);
            }
            self.program.topics[id.0 as usize].consent = consent;
        }
    }

    /// The project's default topic must be declared.
    pub(super) fn check_default_topic(&mut self) {
        let Some(name) = &self.environment.default_topic else { return };
        if !matches!(self.globals.get(name), Some((Global::Topic(_), _))) {
            let text = format!("the project's `default_topic` is `{name}`, and no topic of that name is declared");
            let help = format!("declare it in the project's schema: `topic {name} \"...\"`");
            self.problems.push(Problem::outside(codes::UNKNOWN_NAME, text).help(help));
        }
    }

    /// Some entity must have the field, as a bool.
    fn consent_field(&mut self, field: &str, topic: &ast::Topic) {
        let known = self.program.entities.iter().filter_map(|entity| entity.field(field).map(|at| &entity[at].ty.kind));
        let kinds: Vec<&TyKind> = known.collect();
        if kinds.iter().any(|kind| matches!(kind, TyKind::Bool | TyKind::Error)) || self.program.entities.is_empty() {
            return;
        }
        let why = match kinds.first() {
            None => format!("no entity has a field `{field}`"),
            Some(_) => format!("`{field}` is no `bool`, so it cannot be a consent"),
        };
        let span = topic.options.as_ref().map_or(topic.name.span, |options| options.span);
        let help = "name a field of the people who are addressed, `(consent: opt_in)`".to_owned();
        self.report(NameProblem::Declaration { code: codes::WRONG_OPTION, why, help, span });
    }

    /// The channel with this name; others are reported.
    pub(super) fn channel_named(&mut self, name: &ast::Name) -> Option<ChannelId> {
        match self.lookup_global(name, "channel") {
            Some(Global::Channel(id)) => Some(id),
            _ => None,
        }
    }
}

impl Channel {
    /// What it is reached at.
    pub(crate) fn address_kind(&self) -> TyKind {
        self.fields.iter().find(|field| field.name == "address").map_or(TyKind::Error, |field| field.ty.kind.clone())
    }
}
