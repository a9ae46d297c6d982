//! Messages: checked where they are declared, and again where they are sent, with the rows that are sent to.

use super::super::problem::{FlowProblem, NameProblem};
use super::super::{Channel, ChannelId, Column, Content, MessageId, MessageUse, TopicId};
use super::super::{ExprKind, TemplatePart, TyKind, Value};
use super::{Bound, Checker, Global, Scope};
use crate::base::Span;
use crate::diag::Problem;
use crate::diag::codes::names;
use crate::syntax::ast;

impl<'a> Checker<'a> {
    /// All messages.
    pub(super) fn check_messages(&mut self) {
        for at in 0..self.messages.len() {
            let written = self.messages[at];
            self.declared_message(MessageId(at as u32), written);
        }
    }

    fn declared_message(&mut self, id: MessageId, written: &'a ast::Message) {
        let channel = self.channel_named(&written.channel);
        let params = self.value_params(&written.params);
        let entity = written.entity.as_ref().and_then(|entity| self.entity_named(entity));
        let with = self.columns(&written.with);
        let topic = self.message_topic(&written.body);
        let message = &mut self.program.messages[id.0 as usize];
        message.params = params;
        message.entity = entity;
        message.with = with;
        message.topic = topic;
        let place = |item: &ast::RecordItem| (item.name.text.clone(), item.name.span);
        message.places = written.body.items.iter().map(place).collect();
        let Some(channel) = channel else {
            message.channel = NO_CHANNEL;
            return;
        };
        message.channel = channel;
        self.message_fields(written, channel);
        if let Some(entity) = entity {
            let mut scope = self.entity_scope(entity, &self.program[id].with.clone());
            self.bind_message_params(id, &mut scope, None);
            let fields = self.contents(written, channel, &scope);
            self.program.messages[id.0 as usize].fields = fields;
        }
    }

    /// The names of a message's fields, and that none is missing.
    fn message_fields(&mut self, written: &ast::Message, channel: ChannelId) {
        let known: Vec<Column> = self.program[channel].fields.clone();
        let mut seen: Vec<&ast::Name> = Vec::new();
        let mut unknown = written.body.items.iter().any(is_broken);
        for item in &written.body.items {
            let name = &item.name;
            if let Some(first) = seen.iter().find(|first| first.text == name.text) {
                let (name, span, first) = (name.text.clone(), name.span, first.span);
                self.report(NameProblem::RepeatedOption { name, span, first });
            }
            let settable = name.text != "address" && known.iter().any(|column| column.name == name.text);
            if !settable && name.text != "topic" {
                let names = known.iter().map(|column| column.name.clone()).filter(|name| name != "address");
                let known = names.chain(["topic".to_owned()]).collect();
                unknown = true;
                let channel = self.program[channel].name.clone();
                self.report(NameProblem::UnknownChannelField { name: name.clone(), channel, known });
            }
            seen.push(name);
        }
        let given = |field: &str| written.body.items.iter().any(|item| item.name.text == field);
        let missing = missing_fields(&self.program[channel], given);
        // A field under another name is what is missing.
        if !missing.is_empty() && !unknown {
            let channel = self.program[channel].name.clone();
            self.report(NameProblem::MissingField { message: written.name.clone(), channel, fields: missing });
        }
    }

    fn message_topic(&mut self, body: &ast::Record) -> Option<TopicId> {
        let item = body.items.iter().find(|item| item.name.text == "topic")?;
        let value = self.plain_value(item)?;
        self.topic_option(value)
    }

    /// A declared topic, by its name.
    pub(super) fn topic_option(&mut self, value: &ast::Expr) -> Option<TopicId> {
        let name = match &value.kind {
            ast::ExprKind::Name(name) => name.clone(),
            ast::ExprKind::Literal(ast::Literal::Text(text)) => ast::Name { text: text.clone(), span: value.span },
            ast::ExprKind::Error => return None,
            _ => {
                self.wrong_option("topic", "the name of a topic", value.span);
                return None;
            }
        };
        match self.lookup_global(&name, "topic") {
            Some(Global::Topic(id)) => Some(id),
            _ => None,
        }
    }

    /// Binds a message's parameters: to the arguments of a send, or to nothing in particular where it is declared.
    fn bind_message_params(&mut self, id: MessageId, scope: &mut Scope, args: Option<&[super::super::Expr]>) {
        let params = self.program[id].params.clone();
        for (at, param) in params.into_iter().enumerate() {
            let value = match args.and_then(|args| args.get(at)) {
                Some(value) => value.clone(),
                None => super::super::Expr { kind: ExprKind::Literal(Value::Null), ty: param.ty, span: param.span },
            };
            scope.bind_to(param.name, Bound::Value(Box::new(value)));
        }
    }

