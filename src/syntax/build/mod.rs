//! The actions of the grammar: from tokens and parts to tree nodes.

mod decl;
mod expr;
mod flow;

pub use decl::Piece;

use std::cell::RefCell;
use std::collections::HashMap;

use super::ast::{Block, Doc, Expr, Name, Stmt, StmtKind, Text};
use super::error::SyntaxError;
use super::token::{Token, Value};
use crate::base::{SourceId, Span};
use crate::diag::Problems;

/// What one run of the parser yields.
#[derive(Debug)]
pub enum Entry {
    Stmt(Stmt),
    Expr(Expr),
}

/// What the actions need to know: the text, and what the lexer found in it.
pub struct Build<'t> {
    source: SourceId,
    text: &'t str,
    values: &'t [Value],
    docs: &'t HashMap<u32, Doc>,
    /// Problems that are no syntax errors to the grammar. The parser calls actions one after the other, so borrows never meet.
    problems: RefCell<Problems>,
}

impl<'t> Build<'t> {
    /// For the tokens of `text`.
    pub fn new(source: SourceId, text: &'t str, values: &'t [Value], docs: &'t HashMap<u32, Doc>) -> Self {
        Self { source, text, values, docs, problems: RefCell::default() }
    }

    /// What was found since the last call.
    pub fn take_problems(&self) -> Problems {
        self.problems.take()
    }

    fn problem(&self, error: SyntaxError) {
        self.problems.borrow_mut().push(error);
    }

    /// The span from `start` to `end`.
    pub fn span(&self, start: u32, end: u32) -> Span {
        Span::new(self.source, start, end.max(start))
    }

    fn token_span(&self, token: Token) -> Span {
        token.span(self.source)
    }

    /// A list of at least one.
    pub fn list<T>(&self, first: T, rest: Vec<T>) -> Vec<T> {
        let mut items = Vec::with_capacity(rest.len() + 1);
        items.push(first);
        items.extend(rest);
        items
    }

    /// One item more.
    pub fn and<T>(&self, mut items: Vec<T>, item: T) -> Vec<T> {
        items.push(item);
        items
    }

    /// A list whose last item has no comma behind it.
    pub fn trailing<T>(&self, mut items: Vec<T>, last: Option<T>) -> Vec<T> {
        items.extend(last);
        items
    }

    /// The items that could be parsed.
    pub fn present<T>(&self, items: Vec<Option<T>>) -> Vec<T> {
        items.into_iter().flatten().collect()
    }

    /// A name without its backquotes.
    pub fn name(&self, token: Token) -> Name {
        let text = token.text(self.text);
        let text = text.strip_prefix('`').unwrap_or(text);
        let text = text.strip_suffix('`').unwrap_or(text);
        // A name in quotes was reported, and is known without them.
        let text = text.trim_matches(['"', '\'']);
        Name { text: text.to_owned(), span: self.token_span(token) }
    }

    /// A string or a chunk of one.
    pub fn text(&self, token: Token) -> Text {
        let value = match self.values.get(token.value as usize) {
            Some(Value::Text(text)) => text.clone(),
            _ => String::new(),
        };
        Text { value, span: self.token_span(token) }
    }

    fn doc(&self, start: u32) -> Option<Doc> {
        self.docs.get(&start).cloned()
    }

    /// `{ ... }`
    pub fn block(&self, open: Token, stmts: Vec<Stmt>, close: Token) -> Block {
        Block { stmts, span: self.span(open.start, close.end) }
    }

    /// A statement and the doc comment above it.
    pub fn stmt(&self, start: u32, kind: StmtKind, end: u32) -> Stmt {
        Stmt { doc: self.doc(start), kind, span: self.span(start, end) }
    }
}
