//! Aggregates over nested queries: grouped by what ties the query to the outer row, then joined to it.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::JoinType;
use datafusion::functions::core::expr_fn::{coalesce, least, named_struct};
use datafusion::functions_aggregate::expr_fn::{array_agg, count, count_distinct, max, min, sum};
use datafusion::functions_nested::expr_fn::array_to_string;
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlanBuilder, SortExpr, cast, lit};
use datafusion::scalar::ScalarValue;

use super::frame::{Frame, column, columns, join};
use super::lower::{Lower, unsupported};
use super::nested::Nested;
use super::{QueryError, uses};
use crate::hir::{self, Aggregate, AggregateFn, ExprKind, Query, QueryKind, RowId, TyKind};
use crate::plan::functions::{self, Context, Statistic};

/// What the engine is to compute per group, and how the value comes out of it.
struct Steps {
    /// Column names and aggregates.
    groups: Vec<(String, Expr)>,
    /// The value, over these columns of the outer plan; they are null where an outer row has no inner rows.
    value: Expr,
}

impl Lower<'_> {
    /// Lowers an aggregate to a value of the outer row. Others over the same query that are coming are computed with it.
    pub fn aggregate(&self, frame: &mut Frame, aggregate: &Aggregate, expr: &hir::Expr) -> Result<Expr, QueryError> {
        if let Some((_, value)) = frame.ready.iter().find(|(known, _)| known == aggregate) {
            return Ok(value.clone());
        }
        let scope: Vec<RowId> = frame.rows.keys().copied().collect();
        let base = base_of(aggregate, &scope);
        let over: Vec<&hir::Expr> = over(aggregate).collect();
        let Nested { frame: mut inner, here } = self.nested(frame, base, &over)?;
        let mut all = vec![(aggregate.clone(), expr.clone())];
        for other in frame.coming.iter().filter(|other| *other != expr) {
            let ExprKind::Aggregate(one) = &other.kind else { continue };
            if alike(base_of(one, &scope), base) && !self::over(one).any(|expr| uses::looks_at(expr, &scope)) {
                all.push(((**one).clone(), other.clone()));
            }
        }
        let mut groups = Vec::new();
        for (one, expr) in all {
            let steps = self.ordered_steps(frame, &mut inner, &one, base, &expr)?;
            groups.extend(steps.groups.into_iter().map(|(name, group)| group.alias(name)));
            frame.ready.push((one, steps.value));
        }
        let computed = LogicalPlanBuilder::from(inner.plan).aggregate(columns(&inner.part), groups)?.build()?;
        let kind = if here.is_empty() { JoinType::Inner } else { JoinType::Left };
        frame.with_plan(|plan| join(plan, computed, kind, (&here, &inner.part)))?;
        match frame.ready.iter().find(|(known, _)| known == aggregate) {
            Some((_, value)) => Ok(value.clone()),
            None => Err(unsupported("this aggregate", expr.span)),
        }
    }

    /// One of several aggregates over a query, in its own order.
    fn ordered_steps(
        &self,
        frame: &mut Frame,
        inner: &mut Frame,
        one: &Aggregate,
        base: &Query,
        expr: &hir::Expr,
    ) -> Result<Steps, QueryError> {
        let order = inner.order.clone();
        if let QueryKind::OrderBy { row, keys, .. } = &one.query.kind
            && !alike(&one.query, base)
        {
            inner.order = self.order_keys(inner, *row, keys)?;
        }
        inner.rows.insert(one.row, inner.row.clone());
        let args = one.args.iter().map(|arg| self.expr(frame, arg)).collect::<Result<Vec<_>, _>>()?;
        // What a total that does not fit belongs to is the outer row.
        let place = Context { key: columns(&frame.key), ..self.place_of(expr.span) };
        let steps = self.steps(inner, one, args, (expr, &place))?;
        inner.rows.remove(&one.row);
        inner.order = order;
        Ok(steps)
    }

    fn steps(
        &self,
        inner: &mut Frame,
        aggregate: &Aggregate,
        args: Vec<Expr>,
        (expr, place): (&hir::Expr, &Context),
    ) -> Result<Steps, QueryError> {
        let mut constant = false;
        let single = match aggregate.values.as_slice() {
            [(name, value)] => {
                let value = self.expr(inner, value)?;
                constant = matches!(value, Expr::Literal(..));
                Some(column(&self.name_it(inner, name, value)?))
            }
            _ => None,
        };
        let value = || single.clone().ok_or_else(|| unsupported("an aggregate without a value", expr.span));
        let one = |base: &str, group: Expr, finish: &dyn Fn(Expr) -> Expr| {
            let name = self.fresh(base);
            Steps { value: finish(column(&name)), groups: vec![(name, group)] }
        };
        let or_zero = |value| coalesce(vec![value, lit(0i64)]);
        Ok(match aggregate.function {
            AggregateFn::Count => match single {
                Some(value) => one("count", count(value), &or_zero),
                None => one("count", count(lit(1i64)), &or_zero),
            },
            // The engine counts a constant even where there are no rows.
            AggregateFn::CountDistinct if constant => {
                one("count", count(value()?), &|rows| least(vec![or_zero(rows), lit(1i64)]))
            }
            AggregateFn::CountDistinct => one("count", count_distinct(value()?), &or_zero),
            AggregateFn::Sum => self.sum(inner, value()?, expr, place)?,
            AggregateFn::Avg => self.average(inner, value()?, place)?,
            AggregateFn::Min => one("min", min(value()?), &|value| value),
            AggregateFn::Max => one("max", max(value()?), &|value| value),
            AggregateFn::First => one("first", functions::first(value()?, inner.total_order()), &|value| value),
            AggregateFn::List => self.rows_as_list(inner, aggregate, single)?,
            AggregateFn::StringAgg => {
                let value = value()?;
                let texts = Gathered::new(value, inner.total_order(), true)?;
                let separator = args.into_iter().next().unwrap_or(lit(""));
                one("texts", texts.group.clone(), &|found| array_to_string(texts.list(found), separator.clone()))
            }
            AggregateFn::StdDev => self.statistic(inner, value()?, Statistic::StdDev, None, place)?,
            AggregateFn::Median => self.statistic(inner, value()?, Statistic::Median, None, place)?,
            AggregateFn::Percentile => {
                let share = args.into_iter().next();
                self.statistic(inner, value()?, Statistic::Percentile, share, place)?
            }
        })
    }

    /// Exact for whole and decimal numbers. Sums of floats depend on the order of their terms, so it is fixed.
    fn sum(&self, inner: &Frame, value: Expr, expr: &hir::Expr, place: &Context) -> Result<Steps, QueryError> {
        let name = self.fresh("sum");
        let ty = self.type_of(inner, &value)?;
        let (group, value) = match exact(&ty) {
            None => {
                let name = column(&name);
                let floats = Gathered::sorted(cast(value, DataType::Float64))?;
                let total = functions::statistic(Statistic::Sum, floats.list(name), None, place);
                (floats.group, coalesce(vec![total, lit(0f64)]))
            }
            Some(wide) => {
                let total = narrow(column(&name), &wide, place);
                let zero = lit(ScalarValue::try_new_decimal128(0, 38, scale_of(&wide))?);
                let total = coalesce(vec![total, zero]);
                let total = match expr.ty.kind {
                    TyKind::Int => functions::to_int(total, place),
                    _ => total,
                };
                (sum(cast(value, wide)), total)
            }
        };
        Ok(Steps { groups: vec![(name, group)], value })
    }

    fn average(&self, inner: &Frame, value: Expr, place: &Context) -> Result<Steps, QueryError> {
        let ty = self.type_of(inner, &value)?;
        let Some(wide) = exact(&ty) else {
            return self.statistic(inner, value, Statistic::Mean, None, place);
        };
        let (total, number) = (self.fresh("sum"), self.fresh("count"));
        let divisor = datafusion::logical_expr::case(column(&number))
            .when(lit(0i64), lit(ScalarValue::Int64(None)))
            .otherwise(column(&number))?;
        let sum_of = narrow(column(&total), &wide, place);
        let mean = functions::arithmetic(functions::Arithmetic::Divide, sum_of, divisor, place);
        Ok(Steps { groups: vec![(total, sum(cast(value.clone(), wide))), (number, count(value))], value: mean })
    }

    fn statistic(
        &self,
        inner: &Frame,
        value: Expr,
        statistic: Statistic,
        share: Option<Expr>,
        place: &Context,
    ) -> Result<Steps, QueryError> {
        let name = self.fresh("sorted");
        let ty = self.type_of(inner, &value)?;
        let value = match exact(&ty) {
            Some(_) => cast(value, DataType::Decimal128(38, scale_of(&ty))),
            None => cast(value, DataType::Float64),
        };
        let sorted = Gathered::sorted(value)?;
        let value = functions::statistic(statistic, sorted.list(column(&name)), share, place);
        Ok(Steps { groups: vec![(name, sorted.group)], value })
    }

    /// `list(X of Q)` and, with several values or none, a list of records.
    fn rows_as_list(
        &self,
        inner: &mut Frame,
        aggregate: &Aggregate,
        single: Option<Expr>,
    ) -> Result<Steps, QueryError> {
        let item = match single {
            Some(value) => value,
            None => named_struct(self.record(inner, aggregate)?),
        };
        let name = self.fresh("list");
        let item_ty = self.type_of(inner, &item)?;
        let item = column(&self.name_it(inner, "item", item)?);
        let empty = ScalarValue::List(ScalarValue::new_list(&[], &item_ty, true));
        let list = Gathered::new(item, inner.total_order(), false)?;
        Ok(Steps { value: coalesce(vec![list.list(column(&name)), lit(empty)]), groups: vec![(name, list.group)] })
    }

    /// Names and values: those given, else all that the row has.
    fn record(&self, inner: &mut Frame, aggregate: &Aggregate) -> Result<Vec<Expr>, QueryError> {
        let mut record = Vec::new();
        for (name, value) in &aggregate.values {
            record.push(lit(name.as_str()));
            record.push(column(&self.named(inner, name, value)?));
        }
        if record.is_empty() {
            let fields = &self.scope.program[inner.row.entity].fields;
            for (field, place) in fields.iter().zip(&inner.row.fields) {
                if let Some(place) = place {
                    record.push(lit(field.name.as_str()));
                    record.push(column(place));
                }
            }
        }
        Ok(record)
    }
}

