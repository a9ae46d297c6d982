//! Populations while they are planned.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, JoinType};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, SortExpr};

use super::tally::uncounted;
use super::{Columns, IDENTITY, QueryError};
use crate::hir::{self, Aggregate, EntityId, FieldId, Program, RowId};

/// Where the parts of a row are: names of columns of the plan.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub entity: EntityId,
    /// By field; `None` where a frozen population did not keep it.
    pub fields: Vec<Option<String>>,
    /// Added columns: name in the program, name in the plan.
    pub added: Vec<(String, String)>,
    /// After `dedupe`: the rows that were collapsed.
    pub group: Option<Group>,
}

/// The rows that `dedupe` collapsed, and what ties them to the rows it kept.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub frame: Arc<Frame>,
    /// Columns of `frame`.
    pub inner: Vec<String>,
    /// The same in the plan of the rows that were kept.
    pub here: Vec<String>,
}

/// An order by columns of the plan; nulls last.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub column: String,
    pub descending: bool,
}

/// A population, or in a nested query one population per outer row.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub plan: LogicalPlan,
    /// Rows among which all of the plan's are, and some of its columns, without what was joined since: a nested query
    /// that needs no more starts from them. Starting from the plan, each such query would double it.
    pub seed: LogicalPlan,
    /// A row of the population.
    pub row: Row,
    /// Other rows in scope: outer rows, and the source rows of a `match`.
    pub rows: BTreeMap<RowId, Row>,
    /// What identifies a row within its population: the entity's key, plus the source's key after `match`.
    pub key: Vec<String>,
    /// What tells the populations of different outer rows apart; empty outside nested queries.
    pub part: Vec<String>,
    pub order: Vec<Order>,
    /// Left joins over `one` relations that the plan already has: from these columns to these fields.
    pub joined: HashMap<(Vec<String>, EntityId, Vec<FieldId>), Row>,
    /// Aggregates that the clause in hand will ask for, so that those over one query are computed together.
    pub coming: Vec<hir::Expr>,
    /// Aggregates that the plan already has.
    pub ready: Vec<(Aggregate, Expr)>,
    /// Conditions that hold for every row that counts. A function that can fail is called only where they hold: the
    /// engine merges filters and may turn them around.
    pub guards: Vec<Expr>,
    /// How many of them, the first ones, hold for the place of the nested query and leave out no rows here.
    pub outside: usize,
    /// Rows were left out by something that no guard says: a membership, a limit, a join.
    pub dropped: bool,
}

/// A column of a plan.
pub(super) fn column(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

/// Columns of a plan.
pub(super) fn columns(names: &[String]) -> Vec<Expr> {
    names.iter().map(|name| column(name)).collect()
}

/// Joins on equal columns; nulls are never equal. (They could be: but the engine takes a later filter that compares both
/// sides into the join, and then nulls pass that filter too.) Without columns every pair is joined; then the kind must be
/// an inner join.
pub(super) fn join(
    left: LogicalPlan,
    right: LogicalPlan,
    kind: JoinType,
    on: (&[String], &[String]),
) -> Result<LogicalPlan, QueryError> {
    let left = LogicalPlanBuilder::from(left);
    if on.0.is_empty() && kind == JoinType::Inner {
        return Ok(left.cross_join(right)?.build()?);
    }
    let keys = |names: &[String]| names.iter().map(Column::new_unqualified).collect::<Vec<_>>();
    Ok(left.join(right, kind, (keys(on.0), keys(on.1)), None)?.build()?)
}

/// A plan with more columns.
fn extended(plan: LogicalPlan, added: Vec<(String, Expr)>) -> Result<LogicalPlan, QueryError> {
    let existing = plan.schema().columns().into_iter().map(Expr::Column);
    let all: Vec<Expr> = existing.chain(added.into_iter().map(|(name, expr)| expr.alias(name))).collect();
    Ok(LogicalPlanBuilder::from(plan).project(all)?.build()?)
}

/// Whether an expression calls a function: it may fail.
fn calls(expr: &Expr) -> bool {
    expr.exists(|part| Ok(matches!(part, Expr::ScalarFunction(_)))).unwrap_or(true)
}

/// Tables that a plan reads, as often as it reads them.
pub(super) fn scans(plan: &LogicalPlan) -> usize {
    let mut found = 0;
    let _ = plan.apply(|node| {
        found += usize::from(matches!(node, LogicalPlan::TableScan(_)));
        Ok(TreeNodeRecursion::Continue)
    });
    found
}

/// Plans that read more tables are not used twice in one plan: made of each other, they would double each time.
pub(super) const MANY_SCANS: usize = 6;

impl Row {
    /// Every column of the plan that the row uses.
    fn columns_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let group = self.group.iter_mut().flat_map(|group| group.here.iter_mut());
        self.fields.iter_mut().flatten().chain(self.added.iter_mut().map(|(_, column)| column)).chain(group)
    }

    /// Forgets what is in other columns.
    pub fn keep_only(&mut self, is_there: impl Fn(&String) -> bool) {
        for field in &mut self.fields {
            *field = field.take().filter(&is_there);
        }
        self.added.retain(|(_, place)| is_there(place));
        self.group = self.group.take().filter(|group| group.here.iter().all(&is_there));
    }

    /// The columns of these fields, if all were kept.
    pub fn fields_named(&self, fields: impl IntoIterator<Item = FieldId>) -> Option<Vec<String>> {
        fields.into_iter().map(|field| self.fields.get(field.0 as usize)?.clone()).collect()
    }
}

