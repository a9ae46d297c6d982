//! Logic and comparison.

use jiff::civil::Date;

use super::problem::{Advice, TypeProblem};
use super::text::sign;
use super::{Hint, node, path, poisoned, relate, written};
use crate::base::Span;
use crate::hir::check::lints_expr::ExprLint;
use crate::hir::check::{Checker, Scope};
use crate::hir::problem::ValueLint;
use crate::hir::{BinaryOp, Expr, ExprKind, Ty, TyKind, Value};
use crate::syntax::ast;

impl Checker<'_> {
    /// Two operands and what stands between them.
    pub(crate) fn binary(
        &mut self,
        expr: &ast::Expr,
        op: BinaryOp,
        sides: (&ast::Expr, &ast::Expr),
        scope: &Scope,
        hint: Option<Hint>,
    ) -> Expr {
        let (left, right) = sides;
        match op {
            BinaryOp::And | BinaryOp::Or => self.logic(expr, op, [left, right], scope),
            BinaryOp::Coalesce => self.coalesce([left, right], expr.span, scope, hint),
            BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide => {
                self.arithmetic(expr, op, [left, right], scope, hint)
            }
            _ => self.compare(expr, op, [left, right], scope),
        }
    }

    /// `and`, `or`. What a neighbour tests for null is no trap in the others.
    fn logic(&mut self, expr: &ast::Expr, op: BinaryOp, sides: [&ast::Expr; 2], scope: &Scope) -> Expr {
        if self.value_in_chain(expr, op, scope) {
            return node(ExprKind::Error, Ty::of(TyKind::Bool), expr.span);
        }
        self.lint_mixed(op, sides);
        let before = self.null_tested.len();
        tested_for_null(expr, op, &mut self.null_tested);
        let [left, right] = sides.map(|side| self.predicate(side, scope));
        self.null_tested.truncate(before);
        let ty = Ty::of(TyKind::Bool).null_if(left.ty.nullable || right.ty.nullable);
        binary_node(op, left, right, ty, expr.span)
    }

    /// `a ?? b`
    fn coalesce(&mut self, sides: [&ast::Expr; 2], span: Span, scope: &Scope, hint: Option<Hint>) -> Expr {
        let [left, right] = self.alternatives(sides, scope, hint);
        let Some(ty) = relate::unify(&left.ty, &right.ty) else {
            self.report_mismatch(&right, &left.ty, sides[1]);
            return node(ExprKind::Error, left.ty.clone(), span);
        };
        self.lint_never_null(&left, "this replacement is never used");
        let nullable = left.ty.nullable && right.ty.nullable;
        binary_node(BinaryOp::Coalesce, left, right, Ty { nullable, ..ty }, span)
    }

    /// `=`, `<`, `like` and their kin.
    fn compare(&mut self, expr: &ast::Expr, op: BinaryOp, sides: [&ast::Expr; 2], scope: &Scope) -> Expr {
        let span = expr.span;
        let nulls = sides.map(|side| self.is_null_word(side, scope));
        if let Some(advice) = null_advice(op, sides, nulls, span) {
            self.report(TypeProblem::ComparedWithNull { advice, span });
            return poisoned(span);
        }
        self.unshadowed.extend(path::deliberate(sides));
        let [left, right] = self.pair(sides, scope);
        let ty = Ty::of(TyKind::Bool).null_if(left.ty.nullable || right.ty.nullable);
        if left.ty.is_error() || right.ty.is_error() {
            return node(ExprKind::Error, ty, span);
        }
        if !self.can_compare(op, [&left, &right], sides, span, scope) {
            return node(ExprKind::Error, ty, span);
        }
        if matches!(op, BinaryOp::NotEqual | BinaryOp::NotLike) {
            self.lint_lost_nulls(expr, [(&left, sides[0]), (&right, sides[1])], sign(op), scope);
        }
        if matches!(op, BinaryOp::Equal | BinaryOp::NotEqual) {
            self.lint_exactly_now(&left, &right, sides);
        }
        comparison(op, left, right, ty, span)
    }

    /// `placed_at = now()`: nothing happens at the very instant at which it is looked at.
    fn lint_exactly_now(&mut self, left: &Expr, right: &Expr, sides: [&ast::Expr; 2]) {
        let is_now = |value: &Expr| value.kind == ExprKind::Now && value.ty.kind == TyKind::Timestamp;
        let other = match (is_now(left), is_now(right)) {
            (true, false) => (right, sides[0]),
            (false, true) => (left, sides[1]),
            _ => return,
        };
        if other.0.ty.kind == TyKind::Timestamp {
            let why = "nothing happens at exactly this instant";
            let help = "write `today()` for the day of now, or compare with `<` or `>`".to_owned();
            let fix = Some("today()".to_owned());
            self.report(ValueLint::NowMisused { why, help, span: other.1.span, fix });
        }
    }

    fn can_compare(
        &mut self,
        op: BinaryOp,
        [left, right]: [&Expr; 2],
        sides: [&ast::Expr; 2],
        span: Span,
        scope: &Scope,
    ) -> bool {
        if same_thing(left, right) {
            let advice = self.advice_for_itself(sides, scope);
            self.report(TypeProblem::ComparedWithItself { advice, span });
            return false;
        }
        let is_like = matches!(op, BinaryOp::Like | BinaryOp::NotLike);
        if is_like && !(left.ty.kind.is_text() && right.ty.kind.is_text()) {
            let advice = Advice::say("it compares texts, with `%` for any characters");
            self.bad_operand(sign(op), &[left], right, advice);
            return false;
        }
        if !relate::comparable(&left.ty.kind, &right.ty.kind) {
            self.report_incomparable([left, right], sides);
            return false;
        }
        if let Some(share) = share_of_nothing([left, right]) {
            let (number, share) = if share == 1 { (left, right) } else { (right, left) };
            let side = if std::ptr::eq(share, right) { sides[1] } else { sides[0] };
            let share_of = written(side).unwrap_or_else(|| "10%".to_owned());
            let advice = Advice::say(format!("say of what it is a share: `{share_of} * count(...)`"));
            let (other, wrong) = (self.side(number), self.side(share));
            self.report(TypeProblem::Incomparable { other, wrong, advice });
            return false;
        }
        let has_order = relate::has_order(&left.ty.kind) && relate::has_order(&right.ty.kind);
        if is_order(op) && !has_order {
            self.report_no_order(op, [left, right], sides, span, scope);
            return false;
        }
        !(is_order(op) && self.has_months([left, right]))
    }

    /// Reports two things that cannot be equal by their types.
    pub(crate) fn report_incomparable(&mut self, values: [&Expr; 2], sides: [&ast::Expr; 2]) {
        let [left, right] = values;
        if left.ty.is_error() || right.ty.is_error() {
            return;
        }
        // A literal is easier to change than a column, and a text can be converted.
        let is_literal = |value: &Expr| matches!(value.kind, ExprKind::Literal(_));
        let left_is_wrong = match (is_literal(left), is_literal(right)) {
            (true, false) => true,
            (false, true) => false,
            _ => left.ty.kind.is_text() && !right.ty.kind.is_text(),
        };
        let (wrong, other, written) = if left_is_wrong { (left, right, sides[0]) } else { (right, left, sides[1]) };
        let advice = match (relate::values(&left.ty.kind), relate::values(&right.ty.kind)) {
            (Some(_), Some(_)) => Advice::say("they have no value in common"),
            // `today() = friday`, `now() > 18:00`: the other side is the one to change.
            _ if matches!(wrong.ty.kind, TyKind::Weekday | TyKind::Time)
                && matches!(other.ty.kind, TyKind::Date | TyKind::Timestamp) =>
            {
                self.conversion(other, &wrong.ty.kind, sides[usize::from(left_is_wrong)])
            }
            _ => self.conversion(wrong, &other.ty.kind, written),
        };
        let (other, wrong) = (self.side(other), self.side(wrong));
        self.report(TypeProblem::Incomparable { other, wrong, advice });
    }

    fn report_no_order(
        &mut self,
        op: BinaryOp,
        [left, right]: [&Expr; 2],
        sides: [&ast::Expr; 2],
        span: Span,
        scope: &Scope,
    ) {
        let (value, written_value) =
            if relate::has_order(&left.ty.kind) { (right, sides[1]) } else { (left, sides[0]) };
        let about = self.about(value, written_value, scope);
        let mut advice = Advice::None;
        if let (Some(values), ExprKind::Literal(Value::Text(text))) = (relate::values(&left.ty.kind), &right.kind)
            && let Some(at) = values.iter().position(|known| known == text)
            && let Some(name) = written(sides[0])
        {
            let wanted = match op {
                BinaryOp::Less => &values[..at],
                BinaryOp::LessEqual => &values[..=at],
                BinaryOp::Greater => &values[at + 1..],
                _ => &values[at..],
            };
            let wanted: Vec<String> = wanted.iter().map(|value| format!("\"{value}\"")).collect();
            if !wanted.is_empty() {
                advice = Advice::write(format!("{name} in ({})", wanted.join(", ")), span);
            }
        }
        let ty = value.ty.kind.show(&self.program);
        self.report(TypeProblem::NoOrder { ty, about, advice, span: value.span });
    }

    /// Reports a literal duration with months that is compared.
    fn has_months(&mut self, values: [&Expr; 2]) -> bool {
        for value in values {
            if let ExprKind::Literal(Value::Duration(duration)) = &value.kind
                && duration.months != 0
            {
                let duration = super::text::written_duration(*duration);
                self.report(TypeProblem::NoFixedLength { duration, span: value.span });
                return true;
            }
        }
        false
    }

    fn advice_for_itself(&self, sides: [&ast::Expr; 2], scope: &Scope) -> Advice {
        let ast::ExprKind::Name(name) = &sides[1].kind else {
            return Advice::say("give the outer population a name with `segment`, and use that name for its row");
        };
        let ending = format!(".{}", name.text);
        let qualified = scope.locals.iter().rev().map(|(name, _)| name).find(|known| known.ends_with(&ending));
        if let Some(qualified) = qualified {
            return Advice::write_to(qualified.clone(), sides[1].span, "for the parameter");
        }
        let outer = scope
            .rows
            .iter()
            .rev()
            .skip(1)
            .find(|row| self.known_entity(row.entity).is_some_and(|entity| entity.field(&name.text).is_some()));
        match outer {
            Some(row) => {
                Advice::write_to(format!("{}.{}", row.name, name.text), sides[1].span, "for the outer row's field")
            }
            None if scope.bound(&name.text).is_some() => {
                Advice::say(format!("the field hides the other `{}`: give that another name", name.text))
            }
            None => match scope.rows.len() {
                0 | 1 => Advice::say("compare it with something else, or leave this condition out"),
                rows => Advice::say(format!(
                    "if one of them belongs to the outer row, write `{}.FIELD`",
                    scope.rows[rows - 2].name
                )),
            },
        }
    }

    /// Warns if rows fall out of a negative condition and of its opposite, because a column of theirs is null.
    pub(crate) fn lint_lost_nulls<'s>(
        &mut self,
        expr: &ast::Expr,
        sides: impl IntoIterator<Item = (&'s Expr, &'s ast::Expr)>,
        operator: &'static str,
        scope: &Scope,
    ) {
        for (value, side) in sides {
            let Some(name) = written(side) else { continue };
            if !path::is_nullable_column(value) || self.null_tested.contains(&name) {
                continue;
            }
            let rows = scope.rows.last().map_or("rows", |row| self.entity_name(row.entity)).to_owned();
            let ty = value.ty.show(&self.program);
            let whole = written(expr);
            self.report(ExprLint::LostNulls { rows, name, ty, whole, operator, span: expr.span });
            return;
        }
    }
}

