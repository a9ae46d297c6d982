//! Queries made of two: set algebra and `match`.

use std::collections::{BTreeMap, HashMap};

use datafusion::common::JoinType;
use datafusion::functions_window::expr_fn::rank;
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlanBuilder, lit};
use datafusion::scalar::ScalarValue;

use super::frame::{Frame, Group, MANY_SCANS, Row, column, columns, join, scans};
use super::lower::{Base, Lower, not_kept, unsupported};
use super::{QueryError, Rows};
use crate::base::Span;
use crate::hir::{self, EntityId, Query, QueryKind, RowId, SetOp};

impl Lower<'_> {
    /// Lowers a query made of two.
    pub fn combine(&self, query: &Query, base: &Base<'_>) -> Result<Frame, QueryError> {
        match &query.kind {
            QueryKind::SetOp { op, left, right, on } => {
                let left = self.query(left, base)?;
                let right = self.query(right, if *op == SetOp::Union { base } else { self.base_of(right, base) })?;
                self.set_op(*op, left, right, on, query)
            }
            QueryKind::Match { input, source, target, row, on } => {
                let frame = self.query(input, base)?;
                self.match_rows(frame, *source, *target, *row, on, query)
            }
            _ => Err(unsupported("this query", query.span)),
        }
    }

    /// The right side of `intersect` and `except` need not be repeated for each outer row it does not look at.
    fn base_of<'f>(&self, query: &Query, base: &'f Base<'f>) -> &'f Base<'f> {
        let tied = match base {
            Base::Free => false,
            Base::Root(tie) => query.looks_at(&[tie.row]),
            Base::Under(outer) => query.looks_at(&outer.rows.keys().copied().collect::<Vec<_>>()),
        };
        if tied { base } else { &Base::Free }
    }

    fn set_op(
        &self,
        op: SetOp,
        mut left: Frame,
        right: Frame,
        on: &[String],
        query: &Query,
    ) -> Result<Frame, QueryError> {
        left.row.group = left.row.group.filter(|_| op != SetOp::Union);
        match op {
            SetOp::Intersect | SetOp::Except => {
                let kind = if op == SetOp::Intersect { JoinType::LeftSemi } else { JoinType::LeftAnti };
                let (here, there) = self.sides(&left, &right, on, query.span)?;
                left.with_plan(|plan| join(plan, right.plan, kind, (&here, &there)))?;
                left.dropped = true;
                left.order.clear();
                Ok(left)
            }
            SetOp::Union if scans(&left.plan) > MANY_SCANS => self.append_unseen(left, right, on, query),
            SetOp::Union => {
                let seen = self.renamed(&left)?;
                let (here, there) = self.sides(&right, &seen, on, query.span)?;
                let mut right = right;
                right.with_plan(|plan| join(plan, seen.plan, JoinType::LeftAnti, (&here, &there)))?;
                if !on.is_empty() {
                    // By whatever columns, a row is in a population once.
                    let seen = self.renamed(&left)?;
                    let (here, there) = self.sides(&right, &seen, &[], query.span)?;
                    right.with_plan(|plan| join(plan, seen.plan, JoinType::LeftAnti, (&here, &there)))?;
                }
                Ok(self.append(left, right, query)?.0)
            }
        }
    }

    /// The columns that make rows of both sides the same: key or `on` columns, then what both are tied to.
    fn sides(
        &self,
        left: &Frame,
        right: &Frame,
        on: &[String],
        span: Span,
    ) -> Result<(Vec<String>, Vec<String>), QueryError> {
        let (mut here, mut there) = match on.is_empty() {
            true if left.key.len() == right.key.len() => (left.key.clone(), right.key.clone()),
            true => {
                // One side carries the key of a matched source as well: the entity's key decides.
                let shared = self.scope.program[left.row.entity].key.len().min(left.key.len()).min(right.key.len());
                (left.key[..shared].to_vec(), right.key[..shared].to_vec())
            }
            false => {
                let find = |row: &Row, name: &String| self.place(row, name).ok_or_else(|| not_kept(name, span));
                let here = on.iter().map(|name| find(&left.row, name)).collect::<Result<_, _>>()?;
                (here, on.iter().map(|name| find(&right.row, name)).collect::<Result<_, _>>()?)
            }
        };
        if left.part.len() == right.part.len() {
            here.extend(left.part.iter().cloned());
            there.extend(right.part.iter().cloned());
        }
        Ok((here, there))
    }

    /// The column of a field or an added column.
    fn place(&self, row: &Row, name: &str) -> Option<String> {
        let added = row.added.iter().find(|(known, _)| known == name).map(|(_, place)| place.clone());
        added.or_else(|| row.fields.get(self.scope.program[row.entity].field(name)?.0 as usize)?.clone())
    }

    /// A union whose left side is put into the plan once.
    fn append_unseen(&self, left: Frame, right: Frame, on: &[String], query: &Query) -> Result<Frame, QueryError> {
        let (mut frame, side) = self.append(left, right, query)?;
        // The first of those that are the same, where rows of one side are equally good.
        let first_side = |of: &[String]| -> Result<Expr, QueryError> {
            let all: Vec<String> = frame.part.iter().chain(of).cloned().collect();
            let place = rank().partition_by(columns(&all)).order_by(vec![column(&side).sort(true, false)]);
            // Without a name of its own: the engine names what it rewrites, and stumbles over two names.
            Ok(place.build()?)
        };
        let named = |name: &String| self.place(&frame.row, name).ok_or_else(|| not_kept(name, query.span));
        let same = on.iter().map(named).collect::<Result<Vec<_>, _>>()?;
        let mut firsts = vec![first_side(&frame.key)?];
        if !same.is_empty() && same != frame.key {
            firsts.push(first_side(&same)?);
        }
        let is_first = |place: &Expr| column(&place.schema_name().to_string()).eq(lit(1u64));
        let mut unseen = is_first(&firsts[0]);
        if let Some(place) = firsts.get(1) {
            // Nulls are never equal.
            let missing = same.iter().map(|name| column(name).is_null()).reduce(Expr::or);
            unseen = unseen.and(is_first(place).or(missing.unwrap_or(lit(false))));
        }
        let kept = column(&side).eq(lit(0i64)).or(unseen);
        for first in firsts {
            frame.with_plan(|plan| Ok(LogicalPlanBuilder::from(plan).window([first])?.build()?))?;
        }
        frame.with_plan(|plan| Ok(LogicalPlanBuilder::from(plan).filter(kept)?.build()?))?;
        frame.seed = frame.plan.clone();
        Ok(frame)
    }

    /// One population after the other; a column says which a row is from, 0 or 1.
    fn append(&self, left: Frame, right: Frame, query: &Query) -> Result<(Frame, String), QueryError> {
        let mut pairs =
            Pairs { lower: self, left: Vec::new(), right: Vec::new(), sides: (&left, &right), known: HashMap::new() };
        let mut row = Row { added: Vec::new(), ..left.row.clone() };
        row.fields = pairs.fields(&left.row, &right.row)?;
        for added in query.ty.with.iter() {
            let find = |row: &Row| row.added.iter().find(|(name, _)| *name == added.name).map(|(_, at)| at.clone());
            let (here, there) = (find(&left.row), find(&right.row));
            if here.is_some() || there.is_some() {
                row.added.push((added.name.clone(), pairs.push(here.as_deref(), there.as_deref())?));
            }
        }
        let shared = left.key.len().min(right.key.len());
        let mut both = |left: &[String], right: &[String]| -> Result<Vec<String>, QueryError> {
            left.iter().zip(right).map(|(here, there)| pairs.push(Some(here), Some(there))).collect()
        };
        let key = both(&left.key[..shared], &right.key[..shared])?;
        let part = both(&left.part, &right.part)?;
        let mut rows = BTreeMap::new();
        for (id, here) in &left.rows {
            if let Some(there) = right.rows.get(id) {
                rows.insert(*id, pairs.row(here, there)?);
            }
        }
        let side = self.fresh("side");
        pairs.left.push(lit(0i64).alias(&side));
        pairs.right.push(lit(1i64).alias(&side));
        let (first, second) = (pairs.left, pairs.right);
        let second = LogicalPlanBuilder::from(right.plan).project(second)?.build()?;
        let plan = LogicalPlanBuilder::from(left.plan).project(first)?.union(second)?.build()?;
        let mut frame = Frame::new(plan, row, key);
        frame.part = part;
        frame.rows = rows;
        frame.dropped = true;
        Ok((frame, side))
    }

    /// Pairs of a row and a target row for which the condition is true.
    fn match_rows(
        &self,
        mut frame: Frame,
        source: RowId,
        target: EntityId,
        row: RowId,
        on: &hir::Expr,
        query: &Query,
    ) -> Result<Frame, QueryError> {
        let found = self.scan(&Rows::Entity(target), target)?;
        frame.with_plan(|plan| Ok(LogicalPlanBuilder::from(plan).cross_join(found.plan)?.build()?))?;
        frame.dropped = true;
        frame.seed = frame.plan.clone();
        let given = std::mem::replace(&mut frame.row, found.row);
        for added in query.ty.with.iter() {
            let short = added.name.split_once('.').map_or(added.name.as_str(), |(_, field)| field);
            let place = self.place(&given, &added.name).or_else(|| self.place(&given, short));
            if let Some(place) = place {
                frame.row.added.push((added.name.clone(), place));
            }
        }
        let source_key = std::mem::replace(&mut frame.key, found.key);
        frame.key.extend(source_key);
        frame.order.clear();
        frame.rows.insert(source, given);
        frame.rows.insert(row, frame.row.clone());
        self.filter(&mut frame, on)?;
        frame.rows.remove(&row);
        Ok(frame)
    }
}

