//! Expressions, clauses and records.

use super::Build;
use crate::syntax::ast::{
    Args, ArgsKind, BinaryOp, Clause, ClauseKind, Expr, ExprKind, IsTest, Literal, Name, OrderKey, Record, RecordItem,
    RecordValue, SetOp, Template, TemplatePart, Text, UnaryOp, Window, WindowZone,
};
use crate::syntax::error::SyntaxError;
use crate::syntax::token::{Token, Value};

impl Build<'_> {
    fn expr(&self, start: u32, kind: ExprKind, end: u32) -> Expr {
        Expr { kind, span: self.span(start, end) }
    }

    pub fn bad_expr(&self, token: Token) -> Expr {
        self.expr(token.start, ExprKind::Error, token.end)
    }

    pub fn literal(&self, token: Token) -> Expr {
        let kind = match self.values.get(token.value as usize) {
            Some(Value::Literal(literal)) => ExprKind::Literal(literal.clone()),
            Some(Value::Text(text)) => ExprKind::Literal(Literal::Text(text.clone())),
            _ => ExprKind::Error,
        };
        self.expr(token.start, kind, token.end)
    }

    pub fn constant(&self, token: Token, literal: Literal) -> Expr {
        self.expr(token.start, ExprKind::Literal(literal), token.end)
    }

    pub fn name_expr(&self, token: Token) -> Expr {
        self.expr(token.start, ExprKind::Name(self.name(token)), token.end)
    }

    pub fn template(&self, open: Token, mut parts: Vec<TemplatePart>, close: Token) -> Expr {
        // Indentation alone leaves nothing.
        parts.retain(|part| !matches!(part, TemplatePart::Text(text) if text.value.is_empty()));
        self.expr(open.start, ExprKind::Template(Template { parts }), close.end)
    }

    pub fn paren(&self, open: Token, inner: Expr, close: Token) -> Expr {
        self.expr(open.start, ExprKind::Paren(Box::new(inner)), close.end)
    }

    pub fn list_expr(&self, open: Token, items: Vec<Expr>, close: Token) -> Expr {
        self.expr(open.start, ExprKind::List(items), close.end)
    }

    pub fn audience(&self, word: Token, name: Text, entity: Name) -> Expr {
        let end = entity.span.end;
        self.expr(word.start, ExprKind::Audience { name, entity }, end)
    }

    pub fn file(&self, word: Token, path: Text) -> Expr {
        let end = path.span.end;
        self.expr(word.start, ExprKind::File(path), end)
    }

    pub fn field(&self, base: Expr, field: Name) -> Expr {
        let (start, end) = (base.span.start, field.span.end);
        self.expr(start, ExprKind::Field { base: Box::new(base), field }, end)
    }

    pub fn call(&self, callee: Expr, args: Args) -> Expr {
        let (start, end) = (callee.span.start, args.span.end);
        self.expr(start, ExprKind::Call { callee: Box::new(callee), args }, end)
    }

    pub fn args(&self, open: Token, kind: ArgsKind, close: Token) -> Args {
        Args { kind, span: self.span(open.start, close.end) }
    }

    pub fn args_of(&self, values: Vec<Expr>, query: Expr) -> ArgsKind {
        ArgsKind::Of { values, query: Box::new(query) }
    }

    /// The arguments of a statement, which may have none.
    pub(super) fn args_or_none(&self, args: Option<Args>, behind: u32) -> Args {
        args.unwrap_or_else(|| Args { kind: ArgsKind::Positional(Vec::new()), span: self.span(behind, behind) })
    }

    pub fn unary(&self, op: UnaryOp, token: Token, operand: Expr) -> Expr {
        let end = operand.span.end;
        self.expr(token.start, ExprKind::Unary { op, operand: Box::new(operand) }, end)
    }

    pub fn binary(&self, op: BinaryOp, left: Expr, token: Token, right: Expr) -> Expr {
        let (start, end) = (left.span.start, right.span.end);
        let op_span = self.token_span(token);
        self.expr(start, ExprKind::Binary { op, op_span, left: Box::new(left), right: Box::new(right) }, end)
    }

    pub fn not_like(&self, left: Expr, not: Token, like: Token, right: Expr) -> Expr {
        let both = Token { end: like.end, ..not };
        self.binary(BinaryOp::NotLike, left, both, right)
    }

    pub fn within(&self, not: Option<Token>, value: Expr, within: Expr) -> Expr {
        let (start, end) = (value.span.start, within.span.end);
        let kind = ExprKind::In { negated: not.is_some(), value: Box::new(value), within: Box::new(within) };
        self.expr(start, kind, end)
    }

    pub fn within_list(&self, not: Option<Token>, value: Expr, open: Token, items: Vec<Expr>, close: Token) -> Expr {
        let list = self.list_expr(open, items, close);
        self.within(not, value, list)
    }

    /// `in (x,)`, which means `in (x)`.
    pub fn within_one(&self, not: Option<Token>, value: Expr, open: Token, item: Expr, close: Token) -> Expr {
        let inner = self.paren(open, item, close);
        self.within(not, value, inner)
    }

    pub fn between(&self, not: Option<Token>, value: Expr, low: Expr, high: Expr) -> Expr {
        let (start, end) = (value.span.start, high.span.end);
        let kind = ExprKind::Between {
            negated: not.is_some(),
            value: Box::new(value),
            low: Box::new(low),
            high: Box::new(high),
        };
        self.expr(start, kind, end)
    }

    pub fn is(&self, not: Option<Token>, value: Expr, test: IsTest, word: Token) -> Expr {
        let start = value.span.start;
        self.expr(start, ExprKind::Is { negated: not.is_some(), value: Box::new(value), test }, word.end)
    }

    pub fn conditional(&self, word: Token, condition: Expr, then: Expr, otherwise: Expr) -> Expr {
        let end = otherwise.span.end;
        let kind =
            ExprKind::If { condition: Box::new(condition), then: Box::new(then), otherwise: Box::new(otherwise) };
        self.expr(word.start, kind, end)
    }

    pub fn rate(&self, amount: Expr, per: Expr) -> Expr {
        let (start, end) = (amount.span.start, per.span.end);
        self.expr(start, ExprKind::Rate { amount: Box::new(amount), per: Box::new(per) }, end)
    }

    pub fn clause(&self, start: u32, kind: ClauseKind, end: u32) -> Clause {
        Clause { kind, span: self.span(start, end) }
    }

    pub fn clause_of(&self, input: Expr, clause: Clause) -> Expr {
        self.check_right_side(&input, &clause);
        let (start, end) = (input.span.start, clause.span.end);
        self.expr(start, ExprKind::Clause { input: Box::new(input), clause: Box::new(clause) }, end)
    }

    pub fn set_operation(&self, left: Expr, (op, token): (SetOp, Token), right: Expr, on: Option<Vec<Name>>) -> Expr {
        let op_span = self.token_span(token);
        self.report_ambiguity(&left, op_span);
        let on = on.unwrap_or_default();
        let start = left.span.start;
        let end = on.last().map_or(right.span.end, |last| last.span.end);
        // A parenthesis closes the list of columns, and nothing but white space stands before it.
        let behind = self.text[end as usize..].trim_start();
        let end = match on.len() > 1 && behind.starts_with(')') {
            true => self.text.len() as u32 - behind.len() as u32 + 1,
            false => end,
        };
        self.expr(start, ExprKind::SetOp { op, op_span, left: Box::new(left), right: Box::new(right), on }, end)
    }

    fn check_right_side(&self, input: &Expr, clause: &Clause) {
        let word =
            self.text[clause.span.start as usize..].find(|c: char| !c.is_alphabetic()).unwrap_or(clause.span.len());
        self.report_ambiguity(input, self.span(clause.span.start, clause.span.start + word as u32));
    }

    /// What follows the bare right side of a set operator is read both ways.
    fn report_ambiguity(&self, before: &Expr, follows: crate::base::Span) {
        if let ExprKind::SetOp { op_span, right, .. } = &before.kind
            && !matches!(right.kind, ExprKind::Paren(_))
        {
            self.problem(SyntaxError::AmbiguousSetOperator { span: follows, operator: *op_span, right: right.span });
        }
    }

    pub fn order_key(&self, value: Expr, desc: Option<Token>) -> OrderKey {
        OrderKey { value, descending: desc.is_some() }
    }

    pub fn record(&self, open: Token, items: Vec<RecordItem>, close: Token) -> Record {
        Record { items, span: self.span(open.start, close.end) }
    }

    pub fn brace_record(&self, open: Token, items: Vec<Option<RecordItem>>, close: Token) -> Record {
        self.record(open, self.present(items), close)
    }

    pub fn record_item(&self, start: u32, name: Name, value: RecordValue) -> RecordItem {
        RecordItem { doc: self.doc(start), name, value }
    }

    pub fn window(&self, from: Expr, to: Expr, zone: WindowZone, end: u32) -> Window {
        let span = self.span(from.span.start, end);
        Window { from, to, zone, span }
    }
}
