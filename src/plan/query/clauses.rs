//! Clauses other than `where`, and queries made of two.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::JoinType;
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_aggregate::expr_fn::{count, max, min};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, ExprSchemable, LogicalPlan, LogicalPlanBuilder, SortExpr, cast, lit, when,
};
use datafusion::scalar::ScalarValue;

use super::frame::{Frame, Group, Order, column, columns, join};
use super::lower::{Base, Lower, unsupported};
use super::{QueryError, Rows, Taken, uses, values};
use crate::hir::{self, Amount, OrderKey, Query, QueryKind, RowId, Ty, TyKind, Value};
use crate::plan::functions::Arithmetic;
use crate::plan::{by_name, functions};

impl Lower<'_> {
    /// Lowers a query whose outermost clause narrows, widens or orders its input.
    pub fn clause(&self, query: &Query, base: &Base<'_>) -> Result<Frame, QueryError> {
        match &query.kind {
            QueryKind::With { input, row, columns } => {
                let mut frame = self.query(input, base)?;
                self.with(&mut frame, *row, columns)?;
                Ok(frame)
            }
            QueryKind::Dedupe { input, row, by, keep, prefer } => {
                let frame = self.query(input, base)?;
                self.dedupe(frame, *row, by, *keep, prefer)
            }
            QueryKind::OrderBy { input, row, keys } => {
                let mut frame = self.query(input, base)?;
                frame.order = self.order_keys(&mut frame, *row, keys)?;
                Ok(frame)
            }
            QueryKind::Limit { input, row, amount, by } => {
                let mut frame = self.query(input, base)?;
                if !by.is_empty() {
                    frame.order = self.order_keys(&mut frame, *row, by)?;
                }
                let order = frame.total_order();
                self.limit(&mut frame, amount, order)?;
                Ok(frame)
            }
            QueryKind::Sample { input, amount, seed } => {
                let mut frame = self.query(input, base)?;
                self.sample(&mut frame, amount, seed.as_deref().unwrap_or(self.scope.seed))?;
                Ok(frame)
            }
            QueryKind::New { input, memory, row, by } => {
                let frame = self.query(input, base)?;
                self.new_rows(frame, input, memory.as_deref(), (*row, by.as_ref()))
            }
            _ => Err(unsupported("this query", query.span)),
        }
    }

    fn with(&self, frame: &mut Frame, row: RowId, added: &[(hir::Column, hir::Expr)]) -> Result<(), QueryError> {
        frame.rows.insert(row, frame.row.clone());
        frame.coming = uses::aggregates(added.iter().map(|(_, value)| value));
        // No column sees the others, so all are added at once.
        let (mut places, mut new) = (Vec::new(), Vec::new());
        for (name, value) in added {
            let mut value = self.expr(frame, value)?;
            if self.type_of(frame, &value)? == DataType::Null {
                value = cast(value, values::arrow_type(self.scope.program, &name.ty));
            }
            let place = match value {
                Expr::Column(existing) => existing.name,
                value => {
                    let place = self.fresh(&name.name);
                    new.push((place.clone(), value));
                    place
                }
            };
            places.push((name.name.clone(), place));
        }
        frame.extend(new)?;
        if let Some(mut row) = frame.rows.remove(&row) {
            row.added.retain(|(known, _)| !places.iter().any(|(name, _)| name == known));
            row.added.extend(places);
            frame.row = row;
        }
        Ok(())
    }

    /// The keys of an order as columns.
    pub fn order_keys(&self, frame: &mut Frame, row: RowId, keys: &[OrderKey]) -> Result<Vec<Order>, QueryError> {
        frame.rows.insert(row, frame.row.clone());
        let mut order = Vec::with_capacity(keys.len());
        for key in keys {
            let value = self.expr(frame, &key.value)?;
            // A constant orders nothing, and the engine's planner stumbles over it.
            if matches!(value, Expr::Literal(..)) {
                continue;
            }
            let value = by_declaration(value, &key.value.ty)?;
            let column = self.name_it(frame, "order", value)?;
            order.push(Order { column, descending: key.descending });
        }
        frame.rows.remove(&row);
        Ok(order)
    }

    /// Keeps the best `keep` rows of each group. Rows with a null in the key are groups of their own.
    fn dedupe(
        &self,
        mut frame: Frame,
        row: RowId,
        by: &[hir::Expr],
        keep: u64,
        prefer: &[OrderKey],
    ) -> Result<Frame, QueryError> {
        frame.rows.insert(row, frame.row.clone());
        let mut group = Vec::new();
        for expr in by {
            group.push(self.named(&mut frame, "by", expr)?);
        }
        frame.rows.remove(&row);
        let prefer = self.order_keys(&mut frame, row, prefer)?;
        if by.iter().any(|expr| expr.ty.nullable) {
            group = self.known_group(&mut frame, &group)?;
        }
        let groups: Vec<String> = frame.part.iter().chain(&group).cloned().collect();
        let before = Arc::new(frame.clone());
        // Rows that are cheap to read are read twice; others are computed once, and sorted.
        if keep == 1 && is_cheap(&frame.plan) {
            self.keep_winners(&mut frame, &groups, &prefer)?;
        } else {
            let order = frame.sort_by(&prefer);
            let position = self.position(&mut frame, &groups, order)?;
            let condition = position.lt_eq(lit(keep));
            frame.with_plan(|plan| Ok(LogicalPlanBuilder::from(plan).filter(condition)?.build()?))?;
        }
        frame.order.clear();
        frame.dropped = true;
        frame.row.group = Some(Group { frame: before, inner: groups.clone(), here: groups });
        Ok(frame)
    }

    /// Columns that tell groups apart and are never null: the values, whether one is missing, and then also the key.
    fn known_group(&self, frame: &mut Frame, group: &[String]) -> Result<Vec<String>, QueryError> {
        let missing = group.iter().map(|name| column(name).is_null()).reduce(Expr::or).unwrap_or(lit(false));
        let mut added = vec![(self.fresh("missing"), missing.clone())];
        for name in group {
            let value = column(name);
            let none = lit(ScalarValue::new_default(&self.type_of(frame, &value)?)?);
            added.push((self.fresh(name), coalesce(vec![value, none])));
        }
        for key in &frame.key {
            let value = column(key);
            let none = lit(ScalarValue::new_default(&self.type_of(frame, &value)?)?);
            added.push((self.fresh(key), when(missing.clone(), value).otherwise(none)?));
        }
        let names = added.iter().map(|(name, _)| name.clone()).collect();
        frame.extend(added)?;
        Ok(names)
    }

    /// The keys of each group's best row, then the rows with these keys: much cheaper than numbering all rows.
    fn keep_winners(&self, frame: &mut Frame, groups: &[String], prefer: &[Order]) -> Result<(), QueryError> {
        if self.has_plain_order(frame, prefer)? {
            return self.keep_extremes(frame, groups, prefer);
        }
        let mut copy = frame.clone();
        copy.part = groups.to_vec();
        copy.order = prefer.to_vec();
        let copy = self.renamed(&copy)?;
        let order = copy.total_order();
        let mut winner = copy.part[..frame.part.len()].to_vec();
        let mut best = Vec::new();
        for key in &copy.key {
            let name = self.fresh(key);
            best.push(functions::first(column(key), order.clone()).alias(&name));
            winner.push(name);
        }
        let winners = LogicalPlanBuilder::from(copy.plan).aggregate(columns(&copy.part), best)?.build()?;
        let identity = frame.identity();
        frame.with_plan(|plan| join(plan, winners, JoinType::LeftSemi, (&identity, &winner)))
    }

    /// Whether winners can be found by largest and smallest values alone: one preference at most, that is never null, and
    /// one column of a key.
    fn has_plain_order(&self, frame: &Frame, prefer: &[Order]) -> Result<bool, QueryError> {
        let mut plain = prefer.len() < 2 && frame.key.len() == 1;
        for name in prefer.iter().map(|order| &order.column).chain(&frame.key) {
            let (_, field) = column(name).to_field(frame.plan.schema())?;
            let exact = matches!(
                field.data_type(),
                DataType::Int64
                    | DataType::Decimal128(..)
                    | DataType::Date32
                    | DataType::Timestamp(..)
                    | DataType::Utf8
            );
            plain &= exact && !field.is_nullable();
        }
        Ok(plain)
    }

    /// The best value of each group, the rows that have it, and of these the one with the smallest key: several times
    /// faster than the engine's first row by an order.
    fn keep_extremes(&self, frame: &mut Frame, groups: &[String], prefer: &[Order]) -> Result<(), QueryError> {
        let mut copy = frame.clone();
        copy.part = groups.to_vec();
        copy.order = prefer.to_vec();
        let tied = match prefer.first() {
            None => self.renamed(&copy)?,
            Some(_) => {
                let (all, mut tied) = (self.renamed(&copy)?, self.renamed(&copy)?);
                let (best, value) = (self.fresh("best"), column(&all.order[0].column));
                let extreme = if all.order[0].descending { max(value) } else { min(value) };
                let best_of = LogicalPlanBuilder::from(all.plan)
                    .aggregate(columns(&all.part), [extreme.alias(&best)])?
                    .build()?;
                let here: Vec<String> = tied.part.iter().chain([&tied.order[0].column]).cloned().collect();
                let there: Vec<String> = all.part.iter().cloned().chain([best]).collect();
                tied.with_plan(|plan| join(plan, best_of, JoinType::LeftSemi, (&here, &there)))?;
                tied
            }
        };
        let winner = self.fresh(&tied.key[0]);
        let first = min(column(&tied.key[0])).alias(&winner);
        let winners = LogicalPlanBuilder::from(tied.plan).aggregate(columns(&tied.part), [first])?.build()?;
        let identity = frame.identity();
        let there: Vec<String> = tied.part[..frame.part.len()].iter().cloned().chain([winner]).collect();
        frame.with_plan(|plan| join(plan, winners, JoinType::LeftSemi, (&identity, &there)))
    }

    /// The place of each row in its group, from 1, as a column.
    fn position(&self, frame: &mut Frame, groups: &[String], order: Vec<SortExpr>) -> Result<Expr, QueryError> {
        let name = self.fresh("position");
        let number = row_number().partition_by(columns(groups)).order_by(order).build()?.alias(&name);
        frame.with_plan(|plan| Ok(LogicalPlanBuilder::from(plan).window([number])?.build()?))?;
        Ok(column(&name))
    }

    /// Keeps the first rows in this order, of each population.
    fn limit(&self, frame: &mut Frame, amount: &Amount, order: Vec<SortExpr>) -> Result<(), QueryError> {
        if let Amount::Rows(rows) = amount
            && frame.part.is_empty()
            && let Some(ScalarValue::Int64(Some(rows))) = self.constant(rows)?
        {
            let rows = usize::try_from(rows).unwrap_or(0);
            frame.dropped = true;
            return frame
                .with_plan(|plan| Ok(LogicalPlanBuilder::from(plan).sort(order)?.limit(0, Some(rows))?.build()?));
        }
        let most = match amount {
            Amount::Rows(rows) => self.expr(frame, rows)?,
            Amount::Share(share) => {
                let total = self.size(frame)?;
                let (place, span) = (self.place_of(share.span), share.span);
                let share = self.expr(frame, share)?;
                let rows = functions::arithmetic(Arithmetic::Multiply, total, share, &place);
                // Half up, as the shares of a split.
                let half = lit(ScalarValue::Decimal128(Some(5), 2, 1));
                let rows = functions::arithmetic(Arithmetic::Add, rows, half, &place);
                let whole = functions::native("floor", vec![rows], &place);
                functions::to_int(whole.ok_or_else(|| unsupported("a share of the rows", span))?, &place)
            }
        };
        let part = frame.part.clone();
        let position = self.position(frame, &part, order)?;
        let condition = cast(position, DataType::Int64).lt_eq(most);
        frame.dropped = true;
        frame.with_plan(|plan| Ok(LogicalPlanBuilder::from(plan).filter(condition)?.build()?))
    }

    /// The number of rows of each population, as a column.
    fn size(&self, frame: &mut Frame) -> Result<Expr, QueryError> {
        let name = self.fresh("count");
        let copy = self.renamed(frame)?;
        if copy.part.is_empty() {
            return self.counted(frame, copy);
        }
        let counted = LogicalPlanBuilder::from(copy.plan)
            .aggregate(columns(&copy.part), [count(lit(1i64)).alias(&name)])?
            .build()?;
        let part = frame.part.clone();
        frame.with_plan(|plan| join(plan, counted, JoinType::Inner, (&part, &copy.part)))?;
        Ok(column(&name))
    }

    /// Keeps the rows whose ticket is low: a share of all tickets, or the lowest.
    fn sample(&self, frame: &mut Frame, amount: &Amount, seed: &str) -> Result<(), QueryError> {
        let ticket = functions::ticket_expr(seed, columns(&frame.key));
        let ticket = self.name_it(frame, "ticket", ticket)?;
        match amount {
            Amount::Rows(_) => {
                let by_ticket = [Order { column: ticket, descending: false }];
                let order = frame.sort_by(&by_ticket);
                self.limit(frame, amount, order)
            }
            Amount::Share(expr) => {
                let share = match self.constant(expr)? {
                    Some(ScalarValue::Decimal128(Some(share), _, scale)) => values::to_decimal(share, scale),
                    _ => None,
                };
                let share = share.ok_or_else(|| unsupported("a share that is no constant", expr.span))?;
                let Some(threshold) = functions::ticket_threshold(share) else { return Ok(()) };
                let condition = column(&ticket).lt(lit(threshold));
                frame.dropped = true;
                frame.with_plan(|plan| Ok(LogicalPlanBuilder::from(plan).filter(condition)?.build()?))
            }
        }
    }

    fn new_rows(
        &self,
        mut frame: Frame,
        of: &hir::Query,
        memory: Option<&str>,
        (row, by): (RowId, Option<&hir::Expr>),
    ) -> Result<Frame, QueryError> {
        let name = by.map(|by| by_name(self.scope.program, of, by));
        match (self.scope.tables.taken(memory, frame.row.entity, name.as_deref())?, by) {
            (Taken::Nothing, _) => {}
            (Taken::Keys(keys), _) => {
                let taken = self.scan_provider(keys, &Rows::Entity(frame.row.entity), frame.row.entity)?;
                let on = (frame.key.clone(), taken.key);
                frame.with_plan(|plan| join(plan, taken.plan, JoinType::LeftAnti, (&on.0, &on.1)))?;
                frame.dropped = true;
            }
            (Taken::Ranges(ranges), Some(by)) => {
                frame.rows.insert(row, frame.row.clone());
                let value = self.expr(&mut frame, by)?;
                frame.rows.remove(&row);
                let bound = |bound: &Value| -> Result<Expr, QueryError> {
                    Ok(Expr::Literal(values::to_scalar(self.scope.program, bound, &by.ty)?, None))
                };
                for (from, to) in &ranges {
                    let mut outside = value.clone().gt(bound(to)?);
                    if let Some(from) = from {
                        outside = outside.or(value.clone().lt_eq(bound(from)?));
                    }
                    frame.with_plan(|plan| Ok(LogicalPlanBuilder::from(plan).filter(outside)?.build()?))?;
                }
            }
            (Taken::Ranges(_), None) => return Err(QueryError::Source("`new` without `by` remembers keys".to_owned())),
        }
        Ok(frame)
    }
}

/// Whether a plan only reads and filters rows.
fn is_cheap(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::TableScan(_) => true,
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Extension(_) => plan.inputs().into_iter().all(is_cheap),
        _ => false,
    }
}

/// Enumerations are ordered as declared, everything else by value.
fn by_declaration(value: Expr, ty: &Ty) -> Result<Expr, QueryError> {
    let TyKind::Enumeration(names) = &ty.kind else { return Ok(value) };
    let mut places = names.iter().enumerate().map(|(at, name)| (lit(name.as_str()), lit(at as i64)));
    let Some((first, place)) = places.next() else { return Ok(value) };
    let mut order = datafusion::logical_expr::case(value).when(first, place);
    for (name, place) in places {
        order = order.when(name, place);
    }
    Ok(order.end()?)
}