/// An operation.
pub(crate) fn binary_node(op: BinaryOp, left: Expr, right: Expr, ty: Ty, span: Span) -> Expr {
    node(ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) }, ty, span)
}

fn is_order(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual)
}

/// Which side is a share that a whole number is compared with: `count(sent) > 10%` is true of a single one.
fn share_of_nothing(sides: [&Expr; 2]) -> Option<usize> {
    let is_share = |side: &Expr| side.ty.kind == TyKind::Percent && matches!(side.kind, ExprKind::Literal(_));
    let is_whole = |side: &Expr| side.ty.kind == TyKind::Int;
    match sides.map(|side| (is_share(side), is_whole(side))) {
        [(true, _), (_, true)] => Some(0),
        [(_, true), (true, _)] => Some(1),
        _ => None,
    }
}

fn same_thing(left: &Expr, right: &Expr) -> bool {
    matches!(left.kind, ExprKind::Column { .. } | ExprKind::Local(_)) && left.kind == right.kind
}

/// What to write instead of a comparison with `null`.
/// `nulls` tells which side is a word for null of another language.
fn null_advice(op: BinaryOp, [left, right]: [&ast::Expr; 2], nulls: [bool; 2], span: Span) -> Option<Advice> {
    let is_null = |side: &ast::Expr| matches!(side.kind, ast::ExprKind::Literal(ast::Literal::Null));
    let other = match (is_null(left) || nulls[0], is_null(right) || nulls[1]) {
        (false, true) => left,
        (true, false) => right,
        (true, true) => return Some(Advice::None),
        (false, false) => return None,
    };
    let Some(text) = written(other) else { return Some(Advice::say("use `is null` or `is not null`")) };
    Some(match op {
        BinaryOp::Equal => Advice::write(format!("{text} is null"), span),
        BinaryOp::NotEqual => Advice::write(format!("{text} is not null"), span),
        _ => Advice::say("use `is null` or `is not null`"),
    })
}