/// The query that an aggregate shares with others: without its order, unless that looks at outer rows.
fn base_of<'a>(aggregate: &'a Aggregate, outer: &[RowId]) -> &'a Query {
    match &aggregate.query.kind {
        QueryKind::OrderBy { input, keys, .. } if !keys.iter().any(|key| uses::looks_at(&key.value, outer)) => input,
        _ => &aggregate.query,
    }
}

/// The expressions over the aggregate's row.
fn over(aggregate: &Aggregate) -> impl Iterator<Item = &hir::Expr> {
    aggregate.values.iter().map(|(_, value)| value)
}

/// Whether two queries are the same rows, wherever they are written. Of queries with clauses that is known only where
/// they are written once.
fn alike(one: &Query, other: &Query) -> bool {
    use QueryKind::{Entity, Group, Local, Related};
    match (&one.kind, &other.kind) {
        (Entity(_) | Local(_) | Related { .. } | Group { .. }, _) => one.kind == other.kind,
        _ => one == other,
    }
}

/// The values of a group in order, as a list: gathered as they come, with what orders them, and ordered afterwards. The
/// engine's own ordered lists hold a heap value for each row.
struct Gathered {
    /// The aggregate.
    group: Expr,
    /// For each key of the order, whether it is descending; empty when the values order themselves.
    descending: Vec<bool>,
}