    /// The content of all fields, with placeholders that look at the innermost row of `scope`.
    fn contents(&mut self, written: &'a ast::Message, channel: ChannelId, scope: &Scope) -> Vec<(String, Content)> {
        let known: Vec<String> = self.program[channel].fields.iter().map(|field| field.name.clone()).collect();
        let mut fields = Vec::with_capacity(written.body.items.len());
        for item in &written.body.items {
            let ast::RecordValue::Expr(value) = &item.value else {
                self.wrong_option(&item.name.text, "a text", item.name.span);
                continue;
            };
            if known.contains(&item.name.text) {
                fields.push((item.name.text.clone(), self.content(value, scope)));
            }
        }
        fields
    }

    fn content(&mut self, value: &ast::Expr, scope: &Scope) -> Content {
        match &value.kind {
            ast::ExprKind::Template(template) => {
                for part in &template.parts {
                    if let ast::TemplatePart::Text(text) = part {
                        self.lint_holes_of_message(&text.value, text.span, scope);
                    }
                }
                Content::Inline(self.template(template, scope))
            }
            ast::ExprKind::Literal(ast::Literal::Text(text)) => {
                if is_path(text) {
                    let why = "this is the text itself, and looks like the path of a file";
                    let problem = Problem::error(names::BAD_TEMPLATE, why, value.span);
                    let right = format!("file \"{text}\"");
                    self.report(problem.help(format!("write `{right}`")).fix(value.span, right));
                }
                self.lint_holes_of_message(text, value.span, scope);
                Content::Inline(vec![TemplatePart::Text(text.clone())])
            }
            ast::ExprKind::File(path) => self.template_file(path, scope),
            _ => Content::Inline(vec![TemplatePart::Hole(self.expr(value, scope, None))]),
        }
    }

    /// A name that means a message, without a word if it means something else.
    pub(super) fn message_named(&self, written: &ast::Expr, scope: &Scope) -> Option<MessageId> {
        let name = match &written.kind {
            ast::ExprKind::Name(name) => name.clone(),
            ast::ExprKind::Field { base, field } => match &base.kind {
                ast::ExprKind::Name(module) => {
                    ast::Name { text: format!("{}.{}", module.text, field.text), span: written.span }
                }
                _ => return None,
            },
            _ => return None,
        };
        match (scope.bound(&name.text), self.find_global(&name)) {
            (Some(Bound::Message(id)), _) => Some(*id),
            (None, Some((Global::Message(id), _))) => Some(id),
            _ => None,
        }
    }

    /// The message of a send, with its arguments.
    pub(super) fn message_use(
        &mut self,
        written: &ast::Expr,
        sent_on: (&ast::Name, ChannelId),
        to: (&super::super::Query, Span),
        outer: &Scope,
        scope: &Scope,
    ) -> Option<MessageUse> {
        let none = ast::Args { kind: ast::ArgsKind::Positional(Vec::new()), span: written.span };
        let (callee, args) = match &written.kind {
            ast::ExprKind::Call { callee, args } => (callee.as_ref(), args),
            _ => (written, &none),
        };
        let message = match self.message_named(callee, outer) {
            Some(message) => message,
            None => {
                self.no_message(callee, outer);
                return None;
            }
        };
        self.fits(message, callee.span, sent_on, to).then(|| self.filled(message, args, callee.span, scope))?
    }

    /// Reports something that is no message.
    fn no_message(&mut self, callee: &ast::Expr, scope: &Scope) {
        match &callee.kind {
            ast::ExprKind::Error => {}
            ast::ExprKind::Name(name) if matches!(scope.bound(&name.text), Some(Bound::Poisoned)) => {}
            ast::ExprKind::Name(name)
                if scope.local(&name.text).is_some_and(|local| self.locals[local.0 as usize].ty.is_error()) => {}
            ast::ExprKind::Name(name) => {
                self.lookup_global(name, "message");
            }
            _ => self.wrong_option("message", "the name of a message", callee.span),
        }
    }

