//! Value expressions.
//!
//! `infer` finds out what an expression is, with a hint from its surroundings that gives literals their meaning; `fit`
//! compares the outcome with what is needed. A wrong piece is reported once and becomes [`ExprKind::Error`].

mod aggregate;
mod arguments;
mod arithmetic;
mod behind;
mod call;
mod compare;
mod constant;
mod define;
mod fit;
mod literal;
mod membership;
mod names;
mod path;
pub(crate) mod problem;
pub(crate) mod relate;
mod slips;
mod text;

pub(crate) use names::Resolved;
pub(crate) use names::{Meaning, Place, related};
use problem::{About, Advice, Side, TypeProblem};
pub(crate) use slips::{feedback_near, moment_in_quotes};
pub(crate) use text::{quoted_name, written};

use super::lints_expr::ExprLint;
use super::{Checker, Scope};
use crate::base::Span;
use crate::hir::{Expr, ExprKind, TemplatePart, Ty, TyKind, Value};
use crate::syntax::ast;

/// What an expression stands beside: the type that literals should take, and whose type it is.
#[derive(Clone, Copy)]
pub(crate) struct Hint<'h> {
    pub ty: &'h Ty,
    pub about: Option<&'h About>,
    /// Whether another value is a mistake: true beside `=`, false beside `??`, where `tier ?? "none"` is a text.
    pub strict: bool,
}

impl<'h> Hint<'h> {
    fn of(ty: &'h Ty) -> Self {
        Self { ty, about: None, strict: true }
    }

    fn loosely(ty: &'h Ty) -> Self {
        Self { strict: false, ..Self::of(ty) }
    }
}

const BOOL: Ty = Ty::of(TyKind::Bool);