impl Gathered {
    fn new(value: Expr, order: Vec<SortExpr>, skip_nulls: bool) -> Result<Self, QueryError> {
        let descending = order.iter().map(|key| !key.asc).collect();
        let mut parts = vec![lit("value"), value.clone()];
        for (at, key) in order.into_iter().enumerate() {
            parts.extend([lit(format!("key{at}")), key.expr]);
        }
        let list = array_agg(named_struct(parts));
        let group = if skip_nulls { list.filter(value.is_not_null()).build()? } else { list };
        Ok(Self { group, descending })
    }

    /// Numbers, smallest first, without nulls.
    fn sorted(value: Expr) -> Result<Self, QueryError> {
        let group = array_agg(value.clone()).filter(value.is_not_null()).build()?;
        Ok(Self { group, descending: Vec::new() })
    }

    /// The list, from the column of the aggregate.
    fn list(&self, gathered: Expr) -> Expr {
        functions::in_order(gathered, &self.descending)
    }
}

/// The type in which numbers of this type add up without ever being wrapped around; `None` for floats.
fn exact(ty: &DataType) -> Option<DataType> {
    match ty {
        // More rows than there are on earth still fit.
        DataType::Decimal128(..=SAFE_DIGITS, scale) => Some(DataType::Decimal128(38, *scale)),
        DataType::Decimal128(_, scale) => Some(DataType::Decimal256(76, *scale)),
        DataType::Float64 | DataType::Float32 | DataType::Float16 => None,
        _ => Some(DataType::Decimal128(38, 0)),
    }
}

/// Digits of numbers of which ten thousand millions add up to a decimal.
pub const SAFE_DIGITS: u8 = 28;

/// A sum as a decimal of the usual width.
fn narrow(sum: Expr, ty: &DataType, place: &Context) -> Expr {
    match ty {
        DataType::Decimal256(..) => functions::narrowed(sum, place),
        _ => sum,
    }
}

fn scale_of(ty: &DataType) -> i8 {
    match ty {
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => *scale,
        _ => 0,
    }
}
