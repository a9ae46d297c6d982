//! What a send needs to know of each row, as expressions over the frozen population.

use crate::base::Span;
use crate::hir::{
    BinaryOp, Column, ColumnRef, Content, EntityId, Expr, ExprKind, FieldId, Local, LocalId, MessageUse, OrderKey,
    Program, Query, QueryKind, RelationId, RowId, Send, SendAt, TemplatePart, Ty, TyKind,
};
use crate::runtime::content::{FieldKind, FileTemplate, TemplateError};
use crate::runtime::executor::live::live_relation;
use crate::runtime::executor::person::Person;

/// The column that numbers the rows of a frozen population.
pub(in crate::runtime) const ROW: &str = "__row";
pub(super) const ADDRESS: &str = "__address";
pub(super) const PROFILE: &str = "__profile";
pub(super) const CONSENT: &str = "__consent";
/// When the row's message is to go out.
pub(super) const MOMENT: &str = "__moment";
/// The person's time zone: the profile's, then the row's own.
pub(super) const ZONES: [&str; 2] = ["__zone_profile", "__zone_row"];

/// The content of a send, compiled once.
pub(super) struct Contents {
    pub fields: Vec<(String, FieldContent)>,
}

/// How one field of a message gets its value.
pub(super) enum FieldContent {
    /// Pieces of text and columns; `html` says that text from data is escaped.
    Inline { parts: Vec<Piece>, html: bool },
    /// A file template and the columns of its variables.
    File { template: Box<FileTemplate>, variables: Vec<(String, String)> },
}

/// A piece of an inline template.
pub(super) enum Piece {
    Text(String),
    /// A column of the row; already HTML if its type says so.
    Column {
        name: String,
        safe: bool,
    },
}

/// A frozen population in row order with its row numbers, whatever it was made of.
pub(in crate::runtime::executor) fn numbered_query(of: &Query, row: RowId, snapshot: LocalId) -> Query {
    let row_column = Column { name: ROW.into(), ty: Ty::of(TyKind::Int) };
    let ty = of.ty.and([row_column]);
    let source = Query { kind: QueryKind::Local(snapshot), ty: ty.clone(), span: of.span };
    let key = OrderKey { value: row_number(row, of.span), descending: false };
    Query { kind: QueryKind::OrderBy { input: Box::new(source), row, keys: vec![key] }, ty, span: of.span }
}

/// The same without the rows below a number, which are settled: a send that is resumed near its end does not begin at
/// its beginning.
pub(super) fn numbered_from(of: &Query, row: RowId, snapshot: LocalId, from: u64) -> Query {
    let mut query = numbered_query(of, row, snapshot);
    if from > 0
        && let QueryKind::OrderBy { input, .. } = &mut query.kind
    {
        let literal = ExprKind::Literal(crate::hir::Value::Int(i64::try_from(from).unwrap_or(i64::MAX)));
        let number = Expr { kind: literal, ty: Ty::of(TyKind::Int), span: of.span };
        let (left, right) = (Box::new(row_number(row, of.span)), Box::new(number));
        let kind = ExprKind::Binary { op: BinaryOp::GreaterEqual, left, right };
        let predicate = Expr { kind, ty: Ty::of(TyKind::Bool), span: of.span };
        let rest = QueryKind::Where { input: input.clone(), row, predicate };
        **input = Query { kind: rest, ty: input.ty.clone(), span: of.span };
    }
    query
}

/// The row's number.
fn row_number(row: RowId, span: Span) -> Expr {
    let column = ColumnRef::Added(ROW.into());
    Expr { kind: ExprKind::Column { row, path: Vec::new(), column }, ty: Ty::of(TyKind::Int), span }
}

/// A local that stands for the send's own frozen population.
pub(super) fn snapshot_local(locals: &[Local]) -> LocalId {
    LocalId(locals.len() as u32)
}

/// Address, profile and consent of each row, and its zones where they are asked for: read live at the moment of sending,
/// never frozen.
pub(super) fn addressing(program: &Program, send: &Send, with_zones: bool) -> Vec<(String, Expr)> {
    let live: Vec<RelationId> = live_relation(program, send.to.ty.entity).into_iter().collect();
    let (profile_entity, profile) = live_profile(program, send);
    let address = through(&send.address, send.row, send.row, &live);
    let mut columns = vec![(ADDRESS.to_string(), address)];
    if !profile.is_empty()
        && let Some(key) = program[profile_entity].key.first()
    {
        columns.push((PROFILE.to_string(), field(program, send, profile_entity, &profile, *key)));
    }
    columns.extend(person(program, send).into_iter().flat_map(|person| person.columns));
    if let Some(SendAt::LocalTime(moment) | SendAt::Moment(moment)) = &send.options.at {
        columns.push((MOMENT.to_string(), moment.clone()));
    }
    let zoned = [(profile_entity, &profile), (send.to.ty.entity, &live)];
    for (column, (entity, path)) in ZONES.into_iter().zip(zoned).filter(|_| with_zones) {
        let zone = program[entity].fields.iter().position(|field| field.ty.kind == TyKind::Timezone);
        if let Some(zone) = zone {
            columns.push((column.to_string(), field(program, send, entity, path, FieldId(zone as u32))));
        }
    }
    if let Some(rule) = consent(program, send, profile_entity, &live, &profile) {
        columns.push((CONSENT.to_string(), rule));
    }
    columns
}

