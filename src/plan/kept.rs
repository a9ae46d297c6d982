//! Which columns of frozen populations anything reads.
//!
//! A population keeps its key and the columns that a statement which names it, or a population made from it, looks at.
//! What is collected may name a column more than is needed, never one less: names are not told apart by the rows they
//! are read from, and where something is not known, everything is kept.

use std::collections::{BTreeSet, HashMap};

use super::query::Columns;
use super::{NewRows, Plan};
use crate::hir::visit::{Visitor, blocks, population, walk_arm, walk_expr, walk_message, walk_query, walk_stmt};
use crate::hir::{
    AggregateFn, Arm, ColumnRef, EntityId, Expr, ExprKind, LocalId, Program, Query, QueryKind, RelationId, RowId, Send,
    Stmt, StmtKind, TyKind, Value,
};

/// The columns that each population of a plan keeps.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    locals: HashMap<LocalId, Names>,
    /// The entity of each row; `None` where several use one id.
    rows: HashMap<RowId, Option<EntityId>>,
}

/// Names of columns.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Names {
    All,
    Some(BTreeSet<String>),
}

impl Default for Names {
    fn default() -> Self {
        Names::Some(BTreeSet::new())
    }
}

impl Names {
    fn add(&mut self, name: &str) {
        if let Names::Some(names) = self {
            names.insert(name.to_owned());
            // A column of a matched source row carries the source's name before its own.
            names.extend(name.split_once('.').map(|(_, own)| own.to_owned()));
        }
    }

    /// True when something came to it.
    fn join(&mut self, other: &Names) -> bool {
        match (&mut *self, other) {
            (Names::All, _) => false,
            (_, Names::All) => {
                *self = Names::All;
                true
            }
            (Names::Some(own), Names::Some(other)) => {
                let before = own.len();
                own.extend(other.iter().cloned());
                own.len() > before
            }
        }
    }

    fn columns(self) -> Columns {
        match self {
            Names::All => Columns::All,
            Names::Some(names) => Columns::Named(names.into_iter().collect()),
        }
    }
}

impl Plan {
    /// What each population of the campaign has to keep.
    pub fn kept(&self) -> Kept {
        let mut stmts = Vec::new();
        flatten(&self.campaign().body, &mut stmts);
        let mut kept = Kept { rows: rows_of(&stmts), ..Kept::default() };
        let reads: Vec<(Names, BTreeSet<LocalId>)> = stmts.iter().map(|stmt| kept.reads_of(self, stmt)).collect();
        // A population needs what those need that are made from it, which mostly come later.
        let mut changed = true;
        while changed {
            changed = false;
            for (stmt, (names, locals)) in stmts.iter().zip(&reads).rev() {
                let mut needed = names.clone();
                for made in made_by(stmt) {
                    needed.join(&kept.locals.get(&made).cloned().unwrap_or_default());
                }
                for local in locals {
                    changed |= kept.locals.entry(*local).or_default().join(&needed);
                }
            }
        }
        kept
    }
}

impl Kept {
    /// A column that a population must have in this plan and was not kept for under another one, in words; `None` when all
    /// are there. `keys` are kept always.
    pub fn lacking(&self, local: LocalId, earlier: &Kept, was: LocalId, keys: &[&str]) -> Option<String> {
        match (self.locals.get(&local), earlier.locals.get(&was)) {
            (None, _) | (_, Some(Names::All)) => None,
            (Some(Names::All), _) => Some("some of the columns".to_string()),
            (Some(Names::Some(needed)), had) => {
                let has = |name: &String| match had {
                    Some(Names::Some(had)) => had.contains(name) || keys.contains(&name.as_str()),
                    _ => keys.contains(&name.as_str()),
                };
                needed.iter().find(|name| !has(name)).map(|name| format!("`{name}`"))
            }
        }
    }