/// Columns of two plans that become one.
struct Pairs<'l> {
    lower: &'l Lower<'l>,
    left: Vec<Expr>,
    right: Vec<Expr>,
    sides: (&'l Frame, &'l Frame),
    /// Pairs that have a column: the engine mistakes the order of unions with a column twice.
    known: HashMap<(Option<String>, Option<String>), String>,
}

impl Pairs<'_> {
    /// A common column; null on a side that lacks it.
    fn push(&mut self, left: Option<&str>, right: Option<&str>) -> Result<String, QueryError> {
        let pair = (left.map(str::to_owned), right.map(str::to_owned));
        if let Some(name) = self.known.get(&pair) {
            return Ok(name.clone());
        }
        let name = self.lower.fresh(left.or(right).unwrap_or("none"));
        let value = |place: Option<&str>, other: Option<&str>, frame: &Frame| -> Result<Expr, QueryError> {
            match (place, other) {
                (Some(place), _) => Ok(column(place)),
                (None, Some(other)) => {
                    let ty = self.lower.type_of(frame, &column(other))?;
                    Ok(Expr::Literal(ScalarValue::try_from(&ty)?, None))
                }
                (None, None) => Ok(Expr::Literal(ScalarValue::Null, None)),
            }
        };
        let here = value(left, right, self.sides.1)?;
        let there = value(right, left, self.sides.0)?;
        self.left.push(here.alias(&name));
        self.right.push(there.alias(&name));
        self.known.insert(pair, name.clone());
        Ok(name)
    }

    /// An outer row: the same on both sides.
    fn row(&mut self, left: &Row, right: &Row) -> Result<Row, QueryError> {
        let fields = self.fields(left, right)?;
        let mut added = Vec::new();
        for ((name, here), (_, there)) in left.added.iter().zip(&right.added) {
            added.push((name.clone(), self.push(Some(here), Some(there))?));
        }
        let group = match (&left.group, &right.group) {
            (Some(here), Some(there)) => {
                let both = here.here.iter().zip(&there.here);
                let columns = both.map(|(here, there)| self.push(Some(here), Some(there))).collect::<Result<_, _>>()?;
                Some(Group { here: columns, ..here.clone() })
            }
            _ => None,
        };
        Ok(Row { entity: left.entity, fields, added, group })
    }

    fn fields(&mut self, left: &Row, right: &Row) -> Result<Vec<Option<String>>, QueryError> {
        let both = left.fields.iter().zip(&right.fields);
        both.map(|pair| match pair {
            (Some(here), Some(there)) => self.push(Some(here), Some(there)).map(Some),
            _ => Ok(None),
        })
        .collect()
    }
}
