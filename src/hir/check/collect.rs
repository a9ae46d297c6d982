//! First pass: the names of all declarations, so that their order does not matter.

use super::super::{Campaign, Entity, Message, Overlap, Policy, Signal, Topic};
use super::super::{CampaignId, ChannelId, EntityId, MessageId, OnError, PolicyId, SignalId, TopicId};
use super::super::{ParsedFile, problem::FlowProblem};
use super::{Checker, Global};
use crate::base::Span;
use crate::diag::Problem;
use crate::diag::codes::names;
use crate::syntax::ast;

/// Declarations by kind, with the ids that their names got.
#[derive(Default)]
pub(super) struct Found<'a> {
    pub entities: Vec<(EntityId, &'a ast::Entity)>,
    pub topics: Vec<(TopicId, &'a ast::Topic)>,
    pub channels: Vec<(ChannelId, &'a ast::Channel)>,
    pub policies: Vec<(PolicyId, &'a ast::Policy)>,
    pub signals: Vec<(SignalId, &'a ast::Signal)>,
    pub campaigns: Vec<(CampaignId, CampaignSource<'a>)>,
    pub tests: Vec<&'a ast::Test>,
}

/// A campaign as declared, or the flow statements of a file.
#[derive(Clone, Copy)]
pub(super) enum CampaignSource<'a> {
    Declared(&'a ast::Campaign),
    File(&'a ParsedFile),
}

impl<'a> Checker<'a> {
    /// Collects the names of all files.
    pub(super) fn collect(&mut self) -> Found<'a> {
        let mut found = Found::default();
        for file in self.files {
            for stmt in &file.ast.stmts {
                self.collect_stmt(file, stmt, &mut found);
            }
            self.collect_file_campaign(file, &mut found);
        }
        found
    }

    fn collect_stmt(&mut self, file: &'a ParsedFile, stmt: &'a ast::Stmt, found: &mut Found<'a>) {
        let doc = stmt.doc.as_ref().map(|doc| doc.text.clone());
        match &stmt.kind {
            ast::StmtKind::Entity(entity) => {
                let id = EntityId(self.program.entities.len() as u32);
                if self.declare_in(file, &entity.name, Global::Entity(id)) {
                    self.program.entities.push(empty_entity(&entity.name, doc));
                    found.entities.push((id, entity));
                }
            }
            ast::StmtKind::Topic(topic) => {
                let id = TopicId(self.program.topics.len() as u32);
                if self.declare_in(file, &topic.name, Global::Topic(id)) {
                    let title = topic.title.as_ref().map(|title| title.value.clone());
                    let (name, span) = (topic.name.text.clone(), topic.name.span);
                    self.program.topics.push(Topic { name, span, title, consent: None });
                    found.topics.push((id, topic));
                }
            }
            ast::StmtKind::Channel(channel) => {
                let id = ChannelId(self.program.channels.len() as u32);
                if self.declare_in(file, &channel.name, Global::Channel(id)) {
                    let name = channel.name.text.clone();
                    self.program.channels.push(super::super::Channel { name, fields: Vec::new() });
                    found.channels.push((id, channel));
                }
            }
            ast::StmtKind::Message(message) => self.collect_message(file, message),
            ast::StmtKind::Policy(policy) => {
                let id = PolicyId(self.program.policies.len() as u32);
                if self.declare_in(file, &policy.name, Global::Policy(id)) {
                    let (name, span) = (policy.name.text.clone(), policy.name.span);
                    self.program.policies.push(Policy {
                        name,
                        span,
                        extends: None,
                        rules: Vec::new(),
                        places: Vec::new(),
                    });
                    found.policies.push((id, policy));
                }
            }
            ast::StmtKind::Signal(signal) => {
                let id = SignalId(self.program.signals.len() as u32);
                if self.declare_in(file, &signal.name, Global::Signal(id)) {
                    let (name, span) = (signal.name.text.clone(), signal.name.span);
                    self.program.signals.push(Signal { name, span, params: Vec::new() });
                    found.signals.push((id, signal));
                }
            }
            // Natives are known without a declaration, so that a script may use their names for other things.
            ast::StmtKind::Define(define) if file.library && matches!(define.body, ast::DefineBody::Builtin(_)) => {}
            ast::StmtKind::Define(define)
                if self.declare_in(file, &define.name, Global::Define(self.defines.len())) =>
            {
                self.defines.push(define);
            }
            ast::StmtKind::Campaign(campaign) => {
                let id = CampaignId(self.program.campaigns.len() as u32);
                if self.declare_in(file, &campaign.name, Global::Campaign(id)) {
                    self.program.campaigns.push(empty_campaign(&campaign.name.text, campaign.name.span, doc));
                    found.campaigns.push((id, CampaignSource::Declared(campaign)));
                }
            }
            ast::StmtKind::Test(test) => found.tests.push(test),
            _ => {}
        }
    }

    fn collect_message(&mut self, file: &'a ParsedFile, message: &'a ast::Message) {
        let is_channel = |name: &ast::Name| matches!(self.globals.get(&name.text), Some((Global::Channel(_), _)));
        if is_channel(&message.name) && !is_channel(&message.channel) {
            let (channel, name) = (&message.name.text, &message.channel.text);
            let both = message.channel.span.to(message.name.span);
            let problem = Problem::error(names::WRONG_KIND, "the channel of a message stands before its name", both);
            let right = format!("{channel} {name}");
            self.report(problem.help(format!("write `message {right}`")).fix(both, right));
            self.lost_names.insert(name.clone());
            return;
        }
        let id = MessageId(self.program.messages.len() as u32);
        let declared = if message.name.text == "default" {
            self.declare(default_message(&message.channel.text), Global::Message(id), message.name.span)
        } else {
            self.declare_in(file, &message.name, Global::Message(id))
        };
        if declared {
            self.messages.push(message);
            self.program.messages.push(empty_message(message));
        }
    }

    fn declare_in(&mut self, file: &ParsedFile, name: &ast::Name, global: Global) -> bool {
        let key = match &file.module {
            Some(module) => format!("{module}.{}", name.text),
            None => name.text.clone(),
        };
        self.declare(key, global, name.span)
    }

    /// Flow statements at top level form a campaign named after the file.
    fn collect_file_campaign(&mut self, file: &'a ParsedFile, found: &mut Found<'a>) {
        let Some(first) = file.ast.stmts.iter().find(|stmt| is_flow(&stmt.kind)) else { return };
        let declared = file.ast.stmts.iter().find_map(|stmt| match &stmt.kind {
            ast::StmtKind::Campaign(campaign) => Some(campaign.name.span),
            _ => None,
        });
        if let Some(campaign) = declared {
            let bound = file.ast.stmts.iter().flat_map(|stmt| bound_names(&stmt.kind));
            self.lost_names.extend(bound.map(str::to_owned));
            self.report(FlowProblem::MixedFile { statement: first.span, campaign });
            return;
        }
        let name = campaign_name(&file.name);
        let id = CampaignId(self.program.campaigns.len() as u32);
        // A message, an entity or a campaign of that name does no harm: nothing in the file says the file's name.
        self.globals.entry(name.clone()).or_insert((Global::Campaign(id), first.span));
        self.program.campaigns.push(empty_campaign(&name, first.span, None));
        found.campaigns.push((id, CampaignSource::File(file)));
    }
}

/// The name of the campaign that the file at `path` is.
fn campaign_name(path: &str) -> String {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let stem = file.strip_suffix(".orch").unwrap_or(file);
    stem.trim_matches(['<', '>']).to_owned()
}

/// The key of a channel's default message.
pub(super) fn default_message(channel: &str) -> String {
    format!("{channel} default")
}

/// True for statements that do something, as opposed to declarations.
pub(super) fn is_flow(kind: &ast::StmtKind) -> bool {
    use ast::StmtKind::*;
    !matches!(
        kind,
        Error
            | Use(_)
            | Entity(_)
            | Topic(_)
            | Channel(_)
            | Message(_)
            | Policy(_)
            | Signal(_)
            | Define(_)
            | Campaign(_)
            | Param(_)
            | Test(_)
            | Given { .. }
            | At { .. }
            | Run { .. }
            | Advance { .. }
            | Feedback { .. }
            | Decide { .. }
            | Expect { .. }
    )
}

fn empty_entity(name: &ast::Name, doc: Option<String>) -> Entity {
    Entity {
        name: name.text.clone(),
        span: name.span,
        doc,
        source: None,
        fields: Vec::new(),
        relations: Vec::new(),
        key: Vec::new(),
        consent: Vec::new(),
        person: None,
    }
}

fn empty_message(message: &ast::Message) -> Message {
    Message {
        channel: ChannelId(0),
        name: message.name.text.clone(),
        span: message.name.span,
        params: Vec::new(),
        entity: None,
        with: Vec::new(),
        fields: Vec::new(),
        topic: None,
        places: Vec::new(),
    }
}

fn empty_campaign(name: &str, span: Span, doc: Option<String>) -> Campaign {
    Campaign {
        name: name.to_owned(),
        span,
        doc,
        params: Vec::new(),
        locals: Vec::new(),
        schedule: None,
        trigger: None,
        trigger_params: Vec::new(),
        overlap: Overlap::default(),
        on_error: OnError::default(),
        header: Vec::new(),
        body: Vec::new(),
    }
}

/// The names that a statement of a flow binds, those in its blocks left aside.
pub(super) fn bound_names(kind: &ast::StmtKind) -> impl Iterator<Item = &str> {
    let (name, arms): (_, &[ast::Arm]) = match kind {
        ast::StmtKind::Segment { name, .. } | ast::StmtKind::Let { name, .. } => (Some(name), &[]),
        ast::StmtKind::Send(send) => (send.alias.as_ref(), &[]),
        ast::StmtKind::Split(split) => (None, &split.arms),
        _ => (None, &[]),
    };
    name.into_iter().chain(arms.iter().map(|arm| &arm.name)).map(|name| name.text.as_str())
}
