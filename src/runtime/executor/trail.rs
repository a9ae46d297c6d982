//! One person through a run: in which frozen population, and why not in the others.
//!
//! Who is in is what was frozen. Why somebody is not is asked of the data of now, with names and time as they were: where
//! the data has changed since, the answer is the best there is.

use std::path::Path;

use datafusion::arrow::array::RecordBatch;
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::keys::KeyNames;
use super::{Executor, file_error};
use crate::base::Span;
use crate::hir::{
    BinaryOp, ColumnRef, Entity, Expr, ExprKind, LocalId, Query, QueryKind, RowId, SetOp, Ty, TyKind, Value, visit_expr,
};
use crate::plan::query::{Columns, Ordering, QueryError, collect, population, values};
use crate::plan::{Step, StepKind};
use crate::runtime::error::RunError;
use crate::runtime::machine::{self, Event, Outcome, Snapshot, State, Status};
use crate::runtime::seal;

/// A row of no program: the one that is looked for.
const WANTED: RowId = RowId(u32::MAX - 3);

/// What a step made of one person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stop {
    /// The step's path.
    pub path: String,
    /// The branch it ran in.
    pub token: String,
    /// The statement in a few words.
    pub title: String,
    /// What happened to them.
    pub fate: Fate,
}

/// What happened to a person at a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// They are in the population; the conditions they met, with their values.
    In(String),
    /// They are not, for this reason.
    Out(String),
    /// It is not known any more, for this reason.
    Gone(String),
    /// The send with this number decided about them.
    Send(i64),
}