impl Frame {
    /// A plan around a row.
    pub fn new(plan: LogicalPlan, row: Row, key: Vec<String>) -> Self {
        Self {
            seed: plan.clone(),
            plan,
            row,
            rows: BTreeMap::new(),
            key,
            part: Vec::new(),
            order: Vec::new(),
            joined: HashMap::new(),
            coming: Vec::new(),
            ready: Vec::new(),
            guards: Vec::new(),
            outside: 0,
            dropped: false,
        }
    }

    /// One row without columns, for expressions that look at no row.
    pub fn one_row() -> Result<Self, QueryError> {
        let row = Row { entity: EntityId(0), fields: Vec::new(), added: Vec::new(), group: None };
        Ok(Self::new(LogicalPlanBuilder::empty(true).build()?, row, Vec::new()))
    }

    /// What identifies a row of the whole plan.
    pub fn identity(&self) -> Vec<String> {
        self.part.iter().chain(&self.key).cloned().collect()
    }

    /// Changes the plan.
    pub fn with_plan(
        &mut self,
        change: impl FnOnce(LogicalPlan) -> Result<LogicalPlan, QueryError>,
    ) -> Result<(), QueryError> {
        self.plan = change(std::mem::take(&mut self.plan))?;
        Ok(())
    }

    /// Adds columns to the plan.
    pub fn extend(&mut self, added: Vec<(String, Expr)>) -> Result<(), QueryError> {
        if added.is_empty() {
            return Ok(());
        }
        let simple: Vec<_> = added.iter().filter(|(_, expr)| self.is_in_seed(expr) && !calls(expr)).cloned().collect();
        if !simple.is_empty() {
            self.seed = extended(std::mem::take(&mut self.seed), simple)?;
        }
        self.with_plan(|plan| extended(plan, added))
    }

    /// Whether the seed has all columns of an expression.
    pub fn is_in_seed(&self, expr: &Expr) -> bool {
        let schema = self.seed.schema();
        expr.column_refs().iter().all(|used| schema.has_column_with_unqualified_name(&used.name))
    }

    /// The order of the rows, made total by the key.
    pub fn total_order(&self) -> Vec<SortExpr> {
        self.sort_by(&self.order)
    }

    /// An order, made total by the key. No column comes twice: aggregates of the engine lose count of their keys then.
    pub fn sort_by(&self, order: &[Order]) -> Vec<SortExpr> {
        let given = order.iter().map(|key| (&key.column, key.descending));
        let mut seen = BTreeSet::new();
        given
            .chain(self.key.iter().map(|key| (key, false)))
            .filter(|(name, _)| seen.insert(*name))
            .map(|(name, descending)| column(name).sort(!descending, false))
            .collect()
    }

    /// The same population under new column names, for a second use in the same plan.
    pub fn renamed(&self, mut fresh: impl FnMut(&str) -> String) -> Result<Frame, QueryError> {
        let mut frame = self.clone();
        let mut names = HashMap::new();
        for name in frame.columns_mut() {
            let new = names.entry(name.clone()).or_insert_with(|| fresh(name)).clone();
            *name = new;
        }
        for guard in &self.guards {
            for used in guard.column_refs() {
                names.entry(used.name.clone()).or_insert_with(|| fresh(&used.name));
            }
        }
        let rename = |expr: Expr| match expr {
            Expr::Column(used) => match names.get(&used.name) {
                Some(new) => Ok(Transformed::yes(column(new))),
                None => Ok(Transformed::no(Expr::Column(used))),
            },
            other => Ok(Transformed::no(other)),
        };
        frame.guards =
            frame.guards.into_iter().map(|guard| guard.transform(rename).data()).collect::<Result<_, _>>()?;
        let mut used: Vec<_> = names.iter().collect();
        used.sort_by_key(|(_, new)| *new);
        let projected = used.into_iter().map(|(old, new)| column(old).alias(new));
        frame.plan = LogicalPlanBuilder::from(uncounted(frame.plan)?).project(projected)?.build()?;
        frame.seed = frame.plan.clone();
        frame.joined.clear();
        frame.ready.clear();
        frame.coming.clear();
        Ok(frame)
    }

    fn columns_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let rows = self.rows.values_mut().flat_map(Row::columns_mut);
        let order = self.order.iter_mut().map(|key| &mut key.column);
        self.row.columns_mut().chain(rows).chain(&mut self.key).chain(&mut self.part).chain(order)
    }

    /// The population's columns under the program's names, then what else identifies its rows.
    pub fn output(&self, program: &Program, wanted: &Columns) -> Vec<Expr> {
        let wants = |name: &str| match wanted {
            Columns::All => true,
            Columns::Named(names) => names.iter().any(|wanted| wanted == name),
        };
        let mut taken = BTreeSet::new();
        let mut output = Vec::new();
        let added_name = |name: &str| self.row.added.iter().any(|(added, _)| added == name);
        if let Some(entity) = program.entities.get(self.row.entity.0 as usize) {
            for (field, place) in entity.fields.iter().zip(&self.row.fields) {
                let Some(place) = place else { continue };
                let identifies = self.key.contains(place);
                if (identifies || wants(&field.name)) && !added_name(&field.name) {
                    output.push(column(place).alias(&field.name));
                    taken.insert(place.clone());
                }
            }
        }
        // The key of a matched row identifies under a name of its own, even if the program sees it as well: its column's
        // name says nothing to those who look for identity. The line of an entity without a key does.
        let keyed = program.entities.get(self.row.entity.0 as usize).is_some_and(|entity| !entity.key.is_empty());
        for (name, place) in &self.row.added {
            let identifies = self.key.contains(place);
            if wants(name) || identifies && !keyed {
                output.push(column(place).alias(name));
            }
            if !keyed {
                taken.insert(place.clone());
            }
        }
        let rest = self.key.iter().filter(|place| !taken.contains(*place));
        output.extend(rest.enumerate().map(|(at, place)| column(place).alias(format!("{IDENTITY}{at}"))));
        output
    }
}