/// Whose wishes and caps count: the profile's. None for messages about which nobody has a say.
pub(super) fn person(program: &Program, send: &Send) -> Option<Person> {
    if send.options.transactional {
        return None;
    }
    let (entity, path) = live_profile(program, send);
    Some(Person::new(program, entity, send.row, &path, send.address.span))
}

/// The entity of the send's profile, and the way to its live row.
fn live_profile(program: &Program, send: &Send) -> (EntityId, Vec<RelationId>) {
    let own = send.to.ty.entity;
    let entity = send.profile.iter().fold(own, |entity, relation| program[entity][*relation].target);
    (entity, live_relation(program, own).into_iter().chain(send.profile.iter().copied()).collect())
}

/// A field of the entity at the end of a path.
fn field(program: &Program, send: &Send, entity: EntityId, path: &[RelationId], field: FieldId) -> Expr {
    let ty = program[entity][field].ty.clone().or_null();
    let kind = ExprKind::Column { row: send.row, path: path.to_vec(), column: ColumnRef::Field(field) };
    Expr { kind, ty, span: send.address.span }
}

/// The rules of row and profile must both hold; without any the topic decides.
fn consent(
    program: &Program,
    send: &Send,
    profile_entity: EntityId,
    live: &[RelationId],
    profile: &[RelationId],
) -> Option<Expr> {
    let channel = &program[send.channel].name;
    let rule_of = |entity: EntityId, path: &[RelationId]| {
        let (_, rule) = program[entity].consent.iter().find(|(name, _)| name == channel)?;
        Some(through(rule, RowId::DECLARED, send.row, path))
    };
    let own = rule_of(send.to.ty.entity, live);
    let of_profile = if send.profile.is_empty() { None } else { rule_of(profile_entity, profile) };
    match (own, of_profile) {
        (Some(left), Some(right)) => Some(and(left, right)),
        (Some(rule), None) | (None, Some(rule)) => Some(rule),
        (None, None) => {
            let rule = program[send.options.topic?].consent.as_deref()?;
            let rule = program[profile_entity].field(rule)?;
            Some(field(program, send, profile_entity, profile, rule))
        }
    }
}

fn and(left: Expr, right: Expr) -> Expr {
    let span = left.span;
    let ty = Ty::of(TyKind::Bool).null_if(left.ty.nullable || right.ty.nullable);
    Expr { kind: ExprKind::Binary { op: BinaryOp::And, left: Box::new(left), right: Box::new(right) }, ty, span }
}

/// The expression with the fields of `from` read from `row` through `path`. Added columns stay: only a frozen row has
/// them.
fn through(expr: &Expr, from: RowId, row: RowId, path: &[RelationId]) -> Expr {
    crate::hir::map_columns(expr, &mut |found, below, column| {
        if found != from || (below.is_empty() && matches!(column, ColumnRef::Added(name) if !name.is_empty())) {
            return None;
        }
        let path = path.iter().chain(below).copied().collect();
        Some(ExprKind::Column { row, path, column: column.clone() })
    })
}

/// Compiles the message's fields; adds the columns they need to `columns`.
pub(super) fn contents(
    program: &Program,
    send: &Send,
    message: &MessageUse,
    columns: &mut Vec<(String, Expr)>,
) -> Result<Contents, TemplateError> {
    let channel = &program[send.channel];
    let mut column = |expr: &Expr| {
        let name = format!("__value{}", columns.len());
        columns.push((name.clone(), expr.clone()));
        name
    };
    let mut fields = Vec::with_capacity(message.fields.len());
    for (name, content) in &message.fields {
        let html = channel.fields.iter().any(|field| field.name == *name && field.ty.kind == TyKind::Html);
        let content = match content {
            Content::Inline(parts) => FieldContent::Inline { parts: pieces(parts, &mut column), html },
            Content::File { path, text, variables } => {
                let kind = if html { FieldKind::Html } else { FieldKind::Text };
                let variables = variables.iter().map(|(name, expr)| (name.clone(), column(expr))).collect();
                FieldContent::File { template: Box::new(FileTemplate::compile(path, text, kind)?), variables }
            }
        };
        fields.push((name.clone(), content));
    }
    Ok(Contents { fields })
}

fn pieces(parts: &[TemplatePart], column: &mut dyn FnMut(&Expr) -> String) -> Vec<Piece> {
    let piece = |part: &TemplatePart| match part {
        TemplatePart::Text(text) => Piece::Text(text.clone()),
        TemplatePart::Hole(expr) => Piece::Column { name: column(expr), safe: expr.ty.kind == TyKind::Html },
    };
    parts.iter().map(piece).collect()
}

/// What a send without a message says, so that nobody takes it for content.
pub(super) fn placeholder(send: &Send) -> Contents {
    let text = format!(
        "This is a placeholder: `send ... to {}` has no message yet.\nDeclare one, such as:\n\n\
         message email default {{ subject: \"...\"; text: \"...\" }}\n",
        send.to_name
    );
    let field = |name: &str, text: String| {
        (name.to_string(), FieldContent::Inline { parts: vec![Piece::Text(text)], html: false })
    };
    Contents { fields: vec![field("subject", format!("[placeholder] {}", send.to_name)), field("text", text)] }
}