/// Collects what the operands of a chain of `and` or `or` test with `is [not] null`.
fn tested_for_null(expr: &ast::Expr, op: BinaryOp, tested: &mut Vec<String>) {
    match &expr.kind {
        ast::ExprKind::Binary { op: found, left, right, .. } if *found == op => {
            tested_for_null(left, op, tested);
            tested_for_null(right, op, tested);
        }
        ast::ExprKind::Paren(inner) => tested_for_null(inner, op, tested),
        // `x is null or x != 1`, `x is not null and x != 1`
        ast::ExprKind::Is { negated, value, .. } if *negated == (op == BinaryOp::And) => tested.extend(written(value)),
        _ if op == BinaryOp::And => demanded(expr, tested),
        _ => {}
    }
}

/// Collects what a condition asks a value of: `lastname` of `lastname like "Mc%"`. Its null is lost on purpose.
fn demanded(expr: &ast::Expr, tested: &mut Vec<String>) {
    let path = |side: &ast::Expr| match side.kind {
        ast::ExprKind::Name(_) | ast::ExprKind::Field { .. } => written(side),
        _ => None,
    };
    match &expr.kind {
        ast::ExprKind::Binary { op, left, right, .. } if is_order(*op) || *op == BinaryOp::Equal => {
            tested.extend([left, right].into_iter().filter_map(|side| path(side)));
        }
        ast::ExprKind::Binary { op: BinaryOp::Like, left: value, .. }
        | ast::ExprKind::In { negated: false, value, .. }
        | ast::ExprKind::Between { negated: false, value, .. } => tested.extend(path(value)),
        _ => {}
    }
}