impl Checker<'_> {
    /// Checks a value expression. `expected` gives literals their meaning, and what does not fit is reported; whether
    /// null may stand here is the caller's business (see the result's type).
    pub fn expr(&mut self, expr: &ast::Expr, scope: &Scope, expected: Option<&Ty>) -> Expr {
        let found = self.infer(expr, scope, expected.map(Hint::of));
        match expected {
            Some(wanted) => self.fit(found, wanted, expr),
            None => found,
        }
    }

    /// The pieces of a string with holes, whose values must be printable.
    pub fn template(&mut self, template: &ast::Template, scope: &Scope) -> Vec<TemplatePart> {
        let parts = template.parts.iter();
        parts
            .map(|part| match part {
                ast::TemplatePart::Text(text) => TemplatePart::Text(text.value.clone()),
                ast::TemplatePart::Hole(hole) => TemplatePart::Hole(self.hole(hole, scope)),
            })
            .collect()
    }

    fn hole(&mut self, hole: &ast::Expr, scope: &Scope) -> Expr {
        let value = self.infer(hole, scope, None);
        if !relate::is_printable(&value.ty.kind) {
            let found = value.ty.kind.show(&self.program);
            let advice = match value.ty.kind {
                TyKind::List(_) => Advice::say("only a template file can go through rows: `html: file \"...\"`"),
                _ => Advice::None,
            };
            self.report(TypeProblem::NotPrintable { found, advice, span: hole.span });
        }
        if value.ty.nullable && !value.ty.is_error() {
            let written = written(hole);
            self.report(ExprLint::NullInText { written, text: value.ty.kind.is_text(), span: hole.span });
        }
        value
    }

    /// What an expression is.
    fn infer(&mut self, expr: &ast::Expr, scope: &Scope, hint: Option<Hint>) -> Expr {
        let found = self.deeper(expr.span, |checker| checker.infer_kind(expr, scope, hint));
        found.unwrap_or_else(|| poisoned(expr.span))
    }

    fn infer_kind(&mut self, expr: &ast::Expr, scope: &Scope, hint: Option<Hint>) -> Expr {
        use ast::ExprKind::*;
        let span = expr.span;
        match &expr.kind {
            Error => poisoned(span),
            Literal(literal) => self.literal(literal, span, hint),
            Name(_) | Field { .. } => self.path(expr, scope, hint),
            Template(template) => {
                let parts = self.template(template, scope);
                node(ExprKind::Template(parts), Ty::of(TyKind::Text), span)
            }
            Paren(inner) => self.infer(inner, scope, hint),
            List(items) => self.list(items, span, scope, hint),
            Audience { .. } | Clause { .. } | SetOp { .. } => {
                self.query(expr, scope);
                self.report(TypeProblem::PopulationAsValue {
                    population: "this".to_owned(),
                    advice: Advice::say("use `count(...)`, `exists(...)` or `first(FIELD of ...)` to get a value"),
                    span,
                });
                poisoned(span)
            }
            File(_) => {
                let advice = Advice::say("a file is the content of a message's field");
                self.report(TypeProblem::NotAValue {
                    name: "file".to_owned(),
                    noun: "content".to_owned(),
                    advice,
                    span,
                });
                poisoned(span)
            }
            Call { callee, args } => self.call(expr, callee, args, scope, hint),
            Unary { op: ast::UnaryOp::Not, operand } => {
                let before = self.problems.len();
                let operand = self.predicate(operand, scope);
                if self.problems.len() == before {
                    self.lint_null_under_not(expr, &operand, scope);
                }
                let ty = BOOL.null_if(operand.ty.nullable);
                node(ExprKind::Not(Box::new(operand)), ty, span)
            }
            Unary { op: ast::UnaryOp::Neg, operand } => self.negate(operand, span, scope),
            Binary { op, left, right, .. } => self.binary(expr, *op, (left, right), scope, hint),
            In { negated, value, within } => self.membership(expr, *negated, value, within, scope),
            Between { negated, value, low, high } => self.between(expr, *negated, value, [low, high], scope),
            Is { negated, value, test } => self.is(*negated, value, *test, span, scope),
            If { condition, then, otherwise } => self.conditional(condition, [then, otherwise], span, scope, hint),
            Rate { amount, per } => self.rate_of(amount, per, span, scope),
        }
    }

    /// A condition: true, false or null.
    pub(crate) fn predicate(&mut self, expr: &ast::Expr, scope: &Scope) -> Expr {
        self.expr(expr, scope, Some(&BOOL))
    }

    fn list(&mut self, items: &[ast::Expr], span: Span, scope: &Scope, hint: Option<Hint>) -> Expr {
        let element = hint.and_then(|hint| match &hint.ty.kind {
            TyKind::List(element) => Some((**element).clone()),
            _ => None,
        });
        let mut common = Ty::of(TyKind::Null);
        let mut elements = Vec::new();
        for item in items {
            let wanted = element.as_ref().or((common.kind != TyKind::Null).then_some(&common));
            let hint = if element.is_some() { wanted.map(Hint::of) } else { wanted.map(Hint::loosely) };
            let value = self.infer(item, scope, hint);
            match relate::unify(&common, &value.ty) {
                Some(ty) if common.kind == TyKind::Null => common = ty.null_if(value.ty.nullable),
                Some(ty) => common = ty,
                None => self.report_mismatch(&value, &common, item),
            }
            elements.push(value);
        }
        if elements.iter().all(|element| !element.ty.nullable) {
            common.nullable = false;
        }
        node(ExprKind::List(elements), Ty::of(TyKind::List(Box::new(common))), span)
    }

    fn conditional(
        &mut self,
        condition: &ast::Expr,
        arms: [&ast::Expr; 2],
        span: Span,
        scope: &Scope,
        hint: Option<Hint>,
    ) -> Expr {
        let condition = self.predicate(condition, scope);
        let [then, otherwise] = self.alternatives(arms, scope, hint);
        let ty = match relate::unify(&then.ty, &otherwise.ty) {
            Some(ty) => ty,
            None => {
                self.report_mismatch(&otherwise, &then.ty, arms[1]);
                then.ty.clone()
            }
        };
        let [condition, then, otherwise] = [condition, then, otherwise].map(Box::new);
        node(ExprKind::If { condition, then, otherwise }, ty, span)
    }

    fn rate_of(&mut self, amount: &ast::Expr, per: &ast::Expr, span: Span, scope: &Scope) -> Expr {
        let amount = self.expr(amount, scope, Some(&Ty::of(TyKind::Int)));
        let unit = match &per.kind {
            ast::ExprKind::Name(name) => unit(&name.text),
            _ => None,
        };
        let per = match unit {
            Some(length) => literal(Value::Duration(length), TyKind::Duration, per.span),
            None => self.expr(per, scope, Some(&Ty::of(TyKind::Duration))),
        };
        let [amount, per] = [amount, per].map(Box::new);
        node(ExprKind::Rate { amount, per }, Ty::of(TyKind::Rate), span)
    }

    /// Two operands of a comparison: the one with a type of its own tells the other.
    fn pair(&mut self, sides: [&ast::Expr; 2], scope: &Scope) -> [Expr; 2] {
        let [left, right] = sides;
        if is_flexible(left) && !is_flexible(right) {
            let right = self.infer(right, scope, None);
            let left = self.beside(&right, sides[1], left, scope);
            return [left, right];
        }
        // A number on the right tells what is wanted on the left: `orders > 3` is about their count.
        let number = literal::number(right);
        let left = self.infer(left, scope, number.as_ref().map(Hint::of));
        let right = self.beside(&left, sides[0], right, scope);
        [left, right]
    }

    /// Two values of which one is taken, by `??` or `if`.
    fn alternatives(&mut self, sides: [&ast::Expr; 2], scope: &Scope, hint: Option<Hint>) -> [Expr; 2] {
        let [first, second] = if is_flexible(sides[0]) && !is_flexible(sides[1]) { [1, 0] } else { [0, 1] };
        let known = self.infer(sides[first], scope, hint);
        let other = self.infer(sides[second], scope, hint.or(Some(Hint::loosely(&known.ty))));
        if first == 0 { [known, other] } else { [other, known] }
    }

    /// An expression beside another one, whose type it takes where it is free to.
    fn beside(&mut self, other: &Expr, written: &ast::Expr, expr: &ast::Expr, scope: &Scope) -> Expr {
        let about = self.about(other, written, scope);
        self.infer(expr, scope, Some(Hint { ty: &other.ty, about: Some(&about), strict: true }))
    }

    /// What an expression is called, and where its type was declared.
    fn about(&self, value: &Expr, written: &ast::Expr, scope: &Scope) -> About {
        let name = match &written.kind {
            ast::ExprKind::Name(name) | ast::ExprKind::Field { field: name, .. } => Some(name.text.clone()),
            _ => None,
        };
        About { name, declared: self.declared_at(value, scope) }
    }

    /// Reports an operator on operands it does not work on.
    fn bad_operand(&mut self, operator: &str, before: &[&Expr], last: &Expr, advice: Advice) {
        let before = before.iter().map(|value| self.side(value)).collect();
        let (operator, last) = (operator.to_owned(), self.side(last));
        self.report(TypeProblem::BadOperand { operator, before, last, advice });
    }

    /// An operand for a message.
    fn side(&self, value: &Expr) -> Side {
        Side { ty: value.ty.show(&self.program), span: value.span }
    }
}