    /// What a segment keeps, of which `news` are the `new` clauses.
    pub fn segment(&self, program: &Program, local: LocalId, query: &Query, news: &[NewRows<'_>]) -> Columns {
        let mut names = self.of(program, local, query);
        for by in news.iter().filter_map(|new| new.by) {
            names.join(&self.read(program, |reads| reads.expr(by)));
        }
        names.columns()
    }

    /// What an arm of a split keeps.
    pub fn arm(&self, program: &Program, arm: &Arm, input: &Query) -> Columns {
        self.of(program, arm.local, input).columns()
    }

    /// What a split keeps of all its rows: what its arms keep, and what they ask.
    pub fn split(&self, program: &Program, arms: &[Arm], input: &Query) -> Columns {
        let mut names = Names::default();
        for arm in arms {
            names.join(&self.of(program, arm.local, input));
            names.join(&self.read(program, |reads| walk_arm(reads, &arm.kind)));
        }
        names.columns()
    }

    /// What a send keeps of a population that it freezes itself.
    pub fn send(&self, program: &Program, send: &Send) -> Columns {
        let mut names = self.read(program, |reads| reads.send(send));
        let later = send.delivery.and_then(|delivery| self.locals.get(&delivery)).cloned().unwrap_or_default();
        names.join(&later);
        names.join(&whole(program, &send.to));
        names.columns()
    }

    fn of(&self, program: &Program, local: LocalId, query: &Query) -> Names {
        let mut names = self.locals.get(&local).cloned().unwrap_or_default();
        names.join(&whole(program, query));
        names
    }

    fn read(&self, program: &Program, walk: impl FnOnce(&mut Reads<'_>)) -> Names {
        let mut reads = Reads::new(program, &self.rows);
        walk(&mut reads);
        reads.names
    }

    /// What a statement itself reads, and of which populations. Blocks inside it are statements of their own.
    fn reads_of(&self, plan: &Plan, stmt: &Stmt) -> (Names, BTreeSet<LocalId>) {
        let program = &plan.program;
        let mut reads = Reads::new(program, &self.rows);
        match &stmt.kind {
            StmtKind::Send(send) => {
                reads.query(&send.to);
                reads.send(send);
            }
            _ => walk_stmt(&mut reads, stmt),
        }
        match &stmt.kind {
            StmtKind::Export { options, .. } => match options.iter().find(|(name, _)| name == "columns") {
                Some((_, Value::List(columns))) => columns.iter().for_each(|column| {
                    reads.names.add(&column.to_text(&jiff::tz::TimeZone::UTC));
                }),
                _ => reads.names = Names::All,
            },
            StmtKind::Subscribe { query, .. } => reads.person(query.ty.entity),
            _ => {}
        }
        if let Some(query) = population(&stmt.kind) {
            reads.names.join(&whole(program, query));
        }
        (reads.names, reads.locals)
    }
}

/// Rows without a key are told apart by all that they say.
fn whole(program: &Program, query: &Query) -> Names {
    if program[query.ty.entity].key.is_empty() { Names::All } else { Names::default() }
}

fn flatten<'s>(body: &'s [Stmt], out: &mut Vec<&'s Stmt>) {
    for stmt in body {
        out.push(stmt);
        blocks(&stmt.kind).into_iter().for_each(|block| flatten(block, out));
    }
}

/// The populations that a statement binds, with the rows that it is about.
fn made_by(stmt: &Stmt) -> Vec<LocalId> {
    match &stmt.kind {
        StmtKind::Segment { local, .. } => vec![*local],
        StmtKind::Split { arms, .. } => arms.iter().map(|arm| arm.local).collect(),
        StmtKind::Send(send) => send.delivery.into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Collects what is read.
struct Reads<'p> {
    program: &'p Program,
    rows: &'p HashMap<RowId, Option<EntityId>>,
    names: Names,
    locals: BTreeSet<LocalId>,
    /// What is read now is read of the live row; only added columns are frozen.
    live: bool,
}

impl<'p> Reads<'p> {
    fn new(program: &'p Program, rows: &'p HashMap<RowId, Option<EntityId>>) -> Self {
        Self { program, rows, names: Names::default(), locals: BTreeSet::new(), live: false }
    }

    /// Whom to write to is read at the moment of sending, where a row can be found again.
    fn send(&mut self, send: &Send) {
        self.live = !self.program[send.to.ty.entity].key.is_empty();
        self.expr(&send.address);
        self.live = false;
        walk_message(self, send);
    }

    /// The fields by which a relation of `entity` leads on.
    fn relation(&mut self, entity: EntityId, relation: RelationId) {
        match self.program[entity].relations.get(relation.0 as usize) {
            Some(found) => found.on.iter().for_each(|(here, _)| self.names.add(&self.program[entity][*here].name)),
            None => self.names = Names::All,
        }
    }

    /// What a column of `row` is read from: the field itself, or the fields that lead to it.
    fn column(&mut self, row: RowId, path: &[RelationId], column: Option<&ColumnRef>) {
        let entity = self.rows.get(&row).copied().flatten();
        match (path.first(), column, entity) {
            (None, Some(ColumnRef::Added(name)), _) => self.names.add(name),
            (None, None, _) => {}
            _ if self.live => {}
            (_, _, None) => self.names = Names::All,
            (Some(relation), _, Some(entity)) => self.relation(entity, *relation),
            (None, Some(ColumnRef::Field(field)), Some(entity)) => {
                let field = self.program[entity].fields.get(field.0 as usize);
                match field {
                    Some(field) => self.names.add(&field.name),
                    None => self.names = Names::All,
                }
            }
        }
    }

    /// What says who a row is, and where to reach them.
    fn person(&mut self, entity: EntityId) {
        let declared = &self.program[entity];
        if declared.person.is_some() {
            // The rule looks at a row of its own.
            self.names = Names::All;
        }
        for field in &declared.fields {
            if matches!(field.ty.kind, TyKind::Email | TyKind::Phone | TyKind::PushToken) {
                self.names.add(&field.name);
            }
        }
    }
}

impl Visitor for Reads<'_> {
    fn stmt(&mut self, _: &Stmt) {}

    fn query(&mut self, query: &Query) {
        match &query.kind {
            QueryKind::Error => self.names = Names::All,
            QueryKind::Local(local) | QueryKind::Unmatched(local) | QueryKind::Feedback { delivery: local, .. } => {
                self.locals.insert(*local);
            }
            QueryKind::Related { row, path } => self.column(*row, path, None),
            QueryKind::Navigate { input, relation } => self.relation(input.ty.entity, *relation),
            QueryKind::SetOp { on, .. } => on.iter().for_each(|name| self.names.add(name)),
            _ => {}
        }
        walk_query(self, query);
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Error => self.names = Names::All,
            ExprKind::Column { row, path, column } => self.column(*row, path, Some(column)),
            // A list without values is one of whole rows.
            ExprKind::Aggregate(of) if of.function == AggregateFn::List && of.values.is_empty() => {
                self.names = Names::All;
            }
            _ => {}
        }
        walk_expr(self, expr);
    }
}