/// A comparison of two values. A timestamp and a date are compared by the day: the date stands for the whole day in the
/// campaign's zone.
pub(crate) fn comparison(op: BinaryOp, left: Expr, right: Expr, ty: Ty, span: Span) -> Expr {
    match (&left.ty.kind, &right.ty.kind) {
        (TyKind::Timestamp, TyKind::Date) => instant_with_date(op, left, right, ty, span),
        (TyKind::Date, TyKind::Timestamp) => instant_with_date(turned(op), right, left, ty, span),
        _ => binary_node(op, left, right, ty, span),
    }
}

/// The operator with its operands exchanged.
fn turned(op: BinaryOp) -> BinaryOp {
    match op {
        BinaryOp::Less => BinaryOp::Greater,
        BinaryOp::LessEqual => BinaryOp::GreaterEqual,
        BinaryOp::Greater => BinaryOp::Less,
        BinaryOp::GreaterEqual => BinaryOp::LessEqual,
        other => other,
    }
}

/// With a literal date the bounds are constants, which lets sources skip rows; otherwise the instant's date is taken.
fn instant_with_date(op: BinaryOp, instant: Expr, date: Expr, ty: Ty, span: Span) -> Expr {
    let bounds = match &date.kind {
        ExprKind::Literal(Value::Date(day)) => day.tomorrow().ok().map(|next| (*day, next)),
        _ => None,
    };
    let Some((day, next)) = bounds else {
        return binary_node(op, date_of(instant), date, ty, span);
    };
    let start = |day: Date| midnight(day, date.span);
    let compare = |op, value: &Expr, bound| binary_node(op, value.clone(), bound, ty.clone(), span);
    let from = |day| compare(BinaryOp::GreaterEqual, &instant, start(day));
    let before = |day| compare(BinaryOp::Less, &instant, start(day));
    match op {
        BinaryOp::GreaterEqual => from(day),
        BinaryOp::Greater => from(next),
        BinaryOp::Less => before(day),
        BinaryOp::LessEqual => before(next),
        BinaryOp::NotEqual => {
            let (early, late) = (before(day), from(next));
            binary_node(BinaryOp::Or, early, late, ty.clone(), span)
        }
        _ => {
            let (early, late) = (from(day), before(next));
            binary_node(BinaryOp::And, early, late, ty.clone(), span)
        }
    }
}

/// The first instant of a day in the campaign's zone.
fn midnight(day: Date, span: Span) -> Expr {
    node(ExprKind::LocalTimestamp(day.at(0, 0, 0, 0)), Ty::of(TyKind::Timestamp), span)
}

/// The date of an instant in the campaign's zone.
pub(crate) fn date_of(instant: Expr) -> Expr {
    let (span, nullable) = (instant.span, instant.ty.nullable);
    let zone = node(ExprKind::Literal(Value::Null), Ty::of(TyKind::Text).or_null(), span);
    let kind = ExprKind::Call { native: "date".to_owned(), args: vec![instant, zone] };
    node(kind, Ty::of(TyKind::Date).null_if(nullable), span)
}