impl Executor<'_> {
    /// Follows the row with this key, step by step. `advance` sets the clock to the time of each.
    pub(in crate::runtime) async fn trail(
        &mut self,
        key: &str,
        advance: &(dyn Fn(jiff::Timestamp) + Sync),
    ) -> Result<Vec<Stop>, RunError> {
        let journal = self.around.store.journal(&self.run)?;
        let wanted = self.entities_sent_to();
        let mut stops = Vec::new();
        self.state = State::default();
        for entry in journal {
            if let Event::Migrated { tokens, locals, .. } = &entry.event {
                // What was before is the matter of an earlier version.
                let (version, status) = (self.state.version + 1, Status::Running);
                self.state =
                    State { tokens: tokens.clone(), locals: locals.clone(), version, status, ..State::default() };
                stops.retain(|stop: &Stop| matches!(stop.fate, Fate::Send(_)));
                continue;
            }
            advance(entry.at);
            if let Event::Done { token, outcome } = &entry.event
                && let Some(position) = self.state.tokens.get(token).cloned()
                && let Ok(step) = machine::step_of(self.plan, &position)
            {
                let step = self.named(&position, step).into_owned();
                self.stops(token, &step, outcome, key, &wanted, &mut stops).await?;
            }
            if machine::apply(self.plan, &mut self.state, &entry.event).is_err() {
                // An event of an earlier version of the script; the position after it comes with the migration.
                self.state.tokens.clear();
            }
        }
        Ok(stops)
    }

    /// The entities whose rows get messages; a person is named by a key of theirs.
    fn entities_sent_to(&self) -> Vec<crate::hir::EntityId> {
        let to = |step: &&Step| match &step.kind {
            StepKind::Send(send) => Some(send.to.ty.entity),
            _ => None,
        };
        self.plan.steps().iter().filter_map(to).collect()
    }

    async fn stops(
        &self,
        token: &str,
        step: &Step,
        outcome: &Outcome,
        key: &str,
        wanted: &[crate::hir::EntityId],
        stops: &mut Vec<Stop>,
    ) -> Result<(), RunError> {
        let (path, token, title) = (step.path.clone(), token.to_string(), step.title.clone());
        let is_wanted = |query: &Query| wanted.is_empty() || wanted.contains(&query.ty.entity);
        match (&step.kind, outcome) {
            (StepKind::Segment { query, .. }, Outcome::Frozen(snapshot)) if is_wanted(query) => {
                let fate = self.fate(query, snapshot, key).await;
                stops.push(Stop { path, token, title, fate });
            }
            (StepKind::Split { input, .. }, Outcome::Split(arms)) if is_wanted(input) => {
                for (local, snapshot) in arms {
                    let name = &self.plan.campaign()[LocalId(*local)].name;
                    let fate = match self.row_of(input, snapshot, key) {
                        Ok(Some(_)) => Fate::In(String::new()),
                        Ok(None) => Fate::Out(String::new()),
                        Err(error) => Fate::Gone(error.to_string()),
                    };
                    let (path, token) = (path.clone(), token.clone());
                    stops.push(Stop { path, token, title: format!("split into {name}"), fate });
                }
            }
            // A send that was performed again is the same send.
            (StepKind::Send(_), Outcome::Sent(delivery))
                if !stops.iter().any(|stop| stop.fate == Fate::Send(delivery.send)) =>
            {
                stops.push(Stop { path, token, title, fate: Fate::Send(delivery.send) });
            }
            _ => {}
        }
        Ok(())
    }

    /// In or out, and why.
    async fn fate(&self, query: &Query, snapshot: &Snapshot, key: &str) -> Fate {
        match self.row_of(query, snapshot, key) {
            Err(error) => Fate::Gone(error.to_string()),
            Ok(Some(row)) => Fate::In(self.conditions(query, Some(&row))),
            Ok(None) => match self.why_out(query, key).await {
                Ok(why) => Fate::Out(why),
                Err(error) => Fate::Out(format!("the reason cannot be told: {error}")),
            },
        }
    }

    /// The frozen row with this key.
    fn row_of(&self, query: &Query, snapshot: &Snapshot, key: &str) -> Result<Option<RecordBatch>, RunError> {
        let path = self.around.folders.run(&self.run).join(&snapshot.file);
        find_row(&path, &self.program[query.ty.entity], key)
    }

    /// The conditions of a population as they are written, with the values that a row has.
    fn conditions(&self, query: &Query, row: Option<&RecordBatch>) -> String {
        let mut parts = Vec::new();
        let mut level = Some(query);
        while let Some(at) = level {
            if let QueryKind::Where { row: of, predicate, .. } = &at.kind {
                parts.push(self.condition(predicate, *of, at, row));
            }
            level = at.input();
        }
        parts.reverse();
        parts.join(" · ")
    }

    /// `spend > 500 (spend = 812.50)`
    fn condition(&self, predicate: &Expr, row: RowId, level: &Query, values_of: Option<&RecordBatch>) -> String {
        let text = self.written(predicate.span);
        let Some(batch) = values_of else { return text };
        let value = |name: &String| {
            let column = batch.column_by_name(name)?;
            let value = values::from_array(column.as_ref(), 0).ok()?;
            let shown = if value == Value::Null { "null".to_string() } else { value.to_text(self.around.zone) };
            Some(format!("{name} = {shown}"))
        };
        let known: Vec<String> = self.fields_in(predicate, row, level).iter().filter_map(value).collect();
        if known.is_empty() { text } else { format!("{text} ({})", known.join(", ")) }
    }

    /// The words of a place in the script.
    fn written(&self, span: Span) -> String {
        let text = self.plan.files.get(span.source.0 as usize).map_or("", |(_, text)| text);
        let words = text.get(span.start as usize..span.end as usize).unwrap_or_default();
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The fields of the row that a condition looks at.
    fn fields_in(&self, predicate: &Expr, row: RowId, level: &Query) -> Vec<String> {
        let entity = &self.program[level.ty.entity];
        let mut names = Vec::new();
        visit_expr(
            predicate,
            &mut |of, path, column| {
                let name = match column {
                    ColumnRef::Field(field) => entity.fields.get(field.0 as usize).map(|field| field.name.clone()),
                    ColumnRef::Added(name) => Some(name.clone()),
                };
                if of == row && path.is_empty() {
                    names.extend(name.filter(|name| !names.contains(name)));
                }
            },
            &mut |_| {},
        );
        names
    }

    /// The first clause that does not let the row pass, in the data of now.
    async fn why_out(&self, query: &Query, key: &str) -> Result<String, RunError> {
        let mut levels = vec![query];
        while let Some(input) = levels.last().and_then(|level| level.input()) {
            levels.push(input);
        }
        for (at, level) in levels.iter().enumerate().rev() {
            let Some(wanted) = self.only(level, key) else { return Ok(String::new()) };
            if !self.rows(&wanted, &[]).await?.is_empty() {
                continue;
            }
            return Ok(match (&level.kind, levels.get(at + 1)) {
                (QueryKind::Where { row, predicate, .. }, Some(input)) => {
                    let names = self.fields_in(predicate, *row, input);
                    let found = match self.only(input, key) {
                        Some(before) => self.rows(&before, &names).await?,
                        None => Vec::new(),
                    };
                    format!("not {}", self.condition(predicate, *row, input, found.first()))
                }
                (QueryKind::Dedupe { .. }, _) => "`dedupe` kept another row of its group".to_string(),
                (QueryKind::Limit { .. }, _) => "behind the rows that `limit` keeps".to_string(),
                (QueryKind::Sample { .. }, _) => "not in the sample".to_string(),
                (QueryKind::New { .. }, _) => "taken by `new` before".to_string(),
                (QueryKind::SetOp { op: SetOp::Except, .. }, _) => "excepted".to_string(),
                (QueryKind::SetOp { op: SetOp::Intersect, .. }, _) => "not on both sides of `intersect`".to_string(),
                (QueryKind::Match { .. } | QueryKind::Navigate { .. }, _) => "no row leads to it".to_string(),
                (QueryKind::Local(local), _) => format!("not in {}", self.plan.campaign()[*local].name),
                (QueryKind::Entity(entity), _) => format!("not in {}", self.program[*entity].name),
                _ => String::new(),
            });
        }
        Ok("it would be in by the data of now".to_string())
    }

    /// The one row of a population; `None` when its key cannot be written as one value.
    fn only(&self, level: &Query, key: &str) -> Option<Query> {
        let entity = &self.program[level.ty.entity];
        let [field] = entity.key.as_slice() else { return None };
        let ty = &entity[*field].ty;
        let value = match &ty.kind {
            TyKind::Int => Value::Int(key.parse().ok()?),
            kind if kind.is_text() => Value::Text(key.to_string()),
            _ => return None,
        };
        let span = level.span;
        let expr = |kind, ty: Ty| Box::new(Expr { kind, ty, span });
        let column = ExprKind::Column { row: WANTED, path: Vec::new(), column: ColumnRef::Field(*field) };
        let (left, right) = (expr(column, ty.clone()), expr(ExprKind::Literal(value), ty.clone()));
        let kind = ExprKind::Binary { op: BinaryOp::Equal, left, right };
        let predicate = *expr(kind, Ty::of(TyKind::Bool));
        let kind = QueryKind::Where { input: Box::new(level.clone()), row: WANTED, predicate };
        Some(Query { kind, ty: level.ty.clone(), span })
    }

    /// The rows of a population with these columns; batches without rows are left out.
    async fn rows(&self, query: &Query, names: &[String]) -> Result<Vec<RecordBatch>, RunError> {
        let (locals, frozen) = (self.locals(), self.frozen());
        let tables = self.tables(&frozen);
        let scope = self.scope(&tables, &locals);
        let plan = population(&scope, query, &Columns::Named(names.to_vec()), Ordering::Any)?;
        let batches = collect(self.around.session, plan).await?;
        Ok(batches.into_iter().filter(|batch| batch.num_rows() > 0).collect())
    }
}

/// The row of a frozen population with this key; only key columns of the others are read.
fn find_row(path: &Path, entity: &Entity, key: &str) -> Result<Option<RecordBatch>, RunError> {
    let failed = |error: &dyn std::fmt::Display| file_error(path, error);
    let open = || {
        let file = seal::open(path).map_err(|error| failed(&error))?;
        ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| failed(&error))
    };
    let names = KeyNames::new(entity);
    let builder = open()?;
    let fields = builder.schema().fields().iter().enumerate();
    let keys: Vec<usize> = fields.filter(|(_, field)| names.is_key(field.name())).map(|(at, _)| at).collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), keys);
    let mut before = 0;
    for batch in builder.with_projection(mask).build().map_err(|error| failed(&error))? {
        let batch = batch.map_err(|error| failed(&error))?;
        let columns = names.locate(&batch.schema());
        for at in 0..batch.num_rows() {
            if columns.text(&batch, at).map_err(|error: QueryError| failed(&error))?.as_deref() == Some(key) {
                let reader = open()?.with_offset(before + at).with_limit(1).build().map_err(|error| failed(&error))?;
                return reader.into_iter().next().transpose().map_err(|error| failed(&error));
            }
        }
        before += batch.num_rows();
    }
    Ok(None)
}
