//! `split`: one look at every row, then each arm is a frozen population of its own.
//!
//! Conditional arms take their rows first, in the order written; shares then divide exactly what is left, in an order
//! that is a hash of the seed and the row's key, so it is the same on every machine and independent between splits.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::Path;

use datafusion::arrow::array::{Array, AsArray, BooleanArray, RecordBatch, RecordBatchReader};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::{Int64Type, Schema};
use futures::StreamExt;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::Executor;
use super::freeze::{SnapshotFile, file_error};
use super::keys::KeyNames;
use super::send::{ROW, check_numbers, numbered_query};
use super::steps::{file_instance, instance};
use crate::hir::{Amount, Arm, ArmKind, Expr, LocalId, Query, RowId, Value};
use crate::plan::Step;
use crate::plan::query::{Binding, Columns, Ordering as RowOrder, QueryError, stream, values};
use crate::runtime::error::RunError;
use crate::runtime::machine::{Outcome, Snapshot};
use crate::runtime::store::StepRecord;
use crate::runtime::tables::{RunTables, parquet_columns};

/// A split as written.
pub(super) struct SplitStep<'s> {
    pub input: &'s Query,
    pub row: RowId,
    pub overlapping: bool,
    pub arms: &'s [Arm],
    pub seed: Option<&'s str>,
}

/// What is known of each row: which conditions hold, what arms order by, its place among equals.
#[derive(Default)]
struct Looked {
    /// Per arm, per row.
    holds: Vec<Vec<bool>>,
    /// Per arm, per row; empty for arms without an order.
    keys: Vec<Vec<Vec<Value>>>,
    /// Per row.
    hashes: Vec<u128>,
}

/// Rows that one thread numbers at once.
const PIECE: usize = 1 << 15;

