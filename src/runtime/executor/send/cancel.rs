//! A run that is stopped says of every row of its sends what it did not do.

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;

use super::ledger::Rows;
use super::{ROW, outcome_row};
use crate::hir::Send;
use crate::plan::query::QueryError;
use crate::plan::{Step, StepKind};
use crate::runtime::channels::{Capabilities, Idempotency, Outcome};
use crate::runtime::error::RunError;
use crate::runtime::executor::Executor;
use crate::runtime::executor::freeze::file_error;
use crate::runtime::executor::keys::KeyNames;
use crate::runtime::executor::steps::file_instance;
use crate::runtime::store::{Change, Exclusion, Reason, SendRecord};
use crate::runtime::tables::parquet_batches;

impl Executor<'_> {
    /// Settles every row that is still due, before a run that nobody drives is recorded as stopped.
    pub(in crate::runtime) async fn cancel_rest(&self) -> Result<(), RunError> {
        Ok(self.around.store.commit(self.cancellations().await?).await?)
    }

    /// What settles every row that is still due: what was never intended or waits for another try is cancelled; what may
    /// have left and has no answer is unknown.
    pub(in crate::runtime::executor) async fn cancellations(&self) -> Result<Vec<Change>, RunError> {
        let mut changes = Vec::new();
        for record in self.around.store.sends(&self.run)? {
            if self.around.store.tally(record.id)?.due == 0 {
                continue;
            }
            let step = self.step_of_send(&record);
            if let Some(step) = step
                && let StepKind::Send(send) = &step.kind
            {
                self.cancel_send(&record, &step, send, &mut changes).await?;
            }
        }
        Ok(changes)
    }

    /// The same for one statement, if it is a send.
    pub(in crate::runtime) async fn cancel_step(&self, token: &str, step: &Step) -> Result<(), RunError> {
        let StepKind::Send(send) = &step.kind else { return Ok(()) };
        for record in self.around.store.sends(&self.run)? {
            let is_it = record.step == step.path && record.token == token;
            if is_it && self.around.store.tally(record.id)?.due > 0 {
                let mut changes = Vec::new();
                self.cancel_send(&record, step, send, &mut changes).await?;
                self.around.store.commit(changes).await?;
            }
        }
        Ok(())
    }

    async fn cancel_send(
        &self,
        record: &SendRecord,
        step: &Step,
        send: &Send,
        changes: &mut Vec<Change>,
    ) -> Result<(), RunError> {
        let now = self.around.clock.now();
        let folder = self.around.folders.run(&self.run);
        let marks = folder.join(format!("{}.marks", file_instance(&record.token, step)));
        // A driver that marks nothing leaves every intent in doubt; one we do not know is taken for such.
        let unmarked = Capabilities { idempotency: Idempotency::Always, ..Capabilities::default() };
        let bound = self.around.channels.get(&record.channel);
        let capabilities = bound.map_or(unmarked, |bound| bound.driver.capabilities());
        let (rows, resolved) = Rows::load(self.around.store, record.id, &marks, &capabilities, false, now)?;
        changes.push(Change::Outcomes(record.id, resolved));
        let snapshot = match self.performed(record.id)? {
            Some(delivery) => delivery.snapshot,
            None => self.send_snapshot(&record.token, step, send).await?,
        };
        let path = folder.join(&snapshot.file);
        let names = KeyNames::new(&self.program[send.to.ty.entity]);
        for batch in parquet_batches(&path)? {
            let batch = batch.map_err(|error| file_error(&path, &error))?;
            let number = batch.schema().index_of(ROW).map_err(QueryError::from_arrow)?;
            let keys = names.locate(&batch.schema());
            let (mut exclusions, mut outcomes) = (Vec::new(), Vec::new());
            for (at, row) in batch.column(number).as_primitive::<Int64Type>().values().iter().enumerate() {
                let row = *row as u64;
                if rows.is_in_doubt(row) {
                    let reason = "the run was stopped before it was known whether it had left".to_string();
                    let first = rows.first_intended(row).unwrap_or(now);
                    outcomes.push(outcome_row(row, rows.attempt(row).0, Outcome::Unknown { reason }, first, now));
                } else if rows.is_due(row, jiff::Timestamp::MAX) {
                    let entity = keys.text(&batch, at)?.unwrap_or_default();
                    let (reason, detail) = (Reason::Cancelled, String::new());
                    exclusions.push(Exclusion { row, entity, reason, detail, at: now });
                }
            }
            changes.extend([Change::Outcomes(record.id, outcomes), Change::Exclusions(record.id, exclusions)]);
        }
        Ok(())
    }
}