/// True for what takes its type from what it stands beside.
fn is_flexible(expr: &ast::Expr) -> bool {
    use ast::ExprKind::*;
    match &expr.kind {
        Literal(_) | List(_) => true,
        Name(name) => literal::weekday(&name.text).is_some(),
        Paren(inner) => is_flexible(inner),
        Binary { op: ast::BinaryOp::Add | ast::BinaryOp::Subtract, left, .. } => is_flexible(left),
        Call { callee, .. } => matches!(&callee.kind, Name(name) if name.text == "ago"),
        _ => false,
    }
}

fn unit(name: &str) -> Option<ast::Duration> {
    let days = |days| ast::Duration { days, ..Default::default() };
    let seconds = |seconds| ast::Duration { seconds, ..Default::default() };
    Some(match name {
        "second" => seconds(1),
        "minute" => seconds(60),
        "hour" => seconds(3600),
        "day" => days(1),
        "week" => days(7),
        _ => return None,
    })
}

pub(crate) fn node(kind: ExprKind, ty: Ty, span: Span) -> Expr {
    Expr { kind, ty, span }
}

pub(crate) fn literal(value: Value, kind: TyKind, span: Span) -> Expr {
    node(ExprKind::Literal(value), Ty::of(kind), span)
}

/// What stands for something wrong.
pub(crate) fn poisoned(span: Span) -> Expr {
    node(ExprKind::Error, Ty::error(), span)
}

#[cfg(test)]
mod tests;
