//! Expressions.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_nested::expr_fn::{array_has, cardinality, make_array};
use datafusion::logical_expr::{BinaryExpr, Case, Expr, ExprSchemable, Like, Operator, cast, lit, not, when};
use datafusion::optimizer::simplify_expressions::{ExprSimplifier, SimplifyContext};
use datafusion::scalar::ScalarValue;

use super::barrier::barrier;
use super::frame::{Frame, column, columns};
use super::lower::{Lower, not_kept, unsupported};
use super::{QueryError, uses, values};
use crate::base::{Span, civil};
use crate::hir::{self, BinaryOp, ColumnRef, ExprKind, RelationId, RowId, TemplatePart, Ty, TyKind, Value};
use crate::plan::functions::{self, Arithmetic, Context};

/// What is tried one after the other in `A ?? B ?? C`.
fn alternatives<'e>(expr: &'e hir::Expr, parts: &mut Vec<&'e hir::Expr>) {
    match &expr.kind {
        ExprKind::Binary { op: BinaryOp::Coalesce, left, right } => {
            alternatives(left, parts);
            alternatives(right, parts);
        }
        _ => parts.push(expr),
    }
}

impl Lower<'_> {
    /// Lowers an expression over the rows that the frame has in scope. The frame may get columns, never rows.
    pub fn expr(&self, frame: &mut Frame, expr: &hir::Expr) -> Result<Expr, QueryError> {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Error => Err(unsupported("an expression with an error", span)),
            ExprKind::Literal(value) => self.literal(value, &expr.ty),
            ExprKind::LocalTimestamp(at) => {
                let instant = civil::instant(*at, &self.scope.zone);
                let instant = instant.ok_or_else(|| unsupported(format!("the moment {at}"), span))?;
                self.literal(&Value::Timestamp(instant), &expr.ty)
            }
            ExprKind::Column { row, path, column } => self.column(frame, *row, path, column, span),
            ExprKind::Local(local) => match self.scope.locals.get(local) {
                Some(value) => self.literal(value, &expr.ty),
                None => Err(QueryError::Unbound { what: format!("local {}", local.0), span }),
            },
            ExprKind::Template(parts) => self.template(frame, parts),
            ExprKind::List(items) => self.list(frame, items, expr),
            ExprKind::Not(value) => Ok(not(self.expr(frame, value)?)),
            ExprKind::Neg(value) => self.negate(frame, value, span),
            ExprKind::Binary { op: BinaryOp::Coalesce, .. } => self.first_known(frame, expr),
            ExprKind::Binary { op, left, right } => self.binary(frame, *op, left, right, span),
            ExprKind::In { negated, value, items } => self.in_items(frame, *negated, value, items),
            ExprKind::InQuery { .. } => self.in_query(frame, expr),
            ExprKind::Between { negated, value, low, high } => {
                let sides = vec![self.expr(frame, value)?, self.expr(frame, low)?, self.expr(frame, high)?];
                let mut sides = self.comparable(frame, sides)?.into_iter();
                let (Some(value), Some(low), Some(high)) = (sides.next(), sides.next(), sides.next()) else {
                    return Err(unsupported("this range", span));
                };
                Ok(if *negated { value.not_between(low, high) } else { value.between(low, high) })
            }
            ExprKind::IsNull { negated, value } => {
                let value = self.expr(frame, value)?;
                Ok(if *negated { value.is_not_null() } else { value.is_null() })
            }
            ExprKind::IsEmpty { negated, value } => self.is_empty(frame, *negated, value),
            ExprKind::If { .. } => self.conditional(frame, expr),
            ExprKind::Call { native, args } => self.call(frame, native, args, expr),
            ExprKind::Exists(query) => self.exists(frame, query),
            ExprKind::Aggregate(aggregate) => self.aggregate(frame, aggregate, expr),
            ExprKind::Ago(length) => self.ago(frame, length, &expr.ty, span),
            ExprKind::Now => self.now(&expr.ty),
            ExprKind::Rate { .. } => Err(unsupported("a rate", span)),
        }
    }

    /// `if A then X else if B then Y else Z`, all of a chain at once: the engine takes twice as long for each level.
    fn conditional(&self, frame: &mut Frame, expr: &hir::Expr) -> Result<Expr, QueryError> {
        let before = frame.guards.len();
        let (mut conditions, mut sides) = (Vec::new(), Vec::new());
        let mut rest = expr;
        while let ExprKind::If { condition, then, otherwise } = &rest.kind {
            let fails = uses::can_fail(then) || uses::can_fail(otherwise);
            let condition = self.pinned(frame, condition, fails)?;
            sides.push(self.guarded(frame, condition.clone(), then)?);
            frame.guards.push(condition.clone().is_not_true());
            conditions.push(condition);
            rest = otherwise;
        }
        sides.push(self.expr(frame, rest)?);
        // What else was pushed holds for the whole row.
        let passing: Vec<Expr> = conditions.iter().map(|condition| condition.clone().is_not_true()).collect();
        let mut at = 0;
        frame.guards.retain(|guard| {
            at += 1;
            at <= before || !passing.contains(guard)
        });
        let mut sides = self.unified(frame, sides, expr.span)?.into_iter();
        let branches = conditions.into_iter().map(Box::new).zip(sides.by_ref().map(Box::new)).collect();
        Ok(Expr::Case(Case::new(None, branches, sides.next().map(Box::new))))
    }

    /// `A ?? B ?? C`, all of a chain at once, for the same reason. What comes later counts where all before it is null.
    fn first_known(&self, frame: &mut Frame, expr: &hir::Expr) -> Result<Expr, QueryError> {
        let mut parts = Vec::new();
        alternatives(expr, &mut parts);
        let before = frame.guards.len();
        let (mut values, mut missing) = (Vec::new(), Vec::new());
        for (at, part) in parts.iter().enumerate() {
            let later_fails = parts[at + 1..].iter().any(|later| uses::can_fail(later));
            let value = self.pinned(frame, part, later_fails)?;
            missing.push(value.clone().is_null());
            frame.guards.push(value.clone().is_null());
            values.push(value);
        }
        // What else was pushed holds for the whole row.
        let mut at = 0;
        frame.guards.retain(|guard| {
            at += 1;
            at <= before || !missing.contains(guard)
        });
        Ok(coalesce(self.unified(frame, values, expr.span)?))
    }

    /// What decides whether something else counts. If both can fail it becomes a column: put into the other as it is, a
    /// chain of such conditions would double with each.
    fn pinned(&self, frame: &mut Frame, expr: &hir::Expr, other_fails: bool) -> Result<Expr, QueryError> {
        let value = self.expr(frame, expr)?;
        if !other_fails || !uses::can_fail(expr) {
            return Ok(value);
        }
        let name = self.name_it(frame, "decides", value)?;
        frame.with_plan(|plan| Ok(barrier(plan, &name)))?;
        Ok(column(&name))
    }

    /// An expression that counts only where a condition holds.
    fn guarded(&self, frame: &mut Frame, condition: Expr, expr: &hir::Expr) -> Result<Expr, QueryError> {
        let before = frame.guards.len();
        frame.guards.push(condition);
        let value = self.expr(frame, expr);
        // What was pushed since then holds for the whole row.
        frame.guards.remove(before);
        value
    }

    /// A constant.
    pub fn literal(&self, value: &Value, ty: &Ty) -> Result<Expr, QueryError> {
        Ok(Expr::Literal(values::to_scalar(self.scope.program, value, ty)?, None))
    }

    /// The engine's type of an expression over the frame.
    pub fn type_of(&self, frame: &Frame, expr: &Expr) -> Result<DataType, QueryError> {
        Ok(expr.get_type(frame.plan.schema())?)
    }

    /// The expressions, widened to one type where they are numbers of several.
    fn unified(&self, frame: &Frame, exprs: Vec<Expr>, span: Span) -> Result<Vec<Expr>, QueryError> {
        let types = exprs.iter().map(|expr| self.type_of(frame, expr)).collect::<Result<Vec<_>, _>>()?;
        let scales = types.iter().filter_map(|ty| match ty {
            DataType::Decimal128(_, scale) => Some(*scale),
            _ => None,
        });
        let scale = match scales.max() {
            _ if types.contains(&DataType::Float64) => {
                return Ok(exprs.into_iter().map(|expr| cast(expr, DataType::Float64)).collect());
            }
            Some(scale) => scale,
            None => return Ok(exprs),
        };
        let wide = DataType::Decimal128(values::MAX_DIGITS, scale);
        let place = Context { key: columns(&frame.key), ..self.place_of(span) };
        let widened = |(expr, ty): (Expr, &DataType)| match digits(ty) {
            Some((whole, _)) if whole + scale > values::MAX_DIGITS as i8 => functions::rescaled(expr, scale, &place),
            _ => cast(expr, wide.clone()),
        };
        Ok(exprs.into_iter().zip(&types).map(widened).collect())
    }

    /// The expressions so that the engine can compare them: it gives decimals one type first, which must have room for
    /// the digits of all.
    fn comparable(&self, frame: &Frame, exprs: Vec<Expr>) -> Result<Vec<Expr>, QueryError> {
        let types = exprs.iter().map(|expr| self.type_of(frame, expr)).collect::<Result<Vec<_>, _>>()?;
        match common_decimal(&types) {
            Some(wide) => Ok(exprs.into_iter().map(|expr| cast(expr, wide.clone())).collect()),
            None => Ok(exprs),
        }
    }

    /// The value of an expression that looks at no row and no population; `None` if it does.
    pub fn constant(&self, expr: &hir::Expr) -> Result<Option<ScalarValue>, QueryError> {
        if uses::looks_at_data(expr) {
            return Ok(None);
        }
        let mut frame = Frame::one_row()?;
        let value = self.expr(&mut frame, expr)?;
        let schema = Arc::clone(frame.plan.schema());
        let simplifier = ExprSimplifier::new(SimplifyContext::builder().with_schema(Arc::clone(&schema)).build());
        match simplifier.simplify(simplifier.coerce(value, &schema)?)? {
            Expr::Literal(value, _) => Ok(Some(value)),
            _ => Ok(None),
        }
    }

    /// What functions that may fail need to know of the place they are called at.
    fn context(&self, frame: &mut Frame, span: Span, args: &[&Expr]) -> Result<Context, QueryError> {
        if args.iter().all(|arg| arg.column_refs().is_empty()) {
            return Ok(self.place_of(span));
        }
        if std::mem::take(&mut frame.dropped) {
            // The engine would call them before it leaves out rows, for rows that never get here.
            let name = self.fresh("here");
            frame.extend(vec![(name.clone(), lit(true))])?;
            frame.with_plan(|plan| Ok(barrier(plan, &name)))?;
            frame.guards.push(column(&name));
        }
        let guard = frame.guards.iter().cloned().reduce(Expr::and);
        Ok(Context { key: columns(&frame.key), guard, ..self.place_of(span) })
    }

    /// The same for what belongs to no single row.
    pub fn place_of(&self, span: Span) -> Context {
        let today = self.scope.zone.to_datetime(self.scope.now).date();
        Context { span: Some(span), key: Vec::new(), guard: None, zone: zone_name(&self.scope.zone), today }
    }

    fn column(
        &self,
        frame: &mut Frame,
        row: RowId,
        path: &[RelationId],
        which: &ColumnRef,
        span: Span,
    ) -> Result<Expr, QueryError> {
        let Some(at) = frame.rows.get(&row).cloned() else {
            return Err(unsupported("a column of a row that is out of scope", span));
        };
        let at = self.path(frame, &at, path, span)?;
        match which {
            ColumnRef::Field(field) => match at.fields.get(field.0 as usize) {
                Some(Some(place)) => Ok(column(place)),
                _ => Err(not_kept(&self.scope.program[at.entity][*field].name, span)),
            },
            ColumnRef::Added(name) => match at.added.iter().find(|(known, _)| known == name) {
                Some((_, place)) => Ok(column(place)),
                None => Err(not_kept(name, span)),
            },
        }
    }

    /// Text with holes; a null leaves its hole empty.
    fn template(&self, frame: &mut Frame, parts: &[TemplatePart]) -> Result<Expr, QueryError> {
        let mut pieces = Vec::with_capacity(parts.len());
        for part in parts {
            pieces.push(match part {
                TemplatePart::Text(text) => lit(text.as_str()),
                TemplatePart::Hole(hole) => {
                    let value = self.expr(frame, hole)?;
                    functions::text(value, &zone_name(&self.scope.zone))
                }
            });
        }
        match pieces.is_empty() {
            true => Ok(lit("")),
            false => Ok(datafusion::functions::string::expr_fn::concat(pieces)),
        }
    }

    fn list(&self, frame: &mut Frame, items: &[hir::Expr], expr: &hir::Expr) -> Result<Expr, QueryError> {
        if items.is_empty() {
            return self.literal(&Value::List(Vec::new()), &expr.ty);
        }
        let items = items.iter().map(|item| self.expr(frame, item)).collect::<Result<_, _>>()?;
        Ok(make_array(self.unified(frame, items, expr.span)?))
    }

    fn negate(&self, frame: &mut Frame, value: &hir::Expr, span: Span) -> Result<Expr, QueryError> {
        let kind = value.ty.kind.clone();
        let value = self.expr(frame, value)?;
        let context = self.context(frame, span, &[&value])?;
        Ok(match kind {
            TyKind::Duration => functions::negate_duration(value, &context),
            _ => functions::arithmetic(Arithmetic::Subtract, lit(0i64), value, &context),
        })
    }

    fn binary(
        &self,
        frame: &mut Frame,
        op: BinaryOp,
        left: &hir::Expr,
        right: &hir::Expr,
        span: Span,
    ) -> Result<Expr, QueryError> {
        let (left_ty, right_ty) = (&left.ty, &right.ty);
        let decides = matches!(op, BinaryOp::And | BinaryOp::Or);
        let left = self.pinned(frame, left, decides && uses::can_fail(right))?;
        // Where the left side decides, the right side does not count.
        let right = match op {
            BinaryOp::And => self.guarded(frame, left.clone().is_not_false(), right)?,
            BinaryOp::Or => self.guarded(frame, left.clone().is_not_true(), right)?,
            _ => self.expr(frame, right)?,
        };
        let compare = |op| -> Result<Expr, QueryError> {
            let mut sides = self.comparable(frame, vec![left.clone(), right.clone()])?.into_iter();
            let (Some(left), Some(right)) = (sides.next(), sides.next()) else {
                return Err(unsupported("this comparison", span));
            };
            Ok(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right))))
        };
        let like = |negated| {
            let (value, pattern) = (Box::new(left.clone()), Box::new(right.clone()));
            Expr::Like(Like::new(negated, value, pattern, None, false))
        };
        Ok(match op {
            BinaryOp::And => left.and(right),
            BinaryOp::Or => left.or(right),
            BinaryOp::Equal => compare(Operator::Eq)?,
            BinaryOp::NotEqual => compare(Operator::NotEq)?,
            BinaryOp::Less => compare(Operator::Lt)?,
            BinaryOp::LessEqual => compare(Operator::LtEq)?,
            BinaryOp::Greater => compare(Operator::Gt)?,
            BinaryOp::GreaterEqual => compare(Operator::GtEq)?,
            BinaryOp::Like => like(false),
            BinaryOp::NotLike => like(true),
            BinaryOp::Coalesce => coalesce(vec![left, right]),
            BinaryOp::Add if left_ty.kind.is_text() || right_ty.kind.is_text() => compare(Operator::StringConcat)?,
            BinaryOp::Add => self.arithmetic(frame, Arithmetic::Add, (left, left_ty), (right, right_ty), span)?,
            BinaryOp::Subtract => {
                self.arithmetic(frame, Arithmetic::Subtract, (left, left_ty), (right, right_ty), span)?
            }
            BinaryOp::Multiply => {
                self.arithmetic(frame, Arithmetic::Multiply, (left, left_ty), (right, right_ty), span)?
            }
            BinaryOp::Divide => self.arithmetic(frame, Arithmetic::Divide, (left, left_ty), (right, right_ty), span)?,
        })
    }

    /// Numbers, and dates, times and durations.
    fn arithmetic(
        &self,
        frame: &mut Frame,
        op: Arithmetic,
        (left, left_ty): (Expr, &Ty),
        (right, right_ty): (Expr, &Ty),
        span: Span,
    ) -> Result<Expr, QueryError> {
        use TyKind::{Date, Duration, Time, Timestamp};
        let context = self.context(frame, span, &[&left, &right])?;
        let number = |ty: &Ty| ty.kind.is_number();
        if left_ty.kind == TyKind::Null || right_ty.kind == TyKind::Null {
            return Ok(lit(ScalarValue::Null));
        }
        Ok(match (&left_ty.kind, op, &right_ty.kind) {
            _ if number(left_ty) && number(right_ty) => functions::arithmetic(op, left, right, &context),
            (Date | Time | Timestamp, Arithmetic::Add, Duration) => functions::shift(left, right, &context),
            (Duration, Arithmetic::Add, Date | Time | Timestamp) => functions::shift(right, left, &context),
            (Date | Time | Timestamp, Arithmetic::Subtract, Duration) => {
                functions::shift(left, functions::negate_duration(right, &context), &context)
            }
            (Duration, Arithmetic::Add, Duration) => functions::add_durations(left, right, &context),
            (Duration, Arithmetic::Subtract, Duration) => {
                functions::add_durations(left, functions::negate_duration(right, &context), &context)
            }
            (Duration, Arithmetic::Multiply, TyKind::Int) => functions::scale_duration(left, right, &context),
            (TyKind::Int, Arithmetic::Multiply, Duration) => functions::scale_duration(right, left, &context),
            (Date, Arithmetic::Subtract, Date)
            | (Time, Arithmetic::Subtract, Time)
            | (Timestamp, Arithmetic::Subtract, Timestamp) => functions::elapsed(left, right, &context),
            _ => return Err(unsupported("arithmetic on these types", span)),
        })
    }

    fn in_items(
        &self,
        frame: &mut Frame,
        negated: bool,
        value: &hir::Expr,
        items: &[hir::Expr],
    ) -> Result<Expr, QueryError> {
        let value = self.expr(frame, value)?;
        let (mut single, mut found) = (Vec::new(), Vec::new());
        for item in items {
            let lowered = self.expr(frame, item)?;
            match &item.ty.kind {
                TyKind::List(_) => {
                    let has = array_has(lowered, value.clone());
                    found.push(when(value.clone().is_null(), lit(ScalarValue::Boolean(None))).otherwise(has)?);
                }
                _ => single.push(lowered),
            }
        }
        if !single.is_empty() || found.is_empty() {
            single.push(value);
            single = self.comparable(frame, single)?;
            found.extend(single.pop().map(|value| value.in_list(single, false)));
        }
        let found = found.into_iter().reduce(Expr::or).unwrap_or(lit(false));
        Ok(if negated { not(found) } else { found })
    }

    fn is_empty(&self, frame: &mut Frame, negated: bool, value: &hir::Expr) -> Result<Expr, QueryError> {
        let is_list = matches!(value.ty.kind, TyKind::List(_));
        let value = self.expr(frame, value)?;
        let size = match is_list {
            true => cast(cardinality(value.clone()), DataType::Int64).eq(lit(0i64)),
            false => value.clone().eq(lit("")),
        };
        // Never null itself.
        let empty = value.is_null().or(size.is_true());
        Ok(if negated { not(empty) } else { empty })
    }

    fn call(&self, frame: &mut Frame, native: &str, args: &[hir::Expr], expr: &hir::Expr) -> Result<Expr, QueryError> {
        let mut lowered = args.iter().map(|arg| self.expr(frame, arg)).collect::<Result<Vec<_>, _>>()?;
        if functions::wants_one_type(native) {
            lowered = self.unified(frame, lowered, expr.span)?;
        }
        let context = match functions::may_fail(native) {
            true => self.context(frame, expr.span, &lowered.iter().collect::<Vec<_>>())?,
            false => Context { key: columns(&frame.key), ..self.place_of(expr.span) },
        };
        functions::native(native, lowered, &context)
            .ok_or_else(|| unsupported(format!("the function `{native}`"), expr.span))
    }

    fn ago(&self, frame: &mut Frame, length: &hir::Expr, ty: &Ty, span: Span) -> Result<Expr, QueryError> {
        let length = self.expr(frame, length)?;
        let context = self.context(frame, span, &[&length])?;
        Ok(functions::shift(self.now(ty)?, functions::negate_duration(length, &context), &context))
    }

    fn now(&self, ty: &Ty) -> Result<Expr, QueryError> {
        let value = match ty.kind {
            TyKind::Date => Value::Date(self.scope.zone.to_datetime(self.scope.now).date()),
            TyKind::Time => Value::Time(self.scope.zone.to_datetime(self.scope.now).time()),
            _ => Value::Timestamp(self.scope.now),
        };
        self.literal(&value, ty)
    }
}

/// Digits before and behind the point that numbers of an exact type may have.
fn digits(ty: &DataType) -> Option<(i8, i8)> {
    match ty {
        DataType::Int64 => Some((19, 0)),
        DataType::Decimal128(all, scale) => Some((*all as i8 - scale, *scale)),
        _ => None,
    }
}

/// A type for all, where the engine's own would have too few digits.
pub(super) fn common_decimal(types: &[DataType]) -> Option<DataType> {
    let known = types.iter().map(digits).collect::<Option<Vec<_>>>()?;
    let (whole, scale) = known.iter().fold((0, 0), |(w, s), (whole, scale)| (w.max(*whole), s.max(*scale)));
    (whole + scale > values::MAX_DIGITS as i8).then_some(DataType::Decimal256(76, scale))
}

/// The name by which functions know the zone.
fn zone_name(zone: &jiff::tz::TimeZone) -> String {
    zone.iana_name().unwrap_or("UTC").to_owned()
}