    /// Placeholders filled with the fields of the send's row.
    fn filled(&mut self, message: MessageId, args: &ast::Args, span: Span, scope: &Scope) -> Option<MessageUse> {
        let written = self.messages[message.0 as usize];
        let of = format!("message `{}`", written.name.text);
        let params = self.program[message].params.clone();
        let args = self.argument_values(&params, args, &of, scope);
        // Placeholders see the row and the arguments, not the names that the campaign bound.
        let mut inner = Scope { rows: scope.rows.last().cloned().into_iter().collect(), ..Scope::default() };
        self.bind_message_params(message, &mut inner, Some(&args));
        let checked_before = self.program[message].entity.is_some() && self.program[message].with.is_empty();
        let before = self.problems.len();
        self.calls.push((written.name.text.clone(), span));
        let fields = self.contents(written, self.program[message].channel, &inner);
        self.calls.pop();
        if checked_before {
            // Everything wrong with it was reported where it is declared.
            self.problems.truncate(before);
        }
        Some(MessageUse { message, args, fields })
    }

    /// The message must be for the channel and for the rows.
    fn fits(
        &mut self,
        id: MessageId,
        span: Span,
        (name, channel): (&ast::Name, ChannelId),
        (query, to): (&super::super::Query, Span),
    ) -> bool {
        let message = &self.program[id];
        if message.channel == NO_CHANNEL {
            return false;
        }
        if message.channel != channel {
            let (message, of) = (message.name.clone(), self.program[message.channel].name.clone());
            self.report(FlowProblem::WrongChannel { message, of, sent_on: name.clone(), span });
            return false;
        }
        if query.ty.is_error() {
            return false;
        }
        if let Some(entity) = message.entity
            && entity != query.ty.entity
        {
            let (declared, message) = (message.span, message.name.clone());
            let (of, sent_to) = (self.program[entity].name.clone(), self.program[query.ty.entity].name.clone());
            let mut relations = self.program[query.ty.entity].relations.iter();
            let through = relations.find(|relation| relation.target == entity).map(|relation| relation.name.clone());
            self.report(FlowProblem::WrongEntity { message, of, sent_to, through, span: to, declared });
            return false;
        }
        self.has_columns(id, query, to)
    }

    /// The rows must have the columns that the message was declared `with`.
    fn has_columns(&mut self, id: MessageId, query: &super::super::Query, span: Span) -> bool {
        let wanted = self.program[id].with.clone();
        for column in wanted {
            let fits = query.ty.column(&column.name).is_some_and(|ty| fits_column(&ty.kind, &column.ty.kind));
            if !fits {
                let message = self.program[id].name.clone();
                let ty = column.ty.show(&self.program);
                let why = format!("message `{message}` needs a column `{}` of type `{ty}`", column.name);
                let help = format!("add it to the population: `with {} = ...`", column.name);
                self.wrong(crate::diag::codes::flow::WRONG_ENTITY, why, help, span);
                return false;
            }
        }
        true
    }
}

/// `mail/welcome.html`
fn is_path(text: &str) -> bool {
    let plain = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_'));
    plain && [".html", ".htm", ".mjml", ".jinja", ".txt", ".md"].iter().any(|extension| text.ends_with(extension))
}

/// True for an item that was not understood: it may hold what seems to be missing.
fn is_broken(item: &ast::RecordItem) -> bool {
    matches!(&item.value, ast::RecordValue::Expr(value) if matches!(value.kind, ast::ExprKind::Error))
}

/// The channel of a message whose channel is not known.
pub(super) const NO_CHANNEL: ChannelId = ChannelId(u32::MAX);

fn fits_column(given: &TyKind, wanted: &TyKind) -> bool {
    match (given, wanted) {
        (TyKind::Error, _) | (_, TyKind::Error) => true,
        (TyKind::List(given), TyKind::List(wanted)) => {
            matches!((&given.kind, &wanted.kind), (TyKind::Record(_), TyKind::Row(_)))
                || fits_column(&given.kind, &wanted.kind)
        }
        _ => {
            given == wanted || (given.is_text() && *wanted == TyKind::Text) || (given.is_number() && wanted.is_number())
        }
    }
}

/// Fields that a message of the channel needs and that are not given. Mail needs one of its two parts.
fn missing_fields(channel: &Channel, given: impl Fn(&str) -> bool) -> Vec<String> {
    if channel.name == "email" && given("subject") {
        let parts = ["text", "html"];
        return if parts.iter().any(|part| given(part)) { Vec::new() } else { parts.map(str::to_owned).to_vec() };
    }
    channel
        .fields
        .iter()
        .filter(|field| !field.ty.nullable && field.name != "address" && !given(&field.name))
        .map(|field| field.name.clone())
        .take(1)
        .collect()
}
