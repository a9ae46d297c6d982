//! What each kind of step does.

use std::collections::BTreeMap;

use super::accounting::{Accounting, Levels};
use super::freeze::{Freezing, Frozen, freeze, source_of};
use super::split::SplitStep;
use super::{Executor, Performed, StepEnd};
use crate::hir::{Expr, LocalId, Query, QueryKind, Value};
use crate::plan::query::{Columns, scalar};
use crate::plan::{DataStep, Step, StepKind};
use crate::runtime::clock::Stopwatch;
use crate::runtime::error::RunError;
use crate::runtime::machine::{Outcome, Snapshot};
use crate::runtime::observe::Progress;
use crate::runtime::store::StepRecord;

impl Executor<'_> {
    /// Performs a step. Doing it twice is harmless.
    pub(super) async fn perform(&mut self, token: &str, step: &Step) -> Result<StepEnd, RunError> {
        self.check_fresh(step).await?;
        if !matches!(step.kind, StepKind::Segment { .. }) {
            // From here on rows may be others.
            self.together.clear();
        }
        let (outcome, record) = match &step.kind {
            StepKind::Segment { local, query } => self.segment(token, step, *local, query).await?,
            StepKind::Let { value, .. } => self.let_value(token, step, value).await?,
            StepKind::Split { input, row, overlapping, arms, seed } => {
                let seed = seed.as_deref();
                self.split(token, step, &SplitStep { input, row: *row, overlapping: *overlapping, arms, seed }).await?
            }
            StepKind::Wait { duration } => self.wait_step(token, step, duration).await?,
            StepKind::WaitUntil { until, within, .. } => self.wait_until(token, step, until, within.as_ref()).await?,
            StepKind::WaitSignal { signal, fields, filter, within, .. } => {
                self.wait_signal(token, step, (*signal, fields, filter.as_ref()), within.as_ref()).await?
            }
            StepKind::Human { kind, text, role, within, .. } => {
                self.human(token, step, *kind, (text, role.as_ref()), within.as_ref()).await?
            }
            StepKind::Repeat { times, every, until, .. } => {
                self.repeat(token, step, times, every.as_ref(), until.as_ref()).await?
            }
            StepKind::For { local, list, .. } => self.for_each(token, step, *local, list).await?,
            StepKind::Emit { signal, args } => {
                self.use_taken().await?;
                self.emit(token, step, *signal, args).await?
            }
            StepKind::Send(send) => return self.send(token, step, send).await,
            StepKind::Log { text } => {
                let text = self.text(text).await?;
                self.around.observer.on(Progress::Log { text: &text });
                (Outcome::Noted, Some(self.record(token, step, Some(text))))
            }
            StepKind::If { arms, .. } => {
                let mut chosen = None;
                for (at, (condition, _)) in arms.iter().enumerate() {
                    if self.value(condition).await? == Value::Bool(true) {
                        chosen = Some(at);
                        break;
                    }
                }
                let note = match chosen {
                    Some(at) => format!("arm {}", at + 1),
                    None => "else".to_string(),
                };
                (Outcome::Chosen(chosen), Some(self.record(token, step, Some(note))))
            }
            StepKind::Parallel { .. } => (Outcome::Noted, None),
            StepKind::Data(data) => {
                if !matches!(data.as_ref(), DataStep::Alert { .. }) {
                    self.use_taken().await?;
                }
                self.data(token, step, data).await?
            }
            StepKind::Require { condition, reason } => {
                if self.value(condition).await? != Value::Bool(true) {
                    let reason = self.reason(reason.as_ref()).await?;
                    return Err(RunError::Required { step: step.title.clone(), reason });
                }
                (Outcome::Noted, Some(self.record(token, step, None)))
            }
            StepKind::Stop { reason } | StepKind::Fail { reason } => {
                let reason = self.reason(reason.as_ref()).await?;
                let record = self.record(token, step, reason.clone());
                (Outcome::Ended { reason }, Some(record))
            }
        };
        Ok(StepEnd::Done(Box::new(Performed { outcome, record, tally: None })))
    }

    async fn let_value(
        &self,
        token: &str,
        step: &Step,
        value: &Expr,
    ) -> Result<(Outcome, Option<StepRecord>), RunError> {
        let value = self.value(value).await?;
        let note = value.to_text(self.around.zone);
        Ok((Outcome::Value(value), Some(self.record(token, step, Some(note)))))
    }

    async fn segment(
        &mut self,
        token: &str,
        step: &Step,
        local: LocalId,
        query: &Query,
    ) -> Result<(Outcome, Option<StepRecord>), RunError> {
        let (memories, stopwatch) = (self.memories(local)?, Stopwatch::start());
        let columns = self.kept.segment(&self.program, local, query, &self.plan.news_of(local));
        self.compute_together(token, step).await;
        let (snapshot, accounting) = match self.together.remove(&instance(token, step)) {
            Some(frozen) => self.account(token, step, query, &frozen, stopwatch.elapsed()).await?,
            None => self.freeze(token, step, query, &columns).await?,
        };
        self.freeze_unmatched(step, local, query, &snapshot).await?;
        // Rows are counted where they enter: of another entity, where the segment goes to its own by a relation.
        let rows = Levels::of(query).rows_in_words(&self.program);
        let mut record = self.record(token, step, Some(rows));
        record.name = self.plan.campaign()[local].name.clone();
        record.rows_in = Some(accounting.rows_in);
        record.rows_out = Some(accounting.rows_out);
        record.dropped = accounting.dropped;
        // Last, so that nothing is taken when anything else fails.
        self.takes = self.take_rows(token, step, local, (query, &snapshot), &memories).await?;
        Ok((Outcome::Frozen(snapshot), Some(record)))
    }

    /// Freezes a population under the step's name, with these columns, and accounts for its rows.
    pub(super) async fn freeze(
        &self,
        token: &str,
        step: &Step,
        query: &Query,
        columns: &Columns,
    ) -> Result<(Snapshot, Accounting), RunError> {
        let file = format!("{}.parquet", file_instance(token, step));
        let path = self.around.folders.run(&self.run).join(&file);
        let (locals, frozen) = (self.locals(), self.frozen());
        let tables = self.tables_for(step, &frozen);
        let scope = self.scope(&tables, &locals);
        let session = self.around.session;
        let levels = Levels::of(query);
        let what = Freezing { query, columns, levels: &levels.counted(), title: &step.title };
        let stopwatch = Stopwatch::start();
        let frozen = freeze(session, &scope, &what, &path).await?;
        self.account(token, step, query, &frozen, stopwatch.elapsed()).await
    }

    /// Tells of a population that was frozen under the step's name, and accounts for its rows.
    async fn account(
        &self,
        token: &str,
        step: &Step,
        query: &Query,
        frozen: &Frozen,
        took: std::time::Duration,
    ) -> Result<(Snapshot, Accounting), RunError> {
        let (rows, work) = (frozen.rows, &frozen.work);
        self.around.observer.on(Progress::Computed { title: &step.title, query, rows, work, took });
        let (locals, frozen_files) = (self.locals(), self.frozen());
        let tables = self.tables_for(step, &frozen_files);
        let scope = self.scope(&tables, &locals);
        let accounting = Levels::of(query).account(self.around.session, &scope, frozen).await?;
        let accounting = self.with_vanished(query, accounting)?;
        let accounting = self.with_rejected(query, accounting)?;
        if !accounting.balances() {
            let equation = format!("{accounting:?}");
            return Err(RunError::Unbalanced { step: step.title.clone(), equation });
        }
        Ok((Snapshot { file: format!("{}.parquet", file_instance(token, step)), rows }, accounting))
    }

    /// Lines of a file that could not be read entered, too, and were dropped.
    fn with_rejected(&self, query: &Query, mut accounting: Accounting) -> Result<Accounting, RunError> {
        if let QueryKind::Entity(entity) = &source_of(query).kind {
            let rejected = self.around.sources.open(*entity)?.rejected;
            if rejected > 0 {
                accounting.rows_in += rejected;
                *accounting.dropped.entry("rejected".to_string()).or_default() += rejected;
            }
        }
        Ok(accounting)
    }

    async fn wait_step(
        &self,
        token: &str,
        step: &Step,
        duration: &Expr,
    ) -> Result<(Outcome, Option<StepRecord>), RunError> {
        let now = self.around.clock.now();
        let until = match self.value(duration).await? {
            Value::Duration(duration) => duration.after(now, self.around.zone),
            _ => Some(now),
        };
        let until = until.unwrap_or(jiff::Timestamp::MAX);
        Ok((Outcome::Until(until), Some(self.record(token, step, Some(until.to_string())))))
    }

    /// The value of an expression that looks at no row.
    pub(super) async fn value(&self, expr: &Expr) -> Result<Value, RunError> {
        self.value_with(expr, &[]).await
    }

    /// The same, with further names bound.
    pub(super) async fn value_with(&self, expr: &Expr, bound: &[(u32, Value)]) -> Result<Value, RunError> {
        let (mut locals, frozen) = (self.locals(), self.frozen());
        locals.extend(bound.iter().map(|(local, value)| (LocalId(*local), value.clone())));
        let tables = self.tables(&frozen);
        let scope = self.scope(&tables, &locals);
        Ok(scalar(&scope, self.around.session, expr).await?)
    }

    pub(super) async fn text(&self, expr: &Expr) -> Result<String, RunError> {
        Ok(self.value(expr).await?.to_text(self.around.zone))
    }

    async fn reason(&self, expr: Option<&Expr>) -> Result<Option<String>, RunError> {
        match expr {
            Some(expr) => self.text(expr).await.map(Some),
            None => Ok(None),
        }
    }

    /// A record without rows.
    pub(super) fn record(&self, token: &str, step: &Step, note: Option<String>) -> StepRecord {
        StepRecord {
            run: self.run.clone(),
            step: step.path.clone(),
            token: token.to_string(),
            kind: step.kind.word().to_string(),
            name: step.title.clone(),
            rows_in: None,
            rows_out: None,
            dropped: BTreeMap::new(),
            at: self.around.clock.now(),
            note,
        }
    }
}

/// Tells apart the times a step is performed in a run: its path, and the branch for steps inside others.
pub(super) fn instance(token: &str, step: &Step) -> String {
    if token.is_empty() { step.path.clone() } else { format!("{}@{token}", step.path) }
}

/// The same as part of a file name.
pub(super) fn file_instance(token: &str, step: &Step) -> String {
    file_of(token, &step.path)
}

/// The same for the step with this path.
pub(super) fn file_of(token: &str, path: &str) -> String {
    let name = if token.is_empty() { path.to_string() } else { format!("{path}@{token}") };
    name.replace('/', "-")
}