impl Executor<'_> {
    /// Freezes the population and its subsets.
    pub(super) async fn split(
        &self,
        token: &str,
        step: &Step,
        split: &SplitStep<'_>,
    ) -> Result<(Outcome, Option<StepRecord>), RunError> {
        let columns = self.kept.split(&self.program, split.arms, split.input);
        let (whole, _) = self.freeze(token, step, split.input, &columns).await?;
        let looked = self.look(token, step, split, &whole).await?;
        if looked.hashes.len() as u64 != whole.rows {
            let equation = format!("{} rows were frozen and {} looked at", whole.rows, looked.hashes.len());
            return Err(RunError::Unbalanced { step: step.title.clone(), equation });
        }
        let taken = self.assign(split, &looked, whole.rows as usize).await?;
        let snapshots = self.write_arms(token, step, split, &whole, &taken)?;
        let mut arms = Vec::with_capacity(split.arms.len());
        let mut dropped = BTreeMap::new();
        let mut note = Vec::new();
        for (arm, snapshot) in split.arms.iter().zip(snapshots) {
            let name = &self.plan.campaign()[arm.local].name;
            note.push(format!("{name} {}", snapshot.rows));
            arms.push((arm.local.0, snapshot));
        }
        let rows = whole.rows as usize;
        let in_none = (0..rows).filter(|row| !taken.iter().any(|arm| arm[*row])).count() as u64;
        if in_none > 0 {
            dropped.insert("remainder".to_string(), in_none);
            note.push(format!("in no arm {in_none}"));
        }
        let mut record = self.record(token, step, Some(note.join(" · ")));
        record.rows_in = Some(whole.rows);
        record.rows_out = Some(whole.rows - in_none);
        record.dropped = dropped;
        Ok((Outcome::Split(arms), Some(record)))
    }

    /// Evaluates every arm's condition and order for every row, in row order.
    async fn look(
        &self,
        token: &str,
        step: &Step,
        split: &SplitStep<'_>,
        whole: &Snapshot,
    ) -> Result<Looked, RunError> {
        let columns = arm_columns(split.arms);
        let tickets = self.tickets(token, step, split);
        let path = self.around.folders.run(&self.run).join(&whole.file);
        if columns.is_empty() {
            return self.look_at_keys(&tickets, split.arms, &path, whole.rows as usize);
        }
        let local = LocalId(self.plan.campaign().locals.len() as u32);
        let query = numbered_query(split.input, split.row, local);
        let mut frozen = self.frozen();
        frozen.insert(local.0, path);
        let tables = RunTables { numbered: Some(local), ..self.tables(&frozen) };
        let locals = self.locals();
        let scope = self.scope(&tables, &locals);
        let entity = &scope.program[split.input.ty.entity];
        let kept = entity.key.iter().map(|key| entity[*key].name.clone()).chain([ROW.to_string()]).collect();
        let bindings = [Binding { row: split.row, path: Vec::new() }];
        let plan = values(&scope, &query, &bindings, &columns, &Columns::Named(kept), RowOrder::Defined)?;
        let mut batches = stream(self.around.session, plan).await?;
        let mut looked = Looked::nothing(split.arms);
        let mut last = None;
        while let Some(batch) = batches.next().await {
            let batch = batch.map_err(QueryError::from)?;
            check_numbers(&batch, &mut last)?;
            for at in 0..batch.num_rows() {
                looked.row(split.arms, &batch, at)?;
            }
            looked.hashes.extend(tickets.of(&batch)?);
        }
        Ok(looked)
    }

    /// The same where no arm asks for anything: the keys of the frozen rows are enough.
    fn look_at_keys(&self, tickets: &Tickets, arms: &[Arm], path: &Path, rows: usize) -> Result<Looked, RunError> {
        let mut looked = Looked::nothing(arms);
        for (arm, holds) in arms.iter().zip(&mut looked.holds) {
            if matches!(arm.kind, ArmKind::Rows { .. }) {
                holds.resize(rows, true);
            }
        }
        let mut batches = parquet_columns(path, PIECE, |name| tickets.names.is_key(name))?;
        let threads = self.around.sources.threads();
        loop {
            let some: Vec<RecordBatch> =
                batches.by_ref().take(threads).collect::<Result<_, _>>().map_err(|error| file_error(path, &error))?;
            if some.is_empty() {
                return Ok(looked);
            }
            let hashed: Result<Vec<Vec<u128>>, QueryError> = std::thread::scope(|scope| {
                let threads: Vec<_> = some.iter().map(|batch| scope.spawn(|| tickets.of(batch))).collect();
                threads.into_iter().map(joined).collect()
            });
            looked.hashes.extend(hashed?.into_iter().flatten());
        }
    }

    fn tickets(&self, token: &str, step: &Step, split: &SplitStep<'_>) -> Tickets {
        let seed = match split.seed {
            Some(seed) => seed.to_string(),
            None => format!("{}/{}", self.plan.campaign().name, instance(token, step)),
        };
        Tickets { seed, names: KeyNames::new(&self.program[split.input.ty.entity]) }
    }

    /// Which rows each arm takes.
    async fn assign(&self, split: &SplitStep<'_>, looked: &Looked, rows: usize) -> Result<Vec<Vec<bool>>, RunError> {
        let mut free = vec![true; rows];
        let mut taken = vec![vec![false; rows]; split.arms.len()];
        for (at, arm) in split.arms.iter().enumerate() {
            let ArmKind::Rows { amount, by, .. } = &arm.kind else { continue };
            let candidates = (0..rows).filter(|row| looked.holds[at][*row] && (split.overlapping || free[*row]));
            let mut candidates: Vec<usize> = candidates.collect();
            if let Some(amount) = amount {
                let descending: Vec<bool> = by.iter().map(|key| key.descending).collect();
                // Sorting is stable, and rows come in the order of their key.
                candidates.sort_by(|a, b| compare_keys(&looked.keys[at], *a, *b, &descending));
                candidates.truncate(self.amount(amount, candidates.len()).await?);
            }
            for row in candidates {
                taken[at][row] = true;
                free[row] = false;
            }
        }
        let mut rest: Vec<usize> = (0..rows).filter(|row| free[*row]).collect();
        let total = rest.len();
        let (mut share_so_far, mut share_end) = (Decimal::ZERO, 0);
        let mut from = 0;
        for (at, arm) in split.arms.iter().enumerate() {
            let to = match &arm.kind {
                ArmKind::Rows { .. } | ArmKind::Otherwise => continue,
                ArmKind::Share(share) => {
                    share_so_far += as_decimal(&self.value(share).await?);
                    // Shares end where their sum does, so that together they leave nothing to rounding.
                    let end = portion(share_so_far, total).max(share_end);
                    let size = end - std::mem::replace(&mut share_end, end);
                    (from + size).min(total)
                }
                ArmKind::Sample(amount) => (from + self.amount(amount, total).await?).min(total),
            };
            // The lowest tickets of those that are left; in which order does not matter.
            if to < total {
                rest[from..].select_nth_unstable_by_key(to - from, |row| (looked.hashes[*row], *row));
            }
            for row in &rest[from..to] {
                taken[at][*row] = true;
                free[*row] = false;
            }
            from = to;
        }
        for (at, arm) in split.arms.iter().enumerate() {
            if arm.kind == ArmKind::Otherwise {
                taken[at].clone_from(&free);
            }
        }
        Ok(taken)
    }

    async fn amount(&self, amount: &Amount, of: usize) -> Result<usize, RunError> {
        Ok(match amount {
            Amount::Rows(expr) => match self.value(expr).await? {
                Value::Int(rows) => usize::try_from(rows.max(0)).unwrap_or(usize::MAX).min(of),
                _ => 0,
            },
            Amount::Share(expr) => portion(as_decimal(&self.value(expr).await?), of),
        })
    }

    /// Writes the rows of each arm as a frozen population of its own; threads share the arms.
    fn write_arms(
        &self,
        token: &str,
        step: &Step,
        split: &SplitStep<'_>,
        whole: &Snapshot,
        taken: &[Vec<bool>],
    ) -> Result<Vec<Snapshot>, RunError> {
        let folder = self.around.folders.run(&self.run);
        let keys = KeyNames::new(&self.program[split.input.ty.entity]);
        let arms: Vec<ArmFile<'_>> = split
            .arms
            .iter()
            .zip(taken)
            .enumerate()
            .map(|(at, (arm, taken))| {
                let file = format!("{}.{at}.parquet", file_instance(token, step));
                ArmFile { file, columns: self.kept.arm(&self.program, arm, split.input), taken }
            })
            .collect();
        let path = folder.join(&whole.file);
        let each = arms.len().div_ceil(self.around.sources.threads()).max(1);
        let written: Vec<Result<Vec<Snapshot>, RunError>> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                arms.chunks(each).map(|some| scope.spawn(|| write_some(some, &path, &folder, &keys))).collect();
            threads.into_iter().map(joined).collect()
        });
        let mut snapshots = Vec::with_capacity(arms.len());
        for some in written {
            snapshots.extend(some?);
        }
        Ok(snapshots)
    }
}