/// The entity of every row that an expression may look at.
fn rows_of(stmts: &[&Stmt]) -> HashMap<RowId, Option<EntityId>> {
    let mut rows = Rows(HashMap::new());
    for stmt in stmts {
        match &stmt.kind {
            StmtKind::Send(send) => rows.add(send.row, send.to.ty.entity),
            StmtKind::Split { input, row, .. } => rows.add(*row, input.ty.entity),
            StmtKind::Update { query, row, .. }
            | StmtKind::Insert { query, row, .. }
            | StmtKind::Subscribe { query, row, .. } => rows.add(*row, query.ty.entity),
            StmtKind::Upsert { query, source, entity, row, .. } => {
                rows.add(*source, query.ty.entity);
                rows.add(*row, *entity);
            }
            _ => {}
        }
        walk_stmt(&mut rows, stmt);
    }
    rows.0
}

struct Rows(HashMap<RowId, Option<EntityId>>);

impl Rows {
    fn add(&mut self, row: RowId, entity: EntityId) {
        let known = self.0.entry(row).or_insert(Some(entity));
        if *known != Some(entity) {
            *known = None;
        }
    }
}

impl Visitor for Rows {
    fn stmt(&mut self, _: &Stmt) {}

    fn query(&mut self, query: &Query) {
        match &query.kind {
            QueryKind::Where { input, row, .. }
            | QueryKind::With { input, row, .. }
            | QueryKind::Dedupe { input, row, .. }
            | QueryKind::OrderBy { input, row, .. }
            | QueryKind::Limit { input, row, .. }
            | QueryKind::New { input, row, .. } => self.add(*row, input.ty.entity),
            QueryKind::Match { input, source, target, row, .. } => {
                self.add(*source, input.ty.entity);
                self.add(*row, *target);
            }
            _ => {}
        }
        walk_query(self, query);
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Aggregate(of) => self.add(of.row, of.query.ty.entity),
            ExprKind::InQuery { row, query, .. } => self.add(*row, query.ty.entity),
            _ => {}
        }
        walk_expr(self, expr);
    }
}
