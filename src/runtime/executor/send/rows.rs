//! What a send needs to know of each row, as expressions over the frozen population.

use std::sync::Arc;

use crate::base::Span;
use crate::hir::{
    BinaryOp, Column, ColumnRef, Content, Expr, ExprKind, Local, LocalId, MessageUse, OrderKey, Program, Query,
    QueryKind, RelationId, RowId, Send, SegmentTy, TemplatePart, Ty, TyKind,
};
use crate::runtime::content::{FieldKind, FileTemplate, TemplateError};

/// The column that numbers the rows of a frozen population.
pub(crate) const ROW: &str = "__row";
pub(super) const ADDRESS: &str = "__address";
pub(super) const PROFILE: &str = "__profile";
pub(super) const CONSENT: &str = "__consent";

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
    Column { name: String, safe: bool },
}

/// The frozen population of a send in row order, whatever it was made of.
pub(super) fn numbered(send: &Send, snapshot: LocalId) -> Query {
    let row_column = Column { name: ROW.into(), ty: Ty::of(TyKind::Int) };
    let with = send.to.ty.with.iter().cloned().chain([row_column]).collect();
    let ty = SegmentTy { entity: send.to.ty.entity, with };
    let span = send.to.span;
    let source = Query { kind: QueryKind::Local(snapshot), ty: ty.clone(), span };
    let key = OrderKey { value: row_number(send.row, span), descending: false };
    Query { kind: QueryKind::OrderBy { input: Box::new(source), row: send.row, keys: vec![key] }, ty, span }
}

/// The row's number.
pub(super) fn row_number(row: RowId, span: Span) -> Expr {
    let column = ColumnRef::Added(ROW.into());
    Expr { kind: ExprKind::Column { row, path: Vec::new(), column }, ty: Ty::of(TyKind::Int), span }
}

/// A local that stands for the send's own frozen population.
pub(super) fn snapshot_local(locals: &[Local]) -> LocalId {
    LocalId(locals.len() as u32)
}

/// Address, profile and consent of each row: evaluated at the moment of sending, never frozen.
pub(super) fn addressing(program: &Program, send: &Send) -> Vec<(String, Expr)> {
    let mut columns = vec![(ADDRESS.to_string(), send.address.clone())];
    let mut profile_entity = send.to.ty.entity;
    for relation in &send.profile {
        profile_entity = program[profile_entity][*relation].target;
    }
    if !send.profile.is_empty()
        && let Some(key) = program[profile_entity].key.first()
    {
        let ty = program[profile_entity][*key].ty.clone().or_null();
        let kind =
            ExprKind::Column { row: send.row, path: send.profile.clone(), column: ColumnRef::Field(*key) };
        columns.push((PROFILE.to_string(), Expr { kind, ty, span: send.address.span }));
    }
    if let Some(rule) = consent(program, send, profile_entity) {
        columns.push((CONSENT.to_string(), rule));
    }
    columns
}

/// The rules of row and profile must both hold; without any the topic decides.
fn consent(program: &Program, send: &Send, profile_entity: crate::hir::EntityId) -> Option<Expr> {
    let channel = &program[send.channel].name;
    let rule_of = |entity, path: &[RelationId]| {
        let rules = &program[entity].consent;
        let rule = rules.iter().find(|(name, _)| name == channel).map(|(_, rule)| rule)?;
        Some(rebase(rule, send.row, path))
    };
    let own = rule_of(send.to.ty.entity, &[]);
    let profile = if send.profile.is_empty() { None } else { rule_of(profile_entity, &send.profile) };
    match (own, profile) {
        (Some(left), Some(right)) => Some(and(left, right)),
        (Some(rule), None) | (None, Some(rule)) => Some(rule),
        (None, None) => {
            let topic = send.options.topic?;
            let field = program[profile_entity].field(program[topic].consent.as_deref()?)?;
            let ty = program[profile_entity][field].ty.clone();
            let kind = ExprKind::Column {
                row: send.row,
                path: send.profile.clone(),
                column: ColumnRef::Field(field),
            };
            Some(Expr { kind, ty, span: send.address.span })
        }
    }
}

fn and(left: Expr, right: Expr) -> Expr {
    let span = left.span;
    let ty = Ty::of(TyKind::Bool).null_if(left.ty.nullable || right.ty.nullable);
    Expr { kind: ExprKind::Binary { op: BinaryOp::And, left: Box::new(left), right: Box::new(right) }, ty, span }
}

/// A rule of a declaration, looking at `row` through `path`.
fn rebase(rule: &Expr, row: RowId, path: &[RelationId]) -> Expr {
    crate::hir::map_columns(rule, &mut |found, below, column| {
        if found != RowId::DECLARED {
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

/// Shared by all rows of a send.
pub(super) type SharedContents = Arc<Contents>;