/// An arm that is to be a frozen population.
struct ArmFile<'a> {
    file: String,
    columns: Columns,
    /// Per row of the whole.
    taken: &'a [bool],
}

/// Writes some arms in one pass over the whole population at `path`.
fn write_some(arms: &[ArmFile<'_>], path: &Path, folder: &Path, keys: &KeyNames) -> Result<Vec<Snapshot>, RunError> {
    let failed = |error| file_error(path, &error);
    let batches = crate::runtime::tables::parquet_batches(path)?;
    // Of a population without rows, too, the columns are kept: later statements read them.
    let schema = batches.schema();
    let places: Vec<Vec<usize>> = arms.iter().map(|arm| kept_places(&schema, &arm.columns, keys)).collect();
    let writers: Result<Vec<SnapshotFile>, RunError> =
        arms.iter().map(|arm| SnapshotFile::create(&folder.join(&arm.file))).collect();
    let mut writers = writers?;
    for batch in batches {
        let batch = batch.map_err(failed)?;
        let number = schema.index_of(ROW).map_err(QueryError::from_arrow)?;
        let rows = batch.column(number).as_primitive::<Int64Type>();
        for ((arm, places), writer) in arms.iter().zip(&places).zip(&mut writers) {
            let mask: BooleanArray = rows.values().iter().map(|row| Some(arm.taken[*row as usize])).collect();
            let kept = batch.project(places).map_err(failed)?;
            let kept = filter_record_batch(&kept, &mask).map_err(QueryError::from_arrow)?;
            writer.write(&kept)?;
        }
    }
    let finished = arms.iter().zip(places).zip(writers).map(|((arm, places), writer)| {
        let kept = schema.project(&places).map_err(failed)?;
        let rows = writer.finish(Some(&kept.into()))?;
        Ok(Snapshot { file: arm.file.clone(), rows })
    });
    finished.collect()
}

/// The columns that an arm keeps: its key and what is read of it.
pub(super) fn kept_places(schema: &Schema, columns: &Columns, keys: &KeyNames) -> Vec<usize> {
    let wanted = |name: &str| match columns {
        Columns::All => true,
        Columns::Named(names) => names.iter().any(|known| known == name) || keys.is_key(name),
    };
    let places = schema.fields().iter().enumerate();
    places.filter(|(_, field)| field.name() != ROW && wanted(field.name())).map(|(at, _)| at).collect()
}

/// Gives every row a number that looks random: its place among the shares.
struct Tickets {
    seed: String,
    names: KeyNames,
}

impl Tickets {
    /// Of each row, the first half of the BLAKE3 hash of the seed, a zero and the key.
    fn of(&self, batch: &RecordBatch) -> Result<Vec<u128>, QueryError> {
        let keys = self.names.locate(&batch.schema());
        let mut text = format!("{}\0", self.seed);
        let start = text.len();
        let mut tickets = Vec::with_capacity(batch.num_rows());
        for at in 0..batch.num_rows() {
            text.truncate(start);
            if !keys.write(batch, at, &mut text)? {
                text.truncate(start);
            }
            let mut half = [0; 16];
            half.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
            tickets.push(u128::from_be_bytes(half));
        }
        Ok(tickets)
    }
}

/// What a thread came to; its panic goes on here.
fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

impl Looked {
    fn nothing(arms: &[Arm]) -> Self {
        Self { holds: vec![Vec::new(); arms.len()], keys: vec![Vec::new(); arms.len()], hashes: Vec::new() }
    }

    fn row(&mut self, arms: &[Arm], batch: &RecordBatch, at: usize) -> Result<(), QueryError> {
        for (index, arm) in arms.iter().enumerate() {
            let ArmKind::Rows { predicate, by, .. } = &arm.kind else { continue };
            let holds = match predicate {
                Some(_) => column(batch, &holds_column(index))?.as_boolean_opt().is_some_and(|holds| {
                    // Null is not true.
                    holds.is_valid(at) && holds.value(at)
                }),
                None => true,
            };
            self.holds[index].push(holds);
            let key = |key: usize| values::from_array(column(batch, &key_column(index, key))?.as_ref(), at);
            self.keys[index].push((0..by.len()).map(key).collect::<Result<_, _>>()?);
        }
        Ok(())
    }
}

fn column<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b datafusion::arrow::array::ArrayRef, QueryError> {
    batch.column_by_name(name).ok_or_else(|| QueryError::Engine(format!("the column {name} is missing")))
}

fn holds_column(arm: usize) -> String {
    format!("__holds{arm}")
}

fn key_column(arm: usize, key: usize) -> String {
    format!("__key{arm}_{key}")
}

/// Conditions and order keys of all arms as columns.
fn arm_columns(arms: &[Arm]) -> Vec<(String, Expr)> {
    let mut columns = Vec::new();
    for (at, arm) in arms.iter().enumerate() {
        let ArmKind::Rows { predicate, by, .. } = &arm.kind else { continue };
        columns.extend(predicate.iter().map(|predicate| (holds_column(at), predicate.clone())));
        columns.extend(by.iter().enumerate().map(|(index, key)| (key_column(at, index), key.value.clone())));
    }
    columns
}

/// By each key in turn; nulls last whatever the direction.
fn compare_keys(keys: &[Vec<Value>], a: usize, b: usize, descending: &[bool]) -> Ordering {
    for (at, descending) in descending.iter().enumerate() {
        let order = match (&keys[a][at], &keys[b][at]) {
            (Value::Null, Value::Null) => Ordering::Equal,
            (Value::Null, _) => Ordering::Greater,
            (_, Value::Null) => Ordering::Less,
            (a, b) if *descending => b.compare(a),
            (a, b) => a.compare(b),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

fn as_decimal(value: &Value) -> Decimal {
    match value {
        Value::Decimal(value) => *value,
        Value::Int(value) => Decimal::from(*value),
        _ => Decimal::ZERO,
    }
}

/// How many of `of` a share is, rounded half up.
fn portion(share: Decimal, of: usize) -> usize {
    let exact = share.clamp(Decimal::ZERO, Decimal::ONE) * Decimal::from(of);
    exact
        .round_dp_with_strategy(0, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
        .to_usize()
        .unwrap_or(0)
        .min(of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_together_take_everything_once() {
        for of in [0usize, 1, 2, 3, 7, 101, 1000] {
            let third = Decimal::new(3333, 4);
            let ends = [portion(third, of), portion(third + third, of), portion(Decimal::ONE, of)];
            assert!(ends[0] <= ends[1] && ends[1] <= ends[2]);
            assert_eq!(ends[2], of);
        }
        assert_eq!(portion(Decimal::new(5, 1), 101), 51);
    }

    #[test]
    fn keys_order_with_nulls_last_both_ways() {
        let keys: Vec<Vec<Value>> =
            vec![vec![Value::Null], vec![Value::Int(1)], vec![Value::Int(3)], vec![Value::Int(2)]];
        let sorted = |descending| {
            let mut rows = vec![0, 1, 2, 3];
            rows.sort_by(|a, b| compare_keys(&keys, *a, *b, &[descending]));
            rows
        };
        assert_eq!(sorted(false), [1, 3, 2, 0]);
        assert_eq!(sorted(true), [2, 3, 1, 0]);
    }
}
